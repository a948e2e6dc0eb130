"""An edge at work on a thread of its own, with a UDP socket of the test in PJSIP's place."""

from __future__ import annotations

import contextlib
import itertools
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from app.model.outcome import LocalCause, TlsFacts
from app.model.signalling import IcmpError
from app.model.trunk import Transport
from app.sip.engine.call_rate import CallRate
from app.sip.engine.edge.edge import Edge
from app.sip.engine.edge.hop import Hop
from app.sip.engine.edge.seen import Seen
from app.sip.messages import OpenAccount
from app.sip.syntax.message import Message, parse
from tests.engine_edge.certificates import Issuer
from tests.engine_edge.servers import LIMIT_S, Peer, Provider
from tests.unit.sip.accounts import DOMAIN, account

_branches = itertools.count(1)


class Stack:
    """PJSIP's place: a UDP socket on loopback."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(LIMIT_S)
        self.port: int = self._socket.getsockname()[1]
        self.edge_port = 0

    def request(
        self,
        method: str = "OPTIONS",
        *headers: str,
        branch: str = "",
        uri: str = f"sip:7@{DOMAIN}",
        to: str = f"<sip:7@{DOMAIN}>",
        call_id: str = "",
        cseq: int = 1,
    ) -> str:
        """Send a request; returns its branch."""
        branch = branch or f"z9hG4bK{next(_branches)}"
        self.send(
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};rport;branch={branch}",
            "Max-Forwards: 70",
            f"From: <sip:1001@{DOMAIN}>;tag=f",
            f"To: {to}",
            f"Call-ID: {call_id or branch}",
            f"CSeq: {cseq} {method}",
            f"Contact: <sip:1001@127.0.0.1:{self.port};ob>",
            f"Route: <sip:127.0.0.1:{self.edge_port};lr;hide>",
            *headers,
        )
        return branch

    def answer(self, request: Message, status: str, *headers: str, tag: str = "mine") -> None:
        """Answer a request that came."""
        copied = [
            f"{header.line};tag={tag}" if header.name == "to" and ";tag=" not in header.line else header.line
            for header in request.headers
            if header.name in ("via", "from", "to", "call-id", "cseq")
        ]
        contact = f"Contact: <sip:1001@127.0.0.1:{self.port};ob>"
        self.send(f"SIP/2.0 {status}", *copied, contact, *headers)

    def send(self, *lines: str) -> None:
        """Send a message."""
        self.send_raw("\r\n".join([*lines, "Content-Length: 0", "", ""]).encode())

    def send_raw(self, raw: bytes) -> None:
        """Send bytes."""
        self._socket.sendto(raw, ("127.0.0.1", self.edge_port))

    def receive(self, start: str = "") -> Message:
        """The next message; its first line must begin with `start`."""
        message = parse(self._socket.recv(65_535))
        assert message.start.startswith(start), message.start
        return message

    def is_empty(self) -> bool:
        """Whether nothing more has come."""
        self._socket.setblocking(False)
        try:
            self._socket.recv(65_535, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        finally:
            self._socket.settimeout(LIMIT_S)
        return False

    def close(self) -> None:
        """Close it."""
        self._socket.close()


class Running:
    """An edge at work and what it reported."""

    def __init__(self) -> None:
        self.seen: queue.SimpleQueue[Seen] = queue.SimpleQueue()
        self.handshakes: queue.SimpleQueue[TlsFacts] = queue.SimpleQueue()
        self.failures: queue.SimpleQueue[tuple[LocalCause, IcmpError | None, Hop]] = queue.SimpleQueue()
        self.losses: queue.SimpleQueue[tuple[LocalCause, str]] = queue.SimpleQueue()
        self.unreadable: queue.SimpleQueue[tuple[str, str, str]] = queue.SimpleQueue()
        self.strangers: queue.SimpleQueue[tuple[str, str, Hop, int]] = queue.SimpleQueue()
        self.detours: queue.SimpleQueue[tuple[str, str, str]] = queue.SimpleQueue()
        self.new_addresses = 0
        self._posted: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.stack = Stack()
        self.edge = Edge(self, self._post, CallRate())
        self.stack.edge_port = self.edge.port
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    # What the engine hears

    def on_seen(self, seen: Seen) -> None:
        """A message passes."""
        self.seen.put(seen)

    def on_detour(self, method: str, call_id: str, obstacle: str) -> None:
        """A request could not go where it should."""
        self.detours.put((method, call_id, obstacle))

    def on_stranger(self, method: str, user: str, source: Hop, code: int) -> None:
        """A stranger was refused."""
        self.strangers.put((method, user, source, code))

    def on_new_address(self) -> None:
        """The provider sees us somewhere else."""
        self.new_addresses += 1

    def on_handshake(self, facts: TlsFacts) -> None:
        """A handshake ended."""
        self.handshakes.put(facts)

    def on_failure(self, cause: LocalCause, icmp: IcmpError | None, hop: Hop) -> None:
        """Nothing can be sent to a place."""
        self.failures.put((cause, icmp, hop))

    def on_lost(self, cause: LocalCause, words: str) -> None:
        """The connection ended."""
        self.losses.put((cause, words))

    def on_unreadable(self, words: str, line: str, peer: str) -> None:
        """A connection's bytes are not SIP."""
        self.unreadable.put((words, line, peer))

    # Its thread

    def _post(self, act: Callable[[], None]) -> None:
        self._posted.put(act)
        self.edge.wake()

    def do(self, act: Callable[[], object]) -> None:
        """Run something on the edge's thread and wait for it."""
        done = threading.Event()

        def run() -> None:
            try:
                act()
            finally:
                done.set()

        self._post(run)
        assert done.wait(LIMIT_S)

    def _run(self) -> None:
        while not self._ended.is_set():
            self._run_posted()
            self.edge.wait(0.05)
            self._run_posted()
            self.edge.drain()
            while self.edge.hand_over():
                pass
            self.edge.watch(time.monotonic())

    def _run_posted(self) -> None:
        while not self._posted.empty():
            self._posted.get_nowait()()

    def open(self, settings: OpenAccount) -> None:
        """Take an account."""
        self.do(lambda: self.edge.open(settings, local="127.0.0.1", pjsip_port=self.stack.port))

    def __enter__(self) -> Running:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        with contextlib.suppress(ValueError):
            self.edge.wake()
        self._thread.join(LIMIT_S)
        self.edge.close()
        self.stack.close()


