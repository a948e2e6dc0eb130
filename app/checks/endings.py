"""How an answered call ended, and what became of the requests within it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec.structs import replace

from app.checks.causes import local_finding
from app.checks.conditions import CHANGES
from app.checks.facts import Facts, failed, is_unsent, last_of_each, refusal_of, unsent
from app.checks.far_words import own_reasons
from app.checks.phrases import ended_call
from app.checks.texts import Values
from app.checks.unanswered import encryption_differs
from app.checks.wording import clean, sentence
from app.model.outcome import CallOutcome, Direction, HungUpBy, LocalCause
from app.model.signalling import Purpose, Trouble
from app.sip.status import Reason, q850, status

Named = tuple[str, Values]
"""The id of a finding, and its values."""

LOST_AFTER_REPEATS = 2
"""An answer that is repeated once may have crossed with the confirmation on a slow way; repeated again after
1.5 s (RFC 3261 section 13.3.1.4, T1 = 0.5 s), the confirmation does not arrive."""
SOON_S = 2.0
"""An ACK that has not come in by then does not come: the answer was repeated twice."""
_TIMER_S = (31.0, 33.5)
"""64 × T1 after the answer, who waits for ACK gives up (RFC 3261 section 13.3.1.4)."""
_SHORT_TIMER_S = (6.0, 7.0)
"""The same with T1 = 0.1 s, as some systems have it."""

_WARN_CODE = re.compile(r"^\d{3}\s+")
_STEPS = {"digits": "DTMF", "hold": "REINV-REJ", "resume": "REINV-REJ", "record": "RECORD"}
_STEPS |= {"transfer": "TRANSFER-REJ", "forward": "TRANSFER-REJ"}


def ending_ids(outcome: CallOutcome, facts: Facts, values: Values) -> Iterable[Named]:
    """What was wrong with the end of an answered call; an end that one finding explains has no second one."""
    found = list(_confirmation(outcome, facts, values)) or list(_cut_here(outcome, facts, values))
    found = found or list(_their_reason(facts, values))
    low, high = _TIMER_S
    if not found and outcome.hung_up_by is HungUpBy.THEM and low <= outcome.duration_s <= high:
        found = [("BYE-32", values)]
    yield from found
    yield from _hang_up(outcome, facts, values)


def _confirmation(outcome: CallOutcome, facts: Facts, values: Values) -> Iterable[Named]:
    """Whether the answer was confirmed (ACK)."""
    if outcome.local_cause is LocalCause.NO_ACK:
        yield "CALL-CUT-ACK", replace(values, problem=f"{outcome.local_cause}.")
        return
    dialog = facts.dialog
    said = any(ended_call(reason.text, facts.trunk) == "ACK-LOST-OUT" for reason in _theirs(facts))
    incoming = facts.direction is Direction.IN
    # A call that is hung up at once leaves no time for their ACK to come in; ours leaves or does not
    lost = dialog.acknowledged is False and (not incoming or outcome.duration_s >= SOON_S)
    if not (dialog.answer_repeats >= LOST_AFTER_REPEATS or lost or said):
        return
    if incoming:
        yield "ACK-LOST-IN", values
        return
    low, high = _SHORT_TIMER_S
    cut_early = outcome.hung_up_by is HungUpBy.THEM and low <= outcome.duration_s <= high
    yield ("DROP-6" if cut_early else "ACK-LOST-OUT"), values


def _cut_here(outcome: CallOutcome, facts: Facts, values: Values) -> Iterable[Named]:
    """Whether the call ended here although nobody here ended it."""
    cause = outcome.local_cause
    if cause in (LocalCause.NONE, LocalCause.OTHER):
        return
    filled = replace(values, problem=f"{cause}.")
    by_stack = failed(facts, Purpose.STACK)
    # The library ends a call whose far end ignores it; the network has nothing to do with that
    if by_stack and cause in (LocalCause.NO_ANSWER, LocalCause.CALL_UNKNOWN, LocalCause.SESSION_EXPIRED):
        words = f"{clean(by_stack[0].method)}: {refusal_of(by_stack)}"
        yield "STACK-CUT", replace(filled, refused=sentence(words))
        return
    if facts.unreadable:
        yield "SIP-UNREADABLE", values
        return
    if failed(facts, Purpose.REFRESH):
        refused = clean(refusal_of(failed(facts, Purpose.REFRESH)))
        yield "SE-HALF", replace(filled, refused=refused)
        return
    if cause is LocalCause.NO_CODEC and encryption_differs(facts):
        yield "SRTP-FAIL", values
        return
    own = local_finding(cause)
    yield (own if own.startswith("CALL-CUT") else "CALL-CUT"), filled


def _their_reason(facts: Facts, values: Values) -> Iterable[Named]:
    """What the far end gives as the reason of its BYE; the worst of several."""
    found = [one for reason in _theirs(facts) if (one := _reason_of(reason, facts, values))]
    by_timer = facts.dialog.session_timer and _ended_by_them(facts)
    if by_timer and not any(finding_id == "SE-HALF" for finding_id, _ in found):
        found.insert(0, ("SE-HALF", replace(values, problem="")))
    # A cause of the network says less than words, and a plain one less than a fault
    rank = ("BYE-NET", "BYE-CAUSE")
    yield from sorted(found, key=lambda one: rank.index(one[0]) + 1 if one[0] in rank else 0)[:1]


def _theirs(facts: Facts) -> tuple[Reason, ...]:
    """What the far end says about its end: `Reason`, and words of its BYE in Warning or a text body."""
    if not _ended_by_them(facts):
        return ()
    said = facts.outcome.explanation
    words = [*(_WARN_CODE.sub("", one) for one in said.warnings), said.text]
    texts = words if facts.dialog.ended_by_bye else []
    return (*own_reasons(facts), *(Reason(protocol="", text=one) for one in texts if one))


def _ended_by_them(facts: Facts) -> bool:
    call = facts.call
    return call is not None and (call.hung_up_by is HungUpBy.THEM or call.dialog.ended_by_bye)


def _reason_of(reason: Reason, facts: Facts, values: Values) -> Named | None:
    words = clean(reason.text).rstrip(".")
    by_words = ended_call(words, facts.trunk)
    if by_words and by_words != "ACK-LOST-OUT":
        quote = sentence(f"The other side says: {words}") if by_words == "SE-HALF" else ""
        return by_words, replace(values, reason=words, problem=quote)
    if reason.protocol == "Q.850":
        cause = q850(reason.cause)
        if reason.cause == 0 or cause.normal:
            return None
        meaning = cause.meaning.rstrip(".").removeprefix("The network gives ")
        known = str(cause.cause) in meaning
        why = meaning if known else f"{meaning[:1].lower()}{meaning[1:]} (cause {cause.cause})"
        return ("BYE-NET" if cause.fault else "BYE-CAUSE"), replace(values, reason=why)
    if reason.protocol == "PREEMPTION":
        why = "the line was needed for a call that comes first (preemption)"
        return "BYE-CAUSE", replace(values, reason=why)
    if reason.protocol == "SIP" and reason.cause >= 300:
        why = f"{reason.cause} {words or _phrase(reason.cause)}".strip()
        fault = reason.cause == 408 or 500 <= reason.cause <= 599
        return ("BYE-NET" if fault else "BYE-CAUSE"), replace(values, reason=why)
    return None


def _phrase(code: int) -> str:
    return status(code).phrase if 100 <= code <= 699 else ""


def _hang_up(outcome: CallOutcome, facts: Facts, values: Values) -> Iterable[Named]:
    """What became of our own BYE."""
    if outcome.hung_up_by not in (HungUpBy.US, HungUpBy.LIMIT) or outcome.local_cause is not LocalCause.NONE:
        return
    byes = [one for one in last_of_each(facts.dialog) if one.purpose is Purpose.HANG_UP]
    if byes:
        (bye,) = byes
        filled = replace(values, refused=clean(refusal_of(byes)))
        if bye.code == 481 and facts.dialog.ended_by_bye:
            return  # Both hung up in the same moment
        if bye.code in (408, 481):
            yield "BYE-481", filled
        elif bye.code >= 300:
            yield "BYE-REJ", filled
        elif bye.code == 0 and not is_unsent(bye):
            yield "BYE-LOST", values
    elif outcome.hang_up_ms is None:
        yield "BYE-LOST", values


def request_ids(facts: Facts, values: Values, already: Iterable[str]) -> Iterable[Named]:
    """What became of the other requests within a call, answered or not.

    Args:
        facts: What is known.
        values: What is known, in words.
        already: Ids that there are; what they say is not said twice.
    """
    known = set(already)
    if unsent(facts) and facts.call is not None:
        yield "CONTACT-BAD", values
    groups = (
        ("REINV-REJ", CHANGES),
        ("DTMF", (Purpose.DIGITS,)),
        ("TRANSFER-REJ", (Purpose.TRANSFER,)),
        ("PRACK-REJ", (Purpose.PROVISIONAL,)),
        ("STACK-REJ", (Purpose.STACK,)),
    )
    for finding_id, purposes in groups:
        requests = failed(facts, *purposes)
        told_by = {"SE-HALF", "CALL-CUT-GONE"} if finding_id == "REINV-REJ" else {"STACK-CUT"}
        if not requests or (finding_id in ("REINV-REJ", "STACK-REJ") and known & told_by):
            continue
        refused = clean(refusal_of(requests))
        if finding_id == "STACK-REJ":
            refused = sentence(f"{clean(requests[0].method)}: {refused}")
        yield finding_id, replace(values, refused=refused, change=requests[0].purpose)
    cancels = failed(facts, Purpose.CANCEL)
    if cancels and facts.made_up_here:
        yield "CANCEL-REJ", replace(values, refused=clean(refusal_of(cancels)))


def trouble_of(trouble: Trouble, values: Values) -> Named:
    """The finding for a step that did not work, with its own words as values."""
    what = sentence(trouble.what)
    filled = replace(values, problem=what, refused=what.rstrip("."), change=clean(trouble.step))
    return _STEPS.get(trouble.step, "STEP"), filled
