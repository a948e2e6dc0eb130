"""The asyncio half of the edge: connections on both sides and what goes from one to the other."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import msgspec

from app.model.outcome import Direction, LocalCause, Target, TlsFacts, TraceMessage
from app.model.trunk import Transport
from app.sip.engine.tls import rewrite
from app.sip.engine.tls.framing import Framer, FramingError, KeepAlive
from app.sip.engine.tls.handshake import HandshakeError, classify_loss, connect
from app.sip.engine.tls.message import Message, MessageError, parse, serialise
from app.sip.engine.tls.rewrite import Ends, HostPort

_PING = b"\r\n\r\n"
_PONG = b"\r\n"
_READ_SIZE = 65536
_MAX_LINKS = 8
_MAX_SENT = 1024
_MAX_OURS = 16
_TURNS = 20
"""Turns of the event loop in which what pjsua2 has handed to the system, a connection and a message on it
at most, goes out. On loopback it is there already, so this is no matter of time."""


_log = logging.getLogger(__name__)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the edge was told; see `TlsEdge`."""

    target: Target
    server_name: str
    ca_file: str
    pin: str
    inner_port: int
    keep_alive_s: float
    public_address: str
    limit_s: float
    on_message: Callable[[TraceMessage], None]
    on_handshake: Callable[[TlsFacts], None]
    on_lost: Callable[[LocalCause, str], None]


class _Link:
    """A TCP connection with pjsua2, opened by either side."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.peer = HostPort(*writer.get_extra_info("peername")[:2])


class _Uplink:
    """A TLS connection with the provider."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, edge: HostPort, public_address: str
    ) -> None:
        self.reader = reader
        self.writer = writer
        address, port = writer.get_extra_info("sockname")[:2]
        self.ends = Ends(
            ours=HostPort(public_address or address, port),
            peer=HostPort(*writer.get_extra_info("peername")[:2]),
            edge=edge,
        )


class _Sent(msgspec.Struct, frozen=True):
    """What a response needs to find its way back to pjsua2."""

    link: _Link
    via: str
    contact: HostPort | None


