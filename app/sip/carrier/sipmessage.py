"""The carrier's own messages, and what it refuses although the gate let it pass."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

import msgspec

from app import __version__
from app.model.signalling import MessageProblem
from app.model.trunk import Transport
from app.sip.carrier.loopback import loopback_address
from app.sip.carrier.received import Peer, Received
from app.sip.syntax.address import Uri, Via
from app.sip.syntax.answer import answer, reply_address
from app.sip.syntax.head import Head, Reason
from app.sip.syntax.message import Message
from app.sip.syntax.values import reason_phrase

SERVER = f"Ringback demo carrier {__version__}"
ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, REGISTER"

REASONS: dict[int, str] = {
    100: "Trying",
    180: "Ringing",
    183: "Session Progress",
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    410: "Gone",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    423: "Interval Too Brief",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    484: "Address Incomplete",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    500: "Server Internal Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Server Time-out",
    600: "Busy Everywhere",
    603: "Decline",
    604: "Does Not Exist Anywhere",
    606: "Not Acceptable",
}
"""Reason phrases of RFC 3261 section 21 for what this carrier sends, for itself or as a provider."""

Headers = Iterable[tuple[str, str]]


_NEEDED_WHOLE = ("Contact", "Record-Route", "Require", "Proxy-Require")
"""A call or a registration without what the gate left out of these would be another one."""


def fault_of(request: Received) -> Reason | None:
    """What a request is refused with that the gate let pass; None when it can be worked on.

    A carrier repairs nothing, so that whoever tests with it learns what is wrong.
    """
    head = request.head
    for problem in request.problems:
        whole = problem.header in _NEEDED_WHOLE and head.method in ("REGISTER", "INVITE", "UPDATE")
        if whole or problem.header == "From":
            return Reason(400, reason_phrase(problem.header, problem.what))
    if not head.via.branch:
        return Reason(400, "Via has no branch")
    if head.uri is None or not head.uri.is_sip:
        return Reason(416, REASONS[416])
    return None


def title(message: Message | None) -> str:
    """What a message is, for people: `INVITE`, `a 200 response`."""
    if message is None:
        return "a message"
    return message.method if message.is_request else f"a {message.code} response"


def words(problem: MessageProblem) -> str:
    """What is wrong with a message, for people: `Contact is not a URI`."""
    return f"{problem.header or 'it'} {problem.what}"


def reply_peer(via: Via | None, peer: Peer) -> Peer:
    """Where responses go (RFC 3261 section 18.2.2): the connection, or the source with the Via's port."""
    if peer.reliable or via is None:
        return peer
    place = reply_address(via, peer.place)
    return Peer(peer.transport, place.host, place.port)


def response_to(
    request: Received, code: int, reason: str = "", *, tag: str = "", headers: Headers = (), sdp: str = ""
) -> Message:
    """A response with what RFC 3261 section 8.2.6 copies from the request.

    Args:
        request: What it answers.
        code, reason: Status; an empty reason is the standard phrase.
        tag: Our tag for To, when the request has none there; one made from the request where empty.
        headers: More headers, in order; a name may come twice.
        sdp: Body.
    """
    typed = [*headers, ("Content-Type", "application/sdp")] if sdp else headers
    status = Reason(code, reason or REASONS.get(code, ""))
    response = answer(request.message, status, request.peer.place, server=SERVER, headers=typed, tag=tag)
    assert response is not None  # the gate lets nothing pass that lacks what is copied
    return msgspec.structs.replace(response, body=sdp.encode())


def tag_of(head: Head) -> str:
    """The tag of To, empty when it has none."""
    return head.to.tag if head.to else ""


def target_fault(uri: Uri) -> str:
    """Why nothing can be sent to this URI, to follow the name of its header; empty when it can."""
    if loopback_address(uri.host) is None:
        return "is not a loopback address"
    if uri.port == 0:
        return "has port 0"
    return ""


def target_refusal(invite: Received) -> tuple[int, str] | None:
    """Code and reason to refuse an INVITE with whose Contact or route can't be used."""
    head = invite.head
    if len(head.contacts) != 1:
        return 400, "INVITE needs one Contact"
    for name, addresses in (("Contact", head.contacts), ("Record-Route", head.routes)):
        for address in addresses:
            fault = target_fault(address.uri)
            if fault:
                return 403, f"{name} {fault}"
    return None


def contact_uri(user: str, host: str, port: int, transport: Transport) -> str:
    """Our Contact URI for one dialog."""
    suffix = "" if transport is Transport.UDP else f";transport={transport}"
    return f"sip:{in_uri(user)}@{host}:{port}{suffix}"


def in_uri(user: str) -> str:
    """A number or a user name as the user part of a URI (RFC 3261 section 25.1)."""
    return quote(user, safe="!~*'()&=+$,;?/")
