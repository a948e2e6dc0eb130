"""The real engine registers and calls through the edge; the test plays the provider message by message."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.model.call import CallState
from app.model.outcome import AnsweredBy, LocalCause
from app.model.trunk import Transport
from app.sip.messages import (
    AnswerCall,
    CallHeld,
    ConnectionLost,
    HangUp,
    HoldCall,
    OpenAccount,
    RegistrationChanged,
    RegistrationState,
    ResumeCall,
    TlsHandshake,
    Unregister,
)
from app.sip.syntax.message import Message
from tests.engine_edge.certificates import Issuer, authority
from tests.engine_edge.phone import CALL, Phone, phone_at
from tests.engine_edge.running_edge import account_at
from tests.engine_edge.servers import HandshakeServer, Peer, Provider
from tests.unit.sip.accounts import DOMAIN

SDP = "v=0\r\no=- 1 {} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"
SDP_TYPE = "Content-Type: application/sdp"


def settings(provider_port: int, transport: Transport, ca: Issuer) -> OpenAccount:
    """An account at the provider that the test plays."""
    ca_file = ca.ca_file() if transport is Transport.TLS else ""
    return account_at(provider_port, transport, ca_file=ca_file)


@pytest.fixture
def phone(provider: Provider, transport: Transport, ca: Issuer) -> Iterator[Phone]:
    """An engine with an account at the provider."""
    with phone_at(settings(provider.port, transport, ca)) as phone:
        yield phone


def check_outside(message: Message, peer: Peer) -> None:
    """Nothing of the inside is to be seen: one Via of ours, our address in Contact, no loopback port."""
    if message.is_request:
        (via,) = message.values("via")
        assert via.startswith(f"SIP/2.0/{peer.transport.upper()} {peer.remote};rport;branch=z9hG4bK")
    for contact in message.values("contact"):
        assert f"@{peer.remote};transport={peer.transport}" in contact
    text = "\n".join(header.line for header in message.headers)
    assert set(re.findall(r"127\.0\.0\.1:\d+", text)) <= {peer.remote, peer.local}
    assert "hide" not in text


def digest_is_right(request: Message) -> bool:
    """Whether the Authorization header proves the password (RFC 7616, SHA-256 with qop=auth)."""
    given = dict(re.findall(r'(\w+)="?([^",]*)"?', request.first("authorization").partition(" ")[2]))
    h = lambda text: hashlib.sha256(text.encode()).hexdigest()  # noqa: E731 - the one word the formula needs
    ha1, ha2 = h("1001:provider:s3cret"), h(f"{request.method}:{given['uri']}")
    middle = f"n0nce:{given['nc']}:{given['cnonce']}:auth"
    return given["uri"] == request.uri and given["response"] == h(f"{ha1}:{middle}:{ha2}")


def registered(phone: Phone, provider: Provider) -> Peer:
    """Signed in with a digest that the provider has checked."""
    phone.register()
    peer = provider.accept()
    asked = peer.receive("REGISTER")
    challenge = 'Digest realm="provider", nonce="n0nce", qop="auth", algorithm='
    peer.answer(
        asked,
        "401 Unauthorized",
        f"WWW-Authenticate: {challenge}MD5",
        f"WWW-Authenticate: {challenge}SHA-256",
    )
    asked = peer.receive(f"REGISTER sip:{DOMAIN} SIP/2.0")
    check_outside(asked, peer)
    assert digest_is_right(asked)
    contact = asked.first("contact").partition(";expires")[0]
    peer.answer(asked, "200 OK", f"Contact: <sip:1001@192.0.2.9>;expires=20, {contact};expires=120")
    found = phone.expect(RegistrationChanged)
    assert (found.state, found.sip_code, found.expires_s) == (RegistrationState.REGISTERED, 200, 120)
    assert found.bindings is not None
    assert (found.bindings.ours_s, found.bindings.others) == (120, 1)
    return peer


def called(phone: Phone, peer: Peer, *headers: str) -> Message:
    """The phone's call, answered; returns the INVITE."""
    phone.place()
    invite = peer.receive(f"INVITE sip:echo@{DOMAIN} SIP/2.0")
    check_outside(invite, peer)
    assert invite.values("route") == []
    peer.answer(invite, "100 Trying")
    peer.answer(invite, "180 Ringing", *headers, contact_of(peer))
    phone.expect_call(CallState.RINGING)
    accept(peer, invite, *headers)
    phone.expect_call(CallState.ANSWERED)
    return invite


