"""SIP messages for tests, good ones, with single headers changed."""

from __future__ import annotations

from collections.abc import Iterable

SDP = (
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    b"m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n"
)
SDP_TYPE = "Content-Type: application/sdp"


def request(
    method: str = "INVITE",
    *more: str,
    uri: str = "sip:1001@192.0.2.7:5060",
    body: bytes = b"",
    cseq: int = 1,
    **changes: str | None,
) -> bytes:
    """A request of the far end.

    Args:
        method, uri, body, cseq: Of it.
        more: More header lines, at the end.
        changes: Whole lines instead of those of `via`, `sender`, `to`, `call_id`, `cseq_line`, `contact` or
            `length`; None leaves one out.
    """
    lines = {
        "via": "Via: SIP/2.0/UDP 203.0.113.1:5060;rport;branch=z9hG4bKfar",
        "sender": '"Far" <sip:7@sip.example.com>;tag=far',
        "to": "To: <sip:1001@sip.example.com>",
        "call_id": "Call-ID: call-1",
        "cseq_line": f"CSeq: {cseq} {method}",
        "contact": "Contact: <sip:7@203.0.113.1:5060>",
        "length": f"Content-Length: {len(body)}",
    }
    lines["sender"] = f"From: {lines['sender']}"
    return _message(f"{method} {uri} SIP/2.0", lines, changes, more, body)


def response(
    status: str = "200 OK",
    *more: str,
    method: str = "INVITE",
    body: bytes = b"",
    cseq: int = 1,
    **changes: str | None,
) -> bytes:
    """A response of the far end; the arguments are those of `request`."""
    lines = {
        "via": "Via: SIP/2.0/UDP 192.0.2.7:5060;rport=5060;received=192.0.2.7;branch=z9hG4bKours",
        "sender": "From: <sip:1001@sip.example.com>;tag=ours",
        "to": "To: <sip:7@sip.example.com>;tag=far",
        "call_id": "Call-ID: call-1",
        "cseq_line": f"CSeq: {cseq} {method}",
        "contact": "Contact: <sip:7@203.0.113.1:5060>",
        "length": f"Content-Length: {len(body)}",
    }
    return _message(f"SIP/2.0 {status}", lines, changes, more, body)


def _message(
    start: str, lines: dict[str, str], changes: dict[str, str | None], more: Iterable[str], body: bytes
) -> bytes:
    unknown = changes.keys() - lines.keys()
    assert not unknown, unknown
    headers = [line for line in (lines | changes).values() if line is not None]
    return "\r\n".join([start, *headers, *more, "", ""]).encode("utf-8", "surrogateescape") + body
