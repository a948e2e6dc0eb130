"""SIP transactions: repeat what was lost, absorb what was repeated (RFC 3261 section 17, RFC 6026)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from enum import StrEnum

from aiosipua import SipRequest, SipResponse

from app.sip.carrier.messages import Timing
from app.sip.carrier.sipmessage import fault_of, reply_peer, response_to, stamp_via
from app.sip.carrier.transports import Peer, SipSockets

log = logging.getLogger(__name__)

ServerKey = tuple[str, str, str]
ClientKey = tuple[str, str]


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

    def __init__(self, layer: TransactionLayer, key: ServerKey, request: SipRequest, peer: Peer) -> None:
        self._layer = layer
        self._key = key
        self.request = request
        self.peer = peer
        self._reply_peer = reply_peer(request, peer)
        self._last: SipResponse | None = None
        self._timers = _Timers()
        self.state = State.PROCEEDING
        self.ignored = False

    @property
    def is_invite(self) -> bool:
        """Whether it is an INVITE transaction."""
        return self.request.method == "INVITE"

    def ignore(self) -> None:
        """Never answer, as a server that drops the request; its repeats are dropped too."""
        self.ignored = True
        self._timers.start("ignored", 64 * self._layer.timing.t1_s, self.end)

    def respond(self, response: SipResponse) -> None:
        """Send a response; after the final one all but repeats of a 2xx to INVITE are ignored."""
        final = response.status_code >= 200
        if self.state is not State.PROCEEDING:
            if self.state is State.ACCEPTED and 200 <= response.status_code < 300:
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
        elif response.status_code < 300:
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
        on_response: Callable[[SipResponse], None],
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
        self._on_response(response_to(self.request, code))

    def received(self, response: SipResponse) -> None:
        """Take a response from the network."""
        code = response.status_code
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
            self._ack = ack_to_refusal(self.request, response)
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


def ack_to_refusal(request: SipRequest, response: SipResponse) -> SipRequest:
    """The ACK for a 3xx to 6xx response (RFC 3261 section 17.1.1.3)."""
    ack = _like(request, "ACK")
    ack.headers.set_single("To", response.headers.get_first("to") or "")
    return ack


class TransactionLayer:
    """Finds the transaction of every message.

    Args:
        sockets: Where messages go out.
        timing: T1, T2 and T4.
        on_request: Gets every new request; for ACK the transaction is None.
    """

    def __init__(
        self,
        sockets: SipSockets,
        timing: Timing,
        on_request: Callable[[SipRequest, Peer, ServerTransaction | None], None],
    ) -> None:
        self.sockets = sockets
        self.timing = timing
        self._on_request = on_request
        self._servers: dict[ServerKey, ServerTransaction] = {}
        self._clients: dict[ClientKey, ClientTransaction] = {}

    def received(self, message: SipRequest | SipResponse, peer: Peer) -> None:
        """Take one message from the sockets."""
        if isinstance(message, SipResponse):
            self._response(message, peer)
        else:
            self._request(message, peer)

    def _response(self, response: SipResponse, peer: Peer) -> None:
        try:
            vias, cseq = response.via, response.cseq
        except ValueError:
            vias, cseq = [], None
        client = self._clients.get((vias[0].branch or "", cseq.method)) if vias and cseq else None
        if client is None or not 100 <= response.status_code <= 699:
            log.debug("response %s from %s belongs to nothing", response.status_code, peer)
            return
        client.received(response)

    def _request(self, request: SipRequest, peer: Peer) -> None:
        fault = fault_of(request)
        if fault:
            log.warning("%s from %s: %s", request.method, peer, fault)
            if request.method != "ACK" and request.headers.get("via"):
                stamp_via(request, peer)
                self.sockets.send(response_to(request, 400, fault), reply_peer(request, peer))
            return
        key = server_key(request)
        known = self._servers.get(key)
        if request.method == "ACK":
            if known and known.state is not State.ACCEPTED:
                known.acknowledged()
            else:
                self._on_request(request, peer, None)
            return
        if known:
            known.repeated()
            return
        stamp_via(request, peer)
        transaction = ServerTransaction(self, key, request, peer)
        self._servers[key] = transaction
        self._on_request(request, peer, transaction)

    def cancelled_by(self, cancel: SipRequest) -> ServerTransaction | None:
        """The INVITE transaction that a CANCEL is for (RFC 3261 section 9.2)."""
        branch, sent_by, _ = server_key(cancel)
        return self._servers.get((branch, sent_by, "INVITE"))

    def request(
        self, request: SipRequest, peer: Peer, on_response: Callable[[SipResponse], None]
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


def server_key(request: SipRequest) -> ServerKey:
    """What makes a request the same transaction (RFC 3261 section 17.2.3); an ACK counts as its INVITE."""
    top = request.via[0]
    method = "INVITE" if request.method == "ACK" else request.method
    return (top.branch or "", f"{top.host}:{top.port}", method)
