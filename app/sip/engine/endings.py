"""How a call stands and how it ended, from what PJSIP says, what the trace shows and what was asked for."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from msgspec.structs import replace

from app.model.call import CallState
from app.model.outcome import AnsweredBy, Direction, HungUpBy, LocalCause
from app.sip.engine.dialog_log import DialogLog
from app.sip.engine.goodbyes import AUDIO_CODES, BAD_OFFER, TOLD, Goodbyes, own_cause
from app.sip.engine.leg import Leg
from app.sip.messages import CallChanged
from app.sip.trace import Ledger

BAD_SDP = "The other side's description of its audio can't be used"
CROSSED = "Answered in the moment it was cancelled, and hung up at once"


class Ending(NamedTuple):
    """How a call ended.

    Attributes:
        code, phrase: Final code and phrase, or our words.
        cause: None when the network gave the code, else why it was made up here.
        reason_header: The Reason header that came with it, empty where there was none.
    """

    code: int
    phrase: str
    cause: LocalCause | None = None
    reason_header: str = ""


def ending(leg: Leg, ledger: Ledger, goodbyes: Goodbyes, explain: Callable[[int, str], LocalCause]) -> Ending:
    """Tell how a leg ended whose end PJSIP has told; sets who hung up where nobody here did."""
    progress = ledger.of(leg.sip_call_id, "INVITE")
    if leg.unanswered:
        if leg.unreadable:
            return Ending(408, "No answer that can be read", LocalCause.UNREADABLE)
        return Ending(408, "No answer", LocalCause.NO_ANSWER)
    own = goodbyes.ours(leg.sip_call_id) if leg.hung_up_by is HungUpBy.NOBODY else None
    if own is not None and not goodbyes.theirs(leg.sip_call_id):
        cause, words = own_cause(
            own,
            acknowledged=leg.confirmed,
            encrypted=goodbyes.encrypted(leg.sip_call_id),
            srtp=goodbyes.srtp,
        )
        return Ending(200 if leg.answered_at is not None else own.code or leg.last_code, words, cause)
    if leg.answered_at is not None:
        if leg.hung_up_by is HungUpBy.NOBODY:
            leg.hung_up_by = HungUpBy.THEM
        return Ending(200, "OK", None, ledger.bye_reason(leg.sip_call_id))
    if leg.refusal is not None:
        return Ending(*leg.refusal)
    refused = leg.direction is Direction.IN and leg.hung_up_by is HungUpBy.NOBODY
    if refused and leg.last_code in TOLD:
        return Ending(leg.last_code, goodbyes.why(leg.sip_call_id, leg.last_code))
    if leg.direction is Direction.IN or progress.code >= 300:
        phrase = progress.phrase or leg.last_reason
        reason = progress.reason or ledger.bye_reason(leg.sip_call_id)
        return Ending(progress.code or leg.last_code, phrase, None, reason)
    if progress.code >= 200:
        return Ending(487, CROSSED, LocalCause.OTHER)
    return Ending(leg.last_code, leg.last_reason, explain(leg.last_code, leg.last_reason))


def changed(leg: Leg, state: CallState, ledger: Ledger) -> CallChanged:
    """The event that tells another state of a leg; PJSIP must not have let it go."""
    info = leg.getInfo()
    incoming = leg.direction is Direction.IN
    return CallChanged(
        call_id=leg.call_id,
        direction=leg.direction,
        state=state,
        remote=leg.caller if incoming else info.remoteUri,
        called=leg.request_uri if incoming else info.remoteUri,
        to=leg.to if incoming else "",
        sip_code=info.lastStatusCode,
        reason=info.lastReason,
        setup_ms=ledger.of(leg.sip_call_id, "INVITE").setup_ms,
        sip_call_id=leg.sip_call_id,
    )


def ended(leg: Leg, end: Ending, ledger: Ledger, log: DialogLog) -> CallChanged:
    """The event that tells a leg's end, with all that its messages showed."""
    dialog = log.facts(leg.sip_call_id)
    if end.cause is LocalCause.SESSION_EXPIRED:
        dialog = replace(dialog, session_timer=True)
    if end.cause is LocalCause.NO_CODEC and dialog.audio_damaged:
        end = end._replace(phrase=BAD_SDP, cause=LocalCause.BAD_SDP)
    if leg.direction is Direction.IN and end.code in AUDIO_CODES and dialog.audio_damaged:
        end = end._replace(phrase=BAD_OFFER)
    explanation, phrase = log.explanation(leg.sip_call_id), end.phrase
    if end.code // 100 == 3 and explanation.contacts:
        phrase = f"{phrase}, to {explanation.contacts[0]}, which was not followed"
    until = leg.left_at or leg.ended_at or time.monotonic()
    return CallChanged(
        call_id=leg.call_id,
        direction=leg.direction,
        state=CallState.ENDED,
        sip_code=end.code,
        reason=phrase,
        reason_header=end.reason_header,
        answered_by=AnsweredBy.NETWORK if end.cause is None else AnsweredBy.LOCAL,
        local_cause=end.cause or LocalCause.NONE,
        setup_ms=ledger.of(leg.sip_call_id, "INVITE").setup_ms,
        duration_s=round(until - leg.answered_at, 3) if leg.answered_at is not None else 0.0,
        hung_up_by=leg.hung_up_by,
        sip_call_id=leg.sip_call_id,
        realms=ledger.of(leg.sip_call_id, "INVITE").realms,
        hang_up_ms=ledger.of(leg.sip_call_id, "BYE").round_trip_ms,
        explanation=explanation,
        challenge=log.challenge(leg.sip_call_id),
        dialog=dialog,
        icmp=log.icmp(leg.sip_call_id),
    )
