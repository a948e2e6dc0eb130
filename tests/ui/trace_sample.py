"""A registration as an engine traces it, with a digest that must not be shown."""

from __future__ import annotations

from app.model.outcome import Direction, TraceMessage
from app.model.trunk import Transport
from app.sip.notices import TraceAdded

SECRET_RESPONSE = "6629fae49393a05397450978507c4ef1"
_AT = 1_790_000_000.0


def _message(after_ms: int, direction: Direction, *lines: str) -> TraceAdded:
    text = "\r\n".join((*lines, "", ""))
    return TraceAdded(
        trunk_id="office",
        message=TraceMessage(
            at=_AT + after_ms / 1000,
            direction=direction,
            transport=Transport.TLS,
            peer="192.0.2.10:5061",
            text=text,
        ),
    )


_COMMON = (
    "Via: SIP/2.0/TLS 198.51.100.7:40123;rport;branch=z9hG4bKPj1",
    "From: <sip:123456_desk@montreal1.voip.example>;tag=1",
    "To: <sip:123456_desk@montreal1.voip.example>",
    "Call-ID: 8d1f1f1e",
)
_DIGEST = (
    'Authorization: Digest username="123456_desk", realm="voip.example", nonce="abc",'
    f' uri="sip:montreal1.voip.example", response="{SECRET_RESPONSE}"'
)

MESSAGES = (
    _message(0, Direction.OUT, "REGISTER sip:montreal1.voip.example SIP/2.0", *_COMMON, "CSeq: 1 REGISTER"),
    _message(
        18,
        Direction.IN,
        "SIP/2.0 401 Unauthorized",
        *_COMMON,
        "CSeq: 1 REGISTER",
        'WWW-Authenticate: Digest realm="voip.example", nonce="abc", algorithm=MD5',
    ),
    _message(
        19,
        Direction.OUT,
        "REGISTER sip:montreal1.voip.example SIP/2.0",
        *_COMMON,
        "CSeq: 2 REGISTER",
        _DIGEST,
    ),
    _message(38, Direction.IN, "SIP/2.0 200 OK", *_COMMON, "CSeq: 2 REGISTER", "Expires: 300"),
)
