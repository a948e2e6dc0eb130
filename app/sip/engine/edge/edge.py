"""The edge's sockets: one towards PJSIP, those towards the provider, all on the engine's one thread.

PJSIP speaks UDP with the edge on loopback, whatever the trunk's transport is: it needs no other, and its
timers work; the edge swallows the repeats that UDP needs and TCP and TLS must not have.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Protocol

from msgspec.structs import replace

from app.model.outcome import LocalCause, TlsFacts
from app.model.signalling import IcmpError
from app.model.trunk import Transport
from app.sip.engine.call_rate import CallRate
from app.sip.engine.edge import late_tls
from app.sip.engine.edge.datagrams import Datagrams
from app.sip.engine.edge.hop import Hop
from app.sip.engine.edge.icmp import CAUSES
from app.sip.engine.edge.lookup import Lookup
from app.sip.engine.edge.outward import Face
from app.sip.engine.edge.relay import Relay
from app.sip.engine.edge.seen import Listener
from app.sip.engine.edge.streams import Open, OpenError, Stream, open_tcp
from app.sip.engine.edge.wire import Wire
from app.sip.messages import OpenAccount
from app.sip.syntax.address import HostPort
from app.sip.syntax.framing import FramingError, KeepAlive

CONNECT_LIMIT_S = 5.0
"""For a connection and its handshake together, seconds."""
_UDP_KEEP_ALIVE = b"\r\n"
_PING, _PONG = b"\r\n\r\n", b"\r\n"
_LARGEST = 65_535
_MOST_STREAMS = 8
_MOST_FROM_PJSIP = 64


class EdgeListener(Listener, Protocol):
    """Who hears from the edge, besides messages."""

    def on_handshake(self, facts: TlsFacts) -> None:
        """A TLS handshake ended, well or not."""

    def on_failure(self, cause: LocalCause, icmp: IcmpError | None, hop: Hop) -> None:
        """Nothing can be sent to a place; what waits for an answer from there fails right after this."""

    def on_lost(self, cause: LocalCause, words: str) -> None:
        """The established connection with the target ended."""

    def on_unreadable(self, words: str, line: str, peer: str) -> None:
        """A connection's bytes are not SIP, so it was closed."""


