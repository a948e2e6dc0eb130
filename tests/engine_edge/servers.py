"""Servers for the tests: one that only shakes hands, and a SIP provider that a test plays by hand."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator

from app.sip.syntax.framing import Framer, KeepAlive
from app.sip.syntax.message import Message, parse

LIMIT_S = 10.0


class HandshakeServer:
    """Accepts, shakes hands (or does what `greeting` and `hang_up` say) and keeps what it saw.

    Attributes:
        port: Where it listens.
        names: The SNI of each handshake, None where there was none.
        received: What clients sent inside TLS.
    """

    def __init__(
        self, context: ssl.SSLContext | None, greeting: bytes = b"", *, hang_up: bool = False
    ) -> None:
        self.names: list[str | None] = []
        self.received = b""
        self._context = context
        self._greeting = greeting
        self._hang_up = hang_up
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self.port: int = self._listener.getsockname()[1]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        if context is not None:
            context.sni_callback = lambda _socket, name, _context: self.names.append(name)

    def __enter__(self) -> HandshakeServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(LIMIT_S)
        self._listener.close()

    def _run(self) -> None:
        while not self._ended.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = self._listener.accept()
                # An accepted socket inherits nothing of the listener's time limit on every system.
                connection.settimeout(LIMIT_S)
                with contextlib.suppress(OSError):
                    self._serve(connection)
                connection.close()

    def _serve(self, connection: socket.socket) -> None:
        if self._context is None:
            if not self._hang_up:
                connection.sendall(self._greeting)
            connection.recv(4096)
            if not self._hang_up:
                self._ended.wait(LIMIT_S)
            return
        with connection.dup() as raw:
            try:
                with self._context.wrap_socket(connection, server_side=True) as tls:
                    while data := tls.recv(4096):
                        self.received += data
            except ssl.SSLError:
                # What is unread at the close resets the connection, which can overtake the alert
                raw.settimeout(LIMIT_S)
                raw.shutdown(socket.SHUT_WR)
                while raw.recv(4096):
                    pass


class Provider:
    """A SIP provider over TCP or TLS; the test accepts, reads and answers itself, each with a limit.

    Args:
        context: For TLS; None for TCP.
    """

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(LIMIT_S)
        self.port: int = self._listener.getsockname()[1]
        self._peers: list[Peer] = []

    def __enter__(self) -> Provider:
        return self

    def __exit__(self, *_: object) -> None:
        for peer in self._peers:
            peer.close()
        self._listener.close()

    @property
    def transport(self) -> str:
        """As the parameter of a URI has it."""
        return "tls" if self._context else "tcp"

    def accept(self) -> Peer:
        """The next connection, after its handshake."""
        connection, _ = self._listener.accept()
        connection.settimeout(LIMIT_S)
        if self._context is not None:
            connection = self._context.wrap_socket(connection, server_side=True)
        peer = Peer(connection, self.transport)
        self._peers.append(peer)
        return peer

    def nobody_comes(self) -> bool:
        """Whether nobody has connected so far."""
        self._listener.settimeout(0)
        try:
            self._listener.accept()
        except BlockingIOError:
            return True
        finally:
            self._listener.settimeout(LIMIT_S)
        return False


class Peer:
    """The provider's end of one connection.

    Attributes:
        transport: `tcp` or `tls`.
        keep_alives: Those that came so far.
    """

    def __init__(self, connection: socket.socket, transport: str) -> None:
        self._socket = connection
        self._socket.settimeout(LIMIT_S)
        self._framer = Framer()
        self._frames: Iterator[bytes | KeepAlive] = iter(())
        self.transport = transport
        self.keep_alives: list[KeepAlive] = []

    @property
    def local(self) -> str:
        """`address:port` of this end."""
        host, port = self._socket.getsockname()[:2]
        return f"{host}:{port}"

    @property
    def remote(self) -> str:
        """`address:port` of the other end."""
        host, port = self._socket.getpeername()[:2]
        return f"{host}:{port}"

    @property
    def via(self) -> str:
        """The beginning of a Via of ours."""
        return f"SIP/2.0/{self.transport.upper()} {self.local}"

    def send(self, *lines: str, body: str = "") -> None:
        """Send a message; the length of the body is added."""
        text = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", body])
        self.send_raw(text.encode())

    def send_raw(self, data: bytes) -> None:
        """Send bytes."""
        self._socket.sendall(data)

    def receive(self, start: str = "") -> Message:
        """The next message; its first line must begin with `start`."""
        message = parse(self.receive_raw())
        assert message.start.startswith(start), message.start
        return message

    def receive_raw(self) -> bytes:
        """The next message as it came."""
        while True:
            for frame in self._frames:
                if isinstance(frame, bytes):
                    return frame
                self.keep_alives.append(frame)
            data = self._read()
            assert data, "the connection was closed"
            self._frames = self._framer.frames(data)

    def receive_final(self) -> Message:
        """The next final response; provisional ones before it are passed over."""
        while (message := self.receive("SIP/2.0")).code < 200:
            pass
        return message

    def receive_keep_alive(self) -> KeepAlive:
        """The next keep-alive; nothing else may come before it."""
        while not self.keep_alives:
            for frame in self._framer.frames(self._read()):
                assert isinstance(frame, KeepAlive), frame
                self.keep_alives.append(frame)
        return self.keep_alives.pop(0)

    def wait_closed(self) -> None:
        """Return once the other side has closed; no message may come before."""
        while data := self._read():
            for frame in self._framer.frames(data):
                assert isinstance(frame, KeepAlive), frame

    def reset(self) -> None:
        """Close without a goodbye: the other end gets a TCP reset."""
        plain = socket.socket(fileno=self._socket.detach())
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        plain.close()

    def close(self) -> None:
        """Close."""
        self._socket.close()

    def answer(
        self, request: Message, status: str, *headers: str, tag: str = "provider", body: str = ""
    ) -> None:
        """Answer a request with its own headers copied (RFC 3261 section 8.2.6)."""
        copied = [
            f"{header.line};tag={tag}"
            if header.name == "to" and ";tag=" not in header.line and not status.startswith("100")
            else header.line
            for header in request.headers
            if header.name in ("via", "from", "to", "call-id", "cseq", "record-route")
        ]
        self.send(f"SIP/2.0 {status}", *copied, *headers, body=body)

    def _read(self) -> bytes:
        try:
            return self._socket.recv(65536)
        except (ConnectionResetError, ssl.SSLEOFError):
            return b""
