"""Which of a provider's servers is nearest: one OPTIONS to each, side by side, and the time to its answer."""

from __future__ import annotations

import asyncio
import os
import secrets
import ssl
import time
from collections.abc import Callable, Sequence

import msgspec

from app.model.outcome import Target
from app.model.trunk import Transport
from app.sip.targets import ResolveError, resolve

LIMIT_S = 4.0
"""For everything: looking names up and waiting for answers."""
AT_ONCE = 12
"""Servers asked side by side; more at a time would measure our own network."""
REPEAT_S = (0.5, 1.0)
"""Over UDP a request that was lost is sent again after these times (RFC 3261 section 17.1.2.2)."""


class ServerAddress(msgspec.Struct, frozen=True, kw_only=True):
    """A server as a trunk would have it."""

    host: str
    port: int | None = None
    transport: Transport = Transport.UDP


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What came of asking one server.

    Attributes:
        server: The server.
        ms: From the request to its answer, ms; with TCP and TLS on a connection that is up. None without one.
        words: The answer's status, or why there was none.
    """

    server: ServerAddress
    ms: float | None = None
    words: str = ""


async def find_nearest(
    servers: Sequence[ServerAddress],
    on_result: Callable[[Reply], None],
    limit_s: float = LIMIT_S,
) -> tuple[Reply, ...]:
    """Ask every server once; any SIP answer counts, a refusal too.

    Args:
        servers: Whom to ask.
        on_result: Gets each reply as it comes.
        limit_s: After this many seconds whoever has not answered did not answer.

    Returns:
        All replies, the quickest first, those without an answer at the end in their order.
    """
    places = asyncio.Semaphore(AT_ONCE)
    until = asyncio.get_running_loop().time() + limit_s

    async def one(server: ServerAddress) -> Reply:
        try:
            async with places, asyncio.timeout_at(until):
                reply = await _ask(server)
        except TimeoutError:
            reply = Reply(server=server, words="no answer")
        on_result(reply)
        return reply

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(server)) for server in servers]
    replies = [task.result() for task in tasks]
    return tuple(sorted(replies, key=lambda reply: float("inf") if reply.ms is None else reply.ms))


async def _ask(server: ServerAddress) -> Reply:
    try:
        found = await resolve(server.host, server.port, server.transport)
    except ResolveError as error:
        return Reply(server=server, words=str(error.cause))
    target = next((target for target in found.targets if ":" not in target.address), None)
    if target is None:
        return Reply(server=server, words="has no IPv4 address")
    try:
        if server.transport is Transport.UDP:
            ms, status = await _by_udp(target, server.host)
        else:
            ms, status = await _by_stream(target, server.host)
    except ssl.SSLError as error:
        return Reply(server=server, words=f"TLS failed: {error.reason or error}")
    except ConnectionRefusedError:
        return Reply(server=server, words="connection refused")
    except OSError as error:
        # asyncio's own words name addresses; the system's say what is the matter
        words = os.strerror(error.errno) if error.errno else "can't be reached"
        return Reply(server=server, words=words.lower())
    return Reply(server=server, ms=ms, words=status)


def options_request(target: Target, host: str, local: tuple[str, int]) -> bytes:
    """An OPTIONS outside of any dialog (RFC 3261 section 11.1)."""
    address, port = local
    branch, tag, call_id = (secrets.token_hex(8) for _ in range(3))
    uri_host = f"[{host}]" if ":" in host else host
    lines = [
        f"OPTIONS sip:{uri_host} SIP/2.0",
        f"Via: SIP/2.0/{target.transport.upper()} {address}:{port};branch=z9hG4bK{branch};rport",
        "Max-Forwards: 70",
        f"From: <sip:ringback@{address}>;tag={tag}",
        f"To: <sip:{uri_host}>",
        f"Call-ID: {call_id}",
        "CSeq: 1 OPTIONS",
        f"Contact: <sip:ringback@{address}:{port}>",
        "Accept: application/sdp",
        "Content-Length: 0",
        "",
        "",
    ]
    return "\r\n".join(lines).encode()


def status_line(data: bytes) -> str:
    """`200 OK` of a final response; empty for anything else."""
    first = data.split(b"\r\n", 1)[0].decode("utf-8", "replace")
    version, _, rest = first.partition(" ")
    if version != "SIP/2.0" or not rest[:3].isdigit() or rest.startswith("1"):
        return ""
    return rest.strip()[:80]


class _Answers(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.answer: asyncio.Future[tuple[float, str]] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, _address: object) -> None:
        status = status_line(data)
        if status and not self.answer.done():
            self.answer.set_result((time.perf_counter(), status))

    def error_received(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


async def _by_udp(target: Target, host: str) -> tuple[float, str]:
    loop = asyncio.get_running_loop()
    transport, answers = await loop.create_datagram_endpoint(
        _Answers, remote_addr=(target.address, target.port)
    )
    try:
        request = options_request(target, host, transport.get_extra_info("sockname")[:2])
        # From the first request on: which one an answer is for can't be told, and late is never quick
        sent = time.perf_counter()
        for wait_s in (*REPEAT_S, None):
            transport.sendto(request)
            done, _ = await asyncio.wait({answers.answer}, timeout=wait_s)
            if done:
                break
        at, status = await answers.answer
        return (at - sent) * 1000, status
    finally:
        if not answers.answer.done():
            answers.answer.cancel()
        transport.close()


async def _by_stream(target: Target, host: str) -> tuple[float, str]:
    context = None
    if target.transport is Transport.TLS:
        # Only a time is measured here and nothing secret is sent; the certificate is judged when signing in
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    reader, writer = await asyncio.open_connection(
        target.address, target.port, ssl=context, server_hostname=host if context else None
    )
    try:
        request = options_request(target, host, writer.get_extra_info("sockname")[:2])
        sent = time.perf_counter()
        writer.write(request)
        await writer.drain()
        while True:
            line = await reader.readline()
            if not line:
                raise ConnectionError("the connection was closed")
            status = status_line(line)
            if status:
                return (time.perf_counter() - sent) * 1000, status
    finally:
        writer.close()
