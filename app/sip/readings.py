"""Every way to read what was typed as the digits of a call: for the dial guard, which has to see them all."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator

import msgspec

from app.sip.number import ascii_digits, separates, unescape

SCHEME = re.compile(r"\s*(sips?|tel|callto):(//)?", re.IGNORECASE)

_CONTEXT = re.compile(r";\s*phone-context\s*=\s*(\+[^;?@]*)", re.IGNORECASE)

# Feature codes in front, such as *67 or #31# to hide the caller ID
_FEATURE_CODE = re.compile(r"[*#]{1,2}(?=[0-9])")

# A pause between digits; a letter of a SIP user name has no digits around it
_PAUSE = re.compile(r"(?<=[0-9*#])[pw]+(?=[0-9*#+])", re.IGNORECASE)

# What ends the number inside of a user part: parameters, a password, a pause or an extension with more digits
# after it, a star or hash that a switch takes for the end of dialling
_END = re.compile(r"ext|[pwx]|[^\w+]|_", re.IGNORECASE)

_MOST_ENDS = 8

# E.161: a crisis line may be written as 1-800-273-TALK. Shorter names are names.
_KEYPAD = str.maketrans("abcdefghijklmnopqrstuvwxyz", "22233344455566677778889999")
_SHORTEST_IN_LETTERS = 10

_STARS = re.compile(r"[*#]+")

# RFC 5031 section 4; NENA i3 has urn:nena:service:sos. Behind counseling are people in a crisis.
_SERVICE = re.compile(
    r"(urn:([a-z0-9-]+:)*)?(sos(\.[a-z0-9.-]*)?)|urn:([a-z0-9-]+:)*(counseling(\.[a-z0-9.-]*)?)",
    re.IGNORECASE,
)


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One way to read a number.

    Attributes:
        digits: Only 0-9, may be empty.
        plus: Whether a `+` stood in front of them.
    """

    digits: str
    plus: bool = False


def read(number: str, prefixes: Collection[str] = ()) -> frozenset[Reading]:
    """All readings of a text.

    Args:
        number: As typed, or the user part of a URI, or a whole `sip:` or `tel:` URI.
        prefixes: What the provider takes off in front. A star or hash inside of one of them does not end the
            number; what is behind it is another number, which the caller reads by itself.
    """
    dialled, context = _out_of_uri(number)
    body = _PAUSE.sub(",", _dialled_part(dialled))
    behind = max((_length_in_front(body, prefix) for prefix in prefixes), default=0)
    ends = [end.start() for end in _END.finditer(body) if end.start() >= behind]
    found: set[Reading] = set()
    for raw in (body, *(body[:end] for end in ends[:_MOST_ENDS])):
        found.update(_digits(raw))
        if context:
            found.update(_digits(context + raw))
        feature = _FEATURE_CODE.match(raw)
        if feature:
            found.update(_behind_feature_code(raw[feature.end() :]))
    # Here with what separates them: the number is the second word of "*2 113"
    spaced = _FEATURE_CODE.match(dialled.strip())
    if spaced:
        found.update(_behind_feature_code(dialled.strip()[spaced.end() :]))
    # Numbers are arguments of a feature code too: *21*112# forwards all calls. Where digits come first, they
    # are an account or a prefix, which the provider knows and we may not.
    for stars in _STARS.finditer(body) if body[:1] in ("*", "#") else ():
        segment = _END.split(body[stars.end() :], maxsplit=1)[0]
        found.update(_digits(segment))
        found.update(_behind_feature_code(segment))
    keyed = body.lower().translate(_KEYPAD)
    if keyed != body and len(keyed) >= _SHORTEST_IN_LETTERS and body[:1] in "+0123456789":
        # A word may be longer than the number: of 1800RESPECT ten digits count
        for length in (len(keyed), _SHORTEST_IN_LETTERS, _SHORTEST_IN_LETTERS + 1):
            found.update(_digits(keyed[:length]))
    return frozenset(found)


def only_digits(number: str) -> str:
    """The digits of a number and the `+` in front of them; empty where there is more than separators."""
    body = _dialled_part(_out_of_uri(number)[0])
    return body if re.fullmatch(r"\+?[0-9]+", body) else ""


def service(number: str) -> str:
    """The emergency or counselling service that a text names in letters, such as `sos` or `sos.police`; empty
    when it names none.

    Args:
        number: As in `read`, or a service URN (RFC 5031).
    """
    dialled, _ = _out_of_uri(number)
    name = _dialled_part(dialled, keep="-.").lstrip("+*#")
    found = _SERVICE.fullmatch(re.split(r"[;?]", name, maxsplit=1)[0]) or _SERVICE.fullmatch(
        re.split(r"[;:?]", name, maxsplit=1)[0]
    )
    return (found[3] or found[6]).lower() if found else ""


def _out_of_uri(number: str) -> tuple[str, str]:
    """The user part with its parameters, and the `phone-context` among them if it is a number."""
    text = ascii_digits(unescape(number))
    bracketed = re.search(r"<([^<>]*)>", text)
    if bracketed:
        text = bracketed[1]
    text = SCHEME.sub("", text, count=1).partition("@")[0]
    context = _CONTEXT.search(text)
    return text, context[1] if context else ""


def _dialled_part(text: str, keep: str = "") -> str:
    """Without what only separates digits or is not seen at all."""
    return "".join(
        char
        for char in text
        if char in keep or not (separates(char) or unicodedata.category(char) in ("Cf", "Mn", "Me"))
    )


def _length_in_front(body: str, prefix: str) -> int:
    """How far a prefix reaches into a number that begins with it; 0 when it does not."""
    bare = body.removeprefix("+")
    return len(body) - len(bare) + len(prefix) if prefix and bare.startswith(prefix) else 0


def _behind_feature_code(after: str) -> Iterator[Reading]:
    """What is dialled behind a feature code of two or three digits."""
    for length in (2, 3):
        yield from _digits(after[length:])


def _digits(raw: str) -> Iterator[Reading]:
    # Letters make it a SIP user name, not a number: the network is sent the letters. When an outbound rule
    # turns them into digits, the gate after it sees those.
    if any(char.isalpha() for char in raw):
        return
    front, plus, back = raw.rpartition("+")
    yield Reading(digits="".join(char for char in front + back if char.isdecimal()))
    if plus:
        yield Reading(digits="".join(char for char in back if char.isdecimal()), plus=True)