class Relay:
    """Passes SIP on between pjsua2 and the provider; lives on one event loop.

    When the TLS connection can't be made or is lost, the connections with pjsua2 are closed. To pjsua2
    that is a transport error: it fails what is pending at once, with a 503 of its own making that has no
    message behind it, so that nothing made up can be taken for an answer of the network.
    """

    def __init__(self, settings: Settings, context: ssl.SSLContext) -> None:
        self._settings = settings
        self._context = context
        self._edge = HostPort("127.0.0.1", 0)
        self._links: dict[_Link, None] = {}
        self._uplink: _Uplink | None = None
        self._attempt: asyncio.Task[_Uplink] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._sent: OrderedDict[str, _Sent] = OrderedDict()
        self._ours: OrderedDict[HostPort, None] = OrderedDict()
        self._contact: HostPort | None = None

    async def run(self, ready: Callable[[int], None], stop: asyncio.Event) -> None:
        """Listen for pjsua2 on a free port, say which, and work until `stop`."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self._edge = HostPort(*server.sockets[0].getsockname())
        ready(self._edge.port)
        try:
            await stop.wait()
            # What pjsua2 has already sent, such as its last BYE, still goes out.
            for _ in range(_TURNS):
                await asyncio.sleep(0)
        finally:
            server.close()
            await self._end()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._links) >= _MAX_LINKS:
            _log.warning("TLS edge: more than %d connections from this machine, one refused", _MAX_LINKS)
            writer.transport.abort()
            return
        self._add(_Link(reader, writer))

    def _add(self, link: _Link) -> None:
        self._links[link] = None
        self._spawn(self._read_link(link))

    def _drop(self, link: _Link) -> None:
        self._links.pop(link, None)
        link.writer.close()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("TLS edge: a bug ended a connection", exc_info=error)

    async def _read_link(self, link: _Link) -> None:
        try:
            async for frame in _frames(link.reader):
                # What pjsua2 sent before a loss has failed already and must not make a new connection.
                if link not in self._links:
                    break
                if isinstance(frame, bytes):
                    await self._outward(link, frame)
        except HandshakeError as error:
            _log.info("TLS edge: no connection with %s: %s", self._settings.target, error)
        except FramingError as error:
            _log.error("TLS edge: connection with pjsua2 closed: %s", error)
        except OSError as error:
            _log.info("TLS edge: a connection ended: %s", error)
        finally:
            self._drop(link)

    async def _outward(self, link: _Link, raw: bytes) -> None:
        """A message of pjsua2 goes to the provider."""
        try:
            message = parse(raw)
            self._contact = rewrite.own_contact(message) or self._contact
            uplink = await self._connected()
            if message.is_request:
                out = rewrite.request_out(message, uplink.ends)
                self._remember(link, message)
            else:
                out = rewrite.response_out(message, uplink.ends)
        except MessageError as error:
            _log.error("TLS edge: a message of pjsua2 was dropped: %s", error)
            return
        await self._send(uplink, out)

    def _remember(self, link: _Link, request: Message) -> None:
        via = rewrite.top_via(request)
        key = rewrite.branch(via)
        self._sent[key] = _Sent(link, via, rewrite.own_contact(request))
        self._sent.move_to_end(key)
        while len(self._sent) > _MAX_SENT:
            self._sent.popitem(last=False)

    async def _send(self, uplink: _Uplink, message: Message) -> None:
        raw = serialise(message)
        uplink.writer.write(raw)
        self._trace(Direction.OUT, uplink, raw)
        await uplink.writer.drain()

    def _trace(self, direction: Direction, uplink: _Uplink, raw: bytes) -> None:
        self._settings.on_message(
            TraceMessage(
                at=time.time(),
                direction=direction,
                transport=Transport.TLS,
                peer=str(uplink.ends.peer),
                text=raw.decode("utf-8", "replace"),
            )
        )

    async def _connected(self) -> _Uplink:
        """The TLS connection, made now when there is none; all who wait share one attempt."""
        if self._uplink is not None:
            return self._uplink
        if self._attempt is None:
            self._attempt = asyncio.create_task(self._connect())
            self._attempt.add_done_callback(self._attempted)
        return await asyncio.shield(self._attempt)

    def _attempted(self, task: asyncio.Task[_Uplink]) -> None:
        self._attempt = None
        if not task.cancelled():
            task.exception()  # who waits gets it; after a stop, nobody does

    async def _connect(self) -> _Uplink:
        settings = self._settings
        try:
            reader, writer, facts = await connect(
                settings.target,
                server_name=settings.server_name,
                ca_file=settings.ca_file,
                context=self._context,
                pin=settings.pin,
                limit_s=settings.limit_s,
            )
        except HandshakeError as error:
            settings.on_handshake(error.facts)
            raise
        uplink = _Uplink(reader, writer, self._edge, settings.public_address)
        self._ours[uplink.ends.ours] = None
        while len(self._ours) > _MAX_OURS:
            self._ours.popitem(last=False)
        self._uplink = uplink
        settings.on_handshake(facts)
        self._spawn(self._read_uplink(uplink))
        return uplink

    async def _read_uplink(self, uplink: _Uplink) -> None:
        pinging = self._spawn(self._ping(uplink))
        cause, words = LocalCause.CONNECTION_LOST, "the server closed the connection"
        try:
            async for frame in _frames(uplink.reader):
                if frame is KeepAlive.PING:
                    uplink.writer.write(_PONG)
                elif isinstance(frame, bytes):
                    self._trace(Direction.IN, uplink, frame)
                    await self._inward(uplink, frame)
        except FramingError as error:
            cause, words = LocalCause.OTHER, str(error)
            _log.error("TLS edge: connection with %s closed: %s", self._settings.target, error)
        except OSError as error:
            cause, words = classify_loss(error)
        finally:
            pinging.cancel()
            self._uplink = None
        # A stop cancels this task, so what follows is a loss; there is nobody to say goodbye to.
        uplink.writer.transport.abort()
        _log.info("TLS edge: connection with %s lost: %s", self._settings.target, words)
        self._settings.on_lost(cause, words)
        for link in list(self._links):
            self._drop(link)

    async def _ping(self, uplink: _Uplink) -> None:
        """Keep routers and the provider from forgetting the connection (RFC 5626 section 4.4.1)."""
        while self._settings.keep_alive_s:
            await asyncio.sleep(self._settings.keep_alive_s)
            uplink.writer.write(_PING)

    async def _inward(self, uplink: _Uplink, raw: bytes) -> None:
        """A message of the provider goes to pjsua2."""
        try:
            message = parse(raw)
            if message.is_request:
                await self._request_in(uplink, message)
            else:
                await self._response_in(uplink, message)
        except MessageError as error:
            _log.error("TLS edge: a message of the provider was dropped: %s", error)

    async def _response_in(self, uplink: _Uplink, message: Message) -> None:
        sent = self._sent.get(rewrite.branch(rewrite.top_via(message)))
        if sent is None or sent.link not in self._links:
            _log.warning("TLS edge: a response that answers no request was dropped: %s", message.start)
            return
        message = rewrite.response_in(message, uplink.ends, via=sent.via, contact=sent.contact)
        await _pass(sent.link, message)

    async def _request_in(self, uplink: _Uplink, message: Message) -> None:
        link = next(reversed(self._links), None) or await self._call_pjsua()
        if link is None:
            _log.warning("TLS edge: pjsua2 can't be reached for: %s", message.start)
            refusal = rewrite.unavailable(message, uplink.ends)
            if refusal is not None:
                await self._send(uplink, refusal)
            return
        inner = self._contact or link.peer
        message = rewrite.request_in(message, uplink.ends, ours=self._ours, inner=inner)
        await _pass(link, message)

    async def _call_pjsua(self) -> _Link | None:
        """Open a connection ourselves: pjsua2 closes its own after 33 s without a transaction."""
        if not self._settings.inner_port:
            return None
        try:
            link = _Link(*await asyncio.open_connection("127.0.0.1", self._settings.inner_port))
        except OSError as error:
            _log.warning("TLS edge: pjsua2 does not listen: %s", error)
            return None
        self._add(link)
        return link

    async def _end(self) -> None:
        uplink = self._uplink
        links = list(self._links)
        tasks = [*self._tasks, *([self._attempt] if self._attempt else [])]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        for link in links:
            # Not close: pjsua2's thread waits for this one and may not read.
            link.writer.transport.abort()
        if uplink is not None:
            uplink.writer.close()
        for writer in [*(link.writer for link in links), *([uplink.writer] if uplink else [])]:
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def _frames(reader: asyncio.StreamReader) -> AsyncIterator[bytes | KeepAlive]:
    framer = Framer()
    while data := await reader.read(_READ_SIZE):
        for frame in framer.frames(data):
            yield frame


async def _pass(link: _Link, message: Message) -> None:
    """Hand a message to pjsua2; a link that breaks ends in its own reader, not in the caller."""
    link.writer.write(serialise(message))
    with contextlib.suppress(OSError):
        await link.writer.drain()
