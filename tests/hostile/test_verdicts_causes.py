"""What Ringback knows chooses causes, their order, the field and the steps: the command's verdicts."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.model.finding import Finding
from tests.hostile.answering import (
    Answer,
    Asked,
    call,
    finding,
    in_turn,
    register,
    saying,
    silence,
    status,
)

BY_ADDRESS = {"sign_in": "address"}
DENIED = saying("challenge-md5")
"""Asks for the password, whatever comes."""


def words(found: Finding) -> str:
    """All that the finding says to people, without its evidence."""
    return "\n".join((found.title, found.meaning, *found.causes, *found.do))


# The password and the challenge


@pytest.mark.parametrize("realm", ["*", "test"])
def test_a_realm_that_fits_is_never_blamed(realm: str, tmp_path: Path) -> None:
    ended = register(tmp_path, DENIED, realm=realm)
    assert (ended.code, ended.finding_ids) == (1, ["AUTH-LOOP"])
    found = finding(ended, "AUTH-LOOP")
    assert found.causes[0] == "The password is wrong."
    assert found.field == "password"
    assert not any("realm" in cause for cause in found.causes)
    assert any("realm" in step for step in found.do) is (realm != "*")


def test_another_realm_is_what_it_is_about(tmp_path: Path) -> None:
    ended = register(tmp_path, DENIED, realm="office")
    assert (ended.code, ended.finding_ids) == (1, ["AUTH-REALM"])
    found = finding(ended, "AUTH-REALM")
    assert "realm test, and the settings say office" in found.title
    assert (found.field, found.do[0]) == ("realm", "Set the realm to *, which means any.")


def test_a_password_that_was_given_is_not_missing(tmp_path: Path) -> None:
    ended = register(tmp_path, DENIED)
    assert "no password" not in words(finding(ended, "AUTH-LOOP"))
    assert "A request with the password went out." in finding(ended, "AUTH-LOOP").evidence


def test_a_password_that_is_missing_is_asked_for_before_anything_is_sent(tmp_path: Path) -> None:
    ended = register(tmp_path, DENIED, password=None)
    assert ended.error["field"] == "password"
    assert ended.error["what"].startswith("No password is known for Far.")


def test_a_password_that_was_given_is_not_missing_when_the_server_goes_silent(tmp_path: Path) -> None:
    ended = register(tmp_path, in_turn(DENIED, silence))
    assert ended.code == 1
    found = finding(ended, "AUTH-NONE")
    assert found.causes[0] == "The server went silent after the password was sent."
    assert "no password" not in words(found)
    assert not any("realm" in cause for cause in found.causes)
    assert "No password was sent." not in found.evidence


@pytest.mark.parametrize(("password", "has_sign"), [("secret1", False), ("secret#1", True)])
def test_a_sign_in_the_password_is_blamed_only_if_it_is_there(
    password: str, has_sign: bool, tmp_path: Path
) -> None:
    ended = register(tmp_path, DENIED, password=password, provider="voipms")
    assert (ended.code, ended.finding_ids) == (1, ["AUTH-LOOP"])
    said = words(finding(ended, "AUTH-LOOP"))
    assert ("#" in said or "signs" in said or "special characters" in said) is has_sign, said


def test_stale_nonces_for_ever_are_the_servers_fault(tmp_path: Path) -> None:
    ended = register(tmp_path, saying("challenge-stale"))
    assert (ended.code, ended.finding_ids) == (1, ["AUTH-STALE"])
    found = finding(ended, "AUTH-STALE")
    assert found.title == "127.0.0.1 never accepts its own challenge and keeps sending new ones."
    assert "password is wrong" not in words(found)
    assert not any("password" in cause for cause in found.causes)
    assert found.field == "host"
    assert "The server called its own nonce stale twice in a row." in found.evidence


@pytest.mark.parametrize(
    ("name", "finding_id", "says"),
    [
        ("challenge-sha-512", "AUTH-ALGO", "digest SHA-512 with qop=auth"),
        ("challenge-unknown", "AUTH-ALGO", "digest NOBODY-512 with qop=auth"),
        ("challenge-aka", "AUTH-ALGO", "digest AKAv1-MD5 with qop=auth"),
        ("challenge-qop-unknown", "AUTH-ALGO", "digest MD5 with qop=nobody"),
        ("challenge-ntlm", "AUTH-ALGO", "ntlm"),
        ("challenge-no-nonce", "AUTH-ALGO", "digest MD5 with qop=auth, without a nonce"),
        ("challenge-missing", "AUTH-ALGO", "none that can be read"),
        ("challenge-basic", "AUTH-BASIC", "in clear text (Basic)"),
    ],
)
def test_a_check_that_ringback_can_not_answer_is_named(
    name: str, finding_id: str, says: str, tmp_path: Path
) -> None:
    ended = register(tmp_path, saying(name))
    assert (ended.code, ended.finding_ids) == (1, [finding_id])
    found = finding(ended, finding_id)
    assert says in found.title
    assert "password was not sent" in found.meaning
    assert "wrong" not in f"{found.title}{found.meaning}{found.causes}".replace("wrongly", "")
    assert found.field in ("", "host")
    if name in ("challenge-no-nonce", "challenge-missing"):
        assert "MD5 or SHA-256" not in words(found)
        assert "a fault of the server" in found.causes[0]


def test_a_user_name_with_an_escaped_sign_signs_in_as_the_name_itself(tmp_path: Path) -> None:
    ended = register(tmp_path, DENIED, user="9901%231")
    assert (ended.code, ended.finding_ids) == (1, ["AUTH-LOOP"])
    found = finding(ended, "AUTH-LOOP")
    assert "user name 9901#1" in found.title
    assert "%23" not in words(found)


# The number and the caller ID


def test_words_about_the_destination_do_not_lead_to_the_caller_id(tmp_path: Path) -> None:
    ended = call(tmp_path, saying("phrase-403-destination-allowed"), provider="telnyx", **BY_ADDRESS)
    assert (ended.code, ended.finding_ids) == (1, ["DEST"])
    found = finding(ended, "DEST")
    assert found.title.endswith("403 Destination not allowed.")
    assert not any("caller ID" in cause for cause in found.causes)
    assert found.field == ""


@pytest.mark.parametrize("name", ["phrase-403-trial-unverified", "phrase-403-trial-only"])
def test_the_unverified_number_of_a_trial_account_is_the_one_called(name: str, tmp_path: Path) -> None:
    ended = call(tmp_path, saying(name), caller_id="+15145550123", **BY_ADDRESS)
    assert (ended.code, ended.finding_ids) == (1, ["TRIAL"])
    found = finding(ended, "TRIAL")
    assert found.causes[0] == "The number called has not been verified at the provider."
    assert "caller ID" not in words(found)
    assert found.field == ""


def test_a_caller_id_that_is_withheld_comes_first_when_the_phrase_is_about_it(tmp_path: Path) -> None:
    ended = call(tmp_path, saying("phrase-403-caller-id-anonymous"), privacy="yes", **BY_ADDRESS)
    assert (ended.code, ended.finding_ids) == (1, ["CID"])
    found = finding(ended, "CID")
    assert found.causes[0] == "This trunk is set to withhold the caller ID."
    assert (found.field, found.do[0]) == ("privacy", "Stop withholding the caller ID.")


# Audio


@pytest.mark.parametrize("name", ["silent-inactive", "silent-inactive-for-the-session"])
def test_audio_that_the_answer_switches_off_is_no_firewall(name: str, tmp_path: Path) -> None:
    ended = call(tmp_path, saying(name), **BY_ADDRESS)
    assert (ended.code, ended.finding_ids) == (1, ["RTP-NONE", "CALL-ANSWERED"])
    found = finding(ended, "RTP-NONE")
    assert "a=inactive" in found.causes[0]
    assert "firewall" not in words(found).lower()
    assert found.field == ""
    assert "The other side describes its audio as inactive." in found.evidence


def test_an_answer_that_refuses_the_audio_is_no_matter_of_codecs(tmp_path: Path) -> None:
    ended = call(tmp_path, saying("silent-port-zero"), **BY_ADDRESS)
    assert (ended.code, ended.finding_ids) == (1, ["CODEC-NONE"])
    assert "switches audio off" in finding(ended, "CODEC-NONE").causes[0]


@pytest.mark.parametrize("name", ["key-tag-other", "key-suite-unknown", "key-key-short"])
def test_keys_that_do_not_fit_are_no_matter_of_codecs(name: str, tmp_path: Path) -> None:
    ended = call(tmp_path, saying(name), srtp="require", **BY_ADDRESS)
    assert ended.code == 1
    assert ended.finding_ids[:2] == ["SRTP-FAIL", "SRTP-CLEAR"]
    assert ended.json["local_cause"] == "encryption does not fit"
    found = finding(ended, "SRTP-FAIL")
    assert found.causes[0] == "The other side answers with a cipher or a tag that was not offered."
    assert found.field == "srtp"
    assert "codec" not in "".join((*found.causes, *found.do, found.title, *found.evidence[:3]))
    if name == "key-tag-other":
        assert any("SDP a=crypto has a tag that was not offered" in line for line in found.evidence)


def test_an_extension_that_is_refused_is_no_matter_of_codecs(tmp_path: Path) -> None:
    ended = call(tmp_path, saying("unsupported-timer"), session_timer="required", **BY_ADDRESS)
    assert (ended.code, ended.finding_ids) == (1, ["CALL-420"])
    found = finding(ended, "CALL-420")
    assert found.causes[0] == "This trunk demands session timers, and the server does not know them."
    assert (found.field, found.do[0]) == (
        "session_timer",
        "Set session timers to supported instead of required.",
    )
    assert "codec" not in words(found)
    assert "Unsupported: timer" in found.evidence


def test_an_extension_that_nobody_here_demands_is_named(tmp_path: Path) -> None:
    ended = call(tmp_path, saying("unsupported-unknown"), **BY_ADDRESS)
    assert (ended.code, ended.finding_ids) == (1, ["CALL-420"])
    found = finding(ended, "CALL-420")
    assert found.causes[0] == "The server does not know the extension nobody."
    assert "codec" not in words(found)


# A short time for ringing


def _ringing(asked: Asked) -> bytes | None:
    return status("180 Ringing")(asked)


@pytest.mark.parametrize(
    ("answer", "finding_id", "title", "step"),
    [
        (_ringing, "CALL-NOANSWER", "Nobody answered at 600.", "Let it ring longer."),
        (
            status("100 Trying"),
            "CALL-NORING",
            "The time for ringing was over before 600 rang.",
            "Let it ring longer, for example with `--ring-seconds 45`.",
        ),
        (
            silence,
            "CALL-NOREPLY",
            "Nothing came back from 127.0.0.1 before the time for ringing was over.",
            "Let it ring longer, for example with `--ring-seconds 45`: then Ringback can tell more.",
        ),
    ],
    ids=["rings", "tries", "silent"],
)
def test_a_short_time_for_ringing_is_named_as_the_reason(
    answer: Answer, finding_id: str, title: str, step: str, tmp_path: Path
) -> None:
    ended = call(tmp_path, answer, "--ring-seconds", 5, **BY_ADDRESS)
    assert (ended.code, ended.finding_ids) == (1, [finding_id])
    found = finding(ended, finding_id)
    assert (found.title, found.do[0]) == (title, step)
    assert ended.json["result"] == "no answer"
    assert "did not answer" not in found.title
