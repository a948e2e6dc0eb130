"""The SQLite file with the calls that were made: opened, moved to the newest version, set aside.

Not in the file with the trunks: that one is checked and copied at each start, which takes as long as it is
large, and damage here costs no trunk.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from app.errors import StoreError
from app.paths import Paths, open_private
from app.store.database import BUSY_MS, DamagedStoreError, pragma, told, transaction, use_journal

APPLICATION_ID = 0x52696E48
"""`PRAGMA application_id` of our files, "RinH"."""


def _version_1(connection: sqlite3.Connection) -> None:
    # A list reads `calls` only, which stays small; what one call has besides is in `details`. The order of
    # the ids is that of the calls: each is entered when it begins, and a search that goes through all of them
    # is thrice as quick as by an index of their times.
    connection.execute(
        "CREATE TABLE calls ("
        " id INTEGER PRIMARY KEY AUTOINCREMENT,"
        " run TEXT NOT NULL,"
        " trunk_id TEXT NOT NULL,"
        " trunk TEXT NOT NULL,"
        " direction TEXT NOT NULL,"
        " number TEXT NOT NULL,"
        " dialled TEXT NOT NULL,"
        " begun_at REAL NOT NULL,"
        " answered_at REAL,"
        " result TEXT NOT NULL,"
        " sip_code INTEGER NOT NULL,"
        " reason TEXT NOT NULL,"
        " hung_up_by TEXT NOT NULL,"
        " setup_ms REAL,"
        " duration_s REAL NOT NULL,"
        " mos REAL,"
        " verdict TEXT,"
        " headline TEXT NOT NULL,"
        " found_by TEXT NOT NULL)"
    )
    connection.execute("CREATE INDEX calls_by_time ON calls (begun_at)")
    connection.execute("CREATE INDEX calls_of_trunk ON calls (trunk_id)")
    connection.execute("CREATE INDEX calls_running ON calls (run) WHERE result = ''")
    connection.execute(
        "CREATE TABLE details ("
        " call_id INTEGER PRIMARY KEY REFERENCES calls (id) ON DELETE CASCADE,"
        " recording TEXT NOT NULL,"
        " sip_call_id TEXT NOT NULL,"
        " left_out INTEGER NOT NULL,"
        " plan TEXT NOT NULL,"
        " outcome TEXT NOT NULL,"
        " findings TEXT NOT NULL,"
        " messages TEXT NOT NULL)"
    )


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_version_1,)
"""The first leads from an empty file to version 1, and so on."""


class DamagedHistoryError(StoreError):
    """The history can't be read; `set_history_aside` lets a new one begin."""


def set_history_aside(paths: Paths) -> Path:
    """Renames a damaged history, so that a new one can begin; nothing is deleted.

    Returns:
        Where it is now.

    Raises:
        StoreError: It can't be renamed, as on Windows while another Ringback has it open.
    """
    file = paths.history
    aside = paths.data / f"history-damaged-{time.strftime('%Y%m%d-%H%M%S')}.db"
    with told(paths, file):
        for end in ("-wal", "-shm", ""):
            with contextlib.suppress(FileNotFoundError):
                os.replace(f"{file}{end}", f"{aside}{end}")
    return aside


def open_history(paths: Paths) -> sqlite3.Connection:
    """Opens the history of a data folder, or begins one.

    Raises:
        DamagedHistoryError: It can't be made sense of; it was left as it is.
        StoreError: It can't be read or written, or is of a newer Ringback; nothing was changed.
    """
    file = paths.history
    with history_told(paths):
        if not file.exists():
            # SQLite would make it readable for all; its journals take over the permissions of the file
            with open(file, "ab", opener=open_private):
                pass
        connection = sqlite3.connect(file, timeout=BUSY_MS / 1000, isolation_level=None)
        try:
            _check(connection, file)
            _set_up(connection, paths)
        except BaseException:
            connection.close()
            raise
    return connection


@contextlib.contextmanager
def history_told(paths: Paths) -> Iterator[None]:
    """As `told`, of the history.

    Raises:
        DamagedHistoryError: It makes no sense.
        StoreError: What else went wrong.
    """
    try:
        with told(paths, paths.history):
            yield
    except DamagedStoreError as error:
        raise DamagedHistoryError(
            f"The file with the history of calls is damaged: {paths.history}.",
            do="It can be moved elsewhere; Ringback then begins a new one.",
            details=error.details,
        ) from error


def _check(connection: sqlite3.Connection, file: Path) -> None:
    version = pragma(connection, "user_version")
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if pragma(connection, "application_id") != APPLICATION_ID and (version or tables):
        raise StoreError(f"The file {file} belongs to another program.", do="Move it elsewhere.")
    if version > len(MIGRATIONS):
        raise StoreError(
            f"The history in {file} was saved by a newer Ringback.",
            do="Start that newer version.",
            details=f"version {version}; this Ringback knows versions up to {len(MIGRATIONS)}",
        )


def _set_up(connection: sqlite3.Connection, paths: Paths) -> None:
    # Only has an effect while the file is empty: room that deleted calls leave can be given back
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    use_journal(connection)
    # A kill loses nothing; the power may cost the last calls, and in return no call waits for the disk
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    # Who deletes a number wants it gone from the disk
    connection.execute("PRAGMA secure_delete = ON")
    while (version := pragma(connection, "user_version")) < len(MIGRATIONS):
        with transaction(connection, paths, paths.history):
            # Another Ringback may have taken this step between our look and our lock
            if pragma(connection, "user_version") == version:
                MIGRATIONS[version](connection)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {version + 1}")
