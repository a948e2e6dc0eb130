"""RTCP figures, lost packets, and what is not RTP."""

from __future__ import annotations

import asyncio
import itertools
import time

import pytest
from aiortp import RtcpSrPacket, RtpTransport
from aiortp.packet import RtcpReceiverInfo, RtcpSenderInfo

from app.sip.carrier.media import MediaStream
from app.sip.carrier.messages import CarrierOptions
from app.sip.carrier.offers import Plan
from app.sip.carrier.server import Carrier
from tests.carrier.ear import Ear
from tests.carrier.phone import FAST, HOST, Phone, until
from tests.carrier.test_numbers import with_phone


def blocks(ear: Ear) -> list[RtcpReceiverInfo]:
    """Reception reports about us, oldest first."""
    return [b for report in ear.reports for b in getattr(report, "reports", ()) if b.ssrc == ear.ssrc]


def senders(ear: Ear) -> list[RtcpSrPacket]:
    return [report for report in ear.reports if isinstance(report, RtcpSrPacket)]


def test_reports_tell_loss_round_trip_and_what_was_sent() -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        call = await phone.call("600")
        ear = phone.ear
        for n in range(50):
            if n % 5 == 2:
                ear.sequence += 1  # never sent
            ear.send(call.rtp_port, b"z" * 160)
        ntp = (0x1234_5678 << 32) | 0x9ABC_DEF0
        info = RtcpSenderInfo(ntp_timestamp=ntp, rtp_timestamp=1, packet_count=50, octet_count=8000)
        sent_at = time.monotonic()
        await until(lambda: len(ear.packets) == 50, "the echo")
        ear.transport.sendto(bytes(RtcpSrPacket(ssrc=ear.ssrc, sender_info=info)), (HOST, call.rtp_port + 1))
        block = (await until(lambda: [b for b in blocks(ear) if b.lsr], "a report with our time"))[0]
        elapsed = time.monotonic() - sent_at
        assert block.lsr == 0x5678_9ABC
        assert 0 <= block.dlsr / 65_536 <= elapsed
        assert block.packets_lost == 10
        assert block.highest_sequence == 159
        assert any(b.fraction_lost for b in blocks(ear))
        report = (await until(lambda: senders(ear), "a sender report"))[-1]
        assert report.ssrc == ear.packets[0].ssrc
        assert (report.sender_info.packet_count, report.sender_info.octet_count) == (50, 8000)
        await call.bye()

    with_phone(work)


def test_reports_follow_a_rtcp_attribute_and_end_with_goodbye() -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        call = await phone.call("601")
        # The phone's one port takes both, so that any report has followed a=rtcp
        await until(lambda: len(senders(phone.ear)) >= 2, "sender reports")
        first, second = senders(phone.ear)[:2]
        seconds = (second.sender_info.ntp_timestamp - first.sender_info.ntp_timestamp) / 2**32
        ticks = second.sender_info.rtp_timestamp - first.sender_info.rtp_timestamp
        assert ticks / 8000 == pytest.approx(seconds, abs=0.025)
        await call.bye()
        await until(lambda: any(type(r).__name__ == "RtcpByePacket" for r in phone.ear.reports), "goodbye")

    with_phone(work)


def test_a_share_of_the_packets_can_be_lost_on_purpose_each_way() -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        call = await phone.call("600")
        for n in range(100):
            phone.ear.send(call.rtp_port, bytes([n]) * 160)
        # A quarter is lost on its way there, and a quarter of the rest on its way back
        counts = await until(
            lambda: [s.sender_info.packet_count for s in senders(phone.ear)], "the carrier's own count"
        )
        assert counts[-1] == pytest.approx(75, abs=1)
        assert len(phone.ear.packets) == pytest.approx(75 * 0.75, abs=1.5)
        numbers = [p.sequence_number for p in phone.ear.packets]
        gaps = [((b - a) & 0xFFFF) - 1 for a, b in itertools.pairwise(numbers)]
        assert sum(gaps) == pytest.approx(75 * 0.25, abs=1.5)
        reported = await until(lambda: blocks(phone.ear), "the carrier's report about us")
        assert reported[-1].packets_lost == pytest.approx(25, abs=1)
        await call.bye()

    with_phone(work, options=CarrierOptions(loss_pct=25, timing=FAST))


