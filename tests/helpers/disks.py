"""A small disk of its own, to be filled up or made read-only for real (Linux, as root)."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class Disk:
    """A mounted file system."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self) -> None:
        """Take all the room that is left."""
        with open(self.folder / "filler", "ab", buffering=0) as file:
            for size in (65536, 4096, 512, 1):
                try:
                    while file.write(b"x" * size) == size:
                        pass
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise

    def make_room(self) -> None:
        """Give back what `fill` took."""
        (self.folder / "filler").unlink()

    def make_read_only(self) -> None:
        """No write from now on; files that are open for writing must be closed."""
        _mount("-o", "remount,ro", str(self.folder))

    def make_writable(self) -> None:
        """Undo `make_read_only`."""
        _mount("-o", "remount,rw", str(self.folder))


@contextmanager
def small_disk(tmp_path: Path, *, kilobytes: int = 1024) -> Iterator[Disk]:
    """A new, empty disk; skips the test where none can be mounted."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root on Linux")
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        _mount("-t", "tmpfs", "-o", f"size={kilobytes}k", "ringback-test", str(folder))
    except subprocess.CalledProcessError as error:
        pytest.skip(f"this machine does not let root mount: {error.stderr.strip()}")
    try:
        yield Disk(folder)
    finally:
        # Lazily, so that a file left open by a failing test does not keep the mount for ever
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True, capture_output=True, text=True)
