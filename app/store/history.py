"""The calls that were made: entered, brought up to date, looked for, deleted.

Nothing is written that `app.redact` has not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Self

from app.errors import StoreError
from app.model.finding import Verdict
from app.model.history import CUT_OFF, RUNNING, HistoryDetails, HistoryEntry, HistoryQuery, search_key
from app.paths import Paths
from app.store.database import Database
from app.store.history_file import HISTORY
from app.store.history_rows import (
    COLUMNS,
    DETAILED,
    LISTED,
    LONGEST_MESSAGE,
    LONGEST_TEXT,
    clean_entry,
    conditions,
    detail_values,
    plain_value,
    read_details,
    read_entry,
)
from app.store.opening import open_database
from app.store.schema import Row, is_text, text_of
from app.store.words import DamagedStoreError, TooLargeError

CUT_OFF_HEADLINE = "Ringback itself ended during this call, so how it went on is not known."

_AT_A_TIME = 500
_ENTRY = (f"SELECT {LISTED} FROM calls",)
_JOINED = "FROM calls LEFT JOIN details ON call_id = id"
_WHOLE = (
    f"SELECT {LISTED}, {DETAILED}, messages {_JOINED}",
    f"SELECT {LISTED}, {DETAILED}, NULL {_JOINED}",
    f"SELECT {LISTED}{', NULL' * 7} FROM calls",
)
"""All of a call, then less of it, where the rest is too large."""


class History:
    """The open history of a data folder; belongs to the thread that opened it.

    Window and command line can share a folder. All methods raise `StoreError` when the file can't be read or
    written, and `DamagedStoreError` when it makes no sense. A call whose entry can't be read is passed over,
    and `take_notes` names it.

    Args:
        database: Of the newest version.
        run: Who writes: the calls of a run that has ended are told from those that are still up by it.
    """

    def __init__(self, database: Database, run: str) -> None:
        self._database = database
        self._run = run
        self._notes = list(database.notes)
        self._unreadable: dict[int, str] = {}

    @classmethod
    def open(cls, paths: Paths, run: str = "", *, damage: DamagedStoreError | None = None) -> Self:
        """Opens the history of a data folder, or begins one; see `open_database`.

        Args:
            paths: The data folder.
            run: Who writes.
            damage: What was met in it before, if it is known to be damaged.
        """
        return cls(open_database(HISTORY, paths.history, paths, damage=damage), run)

    @property
    def read_only(self) -> bool:
        """Whether nothing can be written."""
        return self._database.read_only

    def take_notes(self) -> tuple[str, ...]:
        """What the person should know and was not taken yet."""
        notes, self._notes = tuple(self._notes), []
        return notes

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
        with self._database.transaction():
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
        found = self._database.change(
            f"INSERT INTO calls ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
            (*_listed_values(entry), self._run),
        )
        entry_id = found.lastrowid or 0
        self._put_details(entry_id, details)
        return entry_id

    def _update(self, entry: HistoryEntry, details: tuple[object, ...]) -> int:
        names = ", ".join(f"{name} = ?" for name in (*COLUMNS[1:], "found_by"))
        values = (*_listed_values(entry), entry.id)
        if self._database.change(f"UPDATE calls SET {names} WHERE id = ?", values).rowcount:
            self._put_details(entry.id, details)
        return entry.id

    def _put_details(self, entry_id: int, details: tuple[object, ...]) -> None:
        self._database.change(
            f"INSERT OR REPLACE INTO details (call_id, {DETAILED}, messages) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (entry_id, *details),
        )

    def open_runs(self) -> tuple[str, ...]:
        """The runs that have calls up, our own left out."""
        # As bytes: the name of a run that is damaged is one that nobody has any more
        rows = self._database.small_rows(
            "SELECT DISTINCT CAST(run AS BLOB) FROM calls WHERE result = ? AND run != ? AND length(run) < ?",
            (RUNNING, self._run, LONGEST_TEXT),
        )
        return tuple(text_of(row[0]) for row in rows if row[0] is not None)

    def cut_off(self, run: str) -> int:
        """Marks the calls that a run has left up as cut off; returns how many."""
        with self._database.transaction():
            return self._database.change(
                "UPDATE calls SET result = ?, verdict = ?, headline = ?, found_by = found_by || ?"
                " WHERE result = ? AND CAST(run AS BLOB) = ?",
                (
                    CUT_OFF,
                    str(Verdict.WARNING),
                    CUT_OFF_HEADLINE,
                    f"\n{CUT_OFF}\n{CUT_OFF_HEADLINE.casefold()}",
                    RUNNING,
                    run.encode("utf-8", "surrogateescape"),
                ),
            ).rowcount

    def delete(self, entry_id: int) -> bool:
        """Deletes a call; whether it was there."""
        with self._database.transaction():
            deleted = self._database.change("DELETE FROM calls WHERE id = ?", (entry_id,)).rowcount > 0
        self._unreadable.pop(entry_id, None)
        if deleted:
            self._tidy_up()
        return deleted

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
            with self._database.transaction():
                step = self._database.change(
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
        self._database.run("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)")

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
        found: list[HistoryEntry] = []
        last = None if below is None else below.id
        while len(found) < limit:
            asked = limit - len(found)
            rows = self._next(_ENTRY, query, asked, last)
            found += filter(None, map(self._entry, rows))
            if len(rows) < asked:
                break
            last = rows[-1][0]
        return tuple(found)

    def _next(self, selects: Sequence[str], query: HistoryQuery, limit: int, below: int | None) -> list[Row]:
        """The newest rows, or those behind one of them; one that is too large to be read has its id only.

        Raises:
            DamagedStoreError: They are not in the order of their ids, so that nobody would get to their end.
        """
        where, values = conditions(query)
        if below is not None:
            where.append("id < ?")
            values.append(below)
        terms = f"WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT ?"
        try:
            rows = self._database.rows(f"{selects[0]} {terms}", (*values, limit))
        except TooLargeError:
            ids = self._database.small_rows(f"SELECT id FROM calls {terms}", (*values, limit))
            rows = [self._one(selects, entry_id) for (entry_id,) in ids]
        order = [*([] if below is None else [below]), *(row[0] for row in rows)]
        if any(one <= two for one, two in pairwise(order)):
            raise DamagedStoreError(self._database.file, "calls are out of order")
        return rows

    def _one(self, selects: Sequence[str], entry_id: int) -> Row:
        """The most that can be read of a row: its id only where it is too large, or gone meanwhile."""
        for select in selects:
            with suppress(TooLargeError):
                return self._database.row(f"{select} WHERE id = ?", (entry_id,)) or (entry_id,)
        return (entry_id,)

    def _entry(self, row: Row) -> HistoryEntry | None:
        try:
            return read_entry(row)
        except ValueError as error:
            self._pass_over(row, error)
            return None

    def _pass_over(self, row: Row, error: ValueError) -> None:
        entry_id = row[0]
        if entry_id not in self._unreadable:
            self._unreadable[entry_id] = str(error)
            self._notes.append(
                f"Call {entry_id} of the history can't be read ({error}) and is left out; "
                f"all others are there. Delete it with: ringback history --delete {entry_id}"
            )

    def count(self, query: HistoryQuery) -> int:
        """How many calls a query finds, those that can't be read among them."""
        where, values = conditions(query)
        sql = f"SELECT count(*) FROM calls WHERE {' AND '.join(where)}"
        ((count,),) = self._database.small_rows(sql, values)
        return int(count)

    def find(self, query: HistoryQuery, entry_id: int) -> HistoryEntry | None:
        """A call, None when it is not there, can't be read or is none that the query finds."""
        where, values = conditions(query)
        sql = f"SELECT id FROM calls WHERE id = ? AND {' AND '.join(where)}"
        if not self._database.small_rows(sql, (entry_id, *values)):
            return None
        return self._entry(self._one(_ENTRY, entry_id))

    def holds(self, entry_id: int, entry: HistoryEntry) -> bool:
        """Whether a call that was entered under this id is still there; after a repair it may not be."""
        sql = "SELECT id FROM calls WHERE id = ? AND begun_at = ? AND run = ?"
        return bool(self._database.small_rows(sql, (entry_id, entry.begun_at, self._run)))

    def details(self, entry_id: int) -> HistoryDetails | None:
        """All about a call, None when it is not there.

        Raises:
            StoreError: It can't be read.
        """
        if not self._database.small_rows("SELECT id FROM calls WHERE id = ?", (entry_id,)):
            return None
        try:
            return read_details(self._one(_WHOLE, entry_id))
        except ValueError as error:
            raise StoreError(
                f"Call {entry_id} can't be read from {self._database.file}: {error}.",
                do=f"Delete it with: ringback history --delete {entry_id}",
                field="id",
            ) from error

    def walk(self, query: HistoryQuery, limit: int = -1, *, below: int = 0) -> Iterator[HistoryDetails]:
        """All calls that a query finds, newest first, without their SIP messages.

        Args:
            query: Which ones.
            limit: How many at most; -1 for all.
            below: Only those behind the call with this id; 0 for all.
        """
        left, last = limit, below or None
        while left:
            asked = _AT_A_TIME if left < 0 else min(left, _AT_A_TIME)
            rows = self._next(_WHOLE[1:], query, asked, last)
            for row in rows:
                try:
                    yield read_details(row)
                except ValueError as error:
                    self._pass_over(row, error)
                else:
                    left -= 1
            if len(rows) < asked:
                return
            last = rows[-1][0]

    def trunks(self) -> dict[str, str]:
        """The newest name of each trunk that has calls here, by id; also of those that were deleted."""
        rows = self._database.small_rows(
            "SELECT trunk_id, trunk, max(CASE WHEN typeof(begun_at) = 'real' THEN begun_at END) FROM calls"
            " WHERE length(trunk_id) < ? AND length(trunk) < ? GROUP BY trunk_id ORDER BY 3 DESC",
            (LONGEST_MESSAGE, LONGEST_MESSAGE),
        )
        return {row[0]: row[1] for row in rows if is_text(row[0]) and is_text(row[1])}

    def changed_elsewhere(self) -> int:
        """A number that is another one once somebody else has written."""
        return self._database.number("data_version")


def _listed_values(entry: HistoryEntry) -> list[object]:
    return [*(plain_value(getattr(entry, name)) for name in COLUMNS[1:]), search_key(entry)]
