"""The tones of telephone networks are told by frequency and rhythm, after G.711 and in a little noise."""

from __future__ import annotations

import itertools
import math
import random
import wave
from array import array
from collections.abc import Sequence
from importlib.resources import files

import pytest
from aiortp import get_codec

from app.model.listening import RATE, mean_square
from app.model.network_tones import FRAME, ToneWatch
from app.model.sound import amplitude, keyed_tone
from app.model.sound_figures import NetworkTone

Rhythm = Sequence[tuple[float, float]]


def rhythmic(
    hertz: Sequence[float], rhythm: Rhythm, *, seconds: float = 12, dbm0: float = -16
) -> list[float]:
    """Tones together, on and off for these seconds in turn."""
    peak, samples = amplitude(dbm0), list[float]()
    steps = [2 * math.pi * one / RATE for one in hertz]
    for on_s, off_s in itertools.cycle(rhythm):
        samples += [sum(peak * math.sin(step * n) for step in steps) for n in range(round(on_s * RATE))] + [
            0.0
        ] * round(off_s * RATE)
        if len(samples) >= seconds * RATE:
            return samples
    return samples


def watched(samples: Sequence[float]) -> ToneWatch:
    """What the watch has seen in the end, after mu-law and a little noise."""
    chance = random.Random(180)
    hiss = amplitude(-62) / math.sqrt(2)
    noisy = [max(-32768, min(32767, round(value + chance.gauss(0, hiss)))) for value in samples]
    law = get_codec(0)
    sound = array("h", law.decode(law.encode(array("h", noisy).tobytes())))
    watch = ToneWatch()
    for n, start in enumerate(range(0, len(sound) - FRAME + 1, FRAME), 1):
        frame = sound[start : start + FRAME]
        watch.take(frame, (mean_square(frame[: FRAME // 2]), mean_square(frame[FRAME // 2 :])))
        if n % 50 == 0:
            watch.look()
    return watch


@pytest.mark.parametrize("dbm0", [-30, -10])
@pytest.mark.parametrize(
    ("hertz", "rhythm", "signal"),
    [
        ((350, 440), [(4.0, 0.0)], NetworkTone.DIAL),
        ((425,), [(4.0, 0.0)], NetworkTone.DIAL),
        ((440, 480), [(2.0, 4.0)], NetworkTone.RINGBACK),
        ((425,), [(1.0, 4.0)], NetworkTone.RINGBACK),
        ((440,), [(1.5, 3.5)], NetworkTone.RINGBACK),
        ((400, 450), [(0.4, 0.2), (0.4, 2.0)], NetworkTone.RINGBACK),
        ((480, 620), [(0.5, 0.5)], NetworkTone.BUSY),
        ((425,), [(0.5, 0.5)], NetworkTone.BUSY),
        ((400,), [(0.375, 0.375)], NetworkTone.BUSY),
        ((480, 620), [(0.25, 0.25)], NetworkTone.CONGESTION),
        ((425,), [(0.25, 0.25)], NetworkTone.CONGESTION),
    ],
)
def test_tones_of_networks(hertz: Sequence[int], rhythm: Rhythm, signal: NetworkTone, dbm0: int) -> None:
    assert watched(rhythmic(hertz, rhythm, dbm0=dbm0)).signal is signal


@pytest.mark.parametrize("off", [0.985, 1.015])
@pytest.mark.parametrize(
    ("hertz", "rhythm", "signal"),
    [
        ((440, 480), [(2.0, 4.0)], NetworkTone.RINGBACK),
        ((480, 620), [(0.5, 0.5)], NetworkTone.BUSY),
        ((425,), [(0.25, 0.25)], NetworkTone.CONGESTION),
    ],
)
def test_they_may_be_a_little_off(
    hertz: Sequence[int], rhythm: Rhythm, signal: NetworkTone, off: float
) -> None:
    assert watched(rhythmic([one * off for one in hertz], rhythm, seconds=8)).signal is signal


@pytest.mark.parametrize("lead_ms", [0, 130, 470, 810])
@pytest.mark.parametrize("hertz", [(950, 1400, 1800), (914, 1371, 1777), (985, 1429, 1777)])
@pytest.mark.parametrize("gap_ms", [0, 30])
def test_the_special_information_tone(lead_ms: int, hertz: Sequence[int], gap_ms: int) -> None:
    samples = [0.0] * (lead_ms * RATE // 1000)
    for one in hertz:
        samples += rhythmic([one], [(0.33, gap_ms / 1000)], seconds=0.33, dbm0=-20)
    assert watched(samples + [0.0] * 2 * RATE).signal is NetworkTone.SPECIAL_INFORMATION


@pytest.mark.parametrize(
    "hertz", [(1004,), (500,), (350,), (697, 1209), (350, 480), (440, 620), (2100,), (480, 1400), (3575,)]
)
@pytest.mark.parametrize("rhythm", [[(4.0, 0.0)], [(0.5, 0.5)]])
def test_other_tones_are_none_of_the_networks(hertz: Sequence[int], rhythm: Rhythm) -> None:
    assert watched(rhythmic(hertz, rhythm, seconds=6)).signal is NetworkTone.NONE


def test_three_tones_in_another_order_are_not_the_special_one() -> None:
    samples: list[float] = []
    for one in (1800, 1400, 950):
        samples += rhythmic([one], [(0.33, 0.0)], seconds=0.33)
    assert watched(samples + [0.0] * 2 * RATE).signal is NetworkTone.NONE


def test_speech_is_no_tone_at_all() -> None:
    with wave.open(str(files("app.resources") / "speech.wav")) as sample:
        speech = array("h", sample.readframes(sample.getnframes()))
    for pace in (0.7, 1.0, 1.3):
        watch = watched([3 * speech[int(n * pace)] for n in range(int(len(speech) / pace) - 1)])
        assert (watch.signal, watch.tone) == (NetworkTone.NONE, None)


def test_noise_is_no_tone_at_all() -> None:
    chance = random.Random(7)
    watch = watched([chance.gauss(0, 4000) for _ in range(6 * RATE)])
    assert (watch.signal, watch.tone) == (NetworkTone.NONE, None)


def test_the_test_tone_is_a_tone_and_no_signal() -> None:
    watch = watched(list(keyed_tone(RATE)))
    assert watch.tone is not None
    assert watch.tone.hz == pytest.approx(1004, abs=1)
    assert watch.tone.dbm0 == pytest.approx(-10, abs=0.3)
    assert watch.signal is NetworkTone.NONE


def test_a_tone_that_has_ended_is_not_heard_now_but_remembered() -> None:
    watch = watched(rhythmic((1000,), [(2.0, 2.0)], seconds=4))
    assert watch.now is None
    assert watch.tone is not None
    assert watch.tone.hz == pytest.approx(1000, abs=1)


def test_before_any_sound_there_is_nothing_to_tell() -> None:
    watch = ToneWatch()
    watch.look()
    assert (watch.now, watch.tone, watch.signal) == (None, None, NetworkTone.NONE)
