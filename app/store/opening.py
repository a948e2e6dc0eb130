"""Opens a database whatever state it is in: as it is, repaired, or in memory where nothing can be written."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import StoreError
from app.instance import FileUse
from app.paths import Paths, open_private
from app.store.copies import copy_before, good_copies, keep_copy
from app.store.database import Database
from app.store.files import OPEN_HERE, has_journal, identity, is_half_repaired
from app.store.schema import BUSY_MS, Kind, begin, check, connect, migrate, pragma
from app.store.words import (
    DamagedStoreError,
    UnwritableStoreError,
    beside,
    in_words,
    result_code,
    unwritable,
)

if TYPE_CHECKING:
    from app.store.rescue import Rescue

ALONE_S = 1.0
"""How long to wait for others who have a damaged file open, s: they may just find out as well."""

WAIT_S = 25.0
"""How long to wait for another Ringback that repairs the file, s; it takes that long at most."""


def open_database(
    kind: Kind, file: Path, paths: Paths, *, damage: DamagedStoreError | None = None
) -> Database:
    """Opens a database, made when missing and moved to the newest version when older.

    A damaged one is repaired: what can be read is put into a new file, with what a copy has besides, and the
    damaged one is kept under another name. Where nothing can be written, or while another Ringback has a
    damaged one open, the contents are in memory and can only be read.

    Args:
        kind: What it is.
        file: Where it is.
        paths: The data folder; copies are there.
        damage: How it is known that it is damaged, if it is.

    Raises:
        StoreError: It is another program's or a newer Ringback's, or not even its bytes can be read. Nothing
            was changed.
    """
    with in_words(file):
        if file.exists() and not file.is_file():
            raise StoreError(
                f"There is a folder or a device where the file {file} belongs.",
                do="Move it elsewhere, or choose another folder with --data-dir.",
            )
    use = FileUse(file.with_name(f"{file.name}.lock"))
    try:
        return _Opening(kind, file, paths, use).open(damage)
    except BaseException:
        use.release()
        raise


class _Opening:
    """The parts of `open_database`."""

    def __init__(self, kind: Kind, file: Path, paths: Paths, use: FileUse) -> None:
        self._kind = kind
        self._file = file
        self._paths = paths
        self._use = use
        # Copies are kept of the trunks; the history may be a thousand times as large
        self._with_copies = file == paths.database

    @cached_property
    def _rescue(self) -> Rescue:
        # Nearly always nothing is wrong, and the window waits for its trunks
        from app.store.rescue import Rescue

        copies = good_copies(self._paths) if self._with_copies else ()
        return Rescue(self._kind, self._file, copies)

    def open(self, damage: DamagedStoreError | None) -> Database:
        try:
            with in_words(self._file):
                damage = damage or self._left_behind()
        except UnwritableStoreError as error:
            self._share()
            return self._in_memory(error, None)
        self._share()
        before = identity(self._file)
        try:
            if damage is None:
                return self._as_it_is()
        except DamagedStoreError as error:
            damage = error
        except UnwritableStoreError as error:
            return self._in_memory(error, None)
        try:
            return self._repaired(damage, before)
        except UnwritableStoreError as error:
            self._share()
            return self._in_memory(error, damage)

    def _as_it_is(self) -> Database:
        notes: Sequence[str] = () if "_rescue" not in self.__dict__ else self._rescue.notes
        return Database(self._connected(), self._file, use=self._use, notes=notes)

    def _share(self) -> None:
        if not self._use.share(WAIT_S):
            raise StoreError(
                f"Another Ringback is repairing {self._file}.", do="Wait a moment, then try again."
            )

    def _left_behind(self) -> DamagedStoreError | None:
        """Ends what a kill has left half done, and finds what SQLite would pass over without a word."""
        file = self._file
        # To SQLite an empty file is a new database. With a copy beside it, it was one with trunks in it.
        empty = not file.exists() or not file.stat().st_size
        lost = empty and self._with_copies and bool(good_copies(self._paths))
        if not (lost or is_half_repaired(file) or has_journal(file)) or not self._use.take_alone():
            return None
        return self._rescue.left_behind()

    def _connected(self) -> sqlite3.Connection:
        file = self._file
        with in_words(file):
            if not file.exists():
                # SQLite would make it readable for all; its journals take over the permissions of the file
                with open(file, "ab", opener=open_private):
                    pass
            # SQLite would wait at a pipe for somebody who writes into it
            if not os.access(file, os.W_OK) or any(
                part.exists() and not part.is_file() for part in beside(file)
            ):
                raise unwritable(file, "no permission to write, or no file")
            connection = connect(str(file))
            try:
                self._prepare(connection)
            except BaseException as error:
                connection.close()
                if isinstance(error, sqlite3.Error) and _is_read_only_by_format(error, file):
                    raise DamagedStoreError(file, "its head names a format that there is not") from error
                raise
            return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        kind = self._kind
        check(connection, kind, self._file)
        begin(connection, kind)
        _use_journal(connection)
        for pragma_words in kind.pragmas:
            connection.execute(f"PRAGMA {pragma_words}")
        self._migrate(connection)
        _check_writing(connection)
        if self._with_copies:
            keep_copy(connection, kind, self._paths)

    def _migrate(self, connection: sqlite3.Connection) -> None:
        version = pragma(connection, "user_version")
        if self._with_copies and 0 < version < self._kind.latest:  # a new file has nothing to go back to
            copy_before(connection, self._paths, version)
        migrate(connection, self._kind)

    def _repaired(self, damage: DamagedStoreError, before: int) -> Database:
        alone = self._use.take_alone(ALONE_S)
        if identity(self._file) == before:
            if not alone:
                raise UnwritableStoreError(
                    f"The file with {self._kind.what} is damaged, and another Ringback has it open",
                    do="Close Ringback everywhere, then start it again. It then repairs the file.",
                    details=damage.details,
                )
            with in_words(self._file):
                self._rescue.repair(damage)
        # Else somebody else has repaired it meanwhile
        self._share()
        return self._as_it_is()

    def _in_memory(self, refusal: UnwritableStoreError, damage: DamagedStoreError | None) -> Database:
        if self._file in OPEN_HERE:
            raise refusal
        with in_words(self._file):
            connection, read_at = self._rescue.in_memory(damage)
        return Database(
            connection,
            self._file,
            use=self._use,
            notes=self._rescue.notes,
            refusal=refusal,
            read_at=read_at,
            again=lambda: open_database(self._kind, self._file, self._paths),
        )


def _check_writing(connection: sqlite3.Connection) -> None:
    """Begins to write, and stops at once.

    Raises:
        sqlite3.Error: It can't be written.
    """
    patience = pragma(connection, "busy_timeout")
    try:
        connection.execute("PRAGMA busy_timeout = 0")
        connection.execute("BEGIN IMMEDIATE")
        try:
            # To begin is not enough: of a file that it only reads, SQLite begins to read then
            connection.execute(f"PRAGMA user_version = {pragma(connection, 'user_version')}")
        finally:
            connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        if result_code(error) != sqlite3.SQLITE_BUSY:  # somebody writes, so it can be written
            raise
    finally:
        connection.execute(f"PRAGMA busy_timeout = {patience}")


def _is_read_only_by_format(error: sqlite3.Error, file: Path) -> bool:
    """Whether SQLite does not write to a file that can be written: the format in its head is unknown."""
    if getattr(error, "sqlite_errorcode", 0) != sqlite3.SQLITE_READONLY or file in OPEN_HERE:
        return False
    with suppress(OSError):
        os.close(os.open(file, os.O_RDWR))
        return True
    return False


def _use_journal(connection: sqlite3.Connection) -> None:
    """Lets others read while somebody writes, and keeps a kill in the middle from doing harm.

    Raises:
        sqlite3.Error: It can't be done.
    """
    limit = time.monotonic() + BUSY_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:
            # Switching needs the file alone, and SQLite does not wait for that
            # (https://sqlite.org/wal.html, "Sometimes queries return SQLITE_BUSY in WAL mode").
            if result_code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > limit:
                raise
            time.sleep(0.01)
