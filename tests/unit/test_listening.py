"""A tone, our own tone come back, and clipping are told from everything else."""

from __future__ import annotations

import math
import random
import wave
from array import array
from collections.abc import Sequence
from importlib.resources import files

import pytest
from aiortp import get_codec

from app.model.listening import (
    LIMIT,
    RATE,
    RETURN_WAIT_S,
    STEADY,
    ReturnWatch,
    Tone,
    clipped,
    is_own_tone,
    mean_square,
    steady_tone,
    tone_power,
)
from app.model.sound import TONE_DBM0, TONE_HZ, EchoFinder, amplitude, dbm0, keyed_tone, rms
from app.model.sound_figures import Returned

PCMU, PCMA = 0, 8
BLOCK = RATE // 100


def sine(hertz: float, level_dbm0: float, count: int = STEADY) -> list[float]:
    """A steady tone."""
    peak, step = amplitude(level_dbm0), 2 * math.pi * hertz / RATE
    return [peak * math.sin(step * n + 0.4) for n in range(count)]


def noise(samples: Sequence[float], level_dbm0: float) -> list[float]:
    """The samples with white noise of this level."""
    chance = random.Random(1004)
    deviation = amplitude(level_dbm0) / math.sqrt(2)
    return [value + chance.gauss(0, deviation) for value in samples]


def pcm(samples: Sequence[float]) -> array[int]:
    """16-bit samples, clipped."""
    return array("h", [max(-32768, min(32767, round(value))) for value in samples])


def through(codec: int, samples: Sequence[float]) -> array[int]:
    """What is left of them after this codec."""
    law = get_codec(codec)
    return array("h", law.decode(law.encode(pcm(samples).tobytes())))


def speech() -> array[int]:
    """The spoken sample."""
    with wave.open(str(files("app.resources") / "speech.wav")) as sample:
        assert sample.getframerate() == RATE
        return array("h", sample.readframes(sample.getnframes()))


# Power at a frequency


def test_the_power_of_a_tone_is_all_at_its_frequency() -> None:
    tone = sine(1000, -10)
    assert tone_power(tone, 1000) == pytest.approx(amplitude(-10) ** 2 / 2, rel=1e-6)
    # 100 ms hold whole periods of both
    assert tone_power(tone, 1010) == pytest.approx(0, abs=1)
    assert tone_power(tone, 2000) == pytest.approx(0, abs=1)


def test_the_mean_square_is_that_of_the_rms() -> None:
    samples = pcm(sine(440, -10))
    assert mean_square(samples) == pytest.approx(rms(samples) ** 2)
    assert mean_square([]) == 0.0


# A steady tone


@pytest.mark.parametrize("codec", [PCMU, PCMA])
@pytest.mark.parametrize("level", [-40, -30, -20, -10, 0])
@pytest.mark.parametrize("hertz", [300, 425, 1000, 1004, 1020, 2000, 2100, 3400])
def test_frequency_and_level_of_a_tone_are_told_after_g711(codec: int, level: int, hertz: int) -> None:
    tone = steady_tone(through(codec, sine(hertz, level)))
    assert tone is not None
    assert tone.hz == pytest.approx(hertz, abs=0.5)
    assert tone.dbm0 == pytest.approx(level, abs=0.5)


@pytest.mark.parametrize("noise_dbm0", [-60, -40, -30, -20])
def test_noise_10_db_below_moves_neither(noise_dbm0: int) -> None:
    tone = steady_tone(pcm(noise(sine(TONE_HZ, TONE_DBM0), noise_dbm0)))
    assert tone is not None
    assert tone.hz == pytest.approx(TONE_HZ, abs=1)
    assert tone.dbm0 == pytest.approx(TONE_DBM0, abs=0.5)


@pytest.mark.parametrize("off_pct", [-1.4, -0.5, 0, 0.5, 1.4])
def test_a_tone_may_be_a_little_off(off_pct: float) -> None:
    tone = steady_tone(through(PCMU, sine(TONE_HZ * (1 + off_pct / 100), -20)))
    assert tone is not None
    assert tone.is_at(TONE_HZ)


@pytest.mark.parametrize("off_pct", [-3, -1.7, 1.7, 3])
@pytest.mark.parametrize("level", [-40, -10, 0])
def test_a_tone_further_off_is_another_one(off_pct: float, level: int) -> None:
    tone = steady_tone(through(PCMU, sine(TONE_HZ * (1 + off_pct / 100), level)))
    assert tone is not None
    assert not tone.is_at(TONE_HZ)


@pytest.mark.parametrize("level", [-50, -10, 0])
def test_noise_is_no_tone(level: int) -> None:
    sound = pcm(noise([0.0] * 20 * STEADY, level))
    assert {steady_tone(sound[start : start + STEADY]) for start in range(0, len(sound), STEADY)} == {None}


def test_a_tone_in_as_much_noise_is_none() -> None:
    assert steady_tone(pcm(noise(sine(1000, -20), -20))) is None


def test_two_tones_are_not_one() -> None:
    both = [one + other for one, other in zip(sine(697, -10), sine(1209, -10), strict=True)]
    assert steady_tone(pcm(both)) is None


def test_silence_and_what_is_nearly_silent_are_no_tone() -> None:
    assert steady_tone([0] * STEADY) is None
    assert steady_tone([]) is None
    assert steady_tone(pcm(sine(1000, -48))) is None


def test_a_steady_voltage_is_no_tone() -> None:
    assert steady_tone([2000] * STEADY) is None


# Our own tone


@pytest.mark.parametrize("level", [-40, -30, TONE_DBM0, -5])
def test_our_tone_is_known_by_frequency_and_level(level: float) -> None:
    assert is_own_tone(steady_tone(through(PCMU, sine(TONE_HZ, level))))


