"""Who has which emergency, crisis and live numbers: our own table, and what `phonenumbers` knows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

import msgspec

from app import shipped

_EMERGENCY = "data/emergency.toml"
_CRISIS = "data/crisis_lines.toml"
_NAMES = "data/country_names.toml"

# E.164 country codes have one digit (1, 7), two (these) or three
_TWO_DIGIT_CODES = re.compile(r"20|27|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]")


class CrisisLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line for people in need that has a telephone number like any other.

    Attributes:
        country: ISO 3166 code.
        calling_code: E.164 country code.
        national: The number behind it.
        name: Who answers.
    """

    country: str
    calling_code: str
    national: str
    name: str

    @property
    def number(self) -> str:
        """In E.164 form, with `+`."""
        return f"+{self.calling_code}{self.national}"


class Country(msgspec.Struct, frozen=True, kw_only=True):
    """A country's numbers; most fields are explained in `data/emergency.toml`.

    Attributes:
        code: ISO 3166 code.
        calling_code: E.164 country code.
        national_prefix: Dialled before a number inside the country, empty where there is none.
        international_prefix: Dialled before the country code of another one, a regular expression.
        known: The emergency numbers that `phonenumbers` knows, a regular expression.
    """

    code: str
    calling_code: str
    national_prefix: str
    international_prefix: str
    known: str
    instead: str = ""
    emergency: tuple[str, ...] = ()
    at_home: tuple[str, ...] = ()
    live: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """As in "a number in ..."."""
        return _names().get(self.code, self.code)


class _Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    code: str
    instead: str = ""
    emergency: tuple[str, ...] = ()
    at_home: tuple[str, ...] = ()
    live: tuple[str, ...] = ()


