"""Outcomes become findings: the right one, in words, with evidence, and never none."""

from __future__ import annotations

import itertools

import pytest
from msgspec.structs import replace

from app import shipped
from app.checks import texts
from app.checks.diagnosis import explain_call, explain_registration, headline, worst
from app.checks.texts import Text, Values, fill
from app.model.finding import Finding, Verdict
from app.model.outcome import (
    AnsweredBy,
    CallOutcome,
    CallResult,
    Direction,
    HungUpBy,
    LocalCause,
    MediaFigures,
    RegisterOutcome,
    StreamFigures,
    Target,
    TlsFacts,
)
from app.model.sound_figures import FarReport, SoundFigures
from app.model.trunk import SignIn, Transport, Trunk, TrunkState
from app.sip import status

TRUNK = Trunk(id="1", name="Office", host="sip.example.test", user="1234", caller_id="+4420794600")
TARGET = Target(address="192.0.2.1", port=5060, transport=Transport.UDP, name="a.example.test")
OTHER = Target(address="192.0.2.2", port=5060, transport=Transport.UDP, name="b.example.test")
SETTINGS = {"", "host", "port", "transport", "user", "auth_id", "realm", "proxy", "expires", "register"}
SETTINGS |= {"caller_id", "codecs", "ca_file", "tls_pin", "password", "srtp", "session_timer"}
SETTINGS |= {"public_address"}

SAMPLE = Values(**{name: f"<{name}>" for name in Values.__struct_fields__})
CODES = tuple(code for code in status.codes() if code >= 300)
ALL_IDS = tuple(
    dict.fromkeys(
        [
            *(finding_id for finding_id in texts.ids() if not finding_id.endswith("XX")),
            *(f"CALL-{code}" for code in (*CODES, 399, 499, 599, 699)),
            *(f"REG-{code}" for code in (*CODES, 399, 499, 599, 699)),
        ]
    )
)


def refused(code: int, reason: str = "", **more: object) -> RegisterOutcome:
    outcome = RegisterOutcome(
        trunk="Office",
        state=TrunkState.REJECTED,
        sip_code=code,
        reason=reason,
        answered_by=AnsweredBy.NETWORK,
        round_trip_ms=38.2,
        target=TARGET,
        tried=(TARGET,),
        requests_sent=1,
    )
    return replace(outcome, **more)


def unreached(cause: LocalCause, **more: object) -> RegisterOutcome:
    outcome = RegisterOutcome(
        trunk="Office",
        state=TrunkState.UNREACHABLE,
        sip_code=503,
        reason="Service Unavailable",
        answered_by=AnsweredBy.LOCAL,
        local_cause=cause,
        target=TARGET,
        tried=(TARGET,),
        requests_sent=3,
    )
    return replace(outcome, **more)


def figures(
    *,
    sent: int = 500,
    received: int = 500,
    lost: int = 0,
    late: int = 0,
    jitter: float = 1.0,
    tx_lost: int = 0,
    round_trip: float | None = 20.0,
) -> MediaFigures:
    return MediaFigures(
        tx=StreamFigures(packets=sent, lost=tx_lost),
        rx=StreamFigures(packets=received, lost=lost, discarded=late, jitter_ms=jitter),
        round_trip_ms=round_trip,
        codec="PCMU",
        sound=SoundFigures(far_report=FarReport.RECEIVES if received else FarReport.NONE),
    )


def answered(media: MediaFigures | None, **more: object) -> CallOutcome:
    outcome = CallOutcome(
        trunk="Office",
        number="600",
        dialled="600",
        result=CallResult.ANSWERED,
        sip_code=200,
        reason="OK",
        answered_by=AnsweredBy.NETWORK,
        setup_ms=120.0,
        duration_s=10.0,
        hung_up_by=HungUpBy.LIMIT,
        hang_up_ms=20.0,
        media=media,
        heard=True,
    )
    return replace(outcome, **more)


def unanswered(result: CallResult, code: int = 0, reason: str = "", **more: object) -> CallOutcome:
    outcome = CallOutcome(
        trunk="Office",
        number="+44 20 7946 0018",
        dialled="442079460018",
        result=result,
        sip_code=code,
        reason=reason,
        answered_by=AnsweredBy.NETWORK if code else None,
        setup_ms=120.0,
    )
    return replace(outcome, **more)


def ids(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.id for finding in findings]


def everything(finding: Finding) -> str:
    parts = (finding.title, finding.meaning, *finding.causes, *finding.do, *finding.evidence)
    return "\n".join(parts)


# The texts

