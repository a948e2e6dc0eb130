"""Encrypted sound: SRTP with keys in SDP, between the carrier and a phone that has pylibsrtp."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from aiortp import RtcpSrPacket, is_rtcp
from aiosipua import parse_sdp

from app.model.trunk import CryptoSuite, Srtp
from app.providers.schema import Media, Method, Mistake, Provider
from app.sip.carrier.profile import profile_of
from app.sip.carrier.profile_facts import facts_of
from app.sip.carrier.sdes import KEY_BYTES, Crypto
from app.sip.carrier.server import Carrier
from app.sip.carrier.srtp import Protection
from tests.carrier.ear import sdp
from tests.carrier.phone import HOST, Phone, until
from tests.carrier.providers import provider, refusal
from tests.carrier.secure_phone import (
    KEY,
    SHA1_32,
    SHA1_80,
    ear_of,
    encrypted_call,
    secure,
    with_secure_phone,
)

PLAIN_BYTES = 172
"""An RTP packet with 160 bytes of sound."""
SUITES = pytest.mark.parametrize("suite", list(CryptoSuite))


def media_of(facts: Srtp | None, *refusals: Any) -> Provider:
    return provider(Method.REGISTER, media=Media(srtp=facts), refusals=refusals)


# Sound


@SUITES
def test_an_echo_is_encrypted_on_both_ways(suite: CryptoSuite) -> None:
    notes: list[str] = []

    async def work(_carrier: Carrier, phone: Phone) -> None:
        ear = ear_of(phone)
        ear.rekey(suite)
        call = await encrypted_call(phone, "600", tag=7)
        audio = call.description.audio
        assert audio.proto == "RTP/SAVP"
        tag, name, key = audio.attributes["crypto"][0].split()
        assert (tag, name) == ("7", suite.value)
        assert base64.b64decode(key.removeprefix("inline:")) != ear.key
        sent = [ear.send(call.rtp_port, bytes([n]) * 160) for n in range(5)]
        await until(lambda: len(ear.packets) == 5, "the echo")
        assert [packet.payload for packet in ear.packets] == [packet.payload for packet in sent]
        tags = {SHA1_80: 10, SHA1_32: 4}
        assert {len(data) for data in ear.wire if not is_rtcp(data)} == {PLAIN_BYTES + tags[suite]}
        assert ear.unopened == []
        await call.bye()

    with_secure_phone(work, notes=notes)
    assert sum(f"the sound is encrypted with {suite.value}" in note for note in notes) == 1


@SUITES
def test_reports_are_encrypted_on_both_ways(suite: CryptoSuite) -> None:
    async def work(_carrier: Carrier, phone: Phone) -> None:
        ear = ear_of(phone)
        ear.rekey(suite)
        call = await encrypted_call(phone, "601")
        await until(lambda: any(isinstance(report, RtcpSrPacket) for report in ear.reports), "a report")
        ear.send(call.rtp_port, b"z" * 160)
        theirs = next(report for report in ear.reports if isinstance(report, RtcpSrPacket))
        ear.send_report(
            call.rtp_port + 1, RtcpSrPacket(ssrc=ear.ssrc, sender_info=theirs.sender_info, reports=[])
        )
        middle = (theirs.sender_info.ntp_timestamp >> 16) & 0xFFFF_FFFF
        await until(
            lambda: any(b.lsr == middle for r in ear.reports for b in getattr(r, "reports", ())),
            "a report that knows ours",
        )
        assert ear.unopened == []
        await call.bye()
        await until(lambda: any(type(r).__name__ == "RtcpByePacket" for r in ear.reports), "goodbye")

    with_secure_phone(work)


def test_what_is_plain_forged_or_repeated_is_not_heard() -> None:
    async def work(_carrier: Carrier, phone: Phone) -> None:
        ear = ear_of(phone)
        call = await encrypted_call(phone, "600")
        plain = ear.packet(b"p" * 160).serialize()
        sealed = ear._out.protect(ear.packet(b"s" * 160).serialize())
        forged = sealed[:-1] + bytes([sealed[-1] ^ 1])
        for data in (plain, forged, sealed, sealed, b"", b"\x80" + b"x" * 1600):
            ear.transport.sendto(data, (HOST, call.rtp_port))
        ear.send(call.rtp_port, b"l" * 160)
        await until(lambda: len(ear.packets) == 2, "the echo")
        assert [packet.payload[:1] for packet in ear.packets] == [b"s", b"l"]
        await call.bye()

    with_secure_phone(work)


def test_a_long_packet_echoes_and_one_too_long_to_be_sealed_is_left_out() -> None:
    async def work(_carrier: Carrier, phone: Phone) -> None:
        ear = ear_of(phone)
        call = await encrypted_call(phone, "600")
        raw = ear.packet(b"x" * 1340).serialize()
        ear.transport.sendto(ear._out.protect(raw), (HOST, call.rtp_port))
        ear.send(call.rtp_port, b"l" * 160)
        await until(lambda: len(ear.packets) == 2, "the echo")
        assert [packet.payload for packet in ear.packets] == [b"x" * 1340, b"l" * 160]
        await call.bye()

    with_secure_phone(work)
    protection = Protection()
    protection.use(Crypto(tag="1", suite=SHA1_80, key=b"k" * KEY_BYTES))
    assert protection.seal(b"\x80" + b"x" * 1499) == b""


def test_a_new_key_and_plain_sound_are_followed_and_ours_stays() -> None:
    async def work(_carrier: Carrier, phone: Phone) -> None:
        ear = ear_of(phone)
        call = await encrypted_call(phone, "600")
        first = call.description.audio.attributes["crypto"]
        ear.send(call.rtp_port, b"1" * 160)
        await until(lambda: len(ear.packets) == 1, "the echo")

        async def renegotiate(body: str) -> None:
            response = await phone.ask(call.request("INVITE", body=body))
            assert response.status_code == 200
            call.ack(response)

        ear.rekey()
        await renegotiate(ear.offer(version=2))
        assert call.description.audio.attributes["crypto"] == first
        ear.send(call.rtp_port, b"2" * 160)
        await until(lambda: len(ear.packets) == 2, "the echo under the new key")

        await renegotiate(sdp(ear.port, version=3))
        assert "crypto" not in call.description.audio.attributes
        ear.transport.sendto(ear.packet(b"3" * 160).serialize(), (HOST, call.rtp_port))
        await until(lambda: any(b"3" * 160 in data for data in ear.unopened), "the plain echo")
        await call.bye()

    with_secure_phone(work)


def test_two_users_with_keys_of_their_own_hear_each_other() -> None:
    async def work(carrier: Carrier, caller: Phone) -> None:
        async with await Phone.open(carrier.udp_port, user="1002") as callee:
            await secure(callee)
            await callee.register()
            call = await caller.invite("1002", body=ear_of(caller).offer(types="8 0 101"))
            invite = (await until(lambda: callee.requests("INVITE"), "the call"))[0]
            offer = parse_sdp(invite.text)
            assert offer.audio is not None
            assert offer.audio.proto == "RTP/SAVP"
            crypto = [line for line in offer.audio.attributes["crypto"] if SHA1_32 in line]
            offer.audio.attributes["crypto"] = crypto
            ear_of(callee).rekey(SHA1_32)
            ear_of(callee).trust(offer)
            callee.answer(invite, 200, body=ear_of(callee).offer(tag=2, types="8 101"))
            response = await caller.final(call.invite)
            call.ack(response)
            ear_of(caller).trust(call.description)
            caller.ear.send(call.rtp_port, b"a" * 160, payload_type=8)
            callee.ear.send(offer.audio.port, b"b" * 160, payload_type=8)
            await until(lambda: callee.ear.packets and caller.ear.packets, "audio both ways")
            assert caller.ear.packets[0].payload == b"b" * 160
            assert callee.ear.packets[0].payload == b"a" * 160
            await call.bye()
            bye = (await until(lambda: callee.requests("BYE"), "the BYE"))[0]
            callee.answer(bye, 200)

    with_secure_phone(work)


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_call_back_is_encrypted_as_the_call_was(encrypted: bool) -> None:
    async def work(_carrier: Carrier, phone: Phone) -> None:
        await phone.register()
        call = await phone.call("607", body=ear_of(phone).offer() if encrypted else None)
        await call.ended_by_carrier()
        invite = (await until(lambda: phone.requests("INVITE"), "the call back"))[0]
        assert f"{'RTP/SAVP' if encrypted else 'RTP/AVP'} " in invite.text
        assert ("a=crypto:" in invite.text) == encrypted
        phone.answer(invite, 486)
        await until(lambda: phone.requests("ACK"), "the ACK")

    with_secure_phone(work)


# What a provider makes of offers


@pytest.mark.parametrize("facts", [None, *Srtp])
def test_an_offer_of_srtp_only_is_answered_by_every_provider(facts: Srtp | None) -> None:
    async def work(_carrier: Carrier, phone: Phone) -> None:
        call = await encrypted_call(phone, "600")
        phone.ear.send(call.rtp_port, b"x" * 160)
        await until(lambda: phone.ear.packets, "the echo")
        await call.bye()

    with_secure_phone(work, media_of(facts))


@pytest.mark.parametrize(
    ("facts", "encrypted"), [(None, True), (Srtp.OFF, False), (Srtp.OFFER, True)], ids=str
)
def test_keys_beside_plain_sound_are_used_unless_srtp_is_off(facts: Srtp | None, encrypted: bool) -> None:
    async def work(_carrier: Carrier, phone: Phone) -> None:
        call = await phone.call("600", body=ear_of(phone).offer(proto="RTP/AVP"))
        assert call.description.audio.proto == "RTP/AVP"
        assert ("crypto" in call.description.audio.attributes) == encrypted
        await call.bye()

    with_secure_phone(work, media_of(facts))


@pytest.mark.parametrize(
    ("refusals", "wanted"),
    [
        ((refusal(Mistake.SRTP, 403, "Secure only"),), (403, "Secure only")),
        ((), (488, "Not Acceptable Here")),
    ],
)
def test_a_provider_that_requires_srtp_refuses_plain_sound(refusals: Any, wanted: tuple[int, str]) -> None:
    async def work(_carrier: Carrier, phone: Phone) -> None:
        for proto in ("RTP/AVP", "RTP/AVP with a key"):
            body = sdp(phone.ear.port) if proto == "RTP/AVP" else ear_of(phone).offer(proto="RTP/AVP")
            response = await phone.refused("600", body=body)
            assert (response.status_code, response.reason_phrase) == wanted

    with_secure_phone(work, media_of(Srtp.REQUIRE, *refusals))


def test_where_srtp_is_required_a_call_does_not_become_plain_later() -> None:
    async def work(_carrier: Carrier, phone: Phone) -> None:
        call = await encrypted_call(phone, "600")
        response = await phone.ask(call.request("INVITE", body=sdp(phone.ear.port, version=2)))
        assert response.status_code == 488
        assert "not encrypted" in (response.get_header("warning") or "")
        phone.ear.send(call.rtp_port, b"x" * 160)
        await until(lambda: phone.ear.packets, "the echo")
        await call.bye()

    with_secure_phone(work, media_of(Srtp.REQUIRE))


def test_a_provider_with_one_suite_takes_no_key_for_another() -> None:
    async def work(_carrier: Carrier, phone: Phone) -> None:
        ear = ear_of(phone)
        ear.rekey(SHA1_32)
        response = await phone.refused("600", body=ear.offer())
        assert response.status_code == 488
        assert f"No SRTP key that can be used; here: {SHA1_80.value}" in (
            response.get_header("warning") or ""
        )
        both = ear.offer(tag=1).replace("a=crypto:", f"a=crypto:2 {SHA1_80.value} inline:{KEY}\r\na=crypto:")
        call = await phone.call("600", body=both)
        (line,) = call.description.audio.attributes["crypto"]
        assert line.split()[:2] == ["2", SHA1_80.value]
        await call.bye()

    facts = provider(Method.REGISTER, media=Media(srtp=Srtp.OFF, srtp_suites=(SHA1_80,)))
    with_secure_phone(work, facts)


def test_a_provider_with_one_suite_offers_a_key_for_no_other() -> None:
    async def work(_carrier: Carrier, phone: Phone) -> None:
        call = await phone.invite("600", body="")
        response = await phone.final(call.invite)
        call.learn(response)
        (line,) = call.description.audio.attributes["crypto"]
        assert line.split()[1] == SHA1_80.value
        ear_of(phone).trust(call.description)
        call.ack(response, body=ear_of(phone).offer())
        await call.bye()

    facts = provider(Method.REGISTER, media=Media(srtp=Srtp.REQUIRE, srtp_suites=(SHA1_80,)))
    with_secure_phone(work, facts)


@pytest.mark.parametrize("encrypted", [True, False])
def test_where_srtp_is_required_the_carriers_own_offer_is_for_nothing_else(encrypted: bool) -> None:
    async def work(_carrier: Carrier, phone: Phone) -> None:
        call = await phone.invite("600", body="")
        response = await phone.final(call.invite)
        call.learn(response)
        audio = call.description.audio
        assert audio.proto == "RTP/SAVP"
        assert [line.split()[1] for line in audio.attributes["crypto"]] == [
            suite.value for suite in CryptoSuite
        ]
        audio.attributes["crypto"] = audio.attributes["crypto"][:1]
        ear_of(phone).trust(call.description)
        call.ack(response, body=ear_of(phone).offer() if encrypted else sdp(phone.ear.port))
        if encrypted:
            phone.ear.send(call.rtp_port, b"x" * 160)
            await until(lambda: phone.ear.packets, "the echo")
            await call.bye()
        else:
            await call.ended_by_carrier()

    with_secure_phone(work, media_of(Srtp.REQUIRE))


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (None, "not known; plain RTP and SRTP are both taken"),
        (Srtp.OFF, "SRTP where a call offers nothing else"),
        (Srtp.OFFER, "SRTP where a call offers it"),
        (Srtp.REQUIRE, "without encrypted sound is refused with 488"),
    ],
)
def test_it_is_said_what_is_made_of_srtp(facts: Srtp | None, words: str) -> None:
    said = facts_of(media_of(facts), profile_of(media_of(facts)))
    assert any(words in line for line in (*said.plays, *said.lenient))
    assert any(SHA1_32 in line for line in said.plays) == (facts is not None)
