"""Levels in dBm0, the keyed test tone, and the delay of an echo."""

from __future__ import annotations

import math
import random
import wave
from array import array
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from itertools import islice, pairwise

import pytest

from app.model.sound import TONE_DBM0, TONE_HZ, EchoFinder, amplitude, dbm0, keyed_tone, rms

RATE = 8000
BLOCK = RATE * EchoFinder.BLOCK_MS // 1000
SECONDS = 6


def sine(hertz: float, level_dbm0: float, seconds: float = 1.0) -> list[int]:
    """A steady tone."""
    peak = amplitude(level_dbm0)
    return [round(peak * math.sin(2 * math.pi * hertz * n / RATE)) for n in range(round(seconds * RATE))]


# Levels


def test_a_full_scale_sine_is_3_17_dbm0() -> None:
    samples = [round(32767 * math.sin(2 * math.pi * 1000 * n / RATE)) for n in range(RATE)]
    assert dbm0(rms(samples)) == pytest.approx(3.17, abs=0.001)


@pytest.mark.parametrize("level", [3.17, 0.0, -10.0, -15.5, -40.0])
def test_the_amplitude_for_a_level_has_that_level(level: float) -> None:
    assert dbm0(rms(sine(440, level))) == pytest.approx(level, abs=0.05)


def test_a_square_wave_is_3_db_above_a_sine_of_its_height() -> None:
    one, other = dbm0(rms([1000, -1000] * 400)), dbm0(1000 / math.sqrt(2))
    assert one is not None
    assert other is not None
    assert one - other == pytest.approx(3.01, abs=0.01)


@pytest.mark.parametrize("samples", [[], [0] * 80])
def test_digital_silence_has_no_level(samples: list[int]) -> None:
    assert dbm0(rms(samples)) is None


# The test tone


def _blocks(samples: Sequence[int], rate: int) -> list[Sequence[int]]:
    size = rate // 100
    return [samples[start : start + size] for start in range(0, len(samples), size)]


def _gap_starts(samples: Sequence[int], rate: int) -> list[int]:
    """Where silence starts, in blocks of 10 ms."""
    silent = [not any(block) for block in _blocks(samples, rate)]
    return [n for n, quiet in enumerate(silent) if quiet and not silent[n - 1]]


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
def test_the_tone_has_its_level_wherever_it_is_not_silent(rate: int) -> None:
    tone = keyed_tone(rate)
    sounding = [block for block in _blocks(tone, rate) if any(block)]
    # A block holds 10.04 periods, so its level wavers a little
    assert all(dbm0(rms(block)) == pytest.approx(TONE_DBM0, abs=0.1) for block in sounding)
    assert dbm0(rms([value for block in sounding for value in block])) == pytest.approx(TONE_DBM0, abs=0.01)


@pytest.mark.parametrize("rate", [8000, 16000])
def test_the_loop_goes_on_where_it_ended(rate: int) -> None:
    tone = keyed_tone(rate)
    peak, step = amplitude(TONE_DBM0), 2 * math.pi * TONE_HZ / rate
    assert len(tone) == 8 * rate
    around = [*tone[-5:], *tone[:5]]
    assert around == pytest.approx([peak * math.sin(step * n) for n in range(-5, 5)], abs=1)


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize("pattern", range(5))
def test_gaps_and_their_distances_are_of_many_lengths(rate: int, pattern: int) -> None:
    tone = keyed_tone(rate, pattern=pattern)
    silent = [not any(block) for block in _blocks(tone, rate)]
    starts = _gap_starts(tone, rate)
    gaps = {silent.index(False, start) - start for start in starts}
    distances = [after - before for before, after in pairwise(starts)]
    assert len(starts) >= 15
    assert gaps <= set(range(3, 8))
    assert len(gaps) > 2
    assert min(distances) >= 18
    assert max(distances) <= 52
    assert len(set(distances)) > 8


def test_the_same_pattern_is_the_same_tone_and_another_one_is_not() -> None:
    assert keyed_tone(RATE, pattern=3) == keyed_tone(RATE, pattern=3)
    assert keyed_tone(RATE, pattern=3) != keyed_tone(RATE, pattern=4)


# The echo


@cache
def _speech() -> tuple[int, ...]:
    with wave.open(str(files("app.resources") / "speech.wav")) as sample:
        assert sample.getframerate() == RATE
        return tuple(array("h", sample.readframes(sample.getnframes())))


