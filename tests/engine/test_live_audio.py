"""Microphone and speaker of real calls, on the devices of a sound server of the test's own."""

from __future__ import annotations

import asyncio
import wave
from array import array
from pathlib import Path

import pytest

from app.model.audio_choice import AudioChoice
from app.model.call import Source
from app.model.sound import TONE_DBM0, TONE_HZ
from app.model.trunk import SignIn
from app.sip.notices import AudioChanged
from tests.helpers.live_audio import (
    IN_USE,
    LINUX_ONLY,
    SPOKEN_DBM0,
    SPOKEN_HZ,
    hears,
    is_silent,
    plays,
    plug_in,
    power_at,
    says,
    told,
    voice,
)
from tests.helpers.sound_card import SoundCard
from tests.helpers.trunks import Seen, make_trunk, session
from tests.helpers.two_engines import Side, incoming, reachable, talking

pytestmark = LINUX_ONLY


# Both ways


@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (16000, 2), (44100, 2), (48000, 1), (96000, 2)])
def test_what_is_said_arrives_and_what_arrives_is_heard(
    card: SoundCard, rate: int, channels: int, tmp_path: Path
) -> None:
    plug_in(card, rate=rate, channels=channels)
    path = tmp_path / "call.wav"

    async def test() -> None:
        with card.speaking("mike", voice()), card.listening("box") as recorder:
            async with talking(caller_source=Source.MICROPHONE) as (us, them):
                await us.session.use_audio(AudioChoice())
                await told(us, **IN_USE)
                await hears(them, SPOKEN_DBM0)
                await plays(recorder, TONE_HZ, TONE_DBM0)
                await says(us, SPOKEN_DBM0)
                await them.session.control.start_recording(them.call_id, path)
                await hears(them, SPOKEN_DBM0)
                await them.session.control.stop_recording(them.call_id)

    asyncio.run(test())
    with wave.open(str(path)) as recording:
        heard = array("h", recording.readframes(recording.getnframes()))[1::2]
    # In pieces of a frame: on a busy machine one may be late, and while that is made up for, each is a sample
    # longer or shorter, which moves the tone by 4 Hz
    pieces = [heard[start : start + 160] for start in range(0, len(heard) - 160, 160)]
    best = max(power_at(SPOKEN_HZ, piece, 8000) or -99 for piece in pieces)
    assert best == pytest.approx(SPOKEN_DBM0, abs=0.5)


def test_the_volume_is_set_both_ways(card: SoundCard) -> None:
    plug_in(card)

    async def test() -> None:
        with card.speaking("mike", voice()), card.listening("box") as recorder:
            async with talking(caller_source=Source.MICROPHONE) as (us, them):
                await us.session.use_audio(AudioChoice(microphone_db=-10.0, speaker_db=6.0))
                await hears(them, SPOKEN_DBM0 - 10)
                await plays(recorder, TONE_HZ, TONE_DBM0 + 6)
                await us.session.use_audio(AudioChoice(microphone_db=6.0, speaker_db=-20.0))
                await hears(them, SPOKEN_DBM0 + 6)
                await plays(recorder, TONE_HZ, TONE_DBM0 - 20)

    asyncio.run(test())


def test_a_muted_microphone_is_not_heard_and_then_is_again(card: SoundCard) -> None:
    plug_in(card)

    async def test() -> None:
        with card.speaking("mike", voice()):
            async with talking(caller_source=Source.MICROPHONE) as (us, them):
                await us.session.use_audio(AudioChoice())
                await hears(them, SPOKEN_DBM0)
                await us.session.control.mute(us.call_id, True)
                await hears(them, None)
                await us.session.control.mute(us.call_id, False)
                await hears(them, SPOKEN_DBM0)

    asyncio.run(test())


def test_after_a_hold_the_speaker_is_heard_again_and_stayed_open(card: SoundCard) -> None:
    plug_in(card)

    async def test() -> None:
        with card.listening("box") as recorder:
            async with talking() as (us, _them):
                await us.session.use_audio(AudioChoice())
                await plays(recorder, TONE_HZ, TONE_DBM0)
                await us.session.control.hold(us.call_id)
                await is_silent(recorder)
                await us.session.control.resume(us.call_id)
                await plays(recorder, TONE_HZ, TONE_DBM0)
                assert len(us.seen.of(AudioChanged)) == 1

    asyncio.run(test())


def test_four_calls_share_one_microphone(card: SoundCard) -> None:
    plug_in(card)

    async def test() -> None:
        us_seen, them_seen = Seen(), Seen()
        with card.speaking("mike", voice()):
            async with (
                reachable(them_seen, channels=4) as (answering, port),
                session(make_trunk(port, sign_in=SignIn.ADDRESS, channels=4), "", us_seen) as calling,
            ):
                await calling.connect()
                await calling.use_audio(AudioChoice())
                them = Side(answering, them_seen, "")
                for nth in range(4):
                    await calling.place_call(
                        "1001", max_seconds=60, ring_seconds=10, source=Source.MICROPHONE
                    )
                    ringing = await incoming(them_seen, nth)
                    await answering.control.answer(ringing.call_id, max_seconds=60, source=Source.SILENCE)
                for nth in range(4):
                    await hears(them, SPOKEN_DBM0, (await incoming(them_seen, nth)).call_id)
                assert card.streams() == (1, 1)

    asyncio.run(test())


# What is open, and when


def test_nothing_is_open_but_in_a_call_and_the_microphone_only_where_it_is_sent(card: SoundCard) -> None:
    plug_in(card)

    async def test() -> None:
        async with talking() as (us, _them):
            await hears(us, TONE_DBM0)
            assert card.streams() == (0, 0)
            await us.session.use_audio(AudioChoice())
            await told(us, speaker="Big speaker")
            assert card.streams() == (0, 1)
            await us.session.control.set_source(us.call_id, Source.MICROPHONE)
            await told(us, **IN_USE)
            assert card.streams() == (1, 1)
            await us.session.control.set_source(us.call_id, Source.SPEECH)
            await told(us, speaker="Big speaker")
            assert card.streams() == (0, 1)
            await us.session.use_audio(None)
            await told(us)
            assert card.streams() == (0, 0)
            await us.session.use_audio(AudioChoice())
            await told(us, speaker="Big speaker")
            await us.session.control.hang_up(us.call_id)
            await told(us)
            assert card.streams() == (0, 0)

    asyncio.run(test())


def test_an_engine_without_a_call_carries_nothing_of_it(card: SoundCard) -> None:
    plug_in(card)

    async def test() -> None:
        seen = Seen()
        async with reachable(seen) as (idle, _):
            await idle.use_audio(AudioChoice())
            await idle.control.watch_devices(False)
            try:
                maps = Path(f"/proc/{idle.engine_pid}/maps").read_text()
            except PermissionError:
                pytest.skip("an engine shows its memory to root only")
            assert "pjsua2" in maps
            assert "miniaudio" not in maps
            assert seen.of(AudioChanged) == []

    asyncio.run(test())
