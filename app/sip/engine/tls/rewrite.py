"""What changes in a message between pjsua2 and the provider: pure functions on messages.

To the provider, pjsua2 and the edge are one user agent. A request of pjsua2 therefore leaves with one
Via, the edge's, in the place of pjsua2's (which is remembered and put back into the responses), its
Contact is our end of the TLS connection, and nothing shows that it went through a proxy. To pjsua2 the
edge is a loose-routing, record-routing proxy (RFC 3261 section 16), so that everything in a dialog comes
this way too.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Callable, Collection

import msgspec

from app.sip.engine.tls.message import Header, Message, MessageError, made, split_list

_DIALOG_METHODS = ("INVITE", "SUBSCRIBE", "REFER", "NOTIFY")
"""Methods whose requests can begin a dialog, where a Record-Route counts (RFC 3261, 3515, 6665)."""

_COOKIE = "z9hG4bK"

_NAME_ADDR = re.compile(r'\s*(?:"(?:[^"\\]|\\.)*"|[^"<]*)\s*<(?P<uri>[^>]*)>', re.DOTALL)
_ADDR_SPEC = re.compile(r"\s*(?P<uri>[^\s;<>]+)")
_HOST = r"\[[0-9A-Fa-f:.%a-z]*\]|[^\s:;?,>\[\]]+"
_URI = re.compile(
    rf"(?P<scheme>sips?):(?P<user>[^@]*@)?(?P<host>{_HOST})(?::(?P<port>\d+))?"
    r"(?P<params>(?:;[^?]*)?)(?P<headers>(?:\?.*)?)",
    re.IGNORECASE,
)
_TRANSPORT = re.compile(r";transport=[^;]*", re.IGNORECASE)
_SIPS_MARK = ";edge-sips"
"""Stands in a URI for pjsua2 in the place of the scheme sips, which it would only follow over its own TLS."""

_LOOSE = re.compile(r";lr(?=[;=]|$)", re.IGNORECASE)
_VIA = re.compile(
    rf"(?P<protocol>\S+\s*/\s*\S+\s*/\s*[^\s/]+)\s+(?P<host>{_HOST})(?:\s*:\s*(?P<port>\d+))?\s*(?P<params>;.*)?",
    re.DOTALL,
)
_BRANCH = re.compile(r";\s*branch\s*=\s*([^;\s]+)", re.IGNORECASE)
_RPORT = re.compile(r";\s*rport\s*(?=;|$)", re.IGNORECASE)
_ANY_RPORT = re.compile(r";\s*rport\s*(?=[;=]|$)", re.IGNORECASE)
_TAG = re.compile(r";\s*tag\s*=", re.IGNORECASE)


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
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Ends(msgspec.Struct, frozen=True, kw_only=True):
    """The addresses around the edge.

    Attributes:
        ours: The only address the provider sees: our end of the TLS connection, or the public one before it.
        peer: The provider's end.
        edge: Where pjsua2 connects to.
    """

    ours: HostPort
    peer: HostPort
    edge: HostPort

    @property
    def route(self) -> str:
        """The edge as a Route or Record-Route value for pjsua2."""
        return f"<sip:{self.edge};transport=tcp;lr>"


def request_out(message: Message, ends: Ends) -> Message:
    """A request of pjsua2 as the provider gets it.

    The branch stays that of pjsua2's Via, so that CANCEL and the ACK of a refusal carry the branch of
    their INVITE (RFC 3261 sections 9.1 and 17.1.1.3).

    Raises:
        MessageError: No usable Via.
    """
    _, params = _via(top_via(message))
    if not _ANY_RPORT.search(params):
        params = ";rport" + params
    message = _with_top_via(message, f"SIP/2.0/TLS {ends.ours}{params}")
    message = _with_uri(message, _secure(message.uri))
    message = _edited(message, "route", lambda _, value: _in_uri(value, _secure))
    return _next_hop(_contact_out(_without_edge(message, "route", ends), ends))


def response_in(message: Message, ends: Ends, *, via: str, contact: HostPort | None) -> Message:
    """A response of the provider as pjsua2 gets it.

    Args:
        message: The response.
        ends: The addresses.
        via: The Via that pjsua2 had put on top of the request.
        contact: The address in the Contact that pjsua2 had sent, if there was one. A registrar tells
            the lifetime in the binding it gives back, and pjsua2 looks for its own Contact there.
    """
    message = _marked(_with_top_via(message, via))
    if message.method == "REGISTER" and contact is not None:
        return _edited(message, "contact", lambda _, value: _moved(value, {ends.ours}, contact, "tcp"))
    if message.method in _DIALOG_METHODS and message.code > 100:
        # The caller turns the order around: the last one is its first hop (RFC 3261 section 12.1.2).
        return _inserted(message, made("Record-Route", ends.route), after="record-route")
    return message


def request_in(message: Message, ends: Ends, *, ours: Collection[HostPort], inner: HostPort) -> Message:
    """A request of the provider as pjsua2 gets it.

    Args:
        message: The request.
        ends: The addresses.
        ours: Addresses of ours that the provider may know: this connection's and those of former ones.
        inner: Where pjsua2 gets it: that becomes the Request-URI's address if it was one of `ours`.

    Raises:
        MessageError: No usable Via.
    """
    via = made("Via", f"SIP/2.0/TCP {ends.edge};branch={_branch_in(message)}")
    if (at := address_of(message.uri)) in ours and at is not None:
        message = _with_uri(message, readdress(message.uri, inner, "tcp"))
    message = _marked(_with_uri(message, _marked_uri(message.uri)))
    message = _with_top_via(message, _noted(top_via(message), ends.peer))
    headers = (via, *message.headers)
    if message.method in _DIALOG_METHODS:
        # First, as pjsua2 answers through the first one (RFC 3261 section 12.1.1).
        headers = (via, made("Record-Route", ends.route), *message.headers)
    return msgspec.structs.replace(message, headers=headers)


def response_out(message: Message, ends: Ends) -> Message:
    """A response of pjsua2 as the provider gets it.

    Raises:
        MessageError: The top Via is not the edge's, so the request did not come through it.
    """
    if _via(top_via(message))[0] != ends.edge:
        raise MessageError("the top Via of a response is not the edge's")
    message = _edited(message, "via", lambda index, value: None if index == 0 else value)
    return _contact_out(_without_edge(message, "record-route", ends), ends)


def unavailable(request: Message, ends: Ends) -> Message | None:
    """The edge's own 480 for a request that can't reach pjsua2; None for ACK, which has no answer.

    Raises:
        MessageError: No usable Via.
    """
    if request.method == "ACK":
        return None
    request = _with_top_via(request, _noted(top_via(request), ends.peer))
    copied = [header for header in request.headers if header.name in ("via", "from", "to", "call-id", "cseq")]
    tag = hashlib.sha256(top_via(request).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    headers = tuple(
        Header(name="to", line=f"{header.line};tag={tag}")
        if header.name == "to" and not _TAG.search(header.value)
        else header
        for header in copied
    )
    return Message(start="SIP/2.0 480 Temporarily Unavailable", headers=headers, body=b"")


def top_via(message: Message) -> str:
    """The first Via value.

    Raises:
        MessageError: There is none.
    """
    values = message.values("via")
    if not values:
        raise MessageError("there is no Via header")
    return values[0]


def branch(via: str) -> str:
    """The branch of a Via value, empty when it has none."""
    found = _BRANCH.search(via)
    return found[1] if found else ""


def address_of(uri: str) -> HostPort | None:
    """The address and port of a SIP URI, None when it is no SIP URI.

    A port that is not given is 5061 for sips and transport=tls, else 5060 (RFC 3261 section 19.1.2).
    """
    parts = _URI.fullmatch(uri)
    if parts is None:
        return None
    secure = parts["scheme"].lower() == "sips" or ";transport=tls" in parts["params"].lower()
    return HostPort(parts["host"].strip("[]"), int(parts["port"] or (5061 if secure else 5060)))


def readdress(uri: str, to: HostPort, transport: str) -> str:
    """The same SIP URI with another address, port and transport; all else stays."""
    parts = _URI.fullmatch(uri)
    if parts is None:
        return uri
    wanted = f";transport={transport}"
    params = parts["params"]
    params = _TRANSPORT.sub(wanted, params, count=1) if _TRANSPORT.search(params) else params + wanted
    return f"{parts['scheme']}:{parts['user'] or ''}{to}{params}{parts['headers']}"


def own_contact(message: Message) -> HostPort | None:
    """The address in the first Contact that is pjsua2's own, if there is one."""
    addresses = (_address_in(value) for value in message.values("contact"))
    return next((known for known in addresses if known and _is_loopback(known.host)), None)


