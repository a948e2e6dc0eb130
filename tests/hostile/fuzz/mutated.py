"""Plays mutated messages through the gate and says how many there were.

    python -m tests.hostile.fuzz.mutated [COUNT] [--seconds SECONDS] [--seed SEED]

The messages are the hostile ones of this folder and the torture messages, each time with other mutations. The
same seed gives the same messages. The exit code is 1 when a check has failed; the message is then printed.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import os
import random
import sys
import time
import traceback
from collections.abc import Iterator
from typing import NamedTuple

from tests.hostile.fuzz.targets import TARGETS
from tests.hostile.mutations import mutate, with_length

COUNT = 1_000_000
PORTION = 250
"""Messages that a process takes at a time."""
MOST_SHOWN = 3


class Played(NamedTuple):
    """What came of a portion.

    Attributes:
        count: Messages played.
        failures: Traceback and message of each that failed a check.
    """

    count: int
    failures: tuple[str, ...]


def play(portion: tuple[int, int, int]) -> Played:
    """Play the messages of one portion: seed, number of the portion, and how many messages."""
    seed, number, count = portion
    rng = random.Random(f"{seed} {number}")
    seeds = _seeds()
    failures: list[str] = []
    for _ in range(count):
        raw = mutate(rng.choice(seeds), rng)
        if rng.random() < 0.5:
            raw = with_length(raw)
        for name in ("gate", "sdp", "streams"):
            given = raw.partition(b"\r\n\r\n")[2] if name == "sdp" else raw
            try:
                TARGETS[name].check(given)
            except Exception:  # noqa: BLE001 - any exception is what is looked for
                failures.append(f"{name}: {given!r}\n{traceback.format_exc()}")
    return Played(count, tuple(failures[:MOST_SHOWN]))


_kept: list[bytes] = []


def _seeds() -> list[bytes]:
    if not _kept:
        _kept.extend(TARGETS["gate"].seeds())
    return _kept


def portions(seed: int, count: int) -> Iterator[tuple[int, int, int]]:
    """All portions of a run."""
    for number, start in enumerate(range(0, count, PORTION)):
        yield seed, number, min(PORTION, count - start)


def run(count: int, seconds: float, seed: int) -> int:
    """Play at most so many messages for at most so long, on all cores; the exit code. Prints a line."""
    begin = time.monotonic()
    cores = os.cpu_count() or 1
    todo = portions(seed, count)
    played: list[Played] = []
    failures: tuple[str, ...] = ()
    with multiprocessing.get_context("spawn").Pool(cores) as pool:
        # A few at a time: a pool takes all that it is given at once
        while some := list(itertools.islice(todo, 2 * cores)):
            played += pool.imap_unordered(play, some)
            failures = tuple(failure for one in played for failure in one.failures)
            if failures or time.monotonic() - begin > seconds:
                break
    took = time.monotonic() - begin
    for failure in failures[:MOST_SHOWN]:
        sys.stdout.write(f"{failure}\n")
    sys.stdout.write(
        f"{sum(one.count for one in played):,} mutated messages through the gate in {took:.0f} s: "
        f"{len(failures) or 'no'} exceptions (seed {seed})\n"
    )
    return 1 if failures else 0


def main() -> int:
    """Run with the arguments of the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.fuzz.mutated")
    parser.add_argument("count", type=int, nargs="?", default=COUNT, help=f"messages, {COUNT:,} by default")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after this time")
    parser.add_argument("--seed", type=int, default=0, help="for other messages, 0 by default")
    options = parser.parse_args()
    return run(options.count, options.seconds, options.seed)


if __name__ == "__main__":
    sys.exit(main())
