"""What a person typed or pasted as a number, turned into the user part of a Request-URI."""

from __future__ import annotations

import re
import unicodedata

from app.errors import UserError
from app.model.typed import shown

MAX_LENGTH = 64
"""Longest user part that is dialled. E.164 numbers have at most 15 digits; the rest is room for SIP users."""

_ESCAPED = re.compile(rb"%([0-9A-Fa-f]{2})")

_SCHEME = re.compile(r"(sips?|tel|callto):(//)?", re.IGNORECASE)

_OTHER_SCHEME = re.compile(r"(https?|mailto|im|xmpp|h323|ftp):", re.IGNORECASE)

_SEPARATORS = frozenset("./()[]\N{MINUS SIGN}\N{MIDDLE DOT}")

_USER = re.compile(r"[A-Za-z0-9\-_.!~*'()&=+$,;?/]+")
"""`user` of RFC 3261 section 25.1 without escapes: unreserved and user-unreserved."""

_LABEL = re.compile(
    r"(tel|telephone|telefon|t\u00e9l|phone|fon|mobile|mobil|cell|handy|office|direct|[tpm])(\.?\s*:\s*|\.?\s+)(?=[+(\d])",
    re.IGNORECASE,
)
"""What stands in front of a number in a letter or a signature. The colon or blank behind it tells it from a
SIP user name such as t100, which has neither."""

_TRUNK_ZERO = re.compile(r"[(\[]\s*0\s*[)\]]")
"""The 0 of "+44 (0)20", dialled inside the country only."""

_ABROAD = re.compile(r"[ (]*(\+|00|011)")

_DIALLED = re.compile(r"\+?[0-9*#]+")


def unescape(text: str) -> str:
    """Undo `%31` escapes of a URI (RFC 3261 section 19.1.2), also when they were escaped again."""
    for _ in range(8):
        raw = text.encode("utf-8", "replace")
        plain = _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), raw).decode("utf-8", "replace")
        if plain == text:
            break
        text = plain
    return text


def ascii_digits(text: str) -> str:
    """Write every character that is a digit in some script as 0-9, and full-width signs as ASCII."""
    folded = unicodedata.normalize("NFKC", text)
    return "".join(str(unicodedata.digit(char, char)) for char in folded)


def check_number(text: str, host: str = "") -> str:
    """Turn what was typed into the user part to dial.

    Takes a number with any separators (`+44 (0)20 7946-0018`) and digits of any script; a SIP user name such
    as `anna.smith`; a `tel:` or `sip:` URI, also with a name and angle brackets. Parameters and password of a
    URI are dropped.

    Args:
        text: As typed or pasted.
        host: The trunk's host; an address at another host is refused. Empty: the host is not looked at.

    Returns:
        The user part, ready to stand in a URI: `#`, which may not stand there as it is, comes back as `%23`.

    Raises:
        UserError: It can't be dialled; the message names the value.
    """
    bare = _without_trimmings(_visible(text))
    user, at, server = _out_of_uri(bare, text).rpartition("@")
    if not at:
        user = server
    elif not user:
        raise _not_a_number(text, "it has no number in front of the @")
    elif host and _host_of(server) != _host_of(host):
        raise UserError(
            f"{shown(text)} is an address at another host, and this trunk calls through {host}.",
            do="Enter only the number, or pick the trunk of that provider.",
        )
    user = ascii_digits(unescape(user))
    if any(_is_control(char) for char in user):
        raise _not_a_number(text, "it has a hidden control character in it")
    if not user.strip():
        raise _not_a_number(text, "it has no number in it")
    result = _number(user, text) if _looks_like_number(user) else _user_name(user, text)
    if len(result) > MAX_LENGTH:
        raise _not_a_number(text, f"it has {len(result)} characters, and {MAX_LENGTH} is the limit")
    return result


def _not_a_number(text: str, why: str) -> UserError:
    return UserError(
        f"{shown(text)} can't be dialled: {why}.",
        do="Enter a number such as +44 20 7946 0018, or a SIP user name.",
    )


