"""The buffer between two clocks: nothing lost, little delay, and no difference of clocks adds up."""

from __future__ import annotations

import math
import random
from array import array
from itertools import pairwise

import pytest

from app.model.sound import dbm0, rms
from app.sip.engine.audio.buffer import CAP_MS, EASE_MS, MARGIN_MS, MOST_MARGIN_MS, ClockBuffer

RATE = 8000
TICK = 160


def ramp(count: int, start: int = 0) -> bytes:
    return array("h", [1 + (start + n) % 30000 for n in range(count)]).tobytes()


def samples(data: bytes) -> list[int]:
    return array("h", data).tolist()


def sine_at(position: int) -> int:
    return round(8000 * math.sin(2 * math.pi * 500 * position / RATE))


def steps(heard: list[int]) -> list[int]:
    """How far each sample is from the one before, and that one from silence: 0 only within silence."""
    return [abs(a) + abs(b) for a, b in pairwise(heard)]


class Clocks:
    """A writer and a reader, each with its own pace; time is counted, not waited for.

    Args:
        faster: How much faster the writer's clock is, in parts of one.
        given, taken: Samples at a time.
        uneven: How late a write can be, s.

    Attributes:
        late_reads: How many reads still come late, all at once after the last of them.
    """

    def __init__(
        self, *, faster: float = 0.0, given: int = TICK, taken: int = 80, uneven: float = 0.0
    ) -> None:
        self.uneven = uneven
        self.late_reads = 0
        self.chance = random.Random(4)
        self.now = 0.0
        self.buffer = ClockBuffer(RATE, lambda: self.now)
        self.given, self.taken = given, taken
        self.write_every = given / RATE / (1 + faster)
        self.read_every = taken / RATE
        # Half a period apart, as the phase of two clocks is anything but zero
        self.next_write, self.next_read = 0.0, self.read_every / 2
        self.written = 0
        self.heard: list[int] = []
        self.most_ms = 0.0

    def run(self, seconds: float) -> None:
        end = self.next_read + seconds
        waiting = 0
        late = self.next_write + self.chance.random() * self.uneven
        while self.next_read < end:
            self.now = min(late, self.next_read)
            if self.now == late:
                part = array("h", [sine_at(n) for n in range(self.written, self.written + self.given)])
                self.buffer.write(part.tobytes())
                self.written += self.given
                self.next_write += self.write_every
                late = self.next_write + self.chance.random() * self.uneven
                self.most_ms = max(self.most_ms, self.buffer.held_ms)
                continue
            self.next_read += self.read_every
            waiting += 1
            if self.late_reads:
                self.late_reads -= 1
                continue
            for _ in range(waiting):
                self.heard += samples(self.buffer.read(self.taken))
            waiting = 0


def test_what_is_written_is_read_in_order_and_whole() -> None:
    clocks = Clocks()
    clocks.run(3)
    clocks.heard = []
    clocks.run(10)
    start = next(n for n in range(16) if sine_at(n) == clocks.heard[0] and sine_at(n + 1) == clocks.heard[1])
    assert clocks.heard == [sine_at(start + n) for n in range(len(clocks.heard))]
    assert (clocks.buffer.underruns, clocks.buffer.overruns) == (0, 0)


@pytest.mark.parametrize(
    ("given", "taken"), [(160, 80), (40, 160), (80, 160), (160, 160), (85, 160), (160, 441)]
)
def test_little_waits_in_it(given: int, taken: int) -> None:
    clocks = Clocks(given=given, taken=taken)
    clocks.run(5)
    clocks.most_ms = 0.0
    clocks.run(10)
    assert (clocks.buffer.underruns, clocks.buffer.overruns) == (0, 0)
    assert clocks.most_ms <= (given + taken) * 1000 / RATE + MARGIN_MS + EASE_MS + 3


@pytest.mark.parametrize("faster", [0.001, -0.001, 0.0003, -0.0003])
@pytest.mark.parametrize(("given", "taken"), [(160, 80), (40, 160)])
def test_a_difference_of_clocks_adds_no_delay_and_is_not_heard(faster: float, given: int, taken: int) -> None:
    clocks = Clocks(faster=faster, given=given, taken=taken)
    clocks.run(2)
    clocks.most_ms, clocks.heard = 0.0, []
    clocks.run(40)
    assert (clocks.buffer.underruns, clocks.buffer.overruns) == (0, 0)
    assert clocks.most_ms <= (given + max(given, taken)) * 1000 / RATE + MARGIN_MS + 4
    steepest = 8000 * 2 * math.pi * 500 / RATE
    assert max(abs(b - a) for a, b in pairwise(clocks.heard)) < 1.1 * steepest
    assert dbm0(rms(clocks.heard)) == pytest.approx(dbm0(8000 / math.sqrt(2)), abs=0.1)


def test_one_that_runs_empty_is_silent_once_and_goes_on() -> None:
    clocks = Clocks()
    clocks.run(2)
    clocks.next_write += 0.05
    clocks.heard = []
    clocks.run(1)
    assert clocks.buffer.underruns == 1
    assert steps(clocks.heard).count(0) in range(300, 500)
    assert 0 not in steps(clocks.heard[4000:])


def test_after_uneven_writes_it_keeps_more_and_later_less_again() -> None:
    clocks = Clocks(uneven=0.008)
    clocks.run(30)
    clocks.buffer.underruns, clocks.most_ms = 0, 0.0
    clocks.run(30)
    assert (clocks.buffer.underruns, clocks.buffer.overruns) == (0, 0)
    assert clocks.most_ms <= 30 + 8 + MOST_MARGIN_MS + EASE_MS + 3
    clocks.uneven = 0.0
    clocks.run(150)
    clocks.most_ms = 0.0
    clocks.run(5)
    assert clocks.most_ms <= 30 + MARGIN_MS + EASE_MS + 3


def test_a_reader_that_comes_late_gets_all_of_it() -> None:
    clocks = Clocks()
    clocks.run(2)
    clocks.next_read += 0.02
    heard = len(clocks.heard)
    clocks.run(0)
    for _ in range(2):
        clocks.next_read -= 0.01
        clocks.run(0)
    clocks.run(1)
    assert clocks.buffer.overruns == 0
    assert 0 not in [
        abs(a) + abs(b) for a, b in zip(clocks.heard[heard:], clocks.heard[heard + 1 :], strict=False)
    ]


def test_of_too_much_the_oldest_is_dropped() -> None:
    clocks = Clocks()
    clocks.run(2)
    clocks.buffer.write(ramp(RATE // 10))
    clocks.run(1)
    assert clocks.buffer.overruns == 1
    clocks.most_ms = 0.0
    clocks.run(1)
    assert clocks.most_ms <= 40 + MARGIN_MS + 2


def test_when_nobody_reads_it_does_not_grow() -> None:
    buffer = ClockBuffer(RATE)
    for n in range(1000):
        buffer.write(ramp(TICK, n * TICK))
    assert buffer.held_ms <= CAP_MS


def test_the_first_second_does_not_count() -> None:
    clocks = Clocks()
    clocks.run(0.5)
    clocks.next_write += 0.1
    clocks.run(1)
    assert clocks.buffer.underruns == 0
