"""`ringback demo`: a registration and a call with audio both ways, on any machine."""

from __future__ import annotations

import subprocess

import pytest

from app.terminal import READER_GONE
from tests.cli.documented import keys
from tests.helpers.command import ROOT, Ringback


def test_demo_registers_calls_and_says_so_in_json(ringback: Ringback) -> None:
    ended = ringback.run("demo", "--json")
    assert ended.code == 0, ended
    assert ended.err == ""
    told = ended.json
    assert list(told) == keys("ringback demo")
    assert told["works"] is True

    registration, call = told["registration"], told["call"]
    assert list(registration) == keys("ringback register")
    assert registration["state"] == "registered"
    assert (registration["sip_code"], registration["answered_by"]) == (200, "network")
    assert 0 < registration["round_trip_ms"] < 1000
    assert registration["expires_s"] > 0
    assert [finding["id"] for finding in registration["findings"]] == ["REG-OK"]

    assert sorted(call) == sorted(keys("ringback call"))
    assert (call["result"], call["sip_code"], call["answered_by"]) == ("answered", 200, "network")
    assert call["audio"] == "two-way"
    assert call["heard"] is True
    assert (call["loss_pct"], call["tx_loss_pct"]) == (0.0, 0.0)
    assert call["codec"] == "PCMU"
    # 50 packets a second, and the first and the last may fall outside
    assert call["tx_packets"] > 150
    assert call["rx_packets"] > 150
    assert call["duration_s"] == pytest.approx(4, abs=0.5)
    assert call["hung_up_by"] == "time limit"
    assert 0 < call["echo_ms"] < 500
    assert [finding["id"] for finding in call["findings"]] == ["CALL-OK", "ECHO-BACK"]
    for finding in (*registration["findings"], *call["findings"]):
        assert list(finding) == keys("Findings")
        assert finding["verdict"] == "pass"


def test_demo_says_in_words_that_the_trunk_works(ringback: Ringback) -> None:
    ended = ringback.run("demo", "--seconds", 3)
    assert ended.code == 0, ended
    assert ended.err == ""
    told, verdict = ended.out.split("\n\n")
    assert [line.split(" ")[0] for line in told.splitlines()[:3]] == ["Starting", "Signing", "Calling"]
    assert "  answered; sending and listening" in told
    headline, *lines = verdict.splitlines()
    assert headline == "This trunk works."
    assert [line[:4] for line in lines][:4] == ["[ok]", "[ok]", "[ok]", "Soun"]
    assert "0.0 % lost" in lines[3]


def test_two_demos_at_once_on_one_data_folder_both_work(ringback: Ringback) -> None:
    with (
        ringback.start("demo", "--json", "--seconds", 2) as one,
        ringback.start("demo", "--json", "--seconds", 2) as two,
    ):
        for running in (one, two):
            ended = running.end()
            assert (ended.code, ended.json["works"]) == (0, True), ended


@pytest.mark.parametrize("seconds", ["-1", "9999", "nan"])
def test_an_impossible_length_is_refused_before_anything_is_started(ringback: Ringback, seconds: str) -> None:
    error = ringback.run("demo", f"--seconds={seconds}", "--json").error
    assert error["field"] == "seconds"
    assert seconds in error["what"]
    assert "120" in error["do"]


def test_a_reader_that_goes_away_is_no_error(ringback: Ringback) -> None:
    with subprocess.Popen(
        ringback.command("demo", "--seconds", 1), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"Starting")
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=20) == READER_GONE
