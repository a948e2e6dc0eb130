"""SIP over UDP and TCP on one port of the loopback interface (RFC 3261 section 18)."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
from collections.abc import Callable

import msgspec
from aiosipua import SipMessage, SipRequest, SipResponse

from app.errors import UserError
from app.model.trunk import Transport
from app.sip.carrier.loopback import loopback_address

log = logging.getLogger(__name__)

MAX_HEADER_BYTES = 65_536
MAX_BODY_BYTES = 65_536
MAX_CONNECTIONS = 64
MAX_UNSENT_BYTES = 1 << 20
"""A TCP peer that reads nothing is cut off when this much waits for it."""

BIND_ATTEMPTS = 20
"""Tries to find a port that is free for UDP and for TCP."""


class Peer(msgspec.Struct, frozen=True):
    """Where a message came from or goes to; for TCP it names the open connection."""

    transport: Transport
    host: str
    port: int

    def __str__(self) -> str:
        """For people: `udp 127.0.0.1:5062`."""
        return f"{self.transport} {self.host}:{self.port}"

    @property
    def reliable(self) -> bool:
        """Whether the transport itself repeats what was lost."""
        return self.transport is not Transport.UDP


class FramingError(ValueError):
    """A TCP stream that can't be cut into SIP messages."""


def take_message(buffer: bytearray) -> bytes | None:
    """Cut the first whole message off a TCP stream's buffer (RFC 3261 section 18.3), None if it is not whole.

    Raises:
        FramingError: The headers or the body are too long, or Content-Length is no number.
    """
    end = buffer.find(b"\r\n\r\n")
    if end < 0 or end > MAX_HEADER_BYTES:
        if max(end, len(buffer)) > MAX_HEADER_BYTES:
            raise FramingError(f"headers longer than {MAX_HEADER_BYTES} bytes")
        return None
    length = 0
    for line in bytes(buffer[:end]).split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() in (b"content-length", b"l"):
            digits = value.strip()
            if not digits.isdigit() or len(digits) > 9:
                raise FramingError("Content-Length is not a number")
            length = int(digits)
            break
    if length > MAX_BODY_BYTES:
        raise FramingError(f"body longer than {MAX_BODY_BYTES} bytes")
    whole = end + 4 + length
    if len(buffer) < whole:
        return None
    message = bytes(buffer[:whole])
    del buffer[:whole]
    return message


def bind_sip_sockets(host: str, udp_port: int, tcp_port: int) -> tuple[socket.socket, socket.socket]:
    """Bind UDP and TCP; with both ports 0 they get the same number, as on a real SIP server.

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
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if os.name == "posix":
            # Without it a restart on the same port fails while old connections are in TIME_WAIT; on
            # Windows the same option would let two carriers share the port
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        wanted = udp_port
        try:
            udp.bind((address, udp_port))
            last = attempt == BIND_ATTEMPTS - 1
            wanted = tcp_port or (udp_port if udp_port else 0 if last else udp.getsockname()[1])
            tcp.bind((address, wanted))
            tcp.listen()
        except OSError as error:
            udp.close()
            tcp.close()
            if udp_port or tcp_port:
                raise _port_error(address, wanted, error) from error
            continue
        except OverflowError as error:
            udp.close()
            tcp.close()
            raise UserError(
                f"Port {wanted} is out of range.", do="Use a port from 1 to 65535.", field="port"
            ) from error
        udp.setblocking(False)
        tcp.setblocking(False)
        return udp, tcp
    raise UserError(f"No port on {address} is free.", do="Close other programs and try again.")


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
    """The carrier's two SIP sockets.

    Args:
        on_message: Gets every message that parses, and its peer.
    """

    def __init__(self, on_message: Callable[[SipRequest | SipResponse, Peer], None]) -> None:
        self._on_message = on_message
        self._udp: asyncio.DatagramTransport | None = None
        self._server: asyncio.Server | None = None
        self._connections: dict[Peer, _Connection] = {}
        self.udp_port = 0
        self.tcp_port = 0

    async def open(self, host: str, udp_port: int, tcp_port: int) -> None:
        """Listen; raises `UserError` as `bind_sip_sockets` does."""
        udp, tcp = bind_sip_sockets(host, udp_port, tcp_port)
        self.udp_port, self.tcp_port = udp.getsockname()[1], tcp.getsockname()[1]
        loop = asyncio.get_running_loop()
        self._udp, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self.received), sock=udp)
        self._server = await loop.create_server(lambda: _Connection(self), sock=tcp)

    async def close(self) -> None:
        """Close the sockets and every connection."""
        if self._server:
            self._server.close()
        for connection in tuple(self._connections.values()):
            connection.close()
        if self._udp:
            self._udp.close()
        # Closed transports give up their sockets in the loop's next turns
        for _ in range(2):
            await asyncio.sleep(0)

    def send(self, message: SipRequest | SipResponse, peer: Peer) -> bool:
        """Send; False when the connection is gone.

        Raises:
            ValueError: The peer is not on loopback or its port is out of range, which the callers have to
                see to: asyncio would close the socket for good.
        """
        if loopback_address(peer.host) is None or not 0 < peer.port < 65_536:
            raise ValueError(f"will not send to {peer}: not a loopback address")
        data = bytes(message)
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
        try:
            message = SipMessage.parse(data)
        except ValueError as error:
            log.warning("malformed message from %s dropped: %s", peer, error)
            return
        self._on_message(message, peer)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, received: Callable[[bytes, Peer], None]) -> None:
        self._received = received

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._received(data, Peer(Transport.UDP, addr[0], addr[1]))

    def error_received(self, exc: Exception) -> None:
        # A peer that is gone (ICMP port unreachable); timers of the transaction deal with it
        log.debug("UDP: %s", exc)


class _Connection(asyncio.Protocol):
    """One TCP connection."""

    def __init__(self, sockets: SipSockets) -> None:
        self._sockets = sockets
        self._transport: asyncio.Transport | None = None
        self._peer: Peer | None = None
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        # asyncio does this only for sockets made with IPPROTO_TCP; without it a 200 right after a 100 waits
        # 40 ms for the peer's delayed acknowledgement
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        host, port = transport.get_extra_info("peername")[:2]
        self._peer = Peer(Transport.TCP, host, port)
        if not self._sockets.adopt(self._peer, self):
            log.warning("connection from %s refused: too many connections", self._peer)
            self._peer = None
            transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._peer and self._transport and not self._transport.is_closing():
            while self._buffer.startswith(b"\r\n"):
                if self._buffer.startswith(b"\r\n\r\n"):
                    self._transport.write(b"\r\n")  # pong (RFC 5626 section 4.4.1)
                    del self._buffer[:2]
                del self._buffer[:2]
            try:
                message = take_message(self._buffer)
            except FramingError as error:
                log.warning("connection from %s closed: %s", self._peer, error)
                self._transport.abort()
                return
            if message is None:
                return
            self._sockets.received(message, self._peer)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._peer:
            self._sockets.forget(self._peer, self)

    def write(self, data: bytes) -> bool:
        """Queue data; False when the connection is closing or its peer does not read."""
        if self._transport is None or self._transport.is_closing():
            return False
        if self._transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self._transport.abort()
            return False
        self._transport.write(data)
        return True

    def close(self) -> None:
        """Close after what is queued has gone out."""
        if self._transport:
            self._transport.close()
