"""The peers do what their fixtures promise: seen by clients that share no code with the app."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.sip_client import SipClient
from tests.helpers.waiting import wait_for
from tests.peers import kamailio
from tests.peers.kamailio import CarrierPeers

pytestmark = pytest.mark.peers


def context(ca_file: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file)


def connect(peers: CarrierPeers, transport: str = "udp", **changes: str) -> SipClient:
    port = {"udp": peers.udp_port, "tcp": peers.tcp_port, "tls": peers.tls_port}[transport]
    account = {"user": peers.user, "password": peers.password, **changes}
    tls = context(peers.ca_file) if transport == "tls" else None
    return SipClient.connect(peers.host, port, transport, tls=tls, **account)


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_registers_with_digest_and_unregisters(carrier_peers: CarrierPeers, transport: str) -> None:
    with connect(carrier_peers, transport) as client:
        assert client.register(expires=60).code == 200
        contact = client.contact.strip("<>")
        assert contact in carrier_peers.registrations(carrier_peers.user)
        assert client.register(expires=0).code == 200
        assert contact not in carrier_peers.registrations(carrier_peers.user)


def test_wrong_password_is_asked_again(carrier_peers: CarrierPeers) -> None:
    with connect(carrier_peers, password="wrong") as client:
        answer = client.register(expires=60)
    assert answer.code == 401
    assert f'realm="{carrier_peers.realm}"' in answer.one("WWW-Authenticate")


def test_stern_account_is_refused_at_once(carrier_peers: CarrierPeers) -> None:
    with connect(carrier_peers, user=carrier_peers.stern_user, password="wrong") as client:
        assert client.register(expires=60).code == 403
    with connect(carrier_peers, user=carrier_peers.stern_user) as client:
        assert client.register(expires=60).code == 200
        assert client.register(expires=0).code == 200


def test_unknown_user_is_asked_again(carrier_peers: CarrierPeers) -> None:
    with connect(carrier_peers, user="1999") as client:
        assert client.register(expires=60).code == 401


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_call_is_answered_through_the_proxy_and_ends_with_bye(
    carrier_peers: CarrierPeers, transport: str
) -> None:
    with connect(carrier_peers, transport) as client:
        call = client.invite(carrier_peers.numbers.echo)
        assert [response.code for response in call.responses] == [100, 180, 200]
        assert "m=audio" in call.final.body
        assert client.bye(call).code == 200


@pytest.mark.parametrize(
    ("name", "code", "reason"),
    [
        ("busy", 486, ""),
        ("not_found", 404, "Q.850;cause=1;"),
        ("unavailable", 503, "Q.850;cause=42;"),
    ],
)
def test_numbers_that_refuse(carrier_peers: CarrierPeers, name: str, code: int, reason: str) -> None:
    with connect(carrier_peers) as client:
        final = client.invite(getattr(carrier_peers.numbers, name)).final
    assert final.code == code
    assert final.one("Reason").startswith(reason)
    assert final.one("Retry-After") == ("30" if code == 503 else "")


def test_number_not_served_is_404_from_the_proxy(carrier_peers: CarrierPeers) -> None:
    with connect(carrier_peers) as client:
        assert client.invite("99").final.start_line == "SIP/2.0 404 Unallocated number"


def test_early_media_comes_with_sdp_before_the_answer(carrier_peers: CarrierPeers) -> None:
    with connect(carrier_peers) as client:
        call = client.invite(carrier_peers.numbers.early_media)
        (progress,) = (response for response in call.responses if response.code == 183)
        assert "m=audio" in progress.body
        assert client.bye(call).code == 200


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_far_end_hangs_up(carrier_peers: CarrierPeers, transport: str) -> None:
    with connect(carrier_peers, transport) as client:
        assert client.invite(carrier_peers.numbers.hangs_up).final.code == 200
        request = client.receive()
        assert request.start_line.startswith("BYE ")
        assert request.one("Reason").startswith("Q.850;cause=16")
        client.respond(request, "200 OK")


def test_tls_names_and_authorities(carrier_peers: CarrierPeers) -> None:
    def handshake(port: int, ca_file: Path) -> str | None:
        with SipClient.connect(
            carrier_peers.host, port, "tls", user="1001", password="", tls=context(ca_file)
        ) as client:
            assert isinstance(client.socket, ssl.SSLSocket)
            return client.socket.version()

    good = carrier_peers.ca_file
    assert handshake(carrier_peers.tls_port, good) == "TLSv1.3"
    assert handshake(carrier_peers.tls12_port, good) == "TLSv1.2"
    with pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer"):
        handshake(carrier_peers.tls_port, carrier_peers.wrong_ca_file)
    with pytest.raises(ssl.SSLCertVerificationError, match="IP address mismatch"):
        handshake(carrier_peers.wrong_name_tls_port, good)
    with pytest.raises(ssl.SSLCertVerificationError, match="certificate has expired"):
        handshake(carrier_peers.expired_tls_port, good)


def test_sha_256_and_a_short_nonce(tmp_path: Path) -> None:
    with kamailio.start(tmp_path, algorithm="SHA-256", numbers=()) as peers:
        with connect(peers) as client:
            assert client.register(expires=60).code == 200
            assert client.register(expires=0).code == 200
        with connect(peers, password="wrong") as client:
            assert "SHA-256" in client.register(expires=60).one("WWW-Authenticate")
    assert peers.server.process.returncode is not None


PJSUA2 = Path(__file__).with_name("pjsua2_client.py")


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_audio_flows_both_ways_with_pjsua2(carrier_peers: CarrierPeers, transport: str) -> None:
    outcome = pjsua2_client(carrier_peers, transport, carrier_peers.numbers.echo)
    assert outcome["registered"] == 200
    assert outcome["codes"][-1] == 200
    assert outcome["rx_packets"] > 20
    assert abs(outcome["rx_packets"] - outcome["tx_packets"]) < 10
    assert carrier_peers.registrations(carrier_peers.user) == ()


def test_no_answer_ends_with_487_after_cancel(carrier_peers: CarrierPeers) -> None:
    outcome = pjsua2_client(carrier_peers, "udp", carrier_peers.numbers.no_answer)
    assert outcome["codes"][-1] == 487
    assert 180 in outcome["codes"]


def test_call_from_outside_reaches_a_registered_user(carrier_peers: CarrierPeers, tmp_path: Path) -> None:
    command = [sys.executable, PJSUA2, carrier_peers.host, str(carrier_peers.udp_port), "udp"]
    with subprocess.Popen(
        [*command, carrier_peers.user, ""], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as client:
        assert client.stdin is not None
        client.stdin.write(carrier_peers.password + "\n")
        client.stdin.flush()
        wait_for(lambda: carrier_peers.registrations(carrier_peers.user), "the registration")
        with carrier_peers.calling(carrier_peers.user, seconds=1) as caller:
            assert caller.process.wait(timeout=20) == 0, caller.log()[-3000:]
        outcome = seen(client.communicate(timeout=20)[0])
    assert outcome["rx_packets"] > 20


def pjsua2_client(peers: CarrierPeers, transport: str, number: str) -> dict[str, Any]:
    """What PJSIP's own client saw, run as a process of its own."""
    port = {"udp": peers.udp_port, "tcp": peers.tcp_port}[transport]
    outcome = subprocess.run(
        [sys.executable, PJSUA2, peers.host, str(port), transport, peers.user, number],
        input=peers.password + "\n",
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=30,
    )
    return seen(outcome.stdout)


def seen(printed: str) -> dict[str, Any]:
    """The line of JSON among what PJLIB prints."""
    (line,) = (line for line in printed.splitlines() if line.startswith("{"))
    found: dict[str, Any] = json.loads(line)
    return found