def contact_of(peer: Peer) -> str:
    """The provider's Contact."""
    return f"Contact: <sip:echo@{peer.local};transport={peer.transport}>"


def accept(peer: Peer, invite: Message, *headers: str, version: int = 1) -> Message:
    """Answer an INVITE; returns its ACK."""
    peer.answer(invite, "200 OK", *headers, contact_of(peer), SDP_TYPE, body=SDP.format(version))
    ack = peer.receive(f"ACK sip:echo@{peer.local};transport={peer.transport} SIP/2.0")
    check_outside(ack, peer)
    return ack


def in_dialog(
    peer: Peer, invite: Message, method: str, *headers: str, cseq: int = 70, body: str = ""
) -> None:
    """A request of the provider in the dialog of the phone's INVITE."""
    contact = re.search(r"<(.*)>", invite.first("contact"))
    assert contact
    peer.send(
        f"{method} {contact[1]} SIP/2.0",
        f"Via: {peer.via};branch=z9hG4bK{method}{cseq}",
        "Max-Forwards: 70",
        f"From: {invite.first('to')};tag=provider",
        f"To: {invite.first('from')}",
        f"Call-ID: {invite.first('call-id')}",
        f"CSeq: {cseq} {method}",
        *headers,
        body=body,
    )


def hang_up(phone: Phone, peer: Peer, call_id: str = CALL) -> Message:
    """The phone hangs up; returns the BYE."""
    phone.do(HangUp(call_id=call_id))
    bye = peer.receive("BYE")
    check_outside(bye, peer)
    peer.answer(bye, "200 OK")
    phone.expect_call(CallState.ENDED)
    return bye


# Signing in


def test_registers_with_digest_and_unregisters(
    phone: Phone, provider: Provider, transport: Transport
) -> None:
    peer = registered(phone, provider)
    if transport is Transport.TLS:
        # Its own event; the trace has the messages
        assert all(message.transport is Transport.TLS for message in phone.trace)
    phone.do(Unregister())
    asked = peer.receive("REGISTER")
    assert asked.first("expires") == "0"
    peer.answer(asked, "200 OK")
    assert phone.expect(RegistrationChanged).state is RegistrationState.UNREGISTERED
    register, ok = f"REGISTER sip:{DOMAIN} SIP/2.0", "SIP/2.0 200 OK"
    assert phone.starts() == [register, "SIP/2.0 401 Unauthorized", register, ok, register, ok]


def test_a_second_challenge_is_not_answered(phone: Phone, provider: Provider) -> None:
    phone.register()
    peer = provider.accept()
    challenge = 'WWW-Authenticate: Digest realm="provider", nonce="{}"'
    for number in range(2):
        peer.answer(peer.receive("REGISTER"), "401 Unauthorized", challenge.format(number))
    found = phone.expect(RegistrationChanged)
    assert (found.state, found.sip_code, found.challenges) == (RegistrationState.FAILED, 401, 2)
    assert found.answered_by is AnsweredBy.NETWORK
    phone.end()
    peer.wait_closed()


# Calls of ours


def test_outgoing_call_ended_by_us(phone: Phone, provider: Provider) -> None:
    peer = registered(phone, provider)
    called(phone, peer)
    bye = hang_up(phone, peer)
    assert bye.uri == f"sip:echo@{peer.local};transport={peer.transport}"
    assert bye.values("route") == []


def test_outgoing_call_ended_by_them(phone: Phone, provider: Provider) -> None:
    peer = registered(phone, provider)
    invite = called(phone, peer)
    in_dialog(peer, invite, "BYE", "Reason: Q.850;cause=16")
    answer = peer.receive("SIP/2.0 200 OK")
    assert answer.values("via") == [f"{peer.via};branch=z9hG4bKBYE70"]
    ended = phone.expect_call(CallState.ENDED)
    assert ended.explanation.reasons == ("Q.850;cause=16",)
    assert ended.dialog.ended_by_bye


