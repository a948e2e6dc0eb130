"""The edge between a test that stands in for pjsua2 and a TLS provider that the test plays too."""

from __future__ import annotations

import logging
import queue
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from app.errors import SettingError
from app.model.outcome import Direction, LocalCause, TlsFacts, TraceMessage
from app.model.trunk import Transport
from app.sip.engine.tls import liveness
from app.sip.engine.tls.edge import TlsEdge
from app.sip.engine.tls.framing import KeepAlive
from app.sip.engine.tls.message import Message
from tests.engine_tls.certificates import Issuer, authority
from tests.engine_tls.servers import LIMIT_S, HandshakeServer, Peer, Provider, target

NAME = "sip.example.com"


@dataclass
class Running:
    """An edge at work and what it told."""

    edge: TlsEdge
    messages: queue.Queue[TraceMessage] = field(default_factory=queue.Queue)
    handshakes: queue.Queue[TlsFacts] = field(default_factory=queue.Queue)
    losses: queue.Queue[tuple[LocalCause, str]] = field(default_factory=queue.Queue)
    port: int = 0

    @contextmanager
    def link(self) -> Iterator[Peer]:
        """A connection as pjsua2 makes it."""
        peer = Peer(socket.create_connection(("127.0.0.1", self.port), LIMIT_S))
        try:
            yield peer
        finally:
            peer.close()


@pytest.fixture
def ca(tmp_path: Path) -> Issuer:
    return authority(tmp_path)


@pytest.fixture
def provider(ca: Issuer) -> Iterator[Provider]:
    with Provider(ca.server(NAME).context()) as provider:
        yield provider


@contextmanager
def edge_to(port: int, ca: Issuer, **options: Any) -> Iterator[Running]:
    running = Running.__new__(Running)
    told: dict[str, queue.Queue[Any]] = {name: queue.Queue() for name in ("messages", "handshakes", "losses")}
    edge = TlsEdge(
        target=target(port),
        server_name=NAME,
        ca_file=ca.ca_file(),
        on_message=told["messages"].put,
        on_handshake=told["handshakes"].put,
        on_lost=lambda cause, words: told["losses"].put((cause, words)),
        **options,
    )
    running.__init__(edge, **told, port=edge.start())  # type: ignore[misc]
    try:
        yield running
    finally:
        edge.stop()


@pytest.fixture
def running(provider: Provider, ca: Issuer) -> Iterator[Running]:
    with edge_to(provider.port, ca) as running:
        yield running


def request(
    link: Peer, method: str = "OPTIONS", *headers: str, branch: str = "z9hG4bK1", uri: str = ""
) -> None:
    link.send(
        f"{method} {uri or 'sip:7@sip.example.com'} SIP/2.0",
        f"Via: SIP/2.0/TCP {link.local};rport;branch={branch};alias",
        "From: <sip:1001@sip.example.com>;tag=f",
        "To: <sip:7@sip.example.com>",
        f"Call-ID: {branch}",
        f"CSeq: 1 {method}",
        f"Contact: <sip:1001@{link.local};transport=TCP;ob>",
        *headers,
    )


def registered(running: Running, provider: Provider, link: Peer) -> Peer:
    """A connection through which one transaction has gone."""
    request(link, "REGISTER")
    peer = provider.accept()
    peer.answer(peer.receive("REGISTER"), "200 OK")
    link.receive("SIP/2.0 200")
    assert running.handshakes.get(timeout=LIMIT_S).cause == LocalCause.NONE
    return peer


def incoming(peer: Peer, method: str = "INVITE") -> None:
    peer.send(
        f"{method} sip:1001@{peer.remote};transport=tls;ob SIP/2.0",
        f"Via: SIP/2.0/TLS {peer.local};branch=z9hG4bKin",
        "From: <sip:7@sip.example.com>;tag=p",
        "To: <sip:1001@sip.example.com>",
        "Call-ID: in",
        f"CSeq: 1 {method}",
    )


def test_nothing_is_connected_before_pjsua2_sends(running, provider):
    provider._listener.settimeout(0.1)
    with running.link(), pytest.raises(TimeoutError):
        provider.accept()


