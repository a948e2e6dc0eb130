"""The dial guard: emergency and crisis numbers are never dialled, however they are written."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable
from enum import StrEnum

import msgspec

from app.errors import CallRefusedError
from app.model.typed import shown
from app.sip.emergency_match import Hit, emergencies, live_services
from app.sip.emergency_table import Country, countries, country_of, is_telephone_number
from app.sip.number import MAX_LENGTH, unescape
from app.sip.readings import SCHEME, only_digits, read, service

__all__ = ["Country", "Refusal", "Severity", "countries", "find", "guard", "guard_behind", "refuse_emergency"]


class Severity(StrEnum):
    """Why a number is refused."""

    EMERGENCY = "emergency"
    LIVE = "live"


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """What a number would have reached.

    Attributes:
        entry: The emergency number, crisis line or service.
        severity: Emergency, or live service.
        countries: All countries that have it; empty for a service that is named in letters.
        name: Who answers, where that is known.
    """

    entry: str
    severity: Severity
    countries: tuple[Country, ...] = ()
    name: str = ""


_MOST_NAMED = 3
"""Countries in a refusal; 112 belongs to so many that the sentence would have no end."""


def refuse_emergency(
    number: str, country: str = "", here: Collection[str] = (), prefixes: Collection[str] = ()
) -> None:
    """Refuse a number that would reach an emergency, crisis or live public service.

    Args:
        number: As typed, or the user part of a URI, or a whole `sip:` or `tel:` URI.
        country: ISO 3166 code of the trunk's country, empty when it is not known.
        here: ISO 3166 codes of the countries that this computer may be in.
        prefixes: What the provider takes off in front; a star or hash inside of them does not end the number.

    Raises:
        CallRefusedError: Names the number and the country it belongs to.
    """
    refusal = find(number, country, here, prefixes)
    if refusal is None:
        return
    places = refusal.countries
    names = _list([place.name for place in places]) if places else "every country"
    if len(places) > _MOST_NAMED:
        places = places[:1]
        names = f"{places[0].name} and {len(refusal.countries) - 1} other countries"
    as_typed = number.strip()
    reaches = "" if as_typed == refusal.entry else f"{shown(as_typed)} can reach {refusal.entry}: "
    if refusal.severity is Severity.EMERGENCY:
        kind = "an emergency or crisis number"
    else:
        kind = "a public service with people on the line"
    if refusal.name:
        kind = f"{refusal.name}, {kind}"
    advice = ["Test with your provider's echo or test number, or a phone of your own."]
    advice += [place.instead for place in places if place.instead]
    if here and find(number, country, (), prefixes) is None:
        advice.append(
            f"It is refused because this computer is set to {places[0].name}: if that is wrong, correct the "
            "region and the time zone in the system's settings."
        )
    raise CallRefusedError(
        f"{reaches}{refusal.entry} is {kind} in {names}, and Ringback never dials it.", do=" ".join(advice)
    )


def guard(number: str, country: str = "", here: Collection[str] = (), prefixes: Collection[str] = ()) -> None:
    """The gate that every call passes, before its number is rewritten and again with the final user part.

    Args:
        number, country, here, prefixes: As in `refuse_emergency`.

    Raises:
        CallRefusedError: Nothing to dial, a control character (a line break would smuggle headers into the
            request), too long, or a number that `refuse_emergency` refuses.
    """
    plain = unescape(number)
    if not plain.strip():
        raise CallRefusedError("There is no number to call.", do="Enter a number.")
    if any(unicodedata.category(char) == "Cc" for char in plain):
        raise CallRefusedError(
            f"{shown(number)} has a line break or another control character in it.",
            do="Type the number by hand.",
        )
    user = SCHEME.sub("", plain, count=1).partition("@")[0]
    if len(user) > MAX_LENGTH:
        raise CallRefusedError(
            f"{shown(number)} is too long: {len(user)} characters, and {MAX_LENGTH} is the limit.",
            do="Check the number.",
        )
    refuse_emergency(number, country, here, prefixes)


def guard_behind(number: str, country: str, prefixes: Iterable[str], here: Collection[str] = ()) -> None:
    """The gate for a number that may have a trunk's tech prefix in front of it.

    Args:
        number: As in `refuse_emergency`.
        country: As in `refuse_emergency`.
        prefixes: What the provider would take off in front.
        here: As in `refuse_emergency`.

    Raises:
        CallRefusedError: As `guard` does, for the whole number and for what is behind a prefix.
    """
    known = tuple(prefixes)
    guard(number, country, here, known)
    plain = {unescape(number)}
    # A prefix may stand there twice, typed and put in front; each round leaves shorter texts
    while plain:
        texts = {text.removeprefix("+") for text in plain} | plain
        plain = {text.removeprefix(prefix) for text in texts for prefix in known} - texts - {""}
        for rest in plain:
            guard(rest, country, here, known)


def find(
    number: str, country: str = "", here: Collection[str] = (), prefixes: Collection[str] = ()
) -> Refusal | None:
    """What this number would reach that is refused, or None when it may be dialled.

    - Emergency numbers of the table hold on every trunk: a desktop does not know where it is, and calls do
      not always come out in the trunk's country.
    - So do emergency numbers of any country behind its country code, and crisis lines by their full number.
    - The other emergency numbers share their digits with countless internal extensions (15, 101, 117, 144).
      They are refused where the trunk is, and where this computer may be.
    - Live services (101, 411) are refused where the trunk is.
    - A trunk without a country may be anywhere: there the crisis lines of all countries are refused as they
      are dialled at home, and so is what Europe reserves. Both are too long for an extension.

    Args:
        number, country, here, prefixes: As in `refuse_emergency`.
    """
    named = service(number)
    if named:
        return Refusal(entry=named, severity=Severity.EMERGENCY)
    trunk = country_of(country)
    ours = tuple(dict.fromkeys(place for place in (trunk, *map(country_of, here)) if place))
    readings = read(number, prefixes)
    found = emergencies(readings, ours, everywhere_else=trunk is None)
    digits = only_digits(number)
    # 90044112 is a mobile telephone in Norway, and not 9 for a line, 00, 44 and 112
    by_chance = bool(found) and all(hit.doubtful for hit in found) and is_telephone_number(digits, ours)
    if found and not by_chance:
        return _refusal(found, Severity.EMERGENCY, ours)
    found = live_services(readings, trunk) if trunk else frozenset()
    if not trunk or not found:
        return None
    # 90116673 is one in Denmark, and not 9, 0 and 116673
    prefixed = not digits.startswith("+") and all(hit.entry != digits for hit in found)
    return (
        None if prefixed and is_telephone_number(digits, (trunk,)) else _refusal(found, Severity.LIVE, ours)
    )


def _refusal(hits: Collection[Hit], severity: Severity, ours: tuple[Country, ...]) -> Refusal:
    # The longest entry says best what was meant, and of two the one that more countries have
    entry = max({hit.entry for hit in hits}, key=lambda entry: (len(entry), _count(hits, entry), entry))
    order = [*ours, *countries()]
    same = sorted((hit for hit in hits if hit.entry == entry), key=lambda hit: hit.country.code)
    same.sort(key=lambda hit: order.index(hit.country) if hit.country in order else len(order))
    return Refusal(
        entry=entry,
        severity=severity,
        countries=tuple(dict.fromkeys(hit.country for hit in same)),
        name=next((hit.name for hit in same if hit.name), ""),
    )


def _count(hits: Collection[Hit], entry: str) -> int:
    return sum(hit.entry == entry for hit in hits)


def _list(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
