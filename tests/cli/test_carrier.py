"""`ringback carrier`: the demo carrier in the terminal."""

from __future__ import annotations

import json
import os
import signal
import socket

import pytest

from app.sip.carrier.by_hand import CarrierFacts
from tests.cli.documented import keys
from tests.helpers.command import Ringback

needs_signals = pytest.mark.skipif(
    not hasattr(os, "killpg"), reason="Windows has no signals to send to another process"
)


@needs_signals
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_lists_its_numbers_and_ends_on_request(ringback: Ringback, stop: signal.Signals) -> None:
    with ringback.start("carrier", "--port", 0) as running:
        running.wait_for("Ctrl-C ends it.\n")
        for text in (
            "listens on 127.0.0.1",
            "Users 1001 to 1004, password ringback",
            "\n  600  ",
            "\n  486  ",
        ):
            assert text in running.out
        running.process.send_signal(stop)
        ended = running.end(seconds=10)
    assert (ended.code, ended.err) == (0, ""), ended
    assert ended.out.endswith("Stopping: hanging up what is up.\n")
    assert not ringback.data.exists()


@needs_signals
def test_json_is_one_object_and_what_happens_goes_to_standard_error(ringback: Ringback) -> None:
    with ringback.start("carrier", "--port", 0, "--json") as running:
        running.wait_for("\n}\n")
        port = json.loads(running.out)["udp_port"]
        ringback.save("Office", host="127.0.0.1", port=port, user="1001")
        assert ringback.run("register", "Office", password="ringback").code == 0
        running.ctrl_c()
        ended = running.end(seconds=10)
    assert ended.code == 0
    assert list(ended.json) == keys("ringback carrier")
    assert {"600", "486", "404", "503"} <= {number["number"] for number in ended.json["numbers"]}
    assert "1001" in ended.err


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_a_port_that_is_taken_is_told(ringback: Ringback, kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        port = taken.getsockname()[1]
        error = ringback.run("carrier", "--port", port, "--json").error
        assert str(port) in error["what"]
        words = ringback.run("carrier", "--port", port)
    assert (words.code, words.out) == (2, "")
    assert words.err.startswith("ringback: ")
    assert str(port) in words.err


@pytest.mark.parametrize("port", ["-1", "65536"])
def test_a_port_that_does_not_exist_is_told(ringback: Ringback, port: str) -> None:
    error = ringback.run("carrier", f"--port={port}", "--json").error
    assert port in error["what"]
    assert "65535" in error["what"] + error["do"]


def test_its_accounts_can_call_each_other(ringback: Ringback, by_hand: CarrierFacts) -> None:
    for user in by_hand.accounts[:2]:
        ringback.save(user, host=by_hand.host, port=by_hand.udp_port, user=user)
    with ringback.start("register", "1002", "--stay", password=by_hand.password) as called:
        called.wait_for("Staying signed in")
        ended = ringback.run("call", "1001", "1002", "--ring-seconds", 1, "--json", password=by_hand.password)
    # Nobody answers on a command line, but it rings there
    assert (ended.code, ended.json["result"]) == (1, "no answer"), ended
    assert ended.json["setup_ms"] is not None
