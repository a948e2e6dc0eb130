"""The history of a fake desk: the real one's queries, in memory, without a thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

from msgspec.structs import replace

from app.model.history import KEEP_DAYS, HistoryDetails, HistoryEntry, HistoryQuery
from app.model.history_csv import csv_head, csv_rows
from app.store.database import Database
from app.store.history import History
from app.store.history_file import HISTORY
from app.store.schema import migrate


class FakeHistory:
    """Stands in for `app.history.calls.CallHistory`.

    Args:
        begin: Told each question before it is answered; may wait or raise.
    """

    def __init__(self, begin: Callable[..., Awaitable[None]]) -> None:
        self._begin = begin
        # Tests fill it from their own thread before the desk reads it in its own
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        migrate(connection, HISTORY)
        self.store = History(Database(connection, Path("nowhere")), "fake")
        self.note = ""
        self.keep_days = KEEP_DAYS

    # For tests, from any thread

    def put(self, *calls: HistoryDetails) -> list[int]:
        """Enter calls; their ids."""
        return [self.store.save(call) for call in calls]

    def change(self, entry_id: int, call: HistoryDetails) -> None:
        """Bring an entry up to date."""
        self.store.save(replace(call, entry=replace(call.entry, id=entry_id)))

    # As the real one

    async def open(self) -> None:
        await self._begin("history.open")

    async def page(
        self, query: HistoryQuery, *, below: HistoryEntry | None = None, limit: int = 200
    ) -> tuple[HistoryEntry, ...]:
        await self._begin("history.page", query, below)
        return self.store.page(query, limit=limit, below=below)

    async def count(self, query: HistoryQuery) -> int:
        await self._begin("history.count", query)
        return self.store.count(query)

    async def find(self, query: HistoryQuery, entry_id: int) -> HistoryEntry | None:
        await self._begin("history.find", query, entry_id)
        return self.store.find(query, entry_id)

    async def details(self, entry_id: int) -> HistoryDetails | None:
        await self._begin("history.details", entry_id)
        return self.store.details(entry_id)

    async def trunks(self) -> dict[str, str]:
        await self._begin("history.trunks")
        return self.store.trunks()

    async def delete(self, entry_id: int) -> bool:
        await self._begin("history.delete", entry_id)
        return self.store.delete(entry_id)

    async def clear(self, query: HistoryQuery) -> int:
        await self._begin("history.clear", query)
        return self.store.clear(query)

    async def set_keep_days(self, days: int) -> None:
        await self._begin("history.set_keep_days", days)
        self.keep_days = days

    async def export_csv(self, query: HistoryQuery, file: Path, *, limit: int = -1) -> int:
        await self._begin("history.export_csv", query, file)
        calls = tuple(self.store.walk(query, limit))
        file.write_text(csv_head() + csv_rows(calls), encoding="utf-8", newline="")
        return len(calls)

    async def close(self) -> None:
        self.store.close()
