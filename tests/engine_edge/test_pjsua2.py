"""A real pjsua2 registers and calls through the edge; the test plays the provider message by message."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.sip.engine.tls.message import Message
from tests.engine_tls.certificates import Issuer, authority
from tests.engine_tls.servers import HandshakeServer, Peer, Provider

NAME = "sip.example.com"
PHONE = Path(__file__).with_name("phone.py")
ROOT = PHONE.parents[2]
LIMIT_S = 10.0
SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"
SDP_TYPE = "Content-Type: application/sdp"


class Phone:
    """The process, its events and what the trace had."""

    def __init__(self, port: int, ca_file: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(PHONE), str(port), ca_file],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self._events: queue.Queue[dict[str, Any]] = queue.Queue()
        self.trace: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            event = json.loads(line)
            if event["event"] == "message":
                self.trace.append(event["text"])
            else:
                self._events.put(event)

    def do(self, command: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()

    def expect(self, event: str, where: Callable[[dict[str, Any]], bool] = lambda _: True) -> dict[str, Any]:
        """The next event of that kind for which `where` holds; others are passed over."""
        while True:
            got = self._events.get(timeout=LIMIT_S)
            if got["event"] == event and where(got):
                return got

    def expect_call(self, state: str) -> dict[str, Any]:
        return self.expect("call", lambda got: got["state"] == state)

    def close(self) -> None:
        try:
            with contextlib.suppress(BrokenPipeError):
                self.do("quit")
            self._process.wait(LIMIT_S)
        finally:
            self._process.kill()
            self._process.wait()
            self._reader.join()
            for stream in (self._process.stdin, self._process.stdout):
                if stream is not None:
                    stream.close()
        assert self._process.returncode == 0


@contextmanager
def phone_at(port: int, ca: Issuer) -> Iterator[Phone]:
    phone = Phone(port, ca.ca_file())
    try:
        phone.expect("ready")
        yield phone
    finally:
        phone.close()


@pytest.fixture
def phone(provider: Provider, ca: Issuer) -> Iterator[Phone]:
    with phone_at(provider.port, ca) as phone:
        yield phone


def check_outside(message: Message, peer: Peer) -> None:
    """Nothing of the inside is to be seen: one Via of ours, our address in Contact, no loopback port."""
    if message.is_request:
        assert len(message.values("via")) == 1
        assert message.values("via")[0].startswith(f"SIP/2.0/TLS {peer.remote};rport;branch=z9hG4bK")
    for contact in message.values("contact"):
        assert f"@{peer.remote};transport=tls" in contact
    text = "\n".join(header.line for header in message.headers)
    assert set(re.findall(r"127\.0\.0\.1:\d+", text)) <= {peer.remote, peer.local}
    assert "transport=tcp" not in text.lower()


def digest_is_right(request: Message) -> bool:
    """Whether the Authorization header proves the password (RFC 2617, MD5 with qop=auth)."""
    given = dict(re.findall(r'(\w+)="?([^",]*)"?', request.first("authorization").partition(" ")[2]))
    md5 = lambda text: hashlib.md5(text.encode()).hexdigest()  # noqa: E731 - the one word the formula needs
    ha1, ha2 = md5("1001:provider:s3cret"), md5(f"{request.method}:{given['uri']}")
    return given["response"] == md5(f"{ha1}:n0nce:{given['nc']}:{given['cnonce']}:auth:{ha2}")


def registered(phone: Phone, provider: Provider) -> Peer:
    phone.do("register")
    peer = provider.accept()
    asked = peer.receive("REGISTER")
    peer.answer(
        asked, "401 Unauthorized", 'WWW-Authenticate: Digest realm="provider", nonce="n0nce", qop="auth"'
    )
    asked = peer.receive("REGISTER sip:sip.example.com SIP/2.0")
    check_outside(asked, peer)
    assert digest_is_right(asked)
    contact = asked.first("contact").partition(";expires")[0]
    peer.answer(asked, "200 OK", f"Contact: <sip:1001@192.0.2.9>;expires=20, {contact};expires=120")
    told = phone.expect("registration")
    assert (told["code"], told["expires"], told["received"]) == (200, 120, True)
    return peer


def called(phone: Phone, peer: Peer, *headers: str) -> Message:
    """The phone's outgoing call, answered; returns the INVITE."""
    phone.do("call sip:echo@sip.example.com")
    invite = peer.receive("INVITE sip:echo@sip.example.com SIP/2.0")
    check_outside(invite, peer)
    assert invite.values("route") == []
    peer.answer(invite, "100 Trying")
    peer.answer(invite, "180 Ringing", *headers, f"Contact: <sip:echo@{peer.local};transport=tls>")
    phone.expect_call("EARLY")
    accept(peer, invite, *headers)
    phone.expect_call("CONFIRMED")
    return invite


