"""Levels and delays of sound, on 16-bit samples: dBm0 by ITU-T G.711, the echo by correlation."""

from __future__ import annotations

import math
from array import array
from collections import deque
from collections.abc import Sequence
from functools import cache
from itertools import accumulate
from operator import mul

FULL_SCALE_DBM0 = 3.17
"""Level of a full-scale sine (ITU-T G.711 section 4: 3.17 dBm0 for mu-law, 3.14 for A-law)."""
TONE_HZ = 1004
"""The test tone of telephone lines; 1000 Hz would hide faults that depend on the sampling clock."""
TONE_DBM0 = -10.0
SILENCE_DBM0 = -50.0
"""Below this nobody hears speech: packets with less are called silence."""
_FLAT = 1e-6
"""Variance of an envelope below which it has no shape to recognise."""


def rms(samples: Sequence[int]) -> float:
    """Root mean square of 16-bit samples; 0.0 for none."""
    return math.sqrt(sum(map(mul, samples, samples)) / len(samples)) if samples else 0.0


def dbm0(root_mean_square: float) -> float | None:
    """Level in dBm0 of an RMS value on the 16-bit scale; None for digital silence."""
    if root_mean_square <= 0:
        return None
    return 20 * math.log10(root_mean_square * math.sqrt(2) / 32768) + FULL_SCALE_DBM0


def amplitude(level_dbm0: float) -> float:
    """Peak value, on the 16-bit scale, of a sine of this level."""
    return 32768 * 10 ** ((level_dbm0 - FULL_SCALE_DBM0) / 20)


def keyed_tone(rate: int, seconds: int = 8, *, pattern: int = 0) -> array[int]:
    """A loop of the test tone with gaps of uneven lengths at uneven distances.

    A steady tone would sound the same at every delay; the gaps make its return recognisable. They last 30 to
    70 ms and start at multiples of 10 ms, 180 to 520 ms after one another.

    Args:
        rate: Samples a second; the loop is seamless because a second holds whole periods.
        seconds: Length of the loop.
        pattern: Which of very many patterns of gaps. When two of us call each other with different ones,
            neither takes the other's tone for its own.
    """
    samples = _second_of_tone(rate) * seconds
    # Late: whoever only measures levels should not carry its tables
    from random import Random

    chance = Random(pattern)
    at = chance.randint(15, 45)
    while at < 100 * seconds - 10:
        start, length = at * rate // 100, chance.randint(3, 7)
        gap = length * rate // 100
        samples[start : start + gap] = array("h", bytes(2 * gap))
        at += length + chance.randint(15, 45)
    return samples


@cache
def _second_of_tone(rate: int) -> array[int]:
    peak = amplitude(TONE_DBM0)
    step = 2 * math.pi * TONE_HZ / rate
    return array("h", [round(peak * math.sin(step * n)) for n in range(rate)])


class EchoFinder:
    """Finds after how long the sound that was sent comes back, from the two envelopes.

    Feed one level per 10 ms for each direction, both on the same clock. The answer comes from the
    normalised cross-correlation of the last seconds (textbook; the peak must stand out).

    Attributes:
        likeness: How alike the envelopes were at the delay last found, up to 1; 0 where there was none.
    """

    BLOCK_MS = 10
    WINDOW = 300
    MAX_LAG = 200
    LEAST = 80
    THRESHOLD = 0.75

    def __init__(self) -> None:
        self.likeness = 0.0
        self._sent: deque[float] = deque(maxlen=self.WINDOW + self.MAX_LAG)
        self._heard: deque[float] = deque(maxlen=self.WINDOW + self.MAX_LAG)

    def sent(self, root_mean_square: float) -> None:
        """Note what was sent in one block of 10 ms."""
        self._sent.append(math.log10(1 + root_mean_square))

    def heard(self, root_mean_square: float) -> None:
        """Note what was heard in one block of 10 ms."""
        self._heard.append(math.log10(1 + root_mean_square))

    def delay_ms(self) -> float | None:
        """The echo's delay in ms, or None while there is none to be seen."""
        self.likeness = 0.0
        sent, heard = list(self._sent), list(self._heard)
        known = min(len(sent), len(heard))
        max_lag = min(self.MAX_LAG, known // 2)
        span = min(self.WINDOW, known - max_lag)
        if span < self.LEAST:
            return None
        heard = _centred(heard[-span:])
        power = sum(map(mul, heard, heard))
        if power < _FLAT:
            return None
        # The heard part has mean 0, so the sent part needs no centring: its mean falls out of the product
        sums = list(accumulate(sent, initial=0.0))
        squares = list(accumulate(map(mul, sent, sent), initial=0.0))
        best, best_lag = 0.0, 0
        for lag in range(max_lag + 1):
            end = len(sent) - lag
            start = end - span
            own = squares[end] - squares[start] - (sums[end] - sums[start]) ** 2 / span
            if own < _FLAT:
                continue
            likeness = sum(map(mul, heard, sent[start:end])) / math.sqrt(power * own)
            if likeness > best + 1e-6:  # of equal ones the shortest delay
                best, best_lag = likeness, lag
        if best < self.THRESHOLD:
            return None
        self.likeness = best
        return float(best_lag * self.BLOCK_MS)


def _centred(values: list[float]) -> list[float]:
    mean = sum(values) / len(values)
    return [value - mean for value in values]
