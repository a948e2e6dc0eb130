"""Keys for SRTP in SDP: `a=crypto` lines (RFC 4568)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Container, Iterable
from typing import Any

import msgspec

from app.model.trunk import CryptoSuite

ALL_SUITES = tuple(CryptoSuite)
KEY_BYTES = 30
"""Master key and master salt together, for both suites (RFC 4568 section 6.2)."""


class Crypto(msgspec.Struct, frozen=True, kw_only=True):
    """One `a=crypto` line; the key is shown in no repr.

    Attributes:
        tag: Its number, which the answer repeats.
        suite: Cipher and length of the authentication tag.
        key: Master key and salt of whoever sent the line.
    """

    tag: str
    suite: CryptoSuite
    key: bytes

    def __repr__(self) -> str:
        """Without the key."""
        return f"Crypto(tag={self.tag!r}, suite={self.suite.value}, key=<hidden>)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """The same for pretty printers, which would take msgspec's own list of all fields."""
        return [("tag", self.tag), ("suite", self.suite.value), ("key", "<hidden>")]

    def line(self) -> str:
        """The attribute's value."""
        return f"{self.tag} {self.suite.value} inline:{base64.b64encode(self.key).decode()}"


def choose(lines: Iterable[str], suites: Container[CryptoSuite] = ALL_SUITES) -> Crypto | None:
    """The first line that can be used, for one of these suites (RFC 4568 section 5.1.2), or None."""
    read = (_read(line) for line in lines)
    return next((crypto for crypto in read if crypto and crypto.suite in suites), None)


def _read(line: str) -> Crypto | None:
    """One line; None for another suite, several keys, an MKI, or a parameter that changes the packets."""
    tag, name, inline, *parameters = line.split() if len(line.split()) > 2 else ("", "", "")
    if not (tag.isascii() and tag.isdigit()) or name.upper() not in CryptoSuite.__members__:
        return None
    method, _, keys = inline.partition(":")
    encoded, *more = keys.split("|")
    # A lifetime is no more than a promise; a colon belongs to an MKI
    if method.lower() != "inline" or any(":" in part for part in more):
        return None
    if not all(parameter.startswith(("-", "WSH=")) for parameter in parameters):
        return None
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None
    return Crypto(tag=tag, suite=CryptoSuite[name.upper()], key=key) if len(key) == KEY_BYTES else None