def _contact_out(message: Message, ends: Ends) -> Message:
    # pjsua2's TCP sockets all have loopback addresses. Another address is another party's, as in the
    # Contact of a 302, and stays.
    inner = {
        address
        for value in message.values("contact")
        if (address := _address_in(value)) and _is_loopback(address.host)
    }
    return _edited(message, "contact", lambda _, value: _moved(value, inner, ends.ours, "tls"))


def _moved(value: str, old: Collection[HostPort], new: HostPort, transport: str) -> str:
    """A Contact value with a new address in the place of an old one; others, and `*`, stay."""
    return _in_uri(value, lambda uri: readdress(uri, new, transport) if address_of(uri) in old else uri)


def _in_uri(value: str, change: Callable[[str], str]) -> str:
    """A value of Contact, Route or Record-Route with its URI changed, and all else as it was."""
    found = _NAME_ADDR.match(value) or _ADDR_SPEC.match(value)
    if found is None or (uri := change(found["uri"])) == found["uri"]:
        return value
    before, after = value[: found.start("uri")], value[found.end("uri") :]
    # Without brackets, the URI's parameters would become the header's (RFC 3261 section 20).
    return f"{before}{uri}{after}" if before.endswith("<") else f"{before}<{uri}>{after}"


def _marked(message: Message) -> Message:
    """The message with a mark for each sips URI that pjsua2 would send to."""
    message = _edited(message, "record-route", lambda _, value: _in_uri(value, _marked_uri))
    return _edited(message, "contact", lambda _, value: _in_uri(value, _marked_uri))