JARGON = ("SDP", "RTP", "NAT", "SRV", "NXDOMAIN", "INVITE", "REGISTER", "RTCP", "ICMP", "SBC", "Q.850", "ACK")


def mistakes(finding: Finding) -> list[str]:
    """What is wrong with the words of a finding."""
    found: list[str] = []
    for sentence in (finding.title, finding.meaning, *finding.causes, *finding.do):
        if {"{", "}"} & set(sentence):
            found.append(f"a brace is left: {sentence}")
        if not sentence.endswith((".", "?", "<problem>")) or sentence != sentence.strip():
            found.append(f"no full stop: {sentence}")
    found += [f"jargon in the title: {word}" for word in JARGON if word in finding.title.split()]
    if not finding.title[:1].isupper() and not finding.title.startswith("<"):
        found.append("the title begins small")
    if len(finding.title) > 110:
        found.append("the title is long")
    if finding.field not in SETTINGS:
        found.append(f"no such setting: {finding.field}")
    if finding.verdict in (Verdict.FAIL, Verdict.WARNING) and not (finding.causes and finding.do):
        found.append("a trouble without causes and steps")
    line = headline([finding])
    if not line.endswith(".") or line.endswith("..") or "{" in line or len(line) > 110:
        found.append(f"headline: {line}")
    return found


def test_every_text_reads_as_plain_sentences_with_its_values_filled_in() -> None:
    assert {name: found for name in ALL_IDS if (found := mistakes(fill(name, SAMPLE)))} == {}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"title": "It broke {here}."}, "brace"),
        ({"do": ("Do this",)}, "full stop"),
        ({"title": "No SDP came."}, "jargon"),
        ({"field": "nothing"}, "setting"),
        ({"causes": ()}, "without causes"),
    ],
)
def test_the_reading_above_finds_a_mistake(change: dict[str, object], words: str) -> None:
    (found,) = mistakes(replace(fill("NET-NOANS", SAMPLE), **change))
    assert words in found


def test_every_value_is_used_or_it_would_not_be_there() -> None:
    used = set()
    for finding_id in ALL_IDS:
        whole = everything(fill(finding_id, SAMPLE))
        used |= {name for name in Values.__struct_fields__ if f"<{name}>" in whole}
    assert set(Values.__struct_fields__) == used


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"title": "The {nobody} is there."}, "nobody"),
        ({"title": "The {trunk.id} is there."}, "trunk.id"),
        ({"causes": ("Half {open.",)}, "open"),
        ({"short": "{host} is there"}, "short"),
        ({"headline": "{host} is there."}, "headline"),
        ({"short": ""}, "short is missing"),
    ],
)
def test_a_wrong_text_is_found_when_it_is_loaded(change: dict[str, object], words: str) -> None:
    good = Text(id="X-1", verdict=Verdict.FAIL, title="The {host} is there.", short="it is there")
    texts.check((good,))
    with pytest.raises(shipped.ShippedDataError, match=r"findings\.toml") as caught:
        texts.check((replace(good, **change),))
    assert words in str(caught.value)


def test_an_id_given_twice_and_a_hint_to_nowhere_are_found() -> None:
    good = Text(id="X-1", verdict=Verdict.FAIL, title="It is there.", short="it is there")
    with pytest.raises(shipped.ShippedDataError, match="twice"):
        texts.check((good, good))
    with pytest.raises(shipped.ShippedDataError, match="X-2"):
        texts.check((good,), (texts.Hint(pattern="a", finding="X-2"),))
    with pytest.raises(shipped.ShippedDataError, match="hint"):
        texts.check((good,), (texts.Hint(pattern="(", finding="X-1"),))


# Signing in


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
            "realm",
        ),
        (unreached(LocalCause.NO_ANSWER, challenges=1, sip_code=408), "AUTH-NONE", "realm"),
        (refused(403, "Forbidden"), "REG-403", "password"),
        (refused(404, "Not Found"), "REG-404", "user"),
        (refused(480, "Unknown"), "REG-404", "user"),
        (refused(405, "Method Not Allowed"), "REG-405", "register"),
        (refused(501, "Not Implemented"), "REG-405", "register"),
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


# Calls


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
def test_a_call_cut_after_half_a_minute_by_them_hints_at_a_lost_message(
    seconds: float, by: HungUpBy, warned: bool
) -> None:
    found = explain_call(answered(figures(), duration_s=seconds, hung_up_by=by), TRUNK)
    assert ("ACK-LOST-OUT" in ids(found)) is warned


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
        (503, "CPS rate exceeded", "CAP"),
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
        "NET-NOANS"
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
