"""Sound on the wire: a talker that sends a tone as RTP and keeps what it hears, and what is in a sound."""

from __future__ import annotations

import asyncio
import math
import struct
from bisect import bisect_right
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import cache

from app.model.sound import amplitude, dbm0, rms
from tests.engine.far_end import from_mu_law

RATE = 8000
TONE_DBM0 = -10.0
_FRAME = 160
_PCMU = 0
_DECODED = [from_mu_law(code) for code in range(256)]
_CODES = sorted(range(256), key=_DECODED.__getitem__)
_SAMPLES = [_DECODED[code] for code in _CODES]


class Talker(asyncio.DatagramProtocol):
    """One RTP socket on loopback, PCMU.

    Attributes:
        port: Its port.
        number: Packets sent so far.
        to: Where its tone is sent, None while it says nothing.
        heard: The samples that came in, 8000 a second.
        payload_types: Of every packet that came in.
        events: Digits of RFC 4733 that came in, one for each.
    """

    def __init__(self, hertz: int) -> None:
        self._codes = _tone(hertz)
        self._transport: asyncio.DatagramTransport | None = None
        self.port = 0
        self.to: tuple[str, int] | None = None
        self.heard: list[int] = []
        self.payload_types: list[int] = []
        self.events: list[str] = []
        self._last_event = b""
        self.number = 0
        self._ssrc = id(self) & 0xFFFFFFFF

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]  # UDP
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        kind = data[1] & 0x7F
        if 64 <= kind < 96:  # RTCP on the same port
            return
        self.payload_types.append(kind)
        if kind == _PCMU:
            self.heard.extend([_DECODED[code] for code in data[12:]])
        elif kind >= 96 and data[12] < 16 and data[4:8] != self._last_event:
            self._last_event = data[4:8]
            self.events.append("0123456789*#ABCD"[data[12]])

    def say(self) -> None:
        """Send the next 20 ms."""
        if self.to is None or self._transport is None:
            return
        start = self.number * _FRAME % len(self._codes)
        payload = self._codes[start : start + _FRAME]
        self._send(_PCMU, self.number * _FRAME, payload)

    def tune(self, hertz: int) -> None:
        """Say another tone from now on."""
        self._codes = _tone(hertz)

    def press(self, digit: str, payload_type: int) -> None:
        """Send one digit of RFC 4733: begin, and its end three times."""
        at = self.number * _FRAME
        code = "0123456789*#ABCD".index(digit)
        for end, length in ((0, 160), (0, 320), (0x80, 480), (0x80, 480), (0x80, 480)):
            self._send(payload_type, at, bytes([code, end | 10]) + struct.pack("!H", length))

    def _send(self, kind: int, timestamp: int, payload: bytes) -> None:
        self.number += 1
        head = struct.pack("!BBHII", 0x80, kind, self.number & 0xFFFF, timestamp & 0xFFFFFFFF, self._ssrc)
        if self._transport is not None and self.to is not None:
            self._transport.sendto(head + payload, self.to)


@asynccontextmanager
async def talking_at(hertz: int = 700) -> AsyncIterator[Talker]:
    """Open one; it begins to talk when its `to` is set."""
    loop = asyncio.get_running_loop()
    transport, talker = await loop.create_datagram_endpoint(
        lambda: Talker(hertz), local_addr=("127.0.0.1", 0)
    )

    async def clock() -> None:
        due = loop.time()
        while True:
            talker.say()
            # Late packets follow one another, as in a network, but not a whole second of them
            due = max(due + 0.02, loop.time() - 0.1)
            await asyncio.sleep(max(0.0, due - loop.time()))

    task = asyncio.create_task(clock())
    try:
        yield talker
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        transport.close()


def strength(samples: Sequence[int], hertz: float) -> float:
    """Level of one frequency in a sound, dBm0, by Goertzel's recursion; -99 for none."""
    if not samples:
        return -99.0
    turn = 2 * math.cos(2 * math.pi * hertz / RATE)
    one = two = 0.0
    for value in samples:
        one, two = value + turn * one - two, one
    power = one * one + two * two - turn * one * two
    level = dbm0(math.sqrt(max(power, 0.0) * 2) / len(samples))
    return -99.0 if level is None else level


def loudness(samples: Sequence[int]) -> float:
    """Level of a sound, dBm0; -99 for none."""
    level = dbm0(rms(samples)) if samples else None
    return -99.0 if level is None else level


@cache
def _tone(hertz: int) -> bytes:
    """A second of it in mu-law."""
    peak = amplitude(TONE_DBM0)
    turn = 2 * math.pi * hertz / RATE
    return bytes(_code(round(peak * math.sin(turn * n))) for n in range(RATE))


def _code(value: int) -> int:
    """The mu-law code next below a sample."""
    return _CODES[bisect_right(_SAMPLES, value) - 1]
