"""Whether the provider that is played would take a call, and with what it would refuse it."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from app.model.numbering import write_number
from app.model.trunk import IdentityHeader, NumberFormat, Transport
from app.providers.schema import Mistake
from app.sip.carrier.offers import UnusableSdpError, offered_names
from app.sip.carrier.profile import Answer, Profile
from app.sip.carrier.received import Received
from app.sip.number import unescape

_USER = re.compile(r"(?:sips?|tel):([^@;>\s]*)", re.IGNORECASE)
_PLAIN_NUMBER = re.compile(r"\+?[0-9]{3,}")

FORMS: dict[NumberFormat, str] = {
    NumberFormat.AS_TYPED: r".+",
    NumberFormat.E164_PLUS: r"\+[1-9][0-9]{6,14}",
    NumberFormat.E164: r"[1-9][0-9]{6,14}",
    NumberFormat.NANP_11: r"1[2-9][0-9]{9}|011[1-9][0-9]{6,14}",
    NumberFormat.NANP_10: r"[2-9][0-9]{9}|011[1-9][0-9]{6,14}",
    NumberFormat.NATIONAL: r"[0-9]{5,17}",
}
"""What a number looks like in each format."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What counts in an INVITE.

    Attributes:
        number: User part of the Request-URI, unescaped.
        callers: User part by header, of the headers that it has.
        codecs: Names in the offer, in capitals; None without a readable offer.
        encrypted: Whether the offer is for SRTP.
        tls: Whether it came over TLS.
    """

    number: str
    callers: Mapping[IdentityHeader, str] = {}
    codecs: tuple[str, ...] | None = None
    encrypted: bool = False
    tls: bool = False


def seen_in(request: Received) -> Seen:
    """Read an INVITE."""
    callers = {}
    for header in IdentityHeader:
        found = _USER.search(request.message.first(header.lower()))
        if found:
            callers[header] = unescape(found[1])
    codecs: tuple[str, ...] | None = None
    encrypted = False
    if request.message.body:
        try:
            codecs, encrypted = offered_names(request.text)
        except UnusableSdpError:
            codecs = None  # the negotiation says what is wrong with it
    return Seen(
        number=called_number(request),
        callers=callers,
        codecs=codecs,
        encrypted=encrypted,
        tls=request.peer.transport is Transport.TLS,
    )


def called_number(request: Received) -> str:
    """User part of the Request-URI, unescaped."""
    return unescape(request.head.uri.user) if request.head.uri else ""


def wrong_host(profile: Profile, host: str) -> Answer | None:
    """What a Request-URI with this host is answered with; None when it may stand there."""
    if any(re.fullmatch(pattern, host, re.IGNORECASE) for pattern in profile.hosts):
        return None
    return profile.answer(Mistake.HOST)


def without_prefix(profile: Profile, number: str) -> str:
    """A called number without the tech prefix; empty when the prefix is missing and must not be."""
    if not profile.prefix:
        return number
    if profile.prefix_optional:
        return _without_optional_prefix(profile, number)
    found = re.match(profile.prefix, number)
    return number[found.end() :] if found else ""


def _without_optional_prefix(profile: Profile, number: str) -> str:
    """The reading that makes most sense, the shortest prefix first.

    A number in the provider's own form comes before any other telephone number, and that before an emergency
    number; what makes no sense at all has no prefix.
    """
    country = next(iter(profile.countries), "")
    own_form = FORMS[profile.destination or NumberFormat.AS_TYPED]
    behind = (number[at:] for at in range(1, len(number)) if re.fullmatch(profile.prefix, number[:at]))
    readings = (number, *behind)
    telephones = [reading for reading in readings if _is_telephone_number(reading, country)]
    in_own_form = [reading for reading in telephones if re.fullmatch(own_form, reading)]
    if number in profile.test_numbers or not (in_own_form or telephones):
        return next((reading for reading in readings if _is_emergency(profile, reading)), number)
    return (in_own_form or telephones)[0]


def _is_telephone_number(text: str, country: str) -> bool:
    """Whether it is a whole telephone number, with a country code or as it is dialled in this country."""
    if not _PLAIN_NUMBER.fullmatch(text):
        return False
    ways = [("+" + text.lstrip("+"), "")] + ([] if text.startswith("+") else [(text, country)])
    return any(not write_number(way, where, NumberFormat.E164_PLUS).note for way, where in ways)


def judge_call(profile: Profile, seen: Seen) -> Answer | None:
    """What an INVITE of a customer is refused with; None when it is right."""
    number = without_prefix(profile, seen.number)
    if not number:
        return profile.answer(Mistake.PREFIX)
    for mistake, wrong in (
        (Mistake.DESTINATION, not _is_called(profile, number)),
        (Mistake.CALLER_ID, not _has_caller_id(profile, seen.callers)),
        (Mistake.SRTP, _is_in_the_clear(profile, seen)),
        (Mistake.CODEC, bool(seen.codecs) and not _begins_right(profile, seen.codecs)),
    ):
        answer = profile.answer(mistake)
        if wrong and answer:
            return answer
    return None


def is_emergency(profile: Profile, number: str) -> bool:
    """Whether a called number, with or without its prefix, could be an emergency number."""
    return any(_is_emergency(profile, text) for text in {number, without_prefix(profile, number)} - {""})


def _is_emergency(profile: Profile, text: str) -> bool:
    # Here: the table is not needed without a provider
    from app.sip.emergency import find

    return any(find(text, country) for country in ("", *profile.countries))


def is_reachable(profile: Profile, number: str) -> bool:
    """Whether a number without prefix, that `judge_call` let through, leads to somebody."""
    return number in profile.test_numbers or bool(profile.accepts) or bool(_PLAIN_NUMBER.fullmatch(number))


def _is_called(profile: Profile, number: str) -> bool:
    return number in profile.test_numbers or any(re.fullmatch(pattern, number) for pattern in profile.accepts)


def _has_caller_id(profile: Profile, callers: Mapping[IdentityHeader, str]) -> bool:
    form = FORMS[profile.caller_id or NumberFormat.AS_TYPED]
    looked_at = profile.caller_id_headers or tuple(IdentityHeader)
    return any(re.fullmatch(form, callers.get(header, "")) for header in looked_at)


def _is_in_the_clear(profile: Profile, seen: Seen) -> bool:
    plain = seen.codecs is not None and not seen.encrypted
    return plain or (profile.needs_tls and not seen.tls)


def _begins_right(profile: Profile, codecs: tuple[str, ...] | None) -> bool:
    return bool(codecs) and codecs is not None and codecs[0] in {name.upper() for name in profile.codecs}
