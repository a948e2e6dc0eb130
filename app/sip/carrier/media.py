"""One RTP stream and its RTCP (RFC 3550), with telephone events (RFC 4733), plain or as SRTP."""

from __future__ import annotations

import asyncio
import itertools
import logging
import secrets
import socket
from collections import deque
from collections.abc import Callable, Iterator

from aiortp import (
    DtmfEvent,
    DtmfReceiver,
    MediaClock,
    RtcpByePacket,
    RtcpPacket,
    RtcpRrPacket,
    RtcpSdesPacket,
    RtcpSrPacket,
    RtpPacket,
    RtpTransport,
    StreamStatistics,
)
from aiortp.clock import current_ntp_time
from aiortp.dtmf import DTMF_EVENTS
from aiortp.packet import RtcpReceiverInfo, RtcpSenderInfo, RtcpSourceInfo

from app.sip.carrier.impairment import Impairment, Line
from app.sip.carrier.offers import Plan
from app.sip.carrier.sound import Frames
from app.sip.carrier.srtp import Protection

log = logging.getLogger(__name__)

CLOCK_HZ = 8000
FRAME_S = 0.02
FRAME_TICKS = 160
BYTES_PER_MS = 8
"""Of all codecs here, which have 64 kbit/s."""
BIND_ATTEMPTS = 50

EVENT_FRAMES = 6
"""Length of a digit that we send: 120 ms, well above the 40 ms that RFC 4733 section 2.5.2.4 asks for."""

EVENT_GAP_FRAMES = 4
EVENT_VOLUME_DBM0 = 10
EVENT_END_PACKETS = 3
_MAX_UINT32 = 2**32 - 1


def bind_media_sockets(host: str) -> tuple[socket.socket, socket.socket]:
    """Bind an even port for RTP and the next one for RTCP (RFC 3550 section 11).

    Raises:
        OSError: No such pair is free.
    """
    for _ in range(BIND_ATTEMPTS):
        rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        rtcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            rtp.bind((host, 0))
            port = rtp.getsockname()[1]
            if port % 2 == 0 and port < 65_534:
                rtcp.bind((host, port + 1))
                rtp.setblocking(False)
                rtcp.setblocking(False)
                return rtp, rtcp
        except OSError as error:
            log.debug("RTP port pair: %s", error)
        rtp.close()
        rtcp.close()
    raise OSError(f"no two adjacent UDP ports are free on {host}")


