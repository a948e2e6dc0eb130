"""The one bridge between the window and the desk: an event loop in a thread, its notices as signals."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import shiboken6
from PySide6.QtCore import QObject, Qt, QTimer, Signal

from app.errors import UserError

if TYPE_CHECKING:
    import asyncio

    from app.desk import Desk
    from app.model.trunk import Trunk
    from app.sip.notices import Notice

T = TypeVar("T")

DeskFactory = Callable[[], "Desk"]
"""Builds the desk; called once, in the bridge's thread, with its event loop running."""


class FirstLook(msgspec.Struct, frozen=True, kw_only=True):
    """What can be shown before there is a desk.

    Attributes:
        trunks: The saved trunks, in the person's order.
        recalled: What the window remembered, by key; empty text for what it did not.
    """

    trunks: tuple[Trunk, ...]
    recalled: dict[str, str]


LookFirst = Callable[[tuple[str, ...]], FirstLook]
"""Reads what is saved, for these keys; called once, in the bridge's thread, before the desk is built."""

CLOSE_LIMIT_S = 10.0
"""How long the desk may take to hang up, sign out and end its children."""
_SHOWN_LIMIT_S = 1.0
_SLICE_S = 0.01
"""How long the window's thread works off deliveries before it looks at its own events again."""

_log = logging.getLogger(__name__)


class Submission:
    """One piece of work given to the desk; it can be cancelled while it runs."""

    def __init__(self, bridge: DeskBridge) -> None:
        self._bridge = bridge
        self._task: asyncio.Task[None] | None = None
        self.cancelled = False
        self.dropped = False

    def drop(self) -> None:
        """Let the work go on, but call neither `done` nor `failed` any more."""
        self.dropped = True

    def cancel(self) -> None:
        """Stop the work, and call neither `done` nor `failed` any more."""
        self.dropped = self.cancelled = True
        self._bridge._call_soon(self._cancel_task)

    def _cancel_task(self) -> None:
        if self._task:
            self._task.cancel()