def test_request_goes_out_and_its_response_comes_back(running, provider):
    with running.link() as link:
        request(link)
        peer = provider.accept()
        got = peer.receive("OPTIONS sip:7@sip.example.com SIP/2.0")
        assert got.values("via") == [f"SIP/2.0/TLS {peer.remote};rport;branch=z9hG4bK1;alias"]
        assert got.values("contact") == [f"<sip:1001@{peer.remote};transport=tls;ob>"]
        peer.answer(got, "200 OK", body="hi")
        answer = link.receive("SIP/2.0 200 OK")
        assert answer.values("via") == [f"SIP/2.0/TCP {link.local};rport;branch=z9hG4bK1;alias"]
        assert answer.body == b"hi"
    facts = running.handshakes.get(timeout=LIMIT_S)
    assert (facts.cause, facts.version, facts.subject) == (LocalCause.NONE, "TLSv1.3", NAME)


def test_a_public_address_is_what_the_provider_sees_and_can_call(provider, ca):
    with edge_to(provider.port, ca, public_address="203.0.113.7") as running, running.link() as link:
        request(link, "REGISTER")
        peer = provider.accept()
        got = peer.receive("REGISTER")
        shown = f"203.0.113.7:{peer.remote.rpartition(':')[2]}"
        assert got.values("via") == [f"SIP/2.0/TLS {shown};rport;branch=z9hG4bK1;alias"]
        assert got.values("contact") == [f"<sip:1001@{shown};transport=tls;ob>"]
        peer.answer(got, "200 OK")
        link.receive("SIP/2.0 200")
        peer.send(
            f"OPTIONS sip:1001@{shown};transport=tls SIP/2.0",
            f"Via: SIP/2.0/TLS {peer.local};branch=z9hG4bKin",
            "From: <sip:7@sip.example.com>;tag=p",
            "To: <sip:1001@sip.example.com>",
            "Call-ID: in",
            "CSeq: 1 OPTIONS",
        )
        assert "203.0.113.7" not in link.receive("OPTIONS").start


def test_trace_has_the_messages_as_they_were_on_tls(running, provider):
    with running.link() as link:
        request(link)
        peer = provider.accept()
        got = peer.receive_raw()
        peer.send("SIP/2.0 200 OK", f"Via: SIP/2.0/TLS {peer.remote};branch=z9hG4bK1", "CSeq: 1 OPTIONS")
        link.receive("SIP/2.0 200 OK")
    out, back = running.messages.get(timeout=LIMIT_S), running.messages.get(timeout=LIMIT_S)
    assert (out.direction, out.transport, out.peer) == (Direction.OUT, Transport.TLS, peer.local)
    assert out.text.encode() == got
    assert (back.direction, back.transport, back.peer) == (Direction.IN, Transport.TLS, peer.local)
    assert f"Via: SIP/2.0/TLS {peer.remote};branch=z9hG4bK1\r\n" in back.text
    assert out.at <= back.at


def test_request_of_the_provider_comes_in_and_its_response_goes_out(running, provider):
    with running.link() as link:
        peer = registered(running, provider, link)
        incoming(peer)
        got = link.receive()
        assert got.uri == f"sip:1001@{link.local};transport=tcp;ob"
        assert got.values("record-route") == [f"<sip:127.0.0.1:{running.port};transport=tcp;lr>"]
        link.answer(got, "200 OK", f"Contact: <sip:1001@{link.local};transport=TCP;ob>")
        answer = peer.receive("SIP/2.0 200 OK")
        assert answer.values("via") == [f"SIP/2.0/TLS {peer.local};branch=z9hG4bKin"]
        assert answer.values("record-route") == []
        assert answer.values("contact") == [f"<sip:1001@{peer.remote};transport=tls;ob>"]


