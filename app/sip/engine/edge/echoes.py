"""What an answer must repeat from our request, and whether it did (RFC 3261 section 8.2.6.2).

A router with a SIP ALG changes it on the way. An added `received` or `rport` is ordinary NAT, no change.
"""

from __future__ import annotations

from app.sip.engine.edge.transactions import Sent
from app.sip.syntax.address import Address, HostPort, MalformedError, bracketed, parse_address, parse_via
from app.sip.syntax.head import Head
from app.sip.syntax.text import one_line


def alterations(head: Head, sent: Sent) -> tuple[str, ...]:
    """A clause for each thing that came back changed."""
    if sent.message is None:
        return ()
    try:
        via = parse_via(sent.message.first("via"))
        sender, to = (parse_address(sent.message.first(name)) for name in ("from", "to"))
    except MalformedError:
        return ()
    call_id = sent.message.first("call-id")
    ours, back = (HostPort(one.host.lower(), one.port or 5060) for one in (via, head.via))
    found = [
        ("Via", str(back), str(ours)),
        ("Call-ID", head.call_id, call_id),
        ("CSeq", str(head.cseq), str(sent.cseq)),
        ("From", _shown(head.sender, tag=True), _shown(sender, tag=True)),
        ("To", _shown(head.to, tag=False), _shown(to, tag=False)),
    ]
    return tuple(
        f"{name} came back as {one_line(came, 80)} instead of {one_line(went, 80)}"
        for name, came, went in found
        if came and came != went
    )


def _shown(address: Address | None, *, tag: bool) -> str:
    """An address as far as it counts, empty where it could not be read."""
    if address is None or not address.uri.is_sip:
        return ""
    user = f"{address.uri.user}@" if address.uri.user else ""
    tagged = f";tag={address.tag}" if tag else ""
    return f"{user}{bracketed(address.uri.host)}{tagged}"
