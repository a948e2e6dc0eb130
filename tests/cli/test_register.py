"""`ringback register` against Kamailio and against the demo carrier run by hand: what is told, and how."""

from __future__ import annotations

import socket

import pytest

from app.sip.carrier.by_hand import CarrierFacts
from tests.cli.documented import keys
from tests.helpers.command import Ended, Ringback
from tests.helpers.trunks import transport_fields
from tests.helpers.waiting import wait_for
from tests.peers.kamailio import CarrierPeers

TRANSPORTS = ("udp", "tcp", "tls")


def save_at(ringback: Ringback, peers: CarrierPeers, transport: str, **changes: object) -> None:
    """Save the trunk Office at Kamailio."""
    settings = {"host": peers.host, "user": peers.user, **transport_fields(transport, peers), **changes}
    ringback.save("Office", **settings)


def failed(ended: Ended, finding: str) -> dict[str, object]:
    """The object of a registration that was tried and did not work, with this finding."""
    assert ended.code == 1, ended
    assert ended.err == ""
    assert list(ended.json) == keys("ringback register")
    assert ended.finding_ids[0] == finding, ended
    assert ended.json["findings"][0]["verdict"] == "fail"
    assert ended.json["findings"][0]["do"]
    assert ended.json["expires_s"] == 0
    return ended.json


@pytest.mark.peers
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_registers_tells_all_keys_and_unregisters(
    ringback: Ringback, carrier_peers: CarrierPeers, transport: str
) -> None:
    save_at(ringback, carrier_peers, transport)
    ended = ringback.run("register", "Office", "--json", password=carrier_peers.password)
    assert (ended.code, ended.err) == (0, ""), ended
    told = ended.json
    assert list(told) == keys("ringback register")
    port = transport_fields(transport, carrier_peers)["port"]
    target = f"{transport} 127.0.0.1:{port}"
    assert told["trunk"] == "Office"
    assert (told["state"], told["sip_code"], told["reason"]) == ("registered", 200, "OK")
    assert (told["answered_by"], told["local_cause"]) == ("network", None)
    assert 0 < told["round_trip_ms"] < 1000
    assert told["expires_s"] == 300
    assert (told["target"], told["tried"]) == (target, [target])
    assert told["requests_sent"] == 2
    assert (told["tls"] is not None) is (transport == "tls")
    if transport == "tls":
        assert told["tls"]["version"] == "TLSv1.3"
        assert told["tls"]["trust"] == str(carrier_peers.ca_file)
        assert told["tls"]["error"] == ""
    assert ended.finding_ids == ["REG-OK"]
    assert list(told["findings"][0]) == keys("Findings")
    wait_for(lambda: not carrier_peers.registrations(carrier_peers.user), "the registration to be gone")


@pytest.mark.peers
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_wrong_password_is_told(ringback: Ringback, carrier_peers: CarrierPeers, transport: str) -> None:
    save_at(ringback, carrier_peers, transport)
    ended = ringback.run("register", "Office", "--json", password="not the password")
    told = failed(ended, "AUTH-LOOP")
    assert (told["state"], told["sip_code"], told["answered_by"]) == ("wrong credentials", 401, "network")
    assert "not the password" not in ended.out


@pytest.mark.peers
def test_a_refusal_in_the_providers_own_words_is_passed_on(
    ringback: Ringback, carrier_peers: CarrierPeers
) -> None:
    save_at(ringback, carrier_peers, "udp", user=carrier_peers.stern_user)
    told = failed(ringback.run("register", "Office", "--json", password="wrong"), "REG-403")
    assert (told["state"], told["sip_code"], told["reason"]) == ("rejected", 403, "Wrong password")


@pytest.mark.peers
def test_a_realm_that_is_never_asked_for_is_told(ringback: Ringback, carrier_peers: CarrierPeers) -> None:
    save_at(ringback, carrier_peers, "udp", realm="elsewhere.test")
    ended = ringback.run("register", "Office", "--json", password=carrier_peers.password)
    told = failed(ended, "AUTH-REALM")
    assert (told["state"], told["sip_code"]) == ("wrong credentials", 401)
    (finding,) = ended.json["findings"]
    assert finding["field"] == "realm"
    wanted = "127.0.0.1 asks for the password of realm carrier.test, and the settings say elsewhere.test."
    assert finding["title"] == wanted


