"""SIP on the loopback interface: UDP and TCP on one port, TLS on another (RFC 3261 section 18)."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import ssl
from collections.abc import Callable, Collection, Mapping

from aiosipua import SipRequest

from app.errors import UserError
from app.model.trunk import Transport
from app.sip.carrier.loopback import loopback_address
from app.sip.carrier.received import Peer
from app.sip.carrier.tls_stream import TlsStream
from app.sip.syntax.framing import Framer, FramingError, KeepAlive
from app.sip.syntax.gate import examine
from app.sip.syntax.head import Examined
from app.sip.syntax.message import Message, serialise

log = logging.getLogger(__name__)

MAX_CONNECTIONS = 64
MAX_UNSENT_BYTES = 1 << 20
"""A TCP peer that reads nothing is cut off when this much waits for it."""

HANDSHAKE_S = 10.0
"""For a TLS handshake; a connection that has none by then is closed."""

BIND_ATTEMPTS = 20
"""Tries to find a port that is free for UDP and for TCP."""


def bind_sip_sockets(
    host: str,
    udp_port: int,
    tcp_port: int,
    transports: Collection[Transport] = (Transport.UDP, Transport.TCP),
    *,
    tls_port: int = 0,
) -> dict[Transport, socket.socket]:
    """Bind UDP, TCP and TLS; with both ports 0 UDP and TCP get the same number, as on a real SIP server.

    Raises:
        UserError: `host` is not loopback, or a port given can't be had.
    """
    address = loopback_address(host)
    if address is None:
        raise UserError(
            f"The demo carrier can't listen on {host}.",
            do="It has well-known passwords, so it only listens on this computer: use 127.0.0.1.",
            field="host",
        )
    for attempt in range(BIND_ATTEMPTS):
        bound: dict[Transport, socket.socket] = {}
        wanted = udp_port
        try:
            if Transport.UDP in transports:
                bound[Transport.UDP] = udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                udp.bind((address, udp_port))
            if Transport.TCP in transports:
                wanted = tcp_port or udp_port
                if not wanted and bound and attempt < BIND_ATTEMPTS - 1:
                    wanted = bound[Transport.UDP].getsockname()[1]
                bound[Transport.TCP] = tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
                _listen(tcp, address, wanted)
            if Transport.TLS in transports:
                wanted = tls_port
                bound[Transport.TLS] = tls = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
                _listen(tls, address, wanted)
        except OSError as error:
            _close(bound)
            if udp_port or tcp_port or tls_port:
                raise _port_error(address, wanted, error) from error
            continue
        except OverflowError as error:
            _close(bound)
            raise UserError(
                f"Port {wanted} is out of range.", do="Use a port from 1 to 65535.", field="port"
            ) from error
        for one in bound.values():
            one.setblocking(False)
        return bound
    raise UserError(f"No port on {address} is free.", do="Close other programs and try again.")


def _listen(sock: socket.socket, address: str, port: int) -> None:
    if os.name == "posix":
        # Without it a restart on the same port fails while old connections are in TIME_WAIT; on Windows the
        # same option would let two carriers share the port
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((address, port))
    sock.listen()


def _close(sockets: Mapping[Transport, socket.socket]) -> None:
    for one in sockets.values():
        one.close()


def _port_error(address: str, port: int, error: OSError) -> UserError:
    if error.errno == errno.EADDRINUSE or getattr(error, "winerror", 0) == 10048:
        what, do = (
            f"Port {port} on {address} is already in use.",
            "Stop the other program or use another port.",
        )
    elif isinstance(error, PermissionError):
        what, do = f"The system does not allow port {port}.", "Use a port above 1023."
    else:
        what, do = f"Port {port} on {address} can't be opened: {error.strerror}.", "Use another port."
    return UserError(what, do=do, details=repr(error), field="port")


class SipSockets:
    """The carrier's SIP sockets.

    Args:
        on_message: Gets every message once the gate has examined it, whether it passes or not, and its peer.
        note: Gets one line for people for every TLS handshake that fails and every stream that is not SIP.
    """

    def __init__(
        self,
        on_message: Callable[[Examined, Peer], None],
        note: Callable[[str], None] = log.info,
    ) -> None:
        self._on_message = on_message
        self.note = note
        self._udp: asyncio.DatagramTransport | None = None
        self._servers: list[asyncio.Server] = []
        self._connections: dict[Peer, _Connection] = {}
        self.udp_port = 0
        self.tcp_port = 0
        self.tls_port = 0

    def port(self, transport: Transport) -> int:
        """Where it listens for a transport; 0 where it does not."""
        ports = {Transport.UDP: self.udp_port, Transport.TCP: self.tcp_port, Transport.TLS: self.tls_port}
        return ports[transport]

    async def open(
        self,
        host: str,
        udp_port: int,
        tcp_port: int,
        transports: Collection[Transport] = (Transport.UDP, Transport.TCP),
        *,
        tls_port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Listen, on these transports only; raises `UserError` as `bind_sip_sockets` does.

        Args:
            host, udp_port, tcp_port, transports, tls_port: As there.
            tls: What is shown over TLS; needed where TLS is one of the transports.
        """
        bound = bind_sip_sockets(host, udp_port, tcp_port, transports, tls_port=tls_port)
        loop = asyncio.get_running_loop()
        udp, tcp, secure = bound.get(Transport.UDP), bound.get(Transport.TCP), bound.get(Transport.TLS)
        if udp:
            self.udp_port = udp.getsockname()[1]
            self._udp, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self.received), sock=udp)
        if tcp:
            self.tcp_port = tcp.getsockname()[1]
            self._servers.append(await loop.create_server(lambda: _Connection(self), sock=tcp))
        if secure:
            self.tls_port = secure.getsockname()[1]
            self._servers.append(await loop.create_server(lambda: _Connection(self, tls), sock=secure))

    async def close(self) -> None:
        """Close the sockets and every connection."""
        for server in self._servers:
            server.close()
        for connection in tuple(self._connections.values()):
            connection.close()
        if self._udp:
            self._udp.close()
        # Closed transports give up their sockets in the loop's next turns
        for _ in range(2):
            await asyncio.sleep(0)

    def send(self, message: SipRequest | Message, peer: Peer) -> bool:
        """Send; False when the connection is gone.

        Raises:
            ValueError: The peer is not on loopback or its port is out of range, which the callers have to
                see to: asyncio would close the socket for good.
        """
        if loopback_address(peer.host) is None or not 0 < peer.port < 65_536:
            raise ValueError(f"will not send to {peer}: not a loopback address")
        data = serialise(message) if isinstance(message, Message) else bytes(message)
        if peer.transport is Transport.UDP:
            if self._udp is None or self._udp.is_closing():
                return False
            self._udp.sendto(data, (peer.host, peer.port))
            return True
        connection = self._connections.get(peer)
        return connection is not None and connection.write(data)

    def adopt(self, peer: Peer, connection: _Connection) -> bool:
        """Take in a new connection; False when there are too many."""
        if len(self._connections) >= MAX_CONNECTIONS:
            return False
        self._connections[peer] = connection
        return True

    def forget(self, peer: Peer, connection: _Connection) -> None:
        """Drop a connection that has ended."""
        if self._connections.get(peer) is connection:
            del self._connections[peer]

    def received(self, data: bytes, peer: Peer) -> None:
        """Take one datagram, or one message cut off a connection."""
        if not data.strip(b"\r\n\0"):
            return  # keep-alive (RFC 5626 section 4.4)
        self._on_message(examine(data, peer=str(peer.place)), peer)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, received: Callable[[bytes, Peer], None]) -> None:
        self._received = received

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._received(data, Peer(Transport.UDP, addr[0], addr[1]))

    def error_received(self, exc: Exception) -> None:
        # A peer that is gone (ICMP port unreachable); timers of the transaction deal with it
        log.debug("UDP: %s", exc)


