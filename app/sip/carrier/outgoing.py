"""A call that the carrier places to a registered contact."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiosipua import Dialog, generate_call_id, generate_tag

from app.model.trunk import Transport
from app.sip.carrier.exchange import Exchange, next_hop, route_set
from app.sip.carrier.leg import Leg, LegState
from app.sip.carrier.media import MediaStream
from app.sip.carrier.offers import UnusableSdpError, plan_for_answer, read_sdp
from app.sip.carrier.received import Peer, Received
from app.sip.carrier.registrar import Binding
from app.sip.carrier.sipmessage import ALLOW, in_uri, tag_of, target_fault
from app.sip.carrier.transactions import ClientTransaction
from app.sip.syntax.head import Head


class OutgoingLeg(Leg):
    """A leg that begins with our INVITE.

    Args:
        account: User who is called.
        caller: User part of From, and the number shown.
        binding: Contact to call.
        codecs: To offer, in this order.
        encrypted: Whether to offer SRTP, and nothing else.
    """

    def __init__(
        self,
        exchange: Exchange,
        *,
        account: str,
        caller: str,
        binding: Binding,
        stream: MediaStream,
        codecs: tuple[str, ...],
        encrypted: bool = False,
    ) -> None:
        dialog = Dialog(
            call_id=generate_call_id(exchange.host),
            local_tag=generate_tag(),
            local_uri=f"sip:{in_uri(caller)}@{exchange.host}",
            remote_uri=f"sip:{in_uri(account)}@{exchange.host}",
            remote_target=binding.uri,
        )
        peer = binding.peer if binding.peer.reliable else Peer(Transport.UDP, binding.host, binding.port)
        super().__init__(exchange, account=account, number=caller, dialog=dialog, peer=peer, stream=stream)
        self.codecs = codecs
        self._encrypted = encrypted or self.must_encrypt
        self.on_ringing: Callable[[], None] | None = None
        self.refusal: Head | None = None
        self._settled = asyncio.Event()
        self._cancelled = False
        self._provisional = False
        self._acks: dict[str, Callable[[], None]] = {}
        self._invite = self.in_dialog("INVITE")
        self._invite.headers.append("Allow", ALLOW)
        self._invite.headers.set_single("Content-Type", "application/sdp")
        self._invite.text = self.sdp.offer(codecs, exchange.suites if self._encrypted else ())
        self._transaction: ClientTransaction | None = None

    async def place(self, ring_s: float) -> bool:
        """Send the INVITE and wait for its outcome, at most `ring_s` seconds; True when it was answered."""
        self._transaction = self.exchange.transactions.request(self._invite, self.peer, self._responded)
        try:
            async with asyncio.timeout(ring_s):
                await self._settled.wait()
        except TimeoutError:
            self.cancel("not answered in time")
            await self._settled.wait()
        return self.state in (LegState.ANSWERED, LegState.CONFIRMED)

    def cancel(self, why: str) -> None:
        """Send CANCEL, as soon as a provisional response allows it."""
        if self.state is not LegState.EARLY or self._cancelled:
            return
        self._cancelled = True
        self.end_reason = why
        if self._provisional and self._transaction:
            self._transaction.cancel()

    def give_up(self, why: str) -> asyncio.Task[None] | None:
        """CANCEL; the task ends with the final answer to the INVITE."""
        self.cancel(why)

        async def settled() -> None:
            await self._settled.wait()

        return self.exchange.spawn(settled())

    def end(self, why: str) -> None:
        """As in `Leg`; also wakes who waits for the outcome."""
        super().end(why)
        self._settled.set()

    def describe(self) -> str:
        """For people: whose call it is."""
        return f"call from {self.number} to {self.account}"

    def _responded(self, response: Received) -> None:
        head = response.head
        code = head.code
        if code < 200:
            self._provisional = True
            if self._cancelled and self._transaction:
                self._transaction.cancel()
            elif code >= 180 and self.on_ringing:
                self.on_ringing()
        elif code < 300:
            self._accepted(response)
        elif self.state is LegState.EARLY:
            self.refusal = head
            self.end(self.end_reason or f"{code} {head.phrase}")

    def _accepted(self, response: Received) -> None:
        """ACK every 2xx and its repeats; the first one makes the call, a fork's is hung up at once."""
        head = response.head
        tag = tag_of(head)
        if tag in self._acks:
            self._acks[tag]()
            return
        target = head.contacts[0].uri if head.contacts else None
        if target is None or target_fault(target):
            self.end("the answer has no Contact on loopback")
            return
        first = not self._acks
        dialog = (
            self.dialog
            if first
            else Dialog(
                call_id=self.dialog.call_id,
                local_tag=self.dialog.local_tag,
                local_uri=self.dialog.local_uri,
                remote_uri=self.dialog.remote_uri,
                local_cseq=1,
            )
        )
        dialog.remote_tag = tag
        dialog.remote_target = target.text
        dialog.route_set = route_set(reversed(head.routes))
        hop = next_hop(dialog, self.peer)
        if hop is None:
            self.end("the answer's route is not on loopback")
            return
        main, self.dialog = self.dialog, dialog
        dialog.local_cseq -= 1  # the ACK has its INVITE's number (RFC 3261 section 13.2.2.4)
        ack = self.in_dialog("ACK")
        bye = None if first else self.in_dialog("BYE")
        self.dialog = main

        def acknowledge() -> None:
            self.exchange.sockets.send(ack, hop)

        self._acks[tag] = acknowledge
        acknowledge()
        if bye:
            self.exchange.transactions.request(bye, hop, lambda _response: None)
        elif self.state is LegState.EARLY:
            self._established(response)

    def _established(self, response: Received) -> None:
        self.started()
        self.state = LegState.CONFIRMED
        self.confirmed.set()
        try:
            self.use(plan_for_answer(read_sdp(response.text), self.codecs, encrypted=self._encrypted))
        except UnusableSdpError as error:
            self.hang_up(f"unusable SDP answer: {error.why}")
            return
        if self._cancelled:
            # The answer crossed our CANCEL (RFC 3261 section 9.1)
            self.hang_up(self.end_reason)
            return
        self._settled.set()
