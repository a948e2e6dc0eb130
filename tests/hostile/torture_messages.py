"""The torture messages of RFC 4475 and RFC 5118: their bytes, and what must happen to each.

    for torture in MESSAGES.values():
        gate.judge(torture.wire)                          # one of torture.expected.over(Transport.UDP).gate
        socket.send(torture.addressed(Journey(...)))      # a code of torture.expected.over(...).codes()

The bytes are in `torture/*.dat`, the rest in `torture/expected.toml`. `torture/README.md` names the
sources.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec

from app.model.trunk import Transport
from app.shipped import ShippedDataError, parse

FOLDER = Path(__file__).parent / "torture"

_END = b"\r\n\r\n"
_DOCUMENTATION, _LOOPBACK = b"192.0.2.", b"127.0.0."
"""Of the same length, so that a body keeps its Content-Length."""

_NOT_ADDRESSED = frozenset({403, 404})
_ADDRESS = re.compile(
    rb'(sips?:)([^@<>\s"]*@)?[A-Za-z0-9][A-Za-z0-9.-]*(?::\d+)?(?![A-Za-z0-9.:-]*@)', re.IGNORECASE
)
_VIA = re.compile(rb"(SIP\s*/\s*[\d.]+\s*/\s*)[^\s/]+(\s+)(\[[^\]]*\](?::\d+)?|[^\s;,:]+(?::\d+)?)")
_BRANCH = re.compile(rb"branch\s*=\s*z9hG4bK[^\s;,]+")
_MADDR = re.compile(rb"(maddr=)[^;>\s]+")
_COMPACT = {
    b"via": b"v",
    b"to": b"t",
    b"from": b"f",
    b"call-id": b"i",
    b"contact": b"m",
    b"content-length": b"l",
}

Outcome = Annotated[str, msgspec.Meta(pattern=r"^(accept|drop|answer [3-6]\d\d)$")]
"""What a gate does with a message: pass it on (perhaps respelt), answer it itself, or drop it."""

Code = Annotated[int, msgspec.Meta(ge=180, le=699)]


class Kind(StrEnum):
    """What a message is."""

    REQUEST = "request"
    RESPONSE = "response"


class Part(StrEnum):
    """A part that a message is about, so `Torture.addressed` and `Torture.answering` leave it as it is."""

    REQUEST_URI = "request-uri"
    USER = "user"
    VIA = "via"
    CONTACT = "contact"
    BRANCH = "branch"
    CSEQ = "cseq"


class Correction(StrEnum):
    """A slip of the RFC's authors that `Torture.wire` puts right.

    Attributes:
        LENGTH: Content-Length counts neither the body in the RFC nor the one with CRLF.
        END: The empty line after the headers is missing.
    """

    LENGTH = "length"
    END = "end"


class Behaviour(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the RFC allows on one kind of transport.

    Attributes:
        gate: What may be done before the SIP stack sees the message, the best choice first.
        engine: Final answers of a user agent that got the message and is the one addressed; 180 stands for
            ringing. Empty when the gate accepts nothing, and for responses.
        closes: The connection can't go on, because nobody knows where the next message begins.
        following: On a stream, the answers to the message that follows in the same bytes.
        note: Why, where it differs from the entry's own note.
    """

    gate: Annotated[tuple[Outcome, ...], msgspec.Meta(min_length=1)]
    engine: tuple[Code, ...] = ()
    closes: bool = False
    following: tuple[Code, ...] = ()
    note: str = ""

    @property
    def accepted(self) -> bool:
        """Whether the message may reach the SIP stack."""
        return "accept" in self.gate

    def codes(self, *, addressed: bool = True) -> frozenset[int]:
        """The answers that may be seen on the wire, whoever gives them.

        Args:
            addressed: Whether the Request-URI names a user of this engine; if not, 403 and 404 are right for
                all that is accepted (RFC 3261, 8.2.2.1).
        """
        by_gate = {int(outcome.split()[1]) for outcome in self.gate if outcome.startswith("answer")}
        refusals = _NOT_ADDRESSED if self.engine and not addressed else frozenset()
        return frozenset(by_gate | {*self.engine} | refusals)

    def allows(self, outcome: str, *, addressed: bool = True) -> bool:
        """Whether a gate may do this; it may give each answer that an engine may give, too.

        Args:
            outcome: `accept`, `drop`, or `answer` and a code.
            addressed: As for `codes`.
        """
        action, _, code = outcome.partition(" ")
        if action == "answer":
            return int(code) in self.codes(addressed=addressed)
        return outcome in self.gate

    @property
    def silent(self) -> bool:
        """Whether it is right to send no answer at all."""
        return "drop" in self.gate or not self.codes()


