"""Readers of single settings: each takes what was typed, gives the value or refuses it."""

from __future__ import annotations

import difflib
import ipaddress
import re
import unicodedata
from enum import StrEnum
from typing import TypeVar

from app.model import codecs
from app.model.codecs import CODECS
from app.model.formatted_number import mend_number, refuse_decimal_point
from app.model.host import parse_host_port, parse_port
from app.model.trunk import Dtmf, FromHost, SignIn, Srtp, Transport, Use
from app.model.typed import Typed, shown

LONGEST_EXPIRES_S = 86400
SHORTEST_EXPIRES_S = 60


# RFC 3261 section 25.1: user = unreserved, escaped or user-unreserved.
_USER = re.compile(r"(?:[A-Za-z0-9\-_.!~*'()&=+$,;?/]|%[0-9A-Fa-f]{2})+")
_NUMBER_WITH_SEPARATORS = re.compile(r"\+?[\s(]*[0-9][0-9\s.()/-]*")

_CLEARLY_A_NUMBER = 5
"""Digits: `12345.0` is a number that a program has written, `1.0` may be a user name."""

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


def without_separators(number: str) -> str:
    """A number's digits and its `+`; `+44 (0)20` loses the 0 that is dialled inside the country only."""
    if number.startswith("+"):
        number = re.sub(r"\(\s*0\s*\)", "", number)
    return re.sub(r"[^0-9+]", "", number)


def read_user(typed: Typed) -> str:
    """The user part of a SIP URI (RFC 3261 section 25.1); may be empty."""
    text = typed.text
    if ":" in text:
        # RFC 3261 section 19.1.1: what follows is a password; it must not be shown either.
        typed.original = text.partition(":")[0] + ":…"
        raise typed.refuse('has a ":" in it', "Write only the user here; a password is asked for on its own.")
    mend_number(typed, fewest_digits=_CLEARLY_A_NUMBER)
    text = typed.text
    if not text or _USER.fullmatch(text):
        return text
    if _NUMBER_WITH_SEPARATORS.fullmatch(text):
        refuse_decimal_point(typed)
        plain = without_separators(text)
        raise typed.refuse("has separators in it", f"Write the number without them: {plain}.")
    found = next(char for char in text if not re.fullmatch(r"[A-Za-z0-9\-_.!~*'()&=+$,;?/]", char))
    if found.isspace():
        raise typed.refuse("has a blank in it", "Take the blank out.")
    if not found.isascii():
        wrong = f"has {shown(found)} in it, which is not an ASCII letter or digit"
        raise typed.refuse(
            wrong, "Write it as your provider does: a to z, A to Z, 0 to 9 and - _ . + are usual."
        )
    if found == "%":
        raise typed.refuse('has "%" in it without two hex digits behind', "Write %25 for the character %.")
    wrong = f"has {found} in it, which a SIP user can't have"
    raise typed.refuse(wrong, f"Leave it out, or write %{ord(found):02X} if your provider gave it to you.")


def read_auth_id(typed: Typed) -> str:
    """The digest user name, `username` in RFC 3261 section 20.7; may be empty."""
    mend_number(typed, fewest_digits=_CLEARLY_A_NUMBER)
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
            "would end the registration at once",
            f"{allowed} To not register, change Sign-in (sign_in).",
        )
    raise typed.refuse("is not a lifetime that can be asked for", allowed)


def read_yes_no(typed: Typed) -> bool:
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
    name = codecs.BY_WORD.get(word.lower())
    if name:
        return name
    if not word:
        raise typed.refuse("has a comma too many", "Put one comma between two codecs.")
    to_come = codecs.TO_COME.get(word.lower())
    if to_come:
        raise typed.refuse(f"names {to_come}, which is not available in this version", known)
    near = difflib.get_close_matches(word.lower(), codecs.BY_WORD, n=1)
    suggestion = f"Did you mean {codecs.BY_WORD[near[0]]}? " if near else ""
    raise typed.refuse(f"names the codec {shown(word)}, which is not known", f"{suggestion}{known}")


def read_ca_file(typed: Typed) -> str:
    """A path; whether there is a certificate in that file is `app.ca_file.check_ca_file`'s to say."""
    return typed.text


def read_tls_pin(typed: Typed) -> str:
    """A SHA-256 fingerprint as browsers, OpenSSL and Ringback show it; gives `AB:CD:…`."""
    text = re.sub(r"^.*?(fingerprint|sha-?256)\s*[=:]\s*", "", typed.text, flags=re.IGNORECASE)
    digits = re.sub(r"[\s:.-]", "", text).upper()
    if not digits:
        return ""
    if not re.fullmatch(r"[0-9A-F]{64}", digits):
        raise typed.refuse(
            "is no SHA-256 fingerprint", "It has 64 digits of 0 to 9 and A to F, mostly in pairs with colons."
        )
    return ":".join(digits[at : at + 2] for at in range(0, 64, 2))


