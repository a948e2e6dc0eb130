"""The files that a database is made of, looked at from outside."""

from __future__ import annotations

import os
import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path

MAGIC = b"SQLite format 3\0"
"""What a database begins with."""

Stamp = tuple[tuple[int, int, int], ...]


class OpenHere:
    """Which files this process has open by SQLite.

    To open such a file once more in another way and close it again would take SQLite's locks away
    (https://sqlite.org/howtocorrupt.html, section 2.2).
    """

    def __init__(self) -> None:
        self._counts = Counter[Path]()
        self._lock = threading.Lock()

    def add(self, file: Path) -> None:
        """It is open once more."""
        with self._lock:
            self._counts[file] += 1

    def drop(self, file: Path) -> None:
        """It is open once less."""
        with self._lock:
            self._counts[file] -= 1

    def __contains__(self, file: Path) -> bool:
        with self._lock:
            return self._counts[file] > 0


OPEN_HERE = OpenHere()


def stamp(file: Path) -> Stamp:
    """What changes when somebody writes to a database."""
    found = []
    for part in (file, journal_of(file)):
        with suppress(OSError):
            state = part.stat()
            found.append((state.st_ino, state.st_size, state.st_mtime_ns))
    return tuple(found)


def identity(file: Path) -> int:
    """What is another number once there is another file in the place of this one; 0 for none."""
    with suppress(OSError):
        return file.stat().st_ino
    return 0


def journal_of(file: Path) -> Path:
    """The write-ahead journal of a database."""
    return file.with_name(f"{file.name}-wal")


def has_journal(file: Path) -> bool:
    """Whether there is anything in the write-ahead journal of a database, as a kill leaves it."""
    with suppress(OSError):
        return journal_of(file).stat().st_size > 0
    return False


def repaired_of(file: Path) -> Path:
    """A new file, whole, that is to come in the place of a damaged one."""
    return file.with_name(f"{file.name}.repaired")


def unfinished_of(file: Path) -> Path:
    """The same while it is written."""
    return file.with_name(f"{file.name}.unfinished")


def is_half_repaired(file: Path) -> bool:
    """Whether a repair was cut off, or is going on."""
    return any(map(os.path.lexists, (repaired_of(file), unfinished_of(file))))
