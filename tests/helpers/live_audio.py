"""Speaking into microphones, listening to speakers, and waiting for what is heard and told."""

from __future__ import annotations

import math
import sys
from array import array
from collections.abc import Callable

import pytest

from app.model.sound import amplitude, dbm0
from app.sip.notices import AudioChanged, CallMeters
from tests.engine.waiting import until
from tests.helpers.sound_card import RATE, Recorder, SoundCard
from tests.helpers.trunks import Seen
from tests.helpers.two_engines import Side

LINUX_ONLY = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="PulseAudio is a sound server of Linux"
)
SPOKEN_HZ, SPOKEN_DBM0 = 600, -20.0
"""What is said into a microphone."""
IN_USE = {"microphone": "Desk microphone", "speaker": "Big speaker"}
"""What `told` gives when the devices of `plug_in` are used."""


def power_at(hertz: float, samples: array[int], rate: int) -> float | None:
    """Level of one frequency, dBm0."""
    step = 2 * math.pi * hertz / rate
    real = sum(sample * math.cos(step * n) for n, sample in enumerate(samples))
    imaginary = sum(sample * math.sin(step * n) for n, sample in enumerate(samples))
    return dbm0(math.sqrt(2) * math.hypot(real, imaginary) / len(samples))


def voice(hertz: float = SPOKEN_HZ, level: float = SPOKEN_DBM0) -> array[int]:
    """A second of a steady tone, as sound to speak into a microphone."""
    peak = amplitude(level)
    return array("h", [round(peak * math.sin(2 * math.pi * hertz * n / RATE)) for n in range(RATE)])


def plug_in(card: SoundCard, **kind: int) -> tuple[int, int]:
    """A microphone and a speaker, the default ones."""
    numbers = (
        card.add_microphone("mike", "Desk microphone", **kind),
        card.add_speaker("box", "Big speaker", **kind),
    )
    card.set_default("source", "mike")
    card.set_default("sink", "box")
    return numbers


def plug_in_headset(card: SoundCard) -> tuple[int, int]:
    return card.add_microphone("lip", "Headset microphone"), card.add_speaker("ear", "Headset")


def meters(side: Side, since: int = 0, call_id: str = "") -> list[CallMeters]:
    return [
        notice
        for notice in side.seen.notices[since:]
        if isinstance(notice, CallMeters) and notice.call_id == (call_id or side.call_id)
    ]


class Found:
    """What is waited for, and what there is in its place when the wait has failed."""

    def __init__(self, wanted: object, found: Callable[[], object]) -> None:
        self._wanted, self._found = wanted, found

    def __str__(self) -> str:
        return f"{self._wanted}; there is {self._found()}"


async def hears(side: Side, level: float | None, call_id: str = "", *, within: float = 0.5) -> None:
    """Wait until the side hears this level for a quarter of a second; None is silence."""
    since = len(side.seen.notices)
    await _is_steady(lambda: [meter.rx_dbm0 for meter in meters(side, since, call_id)], level, within)


async def says(side: Side, level: float | None, *, within: float = 0.5) -> None:
    """Wait until the side sends this level for a quarter of a second; None is silence."""
    since = len(side.seen.notices)
    await _is_steady(lambda: [meter.tx_dbm0 for meter in meters(side, since)], level, within)


async def _is_steady(levels: Callable[[], list[float | None]], level: float | None, within: float) -> None:
    def found() -> list[float | None]:
        return levels()[-5:]

    def steady() -> bool:
        last = found()
        if len(last) < 5:
            return False
        if level is None:
            return all(each is None or each < -60 for each in last)
        return all(each is not None and abs(each - level) <= within for each in last)

    await until(steady, Found(f"{level} dBm0", found), 15)


async def plays(recorder: Recorder, hertz: float, level: float, *, within: float = 1.0) -> None:
    """Wait until this tone comes out of a speaker."""

    def measured() -> float | None:
        sound = recorder.latest(100)
        return power_at(hertz, sound, RATE) if len(sound) == RATE // 10 else None

    def steady() -> bool:
        found = measured()
        return found is not None and abs(found - level) <= within

    await until(steady, Found(f"{hertz} Hz at {level} dBm0", measured), 15)


async def is_silent(recorder: Recorder) -> None:
    await until(lambda: not any(recorder.latest(200)), "silence", 15)


async def told(side: Side | Seen, **fields: str) -> AudioChanged:
    """Wait until this is the latest that was told about the devices in use."""
    seen = side.seen if isinstance(side, Side) else side
    wanted = AudioChanged(trunk_id="trunk-1", **fields)
    await until(
        lambda: seen.of(AudioChanged)[-1:] == [wanted], Found(wanted, lambda: seen.of(AudioChanged)[-3:]), 15
    )
    return wanted
