"""A party of a call as its SIP address names it: for people, and as a number to call."""

from __future__ import annotations

import re

# Never goes back: a caller with thousands of blanks in its name must not keep the window busy for seconds
_NAME_AND_URI = re.compile(r'\s*+(?:"(?P<quoted>[^"]*+)"\s*+|(?P<plain>[^<"]*+))<(?P<uri>[^>]*+)>')
_USER = re.compile(r"(?:sips?|tel):(?P<user>[^@;>]*)", re.IGNORECASE)


def caller_words(address: str) -> str:
    """A caller for people: `"Anna" <sip:+4930@example.com>` is `Anna, +4930`; a number stays as it is."""
    name, number = caller_name(address), caller_number(address)
    return f"{name}, {number}" if name and name != number else number


def caller_name(address: str) -> str:
    """Only the name, empty when there is none."""
    parts = _NAME_AND_URI.match(address)
    return (parts["quoted"] or parts["plain"] or "").strip() if parts else ""


def caller_number(address: str) -> str:
    """Only the number, or the user part: what to call to reach that party."""
    parts = _NAME_AND_URI.match(address)
    uri = parts["uri"] if parts else address.strip()
    user = _USER.match(uri)
    return user["user"] if user else uri
