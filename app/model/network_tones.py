"""Tones of telephone networks, told by frequency and rhythm (ITU-T E.180; Europe, North America, Britain)."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from itertools import groupby
from operator import mul

from app.model.listening import FAINTEST_DBM0, RATE, STEADY, Tone, mean_square, steady_tone, tone_power
from app.model.sound import amplitude
from app.model.sound_figures import NetworkTone

FRAME = 160
_FRAME_S = FRAME / RATE
_FAINTEST = amplitude(FAINTEST_DBM0) ** 2 / 2
_KEPT = 50
"""Frames that are kept to look at: one second."""
_FLAT = 1.41
"""Greatest ratio of powers within one tone."""
_STEADY_FRAMES = STEADY // FRAME

_PAIRS = {
    (350, 440): NetworkTone.DIAL,
    (440, 480): NetworkTone.RINGBACK,
    (400, 450): NetworkTone.RINGBACK,
    (480, 620): NetworkTone.BUSY,
}
_PAIR_HZ = sorted({hertz for pair in _PAIRS for hertz in pair})
_PAIR_FRAMES = 10
_PAIR_FLAT = 2.0
"""Two tones 40 Hz apart swell and fade, and 20 ms hold no whole beat."""
_PAIR_BLOCK = 200
"""Samples in which the frequencies are told apart: 25 ms, where a tone 40 Hz away shows nothing of itself."""
_THIN = 4
_LOW_PITCHED = 0.8
"""Least likeness of neighbouring samples up to 620 Hz; what is higher would be deceiving when thinned."""
_PAIR_SHARE = 0.7
_EACH_SHARE = 0.12

_ONE_HZ = (394.0, 457.0)
"""400, 425 and 450 Hz with their tolerance: networks with one frequency tell their tones by rhythm."""

_REMEMBERED_LOOKS = 6
_RHYTHM_FRAMES = 300
_SILENT = 0.1
_LONG_S = 3.0
_RING_ON_S, _RING_OFF_S = 0.6, 1.5
_SHORT_OFF_S = 0.8
_QUICK_S = 0.36
"""Busy is 0.375 s to 0.5 s on, congestion 0.25 s or less."""
_ALIKE = 0.3

_SPECIAL_HZ = (950, 1400, 1800)
_SPECIAL_OFF_HZ = 65
"""E.180 allows 50 Hz; a quick look at a frequency may miss by some more."""
_LOOK_FRAMES = 5
_LOOKS = 25
_LEAST_LOOKS = 2
_PURE = 0.1


class ToneWatch:
    """Follows what is heard and tells steady tones and those of the network.

    Attributes:
        tone: The last steady tone, None before there was one.
        now: The steady tone heard at the last look, None for none.
        signal: The last tone of the network.
    """

    def __init__(self) -> None:
        self.tone: Tone | None = None
        self.now: Tone | None = None
        self.signal = NetworkTone.NONE
        self._frames: deque[tuple[Sequence[int], float, float]] = deque(maxlen=_KEPT)
        self._powers: deque[float] = deque(maxlen=_RHYTHM_FRAMES)
        self._pitches: deque[float] = deque(maxlen=_LOOKS)
        self._count = self._ones = 0

    def take(self, samples: Sequence[int], powers: tuple[float, float]) -> None:
        """Note 20 ms and the mean square of each half of them."""
        self._frames.append((samples, *powers))
        self._powers.append((powers[0] + powers[1]) / 2)
        self._count += 1
        if self._count % _LOOK_FRAMES == 0:
            self._pitches.append(_pitch(samples, powers))

    def look(self) -> None:
        """Judge the last second; to be called about once in each."""
        self.now = None
        if _is_special(self._pitches):
            self.signal = NetworkTone.SPECIAL_INFORMATION
            self._pitches.clear()
            return
        self._ones -= 1
        window = self._window(_STEADY_FRAMES, lambda first, second: (first, second), _FLAT)
        if window:
            self.now = steady_tone(window)
        if self.now is not None:
            self.tone = self.now
            if not _ONE_HZ[0] <= self.now.hz <= _ONE_HZ[1]:
                return
            self._ones = _REMEMBERED_LOOKS
        pair = NetworkTone.NONE if self.now is not None else self._pair()
        if pair is NetworkTone.BUSY or self.now is not None:
            self.signal = _by_rhythm(self._runs()) or self.signal
        elif pair is not NetworkTone.NONE:
            self.signal = pair
        elif self._ones > 0 and _by_rhythm(self._runs()) is NetworkTone.RINGBACK:
            # Its pause is long
            self.signal = NetworkTone.RINGBACK

    def _window(
        self, length: int, parts: Callable[[float, float], tuple[float, ...]], most: float
    ) -> Sequence[int]:
        """The last samples of so many frames that are loud, and all about equally so; empty for none."""
        found: list[Sequence[int]] = []
        least, greatest = math.inf, 0.0
        for samples, first, second in reversed(self._frames):
            powers = parts(first, second)
            least, greatest = min(least, *powers), max(greatest, *powers)
            if least < _FAINTEST or greatest > most * least:
                # The tone may begin here
                found, least, greatest = [], math.inf, 0.0
                continue
            found.append(samples)
            if len(found) == length:
                return [sample for samples in reversed(found) for sample in samples]
        return ()

    def _pair(self) -> NetworkTone:
        """Which two frequencies are heard together."""
        samples = self._window(_PAIR_FRAMES, lambda first, second: (first + second,), _PAIR_FLAT)
        if not samples:
            return NetworkTone.NONE
        power = mean_square(samples)
        if sum(map(mul, samples[1:], samples)) < _LOW_PITCHED * power * len(samples):
            return NetworkTone.NONE
        parts = [
            samples[start : start + _PAIR_BLOCK : _THIN] for start in range(0, len(samples), _PAIR_BLOCK)
        ]
        shares = {
            hertz: sum(tone_power(part, hertz, RATE / _THIN) for part in parts) / len(parts) / power
            for hertz in _PAIR_HZ
        }
        low, high = max(_PAIRS, key=lambda pair: shares[pair[0]] + shares[pair[1]])
        both = shares[low] + shares[high] > _PAIR_SHARE and min(shares[low], shares[high]) > _EACH_SHARE
        return _PAIRS[low, high] if both else NetworkTone.NONE

    def _runs(self) -> list[tuple[bool, float]]:
        """How long there was sound and silence in turn, seconds."""
        threshold = max(_FAINTEST, _SILENT * max(self._powers))
        return [
            (on, _FRAME_S * len(list(run)))
            for on, run in groupby(power > threshold for power in self._powers)
        ]


def _by_rhythm(runs: list[tuple[bool, float]]) -> NetworkTone:
    """The tone of a network that tells them by rhythm; none while it is not clear."""
    if runs[-1][0] and runs[-1][1] >= _LONG_S:
        return NetworkTone.DIAL
    # The first and the last run may go on outside of what is known
    sounding = [(on_s, runs[n + 1][1]) for n, (on, on_s) in enumerate(runs[:-1]) if on and n > 0]
    if not sounding:
        return NetworkTone.NONE
    on_s, off_s = sounding[-1]
    if on_s >= _RING_ON_S and off_s >= _RING_OFF_S:
        return NetworkTone.RINGBACK
    regular = len(sounding) > 1 and abs(sounding[-2][0] - on_s) <= _ALIKE * on_s
    if not regular or sounding[-2][1] > _SHORT_OFF_S:
        return NetworkTone.NONE
    return NetworkTone.CONGESTION if on_s < _QUICK_S else NetworkTone.BUSY


def _pitch(samples: Sequence[int], powers: tuple[float, float]) -> float:
    """The frequency of a frame that is one tone, Hz, about; 0.0 for any other."""
    first, second = powers
    if min(powers) < _FAINTEST or not first < _FLAT * second < _FLAT**2 * first:
        return 0.0
    power = (first + second) / 2
    near, next_but_one = (
        sum(map(mul, samples[lag:], samples)) / (len(samples) - lag) / power for lag in (1, 2)
    )
    if abs(next_but_one - (2 * near * near - 1)) > _PURE or abs(near) > 1:
        return 0.0
    return math.acos(near) * RATE / (2 * math.pi)


def _is_special(pitches: Sequence[float]) -> bool:
    """Whether the three rising tones came one after another."""
    stage = looks = odd = 0
    for pitch in pitches:
        if abs(pitch - _SPECIAL_HZ[stage]) <= _SPECIAL_OFF_HZ:
            looks, odd = looks + 1, 0
        elif stage < 2 and looks >= _LEAST_LOOKS and abs(pitch - _SPECIAL_HZ[stage + 1]) <= _SPECIAL_OFF_HZ:
            stage, looks, odd = stage + 1, 1, 0
        elif not odd:
            # A look that falls between two tones
            odd = 1
        else:
            stage, looks, odd = 0, int(abs(pitch - _SPECIAL_HZ[0]) <= _SPECIAL_OFF_HZ), 0
        if stage == 2 and looks >= _LEAST_LOOKS:
            return True
    return False
