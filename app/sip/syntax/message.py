"""A SIP message as header lines: what is not edited goes out exactly as it came in.

Names keep their spelling, unknown headers their order, bodies their bytes (RFC 3261 sections 7.3 and 16.6).
Bytes that are not UTF-8 survive the way to text and back as surrogates; `text.readable` turns them into
something to show.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator

import msgspec

LONG_NAMES = {
    "a": "accept-contact",
    "b": "referred-by",
    "c": "content-type",
    "d": "request-disposition",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "j": "reject-contact",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "n": "identity-info",
    "o": "event",
    "r": "refer-to",
    "s": "subject",
    "t": "to",
    "u": "allow-events",
    "v": "via",
    "x": "session-expires",
    "y": "identity",
}
"""Compact forms (RFC 3261 section 7.3.3 and the IANA registry of header fields)."""

MOST_VALUES = 128
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_LINE_END = re.compile(r"\r?\n(?![ \t])")
_FOLD = re.compile(r"\r?\n[ \t]+")
_REQUEST_LINE = re.compile(r"[A-Za-z0-9.!%*_+`'~-]+ [^\s\x00]+ SIP/2\.0", re.IGNORECASE)
_STATUS_LINE = re.compile(r"SIP/2\.0 [1-6][0-9][0-9]( [^\r\n]*)?", re.IGNORECASE)


class MessageError(Exception):
    """A message that can't be understood well enough to be passed on."""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """One header field.

    Attributes:
        name: Long form, lower case; empty for a line that is not a header.
        line: As on the wire, folds included, without the last CRLF.
    """

    name: str
    line: str

    @property
    def value(self) -> str:
        """What follows the colon, unfolded (RFC 3261 section 7.3.1)."""
        value = self.line.partition(":")[2]
        return (_FOLD.sub(" ", value) if "\n" in value else value).strip()

    def with_values(self, values: Iterable[str]) -> Header:
        """The same header, spelled the same, with other values."""
        spelled = self.line.partition(":")[0].rstrip()
        return Header(name=self.name, line=f"{spelled}: {', '.join(values)}")


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A request or a response.

    Attributes:
        start: Request line or status line.
        headers: In their order.
        body: As received.
    """

    start: str
    headers: tuple[Header, ...]
    body: bytes = b""

    @property
    def is_request(self) -> bool:
        """Whether this is a request."""
        return self.start[:4].upper() != "SIP/"

    @property
    def method(self) -> str:
        """The request's method, or for a response that of its CSeq.

        Raises:
            MessageError: A response without a usable CSeq.
        """
        if self.is_request:
            return self.start.partition(" ")[0]
        words = self.first("cseq").split()
        if len(words) != 2:
            raise MessageError("the CSeq header is missing or damaged")
        return words[1]

    @property
    def uri(self) -> str:
        """The Request-URI."""
        return self.start.split(" ")[1]

    @property
    def code(self) -> int:
        """The status code of a response, 0 for a request."""
        return 0 if self.is_request else int(self.start.split(" ")[1])

    @property
    def phrase(self) -> str:
        """The reason phrase of a response, empty for a request."""
        return "" if self.is_request else self.start.partition(" ")[2].partition(" ")[2]

    def first(self, name: str) -> str:
        """The value of the first header of that name, unsplit; empty when there is none."""
        return next((header.value for header in self.headers if header.name == name), "")

    def named(self, name: str) -> list[Header]:
        """All headers of that name, in order."""
        return [header for header in self.headers if header.name == name]

    def values(self, name: str) -> list[str]:
        """All values of a header that may hold a list, in order."""
        return [value for header in self.headers if header.name == name for value in split_list(header.value)]


def parse(raw: bytes) -> Message:
    """Take a whole message apart.

    Raises:
        MessageError: The first line is neither a request line nor a status line.
    """
    ends = _HEAD_END.search(raw)
    head, body = (raw[: ends.start()], raw[ends.end() :]) if ends else (raw.rstrip(b"\r\n"), b"")
    start, *lines = _LINE_END.split(head.decode("utf-8", "surrogateescape"))
    if not is_start_line(start):
        raise MessageError("is not a SIP start line")
    return Message(start=start, headers=tuple(_header(line) for line in lines), body=body)


def is_start_line(line: str) -> bool:
    """Whether this line can begin a SIP message (RFC 3261 section 25.1)."""
    return bool(_STATUS_LINE.fullmatch(line) or _REQUEST_LINE.fullmatch(line))


def serialise(message: Message) -> bytes:
    """The message as it goes on the wire, with the right Content-Length."""
    length = str(len(message.body))
    headers = [
        header.with_values([length]) if header.name == "content-length" and header.value != length else header
        for header in message.headers
    ]
    if not any(header.name == "content-length" for header in headers):
        headers.append(made("Content-Length", length))
    head = "\r\n".join([message.start, *(header.line for header in headers)])
    return head.encode("utf-8", "surrogateescape") + b"\r\n\r\n" + message.body


def made(name: str, value: str) -> Header:
    """A header of our own."""
    return Header(name=name.lower(), line=f"{name}: {value}")


def split_list(value: str) -> list[str]:
    """Split at the commas that separate values: not those in quotes or angle brackets.

    Of more than `MOST_VALUES` only the first are given; no message that makes sense has that many.
    """
    if "," not in value:
        return [value.strip()] if value.strip() else []
    return list(itertools.islice(_parts(value), MOST_VALUES))


def _parts(value: str) -> Iterator[str]:
    start, quoted, bracketed, escaped = 0, False, False, False
    for at, char in enumerate(value):
        if escaped:
            escaped = False
        elif quoted:
            escaped = char == "\\"
            quoted = char != '"'
        elif bracketed:
            bracketed = char != ">"
        elif char == '"':
            quoted = True
        elif char == "<":
            bracketed = True
        elif char == ",":
            yield value[start:at].strip()
            start = at + 1
    if value[start:].strip():
        yield value[start:].strip()


def _header(line: str) -> Header:
    name, colon, _ = line.partition(":")
    name = name.strip(" \t").lower() if colon else ""
    if "\n" in line:
        # A sender that ends lines with a bare LF also folds with it
        line = line.replace("\r\n", "\n").replace("\n", "\r\n")
    return Header(name=LONG_NAMES.get(name, name), line=line)
