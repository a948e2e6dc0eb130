"""Readers of single settings: each takes what was typed, gives the value or refuses it."""

from __future__ import annotations

import difflib
import re
import unicodedata

from app.model.host import parse_port
from app.model.trunk import Transport
from app.model.typed import Typed

CODECS: tuple[str, ...] = ("PCMU", "PCMA", "G722", "GSM", "iLBC", "speex", "L16")
"""Codecs of this version, as RFC 3551 and the codecs' own RFCs spell them."""

LONGEST_EXPIRES_S = 86400
SHORTEST_EXPIRES_S = 60

_CODEC_BY_WORD = {name.lower(): name for name in CODECS} | {
    "ulaw": "PCMU",
    "g711u": "PCMU",
    "g.711u": "PCMU",
    "alaw": "PCMA",
    "g711a": "PCMA",
    "g.711a": "PCMA",
    "g.722": "G722",
}
_CODECS_TO_COME = {"g729": "G729", "g.729": "G729", "g729a": "G729", "opus": "Opus"}

# RFC 3261 section 25.1: user = unreserved, escaped or user-unreserved.
_USER = re.compile(r"(?:[A-Za-z0-9\-_.!~*'()&=+$,;?/]|%[0-9A-Fa-f]{2})+")
_NUMBER_WITH_SEPARATORS = re.compile(r"\+?[0-9][0-9 .()/-]*")

_TRANSPORTS = frozenset(transport.value for transport in Transport)
_TRANSPORTS_TO_COME = frozenset({"sctp", "ws", "wss"})


def read_name(typed: Typed) -> str:
    """A trunk's name, composed (NFC) so that the same letters are the same name."""
    composed = unicodedata.normalize("NFC", typed.text)
    if composed != typed.text:
        typed.mend(composed, "Letters and their accents were put together.")
    return composed


def read_port(typed: Typed) -> int | None:
    """A port; empty is None."""
    return parse_port(typed, typed.text) if typed.text else None


def read_transport(typed: Typed) -> Transport:
    """`udp`, `tcp` or `tls`, in any case."""
    word = typed.text.lower()
    if word in _TRANSPORTS:
        return Transport(word)
    wrong = "is not available in this version" if word in _TRANSPORTS_TO_COME else "is no transport"
    raise typed.refuse(wrong, "Write udp, tcp or tls.")


def read_user(typed: Typed) -> str:
    """The user part of a SIP URI (RFC 3261 section 25.1); may be empty."""
    text = typed.text
    if ":" in text:
        # RFC 3261 section 19.1.1: what follows is a password; it must not be shown either.
        typed.original = text.partition(":")[0] + ":…"
        raise typed.refuse('has a ":" in it', "Write only the user here; a password is asked for on its own.")
    if not text or _USER.fullmatch(text):
        return text
    if _NUMBER_WITH_SEPARATORS.fullmatch(text) and "(0)" not in text:
        plain = re.sub(r"[^0-9+]", "", text)
        raise typed.refuse("has separators in it", f"Write the number without them: {plain}.")
    found = next(char for char in text if not re.fullmatch(r"[A-Za-z0-9\-_.!~*'()&=+$,;?/]", char))
    if found.isspace():
        raise typed.refuse("has a blank in it", "Take the blank out.")
    if not found.isascii():
        wrong = f'has "{found}" in it, which is not an ASCII letter or digit'
        raise typed.refuse(
            wrong, "Write it as your provider does: a to z, A to Z, 0 to 9 and - _ . + are usual."
        )
    if found == "%":
        raise typed.refuse('has "%" in it without two hex digits behind', "Write %25 for the character %.")
    wrong = f"has {found} in it, which a SIP user can't have"
    raise typed.refuse(wrong, f"Leave it out, or write %{ord(found):02X} if your provider gave it to you.")


def read_auth_id(typed: Typed) -> str:
    """The digest user name, `username` in RFC 3261 section 20.7; may be empty."""
    return _quotable(typed)


def read_realm(typed: Typed) -> str:
    """The digest realm; empty is `*`, any."""
    if not typed.text:
        typed.mend("*", "Empty means any realm, which is written *.")
    return _quotable(typed)


def read_expires(typed: Typed) -> int:
    """Seconds of a registration."""
    text = typed.text
    if text.isascii() and text.isdigit() and SHORTEST_EXPIRES_S <= int(text) <= LONGEST_EXPIRES_S:
        return int(text)
    allowed = f"Write a whole number of seconds from {SHORTEST_EXPIRES_S} to {LONGEST_EXPIRES_S}."
    if text == "0":
        raise typed.refuse(
            "would end the registration at once", f"{allowed} To not register, set register to no."
        )
    raise typed.refuse("is not a lifetime that can be asked for", allowed)


def read_register(typed: Typed) -> bool:
    """`yes` or `no`, in any case."""
    word = typed.text.lower()
    if word not in {"yes", "no"}:
        raise typed.refuse("is neither yes nor no", "Write yes or no.")
    return word == "yes"


def read_codecs(typed: Typed) -> tuple[str, ...]:
    """Codec names, first choice first."""
    known = f"Known codecs: {', '.join(CODECS)}."
    if not typed.text:
        raise typed.refuse("names no codec", f"Name at least one. {known}")
    names: list[str] = []
    for part in typed.text.split(","):
        name = _codec(typed, part.strip(), known)
        if name in names:
            raise typed.refuse(f"names {name} twice", "Name each codec once, the preferred one first.")
        names.append(name)
    plain = ",".join(names)
    if plain != typed.text:
        typed.mend(plain, f"Written as {plain}.")
    return tuple(names)


def _codec(typed: Typed, word: str, known: str) -> str:
    name = _CODEC_BY_WORD.get(word.lower())
    if name:
        return name
    if not word:
        raise typed.refuse("has a comma too many", "Put one comma between two codecs.")
    to_come = _CODECS_TO_COME.get(word.lower())
    if to_come:
        raise typed.refuse(f"names {to_come}, which is not available in this version", known)
    near = difflib.get_close_matches(word.lower(), _CODEC_BY_WORD, n=1)
    suggestion = f"Did you mean {_CODEC_BY_WORD[near[0]]}? " if near else ""
    raise typed.refuse(f'names the codec "{word}", which is not known', f"{suggestion}{known}")


def read_ca_file(typed: Typed) -> str:
    """A path; whether there is a certificate in that file is `app.paths.check_ca_file`'s to say."""
    return typed.text


def _quotable(typed: Typed) -> str:
    """Goes into a quoted string as it is (RFC 3261 section 25.1), so nothing in it may need an escape."""
    for char in ('"', "\\"):
        if char in typed.text:
            raise typed.refuse(f"has {char} in it, which can't be sent", "Leave it out.")
    return typed.text