class DeskBridge(QObject):
    """Runs a desk in a thread of its own and speaks with it; all methods belong to the window's thread.

    Args:
        desk_factory: Builds the desk.
        look_first: Reads what is saved, so that it is on screen before the desk's imports are done.
        parent: Qt parent.

    Signals:
        looked: Carries the `FirstLook`, when there is a `look_first` and it met no error.
        ready: The desk is built and can be asked.
        unusable: The desk could not be built; carries the `UserError`. `closed` follows.
        notice: Something happened; carries a `Notice`.
        refused: Work without a `failed` handler met a `UserError`; carries it.
        bug: Something that must not happen did; carries its traceback as text.
        closed: The thread has ended; nothing of the desk is left.
    """

    looked = Signal(object)
    ready = Signal()
    unusable = Signal(object)
    notice = Signal(object)
    refused = Signal(object)
    bug = Signal(str)
    closed = Signal()
    _woken = Signal()

    def __init__(
        self,
        desk_factory: DeskFactory,
        look_first: LookFirst | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._desk_factory = desk_factory
        self._look_first = look_first
        self._keys: tuple[str, ...] = ()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._desk: Desk | None = None
        self._stop: asyncio.Event | None = None
        self._closing = False
        self._before_ready: list[Callable[[], None]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._inbox: deque[Callable[[], object]] = deque()
        self._inbox_lock = threading.Lock()
        self._wake_sent = False
        self._woken.connect(self._on_woken, Qt.ConnectionType.QueuedConnection)
        # A queued signal would be handled before the person's input and before other timers; a timer is not
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.timeout.connect(self._work_off)

    # Window's thread

    def start(self, keys: tuple[str, ...] = ()) -> None:
        """Start the thread; `ready` or `unusable` follows.

        Args:
            keys: What the first look should recall.
        """
        self._keys = keys
        self._thread = threading.Thread(target=self._run, name="desk", daemon=True)
        self._thread.start()

    def submit(
        self,
        owner: QObject,
        work: Callable[[Desk], Awaitable[T]],
        done: Callable[[T], None] | None = None,
        failed: Callable[[UserError], None] | None = None,
    ) -> Submission:
        """Have the desk do something.

        Args:
            owner: On whose behalf; when it is deleted, the handlers are not called any more.
            work: Gets the desk and returns what to await; called in the bridge's thread.
            done: Gets the result, in the window's thread.
            failed: Gets a `UserError`; without it `refused` is emitted. Every other exception is a `bug`.
        """
        submission = Submission(self)

        async def run(desk: Desk) -> None:
            try:
                result = await work(desk)
            except UserError as error:
                self._post(partial(deliver_error, error))
            else:
                if done:
                    self._post(lambda: deliver(result))

        def wanted() -> bool:
            return not submission.dropped and shiboken6.isValid(owner)

        def deliver(result: T) -> None:
            if done and wanted():
                done(result)

        def deliver_error(error: UserError) -> None:
            if wanted():
                (failed or self.refused.emit)(error)

        def begin() -> None:
            if self._desk and not submission.cancelled and not self._closing:
                submission._task = self._track(run(self._desk))

        if self._loop:
            self._call_soon(begin)
        else:
            self._before_ready.append(begin)
        return submission

    def close(self) -> None:
        """Sign out and end everything, in the background; `closed` follows."""
        if self._closing:
            return
        self._closing = True
        if not self._thread:
            self._post(self.closed.emit)
        elif self._loop:
            self._call_soon(self._ask_stop)

    def wait_closed(self, seconds: float) -> bool:
        """Wait for the thread's end, for a program that is on its way out."""
        if self._thread:
            self._thread.join(seconds)
            return not self._thread.is_alive()
        return True

    def _on_woken(self) -> None:
        with self._inbox_lock:
            self._wake_sent = False
        self._work_off()

    def _work_off(self) -> None:
        until = time.perf_counter() + _SLICE_S
        try:
            while self._inbox and time.perf_counter() < until:
                self._inbox.popleft()()
        finally:
            # Also after a handler's exception: the rest must not wait for the next delivery
            if self._inbox:
                self._rest.start(0)

    def _on_built(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        early, self._before_ready = self._before_ready, []
        for begin in early:
            self._call_soon(begin)
        if self._closing:
            self._call_soon(self._ask_stop)
        else:
            self.ready.emit()

    def _on_thread_ended(self) -> None:
        if self._thread:
            self._thread.join()
        self.closed.emit()

    def _call_soon(self, act: Callable[[], None]) -> None:
        if self._loop:
            try:
                self._loop.call_soon_threadsafe(act)
            except RuntimeError:
                # The loop is closed: the desk is gone, and the work with it
                _log.debug("work for a closed desk dropped")

    # Either thread

    def post(self, owner: QObject, act: Callable[[], object]) -> None:
        """Do something in the window's thread, for news of work that goes on; not without its owner."""
        self._post(lambda: act() if shiboken6.isValid(owner) else None)

    def _post(self, act: Callable[[], object]) -> None:
        self._inbox.append(act)
        self._wake()

    def _wake(self) -> None:
        with self._inbox_lock:
            if self._wake_sent:
                return
            self._wake_sent = True
        self._woken.emit()

    # Bridge's thread

    def _run(self) -> None:
        try:
            self._look()
            # Imported here: the window is painted before any of it is needed
            import asyncio

            with asyncio.Runner() as runner:
                runner.run(self._serve())
        except Exception:  # noqa: BLE001  edge of the thread: nobody else would see it
            self._report(traceback.format_exc())
        finally:
            self._post(self._on_thread_ended)

    def _look(self) -> None:
        if self._look_first and not self._closing:
            try:
                found = self._look_first(self._keys)
            except UserError as error:
                # Building the desk meets it again, and tells it
                _log.info("first look: %s", error)
            else:
                shown = threading.Event()
                self._post(partial(self.looked.emit, found))
                self._post(shown.set)
                # The imports that follow would fight with the window for the interpreter
                shown.wait(_SHOWN_LIMIT_S)

    async def _serve(self) -> None:
        import asyncio

        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._on_loop_error)
        self._stop = asyncio.Event()
        try:
            desk = self._desk_factory()
        except UserError as error:
            self._post(partial(self.unusable.emit, error))
            return
        desk.listen(self._on_notice)
        self._desk = desk
        self._post(partial(self._on_built, loop))
        try:
            await self._stop.wait()
        finally:
            await self._end(desk)

    async def _end(self, desk: Desk) -> None:
        import asyncio

        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1.0)
        try:
            async with asyncio.timeout(CLOSE_LIMIT_S):
                await desk.close()
        except TimeoutError:
            _log.warning("the desk was not closed within %.0f s; it is left behind", CLOSE_LIMIT_S)
        except UserError as error:
            _log.warning("closing the desk: %s", error)

    def _ask_stop(self) -> None:
        if self._stop:
            self._stop.set()

    def _track(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        import asyncio

        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._on_task_done)
        return task

    def _on_task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error:
            self._report("".join(traceback.format_exception(error)))

    def _on_loop_error(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        shown = "".join(traceback.format_exception(error)) if error else ""
        self._report(f"{context.get('message', 'unhandled error')}\n{shown}")

    def _on_notice(self, notice: Notice) -> None:
        self._post(lambda: self.notice.emit(notice))

    def _report(self, text: str) -> None:
        self._post(lambda: self.bug.emit(text))
