"""Who is calling: the From user of an INVITE and the headers that tell the caller ID to a provider."""

from __future__ import annotations

from app.model.trunk import IdentityHeader
from app.sip.messages import OpenAccount

ANONYMOUS = "anonymous"
"""From user of a trunk that has neither a user nor a caller ID (RFC 3261 section 8.1.1.3)."""


def from_user(settings: OpenAccount) -> str:
    """The user part of From in an INVITE."""
    if settings.caller_id and (IdentityHeader.FROM in settings.caller_id_header or not settings.user):
        return settings.caller_id
    return settings.user or ANONYMOUS


def account_user(settings: OpenAccount) -> str:
    """The user part of everything else: REGISTER, OPTIONS and our Contact."""
    return settings.user or settings.caller_id or ANONYMOUS


def identity_headers(settings: OpenAccount, host: str) -> tuple[tuple[str, str], ...]:
    """Names and values of the identity headers of an INVITE.

    P-Asserted-Identity and P-Preferred-Identity are those of RFC 3325 section 9, Remote-Party-ID is that of
    draft-ietf-sip-privacy-04, and `Privacy: id` is RFC 3325 section 9.3.

    Args:
        settings: The account.
        host: Host of the URIs, an IPv6 address in brackets.
    """
    number = settings.caller_id or settings.user
    headers: list[tuple[str, str]] = []
    for header in settings.caller_id_header:
        if header is IdentityHeader.FROM or not number:
            continue
        value = f"<sip:{number}@{host}>"
        if header is IdentityHeader.REMOTE_PARTY_ID:
            value += f";party=calling;screen=yes;privacy={'full' if settings.privacy else 'off'}"
        headers.append((header.value, value))
    if settings.privacy:
        headers.append(("Privacy", "id"))
    return tuple(headers)
