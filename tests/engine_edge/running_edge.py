"""An edge at work, and what pjsua2 and the provider say through it."""

from __future__ import annotations

import queue
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from app.model.outcome import LocalCause, TlsFacts, TraceMessage
from app.sip.engine.tls.edge import TlsEdge
from tests.engine_tls.certificates import Issuer
from tests.engine_tls.servers import LIMIT_S, Peer, Provider, target

NAME = "sip.example.com"


@dataclass
class Running:
    """An edge at work and what it told."""

    edge: TlsEdge
    port: int
    messages: queue.Queue[TraceMessage]
    handshakes: queue.Queue[TlsFacts]
    losses: queue.Queue[tuple[LocalCause, str]]

    @contextmanager
    def link(self) -> Iterator[Peer]:
        """A connection as pjsua2 makes it."""
        peer = Peer(socket.create_connection(("127.0.0.1", self.port), LIMIT_S))
        try:
            yield peer
        finally:
            peer.close()


@contextmanager
def edge_to(port: int, ca: Issuer, **options: Any) -> Iterator[Running]:
    """An edge to a provider's port; `options` are the edge's own."""
    messages: queue.Queue[TraceMessage] = queue.Queue()
    handshakes: queue.Queue[TlsFacts] = queue.Queue()
    losses: queue.Queue[tuple[LocalCause, str]] = queue.Queue()
    edge = TlsEdge(
        target=target(port),
        server_name=NAME,
        ca_file=ca.ca_file(),
        on_message=messages.put,
        on_handshake=handshakes.put,
        on_lost=lambda cause, words: losses.put((cause, words)),
        **options,
    )
    running = Running(edge, edge.start(), messages, handshakes, losses)
    try:
        yield running
    finally:
        edge.stop()


def request(
    link: Peer, method: str = "OPTIONS", *headers: str, branch: str = "z9hG4bK1", uri: str = ""
) -> None:
    """A request of pjsua2."""
    link.send(
        f"{method} {uri or 'sip:7@sip.example.com'} SIP/2.0",
        f"Via: SIP/2.0/TCP {link.local};rport;branch={branch};alias",
        "From: <sip:1001@sip.example.com>;tag=f",
        "To: <sip:7@sip.example.com>",
        f"Call-ID: {branch}",
        f"CSeq: 1 {method}",
        f"Contact: <sip:1001@{link.local};transport=TCP;ob>",
        *headers,
    )


def registered(running: Running, provider: Provider, link: Peer) -> Peer:
    """A connection through which one transaction has gone."""
    request(link, "REGISTER")
    peer = provider.accept()
    peer.answer(peer.receive("REGISTER"), "200 OK")
    link.receive("SIP/2.0 200")
    assert running.handshakes.get(timeout=LIMIT_S).cause == LocalCause.NONE
    return peer


def incoming(peer: Peer, method: str = "INVITE") -> None:
    """A request of the provider."""
    peer.send(
        f"{method} sip:1001@{peer.remote};transport=tls;ob SIP/2.0",
        f"Via: SIP/2.0/TLS {peer.local};branch=z9hG4bKin",
        "From: <sip:7@sip.example.com>;tag=p",
        "To: <sip:1001@sip.example.com>",
        "Call-ID: in",
        f"CSeq: 1 {method}",
    )
