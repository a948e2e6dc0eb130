"""Damaged databases: how many are opened, and how long that takes at most."""

from __future__ import annotations

import logging
import os
import sys

from bench.figure import Figure
from tests.helpers.damage_trials import LIMIT_S, Trials, quick_folder

FILES = 3000


def measure() -> list[Figure]:
    """Opens damaged databases; `RINGBACK_DAMAGED` is another number of them."""
    count = int(os.environ.get("RINGBACK_DAMAGED", FILES))
    logging.getLogger("app").setLevel(logging.CRITICAL)  # each repair is worth a line
    with quick_folder() as folder:
        report = Trials(folder).run(range(10_000, 10_000 + count))
    for failure in report.failures:
        sys.stderr.write(f"{failure}\n")
    refused = ", ".join(f"{number} {words}" for words, number in report.refused.items()) or "none"
    return [
        Figure(
            name="damaged databases that end in an error without words",
            value=len(report.failures),
            unit="files",
            budget=0,
            note=f"{report.count} files; {report.opened} opened, refused in words: {refused}",
        ),
        Figure(
            name="one of them opened, changed and opened again",
            value=report.slowest_s,
            unit="s",
            budget=LIMIT_S,
            note=f"the slowest: {report.slowest}",
        ),
    ]
