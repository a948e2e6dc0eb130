"""URIs, addresses and Via values (RFC 3261 sections 19.1, 20.10 and 20.42), read strictly.

What is read here is safe to hand on: a value of these types prints as plain ASCII of limited length.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

import msgspec

LONGEST_URI = 2048
"""Characters. PJSIP prints URIs into buffers of 256, but gets none that is written here."""
LONGEST_TAG = 128

TOKEN = r"[A-Za-z0-9.!%*_+`'~-]+"
_TOKEN = re.compile(TOKEN)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
# RFC 3261 section 25.1: unreserved, escaped and user-unreserved; and "#", which service codes begin with and
# which many leave unescaped
_USER = re.compile(r"(?:[A-Za-z0-9_.!~*'()&=+$,;?/#-]|%[0-9A-Fa-f]{2})+")
_PASSWORD = re.compile(r"(?:[A-Za-z0-9_.!~*'()&=+$,-]|%[0-9A-Fa-f]{2})*")
_NAME = re.compile(
    r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?\.)*[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?\.?"
)
_PARAMETER = re.compile(r"(?:[A-Za-z0-9_.!~*'()\[\]/:&+$-]|%[0-9A-Fa-f]{2})+")
_HEADERS = re.compile(r"(?:[A-Za-z0-9_.!~*'()\[\]/?:+$&=-]|%[0-9A-Fa-f]{2})*")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_VIA = re.compile(
    rf"\s*(?P<name>{TOKEN})\s*/\s*(?P<version>{TOKEN})\s*/\s*(?P<transport>{TOKEN})\s+"
    r"(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|[^\s:;,\[\]]{1,255})(?:\s*:\s*(?P<port>[0-9]{1,5}))?\s*(?P<params>;.*)?",
    re.DOTALL,
)


class MalformedError(ValueError):
    """What is wrong with a value, a clause without a full stop: `is not a SIP address`."""


class HostPort(msgspec.Struct, frozen=True):
    """An address and its port, as in a Via or a URI.

    Attributes:
        host: Without brackets.
        port: Port.
    """

    host: str
    port: int

    def __str__(self) -> str:
        """With brackets around an IPv6 address (RFC 3261 section 25.1)."""
        return f"{bracketed(self.host)}:{self.port}"


class Uri(msgspec.Struct, frozen=True, kw_only=True):
    """A URI; for schemes other than sip and sips only `scheme` and `text` say something.

    Attributes:
        text: As it was written.
        scheme: Lower case.
        user: With its escapes; empty when there is none.
        host: Without brackets, lower case.
        port: None when none is given.
        params: Name in lower case, and value, which may be empty.
        has_headers: Whether headers follow a `?`.
    """

    text: str
    scheme: str
    user: str = ""
    host: str = ""
    port: int | None = None
    params: tuple[tuple[str, str], ...] = ()
    has_headers: bool = False

    @property
    def is_sip(self) -> bool:
        """Whether its scheme is sip or sips."""
        return self.scheme in ("sip", "sips")

    @property
    def is_loose(self) -> bool:
        """Whether it is a loose router's (`lr`, RFC 3261 section 19.1.1)."""
        return any(name == "lr" for name, _ in self.params)

    def param(self, name: str) -> str:
        """The value of a parameter in lower case, empty when there is none."""
        return next((value.lower() for known, value in self.params if known == name), "")


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """A name-addr or addr-spec with its parameters, as in From, To, Contact and Record-Route.

    Attributes:
        display: The display name, quotes and escapes taken off.
        uri: The URI.
        params: Of the header, names in lower case.
    """

    display: str
    uri: Uri
    params: tuple[tuple[str, str], ...] = ()

    def param(self, name: str) -> str | None:
        """The value of a header parameter, None when there is none."""
        return next((value for known, value in self.params if known == name), None)

    @property
    def tag(self) -> str:
        """The tag, empty when there is none."""
        return self.param("tag") or ""