class Expected(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An entry of `expected.toml`.

    Attributes:
        rfc: Its number.
        section: Where the RFC describes the message.
        title: What is odd about it.
        kind: Request or response.
        valid: Whether the RFC calls it well formed.
        gate: See `Behaviour`; for datagrams.
        engine: See `Behaviour`; for datagrams.
        keep: What the message is about.
        correct: What the RFC's authors got wrong without meaning to.
        note: The RFC's reasons.
        tcp: What is different on a stream, if anything is.
    """

    rfc: int
    section: str
    title: str
    kind: Kind
    valid: bool
    gate: tuple[Outcome, ...]
    engine: tuple[Code, ...] = ()
    keep: tuple[Part, ...] = ()
    correct: Correction | None = None
    note: str
    tcp: Behaviour | None = None

    def over(self, transport: Transport) -> Behaviour:
        """What is allowed over a transport."""
        if transport is not Transport.UDP and self.tcp is not None:
            return self.tcp
        return Behaviour(gate=self.gate, engine=self.engine, note=self.note)


class Journey(msgspec.Struct, frozen=True, kw_only=True):
    """Between whom a message travels.

    Attributes:
        transport: How.
        engine: Where it goes: IPv4 address and port.
        sender: Where it comes from, and where the answer and requests in a call shall go.
        user: The user part that the engine answers to; empty leaves the message's own, which nobody knows.
        mark: Letters and digits of this run. Many of the messages share a branch or a Call-ID, and an engine
            would take the second of them for a repetition of the first.
    """

    transport: Transport
    engine: tuple[str, int]
    sender: tuple[str, int]
    user: str = ""
    mark: str = ""


class Torture(msgspec.Struct, frozen=True, kw_only=True):
    """One message.

    Attributes:
        name: As the RFC has it, such as `wsinv`.
        raw: The file, which is the RFC's message with CRLF at the end of each line.
        expected: What must happen to it.
    """

    name: str
    raw: bytes
    expected: Expected

    @property
    def start_line(self) -> bytes:
        """The first line, without its end."""
        return self.raw.split(b"\r\n", 1)[0]

    @property
    def wire(self) -> bytes:
        """The message as it was meant: `raw` but for the four that have a `correct`."""
        match self.expected.correct:
            case Correction.END:
                return self.raw + b"\r\n"
            case Correction.LENGTH:
                head, _, body = self.raw.partition(_END)
                length = b" %d" % len(body)
                return _edit(head, b"content-length", lambda value: length) + _END + body
            case None:
                return self.raw

    def addressed(self, journey: Journey) -> bytes:
        """`wire`, so that it gets to a live engine, its answer comes back, and nothing leaves this computer.

        These parts change, unless the message is about them (`expected.keep`):

        - Request-URI and the first To: host and port, and the user part if `journey.user` is given;
        - the topmost Via: transport and sent-by; of a response, sent-by is the engine's own address. A
          sent-by that has to stay gets `;rport` behind it;
        - the branch in it, if it has one that is unique, and the first Call-ID: `journey.mark` at the end;
        - Contact of INVITE: host and port. Record-Route too, and its maddr;
        - 192.0.2.x behind the headers becomes 127.0.0.x.

        An INVITE whose Contact has to stay must not be answered with 200: the ACK would leave this computer.
        """
        head, end, rest = self.wire.partition(_END)
        start, line_end, headers = head.partition(b"\r\n")
        keep = self.expected.keep
        here, there = _joined(journey.sender), _joined(journey.engine)
        if self.expected.kind is Kind.REQUEST:
            user = b"" if Part.USER in keep else journey.user.encode()
            if Part.REQUEST_URI not in keep:
                start = _moved(start, there, user)
            headers = _edit(headers, b"to", lambda value: _moved(value, there, user), first=True)
        if start.startswith(b"INVITE ") and Part.CONTACT not in keep:
            headers = _edit(headers, b"contact", lambda value: _moved(value, here))
            headers = _edit(headers, b"record-route", lambda value: _moved(value, here))
        sent_by = here if self.expected.kind is Kind.REQUEST else there
        mark = journey.mark.encode()

        def via(value: bytes) -> bytes:
            value = _VIA.sub(
                lambda found: b"".join(
                    [
                        found[1] + journey.transport.name.encode() + found[2],
                        found[3] + b";rport" if Part.VIA in keep else sent_by,
                    ]
                ),
                value,
                count=1,
            )
            if Part.BRANCH in keep:
                return value
            return _BRANCH.sub(lambda found: found[0] + mark, value, count=1)

        headers = _edit(headers, b"via", via, first=True)
        headers = _edit(headers, b"call-id", lambda value: value.rstrip() + mark, first=True)
        return start + line_end + headers + end + rest.replace(_DOCUMENTATION, _LOOPBACK)

    def answering(self, request: bytes, *, server: tuple[str, int]) -> bytes:
        """A response as the answer to a request that an engine sent.

        The first Via, From, To, Call-ID and CSeq are the request's (To with a tag), unless the message is
        about them; a Contact points at the server; 192.0.2.x behind the headers becomes 127.0.0.x.

        Args:
            request: What the engine sent.
            server: Address and port of who answers.

        Raises:
            ValueError: This message is a request, or the request lacks one of the headers.
        """
        if self.expected.kind is not Kind.RESPONSE:
            raise ValueError(f"{self.name} is a request")
        head, end, rest = self.wire.partition(_END)
        for name in (b"via", b"from", b"to", b"call-id", b"cseq"):
            if name == b"cseq" and Part.CSEQ in self.expected.keep:
                continue
            value = b" " + header(request, name)
            if name == b"to" and b";tag=" not in value:
                value += b";tag=torture"
            head = _edit(head, name, lambda _, new=value: new, first=True)  # type: ignore[misc]  # a default binds it
        head = _edit(head, b"contact", lambda value: _moved(value, _joined(server)))
        return head + end + rest.replace(_DOCUMENTATION, _LOOPBACK)


def header(message: bytes, name: bytes) -> bytes:
    """The value of the first header of that name, long or compact, unfolded.

    Raises:
        ValueError: There is none.
    """
    found = _line(name).search(message.partition(_END)[0])
    if found is None:
        raise ValueError(f"no {name.decode()} in {message!r}")
    return b" ".join(part.strip() for part in found["value"].split(b"\r\n"))


def load(folder: Path = FOLDER) -> Mapping[str, Torture]:
    """All messages by name, in the order of the RFCs.

    Raises:
        ShippedDataError: `expected.toml` has a wrong key or value, or differs from the files in the folder.
    """
    table = folder / "expected.toml"
    entries = parse(table.name, table.read_bytes(), dict[str, Expected])
    files = {file.stem: file for file in folder.glob("*.dat")}
    if unknown := sorted(entries.keys() ^ files.keys()):
        raise ShippedDataError(f"{table.name} and the files differ in: {', '.join(unknown)}")
    return {
        name: Torture(name=name, raw=files[name].read_bytes(), expected=expected)
        for name, expected in entries.items()
    }


def _line(name: bytes) -> re.Pattern[bytes]:
    """A header of that name with the lines that continue it."""
    spellings = b"|".join(re.escape(word) for word in (name, _COMPACT.get(name, name)))
    return re.compile(
        rb"(?P<start>^(?:" + spellings + rb")[ \t]*:)(?P<value>(?:[^\r\n]|\r\n[ \t])*)",
        re.IGNORECASE | re.MULTILINE,
    )


def _edit(head: bytes, name: bytes, change: Callable[[bytes], bytes], *, first: bool = False) -> bytes:
    """The headers with the values of one name changed; what stands before the colon stays."""
    return _line(name).sub(lambda found: found["start"] + change(found["value"]), head, count=int(first))


def _moved(text: bytes, to: bytes, user: bytes = b"") -> bytes:
    """The text with its first SIP address at another host and port, and with another user if it has one."""

    def address(found: re.Match[bytes]) -> bytes:
        name = (user + b"@" if user else found[2]) if found[2] else b""
        return found[1] + name + to

    host = to.rpartition(b":")[0]
    return _MADDR.sub(lambda found: found[1] + host, _ADDRESS.sub(address, text, count=1))


def _joined(address: tuple[str, int]) -> bytes:
    return f"{address[0]}:{address[1]}".encode()


MESSAGES = load()