class MediaStream:
    """One stream in both directions. It is silent until a plan is set and it is told what to send.

    Args:
        host: Loopback address; the ports are bound at once, OSError when there are none.
        rtcp_s: Seconds between reports.
        impairment: How bad the line is; a lost packet is numbered and not sent, or came and is not taken.
    """

    def __init__(self, host: str, *, rtcp_s: float, impairment: Impairment | None = None) -> None:
        self._sockets: tuple[socket.socket, ...] = bind_media_sockets(host)
        self.port = int(self._sockets[0].getsockname()[1])
        self._rtcp_s = rtcp_s
        bad = impairment or Impairment()
        self._delay_ms = bad.delay_ms
        self._line_out = Line(loss_pct=bad.loss_pct, jitter_ms=bad.jitter_ms, delay_ms=bad.delay_ms, seed=1)
        self._line_in = Line(loss_pct=bad.loss_pct, seed=2)
        self._rtp = RtpTransport(self._rtp_received, self._rtcp_received)
        self._rtcp = RtpTransport(self._rtp_received, self._rtcp_received)
        self._clock = MediaClock(FRAME_S, self._tick)
        self._clock_runs = False
        self._report_timer: asyncio.TimerHandle | None = None
        self._plan: Plan | None = None
        self._closed = False
        self._on_the_way = 0

        self._ssrc = secrets.randbits(32)
        # Below 2^15, so that no packet lost at the start hides its first overflow (RFC 3711 section 3.3.1)
        self._sequence = secrets.randbits(15)
        self._timestamp = secrets.randbits(32)
        self._last_audio = (0, 0.0)
        self._packets_sent = 0
        self._bytes_sent = 0

        self._remote_ssrc: int | None = None
        self._statistics = StreamStatistics(CLOCK_HZ)
        self._last_sr: tuple[int, float] | None = None
        self._digits_in = DtmfReceiver(self._digit_received)

        self._frames: Iterator[bytes] | None = None
        self._packets_due: deque[tuple[bytes, bool] | None] = deque()
        self._event_timestamp = 0
        self._digits_sent = asyncio.Event()
        self._digits_sent.set()

        self.protection = Protection()
        self.heard_at = 0.0
        self.on_packet: Callable[[RtpPacket], None] | None = None
        self.on_digit: Callable[[str], None] | None = None

    @property
    def packets_received(self) -> int:
        """RTP packets of the current source."""
        return self._statistics.packets_received

    @property
    def packets_sent(self) -> int:
        """RTP packets numbered, dropped ones included."""
        return self._packets_sent

    @property
    def plan(self) -> Plan | None:
        """What was agreed last."""
        return self._plan

    async def open(self) -> None:
        """Begin to read; a stream that was closed meanwhile stays closed."""
        loop = asyncio.get_running_loop()
        rtp_rtcp, self._sockets = self._sockets, ()
        if self._closed:
            return
        rtp, rtcp = rtp_rtcp
        await loop.create_datagram_endpoint(lambda: self._rtp, sock=rtp)
        await loop.create_datagram_endpoint(lambda: self._rtcp, sock=rtcp)
        if self._closed:
            self._rtp.close()
            self._rtcp.close()

    def use(self, plan: Plan) -> None:
        """Send and receive by this plan from now on; on hold only RTCP goes out."""
        self._plan = plan
        self.protection.use(plan.crypto)
        self.heard_at = asyncio.get_running_loop().time()
        if self._report_timer is None and not self._closed:
            self._schedule_report()

    async def close(self) -> None:
        """Say goodbye by RTCP and free the ports."""
        if self._closed:
            return
        self._closed = True
        self._frames = None
        if self._clock_runs:
            await self._clock.stop()
        if self._report_timer:
            self._report_timer.cancel()
        self._digits_sent.set()
        if self._plan and (self._packets_sent or self._remote_ssrc is not None):
            self._send_report(goodbye=True)
        self._rtp.close()
        self._rtcp.close()
        for sock in self._sockets:
            sock.close()
        await asyncio.sleep(0)

    # Sending

    def echo(self) -> None:
        """Send every packet back: same payload, payload type, marker and timestamp.

        Sequence numbers are our own, so that a packet lost on its way here is no loss on the way back, and
        the two directions can be told apart.
        """
        self.on_packet = self._echo

    def play(self, frames: Frames) -> None:
        """Send these frames over and over, one every 20 ms."""
        self._frames = itertools.cycle(frames)
        self._start_clock()

    async def send_digits(self, digits: str) -> None:
        """Send digits as telephone events; returns when the last one is out."""
        for digit in digits:
            event = DTMF_EVENTS[digit]
            packets = [
                DtmfEvent(event, end, EVENT_VOLUME_DBM0, min(n, EVENT_FRAMES) * FRAME_TICKS).serialize()
                for n in range(1, EVENT_FRAMES + EVENT_END_PACKETS)
                for end in (n >= EVENT_FRAMES,)
            ]
            self._packets_due.extend((packet, n == 0) for n, packet in enumerate(packets))
            self._packets_due.extend([None] * EVENT_GAP_FRAMES)
        if self._packets_due and not self._closed:
            self._digits_sent.clear()
            self._start_clock()
            await self._digits_sent.wait()

    def forward(self, packet: RtpPacket, source: Plan | None) -> None:
        """Send a packet that came in on a stream with plan `source`, with the payload type right here."""
        if self._plan is None or source is None:
            return
        if packet.payload_type == source.payload_type:
            payload_type = self._plan.payload_type
        elif packet.payload_type == source.event_type and self._plan.event_type is not None:
            payload_type = self._plan.event_type
        else:
            return
        self._send(payload_type, packet.payload, packet.timestamp, packet.marker)

    def _start_clock(self) -> None:
        if not self._clock_runs and not self._closed:
            self._clock_runs = True
            self._clock.start()

    def _tick(self) -> None:
        """One frame time: a piece of a digit if one is due, else audio."""
        self._timestamp = (self._timestamp + FRAME_TICKS) & _MAX_UINT32
        due = self._packets_due.popleft() if self._packets_due else None
        if not self._packets_due:
            self._digits_sent.set()
        frame = next(self._frames, b"") if self._frames else b""
        if self._plan is None:
            return
        if due is not None and self._plan.event_type is not None:
            payload, first = due
            if first:
                self._event_timestamp = self._timestamp
            self._send(self._plan.event_type, payload, self._event_timestamp, int(first))
        elif frame:
            self._send(self._plan.payload_type, frame, self._timestamp, int(not self._packets_sent))

    def _echo(self, packet: RtpPacket) -> None:
        self._send(packet.payload_type, packet.payload, packet.timestamp, packet.marker)

    def _send(self, payload_type: int, payload: bytes, timestamp: int, marker: int) -> None:
        if self._plan is None or self._closed or not self._plan.sends:
            return
        packet = RtpPacket(
            payload_type=payload_type,
            marker=marker,
            sequence_number=self._sequence,
            timestamp=timestamp,
            ssrc=self._ssrc,
            payload=payload,
        )
        self._sequence = (self._sequence + 1) & 0xFFFF
        if payload_type != self._plan.event_type:
            self._last_audio = (timestamp, asyncio.get_running_loop().time())
        self._packets_sent += 1
        self._bytes_sent += len(payload)
        if self._line_out.loses():
            return
        data = self.protection.seal(packet.serialize())
        if data:
            packet_ms = max(len(payload) / BYTES_PER_MS, FRAME_S * 1000)
            due = self._line_out.due(asyncio.get_running_loop().time(), packet_ms=packet_ms)
            self._send_at(due, self._rtp, data, self._plan.remote)

    def _send_at(self, due: float, transport: RtpTransport, data: bytes, remote: tuple[str, int]) -> None:
        """Send a packet when the line lets it through, seconds on the loop's clock."""
        loop = asyncio.get_running_loop()

        def let_through() -> None:
            self._on_the_way -= 1
            if not self._closed:
                transport.send(data, remote)

        # A timer that is late still has its packet: one that is due by now would overtake it. The last one
        # can't wait, the port closes behind it
        if self._closed or (due <= loop.time() and not self._on_the_way):
            transport.send(data, remote)
        else:
            self._on_the_way += 1
            loop.call_at(due, let_through)

    # Receiving

    def _rtp_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if not self._line_in.loses():
            self._take_later(self._take_rtp, data, addr)

    def _rtcp_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._take_later(self._take_rtcp, data, addr)

    def _take_later(
        self, take: Callable[[bytes, tuple[str, int]], None], data: bytes, addr: tuple[str, int]
    ) -> None:
        if self._delay_ms:
            asyncio.get_running_loop().call_later(self._delay_ms / 1000, take, data, addr)
        else:
            take(data, addr)

    def _take_rtp(self, data: bytes, addr: tuple[str, int]) -> None:
        try:
            packet = RtpPacket.parse(self.protection.open(data))
        except ValueError as error:
            log.debug("not RTP from %s: %s", addr, error)
            return
        if self._closed or self._plan is None:
            return
        self.heard_at = asyncio.get_running_loop().time()
        if packet.ssrc != self._remote_ssrc:
            self._remote_ssrc = packet.ssrc
            self._statistics = StreamStatistics(CLOCK_HZ)
        self._statistics.add(packet)
        if packet.payload_type == self._plan.event_type and len(packet.payload) >= 4:
            self._digits_in.handle_packet(packet)
        if self.on_packet:
            self.on_packet(packet)

    def _digit_received(self, digit: str, _duration: int) -> None:
        if self.on_digit and digit in DTMF_EVENTS:
            self.on_digit(digit)

    def _take_rtcp(self, data: bytes, addr: tuple[str, int]) -> None:
        loop = asyncio.get_running_loop()
        try:
            packets = RtcpPacket.parse(self.protection.open_rtcp(data))
        except ValueError as error:
            log.debug("not RTCP from %s: %s", addr, error)
            return
        self.heard_at = loop.time()
        for packet in packets:
            if isinstance(packet, RtcpSrPacket):
                first = self._last_sr is None
                self._last_sr = ((packet.sender_info.ntp_timestamp >> 16) & _MAX_UINT32, loop.time())
                if first and self._plan and not self._closed:
                    # Gives the other side its round-trip time at once, even in a short call
                    self._send_report()

    # RTCP

    def _schedule_report(self) -> None:
        def report() -> None:
            self._send_report()
            self._schedule_report()

        # Half to one and a half of the interval, so that ends do not fall into step (RFC 3550 section 6.2)
        spread = 0.5 + secrets.randbelow(1000) / 1000
        self._report_timer = asyncio.get_running_loop().call_later(self._rtcp_s * spread, report)

    def _send_report(self, *, goodbye: bool = False) -> None:
        """SR when we have sent, else RR, with SDES as every compound packet must have."""
        if self._plan is None:
            return
        block = self._reception()
        reports = [block] if block else []
        if self._packets_sent:
            timestamp, at = self._last_audio
            since = asyncio.get_running_loop().time() - at
            sender = RtcpSenderInfo(
                ntp_timestamp=current_ntp_time(),
                rtp_timestamp=(timestamp + round(since * CLOCK_HZ)) & _MAX_UINT32,
                packet_count=self._packets_sent & _MAX_UINT32,
                octet_count=self._bytes_sent & _MAX_UINT32,
            )
            data = bytes(RtcpSrPacket(ssrc=self._ssrc, sender_info=sender, reports=reports))
        else:
            data = bytes(RtcpRrPacket(ssrc=self._ssrc, reports=reports))
        name = RtcpSourceInfo(ssrc=self._ssrc, items=[(1, b"carrier@127.0.0.1")])
        data += bytes(RtcpSdesPacket(chunks=[name]))
        if goodbye:
            data += bytes(RtcpByePacket(sources=[self._ssrc]))
        sealed = self.protection.seal_rtcp(data)
        due = asyncio.get_running_loop().time() + self._delay_ms / 1000
        self._send_at(due, self._rtcp, sealed, self._plan.remote_rtcp)

    def _reception(self) -> RtcpReceiverInfo | None:
        statistics = self._statistics
        if self._remote_ssrc is None or statistics.max_seq is None:
            return None
        middle, delay = 0, 0
        if self._last_sr:
            middle, at = self._last_sr
            delay = round((asyncio.get_running_loop().time() - at) * 65_536)
        return RtcpReceiverInfo(
            ssrc=self._remote_ssrc,
            fraction_lost=min(statistics.fraction_lost, 255),
            packets_lost=statistics.packets_lost,
            highest_sequence=(statistics.cycles + statistics.max_seq) & _MAX_UINT32,
            jitter=min(statistics.jitter, _MAX_UINT32),
            lsr=middle,
            dlsr=min(delay, _MAX_UINT32),
        )
