"""The parent's end of one engine: start it, ask it, hear from it, lose it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from msgspec.structs import replace

from app.errors import EngineError
from app.model.outcome import Direction, LocalCause, TraceMessage
from app.model.signalling import LONGEST_TEXT
from app.sip.child import Child, ChildOutcome, GivenMessage, Role, not_understood
from app.sip.fingerprint import fingerprint
from app.sip.messages import (
    PROTOCOL_VERSION,
    Answer,
    Bug,
    Capabilities,
    Command,
    Event,
    FromEngine,
    Hello,
    Ping,
    Refused,
    Request,
    Stop,
    Traced,
)
from app.sip.messages.faults import read_in_part
from app.sip.wire import LineDecoder, WireError, encode

READY_LIMIT_S = 15.0
"""Seconds from the start of a process to its hello; a cold disk and a virus scanner take their time."""
ANSWER_LIMIT_S = 10.0
"""Seconds for the one answer to a command; none of them waits for the network."""
PULSE_EVERY_S = 3.0
"""Seconds between two questions whether the engine still runs."""
BLAME_S = 2.5
"""An engine that ends so soon after a message, seconds, was probably ended by it."""
_LOOKS = 4
"""How often a limit is looked at on its way: a computer that slept, or a parent that was stopped, has then
missed one look, and not the whole limit."""


class EngineBugError(Exception):
    """An engine failed in a way that no setting explains: our fault."""


class EngineRefusedError(EngineError):
    """The engine lives and would not carry out a command.

    Args:
        refused: Its answer.
    """

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.what, do=refused.do, details=refused.details)
        self.local_cause: LocalCause = refused.local_cause


class EngineLostError(EngineError):
    """The engine has ended.

    Args:
        outcome: How.
        do, details: As in `UserError`.
    """

    def __init__(self, outcome: ChildOutcome, *, do: str = "Connect again.", details: str = "") -> None:
        super().__init__(str(outcome), do=do, details=details or "\n".join(outcome.log_tail))
        self.outcome = outcome


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
        self._pulse: asyncio.Task[None] | None = None
        self._given: tuple[float, TraceMessage] | None = None
        self._end: ChildOutcome | None = None
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

    async def start(self, limit_s: float | None = None) -> Capabilities:
        """Start the process and wait for its hello.

        Args:
            limit_s: Seconds for that; `READY_LIMIT_S` if not given.

        Raises:
            EngineError: It did not start within the limit, ended, or is of another version; nothing is
                left running then, nor when this is cancelled.
        """
        self._ready = asyncio.get_running_loop().create_future()
        try:
            await self._child.start()
            self.capabilities = await self._greeted(
                self._ready, READY_LIMIT_S if limit_s is None else limit_s
            )
        finally:
            if self.capabilities is None:
                self._ready.cancel()
                self._child.kill()
                await self._child.stop(b"")
        self._pulse = asyncio.create_task(self._feel_pulse())
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

    async def request(self, command: Command, limit_s: float | None = None) -> None:
        """Send a command and wait for its answer.

        Args:
            command: What to do.
            limit_s: Seconds for the answer; `ANSWER_LIMIT_S` if not given.

        Raises:
            EngineRefusedError: The engine would not do it.
            EngineLostError: The engine has ended.
            EngineError: It did not answer within the limit, and was ended; or the command can't be sent.
            EngineBugError: The engine failed in a way that is our fault.
        """
        limit_s = ANSWER_LIMIT_S if limit_s is None else limit_s
        answer = await self._answer(command, limit_s)
        if answer is None:
            why = f"The engine did not answer within {limit_s:g} seconds and was ended."
            self._child.kill(why)
            raise EngineError(why, do="Connect again.")
        match answer.result:
            case Refused():
                raise EngineRefusedError(answer.result)
            case Bug(details=details):
                raise EngineBugError(details)

    async def _answer(self, command: Command, limit_s: float) -> Answer | None:
        """The answer to a command, None when none came within the limit."""
        if self._child.outcome is not None:
            raise self._gone(self._how_it_ended(self._child.outcome))
        self._last_id += 1
        request = Request(id=self._last_id, command=command)
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[request.id] = future
        try:
            self._child.send(encode(request))
            for _ in range(_LOOKS):
                await asyncio.wait({future}, timeout=limit_s / _LOOKS)
                if future.done():
                    return future.result()
        except WireError as error:
            raise EngineError("This can't be sent to the engine.", details=str(error)) from None
        finally:
            self._waiting.pop(request.id, None)
            if not future.cancel():
                future.exception()  # looked at, whoever else was cancelled in the same moment
        return None

    async def _feel_pulse(self) -> None:
        """Notice an engine that has stopped doing anything: it would answer nothing and end no call."""
        while self._child.outcome is None:
            await asyncio.sleep(PULSE_EVERY_S)
            try:
                alive = await self._answer(Ping(), ANSWER_LIMIT_S) is not None
            except EngineError:
                return  # it has ended, and `_ended` says so
            if not alive:
                self._child.kill(
                    f"The engine stopped responding for {ANSWER_LIMIT_S:g} seconds and was ended."
                )
                return

    def end(self, why: str) -> None:
        """End the process at once, because it broke a rule; `why` is the sentence that people are shown."""
        self._child.kill(why)

    async def stop(self) -> ChildOutcome | None:
        """Ask the engine to hang up, unregister and end; terminate and kill it if it does not."""
        self._stop_pulse()
        self._last_id += 1
        return await self._child.stop(encode(Request(id=self._last_id, command=Stop())))

    def _stop_pulse(self) -> None:
        if self._pulse is not None:
            self._pulse.cancel()
            self._pulse = None

    def _on_line(self, line: bytes) -> None:
        try:
            message: FromEngine | None = self._decoder.decode(line)
        except WireError as error:
            message = read_in_part(line, str(error))
            self._broken = str(error) if message is None else self._broken
        match message:
            case None:
                self._child.kill(not_understood(Role.ENGINE))
            case Answer(id=id_):
                future = self._waiting.get(id_)
                if future is not None and not future.done():
                    future.set_result(message)
            case Hello():
                if self._ready is not None and not self._ready.done():
                    self._ready.set_result(message)
            case _:
                if isinstance(message, Traced) and message.message.direction is Direction.IN:
                    self._given = time.monotonic(), message.message
                self._on_event(message)

    def _ended(self, outcome: ChildOutcome) -> None:
        self._stop_pulse()
        outcome = self._how_it_ended(outcome)
        error = self._gone(outcome)
        for future in (self._ready, *self._waiting.values()):
            if future is not None and not future.done():
                future.set_exception(error)
        self._on_end(outcome)

    def _how_it_ended(self, outcome: ChildOutcome) -> ChildOutcome:
        """The child's outcome, with the message that may have ended it; found once."""
        if self._end is None:
            self._end = outcome
            if self._given is not None and outcome.by_itself:
                at, message = self._given
                if time.monotonic() - at <= BLAME_S:
                    self._end = replace(outcome, last_message=_given(message))
        return self._end

    def _gone(self, outcome: ChildOutcome) -> EngineLostError:
        if not self._broken:
            return EngineLostError(outcome)
        details = "\n".join((self._broken, *outcome.log_tail))
        do = "Connect again; if it stays so, install Ringback again."
        return EngineLostError(outcome, do=do, details=details)


def _given(message: TraceMessage) -> GivenMessage:
    start = message.text.lstrip("\r\n").split("\n", 1)[0].rstrip("\r")
    return GivenMessage(start=start[:LONGEST_TEXT], peer=message.peer, fingerprint=fingerprint(message.text))