def test_pipelined_messages_keep_their_order(running, provider):
    with running.link() as link:
        for number in range(20):
            request(link, branch=f"z9hG4bK{number}")
        peer = provider.accept()
        got = [peer.receive("OPTIONS") for _ in range(20)]
        for one in reversed(got):
            peer.answer(one, "200 OK")
        assert [one.first("call-id") for one in got] == [f"z9hG4bK{number}" for number in range(20)]
        assert [link.receive().first("call-id") for _ in range(20)] == [
            f"z9hG4bK{number}" for number in reversed(range(20))
        ]


def test_each_link_gets_its_own_responses_and_the_newest_the_requests(running, provider):
    with running.link() as first, running.link() as second:
        peer = registered(running, provider, first)
        request(second, branch="z9hG4bKsecond")
        asked_second = peer.receive("OPTIONS")
        request(first, branch="z9hG4bKfirst")
        asked_first = peer.receive("OPTIONS")
        peer.answer(asked_first, "200 First")
        peer.answer(asked_second, "200 Second")
        assert first.receive("SIP/2.0 200 First").first("call-id") == "z9hG4bKfirst"
        assert second.receive("SIP/2.0 200 Second").first("call-id") == "z9hG4bKsecond"
        incoming(peer)
        second.receive("INVITE")


def test_link_that_closed_leaves_the_tls_connection_to_the_next(running, provider):
    with running.link() as link:
        peer = registered(running, provider, link)
    with running.link() as link:
        request(link)
        peer.answer(peer.receive("OPTIONS"), "200 OK")
        link.receive("SIP/2.0 200")
    assert running.handshakes.empty()


def test_response_to_nobody_is_dropped(running, provider, caplog):
    with running.link() as link:
        peer = registered(running, provider, link)
        peer.send("SIP/2.0 200 Stray", f"Via: SIP/2.0/TLS {peer.remote};branch=z9hG4bKxx", "CSeq: 1 OPTIONS")
        peer.send("SIP/2.0 200 Without Via", "CSeq: 1 OPTIONS")
        incoming(peer, "OPTIONS")
        link.receive("OPTIONS")
    assert "answers no request was dropped: SIP/2.0 200 Stray" in caplog.text
    assert "no Via" in caplog.text


