"""`ringback carrier`: the demo carrier in the terminal."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from app.sip.carrier.by_hand import CarrierFacts
from tests.cli.documented import keys
from tests.helpers.command import Ringback
from tests.helpers.hostile import EVIL, shows

needs_signals = pytest.mark.skipif(
    not hasattr(os, "killpg"), reason="Windows has no signals to send to another process"
)


NO_LINES = str.maketrans("", "", "\r\n")


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
    assert [path for path in ringback.data.rglob("*") if path.is_file()] == []


@needs_signals
def test_a_reader_that_goes_away_is_no_fault(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "app", "--data-dir", str(tmp_path), "carrier", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        while process.stdout.readline() != "Ctrl-C ends it.\n":
            assert process.poll() is None
        process.stdout.close()
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 141
        assert process.stderr.read() == ""


@needs_signals
def test_json_is_one_object_and_what_happens_goes_to_standard_error(ringback: Ringback) -> None:
    with ringback.start("carrier", "--port", 0, "--json") as running:
        running.wait_for("\n}\n")
        facts = json.loads(running.out)
        ways = (
            {"port": facts["udp_port"]},
            {"port": facts["tls_port"], "transport": "tls", "ca_file": facts["ca_file"]},
        )
        for number, way in enumerate(ways):
            ringback.save(f"Way {number}", host="127.0.0.1", user="1001", **way)
            assert ringback.run("register", f"Way {number}", password="ringback").code == 0
        running.ctrl_c()
        ended = running.end(seconds=10)
    assert ended.code == 0
    assert list(ended.json) == keys("ringback carrier")
    assert {"600", "486", "404", "503"} <= {number["number"] for number in ended.json["numbers"]}
    assert "1001 registered from udp" in ended.err
    assert "1001 registered from tls" in ended.err


@needs_signals
def test_json_says_which_provider_is_played_and_what_is_not_known(ringback: Ringback) -> None:
    with ringback.start("carrier", "--port", 0, "--json", "--as", "voipms") as running:
        running.wait_for("\n}\n")
        running.ctrl_c()
        ended = running.end(seconds=10)
    facts = ended.json
    assert list(facts) == keys("ringback carrier")
    assert (facts["provider"], facts["method"]) == ("voipms", "register")
    assert facts["udp_port"]
    assert facts["tcp_port"] == 0
    assert facts["accounts"] == ["100000_desk"]
    assert facts["tls_port"]
    assert facts["ca_file"].startswith(str(ringback.data))
    assert any("UDP and TLS." in sentence for sentence in facts["plays"])
    assert any("4443" in sentence for sentence in facts["plays"])
    assert any("No codec" in sentence for sentence in facts["lenient"])


@needs_signals
def test_a_provider_that_knows_addresses_only_needs_no_user(ringback: Ringback) -> None:
    with ringback.start("carrier", "--port", 0, "--as", "flowroute", "--method", "address") as running:
        running.wait_for("Ctrl-C ends it.\n")
        running.ctrl_c()
        ended = running.end(seconds=10)
    assert ended.code == 0
    for text in (
        "No user and no password",
        "It plays Flowroute",
        "tech prefix such as 12345678*",
        "not documented, the demo carrier chooses 403",
        "What is not known or not played:",
    ):
        assert text in ended.out


@needs_signals
def test_a_provider_that_insists_on_its_host_says_how_to_get_there(ringback: Ringback) -> None:
    with ringback.start("carrier", "--port", 0, "--as", "twilio") as running:
        running.wait_for("Ctrl-C ends it.\n")
        port, tls_port = re.findall(r"TCP port (\d+), TLS port (\d+)\.", running.out)[0]
        running.ctrl_c()
        assert running.end(seconds=10).code == 0
    host = "host my-company.pstn.twilio.com"
    assert f"{host} and outbound proxy 127.0.0.1:{port};" in running.out
    assert f"transport tls, {host}, outbound proxy 127.0.0.1:{tls_port}, and this CA file:" in running.out


def test_an_unknown_provider_is_refused_with_near_ones(ringback: Ringback) -> None:
    error = ringback.run("carrier", "--as", "twilo", "--json").error
    assert "twilo" in error["what"]
    assert "twilio" in error["do"]
    assert error["field"] == "provider"
    assert ringback.run("carrier", "--as", "twilo").code == 2


@pytest.mark.parametrize("more", [("--as", "twilio"), ()])
def test_a_way_to_sign_in_that_can_not_be_played_is_refused(
    ringback: Ringback, more: tuple[str, ...]
) -> None:
    error = ringback.run("carrier", *more, "--method", "register", "--json").error
    assert error["field"] == "method"
    assert error["do"]


@needs_signals
def test_a_customer_with_encryption_switched_on_can_be_played(ringback: Ringback) -> None:
    with ringback.start("carrier", "--port", 0, "--json", "--as", "twilio", "--encrypted") as running:
        running.wait_for("\n}\n")
        running.ctrl_c()
        ended = running.end(seconds=10)
    assert "Secure Trunking is switched on for its customer." in ended.json["plays"]


@pytest.mark.parametrize("more", [("--as", "gamma"), ()])
def test_a_switch_for_encryption_that_there_is_not_is_refused(
    ringback: Ringback, more: tuple[str, ...]
) -> None:
    error = ringback.run("carrier", *more, "--encrypted", "--json").error
    assert error["field"] == "encrypted"
    assert error["do"]


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


@needs_signals
def test_packets_of_anybody_print_nothing_hidden(ringback: Ringback) -> None:
    with ringback.start("carrier", "--port", 0) as running:
        running.wait_for("Ctrl-C ends it.\n")
        port = int(re.search(r"UDP and TCP port (\d+)", running.out)[1])  # type: ignore[index]  # it stands there
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
            phone.settimeout(5)
            phone.connect(("127.0.0.1", port))
            own = phone.getsockname()[1]
            for method in ("REGISTER", "INVITE", "OPTIONS", f"X{EVIL[4:12]}"):
                text = (
                    f"{method} sip:6\x1b[2J00@127.0.0.1 SIP/2.0\r\n"
                    f"Via: SIP/2.0/UDP 127.0.0.1:{own};branch=z9hG4bK{method}\x9b31m\r\n"
                    f'From: "{EVIL.translate(NO_LINES)}" <sip:1001\u202e@127.0.0.1>;tag=1\r\n'
                    f"To: <sip:1001\x1b]0;x\x07@127.0.0.1>\r\nCall-ID: {method}\x1b[A\r\nCSeq: 1 {method}\r\n"
                    f'Authorization: Digest username="\x1b[2J\u202e", realm="ringback", nonce="1", '
                    'uri="sip:6\x1b[2J00@127.0.0.1", qop=auth, nc=00000001, cnonce="1", '
                    'response="0123456789abcdef0123456789abcdef"\r\n'
                    "Content-Length: 0\r\n\r\n"
                )
                phone.send(text.encode())
                phone.send(f"\x1b[2J{EVIL}".encode())
                phone.send(f"{EVIL.translate(NO_LINES)} sip:x SIP/2.0\r\nVia: \x1b[2J\r\n\r\n".encode())
            # What it answers last has come through everything in front of it
            phone.send(
                f"OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{own};branch=z9hG4bKlast\r\n"
                "From: <sip:a@b>;tag=2\r\nTo: <sip:x>\r\nCall-ID: last\r\nCSeq: 1 OPTIONS\r\n\r\n".encode()
            )
            while b"Call-ID: last" not in phone.recv(65536):
                pass
        running.process.send_signal(signal.SIGINT)
        ended = running.end(seconds=10)
    assert shows(ended.out + ended.err) == []
    assert ended.out.count(" is dropped: ") == 12
