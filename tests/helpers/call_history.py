"""A history of calls on a real store, and notices for it as sessions send them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from msgspec.structs import replace

from app.errors import UserError
from app.history.calls import CallHistory
from app.model.call import CallState
from app.model.history import HistoryDetails, HistoryEntry, HistoryQuery
from app.model.outcome import AnsweredBy, CallOutcome, CallResult, Direction, HungUpBy
from app.model.trunk import Trunk
from app.paths import Paths
from app.sip.notices import CallEnded, CallProgress, Notice, TraceAdded
from app.store import Store
from tests.helpers.calls import PLAN, message

ALL = HistoryQuery()
TRUNK = Trunk(id="office", name="Main office", host="sip.example.com", user="100", country="DE")
TRIAL = replace(TRUNK, id="trial", name="New trunk")
CALL_ID = "abc@192.0.2.1"


class Log:
    """A history and what it tells."""

    def __init__(self, paths: Paths) -> None:
        self.told: list[Notice] = []
        self.store = Store.open(paths)
        self.history = CallHistory(self.store, self.told.append, self._trunk, lambda each: each == "trial")
        self.trunks = {TRUNK.id: TRUNK, TRIAL.id: TRIAL}

    def _trunk(self, trunk_id: str) -> Trunk:
        if trunk_id not in self.trunks:
            raise UserError("That trunk has been removed.")
        return self.trunks[trunk_id]

    def take(self, *notices: Notice) -> None:
        """Have the calls do this."""
        for notice in notices:
            self.history.log.take(notice)

    async def all(self) -> tuple[HistoryEntry, ...]:
        """What is in the history, the newest first."""
        return await self.history.page(ALL)

    async def only(self) -> HistoryDetails:
        """The one call that is in the history."""
        (found,) = await self.all()
        whole = await self.history.details(found.id)
        assert whole
        return whole

    def place(
        self,
        number: str = "+4930123456",
        call_id: str = "call-1",
        trunk: Trunk = TRUNK,
        before: Notice | None = None,
        fail: Exception | None = None,
    ) -> None:
        """Place a call; `before` is what happens meanwhile, `fail` what placing it raises in the end."""
        with self.history.log.outgoing(trunk, number, PLAN) as begin:
            if call_id:
                begin(call_id, number.lstrip("+"))
            if before:
                self.take(before)
            if fail:
                raise fail


@asynccontextmanager
async def log(paths: Paths) -> AsyncIterator[Log]:
    """A history that is closed whatever happens."""
    made = Log(paths)
    try:
        yield made
    finally:
        await made.history.close()
        made.store.close()


def run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run it with a limit."""
    asyncio.run(asyncio.wait_for(work(), 60))


def progress(state: CallState = CallState.CALLING, **changes: Any) -> CallProgress:
    """What a session tells of an outgoing call."""
    usual = CallProgress(
        trunk_id="office",
        call_id="call-1",
        direction=Direction.OUT,
        state=state,
        number="+4930123456",
        sip_call_id=CALL_ID,
    )
    return replace(usual, **changes)


def ended(**changes: Any) -> CallEnded:
    """The end of a call that was answered; `changes` are fields of its outcome."""
    usual = CallOutcome(
        trunk="Main office",
        number="+4930123456",
        dialled="4930123456",
        result=CallResult.ANSWERED,
        sip_code=200,
        reason="OK",
        answered_by=AnsweredBy.NETWORK,
        duration_s=3.0,
        hung_up_by=HungUpBy.THEM,
        sip_call_id=CALL_ID,
    )
    return CallEnded(
        trunk_id="office", call_id="call-1", direction=Direction.OUT, outcome=replace(usual, **changes)
    )


def sip(start: str, method: str = "INVITE", *, call_id: str = CALL_ID, head: str = "") -> TraceAdded:
    """A SIP message of that call, or of another by `call_id`; `head` is lines with their ends."""
    text = f"{start}\r\nCall-ID: {call_id}\r\nCSeq: 1 {method}\r\n{head}\r\n"
    return TraceAdded(trunk_id="office", message=message(text))


INVITE = sip("INVITE sip:4930123456@sip.example.com SIP/2.0")