def accept(peer: Peer, invite: Message, *headers: str) -> Message:
    peer.answer(
        invite, "200 OK", *headers, f"Contact: <sip:echo@{peer.local};transport=tls>", SDP_TYPE, body=SDP
    )
    ack = peer.receive(f"ACK sip:echo@{peer.local};transport=tls SIP/2.0")
    check_outside(ack, peer)
    return ack


def in_dialog(peer: Peer, invite: Message, method: str, *headers: str, body: str = "") -> None:
    """A request of the provider in the dialog of the phone's INVITE."""
    contact = re.search(r"<(.*)>", invite.first("contact"))
    assert contact
    peer.send(
        f"{method} {contact[1]} SIP/2.0",
        f"Via: SIP/2.0/TLS {peer.local};branch=z9hG4bK{method}",
        "Max-Forwards: 70",
        f"From: {invite.first('to')};tag=provider",
        f"To: {invite.first('from')}",
        f"Call-ID: {invite.first('call-id')}",
        f"CSeq: 70 {method}",
        *headers,
        body=body,
    )


def hang_up(phone: Phone, peer: Peer) -> Message:
    phone.do("hangup")
    bye = peer.receive("BYE")
    check_outside(bye, peer)
    peer.answer(bye, "200 OK")
    phone.expect_call("DISCONNECTED")
    return bye


def test_registers_with_digest_and_unregisters(phone, provider):
    peer = registered(phone, provider)
    phone.do("unregister")
    asked = peer.receive("REGISTER")
    assert "expires: 0" in "\n".join(header.line.lower() for header in asked.headers)
    peer.answer(asked, "200 OK")
    assert phone.expect("registration")["code"] == 200
    assert [text.split("\r\n")[0] for text in phone.trace] == [
        "REGISTER sip:sip.example.com SIP/2.0",
        "SIP/2.0 401 Unauthorized",
        "REGISTER sip:sip.example.com SIP/2.0",
        "SIP/2.0 200 OK",
        "REGISTER sip:sip.example.com SIP/2.0",
        "SIP/2.0 200 OK",
    ]


def test_outgoing_call_ended_by_us(phone, provider):
    peer = registered(phone, provider)
    called(phone, peer)
    bye = hang_up(phone, peer)
    assert bye.uri == f"sip:echo@{peer.local};transport=tls"
    assert bye.values("route") == []


def test_outgoing_call_ended_by_them(phone, provider):
    peer = registered(phone, provider)
    invite = called(phone, peer)
    in_dialog(peer, invite, "BYE")
    answer = peer.receive("SIP/2.0 200 OK")
    assert answer.values("via") == [f"SIP/2.0/TLS {peer.local};branch=z9hG4bKBYE"]
    phone.expect_call("DISCONNECTED")


def test_provider_s_record_route_is_kept_in_its_order(phone, provider):
    peer = registered(phone, provider)
    # One that would lead elsewhere: pjsua2 must not connect to it.
    called(phone, peer, "Record-Route: <sip:p2.example.invalid;lr;ftag=1>, <sip:p1.example.invalid:5061;lr>")
    bye = hang_up(phone, peer)
    assert bye.values("route") == ["<sip:p1.example.invalid:5061;lr>", "<sip:p2.example.invalid;lr;ftag=1>"]


