"""`ringback call` against Kamailio with SIPp behind it and the demo carrier run by hand."""

from __future__ import annotations

from typing import Any

import pytest

from app.sip.carrier.by_hand import CarrierFacts
from tests.cli.documented import keys
from tests.cli.test_register import TRANSPORTS, save_at
from tests.helpers.command import Ended, Ringback
from tests.peers.kamailio import CarrierPeers


def told(ended: Ended, code: int) -> dict[str, Any]:
    """The object of a call, with its shape checked."""
    assert (ended.code, ended.err) == (code, ""), ended
    assert sorted(ended.json) == sorted(keys("ringback call"))
    for finding in ended.json["findings"]:
        assert list(finding) == keys("Findings")
    return ended.json


@pytest.mark.peers
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_an_answered_call_tells_all_keys(
    ringback: Ringback, carrier_peers: CarrierPeers, transport: str
) -> None:
    save_at(ringback, carrier_peers, transport)
    number = carrier_peers.numbers.echo
    ended = ringback.run("call", "Office", number, "--seconds", 1, "--json", password=carrier_peers.password)
    call = told(ended, 0)
    assert (call["trunk"], call["number"], call["dialled"]) == ("Office", number, number)
    assert (call["result"], call["sip_code"], call["reason"]) == ("answered", 200, "OK")
    assert (call["answered_by"], call["local_cause"]) == ("network", None)
    assert 0 < call["setup_ms"] < 2000
    assert call["duration_s"] == pytest.approx(1, abs=0.5)
    assert call["hung_up_by"] == "time limit"
    assert call["codec"] == "PCMU"
    assert call["tx_packets"] > 25
    assert call["rx_packets"] > 25
    assert call["loss_pct"] == 0
    assert 0 <= call["jitter_ms"] < 100
    assert (call["audio"], call["heard"]) == ("two-way", True)
    # These peers send no reports, and in one second our own sound can't be told from another
    assert call["findings"][0]["id"] == "CALL-HEARD"
    assert call["findings"][0]["verdict"] == "pass"


@pytest.mark.peers
@pytest.mark.parametrize(
    ("number", "result", "code", "reason_header", "finding", "verdict"),
    [
        ("busy", "busy", 486, None, "CALL-486", "warning"),
        ("not_found", "not found", 404, 'Q.850;cause=1;text="Unallocated number"', "CALL-404", "fail"),
        ("unavailable", "unavailable", 503, "Q.850;cause=42;", "CALL-503", "fail"),
        ("no_answer", "no answer", 487, None, "CALL-NOANSWER", "warning"),
    ],
)
def test_a_call_that_is_not_answered_tells_why(
    ringback: Ringback,
    carrier_peers: CarrierPeers,
    number: str,
    result: str,
    code: int,
    reason_header: str | None,
    finding: str,
    verdict: str,
) -> None:
    save_at(ringback, carrier_peers, "udp")
    ended = ringback.run(
        *("call", "Office", getattr(carrier_peers.numbers, number), "--ring-seconds", 1, "--json"),
        password=carrier_peers.password,
    )
    call = told(ended, 1)
    assert (call["result"], call["sip_code"], call["answered_by"]) == (result, code, "network")
    assert (call["reason_header"] or "").startswith(reason_header or "")
    assert (call["reason_header"] is None) is (reason_header is None)
    assert (call["audio"], call["tx_packets"], call["rx_packets"], call["codec"]) == ("none", 0, 0, None)
    assert call["duration_s"] == 0
    assert (call["findings"][0]["id"], call["findings"][0]["verdict"]) == (finding, verdict)


@pytest.mark.peers
def test_the_far_end_that_hangs_up_is_named(ringback: Ringback, carrier_peers: CarrierPeers) -> None:
    save_at(ringback, carrier_peers, "udp")
    number = carrier_peers.numbers.hangs_up
    call = told(ringback.run("call", "Office", number, "--json", password=carrier_peers.password), 0)
    assert call["hung_up_by"] == "them"
    assert call["duration_s"] < 3


@pytest.mark.peers
@pytest.mark.parametrize("number", ["9-1-1", "sip:112@127.0.0.1"])
def test_an_emergency_number_is_refused_before_anything_is_sent(
    ringback: Ringback, carrier_peers: CarrierPeers, number: str
) -> None:
    save_at(ringback, carrier_peers, "udp")
    before = carrier_peers.log().count("REQUEST")
    error = ringback.run("call", "Office", number, "--json", password=carrier_peers.password).error
    assert "never dials it" in error["what"]
    assert "test number" in error["do"]
    assert carrier_peers.log().count("REQUEST") == before


@pytest.mark.peers
def test_a_trunk_that_can_not_sign_in_places_no_call(ringback: Ringback, carrier_peers: CarrierPeers) -> None:
    save_at(ringback, carrier_peers, "udp")
    before = carrier_peers.log().count("REQUEST INVITE")
    call = told(ringback.run("call", "Office", "600", "--json", password="wrong"), 1)
    assert (call["number"], call["dialled"], call["result"]) == ("600", "", "failed")
    assert (call["sip_code"], call["answered_by"]) == (401, "network")
    assert [finding["id"] for finding in call["findings"]] == ["AUTH-LOOP"]
    words = ringback.run("call", "Office", "600", password="wrong")
    assert words.code == 1
    assert "No call was placed, because the trunk could not sign in.\n" in words.out
    assert "This trunk does not work: wrong user name or password.\n" in words.out
    assert carrier_peers.log().count("REQUEST INVITE") == before


