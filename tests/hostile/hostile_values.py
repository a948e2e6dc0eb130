"""What fills the placeholders of hostile messages: taken from a request, or made up for one."""

from __future__ import annotations

import re
from collections.abc import Mapping

from app.model.trunk import Transport
from tests.hostile.torture_messages import header

PLACEHOLDERS: Mapping[str, str] = {
    "via": "value of the topmost Via: of the answered request, with rport filled in; or a sender's own",
    "via_bare": "the same without rport",
    "from": "value of From, with its tag",
    "from_tag": "the tag in it",
    "to": "value of To; with its tag in a request inside a call, without one everywhere else",
    "to_tag": "of an answer: the tag of To, the request's if it has one",
    "call_id": "value of Call-ID",
    "cseq": "value of CSeq: number and method",
    "number": "the number in it",
    "method": "the method in it",
    "contact": "value of Contact of whoever sent the request",
    "target": "Request-URI: of the engine, or its Contact inside a call",
    "user": "user part that the engine answers to",
    "server": "address and port of the far end, which speaks",
    "transport": "UDP, TCP or TLS",
    "branch": "unique, for requests",
    "other_branch": "another one",
    "realm": "of a challenge",
    "nonce": "of a challenge",
    "rtp_port": "where the far end wants its audio",
    "length": "octets of the body; `filled` counts them",
}


def answer_values(
    request: bytes, *, server: tuple[str, int], source: tuple[str, int], **more: str | bytes
) -> dict[str, str | bytes]:
    """Values for a message that answers a request of the engine's.

    Args:
        request: What the engine sent.
        server: Address and port of the far end.
        source: Where the request came from, for rport.
        more: Other values, instead of or besides these.

    Raises:
        ValueError: The request lacks Via, From, To, Call-ID or CSeq.
    """
    via, sender, called, cseq = (header(request, name) for name in (b"via", b"from", b"to", b"cseq"))
    bare = re.sub(rb";rport(?:=\d+)?(?=;|$)", b"", via)
    number, _, method = cseq.partition(b" ")
    try:
        contact = header(request, b"contact")
    except ValueError:
        contact = b""
    return {
        **_common(server, method.strip().decode()),
        "via": via.replace(b";rport", b";rport=%d" % source[1]) if bare != via else via,
        "via_bare": bare,
        "from": sender,
        "from_tag": _tag(sender),
        "to": re.sub(rb"\s*;\s*tag=[^;\s]*", b"", called),
        "to_tag": _tag(called) or "far",
        "call_id": header(request, b"call-id"),
        "cseq": cseq,
        "number": number,
        "contact": contact,
        "transport": via.partition(b" ")[0].rpartition(b"/")[2].strip(),
        **more,
    }


def request_values(
    method: str,
    *,
    target: str,
    server: tuple[str, int],
    user: str,
    mark: str,
    transport: Transport = Transport.UDP,
    number: int = 1,
    **more: str | bytes,
) -> dict[str, str | bytes]:
    """Values for a request of the far end's, outside a call unless `more` has From, To and Call-ID of one.

    Args:
        method: Of the request.
        target: Request-URI.
        server: Address and port of the far end.
        user: User part that the engine answers to.
        mark: Letters and digits that make this request one of its own.
        transport: How it travels.
        number: In CSeq.
        more: Other values, instead of or besides these.
    """
    via = f"SIP/2.0/{transport.name} {server[0]}:{server[1]};branch=z9hG4bK{mark}"
    return {
        **_common(server, method),
        "via": f"{via};rport",
        "via_bare": via,
        "from": f'"Far" <sip:far@{server[0]}:{server[1]}>;tag=f{mark}',
        "from_tag": f"f{mark}",
        "to": f"<sip:{user}@{server[0]}>",
        "call_id": f"c{mark}",
        "cseq": f"{number} {method}",
        "number": str(number),
        "contact": f"<sip:far@{server[0]}:{server[1]}>",
        "target": target,
        "user": user,
        "transport": transport.name,
        "branch": f"z9hG4bK{mark}",
        "other_branch": f"z9hG4bK{mark}o",
        **more,
    }


def _common(server: tuple[str, int], method: str) -> dict[str, str | bytes]:
    return {
        "method": method,
        "server": f"{server[0]}:{server[1]}",
        "realm": "test",
        "nonce": "84f1c1ae6cbe5ua9c8e88dfa3ecm3459",
        "rtp_port": "40000",
    }


def _tag(value: bytes) -> bytes:
    found = re.search(rb";\s*tag=([^;\s]*)", value)
    return found[1] if found else b""