class Via(msgspec.Struct, frozen=True, kw_only=True):
    """One Via value.

    Attributes:
        transport: Upper case.
        sent_by: Host as written, without brackets, and port; None when none is given.
        branch: Empty when there is none.
        received: The address that the server saw, None when it says nothing usable.
        rport: The port that the server saw; None as before.
        wants_rport: Whether `rport` stands there without a value (RFC 3581).
        maddr: Where the sender wants the response instead, empty for nowhere else (RFC 3261 section 18.1.1).
    """

    transport: str
    host: str
    port: int | None
    branch: str
    received: str | None = None
    rport: int | None = None
    wants_rport: bool = False
    maddr: str = ""


def bracketed(host: str) -> str:
    """A host as a URI wants it: IPv6 addresses in brackets."""
    return f"[{host}]" if ":" in host else host


def is_token(text: str, limit: int = LONGEST_TAG) -> bool:
    """Whether this is a token of RFC 3261 of at most `limit` characters."""
    return 0 < len(text) <= limit and _TOKEN.fullmatch(text) is not None


def parse_uri(text: str) -> Uri:
    """Read a URI.

    Raises:
        MalformedError: It is not one, or too long.
    """
    scheme, colon, rest = text.partition(":")
    if not colon or not _SCHEME.fullmatch(scheme) or not rest:
        raise MalformedError("is not a URI")
    if not text.isascii() or not text.isprintable() or " " in text:
        raise MalformedError("has characters in its URI that must be escaped")
    scheme = scheme.lower()
    if scheme not in ("sip", "sips"):
        return Uri(text=text, scheme=scheme)
    if len(text) > LONGEST_URI:
        raise MalformedError(f"is longer than {LONGEST_URI} characters")
    rest, question, headers = _cut_headers(rest)
    if question and not _HEADERS.fullmatch(headers):
        raise MalformedError("has headers in its URI that can't be read")
    user, at, place = rest.rpartition("@")
    name, secret, password = user.partition(":")
    if at and (not _USER.fullmatch(name) or (secret and not _PASSWORD.fullmatch(password))):
        raise MalformedError("has a user part with characters that must be escaped")
    place, *params = place.split(";")
    host, port = _host_and_port(place)
    return Uri(
        text=text,
        scheme=scheme,
        user=name if at else "",
        host=host,
        port=port,
        params=tuple(_uri_param(param) for param in params),
        has_headers=bool(question),
    )


def _cut_headers(rest: str) -> tuple[str, str, str]:
    # A question mark before the "@" belongs to the user part
    at = rest.rfind("@")
    before, question, headers = rest[at + 1 :].partition("?")
    return rest[: at + 1] + before, question, headers


def _host_and_port(place: str) -> tuple[str, int | None]:
    if place.startswith("["):
        host, bracket, port = place[1:].partition("]")
        if not bracket or (port and not port.startswith(":")):
            raise MalformedError("has a host that can't be read")
        port = port[1:] if port else ""
        if not is_address(host, 6):
            # The grammar of RFC 3261 allowed it (RFC 5118 section 4.10)
            host = host.replace(":::", "::", 1)
        if not is_address(host, 6):
            raise MalformedError("has a host that is not an IPv6 address")
    elif is_address(place, 6):
        raise MalformedError("has an IPv6 address without brackets")
    else:
        host, colon, port = place.partition(":")
        if colon and not port:
            raise MalformedError("has a colon without a port")
        if len(host) > 128 or not _NAME.fullmatch(host):
            raise MalformedError("has a host that is neither a name nor an address")
    if port and not (port.isascii() and port.isdecimal() and len(port) <= 5 and int(port) <= 65_535):
        raise MalformedError("has a port that is not a number up to 65535")
    return host.lower(), int(port) if port else None


def is_address(host: str, version: int = 4) -> bool:
    """Whether this is an IP address of that version, without a zone."""
    try:
        return "%" not in host and ipaddress.ip_address(host).version == version
    except ValueError:
        return False


def _uri_param(param: str) -> tuple[str, str]:
    name, equals, value = param.partition("=")
    if not _PARAMETER.fullmatch(name) or (equals and not _PARAMETER.fullmatch(value)):
        raise MalformedError("has a URI parameter that can't be read")
    return name.lower(), value


