"""The calls that were made: entered, brought up to date, looked for, deleted.

Nothing is written that `app.redact` has not looked at.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Self

from app.model.finding import Verdict
from app.model.history import CUT_OFF, RUNNING, HistoryDetails, HistoryEntry, HistoryQuery, search_key
from app.paths import Paths
from app.store.database import pragma, transaction
from app.store.history_file import history_told, open_history
from app.store.history_rows import (
    COLUMNS,
    DETAILED,
    LISTED,
    clean_entry,
    conditions,
    detail_values,
    plain_value,
    read_details,
    read_entry,
)

CUT_OFF_HEADLINE = "Ringback itself ended during this call, so how it went on is not known."

_AT_A_TIME = 500


class History:
    """The open history of a data folder; belongs to the thread that opened it.

    Window and command line can share a folder. All methods raise `StoreError` when the file can't be read or
    written, and `DamagedHistoryError` when it makes no sense.

    Args:
        connection: To a file of the newest version.
        paths: Where it is.
        run: Who writes: the calls of a run that has ended are told from those that are still up by it.
    """

    def __init__(self, connection: sqlite3.Connection, paths: Paths, run: str) -> None:
        self._database = connection
        self._paths = paths
        self._run = run

    @classmethod
    def open(cls, paths: Paths, run: str = "") -> Self:
        """As `open_history`."""
        return cls(open_history(paths), paths, run)

    def close(self) -> None:
        """Ends all access; harmless when done twice."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Writing

    def save(self, call: HistoryDetails) -> int:
        """Enters a call, or brings its entry up to date; one that was deleted meanwhile stays so.

        Secrets are taken out, and what is too long is cut.

        Returns:
            The entry's id.
        """
        entry, values = clean_entry(call.entry), detail_values(call)
        with self._transaction():
            return self._update(entry, values) if entry.id else self.insert(entry, values)

    def insert(self, entry: HistoryEntry, details: tuple[object, ...]) -> int:
        """Enter a new call within a transaction of the caller's, its texts as `clean_entry` gives them.

        Args:
            entry: The call.
            details: As `detail_values` gives them.

        Returns:
            The entry's id.
        """
        names = (*COLUMNS[1:], "found_by", "run")
        found = self._database.execute(
            f"INSERT INTO calls ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
            (*_listed_values(entry), self._run),
        )
        entry_id = found.lastrowid or 0
        self._put_details(entry_id, details)
        return entry_id

    def _update(self, entry: HistoryEntry, details: tuple[object, ...]) -> int:
        names = ", ".join(f"{name} = ?" for name in (*COLUMNS[1:], "found_by"))
        values = (*_listed_values(entry), entry.id)
        if self._database.execute(f"UPDATE calls SET {names} WHERE id = ?", values).rowcount:
            self._put_details(entry.id, details)
        return entry.id

    def _put_details(self, entry_id: int, details: tuple[object, ...]) -> None:
        self._database.execute(
            f"INSERT OR REPLACE INTO details (call_id, {DETAILED}, messages) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (entry_id, *details),
        )

    def open_runs(self) -> tuple[str, ...]:
        """The runs that have calls up, our own left out."""
        with self._told():
            rows = self._database.execute(
                "SELECT DISTINCT run FROM calls WHERE result = ? AND run != ?", (RUNNING, self._run)
            ).fetchall()
        return tuple(str(row[0]) for row in rows)

    def cut_off(self, run: str) -> int:
        """Marks the calls that a run has left up as cut off; returns how many."""
        with self._transaction():
            return self._database.execute(
                "UPDATE calls SET result = ?, verdict = ?, headline = ?, found_by = found_by || ?"
                " WHERE result = ? AND run = ?",
                (
                    CUT_OFF,
                    str(Verdict.WARNING),
                    CUT_OFF_HEADLINE,
                    f"\n{CUT_OFF}\n{CUT_OFF_HEADLINE.casefold()}",
                    RUNNING,
                    run,
                ),
            ).rowcount

    def delete(self, entry_id: int) -> bool:
        """Deletes a call; whether it was there."""
        with self._transaction():
            deleted = self._database.execute("DELETE FROM calls WHERE id = ?", (entry_id,)).rowcount
        if deleted:
            self._tidy_up()
        return bool(deleted)

    def clear(self, query: HistoryQuery, before: float | None = None) -> int:
        """Deletes all calls that a query finds, but for those that are up; returns how many.

        Args:
            query: Which ones.
            before: Only those that began before this time, seconds since the epoch.
        """
        where, values = conditions(query)
        where.append("result != ?")
        values.append(RUNNING)
        if before is not None:
            where.append("begun_at < ?")
            values.append(before)
        deleted = 0
        while True:
            # In steps, so that a call that begins meanwhile need not wait long
            with self._transaction():
                step = self._database.execute(
                    f"DELETE FROM calls WHERE id IN"
                    f" (SELECT id FROM calls WHERE {' AND '.join(where)} LIMIT {_AT_A_TIME})",
                    values,
                ).rowcount
            deleted += step
            if step < _AT_A_TIME:
                break
        if deleted:
            self._tidy_up()
        return deleted

    def _tidy_up(self) -> None:
        """Give back the room of deleted calls; nobody is to read them in the journal either."""
        with self._told():
            # A row without columns for each page, of which `execute` would take the first only
            self._database.executescript("PRAGMA incremental_vacuum")
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    # Reading

    def page(
        self, query: HistoryQuery, *, limit: int, below: HistoryEntry | None = None
    ) -> tuple[HistoryEntry, ...]:
        """The newest calls that a query finds, newest first.

        Args:
            query: Which ones.
            limit: How many at most.
            below: Only those behind this one.
        """
        where, values = conditions(query)
        if below is not None:
            where.append("id < ?")
            values.append(below.id)
        with self._told():
            rows = self._database.execute(
                f"SELECT {LISTED} FROM calls WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT ?",
                (*values, limit),
            ).fetchall()
        return tuple(read_entry(row) for row in rows)

    def count(self, query: HistoryQuery) -> int:
        """How many calls a query finds."""
        where, values = conditions(query)
        with self._told():
            found = self._database.execute(f"SELECT count(*) FROM calls WHERE {' AND '.join(where)}", values)
            return int(found.fetchone()[0])

    def find(self, query: HistoryQuery, entry_id: int) -> HistoryEntry | None:
        """A call, None when it is not there or is none that the query finds."""
        where, values = conditions(query)
        with self._told():
            row = self._database.execute(
                f"SELECT {LISTED} FROM calls WHERE id = ? AND {' AND '.join(where)}", (entry_id, *values)
            ).fetchone()
        return None if row is None else read_entry(row)

    def details(self, entry_id: int) -> HistoryDetails | None:
        """All about a call, None when it is not there."""
        with self._told():
            row = self._database.execute(
                f"SELECT {LISTED}, {DETAILED}, messages FROM calls JOIN details ON call_id = id WHERE id = ?",
                (entry_id,),
            ).fetchone()
        return None if row is None else read_details(row)

    def walk(self, query: HistoryQuery, limit: int = -1) -> Iterator[HistoryDetails]:
        """All calls that a query finds, newest first, without their SIP messages.

        Args:
            query: Which ones.
            limit: How many at most; -1 for all.
        """
        where, values = conditions(query)
        with self._told():
            rows = self._database.execute(
                f"SELECT {LISTED}, {DETAILED}, '[]' FROM calls JOIN details ON call_id = id"
                f" WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT ?",
                (*values, limit),
            )
        while True:
            with self._told():
                some = rows.fetchmany(_AT_A_TIME)
            yield from map(read_details, some)
            if len(some) < _AT_A_TIME:
                return

    def trunks(self) -> dict[str, str]:
        """The newest name of each trunk that has calls here, by id; also of those that were deleted."""
        with self._told():
            rows = self._database.execute(
                "SELECT trunk_id, trunk, max(begun_at) FROM calls GROUP BY trunk_id ORDER BY 3 DESC"
            ).fetchall()
        return {str(row[0]): str(row[1]) for row in rows}

    def changed_elsewhere(self) -> int:
        """A number that is another one once somebody else has written."""
        with self._told():
            return pragma(self._database, "data_version")

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        with history_told(self._paths):
            yield

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        with history_told(self._paths), transaction(self._database, self._paths, self._paths.history):
            yield


def _listed_values(entry: HistoryEntry) -> list[object]:
    return [*(plain_value(getattr(entry, name)) for name in COLUMNS[1:]), search_key(entry)]
