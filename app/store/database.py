"""An open database: every error that it meets comes out in words."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from app.errors import StoreError
from app.instance import FileUse
from app.store.files import OPEN_HERE, Stamp, stamp
from app.store.scan import Scan, scan
from app.store.schema import UNREADABLE, Row, Table, any_size, limit_time, pragma, transaction
from app.store.words import (
    DamagedStoreError,
    FullStoreError,
    UnwritableStoreError,
    has_no_room,
    in_words,
)

_SCAN_S = 5.0


class Database:
    """Belongs to the thread that opened it. All methods raise `StoreError`, and no other error of SQLite.

    Args:
        connection: To the file, or to its contents in memory.
        file: Which file.
        use: The lock that shows others that it is open; released with it.
        notes: What the person should know of the opening.
        refusal: Why nothing can be written; None when it can. The contents are in memory then.
        read_at: The state of the file that is in memory.
        again: Opens the file once more; needed with a `refusal`.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        file: Path,
        *,
        use: FileUse | None = None,
        notes: Sequence[str] = (),
        refusal: UnwritableStoreError | None = None,
        read_at: Stamp = (),
        again: Callable[[], Database] | None = None,
    ) -> None:
        self._connection = connection
        self.file = file
        self._use = use
        self._notes = tuple(notes)
        self._refusal = refusal
        self._read_at = read_at
        self._again = again
        self._counted = refusal is None
        if self._counted:
            OPEN_HERE.add(file)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the person should know: what opening it met, and why nothing can be saved."""
        if self._refusal is None:
            return self._notes
        why = f"{self._refusal.cause}. {self._refusal.do}"
        return (*self._notes, f"You can look at everything, but nothing can be saved now. {why}")

    @property
    def read_only(self) -> bool:
        """Whether nothing can be written."""
        return self._refusal is not None

    def close(self) -> None:
        """Ends all access; harmless when done twice."""
        try:
            with in_words(self.file):
                self._connection.close()
        finally:
            if self._counted:
                OPEN_HERE.drop(self.file)
                self._counted = False
            if self._use is not None:
                self._use.release()

    # Reading

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """All rows that a query finds.

        Raises:
            TooLargeError: A value that it looks at is larger than any of ours.
        """
        self._look_again()
        found: list[Row] = self._done(sql, values, lambda cursor: cursor.fetchall())
        return found

    def small_rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """As `rows`, whatever size the values are that it looks at; those that it finds have to be small."""
        self._look_again()
        with any_size(self._connection):
            found: list[Row] = self._done(sql, values, lambda cursor: cursor.fetchall())
        return found

    def row(self, sql: str, values: Sequence[Any] = ()) -> Row | None:
        """The first row that a query finds."""
        self._look_again()
        found: Row | None = self._done(sql, values, lambda cursor: cursor.fetchone())
        return found

    def scan(self, table: Table) -> Scan:
        """All rows of a table that can be read, past those that can't.

        Raises:
            DamagedStoreError: None can, although there are some.
        """
        self._look_again()
        limit_time(self._connection)
        found = scan(self._connection, table, time.monotonic() + _SCAN_S)
        if not found.complete and not found.rows:
            raise DamagedStoreError(self.file, f"no row of {table.name} can be read")
        return found

    def number(self, pragma_name: str) -> int:
        """The value of a PRAGMA that is a number."""
        with in_words(self.file):
            return pragma(self._connection, pragma_name)

    def _look_again(self) -> None:
        """Takes up what somebody else, who may write, has saved since it was read."""
        if self._refusal is None or self._again is None or stamp(self.file) == self._read_at:
            return
        with suppress(StoreError):  # what was read before is better than nothing
            self._become(self._again())

    # Writing

    def change(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Does something within a `transaction`."""
        with any_size(self._connection):
            cursor: sqlite3.Cursor = self._done(sql, values, lambda cursor: cursor)
        return cursor

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; what was done is on the disk when it ends.

        Raises:
            StoreError: It can't be done; nothing was changed.
        """
        self._need_writable()
        limit_time(self._connection)
        with in_words(self.file), transaction(self._connection):
            yield

    def run(self, script: str) -> None:
        """Does several things, each by itself."""
        self._need_writable()
        limit_time(self._connection)
        with in_words(self.file):
            self._connection.executescript(script)

    def _need_writable(self) -> None:
        """Where nothing could be written, perhaps something can by now: there may be room again."""
        if self._refusal is None:
            return
        if self._again is not None:
            self._become(self._again())
        if self._refusal is not None:
            raise UnwritableStoreError(
                self._refusal.cause, do=self._refusal.do, details=self._refusal.details
            )

    def _become(self, other: Database) -> None:
        """Goes on with what another one has open."""
        self.close()
        self._connection, self._use, self._refusal = other._connection, other._use, other._refusal
        self._read_at, self._counted = other._read_at, other._counted
        self._notes = tuple(dict.fromkeys((*self._notes, *other._notes)))

    def _is_whole(self) -> bool:
        """Whether the file is sound; where it is not, SQLite takes it for one that can't grow any more."""
        limit_time(self._connection)
        with suppress(*UNREADABLE), any_size(self._connection):
            return bool(self._connection.execute("PRAGMA quick_check(1)").fetchall() == [("ok",)])
        return False

    def _done(self, sql: str, values: Sequence[Any], take: Callable[[sqlite3.Cursor], Any]) -> Any:
        limit_time(self._connection)
        try:
            with in_words(self.file):
                return take(self._connection.execute(sql, values))
        except FullStoreError as error:
            if not has_no_room(self.file) and not self._is_whole():
                raise DamagedStoreError(self.file, error.details) from error
            raise
        except (UnicodeEncodeError, OverflowError) as error:
            raise StoreError(
                "Bytes that are not text, or a number that is too large, can't be saved or searched for.",
                do="Type it again by hand instead of copying it.",
                details=str(error),
            ) from error
