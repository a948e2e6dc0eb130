"""Calls between a real engine and a scripted far end, brought to where a test begins."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from app.model.call import CallState, Source
from app.model.trunk import SignIn
from app.sip.notices import CallEnded, CallHold, CallProgress
from app.sip.session import TrunkSession
from tests.engine.rtp import Talker, talking_at
from tests.engine.scripted import Dialog, Scripted, rtp_target, scripted, sdp
from tests.engine.waiting import until
from tests.helpers.sip_client import Message
from tests.helpers.trunks import Seen, make_trunk, session

SECONDS = 100.0


class Scene(NamedTuple):
    """An engine and its far end.

    Attributes:
        far: The far end.
        session: The trunk at work.
        seen: What it told.
        talker: The far end's sound, 700 Hz.
    """

    far: Scripted
    session: TrunkSession
    seen: Seen
    talker: Talker

    def states(self, call_id: str) -> list[CallState]:
        """The states that a call was told to reach."""
        return [n.state for n in self.seen.of(CallProgress) if n.call_id == call_id]

    def holds(self) -> list[tuple[bool, bool]]:
        """Who was told to hold, us and them, without what did not work."""
        return [(n.by_us, n.by_them) for n in self.seen.of(CallHold) if not n.trouble]

    def hold_troubles(self) -> list[str]:
        """Why holds did not come about."""
        return [n.trouble for n in self.seen.of(CallHold) if n.trouble]

    async def until_state(self, call_id: str, state: CallState) -> None:
        """Wait until a call has reached a state."""
        await until(lambda: state in self.states(call_id), f"{call_id} to be {state}")

    async def ended(self, call_id: str, seconds: float = 10.0) -> CallEnded:
        """Wait for a call's end."""
        found = await until(
            lambda: [n for n in self.seen.of(CallEnded) if n.call_id == call_id], "the end", seconds
        )
        assert isinstance(found[0], CallEnded)
        return found[0]

    async def place(self, number: str = "600", source: Source = Source.TONE) -> tuple[str, Message]:
        """Place a call; gives its id and its INVITE."""
        call_id = await self.session.place_call(
            number, max_seconds=SECONDS, ring_seconds=SECONDS, source=source
        )
        return call_id, await self.far.next("INVITE")

    async def call_out(
        self, *headers: str, number: str = "600", tag: str = "far", talker: Talker | None = None
    ) -> tuple[str, Dialog]:
        """A call of ours that the far end has answered with PCMU only and these headers."""
        talker = talker or self.talker
        call_id, invite = await self.place(number)
        dialog = self.far.called(invite, tag)
        dialog.respond("180 Ringing")
        dialog.respond("200 OK", *headers, body=sdp(talker.port, formats="0"))
        await self.far.next("ACK")
        talker.to = rtp_target(invite)
        await self.until_state(call_id, CallState.ANSWERED)
        return call_id, dialog

    async def ring_in(self, *headers: str, body: Sequence[str] | None = None) -> tuple[str, Dialog, str]:
        """A call of the far end that rings here; gives its id, the dialog and the branch of INVITE."""
        known = len(self.incoming())
        dialog = self.far.calls()
        branch = dialog.invite(sdp(self.talker.port, formats="0") if body is None else body, *headers)
        dialog.learn(await self.far.next("INVITE", 180))
        await until(lambda: self.incoming()[known:], "the call")
        return self.incoming()[known], dialog, branch

    async def call_in(self, *headers: str, talker: Talker | None = None) -> tuple[str, Dialog]:
        """A call of the far end that is answered here."""
        talker = talker or self.talker
        call_id, dialog, _ = await self.ring_in(*headers, body=sdp(talker.port, formats="0"))
        await self.session.control.answer(call_id, max_seconds=SECONDS, source=Source.TONE)
        answer = await self.far.next("INVITE", 200)
        talker.to = rtp_target(answer)
        dialog.ack(answer)
        await self.until_state(call_id, CallState.ANSWERED)
        return call_id, dialog

    def incoming(self) -> list[str]:
        """The ids of all calls that came in."""
        return [n.call_id for n in self.seen.of(CallProgress) if n.state is CallState.INCOMING]


@asynccontextmanager
async def scene(**changes: Any) -> AsyncIterator[Scene]:
    """A trunk without registration whose server is a scripted far end; `changes` are fields of the trunk."""
    seen = Seen()
    async with (
        talking_at(700) as talker,
        scripted() as far,
        session(make_trunk(far.port, **{"sign_in": SignIn.ADDRESS, **changes}), "", seen) as opened,
    ):
        await opened.connect()
        yield Scene(far, opened, seen, talker)
