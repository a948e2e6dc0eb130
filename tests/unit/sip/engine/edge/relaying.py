"""A relay without sockets and with a clock of its own; what is sent, delivered and reported is kept."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from app.sip.engine.call_rate import CallRate
from app.sip.engine.edge.hop import Hop
from app.sip.engine.edge.outward import Face
from app.sip.engine.edge.relay import Relay
from app.sip.engine.edge.seen import Seen
from app.sip.engine.edge.wire import Wire
from app.sip.syntax.address import HostPort
from app.sip.syntax.gate import examine
from app.sip.syntax.message import Message, parse, serialise
from tests.unit.sip.accounts import account, hop
from tests.unit.sip.samples import SDP, SDP_TYPE

SERVER, STRANGER = hop(), hop("198.51.100.66")
EDGE, INNER = HostPort("127.0.0.1", 40000), HostPort("127.0.0.1", 40001)
OURS = HostPort("192.0.2.7", 50123)
_branches = itertools.count(1)


class Scene:
    """A relay of one account; `changes` are fields of it.

    Attributes:
        now: Its clock, seconds.
        sent: What went to the far end, with the place.
        delivered: What PJSIP got.
        seen, detours, strangers, new_addresses: What the engine heard.
        names: What the name server knows.
        slow: Whether it answers only with `answer_lookups`.
        refused: Places that nothing can be sent to, with the reason.
    """

    def __init__(self, **changes: Any) -> None:
        settings = account(**changes)
        self.now = 1000.0
        self.sent: list[tuple[Message, Hop]] = []
        self.delivered: list[Message] = []
        self.seen: list[Seen] = []
        self.detours: list[tuple[str, str, str]] = []
        self.strangers: list[tuple[str, str, Hop, int]] = []
        self.new_addresses = 0
        self.names: dict[str, str] = {}
        self.slow = False
        self.refused: dict[Hop, str] = {}
        self._lookups: list[Callable[[], None]] = []
        self.wire = Wire(
            settings,
            face=Face(ours=OURS, transport=settings.target.transport),
            edge=EDGE,
            inner=INNER,
            listener=self,
            send=self._send,
            deliver=self._deliver,
            find=self._find,
            rate=CallRate(),
            clock=lambda: self.now,
        )
        self.relay = Relay(self.wire)
        self.server = self.wire.target

    # What the engine hears

    def on_seen(self, seen: Seen) -> None:
        """A message passes."""
        self.seen.append(seen)

    def on_detour(self, method: str, call_id: str, obstacle: str) -> None:
        """A request could not go where it should."""
        self.detours.append((method, call_id, obstacle))

    def on_stranger(self, method: str, user: str, source: Hop, code: int) -> None:
        """A stranger was refused."""
        self.strangers.append((method, user, source, code))

    def on_new_address(self) -> None:
        """The provider sees us somewhere else."""
        self.new_addresses += 1

    # What goes out

    def _send(self, raw: bytes, place: Hop) -> str:
        if words := self.refused.get(place, ""):
            return words
        self.sent.append((parse(raw), place))
        return ""

    def _deliver(self, raw: bytes) -> None:
        assert raw.isascii() or raw.startswith(b"SIP/2.0 ")
        assert examine(raw).head is not None, raw
        self.delivered.append(parse(raw))

    def _find(self, name: str, then: Callable[[str | None], None]) -> None:
        def answer() -> None:
            then(self.names.get(name))

        if self.slow:
            self._lookups.append(answer)
        else:
            answer()

    def answer_lookups(self) -> None:
        """The name server answers what it was asked."""
        lookups, self._lookups = self._lookups, []
        for answer in lookups:
            answer()

    # What the test does

    def take_sent(self, start: str = "") -> Message:
        """The one message that went out since the last look; its first line begins so."""
        ((message, _),) = self.sent
        self.sent.clear()
        assert message.start.startswith(start), message.start
        return message

    def take_delivered(self, start: str = "") -> Message:
        """The one message that PJSIP got since the last look."""
        (message,) = self.delivered
        self.delivered.clear()
        assert message.start.startswith(start), message.start
        return message

    def far(self, raw: bytes, source: Hop | None = None) -> None:
        """The far end sends this."""
        self.relay.from_far(raw, source or self.server)

    def stack(
        self,
        method: str,
        *more: str,
        uri: str = "sip:7@sip.example.com",
        to: str = "<sip:7@sip.example.com>",
        sender: str = "<sip:1001@sip.example.com>;tag=ours",
        call_id: str = "call-1",
        cseq: int = 1,
        branch: str = "",
        body: bytes = b"",
    ) -> str:
        """PJSIP sends a request; returns its branch."""
        branch = branch or f"z9hG4bKPj{next(_branches)}"
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {INNER};rport;branch={branch}",
            "Max-Forwards: 70",
            f"From: {sender}",
            f"To: {to}",
            f"Call-ID: {call_id}",
            f"CSeq: {cseq} {method}",
            f"Contact: <sip:1001@{INNER};ob>",
            f"Route: <sip:{EDGE};lr;hide>",
            *more,
            f"Content-Length: {len(body)}",
        ]
        self.relay.from_pjsip("\r\n".join([*lines, "", ""]).encode() + body)
        return branch

    def stack_answers(
        self, request: Message, status: str, *more: str, tag: str = "mine", body: bytes = b""
    ) -> None:
        """PJSIP answers a request that it got."""
        self.relay.from_pjsip(
            answer(request, status, *more, f"Contact: <sip:1001@{INNER};ob>", tag=tag, body=body)
        )

    # Calls

    def call(self, *more: str, branch: str = "") -> tuple[str, Message]:
        """PJSIP calls; gives the branch and the INVITE as it went out."""
        branch = self.stack("INVITE", SDP_TYPE, *more, branch=branch, body=SDP)
        return branch, self.take_sent("INVITE ")

    def called(self, *more: str, contact: str = "<sip:7@203.0.113.1:5070>", tag: str = "far") -> Message:
        """A call of ours is answered with these headers; gives the 200 as PJSIP got it."""
        _, invite = self.call()
        self.far(answer(invite, "200 OK", f"Contact: {contact}", *more, SDP_TYPE, tag=tag, body=SDP))
        return self.take_delivered("SIP/2.0 200")

    def within(self, response: Message, method: str, *more: str, cseq: int = 2, body: bytes = b"") -> str:
        """PJSIP sends a request in the dialog that a response began for it; returns its branch."""
        return self.stack(
            method,
            *more,
            uri=uri_of(response.first("contact")),
            to=response.first("to"),
            sender=response.first("from"),
            call_id=response.first("call-id"),
            cseq=cseq,
            body=body,
        )


def answer(request: Message, status: str, *more: str, tag: str = "far", body: bytes = b"") -> bytes:
    """A response with a request's own headers copied (RFC 3261 section 8.2.6)."""
    copied = [
        f"{header.line};tag={tag}"
        if header.name == "to" and tag and ";tag=" not in header.line
        else header.line
        for header in request.headers
        if header.name in ("via", "from", "to", "call-id", "cseq", "record-route")
    ]
    lines = [f"SIP/2.0 {status}", *copied, *more, f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + body


def uri_of(address: str) -> str:
    """What stands in angle brackets."""
    return address.partition("<")[2].partition(">")[0]


def lines(message: Message) -> list[str]:
    """All lines of the head."""
    return serialise(message).decode("utf-8", "surrogateescape").partition("\r\n\r\n")[0].split("\r\n")
