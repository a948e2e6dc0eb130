"""Outcomes of signing in become findings: the right one, in words, with evidence, and never none."""

from __future__ import annotations

import itertools

import pytest
from msgspec.structs import replace

from app.checks.diagnosis import explain_call, explain_registration, headline, worst
from app.model.finding import Finding, Verdict
from app.model.outcome import (
    AnsweredBy,
    CallResult,
    LocalCause,
    RegisterOutcome,
    TlsFacts,
)
from app.model.trunk import SignIn, TrunkState
from tests.helpers.outcomes import (
    OTHER,
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


def test_a_registered_trunk_passes_and_tells_time_and_lifetime() -> None:
    outcome = refused(200, "OK", state=TrunkState.REGISTERED, expires_s=60, challenges=1, requests_sent=2)
    (finding,) = explain_registration(outcome, TRUNK)
    assert finding.id == "REG-OK"
    assert finding.verdict is Verdict.PASS
    assert "38 ms" in finding.title
    assert "60 seconds" in finding.title
    assert "Lifetime: 300 s asked for, 60 s granted" in finding.evidence
    assert "The network answered 200 OK" in finding.evidence
    assert headline([finding]) == "This trunk is registered."


def test_a_trunk_without_registration_passes_when_its_server_answers() -> None:
    outcome = refused(404, "Not Found", state=TrunkState.REACHABLE)
    (finding,) = explain_registration(outcome, replace(TRUNK, sign_in=SignIn.CREDENTIALS))
    assert finding.id == "REACH-OK"
    assert finding.verdict is Verdict.PASS
    assert "OPTIONS to udp 192.0.2.1:5060 (a.example.test)" in finding.evidence


def test_a_server_that_was_passed_over_is_a_warning_beside_the_pass() -> None:
    outcome = refused(
        200, "OK", state=TrunkState.REGISTERED, expires_s=300, target=OTHER, tried=(TARGET, OTHER)
    )
    found = explain_registration(outcome, TRUNK)
    assert ids(found) == ["DNS-SRVDOWN", "REG-OK"]
    assert worst(found) is Verdict.WARNING
    assert "b.example.test port 5060" in found[0].title
    assert headline(found) == "This trunk works, but its first server did not answer."


@pytest.mark.parametrize(
    ("cause", "finding_id", "field"),
    [
        (LocalCause.NAME_NOT_FOUND, "DNS-NX", "host"),
        (LocalCause.NAME_SERVER_SILENT, "DNS-SILENT", ""),
        (LocalCause.NO_ANSWER, "NET-NOANS", "port"),
        (LocalCause.REFUSED, "NET-ICMP", "port"),
        (LocalCause.NO_ROUTE, "NET-NOROUTE", "host"),
        (LocalCause.CONNECTION_LOST, "NET-LOST", "transport"),
        (LocalCause.TLS_CA, "TLS-CA", "ca_file"),
        (LocalCause.TLS_NAME, "TLS-NAME", "host"),
        (LocalCause.TLS_TIME, "TLS-TIME", ""),
        (LocalCause.TLS_PIN, "TLS-PIN", "tls_pin"),
        (LocalCause.TLS_PROTOCOL, "TLS-PROTO", "port"),
        (LocalCause.ENGINE_LOST, "ENGINE-LOST", ""),
        (LocalCause.NO_ACK, "CALL-CUT-ACK", "transport"),
        (LocalCause.SESSION_EXPIRED, "CALL-CUT-TIMER", "session_timer"),
        (LocalCause.CALL_UNKNOWN, "CALL-CUT-GONE", ""),
        (LocalCause.NO_SRTP, "SRTP-NONE", "srtp"),
        (LocalCause.NO_CODEC, "CODEC-NONE", "codecs"),
        (LocalCause.SRTP_DIFFERS, "SRTP-FAIL", "srtp"),
        (LocalCause.BAD_SDP, "SDP-BAD", ""),
        (LocalCause.PROHIBITED, "NET-PROHIBITED", "host"),
        (LocalCause.UNREADABLE, "SIP-UNREADABLE", "transport"),
        (LocalCause.OTHER, "NET-OTHER", "host"),
        (LocalCause.NONE, "NET-OTHER", "host"),
    ],
)
def test_a_code_made_up_here_is_told_by_its_cause_and_never_as_an_answer(
    cause: LocalCause, finding_id: str, field: str
) -> None:
    (finding,) = explain_registration(unreached(cause), TRUNK)
    assert finding.id == finding_id
    assert finding.field == field
    assert finding.verdict is Verdict.FAIL
    assert "answered 503" not in everything(finding)
    assert "503 Service" not in everything(finding)
    assert any(line.startswith("No answer came from the network") for line in finding.evidence)
    assert "The code 503 was made up by this computer." in finding.evidence
    (call, *_) = explain_call(
        unanswered(
            CallResult.FAILED, 503, "Service Unavailable", answered_by=AnsweredBy.LOCAL, local_cause=cause
        ),
        TRUNK,
    )
    assert call.id == finding_id
    assert "answered 503" not in everything(call)


def test_every_cause_is_covered_by_the_test_above() -> None:
    mark = next(
        mark
        for mark in test_a_code_made_up_here_is_told_by_its_cause_and_never_as_an_answer.pytestmark
        if mark.name == "parametrize"
    )
    assert {row[0] for row in mark.args[1]} == set(LocalCause)


def test_a_timer_of_ours_without_a_cause_is_no_answer() -> None:
    (finding,) = explain_registration(
        unreached(LocalCause.NONE, sip_code=408, reason="Request Timeout"), TRUNK
    )
    assert finding.id == "NET-NOANS"


def test_a_name_without_a_usable_address_is_told_in_the_lookups_words() -> None:
    outcome = unreached(
        LocalCause.NO_ROUTE,
        target=None,
        tried=(),
        sip_code=0,
        reason="example.test does not offer SIP over UDP.",
    )
    (finding,) = explain_registration(outcome, TRUNK)
    assert finding.id == "DNS-NOADDR"
    assert finding.title == "example.test does not offer SIP over UDP."


def test_with_an_outbound_proxy_the_proxy_is_the_setting_to_look_at() -> None:
    trunk = replace(TRUNK, proxy="proxy.example.test:5070")
    (finding,) = explain_registration(unreached(LocalCause.NAME_NOT_FOUND, target=None), trunk)
    assert finding.field == "proxy"
    assert "proxy.example.test" in finding.title


def test_a_certificate_error_shows_the_certificate() -> None:
    tls = TlsFacts(
        server_name="sip.example.test",
        subject="pbx.local",
        issuer="Office CA",
        names=("pbx.local", "*.office.test"),
        not_before="2020-01-01T00:00:00Z",
        not_after="2021-01-01T00:00:00Z",
        trust="/etc/ca.pem",
        error="hostname mismatch",
        cause=LocalCause.TLS_NAME,
    )
    (finding,) = explain_registration(unreached(LocalCause.TLS_NAME, tls=tls), TRUNK)
    assert finding.title == "The certificate is for pbx.local, *.office.test, not for sip.example.test."
    assert "Certificate of pbx.local, issued by Office CA" in finding.evidence
    assert "TLS error: hostname mismatch (checked against /etc/ca.pem)" in finding.evidence
    (late,) = explain_registration(unreached(LocalCause.TLS_TIME, tls=tls), TRUNK)
    assert "2020-01-01 to 2021-01-01" in late.title


@pytest.mark.parametrize(
    ("outcome", "finding_id", "field"),
    [
        (
            refused(401, "Unauthorized", state=TrunkState.WRONG_CREDENTIALS, challenges=2),
            "AUTH-LOOP",
            "password",
        ),
        (refused(407, "x", state=TrunkState.WRONG_CREDENTIALS, challenges=3), "AUTH-LOOP", "password"),
        (
            refused(401, "Unauthorized", state=TrunkState.WRONG_CREDENTIALS, challenges=1),
            "AUTH-NONE",
            "password",
        ),
        (unreached(LocalCause.NO_ANSWER, challenges=1, sip_code=408), "AUTH-NONE", "password"),
        (refused(403, "Forbidden"), "REG-403", "user"),
        (refused(403, "Forbidden", challenges=1), "REG-403", "password"),
        (refused(404, "Not Found"), "REG-404", "user"),
        (refused(480, "Unknown"), "REG-404", "user"),
        (refused(405, "Method Not Allowed"), "REG-405", "sign_in"),
        (refused(501, "Not Implemented"), "REG-405", "sign_in"),
        (refused(420, "Bad Extension"), "REG-420", "proxy"),
        (refused(423, "Interval Too Brief"), "REG-423", "expires"),
        (refused(302, "Moved"), "REG-302", "host"),
        (refused(400, "Bad Request"), "REG-400", "host"),
        (refused(503, "Service Unavailable"), "REG-503", "host"),
        (refused(603, "Decline"), "REG-603", "user"),
        (refused(499, "Odd"), "REG-499", "host"),
        (refused(0, "", answered_by=None), "REG-FAILED", ""),
    ],
)
def test_a_refused_registration_has_its_finding(
    outcome: RegisterOutcome, finding_id: str, field: str
) -> None:
    (finding,) = explain_registration(outcome, TRUNK)
    assert finding.id == finding_id
    assert finding.field == field
    assert finding.verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("realm", "asked", "finding_id"),
    [
        ("office.example", ("SIP.example.test",), "AUTH-REALM"),
        ("sip.example.test", ("SIP.example.test",), "AUTH-NONE"),
        ("two", ("one", "two"), "AUTH-NONE"),
        ("*", ("one",), "AUTH-NONE"),
        ("", ("one",), "AUTH-NONE"),
        ("office.example", (), "AUTH-NONE"),
    ],
)
def test_a_realm_that_the_server_did_not_ask_for_is_what_is_wrong(
    realm: str, asked: tuple[str, ...], finding_id: str
) -> None:
    trunk = replace(TRUNK, realm=realm, provider="wavix")
    outcome = refused(401, "x", state=TrunkState.WRONG_CREDENTIALS, challenges=1, realms=asked)
    (finding,) = explain_registration(outcome, trunk)
    assert finding.id == finding_id
    if finding_id == "AUTH-REALM":
        assert finding.title.endswith(
            "asks for the password of realm SIP.example.test, and the settings say office.example."
        )
        assert finding.causes[0].startswith("Wavix: Each gateway has its own realm")
        assert "password" not in finding.causes[0]
        assert (
            "The server asked for the password once (401 or 407, realm SIP.example.test)." in finding.evidence
        )
    call = replace(unanswered(CallResult.WRONG_CREDENTIALS, 407, "x"), realms=asked)
    assert (explain_call(call, trunk)[0].id == "AUTH-REALM") is (finding_id == "AUTH-REALM")