@pytest.mark.parametrize("transport", [Transport.TLS])
def test_the_providers_record_route_is_kept_in_its_order(phone: Phone, provider: Provider) -> None:
    peer = registered(phone, provider)
    # One that would lead elsewhere: over TLS there is the one connection whose certificate was checked
    called(phone, peer, "Record-Route: <sip:p2.example.invalid;lr;ftag=1>, <sip:p1.example.invalid:5061;lr>")
    bye = hang_up(phone, peer)
    assert bye.values("route") == ["<sip:p1.example.invalid:5061;lr>", "<sip:p2.example.invalid;lr;ftag=1>"]


def test_a_strict_router_is_addressed_itself(phone: Phone, provider: Provider) -> None:
    peer = registered(phone, provider)
    strict = f"sip:{peer.local};transport={peer.transport};x=1"
    phone.place()
    invite = peer.receive("INVITE")
    peer.answer(invite, "200 OK", f"Record-Route: <{strict}>", contact_of(peer), SDP_TYPE, body=SDP.format(1))
    for method in ("ACK", "BYE"):
        request = peer.receive(f"{method} {strict} SIP/2.0")
        assert request.values("route") == [contact_of(peer).partition(" ")[2]]
        if method == "ACK":
            phone.expect_call(CallState.ANSWERED)
            phone.do(HangUp(call_id=CALL))
    peer.answer(request, "200 OK")
    phone.expect_call(CallState.ENDED)


@pytest.mark.parametrize("transport", [Transport.TLS])
def test_a_provider_with_sips_uris(phone: Phone, provider: Provider) -> None:
    peer = registered(phone, provider)
    phone.place()
    invite = peer.receive("INVITE")
    contact, route = f"<sips:echo@{peer.local}>", "<sips:p1.example.invalid;lr>"
    peer.answer(
        invite, "200 OK", f"Contact: {contact}", f"Record-Route: {route}", SDP_TYPE, body=SDP.format(1)
    )
    ack = peer.receive(f"ACK {contact[1:-1]} SIP/2.0")
    assert ack.values("route") == [route]
    phone.expect_call(CallState.ANSWERED)
    hang_up(phone, peer)


def test_cancelled_call(phone: Phone, provider: Provider) -> None:
    peer = registered(phone, provider)
    phone.place()
    invite = peer.receive("INVITE")
    peer.answer(invite, "180 Ringing")
    phone.expect_call(CallState.RINGING)
    phone.do(HangUp(call_id=CALL))
    cancel = peer.receive(f"CANCEL sip:echo@{DOMAIN} SIP/2.0")
    assert cancel.values("via") == invite.values("via")
    peer.answer(cancel, "200 OK")
    peer.answer(invite, "487 Request Terminated")
    ack = peer.receive("ACK")
    assert ack.values("via") == invite.values("via")
    assert phone.expect_call(CallState.ENDED).sip_code == 487


def test_refused_call(phone: Phone, provider: Provider) -> None:
    peer = registered(phone, provider)
    phone.place()
    invite = peer.receive("INVITE")
    peer.answer(invite, "486 Busy Here", 'Reason: Q.850;cause=17;text="User busy"')
    assert peer.receive("ACK").values("via") == invite.values("via")
    ended = phone.expect_call(CallState.ENDED)
    assert (ended.sip_code, ended.reason, ended.answered_by) == (486, "Busy Here", AnsweredBy.NETWORK)


def test_reinvite_from_either_side(phone: Phone, provider: Provider) -> None:
    peer = registered(phone, provider)
    route = f"<sip:{peer.local};transport={peer.transport};lr>"
    invite = called(phone, peer, f"Record-Route: {route}")
    for command, version in ((HoldCall(call_id=CALL), 2), (ResumeCall(call_id=CALL), 3)):
        phone.do(command)
        ours = peer.receive(f"INVITE sip:echo@{peer.local}")
        check_outside(ours, peer)
        assert ours.values("route") == [route]
        accept(peer, ours, version=version)
        phone.expect(CallHeld)
    in_dialog(peer, invite, "INVITE", contact_of(peer), SDP_TYPE, body=SDP.format(4))
    answer = peer.receive_final()
    assert answer.start == "SIP/2.0 200 OK"
    check_outside(answer, peer)
    assert answer.values("record-route") == []
    in_dialog(peer, invite, "ACK")
    hang_up(phone, peer)


