"""Which finding a call that was not answered leads to."""

from __future__ import annotations

from collections.abc import Iterable

from app.checks import sign_in
from app.checks.causes import local_finding
from app.checks.conditions import common_codecs
from app.checks.facts import Facts, is_answer
from app.checks.far_words import own_texts
from app.checks.phrases import refused_call
from app.model.outcome import AnsweredBy, CallOutcome, CallResult, Direction, HungUpBy, LocalCause
from app.model.signalling import Unreachable
from app.model.trunk import Srtp, Transport

_TURNED_AWAY = frozenset({400, 406, 415, 420, 421, 422, 480, 488, 606})
"""Codes with which the stack refuses a call that comes in before anybody is asked."""

_WITHOUT_CODE = {
    CallResult.BUSY: "CALL-486",
    CallResult.NOT_FOUND: "CALL-404",
    CallResult.FORBIDDEN: "CALL-403",
    CallResult.UNAVAILABLE: "CALL-503",
    CallResult.NO_ANSWER: "CALL-NOANSWER",
    CallResult.DECLINED: "CALL-603",
    CallResult.CANCELLED: "CALL-CANCELLED",
}
_LOST_ON_THE_WAY = frozenset({"NET-NOANS", "CALL-NOREPLY", "AUTH-NONE"})
"""Findings that a message too large for the way can be behind."""
_NOTHING_CAME = frozenset({"CALL-NORING", "CALL-NOREPLY"})


def unanswered_id(outcome: CallOutcome, facts: Facts) -> str:
    """The id of the finding about how a call ended that nobody answered."""
    by_result = {CallResult.LOST: "ENGINE-LOST", CallResult.REFUSED_HERE: "CALL-REFUSED-HERE"}
    if outcome.result in by_result:
        return by_result[outcome.result]
    if facts.direction is Direction.IN:
        unasked = outcome.hung_up_by is HungUpBy.NOBODY and outcome.sip_code in _TURNED_AWAY
        return "CALL-IN-REFUSED" if unasked else "CALL-IN-MISSED"
    if outcome.result is CallResult.CANCELLED and outcome.hung_up_by is HungUpBy.US:
        return "CALL-CANCELLED"
    if facts.lost_success and outcome.hung_up_by is HungUpBy.LIMIT:
        return "SIP-UNREADABLE"  # It was answered, and rang on here
    if outcome.result is CallResult.NO_ANSWER and (ringing := _ringing_id(outcome)):
        # A message that can't be read is no silence
        lost = ringing in _NOTHING_CAME and any(map(is_answer, facts.dropped))
        return "SIP-UNREADABLE" if lost else ringing
    if facts.made_up_here:
        return _local_id(facts)
    if outcome.result is CallResult.WRONG_CREDENTIALS or outcome.sip_code in (401, 407):
        otherwise = "AUTH-407INV" if facts.trunk.register else "AUTH-LOOP"
        return sign_in.refused(facts, challenges=0, otherwise=otherwise)
    if not 300 <= outcome.sip_code <= 699:
        return _WITHOUT_CODE.get(outcome.result, "CALL-FAILED")
    by_words = refused_call(" / ".join(own_texts(facts)), outcome.sip_code, facts.trunk)
    return by_words or f"CALL-{outcome.sip_code}"


def _ringing_id(outcome: CallOutcome) -> str:
    """The finding for a time for ringing that was over, as against the network's own 408 or 480."""
    given_up = outcome.hung_up_by is HungUpBy.LIMIT
    heard = outcome.setup_ms is not None
    if outcome.answered_by is AnsweredBy.NETWORK:
        if not given_up and outcome.sip_code != 487:
            return ""
        return "CALL-NORING" if given_up and not heard else "CALL-NOANSWER"
    if outcome.answered_by is not AnsweredBy.LOCAL:
        return ""
    # A timer of ours ended it: a call that had come as far as ringing, or one of which nothing was heard
    return "CALL-NOANSWER" if heard else "CALL-NOREPLY" if given_up else ""


def _local_id(facts: Facts) -> str:
    if facts.unreadable:
        return "SIP-UNREADABLE"
    if found := sign_in.unfinished(facts, challenges=0):
        return found
    if facts.local_cause is LocalCause.NO_CODEC and encryption_differs(facts):
        return "SRTP-FAIL"
    return local_finding(facts.local_cause)


def encryption_differs(facts: Facts) -> bool:
    """Whether keys or ciphers must be the matter: this trunk encrypts, and there are codecs in common."""
    return facts.trunk.srtp is not Srtp.OFF and bool(common_codecs(facts))


def beside(finding_id: str, outcome: CallOutcome, facts: Facts) -> Iterable[str]:
    """Ids of findings that stand beside the one about how the call ended."""
    too_big = outcome.icmp is not None and outcome.icmp.kind is Unreachable.TOO_BIG
    over_udp = facts.trunk.transport is Transport.UDP
    if finding_id in _LOST_ON_THE_WAY and over_udp and (facts.trunk.register or too_big):
        yield "NET-BIG"
    silent = outcome.media is not None and not outcome.media.rx.packets
    if (
        outcome.early_media
        and not silent
        and facts.direction is Direction.OUT
        and outcome.result is not CallResult.LOST
    ):
        yield "EARLY-ONLY"