def test_the_providers_own_reason_text_is_quoted() -> None:
    (finding,) = explain_registration(refused(403, "Account\tsuspended\x1b[31m {now}"), TRUNK)
    assert "403 Account suspended [31m {now}" in finding.title
    assert "The network answered 403 Account suspended [31m {now}" in finding.evidence


def test_a_wrong_password_is_the_headline() -> None:
    outcome = refused(401, "Unauthorized", state=TrunkState.WRONG_CREDENTIALS, challenges=2)
    found = explain_registration(outcome, TRUNK)
    assert headline(found) == "This trunk does not work: wrong user name or password."
    assert "The server asked for the password 2 times (401 or 407)." in found[0].evidence


@pytest.mark.parametrize("sign_in", SignIn)
def test_no_registration_outcome_falls_through(sign_in: SignIn) -> None:
    trunk = replace(TRUNK, sign_in=sign_in)
    codes = (0, 100, 200, 302, 401, 403, 408, 423, 480, 500, 503, 603, 699)
    for state, by, cause, code in itertools.product(TrunkState, [None, *AnsweredBy], LocalCause, codes):
        for target in (None, TARGET):
            outcome = RegisterOutcome(
                trunk="Office",
                state=state,
                answered_by=by,
                local_cause=cause,
                sip_code=code,
                target=target,
                tried=(OTHER, TARGET),
            )
            found = explain_registration(outcome, trunk)
            assert found
            assert all(finding.title for finding in found)
            assert headline(found)
            if by is AnsweredBy.LOCAL:
                assert not any(f"answered {code}" in everything(finding) for finding in found)
            if state in (TrunkState.UNREACHABLE, TrunkState.REJECTED, TrunkState.WRONG_CREDENTIALS):
                assert worst(found) is Verdict.FAIL


# All of them together


def test_the_worst_verdict_counts() -> None:
    def of(*verdicts: Verdict) -> list[Finding]:
        return [Finding(id="CALL-OK", verdict=verdict, title="x") for verdict in verdicts]

    assert worst(of(Verdict.PASS, Verdict.FAIL, Verdict.WARNING)) is Verdict.FAIL
    assert worst(of(Verdict.PASS, Verdict.WARNING, Verdict.NOT_RUN)) is Verdict.WARNING
    assert worst(of(Verdict.NOT_RUN, Verdict.PASS)) is Verdict.PASS
    assert worst(of(Verdict.NOT_RUN)) is Verdict.NOT_RUN
    assert worst([]) is Verdict.NOT_RUN


def test_without_findings_the_headline_says_so() -> None:
    assert headline([]) == "Nothing was tested: no check has run yet."


def test_the_headline_is_that_of_the_worst_finding_wherever_it_stands() -> None:
    good = explain_call(answered(figures()), TRUNK)
    bad = explain_registration(unreached(LocalCause.NO_ANSWER), TRUNK)
    assert headline([*good, *bad]) == "This trunk does not work: the server does not answer."
