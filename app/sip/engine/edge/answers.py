"""Answers that the edge gives itself, as the RFCs ask for them, without state (RFC 3261 section 8.2.7)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from app import __version__
from app.model.trunk import Transport
from app.sip.engine.edge.hop import DEFAULT_PORT, Hop
from app.sip.syntax.address import MalformedError, Via, is_address, parse_address, parse_via
from app.sip.syntax.head import Head, Reason
from app.sip.syntax.message import Header, Message, made, split_list

METHODS = ("INVITE", "ACK", "BYE", "CANCEL", "UPDATE", "PRACK", "INFO", "OPTIONS", "NOTIFY", "REFER")
"""What this user agent takes at all."""
ALLOW = ", ".join(METHODS)
ACCEPT = "application/sdp, application/dtmf-relay, message/sipfrag"
SUPPORTED = "replaces, 100rel, timer, norefersub"
KNOWN_EXTENSIONS = frozenset({"replaces", "100rel", "timer", "norefersub"})

OK = Reason(200, "OK")
UNKNOWN_DIALOG = Reason(481, "Call/Transaction Does Not Exist")
UNKNOWN_USER = Reason(404, "Not Found")
METHOD_REFUSED = Reason(405, "Method Not Allowed")
TYPE_REFUSED = Reason(415, "Unsupported Media Type")
SCHEME_REFUSED = Reason(416, "Unsupported URI Scheme")
EXTENSION_REFUSED = Reason(420, "Bad Extension")
UNAVAILABLE = Reason(480, "Temporarily Unavailable")
LOOP = Reason(482, "Loop Detected")
EVENT_REFUSED = Reason(489, "Bad Event")
DECLINED = Reason(603, "Decline")

_RPORT = re.compile(r";\s*rport\s*(?:=\s*)?(?=;|$)", re.IGNORECASE)
_COPIED = ("via", "from", "to", "call-id", "cseq")


def answer(
    message: Message, reason: Reason, source: Hop, headers: Iterable[tuple[str, str]] = ()
) -> Message | None:
    """An answer to a request; None where it lacks what every response copies.

    Args:
        message: The request as it came.
        reason: Code and phrase.
        source: Who sent it, for the top Via (section 18.2.1, RFC 3581 section 4).
        headers: More headers.
    """
    copied = [header for header in message.headers if header.name in _COPIED]
    if {header.name for header in copied} != set(_COPIED):
        return None
    seed = "\n".join(header.line for header in copied) + str(source)
    tag = hashlib.sha256(seed.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    lines: list[Header] = []
    stamped = False
    for header in copied:
        if header.name == "via" and not stamped:
            stamped = True
            lines += stamp(header, source)
        elif header.name == "to" and not _has_tag(header.value):
            lines.append(Header(name="to", line=f"{header.line};tag={tag}"))
        else:
            lines.append(header)
    lines += [made(name, value) for name, value in headers]
    lines.append(made("Server", f"Ringback/{__version__}"))
    return Message(start=f"SIP/2.0 {reason.code} {reason.phrase}", headers=tuple(lines))


def capabilities() -> tuple[tuple[str, str], ...]:
    """What an answer to OPTIONS says (section 11.2)."""
    return (("Allow", ALLOW), ("Accept", ACCEPT), ("Supported", SUPPORTED), ("Accept-Encoding", "identity"))


def stamp(header: Header, source: Hop) -> list[Header]:
    """The Via headers of a request, the top one with the address that it came from."""
    top, *below = split_list(header.value) or [""]
    try:
        via = parse_via(top)
    except MalformedError:
        return [header]
    if via.wants_rport:
        top = _RPORT.sub(f";rport={source.port};received={source.address}", top, count=1)
    elif via.host != source.address and via.received is None:
        top = f"{top};received={source.address}"
    return [header.with_values([top]), *([header.with_values(below)] if below else [])]


def reply_hop(via: Via | None, source: Hop) -> Hop:
    """Where the response to a request goes: back, over UDP to the port in its Via (section 18.2.2)."""
    if source.transport is not Transport.UDP or via is None or via.wants_rport:
        return source
    port = via.port or DEFAULT_PORT
    if via.maddr and is_address(via.maddr):
        # A multicast or foreign address would make a reflector of us
        return source
    return Hop(source.transport, source.address, port)


def _has_tag(value: str) -> bool:
    try:
        return bool(parse_address(value).tag)
    except MalformedError:
        return ";tag=" in value.replace(" ", "").lower()


def extension_faults(head: Head) -> tuple[str, ...]:
    """Extensions that a request requires and that are not known here (section 8.2.2.3)."""
    return tuple(word for word in head.tokens.get("require", ()) if word.lower() not in KNOWN_EXTENSIONS)
