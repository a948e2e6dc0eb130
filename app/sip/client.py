"""The parent's end of one engine: start it, ask it, hear from it, lose it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from app.errors import EngineError
from app.sip.child import Child, ChildOutcome, Role
from app.sip.messages import (
    PROTOCOL_VERSION,
    Answer,
    Bug,
    Capabilities,
    Command,
    Event,
    FromEngine,
    Hello,
    Refused,
    Request,
    Stop,
)
from app.sip.wire import LineDecoder, WireError, encode

READY_LIMIT_S = 15.0
"""Seconds from the start of a process to its hello; a cold disk and a virus scanner take their time."""
ANSWER_LIMIT_S = 10.0
"""Seconds for the one answer to a command; none of them waits for the network."""


class EngineBugError(Exception):
    """An engine failed in a way that no setting explains: our fault."""


class EngineClient:
    """One engine process; all methods and callbacks belong to one event loop.

    Args:
        on_event: Gets every event after the hello.
        on_end: Gets the outcome when the process has ended, asked or not.
        on_log: Gets every line of the engine's standard error.

    Attributes:
        capabilities: What the engine can do; None before `start` has returned.
    """

    def __init__(
        self,
        *,
        on_event: Callable[[Event], None],
        on_end: Callable[[ChildOutcome], None],
        on_log: Callable[[str], None] | None = None,
    ) -> None:
        self._on_event = on_event
        self._on_end = on_end
        self._child = Child(Role.ENGINE, on_line=self._on_line, on_end=self._ended, on_log=on_log)
        self._decoder: LineDecoder[FromEngine] = LineDecoder(FromEngine)
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._last_id = 0
        self._ready: asyncio.Future[Hello] | None = None
        self._broken = ""
        self.capabilities: Capabilities | None = None

    @property
    def pid(self) -> int:
        """The engine's process id."""
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether the process is up."""
        return self.capabilities is not None and self._child.outcome is None

    async def start(self, limit_s: float = READY_LIMIT_S) -> Capabilities:
        """Start the process and wait for its hello.

        Raises:
            EngineError: It did not start within the limit, ended, or is of another version; nothing is
                left running then, nor when this is cancelled.
        """
        self._ready = asyncio.get_running_loop().create_future()
        try:
            await self._child.start()
            self.capabilities = await self._greeted(self._ready, limit_s)
        finally:
            if self.capabilities is None:
                self._ready.cancel()
                self._child.kill()
                await self._child.stop(b"")
        return self.capabilities

    async def _greeted(self, ready: asyncio.Future[Hello], limit_s: float) -> Capabilities:
        try:
            # Not wait_for: in Python 3.11 it swallows a cancellation that comes together with the answer
            async with asyncio.timeout(limit_s):
                hello = await ready
        except TimeoutError:
            raise EngineError(
                f"The engine did not get ready within {limit_s:g} seconds.",
                do="Try again; if it stays so, restart the computer.",
            ) from None
        if hello.protocol != PROTOCOL_VERSION:
            raise EngineError(
                f"The engine speaks version {hello.protocol}, this program version {PROTOCOL_VERSION}.",
                do="Install Ringback again; two versions have been mixed.",
            )
        return hello.capabilities

    async def request(self, command: Command, limit_s: float = ANSWER_LIMIT_S) -> None:
        """Send a command and wait for its answer.

        Raises:
            EngineError: The engine refused it, ended, or did not answer within the limit.
            EngineBugError: The engine failed in a way that is our fault.
        """
        if self._child.outcome is not None:
            raise self._gone(self._child.outcome)
        self._last_id += 1
        request = Request(id=self._last_id, command=command)
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[request.id] = future
        try:
            self._child.send(encode(request))
            async with asyncio.timeout(limit_s):
                answer = await future
        except TimeoutError:
            self._child.kill()
            raise EngineError(
                f"The engine did not answer within {limit_s:g} seconds and was ended.", do="Connect again."
            ) from None
        finally:
            self._waiting.pop(request.id, None)
        match answer.result:
            case Refused(what=what, do=do, details=details):
                raise EngineError(what, do=do, details=details)
            case Bug(details=details):
                raise EngineBugError(details)

    async def stop(self) -> ChildOutcome | None:
        """Ask the engine to hang up, unregister and end; terminate and kill it if it does not."""
        self._last_id += 1
        return await self._child.stop(encode(Request(id=self._last_id, command=Stop())))

    def _on_line(self, line: bytes) -> None:
        try:
            message = self._decoder.decode(line)
        except WireError as error:
            self._broken = str(error)
            self._child.kill()
            return
        match message:
            case Answer(id=id_):
                future = self._waiting.get(id_)
                if future is not None and not future.done():
                    future.set_result(message)
            case Hello():
                if self._ready is not None and not self._ready.done():
                    self._ready.set_result(message)
            case _:
                self._on_event(message)

    def _ended(self, outcome: ChildOutcome) -> None:
        error = self._gone(outcome)
        for future in (self._ready, *self._waiting.values()):
            if future is not None and not future.done():
                future.set_exception(error)
        self._on_end(outcome)

    def _gone(self, outcome: ChildOutcome) -> EngineError:
        details = "\n".join(outcome.log_tail)
        if self._broken:
            return EngineError(
                "The engine said something that Ringback does not understand, and was ended.",
                do="Connect again; if it stays so, install Ringback again.",
                details=f"{self._broken}\n{details}",
            )
        return EngineError(str(outcome), do="Connect again.", details=details)
