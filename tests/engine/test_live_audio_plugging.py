"""Sound devices that are plugged in and unplugged, hang, die and refuse."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.model.audio_choice import AudioChoice
from app.model.call import Source
from app.model.sound import TONE_DBM0, TONE_HZ
from app.sip.engine.audio import system as system_module
from app.sip.engine.audio.devices import Device, Trouble
from app.sip.engine.audio.system import OpenError, SoundSystem
from app.sip.notices import CallEnded, DevicesFound
from tests.engine.waiting import until
from tests.helpers.live_audio import (
    IN_USE,
    LINUX_ONLY,
    SPOKEN_DBM0,
    Found,
    hears,
    plays,
    plug_in,
    plug_in_headset,
    told,
    voice,
)
from tests.helpers.sound_card import SoundCard, sound_card
from tests.helpers.trunks import Seen
from tests.helpers.two_engines import reachable, talking
from tests.helpers.waiting import wait_for

pytestmark = LINUX_ONLY


# Devices that come and go


def test_the_list_of_devices_is_told_and_told_again_when_it_changes(card: SoundCard) -> None:
    plug_in(card)

    async def test() -> None:
        seen = Seen()
        async with reachable(seen) as (idle, _):
            await idle.control.watch_devices(True)

            async def are(microphones: tuple[str, ...], speakers: tuple[str, ...]) -> None:
                found = DevicesFound(trunk_id="trunk-1", microphones=microphones, speakers=speakers)
                await until(
                    lambda: seen.of(DevicesFound)[-1:] == [found],
                    Found(found, lambda: seen.of(DevicesFound)[-1:]),
                )

            mouth = "Mouth of Desk microphone"
            await are(("Desk microphone",), ("Big speaker", mouth))
            headset = card.add_speaker("headset", "Headset")
            await are(("Desk microphone",), ("Big speaker", mouth, "Headset"))
            card.set_default("sink", "headset")
            await are(("Desk microphone",), ("Headset", mouth, "Big speaker"))
            card.remove(headset)
            card.set_default("sink", "box")
            await are(("Desk microphone",), ("Big speaker", mouth))
            # One who asks again is told again
            told_so_far = len(seen.of(DevicesFound))
            await idle.control.watch_devices(True)
            await until(lambda: len(seen.of(DevicesFound)) == told_so_far + 1, "the same list")
            await idle.control.watch_devices(False)
            card.add_speaker("other", "Other")
            await idle.control.watch_devices(True)
            await are(("Desk microphone",), ("Big speaker", mouth, "Other"))

    asyncio.run(test())


def test_what_a_speaker_plays_is_not_taken_for_a_microphone(card: SoundCard) -> None:
    card.add_speaker("box", "Big speaker")

    async def test() -> None:
        async with talking(caller_source=Source.MICROPHONE) as (us, them):
            await us.session.use_audio(AudioChoice())
            await told(
                us,
                speaker="Big speaker",
                note="There is no microphone, so the other side does not hear you.",
            )
            await hears(them, None)

    asyncio.run(test())


def test_devices_that_are_unplugged_in_a_call_are_replaced_until_they_come_back(card: SoundCard) -> None:
    plug_in(card)

    numbers = plug_in_headset(card)
    choice = AudioChoice(microphone="Headset microphone", speaker="Headset")

    async def test() -> None:
        with card.speaking("mike", voice()), card.listening("box") as recorder:
            async with talking(caller_source=Source.MICROPHONE) as (us, them):
                await us.session.use_audio(choice)
                await told(us, microphone="Headset microphone", speaker="Headset")
                with card.speaking("lip", voice(level=-30)):
                    await hears(them, -30)
                    for number in numbers:
                        card.remove(number)
                    await told(
                        us,
                        **IN_USE,
                        note="Headset microphone is not connected, so Desk microphone is used."
                        " Headset is not connected, so Big speaker is used.",
                    )
                await hears(them, SPOKEN_DBM0)
                await plays(recorder, TONE_HZ, TONE_DBM0)
                plug_in_headset(card)
                await told(us, microphone="Headset microphone", speaker="Headset")
                assert us.seen.of(CallEnded) == []

    asyncio.run(test())


def test_without_any_sound_here_calls_work_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSE_SERVER", "unix:/nonexistent")

    async def test() -> None:
        async with talking() as (us, them):
            await us.session.use_audio(AudioChoice())
            nothing_to_hear = "There is no speaker, so you do not hear the other side."
            await told(
                us,
                note="There is no microphone; calls can still send the test tone or speech. "
                + nothing_to_hear,
            )
            await hears(them, TONE_DBM0)
            await us.session.control.set_source(us.call_id, Source.MICROPHONE)
            await told(
                us,
                note="There is no microphone, so the other side does not hear you. " + nothing_to_hear,
            )
            await hears(them, None)
            await us.session.control.watch_devices(True)
            await until(
                lambda: (
                    us.seen.of(DevicesFound)
                    == [DevicesFound(trunk_id="trunk-1", microphones=(), speakers=())]
                ),
                "an empty list",
            )

    asyncio.run(test())


@pytest.fixture
def own_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[SoundCard]:
    """A sound server that the test may treat badly."""
    with sound_card() as own:
        for name, value in own.environment.items():
            monkeypatch.setenv(name, value)
        yield own


def test_a_call_goes_on_when_the_sound_server_dies_and_is_heard_when_it_is_back(
    own_server: SoundCard,
) -> None:
    plug_in(own_server)

    async def test() -> None:
        async with talking(caller_source=Source.MICROPHONE) as (us, them):
            await us.session.use_audio(AudioChoice())
            await told(us, **IN_USE)
            own_server.stop()
            await told(
                us,
                note="There is no microphone, so the other side does not hear you."
                " There is no speaker, so you do not hear the other side.",
            )
            await us.session.control.set_source(us.call_id, Source.TONE)
            await hears(them, TONE_DBM0)
            await us.session.control.set_source(us.call_id, Source.MICROPHONE)
            own_server.start()
            plug_in(own_server)
            with own_server.speaking("mike", voice()):
                await told(us, **IN_USE)
                await hears(them, SPOKEN_DBM0)

    asyncio.run(test())


def test_the_sound_server_is_used_once_it_is_there_although_there_was_other_sound_before(
    card: SoundCard, own_server: SoundCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Bare ALSA; its only device leads to another sound server, because there is no hardware
    path = tmp_path / "asound.conf"
    server = card.environment["PULSE_SERVER"]
    path.write_text(
        f'pcm.default {{ type pulse server "{server}" hint {{ show on description "Bare card" }} }}\n'
    )
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(path))
    own_server.stop()

    async def test() -> None:
        async with talking(caller_source=Source.MICROPHONE) as (us, them):
            await us.session.use_audio(AudioChoice())
            await told(us, microphone="Bare card", speaker="Bare card")
            own_server.start()
            plug_in(own_server)
            with own_server.speaking("mike", voice()):
                await told(us, **IN_USE)
                await hears(them, SPOKEN_DBM0)

    plug_in(card)
    asyncio.run(test())


def test_a_sound_server_that_hangs_holds_up_neither_call_nor_end(own_server: SoundCard) -> None:
    plug_in(own_server)

    async def test() -> None:
        async with talking(caller_source=Source.MICROPHONE) as (us, them):
            await us.session.use_audio(AudioChoice())
            await told(us, **IN_USE)
            os.kill(own_server.pid, signal.SIGSTOP)
            try:
                await us.session.control.set_source(us.call_id, Source.TONE)
                await hears(them, TONE_DBM0)
                await hears(us, TONE_DBM0)
                await us.session.close()
                assert us.seen.lost == []
            finally:
                os.kill(own_server.pid, signal.SIGCONT)

    asyncio.run(test())


# The devices themselves


@pytest.fixture
def system(card: SoundCard) -> Iterator[SoundSystem]:
    plug_in(card)
    opened = SoundSystem()
    yield opened
    opened.close()


def test_a_device_that_gives_nothing_any_more_counts_as_gone(
    card: SoundCard, system: SoundSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system_module, "STALLED_S", 0.5)
    given: list[bytes] = []
    stream = system.open_microphone(system.devices().microphones[0], 8000, given.append, lambda: None)
    wait_for(lambda: len(given) > 10, "sound")
    assert stream.runs
    card.suspend("source", "mike")
    wait_for(lambda: not stream.runs, "the end")
    stream.close()


@pytest.mark.parametrize("kind", ["microphone", "speaker"])
def test_a_device_that_was_unplugged_can_be_closed(card: SoundCard, system: SoundSystem, kind: str) -> None:
    calls: list[object] = []
    numbers = plug_in_headset(card)
    devices = system.devices()
    if kind == "microphone":
        stream = system.open_microphone(
            named("Headset microphone", devices.microphones), 8000, calls.append, stop
        )
    else:
        stream = system.open_speaker(named("Headset", devices.speakers), 8000, silence(calls), stop)
    wait_for(lambda: len(calls) > 10, "sound")
    for number in numbers:
        card.remove(number)
    closing = threading.Thread(target=stream.close)
    closing.start()
    closing.join(5)
    assert not closing.is_alive()


def test_a_device_that_is_gone_before_it_is_opened_is_refused(card: SoundCard, system: SoundSystem) -> None:
    numbers = plug_in_headset(card)
    gone = named("Headset", system.devices().speakers)
    for number in numbers:
        card.remove(number)
    with pytest.raises(OpenError) as refused:
        system.open_speaker(gone, 8000, silence([]), stop)
    assert refused.value.trouble is Trouble.FAILED


def test_each_stream_leaves_nothing_behind(card: SoundCard, system: SoundSystem) -> None:
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    speaker = system.devices().speakers[0]
    system.open_speaker(speaker, 8000, silence([]), stop).close()
    gc.collect()  # what former tests left open closes now and not meanwhile
    before = descriptors()
    for _ in range(10):
        system.open_speaker(speaker, 8000, silence([]), stop).close()
    assert descriptors() <= before


def stop() -> None:
    """A device stops, which these tests expect."""


def silence(calls: list[object]) -> Callable[[int], bytes]:
    def take(count: int) -> bytes:
        calls.append(count)
        return bytes(2 * count)

    return take


def named(name: str, devices: tuple[Device, ...]) -> Device:
    return next(device for device in devices if device.name == name)
