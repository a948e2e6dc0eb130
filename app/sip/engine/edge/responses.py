"""Responses of the far end on their way to PJSIP."""

from __future__ import annotations

from msgspec.structs import replace

from app.model.outcome import Direction
from app.model.signalling import Bindings, Handling, MessageProblem
from app.model.trunk import Transport
from app.sip.engine.edge import inward
from app.sip.engine.edge.bindings import bindings_of, own_binding
from app.sip.engine.edge.dialogs import Leg
from app.sip.engine.edge.echoes import alterations
from app.sip.engine.edge.hop import Hop
from app.sip.engine.edge.outward import own_user
from app.sip.engine.edge.seen import Seen
from app.sip.engine.edge.transactions import Sent
from app.sip.engine.edge.wire import Wire
from app.sip.syntax.address import HostPort, MalformedError, Uri, is_address, parse_via
from app.sip.syntax.head import Examined, Head
from app.sip.syntax.message import Message
from app.sip.syntax.sdp import Sdp
from app.sip.syntax.text import one_line

_REFRESH_TARGET = ("INVITE", "UPDATE")


class Responses:
    """Passes responses on.

    Args:
        wire: Both sides and what is known.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._bound: HostPort | None = None

    @property
    def former(self) -> HostPort | None:
        """An address of ours that is registered and that is not ours any more."""
        return self._bound if self._bound != self._wire.face.ours else None

    def response_in(self, examined: Examined, raw: bytes, source: Hop) -> None:
        """A response of the far end."""
        message, head = examined.message, examined.head
        assert message is not None
        sent = self._request_of(message, head)
        trace = self._wire.trace(Direction.IN, source, raw)
        if sent is None:
            if self._wire.admission.trusts(source):
                seen = Seen(trace, message, head, "", examined.problems, passed=False)
                self._wire.listener.on_seen(seen)
            return
        if head is None:
            seen = Seen(trace, message, None, sent.call_id, examined.problems, passed=False)
            self._wire.listener.on_seen(seen)
            if message.code >= 200:
                self.fail(sent, "an answer came that can't be read")
            return
        problems = (*examined.problems, *_key_faults(message, head, sent, source))
        shown, challenge = ("", None)
        if head.code in (401, 407):
            shown, challenge = self._wire.authenticator.challenge(sent, head)
        bindings = self._bindings(sent, head)
        altered = alterations(head, sent)
        seen = Seen(trace, message, head, sent.call_id, problems, challenge, bindings, altered)
        sent.answered, sent.final = True, sent.final or head.code >= 200
        self._wire.listener.on_seen(seen)
        if sent.failed:
            return
        leg = self._leg(sent, head, source)
        self._learn_address(head, sent, source)
        contact = own_binding(sent.contact, bindings, head) if bindings is not None else ""
        self._pass(message, head, sent, leg, shown, contact)

    def _pass(
        self, message: Message, head: Head, sent: Sent, leg: Leg | None, challenge: str, contact: str
    ) -> None:
        def deliver(sdp: Sdp | None) -> None:
            known = replace(head, sdp=sdp)
            self._wire.deliver(
                inward.response(
                    message, known, sent, leg=leg, edge=self._wire.edge, challenge=challenge, contact=contact
                )
            )
            self._mark_end(sent, head)

        self._wire.with_address(head.sdp, deliver)

    def fail(self, sent: Sent, words: str) -> None:
        """Tell PJSIP that a request has failed here."""
        if sent.final or sent.failed or sent.method == "ACK":
            return
        sent.failed = True
        self._wire.deliver(inward.failure(sent, _ascii(words)))

    def _request_of(self, message: Message, head: Head | None) -> Sent | None:
        """The request that a response answers: by branch and method (RFC 3261 section 17.1.3)."""
        now = self._wire.clock()
        if head is not None:
            return self._wire.sent.get(head.via.branch, head.method, now)
        try:
            via = parse_via(message.values("via")[0])
        except (MalformedError, IndexError):
            return None
        words = message.first("cseq").split()
        method = words[1].upper() if len(words) == 2 else "INVITE"
        return self._wire.sent.get(via.branch, method, now)

    def _leg(self, sent: Sent, head: Head, source: Hop) -> Leg | None:
        """The dialog that a response is in or begins (sections 12.1.2 and 12.2.1.2)."""
        leg = sent.leg
        call = sent.call
        if leg is None and sent.method == "INVITE" and call is not None and head.code > 100:
            tag = head.to.tag if head.to is not None else ""
            if not tag and head.code < 200:
                return None
            remote = f"{sent.wire_to};tag={tag}" if tag else sent.wire_to
            # Ours, which need not pass the gate
            target = Uri(text=sent.message.uri if sent.message else "", scheme="sip")
            leg = self._wire.dialogs.leg(call, tag, remote, target, source)
        if leg is None:
            return None
        leg.peer = source
        if sent.method in _REFRESH_TARGET and head.code < 300:
            leg.retarget(head.contacts)
        if sent.leg is None and head.code < 300:
            if head.code >= 200:
                leg.routes_set = False  # those of the 2xx count (section 13.2.2.4)
            leg.route(head.routes, reverse=True)
        return leg

    def _mark_end(self, sent: Sent, head: Head) -> None:
        if sent.call is None or head.code < 200:
            return
        refused = sent.method == "INVITE" and head.code >= 300 and head.code not in (401, 407, 422)
        if sent.method == "INVITE" and head.code < 300:
            sent.call.answered = True
        if sent.method == "BYE" or (refused and not sent.call.answered):
            sent.call.ended_at = self._wire.clock()

    def _bindings(self, sent: Sent, head: Head) -> Bindings | None:
        if sent.method != "REGISTER" or head.code // 100 != 2 or not sent.contact or sent.ours is None:
            return None
        asked = sent.expires if sent.expires is not None else self._wire.settings.expires
        if asked == 0:
            self._bound = None
            return None
        self._bound = sent.ours
        return bindings_of(head, user=own_user(sent.contact), ours=sent.ours, asked_s=asked)

    def _learn_address(self, head: Head, sent: Sent, source: Hop) -> None:
        """Take the address that the provider sees (RFC 3581), so that it can reach us behind a router."""
        wire, via = self._wire, head.via
        if wire.settings.public_address or source.transport is Transport.TLS or source != wire.target:
            return
        if via.received is None and via.rport is None:
            return
        seen = HostPort(via.received or wire.face.ours.host, via.rport or wire.face.ours.port)
        if seen == wire.face.ours or not is_address(seen.host) or _is_inside(seen.host, wire.face.ours.host):
            return
        wire.face = replace(wire.face, ours=seen)
        if sent.method == "REGISTER" and head.code // 100 == 2:
            wire.listener.on_new_address()


def _is_inside(seen: str, ours: str) -> bool:
    """Whether an address that somebody claims to see leads nowhere: loopback or none at all."""
    return (seen.startswith(("127.", "0.")) or seen == "255.255.255.255") and not ours.startswith("127.")


def _key_faults(message: Message, head: Head, sent: Sent, source: Hop) -> tuple[MessageProblem, ...]:
    """Keys of an answer whose tag was not offered (RFC 4568 section 5.1.3)."""
    tags = head.sdp.key_tags if head.sdp is not None and sent.key_tags else ()
    return tuple(
        MessageProblem(
            start=one_line(message.start, 120),
            header="SDP a=crypto",
            line=f"a=crypto:{tag} …",
            what="has a tag that was not offered",
            handling=Handling.REPAIRED,
            peer=str(source),
        )
        for tag in tags
        if tag not in sent.key_tags
    )


def _ascii(words: str) -> str:
    return "".join(char if " " <= char <= "~" else "?" for char in words)[:120]
