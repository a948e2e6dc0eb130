"""Fuzzes one target guided by coverage, with atheris; `python -m tests.hostile.fuzz` starts it.

    python -m tests.hostile.fuzz.guided TARGET SECONDS FOLDER

FOLDER holds the inputs to begin with; new ones that reach more code are added, and one that fails is left in
it as `crash-…`.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["app.sip", "app.redact", "app.model.signalling"]):
    from tests.hostile.fuzz.targets import TARGETS

LONGEST_INPUT = 16_384


def main() -> None:
    """Fuzz; atheris ends the process."""
    name, seconds, folder = sys.argv[1:]
    arguments = [
        sys.argv[0],
        f"-max_total_time={seconds}",
        f"-max_len={LONGEST_INPUT}",
        f"-artifact_prefix={folder}/",
        "-timeout=10",
        "-rss_limit_mb=2048",
        "-verbosity=0",
        "-print_final_stats=1",
        folder,
    ]
    atheris.Setup(arguments, TARGETS[name].check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
