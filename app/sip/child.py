"""A child process of ours: how it is started, spoken to, stopped and, when it dies, explained."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

import msgspec

from app.errors import EngineError
from app.model.typed import shown
from app.sip.wire import MAX_LINE_BYTES

T = TypeVar("T")

LOG_TAIL_LINES = 20
MAX_LOG_LINE_BYTES = 4096
"""Longer lines of standard error are cut off."""


class Role(StrEnum):
    """What this executable can be told to be with `--role`."""

    ENGINE = "engine"
    CARRIER = "carrier"


def child_command(role: Role) -> list[str]:
    """The command line that starts this program in another role, frozen or not."""
    if getattr(sys, "frozen", False):
        return [sys.executable, "--role", role]
    # Without the docstrings of PJSIP's wrapper an engine is 0.6 MB smaller
    options = ["-OO"] if role is Role.ENGINE else []
    return [sys.executable, *options, "-m", "app", "--role", role]


class GivenMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The SIP message that an engine was given just before it ended.

    Attributes:
        start: Its start line as received.
        peer: `address:port` that sent it.
        fingerprint: By which it is known again, see `app.sip.fingerprint`.
    """

    start: str
    peer: str
    fingerprint: str


# From outside, or at a person's wish: not the child's own end
_FROM_OUTSIDE = frozenset({"SIGKILL", "SIGTERM", "SIGINT", "SIGHUP"})


class ChildOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a child ended.

    Attributes:
        role: What it was.
        exit_code: Its exit code, None when a signal ended it.
        signal_name: For example `SIGKILL`, else empty.
        asked: Whether we had asked it to stop.
        log_tail: The last lines it wrote to standard error.
        why: Why we ended it without asking, one sentence; empty when we did not.
        last_message: For an engine that ended by itself, what it had been given just before.
    """

    role: Role
    exit_code: int | None
    signal_name: str
    asked: bool
    log_tail: tuple[str, ...] = ()
    why: str = ""
    last_message: GivenMessage | None = None

    @property
    def by_itself(self) -> bool:
        """Whether it failed: neither asked to end nor ended by somebody."""
        ended_well = self.exit_code == 0 or self.signal_name in _FROM_OUTSIDE
        return not (self.asked or self.why or ended_well)

    def __str__(self) -> str:
        """A sentence or two for people."""
        if self.why:
            return self.why
        if self.signal_name:
            how = f"The {self.role} was ended by {self.signal_name}."
        elif self.exit_code == 0:
            how = f"The {self.role} ended."
        else:
            how = f"The {self.role} ended with exit code {self.exit_code}."
        if self.last_message is None:
            return how
        start, peer = shown(self.last_message.start), self.last_message.peer
        return f"{how} The last message it got was {start} from {peer}."


def not_understood(role: Role) -> str:
    """Why a child is ended that sends something else than messages of this version."""
    return f"The {role} said something that Ringback does not understand, and was ended."


def _outcome(role: Role, code: int, asked: bool, tail: deque[str], why: str) -> ChildOutcome:
    name = ""
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
    return ChildOutcome(
        role=role,
        exit_code=None if code < 0 else code,
        signal_name=name,
        asked=asked,
        log_tail=tuple(tail),
        why="" if asked else why,
    )


class Child:
    """One running child; all methods belong to the event loop that started it.

    The loop itself calls the callbacks, so that an error in one does not end the reading.

    Args:
        role: Engine or carrier.
        on_line: Gets every line of the wire, without its newline.
        on_end: Gets the outcome, once, after the last line.
        on_log: Gets every line of standard error.
    """

    def __init__(
        self,
        role: Role,
        *,
        on_line: Callable[[bytes], None],
        on_end: Callable[[ChildOutcome], None],
        on_log: Callable[[str], None] | None = None,
    ) -> None:
        self._role = role
        self._on_line = on_line
        self._on_end = on_end
        self._on_log = on_log
        self._tail: deque[str] = deque(maxlen=LOG_TAIL_LINES)
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self._asked = False
        self._why = ""
        self.outcome: ChildOutcome | None = None

    @property
    def pid(self) -> int:
        """Process id; 0 before the start."""
        return self._process.pid if self._process else 0

    async def start(self) -> None:
        """Start the process.

        Raises:
            EngineError: The system would not start it.
        """
        spawning = asyncio.create_task(self._spawn())
        try:
            self._process = await _to_the_end(spawning)
        except OSError as error:
            raise EngineError(
                f"The {self._role} could not be started: {error.strerror or error}.",
                do="Close other programs to free memory, or install Ringback again.",
                details=str(error),
            ) from error
        except asyncio.CancelledError:
            if not spawning.cancelled() and spawning.exception() is None:
                self._attend(spawning.result())
                self.kill()
                await self.stop(b"")
            raise
        self._attend(self._process)

    async def _spawn(self) -> asyncio.subprocess.Process:
        flags = getattr(subprocess, "CREATE_NO_WINDOW", 0) | getattr(
            subprocess, "CREATE_NEW_PROCESS_GROUP", 0
        )
        return await asyncio.create_subprocess_exec(
            *child_command(self._role),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            limit=MAX_LINE_BYTES,
            # Ctrl-C in a terminal is for the parent, which then unregisters and ends its children
            start_new_session=sys.platform != "win32",
            creationflags=flags,
        )

    def _attend(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._watch = asyncio.create_task(self._watch_process(process))

    def send(self, line: bytes) -> None:
        """Write one line to the child; a child that is gone is told by `on_end`, not here."""
        if self._process and self._process.stdin and not self._process.stdin.is_closing():
            self._process.stdin.write(line)

    async def stop(self, ask: bytes, *, ask_s: float = 4.0, terminate_s: float = 1.0) -> ChildOutcome | None:
        """Ask, then terminate, then kill, each with a limit in seconds; returns how it ended.

        Who is cancelled while it waits here is cancelled once the process has ended, and not before: else
        nobody would be left who ends it.
        """
        if not (self._process and self._watch):
            return None
        self._asked = True
        with contextlib.suppress(ConnectionError):
            self.send(ask)
            if self._process.stdin:
                self._process.stdin.close()
        return await _to_the_end(
            asyncio.create_task(self._end(self._process, self._watch, ask_s, terminate_s))
        )

    async def _end(
        self,
        process: asyncio.subprocess.Process,
        watch: asyncio.Task[None],
        ask_s: float,
        terminate_s: float,
    ) -> ChildOutcome | None:
        for act, limit in ((None, ask_s), (process.terminate, terminate_s), (process.kill, 5.0)):
            if self.outcome is None and act:
                with contextlib.suppress(ProcessLookupError):
                    act()
            await asyncio.wait({watch}, timeout=limit)
            if watch.done():
                break
        return self.outcome

    def kill(self, why: str = "") -> None:
        """End the process at once, for a child that broke a rule; also one that is stopped or hangs.

        Args:
            why: The rule, one sentence for people; the first one stays.
        """
        if self._process and self.outcome is None:
            self._why = self._why or why
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def _watch_process(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout
        assert process.stderr
        loop = asyncio.get_running_loop()
        logs = asyncio.create_task(self._read_log(process.stderr))
        try:
            while True:
                try:
                    line = await process.stdout.readuntil(b"\n")
                except asyncio.IncompleteReadError:
                    break
                except asyncio.LimitOverrunError:
                    self._tail.append(f"the wire broke: a line of more than {MAX_LINE_BYTES} bytes")
                    self.kill(not_understood(self._role))
                    break
                except ConnectionError as error:
                    self._tail.append(f"the wire broke: {error}")
                    self.kill()
                    break
                loop.call_soon(self._on_line, line[:-1])
            # A grandchild may hold standard error open, so its end is not waited for without a limit, and
            # asyncio's own wait() is for both, the process and its pipes
            while process.returncode is None:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), 0.5)
            await asyncio.wait({logs}, timeout=1.0)
        except asyncio.CancelledError:
            # The loop is being closed, and after this nobody is left who could end the process
            self.kill()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), 1.0)
            raise
        finally:
            logs.cancel()
        code = process.returncode
        self.outcome = _outcome(self._role, code, self._asked, self._tail, self._why)
        loop.call_soon(self._on_end, self.outcome)

    async def _read_log(self, stream: asyncio.StreamReader) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                raw = await stream.readuntil(b"\n")
            except asyncio.IncompleteReadError as error:
                raw = error.partial
                if not raw:
                    return
            except asyncio.LimitOverrunError:
                # Somebody prints without line ends; not to read it would stop the child
                raw = await stream.read(MAX_LOG_LINE_BYTES)
            except ConnectionError:
                return
            line = raw[:MAX_LOG_LINE_BYTES].decode("utf-8", "replace").rstrip()
            self._tail.append(line)
            if self._on_log:
                loop.call_soon(self._on_log, line)


async def _to_the_end(task: asyncio.Task[T]) -> T:
    """Wait until a task is done, even when the one who waits is cancelled; that is raised afterwards."""
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    return task.result()
