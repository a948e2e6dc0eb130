"""Bytes of the network as text: what they say to a person, and nothing that a program might obey."""

from __future__ import annotations

from app.model.signalling import LONGEST_TEXT


def readable(text: str | bytes) -> str:
    """The text of bytes that should be UTF-8 (RFC 3261 section 25.1) and may be anything.

    Args:
        text: Bytes, or text that holds them as surrogates (`surrogateescape`).

    Returns:
        UTF-8 where it is UTF-8, else read as Windows-1252, the superset of Latin-1 that old equipment sends.
        It never holds a surrogate.
    """
    raw = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def one_line(text: str | bytes, limit: int = LONGEST_TEXT) -> str:
    """`readable` text on one line: nothing unprintable, at most `limit` characters."""
    start = readable(_beginning(text, 8 * limit))
    words = "".join(char if char.isprintable() else " " for char in start)
    line = " ".join(words.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _beginning(text: str | bytes, length: int) -> str | bytes:
    """At most so much of it; bytes are not cut within a character of UTF-8, which would spoil all others."""
    if isinstance(text, bytes) and len(text) > length:
        while length and text[length] & 0xC0 == 0x80:
            length -= 1
    return text[:length]


def readable_lines(raw: bytes) -> str:
    """A whole message for a person, its line ends kept; each line is decoded by itself."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return "\n".join(readable(line) for line in raw.split(b"\n"))
