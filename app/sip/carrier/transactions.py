"""SIP transactions: repeat what was lost, absorb what was repeated (RFC 3261 section 17, RFC 6026)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from enum import StrEnum

from aiosipua import SipRequest

from app.sip.carrier.messages import Timing
from app.sip.carrier.received import Peer, Received
from app.sip.carrier.sipmessage import REASONS, SERVER, fault_of, reply_peer, title, words
from app.sip.carrier.transports import SipSockets
from app.sip.syntax.address import parse_via
from app.sip.syntax.answer import answer, top_via
from app.sip.syntax.head import Examined, Head, Reason
from app.sip.syntax.message import Message

log = logging.getLogger(__name__)

ServerKey = tuple[str, str, str]
ClientKey = tuple[str, str]

MOST_SERVERS = 2048
"""Requests that are remembered at a time; beyond this the oldest that was refused or is done is forgotten."""


class State(StrEnum):
    """States of a transaction; `ACCEPTED` is that of an INVITE answered with 2xx (RFC 6026)."""

    PROCEEDING = "proceeding"
    COMPLETED = "completed"
    CONFIRMED = "confirmed"
    ACCEPTED = "accepted"
    ENDED = "ended"


class _Timers:
    """The pending timers of one transaction."""

    def __init__(self) -> None:
        self._handles: dict[str, asyncio.TimerHandle] = {}

    def start(self, name: str, seconds: float, act: Callable[[], None]) -> None:
        self.stop(name)
        self._handles[name] = asyncio.get_running_loop().call_later(seconds, act)

    def stop(self, *names: str) -> None:
        for name in names or tuple(self._handles):
            handle = self._handles.pop(name, None)
            if handle:
                handle.cancel()


class ServerTransaction:
    """A request received, and the responses to it."""

    def __init__(self, layer: TransactionLayer, key: ServerKey, request: Received) -> None:
        self._layer = layer
        self._key = key
        self.request = request
        self.peer = request.peer
        self._reply_peer = reply_peer(request.head.via, request.peer)
        self._last: Message | None = None
        self._timers = _Timers()
        self.state = State.PROCEEDING
        self.ignored = False

    @property
    def is_invite(self) -> bool:
        """Whether it is an INVITE transaction."""
        return self.request.head.method == "INVITE"

    @property
    def is_spare(self) -> bool:
        """Whether it is only kept for repeats of its request."""
        return self.ignored or self.state not in (State.PROCEEDING, State.ACCEPTED)

    def ignore(self) -> None:
        """Never answer, as a server that drops the request; its repeats are dropped too."""
        self.ignored = True
        self._timers.start("ignored", 64 * self._layer.timing.t1_s, self.end)

    def respond(self, response: Message) -> None:
        """Send a response; after the final one all but repeats of a 2xx to INVITE are ignored."""
        final = response.code >= 200
        if self.state is not State.PROCEEDING:
            if self.state is State.ACCEPTED and 200 <= response.code < 300:
                self._layer.sockets.send(response, self._reply_peer)
            return
        self._last = response
        self._layer.sockets.send(response, self._reply_peer)
        if not final:
            return
        timing = self._layer.timing
        if not self.is_invite:
            self.state = State.COMPLETED
            self._timers.start("J", 0 if self.peer.reliable else 64 * timing.t1_s, self.end)
        elif response.code < 300:
            self.state = State.ACCEPTED
            self._timers.start("L", 64 * timing.t1_s, self.end)
        else:
            self.state = State.COMPLETED
            self._timers.start("H", 64 * timing.t1_s, self.end)
            if not self.peer.reliable:
                self._repeat(timing.t1_s)

    def _repeat(self, after: float) -> None:
        def again() -> None:
            if self._last:
                self._layer.sockets.send(self._last, self._reply_peer)
            self._repeat(min(after * 2, self._layer.timing.t2_s))

        self._timers.start("G", after, again)

    def repeated(self) -> None:
        """The request came again: answer as before; a 2xx to INVITE is repeated by its call."""
        if self._last and self.state in (State.PROCEEDING, State.COMPLETED):
            self._layer.sockets.send(self._last, self._reply_peer)

    def acknowledged(self) -> None:
        """The ACK to a refusal came."""
        if self.state is State.COMPLETED:
            self.state = State.CONFIRMED
            self._timers.stop("G", "H")
            self._timers.start("I", 0 if self.peer.reliable else self._layer.timing.t4_s, self.end)

    def end(self) -> None:
        """Forget it."""
        self.state = State.ENDED
        self._timers.stop()
        self._layer.forget_server(self._key)


class ClientTransaction:
    """A request sent, and what comes back."""

    def __init__(
        self,
        layer: TransactionLayer,
        key: ClientKey,
        request: SipRequest,
        peer: Peer,
        on_response: Callable[[Received], None],
    ) -> None:
        self._layer = layer
        self._key = key
        self.request = request
        self.peer = peer
        self._on_response = on_response
        self._timers = _Timers()
        self._ack: SipRequest | None = None
        self._provisional = False
        self.state = State.PROCEEDING

    @property
    def is_invite(self) -> bool:
        """Whether it is an INVITE transaction."""
        return self.request.method == "INVITE"

    def start(self) -> None:
        """Send the request; a failure to send is told like a 503 (RFC 3261 section 8.1.3.1)."""
        timing = self._layer.timing
        if not self._layer.sockets.send(self.request, self.peer):
            self._timers.start("lost", 0, lambda: self._made_up(503))
            return
        self._timers.start("BF", 64 * timing.t1_s, lambda: self._made_up(408))
        if not self.peer.reliable:
            self._repeat(timing.t1_s)

    def _repeat(self, after: float) -> None:
        def again() -> None:
            self._layer.sockets.send(self.request, self.peer)
            if self.is_invite:
                self._repeat(after * 2)
            else:
                limit = self._layer.timing.t2_s
                self._repeat(limit if self._provisional else min(after * 2, limit))

        self._timers.start("AE", after, again)

    def _made_up(self, code: int) -> None:
        self.end()
        head = Head(
            method=self.request.method,
            code=code,
            phrase=REASONS[code],
            via=parse_via(self.request.headers.get("via")[0]),
            sender=None,
            to=None,
            call_id=self.request.call_id or "",
            cseq=0,
        )
        message = Message(start=f"SIP/2.0 {code} {REASONS[code]}", headers=())
        self._on_response(Received(message=message, head=head, peer=self.peer))

    def received(self, response: Received) -> None:
        """Take a response from the network."""
        code = response.head.code
        timing = self._layer.timing
        if code < 200:
            if self.state is State.PROCEEDING:
                self._provisional = True
                if self.is_invite:
                    self._timers.stop("AE", "BF")
                self._on_response(response)
            return
        if self.state is State.COMPLETED:
            if self._ack:
                self._layer.sockets.send(self._ack, self.peer)
            return
        if self.is_invite and code < 300:
            # Every repeat of the 2xx goes up, because its ACK is the call's to send
            if self.state is State.PROCEEDING:
                self.state = State.ACCEPTED
                self._timers.stop()
                self._timers.start("M", 64 * timing.t1_s, self.end)
            self._on_response(response)
            return
        if self.state is not State.PROCEEDING:
            return
        self.state = State.COMPLETED
        self._timers.stop()
        if self.is_invite:
            self._ack = ack_to_refusal(self.request, response.head)
            self._layer.sockets.send(self._ack, self.peer)
            linger = 64 * timing.t1_s
        else:
            linger = timing.t4_s
        self._timers.start("DK", 0 if self.peer.reliable else linger, self.end)
        self._on_response(response)

    def cancel(self) -> None:
        """Send CANCEL; only after a provisional response (RFC 3261 section 9.1), which the caller sees to."""
        if self.state is State.PROCEEDING:
            self._layer.request(_like(self.request, "CANCEL"), self.peer, lambda _response: None)
            # A far end that ignores the CANCEL would keep the call for ever (section 9.1, last paragraph)
            self._timers.start("BF", 64 * self._layer.timing.t1_s, lambda: self._made_up(408))

    def end(self) -> None:
        """Forget it."""
        self.state = State.ENDED
        self._timers.stop()
        self._layer.forget_client(self._key)


def _like(request: SipRequest, method: str) -> SipRequest:
    """CANCEL for a request, or the start of its ACK: same branch, same CSeq number."""
    other = SipRequest(method=method, uri=request.uri)
    other.headers.append("Via", request.headers.get("via")[0])
    for name in ("From", "To", "Call-ID", "Route"):
        for value in request.headers.get(name):
            other.headers.append(name, value)
    number = (request.headers.get_first("cseq") or "").split()[0]
    other.headers.set_single("CSeq", f"{number} {method}")
    other.headers.set_single("Max-Forwards", "70")
    return other


def ack_to_refusal(request: SipRequest, refusal: Head) -> SipRequest:
    """The ACK for a 3xx to 6xx response (RFC 3261 section 17.1.1.3)."""
    ack = _like(request, "ACK")
    to = request.headers.get_first("to") or ""
    if refusal.to is not None and refusal.to.tag and ";tag=" not in to:
        ack.headers.set_single("To", f"{to};tag={refusal.to.tag}")
    return ack


class TransactionLayer:
    """Finds the transaction of every message.

    Args:
        sockets: Where messages go out.
        timing: T1, T2 and T4.
        on_request: Gets every new request; for ACK the transaction is None.
        note: Gets one line for people for every message with something wrong.
    """

    def __init__(
        self,
        sockets: SipSockets,
        timing: Timing,
        on_request: Callable[[Received, ServerTransaction | None], None],
        note: Callable[[str], None],
    ) -> None:
        self.sockets = sockets
        self.timing = timing
        self._on_request = on_request
        self._note = note
        self._servers: dict[ServerKey, ServerTransaction] = {}
        self._clients: dict[ClientKey, ClientTransaction] = {}

    def received(self, examined: Examined, peer: Peer) -> None:
        """Take one message from the sockets, with what the gate says about it."""
        message, head = examined.message, examined.head
        if message is None or head is None:
            self._note(f"{title(message)} from {peer} is dropped: {words(examined.problems[-1])}")
            if message is not None and examined.answer is not None:
                self._refuse(message, examined.answer, peer)
            return
        received = Received(message=message, head=head, problems=examined.problems, peer=peer)
        fault = fault_of(received) if message.is_request else None
        if fault is not None:
            self._note(f"{title(message)} from {peer} is refused: {fault.code} {fault.phrase}")
            if head.method != "ACK":
                self._refuse(message, fault, peer)
            return
        if examined.problems:
            self._note(f"{title(message)} from {peer} is repaired: {words(examined.problems[0])}")
        if message.is_request:
            self._request(received)
        else:
            self._response(received)

    def _response(self, response: Received) -> None:
        head = response.head
        client = self._clients.get((head.via.branch, head.method))
        if client is None:
            log.debug("response %s from %s belongs to nothing", head.code, response.peer)
            return
        client.received(response)

    def _request(self, request: Received) -> None:
        key = server_key(request.head)
        known = self._servers.get(key)
        if request.head.method == "ACK":
            if known and known.state is not State.ACCEPTED:
                known.acknowledged()
            else:
                self._on_request(request, None)
            return
        if known:
            known.repeated()
            return
        while len(self._servers) >= MOST_SERVERS:
            oldest = next(iter(self._servers.values()))
            next((one for one in self._servers.values() if one.is_spare), oldest).end()
        transaction = ServerTransaction(self, key, request)
        self._servers[key] = transaction
        self._on_request(request, transaction)

    def _refuse(self, message: Message, reason: Reason, peer: Peer) -> None:
        """Answer without a transaction; what came in can't be relied on to have one."""
        response = answer(message, reason, peer.place, server=SERVER)
        if response is not None:
            self.sockets.send(response, reply_peer(top_via(message), peer))

    def cancelled_by(self, cancel: Head) -> ServerTransaction | None:
        """The INVITE transaction that a CANCEL is for (RFC 3261 section 9.2)."""
        branch, sent_by, _ = server_key(cancel)
        return self._servers.get((branch, sent_by, "INVITE"))

    def request(
        self, request: SipRequest, peer: Peer, on_response: Callable[[Received], None]
    ) -> ClientTransaction:
        """Send a request; `on_response` gets what comes back, a made-up 408 or 503 if nothing does."""
        key = (request.via[0].branch or "", request.method)
        client = ClientTransaction(self, key, request, peer, on_response)
        self._clients[key] = client
        client.start()
        return client

    def forget_server(self, key: ServerKey) -> None:
        """Drop a transaction that has ended."""
        self._servers.pop(key, None)

    def forget_client(self, key: ClientKey) -> None:
        """Drop a transaction that has ended."""
        self._clients.pop(key, None)

    def close(self) -> None:
        """Stop all timers."""
        for server in tuple(self._servers.values()):
            server.end()
        for client in tuple(self._clients.values()):
            client.end()


def server_key(head: Head) -> ServerKey:
    """What makes a request the same transaction (RFC 3261 section 17.2.3); an ACK counts as its INVITE."""
    method = "INVITE" if head.method == "ACK" else head.method
    return (head.via.branch, f"{head.via.host}:{head.via.port}", method)
