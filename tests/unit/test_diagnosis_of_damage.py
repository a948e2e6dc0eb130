"""Damaged messages, ICMP errors and what came back changed are findings, with what shows them."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from app.checks.diagnosis import explain_call, explain_registration, headline, worst
from app.checks.evidence import problem_lines
from app.model.finding import Finding, Verdict
from app.model.outcome import AnsweredBy, CallResult, Direction, HungUpBy, LocalCause, Target
from app.model.signalling import DialogFacts, Handling, IcmpError, MessageProblem, Unreachable
from app.model.trunk import SignIn, Transport, TrunkState
from tests.helpers.outcomes import (
    TARGET,
    TRUNK,
    answered,
    everything,
    figures,
    ids,
    refused,
    unanswered,
    unreached,
)


def problem(handling: Handling, *, start: str = "SIP/2.0 200 OK", **more: str) -> MessageProblem:
    """A message with a Contact that is no SIP address."""
    damaged = MessageProblem(
        start=start,
        header="Contact",
        line="Contact: *",
        what="is not a SIP address",
        handling=handling,
        peer="192.0.2.1:5060",
    )
    return replace(damaged, **more)


DROPPED = problem(Handling.DROPPED)
REPAIRED = problem(Handling.REPAIRED)
SHORTENED = problem(Handling.SHORTENED)


def failed_call(cause: LocalCause, *problems: MessageProblem, **more: object) -> tuple[Finding, ...]:
    outcome = unanswered(
        CallResult.FAILED,
        408,
        "x",
        answered_by=AnsweredBy.LOCAL,
        local_cause=cause,
        setup_ms=None,
        dialog=DialogFacts(problems=problems),
    )
    return explain_call(replace(outcome, **more), TRUNK)


# Left out


@pytest.mark.parametrize(
    "cause",
    [
        LocalCause.NO_ANSWER,
        LocalCause.OTHER,
        LocalCause.UNREADABLE,
        LocalCause.NO_CODEC,
        LocalCause.CONNECTION_LOST,
    ],
)
@pytest.mark.parametrize("start", ["SIP/2.0 200 OK", ""])
def test_an_answer_that_can_not_be_read_is_why_none_came(cause: LocalCause, start: str) -> None:
    damaged = replace(DROPPED, start=start)
    (signing_in,) = explain_registration(unreached(cause, problems=(damaged,)), TRUNK)
    (calling, *rest) = failed_call(cause, damaged)
    for finding in (signing_in, calling):
        assert finding.id == "SIP-UNREADABLE"
        assert finding.verdict is Verdict.FAIL
        assert "Its Contact is not a SIP address." in finding.meaning
        assert any('Contact is not a SIP address: "Contact: *"' in line for line in finding.evidence)
        for word in ("firewall", "password", "codec", "did not answer"):
            assert word not in f"{finding.title} {finding.causes}"
    assert "NET-BIG" not in ids(tuple(rest))
    assert "SIP-DROPPED" not in ids(tuple(rest))


def test_a_dropped_answer_to_the_password_is_not_a_wrong_password() -> None:
    outcome = unreached(LocalCause.NO_ANSWER, challenges=1, sip_code=408, problems=(DROPPED,))
    assert ids(explain_registration(outcome, TRUNK)) == ["SIP-UNREADABLE"]


def test_a_yes_that_can_not_be_read_is_no_refusal_and_no_silence() -> None:
    again = refused(
        401, "Unauthorized", state=TrunkState.WRONG_CREDENTIALS, challenges=2, problems=(DROPPED,)
    )
    assert ids(explain_registration(again, TRUNK)) == ["SIP-UNREADABLE"]
    challenge = replace(DROPPED, start="SIP/2.0 401 Unauthorized")
    found = explain_registration(replace(again, problems=(challenge,)), TRUNK)
    assert ids(found) == ["AUTH-LOOP", "SIP-DROPPED"]
    rang = unanswered(
        CallResult.NO_ANSWER,
        487,
        "x",
        hung_up_by=HungUpBy.LIMIT,
        dialog=DialogFacts(problems=(DROPPED,)),
    )
    assert ids(explain_call(rang, TRUNK)) == ["SIP-UNREADABLE"]
    ringing = replace(DROPPED, start="SIP/2.0 180 Ringing")
    found = explain_call(replace(rang, dialog=DialogFacts(problems=(ringing,))), TRUNK)
    assert ids(found) == ["CALL-NOANSWER", "SIP-DROPPED"]


@pytest.mark.parametrize("start", ["SIP/2.0 180 Ringing", ""])
@pytest.mark.parametrize("answered_by", [AnsweredBy.LOCAL, AnsweredBy.NETWORK])
def test_an_answer_that_can_not_be_read_is_no_silence_when_the_ringing_is_over(
    start: str, answered_by: AnsweredBy
) -> None:
    rang = unanswered(
        CallResult.NO_ANSWER,
        487,
        "Request Terminated",
        answered_by=answered_by,
        local_cause=LocalCause.OTHER if answered_by is AnsweredBy.LOCAL else LocalCause.NONE,
        hung_up_by=HungUpBy.LIMIT,
        setup_ms=None,
        dialog=DialogFacts(problems=(problem(Handling.DROPPED, start=start),)),
    )
    (found,) = explain_call(rang, TRUNK)
    assert found.id == "SIP-UNREADABLE"
    request = DialogFacts(problems=(problem(Handling.DROPPED, start="OPTIONS sip:x SIP/2.0"),))
    assert ids(explain_call(replace(rang, dialog=request), TRUNK))[0].startswith("CALL-NO")


def test_a_damaged_description_of_audio_is_no_matter_of_codecs() -> None:
    (found, repaired) = failed_call(LocalCause.BAD_SDP, problem(Handling.REPAIRED, header="SDP c="))
    assert (found.id, repaired.id) == ("SDP-BAD", "SIP-REPAIRED")
    assert "The codecs are not the problem" in found.meaning


@pytest.mark.parametrize(
    ("header", "direction", "damaged"),
    [
        ("SDP c=", "inactive", True),
        ("SDP m=", "inactive", True),
        ("SDP", "", True),
        ("SDP m=", "sendrecv", False),
        ("SDP o=", "inactive", False),
        ("Contact", "inactive", False),
    ],
)
def test_a_refused_offer_is_no_matter_of_codecs_where_damage_left_no_audio(
    header: str, direction: str, damaged: bool
) -> None:
    dialog = DialogFacts(problems=(problem(Handling.REPAIRED, header=header),), answer_direction=direction)
    assert dialog.audio_damaged is damaged
    came = unanswered(CallResult.FAILED, 488, "Refused", dialog=dialog)
    (found, _) = explain_call(came, TRUNK, direction=Direction.IN)
    assert found.id == "CALL-IN-REFUSED"
    assert any("codecs" in cause for cause in found.causes) is not damaged
    assert any("damaged" in cause for cause in found.causes) is damaged


def test_a_cause_that_is_known_for_sure_stays() -> None:
    for cause, finding_id in (
        (LocalCause.TLS_CA, "TLS-CA"),
        (LocalCause.REFUSED, "NET-ICMP"),
        (LocalCause.NAME_NOT_FOUND, "DNS-NX"),
    ):
        found = explain_registration(unreached(cause, problems=(DROPPED,)), TRUNK)
        assert ids(found) == [finding_id, "SIP-DROPPED"]


def test_a_request_that_could_not_be_read_is_not_the_missing_answer() -> None:
    request = replace(DROPPED, start="OPTIONS sip:1234@192.0.2.7 SIP/2.0")
    found = explain_registration(unreached(LocalCause.NO_ANSWER, problems=(request,)), TRUNK)
    assert ids(found) == ["NET-NOANS", "SIP-DROPPED"]


def test_a_refusal_stands_and_the_damage_beside_it() -> None:
    found = explain_registration(refused(403, "Forbidden", problems=(DROPPED,)), TRUNK)
    assert ids(found) == ["REG-403", "SIP-DROPPED"]
    call = unanswered(CallResult.BUSY, 486, "Busy Here", dialog=DialogFacts(problems=(DROPPED,)))
    assert ids(explain_call(call, TRUNK)) == ["CALL-486", "SIP-DROPPED"]
    assert headline(explain_call(call, TRUNK)) == "The trunk carried the call, but the number is busy."


def test_an_answered_call_that_was_cut_for_an_unreadable_answer_says_so() -> None:
    outcome = answered(
        figures(),
        answered_by=AnsweredBy.LOCAL,
        local_cause=LocalCause.NO_ANSWER,
        hung_up_by=HungUpBy.NOBODY,
        dialog=DialogFacts(acknowledged=True, problems=(DROPPED,)),
    )
    assert ids(explain_call(outcome, TRUNK)) == ["SIP-UNREADABLE", "CALL-OK"]


# Repaired and shortened


def test_a_repair_is_a_warning_beside_the_pass() -> None:
    signed_in = refused(200, "OK", state=TrunkState.REGISTERED, expires_s=300, problems=(REPAIRED,))
    found = explain_registration(signed_in, TRUNK)
    assert ids(found) == ["SIP-REPAIRED", "REG-OK"]
    assert "Ringback repaired it" in found[0].title
    assert "Another phone system may not do that" in found[0].meaning
    assert headline(found) == "This trunk works, but one of its messages had to be repaired."
    call = answered(figures(), dialog=DialogFacts(acknowledged=True, problems=(REPAIRED,)))
    assert ids(explain_call(call, TRUNK)) == ["SIP-REPAIRED", "CALL-OK"]


def test_a_repair_does_not_explain_a_missing_answer() -> None:
    found = explain_registration(unreached(LocalCause.NO_ANSWER, problems=(REPAIRED,)), TRUNK)
    assert ids(found) == ["NET-NOANS", "SIP-REPAIRED"]


def test_what_was_only_shortened_is_evidence_and_nothing_wrong() -> None:
    call = answered(figures(), dialog=DialogFacts(acknowledged=True, problems=(SHORTENED,)))
    found = explain_call(call, TRUNK)
    assert ids(found) == ["CALL-OK"]
    assert worst(found) is Verdict.PASS
    assert any("the sender did nothing wrong" in line for line in found[0].evidence)


def test_each_kind_of_damage_names_its_own_message() -> None:
    other = problem(Handling.REPAIRED, header="Via", line="Via: x", what="has a port in its address")
    call = answered(figures(), dialog=DialogFacts(acknowledged=True, problems=(DROPPED, other, SHORTENED)))
    dropped, repaired, _ = explain_call(call, TRUNK)
    assert "Contact" in dropped.meaning
    assert "Via" in repaired.meaning
    assert len(dropped.evidence) == len(repaired.evidence) == 1


def test_a_line_of_evidence_has_the_message_the_header_and_the_line() -> None:
    assert problem_lines((REPAIRED,)) == (
        'SIP/2.0 200 OK from 192.0.2.1:5060: Contact is not a SIP address: "Contact: *" (repaired here)',
    )
    bare = replace(DROPPED, start="", header="", line="", peer="", what="can't be read")
    assert problem_lines((bare,)) == (
        "A message without a start line: the message can't be read (left out here)",
    )


def test_a_damaged_line_shows_no_key_and_obeys_nobody() -> None:
    key = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
    (line,) = problem_lines((replace(DROPPED, header="SDP a=", line=key),))
    assert "d0RmdmcmVCspeEc3" not in line
    (line,) = problem_lines((replace(DROPPED, line="Contact: \x1b[31m\r\nx"),))
    assert "\x1b" not in line
    assert "\n" not in line


# ICMP


@pytest.mark.parametrize(
    ("kind", "finding_id"),
    [
        (Unreachable.PORT, "NET-ICMP"),
        (Unreachable.PROTOCOL, "NET-ICMP"),
        (Unreachable.HOST, "NET-NOROUTE"),
        (Unreachable.NETWORK, "NET-NOROUTE"),
        (Unreachable.PROHIBITED, "NET-PROHIBITED"),
        (Unreachable.TOO_BIG, "NET-NOANS"),
    ],
)
@pytest.mark.parametrize("cause", [LocalCause.NO_ANSWER, LocalCause.OTHER])
def test_an_icmp_error_says_why_nothing_came_back(
    kind: Unreachable, finding_id: str, cause: LocalCause
) -> None:
    icmp = IcmpError(kind=kind, reported_by="198.51.100.1", target="192.0.2.1:5060")
    (signing_in, *_) = explain_registration(unreached(cause, icmp=icmp), TRUNK)
    (calling, *_) = failed_call(cause, icmp=icmp)
    assert signing_in.id == calling.id == finding_id
    assert f"198.51.100.1 reported by ICMP: {kind}, for 192.0.2.1:5060" in signing_in.evidence


def test_a_message_that_was_too_large_is_told_beside_the_silence() -> None:
    icmp = IcmpError(kind=Unreachable.TOO_BIG)
    outcome = unanswered(
        CallResult.FAILED,
        408,
        "x",
        answered_by=AnsweredBy.LOCAL,
        local_cause=LocalCause.NO_ANSWER,
        setup_ms=None,
        icmp=icmp,
    )
    found = explain_call(outcome, replace(TRUNK, sign_in=SignIn.CREDENTIALS))
    assert ids(found) == ["NET-NOANS", "NET-BIG"]
    assert found[1].causes == ("A router on the way reported that a message was too large for it.",)


# Changed on the way


@pytest.mark.parametrize("transport", list(Transport))
def test_what_came_back_changed_is_a_warning(transport: Transport) -> None:
    altered = ("Via came back as 203.0.113.9:5060 instead of 192.168.1.5:5060",)
    trunk = replace(TRUNK, transport=transport)
    signed_in = refused(200, "OK", state=TrunkState.REGISTERED, expires_s=300, altered=altered)
    found = explain_registration(signed_in, trunk)
    assert ids(found) == ["NET-ALG", "REG-OK"]
    assert altered[0] in found[0].meaning
    assert found[0].evidence == (f"Came back changed: {altered[0]}",)
    assert any("TLS" in step for step in found[0].do) is (transport is not Transport.TLS)
    silent = unreached(LocalCause.NO_ANSWER, altered=altered)
    assert ids(explain_registration(silent, trunk)) == ["NET-NOANS", "NET-ALG"]


# Addresses


def test_an_ipv6_address_without_a_way_to_it_is_told_as_such() -> None:
    six = Target(address="2001:db8::1", port=5060, transport=Transport.UDP, name="a.example.test")
    (finding,) = explain_registration(unreached(LocalCause.NO_ROUTE, target=six, tried=(six,)), TRUNK)
    assert finding.id == "DNS-V6"
    passed = refused(200, "OK", state=TrunkState.REGISTERED, expires_s=300, tried=(six, TARGET))
    (over, _) = explain_registration(passed, TRUNK)
    assert over.id == "DNS-SRVDOWN"
    assert "IPv6" in over.causes[0]


@pytest.mark.parametrize(
    ("keep_alive", "cause", "field"),
    [(0, "Keep-alives are off", "keep_alive"), (300, "300 s apart", "keep_alive"), (15, "", "transport")],
)
def test_a_connection_that_was_lost_while_waiting_looks_at_the_keep_alive(
    keep_alive: int, cause: str, field: str
) -> None:
    trunk = replace(TRUNK, transport=Transport.TCP, keep_alive=keep_alive)
    outcome = refused(200, "OK", state=TrunkState.REGISTERED, expires_s=300, lost_after_s=75.4)
    (finding, good) = explain_registration(outcome, trunk)
    assert (finding.id, finding.verdict, good.id) == ("TLS-IDLE", Verdict.WARNING, "REG-OK")
    assert "1 minute 15 seconds after signing in" in finding.title
    assert finding.field == field
    assert (cause in finding.causes[0]) is True
    assert ("every 15 seconds" in everything(finding)) is (keep_alive == 0)


def test_a_connection_that_broke_before_it_was_registered_is_another_matter() -> None:
    (finding,) = explain_registration(unreached(LocalCause.CONNECTION_LOST), TRUNK)
    assert finding.id == "NET-LOST"
