"""What a database of ours is made of: tables, versions, the steps between them, and how they are checked."""

from __future__ import annotations

import functools
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from app.errors import StoreError
from app.store.words import DamagedStoreError, result_code

BUSY_MS = 2000
"""How long to wait for another Ringback that is writing, ms. Our writes take a few ms."""

LIMIT_S = 30.0
"""How long one piece of work on a database may take, s; the longest search takes a tenth of that."""

MOST_BYTES = 16 * 1024 * 1024
"""Of one value or row. A trunk has a few hundred, the SIP messages of a call less than a million."""

_LARGEST = 1_000_000_000
"""Of a value, bytes; SQLite's own limit."""

_STEPS = 200_000
"""Of SQLite's machine between two looks at the clock: some ms."""

_NEWER = 10_000
"""A version number further ahead than this is no newer Ringback's: it is damaged."""

LAST_ID = 1 << 53
"""No row that gets its number by counting gets a higher one."""

UNREADABLE = (sqlite3.Error, MemoryError, UnicodeDecodeError)
"""What reading a damaged database raises. The last one comes from Python's own module, for a message of
SQLite's with a damaged name in it."""

Migration = Callable[[sqlite3.Connection], None]
Row = tuple[Any, ...]


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table whose rows are worth saving from a damaged file.

    Attributes:
        name: Its name.
        columns: Its columns.
        spare: Those whose values can be made from others; None in a row that can't be read with them.
        key: The column that says which row it is.
        readable: Whether a row, its values in the order of `columns`, can be used.
    """

    name: str
    columns: tuple[str, ...]
    spare: tuple[str, ...] = ()
    key: str
    readable: Callable[[Row], bool]

    def key_of(self, row: Row) -> object:
        """What tells the row from others."""
        return row[self.columns.index(self.key)]


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One of the databases that Ringback keeps.

    Attributes:
        what: What is in it, as in "The file with {what}".
        noun: What a row of its first table is, in the singular.
        rest: What is in its other tables.
        application_id: `PRAGMA application_id`; tells our files from other programs' databases.
        migrations: The first leads from an empty file to version 1, the next to version 2, and so on.
        tables: What to save from a damaged file, the most important one first.
        fit: Makes rows of the first table fit together that come from several files.
        auto_vacuum: Whether room that deleted rows leave can be given back.
        pragmas: What holds for each connection.
        check_all: Whether the whole file is checked at each start.
    """

    what: str
    noun: str
    rest: str
    application_id: int
    migrations: tuple[Migration, ...]
    tables: tuple[Table, ...]
    fit: Callable[[Sequence[Row]], list[Row]] = list
    auto_vacuum: bool = False
    pragmas: tuple[str, ...] = ()
    check_all: bool = True

    @property
    def latest(self) -> int:
        """The newest version."""
        return len(self.migrations)


def text_of(data: bytes) -> str:
    """Text as it is in the file. What is not UTF-8 becomes surrogates, which no text of ours has."""
    return data.decode("utf-8", "surrogateescape")


def is_text(value: object) -> bool:
    """Whether a value from a file is text, all of it."""
    if not isinstance(value, str):
        return False
    with suppress(UnicodeEncodeError):
        value.encode()
        return True
    return False


def connect(where: str) -> sqlite3.Connection:
    """A connection that reads whatever is in a text column, and gives up after `LIMIT_S`.

    Raises:
        sqlite3.Error: It can't be opened.
    """
    connection = sqlite3.connect(where, timeout=BUSY_MS / 1000, isolation_level=None)
    connection.text_factory = text_of
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_BYTES)
    connection.execute("PRAGMA trusted_schema = OFF")
    limit_time(connection)
    return connection


def limit_time(connection: sqlite3.Connection, seconds: float = LIMIT_S) -> None:
    """Lets what is done on a connection from now on take this long."""
    until = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > until, _STEPS)


