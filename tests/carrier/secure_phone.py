"""A phone whose sound is encrypted: SRTP by pylibsrtp, with keys in SDP."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from aiortp import RtcpSrPacket, RtpPacket, is_rtcp
from pylibsrtp import Error, Policy, Session

from app.model.trunk import CryptoSuite
from app.providers.schema import Provider
from app.sip.carrier.messages import CarrierOptions
from app.sip.carrier.profile import profile_of
from app.sip.carrier.sdes import KEY_BYTES, Crypto, choose
from app.sip.carrier.server import Carrier
from tests.carrier.ear import Ear, sdp
from tests.carrier.phone import ACCOUNTS, FAST, HOST, Call, Phone, until

SHA1_80, SHA1_32 = CryptoSuite
KEY = base64.b64encode(b"k" * KEY_BYTES).decode()
"""One as it stands in SDP."""
PROFILES = {SHA1_80: Policy.SRTP_PROFILE_AES128_CM_SHA1_80, SHA1_32: Policy.SRTP_PROFILE_AES128_CM_SHA1_32}

Work = Callable[[Carrier, Phone], Awaitable[None]]


def session(suite: CryptoSuite, key: bytes, ssrc_type: int) -> Session:
    return Session(Policy(key=key, ssrc_type=ssrc_type, srtp_profile=PROFILES[suite]))


class SecureEar(Ear):
    """Encrypts what it sends, and what it can't open it keeps apart."""

    def __init__(self) -> None:
        super().__init__()
        self.suite = SHA1_80
        self.wire: list[bytes] = []
        self.unopened: list[bytes] = []
        self.rekey()

    def rekey(self, suite: CryptoSuite = SHA1_80) -> None:
        """Take a new key for sending."""
        self.suite = suite
        self.key = secrets.token_bytes(KEY_BYTES)
        self._out = session(suite, self.key, Policy.SSRC_ANY_OUTBOUND)

    def trust(self, description: Any) -> None:
        """Take the carrier's key from its SDP."""
        (line,) = description.audio.attributes["crypto"]
        crypto = choose([line])
        assert crypto is not None
        assert crypto.suite is self.suite
        self._in = session(crypto.suite, crypto.key, Policy.SSRC_ANY_INBOUND)

    def offer(self, *, tag: int = 1, proto: str = "RTP/SAVP", **more: Any) -> str:
        """SDP with our key."""
        line = Crypto(tag=str(tag), suite=self.suite, key=self.key).line()
        return sdp(self.port, proto=proto, more=f"a=crypto:{line}", **more)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.wire.append(data)
        try:
            plain = self._in.unprotect_rtcp(data) if is_rtcp(data) else self._in.unprotect(data)
        except (Error, AttributeError):
            self.unopened.append(data)
            return
        super().datagram_received(plain, addr)

    def send(self, port: int, payload: bytes, *, payload_type: int = 0, marker: int = 0) -> RtpPacket:
        packet = self.packet(payload, payload_type=payload_type, marker=marker)
        self.transport.sendto(self._out.protect(packet.serialize()), (HOST, port))
        return packet

    def send_report(self, port: int, report: RtcpSrPacket) -> None:
        """Send RTCP, encrypted too."""
        self.transport.sendto(self._out.protect_rtcp(bytes(report)), (HOST, port))


def with_secure_phone(work: Work, facts: Provider | None = None, notes: list[str] | None = None) -> None:
    """Run `work` with a phone whose ear has SRTP."""

    async def test() -> None:
        async with (
            Carrier(
                accounts=ACCOUNTS,
                options=CarrierOptions(timing=FAST),
                profile=profile_of(facts) if facts else None,
                note=(notes if notes is not None else []).append,
            ) as carrier,
            await Phone.open(carrier.udp_port) as phone,
        ):
            await secure(phone)
            await work(carrier, phone)
            await until(lambda: carrier.calls_up == 0, "all calls to be over")

    asyncio.run(test())


async def secure(phone: Phone) -> SecureEar:
    """Give a phone an ear with SRTP."""
    phone.ear.transport.close()
    phone.ear = ear = await SecureEar.open()
    return ear


def ear_of(phone: Phone) -> SecureEar:
    assert isinstance(phone.ear, SecureEar)
    return phone.ear


async def encrypted_call(phone: Phone, number: str, **more: Any) -> Call:
    """Call with SRTP; the carrier's key is taken from its answer."""
    call = await phone.call(number, body=ear_of(phone).offer(**more))
    ear_of(phone).trust(call.description)
    return call
