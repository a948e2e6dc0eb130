"""The history of calls: kept while they happen, asked by window and command line.

Nothing that goes wrong here is seen by a call.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

from app.errors import SettingError, StoreError, UserError
from app.history.log import CallLog
from app.history.record import CallRecord, judged
from app.history.worker import HistoryWorker, prune
from app.model.history import (
    FOR_EVER,
    KEEP_DAYS,
    LONGEST_KEEP_DAYS,
    HistoryDetails,
    HistoryEntry,
    HistoryQuery,
)
from app.model.history_csv import csv_head, csv_rows
from app.model.trunk import Trunk
from app.paths import open_private
from app.sip.notices import HistoryChanged, HistoryTrouble, Notice
from app.store import Store, StoredSetting
from app.store.history import History
from app.store.words import DamagedStoreError
from app.threads import run_apart

T = TypeVar("T")

PAGE = 200
"""Calls that a list gets at a time."""

HISTORY_KEEP_DAYS = StoredSetting("history.keep_days", int, KEEP_DAYS)

LOOK_AGAIN_S = 3600.0
"""How often to see whether a day has gone by, s; a computer that slept does not count its hours."""
_DAY_S = 86_400.0
_ROWS_AT_A_TIME = 500

_log = logging.getLogger(__name__)


class CallHistory:
    """Belongs to one event loop, as the desk does. The file is opened when it is first needed.

    Args:
        store: The data folder, where it is also remembered how long calls are kept.
        tell: Gets `HistoryChanged` and `HistoryTrouble`.
        trunk: Finds a trunk, or raises `UserError`.
        on_trial: Whether a trunk is only tried; nothing of its calls is written before it is saved.

    Attributes:
        log: Is to get every notice.
        note: What went wrong with keeping calls, for the person; empty while nothing did.
    """

    def __init__(
        self,
        store: Store,
        tell: Callable[[Notice], None],
        trunk: Callable[[str], Trunk],
        on_trial: Callable[[str], bool],
    ) -> None:
        self._settings = store
        self._paths = store.paths
        self._tell = tell
        self._worker = HistoryWorker(store.paths, self._on_trouble)
        self._working: set[asyncio.Future[int]] = set()
        self._daily: asyncio.TimerHandle | None = None
        self._pruned_at = 0.0
        self._closed = False
        self.log = CallLog(self._save, trunk, on_trial)
        self.note = ""

    # Keeping

    def _save(self, record: CallRecord) -> None:
        call, trunk = record.details(), record.trunk

        def write(history: History) -> int:
            whole = judged(call, trunk)
            same = record.kept_in is history or history.holds(record.entry_id, whole.entry)
            known = record.entry_id if same else 0
            record.entry_id = history.save(replace(whole, entry=replace(whole.entry, id=known)))
            record.kept_in = history
            return record.entry_id

        if not self._closed:
            self._begin()
            self._have_done(
                write,
                lambda entry_id: self._tell(HistoryChanged(trunk_id=record.trunk_id, entry_id=entry_id)),
                "A call could not be entered in the history.",
            )

    def _have_done(self, work: Callable[[History], int], done: Callable[[int], object], trouble: str) -> None:
        """Have something done that nobody waits for."""
        future = self._worker.ask(work)
        self._working.add(future)

        def finish(future: asyncio.Future[int]) -> None:
            self._working.discard(future)
            error = None if future.cancelled() else future.exception()
            if isinstance(error, StoreError):
                self._on_trouble(f"{trouble} {error}")
            elif error is not None:
                context = {"message": trouble, "exception": error}
                future.get_loop().call_exception_handler(context)
            elif not future.cancelled():
                done(future.result())

        future.add_done_callback(finish)

    def _on_trouble(self, words: str) -> None:
        if words not in self.note:
            _log.warning("%s", words)
            self.note = f"{self.note}\n{words}".strip()
            self._tell(HistoryTrouble(trunk_id="", words=words))

    # From the start to the end

    async def open(self) -> None:
        """Mark calls that a run has left open as cut off, and delete old ones; what fails is in `note`."""
        self._begin()
        await self._finished()

    def _begin(self) -> None:
        """Before the first work: old calls are deleted, now and each day."""
        if not self._worker.begun:
            self._look_again()

    def _look_again(self) -> None:
        self._daily = asyncio.get_running_loop().call_later(LOOK_AGAIN_S, self._look_again)
        if time.time() - self._pruned_at >= _DAY_S:
            self._prune()

    def _prune(self) -> None:
        self._pruned_at = time.time()
        trouble = "Old calls could not be deleted from the history."
        try:
            keep_days = self.keep_days
        except StoreError as error:
            self._on_trouble(f"{trouble} {error}")
        else:
            self._have_done(lambda history: prune(history, keep_days), lambda _: None, trouble)

    async def close(self) -> None:
        """Write what is not written yet, and end the thread."""
        if self._daily is not None:
            self._daily.cancel()
        self.log.flush()
        self._closed = True
        await self._worker.close()
        await self._finished()

    async def _finished(self) -> None:
        while self._working:
            await asyncio.wait(tuple(self._working))
            # `finish` is called in the loop's next round
            await asyncio.sleep(0)

    # Asking; all raise `StoreError` when the history can't be read or written

    async def page(
        self, query: HistoryQuery, *, below: HistoryEntry | None = None, limit: int = PAGE
    ) -> tuple[HistoryEntry, ...]:
        """The newest calls that a query finds, newest first, or those behind one of them."""

        def read(history: History) -> tuple[HistoryEntry, ...]:
            if below is None:
                # A command line may have been killed since this was opened
                self._worker.mark_cut_off(history)
            return history.page(query, limit=limit, below=below)

        return await self._ask(read)

    async def count(self, query: HistoryQuery) -> int:
        """How many calls a query finds."""
        return await self._ask(lambda history: history.count(query))

    async def find(self, query: HistoryQuery, entry_id: int) -> HistoryEntry | None:
        """A call, None when it is not there or is none that the query finds."""
        return await self._ask(lambda history: history.find(query, entry_id))

    async def details(self, entry_id: int) -> HistoryDetails | None:
        """All about a call, None when it was deleted."""
        return await self._ask(lambda history: history.details(entry_id))

    async def trunks(self) -> dict[str, str]:
        """The newest name of each trunk that has calls here, by id; also of those that were deleted."""
        return await self._ask(lambda history: history.trunks())

    async def delete(self, entry_id: int) -> bool:
        """Delete a call; whether it was there."""
        return await self._ask(lambda history: history.delete(entry_id))

    async def clear(self, query: HistoryQuery) -> int:
        """Delete all calls that a query finds, but for those that are up; returns how many."""
        return await self._ask(lambda history: history.clear(query))

    async def _ask(self, work: Callable[[History], T]) -> T:
        self._begin()
        return await self._worker.ask(work)

    # How long calls are kept

    @property
    def keep_days(self) -> int:
        """How long calls are kept, days; `FOR_EVER` deletes none."""
        days = self._settings.setting(HISTORY_KEEP_DAYS)
        return days if FOR_EVER <= days <= LONGEST_KEEP_DAYS else KEEP_DAYS

    async def set_keep_days(self, days: int) -> None:
        """Keep calls this long from now on; older ones are deleted at once.

        Raises:
            SettingError: No such number of days.
            StoreError: It can't be remembered.
        """
        if not FOR_EVER <= days <= LONGEST_KEEP_DAYS:
            raise SettingError(
                f"Calls can't be kept for {days} days.",
                do=f"Choose 1 to {LONGEST_KEEP_DAYS} days, or {FOR_EVER} to keep them for ever.",
                field="keep_days",
            )
        self._settings.set_setting(HISTORY_KEEP_DAYS, days)
        self._pruned_at = time.time()
        await self._ask(lambda history: prune(history, days))

    # Giving out

    async def walk(
        self, query: HistoryQuery, take: Callable[[tuple[HistoryDetails, ...]], object], *, limit: int = -1
    ) -> int:
        """Hand all calls that a query finds to `take`, some at a time, without their SIP messages.

        Args:
            query: Which ones.
            take: Called in a thread of its own.
            limit: How many at most, the newest; -1 for all.

        Returns:
            How many there were.
        """

        count, last = 0, 0

        def read(history: History) -> None:
            nonlocal count, last
            some: list[HistoryDetails] = []

            def hand_over() -> None:
                nonlocal count, last
                take(tuple(some))
                count, last = count + len(some), some[-1].entry.id if some else last
                some.clear()

            for call in history.walk(query, limit if limit < 0 else limit - count, below=last):
                some.append(call)
                if len(some) == _ROWS_AT_A_TIME:
                    hand_over()
            hand_over()

        def read_apart() -> tuple[str, ...]:
            # A connection of its own: a long way through must not keep a call waiting for its entry
            with History.open(self._paths) as history:
                read(history)
                return history.take_notes()

        def prepare(history: History) -> bool:
            self._worker.mark_cut_off(history)
            return history.read_only

        if await self._ask(prepare):
            await self._ask(read)  # in memory, and no call can be entered there
            return count
        try:
            notes = await run_apart(read_apart)
        except DamagedStoreError as error:
            await self._worker.repair(error)
            notes = await run_apart(read_apart)  # goes on behind the last call that was handed over
        for words in notes:
            self._on_trouble(words)
        return count

    async def export_csv(self, query: HistoryQuery, file: Path, *, limit: int = -1) -> int:
        """Write the calls that a query finds as a table; all of it or nothing. Returns how many.

        Raises:
            UserError: The file can't be written.
        """
        unfinished = file.with_name(f"{file.name}.{os.getpid()}.unfinished")
        try:
            try:
                with open(unfinished, "wb", opener=open_private) as out:
                    out.write(csv_head().encode())
                    count = await self.walk(
                        query, lambda calls: out.write(csv_rows(calls).encode()), limit=limit
                    )
                os.replace(unfinished, file)
            finally:
                unfinished.unlink(missing_ok=True)
        except OSError as error:
            raise UserError(
                f"{file} can't be written: {error.strerror or error}.",
                do="Choose another place for it.",
                details=str(error),
                field="csv",
            ) from error
        return count
