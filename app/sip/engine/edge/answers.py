"""Answers that the edge gives itself, as the RFCs ask for them, without state (RFC 3261 section 8.2.7)."""

from __future__ import annotations

from app import __version__
from app.model.trunk import Transport
from app.sip.engine.edge.hop import Hop
from app.sip.syntax.address import Via
from app.sip.syntax.answer import reply_address
from app.sip.syntax.head import Head, Reason

SERVER = f"Ringback/{__version__}"
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
NOT_ACCEPTABLE = Reason(406, "Not Acceptable")
TYPE_REFUSED = Reason(415, "Unsupported Media Type")
SCHEME_REFUSED = Reason(416, "Unsupported URI Scheme")
EXTENSION_REFUSED = Reason(420, "Bad Extension")
UNAVAILABLE = Reason(480, "Temporarily Unavailable")
BUSY = Reason(486, "Busy Here")
LOOP = Reason(482, "Loop Detected")
EVENT_REFUSED = Reason(489, "Bad Event")
DECLINED = Reason(603, "Decline")


def capabilities() -> tuple[tuple[str, str], ...]:
    """What an answer to OPTIONS says (section 11.2)."""
    return (("Allow", ALLOW), ("Accept", ACCEPT), ("Supported", SUPPORTED), ("Accept-Encoding", "identity"))


def reply_hop(via: Via | None, source: Hop) -> Hop:
    """Where the response to a request goes: back, over UDP to the port in its Via (section 18.2.2)."""
    if source.transport is not Transport.UDP or via is None:
        return source
    place = reply_address(via, source.place)
    return Hop(source.transport, place.host, place.port)


def extension_faults(head: Head) -> tuple[str, ...]:
    """Extensions that a request requires and that are not known here (section 8.2.2.3)."""
    return tuple(word for word in head.tokens.get("require", ()) if word.lower() not in KNOWN_EXTENSIONS)
