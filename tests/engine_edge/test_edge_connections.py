"""Connections of the edge: not had, lost, kept alive, ended."""

from __future__ import annotations

import logging
import socket
import ssl
import sys

import pytest

from app.model.outcome import LocalCause, TlsFacts
from app.sip.engine.tls import liveness
from app.sip.engine.tls.edge import TlsEdge
from app.sip.engine.tls.framing import KeepAlive
from tests.engine_tls.certificates import authority
from tests.engine_tls.running_edge import NAME, Running, edge_to, registered, request
from tests.engine_tls.servers import LIMIT_S, HandshakeServer, target


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
            plain = socket.socket(fileno=peer._socket.detach())
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


def test_too_many_links_are_refused(running, provider, caplog):
    links = [socket.create_connection(("127.0.0.1", running.port), LIMIT_S) for _ in range(8)]
    with running.link() as one_more:
        one_more.wait_closed()
    for link in links:
        link.close()
    assert "more than 8 connections" in caplog.text
