"""Messages of PJSIP as the far end gets them: one user agent, our address, the far end's own words."""

from __future__ import annotations

import msgspec

from app.model.trunk import Transport
from app.sip.engine.edge.dialogs import Leg
from app.sip.engine.edge.transactions import Received
from app.sip.syntax.address import HostPort, Uri, bracketed, parse_uri
from app.sip.syntax.message import Header, Message, made


class Face(msgspec.Struct, frozen=True, kw_only=True):
    """How we look from outside.

    Attributes:
        ours: Our address, for Via and Contact.
        transport: Of the trunk.
    """

    ours: HostPort
    transport: Transport

    @property
    def via(self) -> str:
        """The beginning of our Via."""
        return f"SIP/2.0/{self.transport.upper()} {self.ours}"


def request(message: Message, face: Face, *, leg: Leg | None, former: HostPort | None = None) -> Message:
    """A request of PJSIP.

    The branch stays PJSIP's, so that CANCEL and the ACK of a refusal carry that of their INVITE.

    Args:
        message: Of PJSIP.
        face: Our address.
        leg: The dialog it is in, None for one that is in none.
        former: For REGISTER: an address that we had registered before, whose binding goes.
    """
    branch = branch_of(message)
    headers: list[Header] = [made("Via", f"{face.via};rport;branch={branch}")]
    start = message.start
    if leg is not None:
        uri, routes = addressed(leg)
        start = f"{message.start.partition(' ')[0]} {uri} SIP/2.0"
        headers += [made("Route", route) for route in routes]
    for header in message.headers:
        if header.name in ("via", "route"):
            continue
        if header.name == "contact":
            value = _our_contact(header.value, face)
            if former is not None and message.start.startswith("REGISTER "):
                value += f", {_moved(header.value, former, face.transport)};expires=0"
            header = made("Contact", value)
        elif leg is not None and header.name in ("from", "to", "call-id"):
            header = _in_dialog(header, leg)
        headers.append(header)
    return msgspec.structs.replace(message, start=start, headers=tuple(headers))


def over(message: Message, transport: Transport) -> Message:
    """A request of ours with the transport that it goes over in its Via (RFC 3261 section 18.1.1)."""
    headers = tuple(
        made("Via", f"SIP/2.0/{transport.upper()} {header.value.partition(' ')[2]}")
        if header.name == "via"
        else header
        for header in message.headers
    )
    return msgspec.structs.replace(message, headers=headers)


def response(message: Message, received: Received, face: Face) -> Message:
    """A response of PJSIP to a request of the far end: what identifies it goes back exactly as it came."""
    tag = own_tag(message.first("to"))
    to = received.to
    if received.head.to is not None and not received.head.to.tag and tag:
        to = Header(name="to", line=f"{to.line};tag={tag}")
    headers: list[Header] = [header for header in received.copied if header.name == "via"]
    headers += [header for header in received.copied if header.name == "from"]
    headers.append(to)
    headers += [header for header in received.copied if header.name in ("call-id", "cseq")]
    if received.head.method == "INVITE" and 100 < message.code < 300:
        headers += received.routes
    for header in message.headers:
        if header.name in ("via", "from", "to", "call-id", "cseq", "record-route"):
            continue
        if header.name == "contact":
            header = made("Contact", _our_contact(header.value, face) if message.code < 300 else header.value)
        headers.append(header)
    return msgspec.structs.replace(message, headers=tuple(headers))


def addressed(leg: Leg) -> tuple[str, tuple[str, ...]]:
    """Request-URI and Route headers of a request in a dialog (RFC 3261 section 12.2.1.1)."""
    target = leg.target.text.partition("?")[0]
    if not leg.routes:
        return target, ()
    first = parse_uri(leg.routes[0][1:-1])
    if first.is_loose:
        return target, leg.routes
    # A strict router: it is addressed itself, and the target goes last
    return first.text, (*leg.routes[1:], f"<{target}>")


def next_hop_uri(leg: Leg) -> Uri | None:
    """The URI that says where a request in a dialog is sent; None where the far end gave none."""
    if leg.routes:
        return parse_uri(leg.routes[0][1:-1])
    return leg.target if leg.located else None


def _in_dialog(header: Header, leg: Leg) -> Header:
    call = leg.call
    if header.name == "call-id":
        return made("Call-ID", call.call_id)
    local = header.name == "from"
    if not call.incoming and local:
        return header
    return made("From" if local else "To", call.local if local else leg.remote)


def _our_contact(value: str, face: Face) -> str:
    return _moved(value, face.ours, face.transport)


def _moved(value: str, to: HostPort, transport: Transport) -> str:
    """PJSIP's Contact with our address in it; `*` stays. What PJSIP writes need not pass the gate."""
    before, angle, rest = value.partition("<")
    uri, close, after = rest.partition(">")
    if not angle or not close:
        return value
    user, at, place = uri.partition(":")[2].rpartition("@")
    params = "".join(
        f";{param}" for param in place.split(";")[1:] if not param.lower().startswith("transport=")
    )
    how = "" if transport is Transport.UDP else f";transport={transport}"
    return f"{before}<sip:{user}{at}{bracketed(to.host)}:{to.port}{how}{params}>{after}"


def branch_of(message: Message) -> str:
    """The branch of PJSIP's own Via."""
    return message.values("via")[0].partition("branch=")[2].partition(";")[0].strip()


def own_tag(value: str) -> str:
    """The tag in an address as PJSIP writes it."""
    return value.rpartition(";tag=")[2].partition(";")[0] if ";tag=" in value else ""


def own_user(contact: str) -> str:
    """The user part of PJSIP's Contact."""
    return contact.partition("<")[2].partition(":")[2].partition(">")[0].rpartition("@")[0]