def account_at(port: int, transport: Transport, **changes: Any) -> OpenAccount:
    """An account at a port of loopback, which sends no keep-alives where nothing else is said."""
    return account(address="127.0.0.1", port=port, transport=transport, **{"keep_alive_s": 0, **changes})


@contextmanager
def edge_to(port: int, transport: Transport, ca: Issuer | None = None, **changes: Any) -> Iterator[Running]:
    """An edge whose account is at a port of loopback; `changes` are fields of the account."""
    with Running() as running:
        ca_file = ca.ca_file() if ca is not None and transport is Transport.TLS else ""
        running.open(account_at(port, transport, **{"ca_file": ca_file, **changes}))
        yield running


def connected(running: Running, provider: Provider) -> Peer:
    """A connection through which one transaction has gone; what was reported of it is taken off."""
    running.stack.request("REGISTER", uri=f"sip:{DOMAIN}")
    peer = provider.accept()
    peer.answer(peer.receive("REGISTER"), "200 OK")
    running.stack.receive("SIP/2.0 200")
    if provider.transport == "tls":
        assert running.handshakes.get(timeout=LIMIT_S).cause == LocalCause.NONE
    while not running.seen.empty():
        running.seen.get_nowait()
    return peer


def incoming(
    peer: Peer, method: str = "INVITE", *headers: str, branch: str = "z9hG4bKin", uri: str = ""
) -> None:
    """A request of the provider."""
    peer.send(
        f"{method} {uri or f'sip:1001@{peer.remote};transport={peer.transport}'} SIP/2.0",
        f"Via: {peer.via};branch={branch}",
        f"From: <sip:7@{DOMAIN}>;tag=p",
        f"To: <sip:1001@{DOMAIN}>",
        f"Call-ID: {branch}",
        f"CSeq: 1 {method}",
        f"Contact: <sip:7@{peer.local};transport={peer.transport}>",
        *headers,
    )
