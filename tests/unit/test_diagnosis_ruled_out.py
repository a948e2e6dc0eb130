"""What is known rules causes out, and puts those first that it speaks for."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from app.checks.diagnosis import explain_call, explain_registration, headline
from app.model.finding import Finding, Verdict
from app.model.outcome import AnsweredBy, CallResult, Direction, HungUpBy, LocalCause, MediaFigures
from app.model.password import PasswordTrait, traits_of
from app.model.signalling import ChallengeFacts, DialogFacts
from app.model.trunk import NumberFormat, SignIn, Srtp, Transport, Trunk, TrunkState
from tests.helpers.outcomes import (
    TRUNK,
    answered,
    everything,
    figures,
    ids,
    refused,
    unanswered,
    unreached,
)

DIGEST = ChallengeFacts(schemes=("digest",), algorithms=("MD5",), qop=("auth",))


def denied(challenge: ChallengeFacts | None, trunk: Trunk = TRUNK, **more: Any) -> Finding:
    """A registration that ended with 401."""
    outcome = refused(
        401,
        "Unauthorized",
        state=TrunkState.WRONG_CREDENTIALS,
        challenges=2,
        realms=("sip.example.test",),
        challenge=challenge,
        had_password=True,
    )
    return explain_registration(replace(outcome, **more), trunk)[0]


def denied_call(challenge: ChallengeFacts, trunk: Trunk = TRUNK) -> Finding:
    outcome = unanswered(
        CallResult.WRONG_CREDENTIALS,
        407,
        "x",
        challenge=challenge,
        had_password=True,
        realms=("sip.example.test",),
    )
    return explain_call(outcome, trunk)[0]


def mute(direction: str, media: MediaFigures | None, **more: Any) -> Finding:
    """An answered call without sound, whose answer has this direction."""
    outcome = answered(media, dialog=DialogFacts(acknowledged=True, answer_direction=direction), heard=None)
    return explain_call(replace(outcome, **more), TRUNK)[0]


# Password and challenge


def test_a_password_that_was_sent_and_refused_is_wrong() -> None:
    finding = denied(replace(DIGEST, answered=True))
    assert finding.id == "AUTH-LOOP"
    assert finding.causes[0] == "The password is wrong."
    assert finding.field == "password"
    assert denied_call(replace(DIGEST, answered=True)).id == "AUTH-407INV"


@pytest.mark.parametrize("realm", ["*", "sip.example.test", ""])
def test_a_realm_that_fits_is_not_blamed(realm: str) -> None:
    trunk = replace(TRUNK, realm=realm)
    for finding in (
        denied(replace(DIGEST, answered=True), trunk),
        denied(DIGEST, trunk),
        denied_call(replace(DIGEST, answered=True), trunk),
    ):
        assert not any("realm" in cause.lower() for cause in finding.causes), finding.id
        if realm == "*":
            assert not any("realm" in step for step in finding.do)


def test_a_password_that_was_given_is_not_missing() -> None:
    there = denied(DIGEST)
    missing = denied(DIGEST, had_password=False)
    assert there.id == missing.id == "AUTH-NONE"
    assert "There is no password for this trunk." not in there.causes
    assert missing.causes[0] == "There is no password for this trunk."
    assert (there.field, missing.field) == ("", "password")
    assert missing.do == ("Enter the password.",)
    assert there.do


def test_a_trunk_by_address_that_is_challenged_is_not_on_the_list() -> None:
    by_address = replace(TRUNK, sign_in=SignIn.ADDRESS)
    finding = denied_call(DIGEST, by_address)
    assert finding.id == "AUTH-NONE"
    outcome = unanswered(CallResult.WRONG_CREDENTIALS, 407, "x", challenge=DIGEST)
    (finding,) = explain_call(outcome, by_address)
    assert "signs in by its address" in finding.causes[0]
    assert finding.field == "sign_in"
    assert not any("no password" in cause for cause in finding.causes)


def test_a_challenge_that_ringback_knows_is_not_called_unknown() -> None:
    unknown = "The server wants a kind of password check that Ringback does not know."
    assert unknown not in denied(DIGEST).causes
    (without_facts,) = explain_registration(
        refused(401, "x", state=TrunkState.WRONG_CREDENTIALS, challenges=1), TRUNK
    )
    assert unknown in without_facts.causes


@pytest.mark.parametrize("stale", [1, 4])
def test_stale_nonces_are_not_a_wrong_password(stale: int) -> None:
    finding = denied(replace(DIGEST, answered=True, stale=stale))
    assert finding.id == "AUTH-STALE"
    assert "password is wrong" not in everything(finding)
    assert finding.field == "host"
    assert any("stale" in line for line in finding.evidence)
    assert denied_call(replace(DIGEST, answered=True, stale=stale)).id == "AUTH-STALE"


@pytest.mark.parametrize(
    ("algorithms", "qop", "named"),
    [
        (("SHA-512-256",), ("auth",), "digest SHA-512-256 with qop=auth"),
        (("MD5",), ("auth-int",), "digest MD5 with qop=auth-int"),
        (("MD5-sess", "SHA-1"), (), "digest MD5-sess or SHA-1"),
    ],
)
@pytest.mark.parametrize("local", [False, True])
def test_an_unknown_kind_of_digest_is_named(
    algorithms: tuple[str, ...], qop: tuple[str, ...], named: str, local: bool
) -> None:
    challenge = ChallengeFacts(schemes=("digest",), algorithms=algorithms, qop=qop, usable=False)
    if local:
        outcome = unreached(LocalCause.OTHER, challenges=1, challenge=challenge, had_password=True)
        finding = explain_registration(outcome, TRUNK)[0]
    else:
        finding = denied(challenge)
    assert finding.id == "AUTH-ALGO"
    assert named in finding.title
    assert "wrong" not in everything(finding)
    assert denied_call(challenge).id == "AUTH-ALGO"


@pytest.mark.parametrize(
    ("challenge", "named"),
    [
        (replace(DIGEST, usable=False, without_nonce=True), "digest MD5 with qop=auth, without a nonce"),
        (ChallengeFacts(usable=False), "none that can be read"),
    ],
)
def test_a_challenge_that_nobody_can_answer_is_the_servers_fault(
    challenge: ChallengeFacts, named: str
) -> None:
    finding = denied(challenge)
    assert finding.id == "AUTH-ALGO"
    assert named in finding.title
    assert finding.causes[0].endswith("a fault of the server.")
    assert "MD5 or SHA-256" not in everything(finding)
    assert finding.do[0].startswith("Send the provider the ")


@pytest.mark.parametrize("local", [False, True])
def test_a_basic_challenge_is_told_as_what_it_is(local: bool) -> None:
    challenge = ChallengeFacts(schemes=("basic",), usable=False)
    if local:
        outcome = unreached(LocalCause.OTHER, challenges=1, challenge=challenge)
        (finding,) = explain_registration(outcome, TRUNK)
    else:
        finding = denied(challenge)
    assert finding.id == "AUTH-BASIC"
    assert "clear text (Basic)" in finding.title
    assert headline([finding]) == "This trunk does not work: the server asks for the password in clear text."
    both = ChallengeFacts(schemes=("basic", "digest"), algorithms=("X",), usable=False)
    assert denied(both).id == "AUTH-ALGO"


def test_another_realm_comes_before_what_could_not_be_answered() -> None:
    challenge = ChallengeFacts(schemes=("digest",), algorithms=("SHA-512-256",), usable=False)
    assert denied(challenge, replace(TRUNK, realm="office")).id == "AUTH-REALM"


def test_silence_after_the_password_says_so() -> None:
    outcome = unreached(
        LocalCause.NO_ANSWER,
        sip_code=408,
        challenges=1,
        challenge=replace(DIGEST, answered=True),
        had_password=True,
    )
    (finding,) = explain_registration(outcome, TRUNK)
    assert finding.id == "AUTH-NONE"
    assert finding.causes[0] == "The server went silent after the password was sent."
    call = unanswered(
        CallResult.FAILED,
        408,
        "x",
        answered_by=AnsweredBy.LOCAL,
        local_cause=LocalCause.NO_ANSWER,
        setup_ms=None,
        challenge=replace(DIGEST, answered=True),
        had_password=True,
    )
    assert ids(explain_call(call, TRUNK)) == ["AUTH-NONE", "NET-BIG"]


@pytest.mark.parametrize(
    ("password", "traits"),
    [
        ("abc123", ()),
        ("ab#c", (PasswordTrait.HASH, PasswordTrait.SIGNS)),
        (" abc", (PasswordTrait.SIGNS, PasswordTrait.SPACE_AROUND)),
        ("käse", (PasswordTrait.NOT_ASCII,)),
        ("", ()),
    ],
)
def test_what_is_unusual_about_a_password_is_known_without_it(
    password: str, traits: tuple[PasswordTrait, ...]
) -> None:
    assert traits_of(password) == traits


@pytest.mark.parametrize(
    ("password", "first"),
    [
        ("abc", "The password is wrong."),
        ("abc ", "The password has a space at its start or end."),
        ("käse", "The password has letters outside ASCII, which servers encode in different ways."),
    ],
)
def test_a_password_is_only_called_unusual_when_it_is(password: str, first: str) -> None:
    finding = denied(replace(DIGEST, answered=True), password_traits=traits_of(password))
    assert finding.causes[0] == first
    assert sum("space at its start" in cause or "ASCII" in cause for cause in finding.causes) <= 1


@pytest.mark.parametrize("provider", ["voipms", "questblue"])
def test_a_providers_trouble_with_signs_needs_a_password_that_has_them(provider: str) -> None:
    trunk = replace(TRUNK, provider=provider)
    plain = denied(replace(DIGEST, answered=True), trunk, password_traits=traits_of("abc123"))
    signs = denied(replace(DIGEST, answered=True), trunk, password_traits=traits_of("ab#123"))
    added = set(signs.causes) - set(plain.causes)
    assert len(added) == 1
    assert "password" in added.pop().lower()


def test_the_name_for_signing_in_is_the_user_without_escapes() -> None:
    trunk = replace(TRUNK, user="9901%231")
    assert "9901#1" in denied(replace(DIGEST, answered=True), trunk).title
    assert trunk.sign_in_name == "9901#1"
    assert replace(trunk, auth_id="x").sign_in_name == "x"
    assert replace(trunk, user="a%22b").sign_in_name == "a%22b"
    assert replace(trunk, user="a%0Ab").sign_in_name == "a%0Ab"


def test_an_authentication_user_name_is_blamed_only_for_what_it_can_be() -> None:
    without = denied(replace(DIGEST, answered=True))
    with_one = denied(replace(DIGEST, answered=True), replace(TRUNK, auth_id="x"))
    differs = "The authentication user name differs from the user name."
    assert differs in without.causes
    assert differs not in with_one.causes
    assert not any(step.startswith("Enter the authentication user name") for step in with_one.do)


def test_a_password_that_was_never_asked_for_is_not_wrong() -> None:
    never = explain_registration(refused(403, "Forbidden"), TRUNK)[0]
    after = explain_registration(refused(403, "Forbidden", challenges=1), TRUNK)[0]
    assert (never.field, after.field) == ("user", "password")
    assert not any("password or user name is wrong" in cause for cause in never.causes)
    assert "Type the password again." in after.do
    assert "Type the password again." not in never.do


# The number and the caller ID


def test_words_about_the_destination_do_not_lead_to_the_caller_id() -> None:
    outcome = unanswered(CallResult.FORBIDDEN, 403, "Destination not allowed")
    (finding,) = explain_call(outcome, replace(TRUNK, provider="telnyx"))
    assert finding.id == "DEST"
    assert not any("caller ID" in cause for cause in finding.causes)
    assert finding.field == ""


@pytest.mark.parametrize(
    ("dialled", "country", "abroad"),
    [
        ("+442079460018", "US", True),
        ("442079460018", "GB", False),
        ("+442079460018", "GB", False),
        ("+442079460018", "", False),
        ("02079460018", "GB", False),
        ("600", "US", False),
        ("anna", "US", False),
    ],
)
def test_a_number_in_another_country_comes_first_for_a_403(dialled: str, country: str, abroad: bool) -> None:
    outcome = unanswered(CallResult.FORBIDDEN, 403, "Forbidden", dialled=dialled, number=dialled)
    (finding,) = explain_call(outcome, replace(TRUNK, country=country))
    assert finding.id == "CALL-403"
    assert ("another country" in finding.causes[0]) is abroad
    assert finding.field == ("" if abroad else "caller_id")


def test_a_withheld_caller_id_is_what_an_unwanted_caller_id_is_about() -> None:
    outcome = unanswered(CallResult.FORBIDDEN, 403, "Anonymous calls not allowed")
    (finding,) = explain_call(outcome, replace(TRUNK, privacy=True))
    assert finding.id == "CID"
    assert finding.field == "privacy"
    assert finding.do[0] == "Stop withholding the caller ID."
    (shown,) = explain_call(outcome, TRUNK)
    assert shown.field == "caller_id"
    (none_set,) = explain_call(outcome, replace(TRUNK, caller_id=""))
    assert none_set.causes[0] == "The trunk has no caller ID of its own, so its user name was sent."


def test_a_number_that_has_its_country_code_is_not_blamed_for_its_lack() -> None:
    missing = "Dial the number with + and country code."
    outcome = unanswered(CallResult.FORBIDDEN, 403, "Destination not allowed", number="020", dialled="020")
    assert missing in explain_call(outcome, TRUNK)[0].do
    assert missing not in explain_call(replace(outcome, dialled="+4420"), TRUNK)[0].do
    in_full = replace(TRUNK, number_format=NumberFormat.E164)
    assert missing not in explain_call(outcome, in_full)[0].do


# Network


def test_port_and_transport_of_a_server_that_took_the_registration_are_right() -> None:
    outcome = unanswered(
        CallResult.FAILED,
        408,
        "x",
        answered_by=AnsweredBy.LOCAL,
        local_cause=LocalCause.NO_ANSWER,
        setup_ms=None,
    )
    called = explain_call(outcome, TRUNK)[0]
    (signing_in,) = explain_registration(unreached(LocalCause.NO_ANSWER), TRUNK)
    assert called.id == signing_in.id == "NET-NOANS"
    assert "The port or the transport is wrong." not in called.causes
    assert (called.field, signing_in.field) == ("", "port")


@pytest.mark.parametrize("transport", list(Transport))
def test_what_a_trunk_does_already_is_not_advised(transport: Transport) -> None:
    trunk = replace(TRUNK, transport=transport)
    (finding,) = explain_registration(unreached(LocalCause.NO_ANSWER), trunk)
    assert ("Try TLS on port 5061, or TCP." in finding.do) is (transport is Transport.UDP)
    assert any("SIP ALG" in cause for cause in finding.causes) is (transport is not Transport.TLS)
    refused_port = explain_registration(unreached(LocalCause.REFUSED), replace(trunk, port=5099))[0]
    default_port = explain_registration(unreached(LocalCause.REFUSED), trunk)[0]
    empty = "Leave the port empty to use the default."
    assert empty in refused_port.do
    assert empty not in default_port.do


# A short time for ringing


@pytest.mark.parametrize(
    ("by", "setup_ms", "finding_id"),
    [
        (AnsweredBy.NETWORK, 90.0, "CALL-NOANSWER"),
        (AnsweredBy.NETWORK, None, "CALL-NORING"),
        (AnsweredBy.LOCAL, 90.0, "CALL-NOANSWER"),
        (AnsweredBy.LOCAL, None, "CALL-NOREPLY"),
    ],
)
def test_a_short_time_for_ringing_is_told_by_how_far_the_call_came(
    by: AnsweredBy, setup_ms: float | None, finding_id: str
) -> None:
    outcome = unanswered(
        CallResult.NO_ANSWER,
        487,
        "Request Terminated",
        hung_up_by=HungUpBy.LIMIT,
        answered_by=by,
        local_cause=LocalCause.NONE if by is AnsweredBy.NETWORK else LocalCause.OTHER,
        setup_ms=setup_ms,
    )
    found = explain_call(outcome, TRUNK)
    assert found[0].id == finding_id
    assert "failed on this computer" not in everything(found[0])
    if finding_id in ("CALL-NORING", "CALL-NOREPLY"):
        assert "time for ringing" in found[0].title
        assert "--ring-seconds 45" in found[0].do[0]


# Audio


def test_audio_that_the_answer_switches_off_is_no_firewall() -> None:
    for media in (None, figures(received=0), figures(sent=0, received=0)):
        finding = mute("inactive", media)
        assert finding.id in ("RTP-NONE", "RTP-NONE-RX")
        assert "a=inactive" in finding.causes[0]
        assert "firewall" not in f"{finding.causes} {finding.do}".lower()
        assert finding.field != "transport"


def test_an_answer_without_audio_is_told_before_codecs_and_silence() -> None:
    off = DialogFacts(answer_direction="inactive")
    refused_audio = unanswered(
        CallResult.FAILED,
        415,
        "x",
        answered_by=AnsweredBy.LOCAL,
        local_cause=LocalCause.NO_CODEC,
        dialog=off,
    )
    finding = explain_call(refused_audio, TRUNK)[0]
    assert finding.id == "CODEC-NONE"
    assert "switches audio off" in finding.causes[0]


def test_keys_that_do_not_fit_are_no_matter_of_codecs() -> None:
    outcome = unanswered(
        CallResult.FAILED,
        488,
        "The keys do not fit",
        answered_by=AnsweredBy.LOCAL,
        local_cause=LocalCause.SRTP_DIFFERS,
        dialog=DialogFacts(far_codecs=("pcmu",)),
    )
    finding = explain_call(outcome, replace(TRUNK, srtp=Srtp.REQUIRE))[0]
    assert (finding.id, finding.field) == ("SRTP-FAIL", "srtp")
    assert not any("codec in common" in line for line in finding.evidence)


def test_without_that_a_firewall_stays_the_first_guess() -> None:
    for direction in ("", "sendrecv"):
        finding = mute(direction, figures(received=0))
        assert "firewall" in finding.causes[0]
        assert finding.field == "transport"


def test_one_way_by_agreement_is_told_as_such() -> None:
    receives = mute("recvonly", figures(received=0))
    assert "only receives (a=recvonly)" in receives.causes[0]
    sends = mute("sendonly", figures(sent=0))
    assert sends.id == "RTP-NONE-TX"
    assert "only sends" in sends.causes[0]
    assert not any("on hold" in cause for cause in sends.causes)


def test_audio_that_could_not_be_decrypted_leads_to_the_encryption() -> None:
    secure = replace(figures(received=0), srtp="AES_CM_128_HMAC_SHA1_80")
    finding = mute("sendrecv", secure)
    assert "decrypted" in finding.causes[0]
    assert finding.field == "srtp"


@pytest.mark.parametrize("answered_call", [False, True])
def test_keys_that_do_not_fit_are_not_a_codec(answered_call: bool) -> None:
    trunk = replace(TRUNK, srtp=Srtp.REQUIRE)
    dialog = DialogFacts(acknowledged=True, far_codecs=("pcmu", "telephone-event"))
    if answered_call:
        outcome = answered(None, dialog=dialog, answered_by=AnsweredBy.LOCAL, local_cause=LocalCause.NO_CODEC)
    else:
        outcome = unanswered(
            CallResult.FAILED,
            488,
            "x",
            answered_by=AnsweredBy.LOCAL,
            local_cause=LocalCause.NO_CODEC,
            dialog=dialog,
        )
    finding = explain_call(outcome, trunk)[0]
    assert finding.id == "SRTP-FAIL"
    assert finding.field == "srtp"
    assert "PCMU would do" in finding.meaning
    assert explain_call(outcome, TRUNK)[0].id in ("CODEC-NONE", "CALL-CUT")
    no_codec = replace(outcome, dialog=replace(dialog, far_codecs=("g729",)))
    assert explain_call(no_codec, trunk)[0].id in ("CODEC-NONE", "CALL-CUT")


@pytest.mark.parametrize(
    ("srtp", "demands", "refuses"), [(Srtp.OFF, True, False), (Srtp.REQUIRE, False, True)]
)
def test_encryption_is_blamed_for_what_the_settings_make_possible(
    srtp: Srtp, demands: bool, refuses: bool
) -> None:
    (finding,) = explain_call(unanswered(CallResult.FAILED, 488, "x"), replace(TRUNK, srtp=srtp))
    assert any("demands encrypted" in cause for cause in finding.causes) is demands
    assert any("refuses encrypted" in cause for cause in finding.causes) is refuses
    assert finding.field == "codecs"


@pytest.mark.parametrize(
    ("code", "words", "about_audio"),
    [
        (488, "no codec in common", True),
        (420, "requires path, which Ringback does not know", False),
        (421, "does not know timer", False),
        (422, "session interval too small", False),
        (400, "can't be understood", False),
    ],
)
def test_a_call_that_came_in_is_not_refused_over_audio_by_every_code(
    code: int, words: str, about_audio: bool
) -> None:
    outcome = unanswered(CallResult.FAILED, code, words)
    (finding,) = explain_call(outcome, TRUNK, direction=Direction.IN)
    assert finding.id == "CALL-IN-REFUSED"
    assert finding.verdict is Verdict.FAIL
    assert f"{words}." in finding.meaning
    said = f"{finding.causes} {finding.do}"
    assert ("codec" in said) is about_audio
    assert (finding.field == "codecs") is about_audio


@pytest.mark.parametrize(
    ("srtp", "words", "codecs", "encryption"),
    [
        (Srtp.OFF, "the caller and this trunk have no codec in common", True, False),
        (Srtp.OFFER, "the caller and this trunk have no codec in common", True, True),
        (Srtp.OFF, "the caller requires encryption (SRTP), which is off for this trunk", False, True),
        (Srtp.REQUIRE, "the caller offers no encryption (SRTP), and this trunk requires it", False, True),
        (Srtp.OFFER, "the caller encrypts audio by DTLS-SRTP, which Ringback does not know", False, True),
        (Srtp.OFF, "x", True, True),
    ],
)
def test_a_call_that_came_in_and_was_refused_over_one_thing_is_not_blamed_on_another(
    srtp: Srtp, words: str, codecs: bool, encryption: bool
) -> None:
    outcome = unanswered(CallResult.FAILED, 488, f"Refused, because {words}")
    (finding,) = explain_call(outcome, replace(TRUNK, srtp=srtp), direction=Direction.IN)
    said = f"{finding.causes} {finding.do[0]}".lower()
    assert ("codec" in said) is codecs
    assert ("encryption of audio" in said and "compare encryption" in said) is encryption
    assert finding.field == ("srtp" if encryption else "codecs")


def test_the_way_keys_are_sent_is_not_advised_where_it_is_used() -> None:
    (finding,) = explain_call(unanswered(CallResult.FAILED, 469, "x"), TRUNK)
    assert not any("RFC 4733" in step for step in finding.do)
