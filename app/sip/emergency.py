"""The dial guard: emergency and crisis numbers are never dialled, however they are written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import cache

import msgspec

from app import shipped
from app.errors import CallRefusedError
from app.model.typed import shown
from app.sip.number import MAX_LENGTH, ascii_digits, unescape


class Severity(StrEnum):
    """Why a number is refused."""

    EMERGENCY = "emergency"
    LIVE = "live"


class Country(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A country's numbers; the fields are explained in `data/emergency.toml`."""

    code: str
    name: str
    calling_code: str
    national_prefix: str
    instead: str
    emergency: tuple[str, ...]
    at_home: tuple[str, ...] = ()
    live: tuple[str, ...]

    def numbers(self, severity: Severity, *, home: bool) -> tuple[str, ...]:
        """The entries of one kind that hold on a trunk; `home` is whether its country is this one."""
        if severity is Severity.EMERGENCY:
            return self.emergency + self.at_home if home else self.emergency
        return self.live if home else ()


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """What a number would have reached.

    Attributes:
        entry: The entry of the table.
        severity: Emergency, or live service.
        countries: All countries that have it.
    """

    entry: str
    severity: Severity
    countries: tuple[Country, ...]


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The shape of `data/emergency.toml`."""

    country: tuple[Country, ...]


@cache
def countries() -> tuple[Country, ...]:
    """The table."""
    table = shipped.load("app.sip", "data/emergency.toml", _File).country
    for country in table:
        for entry in (*country.emergency, *country.at_home, *country.live):
            if not re.fullmatch(r"[0-9]+x*", entry):
                raise shipped.ShippedDataError(
                    f"app.sip/data/emergency.toml: {country.code}: {entry!r} is no number"
                )
    return table


# How a number can be spelt, from the outside in. A PBX puts a digit in front to get a line; then come "+" or
# an international prefix and a country code, or the national prefix. Outbound rules can produce each of them.
_LINE_PREFIXES = ("", "9", "0", "1")

# Europe and most of the world; North America; Australia; Japan; Singapore
_INTERNATIONAL_PREFIXES = ("00", "011", "0011", "010", "001")

_MOST_NAMED = 3
"""Countries in a refusal; 112 belongs to so many that the sentence would have no end."""

# E.164 country codes have one digit (1, 7), two (these) or three
_TWO_DIGIT_CODES = re.compile(r"20|27|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]")

# Feature codes in front, such as *67 or #31# to hide the caller ID
_FEATURE_CODE = re.compile(r"[*#]{1,2}(?=[0-9])")

# What ends the number inside of a user part: parameters, a password, or a pause with more digits after it
_END = re.compile(r"[;,:?pPwWxX]")

_SCHEME = re.compile(r"\s*(sips?|tel|callto):(//)?", re.IGNORECASE)

_CONTEXT = re.compile(r";\s*phone-context\s*=\s*(\+[^;?@]*)", re.IGNORECASE)


def refuse_emergency(number: str, country: str = "") -> None:
    """Refuse a number that would reach an emergency, crisis or live public service.

    Args:
        number: As typed, or the user part of a URI, or a whole `sip:` or `tel:` URI.
        country: ISO 3166 code of the trunk's country, empty when it is not known.

    Raises:
        CallRefusedError: Names the number and the country it belongs to.
    """
    refusal = find(number, country)
    if refusal is None:
        return
    places = refusal.countries
    names = _list([place.name for place in places])
    if len(places) > _MOST_NAMED:
        places = places[:1]
        names = f"{places[0].name} and {len(refusal.countries) - 1} other countries"
    as_typed = number.strip()
    reaches = "" if as_typed == refusal.entry else f"{shown(as_typed)} can reach {refusal.entry}: "
    if refusal.severity is Severity.EMERGENCY:
        kind = "an emergency or crisis number"
    else:
        kind = "a public service with people on the line"
    instead = [place.instead for place in places if place.instead]
    raise CallRefusedError(
        f"{reaches}{refusal.entry} is {kind} in {names}, and Ringback never dials it.",
        do=" ".join(["Test with your provider's echo or test number, or a phone of your own.", *instead]),
    )


def guard(number: str, country: str = "") -> None:
    """The gate that every call passes, before its number is rewritten and again with the final user part.

    Args:
        number: As in `refuse_emergency`.
        country: As in `refuse_emergency`.

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
    user = _SCHEME.sub("", plain, count=1).partition("@")[0]
    if len(user) > MAX_LENGTH:
        raise CallRefusedError(
            f"{shown(number)} is too long: {len(user)} characters, and {MAX_LENGTH} is the limit.",
            do="Check the number.",
        )
    refuse_emergency(number, country)


def guard_behind(number: str, country: str, prefixes: Iterable[str]) -> None:
    """The gate for a number that may have a trunk's tech prefix in front of it.

    Args:
        number: The user part of a Request-URI, escaped or not.
        country: As in `refuse_emergency`.
        prefixes: What the provider would take off in front.

    Raises:
        CallRefusedError: As `guard` does, for the whole number and for what is behind a prefix.
    """
    guard(number, country)
    known = tuple(prefixes)
    plain = {unescape(number)}
    # A prefix may stand there twice, typed and put in front; each round leaves shorter texts
    while plain:
        texts = {text.removeprefix("+") for text in plain} | plain
        plain = {text.removeprefix(prefix) for text in texts for prefix in known} - texts - {""}
        for rest in plain:
            guard(rest, country)