def test_provider_with_sips_uris(phone, provider):
    peer = registered(phone, provider)
    phone.do("call sip:echo@sip.example.com")
    invite = peer.receive("INVITE")
    contact, route = f"<sips:echo@{peer.local}>", "<sips:p1.example.invalid;lr>"
    peer.answer(invite, "200 OK", f"Contact: {contact}", f"Record-Route: {route}", SDP_TYPE, body=SDP)
    ack = peer.receive(f"ACK {contact[1:-1]} SIP/2.0")
    assert ack.values("route") == [route]
    phone.expect_call("CONFIRMED")
    hang_up(phone, peer)


def test_cancelled_call(phone, provider):
    peer = registered(phone, provider)
    phone.do("call sip:echo@sip.example.com")
    invite = peer.receive("INVITE")
    peer.answer(invite, "180 Ringing")
    phone.expect_call("EARLY")
    phone.do("hangup")
    cancel = peer.receive("CANCEL sip:echo@sip.example.com SIP/2.0")
    assert cancel.values("via") == invite.values("via")
    peer.answer(cancel, "200 OK")
    peer.answer(invite, "487 Request Terminated")
    ack = peer.receive("ACK")
    assert ack.values("via") == invite.values("via")
    assert phone.expect_call("DISCONNECTED")["code"] == 487


def test_refused_call(phone, provider):
    peer = registered(phone, provider)
    phone.do("call sip:echo@sip.example.com")
    invite = peer.receive("INVITE")
    peer.answer(invite, "486 Busy Here", 'Reason: Q.850;cause=17;text="User busy"')
    assert peer.receive("ACK").values("via") == invite.values("via")
    told = phone.expect_call("DISCONNECTED")
    assert (told["code"], told["reason"]) == (486, "Busy Here")


def test_reinvite_from_either_side(phone, provider):
    peer = registered(phone, provider)
    invite = called(phone, peer, "Record-Route: <sip:p1.example.invalid;lr>")
    phone.do("reinvite")
    ours = peer.receive(f"INVITE sip:echo@{peer.local}")
    check_outside(ours, peer)
    assert ours.values("route") == ["<sip:p1.example.invalid;lr>"]
    accept(peer, ours)
    in_dialog(peer, invite, "INVITE", f"Contact: <sip:echo@{peer.local};transport=tls>", SDP_TYPE, body=SDP)
    answer = next(got for got in iter(peer.receive, None) if got.code >= 200)
    assert answer.start == "SIP/2.0 200 OK"
    check_outside(answer, peer)
    assert answer.values("record-route") == []
    in_dialog(peer, invite, "ACK")
    hang_up(phone, peer)


@pytest.mark.parametrize(
    "uri", ["sip:1001@OURS;transport=tls;ob", "sips:1001@OURS", "sip:+493012345@sip.example.com"]
)
def test_incoming_call(phone, provider, uri):
    peer = registered(phone, provider)
    uri = uri.replace("OURS", peer.remote)
    headers = (
        f"Via: SIP/2.0/TLS {peer.local};rport;branch=z9hG4bKcall",
        "Via: SIP/2.0/UDP inside.example.invalid;branch=z9hG4bKbelow",
        "Max-Forwards: 60",
        "From: <sip:7@sip.example.com>;tag=p",
        "To: <sip:1001@sip.example.com>",
        "Call-ID: incoming",
        "CSeq: 1 INVITE",
        "Record-Route: <sip:p2.example.invalid;lr>",
        "Record-Route: <sip:p1.example.invalid;lr>",
        "Contact: <sip:7@p1.example.invalid;transport=tls>",
        SDP_TYPE,
    )
    peer.send(f"INVITE {uri} SIP/2.0", *headers, body=SDP)
    phone.expect("incoming")
    phone.do("answer 200")
    answer = next(got for got in iter(peer.receive, None) if got.code >= 200)
    assert answer.start == "SIP/2.0 200 OK"
    check_outside(answer, peer)
    host, _, port = peer.local.rpartition(":")
    assert answer.values("via") == [
        f"SIP/2.0/TLS {peer.local};rport={port};received={host};branch=z9hG4bKcall",
        "SIP/2.0/UDP inside.example.invalid;branch=z9hG4bKbelow",
    ]
    assert answer.values("record-route") == ["<sip:p2.example.invalid;lr>", "<sip:p1.example.invalid;lr>"]
    target = re.search(r"<(.*)>", answer.first("contact"))
    assert target
    ack = [line.replace("1 INVITE", "1 ACK").replace("z9hG4bKcall", "z9hG4bKack") for line in headers[:7]]
    ack[4] = f"To: {answer.first('to')}"
    peer.send(f"ACK {target[1]} SIP/2.0", *ack)
    phone.expect_call("CONFIRMED")
    bye = hang_up(phone, peer)
    assert bye.uri == "sip:7@p1.example.invalid;transport=tls"
    assert bye.values("route") == ["<sip:p2.example.invalid;lr>", "<sip:p1.example.invalid;lr>"]