def _is_control(char: str) -> bool:
    return unicodedata.category(char) == "Cc"


def _visible(text: str) -> str:
    """Without what a paste brings along unseen: spaces at its ends, direction marks, soft hyphens."""
    if not text.strip():
        raise UserError("There is no number to call.", do="Enter a number such as +44 20 7946 0018.")
    bare = "".join(char for char in text.strip() if unicodedata.category(char) != "Cf")
    if any(_is_control(char) for char in bare):
        # A line break in a URI would let the rest of the text become a header of the request
        raise _not_a_number(text, "it has a line break or another control character in it")
    return bare.strip()


def _without_trimmings(bare: str) -> str:
    """Without what people copy along with a number: label, quotes, telephone sign, a comma at the end."""
    inside = bare.strip("'\"").strip()
    while inside and unicodedata.category(inside[0]) == "So":
        # And the selector that asks for a coloured telephone sign
        inside = inside[1:].lstrip("\ufe0e\ufe0f ")
    inside = inside.rstrip(",;").rstrip()
    label = None if _SCHEME.match(inside) else _LABEL.match(inside)
    if label:
        inside = inside[label.end() :]
    # A name in quotes before an address, or letters anywhere, is something else
    return inside if inside and _looks_like_number(inside) else bare


def _out_of_uri(bare: str, text: str) -> str:
    """The part between the scheme and the parameters: `user`, or `user@host`."""
    bracketed = re.search(r"<([^<>]*)>\s*$", bare)
    if bracketed:
        bare = bracketed[1].strip()
        if not _SCHEME.match(bare) and not _OTHER_SCHEME.match(bare):
            raise _not_a_number(text, "between its angle brackets is no sip: or tel: address")
    elif "<" in bare or ">" in bare:
        raise _not_a_number(text, "its angle brackets do not match")
    if _OTHER_SCHEME.match(bare):
        raise _not_a_number(text, "it is an address of another kind")
    scheme = _SCHEME.match(bare)
    if scheme:
        bare = bare[scheme.end() :]
    user, at, server = bare.rpartition("@")
    if at:
        name = user.partition(":")[0] if scheme else user
        return f"{name}@{re.split('[;?]', server, maxsplit=1)[0]}"
    return re.split("[;?]", bare, maxsplit=1)[0] if scheme else bare


def _host_of(server: str) -> str:
    """Host without port and final dot, in lower case."""
    server = server.strip().lower()
    if server.startswith("["):
        return server[1:].split("]", 1)[0]
    if server.count(":") == 1:
        server = server.split(":", 1)[0]
    return server.rstrip(".")


def _looks_like_number(user: str) -> bool:
    """Whether no letter comes before the first `;`: then spaces, brackets and dashes only separate."""
    return not any(char.isalpha() for char in user.split(";", 1)[0])


def _number(user: str, text: str) -> str:
    digits = user.split(";", 1)[0]
    if _ABROAD.match(digits):
        digits = _TRUNK_ZERO.sub("", digits)
    dialled = "".join(char for char in digits if not separates(char))
    if not any(char.isdigit() for char in dialled):
        raise _not_a_number(text, "it has no digit in it")
    if "," in dialled:
        raise _not_a_number(
            text, "it has a pause (a comma) in it; send digits after the pause as tones in the call"
        )
    if not _DIALLED.fullmatch(dialled):
        odd = next((char for char in dialled if char not in "0123456789*#+"), "+")
        raise _not_a_number(text, f"the character {shown(odd)} is out of place in a number")
    return dialled.replace("#", "%23")


def separates(char: str) -> bool:
    """Whether the character only groups digits: spaces and dashes of all kinds, dots, slashes, brackets."""
    return char in _SEPARATORS or char.isspace() or unicodedata.category(char) == "Pd"


def _user_name(user: str, text: str) -> str:
    if _USER.fullmatch(user):
        return user
    odd = next(char for char in user if not _USER.fullmatch(char))
    what = "a space" if odd.isspace() else f"the character {shown(odd)}"
    raise _not_a_number(text, f"it has letters, and {what} is not allowed in a SIP user name")