@pytest.mark.peers
def test_without_registering_a_wrong_password_is_found_by_the_call(
    ringback: Ringback, carrier_peers: CarrierPeers
) -> None:
    save_at(ringback, carrier_peers, "udp", register="no")
    call = told(ringback.run("call", "Office", "600", "--json", password="wrong"), 1)
    assert (call["result"], call["sip_code"]) == ("wrong credentials", 407)
    assert call["findings"][0]["id"] == "AUTH-LOOP"


@pytest.mark.peers
def test_a_realm_that_calls_are_never_asked_for_is_told(
    ringback: Ringback, carrier_peers: CarrierPeers
) -> None:
    save_at(ringback, carrier_peers, "udp", register="no", realm="elsewhere.test")
    call = told(ringback.run("call", "Office", "600", "--json", password=carrier_peers.password), 1)
    assert (call["result"], call["sip_code"]) == ("wrong credentials", 407)
    assert [finding["id"] for finding in call["findings"]] == ["AUTH-REALM"]


CARRIER_NUMBERS = {
    "403": ("forbidden", 403),
    "503": ("unavailable", 503),
    "480": ("no answer", 487),
}


@pytest.mark.parametrize("number", CARRIER_NUMBERS)
def test_the_carrier_by_hand_refuses_as_it_lists(
    ringback: Ringback, by_hand: CarrierFacts, number: str
) -> None:
    assert number in [listed.number for listed in by_hand.numbers]
    ringback.save("Office", host=by_hand.host, port=by_hand.udp_port, user="1001")
    ended = ringback.run(
        *("call", "Office", number, "--ring-seconds", 1, "--json"), password=by_hand.password
    )
    call = told(ended, 1)
    result, code = CARRIER_NUMBERS[number]
    assert (call["result"], call["sip_code"], call["answered_by"]) == (result, code, "network")


def test_an_answered_call_is_told_in_words(ringback: Ringback, by_hand: CarrierFacts) -> None:
    port = by_hand.tcp_port
    ringback.save("Office", host=by_hand.host, port=port, transport="tcp", user="1003")
    ended = ringback.run(
        "call", "Office", "600", "--seconds", 2, "--send", "speech", password=by_hand.password
    )
    assert (ended.code, ended.err) == (0, ""), ended
    told, verdict = ended.out.split("\n\n")
    assert told.splitlines()[:2] == ["Signing in at 127.0.0.1 …", "Calling 600, 2 s at most …"]
    assert verdict.splitlines()[:2] == [
        "This trunk works.",
        "[ok] The call to 600 was answered, and sound went both ways.",
    ]
    assert "\nSound: sent " in verdict


def test_a_call_that_rings_out_is_told_in_words(ringback: Ringback, by_hand: CarrierFacts) -> None:
    ringback.save("Office", host=by_hand.host, port=by_hand.udp_port, user="1004")
    ended = ringback.run("call", "Office", "480", "--ring-seconds", 1, password=by_hand.password)
    assert (ended.code, ended.err) == (1, ""), ended
    # The demo carrier's ringing tone is sound of its own
    assert "\n  sound before the answer after " in ended.out
    assert "\n\nThe trunk carried the call, but nobody answered.\n" in ended.out
    assert "      The time for ringing was over, and the call was taken back.\n" in ended.out


@pytest.mark.parametrize(
    ("words", "field", "what"),
    [
        (["600", "--seconds", "0"], "seconds", "0 seconds"),
        (["600", "--seconds", "9999"], "seconds", "9999 seconds"),
        (["600", "--seconds", "inf"], "seconds", "inf seconds"),
        (["600", "--ring-seconds", "0"], "ring-seconds", "0 seconds"),
        (["call me"], "", '"call me"'),
        (["600@other.example.com"], "", "other host"),
        ([""], "", "no number"),
        (["60\n0"], "", "line break"),
    ],
)
def test_what_can_not_be_called_is_refused_before_anything_is_started(
    ringback: Ringback, words: list[str], field: str, what: str
) -> None:
    # Nobody listens there: a registration that was tried would give exit code 1
    ringback.save("Office", host="127.0.0.1", port=9, user="1")
    error = ringback.run("call", "Office", *words, "--json", password="x").error
    assert error["field"] == field
    assert what in error["what"]


@pytest.mark.parametrize(
    ("country", "number"),
    [
        ("CH", "144"),
        ("AT", "133"),
        ("IT", "118"),
        ("IN", "102"),
        ("SG", "993"),
        ("SE", "+4690000"),
        ("SE", "116117"),
        ("BR", "55112"),
        ("US", "911*1"),
        ("US", "911#1"),
        ("US", "sos"),
        ("US", "1-800-273-8255"),
    ],
)
def test_no_emergency_number_or_crisis_line_of_the_trunks_country_goes_out(
    ringback: Ringback, country: str, number: str
) -> None:
    ringback.save("Office", host="127.0.0.1", port=9, user="1", sign_in="address", country=country)
    error = ringback.run("call", "Office", number, "--json").error
    assert "an emergency or crisis number in" in error["what"], error
    assert "Ringback never dials it" in error["what"]
