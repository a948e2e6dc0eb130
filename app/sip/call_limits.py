"""The parent's own limits for calls: an engine that hangs ends none, and the person pays for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from app.errors import EngineError
from app.model.call import CallState
from app.model.call_length import LONGEST_CALL_SECONDS, LONGEST_RING_SECONDS
from app.model.outcome import Direction
from app.sip.client import EngineBugError, EngineRefusedError
from app.sip.messages import CallChanged

MARGIN_S = 3.0
"""Seconds that the engine has after its own limit to end a call and say so."""
HANG_UP_LIMIT_S = 5.0
"""Seconds for its answer when it is asked to hang up after that."""
LAST_WORD_S = 8.0
"""Seconds from then to the end of an answered call."""
CANCEL_S = 40.0
"""Seconds for the end of a call that was not answered: without any response PJSIP waits 32 s (RFC 3261
section 17.1.1.2, timer B) before it gives up a cancelled INVITE."""


class CallLimits:
    """Follows the calls of one engine; belongs to one event loop.

    Args:
        hang_up: Asks the engine to end a call within a limit, seconds; raises as `EngineClient.request`.
        unknown: Told of a call that the engine does not know any more.
        end_engine: Ends the engine, for a reason that people are shown; its calls end with it.
    """

    def __init__(
        self,
        *,
        hang_up: Callable[[str, float], Awaitable[None]],
        unknown: Callable[[str], None],
        end_engine: Callable[[str], None],
    ) -> None:
        self._hang_up = hang_up
        self._unknown = unknown
        self._end_engine = end_engine
        self._max_s: dict[str, float] = {}
        self._watches: dict[str, asyncio.Task[None]] = {}
        self._answered: set[str] = set()

    def begin(self, call_id: str, *, ring_seconds: float, max_seconds: float) -> None:
        """A call goes out, or one that came in may last so long once it is answered."""
        self._max_s[call_id] = max_seconds
        self._watch(call_id, ring_seconds)

    def accept(self, call_id: str, max_seconds: float) -> None:
        """A call that came in is answered by the person."""
        self._max_s[call_id] = max_seconds

    def leave(self, call_id: str) -> None:
        """The end of a call was asked for: it must come soon."""
        if call_id in self._watches:
            self._watch(call_id, 0.0)

    def follow(self, event: CallChanged) -> None:
        """A call reached another state."""
        call_id = event.call_id
        if event.state is CallState.ENDED:
            self.drop(call_id)
        elif event.state is CallState.ANSWERED and call_id not in self._answered:
            self._answered.add(call_id)
            self._watch(call_id, self._max_s.get(call_id, LONGEST_CALL_SECONDS))
        elif event.direction is Direction.IN and call_id not in self._watches:
            self._watch(call_id, LONGEST_RING_SECONDS)

    def drop(self, call_id: str) -> None:
        """A call is over, or never was."""
        self._max_s.pop(call_id, None)
        self._answered.discard(call_id)
        watch = self._watches.pop(call_id, None)
        if watch is not None and watch is not asyncio.current_task():
            watch.cancel()

    def clear(self) -> None:
        """All calls are over."""
        for call_id in list(self._watches):
            self.drop(call_id)

    def _watch(self, call_id: str, seconds: float) -> None:
        former = self._watches.get(call_id)
        if former is not None:
            former.cancel()
        self._watches[call_id] = asyncio.create_task(self._end(call_id, seconds))

    async def _end(self, call_id: str, seconds: float) -> None:
        await asyncio.sleep(seconds + MARGIN_S)
        try:
            await self._hang_up(call_id, HANG_UP_LIMIT_S)
        except EngineRefusedError:
            self._unknown(call_id)  # its end was lost on the way
            return
        except EngineError:
            return  # the engine was ended, and with it the call
        except EngineBugError:
            pass
        await asyncio.sleep(LAST_WORD_S if call_id in self._answered else CANCEL_S)
        self._end_engine("The engine did not end a call at its limit and was ended.")
