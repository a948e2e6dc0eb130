"""One leg of a call: a dialog with its media (RFC 3261 sections 12 to 15)."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from enum import StrEnum
from typing import Any

from aiosipua import Dialog, SipRequest

from app.model.trunk import Srtp
from app.sip.carrier.exchange import Exchange, next_hop
from app.sip.carrier.media import MediaStream
from app.sip.carrier.offers import (
    CODECS,
    LocalSdp,
    Plan,
    UnusableSdpError,
    offered_codecs,
    plan_for_answer,
    plan_for_offer,
    read_sdp,
)
from app.sip.carrier.received import Peer, Received
from app.sip.carrier.sipmessage import ALLOW, Headers, response_to, target_fault
from app.sip.carrier.transactions import ServerTransaction
from app.sip.syntax.message import Message

MEDIA_CHECKS = 4
"""How often the media timeout is looked at within its length."""


class LegState(StrEnum):
    """States of a leg; `ANSWERED` lacks the ACK."""

    EARLY = "early"
    ANSWERED = "answered"
    CONFIRMED = "confirmed"
    ENDED = "ended"


class Leg:
    """A leg in either direction; see `IncomingLeg` and `OutgoingLeg`.

    Args:
        exchange: Where it belongs.
        account: Whose channel it takes.
        number: Number dialled, for people and for our Contact.
        dialog: Call-ID, tags, targets.
        peer: Where its messages come from.
        stream: Its media, opened; the leg closes it.
    """

    def __init__(
        self,
        exchange: Exchange,
        *,
        account: str,
        number: str,
        dialog: Dialog,
        peer: Peer,
        stream: MediaStream,
    ) -> None:
        self.exchange = exchange
        self.account = account
        self.number = number
        self.dialog = dialog
        self.peer = peer
        self.stream = stream
        self.sdp = LocalSdp(
            exchange.host, stream.port, stream.protection.key, packet_ms=exchange.options.packet_ms
        )
        self.codecs: tuple[str, ...] = tuple(CODECS)
        self.state = LegState.EARLY
        self.end_reason = ""
        self.answered_at = 0.0
        self.ended = asyncio.Event()
        self.confirmed = asyncio.Event()
        self._unacknowledged: int | None = None
        self._offered = False
        self._repeat: asyncio.TimerHandle | None = None
        self._limits: list[asyncio.TimerHandle] = []
        self._work: asyncio.Task[None] | None = None
        exchange.add(self)

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Run what this call is for; it stops when the call ends, and the call ends when it fails."""
        self._work = self.exchange.spawn(work)
        self._work.add_done_callback(self._work_done)

    def _work_done(self, work: asyncio.Task[None]) -> None:
        if not work.cancelled() and work.exception():
            self.hang_up("a fault of the carrier")

    # From the network

    def received(self, request: Received, transaction: ServerTransaction | None) -> None:
        """Take a request in this dialog."""
        cseq = request.head.cseq
        if transaction is None:
            self._acknowledged(request, cseq)
            return
        if cseq <= self.dialog.remote_cseq:
            transaction.respond(self.response(request, 500, "CSeq is older than the last one"))
            return
        self.dialog.remote_cseq = cseq
        self.peer = request.peer
        match request.head.method:
            case "BYE":
                transaction.respond(self.response(request, 200))
                self.end("hung up by the other side")
            case "INVITE" | "UPDATE":
                self._renegotiate(request, transaction)
            case "OPTIONS":
                transaction.respond(self.response(request, 200, headers=[("Allow", ALLOW)]))
            case _:
                transaction.respond(self.response(request, 405, headers=[("Allow", ALLOW)]))

    def _renegotiate(self, request: Received, transaction: ServerTransaction) -> None:
        """A new offer in the dialog: hold, resume, another codec or address (RFC 3261 section 14.2)."""
        method = request.head.method
        if method == "INVITE" and self.state is not LegState.CONFIRMED:
            transaction.respond(self.response(request, 500, headers=[("Retry-After", "2")]))
            return
        fault = self._retarget(request)
        if fault:
            transaction.respond(self.response(request, 403, fault))
            return
        headers = [("Contact", self.contact), ("Allow", ALLOW)]
        body = ""
        try:
            if request.message.body:
                body = self._answer_to(request.text)
            elif method == "INVITE":
                body = self._own_offer()
        except UnusableSdpError as error:
            self.refuse_sdp(request, transaction, error)
            return
        response = self.response(request, 200, headers=headers, sdp=body)
        transaction.respond(response)
        if method == "INVITE":
            self._await_ack(transaction, response, self.dialog.remote_cseq)

    def _retarget(self, request: Received) -> str:
        """Follow a new Contact; why not, if it must not be followed."""
        contacts = request.head.contacts
        if not contacts:
            return ""
        fault = target_fault(contacts[0].uri)
        if fault:
            return f"Contact {fault}"
        self.dialog.remote_target = contacts[0].uri.text
        return ""

    def _acknowledged(self, ack: Received, cseq: int) -> None:
        if self._unacknowledged != cseq or self.state is LegState.ENDED:
            return
        self._unacknowledged = None
        if self._repeat:
            self._repeat.cancel()
        if self._offered:
            self._offered = False
            try:
                self.use(plan_for_answer(read_sdp(ack.text), self.codecs, encrypted=self.must_encrypt))
            except UnusableSdpError as error:
                self._confirm()
                self.hang_up(f"unusable SDP answer: {error.why}")
                return
        self._confirm()

    def _confirm(self) -> None:
        if self.state is LegState.ANSWERED:
            self.state = LegState.CONFIRMED
            self.confirmed.set()

    # Media

    def _answer_to(self, text: str) -> str:
        """Answer an offer and follow it; raises UnusableSdpError."""
        offer = read_sdp(text)
        plan = plan_for_offer(offer, self.codecs, self.exchange.srtp, self.exchange.suites)
        self.use(plan)
        return self.sdp.answer(offer, plan)

    def _own_offer(self) -> str:
        self._offered = True
        return self.sdp.offer(self.codecs, self.exchange.suites if self.must_encrypt else ())

    @property
    def must_encrypt(self) -> bool:
        """Whether our own offers are for SRTP only."""
        return self.exchange.srtp is Srtp.REQUIRE

    def use(self, plan: Plan) -> None:
        """Follow what was agreed."""
        known = self.stream.plan.crypto if self.stream.plan else None
        if plan.crypto and (known is None or known.suite is not plan.crypto.suite):
            self.exchange.note(f"{self.describe()}: the sound is encrypted with {plan.crypto.suite.value}")
        self.stream.use(plan)

    def offered(self, text: str) -> tuple[str, ...]:
        """Codecs of ours in an offer; raises UnusableSdpError."""
        return offered_codecs(read_sdp(text), self.exchange.srtp, self.exchange.suites)

    def refuse_sdp(
        self, request: Received, transaction: ServerTransaction, error: UnusableSdpError
    ) -> Message:
        """Answer 400 or 488 with a Warning that says why (RFC 3261 section 20.43)."""
        warning = f'399 {self.exchange.host} "{error.why}"'
        response = self.response(request, error.code, headers=[("Warning", warning)])
        transaction.respond(response)
        return response

    # Answering

    @property
    def contact(self) -> str:
        """Our Contact in this dialog."""
        return self.exchange.contact(self.number, self.peer.transport)

    def response(
        self, request: Received, code: int, reason: str = "", *, headers: Headers = (), sdp: str = ""
    ) -> Message:
        """A response in this dialog."""
        return response_to(request, code, reason, tag=self.dialog.local_tag, headers=headers, sdp=sdp)

    def _await_ack(self, transaction: ServerTransaction, response: Message, cseq: int) -> None:
        """Repeat a 2xx until its ACK comes, on TCP too (RFC 3261 section 13.3.1.4)."""
        self._unacknowledged = cseq
        timing = self.exchange.timing
        loop = asyncio.get_running_loop()
        give_up = loop.time() + 64 * timing.t1_s

        def again(after: float) -> None:
            if loop.time() >= give_up:
                self._unacknowledged = None
                self._confirm()
                self.hang_up("no ACK came")
                return
            transaction.respond(response)
            self._repeat = loop.call_later(after, again, min(2 * after, timing.t2_s))

        if self._repeat:
            self._repeat.cancel()
        self._repeat = loop.call_later(timing.t1_s, again, min(2 * timing.t1_s, timing.t2_s))

    # Ending

    def hang_up(self, why: str) -> asyncio.Task[None] | None:
        """End the call: BYE when it is up, else what fits its state; the task ends with the answer."""
        if self.state is LegState.CONFIRMED:
            return self._say_bye(why)
        if self.state is LegState.ANSWERED:
            return self.exchange.spawn(self._bye_when_confirmed(why))
        if self.state is LegState.EARLY:
            return self.give_up(why)
        return None

    def give_up(self, why: str) -> asyncio.Task[None] | None:
        """End a call that was not answered; each direction has its own way."""
        raise NotImplementedError

    def _say_bye(self, why: str) -> asyncio.Task[None] | None:
        target = next_hop(self.dialog, self.peer)
        self.end(why)
        if target is None:
            return None
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def on_response(response: Received) -> None:
            if response.head.code >= 200 and not answered.done():
                answered.set_result(None)

        self.exchange.transactions.request(self.in_dialog("BYE"), target, on_response)

        async def farewell() -> None:
            await answered

        return self.exchange.spawn(farewell())

    async def _bye_when_confirmed(self, why: str) -> None:
        """BYE must wait for the ACK or its timeout (RFC 3261 section 15)."""
        await self.confirmed.wait()
        task = self.hang_up(why)
        if task:
            await task

    def in_dialog(self, method: str) -> SipRequest:
        """A request in this dialog, with the next CSeq."""
        transport = self.peer.transport
        request = self.dialog.create_request(
            method,
            via_host=self.exchange.host,
            via_port=self.exchange.port(transport),
            via_transport=transport.upper(),
        )
        request.headers.set_single("Contact", self.contact)
        return request

    def started(self) -> None:
        """Note the answer and start the limits."""
        loop = asyncio.get_running_loop()
        timing = self.exchange.timing
        self.state = LegState.ANSWERED
        self.answered_at = loop.time()
        self._limits.append(loop.call_later(timing.call_limit_s, self.hang_up, "the longest time for a call"))
        self._watch_media()

    def _watch_media(self) -> None:
        """Free the channel of a caller that vanished without BYE."""
        loop = asyncio.get_running_loop()
        limit = self.exchange.timing.media_timeout_s
        plan = self.stream.plan
        if (
            self.state is LegState.CONFIRMED
            and plan
            and plan.direction == "sendrecv"
            and loop.time() - self.stream.heard_at > limit
        ):
            self.hang_up("nothing came from the other side")
            return
        self._limits.append(loop.call_later(limit / MEDIA_CHECKS, self._watch_media))
        del self._limits[1:-1]

    def end(self, why: str) -> None:
        """Free everything; a second time it does nothing."""
        if self.state is LegState.ENDED:
            return
        loop = asyncio.get_running_loop()
        took = f" after {loop.time() - self.answered_at:.1f} s" if self.answered_at else ""
        self.state = LegState.ENDED
        self.end_reason = why
        for timer in (*self._limits, self._repeat):
            if timer:
                timer.cancel()
        if self._work and self._work is not asyncio.current_task():
            self._work.cancel()
        self.exchange.forget(self)
        self.exchange.spawn(self.stream.close())
        self.ended.set()
        self.confirmed.set()
        self.exchange.note(f"{self.describe()} ended{took}: {why}")

    def describe(self) -> str:
        """For people: whose call it is."""
        return f"{self.account}'s call to {self.number}"