class Edge:
    """The SIP edge of one engine. Every method but `wake` belongs to the engine's thread.

    Args:
        listener: Who hears from it.
        post: Runs a function on that thread.
        rate: How fast calls may begin.

    Attributes:
        port: Where PJSIP sends to, on 127.0.0.1.
    """

    def __init__(
        self, listener: EdgeListener, post: Callable[[Callable[[], None]], None], rate: CallRate
    ) -> None:
        self._listener = listener
        self._rate = rate
        self._post = post
        self._selector = selectors.DefaultSelector()
        self._inner = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._inner.setblocking(False)
        self._inner.bind(("127.0.0.1", 0))
        self.port = int(self._inner.getsockname()[1])
        self._awake, self._waker = socket.socketpair()
        for sock in (self._awake, self._waker):
            sock.setblocking(False)
        self._selector.register(self._inner, selectors.EVENT_READ, self._from_pjsip)
        self._selector.register(self._awake, selectors.EVENT_READ, self._take_wake)
        self._lookup = Lookup(post)
        self._pjsip = ("127.0.0.1", 0)
        self._settings: OpenAccount | None = None
        self._relay: Relay | None = None
        self._wire: Wire | None = None
        self._datagrams: Datagrams | None = None
        self._streams: dict[Hop, Stream] = {}
        self._open_tls: Open | None = None
        self._waiting: list[bytes] = []
        self._inbox: deque[bytes] = deque()
        self._next_keep_alive = 0.0
        self._draining = False

    # From any thread

    def wake(self) -> None:
        """Make a waiting `wait` return."""
        try:
            self._waker.send(b"\0")
        except OSError:
            return  # full, so it wakes anyway; or closed

    # The account

    def open(self, settings: OpenAccount, *, local: str, pjsip_port: int) -> None:
        """Take an account; a former one is closed first.

        Args:
            settings: Who we are and where requests go.
            local: Our address towards the target.
            pjsip_port: PJSIP's UDP port on 127.0.0.1.

        Raises:
            OSError: A socket can't be had.
            SettingError: The CA file can't be used, or the host can't be in a certificate.
        """
        self.shut()
        transport = settings.target.transport
        if transport is Transport.TLS:
            self._open_tls = late_tls.opener(settings, CONNECT_LIMIT_S)
        if transport is Transport.UDP:
            self._datagrams = Datagrams("127.0.0.1" if local.startswith("127.") else "")
            self._selector.register(self._datagrams.sock, selectors.EVENT_READ, self._from_datagrams)
        port = self._datagrams.port if self._datagrams is not None else 0
        self._pjsip = ("127.0.0.1", pjsip_port)
        self._settings = settings
        self._wire = Wire(
            settings,
            face=Face(ours=HostPort(settings.public_address or local, port), transport=transport),
            edge=HostPort("127.0.0.1", self.port),
            inner=HostPort("127.0.0.1", pjsip_port),
            listener=self._listener,
            send=self._send,
            deliver=self._deliver,
            find=self._lookup.find,
            rate=self._rate,
        )
        self._relay = Relay(self._wire)
        self._next_keep_alive = time.monotonic() + settings.keep_alive_s

    def shut(self) -> None:
        """Let the account go: what PJSIP has handed over still leaves, then everything is closed."""
        if self._relay is not None:
            self.drain()
        if self._datagrams is not None:
            self._selector.unregister(self._datagrams.sock)
            self._datagrams.close()
            self._datagrams = None
        for stream in list(self._streams.values()):
            self._close(stream)
        self._relay = self._wire = self._settings = self._open_tls = None
        self._waiting.clear()
        self._inbox.clear()

    def close(self) -> None:
        """Close everything, for good."""
        self.shut()
        self._selector.close()
        for sock in (self._inner, self._awake, self._waker):
            sock.close()

    # The loop

    def wait(self, limit_s: float) -> None:
        """Handle what comes on any socket; waits for it at most `limit_s` seconds."""
        for key, events in self._selector.select(limit_s):
            if key.fd in self._selector.get_map():  # not closed meanwhile
                key.data(events)

    def drain(self) -> bool:
        """Send on what PJSIP has handed over so far; whether that was anything.

        On loopback it is there as soon as PJSIP has sent it, so that after this every message of PJSIP's
        has been seen.
        """
        if self._draining:
            return False  # asked for within a callback of itself
        self._draining = True
        some = False
        try:
            for _ in range(_MOST_FROM_PJSIP):
                try:
                    raw, source = self._inner.recvfrom(_LARGEST)
                except BlockingIOError:
                    break
                except OSError:
                    continue  # Windows: PJSIP's socket was closed
                some = True
                if source == self._pjsip and raw.strip():
                    self._outward(raw)
        finally:
            self._draining = False
        return some

    def _outward(self, raw: bytes) -> None:
        """Send on a message of PJSIP; without a connection it waits for one, whose address it will carry."""
        if self._relay is None or self._wire is None:
            return
        target = self._wire.target
        if target.transport is Transport.UDP or self._connected:
            self._relay.from_pjsip(raw)
            return
        if raw.startswith(b"SIP/2.0 ") or len(self._waiting) >= _MOST_FROM_PJSIP:
            return  # a response whose request came over a connection that is gone
        if raw not in self._waiting:
            self._waiting.append(raw)
        if target not in self._streams:
            self._streams[target] = self._opened(target)

    @property
    def _connected(self) -> bool:
        stream = self._streams.get(self._wire.target) if self._wire is not None else None
        return stream is not None and stream.sock is not None

    def watch(self, now: float) -> None:
        """Do what is due; `now` is monotonic seconds."""
        self._lookup.watch(now)
        if self._relay is None or self._settings is None:
            return
        self._relay.watch()
        for stream in list(self._streams.values()):
            self._try(stream, partial(stream.check, now))
        every = self._settings.keep_alive_s
        if every and now >= self._next_keep_alive:
            self._next_keep_alive = now + every
            self._keep_alive()

    def _keep_alive(self) -> None:
        """Keep routers and the provider from forgetting us (RFC 5626 sections 3.5.1 and 4.4.1)."""
        if self._wire is None:
            return
        if self._datagrams is not None:
            self._datagrams.send(_UDP_KEEP_ALIVE, self._wire.target)
        for stream in list(self._streams.values()):
            if stream.sock is not None:
                self._write(stream, _PING)

    def _take_wake(self, _: int) -> None:
        try:
            self._awake.recv(4096)
        except BlockingIOError:
            return

    # PJSIP

    def _from_pjsip(self, _: int) -> None:
        self.drain()

    def hand_over(self) -> bool:
        """Hand PJSIP the next message; whether there was one.

        One at a time: what PJSIP sends in answer to one can decide what is done before it reads the next.
        """
        if not self._inbox:
            return False
        self._inner.sendto(self._inbox.popleft(), self._pjsip)
        return True

    def _deliver(self, raw: bytes) -> None:
        self._inbox.append(raw)

    # The far end

    def _inward(self, raw: bytes, source: Hop) -> None:
        if self._relay is None:
            return
        try:
            self._relay.from_far(raw, source)
        except Exception:  # noqa: BLE001  # a bug of ours must cost this one message, and not every call
            import traceback  # here, as an engine without faults needs none of it

            traceback.print_exc()

    def _send(self, raw: bytes, hop: Hop) -> str:
        if hop.transport is Transport.UDP:
            return self._send_datagram(raw, hop)
        stream = self._streams.get(hop)
        if stream is None:
            if len(self._streams) >= _MOST_STREAMS:
                return "too many connections are open"
            stream = self._streams[hop] = self._opened(hop)
        self._write(stream, raw)
        return ""

    def _send_datagram(self, raw: bytes, hop: Hop) -> str:
        if self._datagrams is None:
            return "this trunk does not use UDP"
        if not 0 < hop.port <= _LARGEST:
            return f"{hop} has no port that can be used"
        refusal = self._datagrams.send(raw, hop)
        if refusal is None or refusal.kind not in CAUSES:
            return ""
        self._report(refusal, hop)
        return str(refusal.kind)

    def _report(self, error: IcmpError, hop: Hop) -> None:
        """Report a datagram that did not arrive, unless it was only an answer to a stranger."""
        if self._relay is not None and self._relay.waits_for(hop):
            self._listener.on_failure(CAUSES[error.kind], error, hop)

    def _from_datagrams(self, _: int) -> None:
        datagrams = self._datagrams
        if datagrams is None:
            return
        for raw, source in datagrams.receive():
            if datagrams is not self._datagrams:
                return
            self._inward(raw, source)
        for error in datagrams.errors():
            self._unreachable(error)

    def _unreachable(self, error: IcmpError) -> None:
        address, _, port = error.target.rpartition(":")
        if error.kind not in CAUSES or self._relay is None or not port.isdecimal():
            return
        hop = Hop(Transport.UDP, address, int(port))
        self._report(error, hop)
        self._relay.fail(hop, str(error.kind))

    # Connections

    def _opened(self, hop: Hop) -> Stream:
        opener = self._open_tls or partial(open_tcp, hop, CONNECT_LIMIT_S)
        return Stream(hop, opener, post=self._post, on_open=self._on_open, on_failure=self._on_open_failure)

    def _on_open(self, stream: Stream) -> None:
        if self._streams.get(stream.hop) is not stream or stream.sock is None or self._wire is None:
            stream.close()
            return
        self._selector.register(stream.sock, selectors.EVENT_READ, partial(self._on_stream, stream))
        if stream.facts is not None:
            self._listener.on_handshake(stream.facts)
        if stream.hop == self._wire.target and stream.ours is not None:
            host = self._wire.settings.public_address or stream.ours.host
            self._wire.face = replace(self._wire.face, ours=HostPort(host, stream.ours.port))
            waiting, self._waiting = self._waiting, []
            for raw in waiting:
                self._outward(raw)
        self._try(stream, stream.flush)

    def _on_open_failure(self, stream: Stream, error: OpenError) -> None:
        if self._streams.get(stream.hop) is not stream:
            return
        del self._streams[stream.hop]
        if error.facts is not None:
            self._listener.on_handshake(error.facts)
        self._listener.on_failure(error.cause, None, stream.hop)
        if self._relay is None or self._wire is None:
            return
        if stream.hop == self._wire.target:
            waiting, self._waiting = self._waiting, []
            for raw in waiting:
                self._relay.refuse(raw, str(error))
        self._relay.lose(stream.hop, str(error))

    def _on_stream(self, stream: Stream, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            self._try(stream, stream.flush)
        if events & selectors.EVENT_READ:
            self._try(stream, partial(self._read, stream))

    def _read(self, stream: Stream) -> None:
        for frame in stream.receive():
            if stream.closed or self._relay is None:
                return
            if frame is KeepAlive.PING:
                stream.send(_PONG)
            elif isinstance(frame, bytes):
                self._inward(frame, stream.hop)

    def _write(self, stream: Stream, raw: bytes) -> None:
        self._try(stream, partial(stream.send, raw))

    def _try(self, stream: Stream, act: Callable[[], None]) -> None:
        try:
            act()
        except EOFError as error:
            self._lost(stream, LocalCause.CONNECTION_LOST, str(error))
        except FramingError as error:
            self._listener.on_unreadable(str(error), error.line, str(stream.hop))
            self._lost(stream, LocalCause.UNREADABLE, str(error))
        except OSError as error:
            self._lost(stream, *late_tls.loss(error, secure=stream.facts is not None))
        else:
            self._watch_writes(stream)

    def _watch_writes(self, stream: Stream) -> None:
        if stream.sock is None or stream.closed:
            return
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if stream.wants_to_write else 0)
        key = self._selector.get_key(stream.sock)
        if key.events != events:
            self._selector.modify(stream.sock, events, key.data)

    def _lost(self, stream: Stream, cause: LocalCause, words: str) -> None:
        if self._streams.get(stream.hop) is not stream:
            return
        self._close(stream)
        if self._relay is None or self._wire is None:
            return
        self._listener.on_failure(cause, None, stream.hop)
        self._relay.lose(stream.hop, words)
        if stream.hop == self._wire.target:
            self._listener.on_lost(cause, words)

    def _close(self, stream: Stream) -> None:
        self._streams.pop(stream.hop, None)
        if stream.sock is not None:
            self._selector.unregister(stream.sock)
        stream.close()
