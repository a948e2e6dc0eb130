"""What goes from PJSIP to the far end and back. No sockets in here, and no clock but the one that is given.

To the far end, PJSIP and the edge are one user agent. To PJSIP the edge is the far end: every message that it
gets is built from what the gate has read.
"""

from __future__ import annotations

from app.model.outcome import Direction
from app.model.signalling import Handling, MessageProblem
from app.model.trunk import Transport
from app.sip.engine.edge import outward
from app.sip.engine.edge.dialogs import Leg
from app.sip.engine.edge.hop import Hop
from app.sip.engine.edge.incoming import Incoming
from app.sip.engine.edge.responses import Responses
from app.sip.engine.edge.routing import Routing
from app.sip.engine.edge.seen import Seen
from app.sip.engine.edge.transactions import Sent
from app.sip.engine.edge.wire import Wire
from app.sip.fingerprint import fingerprint
from app.sip.syntax.gate import examine
from app.sip.syntax.head import Examined, Reason
from app.sip.syntax.message import Message, parse, serialise
from app.sip.syntax.sdp import key_tags
from app.sip.syntax.text import one_line, readable_lines


class Relay:
    """Passes messages on.

    Args:
        wire: Both sides and what is known.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._routing = Routing(wire.settings, wire.target, wire.find)
        self._responses = Responses(wire)
        self._incoming = Incoming(wire)

    # From PJSIP

    def from_pjsip(self, raw: bytes) -> None:
        """A message of PJSIP goes to the far end."""
        message = parse(raw)
        if message.is_request:
            self._request_out(message)
        else:
            self._incoming.response_out(message)

    def _request_out(self, message: Message) -> None:
        wire, now = self._wire, self._wire.clock()
        method = message.method
        branch = outward.branch_of(message)
        known = wire.sent.get(branch, method, now)
        if known is not None:
            self._repeat(known)
            return
        invite = wire.sent.get(branch, "INVITE", now) if method in ("ACK", "CANCEL") else None
        if invite is not None and invite.failed:
            return  # an ACK of what we have made up
        leg = self._leg(message)
        sent = _sent(message, now, leg)
        sent.call = leg.call if leg is not None else wire.dialogs.inside(sent.call_id)
        if method == "INVITE" and sent.call is None:
            tag = outward.own_tag(sent.sender)
            sent.call = wire.dialogs.begin(sent.call_id, incoming=False, local=sent.sender, local_tag=tag)
        if method == "REFER" and leg is not None:
            leg.referred = True
        former = self._responses.former if method == "REGISTER" else None
        out = outward.request(message, wire.face, leg=leg, former=former)
        out, sent.nonces = wire.authenticator.answer(out)
        sent.wire_to, sent.ours = out.first("to"), wire.face.ours
        sent.raw, sent.message, sent.key_tags = serialise(out), out, key_tags(out.body)
        wire.sent.add(branch, method, sent)
        if invite is not None:
            self._go(sent, invite.hop or wire.target, "")
        elif leg is None:
            self._go(sent, wire.target, "")
        else:
            self._routing.find(leg, lambda detour: self._go(sent, detour.hop, detour.obstacle))

    def refuse(self, raw: bytes, words: str) -> None:
        """Fail a request of PJSIP that could not leave, as there is no connection."""
        message = parse(raw)
        if message.is_request:
            self._responses.fail(_sent(message, self._wire.clock(), None), words)

    def _leg(self, message: Message) -> Leg | None:
        """The dialog that a request of PJSIP is in: its Request-URI is then an alias of ours."""
        number, _, place = message.uri.removeprefix("sip:").partition("@")
        if place.partition(";")[0] != str(self._wire.edge) or not number.isdecimal():
            return None
        return self._wire.dialogs.aliased(int(number))

    def _repeat(self, known: Sent) -> None:
        """A repeat of PJSIP's, which takes the edge for UDP: over TCP and TLS there are none."""
        if known.hop is None:
            return  # its name is still being looked up
        if known.hop.transport is Transport.UDP or known.method == "ACK":
            self._go(known, known.hop, "")

    def _go(self, sent: Sent, hop: Hop, obstacle: str) -> None:
        wire = self._wire
        if sent.message is not None and hop.transport is not wire.face.transport:
            sent.message = outward.over(sent.message, hop.transport)
            sent.raw = serialise(sent.message)
        sent.hop = hop
        if obstacle:
            wire.listener.on_detour(sent.method, sent.call_id, obstacle)
        trace = wire.trace(Direction.OUT, hop, sent.raw)
        wire.listener.on_seen(Seen(trace, sent.message, None, sent.call_id))
        if words := wire.send(sent.raw, hop):
            self._responses.fail(sent, words)

    # From the far end

    def from_far(self, raw: bytes, source: Hop) -> None:
        """A message of the far end goes to PJSIP, or is answered, or ends here."""
        if not raw.strip(b"\r\n\0 "):
            return
        examined = self._held_back(examine(raw, peer=str(source)), raw, source)
        message = examined.message
        if message is None:
            if self._wire.admission.trusts(source):
                trace = self._wire.trace(Direction.IN, source, raw)
                seen = Seen(trace, None, None, "", examined.problems, passed=False)
                self._wire.listener.on_seen(seen)
        elif message.is_request:
            self._incoming.request_in(examined, raw, source)
        else:
            self._responses.response_in(examined, raw, source)

    def _held_back(self, examined: Examined, raw: bytes, source: Hop) -> Examined:
        """A message like one that ended an engine before does not reach PJSIP again."""
        held = self._wire.settings.quarantine
        if not held or examined.message is None or fingerprint(readable_lines(raw)) not in held:
            return examined
        problem = MessageProblem(
            start=one_line(examined.message.start, 120),
            header="",
            line="",
            what="is like a message that ended Ringback's engine before",
            handling=Handling.DROPPED,
            peer=str(source),
        )
        answer = Reason(400, "Bad Request") if examined.message.is_request else None
        return Examined(message=examined.message, problems=(*examined.problems, problem), answer=answer)

    # What the sockets and the clock say

    def waits_for(self, hop: Hop) -> bool:
        """Whether it matters that nothing can be sent to a place."""
        return hop == self._wire.target or any(
            sent.hop == hop and not (sent.final or sent.failed) for sent in self._wire.sent.all()
        )

    def fail(self, hop: Hop, words: str) -> None:
        """Nothing can be sent to this place: what waits for an answer from there has failed."""
        for sent in self._wire.sent.all():
            if sent.hop == hop and not sent.answered:
                self._responses.fail(sent, words)

    def lose(self, hop: Hop, words: str) -> None:
        """The connection with this place is gone, and with it every answer that would come over it."""
        for sent in self._wire.sent.all():
            if sent.hop == hop and not sent.final:
                self._responses.fail(sent, words)

    def watch(self) -> None:
        """Forget what is over."""
        now = self._wire.clock()
        self._wire.sent.forget_old(now)
        self._wire.received.forget_old(now)
        self._wire.dialogs.forget_ended(now)


def _sent(message: Message, now: float, leg: Leg | None) -> Sent:
    cseq, _, method = message.first("cseq").partition(" ")
    sent = Sent(method.strip(), int(cseq), now)
    sent.via, sent.contact = message.first("via"), message.first("contact")
    sent.sender, sent.to, sent.call_id = message.first("from"), message.first("to"), message.first("call-id")
    sent.leg = leg
    expires = message.first("expires")
    sent.expires = int(expires) if expires.isdecimal() else None
    return sent
