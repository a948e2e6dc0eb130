"""What is in 16-bit samples at 8 kHz: a steady tone, our own signal come back, samples at the limits."""

from __future__ import annotations

import cmath
import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from operator import mul

import msgspec

from app.model.sound import TONE_DBM0, TONE_HZ, dbm0
from app.model.sound_figures import Returned

RATE = 8000
TOLERANCE = 0.015
"""How far a tone may be off its frequency: as Q.24 has it for DTMF, and enough for any sampling clock."""
FAINTEST_DBM0 = -45.0
"""A tone below this is taken for noise."""

STEADY = 800
"""Samples in which a steady tone is recognised: 100 ms."""
_COARSE = 320
_LAGS = 6
_SHARE = 0.8
"""How much of the power must be in one tone, if it is to be called a tone: 6 dB above the noise."""

LIMIT = 32_124
"""The largest sample of G.711 mu-law as 16 bits; A-law and linear samples reach a little higher."""

RETURN_WAIT_S = 6.0
"""Seconds of our own sound after which it would have been recognised: the longest delay, and the time to see
it in."""
_BETWEEN_LOOKS_S = 0.3
_SAME_MS = 20.0
_SURE = 0.9
_MOST_GAIN_DB = 6.0


class Tone(msgspec.Struct, frozen=True, kw_only=True):
    """A steady tone: its frequency, Hz, and its level, dBm0."""

    hz: float
    dbm0: float

    def is_at(self, hertz: float, tolerance: float = TOLERANCE) -> bool:
        """Whether this is its frequency."""
        return abs(self.hz - hertz) <= tolerance * hertz


def goertzel(samples: Sequence[float], hertz: float, rate: float = RATE) -> complex:
    """The part of the samples at this frequency, as half a phasor (Goertzel's algorithm)."""
    turn = 2 * math.pi * hertz / rate
    factor = 2 * math.cos(turn)
    last = before = 0.0
    for sample in samples:
        last, before = sample + factor * last - before, last
    whole = last - cmath.exp(-1j * turn) * before
    return whole * cmath.exp(-1j * turn * (len(samples) - 1)) / len(samples)


def tone_power(samples: Sequence[float], hertz: float, rate: float = RATE) -> float:
    """Mean square of what is at this frequency; of a tone off it by 1 / length, nothing is seen."""
    return 2 * abs(goertzel(samples, hertz, rate)) ** 2


def mean_square(samples: Sequence[int]) -> float:
    """Mean of the squares; 0.0 for none."""
    return sum(map(mul, samples, samples)) / len(samples) if samples else 0.0


def steady_tone(samples: Sequence[int]) -> Tone | None:
    """The one tone that these samples are, from about 200 to 3600 Hz; None for anything else.

    Args:
        samples: At least `STEADY`; the last so many are looked at.
    """
    window = samples[-STEADY:]
    power = mean_square(window)
    level = dbm0(math.sqrt(power))
    if level is None or level < FAINTEST_DBM0:
        return None
    hertz = _coarse(window[:_COARSE])
    if hertz is None:
        return None
    for block in (STEADY // 10, STEADY // 2):
        parts = [goertzel(part, hertz) for part in _parts(window, block)]
        hertz += _off_by(parts, hertz, block)
    in_tone = 2 * sum(abs(part) ** 2 for part in parts) / len(parts)
    if in_tone < _SHARE * power:
        return None
    return Tone(hz=hertz, dbm0=dbm0(math.sqrt(in_tone)) or level)


def _coarse(samples: Sequence[int]) -> float | None:
    """A frequency to start from, by Prony's method on the autocorrelation, which white noise leaves alone."""
    count = len(samples)
    likeness = [sum(map(mul, samples[lag:], samples)) / (count - lag) for lag in range(1, _LAGS + 1)]
    inner = list(zip(likeness, likeness[1:], likeness[2:], strict=False))
    square = 2 * sum(here * here for _, here, _ in inner)
    cosine = sum((before + after) * here for before, here, after in inner) / square if square else 2.0
    return math.acos(cosine) * RATE / (2 * math.pi) if -1 < cosine < 1 else None


def _parts(samples: Sequence[int], length: int) -> Iterator[Sequence[int]]:
    return (samples[start : start + length] for start in range(0, len(samples), length))


def _off_by(parts: Sequence[complex], hertz: float, block: int) -> float:
    """How far the tone is off, Hz, by the phase that it gains from block to block."""
    gained = sum((after * before.conjugate() for before, after in pairwise(parts)), 0j)
    expected = 2j * math.pi * hertz * block / RATE
    return cmath.phase(gained * cmath.exp(-expected)) * RATE / (2 * math.pi * block)


def clipped(samples: Sequence[int]) -> int:
    """How many samples touch the limits."""
    if not samples or (max(samples) < LIMIT and min(samples) > -LIMIT):
        return 0
    return sum(sample >= LIMIT or sample <= -LIMIT for sample in samples)


def is_own_tone(tone: Tone | None) -> bool:
    """Whether a tone may be our test tone come back, by its frequency and its level."""
    return tone is not None and tone.is_at(TONE_HZ) and tone.dbm0 <= TONE_DBM0 + _MOST_GAIN_DB


class ReturnWatch:
    """Whether our own signal comes back. Once seen, it stays seen: a pause is no news about the line.

    Attributes:
        returned: What is known so far.
        level_dbm0, delay_ms: How it came back last.
    """

    def __init__(self) -> None:
        self.returned = Returned.UNKNOWN
        self.level_dbm0: float | None = None
        self.delay_ms: float | None = None
        self._looked_at_s = 0.0
        self._likely_ms: float | None = None

    def judge(
        self,
        *,
        delay_ms: float | None,
        likeness: float,
        level_dbm0: float | None,
        tone: Tone | None,
        tone_is_sent: bool,
        sent_s: float,
    ) -> None:
        """Look at what is known now; to be called about once a second.

        Args:
            delay_ms: The delay at which what is heard has the gaps and swells of what was sent.
            likeness: How well, up to 1. Chance can make a middling one, but not the same one twice.
            level_dbm0: The level heard.
            tone: The steady tone heard.
            tone_is_sent: Whether we send the test tone, which must then be what is heard.
            sent_s: Seconds of sound sent so far.
        """
        if sent_s < self._looked_at_s + _BETWEEN_LOOKS_S:
            return
        likely_ms, self._likely_ms, self._looked_at_s = self._likely_ms, delay_ms, sent_s
        again = delay_ms is not None and likely_ms is not None and abs(delay_ms - likely_ms) <= _SAME_MS
        if (again or likeness >= _SURE) and (not tone_is_sent or is_own_tone(tone)):
            self.returned, self.delay_ms = Returned.YES, delay_ms
            self.level_dbm0 = tone.dbm0 if tone_is_sent and tone is not None else level_dbm0
        elif self.returned is Returned.UNKNOWN and sent_s >= RETURN_WAIT_S:
            self.returned = Returned.NO
