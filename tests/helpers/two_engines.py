"""Two real engines that call each other directly."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from app.model.call import CallState, Source
from app.model.trunk import SignIn
from app.sip.notices import CallProgress
from app.sip.session import TrunkSession
from tests.engine.far_end import far_end, granted
from tests.engine.waiting import until
from tests.helpers.sip_client import Message
from tests.helpers.trunks import Seen, make_trunk, session

PASSWORD = "canary-5f0c-kept-out-of-sight"


class Side(NamedTuple):
    """One engine.

    Attributes:
        session: Its trunk at work.
        seen: What it told.
        call_id: Its call.
    """

    session: TrunkSession
    seen: Seen
    call_id: str


def _registrar(request: Message) -> Sequence[str]:
    return granted(request) if request.start_line.startswith("REGISTER") else ("486 Busy Here",)


@asynccontextmanager
async def reachable(seen: Seen | None = None, **changes: Any) -> AsyncIterator[tuple[TrunkSession, int]]:
    """An engine that can be called, and its port."""
    async with (
        far_end(_registrar) as far,
        session(make_trunk(far.port, **changes), PASSWORD, seen) as called,
    ):
        await called.connect()
        found = re.search(r"@127\.0\.0\.1:(\d+)", far.of("REGISTER")[0].one("Contact"))
        assert found
        yield called, int(found[1])


async def incoming(seen: Seen, nth: int = 0) -> CallProgress:
    """The nth call that came in."""
    calls = await until(
        lambda: [n for n in seen.of(CallProgress) if n.state is CallState.INCOMING][nth:], "the call"
    )
    assert isinstance(calls[0], CallProgress)
    return calls[0]


async def answered(seen: Seen, call_id: str) -> None:
    """Wait until a call is answered."""
    await until(
        lambda: any(n.state is CallState.ANSWERED and n.call_id == call_id for n in seen.of(CallProgress)),
        "the answer",
    )


@asynccontextmanager
async def talking(
    caller: dict[str, Any] | None = None,
    called: dict[str, Any] | None = None,
    *,
    caller_source: Source = Source.TONE,
    called_source: Source = Source.TONE,
    seconds: float = 60.0,
) -> AsyncIterator[tuple[Side, Side]]:
    """A call that is answered: the caller's side and the called one; the fields change their trunks."""
    caller_seen, called_seen = Seen(), Seen()
    async with reachable(called_seen, **(called or {})) as (answering, port):
        trunk = make_trunk(port, **{"sign_in": SignIn.ADDRESS, "user": "1002", **(caller or {})})
        async with session(trunk, "", caller_seen) as calling:
            await calling.connect()
            outgoing = await calling.place_call(
                "1001", max_seconds=seconds, ring_seconds=10, source=caller_source
            )
            ringing = await incoming(called_seen)
            await answering.control.answer(ringing.call_id, max_seconds=seconds, source=called_source)
            await answered(caller_seen, outgoing)
            await answered(called_seen, ringing.call_id)
            yield (
                Side(calling, caller_seen, outgoing),
                Side(answering, called_seen, ringing.call_id),
            )
