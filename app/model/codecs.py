"""The codecs of this version, and what others call them."""

from __future__ import annotations

CODECS: tuple[str, ...] = ("PCMU", "PCMA", "G722", "GSM", "iLBC", "speex", "L16")
"""Codecs of this version, as RFC 3551 and the codecs' own RFCs spell them."""

BY_WORD = {name.lower(): name for name in CODECS} | {
    "ulaw": "PCMU",
    "g711u": "PCMU",
    "g.711u": "PCMU",
    "alaw": "PCMA",
    "g711a": "PCMA",
    "g.711a": "PCMA",
    "g.722": "G722",
}
TO_COME = {"g729": "G729", "g.729": "G729", "g729a": "G729", "opus": "Opus"}
"""Codecs that this version does not have; providers offer them."""