def test_requests_in_a_call_that_pjsip_does_not_know_are_answered(phone: Phone, provider: Provider) -> None:
    peer = registered(phone, provider)
    invite = called(phone, peer)
    for cseq, (method, status) in enumerate(
        [("OPTIONS", "200 OK"), ("INFO", "200 OK"), ("MESSAGE", "405 Method Not Allowed")], 71
    ):
        in_dialog(peer, invite, method, cseq=cseq)
        assert peer.receive(f"SIP/2.0 {status}").first("allow")
    hang_up(phone, peer)


# Calls of theirs


@pytest.mark.parametrize(
    "uri",
    ["sip:1001@OURS;transport=HOW;ob", "sip:1001@OURS", "sips:1001@OURS", f"sip:+493012345@{DOMAIN}"],
)
def test_incoming_call(phone: Phone, provider: Provider, uri: str) -> None:
    peer = registered(phone, provider)
    uri = uri.replace("OURS", peer.remote).replace("HOW", peer.transport)
    route = f"sip:{peer.local};transport={peer.transport};lr"
    target_uri = f"sip:7@{peer.local};transport={peer.transport}"
    headers = (
        f"Via: {peer.via};rport;branch=z9hG4bKcall",
        "Via: SIP/2.0/UDP inside.example.invalid;branch=z9hG4bKbelow",
        "Max-Forwards: 60",
        f"From: <sip:7@{DOMAIN}>;tag=p",
        f"To: <sip:1001@{DOMAIN}>",
        "Call-ID: incoming",
        "CSeq: 1 INVITE",
        f"Record-Route: <{route};n=2>",
        f"Record-Route: <{route};n=1>",
        f"Contact: <{target_uri}>",
        SDP_TYPE,
    )
    peer.send(f"INVITE {uri} SIP/2.0", *headers, body=SDP.format(1))
    incoming = phone.expect_call(CallState.INCOMING)
    assert (incoming.remote, incoming.called) == (f"<sip:7@{DOMAIN}>", uri)
    phone.do(AnswerCall(call_id=incoming.call_id, max_seconds=60))
    answer = peer.receive_final()
    assert answer.start == "SIP/2.0 200 OK"
    check_outside(answer, peer)
    host, _, port = peer.local.rpartition(":")
    assert answer.values("via") == [
        f"{peer.via};rport={port};received={host};branch=z9hG4bKcall",
        "SIP/2.0/UDP inside.example.invalid;branch=z9hG4bKbelow",
    ]
    assert answer.values("record-route") == [f"<{route};n=2>", f"<{route};n=1>"]
    target = re.search(r"<(.*)>", answer.first("contact"))
    assert target
    ack = [line.replace("1 INVITE", "1 ACK").replace("z9hG4bKcall", "z9hG4bKack") for line in headers[:7]]
    ack[4] = f"To: {answer.first('to')}"
    peer.send(f"ACK {target[1]} SIP/2.0", *ack)
    phone.expect_call(CallState.ANSWERED)
    bye = hang_up(phone, peer, incoming.call_id)
    assert bye.uri == target_uri
    assert bye.values("route") == [f"<{route};n=2>", f"<{route};n=1>"]


