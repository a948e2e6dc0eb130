"""What a person reads about hostile signalling: exit code, findings and words of the real command line.

Each example was seen to give a wrong verdict, or none: text that ended an engine (A), octets that are not
UTF-8 (B), messages that were dropped without a word (H), SDP that ended an engine (M3).
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.hostile.hostile_far import Played, call, register, words
from tests.hostile.hostile_messages import MESSAGES

SILENCE = ("NET-NOANS", "CALL-NOREPLY", "CALL-NORING", "AUTH-NONE", "AUTH-LOOP", "CODEC-NONE", "NET-BIG")
"""What a message that could not be used was taken for."""
EXCUSES = ("password", "firewall", "no codec", "codecs switched on")


def lives(played: Played) -> None:
    """No engine was lost, and there is no traceback."""
    assert "ENGINE-LOST" not in played.ended.finding_ids
    assert played.ended.err == ""


def reports(played: Played, finding_id: str, header: str, line: str) -> None:
    """A finding names the header in its words and shows the line."""
    found = played.finding(finding_id)
    assert header in found["meaning"], found
    assert any(line in shown for shown in found["evidence"]), found
    assert "Send the provider the line shown below." in found["do"]


def is_no_silence(played: Played) -> None:
    """Nothing blames silence, the password, a firewall or the codecs."""
    assert not set(played.ended.finding_ids) & set(SILENCE)
    worst = played.ended.json["findings"][0]
    assert not [excuse for excuse in EXCUSES if excuse in words(worst)], worst


# A. Text from the network does not end the engine


def test_a_via_with_a_port_in_received_is_repaired(tmp_path: Path) -> None:
    played = asyncio.run(register(tmp_path, MESSAGES["via-received-port"], "200 OK"))
    lives(played)
    assert (played.ended.code, played.ended.finding_ids) == (0, ["SIP-REPAIRED", "REG-OK"])
    reports(played, "SIP-REPAIRED", "Via", ";received=203.0.113.7:60571")
    # The challenge in it was answered, so that only the sign-out follows
    asked = [one.one("Authorization") for one in played.received]
    assert asked[0] == ""
    assert asked[1].startswith('Digest username="1001", realm="test"')


def test_a_password_that_went_out_is_in_the_evidence(tmp_path: Path) -> None:
    played = asyncio.run(register(tmp_path, MESSAGES["via-received-port"], "403 Forbidden"))
    found = played.finding("REG-403")
    assert "A request with the password went out." in found["evidence"]
    assert "No password was sent." not in found["evidence"]


def test_a_contact_of_star_is_repaired_and_proves_no_registration(tmp_path: Path) -> None:
    played = asyncio.run(register(tmp_path, MESSAGES["contact-star-alone"]))
    lives(played)
    assert (played.ended.code, played.ended.finding_ids) == (0, ["REG-NOCONTACT", "SIP-REPAIRED", "REG-OK"])
    reports(played, "SIP-REPAIRED", "Contact", '"Contact: *"')
    assert "its list does not have this computer in it" in played.finding("REG-NOCONTACT")["title"]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("contact-tel", "Contact: <tel:+4930123>"),
        ("contact-mailto", "Contact: <mailto:far@example.invalid>"),
        ("contact-http", "Contact: <http://127.0.0.1/>"),
    ],
)
def test_a_contact_that_is_no_sip_address_fails_the_call_and_ends_it(
    name: str, line: str, tmp_path: Path
) -> None:
    played = asyncio.run(call(tmp_path, MESSAGES[name]))
    lives(played)
    assert (played.ended.code, played.ended.json["result"]) == (1, "answered")
    reports(played, "SIP-REPAIRED", "Contact", line)
    assert (
        "named an address for the rest of the call that can't be used"
        in played.finding("CONTACT-BAD")["title"]
    )
    assert (played.count("ACK"), played.count("BYE")) == (1, 1), "the far end's call stayed up"


def test_a_route_that_is_no_sip_address_is_repaired_and_the_call_ended(tmp_path: Path) -> None:
    played = asyncio.run(call(tmp_path, MESSAGES["record-route-tel"]))
    lives(played)
    assert (played.ended.code, played.ended.finding_ids) == (0, ["SIP-REPAIRED", "CALL-HEARD"])
    reports(played, "SIP-REPAIRED", "Record-Route", "Record-Route: <tel:+4930123>")
    assert (played.count("ACK"), played.count("BYE")) == (1, 1), "the far end's call stayed up"


# B. Octets that are not UTF-8


@pytest.mark.parametrize(
    ("name", "phrase"),
    [
        ("phrase-latin-1", "Identité refusée"),
        ("phrase-utf-16-be", "þÿ N o"),
        ("phrase-utf-8-cut", "No \u00e2\u201a"),
        ("phrase-escape", "No [31m ]0;title"),
    ],
)
def test_a_phrase_in_any_octets_ends_the_registration(name: str, phrase: str, tmp_path: Path) -> None:
    played = asyncio.run(register(tmp_path, MESSAGES[name]))
    lives(played)
    assert played.ended.json["reason"] == phrase
    assert (played.ended.code, played.ended.finding_ids) == (1, ["REG-403"])
    assert (played.ended.json["state"], played.ended.json["sip_code"]) == ("rejected", 403)


def test_a_phrase_in_latin_1_is_shown_as_it_was_meant(tmp_path: Path) -> None:
    played = asyncio.run(register(tmp_path, MESSAGES["phrase-latin-1"], as_json=False))
    assert played.ended.code == 1
    assert "403 Identité refusée" in played.ended.out


def test_a_realm_in_latin_1_is_answered_octet_for_octet(tmp_path: Path) -> None:
    played = asyncio.run(register(tmp_path, MESSAGES["realm-latin-1"], "200 OK"))
    lives(played)
    assert (played.ended.code, played.ended.finding_ids) == (0, ["REG-OK"])
    credentials = played.received[1].one("Authorization").encode(errors="surrogateescape")
    assert b'realm="Identit\xe9 refus\xe9e"' in credentials
    assert any("realm Identité refusée" in line for line in played.finding("REG-OK")["evidence"])


def test_a_wrong_password_is_told_once_whatever_the_realm(tmp_path: Path) -> None:
    realm = MESSAGES["realm-latin-1"]
    played = asyncio.run(register(tmp_path, realm, realm))
    assert (played.ended.code, played.ended.finding_ids) == (1, ["AUTH-LOOP"])
    assert played.count("REGISTER") == 2, "one more guess went out"


def test_a_phrase_in_latin_1_is_no_cancelled_call_and_is_in_the_history(tmp_path: Path) -> None:
    played = asyncio.run(call(tmp_path, MESSAGES["phrase-in-404-latin-1"]))
    lives(played)
    assert (played.ended.code, played.ended.finding_ids) == (1, ["CALL-404"])
    assert (played.ended.json["result"], played.ended.json["reason"]) == ("not found", "Identité refusée")
    assert "does not know the number 600" in played.finding("CALL-404")["title"]
    assert "SIP/2.0 404 Identit" in played.history
    assert "INVITE sip:600@" in played.history


def test_software_named_in_latin_1_is_in_the_evidence(tmp_path: Path) -> None:
    played = asyncio.run(register(tmp_path, MESSAGES["server-latin-1"]))
    lives(played)
    assert (played.ended.code, played.ended.finding_ids) == (1, ["REG-403"])
    assert "Its software: Identité refusée" in played.finding("REG-403")["evidence"]


# H. A message that can't be used is told as such


def test_a_lifetime_that_is_a_date_is_repaired(tmp_path: Path) -> None:
    played = asyncio.run(register(tmp_path, MESSAGES["expires-date"]))
    lives(played)
    assert (played.ended.code, played.ended.finding_ids) == (0, ["SIP-REPAIRED", "REG-OK"])
    reports(played, "SIP-REPAIRED", "Expires", "Expires: Thu, 01 Dec 2030 16:00:00 GMT")
    is_no_silence(played)


def test_a_least_lifetime_that_is_no_number_is_repaired(tmp_path: Path) -> None:
    played = asyncio.run(register(tmp_path, MESSAGES["min-expires-none"], "200 OK"))
    lives(played)
    assert (played.ended.code, played.ended.finding_ids) == (0, ["SIP-REPAIRED", "REG-OK"])
    reports(played, "SIP-REPAIRED", "Min-Expires", "Min-Expires: none")


def test_a_route_of_star_is_repaired(tmp_path: Path) -> None:
    played = asyncio.run(call(tmp_path, MESSAGES["list-record-route-star"]))
    lives(played)
    assert (played.ended.code, played.ended.finding_ids) == (0, ["SIP-REPAIRED", "CALL-HEARD"])
    reports(played, "SIP-REPAIRED", "Record-Route", '"Record-Route: *"')
    assert (played.count("ACK"), played.count("BYE")) == (1, 1)


def test_a_datagram_above_4000_octets_is_read(tmp_path: Path) -> None:
    played = asyncio.run(call(tmp_path, MESSAGES["oversize-invite-200-4096"]))
    lives(played)
    assert (played.ended.code, played.ended.finding_ids) == (0, ["CALL-HEARD"])
    assert (played.count("ACK"), played.count("BYE")) == (1, 1)


@pytest.mark.parametrize(
    ("name", "said", "line"),
    [
        ("unreadable-status-line", "a status line that can't be read", "SIP/2.0 OK"),
        ("unreadable-no-cseq", "Its CSeq is missing", "SIP/2.0 200 OK"),
        ("list-call-id-nul", "Call-ID", "Call-ID"),
    ],
)
def test_an_answer_that_can_not_be_read_is_no_silence(
    name: str, said: str, line: str, tmp_path: Path
) -> None:
    played = asyncio.run(call(tmp_path, MESSAGES[name]))
    lives(played)
    assert (played.ended.code, played.ended.finding_ids) == (1, ["SIP-UNREADABLE"])
    reports(played, "SIP-UNREADABLE", said, line)
    assert "sent an answer that can't be read" in played.finding("SIP-UNREADABLE")["title"]
    is_no_silence(played)


def test_an_unreadable_answer_to_register_is_no_silence(tmp_path: Path) -> None:
    played = asyncio.run(register(tmp_path, MESSAGES["unreadable-status-line"]))
    assert (played.ended.code, played.ended.finding_ids) == (1, ["SIP-UNREADABLE"])
    is_no_silence(played)


# M3. Addresses in SDP


def test_an_address_that_can_not_be_used_fails_the_call_and_ends_it(tmp_path: Path) -> None:
    played = asyncio.run(call(tmp_path, MESSAGES["address-c-254"]))
    lives(played)
    assert (played.ended.code, played.ended.finding_ids) == (1, ["SDP-BAD", "SIP-REPAIRED"])
    assert played.ended.json["local_cause"] == "description of audio can't be used"
    reports(played, "SIP-REPAIRED", "SDP c=", '"c=IN IP4 aaaa')
    reports(played, "SDP-BAD", "SDP", '"c=IN IP4 aaaa')
    assert "description of its audio can't be used" in played.finding("SDP-BAD")["title"]
    assert (played.count("ACK"), played.count("BYE")) == (1, 1), "the far end's call stayed up"
    is_no_silence(played)


def test_the_same_before_the_answer_takes_the_call_back(tmp_path: Path) -> None:
    played = asyncio.run(call(tmp_path, MESSAGES["address-183-c-254"]))
    lives(played)
    assert (played.ended.code, played.ended.finding_ids[0]) == (1, "SDP-BAD")
    reports(played, "SIP-REPAIRED", "SDP c=", '"c=IN IP4 aaaa')
    assert played.count("CANCEL") == 1


def test_an_origin_that_can_not_be_used_is_repaired(tmp_path: Path) -> None:
    played = asyncio.run(call(tmp_path, MESSAGES["address-o-254"]))
    lives(played)
    assert (played.ended.code, played.ended.finding_ids) == (0, ["SIP-REPAIRED", "CALL-HEARD"])
    reports(played, "SIP-REPAIRED", "SDP o=", '"o=far 1 1 IN IP4 aaaa')
    assert (played.count("ACK"), played.count("BYE")) == (1, 1)
