"""A far end whose every RTP packet a test decides, and that answers one call."""

from __future__ import annotations

import asyncio
import re
import struct
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import NamedTuple

from app.model.call import Source
from app.model.outcome import CallOutcome
from app.model.trunk import SignIn
from app.sip.notices import CallMeters
from app.sip.session import TrunkSession
from tests.engine.far_end import far_end
from tests.engine.waiting import until
from tests.helpers.sip_client import Message
from tests.helpers.trunks import Seen, make_trunk, session

SSRC = 0x52494E47
FIRST = 1000
"""Sequence number of the first packet."""
TICKS = 160
SILENCE = b"\xff" * TICKS


class Sent(NamedTuple):
    """One packet to send.

    Attributes:
        at_ms: When, after the start.
        nth: Its place in the stream; sequence number and timestamp follow from it.
        payload, payload_type, ssrc: As in RTP.
        raw: Sent as it is in place of a packet.
        stranger: Whether it comes from another port.
    """

    at_ms: float
    nth: int = 0
    payload: bytes = SILENCE
    payload_type: int = 0
    ssrc: int = SSRC
    raw: bytes = b""
    stranger: bool = False


def steady(count: int, *, ptime_ms: float = 20.0) -> list[Sent]:
    """Packets at their due times."""
    return [Sent(n * ptime_ms, n) for n in range(count)]


class RtpSource(asyncio.DatagramProtocol):
    """One socket for RTP and RTCP both, and one more to send from elsewhere.

    Attributes:
        port: Where it listens.
        came: RTP packets that came in.
        reports: RTCP packets that came in.
        remote: Where the call's other side wants its RTP.
        elsewhere: The socket of the stranger.
        late_ms: By how much each packet left later than it should have, on a machine that is busy.
    """

    def __init__(self) -> None:
        self.late_ms: list[float] = []
        self.came: list[bytes] = []
        self.reports: list[bytes] = []
        self.remote: tuple[str, int] | None = None
        self.port = 0
        self.elsewhere: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]  # UDP
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        (self.reports if 200 <= data[1] <= 204 else self.came).append(data)

    def sdp(self, *attributes: str, formats: str = "0 101") -> tuple[str, ...]:
        """The lines of its description."""
        where = "IN IP4 127.0.0.1"
        return (
            "v=0", f"o=far 1 1 {where}", "s=-", f"c={where}", "t=0 0",
            f"m=audio {self.port} RTP/AVP {formats}", f"a=rtcp:{self.port}",
            "a=rtpmap:101 telephone-event/8000", *attributes,
        )  # fmt: skip

    async def play(self, packets: Iterable[Sent]) -> None:
        """Send them at their times, counted from the first packet of the other side."""
        await until(lambda: self.remote and self.came, "the first packet of the other side")
        assert self.remote is not None
        loop = asyncio.get_running_loop()
        start = loop.time()
        for packet in sorted(packets, key=lambda one: one.at_ms):
            await asyncio.sleep(max(start + packet.at_ms / 1000 - loop.time(), 0))
            transport = self.elsewhere if packet.stranger else self._transport
            assert transport is not None
            transport.sendto(packet.raw or _rtp(packet), self.remote)
            self.late_ms.append((loop.time() - start) * 1000 - packet.at_ms)

    def own_jitter_ms(self) -> float:
        """The jitter of what left here, ms (RFC 3550 section 6.4.1), its mean: no line could show less."""
        jitter, sum_ms = 0.0, 0.0
        for former, late in pairwise(self.late_ms):
            jitter += (abs(late - former) - jitter) / 16
            sum_ms += jitter
        return sum_ms / max(len(self.late_ms) - 1, 1)

    def report(self, *, lost: int, jitter: int = 0) -> None:
        """Send a receiver report (RFC 3550 section 6.4.2) about what came, with these values."""
        assert self.remote is not None
        (about,) = struct.unpack("!I", self.came[0][8:12])
        words = struct.pack("!IIIIIII", SSRC, about, lost & 0xFFFFFF, 0, jitter, 0, 0)
        head = struct.pack("!BBH", 0x81, 201, len(words) // 4)
        self._transport.sendto(head + words, (self.remote[0], self.remote[1] + 1))


def _rtp(packet: Sent) -> bytes:
    head = struct.pack(
        "!BBHII", 0x80, packet.payload_type, (FIRST + packet.nth) & 0xFFFF, packet.nth * TICKS, packet.ssrc
    )
    return head + packet.payload


class OneCall(NamedTuple):
    """A call to the source.

    Attributes:
        source: Who sends.
        seen: What the session told.
        opened: The session.
        call_id: Its id.
    """

    source: RtpSource
    seen: Seen
    opened: TrunkSession
    call_id: str

    async def end(self) -> CallOutcome:
        """Hang up once all that was sent has arrived, and give what came of it."""
        meters = len(self.seen.of(CallMeters))
        await until(lambda: len(self.seen.of(CallMeters)) > meters + 3, "the meters")
        await self.opened.control.hang_up(self.call_id)
        return await self.opened.wait_call(self.call_id)


@asynccontextmanager
async def calling_source(
    *attributes: str, formats: str = "0 101", codecs: tuple[str, ...] = ("PCMU",)
) -> AsyncIterator[OneCall]:
    """An engine whose call was answered by a source with these lines in its SDP."""
    loop = asyncio.get_running_loop()
    transport, source = await loop.create_datagram_endpoint(RtpSource, local_addr=("127.0.0.1", 0))
    elsewhere, _ = await loop.create_datagram_endpoint(RtpSource, local_addr=("127.0.0.1", 0))
    source.elsewhere = elsewhere

    def answer(request: Message) -> Sequence[str]:
        if not request.start_line.startswith("INVITE"):
            return ("200 OK",)
        port = re.search(r"^m=audio (\d+)", request.body, re.MULTILINE)
        assert port
        source.remote = ("127.0.0.1", int(port[1]))
        headers = (f"Contact: <sip:far@127.0.0.1:{far.port}>", "Content-Type: application/sdp")
        return ("200 OK", *headers, "", *source.sdp(*attributes, formats=formats))

    seen = Seen()
    try:
        async with far_end(answer) as far:
            trunk = make_trunk(far.port, sign_in=SignIn.ADDRESS, codecs=codecs)
            async with session(trunk, "", seen) as opened:
                await opened.connect()
                call_id = await opened.place_call("600", max_seconds=60, ring_seconds=5, source=Source.TONE)
                yield OneCall(source, seen, opened, call_id)
    finally:
        transport.close()
        elsewhere.close()