def find(number: str, country: str = "") -> Refusal | None:
    """What this number would reach that is refused, or None when it may be dialled. Arguments as in
    `refuse_emergency`."""
    home = {"UK": "GB"}.get(country.strip().upper(), country.strip().upper())
    spellings = tuple(_spellings(number))
    for severity in Severity:
        found: dict[str, list[Country]] = {}
        for place in countries():
            # Emergency numbers hold on every trunk: a desktop does not know where it is, and calls do not
            # always come out in the trunk's country. Live services, and a few emergency numbers, share their
            # digits with countless internal extensions (15, 101, 111, 411), so they are refused only where
            # they are known to exist.
            for entry in place.numbers(severity, home=place.code == home):
                if any(_reaches(digits, plus, entry, place, home) for digits, plus in spellings):
                    found.setdefault(entry, []).append(place)
        if found:
            # The longest entry says best what was meant, and the trunk's own country comes first
            entry = max(found, key=lambda entry: (len(entry), len(found[entry])))
            places = tuple(sorted(found[entry], key=lambda place: place.code != home))
            return Refusal(entry=entry, severity=severity, countries=places)
    return None


def _list(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _spellings(number: str) -> Iterator[tuple[str, bool]]:
    """Every reading of the text as digits, each with whether a `+` stood in front."""
    text = ascii_digits(unescape(number))
    bracketed = re.search(r"<([^<>]*)>", text)
    if bracketed:
        text = bracketed[1]
    text = _SCHEME.sub("", text, count=1).partition("@")[0]
    context = _CONTEXT.search(text)
    prefix = context[1] if context else ""
    ends = [end.start() for end in _END.finditer(text)]
    for raw in (text, *(text[:end] for end in ends[:8])):
        yield from _digits(raw)
        if prefix:
            yield from _digits(prefix + raw)
        feature = _FEATURE_CODE.match(raw.strip())
        if feature:
            after = raw.strip()[feature.end() :]
            for length in (2, 3):
                yield from _digits(after[length:])


def _digits(raw: str) -> Iterator[tuple[str, bool]]:
    """The digits of one reading, with whether a `+` stood in front of them."""
    # Letters make it a SIP user name, not a number: the network is sent the letters. When an outbound rule
    # turns them into digits, the gate after it sees those.
    if any(char.isalpha() for char in raw):
        return
    front, plus, back = raw.rpartition("+")
    yield "".join(char for char in front + back if char.isdecimal()), False
    if plus:
        yield "".join(char for char in back if char.isdecimal()), True


def _reaches(digits: str, plus: bool, entry: str, place: Country, home: str) -> bool:
    """Whether these digits are the entry, behind any prefixes."""
    if plus:
        return _reaches_from_abroad(digits, entry, place)
    for line in _LINE_PREFIXES:
        if not digits.startswith(line):
            continue
        rest = digits.removeprefix(line)
        # Of all line prefixes 1 is the rarest, and in front of 000, 061 or 080 it would refuse the commonest
        # extensions there are (1000, 1061, 1080), which nobody could test then. There it counts at home only,
        # and in front of two digits (1015) never.
        far_fetched = line == "1" and (len(entry) < 3 or (entry.startswith("0") and place.code != home))
        if not far_fetched and any(
            rest.startswith(national) and _is(rest.removeprefix(national), entry)
            for national in ("", "0", place.national_prefix)
        ):
            return True
        for international in _INTERNATIONAL_PREFIXES:
            if rest.startswith(international) and _reaches_from_abroad(
                rest.removeprefix(international), entry, place
            ):
                return True
    # Some providers want the country code without a "+"
    own = place.calling_code
    return digits.startswith(own) and _is_abroad(digits.removeprefix(own), entry, place)


def _reaches_from_abroad(digits: str, entry: str, place: Country) -> bool:
    """Whether digits after `+` or an international prefix are the entry, with or without a country code."""
    if _is(digits, entry):
        return True
    rest = digits[_calling_code_length(digits) :]
    # A rule that puts "+44" in front of "0999" or "9999" leaves the prefix inside
    return any(
        rest.startswith(prefix) and _is_abroad(rest.removeprefix(prefix), entry, place)
        for prefix in _LINE_PREFIXES
    )


def _is_abroad(rest: str, entry: str, place: Country) -> bool:
    """As `_is`, and after a country code a full number also loses its national prefix."""
    if _is(rest, entry):
        return True
    national = place.national_prefix
    is_full = len(entry) > 5 and bool(national) and entry.startswith(national)
    return is_full and _is(rest, entry.removeprefix(national))


def _is(rest: str, entry: str) -> bool:
    return len(rest) == len(entry) and all(
        wanted in ("x", digit) for digit, wanted in zip(rest, entry, strict=True)
    )


def _calling_code_length(digits: str) -> int:
    if digits[:1] in ("1", "7"):
        return 1
    return 2 if _TWO_DIGIT_CODES.match(digits) else 3
