"""Descriptions of sound (RFC 4566, RFC 3264): what PJSIP does not tell of theirs or set in ours."""

from __future__ import annotations

import re

# RFC 3264 section 8.4, and the address of RFC 2543
_HELD = re.compile(r"^(?:a=(?:sendonly|inactive)|c=IN IP4 0\.0\.0\.0)\s*$", re.MULTILINE)
_AUDIO = re.compile(r"^m=audio [1-9]\d*(?:/\d+)? \S+ ([\d ]+?)\s*$", re.MULTILINE)
_NAMES = re.compile(r"^a=rtpmap:(\d+) ([^/\s]+)", re.MULTILINE)
# Of narrow-band sound; PJSIP has one for each clock rate among the codecs
_EVENTS = re.compile(r"^a=rtpmap:(\d+) telephone-event/8000\b", re.MULTILINE)
_DTLS = re.compile(r"^m=audio \d+ UDP/TLS/", re.MULTILINE)
_STATIC = {"0": "pcmu", "3": "gsm", "8": "pcma", "9": "g722", "10": "l16", "11": "l16"}
"""Payload types that need no rtpmap (RFC 3551 table 4)."""
_USUAL_EVENT_TYPE = "101"


def is_held(sdp: str) -> bool:
    """Whether it puts us on hold."""
    return _HELD.search(sdp) is not None


def wants_dtls(sdp: str) -> bool:
    """Whether it has sound with keys by DTLS (RFC 5764), perhaps beside other sound."""
    return _DTLS.search(sdp) is not None


def codecs_in(sdp: str) -> frozenset[str]:
    """The names of its codecs, in small letters; empty where it has no sound."""
    types = {kind for formats in _AUDIO.findall(sdp) for kind in formats.split()}
    named = {**_STATIC, **{kind: name.lower() for kind, name in _NAMES.findall(sdp)}}
    return frozenset(named[kind] for kind in types if kind in named)


def with_usual_event_type(sdp: str) -> str:
    """Our description, with telephone-event (RFC 4733) under the payload type that nearly everybody gives it.

    The type is free to choose by RFC 3551, but there are providers that know no other.

    Args:
        sdp: As PJSIP wrote it; empty where it is longer than the 1,024 characters that it hands out.

    Returns:
        The same where the type is taken, or where there is no telephone-event.
    """
    found = _EVENTS.search(sdp)
    if found is None or any(kind == _USUAL_EVENT_TYPE for kind, _ in _NAMES.findall(sdp)):
        return sdp
    own = found[1]
    formats = rf"^(m=audio .* ){own}(?!\S)"
    sdp = re.sub(formats, rf"\g<1>{_USUAL_EVENT_TYPE}", sdp, flags=re.MULTILINE)
    return re.sub(rf"^(a=(?:rtpmap|fmtp)):{own}(?= )", rf"\g<1>:{_USUAL_EVENT_TYPE}", sdp, flags=re.MULTILINE)
