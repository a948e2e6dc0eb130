"""Requests of the far end on their way to PJSIP, and its responses on their way back."""

from __future__ import annotations

from msgspec.structs import replace

from app.model.outcome import Direction
from app.model.trunk import Transport
from app.sip.engine.edge import inward, outward
from app.sip.engine.edge.answers import BUSY, SERVER, reply_hop
from app.sip.engine.edge.dialogs import Leg
from app.sip.engine.edge.hop import Hop
from app.sip.engine.edge.seen import Seen
from app.sip.engine.edge.transactions import Received, branch_inside
from app.sip.engine.edge.uas import Decision, Uas
from app.sip.engine.edge.wire import Wire
from app.sip.syntax.address import parse_uri
from app.sip.syntax.answer import answer, copied_headers
from app.sip.syntax.head import Examined, Head, Reason
from app.sip.syntax.message import Header, Message, parse, serialise
from app.sip.syntax.sdp import Sdp

ANSWERS_A_SECOND = 20.0
"""To strangers; more would make a reflector of us."""
_REFRESH_TARGET = ("INVITE", "UPDATE")


class Incoming:
    """Passes requests of the far end on, and answers those that PJSIP does not get.

    Args:
        wire: Both sides and what is known.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._uas = Uas(wire.dialogs, wire.admission)
        self._budget = ANSWERS_A_SECOND
        self._budget_at = wire.clock()

    def request_in(self, examined: Examined, raw: bytes, source: Hop) -> None:
        """A request of the far end."""
        message, head = examined.message, examined.head
        assert message is not None
        wire = self._wire
        if head is None:
            self._refuse_damaged(examined, raw, source)
            return
        now = wire.clock()
        branch = branch_inside(head.via, head)
        known = wire.received.get(branch, head.method, now)
        if known is not None:
            self._repeat(known, message, head, raw, source)
            return
        invite = wire.received.get(branch, "INVITE", now) if head.method in ("ACK", "CANCEL") else None
        decision = self._uas.decide(message, head, source, invite)
        if decision.passes and decision.leg is None and not wire.rate.allows(now):
            decision = Decision(BUSY, (("Retry-After", "1"),))
        if not decision.passes:
            self._answer(decision, examined, raw, source)
            return
        received = self._entered(message, head, branch, source, decision.leg)
        leg = received.leg
        assert leg is not None
        self._see(examined, raw, source, leg.call.inner_id)
        self._pass(message, head, leg, branch)

    def response_out(self, message: Message) -> None:
        """A response of PJSIP goes to whoever sent the request."""
        wire = self._wire
        method = message.first("cseq").partition(" ")[2].strip()
        received = wire.received.get(outward.branch_of(message), method, wire.clock())
        if received is None:
            return
        call = received.call
        tag = outward.own_tag(message.first("to"))
        if call is not None and call.incoming and not call.local_tag and tag:
            call.local_tag = tag
            call.local = f"{received.to.value};tag={tag}"
        raw = serialise(outward.response(message, received, wire.face))
        to_invite = method == "INVITE" and message.code // 100 == 2
        if raw == received.sent and received.source.transport is not Transport.UDP and not to_invite:
            return  # a repeat for UDP's sake
        received.sent, received.code = raw, message.code
        self._send(raw, received.head, received.source, call.inner_id if call else "")
        if call is None or message.code < 200:
            return
        if to_invite:
            call.answered = True
        elif method == "BYE" or (method == "INVITE" and not call.answered):
            call.ended_at = wire.clock()

    def _entered(self, message: Message, head: Head, branch: str, source: Hop, leg: Leg | None) -> Received:
        """Keep what the responses need, and begin a dialog where there is none."""
        wire = self._wire
        if leg is None:
            call = wire.dialogs.begin(head.call_id, incoming=True, local="", local_tag="")
            tag = head.sender.tag if head.sender else ""
            own = head.sender.uri if head.sender and head.sender.uri.is_sip else parse_uri(f"sip:{source}")
            leg = wire.dialogs.leg(call, tag, message.first("from"), own, source)
            leg.route(head.routes, reverse=False)
            leg.retarget(head.contacts)
        elif head.method in _REFRESH_TARGET:
            leg.retarget(head.contacts)
        leg.peer = source
        received = Received(head, branch, source, wire.clock())
        received.copied, received.to = _copied(message, source)
        received.routes = tuple(message.named("record-route"))
        received.call, received.leg = leg.call, leg
        if head.method != "ACK":
            wire.received.add(branch, head.method, received)
        return received

    def _pass(self, message: Message, head: Head, leg: Leg, branch: str) -> None:
        wire = self._wire

        def deliver(sdp: Sdp | None) -> None:
            known = replace(head, sdp=sdp)
            wire.deliver(
                inward.request(message, known, leg=leg, branch=branch, uri=wire.own_uri, edge=wire.edge)
            )

        wire.with_address(head.sdp, deliver)

    def _repeat(self, known: Received, message: Message, head: Head, raw: bytes, source: Hop) -> None:
        """A request that came before: PJSIP answers it again, unless somebody uses its branch for another."""
        same = (known.head.call_id, known.head.cseq) == (head.call_id, head.cseq)
        if not same or known.leg is None:
            return
        trace = self._wire.trace(Direction.IN, source, raw)
        self._wire.listener.on_seen(Seen(trace, message, head, known.leg.call.inner_id))
        self._pass(message, known.head, known.leg, known.branch)

    # What PJSIP does not get

    def _refuse_damaged(self, examined: Examined, raw: bytes, source: Hop) -> None:
        message = examined.message
        assert message is not None
        call = self._wire.dialogs.of(message.first("call-id"))
        trusted = call is not None or self._wire.admission.trusts(source)
        if trusted:
            self._see(examined, raw, source, call.inner_id if call else "", passed=False)
        if examined.answer is not None:
            self._reply(message, None, examined.answer, source, trusted=trusted)
        if not trusted:
            code = examined.answer.code if examined.answer else 0
            self._wire.listener.on_stranger(message.start.partition(" ")[0], "", source, code)

    def _answer(self, decision: Decision, examined: Examined, raw: bytes, source: Hop) -> None:
        message, head = examined.message, examined.head
        assert message is not None
        assert head is not None
        call = self._wire.dialogs.of(head.call_id)
        trusted = not decision.stranger
        if trusted:
            self._see(examined, raw, source, call.inner_id if call else "", passed=False)
        else:
            user = head.uri.user if head.uri else ""
            code = decision.answer.code if decision.answer else 0
            self._wire.listener.on_stranger(head.method, user, source, code)
        if decision.answer is not None:
            self._reply(message, head, decision.answer, source, trusted=trusted, headers=decision.headers)

    def _reply(
        self,
        message: Message,
        head: Head | None,
        reason: Reason,
        source: Hop,
        *,
        trusted: bool,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        if not trusted and not self._may_answer():
            return
        reply = answer(message, reason, source.place, server=SERVER, headers=headers)
        if reply is None:
            return
        raw = serialise(reply)
        if trusted:
            call = self._wire.dialogs.of(message.first("call-id"))
            self._send(raw, head, source, call.inner_id if call else "")
        else:
            self._wire.send(raw, reply_hop(head.via if head else None, source))

    def _send(self, raw: bytes, head: Head | None, source: Hop, call_id: str) -> None:
        hop = reply_hop(head.via if head else None, source)
        trace = self._wire.trace(Direction.OUT, hop, raw)
        self._wire.listener.on_seen(Seen(trace, parse(raw), None, call_id))
        self._wire.send(raw, hop)

    def _see(self, examined: Examined, raw: bytes, source: Hop, call_id: str, *, passed: bool = True) -> None:
        trace = self._wire.trace(Direction.IN, source, raw)
        seen = Seen(trace, examined.message, examined.head, call_id, examined.problems, passed=passed)
        self._wire.listener.on_seen(seen)

    def _may_answer(self) -> bool:
        now = self._wire.clock()
        self._budget = min(self._budget + (now - self._budget_at) * ANSWERS_A_SECOND, ANSWERS_A_SECOND)
        self._budget_at = now
        if self._budget < 1:
            return False
        self._budget -= 1
        return True


def _copied(message: Message, source: Hop) -> tuple[tuple[Header, ...], Header]:
    """The headers that responses copy but To, and To by itself."""
    found = copied_headers(message, source.place)
    to = next((header for header in found if header.name == "to"), Header(name="to", line="To:"))
    return tuple(header for header in found if header.name != "to"), to
