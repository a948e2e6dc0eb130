"""Cuts a TCP stream into SIP messages by Content-Length, with limits (RFC 3261 section 18.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto

from app.sip.engine.tls.message import MessageError, is_start_line, parse

HEADERS_LIMIT = 64 * 1024
"""Bytes of start line and headers, the empty line included."""

BODY_LIMIT = 256 * 1024
"""Bytes of a body."""

_HEAD_END = re.compile(rb"\r?\n\r?\n")


class FramingError(Exception):
    """The stream is not SIP, or a message is over a limit: there is no way to find the next one."""


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
        self._searched = 0

    def frames(self, data: bytes) -> Iterator[bytes | KeepAlive]:
        """Add what was read and give what is complete now.

        Raises:
            FramingError: After what came before it was given; the connection is of no use any more.
        """
        self._buffer += data
        while (frame := self._keep_alive() or self._message()) is not None:
            yield frame

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
        self._check_start()
        ends = _HEAD_END.search(self._buffer, max(0, self._searched - 3))
        self._searched = len(self._buffer)
        if (ends.end() if ends else len(self._buffer)) > HEADERS_LIMIT:
            raise FramingError(f"the headers of a message are longer than {HEADERS_LIMIT} bytes")
        if ends is None:
            return None
        whole = ends.end() + _content_length(bytes(self._buffer[: ends.end()]))
        if len(self._buffer) < whole:
            self._searched = ends.start()
            return None
        raw = bytes(self._buffer[:whole])
        self._drop(whole)
        return raw

    def _check_start(self) -> None:
        """Tell a peer that speaks something else at its first line, not when a limit is reached."""
        end = self._buffer.find(b"\n", 0, HEADERS_LIMIT)
        line = bytes(self._buffer[: max(end, 0)]).rstrip(b"\r")
        if end >= 0 and not is_start_line(line.decode("utf-8", "replace")):
            raise FramingError(f"not a SIP message: it begins with {line[:60]!r}")

    def _drop(self, count: int) -> None:
        del self._buffer[:count]
        self._searched = 0


def _content_length(head: bytes) -> int:
    """Length of the body; a missing header counts as 0, as there is no other sensible guess."""
    try:
        values = set(parse(head).values("content-length"))
    except MessageError as error:
        raise FramingError(str(error)) from error
    if len(values) > 1:
        raise FramingError("a message has two different Content-Length headers")
    text = values.pop() if values else "0"
    if not (text.isascii() and text.isdigit()):
        raise FramingError(f"Content-Length is not a number: {text[:20]!r}")
    if len(text) > 9 or int(text) > BODY_LIMIT:
        raise FramingError(
            f"the body of a message is longer than {BODY_LIMIT} bytes (Content-Length {text[:20]})"
        )
    return int(text)
