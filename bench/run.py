"""Takes every measurement of this folder, or those named, and prints one table.

A measurement is a module `bench/measure_<name>.py` with a function `measure() -> list[Figure]`. Each runs in
a process of its own, so that none finds modules loaded and memory used by another. The exit code is 1 when a
figure is over its budget and 2 when a measurement failed.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from bench.figure import Figure, table

FOLDER = Path(__file__).parent
PREFIX = "measure_"


def names() -> list[str]:
    """The measurements there are."""
    return sorted(path.stem.removeprefix(PREFIX) for path in FOLDER.glob(f"{PREFIX}*.py"))


def take(name: str) -> list[Figure] | None:
    """The figures of one measurement, taken in a fresh process; None when it failed."""
    command = [sys.executable, "-m", "bench.run", "--only-here", name]
    # A person's second start has its byte code at hand, and so has every engine after the first
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    outcome = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, cwd=FOLDER.parent, env=environment, check=False
    )
    if outcome.returncode:
        sys.stderr.write(f"{name}: failed with exit code {outcome.returncode}\n")
        return None
    # The last line: the measured code may print
    return [Figure(**figure) for figure in json.loads(outcome.stdout.splitlines()[-1])]


def main() -> int:
    """Run the measurements that the arguments name."""
    parser = argparse.ArgumentParser(prog="python -m bench.run", description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", choices=[*names(), []], help="all when none is named")
    parser.add_argument("--json", action="store_true", help="print JSON in place of the table")
    parser.add_argument("--only-here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only_here:
        (name,) = options.names
        figures = importlib.import_module(f"bench.{PREFIX}{name}").measure()
        sys.stdout.write(json.dumps([asdict(figure) for figure in figures]) + "\n")
        return 0
    taken = [take(name) for name in options.names or names()]
    figures = [figure for group in taken if group is not None for figure in group]
    as_json = json.dumps([asdict(figure) for figure in figures], indent=2)
    sys.stdout.write((as_json if options.json else table(figures)) + "\n")
    if None in taken:
        return 2
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
