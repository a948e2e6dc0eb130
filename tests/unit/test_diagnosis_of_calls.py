"""Outcomes of calls become findings: the right one, in words, with evidence, and never none."""

from __future__ import annotations

import itertools

import pytest
from msgspec.structs import replace

from app.checks.diagnosis import explain_call, headline, worst
from app.model.finding import Verdict
from app.model.outcome import (
    AnsweredBy,
    CallOutcome,
    CallResult,
    Direction,
    HungUpBy,
    LocalCause,
    MediaFigures,
)
from app.model.trunk import SignIn, Transport
from tests.helpers.outcomes import TRUNK, answered, everything, figures, ids, unanswered


def test_a_call_with_sound_both_ways_passes() -> None:
    (finding,) = explain_call(answered(figures()), TRUNK)
    assert finding.id == "CALL-OK"
    assert "600" in finding.title
    assert "Received: 500 packets, 0 lost, 0 too late, jitter 1.0 ms" in finding.evidence
    assert headline([finding]) == "This trunk works."


@pytest.mark.parametrize("by", list(HungUpBy))
def test_it_does_not_matter_who_ended_a_good_call(by: HungUpBy) -> None:
    assert ids(explain_call(answered(figures(), hung_up_by=by), TRUNK)) == ["CALL-OK"]


@pytest.mark.parametrize(
    ("media", "finding_id"),
    [
        (figures(received=0), "RTP-NONE-RX"),
        (figures(sent=0), "RTP-NONE-TX"),
        (figures(sent=0, received=0), "RTP-NONE"),
        (None, "RTP-NONE"),
    ],
)
def test_missing_sound_fails_an_answered_call(media: MediaFigures | None, finding_id: str) -> None:
    found = explain_call(answered(media, heard=None), TRUNK)
    assert ids(found) == [finding_id, "CALL-ANSWERED"]
    assert worst(found) is Verdict.FAIL
    assert headline(found).startswith("This trunk does not work: no sound")


def test_a_call_too_short_for_sound_is_not_blamed_on_the_trunk() -> None:
    found = explain_call(answered(figures(received=0), duration_s=0.4, heard=None), TRUNK)
    assert ids(found) == ["CALL-SHORT", "CALL-ANSWERED"]
    assert worst(found) is Verdict.WARNING
    assert "less than a second" in found[0].title
    found = explain_call(answered(figures(), duration_s=0.4, heard=False), TRUNK)
    assert ids(found) == ["CALL-SHORT", "CALL-ANSWERED"]


@pytest.mark.parametrize("by", [HungUpBy.US, HungUpBy.LIMIT])
def test_an_end_that_is_not_confirmed_is_a_warning(by: HungUpBy) -> None:
    found = explain_call(answered(figures(), hung_up_by=by, hang_up_ms=None), TRUNK)
    assert ids(found) == ["BYE-LOST", "CALL-OK"]
    assert (
        headline(found) == "This trunk works, but the other side no longer answered at the end of the call."
    )


def test_packets_with_silence_in_them_are_a_warning() -> None:
    found = explain_call(answered(figures(), heard=False), TRUNK)
    assert ids(found) == ["RTP-SILENT", "CALL-ANSWERED"]
    assert headline(found) == "This trunk works, but only silence came in."
    assert ids(explain_call(answered(figures(), heard=None), TRUNK)) == ["CALL-OK"]


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        (figures(lost=5), []),
        (figures(lost=6), ["MEDIA-LOSS"]),
        (figures(late=6), ["MEDIA-LATE"]),
        (figures(tx_lost=60), ["MEDIA-LOSS"]),
        (figures(received=50, lost=10), []),
        (figures(jitter=20.0), []),
        (figures(jitter=20.1), ["MEDIA-JITTER"]),
        (figures(lost=50, jitter=60), ["MEDIA-LOSS", "MEDIA-JITTER"]),
        (figures(round_trip=300), []),
        (figures(round_trip=301), ["DELAY"]),
        (figures(round_trip=None), []),
    ],
)
def test_poor_sound_is_a_warning_from_its_threshold_on(media: MediaFigures, expected: list[str]) -> None:
    found = explain_call(answered(media), TRUNK)
    assert ids(found) == [*expected, "CALL-OK"]
    assert all(finding.verdict is Verdict.WARNING for finding in found[:-1])


def test_lost_sound_is_told_with_share_and_direction() -> None:
    (coming, *_) = explain_call(answered(figures(received=400, lost=100, tx_lost=5)), TRUNK)
    assert coming.title == "20.0 % of the sound coming in was lost."
    (going, *_) = explain_call(answered(figures(tx_lost=500)), TRUNK)
    assert going.title == "50.0 % of the sound going out was lost."