@pytest.mark.parametrize(
    "tone", [None, Tone(hz=1034, dbm0=-10), Tone(hz=974, dbm0=-10), Tone(hz=1004, dbm0=0)]
)
def test_what_is_too_high_too_low_or_too_loud_is_not_ours(tone: Tone | None) -> None:
    assert not is_own_tone(tone)


def watched(sent: Sequence[int], heard: Sequence[int], *, tone_is_sent: bool = True) -> list[Returned]:
    """What is known after each second."""
    finder, watch, known = EchoFinder(), ReturnWatch(), []
    for n, start in enumerate(range(0, min(len(sent), len(heard)) - BLOCK + 1, BLOCK), 1):
        finder.sent(rms(sent[start : start + BLOCK]))
        finder.heard(rms(heard[start : start + BLOCK]))
        if n % 100 == 0:
            last = heard[start + BLOCK - STEADY : start + BLOCK]
            watch.judge(
                delay_ms=finder.delay_ms(),
                likeness=finder.likeness,
                level_dbm0=dbm0(rms(last)),
                tone=steady_tone(last),
                tone_is_sent=tone_is_sent,
                sent_s=n / 100 if any(sent) else 0.0,
            )
            known.append(watch.returned)
    return known


def late(samples: Sequence[int], delay_ms: int, down_db: float) -> array[int]:
    """The samples after a delay, fainter, in a little noise."""
    factor = 10 ** (-down_db / 20)
    return pcm(noise([0.0] * (delay_ms * RATE // 1000) + [factor * value for value in samples], -60))


@pytest.mark.parametrize("pattern", range(2))
@pytest.mark.parametrize("delay_ms", [0, 120, 1000])
@pytest.mark.parametrize("down_db", [0, 25])
def test_our_keyed_tone_come_back_is_seen_in_time(pattern: int, delay_ms: int, down_db: float) -> None:
    sent = keyed_tone(RATE, pattern=pattern)
    known = watched(sent, late(sent, delay_ms, down_db))
    assert known[-1] is Returned.YES
    assert Returned.NO not in known
    assert known.index(Returned.YES) <= 4


@pytest.mark.parametrize("ours", range(2))
@pytest.mark.parametrize("theirs", range(2, 5))
def test_the_keyed_tone_of_another_one_is_not_ours(ours: int, theirs: int) -> None:
    sent = keyed_tone(RATE, pattern=ours)
    known = watched(sent, late(keyed_tone(RATE, pattern=theirs), 170, 0))
    assert set(known[:5]) == {Returned.UNKNOWN}
    assert set(known[5:]) == {Returned.NO}


def test_a_steady_tone_of_our_frequency_is_not_ours() -> None:
    known = watched(keyed_tone(RATE), through(PCMU, sine(TONE_HZ, TONE_DBM0, 8 * RATE)))
    assert known[-1] is Returned.NO


def test_gaps_like_ours_in_another_tone_are_not_ours() -> None:
    sent = keyed_tone(RATE)
    high = sine(TONE_HZ * 1.03, TONE_DBM0, len(sent))
    keyed = [value if any(sent[n : n + 4]) else 0.0 for n, value in enumerate(high)]
    assert watched(sent, pcm(keyed))[-1] is Returned.NO
    assert watched(sent, pcm(keyed), tone_is_sent=False)[-1] is Returned.YES


def test_speech_come_back_is_seen_and_another_speaker_is_not_taken_for_it() -> None:
    sent = speech()
    assert watched(sent, late(sent, 240, 10), tone_is_sent=False)[-1] is Returned.YES
    backwards = array("h", reversed(sent))
    assert watched(sent, backwards, tone_is_sent=False)[-1] is not Returned.YES


def test_who_sends_nothing_knows_nothing() -> None:
    assert set(watched([0] * 8 * RATE, pcm(sine(TONE_HZ, -10, 8 * RATE)))) == {Returned.UNKNOWN}


def test_once_seen_it_stays_seen_with_its_level_and_delay() -> None:
    watch = ReturnWatch()
    for second, delay_ms in enumerate([120.0, 130.0, None, None], 1):
        watch.judge(
            delay_ms=delay_ms,
            likeness=0.8 if delay_ms else 0.0,
            level_dbm0=-21.0,
            tone=Tone(hz=1004.2, dbm0=-20.5),
            tone_is_sent=True,
            sent_s=RETURN_WAIT_S + second,
        )
    assert (watch.returned, watch.level_dbm0, watch.delay_ms) == (Returned.YES, -20.5, 130.0)


def test_two_looks_at_the_same_moment_are_one() -> None:
    watch = ReturnWatch()
    for sent_s in (2.0, 2.1):
        watch.judge(
            delay_ms=120.0,
            likeness=0.8,
            level_dbm0=-21.0,
            tone=Tone(hz=1004, dbm0=-20),
            tone_is_sent=True,
            sent_s=sent_s,
        )
    assert watch.returned is Returned.UNKNOWN


# Clipping


@pytest.mark.parametrize("codec", [PCMU, PCMA])
def test_samples_at_the_limits_of_g711_are_counted(codec: int) -> None:
    loud = through(codec, [1.5 * value for value in sine(1000, 3.17)])
    share = clipped(loud) / len(loud)
    # A sine cut at two thirds of its height
    assert share == pytest.approx(1 - 2 * math.asin(2 / 3) / math.pi, abs=0.05)


def test_loud_but_whole_sound_is_not_clipped() -> None:
    assert clipped(through(PCMU, sine(1000, 2.0))) == 0
    assert clipped(speech()) == 0
    assert clipped([]) == 0


def test_both_limits_count() -> None:
    assert clipped([LIMIT, -LIMIT, LIMIT - 1, 1 - LIMIT, 32767, -32768]) == 4
