"""`ringback answer`, called back by the demo carrier run by hand; and what can be done within a call."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest

from app.cli.calls import WAIT_WORDS
from app.sip.carrier.by_hand import CarrierFacts
from tests.cli.documented import keys
from tests.helpers.command import Ended, Ringback

CALLS_BACK = "607"


def called_back(ringback: Ringback, by_hand: CarrierFacts, user: str, *options: object) -> Ended:
    """What `answer` tells when the carrier calls this user."""
    port, host, password = by_hand.udp_port, by_hand.host, by_hand.password
    ringback.save("Desk", host=host, port=port, user=user)
    ringback.save("Caller", host=host, port=port, user=user, sign_in="credentials")
    with ringback.start("answer", "Desk", "--wait", 30, *options, password=password) as waiting:
        waiting.wait_for(WAIT_WORDS)
        ringback.run("call", "Caller", CALLS_BACK, "--seconds", 5, "--json", password=password)
        return waiting.end()


def test_a_call_that_comes_in_is_answered_and_judged(ringback: Ringback, by_hand: CarrierFacts) -> None:
    ended = called_back(ringback, by_hand, "1002", "--seconds", 2)
    assert (ended.code, ended.err) == (0, ""), ended
    assert "A call from " in ended.out
    assert " for sip:1002@127.0.0.1" in ended.out
    assert "\n  answered" in ended.out
    assert "sound went both ways" in ended.out
    assert "Sound: sent " in ended.out
    calls = ringback.run("history", "Desk", "--json").json["calls"]
    assert [call["plan"] for call in calls] == [{"source": "tone", "max_seconds": 2.0, "ring_seconds": None}]


@pytest.mark.parametrize(("way", "user"), [("busy", "1002"), ("decline", "1002")])
def test_a_call_that_comes_in_is_turned_away(
    ringback: Ringback, by_hand: CarrierFacts, way: str, user: str
) -> None:
    ended = called_back(ringback, by_hand, user, "--reject", way)
    assert (ended.code, ended.err) == (0, ""), ended


def test_no_call_within_the_limit_is_told_and_all_keys_are_there(
    ringback: Ringback, by_hand: CarrierFacts
) -> None:
    ringback.save("Desk", host=by_hand.host, port=by_hand.udp_port, user="1001")
    ended = ringback.run("answer", "Desk", "--wait", 0.2, "--json", password=by_hand.password)
    assert (ended.code, ended.err) == (1, ""), ended
    assert list(ended.json) == keys("ringback answer")
    assert (ended.json["trunk"], ended.json["from"], ended.json["call"]) == ("Desk", None, None)


def test_a_trunk_that_can_not_sign_in_waits_for_no_call(ringback: Ringback, by_hand: CarrierFacts) -> None:
    ringback.save("Desk", host=by_hand.host, port=by_hand.udp_port, user="1001")
    ended = ringback.run("answer", "Desk", "--json", password="wrong")
    assert (ended.code, ended.json["call"]) == (1, None)
    assert ended.finding_ids == ["AUTH-LOOP"]


def test_calls_are_not_sent_on_to_an_emergency_number(ringback: Ringback, by_hand: CarrierFacts) -> None:
    ringback.save("Desk", host=by_hand.host, port=by_hand.udp_port, user="1001")
    error = ringback.run("answer", "Desk", "--forward", "112", "--json", password=by_hand.password).error
    assert "never dials it" in error["what"]


def test_digits_are_pressed_and_both_sides_are_recorded(
    ringback: Ringback, by_hand: CarrierFacts, tmp_path: Path
) -> None:
    path = tmp_path / "call.wav"
    ringback.save("Office", host=by_hand.host, port=by_hand.udp_port, user="1001")
    options = ("--seconds", 2, "--digits", "12#", "--record", path)
    ended = ringback.run("call", "Office", "600", *options, password=by_hand.password)
    assert (ended.code, ended.err) == (0, ""), ended
    assert f"\n  recorded in {path}" in ended.out
    with wave.open(str(path)) as recording:
        assert recording.getnchannels() == 2
        assert recording.getnframes() / recording.getframerate() == pytest.approx(2, abs=0.7)