def test_incoming_call_cancelled_by_the_caller(phone: Phone, provider: Provider) -> None:
    peer = registered(phone, provider)
    headers = [
        f"Via: {peer.via};branch=z9hG4bKcall",
        "Max-Forwards: 60",
        f"From: <sip:7@{DOMAIN}>;tag=p",
        f"To: <sip:1001@{DOMAIN}>",
        "Call-ID: incoming",
    ]
    uri = f"sip:1001@{peer.remote};transport={peer.transport};ob"
    contact = f"Contact: <sip:7@{peer.local};transport={peer.transport}>"
    peer.send(f"INVITE {uri} SIP/2.0", *headers, "CSeq: 1 INVITE", contact, SDP_TYPE, body=SDP.format(1))
    phone.expect_call(CallState.INCOMING)
    while peer.receive().code != 180:
        pass
    peer.send(f"CANCEL {uri} SIP/2.0", *headers, "CSeq: 1 CANCEL")
    answers = {peer.receive().start for _ in range(2)}
    assert answers == {"SIP/2.0 200 OK", "SIP/2.0 487 Request Terminated"}
    peer.send(f"ACK {uri} SIP/2.0", *headers, "CSeq: 1 ACK")
    phone.expect_call(CallState.ENDED)


# A connection that is lost


def test_loss_in_a_call_leaves_the_call_and_the_next_request_connects_again(
    phone: Phone, provider: Provider
) -> None:
    peer = registered(phone, provider)
    called(phone, peer)
    contact = peer.local
    peer.close()
    lost = phone.expect(ConnectionLost)
    assert (lost.cause, lost.registered) == (LocalCause.CONNECTION_LOST, True)
    phone.do(HangUp(call_id=CALL))
    again = provider.accept()
    again.answer(again.receive(f"BYE sip:echo@{contact}"), "200 OK")
    phone.expect_call(CallState.ENDED)


def test_loss_while_a_call_is_set_up_fails_it_at_once(phone: Phone, provider: Provider) -> None:
    peer = registered(phone, provider)
    phone.place()
    peer.answer(peer.receive("INVITE"), "180 Ringing")
    phone.expect_call(CallState.RINGING)
    peer.close()
    assert phone.expect(ConnectionLost).cause is LocalCause.CONNECTION_LOST
    ended = phone.expect_call(CallState.ENDED)
    assert (ended.sip_code, ended.answered_by, ended.local_cause) == (
        503,
        AnsweredBy.LOCAL,
        LocalCause.CONNECTION_LOST,
    )


def test_the_last_bye_goes_out_when_the_engine_ends(phone: Phone, provider: Provider) -> None:
    peer = registered(phone, provider)
    called(phone, peer)
    phone.end()
    starts = {peer.receive().start.partition(" ")[0] for _ in range(2)}
    assert starts == {"BYE", "REGISTER"}
    peer.wait_closed()


# No connection at all


class TestNoConnection:
    """The engine fails at once, with a 503 that no message stands behind."""

    def check(self, phone: Phone, transport: Transport, cause: LocalCause) -> None:
        phone.register()
        if transport is Transport.TLS:
            assert phone.expect(TlsHandshake).facts.cause is cause
        found = phone.expect(RegistrationChanged)
        assert (found.sip_code, found.answered_by, found.local_cause) == (503, AnsweredBy.LOCAL, cause)
        phone.place()
        ended = phone.expect_call(CallState.ENDED)
        assert (ended.sip_code, ended.answered_by, ended.local_cause) == (503, AnsweredBy.LOCAL, cause)
        assert phone.trace == []

    @pytest.mark.parametrize("transport", [Transport.TLS])
    def test_certificate_not_trusted(self, ca: Issuer, tmp_path: Path, transport: Transport) -> None:
        other = authority(tmp_path, "Other CA").server(DOMAIN)
        with (
            HandshakeServer(other.context()) as server,
            phone_at(settings(server.port, transport, ca)) as phone,
        ):
            self.check(phone, transport, LocalCause.TLS_CA)

    @pytest.mark.parametrize("transport", [Transport.TLS])
    def test_certificate_for_another_name(self, ca: Issuer, transport: Transport) -> None:
        other = ca.server("sip.example.net")
        with (
            HandshakeServer(other.context()) as server,
            phone_at(settings(server.port, transport, ca)) as phone,
        ):
            self.check(phone, transport, LocalCause.TLS_NAME)

    def test_closed_port(self, ca: Issuer, transport: Transport) -> None:
        with HandshakeServer(None) as server:
            pass
        with phone_at(settings(server.port, transport, ca)) as phone:
            self.check(phone, transport, LocalCause.REFUSED)
