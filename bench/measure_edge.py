"""What the SIP edge costs: a message's way through it, a registration and a call against plain pjsua2."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time

from app.model.call import Source
from app.model.outcome import Target
from app.model.trunk import Transport
from app.sip.client import EngineClient
from app.sip.demo import DemoCarrier
from app.sip.engine.call_rate import CallRate
from app.sip.engine.edge.hop import Hop
from app.sip.engine.edge.outward import Face
from app.sip.engine.edge.relay import Relay
from app.sip.engine.edge.seen import Seen
from app.sip.engine.edge.wire import Wire
from app.sip.messages import (
    CallChanged,
    Event,
    HangUp,
    OpenAccount,
    PlaceCall,
    Register,
    RegistrationChanged,
    Unregister,
)
from app.sip.syntax.address import HostPort
from bench.figure import Figure

ROUNDS = 40
CALL_S = 20.0
MESSAGES = 2000
NUMBER = "600"


def measure() -> list[Figure]:
    """The way of one message, and registration and call against plain pjsua2."""
    ours_ms, ours_s, plain_ms, plain_s = asyncio.run(_side_by_side())
    way_us = _way_of_a_message_us()
    return [
        Figure(
            name="A response's way through the edge",
            value=way_us / 1000,
            unit="ms",
            budget=1.0,
            note=f"200 to INVITE with SDP, gate and rewriting, median of {MESSAGES}",
        ),
        Figure(
            name="A registration with digest, against plain pjsua2",
            value=ours_ms / plain_ms,
            unit="×",
            budget=3.0,
            note=f"command to event, {ours_ms:.1f} ms against {plain_ms:.1f} ms, median of {ROUNDS}",
        ),
        Figure(
            name="Processor time of a call, against plain pjsua2",
            value=ours_s / plain_s,
            unit="×",
            budget=5.0,
            note=(
                f"PCMU with a tone, levels and listening included: {ours_s * 60 / CALL_S:.2f} s a call-minute"
                f" against {plain_s * 60 / CALL_S:.2f} s"
            ),
        ),
    ]


def _account(port: int, user: str, password: str) -> OpenAccount:
    return OpenAccount(
        user=user,
        host="127.0.0.1",
        port=port,
        auth_id="",
        password=password,
        realm="*",
        caller_id="",
        expires=300,
        register=True,
        codecs=("PCMU",),
        target=Target(address="127.0.0.1", port=port, transport=Transport.UDP, name="127.0.0.1"),
    )


class _Nobody:
    def on_seen(self, seen: Seen) -> None: ...
    def on_detour(self, method: str, call_id: str, obstacle: str) -> None: ...
    def on_stranger(self, method: str, user: str, source: Hop, code: int) -> None: ...
    def on_new_address(self) -> None: ...


def _way_of_a_message_us() -> float:
    sent: list[bytes] = []

    def send(raw: bytes, hop: Hop) -> str:
        sent.append(raw)
        return ""

    wire = Wire(
        _account(5060, "1001", "x"),
        face=Face(ours=HostPort("127.0.0.1", 5099), transport=Transport.UDP),
        edge=HostPort("127.0.0.1", 4000),
        inner=HostPort("127.0.0.1", 4001),
        listener=_Nobody(),
        send=send,
        deliver=lambda raw: None,
        find=lambda name, then: then(None),
        rate=CallRate(),
    )
    relay = Relay(wire)
    sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    sdp += "m=audio 4000 RTP/AVP 0 101\r\n"
    sdp += "a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=sendrecv\r\n"
    invite = (
        "INVITE sip:600@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:4001;rport;branch=z9hG4bK1\r\n"
        "Max-Forwards: 70\r\nFrom: <sip:1001@127.0.0.1>;tag=a\r\nTo: <sip:600@127.0.0.1>\r\n"
        "Contact: <sip:1001@127.0.0.1:4001;ob>\r\nCall-ID: bench\r\nCSeq: 1 INVITE\r\n"
        "Content-Length: 0\r\n\r\n"
    )
    relay.from_pjsip(invite.encode())
    answer = (
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1:5099;rport=5099;branch=z9hG4bK1\r\n"
        "Record-Route: <sip:127.0.0.1:5060;lr>\r\nFrom: <sip:1001@127.0.0.1>;tag=a\r\n"
        "To: <sip:600@127.0.0.1>;tag=b\r\nCall-ID: bench\r\nCSeq: 1 INVITE\r\n"
        "Contact: <sip:600@127.0.0.1:5060>\r\nAllow: INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE\r\n"
        "Supported: timer, 100rel\r\nServer: bench\r\nContent-Type: application/sdp\r\n"
        f"Content-Length: {len(sdp)}\r\n\r\n{sdp}"
    ).encode()
    source = Hop(Transport.UDP, "127.0.0.1", 5060)
    took: list[float] = []
    for _ in range(MESSAGES):
        began = time.perf_counter()
        relay.from_far(answer, source)
        took.append(time.perf_counter() - began)
    return statistics.median(took) * 1e6


async def _side_by_side() -> tuple[float, float, float, float]:
    """Registration in ms and a call's processor time in s, ours and plain pjsua2's, one after the other."""
    carrier = DemoCarrier()
    await carrier.start()
    try:
        ours = await _ours(carrier)
        plain = await asyncio.to_thread(_plain, carrier)
    finally:
        await carrier.stop()
    return (*ours, *plain)


async def _ours(carrier: DemoCarrier) -> tuple[float, float]:
    events: asyncio.Queue[Event] = asyncio.Queue()
    engine = EngineClient(on_event=events.put_nowait, on_end=lambda _: None)

    async def next_of(kind: type[Event], state: str = "") -> None:
        async with asyncio.timeout(15):
            while True:
                event = await events.get()
                if isinstance(event, kind) and (not state or getattr(event, "state", "") == state):
                    return

    try:
        await engine.start()
        await engine.request(_account(carrier.port, carrier.user, carrier.password))
        took: list[float] = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            await engine.request(Register())
            await next_of(RegistrationChanged)
            took.append((time.perf_counter() - began) * 1000)
            await engine.request(Unregister())
            await next_of(RegistrationChanged)
        await engine.request(
            PlaceCall(call_id="bench", user=NUMBER, max_seconds=60, ring_seconds=10, source=Source.TONE)
        )
        await next_of(CallChanged, "answered")
        before = _cpu_s(engine.pid)
        await asyncio.sleep(CALL_S)  # the time that is measured
        cpu_s = _cpu_s(engine.pid) - before
        await engine.request(HangUp(call_id="bench"))
        await next_of(CallChanged, "ended")
    finally:
        await engine.stop()
    return statistics.median(took), cpu_s


def _plain(carrier: DemoCarrier) -> tuple[float, float]:
    asked = {
        "port": carrier.port,
        "user": carrier.user,
        "password": carrier.password,
        "rounds": ROUNDS,
        "number": NUMBER,
        "seconds": CALL_S,
    }
    done = subprocess.run(
        [sys.executable, "-m", "bench.plain_pjsua2"],
        input=json.dumps(asked) + "\n",
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=120,
    )
    figures = json.loads(done.stdout.splitlines()[-1])
    return statistics.median(figures["registration_ms"]), figures["cpu_s"]


def _cpu_s(pid: int) -> float:
    """Processor time of a process so far; read from /proc, so on Linux only."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