@contextmanager
def any_size(connection: sqlite3.Connection) -> Iterator[None]:
    """Lets a connection handle rows that are too large to be ours, to find or to delete them."""
    before = connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LARGEST)
    try:
        yield
    finally:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, before)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing; what was done is on the disk when it ends.

    Raises:
        sqlite3.Error: SQLite could not do it; nothing was changed.
    """
    # IMMEDIATE: waits for another writer here, not in the middle, where SQLite could only give up
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # With a full disk SQLite has rolled back already
        if connection.in_transaction:
            with suppress(sqlite3.Error):  # the error that led here is the one to report
                connection.execute("ROLLBACK")
        raise


def pragma(connection: sqlite3.Connection, name: str) -> int:
    """The value of a PRAGMA that is a number."""
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def check(connection: sqlite3.Connection, kind: Kind, file: Path) -> None:
    """Reads only, so that a file that is refused is left as it is.

    Raises:
        StoreError: It is another program's, or a newer Ringback's.
        DamagedStoreError: It is ours and makes no sense.
        sqlite3.Error: It can't be read.
    """
    try:
        version = pragma(connection, "user_version")
        application = pragma(connection, "application_id")
        found = set(connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall())
    except sqlite3.DatabaseError as error:
        if result_code(error) not in {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_TOOBIG}:
            raise
        raise DamagedStoreError(file, str(error)) from error  # such as "unsupported file format"
    if not found and not version and not application:
        return
    ours = {table.name for table in kind.tables} <= {name for _, name, _ in found}
    if application != kind.application_id and not ours:
        raise StoreError(
            f"The file {file} belongs to another program.",
            do="Move it elsewhere, or choose another folder with --data-dir.",
        )
    if kind.latest < version < kind.latest + _NEWER:
        raise StoreError(
            f"The file {file} was saved by a newer Ringback.",
            do="Start that newer version, or choose another folder with --data-dir. Nothing was changed.",
            details=f"version {version}; this Ringback knows versions up to {kind.latest}",
        )
    if application != kind.application_id or not 0 < version <= kind.latest:
        raise DamagedStoreError(file, f"application {application:#x}, version {version}")
    missing = _objects(kind, version) - found
    odd = {(what, name) for what, name, _ in found if what in {"trigger", "view"}}
    if missing or odd:
        names = sorted(f"{what} {name}" for what, name, *_ in missing | odd)
        raise DamagedStoreError(file, f"not as Ringback makes them: {', '.join(names)}")
    if ("table", "sqlite_sequence") in {row[:2] for row in found}:
        # With the highest id that there is in use, SQLite gives no other one
        for where in ("seq) FROM sqlite_sequence", f"rowid) FROM {kind.tables[0].name}"):
            (highest,) = connection.execute(f"SELECT max({where}").fetchone()
            if highest is not None and not (isinstance(highest, int) and 0 <= highest < LAST_ID):
                raise DamagedStoreError(file, f"the last id is {highest!r:.60}")
    if kind.check_all:
        # A few ms for what we keep; finds pages that are torn or swapped, and indexes that do not fit
        with any_size(connection):
            wrong = connection.execute("PRAGMA integrity_check(5)").fetchall()
        if wrong != [("ok",)]:
            raise DamagedStoreError(file, "\n".join(str(row[0]) for row in wrong))


@functools.cache
def _objects(kind: Kind, version: int) -> frozenset[Row]:
    """What `sqlite_master` has in a file of this version."""
    with closing(connect(":memory:")) as made:
        begin(made, kind)
        migrate(made, kind, version)
        return frozenset(made.execute("SELECT type, name, sql FROM sqlite_master"))


def begin(connection: sqlite3.Connection, kind: Kind) -> None:
    """What has an effect on a file only while it is empty."""
    if kind.auto_vacuum:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")


def migrate(connection: sqlite3.Connection, kind: Kind, latest: int = -1) -> None:
    """Takes the steps that a file has not taken yet, each whole or not at all.

    Args:
        connection: To a file that was checked.
        kind: What it is.
        latest: The version to stop at; the newest when negative.

    Raises:
        sqlite3.Error: A step can't be taken.
    """
    latest = kind.latest if latest < 0 else latest
    while (version := pragma(connection, "user_version")) < latest:
        with transaction(connection):
            # Another Ringback may have taken this step between our look and our lock
            if pragma(connection, "user_version") == version:
                kind.migrations[version](connection)
                connection.execute(f"PRAGMA application_id = {kind.application_id}")
                connection.execute(f"PRAGMA user_version = {version + 1}")
