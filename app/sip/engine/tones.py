"""Tones as sound: DTMF after ITU-T Q.23, and what the person here hears: ringback and ringing."""

from __future__ import annotations

import math
from array import array
from functools import cache

from app.model.dtmf import HIGH_HZ, KEYS, LOW_HZ
from app.model.sound import amplitude, rms

TONE_MS = 100
PAUSE_MS = 100
"""Twice the shortest tone and pause that receivers must take (ITU-T Q.24 annex A)."""
EACH_DBM0 = -10.0
"""Level of one tone; the pair has 3 dB more."""
LOCAL_DBM0 = -22.0
"""Level of each tone that only the person here hears."""
RING_HZ = 16000
"""Sampling rate of the ringing, which no telephone line narrows."""
RING_DBM0 = -20.0


def pair_of(digit: str) -> tuple[int, int]:
    """The two frequencies of a digit, Hz.

    Raises:
        ValueError: Not one of 0-9, A-D, `*` and `#`.
    """
    for row, keys in enumerate(KEYS):
        column = keys.find(digit.upper())
        if len(digit) == 1 and column >= 0:
            return LOW_HZ[row], HIGH_HZ[column]
    raise ValueError(f"{digit!r} is no DTMF digit")


def dtmf(digits: str, rate: int, each_dbm0: float = EACH_DBM0) -> array[int]:
    """The sound of these digits, each followed by a pause.

    Args:
        digits: Any of 0-9, A-D, `*`, `#`.
        rate: Samples a second.
        each_dbm0: Level of one tone of the pair.

    Raises:
        ValueError: Another character.
    """
    peak = amplitude(each_dbm0)
    pause = bytes(2 * (rate * PAUSE_MS // 1000))
    samples = array("h")
    for digit in digits:
        low, high = (2 * math.pi * hertz / rate for hertz in pair_of(digit))
        samples.extend(
            round(peak * (math.sin(low * n) + math.sin(high * n))) for n in range(rate * TONE_MS // 1000)
        )
        samples.frombytes(pause)
    return samples


class Repeated:
    """A sound and the pause after it, over and over.

    Args:
        samples: The sound.
        pause: Samples of silence after it.
    """

    def __init__(self, samples: array[int], pause: int) -> None:
        self._sound = samples.tobytes()
        self._length = len(self._sound) + 2 * pause
        self._at = 0

    def read(self, count: int) -> bytes:
        """The next `count` samples."""
        out = bytearray()
        while len(out) < 2 * count:
            missing = 2 * count - len(out)
            if self._at < len(self._sound):
                part = self._sound[self._at : self._at + missing]
            else:
                part = bytes(min(missing, self._length - self._at))
            out += part
            self._at = (self._at + len(part)) % self._length
        return bytes(out)


# Frequencies in Hz, then sound and pause by turns in seconds (ITU-T E.180 supplement 2)
_RINGBACK = {
    "": ((425,), (1.0, 4.0)),
    "AT": ((420,), (1.0, 5.0)),
    "AU": ((400, 425), (0.4, 0.2, 0.4, 2.0)),
    "CA": ((440, 480), (2.0, 4.0)),
    "ES": ((425,), (1.5, 3.0)),
    "FR": ((440,), (1.5, 3.5)),
    "GB": ((400, 450), (0.4, 0.2, 0.4, 2.0)),
    "IE": ((400, 450), (0.4, 0.2, 0.4, 2.0)),
    "JP": ((400,), (1.0, 2.0)),
    "NZ": ((400, 450), (0.4, 0.2, 0.4, 2.0)),
    "SE": ((425,), (1.0, 5.0)),
    "US": ((440, 480), (2.0, 4.0)),
}


def ringback(country: str, rate: int, each_dbm0: float) -> Repeated:
    """The tone that a caller hears while it rings at the other end.

    Args:
        country: ISO 3166 code; of any other than the known ones 425 Hz, 1 s on, 4 s off.
        rate: Samples a second.
        each_dbm0: Level of one of its frequencies.
    """
    frequencies, cadence = _RINGBACK.get(country.upper(), _RINGBACK[""])
    peak = amplitude(each_dbm0)
    steps = [2 * math.pi * hertz / rate for hertz in frequencies]
    samples = array("h")
    for index, seconds in enumerate(cadence[:-1]):
        length = round(seconds * rate)
        if index % 2:
            samples.frombytes(bytes(2 * length))
        else:
            samples.extend(round(peak * sum(math.sin(step * n) for step in steps)) for n in range(length))
    return Repeated(samples, round(cadence[-1] * rate))


def ring() -> Repeated:
    """The ringing of an incoming call, at 16 kHz: 2 s of a soft chord that quivers, 4 s of silence."""
    return Repeated(_ring_sound(), 4 * RING_HZ)


@cache
def _ring_sound() -> array[int]:
    # D5, F sharp 5 and A5, the higher the softer; 14 beats a second, as of a bell's clapper
    chord = ((587.33, 1.0), (739.99, 0.7), (880.0, 0.4))
    length, beats = 2 * RING_HZ, 14
    attack, release = RING_HZ // 100, RING_HZ // 5
    shape = []
    for n in range(length):
        quiver = 0.65 + 0.35 * math.cos(2 * math.pi * beats * n / RING_HZ)
        edge = min(1.0, n / attack, (length - n) / release)
        shape.append(
            edge * quiver * sum(w * math.sin(2 * math.pi * hertz * n / RING_HZ) for hertz, w in chord)
        )
    unscaled = array("h", [round(4000 * value) for value in shape])
    scale = 4000 * amplitude(RING_DBM0) / math.sqrt(2) / rms(unscaled)
    return array("h", [round(scale * value) for value in shape])
