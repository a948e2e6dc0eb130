"""What a request of the far end gets: PJSIP, or an answer of the edge (RFC 3261 sections 8.2, 12.2.2)."""

from __future__ import annotations

from typing import NamedTuple

from app.sip.engine.edge import answers, inward
from app.sip.engine.edge.admission import Admission
from app.sip.engine.edge.dialogs import Dialogs, Leg
from app.sip.engine.edge.hop import Hop
from app.sip.engine.edge.transactions import Received
from app.sip.syntax.head import Head, Reason
from app.sip.syntax.message import Message

_SDP_TYPES = ("", "application/sdp")
_SDP_RANGES = {"application/sdp", "application/*", "*/*"}
_WITH_SDP = ("INVITE", "UPDATE")


class Decision(NamedTuple):
    """What happens to a request.

    Attributes:
        answer: What the edge answers, None when it does not.
        headers: More headers of that answer.
        leg: The dialog in which PJSIP gets it; None when it does not, and for a call that begins.
        passes: Whether PJSIP gets it.
        stranger: Whether it comes from somebody who is not the provider.
    """

    answer: Reason | None = None
    headers: tuple[tuple[str, str], ...] = ()
    leg: Leg | None = None
    passes: bool = False
    stranger: bool = False


_IGNORED = Decision()


class Uas:
    """Decides about requests.

    Args:
        dialogs: The calls there are.
        admission: Who may call.
    """

    def __init__(self, dialogs: Dialogs, admission: Admission) -> None:
        self._dialogs = dialogs
        self._admission = admission

    def decide(self, message: Message, head: Head, source: Hop, invite: Received | None) -> Decision:
        """What happens to a request that is seen for the first time.

        Args:
            message: As it came.
            head: What the gate has read.
            source: Who sent it.
            invite: The INVITE with the same branch, for CANCEL and the ACK of a refusal.
        """
        leg = self._dialogs.match(head)
        if head.method == "ACK":
            leg = leg or (invite.leg if invite is not None else None)
            return Decision(leg=leg, passes=True) if leg is not None else _IGNORED
        if head.method == "CANCEL":
            if invite is not None and invite.leg is not None:
                return Decision(leg=invite.leg, passes=True)
            return Decision(answers.UNKNOWN_DIALOG)
        if head.uri is not None and not head.uri.is_sip:
            return Decision(answers.SCHEME_REFUSED)
        if leg is not None:
            return self._inside(message, head, leg)
        if head.to is not None and head.to.tag and head.method in answers.METHODS:
            return Decision(answers.UNKNOWN_DIALOG, stranger=not self._admission.trusts(source))
        return self._outside(message, head, source)

    def _inside(self, message: Message, head: Head, leg: Leg) -> Decision:
        passes = Decision(leg=leg, passes=True)
        if refusal := _extension_refusal(head):
            return refusal
        match head.method:
            case "INVITE" | "UPDATE":
                return _body_refusal(head) or passes
            case "BYE":
                return passes
            case "PRACK":
                return passes if head.rack else Decision(Reason(400, "RAck is missing or can't be read"))
            case "INFO":
                if inward.dtmf_digit(message, head):
                    return passes
                if message.body.strip():
                    return Decision(answers.TYPE_REFUSED, (("Accept", answers.ACCEPT),))
                return Decision(answers.OK, answers.capabilities())
            case "OPTIONS":
                return Decision(answers.OK, answers.capabilities())
            case "NOTIFY":
                if head.event != "refer":
                    return Decision(answers.EVENT_REFUSED, (("Allow-Events", "refer"),))
                if not leg.referred:
                    return Decision(answers.UNKNOWN_DIALOG)
                if not inward.fragment(message, head):
                    return Decision(Reason(400, "NOTIFY has no status line in its body"))
                return passes
            case "REFER":
                # A tester dials what its person typed and nothing else
                return Decision(answers.DECLINED)
        return Decision(answers.METHOD_REFUSED, (("Allow", answers.ALLOW),))

    def _outside(self, message: Message, head: Head, source: Hop) -> Decision:
        user = head.uri.user if head.uri else ""
        trusted = self._admission.trusts(source)
        match head.method:
            case "INVITE":
                return self._invite(message, head, source, user)
            case "OPTIONS":
                if not (trusted or not user or self._admission.knows(user)):
                    return Decision(answers.UNKNOWN_USER, stranger=True)
                found = _extension_refusal(head) or Decision(answers.OK, answers.capabilities())
                return found._replace(stranger=not trusted)
            case "NOTIFY" if head.event == "refer":
                return Decision(answers.UNKNOWN_DIALOG, stranger=not trusted)
            case "NOTIFY" | "SUBSCRIBE":
                allowed = (("Allow-Events", "refer"),)
                return Decision(answers.EVENT_REFUSED, allowed, stranger=not trusted)
            case "BYE" | "INFO" | "PRACK" | "UPDATE":
                return Decision(answers.UNKNOWN_DIALOG, stranger=not trusted)
            case "REFER":
                return Decision(answers.DECLINED, stranger=not trusted)
        return Decision(answers.METHOD_REFUSED, (("Allow", answers.ALLOW),), stranger=not trusted)

    def _invite(self, message: Message, head: Head, source: Hop, user: str) -> Decision:
        if not self._admission.may_call(user, source):
            return Decision(answers.UNKNOWN_USER, stranger=True)
        call = self._dialogs.of(head.call_id)
        if call is not None and call.ended_at is None:
            # It came on two ways (section 8.2.2.2), or uses the Call-ID of another call
            return Decision(answers.LOOP)
        if message.named("replaces"):
            # To take over a call of ours would get round the limits of both
            return Decision(answers.DECLINED)
        if refusal := _extension_refusal(head) or _body_refusal(head):
            return refusal
        if not self._dialogs.has_room:
            return Decision(answers.UNAVAILABLE)
        return Decision(passes=True)


def _extension_refusal(head: Head) -> Decision | None:
    unknown = answers.extension_faults(head)
    return Decision(answers.EXTENSION_REFUSED, (("Unsupported", ", ".join(unknown)),)) if unknown else None


def _body_refusal(head: Head) -> Decision | None:
    if head.sdp_broken:
        return Decision(Reason(400, "Session description can't be read"))
    if head.method in _WITH_SDP and head.media_type not in _SDP_TYPES and head.sdp is None:
        return Decision(answers.TYPE_REFUSED, (("Accept", "application/sdp"),))
    wanted = head.tokens.get("accept", ())
    if head.method in _WITH_SDP and wanted and _SDP_RANGES.isdisjoint(word.lower() for word in wanted):
        # An answer could only be SDP (RFC 4475 section 3.3.15)
        return Decision(answers.NOT_ACCEPTABLE)
    return None
