"""The sound of a phone: RTP on a port of its own, and how that is offered."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import Any, Self

from aiortp import RtcpPacket, RtpPacket, is_rtcp

HOST = "127.0.0.1"


class Ear(asyncio.DatagramProtocol):
    """The phone's RTP and RTCP on one port, so that RTCP has to follow `a=rtcp`."""

    def __init__(self) -> None:
        self.packets: list[RtpPacket] = []
        self.arrivals: list[float] = []
        self.reports: list[Any] = []
        self.transport: Any = None
        self.port = 0
        self.ssrc = secrets.randbits(32)
        self.sequence = 100
        self.timestamp = 5000

    @classmethod
    async def open(cls) -> Self:
        """Bind a free port."""
        ear = cls()
        ear.transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: ear, local_addr=(HOST, 0)
        )
        ear.port = ear.transport.get_extra_info("sockname")[1]
        return ear

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if is_rtcp(data):
            self.reports.extend(RtcpPacket.parse(data))
        else:
            self.packets.append(RtpPacket.parse(data))
            self.arrivals.append(time.monotonic())

    def send(self, port: int, payload: bytes, *, payload_type: int = 0, marker: int = 0) -> RtpPacket:
        """Send the next packet of our stream to the carrier."""
        packet = self.packet(payload, payload_type=payload_type, marker=marker)
        self.transport.sendto(packet.serialize(), (HOST, port))
        return packet

    def packet(self, payload: bytes, *, payload_type: int = 0, marker: int = 0) -> RtpPacket:
        """The next packet of our stream."""
        packet = RtpPacket(
            payload_type=payload_type,
            marker=marker,
            sequence_number=self.sequence & 0xFFFF,
            timestamp=self.timestamp,
            ssrc=self.ssrc,
            payload=payload,
        )
        self.sequence += 1
        self.timestamp += 160
        return packet


def sdp(
    port: int,
    *,
    types: str = "0 8 9 101",
    direction: str = "sendrecv",
    address: str = HOST,
    proto: str = "RTP/AVP",
    version: int = 1,
    more: str = "",
) -> str:
    """An offer or answer for one audio stream."""
    lines = [
        "v=0",
        f"o=phone 1 {version} IN IP4 {address}",
        "s=-",
        f"c=IN IP4 {address}",
        "t=0 0",
        f"m=audio {port} {proto} {types}",
        *(["a=rtpmap:101 telephone-event/8000"] if "101" in types.split() else []),
        f"a=rtcp:{port}",
        f"a={direction}",
        *([more] if more else []),
    ]
    return "\r\n".join(lines) + "\r\n"