class _Connection(asyncio.Protocol):
    """One TCP connection, with TLS on it where a context is given."""

    def __init__(self, sockets: SipSockets, tls: ssl.SSLContext | None = None) -> None:
        self._sockets = sockets
        self._context = tls
        self._transport: asyncio.Transport | None = None
        self._tls: TlsStream | None = None
        self._handshake_limit: asyncio.TimerHandle | None = None
        self._peer: Peer | None = None
        self._framer = Framer()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        # asyncio does this only for sockets made with IPPROTO_TCP; without it a 200 right after a 100 waits
        # 40 ms for the peer's delayed acknowledgement
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        host, port = transport.get_extra_info("peername")[:2]
        self._peer = Peer(Transport.TLS if self._context else Transport.TCP, host, port)
        if not self._sockets.adopt(self._peer, self):
            log.warning("connection from %s refused: too many connections", self._peer)
            self._peer = None
            transport.abort()
        elif self._context:
            self._tls = TlsStream(self._context, transport.write)
            loop = asyncio.get_running_loop()
            self._handshake_limit = loop.call_later(HANDSHAKE_S, self._no_tls, "it took too long")

    def data_received(self, data: bytes) -> None:
        if self._tls:
            try:
                data = self._tls.received(data)
            except ssl.SSLError as error:
                self._no_tls(error.reason or str(error))
                return
            if self._tls.shaken:
                self._stop_limit()
        self._take_messages(data)
        if self._tls and self._tls.closed:
            self.close()

    def _no_tls(self, why: str) -> None:
        """End a connection whose TLS failed; an alert that is queued still goes out."""
        self._stop_limit()
        self._sockets.note(f"no TLS with {self._peer}: {why.replace('_', ' ').lower()}")
        if self._transport:
            self._transport.close()

    def _stop_limit(self) -> None:
        if self._handshake_limit:
            self._handshake_limit.cancel()
            self._handshake_limit = None

    def _take_messages(self, data: bytes) -> None:
        assert self._transport is not None
        try:
            for frame in self._framer.frames(data):
                if self._peer is None or self._transport.is_closing():
                    return
                if frame is KeepAlive.PING:
                    self.write(b"\r\n")  # pong (RFC 5626 section 4.4.1)
                elif isinstance(frame, bytes):
                    self._sockets.received(frame, self._peer)
        except FramingError as error:
            self._sockets.note(f"the connection from {self._peer} is closed: {error}")
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._handshake_limit:
            self._no_tls("the other side hung up; it may not trust the certificate")
        if self._peer:
            self._sockets.forget(self._peer, self)

    def write(self, data: bytes) -> bool:
        """Queue data; False when the connection is closing or its peer does not read."""
        if self._transport is None or self._transport.is_closing():
            return False
        if self._transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self._transport.abort()
            return False
        if self._tls:
            self._tls.write(data)
        else:
            self._transport.write(data)
        return True

    def close(self) -> None:
        """Close after what is queued has gone out."""
        self._stop_limit()
        if self._transport and not self._transport.is_closing():
            if self._tls:
                self._tls.close()
            self._transport.close()
