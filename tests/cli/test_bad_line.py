"""A bad line of the demo carrier, and what `ringback call` makes of it."""

from __future__ import annotations

import msgspec
import pytest

from app.sip.carrier.by_hand import CarrierFacts
from tests.cli.documented import keys
from tests.helpers.command import Ringback


def test_a_call_over_a_bad_line_tells_how_bad_it_was(ringback: Ringback) -> None:
    with ringback.start(
        "carrier", "--port", 0, "--loss", 10, "--jitter", 20, "--delay", 50, "--json"
    ) as running:
        running.wait_for("\n}\n")
        facts = msgspec.json.decode(running.out, type=CarrierFacts)
        assert facts.line == "10 % of the sound lost each way, 20 ms of jitter, 50 ms of delay each way"
        ringback.save("Office", host=facts.host, port=facts.udp_port, user="1001")
        call = ringback.run("call", "Office", "600", "--seconds", 6, "--json", password=facts.password).json
        running.ctrl_c()
        assert running.end().code == 0
    assert call["loss_pct"] == pytest.approx(10, abs=1.5)
    assert call["tx_loss_pct"] == pytest.approx(10, abs=2.5)
    assert call["jitter_ms"] == pytest.approx(20, rel=0.2)
    assert call["round_trip_ms"] == pytest.approx(100, rel=0.1)
    assert "MEDIA-LOSS" in [finding["id"] for finding in call["findings"]]
    quality = call["quality"]
    assert list(quality) == keys("Quality")
    assert quality["mean"]["grade"] == "poor"
    assert quality["summary"].startswith("Poor, R ")
    assert quality["far"]["loss_pct"] == pytest.approx(10, abs=2.5)
    assert call["hang_up_ms"] > 0
    assert call["first_rtp_ms"] is not None


def test_quality_is_told_in_words(ringback: Ringback, by_hand: CarrierFacts) -> None:
    ringback.save("Office", host=by_hand.host, port=by_hand.udp_port, user="1002")
    ended = ringback.run("call", "Office", "600", "--seconds", 3, password=by_hand.password)
    assert "\nQuality: Good, R 9" in ended.out
    assert "\nAs the other side reports it: Good, R 9" in ended.out
    assert "At worst" not in ended.out


@pytest.mark.parametrize(("option", "value"), [("--loss", "101"), ("--jitter", "-1"), ("--delay", "nan")])
def test_a_line_that_can_not_be_is_refused(ringback: Ringback, option: str, value: str) -> None:
    ended = ringback.run("carrier", "--port", 0, f"{option}={value}")
    assert ended.code == 2
    assert f"Give {option} a number from 0 to" in ended.err
