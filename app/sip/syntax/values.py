"""Values of single headers (RFC 3261 section 20, RFC 4028, RFC 3262, RFC 6665), read strictly."""

from __future__ import annotations

import re

from app.sip.syntax.address import is_token
from app.sip.syntax.head import Reason
from app.sip.syntax.message import Message, MessageError, parse

HIGHEST_SECONDS = 2**31 - 1
_DIGITS = re.compile(r"[0-9]{1,20}")
_RETRY_AFTER = re.compile(r"([0-9]{1,20})[ \t]*(?:\(.*\))?[ \t]*(?:;.*)?", re.DOTALL)
_SESSION_EXPIRES = re.compile(
    r"([0-9]{1,10})((?:[ \t]*;[ \t]*[A-Za-z0-9-]{1,32}(?:[ \t]*=[ \t]*[^;,]{0,64})?)*)"
)
_REFRESHER = re.compile(r";[ \t]*refresher[ \t]*=[ \t]*\"?(uac|uas)\b", re.IGNORECASE)
_RACK = re.compile(r"([0-9]{1,10})[ \t]+([0-9]{1,10})[ \t]+([A-Z]{1,32})")
_MEDIA_TYPE = re.compile(
    r"([A-Za-z0-9.!%*_+`'~-]{1,64})[ \t]*/[ \t]*([A-Za-z0-9.!%*_+`'~-]{1,64})[ \t]*(;.*)?", re.DOTALL
)
_EVENT = re.compile(r"([A-Za-z0-9.!%*_+`'~-]{1,64})[ \t]*((?:;[^\r\n]*)?)")
_EVENT_ID = re.compile(r";[ \t]*id[ \t]*=[ \t]*([A-Za-z0-9.!%*_+`'~-]{1,64})")


def seconds(text: str) -> int | None:
    """Seconds or another number, at most 2^31 - 1; None when it is not a number."""
    return min(int(text), HIGHEST_SECONDS) if _DIGITS.fullmatch(text) else None


def retry_after(text: str) -> int | None:
    """Seconds of a Retry-After, which may have a comment behind it (RFC 3261 section 20.33)."""
    found = _RETRY_AFTER.fullmatch(" ".join(text.split()))
    return min(int(found[1]), HIGHEST_SECONDS) if found else None


def min_se(text: str) -> int | None:
    """Seconds of a Min-SE, which may have parameters behind it (RFC 4028 section 5)."""
    return seconds(text.partition(";")[0].rstrip())


def session_expires(text: str) -> tuple[int, str] | None:
    """Seconds and refresher of a Session-Expires (RFC 4028 section 4); None when it can't be read."""
    found = _SESSION_EXPIRES.fullmatch(" ".join(text.split()))
    if found is None:
        return None
    refresher = _REFRESHER.search(found[2])
    return min(int(found[1]), HIGHEST_SECONDS), refresher[1].lower() if refresher else ""


def rack(text: str) -> tuple[int, int, str] | None:
    """RSeq, CSeq number and method of a RAck (RFC 3262 section 7.2)."""
    found = _RACK.fullmatch(text)
    return (int(found[1]), int(found[2]), found[3]) if found else None


def event(text: str) -> tuple[str, str]:
    """Package and id of an Event (RFC 6665 section 8.2.1), empty where they can't be read."""
    found = _EVENT.fullmatch(text)
    if found is None:
        return "", ""
    ident = _EVENT_ID.search(found[2])
    return found[1].lower(), ident[1] if ident else ""


def media_type(text: str) -> str | None:
    """Type and subtype of a Content-Type in lower case, None when it can't be read."""
    found = _MEDIA_TYPE.fullmatch(text)
    return f"{found[1]}/{found[2]}".lower() if found else None


def sdp_part(content_type: str, body: bytes) -> bytes:
    """The SDP in a multipart body (RFC 2046 section 5.1), empty when there is none."""
    found = re.search(
        r"boundary[ \t]*=[ \t]*(?:\"([^\"]{1,70})\"|([^\s;\"]{1,70}))", content_type, re.IGNORECASE
    )
    if found is None:
        return b""
    boundary = b"--" + (found[1] or found[2]).encode("utf-8", "surrogateescape")
    for part in body.split(boundary)[1:9]:
        head, gap, content = part.partition(b"\r\n\r\n")
        if gap and b"application/sdp" in head.lower():
            return content.removesuffix(b"\r\n") + b"\r\n"
    return b""


def start_line_fault(start: bytes) -> tuple[str, Reason | None]:
    """What is wrong with a start line, and the answer where it is that of a request."""
    words = start.split()
    if start[:8].upper() == b"SIP/2.0 ":
        return "has a status line that can't be read", None
    if words and re.fullmatch(rb"SIP/[0-9]+\.[0-9]+", words[-1], re.IGNORECASE) and len(words) >= 2:
        if words[-1].upper() != b"SIP/2.0":
            return "is of another version of SIP", Reason(505, "Version Not Supported")
        return "has a request line that can't be read", Reason(400, "Bad Request-Line")
    return "is not a SIP message", None


def forced(raw: bytes) -> Message | None:
    """A request whose request line can't be read, with one in its place, for an answer to it."""
    _, newline, rest = raw.partition(b"\n")
    method = raw.split(None, 1)[0].decode("latin-1")
    if not newline or not is_token(method):
        return None
    try:
        return parse(f"{method} sip:unknown SIP/2.0\r\n".encode() + rest)
    except MessageError:
        return None


def spelled(name: str) -> str:
    """A header's name as the RFCs spell it."""
    special = {
        "call-id": "Call-ID",
        "cseq": "CSeq",
        "www-authenticate": "WWW-Authenticate",
        "rseq": "RSeq",
        "min-se": "Min-SE",
    }
    return special.get(name) or "-".join(word.capitalize() for word in name.split("-"))


def reason_phrase(header: str, what: str) -> str:
    """A reason phrase that says what is wrong; RFC 3261 section 21.4.1 asks for that."""
    return " ".join(f"{header or 'Request'} {what}".split())[:80]
