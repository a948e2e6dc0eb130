"""A call that comes in: what the carrier can answer to an INVITE."""

from __future__ import annotations

import asyncio

from aiosipua import Dialog, generate_tag

from app.sip.carrier.exchange import Exchange, route_set
from app.sip.carrier.leg import Leg, LegState
from app.sip.carrier.media import MediaStream
from app.sip.carrier.offers import UnusableSdpError, plan_for_offer, read_sdp
from app.sip.carrier.received import Received
from app.sip.carrier.sipmessage import ALLOW, Headers, response_to
from app.sip.carrier.transactions import ServerTransaction


class IncomingLeg(Leg):
    """A leg that began with an INVITE to us.

    Attributes:
        invite: The INVITE, which has a Contact.
        encrypted: Whether its sound is to be encrypted, known from `negotiate` on.
    """

    def __init__(
        self,
        exchange: Exchange,
        transaction: ServerTransaction,
        *,
        account: str,
        number: str,
        stream: MediaStream,
    ) -> None:
        head = transaction.request.head
        dialog = Dialog(
            call_id=head.call_id,
            local_tag=generate_tag(),
            remote_tag=head.sender.tag if head.sender else "",
            local_uri=head.to.uri.text if head.to else "",
            remote_uri=head.sender.uri.text if head.sender else "",
            remote_target=head.contacts[0].uri.text,
            route_set=route_set(head.routes),
            remote_cseq=head.cseq,
        )
        super().__init__(
            exchange, account=account, number=number, dialog=dialog, peer=transaction.peer, stream=stream
        )
        self._transaction = transaction
        self.invite = transaction.request
        self._description = ""
        self.encrypted = self.must_encrypt

    def negotiate(self, codecs: tuple[str, ...] | None = None) -> None:
        """Choose the codec, from these only if given; an INVITE without SDP gets our offer.

        Raises:
            UnusableSdpError: The offer can't be accepted.
        """
        self.codecs = codecs or self.codecs
        if self.invite.message.body:
            offer = read_sdp(self.invite.text)
            plan = plan_for_offer(offer, self.codecs, self.exchange.srtp, self.exchange.suites)
            self.encrypted = plan.crypto is not None

    def ring(self) -> None:
        """Send 180."""
        self._respond(180)

    def progress(self) -> None:
        """Send 183 with SDP: audio before the answer."""
        self._respond(183, sdp=self._describe_media())

    def answer(self) -> None:
        """Send 200 with SDP, until the ACK comes."""
        if self.state is not LegState.EARLY:
            return
        response = self.response(self.invite, 200, headers=self._headers(), sdp=self._describe_media())
        self._transaction.respond(response)
        self.started()
        self._await_ack(self._transaction, response, self.dialog.remote_cseq)

    def refuse(self, code: int, reason: str = "", headers: Headers = ()) -> None:
        """Send a final refusal; the leg ends."""
        if self.state is not LegState.EARLY:
            return
        response = self.response(self.invite, code, reason, headers=headers)
        self._transaction.respond(response)
        self.end(f"{code} {response.phrase}")

    def refuse_offer(self, error: UnusableSdpError) -> None:
        """Refuse because of the SDP; the leg ends."""
        response = self.refuse_sdp(self.invite, self._transaction, error)
        self.end(f"{response.code} {response.phrase}: {error.why}")

    def give_up(self, why: str) -> asyncio.Task[None] | None:
        """End it before the answer, with 480."""
        self.refuse(480, headers=[("Reason", f'SIP;cause=480;text="{why}"')])
        return None

    def cancelled(self, cancel: Received, transaction: ServerTransaction) -> None:
        """Answer a CANCEL; a call that is answered already goes on (RFC 3261 section 9.2)."""
        transaction.respond(response_to(cancel, 200, tag=self.dialog.local_tag))
        if self.state is LegState.EARLY:
            self._transaction.respond(self.response(self.invite, 487))
            self.end("cancelled by the caller")

    def _respond(self, code: int, sdp: str = "") -> None:
        if self.state is LegState.EARLY:
            self._transaction.respond(self.response(self.invite, code, headers=self._headers(), sdp=sdp))

    def _headers(self) -> list[tuple[str, str]]:
        """Headers of every response that makes a dialog; Record-Route is copied (RFC 3261 section 12.1.1)."""
        routes = [("Record-Route", value) for value in self.invite.message.values("record-route")]
        return [*routes, ("Contact", self.contact), ("Allow", ALLOW)]

    def _describe_media(self) -> str:
        """Our answer, the same in 183 and 200 (RFC 3261 section 13.2.1), or our offer if there was none."""
        if not self._description:
            offer = self.invite.text if self.invite.message.body else ""
            self._description = self._answer_to(offer) if offer else self._own_offer()
        return self._description
