"""Programs that some tests need and that not every machine has."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

_ADMIN_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")


def in_ci() -> bool:
    """Whether a build machine runs the tests; `CI=false` and `CI=0` mean no."""
    return os.environ.get("CI", "").lower() not in {"", "0", "false", "no"}


def find_program(name: str) -> Path | None:
    """The program's path, looked for in PATH and where servers live, which an ordinary PATH leaves out."""
    folders = os.pathsep.join([os.environ.get("PATH", ""), *_ADMIN_FOLDERS])
    found = shutil.which(name, path=folders)
    return Path(found) if found else None


def need(*names: str) -> tuple[Path, ...]:
    """The paths of these programs; skips the test when one is missing, or fails it on a build machine."""
    paths = [find_program(name) for name in names]
    missing = [name for name, path in zip(names, paths, strict=True) if path is None]
    if missing:
        unavailable(f"not installed here: {', '.join(missing)} (scripts/test-packages.sh installs them)")
    return tuple(path for path in paths if path is not None)


def unavailable(reason: str) -> NoReturn:
    """Skip this test with the reason, or fail it on a build machine, where everything must be there."""
    if in_ci():
        pytest.fail(f"In CI this must not be skipped: {reason}", pytrace=False)
    pytest.skip(reason)