class _Crisis(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    country: str
    name: str
    numbers: tuple[str, ...]


class Harmonised(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Numbers that many countries reserve for the same services."""

    crisis: tuple[str, ...]
    live: tuple[str, ...]
    countries: tuple[str, ...]


class _EmergencyFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    harmonised: Harmonised
    country: tuple[_Row, ...]


class _CrisisFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    crisis: tuple[_Crisis, ...]


class _NamesFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    names: dict[str, str]


def countries() -> tuple[Country, ...]:
    """The countries of the table; the `emergency` numbers of each of them hold on every trunk."""
    return tuple(found for row in _table().country if (found := country_of(row.code)))


@cache
def everywhere() -> dict[str, tuple[str, ...]]:
    """The numbers that are refused on every trunk, each with the codes of the countries that have it."""
    found: dict[str, list[str]] = {}
    for row in _table().country:
        for entry in row.emergency:
            found.setdefault(entry, []).append(row.code)
    return {entry: tuple(codes) for entry, codes in found.items()}


def harmonised() -> Harmonised:
    """The numbers that Europe reserves, and where they are in use."""
    return _table().harmonised


@cache
def crisis_lines() -> dict[str, CrisisLine]:
    """The crisis lines that have a full number, by its digits with country code."""
    found: dict[str, CrisisLine] = {}
    for crisis in _crises():
        for number in crisis.numbers:
            if not number.startswith("+"):
                continue
            digits = number.removeprefix("+")
            length = calling_code_length(digits)
            found[digits] = CrisisLine(
                country=crisis.country,
                calling_code=digits[:length],
                national=digits[length:],
                name=crisis.name,
            )
    return found


@cache
def national_crisis_lines() -> dict[str, tuple[CrisisLine, ...]]:
    """The same by the number behind the country code."""
    found: dict[str, list[CrisisLine]] = {}
    for line in crisis_lines().values():
        found.setdefault(line.national, []).append(line)
    return {national: tuple(lines) for national, lines in found.items()}


def crisis_name(code: str, entry: str) -> str:
    """Who answers a country's short crisis number; empty for any other number."""
    return next(
        (line.name for line in _crises() if line.country == code and entry in line.numbers),
        "",
    )


def country_of(code: str) -> Country | None:
    """A country's numbers, None for what is not a country; UK is understood."""
    plain = code.strip().upper()
    return _country({"UK": "GB"}.get(plain, plain))


@cache
def _country(code: str) -> Country | None:
    # Here: an engine that places no call should not carry the rules of all countries
    from phonenumbers import PhoneMetadata

    rules = PhoneMetadata.metadata_for_region(code, None)
    if rules is None:
        return None
    short = PhoneMetadata.short_metadata_for_region(code, None)
    emergency = short.emergency if short else None
    row = next((row for row in _table().country if row.code == code), _Row(code=code))
    in_europe = code in harmonised().countries
    crisis = tuple(
        number
        for line in _crises()
        for number in line.numbers
        if line.country == code and not number.startswith("+")
    )
    return Country(
        code=code,
        calling_code=str(rules.country_code),
        national_prefix=rules.national_prefix or "",
        international_prefix=rules.international_prefix or "",
        known=(emergency.national_number_pattern if emergency else None) or "",
        instead=row.instead,
        emergency=row.emergency,
        at_home=row.at_home + crisis + (harmonised().crisis if in_europe else ()),
        live=row.live + (harmonised().live if in_europe else ()),
    )


@cache
def country_with_calling_code(calling_code: str) -> Country | None:
    """The country that a calling code belongs to, the main one where several share it."""
    from phonenumbers import region_code_for_country_code

    if not is_calling_code(calling_code):
        return None
    return country_of(region_code_for_country_code(int(calling_code)) or "")


def calling_code_length(digits: str) -> int:
    """How many of these digits are the country code with which they begin."""
    if digits[:1] in ("1", "7"):
        return 1
    return 2 if _TWO_DIGIT_CODES.match(digits) else 3


def is_calling_code(digits: str) -> bool:
    """Whether a country code is in use."""
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

    return digits.isdecimal() and not digits.startswith("0") and int(digits) in COUNTRY_CODE_TO_REGION_CODE


def is_telephone_number(digits: str, places: Iterable[Country]) -> bool:
    """Whether these digits are a whole telephone number.

    Args:
        digits: With `+` and country code, or as they are dialled inside a country.
        places: The countries that the latter are looked up in.
    """
    import phonenumbers as lib

    for place in (None,) if digits.startswith("+") else places:
        try:
            parsed = lib.parse(digits, place.code if place else None)
        except lib.NumberParseException:
            continue
        if not lib.is_valid_number(parsed):
            continue
        if place is None:
            return True
        # In most countries nobody is reached without the national prefix; in North America it may be left out
        dialled = re.sub(r"\D", "", lib.format_number(parsed, lib.PhoneNumberFormat.NATIONAL))
        at_home = str(parsed.country_code) == place.calling_code
        if at_home and digits in (dialled, place.national_prefix + dialled):
            return True
    return False


@cache
def short_numbers(place: Country, *, live: bool) -> re.Pattern[str]:
    """What a number looks like as a whole that reaches a service of a country from inside of it.

    Args:
        place: The country.
        live: Whether its live services are meant, else emergency and crisis numbers.
    """
    listed = place.live if live else place.emergency + place.at_home
    ways = [entry.replace("x", "[0-9]") for entry in listed]
    if place.known and not live:
        ways.append(place.known)
    # The last one matches nothing, where there are none
    return re.compile("|".join(ways) or r"(?!)", re.ASCII)


@cache
def _table() -> _EmergencyFile:
    table = shipped.load("app.sip", _EMERGENCY, _EmergencyFile)
    for row in table.country:
        _check(_EMERGENCY, row.code, (*row.emergency, *row.at_home, *row.live))
    _check(_EMERGENCY, "harmonised", (*table.harmonised.crisis, *table.harmonised.live))
    return table


@cache
def _crises() -> tuple[_Crisis, ...]:
    crises = shipped.load("app.sip", _CRISIS, _CrisisFile).crisis
    for crisis in crises:
        _check(_CRISIS, crisis.country, crisis.numbers)
    return crises


def _check(file: str, where: str, numbers: tuple[str, ...]) -> None:
    for number in numbers:
        if not re.fullmatch(r"\+[1-9][0-9]{7,14}|[0-9]+x*", number):
            raise shipped.ShippedDataError(f"app.sip/{file}: {where}: {number!r} is not a number")


@cache
def _names() -> dict[str, str]:
    return shipped.load("app.sip", _NAMES, _NamesFile).names