def test_a_call_that_connects_slowly_is_a_warning() -> None:
    found = explain_call(answered(figures(), setup_ms=9000.0), TRUNK)
    assert ids(found) == ["CALL-SLOW", "CALL-OK"]
    assert "9.0 s" in found[0].title


@pytest.mark.parametrize(
    ("seconds", "by", "warned"),
    [
        (32.1, HungUpBy.THEM, True),
        (32.1, HungUpBy.US, False),
        (30.0, HungUpBy.THEM, False),
        (34, HungUpBy.THEM, False),
    ],
)
def test_a_call_that_ends_after_half_a_minute_hints_at_a_lost_message(
    seconds: float, by: HungUpBy, warned: bool
) -> None:
    found = explain_call(answered(figures(), duration_s=seconds, hung_up_by=by), TRUNK)
    assert ids(found) == [*(["BYE-32"] if warned else []), "CALL-OK"]


def test_a_call_that_lost_its_connection_was_cut() -> None:
    outcome = answered(figures(), answered_by=AnsweredBy.LOCAL, local_cause=LocalCause.CONNECTION_LOST)
    found = explain_call(outcome, TRUNK)
    assert ids(found) == ["CALL-CUT", "CALL-ANSWERED"]
    assert found[0].title == "The call was cut after 10 s: connection lost."
    assert not any("made up" in line or "No answer" in line for line in found[0].evidence)
    assert "The call was answered, and its end was seen only here: connection lost: OK" in found[0].evidence


@pytest.mark.parametrize(
    ("cause", "finding_id"),
    [
        (LocalCause.NO_ACK, "CALL-CUT-ACK"),
        (LocalCause.SESSION_EXPIRED, "CALL-CUT-TIMER"),
        (LocalCause.CALL_UNKNOWN, "CALL-CUT-GONE"),
        (LocalCause.NO_ANSWER, "CALL-CUT"),
    ],
)
def test_an_answered_call_that_was_cut_says_why(cause: LocalCause, finding_id: str) -> None:
    found = explain_call(answered(figures(), answered_by=AnsweredBy.LOCAL, local_cause=cause), TRUNK)
    assert ids(found) == [finding_id, "CALL-ANSWERED"]
    assert "10 s" in found[0].title


@pytest.mark.parametrize(
    ("outcome", "finding_id", "verdict"),
    [
        (unanswered(CallResult.BUSY, 486, "Busy Here"), "CALL-486", Verdict.WARNING),
        (unanswered(CallResult.BUSY, 600, "Busy"), "CALL-600", Verdict.WARNING),
        (unanswered(CallResult.NOT_FOUND, 404, "Not Found"), "CALL-404", Verdict.FAIL),
        (unanswered(CallResult.NOT_FOUND, 484, "x"), "CALL-484", Verdict.FAIL),
        (unanswered(CallResult.FORBIDDEN, 403, "Forbidden"), "CALL-403", Verdict.FAIL),
        (unanswered(CallResult.UNAVAILABLE, 503, "Service Unavailable"), "CALL-503", Verdict.FAIL),
        (unanswered(CallResult.NO_ANSWER, 480, "x"), "CALL-480", Verdict.WARNING),
        (unanswered(CallResult.NO_ANSWER, 408, "Request Timeout"), "CALL-408", Verdict.FAIL),
        (
            unanswered(CallResult.NO_ANSWER, 487, "x", hung_up_by=HungUpBy.LIMIT),
            "CALL-NOANSWER",
            Verdict.WARNING,
        ),
        (unanswered(CallResult.DECLINED, 603, "Decline"), "CALL-603", Verdict.WARNING),
        (unanswered(CallResult.DECLINED, 607, "Unwanted"), "CALL-607", Verdict.WARNING),
        (unanswered(CallResult.DECLINED, 608, "Rejected"), "CALL-608", Verdict.FAIL),
        (unanswered(CallResult.FAILED, 488, "x"), "CALL-488", Verdict.FAIL),
        (unanswered(CallResult.FAILED, 599, "x"), "CALL-599", Verdict.FAIL),
        (unanswered(CallResult.FAILED), "CALL-FAILED", Verdict.FAIL),
        (unanswered(CallResult.WRONG_CREDENTIALS, 407, "x"), "AUTH-407INV", Verdict.FAIL),
        (
            unanswered(CallResult.CANCELLED, 487, "x", hung_up_by=HungUpBy.US),
            "CALL-CANCELLED",
            Verdict.NOT_RUN,
        ),
        (unanswered(CallResult.CANCELLED, 487, "x"), "CALL-487", Verdict.WARNING),
        (
            unanswered(CallResult.REFUSED_HERE, reason="911 is an emergency number."),
            "CALL-REFUSED-HERE",
            Verdict.NOT_RUN,
        ),
        (unanswered(CallResult.LOST, local_cause=LocalCause.ENGINE_LOST), "ENGINE-LOST", Verdict.FAIL),
    ],
)
def test_a_call_that_was_not_answered_has_its_finding(
    outcome: CallOutcome, finding_id: str, verdict: Verdict
) -> None:
    (finding,) = explain_call(outcome, TRUNK)
    assert finding.id == finding_id
    assert finding.verdict is verdict