def test_incoming_call_cancelled_by_the_caller(phone, provider):
    peer = registered(phone, provider)
    headers = [
        f"Via: SIP/2.0/TLS {peer.local};branch=z9hG4bKcall",
        "Max-Forwards: 60",
        "From: <sip:7@sip.example.com>;tag=p",
        "To: <sip:1001@sip.example.com>",
        "Call-ID: incoming",
    ]
    uri = f"sip:1001@{peer.remote};transport=tls;ob"
    contact = f"Contact: <sip:7@{peer.local};transport=tls>"
    peer.send(f"INVITE {uri} SIP/2.0", *headers, "CSeq: 1 INVITE", contact, SDP_TYPE, body=SDP)
    phone.expect("incoming")
    phone.do("answer 180")
    while peer.receive().code != 180:
        pass
    peer.send(f"CANCEL {uri} SIP/2.0", *headers, "CSeq: 1 CANCEL")
    answers = {peer.receive().start for _ in range(2)}
    assert answers == {"SIP/2.0 200 OK", "SIP/2.0 487 Request Terminated"}
    peer.send(f"ACK {uri} SIP/2.0", *headers, "CSeq: 1 ACK")
    phone.expect_call("DISCONNECTED")


def test_loss_in_a_call_leaves_the_call_and_the_next_request_connects_again(phone, provider):
    peer = registered(phone, provider)
    called(phone, peer)
    contact = peer.local
    peer.close()
    assert phone.expect("lost")["cause"] == "connection lost"
    phone.do("hangup")
    again = provider.accept()
    again.answer(again.receive(f"BYE sip:echo@{contact}"), "200 OK")
    phone.expect_call("DISCONNECTED")


def test_loss_while_a_call_is_set_up_fails_it_at_once(phone, provider):
    peer = registered(phone, provider)
    phone.do("call sip:echo@sip.example.com")
    peer.answer(peer.receive("INVITE"), "180 Ringing")
    phone.expect_call("EARLY")
    peer.close()
    assert phone.expect("lost")["cause"] == "connection lost"
    assert phone.expect_call("DISCONNECTED")["code"] == 503


def test_last_bye_goes_out_when_the_phone_ends(phone, provider):
    peer = registered(phone, provider)
    called(phone, peer)
    phone.do("hangup")
    phone.do("quit")
    peer.receive("BYE")
    phone.expect("end")


class TestNoConnection:
    """pjsua2 fails at once, with a 503 that no message stands behind."""

    def check(self, phone: Phone, cause: str) -> None:
        phone.do("register")
        assert phone.expect("handshake")["cause"] == cause
        told = phone.expect("registration")
        assert (told["code"], told["received"]) == (503, False)
        phone.do("call sip:echo@sip.example.com")
        assert phone.expect("handshake")["cause"] == cause
        assert phone.expect_call("DISCONNECTED")["code"] == 503
        assert phone.trace == []

    def test_certificate_not_trusted(self, ca, tmp_path):
        other = authority(tmp_path, "Other CA").server(NAME)
        with HandshakeServer(other.context()) as server, phone_at(server.port, ca) as phone:
            self.check(phone, "certificate not trusted")

    def test_certificate_for_another_name(self, ca):
        other = ca.server("sip.example.net")
        with HandshakeServer(other.context()) as server, phone_at(server.port, ca) as phone:
            self.check(phone, "certificate for another name")

    def test_closed_port(self, ca):
        with HandshakeServer(None) as server:
            pass
        with phone_at(server.port, ca) as phone:
            self.check(phone, "connection refused")