def test_delay_holds_sound_and_reports_back_each_way() -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        call = await phone.call("600")
        sent_at = time.monotonic()
        phone.ear.send(call.rtp_port, b"z" * 160)
        info = RtcpSenderInfo(ntp_timestamp=1 << 40, rtp_timestamp=1, packet_count=1, octet_count=160)
        phone.ear.transport.sendto(
            bytes(RtcpSrPacket(ssrc=phone.ear.ssrc, sender_info=info)), (HOST, call.rtp_port)
        )
        await until(lambda: phone.ear.packets, "the echo")
        assert (phone.ear.arrivals[0] - sent_at) * 1000 == pytest.approx(200, abs=40)
        block = await until(lambda: [b for b in blocks(phone.ear) if b.lsr], "a report about the report")
        round_trip_ms = (time.monotonic() - sent_at - block[0].dlsr / 65_536) * 1000
        assert round_trip_ms == pytest.approx(200, abs=40)
        await call.bye()

    with_phone(work, options=CarrierOptions(delay_ms=100, timing=FAST))


def test_jitter_comes_out_as_asked_and_in_order() -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        call = await phone.call("601")
        await until(lambda: len(phone.ear.packets) >= 200, "sound")
        numbers = [p.sequence_number for p in phone.ear.packets]
        assert all((b - a) & 0xFFFF == 1 for a, b in itertools.pairwise(numbers))
        transits = [
            at * 1000 - p.timestamp / 8 for at, p in zip(phone.ear.arrivals, phone.ear.packets, strict=True)
        ]
        differences = [abs(b - a) for a, b in itertools.pairwise(transits)]
        assert sum(differences) / len(differences) == pytest.approx(30, rel=0.1)
        await call.bye()

    with_phone(work, options=CarrierOptions(jitter_ms=30, timing=FAST))


def test_on_a_busy_machine_no_packet_overtakes_one_whose_timer_is_late() -> None:
    class Wire(RtpTransport):
        def __init__(self) -> None:
            super().__init__(lambda data, addr: None, lambda data, addr: None)
            self.sent: list[bytes] = []

        def send(self, data: bytes, addr: tuple[str, int]) -> None:
            self.sent.append(data)

    async def work() -> None:
        stream, wire, loop = MediaStream(HOST, rtcp_s=5.0), Wire(), asyncio.get_running_loop()
        try:
            due = loop.time() + 0.002
            stream._send_at(due, wire, b"first", (HOST, 9))
            while loop.time() <= due:
                pass  # busy: no timer can run
            stream._send_at(due, wire, b"second", (HOST, 9))
            await until(lambda: len(wire.sent) == 2, "both")
            assert wire.sent == [b"first", b"second"]
            stream._send_at(loop.time(), wire, b"third", (HOST, 9))
            assert wire.sent[2:] == [b"third"]
        finally:
            await stream.close()

    asyncio.run(work())


@pytest.mark.parametrize("junk", [b"", b"x", b"\x80" * 11, b"\x00" * 40, b"\x80\xc8\x00\x06" + b"\x00" * 8])
def test_what_is_neither_rtp_nor_rtcp_is_ignored(junk: bytes) -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        call = await phone.call("600")
        for port in (call.rtp_port, call.rtp_port + 1):
            phone.ear.transport.sendto(junk, (HOST, port))
        phone.ear.send(call.rtp_port, b"\x01", payload_type=101)  # too short for an event
        phone.ear.send(call.rtp_port, b"ok" * 80)
        await until(lambda: any(p.payload == b"ok" * 80 for p in phone.ear.packets), "the echo")
        await call.bye()

    with_phone(work)


def test_a_new_source_starts_new_statistics() -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        call = await phone.call("600")
        ear = phone.ear
        for _ in range(5):
            ear.send(call.rtp_port, b"1" * 160)
        await until(lambda: len(ear.packets) == 5, "the echo")
        ear.ssrc += 1
        ear.sequence = 40_000
        for _ in range(5):
            ear.send(call.rtp_port, b"2" * 160)
        await until(lambda: len(ear.packets) == 10, "the echo")
        block = (await until(lambda: blocks(ear), "a report about the new source"))[-1]
        assert (block.packets_lost, block.highest_sequence) == (0, 40_004)
        await call.bye()

    with_phone(work)


def test_a_stream_closed_before_it_opens_frees_its_ports() -> None:
    async def test() -> None:
        for opened in (False, True):
            stream = MediaStream(HOST, rtcp_s=1)
            assert stream.port % 2 == 0
            opening = asyncio.create_task(stream.open()) if opened else None
            await stream.close()
            if opening:
                await opening

    asyncio.run(test())


def test_digits_are_not_sent_to_a_side_without_telephone_events() -> None:
    async def test() -> None:
        ear = await Ear.open()
        stream = MediaStream(HOST, rtcp_s=1)
        await stream.open()
        remote = (HOST, ear.port)
        stream.use(Plan(codec="PCMU", payload_type=0, event_type=None, remote=remote, remote_rtcp=remote))
        await stream.send_digits("12")
        assert ear.packets == []
        await stream.close()
        ear.transport.close()

    asyncio.run(test())
