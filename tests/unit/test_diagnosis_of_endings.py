"""A call whose signalling failed is no proof that the trunk works, however good it sounded."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from app.checks.diagnosis import explain_call, headline, worst
from app.model.finding import Finding, Verdict
from app.model.outcome import (
    AnsweredBy,
    CallResult,
    Direction,
    HungUpBy,
    LocalCause,
)
from app.model.signalling import DialogFacts, Explanation, Purpose, SentRequest, Trouble
from app.model.trunk import Dtmf, Srtp, Transport, Use
from tests.helpers.outcomes import TRUNK, answered, everything, figures, ids, sent, unanswered

GOOD = DialogFacts(acknowledged=True, answer_direction="sendrecv", far_codecs=("pcmu", "telephone-event"))


def call(
    dialog: DialogFacts = GOOD, *, direction: Direction = Direction.OUT, **more: object
) -> tuple[Finding, ...]:
    """The findings about an answered call with good sound."""
    outcome = answered(figures(), dialog=dialog, **more)
    return explain_call(outcome, TRUNK, direction=direction)


def with_requests(*requests: SentRequest, **more: object) -> tuple[Finding, ...]:
    return call(replace(GOOD, requests=requests), **more)


def ended(reason: str, **more: object) -> tuple[Finding, ...]:
    """A call that the far end ended with this reason."""
    return call(replace(GOOD, ended_by_bye=True), hung_up_by=HungUpBy.THEM, reason_header=reason, **more)


def test_nothing_to_complain_of_is_a_pass() -> None:
    bye = sent("BYE", Purpose.HANG_UP, 200, "OK", after_s=10.0)
    ack = sent("ACK", Purpose.ACKNOWLEDGE, after_s=0.0)
    found = with_requests(ack, bye)
    assert ids(found) == ["CALL-OK"]
    assert headline(found) == "This trunk works."


# The answer was not confirmed


@pytest.mark.parametrize("duration_s", [2.5, 7.5, 10.0, 16.0, 35.0, 60.0])
@pytest.mark.parametrize("repeats", [2, 4, 12])
@pytest.mark.parametrize("by", [HungUpBy.LIMIT, HungUpBy.THEM])
def test_an_answer_that_is_repeated_is_a_lost_confirmation_whatever_the_length(
    duration_s: float, repeats: int, by: HungUpBy
) -> None:
    found = call(
        replace(GOOD, answer_repeats=repeats),
        duration_s=duration_s,
        hung_up_by=by,
        reason_header="Q.850;cause=102" if by is HungUpBy.THEM else "",
    )
    assert ids(found) == ["ACK-LOST-OUT", "CALL-OK"]
    assert worst(found) is Verdict.FAIL
    assert headline(found).startswith("The provider does not see that calls are up")
    assert any("sent the answer to the call again" in line for line in found[0].evidence)


def test_one_repeat_may_have_crossed_with_the_confirmation() -> None:
    assert ids(call(replace(GOOD, answer_repeats=1))) == ["CALL-OK"]


def test_a_confirmation_that_could_not_be_sent_fails_at_once() -> None:
    found = call(replace(GOOD, acknowledged=False), duration_s=1.0)
    assert ids(found)[0] == "ACK-LOST-OUT"


@pytest.mark.parametrize(
    ("duration_s", "acknowledged", "repeats", "lost"),
    [
        (10.0, False, 0, True),
        (10.0, True, 3, True),
        (0.5, False, 0, False),
        (10.0, True, 1, False),
        (10.0, None, 0, False),
    ],
)
def test_a_call_that_came_in_wants_its_confirmation_too(
    duration_s: float, acknowledged: bool | None, repeats: int, lost: bool
) -> None:
    found = call(
        replace(GOOD, acknowledged=acknowledged, answer_repeats=repeats),
        direction=Direction.IN,
        duration_s=duration_s,
    )
    assert ("ACK-LOST-IN" in ids(found)) is lost
    assert worst(found) is (Verdict.FAIL if lost else Verdict.PASS)


def test_an_end_after_six_seconds_with_a_lost_confirmation_is_a_short_timer() -> None:
    cut = {"hung_up_by": HungUpBy.THEM, "duration_s": 6.4}
    assert ids(call(replace(GOOD, answer_repeats=6), **cut))[0] == "DROP-6"
    assert ids(call(GOOD, **cut)) == ["CALL-OK"]
    assert ids(call(replace(GOOD, answer_repeats=6), hung_up_by=HungUpBy.US, duration_s=6.4))[0] == (
        "ACK-LOST-OUT"
    )


def test_an_end_after_half_a_minute_is_told_apart_by_the_confirmation() -> None:
    cut = {"hung_up_by": HungUpBy.THEM, "duration_s": 32.0}
    (seen, *_) = call(GOOD, **cut)
    (unknown, *_) = call(DialogFacts(), **cut)
    assert seen.id == unknown.id == "BYE-32"
    assert "arrived" in seen.causes[0]
    assert "did not reach" in unknown.causes[0]


def test_an_acknowledge_timeout_in_words_is_understood() -> None:
    assert ids(ended('SIP;cause=408;text="ACK Timeout"', duration_s=16.0))[0] == "ACK-LOST-OUT"
    found = call(
        replace(GOOD, ended_by_bye=True),
        direction=Direction.IN,
        hung_up_by=HungUpBy.THEM,
        explanation=Explanation(reasons=('SIP;text="No ACK received"',)),
    )
    assert ids(found)[0] == "ACK-LOST-IN"


# Why the far end ended it


@pytest.mark.parametrize(
    ("reason", "finding_id", "verdict"),
    [
        ("Q.850;cause=102", "BYE-NET", Verdict.FAIL),
        ('Q.850;cause=41;text="Temporary failure"', "BYE-NET", Verdict.FAIL),
        ("Q.850;cause=34", "BYE-NET", Verdict.FAIL),
        ("Q.850;cause=38", "BYE-NET", Verdict.FAIL),
        ("Q.850;cause=47", "BYE-NET", Verdict.FAIL),
        ("Q.850;cause=27", "BYE-NET", Verdict.FAIL),
        ("Q.850;cause=17", "BYE-CAUSE", Verdict.WARNING),
        ("Q.850;cause=21", "BYE-CAUSE", Verdict.WARNING),
        ("Q.850;cause=95", "BYE-CAUSE", Verdict.WARNING),
        ("Q.850;cause=127", "BYE-CAUSE", Verdict.WARNING),
        ("SIP;cause=408", "BYE-NET", Verdict.FAIL),
        ("SIP;cause=500", "BYE-NET", Verdict.FAIL),
        ("SIP;cause=486", "BYE-CAUSE", Verdict.WARNING),
        ('SIP;cause=503;text="Credit exhausted"', "BYE-CREDIT", Verdict.FAIL),
        ('SIP;cause=200;text="RTP Timeout"', "RTP-TMO", Verdict.FAIL),
        ('Q.850;cause=31;text="RTP Timeout"', "RTP-TMO", Verdict.FAIL),
        ("RTP Timeout", "RTP-TMO", Verdict.FAIL),
        ('SIP;cause=408;text="Session Timer expired"', "SE-HALF", Verdict.FAIL),
        ('Q.850;cause=16;text="ALLOTTED_TIMEOUT"', "MAXDUR", Verdict.WARNING),
        ("Q.850;cause=16, SIP;cause=503", "BYE-NET", Verdict.FAIL),
        ('preemption;cause=1;text="UA Preemption"', "BYE-CAUSE", Verdict.WARNING),
    ],
)
@pytest.mark.parametrize("duration_s", [2.5, 10.0, 32.0])
def test_the_reason_of_their_end_counts_soon_and_late(
    reason: str, finding_id: str, verdict: Verdict, duration_s: float
) -> None:
    found = ended(reason, duration_s=duration_s)
    good = "CALL-ANSWERED" if finding_id.startswith("RTP-") else "CALL-OK"
    assert ids(found) == [finding_id, good]
    assert found[0].verdict is verdict
    assert any(reason in line for line in found[0].evidence)
    assert headline(found) != "This trunk works."


@pytest.mark.parametrize(
    "reason",
    [
        "",
        "Q.850;cause=16",
        'Q.850;cause=16;text="Normal call clearing"',
        "Q.850;cause=31",
        'SIP;cause=200;text="Call completed elsewhere"',
        "SIP;cause=200, Q.850;cause=16",
        'X-vendor;text="user hung up"',
        "Q.850",
        "Q.850;cause=0",
    ],
)
def test_an_ordinary_end_is_no_trouble(reason: str) -> None:
    assert ids(ended(reason)) == ["CALL-OK"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (Explanation(warnings=("399 Credit exhausted",)), ["BYE-CREDIT", "CALL-OK"]),
        (Explanation(warnings=("RTP timeout",)), ["RTP-TMO", "CALL-ANSWERED"]),
        (Explanation(text="Your balance is too low."), ["BYE-CREDIT", "CALL-OK"]),
        (Explanation(warnings=("399 Goodbye",), text="Thanks for calling"), ["CALL-OK"]),
    ],
)
def test_words_of_a_bye_count_also_outside_of_its_reason(said: Explanation, expected: list[str]) -> None:
    found = call(replace(GOOD, ended_by_bye=True), hung_up_by=HungUpBy.THEM, explanation=said)
    assert ids(found) == expected
    # The same words in the answer to the call say nothing about its end
    assert ids(call(GOOD, hung_up_by=HungUpBy.THEM, explanation=said)) == ["CALL-OK"]


def test_the_cause_is_named_in_words() -> None:
    (by_network, *_) = ended("Q.850;cause=102")
    assert by_network.title == (
        "The network ended the call after 10 s because of a fault: "
        "a server in the network waited in vain for an answer (cause 102)."
    )
    (by_code, *_) = ended("SIP;cause=408")
    assert "408 Request Timeout" in by_code.title
    (unknown, *_) = ended("Q.850;cause=95")
    assert "cause 95, which has no common meaning" in unknown.title


def test_the_reason_of_our_own_end_is_not_theirs() -> None:
    assert ids(call(GOOD, reason_header="Q.850;cause=102", hung_up_by=HungUpBy.LIMIT)) == ["CALL-OK"]


def test_a_session_timer_is_found_by_the_facts_without_words() -> None:
    dialog = replace(GOOD, ended_by_bye=True, session_timer=True)
    found = call(dialog, hung_up_by=HungUpBy.THEM, reason_header="Q.850;cause=102", duration_s=45.0)
    assert ids(found) == ["SE-HALF", "CALL-OK"]
    assert found[0].field == "session_timer"


def test_a_refresh_that_was_refused_is_why_a_call_was_cut() -> None:
    refresh = sent("UPDATE", Purpose.REFRESH, 481, "Call Does Not Exist", after_s=45.0)
    found = call(
        replace(GOOD, requests=(refresh,)),
        answered_by=AnsweredBy.LOCAL,
        local_cause=LocalCause.CALL_UNKNOWN,
        duration_s=45.0,
        hung_up_by=HungUpBy.NOBODY,
    )
    assert ids(found)[0] == "SE-HALF"
    assert "REINV-REJ" not in ids(found)
    assert "481 Call Does Not Exist" in found[0].causes[0]


# Our end


@pytest.mark.parametrize(
    ("code", "finding_id", "verdict"),
    [
        (481, "BYE-481", Verdict.WARNING),
        (408, "BYE-481", Verdict.WARNING),
        (403, "BYE-REJ", Verdict.FAIL),
        (500, "BYE-REJ", Verdict.FAIL),
        (0, "BYE-LOST", Verdict.WARNING),
    ],
)
def test_an_end_of_ours_that_is_not_accepted_is_told(code: int, finding_id: str, verdict: Verdict) -> None:
    bye = sent("BYE", Purpose.HANG_UP, code, "Nope" if code else "", after_s=10.0)
    found = with_requests(bye, hang_up_ms=None)
    assert ids(found) == [finding_id, "CALL-OK"]
    assert found[0].verdict is verdict
    wanted = f"BYE (hang up), 10.0 s after the answer: {f'answered {code} Nope' if code else 'no answer'}"
    assert wanted in found[0].evidence


def test_two_who_hang_up_in_the_same_moment_have_done_nothing_wrong() -> None:
    bye = sent("BYE", Purpose.HANG_UP, 481, "Gone", after_s=10.0)
    dialog = replace(GOOD, requests=(bye,), ended_by_bye=True)
    assert ids(call(dialog)) == ["CALL-OK"]


def test_an_answered_bye_is_fine_even_when_it_took_long() -> None:
    bye = sent("BYE", Purpose.HANG_UP, 200, "OK", after_s=10.0)
    assert ids(with_requests(bye, hang_up_ms=None)) == ["CALL-OK"]


# Requests that could not leave


@pytest.mark.parametrize(
    ("method", "purpose"),
    [
        ("ACK", Purpose.ACKNOWLEDGE),
        ("BYE", Purpose.HANG_UP),
        ("INFO", Purpose.DIGITS),
        ("INVITE", Purpose.HOLD),
    ],
)
def test_a_request_that_could_not_leave_fails_the_call(method: str, purpose: Purpose) -> None:
    request = sent(method, purpose, left=False, obstacle="core.invalid is not a known name")
    found = with_requests(request)
    assert ids(found)[0] == "CONTACT-BAD"
    assert worst(found) is Verdict.FAIL
    bad = next(finding for finding in found if finding.id == "CONTACT-BAD")
    assert "core.invalid is not a known name" in bad.title
    assert method in bad.meaning
    for others in ("ACK-LOST-OUT", "BYE-LOST", "DTMF", "REINV-REJ"):
        assert others not in ids(found)


def test_an_address_that_nothing_can_come_back_from_is_as_bad() -> None:
    bye = sent("BYE", Purpose.HANG_UP, obstacle="10.1.2.3 is in another private network")
    assert "CONTACT-BAD" in ids(with_requests(bye))
    answered_all_the_same = replace(bye, code=200)
    assert ids(with_requests(answered_all_the_same)) == ["CALL-OK"]


# Other requests within a call


@pytest.mark.parametrize("code", [405, 415, 501, 469, 0])
def test_keys_that_are_not_accepted_are_a_warning(code: int) -> None:
    outcome = answered(figures(), dialog=replace(GOOD, requests=(sent("INFO", Purpose.DIGITS, code, "No"),)))
    found = explain_call(outcome, replace(TRUNK, dtmf=Dtmf.INFO))
    assert ids(found) == ["DTMF", "CALL-OK"]
    assert found[0].field == "dtmf"
    assert "SIP INFO" in found[0].causes[0]
    assert found[0].do[0] == "Send keys by RFC 4733, which most providers want."


@pytest.mark.parametrize(
    ("method", "purpose", "finding_id"),
    [
        ("INVITE", Purpose.HOLD, "REINV-REJ"),
        ("INVITE", Purpose.RESUME, "REINV-REJ"),
        ("UPDATE", Purpose.REFRESH, "REINV-REJ"),
        ("REFER", Purpose.TRANSFER, "TRANSFER-REJ"),
        ("PRACK", Purpose.PROVISIONAL, "PRACK-REJ"),
        ("INVITE", Purpose.STACK, "STACK-REJ"),
    ],
)
@pytest.mark.parametrize("code", [403, 481, 488, 500])
def test_a_refused_request_is_a_warning_that_names_the_answer(
    method: str, purpose: Purpose, finding_id: str, code: int
) -> None:
    found = with_requests(sent(method, purpose, code, "No Way"))
    assert ids(found) == [finding_id, "CALL-OK"]
    assert f"{code} No Way" in f"{found[0].title} {found[0].meaning}"
    assert headline(found).startswith("This trunk works, but ")


def test_what_was_refused_and_then_worked_has_worked() -> None:
    glare = sent("INVITE", Purpose.HOLD, 491, "Request Pending")
    again = sent("INVITE", Purpose.HOLD, 200, "OK", after_s=4.0)
    assert ids(with_requests(glare, again)) == ["CALL-OK"]


def test_what_was_sent_shortly_before_the_end_need_not_have_been_answered() -> None:
    late = sent("INFO", Purpose.DIGITS, after_s=9.0)
    assert ids(with_requests(late)) == ["CALL-OK"]
    early = sent("INFO", Purpose.DIGITS, after_s=1.0)
    assert ids(with_requests(early)) == ["DTMF", "CALL-OK"]


def test_a_request_that_nobody_asked_for_is_ringbacks_and_not_the_networks() -> None:
    reinvite = sent("INVITE", Purpose.STACK, after_s=0.1)
    found = call(
        replace(GOOD, requests=(reinvite,)),
        answered_by=AnsweredBy.LOCAL,
        local_cause=LocalCause.NO_ANSWER,
        hung_up_by=HungUpBy.NOBODY,
        duration_s=32.0,
    )
    assert ids(found) == ["STACK-CUT", "CALL-ANSWERED"]
    assert headline(found) == "Ringback cut the call by itself."
    assert "Wi-Fi" not in everything(found[0])
    assert "INVITE: no answer." in found[0].meaning


def test_a_cancel_that_was_refused_is_told_while_the_call_has_no_end() -> None:
    cancel = sent("CANCEL", Purpose.CANCEL, 481, "Unknown", after_s=0.0)
    dialog = DialogFacts(requests=(cancel,))
    silent = unanswered(
        CallResult.CANCELLED,
        487,
        "x",
        hung_up_by=HungUpBy.US,
        answered_by=AnsweredBy.LOCAL,
        local_cause=LocalCause.OTHER,
        dialog=dialog,
    )
    found = explain_call(silent, TRUNK)
    assert ids(found) == ["CANCEL-REJ", "CALL-CANCELLED"]
    assert headline(found).startswith("Not tested to the end: ")
    clear = unanswered(CallResult.CANCELLED, 487, "x", hung_up_by=HungUpBy.US, dialog=dialog)
    assert ids(explain_call(clear, TRUNK)) == ["CALL-CANCELLED"]


# Steps that did not work


def test_a_step_that_did_not_work_is_a_finding_beside_the_rest() -> None:
    trouble = Trouble(
        step="digits",
        what="The digits 12 could not be sent, because the answer has no telephone-event",
        do="Send keys by SIP INFO.",
        details="PJMEDIA_RTP_EREMNORFC2833",
    )
    dialog = replace(GOOD, far_codecs=("pcmu",))
    found = call(dialog, troubles=(trouble,))
    assert ids(found) == ["DTMF", "CALL-OK"]
    assert found[0].title == "The digits 12 could not be sent, because the answer has no telephone-event."
    assert found[0].do[0] == "Send keys by SIP INFO."
    assert found[0].evidence[0] == "PJMEDIA_RTP_EREMNORFC2833"
    assert "no telephone-event" in found[0].causes[0]
    assert worst(found) is Verdict.WARNING


@pytest.mark.parametrize(
    ("step", "finding_id"),
    [
        ("record", "RECORD"),
        ("hold", "REINV-REJ"),
        ("resume", "REINV-REJ"),
        ("transfer", "TRANSFER-REJ"),
        ("forward", "TRANSFER-REJ"),
        ("answer", "STEP"),
        ("something new", "STEP"),
    ],
)
def test_every_step_has_its_finding(step: str, finding_id: str) -> None:
    found = call(troubles=(Trouble(step=step, what="It did not work."),))
    assert ids(found) == [finding_id, "CALL-OK"]
    assert found[0].title == "It did not work."


def test_two_troubles_of_one_kind_are_told_once_and_two_of_no_kind_twice() -> None:
    info = sent("INFO", Purpose.DIGITS, 405, "Method Not Allowed")
    twice = (Trouble(step="digits", what="A."), Trouble(step="digits", what="B."))
    found = with_requests(info, troubles=twice)
    assert ids(found) == ["DTMF", "CALL-OK"]
    assert "405 Method Not Allowed" in found[0].title
    others = (Trouble(step="answer", what="A."), Trouble(step="mute", what="B."))
    assert ids(call(troubles=others)) == ["STEP", "STEP", "CALL-OK"]


def test_answering_a_call_that_was_over_does_not_hide_what_came_of_it() -> None:
    outcome = unanswered(
        CallResult.CANCELLED, 487, "x", troubles=(Trouble(step="answer", what="That call is over."),)
    )
    found = explain_call(outcome, TRUNK, direction=Direction.IN)
    assert ids(found) == ["STEP", "CALL-IN-MISSED"]


# Audio that did not last


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        ({"stopped_s": 10.0}, ["RTP-STOP", "CALL-ANSWERED"]),
        ({"stopped_s": 5.0}, ["RTP-STOP", "CALL-ANSWERED"]),
        ({"stopped_s": 4.9}, ["CALL-OK"]),
        ({"stopped_s": None}, ["CALL-OK"]),
        ({"longest_gap_s": 6.0}, ["RTP-GAP", "CALL-ANSWERED"]),
        ({"longest_gap_s": 4.0, "stopped_s": 0.0}, ["CALL-OK"]),
        ({"longest_gap_s": 10.0, "stopped_s": 10.0}, ["RTP-STOP", "CALL-ANSWERED"]),
    ],
)
def test_audio_that_stops_is_no_audio_both_ways(media: dict[str, object], expected: list[str]) -> None:
    outcome = answered(replace(figures(), **media), dialog=GOOD, duration_s=14.0)
    assert ids(explain_call(outcome, TRUNK)) == expected


def test_who_hangs_up_may_stop_sending_a_moment_before() -> None:
    late = answered(replace(figures(), stopped_s=6.0), dialog=GOOD, hung_up_by=HungUpBy.THEM)
    assert ids(explain_call(late, TRUNK)) == ["CALL-OK"]


def test_the_length_of_a_pause_is_told() -> None:
    outcome = answered(replace(figures(), stopped_s=10.2), dialog=GOOD, duration_s=14.0)
    (stopped, _) = explain_call(outcome, TRUNK)
    assert "10 s" in stopped.title
    assert "Last packet before the end: 10.2 s" in stopped.evidence


def test_a_far_end_whose_reports_miss_everything_does_not_hear_us() -> None:
    deaf = figures(tx_lost=500)
    outcome = answered(replace(deaf, tx=replace(deaf.tx, reported=500)), dialog=GOOD)
    found = explain_call(outcome, TRUNK)
    assert ids(found) == ["RTP-UNHEARD", "CALL-ANSWERED"]
    some = answered(replace(deaf, tx=replace(deaf.tx, reported=500, lost=400)), dialog=GOOD)
    assert ids(explain_call(some, TRUNK)) == ["MEDIA-LOSS", "CALL-OK"]


# Keys in clear


def test_keys_in_clear_text_are_a_warning() -> None:
    found = call(replace(GOOD, keys_in_clear=True))
    assert ids(found) == ["SRTP-CLEAR", "CALL-OK"]
    assert "over UDP" in found[0].title
    assert found[0].do[0] == "Use TLS, which encrypts the messages too."
    refused = unanswered(CallResult.BUSY, 486, "Busy Here", dialog=DialogFacts(keys_in_clear=True))
    assert "SRTP-CLEAR" in ids(explain_call(refused, replace(TRUNK, srtp=Srtp.OFFER)))


# All of them together


def test_every_kind_of_contradiction_keeps_the_trunk_from_working() -> None:
    dialogs = [
        replace(GOOD, answer_repeats=3),
        replace(GOOD, keys_in_clear=True),
        replace(GOOD, altered=("Via",)),
        *(
            replace(GOOD, requests=(sent("X", purpose, 500, "No"),))
            for purpose in Purpose
            if purpose not in (Purpose.CALL, Purpose.ACKNOWLEDGE, Purpose.CANCEL)
        ),
        *(replace(GOOD, requests=(sent("X", purpose, left=False),)) for purpose in Purpose),
    ]
    for dialog in dialogs:
        for transport in Transport:
            outcome = answered(figures(), dialog=dialog)
            trunk = replace(TRUNK, transport=transport, session_timer=Use.OFF)
            found = explain_call(outcome, trunk)
            assert worst(found) in (Verdict.FAIL, Verdict.WARNING), dialog
            assert headline(found) != "This trunk works."
            for finding in found:
                assert finding.verdict is Verdict.PASS or (finding.causes and finding.do), finding