@pytest.mark.peers
@pytest.mark.parametrize(
    ("port", "ca_file", "cause", "finding", "reason"),
    [
        ("tls_port", "wrong_ca_file", "certificate not trusted", "TLS-CA", "issuer certificate"),
        ("tls_port", "", "certificate not trusted", "TLS-CA", "issuer certificate"),
        ("wrong_name_tls_port", "ca_file", "certificate for another name", "TLS-NAME", "IP address mismatch"),
        ("expired_tls_port", "ca_file", "certificate not valid at this time", "TLS-TIME", "expired"),
    ],
)  # fmt: skip
def test_a_certificate_that_must_not_be_trusted_is_told_and_nothing_is_sent(
    ringback: Ringback,
    carrier_peers: CarrierPeers,
    port: str,
    ca_file: str,
    cause: str,
    finding: str,
    reason: str,
) -> None:
    ca = getattr(carrier_peers, ca_file) if ca_file else ""
    save_at(ringback, carrier_peers, "tls", port=getattr(carrier_peers, port), ca_file=ca)
    before = carrier_peers.log().count("REQUEST REGISTER")
    ended = ringback.run("register", "Office", "--json", password=carrier_peers.password)
    told = failed(ended, finding)
    assert (told["state"], told["local_cause"], told["answered_by"]) == ("unreachable", cause, "local")
    assert reason in str(told["reason"])
    assert "PJ_" not in ended.out
    assert "no password was sent" in ended.json["findings"][0]["meaning"]
    assert carrier_peers.log().count("REQUEST REGISTER") == before


@pytest.mark.peers
def test_without_registering_the_server_is_asked_whether_it_is_there(
    ringback: Ringback, carrier_peers: CarrierPeers
) -> None:
    save_at(ringback, carrier_peers, "udp", register="no")
    # Its calls will need one, so that is told before anything is sent
    assert ringback.run("register", "Office", "--json").error["field"] == "password"
    ended = ringback.run("register", "Office", "--json", password=carrier_peers.password)
    assert ended.code == 0, ended
    assert (ended.json["state"], ended.json["sip_code"]) == ("reachable", 200)
    assert ended.finding_ids == ["REACH-OK"]
    assert not carrier_peers.registrations(carrier_peers.user)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_registers_with_the_carrier_that_was_started_by_hand(
    ringback: Ringback, by_hand: CarrierFacts, transport: str
) -> None:
    port = by_hand.udp_port if transport == "udp" else by_hand.tcp_port
    ringback.save("Office", host=by_hand.host, port=port, transport=transport, user=by_hand.accounts[1])
    ended = ringback.run("register", "Office", password=by_hand.password)
    assert (ended.code, ended.err) == (0, ""), ended
    signing_in, empty, headline, finding = ended.out.splitlines()
    assert signing_in == "Signing in at 127.0.0.1 …"
    assert empty == ""
    assert headline == "This trunk is registered."
    assert finding.startswith("[ok] The trunk is registered: 127.0.0.1 accepted 1002 in ")


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_a_closed_port_is_told(ringback: Ringback, transport: str) -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
        socket.socket(type=socket.SOCK_DGRAM) as udp,
    ):
        tcp.bind(("127.0.0.1", 0))  # not listening: nobody else takes the port meanwhile
        port = tcp.getsockname()[1]
        if transport == "udp":
            udp.bind(("127.0.0.1", 0))
            port = udp.getsockname()[1]
            udp.close()
        ringback.save("Office", host="127.0.0.1", port=port, transport=transport, user="1")
        told = failed(ringback.run("register", "Office", "--json", password="x"), "NET-ICMP")
    assert (told["state"], told["answered_by"]) == ("unreachable", "local")
    assert told["local_cause"] == "connection refused"


def test_an_unknown_host_is_told_in_words(ringback: Ringback) -> None:
    ringback.save("Office", host="nowhere.invalid", user="1")
    ended = ringback.run("register", "Office", password="x")
    assert (ended.code, ended.err) == (1, ""), ended
    lines = ended.out.splitlines()
    # without any network the name server is silent; with one, it knows no such name
    assert lines[2] in (
        "This trunk does not work: the server name does not exist.",
        "This trunk does not work: no name server answered.",
    )
    assert lines[3].startswith("[FAILED] ")
    assert "nowhere.invalid" in lines[3]
    for part in ("    Likely causes:", "    What to do:", "      1. ", "    Seen:"):
        assert any(line.startswith(part) for line in lines), part
