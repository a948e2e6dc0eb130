"""DTMF in the sound of a call: the keypad of ITU-T Q.23, and a receiver by ITU-T Q.24."""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence
from functools import cache
from operator import mul

from app.model.sound import amplitude
from app.model.trunk import Dtmf

LOW_HZ = (697, 770, 852, 941)
HIGH_HZ = (1209, 1336, 1477, 1633)
KEYS = ("123A", "456B", "789C", "*0#D")
"""The keypad: a row has a low frequency, a column a high one (ITU-T Q.23 section 6)."""

RATE = 8000
BLOCK = 80
"""Samples in a block: 10 ms, just long enough to tell neighbours on the keypad apart."""

LEAST_DBM0 = -27.0
"""Least level of one tone: Q.24 wants -25 dBm0 to be taken and -29 not to be (annex A)."""
TWIST_DB = (-10.0, 6.0)
"""How much stronger the high tone may be than the low one: Q.24 wants -8 to 4 dB, the line adds some."""
TOLERANCE = 0.025
"""Greatest deviation of a frequency: Q.24 wants 1.5 % to be taken and 3.5 % not to be."""
LEAST_BLOCKS = 3.2
"""Least length of a digit: Q.24 wants 40 ms to be taken and 23 ms not to be."""
PAUSE_BLOCKS = 3
"""A pause of 40 ms holds so many whole blocks; an interruption of 10 ms, which is none, does not."""

SAME_WITHIN_S = 0.2
"""Seconds within which one digit that comes in two ways is one."""

_LEAST_POWER = amplitude(LEAST_DBM0) ** 2 / 2
_LEAST_TWIST, _MOST_TWIST = (10 ** (db / 10) for db in TWIST_DB)
_STEADY = 1.6
"""Greatest ratio of the powers of neighbouring blocks in a digit; the beat of its tones makes up to 1.3."""
_LOW_SHARE = 0.12
_PAIR_SHARE = 0.6
_DIGIT_SHARE = 0.82
"""How much of the power must be in the low tone, in both tones of a block, and in both of a whole digit.
Speech seldom comes near the last."""


class DigitWays:
    """Tells digits that a far end sends in two ways from those that were pressed twice.

    Attributes:
        doubled: How many came in two ways.
    """

    def __init__(self) -> None:
        self.doubled = 0
        self._last: list[tuple[str, float, set[Dtmf]]] = []

    def is_new(self, digit: str, way: Dtmf, at: float) -> bool:
        """Whether this is a digit of its own.

        Args:
            digit: The digit.
            way: How it came.
            at: When it began, seconds on any clock.
        """
        self._last = [one for one in self._last if at - one[1] <= SAME_WITHIN_S]
        for other, began, ways in self._last:
            if other == digit and way not in ways and abs(at - began) <= SAME_WITHIN_S:
                self.doubled += len(ways) == 1
                ways.add(way)
                return False
        self._last.append((digit, at, {way}))
        return True


class DtmfReceiver:
    """Finds digits in sound.

    It costs little while there is none: of a loud and steady block it looks at every second sample and at the
    low tones first.
    """

    def __init__(self) -> None:
        self._former: tuple[Sequence[int], Sequence[int]] = ((0,) * BLOCK, (0,) * BLOCK)
        self._former_powers = (0.0, 0.0)
        self._digit: _Digit | None = None

    def take(self, samples: Sequence[int], powers: tuple[float, float]) -> str:
        """The digits that are known by now and were not before, mostly none.

        Args:
            samples: The next 20 ms.
            powers: Mean square of each half of them.
        """
        blocks = (samples[:BLOCK], samples[BLOCK:])
        found = ""
        if self._digit is None and self._may_begin(powers):
            self._digit = _screened(blocks[0], powers[0])
            if self._digit is not None:
                # The tone may have begun in the 20 ms before
                for block, power in zip(self._former, self._former_powers, strict=True):
                    self._digit.follow(block, power)
        if self._digit is not None:
            for block, power in zip(blocks, powers, strict=True):
                self._digit.follow(block, power)
                if self._digit.is_new():
                    found += self._digit.key
            if self._digit.misses >= PAUSE_BLOCKS:
                self._digit = None
        self._former, self._former_powers = blocks, powers
        return found

    def _may_begin(self, powers: tuple[float, float]) -> bool:
        first, second = powers
        before = self._former_powers[1]
        return first > _LEAST_POWER and (
            first < _STEADY * second < _STEADY**2 * first or first < _STEADY * before < _STEADY**2 * first
        )


