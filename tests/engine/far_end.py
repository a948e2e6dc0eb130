"""A far end over UDP that answers as a test tells it to, for what no well-behaved server would say."""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from tests.helpers.sip_client import Message

Answer = Callable[[Message], Sequence[str]]
"""Gets a request; gives status and headers such as `("200 OK", "Expires: 60")`, or nothing to stay silent.

After an empty string come the lines of a body.
"""

_COPIED = {"via", "from", "call-id", "cseq"}
_nonces = itertools.count(1)


class FarEnd(asyncio.DatagramProtocol):
    """One UDP socket.

    Attributes:
        port: Where it listens.
        requests: All requests so far, retransmissions included, keep-alives not.
        keep_alives: How many keep-alives came.
    """

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._transport: asyncio.DatagramTransport | None = None
        self.port = 0
        self.requests: list[Message] = []
        self.keep_alives = 0

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]  # UDP
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if not data.strip():
            self.keep_alives += 1
            return
        request = Message.parse(data.decode())
        if request.code or not request.one("CSeq"):
            return
        self.requests.append(request)
        answer = self._answer(request)
        if answer and self._transport is not None:
            self._transport.sendto(_response(request, answer), addr)

    def of(self, method: str) -> list[Message]:
        """The requests of one method, in order."""
        return [request for request in self.requests if request.start_line.startswith(f"{method} ")]


def _response(request: Message, answer: Sequence[str]) -> bytes:
    status, *rest = answer
    cut = rest.index("") if "" in rest else len(rest)
    body = "".join(f"{line}\r\n" for line in rest[cut + 1 :])
    to = request.one("To")
    copied = [f"{name}: {value}" for name, value in request.headers if name.lower() in _COPIED]
    lines = [f"SIP/2.0 {status}", *copied, f"To: {to}" if ";tag=" in to else f"To: {to};tag=far", *rest[:cut]]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", body]).encode()


@asynccontextmanager
async def far_end(answer: Answer, host: str = "127.0.0.1") -> AsyncIterator[FarEnd]:
    """Open it, on a port of its own; it is closed whatever happens."""
    transport, server = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: FarEnd(answer), local_addr=(host, 0)
    )
    try:
        yield server
    finally:
        transport.close()


def has_ipv6() -> bool:
    """Whether this machine has an IPv6 loopback."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as trial:
            trial.bind(("::1", 0))
    except OSError:
        return False
    return True


def challenge(*, stale: bool = False, code: int = 401, realm: str = "far.example") -> tuple[str, str]:
    """A digest challenge with a fresh nonce."""
    header = "WWW-Authenticate" if code == 401 else "Proxy-Authenticate"
    flag = ", stale=true" if stale else ""
    return (
        f"{code} Asks",
        f'{header}: Digest realm="{realm}", nonce="n{next(_nonces)}", algorithm=MD5, qop="auth"{flag}',
    )


def granted(request: Message, seconds: int = 60) -> tuple[str, str]:
    """200 to a REGISTER with the contact it asked for, or without it when it was taken back."""
    contact = request.one("Contact").partition(";expires")[0]
    if request.one("Expires") == "0" or not contact:
        return "200 OK", "Allow: REGISTER"
    return "200 OK", f"Contact: {contact};expires={seconds}"


class _Echo(asyncio.DatagramProtocol):
    """Sends every packet back."""

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]  # UDP
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._transport.sendto(data, addr)


@asynccontextmanager
async def echoing(host: str = "127.0.0.1") -> AsyncIterator[tuple[str, ...]]:
    """A place that sends RTP back; gives the lines of its SDP, PCMU only."""
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(_Echo, local_addr=(host, 0))
    try:
        yield _sdp(host, transport.get_extra_info("sockname")[1])
    finally:
        transport.close()


def _sdp(host: str, port: int) -> tuple[str, ...]:
    where = f"IN IP6 {host}" if ":" in host else f"IN IP4 {host}"
    audio = (f"m=audio {port} RTP/AVP 0", "a=rtpmap:0 PCMU/8000")
    return ("v=0", f"o=far 1 1 {where}", "s=-", f"c={where}", "t=0 0", *audio)


def from_mu_law(code: int) -> int:
    """A 16-bit sample (ITU-T G.711 table 2a)."""
    code = ~code & 0xFF
    size = (((code & 0x0F) << 3) + 0x84 << (code >> 4 & 0x07)) - 0x84
    return -size if code & 0x80 else size


class _Ear(asyncio.DatagramProtocol):
    """Keeps what it hears, in the order of arrival."""

    def __init__(self) -> None:
        self.samples: list[int] = []

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if data[1] & 0x7F == 0:  # PCMU, and no RTCP
            self.samples.extend(from_mu_law(code) for code in data[12:])


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[tuple[str, ...], list[int]]]:
    """A place that keeps the sound it is sent; gives the lines of its SDP and the samples, 8000 a second."""
    transport, ear = await asyncio.get_running_loop().create_datagram_endpoint(
        _Ear, local_addr=("127.0.0.1", 0)
    )
    try:
        yield _sdp("127.0.0.1", transport.get_extra_info("sockname")[1]), ear.samples
    finally:
        transport.close()
