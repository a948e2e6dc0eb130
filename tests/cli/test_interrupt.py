"""Ctrl-C, SIGTERM and SIGKILL: calls end, the trunk signs off, and no process stays."""

from __future__ import annotations

import os
import signal
import socket
import tempfile
from pathlib import Path

import pytest

from tests.cli.test_register import save_at
from tests.helpers.command import Ringback, Running
from tests.helpers.waiting import wait_for
from tests.peers.kamailio import CarrierPeers

pytestmark = [
    pytest.mark.peers,
    pytest.mark.skipif(not hasattr(os, "killpg"), reason="Windows has no signals to send to another process"),
]

STOPPED = "ringback: stopped; nothing is left running.\n"


def interrupt(running: Running, how: str) -> None:
    """As a person does it, or as a service manager does."""
    if how == "Ctrl-C":
        running.ctrl_c()
    else:
        running.process.send_signal(signal.SIGTERM)


def gone(pids: list[int]) -> bool:
    """Whether none of these processes runs any more."""
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


@pytest.mark.parametrize("how", ["Ctrl-C", "SIGTERM"])
def test_staying_registered_ends_with_signing_off(
    ringback: Ringback, carrier_peers: CarrierPeers, how: str
) -> None:
    save_at(ringback, carrier_peers, "udp")
    with ringback.start("register", "Office", "--stay", password=carrier_peers.password) as running:
        running.wait_for("Ctrl-C signs out and ends.\n")
        assert carrier_peers.registrations(carrier_peers.user)
        engines = running.children("engine")
        assert len(engines) == 1
        interrupt(running, how)
        ended = running.end(seconds=10)
    assert (ended.code, ended.err) == (130, STOPPED), ended
    assert not carrier_peers.registrations(carrier_peers.user)
    assert gone(engines)


@pytest.mark.parametrize("how", ["Ctrl-C", "SIGTERM"])
def test_a_call_under_way_is_hung_up_and_the_trunk_signs_off(
    ringback: Ringback, carrier_peers: CarrierPeers, how: str
) -> None:
    save_at(ringback, carrier_peers, "tcp")
    words = ("call", "Office", carrier_peers.numbers.echo, "--seconds", 60)
    before = carrier_peers.log().count("REQUEST BYE")
    with ringback.start(*words, password=carrier_peers.password) as running:
        running.wait_for("answered")
        engines = running.children("engine")
        interrupt(running, how)
        ended = running.end(seconds=10)
    assert (ended.code, ended.err) == (130, STOPPED), ended
    assert carrier_peers.log().count("REQUEST BYE") == before + 1
    assert not carrier_peers.registrations(carrier_peers.user)
    assert gone(engines)


def test_ringing_is_taken_back(ringback: Ringback, carrier_peers: CarrierPeers) -> None:
    save_at(ringback, carrier_peers, "udp")
    before = carrier_peers.log().count("REQUEST CANCEL")
    words = ("call", "Office", carrier_peers.numbers.no_answer)
    with ringback.start(*words, password=carrier_peers.password) as running:
        running.wait_for("ringing")
        running.ctrl_c()
        ended = running.end(seconds=10)
    assert (ended.code, ended.err) == (130, STOPPED), ended
    assert carrier_peers.log().count("REQUEST CANCEL") == before + 1
    assert not carrier_peers.registrations(carrier_peers.user)


def test_json_that_stays_registered_is_one_whole_object(
    ringback: Ringback, carrier_peers: CarrierPeers
) -> None:
    save_at(ringback, carrier_peers, "tls")
    with ringback.start("register", "Office", "--stay", "--json", password=carrier_peers.password) as running:
        running.wait_for("\n}\n")
        assert carrier_peers.registrations(carrier_peers.user)
        running.ctrl_c()
        ended = running.end(seconds=10)
    assert (ended.code, ended.err) == (130, STOPPED)
    assert ended.json["state"] == "registered"
    assert not carrier_peers.registrations(carrier_peers.user)


def test_a_killed_command_line_takes_its_engine_along_which_signs_off_first(
    ringback: Ringback, carrier_peers: CarrierPeers
) -> None:
    save_at(ringback, carrier_peers, "udp")
    with ringback.start("register", "Office", "--stay", password=carrier_peers.password) as running:
        running.wait_for("Ctrl-C signs out and ends.\n")
        engines = running.children("engine")
        assert engines
        running.process.kill()
    wait_for(lambda: gone(engines), "the engine to end")
    assert not carrier_peers.registrations(carrier_peers.user)


def test_a_killed_demo_takes_its_engine_and_its_carrier_along(ringback: Ringback) -> None:
    with ringback.start("demo", "--seconds", 60) as running:
        running.wait_for("answered")
        children = [*running.children("engine"), *running.children("carrier")]
        assert len(children) == 2
        running.process.kill()
    wait_for(lambda: gone(children), "engine and carrier to end")


def test_an_engine_that_dies_in_a_call_is_told(ringback: Ringback, carrier_peers: CarrierPeers) -> None:
    # A dead engine can't sign off, so not with the account whose registrations other tests count
    save_at(ringback, carrier_peers, "udp", user=carrier_peers.stern_user)
    words = ("call", "Office", carrier_peers.numbers.echo, "--seconds", 60)
    with ringback.start(*words, password=carrier_peers.password) as running:
        running.wait_for("answered")
        (engine,) = running.children("engine")
        os.kill(engine, signal.SIGKILL)
        ended = running.end(seconds=10)
    assert (ended.code, ended.err) == (1, ""), ended
    assert "The engine was ended by SIGKILL." in ended.out
    assert "The test was cut short: a part of Ringback stopped." in ended.out


def test_a_trunk_that_stays_registered_comes_back_after_its_engine_died(
    ringback: Ringback, carrier_peers: CarrierPeers
) -> None:
    user = carrier_peers.stern_user
    save_at(ringback, carrier_peers, "udp", user=user)
    with ringback.start("register", "Office", "--stay", password=carrier_peers.password) as running:
        running.wait_for("Ctrl-C signs out and ends.\n")
        (engine,) = running.children("engine")
        os.kill(engine, signal.SIGKILL)
        running.wait_for("It is started again.")
        running.wait_for("  registered: 200 OK in ")
        contacts = carrier_peers.registrations(user)
        running.ctrl_c()
        ended = running.end(seconds=10)
    assert ended.code == 130
    assert len(carrier_peers.registrations(user)) == len(contacts) - 1


@pytest.mark.keyring
def test_ctrl_c_does_not_wait_for_a_keyring_that_does_not_answer(
    ringback: Ringback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ringback.save("Office", host="127.0.0.1", port=9, user="1")
    with socket.socket(socket.AF_UNIX) as silent, tempfile.TemporaryDirectory(dir="/tmp") as short:
        silent.bind(f"{short}/bus")
        silent.listen()
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={short}/bus")
        with ringback.start("register", "Office") as running:
            running.wait_for("Signing in")
            silent.settimeout(10)
            asked, _ = silent.accept()
            with asked, asked.makefile("rb") as lines:
                # Past the handshake (D-Bus specification, "Authentication Protocol"), where nobody has limits
                assert lines.readline().startswith(b"\0AUTH EXTERNAL ")
                asked.sendall(b"OK 0123456789abcdef0123456789abcdef\r\n")
                while not (line := lines.readline()).startswith(b"BEGIN"):
                    asked.sendall(b"AGREE_UNIX_FD\r\n" if b"UNIX_FD" in line else b"ERROR\r\n")
                running.ctrl_c()
                ended = running.end(seconds=5)
    assert (ended.code, ended.err) == (130, STOPPED), ended
