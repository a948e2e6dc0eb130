"""The gate: every SIP message of the network is examined here before the stack gets it.

What leaves the gate is safe to rebuild a message from: addresses, numbers and lists that have been read, in
plain ASCII and of limited length. A header that is damaged is left out and reported, and a message that lacks
what a transaction needs does not pass at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

import msgspec

from app.model.signalling import MOST_PROBLEMS, Handling, MessageProblem
from app.sip.syntax import values
from app.sip.syntax.address import (
    Address,
    MalformedError,
    Uri,
    Via,
    is_token,
    parse_address,
    parse_uri,
    parse_via,
    via_faults,
)
from app.sip.syntax.challenge import Challenge, parse_challenges
from app.sip.syntax.head import Examined, Head, Reason
from app.sip.syntax.message import Header, Message, MessageError, parse, split_list
from app.sip.syntax.sdp import Sdp, read_sdp
from app.sip.syntax.text import one_line

LONGEST_MESSAGE = 65_535
"""Bytes of a message; a UDP datagram holds no more."""
MOST_HEADERS = 256
MOST_VIAS = 70
"""As many hops as Max-Forwards allows to begin with (RFC 3261 section 8.1.1.6)."""
MOST_ROUTES = 16
MOST_CONTACTS = 16
MOST_TOKENS = 32
HIGHEST_CSEQ = 2**31 - 1
LONGEST_TAG = 512

_ONCE = ("from", "to", "call-id", "cseq", "content-type", "max-forwards")
"""Headers that may stand there once (RFC 3261 section 7.3.1); twice, a message means two things."""
_TOKEN_LISTS = ("allow", "supported", "require", "proxy-require", "unsupported", "accept", "allow-events")
_SECONDS = {
    "expires": values.seconds,
    "min-expires": values.seconds,
    "min-se": values.min_se,
    "retry-after": values.retry_after,
}
_CSEQ = re.compile(r"([0-9]{1,10})[ \t]+([A-Za-z0-9.!%*_+`'~-]{1,128})")
_EMPTY_ENTRY = re.compile(r"(?:\A|,)\s*(?:,|\Z)")
_WORD = re.compile(r"[\x21-\x7e]+")

T = TypeVar("T")


class _StoppedError(Exception):
    """The message does not pass; what is wrong with it has been noted.

    Attributes:
        answer: What a request is answered with, None for no answer.
    """

    def __init__(self, answer: Reason | None) -> None:
        super().__init__()
        self.answer = answer


def examine(raw: bytes, *, peer: str = "") -> Examined:
    """Examine one message.

    Args:
        raw: From the start line to the end of the body, or one datagram.
        peer: `address:port` that sent it, for the report.
    """
    reader = _Reader(raw.lstrip(b"\r\n"), peer)  # RFC 3261 section 7.5
    try:
        head = reader.read()
    except _StoppedError as stop:
        return Examined(message=reader.message, problems=tuple(reader.problems), answer=stop.answer)
    return Examined(message=reader.message, head=head, problems=tuple(reader.problems))


class _Reader:
    """Reads one message.

    Attributes:
        message: What it was taken apart into, None where that is not possible.
        problems: What is wrong with it so far.
    """

    def __init__(self, raw: bytes, peer: str) -> None:
        self._raw = raw
        self._peer = peer
        self.message: Message | None = None
        self.problems: list[MessageProblem] = []

    def read(self) -> Head:
        """Read the whole message.

        Raises:
            _StoppedError: It does not pass.
        """
        message = self._parsed()
        self._check_shape(message)
        method, cseq = self._cseq(message)
        via = self._via(message)
        uri = self._request_uri(message) if message.is_request else None
        message = self.message = self._with_length(message, via)
        contacts, star = self._contacts(message, method)
        media_type = self._media_type(message)
        sdp, sdp_broken = self._sdp(message, media_type)
        package, package_id = values.event(message.first("event"))
        names = {header.name for header in message.headers}
        return Head(
            method=method,
            code=message.code,
            phrase=one_line(message.phrase, 120),
            uri=uri,
            via=via,
            sender=self._address(message, "from"),
            to=self._address(message, "to"),
            call_id=self._call_id(message),
            cseq=cseq,
            contacts=contacts,
            star=star,
            routes=self._routes(message),
            seconds=self._seconds(message, names),
            tokens={name: self._tokens(message, name) for name in _TOKEN_LISTS if name in names},
            session_expires=self._first(message, "session-expires", values.session_expires, "seconds"),
            rseq=self._first(message, "rseq", values.seconds, "a sequence"),
            rack=values.rack(message.first("rack")),
            challenges=self._challenges(message) if message.code in (401, 407) else (),
            event=package,
            event_id=package_id,
            media_type=media_type,
            sdp=sdp,
            sdp_broken=sdp_broken,
        )

    # What is wrong

    def _note(self, header: str, line: str, what: str, handling: Handling = Handling.REPAIRED) -> None:
        if len(self.problems) >= MOST_PROBLEMS and handling is not Handling.DROPPED:
            return
        self.problems.append(
            MessageProblem(
                start=one_line(self.message.start, 120) if self.message else "",
                header=header,
                line=one_line(line),
                what=what,
                handling=handling,
                peer=self._peer,
            )
        )

    def _repair(self, header: Header, what: str) -> None:
        self._note(values.spelled(header.name), header.line, what)

    def _stop(self, header: str, line: str, what: str, answer: Reason | None = None) -> _StoppedError:
        """An exception to raise; a request but ACK is answered 400 where nothing else is said."""
        self._note(header, line, what, Handling.DROPPED)
        message = self.message
        if message is None or not message.is_request or message.method == "ACK":
            return _StoppedError(None)
        return _StoppedError(answer or Reason(400, values.reason_phrase(header, what)))

    # What every message needs

    def _parsed(self) -> Message:
        start = self._raw[:LONGEST_MESSAGE].split(b"\n", 1)[0].rstrip(b"\r")
        line = start.decode("utf-8", "surrogateescape")
        if len(self._raw) > LONGEST_MESSAGE:
            raise self._stop("", line, f"is longer than {LONGEST_MESSAGE} bytes")
        try:
            self.message = parse(self._raw)
        except MessageError:
            what, answer = values.start_line_fault(start)
            if answer is not None:
                # A request of sorts, which may still have what an answer needs
                self.message = values.forced(self._raw)
            raise self._stop("", line, what, answer) from None
        return self.message

    def _check_shape(self, message: Message) -> None:
        if len(message.headers) > MOST_HEADERS:
            raise self._stop("", message.start, f"has more than {MOST_HEADERS} headers")
        for header in message.headers:
            if not header.name:
                self._note("", header.line, "is not a header")
            elif not is_token(header.name):
                self._note(one_line(header.name, 40), header.line, "is not the name of a header")
        for name in _ONCE:
            same = message.named(name)
            if len({header.value for header in same}) > 1:
                raise self._stop(values.spelled(name), same[1].line, "stands there twice and differs")

    def _needed(self, message: Message, name: str) -> Header:
        header = next((header for header in message.headers if header.name == name), None)
        if header is None:
            raise self._stop(values.spelled(name), "", "is missing")
        return header

    def _cseq(self, message: Message) -> tuple[str, int]:
        header = self._needed(message, "cseq")
        found = _CSEQ.fullmatch(header.value)
        if found is None or int(found[1]) > HIGHEST_CSEQ:
            raise self._stop("CSeq", header.line, "is not a number below 2^31 and a method")
        if message.is_request and found[2] != message.method:
            raise self._stop("CSeq", header.line, "names another method than the request")
        # A response names the method of a request of ours, which had it in capitals
        return found[2] if message.is_request else found[2].upper(), int(found[1])

    def _via(self, message: Message) -> Via:
        header = self._needed(message, "via")
        vias = message.values("via")
        if not vias or len(vias) > MOST_VIAS:
            raise self._stop("Via", header.line, f"has more than {MOST_VIAS} values" if vias else "is empty")
        try:
            via = parse_via(vias[0])
        except MalformedError as error:
            raise self._stop("Via", header.line, str(error)) from None
        if message.is_request and '"' not in header.value and _EMPTY_ENTRY.search(header.value):
            raise self._stop("Via", header.line, "has an empty value in its list")
        if not via.branch and not message.is_request:
            raise self._stop("Via", header.line, "has no branch")
        if (via.received is None or via.rport is None) and (what := via_faults(vias[0])):
            self._repair(header, what)
        return via

    def _address(self, message: Message, name: str) -> Address | None:
        """From or To; in a response, ours of the request will do where it can't be read."""
        if not message.is_request and not message.named(name):
            self._note(values.spelled(name), "", "is missing")
            return None
        header = self._needed(message, name)
        try:
            address = parse_address(header.value)
            if address.tag and not is_token(address.tag, LONGEST_TAG):
                raise MalformedError("has a tag that can't be read")
        except MalformedError as error:
            if not message.is_request:
                self._repair(header, str(error))
                return None
            raise self._stop(values.spelled(name), header.line, str(error)) from None
        if name == "from" and not address.tag and message.is_request:
            # RFC 2543 allowed it
            self._repair(header, "has no tag")
        return address

    def _call_id(self, message: Message) -> str:
        header = self._needed(message, "call-id")
        if not _WORD.fullmatch(header.value):
            raise self._stop("Call-ID", header.line, "has spaces or characters that may not be in it")
        return header.value

    def _request_uri(self, message: Message) -> Uri:
        try:
            return parse_uri(message.uri)
        except MalformedError as error:
            raise self._stop("Request-URI", message.start, str(error)) from None

    def _with_length(self, message: Message, via: Via) -> Message:
        """The message with as much body as its Content-Length says."""
        headers = message.named("content-length")
        if not headers:
            if via.transport in ("TCP", "TLS"):  # RFC 3261 section 20.14
                self._note("Content-Length", "", "is missing, and TCP and TLS need it to tell messages apart")
            return message
        line, text = headers[0].line, headers[0].value
        if len({header.value for header in headers}) > 1:
            raise self._stop("Content-Length", line, "stands there twice and differs")
        if not (text.isascii() and text.isdecimal() and len(text) < 10):
            raise self._stop("Content-Length", line, "is not a number of bytes")
        if int(text) > len(message.body):
            raise self._stop(
                "Content-Length", line, f"says more than the {len(message.body)} bytes there are"
            )
        # Extra bytes of a datagram are discarded (RFC 3261 section 18.3)
        return msgspec.structs.replace(message, body=message.body[: int(text)])

    # What can be left out

    def _first(self, message: Message, name: str, read: Callable[[str], T | None], of: str) -> T | None:
        """The first value of a header that can be read; what can't be is noted."""
        for header in message.headers:
            if header.name == name:
                value = read(header.value)
                if value is not None:
                    return value
                self._repair(header, f"is not a number of {of}" if of != "a sequence" else "is not a number")
        return None

    def _contacts(self, message: Message, method: str) -> tuple[tuple[Address, ...], bool]:
        found: list[Address] = []
        star = False
        elsewhere = 300 <= message.code < 400  # where any URI may stand (RFC 3261 section 21.3)
        for header in message.named("contact"):
            for value in split_list(header.value):
                if value == "*":
                    star = True
                    if not message.is_request or method != "REGISTER":
                        self._repair(header, "is *, which only a REGISTER may say")
                    continue
                address = self._sip_address(header, value, any_scheme=elsewhere)
                if address is not None and len(found) < MOST_CONTACTS:
                    found.append(address)
        return tuple(found), star

    def _routes(self, message: Message) -> tuple[Address, ...]:
        found = [
            address
            for header in message.named("record-route")
            for value in split_list(header.value)
            if (address := self._sip_address(header, value)) is not None
        ]
        return tuple(found[:MOST_ROUTES])

    def _sip_address(self, header: Header, value: str, *, any_scheme: bool = False) -> Address | None:
        try:
            address = parse_address(value)
        except MalformedError as error:
            self._repair(header, str(error))
            return None
        if not address.uri.is_sip and not any_scheme:
            self._repair(header, f"is a {one_line(address.uri.scheme, 20)}: address and not a SIP address")
            return None
        return address

    def _seconds(self, message: Message, names: set[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for name, read in _SECONDS.items():
            value = self._first(message, name, read, "seconds") if name in names else None
            if value is not None:
                found[name] = value
        return found

    def _tokens(self, message: Message, name: str) -> tuple[str, ...]:
        found: list[str] = []
        for header in message.named(name):
            for value in header.value.split(","):
                word = value.partition(";")[0].strip()
                if not word:
                    continue
                if not is_token(word.replace("/", "-"), 64):
                    self._repair(header, "has something in its list that is not a word")
                    break
                found.append(word)
        return tuple(dict.fromkeys(found))[:MOST_TOKENS]

    def _challenges(self, message: Message) -> tuple[Challenge, ...]:
        found: list[Challenge] = []
        for header in message.named("www-authenticate" if message.code == 401 else "proxy-authenticate"):
            try:
                found += parse_challenges(header.value)
            except MalformedError as error:
                self._repair(header, str(error))
        return tuple(found[:MOST_ROUTES])

    def _media_type(self, message: Message) -> str:
        if not message.body:
            return ""
        header = next(iter(message.named("content-type")), None)
        if header is None:
            if message.body.strip():
                self._note("Content-Type", "", "is missing, and there is a body")
            return "application/sdp" if message.body.startswith(b"v=0") else ""
        found = values.media_type(header.value)
        if found is None and message.is_request:
            raise self._stop(
                "Content-Type", header.line, "is not a type", Reason(415, "Unsupported Media Type")
            )
        if found is None:
            self._repair(header, "is not a type")
        return found or ""

    def _sdp(self, message: Message, media_type: str) -> tuple[Sdp | None, bool]:
        body = message.body
        if media_type.startswith("multipart/"):
            body = values.sdp_part(message.first("content-type"), body)
        elif media_type != "application/sdp":
            return None, False
        if not body:
            return None, False
        try:
            sdp = read_sdp(body)
        except MalformedError as error:
            self._note("SDP", body.split(b"\n")[0].decode("utf-8", "surrogateescape"), str(error))
            return None, True
        for fault in sdp.faults:
            kind = fault.line[:2] if fault.line[1:2] == "=" else ""
            self._note(f"SDP {kind}".rstrip(), fault.line, fault.what)
        return sdp, False