def _marked_uri(uri: str) -> str:
    parts = _URI.fullmatch(uri)
    if parts is None or parts["scheme"].lower() != "sips":
        return uri
    return f"sip:{uri[5 : parts.end('params')]}{_SIPS_MARK}{parts['headers']}"


def _secure(uri: str) -> str:
    return "sips:" + uri[4:].replace(_SIPS_MARK, "", 1) if _SIPS_MARK in uri else uri


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _without_edge(message: Message, name: str, ends: Ends) -> Message:
    """Drop the Route or Record-Route values that are the edge's."""
    return _edited(message, name, lambda _, value: None if _address_in(value) == ends.edge else value)


def _address_in(value: str) -> HostPort | None:
    found = _NAME_ADDR.match(value) or _ADDR_SPEC.match(value)
    return address_of(found["uri"]) if found else None


def _next_hop(message: Message) -> Message:
    """For a strict router as next hop, its URI becomes the Request-URI (RFC 3261 section 16.6, step 6)."""
    routes = message.values("route")
    found = _NAME_ADDR.match(routes[0]) if routes else None
    uri = _URI.fullmatch(found["uri"]) if found else None
    if found is None or uri is None or _LOOSE.search(uri["params"]):
        return message
    last = made("Route", f"<{message.uri}>")
    message = _edited(message, "route", lambda index, value: None if index == 0 else value)
    message = _inserted(message, last, after="route")
    return _with_uri(message, found["uri"])


def _via(value: str) -> tuple[HostPort, str]:
    """A Via's sent-by and its parameters.

    Raises:
        MessageError: It is not a Via value.
    """
    parts = _VIA.fullmatch(value)
    if parts is None:
        raise MessageError(f"damaged Via: {value[:60]!r}")
    default = 5061 if parts["protocol"].upper().endswith("TLS") else 5060
    return HostPort(parts["host"].strip("[]"), int(parts["port"] or default)), parts["params"] or ""


def _noted(value: str, peer: HostPort) -> str:
    """The sender's Via with what the server transport adds (RFC 3261 section 18.2.1, RFC 3581 section 4)."""
    sent_by, _ = _via(value)
    if _RPORT.search(value):
        return f"{_RPORT.sub(f';rport={peer.port}', value, count=1)};received={peer.host}"
    return value if sent_by.host == peer.host else f"{value};received={peer.host}"


def _branch_in(message: Message) -> str:
    """A branch that is the same for a request, its CANCEL and the ACK of its refusal (section 16.11)."""
    via = top_via(message)
    seed = [str(_via(via)[0]), branch(via)]
    if not branch(via).startswith(_COOKIE):
        seed += [message.first("call-id"), message.first("from"), message.first("cseq").split(" ")[0]]
    return _COOKIE + hashlib.sha256("\n".join(seed).encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _with_uri(message: Message, uri: str) -> Message:
    method, _, version = message.start.split(" ")
    return msgspec.structs.replace(message, start=f"{method} {uri} {version}")


def _with_top_via(message: Message, via: str) -> Message:
    return _edited(message, "via", lambda index, value: via if index == 0 else value)


def _inserted(message: Message, header: Header, *, after: str) -> Message:
    """The message with a header after the last one named `after`, or at the end of the headers."""
    places = [index for index, known in enumerate(message.headers, 1) if known.name == after]
    at = places[-1] if places else len(message.headers)
    return msgspec.structs.replace(message, headers=(*message.headers[:at], header, *message.headers[at:]))


def _edited(message: Message, name: str, edit: Callable[[int, str], str | None]) -> Message:
    """Apply `edit` to each value of a header (it gets its index and the value; None drops it).

    A header line none of whose values changed stays exactly as it was.
    """
    index = 0
    headers: list[Header] = []
    for header in message.headers:
        if header.name != name:
            headers.append(header)
            continue
        before = split_list(header.value)
        after = [edit(index + offset, value) for offset, value in enumerate(before)]
        index += len(before)
        kept = [value for value in after if value is not None]
        if kept == before:
            headers.append(header)
        elif kept:
            headers.append(header.with_values(kept))
    return msgspec.structs.replace(message, headers=tuple(headers))
