"""Cuts a stream into SIP messages by Content-Length, with limits (RFC 3261 section 18.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto

from app.sip.syntax.text import one_line

HEADERS_LIMIT = 64 * 1024
"""Bytes of start line and headers, the empty line included."""

BODY_LIMIT = 256 * 1024
"""Bytes of a body."""

_FOLD = re.compile(rb"\r?\n[ \t]+")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
# With their compact forms (RFC 3261 section 7.3.3)
_LENGTH = re.compile(rb"^(?:content-length|l)[ \t]*:([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_TYPE = re.compile(rb"^(?:content-type|c)[ \t]*:", re.IGNORECASE | re.MULTILINE)
# Of SIP in any version, well written or not: that is the gate's to judge, which can answer
_START = re.compile(rb"SIP/[0-9]|.*[ \t]SIP/[0-9]+\.[0-9]+\s*\Z", re.IGNORECASE | re.DOTALL)
_NEXT_START = re.compile(
    rb"\n(?=SIP/2\.0 [1-6][0-9][0-9][ \r]|[A-Z]{3,16} sips?:[^\s]{1,2048} SIP/2\.0\r?\n)"
)


class FramingError(Exception):
    """The stream is not SIP, or a message is over a limit: there is no way to find the next one.

    Attributes:
        line: The line at fault, as received.
    """

    def __init__(self, words: str, line: str = "") -> None:
        super().__init__(words)
        self.line = line


class KeepAlive(Enum):
    """What may stand between messages (RFC 5626 section 4.4.1)."""

    PING = auto()
    PONG = auto()


class Framer:
    """Keeps what has come in so far and gives whole messages.

    Message bytes are given as received, from the start line to the end of the body.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._started = False
        self._searched = 0
        self._needed = 0

    def frames(self, data: bytes) -> Iterator[bytes | KeepAlive]:
        """Add what was read and give what is complete now.

        A message with a body and without Content-Length ends where the next one begins, or with what has
        come so far: RFC 3261 section 20.14 forbids it on a stream, and some send it all the same.

        Raises:
            FramingError: After what came before it was given; the connection is of no use any more.
        """
        self._buffer += data
        while (frame := self._keep_alive() or self._message()) is not None:
            yield frame

    @property
    def unfinished(self) -> str:
        """The start line of a message whose rest has not come, empty when there is none."""
        return one_line(bytes(self._buffer[:240]).strip().split(b"\n", 1)[0].rstrip(b"\r"))

    def _keep_alive(self) -> KeepAlive | None:
        # A ping that arrives in two pieces is taken for two pongs: then it gets no answer, which RFC 5626
        # peers must stand anyway; waiting for the rest would hold every pong back.
        for token, kind in (
            (b"\r\n\r\n", KeepAlive.PING),
            (b"\r\n", KeepAlive.PONG),
            (b"\n", KeepAlive.PONG),
        ):
            if self._buffer.startswith(token):
                self._drop(len(token))
                return kind
        return None

    def _message(self) -> bytes | None:
        if len(self._buffer) < self._needed:
            return None
        self._check_start()
        ends = _HEAD_END.search(self._buffer, max(0, self._searched - 3))
        self._searched = len(self._buffer)
        if (ends.end() if ends else len(self._buffer)) > HEADERS_LIMIT:
            raise FramingError(f"the headers of a message are longer than {HEADERS_LIMIT} bytes")
        if ends is None:
            return None
        length = _content_length(bytes(self._buffer[: ends.end()]))
        whole = self._end_without_length(ends.end()) if length is None else ends.end() + length
        if len(self._buffer) < whole:
            self._searched, self._needed = ends.start(), whole
            return None
        raw = bytes(self._buffer[:whole])
        self._drop(whole)
        return raw

    def _end_without_length(self, body: int) -> int:
        if not _TYPE.search(self._buffer, 0, body):
            return body
        # The end of the last header line is looked at too: the body may be empty
        following = _NEXT_START.search(self._buffer, body - 1)
        return min(following.end() if following else len(self._buffer), body + BODY_LIMIT)

    def _check_start(self) -> None:
        """Report a peer that speaks something else at its first line, not when a limit is reached."""
        end = -1 if self._started else self._buffer.find(b"\n", 0, HEADERS_LIMIT)
        if end < 0:
            return
        self._started = True
        start = bytes(self._buffer[:end]).rstrip(b"\r")
        if not _START.match(start):
            line = start.decode("utf-8", "surrogateescape")
            raise FramingError(f"not a SIP message: it begins with {one_line(line, 60)!r}", line)

    def _drop(self, count: int) -> None:
        del self._buffer[:count]
        self._started = False
        self._searched = self._needed = 0


def _content_length(head: bytes) -> int | None:
    """Length of the body, None when it is not given."""
    found = _LENGTH.findall(_FOLD.sub(b" ", head))
    values = {text.strip(b" \t").decode("utf-8", "surrogateescape") for text in found}
    if len(values) > 1:
        raise FramingError("a message has two different Content-Length headers", "Content-Length")
    if not values:
        return None
    text = values.pop()
    line = f"Content-Length: {text}"
    if not (text.isascii() and text.isdigit()):
        raise FramingError(f"Content-Length is not a number: {one_line(text, 20)!r}", line)
    if len(text) > 9 or int(text) > BODY_LIMIT:
        raise FramingError(
            f"the body of a message is longer than {BODY_LIMIT} bytes (Content-Length {one_line(text, 20)})",
            line,
        )
    return int(text)
