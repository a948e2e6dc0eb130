"""The thread that has the history open: calls that are up never wait for the disk."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from app.instance import RunMark, clear_old_marks, run_has_ended
from app.model.history import FOR_EVER, HistoryQuery
from app.paths import Paths
from app.store.history import History
from app.store.words import DamagedStoreError

T = TypeVar("T")

_DAY_S = 86_400.0

_log = logging.getLogger(__name__)


class HistoryWorker:
    """Does one piece of work after the other; belongs to one event loop. The thread begins with the first.

    Args:
        paths: Where the history is.
        on_note: Gets, in the loop's thread, what the person should know of the file, such as a repair.
    """

    def __init__(self, paths: Paths, on_note: Callable[[str], None]) -> None:
        self._paths = paths
        self._on_note = on_note
        self._thread: ThreadPoolExecutor | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        # The thread's own
        self._mark = RunMark(paths)
        self._history: History | None = None

    @property
    def begun(self) -> bool:
        """Whether there was anything to do yet."""
        return self._thread is not None

    def ask(self, work: Callable[[History], T]) -> asyncio.Future[T]:
        """Have something done.

        Args:
            work: Gets the open history, in the worker's thread. Done again when the history was damaged and
                has been repaired.

        Returns:
            What it gives, or the `StoreError` that it or opening the history met.
        """
        self._loop = asyncio.get_running_loop()
        if self._thread is None:
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="history")
        return self._loop.run_in_executor(self._thread, self._do, work)

    async def repair(self, damage: DamagedStoreError) -> None:
        """Have the file repaired, in which somebody else has met damage.

        Raises:
            StoreError: It can't be.
        """
        assert self._thread is not None  # there is no damage to meet before anything was asked
        await asyncio.get_running_loop().run_in_executor(self._thread, self._repair, damage)

    async def close(self) -> None:
        """Do what is left to do, then end the thread."""
        thread, self._thread = self._thread, None
        if thread is not None:
            await asyncio.get_running_loop().run_in_executor(thread, self._close)
            thread.shutdown()

    def mark_cut_off(self, history: History) -> int:
        """In the thread: mark the calls of runs that have ended without a word; returns how many."""
        if history.read_only:
            return 0
        ended = [run for run in history.open_runs() if run_has_ended(self._paths, run)]
        return sum(history.cut_off(run) for run in ended)

    def _do(self, work: Callable[[History], T]) -> T:
        try:
            try:
                return work(self._opened())
            except DamagedStoreError as error:
                self._repair(error)
                return work(self._opened())
        finally:
            if self._history is not None:
                self._pass_on(self._history.take_notes())

    def _opened(self) -> History:
        if self._history is None:
            self._open(None)
        assert self._history is not None
        return self._history

    def _open(self, damage: DamagedStoreError | None) -> None:
        try:
            # Before there is a row of ours: nobody is to take it for one of a run that has ended
            self._mark.set()
        except OSError as error:
            _log.warning("this run can't be marked as going on: %s", error)
        self._history = History.open(self._paths, self._mark.name, damage=damage)
        self.mark_cut_off(self._history)
        clear_old_marks(self._paths)

    def _repair(self, damage: DamagedStoreError) -> None:
        _log.warning("%s %s", damage, damage.details)
        if self._history is not None:
            self._pass_on(self._history.take_notes())
            self._history.close()
            self._history = None
        self._open(damage)
        assert self._history is not None
        self._pass_on(self._history.take_notes())

    def _pass_on(self, notes: tuple[str, ...]) -> None:
        for words in notes:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._on_note, words)

    def _close(self) -> None:
        if self._history is not None:
            self._history.close()
            self._history = None
        self._mark.clear()


def prune(history: History, keep_days: int) -> int:
    """Delete the calls that are older than they are to be kept; returns how many."""
    if keep_days == FOR_EVER or history.read_only:
        return 0
    return history.clear(HistoryQuery(), before=time.time() - keep_days * _DAY_S)
