"""The edge between a test that stands in for pjsua2 and a TLS provider that the test plays too."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from app.errors import SettingError
from app.model.outcome import Direction, LocalCause
from app.model.trunk import Transport
from app.sip.engine.tls.edge import TlsEdge
from app.sip.engine.tls.message import Message
from tests.engine_tls.running_edge import NAME, edge_to, incoming, registered, request
from tests.engine_tls.servers import LIMIT_S, Peer, target


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
