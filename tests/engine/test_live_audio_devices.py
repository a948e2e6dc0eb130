"""Which devices are used, what is said about it, and what is opened and closed, without any sound."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from app.sip.engine.audio import keeper as keeper_module
from app.sip.engine.audio.devices import Device, Devices, Role, Trouble, candidates, listed, note
from app.sip.engine.audio.keeper import Keeper
from app.sip.engine.audio.microphone import Microphone
from app.sip.engine.audio.speaker import Speaker
from app.sip.engine.audio.system import OpenError, SoundLostError
from app.sip.engine.audio.wish import NO_MICROPHONE, Report, Wish
from tests.helpers.waiting import wait_for

BUILT_IN = Device("Built-in", b"1", is_default=True)
HEADSET = Device("Headset", b"2")


# Which one


def test_the_default_device_comes_first_and_equal_names_are_told_apart() -> None:
    twin = Device("Headset", b"3")
    names = [device.name for device in listed([HEADSET, twin, BUILT_IN])]
    assert names == ["Built-in", "Headset", "Headset (2)"]


@pytest.mark.parametrize(
    ("wanted", "tried"),
    [
        ("", [BUILT_IN]),
        ("Headset", [HEADSET, BUILT_IN]),
        ("Built-in", [BUILT_IN]),
        ("Not there", [BUILT_IN]),
    ],
)
def test_the_chosen_device_is_tried_and_then_the_default_one(wanted: str, tried: list[Device]) -> None:
    assert list(candidates(wanted, (BUILT_IN, HEADSET))) == tried
    assert candidates(wanted, ()) == ()


BOTH = (BUILT_IN, HEADSET)
NO_SPEECH = "so the other side does not hear you."


@pytest.mark.parametrize(
    ("role", "wanted", "used", "there", "why", "said"),
    [
        (Role.MICROPHONE, "", BUILT_IN, BOTH, None, ""),
        (Role.MICROPHONE, "Headset", HEADSET, BOTH, None, ""),
        (Role.MICROPHONE, "", None, (), None, f"There is no microphone, {NO_SPEECH}"),
        (Role.SPEAKER, "", None, (), None, "There is no speaker, so you do not hear the other side."),
        (Role.RINGER, "", None, (), None, "There is no speaker, so incoming calls do not ring."),
        (
            Role.SPEAKER,
            "Headset",
            BUILT_IN,
            (BUILT_IN,),
            None,
            "Headset is not connected, so Built-in is used.",
        ),
        (
            Role.SPEAKER,
            "Headset",
            BUILT_IN,
            BOTH,
            Trouble.BUSY,
            "Headset is in use by another program, so Built-in is used.",
        ),
        (
            Role.MICROPHONE,
            "",
            None,
            BOTH,
            Trouble.DENIED,
            f"The system does not let Ringback use Built-in, {NO_SPEECH}"
            " Allow it in the system's privacy settings.",
        ),
        (
            Role.MICROPHONE,
            "Gone",
            None,
            (BUILT_IN,),
            Trouble.FAILED,
            f"Gone could not be opened, {NO_SPEECH}"
            " Choose another device, or unplug it and plug it in again.",
        ),
    ],
)
def test_the_person_is_told_what_is_not_as_chosen(
    role: Role,
    wanted: str,
    used: Device | None,
    there: tuple[Device, ...],
    why: Trouble | None,
    said: str,
) -> None:
    assert note(role, wanted, used, there, why) == said


def test_in_a_call_that_sends_a_tone_it_is_said_that_there_is_no_microphone() -> None:
    assert Report(wish=Wish(speaker=""), devices=Devices(speakers=BOTH)).note == NO_MICROPHONE
    assert Report(wish=Wish(speaker=""), devices=Devices(BOTH, BOTH)).note == ""
    assert Report(wish=Wish(watch=True)).note == ""


# What is opened


class FakeStream:
    def __init__(self, device: Device, on_stop: Callable[[], None]) -> None:
        self.device = device
        self.on_stop = on_stop
        self.runs = True
        self.closed = False

    def unplug(self) -> None:
        self.runs = False
        self.on_stop()

    def close(self) -> None:
        self.closed = True


@dataclass
class FakeSound:
    """The sound of a computer: what is plugged in, what refuses, what was opened.

    Attributes:
        usual: The kind of sound that this one stands in for, once that is there.
    """

    devices: Devices = field(default_factory=lambda: Devices(BOTH, BOTH))
    refuses: dict[bytes, Trouble] = field(default_factory=dict)
    opened: list[tuple[str, FakeStream]] = field(default_factory=list)
    tried: list[bytes] = field(default_factory=list)
    made: int = 0
    closed: int = 0
    lost: bool = False
    usual: FakeSound | None = None

    def __call__(self) -> FakeSystem:
        self.made += 1
        if self.lost:
            raise SoundLostError
        return FakeSystem(self)

    def open_now(self, kind: str) -> list[str]:
        return [stream.device.name for what, stream in self.opened if what == kind and not stream.closed]


class FakeSystem:
    def __init__(self, sound: FakeSound) -> None:
        self._sound = sound

    def better(self) -> FakeSystem | None:
        return self._sound.usual() if self._sound.usual else None

    def devices(self) -> Devices:
        if self._sound.lost:
            raise SoundLostError
        return self._sound.devices

    def open_microphone(
        self, device: Device, rate: int, give: Callable[[bytes], None], on_stop: Callable[[], None]
    ) -> FakeStream:
        return self._open("microphone", device, on_stop)

    def open_speaker(
        self, device: Device, rate: int, take: Callable[[int], bytes], on_stop: Callable[[], None]
    ) -> FakeStream:
        assert len(take(80)) == 160
        return self._open("speaker", device, on_stop)

    def _open(self, kind: str, device: Device, on_stop: Callable[[], None]) -> FakeStream:
        self._sound.tried.append(device.key)
        if device.key in self._sound.refuses:
            raise OpenError(self._sound.refuses[device.key], -1)
        stream = FakeStream(device, on_stop)
        self._sound.opened.append((kind, stream))
        return stream

    def close(self) -> None:
        assert not any(self._sound.open_now(kind) for kind in ("microphone", "speaker"))
        self._sound.closed += 1


class Kept:
    """A keeper at work on a fake sound."""

    def __init__(self, sound: FakeSound) -> None:
        self.microphone, self.speaker = Microphone(160), Speaker(160)
        self.reports: list[Report] = []
        self.keeper = Keeper(self.microphone, self.speaker, self.reports.append, sound)  # type: ignore[arg-type]  # a fake has what is used

    def wish(self, wish: Wish) -> Report:
        """Wish for this and wait for what comes of it."""
        before = len(self.reports)
        self.keeper.wish(wish)
        return self.next(before)

    def next(self, before: int) -> Report:
        wait_for(lambda: len(self.reports) > before, "a report")
        return self.reports[-1]

    def until(self, condition: Callable[[Report], bool], what: str) -> Report:
        wait_for(lambda: bool(self.reports) and condition(self.reports[-1]), what)
        return self.reports[-1]


@contextmanager
def kept(sound: FakeSound) -> Iterator[Kept]:
    opened = Kept(sound)
    try:
        yield opened
    finally:
        assert opened.keeper.close()
        assert sound.closed >= min(1, sound.made) or sound.lost


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper_module, "LOOK_EVERY_S", 0.02)
    monkeypatch.setattr(keeper_module, "TRY_AGAIN_S", 0.3)
    monkeypatch.setattr(keeper_module, "_SOON_S", 0.01)


def test_what_is_wished_for_is_opened_and_closed_again() -> None:
    sound = FakeSound()
    with kept(sound) as keeping:
        report = keeping.wish(Wish(microphone="", speaker="Headset"))
        assert report.used == {Role.MICROPHONE: "Built-in", Role.SPEAKER: "Headset"}
        assert report.note == ""
        assert keeping.microphone.buffer is not None
        assert keeping.speaker.buffer is not None
        report = keeping.wish(Wish(speaker="Headset"))
        assert report.used == {Role.SPEAKER: "Headset"}
        assert (sound.open_now("microphone"), sound.open_now("speaker")) == ([], ["Headset"])
        assert keeping.microphone.buffer is None
        report = keeping.wish(Wish())
        assert report.used == {}
        assert sound.open_now("speaker") == []
        assert sound.closed == 1


def test_a_device_that_goes_is_replaced_and_used_again_when_it_comes_back() -> None:
    sound = FakeSound()
    with kept(sound) as keeping:
        keeping.wish(Wish(microphone="Headset"))
        stream = sound.opened[-1][1]
        sound.devices = Devices((BUILT_IN,), (BUILT_IN,))
        stream.unplug()
        report = keeping.until(lambda r: r.used == {Role.MICROPHONE: "Built-in"}, "the other one")
        assert report.note == "Headset is not connected, so Built-in is used."
        assert stream.closed
        sound.devices = Devices(BOTH, BOTH)
        report = keeping.until(lambda r: r.used == {Role.MICROPHONE: "Headset"}, "its return")
        assert report.note == ""
        assert sound.open_now("microphone") == ["Headset"]


def test_a_device_that_only_pauses_stays_open() -> None:
    sound = FakeSound()
    with kept(sound) as keeping:
        keeping.wish(Wish(speaker=""))
        stream = sound.opened[-1][1]
        stream.on_stop()
        keeping.wish(Wish(speaker="", watch=True))
        assert not stream.closed
        assert len(sound.opened) == 1


def test_a_device_that_stopped_is_opened_again() -> None:
    sound = FakeSound()
    with kept(sound) as keeping:
        keeping.wish(Wish(speaker=""))
        sound.opened[-1][1].unplug()
        wait_for(lambda: len(sound.opened) == 2, "the second opening")
        assert sound.opened[0][1].closed


@pytest.mark.parametrize("trouble", list(Trouble))
def test_a_device_that_refuses_is_replaced_without_a_break_and_tried_again(trouble: Trouble) -> None:
    sound = FakeSound(refuses={HEADSET.key: trouble})
    with kept(sound) as keeping:
        report = keeping.wish(Wish(microphone="Headset"))
        assert report.used == {Role.MICROPHONE: "Built-in"}
        assert report.note.endswith("so Built-in is used.")
        assert report.note.startswith("Headset") or trouble is Trouble.DENIED
        wait_for(lambda: sound.tried.count(HEADSET.key) > 1, "another try")
        assert sound.tried.count(BUILT_IN.key) == 1
        assert not sound.opened[0][1].closed
        del sound.refuses[HEADSET.key]
        keeping.until(lambda r: r.used == {Role.MICROPHONE: "Headset"}, "the chosen one")
        assert sound.open_now("microphone") == ["Headset"]


def test_a_refusal_is_not_tried_again_at_each_look() -> None:
    sound = FakeSound(refuses={HEADSET.key: Trouble.BUSY})
    with kept(sound) as keeping:
        keeping.wish(Wish(microphone="Headset"))
        began = time.monotonic()
        wait_for(lambda: time.monotonic() - began > 0.2, "several looks")
        assert sound.tried.count(HEADSET.key) == 1


def test_without_any_device_it_is_said_and_one_that_comes_is_used() -> None:
    sound = FakeSound(devices=Devices())
    with kept(sound) as keeping:
        report = keeping.wish(Wish(microphone="", speaker="", ringer=""))
        assert report.used == {}
        assert report.note == (
            "There is no microphone, so the other side does not hear you."
            " There is no speaker, so you do not hear the other side."
            " There is no speaker, so incoming calls do not ring."
        )
        sound.devices = Devices(BOTH, BOTH)
        keeping.until(lambda r: len(r.used) == 3, "the devices")


def test_a_sound_server_that_dies_and_comes_back_is_used_again() -> None:
    sound = FakeSound()
    with kept(sound) as keeping:
        keeping.wish(Wish(speaker="", watch=True))
        sound.lost = True
        report = keeping.until(lambda r: not r.used, "the loss")
        assert report.devices == Devices()
        assert keeping.speaker.buffer is None
        sound.lost = False
        keeping.until(lambda r: r.used == {Role.SPEAKER: "Built-in"}, "its return")


def test_the_usual_kind_of_sound_takes_over_once_it_is_there() -> None:
    bare = FakeSound(Devices((HEADSET,), (HEADSET,)))
    with kept(bare) as keeping:
        keeping.wish(Wish(microphone="", speaker=""))
        assert keeping.reports[-1].used == {Role.MICROPHONE: "Headset", Role.SPEAKER: "Headset"}
        bare.usual = FakeSound()
        both = {Role.MICROPHONE: "Built-in", Role.SPEAKER: "Built-in"}
        keeping.until(lambda r: r.used == both, "the change")
        assert (bare.closed, bare.usual.made) == (1, 1)
        assert bare.usual.open_now("speaker") == ["Built-in"]


def test_the_list_is_told_whenever_it_changes() -> None:
    sound = FakeSound()
    with kept(sound) as keeping:
        assert keeping.wish(Wish(watch=True)).devices == Devices(BOTH, BOTH)
        sound.devices = Devices((HEADSET,), BOTH)
        keeping.until(lambda r: r.devices == sound.devices, "the change")
        assert sound.opened == []


def test_when_the_default_device_changes_calls_go_along() -> None:
    sound = FakeSound()
    with kept(sound) as keeping:
        keeping.wish(Wish(speaker=""))
        sound.devices = Devices(
            BOTH, listed([Device("Headset", b"2", is_default=True), Device("Built-in", b"1")])
        )
        keeping.until(lambda r: r.used == {Role.SPEAKER: "Headset"}, "the new default")
