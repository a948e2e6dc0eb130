"""Building and checking SIP messages; the parsing itself is aiosipua's."""

from __future__ import annotations

from collections.abc import Iterable

from aiosipua import Address, SipRequest, SipResponse, SipUri, parse_address, parse_uri, stringify_via
from aiosipua.headers import parse_params
from aiosipua.message import missing_required_headers

from app import __version__
from app.model.trunk import Transport
from app.sip.carrier.loopback import loopback_address
from app.sip.carrier.transports import Peer

SERVER = f"Ringback demo carrier {__version__}"
ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, REGISTER"
MAX_CSEQ = 2**31 - 1

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


def fault_of(request: SipRequest) -> str:
    """Why this request can't be worked on, as a reason phrase; empty when it can."""
    missing = missing_required_headers(request)
    if missing:
        return f"Missing {missing[0]} header"
    try:
        cseq = request.cseq
        branch = request.via[0].branch
    except ValueError:
        return "Malformed CSeq header"
    if cseq is None or not 0 <= cseq.seq <= MAX_CSEQ:
        return "Malformed CSeq header"
    if cseq.method != request.method:
        return "CSeq method differs from the request's"
    if not branch:
        return "Via without branch"
    if not (request.from_addr and request.from_addr.tag):
        return "From without tag"
    if not request.uri.lower().startswith(("sip:", "sips:")):
        return "Request-URI is not a SIP URI"
    return ""


def stamp_via(request: SipRequest, peer: Peer) -> None:
    """Note the real source in the top Via (RFC 3261 section 18.2.1, RFC 3581 section 4)."""
    vias = request.via
    if not vias:
        return
    top = vias[0]
    wants_port = "rport" in top.params and not top.params["rport"]
    if wants_port:
        top.rport = str(peer.port)
    if wants_port or top.host != peer.host:
        top.received = peer.host
    values = request.headers.get("via")
    request.headers.remove("via")
    for value in (stringify_via(top), *values[1:]):
        request.headers.append("Via", value)


def reply_peer(request: SipRequest, peer: Peer) -> Peer:
    """Where responses go (RFC 3261 section 18.2.2): the connection, or the source with the Via's port."""
    if peer.reliable:
        return peer
    top = request.via[0]
    port = top.port or 5060
    if top.rport or not 0 < port < 65_536:
        return peer
    return Peer(peer.transport, peer.host, port)


def response_to(
    request: SipRequest, code: int, reason: str = "", *, tag: str = "", headers: Headers = ()
) -> SipResponse:
    """A response with what RFC 3261 section 8.2.6 copies from the request.

    Args:
        tag: Our tag for To, when the request has none there.
        headers: More headers, in order; a name may come twice.
    """
    response = SipResponse(status_code=code, reason_phrase=reason or REASONS.get(code, ""))
    for name in ("Via", "From", "To", "Call-ID", "CSeq"):
        for value in request.headers.get(name):
            if name == "To" and tag and not tag_of(value):
                value = f"{value};tag={tag}"
            response.headers.append(name, value)
    for name, value in headers:
        response.headers.append(name, value)
    response.headers.set_single("Server", SERVER)
    return response


def tag_of(value: str) -> str:
    """The tag of a From or To header value, empty when it has none."""
    return parse_contact(value).tag or ""


def parse_contact(value: str) -> Address:
    """Parse a Contact, From or To value.

    Without angle brackets all parameters belong to the header (RFC 3261 section 20), which aiosipua's own
    function only does for `tag`.
    """
    if "<" in value:
        return parse_address(value)
    base, _, params = value.partition(";")
    return Address(uri=parse_uri(base), params=parse_params(params))


def target_fault(uri: SipUri) -> str:
    """Why nothing can be sent to this URI, to follow the name of its header; empty when it can."""
    if loopback_address(uri.host) is None:
        return "is not a loopback address"
    if not 0 < (uri.port or 5060) < 65_536:
        return "has a port out of range"
    return ""


def target_refusal(request: SipRequest) -> tuple[int, str] | None:
    """Code and reason to refuse an INVITE with whose Contact or route can't be used."""
    contacts = request.headers.get("contact")
    if len(contacts) != 1:
        return 400, "INVITE needs one Contact"
    for name, values in (("Contact", contacts), ("Record-Route", request.headers.get("record-route"))):
        for value in values:
            fault = target_fault(parse_contact(value).uri)
            if fault:
                return 403, f"{name} {fault}"
    return None


def contact_uri(user: str, host: str, port: int, transport: Transport) -> str:
    """Our Contact URI for one dialog."""
    suffix = "" if transport is Transport.UDP else f";transport={transport}"
    return f"sip:{user}@{host}:{port}{suffix}"
