"""TCP and TLS connections with the provider: opened in a thread of their own, used on the engine's."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from app.model.outcome import LocalCause, TlsFacts
from app.sip.engine.edge.hop import Hop
from app.sip.engine.edge.liveness import detect_half_open
from app.sip.engine.edge.socket_causes import classify
from app.sip.syntax.address import HostPort
from app.sip.syntax.framing import Framer, FramingError, KeepAlive

if TYPE_CHECKING:
    import ssl

CLOSED = "the server closed the connection"
MOST_UNSENT = 1 << 20
"""Bytes that wait for a peer that reads nothing; then the connection is given up."""
REST_LIMIT_S = 5.0
"""How long the rest of a message may take; what answers a request has to be told before it times out."""
_READ_SIZE = 65_536
_MOST_READS = 16
"""Reads in one turn, so that a flood leaves time for everything else."""


class OpenError(Exception):
    """A connection that could not be opened.

    Attributes:
        cause: The kind of trouble.
        facts: Of the TLS handshake, None for TCP.
    """

    def __init__(self, cause: LocalCause, words: str, facts: TlsFacts | None = None) -> None:
        super().__init__(words)
        self.cause = cause
        self.facts = facts


Opened = tuple["socket.socket | ssl.SSLSocket", "TlsFacts | None"]
Open = Callable[[], Opened]
"""Opens a connection within its own limit; raises `OpenError`."""


class Stream:
    """One connection; every method belongs to the engine's thread.

    Args:
        hop: Where to.
        open_: Opens it, in another thread.
        post: Runs a function on the engine's thread.
        on_open: Told when it is open.
        on_failure: Told why it could not be opened.

    Attributes:
        sock: The socket once it is open.
        ours: Our end of it once it is open.
        facts: Of its handshake, None for TCP.
        closed: Whether it was closed here.
    """

    def __init__(
        self,
        hop: Hop,
        open_: Open,
        *,
        post: Callable[[Callable[[], None]], None],
        on_open: Callable[[Stream], None],
        on_failure: Callable[[Stream, OpenError], None],
    ) -> None:
        self.hop = hop
        self.sock: socket.socket | None = None
        self.ours: HostPort | None = None
        self.facts: TlsFacts | None = None
        self.closed = False
        self._arrived: socket.socket | None = None
        self._unsent = bytearray()
        self._framer = Framer()
        self._began: float | None = None
        self._on_open = on_open
        self._on_failure = on_failure
        threading.Thread(target=self._open, args=(open_, post), daemon=True, name="sip-connect").start()

    def _open(self, open_: Open, post: Callable[[Callable[[], None]], None]) -> None:
        try:
            sock, facts = open_()
        except OpenError as error:
            failure = error
            post(lambda: self._failed(failure))
        else:
            # Whoever closes it meanwhile may not get round to what is posted
            self._arrived = sock
            if self.closed:
                sock.close()
            post(lambda: self._opened(sock, facts))

    def _opened(self, sock: socket.socket, facts: TlsFacts | None) -> None:
        if self.closed:
            sock.close()
            return
        sock.setblocking(False)
        self.sock, self.facts = sock, facts
        self.ours = HostPort(*sock.getsockname()[:2])
        self._on_open(self)

    def _failed(self, error: OpenError) -> None:
        if not self.closed:
            self._on_failure(self, error)

    @property
    def wants_to_write(self) -> bool:
        """Whether bytes wait until the system takes them."""
        return self.sock is not None and bool(self._unsent)

    def send(self, raw: bytes) -> None:
        """Send, now or as soon as the system takes it.

        Raises:
            OSError: The connection is gone, or its peer reads nothing.
        """
        self._unsent += raw
        if len(self._unsent) > MOST_UNSENT:
            raise ConnectionError(f"the server has not read {MOST_UNSENT} bytes")
        self.flush()

    def flush(self) -> None:
        """Send what waits.

        Raises:
            OSError: The connection is gone.
        """
        while self._unsent and self.sock is not None:
            try:
                sent = self.sock.send(self._unsent)
            except BlockingIOError:
                return
            except OSError as error:
                if _is_waiting(error):
                    return
                raise
            del self._unsent[:sent]

    def receive(self) -> Iterator[bytes | KeepAlive]:
        """What has come, message by message.

        Raises:
            OSError: The connection is gone.
            EOFError: The other side has closed it.
            FramingError: It is not SIP.
        """
        for _ in range(_MOST_READS):
            if self.sock is None:
                return
            try:
                data = self.sock.recv(_READ_SIZE)
            except BlockingIOError:
                return
            except OSError as error:
                if _is_waiting(error):
                    return
                raise
            if not data:
                raise EOFError(CLOSED)
            for frame in self._framer.frames(data):
                self._began = None
                yield frame
            if not self._framer.unfinished:
                self._began = None
            elif self._began is None:
                self._began = time.monotonic()

    def check(self, now: float) -> None:
        """See whether the rest of a message is overdue; `now` is monotonic seconds.

        Raises:
            FramingError: It is.
        """
        if self._began is not None and now - self._began > REST_LIMIT_S:
            words = f"the rest of a message has not come within {REST_LIMIT_S:g} s"
            raise FramingError(words, self._framer.unfinished)

    def close(self) -> None:
        """Close it, with a goodbye where it is TLS."""
        self.closed = True
        if self.sock is None:
            if self._arrived is not None:
                self._arrived.close()
            return
        with contextlib.suppress(OSError, ValueError):
            self.flush()
            if self.facts is not None:
                self.sock.unwrap()  # type: ignore[attr-defined]  # an SSLSocket, as it has a handshake's facts
        self.sock.close()


def open_tcp(hop: Hop, limit_s: float) -> Opened:
    """Open a TCP connection.

    Raises:
        OpenError: It could not be opened within the limit.
    """
    try:
        return connected(hop, limit_s), None
    except TimeoutError as error:
        words = f"no answer to the TCP connection within {limit_s:g} s"
        raise OpenError(LocalCause.NO_ANSWER, words) from error
    except OSError as error:
        raise OpenError(*classify(error)) from error


def connected(hop: Hop, limit_s: float) -> socket.socket:
    """A TCP socket that is connected and notices when it is half-open; it has a timeout of `limit_s`.

    Raises:
        TimeoutError: Nobody answered within the limit.
        OSError: It was refused, or there is no way.
    """
    sock = socket.socket(socket.AF_INET6 if ":" in hop.address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.settimeout(limit_s)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        detect_half_open(sock)
        sock.connect((hop.address, hop.port))
    except BaseException:
        sock.close()
        raise
    return sock


def _is_waiting(error: OSError) -> bool:
    """Whether TLS waits for the socket; named here by its class, as engines without TLS do not load it."""
    return type(error).__name__ in ("SSLWantReadError", "SSLWantWriteError")
