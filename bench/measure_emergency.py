"""What the dial guard costs, and how many valid numbers it refuses by mistake; it prints each of them."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from bench.figure import Figure

NUMBERS = 300_000
SEED = 9


def measure() -> list[Figure]:
    """The first question, which reads all tables, then those about valid numbers."""
    return [*_first_question(), *_valid_numbers()]


def _first_question() -> list[Figure]:
    # What an engine has loaded before its first call
    import app.sip.messages  # noqa: F401  # only loaded

    memory = _resident_mb()
    started = time.perf_counter()
    from app.sip.emergency import guard_behind
    from app.system_country import system_countries

    guard_behind("442079460018", "GB", (), system_countries())
    figures = [
        Figure(
            name="the dial guard's first question",
            value=(time.perf_counter() - started) * 1000,
            unit="ms",
            budget=150,
            note="imports and tables included",
        )
    ]
    if memory is None:
        return figures
    return [
        *figures,
        Figure(
            name="memory that it takes",
            value=(_resident_mb() or 0) - memory,
            unit="MB",
            budget=5,
            note="in an engine from its first call on",
        ),
    ]


def _valid_numbers() -> list[Figure]:
    from app.sip.emergency import find
    from app.sip.emergency_table import crisis_lines
    from tests.helpers.number_plans import valid_numbers

    numbers = [number for number in valid_numbers(NUMBERS, SEED) if number.e164[1:] not in crisis_lines()]
    asked = {
        "as international numbers": [(number.e164, number.region) for number in numbers],
        "as dialled in their country": [(number.as_dialled, number.region) for number in numbers],
    }
    figures = []
    started = time.perf_counter()
    for name, questions in asked.items():
        refused = [
            (*question, found.entry) for question in questions if (found := find(*question)) is not None
        ]
        sys.stdout.write(f"{name}: {refused}\n")
        figures.append(
            Figure(
                name=f"valid numbers that it refuses, {name}",
                value=100 * len(refused) / len(questions),
                unit="%",
                budget=0.01,
                note=f"{len(refused)} of {len(questions):,} of all countries",
            )
        )
    spent = time.perf_counter() - started
    return [
        *figures,
        Figure(
            name="a number through the dial guard",
            value=spent * 1000 / sum(map(len, asked.values())),
            unit="ms",
            budget=1,
            note="mean",
        ),
    ]


def _resident_mb() -> float | None:
    if not sys.platform.startswith("linux"):
        return None
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS"))
