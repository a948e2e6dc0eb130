"""A real engine in a process of its own, driven from a test that does not run an event loop."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from app.model.call import CallState
from app.model.outcome import TraceMessage
from app.sip.child import ChildOutcome
from app.sip.client import EngineClient
from app.sip.messages import (
    CallChanged,
    CloseAccount,
    Command,
    Event,
    OpenAccount,
    PlaceCall,
    Register,
    Traced,
)
from tests.engine_edge.servers import LIMIT_S

E = TypeVar("E", bound=Event)

CALL = "call-a"
"""Our id of the call that `place` begins."""


class Phone:
    """An engine and its events.

    Attributes:
        trace: Every message that it said passed.
    """

    def __init__(self) -> None:
        self.trace: list[TraceMessage] = []
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._ended: queue.SimpleQueue[ChildOutcome] = queue.SimpleQueue()
        self._outcome: ChildOutcome | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._client = EngineClient(on_event=self._on_event, on_end=self._ended.put)

    def _on_event(self, event: Event) -> None:
        if isinstance(event, Traced):
            self.trace.append(event.message)
        else:
            self._events.put(event)

    def start(self, settings: OpenAccount) -> None:
        """Start the engine and open an account."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._client.start(), self._loop).result(30)
        self.do(settings)

    def do(self, command: Command) -> None:
        """Have a command carried out."""
        asyncio.run_coroutine_threadsafe(self._client.request(command), self._loop).result(LIMIT_S)

    def register(self) -> None:
        """Sign in."""
        self.do(Register(limit_s=LIMIT_S))

    def place(self, user: str = "echo") -> None:
        """Place a call."""
        self.do(PlaceCall(call_id=CALL, user=user, max_seconds=60, ring_seconds=60))

    def expect(self, kind: type[E], where: Callable[[E], bool] = lambda _: True) -> E:
        """The next event of that kind for which `where` holds; others are passed over."""
        while True:
            event = self._events.get(timeout=LIMIT_S)
            if isinstance(event, kind) and where(event):
                return event

    def expect_call(self, state: CallState) -> CallChanged:
        """The next time that a call reaches this state."""
        return self.expect(CallChanged, lambda event: event.state is state)

    def starts(self) -> list[str]:
        """The first lines of the trace."""
        return [message.text.partition("\r\n")[0] for message in self.trace]

    def end(self) -> ChildOutcome:
        """End the engine as the program does."""
        if self._outcome is None:
            asyncio.run_coroutine_threadsafe(self._client.stop(), self._loop).result(30)
            self._outcome = self._ended.get(timeout=LIMIT_S)
        return self._outcome

    def close(self) -> None:
        """End everything; the engine must not have died of anything."""
        try:
            if self._outcome is None:
                # Nobody answers any more: an engine that is registered would wait for that
                self.do(CloseAccount())
            outcome = self.end()
            assert (outcome.exit_code, outcome.signal_name) == (0, ""), outcome.log_tail
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(LIMIT_S)
            self._loop.close()


@contextmanager
def phone_at(settings: OpenAccount) -> Iterator[Phone]:
    """An engine with this account."""
    phone = Phone()
    try:
        phone.start(settings)
        yield phone
    finally:
        phone.close()
