"""DTMF in sound: what ITU-T Q.24 wants to be taken is, and nothing else."""

from __future__ import annotations

import math
import random
import wave
from array import array
from collections.abc import Sequence
from importlib.resources import files

import pytest
from aiortp import get_codec

from app.model.dtmf import BLOCK, HIGH_HZ, KEYS, LOW_HZ, RATE, DigitWays, DtmfReceiver
from app.model.sound import amplitude
from app.model.trunk import Dtmf

ALL = "".join(KEYS)
PCMU, PCMA = 0, 8


def press(
    key: str,
    *,
    ms: int = 40,
    pause_ms: int = 40,
    dbm0: float = -10,
    twist_db: float = 0,
    off_pct: float = 0,
    off_high_pct: float | None = None,
    phase: float = 0.3,
) -> list[float]:
    """A key: its low tone at this level, the high one stronger by `twist_db`, then the pause."""
    row = next(n for n, keys in enumerate(KEYS) if key in keys)
    low = LOW_HZ[row] * (1 + off_pct / 100)
    high = HIGH_HZ[KEYS[row].index(key)] * (1 + (off_pct if off_high_pct is None else off_high_pct) / 100)
    peaks = amplitude(dbm0), amplitude(dbm0 + twist_db)
    step = 2 * math.pi / RATE
    tone = [
        peaks[0] * math.sin(step * low * n) + peaks[1] * math.sin(step * high * n + phase)
        for n in range(ms * RATE // 1000)
    ]
    return tone + [0.0] * (pause_ms * RATE // 1000)


def noise(samples: Sequence[float], dbm0: float) -> list[float]:
    """The samples with white noise of this level."""
    chance = random.Random(24)
    deviation = amplitude(dbm0) / math.sqrt(2)
    return [value + chance.gauss(0, deviation) for value in samples]


def pcm(samples: Sequence[float]) -> array[int]:
    """16-bit samples, clipped."""
    return array("h", [max(-32768, min(32767, round(value))) for value in samples])


def through(codec: int, samples: Sequence[float]) -> array[int]:
    """What is left of them after this codec."""
    law = get_codec(codec)
    return array("h", law.decode(law.encode(pcm(samples).tobytes())))


def heard(samples: Sequence[float]) -> str:
    """The digits that the receiver finds."""
    sound = pcm([*samples, *([0.0] * 4 * BLOCK)])
    receiver, digits = DtmfReceiver(), ""
    for start in range(0, len(sound) - 2 * BLOCK + 1, 2 * BLOCK):
        halves = sound[start : start + BLOCK], sound[start + BLOCK : start + 2 * BLOCK]
        first, second = (sum(value * value for value in half) / BLOCK for half in halves)
        digits += receiver.take(sound[start : start + 2 * BLOCK], (first, second))
    return digits


def dialled(keys: str, **how: float) -> list[float]:
    """These keys one after another, each with another phase."""
    return [value for n, key in enumerate(keys) for value in press(key, phase=n * 0.7, **how)]  # type: ignore[arg-type]  # numbers all


# What must be taken

EVERY_START = range(0, 160, 23)
"""Where in a frame of 20 ms the first tone begins, samples."""


@pytest.mark.parametrize("start", EVERY_START)
def test_the_shortest_tones_and_pauses_are_taken_wherever_they_begin(start: int) -> None:
    assert heard(noise([0.0] * start + dialled(ALL), -60)) == ALL


@pytest.mark.parametrize("dbm0", [0, -5, -10, -20, -25])
@pytest.mark.parametrize("codec", [PCMU, PCMA])
def test_every_level_is_taken_after_g711(dbm0: int, codec: int) -> None:
    assert heard(list(through(codec, dialled(ALL, dbm0=dbm0)))) == ALL


@pytest.mark.parametrize("start", EVERY_START)
@pytest.mark.parametrize(("off", "off_high"), [(1.5, 1.5), (-1.5, -1.5), (1.5, -1.5), (-1.5, 1.5)])
def test_frequencies_up_to_one_and_a_half_per_cent_off_are_taken(
    start: int, off: float, off_high: float
) -> None:
    assert heard([0.0] * start + dialled(ALL, off_pct=off, off_high_pct=off_high)) == ALL


@pytest.mark.parametrize("twist_db", [-8, 4])
@pytest.mark.parametrize("off", [-1.5, 0, 1.5])
def test_a_line_may_dampen_one_of_the_tones(twist_db: int, off: float) -> None:
    assert heard(dialled(ALL, dbm0=-12, twist_db=twist_db, off_pct=off)) == ALL


def test_noise_15_db_below_each_tone_does_no_harm() -> None:
    assert heard(noise(dialled(ALL, dbm0=-10), -25)) == ALL


def test_the_same_key_twice_is_two_digits() -> None:
    assert heard(dialled("1122##")) == "1122##"


@pytest.mark.parametrize("start", EVERY_START)
def test_a_short_interruption_is_none(start: int) -> None:
    broken = press("5", ms=40, pause_ms=9) + press("5", ms=40)
    assert heard([0.0] * start + broken) == "5"


def test_a_key_held_down_is_one_digit() -> None:
    assert heard(press("7", ms=3000)) == "7"


# What must not be taken


@pytest.mark.parametrize("start", EVERY_START)
@pytest.mark.parametrize("off", [-3.5, 3.5])
def test_frequencies_three_and_a_half_per_cent_off_are_not_taken(start: int, off: float) -> None:
    assert heard([0.0] * start + dialled(ALL, off_pct=off)) == ""


@pytest.mark.parametrize(("off", "off_high"), [(3.5, 0), (-3.5, 0), (0, 3.5), (0, -3.5)])
def test_one_wrong_frequency_is_enough(off: float, off_high: float) -> None:
    assert heard(dialled(ALL, ms=100, off_pct=off, off_high_pct=off_high)) == ""


@pytest.mark.parametrize("start", EVERY_START)
def test_23_ms_are_no_digit(start: int) -> None:
    assert heard([0.0] * start + dialled(ALL, ms=23)) == ""


def test_a_tone_too_faint_is_no_digit() -> None:
    assert heard(dialled(ALL, ms=100, dbm0=-29)) == ""


@pytest.mark.parametrize("twist_db", [-13, 9])
def test_too_much_twist_is_no_digit(twist_db: int) -> None:
    assert heard(dialled(ALL, ms=100, dbm0=-12, twist_db=twist_db)) == ""


@pytest.mark.parametrize("hertz", [350, 440, 697, 770, 852, 941, 1004, 1209, 1336, 1477, 1633, 2100])
def test_one_tone_alone_is_no_digit(hertz: int) -> None:
    peak, step = amplitude(-6), 2 * math.pi * hertz / RATE
    assert heard([peak * math.sin(step * n) for n in range(RATE)]) == ""


@pytest.mark.parametrize("pair", [(350, 440), (440, 480), (480, 620), (697, 852), (1209, 1477), (941, 1050)])
def test_other_pairs_of_tones_are_no_digit(pair: tuple[int, int]) -> None:
    steps = [2 * math.pi * hertz / RATE for hertz in pair]
    peak = amplitude(-13)
    assert heard([sum(peak * math.sin(step * n) for step in steps) for n in range(RATE)]) == ""


def test_noise_is_no_digit() -> None:
    assert heard(noise([0.0] * 20 * RATE, -10)) == ""


def test_a_digit_in_much_noise_is_no_digit() -> None:
    assert heard(noise(dialled(ALL, ms=100, dbm0=-20), -15)) == ""


def test_speech_is_no_digit() -> None:
    with wave.open(str(files("app.resources") / "speech.wav")) as sample:
        assert sample.getframerate() == RATE
        speech = array("h", sample.readframes(sample.getnframes()))
    # Faster and slower it is as many other voices
    for pace in (0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4):
        voice = [3.0 * speech[int(n * pace)] for n in range(int(len(speech) / pace) - 1)]
        assert heard(voice) == ""


# Digits that come in two ways


def told(*digits: tuple[str, Dtmf, float]) -> tuple[str, int]:
    """Which digits are new, and how many were doubled."""
    ways = DigitWays()
    return "".join(digit for digit, way, at in digits if ways.is_new(digit, way, at)), ways.doubled


def test_a_digit_in_two_or_three_ways_is_one() -> None:
    event, info, tone = Dtmf.RFC4733, Dtmf.INFO, Dtmf.INBAND
    assert told(("1", event, 0.0), ("1", tone, 0.12)) == ("1", 1)
    assert told(("1", tone, 0.0), ("1", event, 0.01)) == ("1", 1)
    assert told(("1", event, 0.5), ("1", tone, 0.4)) == ("1", 1)
    assert told(("1", info, 0.0), ("1", event, 0.02), ("1", tone, 0.1)) == ("1", 1)


def test_a_digit_pressed_twice_is_two_in_whatever_ways_they_come() -> None:
    event, tone = Dtmf.RFC4733, Dtmf.INBAND
    assert told(("1", event, 0.0), ("1", event, 0.1)) == ("11", 0)
    assert told(("1", event, 0.0), ("1", tone, 0.25)) == ("11", 0)
    both = (("1", event, 0.0), ("1", tone, 0.06), ("1", event, 0.1), ("1", tone, 0.16))
    assert told(*both) == ("11", 2)
    assert told(("1", event, 0.0), ("1", event, 0.1), ("1", tone, 0.12), ("1", tone, 0.19)) == ("11", 2)


def test_different_digits_are_different_in_any_way() -> None:
    assert told(("1", Dtmf.RFC4733, 0.0), ("2", Dtmf.INBAND, 0.05)) == ("12", 0)
