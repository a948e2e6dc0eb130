"""What a SIP message has in common with the same message sent again: everything but what is drawn or counted.

The parent remembers by it which message ended an engine, and the next engine knows that message by it.
"""

from __future__ import annotations

import hashlib
import re

LONGEST_PART = 64_000
"""Characters of a message that are looked at; UDP carries no more."""

# Not ASCII, or a control character: the same bytes may have been decoded in more than one way
_NOT_PLAIN = re.compile(r"[^\n\x20-\x7e]+")
_WHOLE_VALUE = re.compile(r"^(call-id|i|date|timestamp)[ ]*:.*$", re.IGNORECASE | re.MULTILINE)
# Drawn for each message, with digits in it or not (RFC 3261 sections 8.1.1 and 22.4, RFC 8445, RFC 4568)
_DRAWN = re.compile(
    r"\b(branch|tag|to-tag|from-tag|nonce|nextnonce|cnonce|opaque|response|rspauth|boundary|ice-ufrag|ice-pwd"
    r"|cname|msid|inline|epid|gr|ob-id)([ ]*[=:][ ]*)(?:\"([^\"\n]*)\"|([^;,\s>\"]*))",
    re.IGNORECASE,
)
_USER = re.compile(r"\b(sips?:)([A-Za-z0-9._+-]{6,})@", re.IGNORECASE)
_UUID = re.compile(r"\b[0-9A-Fa-f]{4,}(?:-[0-9A-Fa-f]{4,})+\b")
_WORD = re.compile(r"[A-Za-z0-9]{4,}")
_NUMBER = re.compile(r"\d+")


def fingerprint(text: str) -> str:
    """The fingerprint of a SIP message: 32 hex digits, nothing of the message can be read from it.

    Numbers, tags, branches, Call-IDs, nonces, dates and other words that look drawn count as "something",
    and whether they are overlong; the rest counts as it stands.

    Args:
        text: The message, start line to body. Bytes that are not ASCII may have been decoded in any way.
    """
    return hashlib.sha256(_masked(text).encode("ascii")).hexdigest()[:32]


def _masked(text: str) -> str:
    plain = _NOT_PLAIN.sub("?", text[:LONGEST_PART].replace("\r\n", "\n"))
    plain = _WHOLE_VALUE.sub(lambda found: f"{found[1].lower()}:{_something(found[0])}", plain)
    plain = _DRAWN.sub(lambda found: f"{found[1]}{found[2]}{_something(found[3] or found[4] or '')}", plain)
    plain = _USER.sub(lambda found: f"{found[1]}{_something(found[2])}@", plain)
    plain = _UUID.sub(lambda found: _something(found[0]), plain)
    plain = _WORD.sub(lambda found: _word(found[0]), plain)
    return _NUMBER.sub(lambda found: "0" if len(found[0]) <= 20 else "00", plain)


def _word(word: str) -> str:
    digits = any(letter.isdigit() for letter in word)
    drawn = digits and not word.isdigit()
    hexadecimal = len(word) >= 8 and not digits and re.fullmatch("[a-f]+|[A-F]+", word)
    return _something(word) if drawn or hexadecimal else word


def _something(value: str) -> str:
    """How long it is, roughly: too long a value can be what is wrong with a message."""
    return "" if not value else "~" if len(value) <= 128 else "~~"