class TestLoss:
    def test_pjsua2_s_connection_is_closed_when_the_provider_s_is_lost(self, running, provider):
        with running.link() as link, running.link() as other:
            peer = registered(running, provider, link)
            request(link, "INVITE")
            peer.receive("INVITE")
            peer.close()
            link.wait_closed()
            other.wait_closed()
        assert running.losses.get(timeout=LIMIT_S) == (
            LocalCause.CONNECTION_LOST,
            "the server closed the connection",
        )

    def test_next_request_connects_again(self, running, provider):
        with running.link() as link:
            former = registered(running, provider, link)
            former_uri = f"sip:1001@{former.remote};transport=tls;ob"
            former.close()
            link.wait_closed()
        with running.link() as link:
            peer = registered(running, provider, link)
            assert f"sip:1001@{peer.remote};transport=tls;ob" != former_uri
            peer.send(
                f"OPTIONS {former_uri} SIP/2.0",
                f"Via: SIP/2.0/TLS {peer.local};branch=z9hG4bKin",
                "CSeq: 1 OPTIONS",
            )
            assert link.receive("OPTIONS").uri == f"sip:1001@{link.local};transport=tcp;ob"
        assert running.losses.qsize() == 1

    def test_reset_is_told_in_the_system_s_words(self, running, provider):
        with running.link() as link:
            peer = registered(running, provider, link)
            plain = socket.socket(fileno=peer._socket.detach())  # type: ignore[attr-defined]
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            plain.close()
            link.wait_closed()
        cause, words = running.losses.get(timeout=LIMIT_S)
        assert cause == LocalCause.CONNECTION_LOST
        assert words

    def test_provider_that_does_not_speak_sip_is_cut_off(self, running, provider, caplog):
        with running.link() as link:
            peer = registered(running, provider, link)
            peer.send_raw(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            peer.wait_closed()
            link.wait_closed()
        cause, words = running.losses.get(timeout=LIMIT_S)
        assert (cause, "HTTP/1.1 400" in words) == (LocalCause.OTHER, True)
        assert "HTTP/1.1 400" in caplog.text

    def test_too_long_a_body_from_pjsua2_s_side_closes_only_that_link(self, running, provider, caplog):
        with running.link() as link, running.link() as bad:
            peer = registered(running, provider, link)
            bad.send_raw(b"OPTIONS sip:a@b SIP/2.0\r\nl: 300000\r\n\r\n")
            bad.wait_closed()
            request(link)
            peer.receive("OPTIONS")
        assert "longer than 262144" in caplog.text
        assert running.losses.empty()


class TestNoConnection:
    def refused(self, running: Running) -> TlsFacts:
        """What is told; the link is closed, not answered."""
        with running.link() as link:
            request(link, "REGISTER")
            link.wait_closed()
        return running.handshakes.get_nowait()

    def test_closed_port(self, ca):
        with HandshakeServer(None) as gone:
            pass
        with edge_to(gone.port, ca) as running:
            assert self.refused(running).cause == LocalCause.REFUSED
            assert running.messages.empty()
            assert running.losses.empty()

    def test_certificate_of_another_authority(self, ca, tmp_path):
        other = authority(tmp_path, "Other CA")
        with HandshakeServer(other.server(NAME).context()) as server, edge_to(server.port, ca) as running:
            facts = self.refused(running)
            assert (facts.cause, facts.issuer) == (LocalCause.TLS_CA, "Other CA")
        assert server.received == b""

    def test_every_request_tries_again(self, ca):
        with HandshakeServer(None, hang_up=True) as server, edge_to(server.port, ca) as running:
            assert self.refused(running).cause == LocalCause.TLS_PROTOCOL
            assert self.refused(running).cause == LocalCause.TLS_PROTOCOL

    def test_all_who_wait_share_one_attempt(self, ca):
        with HandshakeServer(None) as silent, edge_to(silent.port, ca, limit_s=0.3) as running:
            with running.link() as first, running.link() as second:
                request(first)
                request(second)
                first.wait_closed()
                second.wait_closed()
            assert running.handshakes.get_nowait().cause == LocalCause.NO_ANSWER
            assert running.handshakes.empty()

    def test_client_certificate_demanded_is_a_loss_with_the_alert_s_words(self, ca, tmp_path):
        context = ca.server(NAME).context()
        context.load_verify_locations(ca.ca_file())
        context.verify_mode = ssl.CERT_REQUIRED
        with HandshakeServer(context) as server, edge_to(server.port, ca) as running:
            with running.link() as link:
                request(link)
                link.wait_closed()
            cause, words = running.losses.get(timeout=LIMIT_S)
        assert cause == LocalCause.TLS_PROTOCOL
        assert "certificate required" in words


class TestKeepAlive:
    def test_pings_are_sent(self, provider, ca):
        with edge_to(provider.port, ca, keep_alive_s=0.05) as running, running.link() as link:
            peer = registered(running, provider, link)
            assert [peer.receive_keep_alive() for _ in range(3)] == [KeepAlive.PING] * 3

    def test_none_are_sent_when_none_are_wanted(self, provider, ca):
        with edge_to(provider.port, ca, keep_alive_s=0) as running, running.link() as link:
            peer = registered(running, provider, link)
            request(link, branch="z9hG4bK2")
            peer.receive("OPTIONS")
            assert peer.keep_alives == []

    def test_ping_is_answered_and_pong_is_swallowed(self, running, provider):
        with running.link() as link:
            peer = registered(running, provider, link)
            peer.send_raw(b"\r\n")
            peer.send_raw(b"\r\n\r\n")
            assert peer.receive_keep_alive() == KeepAlive.PONG
            link.send_raw(b"\r\n\r\n")
            request(link)
            peer.answer(peer.receive("OPTIONS"), "200 OK")
            link.receive("SIP/2.0 200")
            assert link.keep_alives == []

    @pytest.mark.skipif(sys.platform != "linux", reason="reads the options back as Linux names them")
    def test_system_ends_a_connection_that_is_not_acknowledged(self):
        with socket.socket() as sock:
            liveness.detect_half_open(sock)
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == liveness.IDLE_S
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 30_000


class TestWayBackToPjsua2:
    def test_pjsua2_s_own_port_is_called_when_its_connection_is_gone(self, provider, ca):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(LIMIT_S)
            with edge_to(provider.port, ca, inner_port=listener.getsockname()[1]) as running:
                with running.link() as link:
                    peer = registered(running, provider, link)
                    gone = link.local
                incoming(peer, "BYE")
                accepted = Peer(listener.accept()[0])
                got = accepted.receive("BYE")
                assert gone in got.uri
                accepted.answer(got, "200 OK")
                peer.receive("SIP/2.0 200 OK")
                accepted.close()

    @pytest.mark.parametrize("listens", [True, False])
    def test_provider_is_told_when_pjsua2_can_not_be_reached(self, provider, ca, listens):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        with edge_to(provider.port, ca, inner_port=port if listens else 0) as running:
            with running.link() as link:
                peer = registered(running, provider, link)
            incoming(peer, "ACK")
            incoming(peer, "INVITE")
            answer = peer.receive("SIP/2.0 480 Temporarily Unavailable")
            assert answer.values("via") == [f"SIP/2.0/TLS {peer.local};branch=z9hG4bKin"]


class TestStop:
    def test_what_pjsua2_sent_last_still_goes_out(self, provider, ca):
        with edge_to(provider.port, ca) as running, running.link() as link:
            peer = registered(running, provider, link)
            request(link, "BYE")
            running.edge.stop()
            peer.receive("BYE")
            peer.wait_closed()
            link.wait_closed()
            assert running.losses.empty()

    def test_message_on_a_connection_made_just_before_still_goes_out(self, provider, ca):
        with edge_to(provider.port, ca) as running, running.link() as link:
            peer = registered(running, provider, link)
            with running.link() as last:
                request(last, "BYE")
                running.edge.stop()
                peer.receive("BYE")

    def test_twice_and_without_a_connection(self, running):
        running.edge.stop()
        running.edge.stop()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", running.port), LIMIT_S)

    def test_before_start(self, ca):
        edge = TlsEdge(
            target=target(1),
            server_name=NAME,
            ca_file=ca.ca_file(),
            on_message=print,
            on_handshake=print,
            on_lost=print,
        )
        edge.stop()

    def test_in_the_middle_of_a_handshake(self, ca, caplog):
        with HandshakeServer(None) as silent, edge_to(silent.port, ca) as running, running.link() as link:
            request(link)
            link.send_raw(b"\r\n\r\n")
            running.edge.stop()
            link.wait_closed()
            assert running.handshakes.empty()
        assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_bad_ca_file_is_told_before_anything_starts(tmp_path):
    with pytest.raises(SettingError, match=r"missing\.pem"):
        TlsEdge(
            target=target(1),
            server_name=NAME,
            ca_file=str(tmp_path / "missing.pem"),
            on_message=print,
            on_handshake=print,
            on_lost=print,
        )


def test_too_many_links_are_refused(running, provider, caplog):
    links = [socket.create_connection(("127.0.0.1", running.port), LIMIT_S) for _ in range(8)]
    with running.link() as one_more:
        one_more.wait_closed()
    for link in links:
        link.close()
    assert "more than 8 connections" in caplog.text


def test_damaged_message_of_pjsua2_is_dropped_alone(running, provider, caplog):
    with running.link() as link:
        peer = registered(running, provider, link)
        link.send("OPTIONS sip:a@b SIP/2.0", "CSeq: 1 OPTIONS")
        link.send("SIP/2.0 200 OK", "Via: SIP/2.0/TCP 127.0.0.1:1;branch=z9hG4bK9", "CSeq: 1 OPTIONS")
        request(link)
        got: Message = peer.receive("OPTIONS sip:7")
        assert got.first("call-id") == "z9hG4bK1"
    assert "no Via" in caplog.text
    assert "not the edge's" in caplog.text


def test_engine_without_tls_does_not_load_it():
    code = "import sys, app.sip.engine; print(sorted({'asyncio', 'ssl', 'truststore'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"
