"""TCP and TLS connections of the edge: made when they are needed, lost, kept alive, ended."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from app.errors import SettingError
from app.model.outcome import Direction, LocalCause
from app.model.trunk import Transport
from app.sip.engine.call_rate import CallRate
from app.sip.engine.edge import edge as edge_module
from app.sip.engine.edge import liveness
from app.sip.engine.edge.edge import Edge
from app.sip.engine.edge.hop import Hop
from app.sip.syntax.framing import KeepAlive
from tests.engine_edge.certificates import Issuer, authority
from tests.engine_edge.running_edge import Running, account_at, connected, edge_to, incoming
from tests.engine_edge.servers import LIMIT_S, HandshakeServer, Provider
from tests.helpers.waiting import wait_for
from tests.unit.sip.accounts import DOMAIN

TLS = pytest.mark.parametrize("transport", [Transport.TLS])
TCP = pytest.mark.parametrize("transport", [Transport.TCP])
CLOSED = "the server closed the connection"


# Made when it is needed


def test_nothing_is_connected_before_pjsip_sends(running: Running, provider: Provider) -> None:
    running.do(lambda: None)
    assert provider.nobody_comes()


def test_a_request_goes_out_with_the_address_of_its_connection_and_its_response_comes_back(
    running: Running, provider: Provider, transport: Transport
) -> None:
    branch = running.stack.request()
    peer = provider.accept()
    got = peer.receive(f"OPTIONS sip:7@{DOMAIN} SIP/2.0")
    assert got.values("via") == [f"SIP/2.0/{transport.upper()} {peer.remote};rport;branch={branch}"]
    assert got.values("contact") == [f"<sip:1001@{peer.remote};transport={transport};ob>"]
    assert got.values("route") == []
    peer.answer(got, "200 OK")
    answer = running.stack.receive("SIP/2.0 200 OK")
    assert answer.values("via") == [f"SIP/2.0/UDP 127.0.0.1:{running.stack.port};rport;branch={branch}"]
    if transport is Transport.TLS:
        facts = running.handshakes.get(timeout=LIMIT_S)
        assert (facts.cause, facts.version, facts.subject) == (LocalCause.NONE, "TLSv1.3", DOMAIN)
    assert running.handshakes.empty()


@TLS
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_versions_of_tls_carry_calls(transport: Transport, ca: Issuer, version: ssl.TLSVersion) -> None:
    context = ca.server(DOMAIN).context()
    context.minimum_version = context.maximum_version = version
    with Provider(context) as provider, edge_to(provider.port, transport, ca) as running:
        running.stack.request()
        peer = provider.accept()
        peer.answer(peer.receive("OPTIONS"), "200 OK")
        running.stack.receive("SIP/2.0 200")
        assert running.handshakes.get(timeout=LIMIT_S).version == {771: "TLSv1.2", 772: "TLSv1.3"}[version]
        peer.close()
        assert running.losses.get(timeout=LIMIT_S) == (LocalCause.CONNECTION_LOST, CLOSED)


def test_a_public_address_is_what_the_provider_sees_with_the_port_of_the_connection(
    provider: Provider, ca: Issuer, transport: Transport
) -> None:
    with edge_to(provider.port, transport, ca, public_address="203.0.113.7") as running:
        running.stack.request("REGISTER")
        peer = provider.accept()
        got = peer.receive("REGISTER")
        shown = f"203.0.113.7:{peer.remote.rpartition(':')[2]}"
        assert got.first("via").startswith(f"SIP/2.0/{transport.upper()} {shown};rport;branch=")
        assert got.values("contact") == [f"<sip:1001@{shown};transport={transport};ob>"]
        peer.answer(got, "200 OK")
        running.stack.receive("SIP/2.0 200")
        incoming(peer, uri=f"sip:1001@{shown};transport={transport}")
        assert "203.0.113.7" not in running.stack.receive("INVITE").start


def test_the_trace_has_the_messages_as_they_were_on_the_connection(
    running: Running, provider: Provider, transport: Transport
) -> None:
    branch = running.stack.request()
    peer = provider.accept()
    got = peer.receive_raw()
    peer.send("SIP/2.0 200 Größe", f"v: {peer.via};branch={branch}", f"i: {branch}", "CSeq:  1  OPTIONS")
    running.stack.receive("SIP/2.0 200")
    out, back = (running.seen.get(timeout=LIMIT_S).trace for _ in range(2))
    assert (out.direction, out.transport, out.peer) == (Direction.OUT, transport, peer.local)
    assert out.text.encode() == got
    assert (back.direction, back.transport, back.peer) == (Direction.IN, transport, peer.local)
    assert back.text.startswith(f"SIP/2.0 200 Größe\r\nv: {peer.via};branch={branch}\r\n")
    assert out.at <= back.at


def test_pipelined_messages_keep_their_order(running: Running, provider: Provider) -> None:
    branches = [running.stack.request() for _ in range(20)]
    peer = provider.accept()
    got = [peer.receive("OPTIONS") for _ in range(20)]
    for one in reversed(got):
        peer.answer(one, "200 OK")
    assert [one.first("call-id") for one in got] == branches
    assert [running.stack.receive().first("call-id") for _ in range(20)] == branches[::-1]


def test_messages_in_many_pieces_and_many_in_one_piece(running: Running, provider: Provider) -> None:
    peer = connected(running, provider)
    branches = [running.stack.request() for _ in range(3)]
    got = [peer.receive("OPTIONS") for _ in range(3)]
    answers = b""
    for one in got:
        head = [
            header.line for header in one.headers if header.name in ("via", "from", "to", "call-id", "cseq")
        ]
        answers += "\r\n".join(["SIP/2.0 200 OK", *head, "l: 0", "", ""]).encode()
    peer.send_raw(answers[:100])
    for at in range(100, 400):
        peer.send_raw(answers[at : at + 1])
    peer.send_raw(answers[400:])
    assert [running.stack.receive().first("call-id") for _ in range(3)] == branches


def test_a_request_of_the_provider_comes_in_and_its_response_goes_out(
    running: Running, provider: Provider, transport: Transport
) -> None:
    peer = connected(running, provider)
    incoming(peer, "INVITE", "Record-Route: <sip:p1.example;lr>")
    got = running.stack.receive("INVITE")
    assert got.uri == f"sip:127.0.0.1:{running.stack.port}"
    running.stack.answer(got, "200 OK")
    answer = peer.receive("SIP/2.0 200 OK")
    assert answer.values("via") == [f"{peer.via};branch=z9hG4bKin"]
    assert answer.values("record-route") == ["<sip:p1.example;lr>"]
    assert answer.values("contact") == [f"<sip:1001@{peer.remote};transport={transport};ob>"]


def test_an_answer_without_a_length_is_read_all_the_same(running: Running, provider: Provider) -> None:
    peer = connected(running, provider)
    branch = running.stack.request("INVITE")
    got = peer.receive("INVITE")
    head = [header.line for header in got.headers if header.name in ("via", "from", "to", "call-id", "cseq")]
    sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\nc=IN IP4 127.0.0.1\r\nm=audio 9 RTP/AVP 0\r\n"
    peer.send_raw("\r\n".join(["SIP/2.0 200 OK", *head, "c: application/sdp", "", sdp]).encode())
    answer = running.stack.receive("SIP/2.0 200")
    assert answer.first("via").endswith(branch)
    assert b"m=audio 9 RTP/AVP 0" in answer.body


# Not to be had


def refused(running: Running, transport: Transport) -> LocalCause:
    """A request fails at once with a 503 that no message stands behind; gives the cause."""
    branch = running.stack.request("REGISTER")
    failure = running.stack.receive("SIP/2.0 503 ")
    assert failure.first("via").endswith(branch)
    assert running.seen.empty()
    assert running.losses.empty()
    cause, icmp, place = running.failures.get(timeout=LIMIT_S)
    assert (icmp, place.transport) == (None, transport)
    if transport is Transport.TLS:
        assert running.handshakes.get(timeout=LIMIT_S).cause is cause
    assert running.handshakes.empty()
    return cause


def test_a_closed_port(ca: Issuer, transport: Transport) -> None:
    with HandshakeServer(None) as gone:
        pass
    with edge_to(gone.port, transport, ca) as running:
        for _ in range(2):
            assert refused(running, transport) is LocalCause.REFUSED


@TLS
def test_a_certificate_of_another_authority(ca: Issuer, tmp_path: Path, transport: Transport) -> None:
    other = authority(tmp_path, "Other CA")
    with (
        HandshakeServer(other.server(DOMAIN).context()) as server,
        edge_to(server.port, transport, ca) as running,
    ):
        assert refused(running, transport) is LocalCause.TLS_CA
    assert server.received == b""


@TLS
def test_a_certificate_for_another_name(ca: Issuer, transport: Transport) -> None:
    other = ca.server("sip.example.net")
    with HandshakeServer(other.context()) as server, edge_to(server.port, transport, ca) as running:
        assert refused(running, transport) is LocalCause.TLS_NAME
    assert server.received == b""


@TLS
def test_every_request_tries_again(ca: Issuer, transport: Transport) -> None:
    with HandshakeServer(None, hang_up=True) as server, edge_to(server.port, transport, ca) as running:
        for _ in range(2):
            assert refused(running, transport) is LocalCause.TLS_PROTOCOL


@TLS
def test_all_who_wait_share_one_attempt(
    ca: Issuer, transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge_module, "CONNECT_LIMIT_S", 0.3)
    with HandshakeServer(None) as silent, edge_to(silent.port, transport, ca) as running:
        branches = [running.stack.request() for _ in range(3)]
        running.stack.request(branch=branches[0])  # a repeat
        failures = [running.stack.receive("SIP/2.0 503") for _ in range(3)]
        assert [one.first("call-id") for one in failures] == branches
        assert running.handshakes.get(timeout=LIMIT_S).cause == LocalCause.NO_ANSWER
        assert running.handshakes.empty()


@TLS
def test_a_client_certificate_that_is_demanded_is_a_loss_with_the_alerts_words(
    ca: Issuer, transport: Transport
) -> None:
    context = ca.server(DOMAIN).context()
    context.load_verify_locations(ca.ca_file())
    context.verify_mode = ssl.CERT_REQUIRED
    with HandshakeServer(context) as server, edge_to(server.port, transport, ca) as running:
        running.stack.request()
        running.stack.receive("SIP/2.0 503")
        cause, words = running.losses.get(timeout=LIMIT_S)
    assert cause == LocalCause.TLS_PROTOCOL
    assert "certificate required" in words


@TLS
def test_a_bad_ca_file_is_reported_before_anything_starts(tmp_path: Path, transport: Transport) -> None:
    edge = Edge(Running.__new__(Running), lambda _: None, CallRate())
    try:
        with pytest.raises(SettingError, match=r"missing\.pem"):
            edge.open(
                account_at(1, transport, ca_file=str(tmp_path / "missing.pem")),
                local="127.0.0.1",
                pjsip_port=1,
            )
    finally:
        edge.close()


# Lost


def test_what_waits_for_an_answer_fails_when_the_connection_is_lost(
    running: Running, provider: Provider, transport: Transport
) -> None:
    peer = connected(running, provider)
    running.stack.request("INVITE")
    peer.answer(peer.receive("INVITE"), "180 Ringing")
    running.stack.receive("SIP/2.0 180")
    peer.close()
    running.stack.receive(f"SIP/2.0 503 {CLOSED}")
    assert running.losses.get(timeout=LIMIT_S) == (LocalCause.CONNECTION_LOST, CLOSED)
    cause, icmp, place = running.failures.get(timeout=LIMIT_S)
    assert (cause, icmp, place) == (
        LocalCause.CONNECTION_LOST,
        None,
        Hop(transport, "127.0.0.1", provider.port),
    )


def test_a_loss_is_noticed_while_nothing_is_asked(running: Running, provider: Provider) -> None:
    connected(running, provider).close()
    assert running.losses.get(timeout=LIMIT_S) == (LocalCause.CONNECTION_LOST, CLOSED)
    assert running.losses.empty()


def test_the_next_request_connects_again_and_has_the_address_of_the_new_connection(
    running: Running, provider: Provider
) -> None:
    former = connected(running, provider)
    former_address = former.remote
    former.close()
    running.losses.get(timeout=LIMIT_S)
    peer = connected(running, provider)
    assert peer.remote != former_address
    # The provider may still call at the former one
    incoming(peer, uri=f"sip:1001@{former_address};transport={provider.transport}")
    got = running.stack.receive("INVITE")
    running.stack.answer(got, "200 OK")
    assert peer.remote in peer.receive("SIP/2.0 200").first("contact")


def test_a_register_over_a_new_connection_takes_the_former_contact_back(
    running: Running, provider: Provider, transport: Transport
) -> None:
    former = connected(running, provider)
    former_address = former.remote
    former.close()
    running.losses.get(timeout=LIMIT_S)
    running.stack.request("REGISTER")
    peer = provider.accept()
    assert peer.receive("REGISTER").values("contact") == [
        f"<sip:1001@{peer.remote};transport={transport};ob>",
        f"<sip:1001@{former_address};transport={transport};ob>;expires=0",
    ]


def test_an_answer_to_a_request_whose_connection_is_gone_goes_nowhere(
    running: Running, provider: Provider
) -> None:
    peer = connected(running, provider)
    incoming(peer)
    got = running.stack.receive("INVITE")
    peer.close()
    running.losses.get(timeout=LIMIT_S)
    running.stack.answer(got, "200 OK")
    running.do(lambda: None)
    assert provider.nobody_comes()


def test_a_reset_is_reported_in_the_systems_words(running: Running, provider: Provider) -> None:
    connected(running, provider).reset()
    cause, words = running.losses.get(timeout=LIMIT_S)
    assert cause == LocalCause.CONNECTION_LOST
    assert words


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP/1.1 400 Bad Request"),
        (b"\x16\x03\x01\x02\x00\x01\xe9\n", None),
        (b"SIP/2.0 200 OK\r\nl: 300000\r\n\r\n", "Content-Length: 300000"),
        (b"SIP/2.0 200 OK\r\nl: x\r\n\r\n", "Content-Length: x"),
        (b"x" * 70_000, ""),
    ],
)
def test_a_provider_that_does_not_speak_sip_is_cut_off(
    running: Running, provider: Provider, data: bytes, line: str | None
) -> None:
    peer = connected(running, provider)
    running.stack.request("INVITE")
    peer.receive("INVITE")
    peer.send_raw(data)
    peer.wait_closed()
    running.stack.receive("SIP/2.0 503")
    cause, words = running.losses.get(timeout=LIMIT_S)
    assert cause is LocalCause.UNREADABLE
    found_words, found_line, place = running.unreadable.get(timeout=LIMIT_S)
    assert (found_words, place) == (words, peer.local)
    assert line is None or found_line == line
    # And the next request tries again
    connected(running, provider)


def test_what_came_before_the_rubbish_is_used(running: Running, provider: Provider) -> None:
    peer = connected(running, provider)
    running.stack.request()
    got = peer.receive("OPTIONS")
    head = [header.line for header in got.headers if header.name in ("via", "from", "to", "call-id", "cseq")]
    peer.send_raw("\r\n".join(["SIP/2.0 200 OK", *head, "l: 0", "", "rubbish\r\n"]).encode())
    running.stack.receive("SIP/2.0 200")
    running.losses.get(timeout=LIMIT_S)


def test_one_bad_message_costs_neither_the_connection_nor_another(
    running: Running, provider: Provider
) -> None:
    peer = connected(running, provider)
    running.stack.request()
    got = peer.receive("OPTIONS")
    peer.send("SIP/2.0 200 OK", "CSeq: x", "Via: nonsense")
    peer.send("OPTIONS sip:x SIP/2.0", "Via: \x00")
    peer.answer(got, "200 OK")
    running.stack.receive("SIP/2.0 200")
    assert running.losses.empty()


def test_a_flood_of_requests_does_not_keep_pjsip_waiting(running: Running, provider: Provider) -> None:
    peer = connected(running, provider)
    number = 300
    for count in range(number):
        incoming(peer, "OPTIONS", branch=f"z9hG4bK{count}")
    running.stack.request("BYE")
    others = 0
    while not (message := peer.receive()).start.startswith("BYE"):
        assert message.start == "SIP/2.0 200 OK"
        others += 1
    for _ in range(number - others):
        peer.receive("SIP/2.0 200 OK")
    assert running.losses.empty()


# Kept alive


def test_pings_are_sent(provider: Provider, ca: Issuer, transport: Transport) -> None:
    with edge_to(provider.port, transport, ca, keep_alive_s=1) as running:
        running.do(lambda: setattr(running.edge, "_next_keep_alive", 0.0))
        peer = connected(running, provider)
        assert [peer.receive_keep_alive() for _ in range(2)] == [KeepAlive.PING] * 2


def test_none_are_sent_when_none_are_wanted(running: Running, provider: Provider) -> None:
    peer = connected(running, provider)
    running.do(lambda: running.edge.watch(10_000_000_000.0))
    running.stack.request()
    peer.receive("OPTIONS")
    assert peer.keep_alives == []


def test_a_ping_is_answered_and_a_pong_is_swallowed(running: Running, provider: Provider) -> None:
    peer = connected(running, provider)
    for _ in range(3):
        peer.send_raw(b"\r\n")
        peer.send_raw(b"\r\n\r\n")
        assert peer.receive_keep_alive() == KeepAlive.PONG
    running.stack.request()
    peer.answer(peer.receive("OPTIONS"), "200 OK")
    running.stack.receive("SIP/2.0 200")
    assert peer.keep_alives == []


@pytest.mark.skipif(sys.platform != "linux", reason="reads the options back as Linux names them")
def test_the_system_ends_a_connection_that_is_not_acknowledged(running: Running, provider: Provider) -> None:
    connected(running, provider)
    (stream,) = running.edge._streams.values()
    assert stream.sock is not None
    assert stream.sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    assert stream.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == liveness.IDLE_S
    assert stream.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 30_000
    assert stream.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


# Ended


@pytest.mark.parametrize("ending", ["shut", "close"])
def test_what_pjsip_sent_last_still_goes_out(running: Running, provider: Provider, ending: str) -> None:
    peer = connected(running, provider)

    def end() -> None:
        # Not seen by the edge yet when it is told to end
        running.stack.request("BYE")
        running.edge.shut()

    running.do(end)
    peer.receive("BYE")
    peer.wait_closed()
    assert running.losses.empty()
    assert running.failures.empty()


def test_shut_twice_and_without_a_connection(running: Running) -> None:
    running.do(running.edge.shut)
    running.do(running.edge.shut)
    # What PJSIP still sends goes nowhere
    running.stack.request()
    running.do(lambda: running.edge.drain())


def test_a_connection_that_is_being_made_is_given_up(ca: Issuer, transport: Transport) -> None:
    with HandshakeServer(None) as silent, edge_to(silent.port, transport, ca) as running:
        running.stack.request()
        running.do(lambda: running.edge.drain())
        running.do(running.edge.shut)
    assert running.handshakes.empty()
    assert running.losses.empty()


def test_another_account_closes_the_connection_of_the_former(
    running: Running, provider: Provider, transport: Transport, ca: Issuer
) -> None:
    former = connected(running, provider)
    ca_file = ca.ca_file() if transport is Transport.TLS else ""
    running.open(account_at(provider.port, transport, ca_file=ca_file, user="2002"))
    former.wait_closed()
    connected(running, provider)
    assert running.losses.empty()


def test_woken_from_another_thread_a_waiting_edge_returns(running: Running) -> None:
    for _ in range(100_000):
        running.edge.wake()
    running.do(lambda: None)


# Connections to other places


@TCP
def test_a_far_end_beyond_the_provider_gets_a_connection_of_its_own(
    running: Running, provider: Provider, transport: Transport
) -> None:
    peer = connected(running, provider)
    running.stack.request("INVITE", call_id="c")
    with Provider(None) as beyond:
        peer.answer(
            peer.receive("INVITE"), "200 OK", f"Contact: <sip:7@127.0.0.1:{beyond.port};transport=tcp>"
        )
        ok = running.stack.receive("SIP/2.0 200")
        alias = ok.first("contact").partition("<")[2].partition(">")[0]
        running.stack.request("ACK", uri=alias, to=ok.first("to"), call_id="c")
        running.stack.request("BYE", uri=alias, to=ok.first("to"), call_id="c", cseq=2)
        far = beyond.accept()
        assert far.receive("ACK").uri == f"sip:7@127.0.0.1:{beyond.port};transport=tcp"
        far.answer(far.receive("BYE"), "200 OK")
        running.stack.receive("SIP/2.0 200 OK")
        far.close()
        # Its end is not the end of the provider's connection
        cause, _, place = running.failures.get(timeout=LIMIT_S)
        assert (cause, place) == (LocalCause.CONNECTION_LOST, Hop(transport, "127.0.0.1", beyond.port))
    running.stack.request()
    peer.receive("OPTIONS")
    assert running.losses.empty()


@TCP
def test_a_place_beyond_the_provider_that_is_closed_fails_what_goes_there(
    running: Running, provider: Provider
) -> None:
    peer = connected(running, provider)
    with Provider(None) as gone:
        pass
    running.stack.request("INVITE", call_id="c")
    peer.answer(peer.receive("INVITE"), "200 OK", f"Contact: <sip:7@127.0.0.1:{gone.port};transport=tcp>")
    ok = running.stack.receive("SIP/2.0 200")
    alias = ok.first("contact").partition("<")[2].partition(">")[0]
    running.stack.request("BYE", uri=alias, to=ok.first("to"), call_id="c", cseq=2)
    running.stack.receive("SIP/2.0 503 connection refused")
    assert running.losses.empty()


@TCP
def test_connections_to_other_places_have_a_limit(running: Running, provider: Provider) -> None:
    peer = connected(running, provider)
    with Provider(None) as beyond:
        for number in range(12):
            running.stack.request("INVITE", call_id=f"c{number}")
            contact = f"Contact: <sip:7@127.0.0.{number + 2}:{beyond.port};transport=tcp>"
            peer.answer(peer.receive("INVITE"), "200 OK", contact)
            ok = running.stack.receive("SIP/2.0 200")
            alias = ok.first("contact").partition("<")[2].partition(">")[0]
            running.stack.request("ACK", uri=alias, to=ok.first("to"), call_id=f"c{number}")
            running.do(lambda: running.edge.drain())
        assert len(running.edge._streams) <= 8
        wait_for(lambda: running.edge._connected, "the provider's connection to be there still")


# What an engine carries


def test_an_engine_without_tls_does_not_load_it() -> None:
    code = (
        "import sys, app.sip.engine.core;"
        "print(sorted({'asyncio', 'ssl', '_ssl', 'truststore', 'cryptography'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip().splitlines()[-1] == "[]"