def test_the_number_as_dialled_is_named_and_the_evidence_has_both_spellings() -> None:
    (finding,) = explain_call(unanswered(CallResult.BUSY, 486, "Busy Here"), TRUNK)
    assert finding.title == "The number 442079460018 is busy."
    assert "Dialled 442079460018 (typed +44 20 7946 0018)" in finding.evidence
    assert "The network answered 486 Busy Here" in finding.evidence
    assert headline([finding]) == "The trunk carried the call, but the number is busy."


def test_a_number_that_is_not_known_is_no_fault_of_the_whole_trunk() -> None:
    found = explain_call(unanswered(CallResult.NOT_FOUND, 404, "Not Found"), TRUNK)
    assert headline(found) == "The call did not go through: the number is not known."


def test_credentials_refused_for_a_call_of_a_trunk_without_registration_are_simply_wrong() -> None:
    (finding,) = explain_call(
        unanswered(CallResult.WRONG_CREDENTIALS, 401, "x"), replace(TRUNK, sign_in=SignIn.CREDENTIALS)
    )
    assert finding.id == "AUTH-LOOP"


def test_the_telephone_networks_reason_comes_first() -> None:
    outcome = unanswered(
        CallResult.UNAVAILABLE, 503, "Service Unavailable", reason_header='Q.850;cause=1;text="Unallocated"'
    )
    (finding,) = explain_call(outcome, TRUNK)
    assert finding.causes[0] == "The number is not assigned to anyone."
    assert finding.meaning.endswith(
        "The telephone network gives as its reason: The number is not assigned to anyone."
    )
    line = 'Reason: Q.850;cause=1;text="Unallocated" (The number is not assigned to anyone)'
    assert line in finding.evidence


def test_a_reason_that_says_nothing_is_not_put_forward_as_a_cause() -> None:
    plain = unanswered(CallResult.NO_ANSWER, 480, "x")
    (without,) = explain_call(plain, TRUNK)
    (with_31,) = explain_call(replace(plain, reason_header="Q.850;cause=31"), TRUNK)
    assert with_31.causes == without.causes


@pytest.mark.parametrize(
    ("code", "reason", "finding_id"),
    [
        (403, "Channel limit exceeded", "CAP"),
        (403, "User channel limit exceeded D1", "CAP"),
        (486, "Too many concurrent calls", "CAP"),
        (503, "CPS rate exceeded", "CPS"),
        (403, "Caller ID not allowed", "CID"),
        (403, "Invalid Caller-ID format D35", "CID"),
        (603, "Insufficient balance", "CREDIT"),
        (403, "Forbidden", "CALL-403"),
        (404, "No channel to this number", "CALL-404"),
        (486, "Busy Here", "CALL-486"),
        (403, "Client not allowed", "CALL-403"),
        (403, "D18", "CALL-403"),
    ],
)
def test_a_reason_text_may_say_more_than_the_code(code: int, reason: str, finding_id: str) -> None:
    (finding,) = explain_call(unanswered(CallResult.FORBIDDEN, code, reason), TRUNK)
    assert finding.id == finding_id
    assert f"The network answered {code} {reason}" in finding.evidence


def test_the_refused_caller_id_is_named() -> None:
    (finding,) = explain_call(unanswered(CallResult.FORBIDDEN, 403, "Caller ID not owned"), TRUNK)
    assert TRUNK.caller_id in finding.title
    assert finding.field == "caller_id"


def test_early_sound_without_an_answer_is_told_beside_the_code() -> None:
    found = explain_call(unanswered(CallResult.NOT_FOUND, 404, "Not Found", early_media=True), TRUNK)
    assert ids(found) == ["CALL-404", "EARLY-ONLY"]
    nothing_came = replace(figures(), rx=replace(figures().rx, packets=0))
    described = unanswered(CallResult.NOT_FOUND, 404, "Not Found", early_media=True, media=nothing_came)
    assert ids(explain_call(described, TRUNK)) == ["CALL-404"], "an SDP alone plays nothing"
    assert ids(explain_call(answered(figures(), early_media=True), TRUNK)) == ["CALL-OK"]


