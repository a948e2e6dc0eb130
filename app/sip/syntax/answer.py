"""Answers to requests without state: what each copies and where it goes (RFC 3261 section 8.2.6)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from app.sip.syntax.address import (
    TOKEN,
    HostPort,
    MalformedError,
    Via,
    is_address,
    parse_address,
    parse_via,
)
from app.sip.syntax.head import Reason
from app.sip.syntax.message import Header, Message, made, split_list

DEFAULT_PORT = 5060
_COPIED = ("via", "from", "to", "call-id", "cseq")
_PARAMETER = re.compile(
    rf"[ \t;]*(?P<name>{TOKEN})[ \t]*(?:=[ \t]*(?:\"(?:[^\"\\]|\\.)*\"|[^; \t]*))?[ \t]*", re.DOTALL
)


def answer(
    message: Message,
    reason: Reason,
    source: HostPort,
    *,
    server: str,
    headers: Iterable[tuple[str, str]] = (),
    tag: str = "",
) -> Message | None:
    """An answer to a request; None without Via and CSeq, which it is known by (RFC 3261 section 17.1.3).

    Args:
        message: The request as it came.
        reason: Code and phrase.
        source: Who sent it.
        server: Value of `Server:`.
        headers: More headers.
        tag: For a To that has none, made from the request where empty; 100 needs none.
    """
    copied = copied_headers(message, source)
    if not {"via", "cseq"} <= {header.name for header in copied}:
        return None
    if not tag:
        seed = "\n".join(header.line for header in copied) + str(source)
        tag = hashlib.sha256(seed.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    lines = [
        Header(name="to", line=f"{header.line};tag={tag}")
        if header.name == "to" and reason.code > 100 and not _has_tag(header.value)
        else header
        for header in copied
    ]
    lines += [made(name, value) for name, value in headers]
    lines.append(made("Server", server))
    return Message(start=f"SIP/2.0 {reason.code} {reason.phrase}", headers=tuple(lines))


def copied_headers(message: Message, source: HostPort) -> tuple[Header, ...]:
    """The headers that every response copies, the top Via with the address that the request came from."""
    found: list[Header] = []
    for header in message.headers:
        first = header.name not in {known.name for known in found}
        if header.name == "via":
            found += _stamped(header, source) if first else [header]
        elif header.name in _COPIED and first:
            found.append(header)
    return tuple(found)


def top_via(message: Message) -> Via | None:
    """The Via that a response goes back to, None where there is none that can be read."""
    try:
        return parse_via(message.values("via")[0])
    except (MalformedError, IndexError):
        return None


def reply_address(via: Via, source: HostPort) -> HostPort:
    """Where the response to a datagram goes: back, to the port in its Via (RFC 3261 section 18.2.2).

    Its `maddr` counts for nothing: a multicast or foreign address would make a reflector of us.
    """
    if via.wants_rport or (via.maddr and is_address(via.maddr)):
        return source
    return HostPort(source.host, via.port or DEFAULT_PORT)


def _stamped(header: Header, source: HostPort) -> list[Header]:
    """The Via with the address that the request came from (RFC 3261 section 18.2.1, RFC 3581 section 4)."""
    values = split_list(header.value)
    try:
        via = parse_via(values[0])
    except (MalformedError, IndexError):
        return [header]
    top = values[0]
    if via.wants_rport:
        params = _PARAMETER.finditer(top, top.index(";"))
        *_, place = (found for found in params if found["name"].lower() == "rport")
        stamp = f";rport={source.port};received={source.host}"
        top = top[: place.start()] + stamp + top[place.end() :]
    elif via.host != source.host and via.received is None:
        top = f"{top};received={source.host}"
    return [header.with_values(some) for some in ([top], values[1:]) if some]


def _has_tag(value: str) -> bool:
    try:
        return bool(parse_address(value).tag)
    except MalformedError:
        return ";tag=" in value.replace(" ", "").lower()
