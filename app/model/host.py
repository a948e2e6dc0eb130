"""Host names, IP addresses and `host:port` as people type or paste them."""

from __future__ import annotations

import ipaddress
import re
import unicodedata

import msgspec

from app.model.typed import Typed, shown

_EXAMPLES = "Write a name such as sip.example.com or an IP address such as 192.0.2.10."

# IDNA 2003, which is what Python has, maps these to something else; IDNA 2008 does not (RFC 5894 section
# 7.2). Which of the two names the provider owns can't be known.
_AMBIGUOUS = {"\u00df": "ss", "\u03c2": "\u03c3"}

_DOTS = re.compile("[.\u3002\uff0e\uff61]")
"""What separates the parts of a name, in whatever script (RFC 3490 section 3.1)."""


class HostPort(msgspec.Struct, frozen=True, kw_only=True):
    """A host with what was written around it.

    Attributes:
        host: Name in ASCII (A-labels), or IP address without brackets.
        port: The port written behind it, if any.
        secure: Whether `sips:` stood in front.
    """

    host: str
    port: int | None = None
    secure: bool = False

    def __str__(self) -> str:
        """`host` or `host:port`, an IPv6 address in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"


def parse_host_port(typed: Typed) -> HostPort:
    """Reads `host`, `host:port` or a pasted SIP URI without a user.

    Raises:
        SettingError: It is no host, or something other than a port stands around it.
    """
    typed.take_off_brackets()
    scheme = typed.take_off_scheme()
    if "://" in typed.text:
        raise typed.refuse("is a web address", f"{_EXAMPLES} The provider's SIP settings name it.")
    if "@" in typed.text:
        raise typed.refuse("has a user in front of the host", "Put what is before the @ into User (user).")
    name, semicolon, parameters = typed.text.partition(";")
    if semicolon:
        if parameters.lower() != "lr":
            raise typed.refuse("has more than a host in it", 'Leave out the ";" and all behind it.')
        typed.mend(name, 'The ";lr" at the end was taken off; Ringback always routes that way.')
    name, port = _split_port(typed)
    return HostPort(
        host=_host(typed, name),
        port=None if port is None else parse_port(typed, port),
        secure=scheme == "sips:",
    )


def parse_port(typed: Typed, text: str) -> int:
    """Reads a port.

    Args:
        typed: What it is part of.
        text: The port's digits.

    Raises:
        SettingError: It is not a whole number from 1 to 65535.
    """
    # int() alone would also take "+5060", "5_060" and the digits of other scripts.
    if text.isascii() and text.isdigit() and 1 <= int(text) <= 65535:
        return int(text)
    wrong = "is not a port" if text == typed.text else f"has {shown(text)} where the port should be"
    raise typed.refuse(wrong, "A port is a whole number from 1 to 65535, such as 5060.")


def _split_port(typed: Typed) -> tuple[str, str | None]:
    text = typed.text
    if text.startswith("["):
        bracketed = re.fullmatch(r"\[([^\[\]]*)\](?::(.*))?", text)
        if not bracketed or ":" not in bracketed[1]:
            wrong = "has brackets that are not around an IPv6 address"
            raise typed.refuse(wrong, "Write for example [2001:db8::1]:5060.")
        return bracketed[1], bracketed[2]
    if text.count(":") > 1:  # an IPv6 address without brackets leaves no room for a port
        return text, None
    name, colon, port = text.partition(":")
    return name, port if colon else None


def _host(typed: Typed, name: str) -> str:
    if ":" in name:
        return _ipv6(typed, name)
    if any(char.isspace() for char in name):
        raise typed.refuse("has a blank in it", "Take the blank out.")
    if not name.isascii():
        name = _to_ascii(typed, name)
        typed.mended.append(f"The name is kept as {name}, the form that DNS knows.")
    if name.endswith(".") and not name.endswith(".."):
        name = name[:-1]
        typed.mended.append("The dot at the end was taken off.")
    if not name:
        raise typed.refuse("has no host in it", _EXAMPLES)
    if re.fullmatch(r"[0-9.]*[0-9][0-9.]*", name):
        return _ipv4(typed, name)
    problem = _name_problem(name)
    if problem:
        raise typed.refuse(problem, _EXAMPLES)
    return name


def _ipv6(typed: Typed, name: str) -> str:
    try:
        address = ipaddress.IPv6Address(name)
    except ValueError as error:
        raise typed.refuse("is neither host:port nor an IPv6 address", _EXAMPLES) from error
    if address.scope_id is not None:
        # RFC 4007 section 11: a zone means something on one computer only; SIP has no way to write it.
        raise typed.refuse('has a zone ("%") in it', "Use an address that is valid beyond this link.")
    return name


def _ipv4(typed: Typed, name: str) -> str:
    try:
        return str(ipaddress.IPv4Address(name))
    except ValueError as error:
        raise typed.refuse(
            "looks like an IP address but is none",
            "An IP address is four numbers from 0 to 255 with dots between them, without zeros in front.",
        ) from error


def _to_ascii(typed: Typed, name: str) -> str:
    """RFC 3490."""
    _check_alphabet(typed, name)
    try:
        return name.encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        do = "Type it again, or write its form that begins with xn--."
        raise typed.refuse("can't be written as a domain name", do) from error


def _check_alphabet(typed: Typed, name: str) -> None:
    for char, instead in _AMBIGUOUS.items():
        if char in name:
            wrong = f'has "{char}" in it, which some systems read as "{instead}" and some do not'
            raise typed.refuse(wrong, "Write the name in its form that begins with xn--.")
    for part in _DOTS.split(name):
        # A name's first word is its alphabet: "LATIN SMALL LETTER A", "CYRILLIC SMALL LETTER A".
        alphabets = {unicodedata.name(char, "").split(" ")[0]: char for char in part if char.isalpha()}
        for alphabet in ("CYRILLIC", "GREEK"):
            if "LATIN" in alphabets and alphabet in alphabets:
                wrong = f'mixes alphabets: its "{alphabets[alphabet]}" is {alphabet.capitalize()}'
                raise typed.refuse(wrong, "Type the name again with one keyboard layout.")


def _name_problem(name: str) -> str:
    """RFC 1123 section 2.1; and RFC 3261 section 25.1, `hostname`: the last part begins with a letter."""
    if len(name) > 253:
        return "is too long: a domain name has at most 253 characters"
    parts = name.split(".")
    if not all(parts):
        return "has a dot too many"
    for part in parts:
        strange = re.search(r"[^A-Za-z0-9-]", part)
        if strange:
            return f'has {shown(strange[0])} in it, and a host has only letters, digits, "-" and dots'
        if len(part) > 63:
            return "is too long: between two dots there are at most 63 characters"
        if part.startswith("-") or part.endswith("-"):
            return 'has a part that begins or ends with "-"'
    return "ends in a number but is no IP address" if parts[-1][0].isdigit() else ""