class _Digit:
    """What may be a digit: its two tones, followed from block to block."""

    def __init__(self, row: int, column: int) -> None:
        self.key = KEYS[row][column]
        self.misses = 0
        self._hertz = (LOW_HZ[row], HIGH_HZ[column])
        self._parts: list[tuple[complex, complex]] = []
        self._turns = [0j, 0j]
        self._in_tone = [0.0, 0.0]
        self._in_all = 0.0
        self._hits = 0
        self._told = False

    def follow(self, samples: Sequence[int], power: float) -> None:
        """Look at the next block."""
        parts = (_part(samples, self._hertz[0]), _part(samples, self._hertz[1]))
        low, high = map(_power, parts)
        hit = low + high > _PAIR_SHARE * power and _LEAST_TWIST * low < high < _MOST_TWIST * low
        hit = hit and min(low, high) > _LEAST_POWER / 2
        self.misses = 0 if hit else self.misses + 1
        if self._told:
            return
        if hit:
            self._hits += 1
            self._in_all += power
            for n in range(2):
                self._in_tone[n] += (low, high)[n]
                if self._parts:
                    self._turns[n] += parts[n] * self._parts[-1][n].conjugate()
        self._parts.append(parts)

    def is_new(self) -> bool:
        """Whether it is a digit by all rules; true only once."""
        if self._told or self._hits < 2:
            return False
        sizes = [abs(low) + abs(high) for low, high in self._parts]
        # Blocks at the edges count by how much of them it fills
        self._told = sum(sizes) >= LEAST_BLOCKS * max(sizes) and self._is_loud() and self._is_true()
        return self._told

    def _is_loud(self) -> bool:
        return all(max(_power(parts[n]) for parts in self._parts) > _LEAST_POWER for n in range(2))

    def _is_true(self) -> bool:
        in_tones = 0.0
        for hertz, turn, power in zip(self._hertz, self._turns, self._in_tone, strict=True):
            off = _off_by(hertz, turn)
            if abs(off) > TOLERANCE * hertz:
                return False
            # Beside its frequency a tone shows less of its power
            in_tones += power * (1 + (math.pi * off * BLOCK / RATE) ** 2 / 3)
        return in_tones > _DIGIT_SHARE * self._in_all


def _screened(samples: Sequence[int], power: float) -> _Digit | None:
    """What a block may be the beginning of, by every second sample."""
    half = samples[::2]
    low = [_power(_part(half, hertz, 2)) for hertz in LOW_HZ]
    if max(low) < _LOW_SHARE * power:
        return None
    high = [_power(_part(half, hertz, 2)) for hertz in HIGH_HZ]
    if max(low) + max(high) < _PAIR_SHARE * power:
        return None
    return _Digit(low.index(max(low)), high.index(max(high)))


@cache
def _table(hertz: int, step: int) -> tuple[complex, ...]:
    return tuple(cmath.exp(-2j * math.pi * hertz / RATE * n) for n in range(0, BLOCK, step))


def _part(samples: Sequence[int], hertz: int, step: int = 1) -> complex:
    """The part of a block that is at this frequency, as half a phasor."""
    return sum(map(mul, samples, _table(hertz, step)), 0j) / len(samples)


def _power(part: complex) -> float:
    return 2 * (part.real * part.real + part.imag * part.imag)


def _off_by(hertz: int, turn: complex) -> float:
    """How far a tone is off its frequency, Hz, by the phase that it gains from block to block."""
    expected = 2j * math.pi * hertz * BLOCK / RATE
    return cmath.phase(turn * cmath.exp(-expected)) * RATE / (2 * math.pi * BLOCK)