def _quotable(typed: Typed) -> str:
    """Goes into a quoted string as it is (RFC 3261 section 25.1), so nothing in it may need an escape."""
    for char in ('"', "\\"):
        if char in typed.text:
            raise typed.refuse(f"has {char} in it, which can't be sent", "Leave it out.")
    return typed.text


def read_provider(typed: Typed) -> str:
    """A provider's id in the catalogue; whether there is one of that id is the catalogue's to say."""
    word = typed.text.lower()
    if word and not re.fullmatch(r"[a-z0-9][a-z0-9-]*", word):
        raise typed.refuse("is no provider's id", "`ringback providers` lists them; empty means another one.")
    return word


def read_notes(typed: Typed) -> str:
    """Any text of some lines."""
    return typed.text


E = TypeVar("E", bound=StrEnum)


def choose(typed: Typed, kind: type[E]) -> E:
    """One word of an enumeration, in any case.

    Raises:
        SettingError: It is none of them.
    """
    word = typed.text.lower()
    for member in kind:
        if word == member.value.lower():
            return member
    words = [member.value or "nothing" for member in kind]
    raise typed.refuse("is not one of the choices", f"Write {', '.join(words[:-1])} or {words[-1]}.")


def read_sign_in(typed: Typed) -> SignIn:
    """`register`, `credentials` or `address`."""
    return choose(typed, SignIn)


def read_srtp(typed: Typed) -> Srtp:
    """`off`, `offer` or `require`."""
    return choose(typed, Srtp)


def read_dtmf(typed: Typed) -> Dtmf:
    """`rfc4733`, `info` or `inband`."""
    return choose(typed, Dtmf)


def read_use(typed: Typed) -> Use:
    """`off`, `supported` or `required`."""
    return choose(typed, Use)


def whole(typed: Typed, lowest: int, highest: int, what: str) -> int:
    """A whole number within limits; `what` is its unit, for the message."""
    text = typed.text
    # Short first: int() of a very long one is refused by Python itself
    if text.isascii() and text.isdigit() and len(text) <= 9 and lowest <= int(text) <= highest:
        return int(text)
    wrong = "is not possible" if text else "is no number"
    raise typed.refuse(wrong, f"Write a whole number of {what} from {lowest} to {highest}.")


def read_keep_alive(typed: Typed) -> int:
    """Seconds between keep-alives, 0 for none."""
    return whole(typed, 0, 600, "seconds")


def read_session_expires(typed: Typed) -> int:
    """Seconds; RFC 4028 section 4 allows no less than 90."""
    return whole(typed, 90, 86400, "seconds")


def read_public_address(typed: Typed) -> str:
    """An IPv4 address that can be seen from outside, or empty."""
    if not typed.text:
        return ""
    allowed = "Write four numbers with dots, such as 203.0.113.10, without a port."
    try:
        address = ipaddress.IPv4Address(typed.text)
    except ValueError as error:
        raise typed.refuse("is no IPv4 address", allowed) from error
    if address.is_unspecified or address.is_multicast or address == _BROADCAST:
        raise typed.refuse("is no address of one computer", allowed)
    return str(address)


def read_from_host(typed: Typed) -> FromHost:
    """`provider` or `public-address`."""
    return choose(typed, FromHost)


MOST_BACKUP_HOSTS = 16
_BROADCAST = ipaddress.IPv4Address("255.255.255.255")

# A host in angle brackets, whose ";lr" separates nothing; or whatever stands between separators
_SERVER = re.compile(r"<[^<>]*>|[^;,\s]+")


def read_backup_hosts(typed: Typed) -> tuple[tuple[str, ...], bool]:
    """Hosts with or without port, each as in the host itself; and whether one of them asks for TLS."""
    hosts: list[str] = []
    secure = False
    for part in _SERVER.findall(typed.text):
        address = parse_host_port(Typed(typed.key, typed.label, part))
        secure = secure or address.secure
        if str(address).lower() in (host.lower() for host in hosts):
            raise typed.refuse(f"names {address} twice", "Name each server once.")
        hosts.append(str(address))
    if len(hosts) > MOST_BACKUP_HOSTS:
        raise typed.refuse(f"names {len(hosts)} servers", f"At most {MOST_BACKUP_HOSTS} are tried.")
    plain = ";".join(hosts)
    if plain != typed.text:
        typed.mend(plain, f"Written as {plain}." if plain else "It names no server, so it is empty now.")
    return tuple(hosts), secure