@cache
def _tone() -> tuple[int, ...]:
    return tuple(keyed_tone(RATE))


SOURCES = {"tone": _tone, "speech": _speech}


def _noise(level_dbm0: float, count: int) -> list[int]:
    chance = random.Random(1004)
    deviation = amplitude(level_dbm0) / math.sqrt(2)
    return [round(chance.gauss(0, deviation)) for _ in range(count)]


def _echo(sent: Sequence[int], delay_ms: float, *, down_db: float = 20, noise_dbm0: float = -50) -> list[int]:
    lag, factor = round(delay_ms * RATE / 1000), 10 ** (-down_db / 20)
    late = [0] * lag + [round(factor * value) for value in sent]
    return [value + hiss for value, hiss in zip(late, _noise(noise_dbm0, len(sent)), strict=False)]


def _syllables(count: int) -> list[int]:
    """Somebody else speaking: bursts and pauses of uneven lengths."""
    chance = random.Random(7)
    samples: list[int] = []
    while len(samples) < count:
        length, height = chance.randint(60, 250) * 8, chance.uniform(1000, 9000)
        samples += [
            round(height * math.sin(math.pi * n / length) * chance.gauss(0, 1)) for n in range(length)
        ]
        samples += [0] * (chance.choice([20, 50, 80, 300]) * 8)
    return samples[:count]


def _delays(sent: Sequence[int], heard: Sequence[int]) -> list[float | None]:
    """What the finder says after each half second."""
    finder = EchoFinder()
    said = []
    for n, start in enumerate(range(0, min(len(sent), len(heard)) - BLOCK + 1, BLOCK), 1):
        finder.sent(rms(sent[start : start + BLOCK]))
        finder.heard(rms(heard[start : start + BLOCK]))
        if n % 50 == 0:
            said.append(finder.delay_ms())
    return said


def _sent(source: str) -> list[int]:
    return list(islice(SOURCES[source](), SECONDS * RATE))


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("delay_ms", [0, 30, 120, 500, 1500])
def test_a_faint_noisy_echo_is_found_with_its_delay(source: str, delay_ms: int) -> None:
    sent = _sent(source)
    delays = _delays(sent, _echo(sent, delay_ms))
    assert delays[-1] == delay_ms
    # Before it is sure it says nothing, and never anything else
    assert set(delays) <= {None, float(delay_ms)}


def test_a_delay_between_two_blocks_is_told_as_one_of_them() -> None:
    sent = _sent("tone")
    assert _delays(sent, _echo(sent, 124))[-1] in (120.0, 130.0)


def test_an_echo_that_changes_its_delay_is_found_again() -> None:
    sent = _sent("tone") * 2
    half = len(sent) // 2
    heard = _echo(sent, 120)[:half] + _echo(sent, 300)[half:]
    delays = _delays(sent, heard)
    assert delays[len(delays) // 2 - 1] == 120
    assert delays[-1] == 300


def test_an_echo_longer_than_two_seconds_is_not_found() -> None:
    sent = _sent("tone")
    assert set(_delays(sent, _echo(sent, 2500))) == {None}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    "heard", ["silence", "hiss", "steady tone", "another tone", "another speaker", "backwards"]
)
def test_nothing_that_is_not_our_own_sound_is_an_echo(source: str, heard: str) -> None:
    sent = _sent(source)
    other = {
        "silence": lambda: [0] * len(sent),
        "hiss": lambda: _noise(-45, len(sent)),
        "steady tone": lambda: sine(TONE_HZ, TONE_DBM0, SECONDS),
        "another tone": lambda: sine(440, -20, 0.5) * 12,
        "another speaker": lambda: _syllables(len(sent)),
        "backwards": lambda: sent[::-1],
    }[heard]()
    assert set(_delays(sent, other)) == {None}


def test_when_we_send_a_steady_sound_or_none_there_is_nothing_to_know_it_by() -> None:
    for sent in ([0] * RATE * SECONDS, [1000] * RATE * SECONDS):
        assert set(_delays(sent, _echo(sent, 120))) == {None}


def test_after_half_a_second_nothing_is_said_yet() -> None:
    finder = EchoFinder()
    sent = _sent("tone")
    for start in range(0, RATE // 2, BLOCK):
        finder.sent(rms(sent[start : start + BLOCK]))
        finder.heard(rms(sent[start : start + BLOCK]))
    assert finder.delay_ms() is None
