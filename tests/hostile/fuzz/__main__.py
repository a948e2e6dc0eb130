"""Fuzzes every target, the same time each: guided by coverage where atheris is installed, else by mutation.

    python -m tests.hostile.fuzz [SECONDS]

The exit code is 1 when something was found; the input that shows it is kept in build/fuzz.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

from tests.hostile.fuzz import mutated
from tests.hostile.fuzz.targets import TARGETS

SECONDS = 60
MOST_SEEDS = 600
"""Of a target: running each of them once takes its time."""
FOLDER = Path("build") / "fuzz"


def main() -> int:
    """Run with the arguments of the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.fuzz")
    parser.add_argument("seconds", type=int, nargs="?", default=SECONDS, help=f"{SECONDS} by default")
    seconds = parser.parse_args().seconds
    if importlib.util.find_spec("atheris") is None:
        sys.stdout.write("Without atheris, messages are mutated blindly.\n")
        return mutated.run(sys.maxsize, seconds, seed=seconds)
    found = [name for name in TARGETS if not guided(name, max(1, seconds // len(TARGETS)))]
    if found:
        sys.stdout.write(f"Found in {', '.join(found)}: see {FOLDER}\n")
    return 1 if found else 0


def guided(name: str, seconds: int) -> bool:
    """Fuzz one target; False when something was found."""
    folder = FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    seeds = list(TARGETS[name].seeds())
    for at, seed in enumerate(seeds[:: max(1, len(seeds) // MOST_SEEDS)]):
        (folder / f"seed-{at:05}").write_bytes(seed)
    command = [sys.executable, "-m", "tests.hostile.fuzz.guided", name, str(seconds), str(folder)]
    outcome = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    said = outcome.stdout.decode("utf-8", "replace")
    runs = re.search(r"number_of_executed_units: *(\d+)", said)
    sys.stdout.write(f"{name}: {int(runs[1]) if runs else 0:,} inputs in {seconds} s\n")
    if outcome.returncode:
        sys.stdout.write(said[-6000:])
    return outcome.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
