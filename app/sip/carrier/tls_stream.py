"""The server's side of TLS on one connection, without a socket: bytes of the wire in, plain bytes out."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable

_PIECE_BYTES = 65_536


class TlsStream:
    """TLS between a connection and what reads it; asyncio's own would keep its transport after the end.

    Args:
        context: The server's.
        send: Takes bytes for the wire.

    Attributes:
        shaken: Whether the handshake is over.
        closed: Whether the other side has said that it sends no more.
    """

    def __init__(self, context: ssl.SSLContext, send: Callable[[bytes], None]) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._send = send
        self.shaken = False
        self.closed = False

    def received(self, data: bytes) -> bytes:
        """Take bytes of the wire; what they were for the reader.

        Raises:
            ssl.SSLError: The other side speaks no TLS, none in common, or does not trust the certificate.
        """
        self._incoming.write(data)
        try:
            return self._read()
        finally:
            self._flush()  # an alert is for the other side

    def _read(self) -> bytes:
        plain = bytearray()
        with contextlib.suppress(ssl.SSLWantReadError):
            if not self.shaken:
                self._tls.do_handshake()
                self.shaken = True
            while piece := self._tls.read(_PIECE_BYTES):
                plain += piece
            self.closed = True
        return bytes(plain)

    def write(self, data: bytes) -> None:
        """Send to the other side; only after the handshake."""
        self._tls.write(data)
        self._flush()

    def close(self) -> None:
        """Say that no more comes."""
        if not self.shaken:
            return
        with contextlib.suppress(ssl.SSLError):  # the other side's answer is not waited for
            self._tls.unwrap()
        self._flush()

    def _flush(self) -> None:
        if data := self._outgoing.read():
            self._send(data)
