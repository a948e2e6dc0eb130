"""Sound on its way between two clocks: that of a sound device and that of the conference bridge."""

from __future__ import annotations

import time
from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Callable

CAP_MS = 200
"""What is kept at most when nobody reads."""
SPARE_MS = 30
"""What may lie there beyond one write and one read before the oldest is dropped at once."""
STALE_MS = 12
"""What is dropped in one piece when there is too much all the time; less goes sample by sample."""
MARGIN_MS = 6
"""How much later every write could come without a read that finds too little."""
MOST_MARGIN_MS = 10
_MORE_MS = 2
ROOM_MS = 9
"""What may lie there on average beyond what two even clocks need: uneven ones lose sound rather than time."""
_STEP_MS = 1
"""The same beyond one write or read, whichever is less: clocks that drift past each other need that."""
EASE_MS = 2
"""What the margin must be exceeded by before less is kept, so that it does not go to and fro."""
_WINDOW_MS = 500
_CALM_WINDOWS = 40


class ClockBuffer:
    """A queue of 16-bit mono samples; one thread writes, another one reads, and neither ever waits.

    Every half second it is worked out, from the times of all writes and reads, how many samples could be
    missing without harm, or should be there in addition. These are left out or put in one a read, which is
    too little to be heard. So the delay stays as short as the two clocks allow and does not grow with the
    difference between them, however long a call lasts. A read that finds too little is filled with silence,
    and more margin is kept for a while, but never more than `ROOM_MS`; what is far too much is dropped, the
    oldest first.

    Args:
        rate: Samples a second.
        clock: Gives the time, s.

    Attributes:
        underruns: How often a read found too little, the first second left out.
        overruns: How often the oldest was dropped, the first second left out.
    """

    def __init__(self, rate: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._held = bytearray()
        self._chunk = 0
        self._margin_ms = MARGIN_MS
        self._running = self._overflown = self._dry = False
        self._read = self._correction = self._calm = self._levels = 0
        # Samples in all, and the times of writes with what had been written before each
        self._written = 0
        self._writes: deque[tuple[float, int]] = deque(maxlen=1000)
        # The same of reads, with what had been taken after each
        self._taken = 0
        self._times: list[float] = []
        self._totals: list[int] = []
        self.underruns = self.overruns = 0

    def _samples(self, milliseconds: int) -> int:
        return self._rate * milliseconds // 1000

    @property
    def held_ms(self) -> float:
        """How much lies there, ms."""
        return len(self._held) * 500 / self._rate

    @property
    def seconds(self) -> float:
        """How much was read so far, s."""
        return self._read / self._rate

    def write(self, samples: bytes) -> None:
        """Add samples; for the one thread that writes."""
        before = self._written
        self._chunk = len(samples) // 2
        # One operation, which the other thread can't come between
        self._held += samples
        self._written += self._chunk
        self._writes.append((self._clock(), before))
        surplus = len(self._held) // 2 - self._samples(CAP_MS)
        if surplus > 0:
            del self._held[: 2 * surplus]
            self._written -= surplus
            self._overflown = True

    def read(self, count: int) -> bytes:
        """Take `count` samples, some of them silence when there are too few; for the thread that reads."""
        now = self._clock()
        level = len(self._held) // 2
        if not self._running or self._overflown:
            if level < count:
                return bytes(2 * count)
            self._running, self._overflown = True, False
            self._remove(level - count)
            self._forget()
        elif level < count:
            self._run_dry()
        elif level > max(count, self._chunk) + self._chunk + self._samples(SPARE_MS):
            self._drop(level - max(count, self._chunk))
        self._dry = level < count
        part = self._take(count)
        self._read += count
        self._times.append(now)
        self._totals.append(self._taken)
        self._levels += level
        if now - self._times[0] > _WINDOW_MS / 1000:
            self._balance(now, count)
        return part

    def _remove(self, count: int) -> bytes:
        part = bytes(self._held[: 2 * count])
        del self._held[: 2 * count]
        self._taken += len(part) // 2
        return part

    def _take(self, count: int) -> bytes:
        step = (self._correction > 0) - (self._correction < 0)
        if step and len(self._held) >= 2 * (count + step):
            self._correction -= step
            part = _fitted(array("h", self._remove(count + step)), count)
            self._forget()
            return part
        part = self._remove(count)
        return part + bytes(2 * count - len(part))

    def _balance(self, now: float, count: int) -> None:
        """Work out what there is too much or too little of."""
        self._calm += 1
        if self._calm % _CALM_WINDOWS == 0 and self._margin_ms > MARGIN_MS:
            self._margin_ms -= 1
        usual = max(count, (count + self._chunk) // 2)
        more = max(self._samples(ROOM_MS), min(count, self._chunk) + self._samples(_STEP_MS))
        room = usual + more - self._levels // len(self._times)
        missing = min(-self._spare(now, self._margin_ms), room)
        surplus = max(self._spare(now, self._margin_ms + EASE_MS), -room)
        self._forget()
        if missing > 0:
            self._correction = -missing
        elif surplus > self._samples(STALE_MS):
            self._drop(surplus)
        elif surplus > 0:
            self._correction = surplus

    def _spare(self, now: float, margin_ms: int) -> int:
        """How many samples could be missing, had every write come this much later; negative: are missing."""
        margin = margin_ms / 1000
        spare = None
        for at, before in tuple(self._writes):
            if not self._times[0] < at + margin <= now:
                continue
            taken_then = self._totals[bisect_left(self._times, at + margin) - 1]
            spare = before - taken_then if spare is None else min(spare, before - taken_then)
        return spare or 0

    def _forget(self) -> None:
        """Begin to look anew; what is left out or put in would spoil the count."""
        self._levels = 0
        self._writes.clear()
        self._times.clear()
        self._totals.clear()

    def _run_dry(self) -> None:
        # The silence that fills the gap is what was missing
        self._correction = self._calm = 0
        if self._dry:
            return
        self.underruns += self._counts()
        self._margin_ms = min(self._margin_ms + _MORE_MS, MOST_MARGIN_MS)

    def _drop(self, surplus: int) -> None:
        self.overruns += self._counts()
        self._correction = 0
        self._remove(surplus)
        self._forget()

    def _counts(self) -> bool:
        return self._read >= self._rate


def _fitted(samples: array[int], count: int) -> bytes:
    """The same sound in `count` samples, one more or less than there are."""
    step, last = len(samples) / count, len(samples) - 1
    out = array("h", bytes(2 * count))
    for n in range(count):
        at = n * step
        whole = int(at)
        here = samples[whole]
        out[n] = here + round((samples[min(whole + 1, last)] - here) * (at - whole))
    return out.tobytes()