def test_a_call_lost_over_udp_after_signing_in_may_be_too_large() -> None:
    outcome = unanswered(
        CallResult.FAILED,
        408,
        "No answer",
        answered_by=AnsweredBy.LOCAL,
        local_cause=LocalCause.NO_ANSWER,
        setup_ms=None,
    )
    assert ids(explain_call(outcome, TRUNK)) == ["NET-NOANS", "NET-BIG"]
    assert ids(explain_call(outcome, replace(TRUNK, transport=Transport.TCP))) == ["NET-NOANS"]
    assert ids(explain_call(outcome, replace(TRUNK, sign_in=SignIn.CREDENTIALS))) == ["NET-NOANS"]


def test_a_timer_of_ours_after_ringing_is_nobody_answering() -> None:
    outcome = unanswered(
        CallResult.NO_ANSWER,
        408,
        "Request Timeout",
        answered_by=AnsweredBy.LOCAL,
        local_cause=LocalCause.NO_ANSWER,
        hung_up_by=HungUpBy.LIMIT,
    )
    assert ids(explain_call(outcome, TRUNK)) == ["CALL-NOANSWER"]
    assert ids(explain_call(replace(outcome, setup_ms=None), replace(TRUNK, sign_in=SignIn.CREDENTIALS))) == [
        "CALL-NOREPLY"
    ]


def test_a_call_refused_here_says_why_and_blames_nobody() -> None:
    outcome = unanswered(CallResult.REFUSED_HERE, reason="911 is an emergency number.", dialled="")
    found = explain_call(outcome, TRUNK)
    assert "911 is an emergency number." in found[0].title
    assert headline(found) == "Nothing was tested: Ringback did not place the call."


def test_a_call_that_came_in_is_told_as_such() -> None:
    came = answered(figures(), number="sip:600@example.test")
    assert ids(explain_call(came, TRUNK, direction=Direction.IN)) == ["CALL-IN-OK"]
    assert "from sip:600@example.test" in explain_call(came, TRUNK, direction=Direction.IN)[0].title
    mute = answered(figures(received=0), heard=None)
    assert ids(explain_call(mute, TRUNK, direction=Direction.IN)) == ["RTP-NONE-RX", "CALL-IN-ANSWERED"]
    given_up = unanswered(CallResult.CANCELLED, 487, "Request Terminated")
    (finding,) = explain_call(given_up, TRUNK, direction=Direction.IN)
    assert "The caller gave up." in finding.evidence
    missed = unanswered(CallResult.BUSY, 486, "Busy Here")
    (finding,) = explain_call(missed, TRUNK, direction=Direction.IN)
    assert "This computer answered 486 Busy Here" in finding.evidence
    assert finding.id == "CALL-IN-MISSED"
    assert finding.verdict is Verdict.NOT_RUN
    assert headline([finding]) == "A call came in and was not answered."


def test_a_call_that_came_in_and_was_refused_unasked_is_a_fault_of_the_settings() -> None:
    words = "Refused, because the caller and this trunk have no codec in common"
    outcome = unanswered(CallResult.FAILED, 488, words, number="sip:+15145550100@example.test")
    (finding,) = explain_call(outcome, TRUNK, direction=Direction.IN)
    assert finding.id == "CALL-IN-REFUSED"
    assert finding.verdict is Verdict.FAIL
    assert finding.meaning.endswith(f"{words}.")
    assert f"This computer answered 488 {words}" in finding.evidence
    assert not any(line.startswith("The network answered") for line in finding.evidence)
    by_hand = unanswered(CallResult.CANCELLED, 480, "x", hung_up_by=HungUpBy.US)
    assert ids(explain_call(by_hand, TRUNK, direction=Direction.IN)) == ["CALL-IN-MISSED"]


@pytest.mark.parametrize("direction", list(Direction))
def test_no_call_outcome_falls_through(direction: Direction) -> None:
    codes = (0, 183, 200, 302, 401, 403, 408, 480, 486, 487, 503, 599, 603)
    for result, by, cause, code in itertools.product(CallResult, [None, *AnsweredBy], LocalCause, codes):
        for hung_up_by, setup in itertools.product(HungUpBy, (None, 90.0)):
            outcome = CallOutcome(
                trunk="Office",
                number="600",
                dialled="600",
                result=result,
                sip_code=code,
                answered_by=by,
                local_cause=cause,
                hung_up_by=hung_up_by,
                setup_ms=setup,
            )
            found = explain_call(outcome, TRUNK, direction=direction)
            assert found
            assert headline(found)
            if by is AnsweredBy.LOCAL:
                assert not any(f"answered {code}" in everything(finding) for finding in found)
