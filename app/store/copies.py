"""Copies of the database of trunks, to go back to: one of each sound state that a start finds."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from app.instance import FileUse
from app.paths import Paths, make_private, open_private
from app.store.files import journal_of
from app.store.scan import scan
from app.store.schema import BUSY_MS, Kind, connect

LAST_GOOD = "ringback-last-good.db"
"""The state of the newest start that could read all of it."""
LAST_STATE = "ringback-last-state.db"
"""A newer one in which something can't be read; `LAST_GOOD` may have that."""

_SCAN_S = 2.0
_UNFINISHED = "unfinished"


def good_copies(paths: Paths) -> tuple[Path, ...]:
    """All copies, the newest first."""
    try:
        files = [path for path in paths.copies.glob("ringback-*.db") if path.is_file()]
        found = [(path.stat().st_mtime, path) for path in files if path.stat().st_size]
    except OSError:
        return ()
    return tuple(path for _, path in sorted(found, reverse=True))


def keep_copy(connection: sqlite3.Connection, kind: Kind, paths: Paths) -> None:
    """Keeps the state that was just opened, when something was saved since the last one was kept.

    A full disk must not keep anyone from their trunks.
    """
    with suppress(OSError, sqlite3.Error), _copying(paths) as alone:
        newest = max((path.stat().st_mtime for path in _last(paths)), default=0.0)
        if not alone or newest >= _saved_at(paths.database):
            return
        name = LAST_GOOD if _all_readable(connection, kind) else LAST_STATE
        _copy(connection, paths, name)
        if name == LAST_GOOD:
            (paths.copies / LAST_STATE).unlink(missing_ok=True)


def copy_before(connection: sqlite3.Connection, paths: Paths, version: int) -> None:
    """Keeps the state of an older version, before it is moved on.

    Raises:
        OSError, sqlite3.Error: It can't be kept.
    """
    # On a disk that knows no locks it is made all the same: nobody takes it away there
    with _copying(paths, wait_s=BUSY_MS / 1000):
        _copy(connection, paths, f"ringback-v{version}.db")


@contextmanager
def _copying(paths: Paths, wait_s: float = 0.0) -> Iterator[bool]:
    """While copies are made: yields whether nobody else makes one.

    What a killed Ringback has left half done is taken away then.
    """
    use = FileUse(paths.data / "copies.lock")
    try:
        alone = use.take_alone(wait_s)
        if alone:
            for left in paths.copies.glob(f"*.{_UNFINISHED}*"):
                left.unlink(missing_ok=True)
        yield alone
    finally:
        use.release()


def _last(paths: Paths) -> list[Path]:
    both = (paths.copies / LAST_GOOD, paths.copies / LAST_STATE)
    return [path for path in both if path.exists()]


def _saved_at(file: Path) -> float:
    """When something was saved last; an empty journal is no sign of that."""
    files = (file, journal_of(file))
    return max(part.stat().st_mtime for part in files if part.exists() and part.stat().st_size)


def _all_readable(connection: sqlite3.Connection, kind: Kind) -> bool:
    scans = [(table, scan(connection, table, time.monotonic() + _SCAN_S)) for table in kind.tables]
    return all(
        result.complete and all(row is not None and table.readable(row) for row in result.rows.values())
        for table, result in scans
    )


def _copy(connection: sqlite3.Connection, paths: Paths, name: str) -> None:
    make_private(paths.copies)
    unfinished = paths.copies / f"{name}.{os.getpid()}.{_UNFINISHED}"
    try:
        with open(unfinished, "wb", opener=open_private):
            pass
        with closing(connect(str(unfinished))) as copy:
            connection.backup(copy)
        os.replace(unfinished, paths.copies / name)
    finally:
        unfinished.unlink(missing_ok=True)