def parse_address(value: str) -> Address:
    """Read a name-addr or addr-spec with parameters.

    Raises:
        MalformedError: It is not one.
    """
    text = value.strip()
    display = ""
    quoted = _QUOTED.match(text)
    if quoted:
        display = re.sub(r"\\(.)", r"\1", quoted[1], flags=re.DOTALL)
        text = text[quoted.end() :].lstrip()
        if not text.startswith("<"):
            raise MalformedError("has a name in quotes and no address in angle brackets")
    elif (angle := text.find("<")) > 0:
        display, text = text[:angle].strip(), text[angle:]
    if text.startswith("<"):
        uri, end, rest = text[1:].partition(">")
        if not end:
            raise MalformedError("has an angle bracket that is not closed")
        rest = rest.strip()
        if rest and not rest.startswith(";"):
            raise MalformedError("has text after its address")
        params = rest
    else:
        # Without brackets all parameters are the header's (RFC 3261 section 20)
        uri, semicolon, rest = text.partition(";")
        uri, params = uri.strip(), semicolon + rest
        if "?" in uri or "," in uri:
            raise MalformedError("needs angle brackets around its address")
    return Address(display=display, uri=parse_uri(uri.strip()), params=tuple(read_params(params)))


def read_params(text: str) -> Iterator[tuple[str, str]]:
    """Parameters after a value, `;name=value;flag`; quotes are taken off.

    Raises:
        MalformedError: They can't be read.
    """
    at = 0
    while at < len(text):
        if text[at] in " \t;":
            at += 1
            continue
        name = _TOKEN.match(text, at)
        if not name:
            raise MalformedError("has parameters that can't be read")
        at = _skip_spaces(text, name.end())
        value = ""
        if text[at : at + 1] == "=":
            at = _skip_spaces(text, at + 1)
            quoted = _QUOTED.match(text, at)
            if quoted:
                value, at = re.sub(r"\\(.)", r"\1", quoted[1], flags=re.DOTALL), quoted.end()
            else:
                end = at
                while end < len(text) and text[end] not in "; \t":
                    end += 1
                value, at = text[at:end], end
        at = _skip_spaces(text, at)
        if at < len(text) and text[at] != ";":
            raise MalformedError("has parameters that can't be read")
        yield name[0].lower(), value


def _skip_spaces(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t":
        at += 1
    return at


def parse_via(value: str) -> Via:
    """Read a Via value. Parameters that make no sense count as not given, with one exception: the branch.

    Raises:
        MalformedError: It is not one, or its branch is not a token.
    """
    found = _VIA.fullmatch(value)
    if found is None or found["name"].upper() != "SIP" or found["version"] != "2.0":
        raise MalformedError("is not a Via value")
    host = found["host"].strip("[]")
    if not (is_address(host, 6) if found["host"].startswith("[") else _NAME.fullmatch(host)):
        raise MalformedError("has a host that is neither a name nor an address")
    port = int(found["port"]) if found["port"] else None
    if port is not None and not 0 < port <= 65_535:
        raise MalformedError("has a port that is not a number from 1 to 65535")
    params = dict(read_params(found["params"] or ""))
    branch = params.get("branch", "")
    if branch and (len(branch) > 256 or not branch.isprintable() or not branch.isascii()):
        raise MalformedError("has a branch that can't be read")
    received = params.get("received", "").strip("[]")
    rport = params.get("rport", "")
    return Via(
        transport=found["transport"].upper(),
        host=host,
        port=port,
        branch=branch,
        received=received if is_address(received) or is_address(received, 6) else None,
        rport=int(rport) if _is_port(rport) else None,
        wants_rport="rport" in params and not rport,
        maddr=params.get("maddr", ""),
    )


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 5 and 0 < int(text) <= 65_535


def via_faults(value: str) -> str:
    """What is wrong with parameters that `parse_via` passes over, a clause; empty when nothing is."""
    found = _VIA.fullmatch(value)
    params = dict(read_params(found["params"] or "")) if found else {}
    received, rport = params.get("received"), params.get("rport")
    if received is not None and not (is_address(received.strip("[]")) or is_address(received.strip("[]"), 6)):
        return "has something in received that is not an IP address"
    if rport and not _is_port(rport):
        return "has something in rport that is not a port"
    return ""
