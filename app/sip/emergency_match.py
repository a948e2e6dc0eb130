"""Whether the digits of a call lead to an emergency number, a crisis line or a live service."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from app.sip.emergency_table import (
    Country,
    calling_code_length,
    country_of,
    country_with_calling_code,
    crisis_lines,
    crisis_name,
    everywhere,
    harmonised,
    is_calling_code,
    national_crisis_lines,
    short_numbers,
)
from app.sip.readings import Reading

# How a number can be spelt, from the outside in. A PBX puts a digit in front to get a line; then come "+" or
# an international prefix and a country code, or the national prefix. Outbound rules can produce each of them.
_LINE_PREFIXES = ("", "9", "0", "1")

# Europe and most of the world; North America; Australia; Japan; Singapore. Those of the countries at hand are
# added to them.
_INTERNATIONAL_PREFIXES = ("00", "011", "0011", "010", "001")

# All that are in use, Hungary's 06 among them, for a number whose country is not known
_NATIONAL_PREFIXES = ("", "0", "1", "8", "06")

_LONGEST_ENTRY = 8
"""Digits; crisis lines with a full number are looked up as a whole."""

_LONG_ENTRY = 5
"""Digits from which on telephone numbers do not happen to end with an entry."""

_UNMISTAKABLE = 10
"""Digits with country code from which on they are taken for an international number without its `+`. Fewer
could be a national number of the trunk's country."""


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """A number that the digits of a call lead to.

    Attributes:
        entry: The number itself, without what stood in front of it.
        country: Whose it is.
        name: Who answers, where that is known.
        doubtful: Whether it is one that a telephone number may end with by chance: it is short, and behind a
            country code that is not its own or none of ours.
    """

    entry: str
    country: Country
    name: str = ""
    doubtful: bool = False


class _Rest(msgspec.Struct, frozen=True, kw_only=True):
    """Digits behind a `+` or an international prefix, which may begin with a country code.

    Attributes:
        digits: What is left.
        behind_line: Whether a digit to get a line stood in front of the prefix.
    """

    digits: str
    behind_line: bool = False


class _Call(msgspec.Struct, frozen=True, kw_only=True):
    """One reading of a number.

    Attributes:
        digits, plus: As in `Reading`.
        abroad: All ways to read it as an international call.
        own_codes: The calling codes of our countries.
    """

    digits: str
    plus: bool
    abroad: frozenset[_Rest]
    own_codes: frozenset[str]


def emergencies(
    readings: Iterable[Reading], ours: tuple[Country, ...], *, everywhere_else: bool
) -> frozenset[Hit]:
    """The emergency numbers and crisis lines that a number leads to.

    Args:
        readings: All readings of the number.
        ours: The countries whose own numbers count, the trunk's first.
        everywhere_else: Whether the call may come out in any other country too, as the trunk's is not known.
    """
    return frozenset(
        hit
        for call in _calls(readings, ours)
        for hit in (
            *_on_every_trunk(call, ours),
            *(hit for place in ours for hit in _short(call, place, live=False)),
            *_by_calling_code(call),
            *_crisis_lines(call, everywhere_else=everywhere_else),
            *(_harmonised(call) if everywhere_else else ()),
        )
    )


def live_services(readings: Iterable[Reading], place: Country) -> frozenset[Hit]:
    """The live services that a number leads to on a trunk of this country."""
    calls = _calls(readings, (place,))
    return frozenset(hit for call in calls for hit in _short(call, place, live=True))


def _calls(readings: Iterable[Reading], ours: tuple[Country, ...]) -> Iterator[_Call]:
    own_codes = frozenset(place.calling_code for place in ours)
    for reading in readings:
        if reading.digits:
            yield _Call(
                digits=reading.digits,
                plus=reading.plus,
                abroad=frozenset(_abroad(reading, ours)),
                own_codes=own_codes,
            )


def _abroad(reading: Reading, ours: tuple[Country, ...]) -> Iterator[_Rest]:
    if reading.plus:
        yield _Rest(digits=reading.digits)
        return
    for line in _LINE_PREFIXES:
        for rest in _behind(reading.digits, (line,)):
            for digits in (*_behind(rest, _INTERNATIONAL_PREFIXES), *_behind_prefixes_of(ours, rest)):
                yield _Rest(digits=digits, behind_line=bool(line))


def _behind_prefixes_of(ours: tuple[Country, ...], digits: str) -> Iterator[str]:
    for place in ours:
        found = re.match(place.international_prefix, digits) if place.international_prefix else None
        if found:
            yield digits[found.end() :]


def _behind(digits: str, prefixes: Iterable[str]) -> Iterator[str]:
    for prefix in prefixes:
        if digits.startswith(prefix):
            yield digits[len(prefix) :]


# What is refused


def _on_every_trunk(call: _Call, ours: tuple[Country, ...]) -> Iterator[Hit]:
    for entry in _ends(call.digits):
        for place in filter(None, map(country_of, everywhere().get(entry, ()))):
            yield from _reached(call, entry, place, at_home=place in ours)


def _short(call: _Call, place: Country, *, live: bool) -> Iterator[Hit]:
    numbers = short_numbers(place, live=live)
    for entry in _ends(call.digits):
        if numbers.fullmatch(entry):
            yield from _reached(call, entry, place, at_home=True)


def _by_calling_code(call: _Call) -> Iterator[Hit]:
    """Short numbers of the country whose code stands in front of them, on any trunk."""
    for rest in call.abroad:
        code, behind = _split(rest.digits)
        # Telephone numbers are longer, and their country's rules need not be loaded
        place = country_with_calling_code(code) if 2 <= len(behind) <= _LONGEST_ENTRY else None
        if place is None:
            continue
        for entry in _behind(behind, (*_LINE_PREFIXES, place.national_prefix)):
            # 900 begins mobile numbers of 8 digits, too few to be the line, 00, a country and 16
            if short_numbers(place, live=False).fullmatch(entry) and (
                len(entry) >= _LONG_ENTRY or not rest.behind_line
            ):
                yield _hit(entry, place, foreign=code not in call.own_codes)


def _crisis_lines(call: _Call, *, everywhere_else: bool) -> Iterator[Hit]:
    """Crisis lines by their full number: as international calls on any trunk, else in their own country."""
    numbers = set()
    for rest in call.abroad:
        code, behind = _split(rest.digits)
        numbers |= {code + national for national in _behind(behind, (*_LINE_PREFIXES, *_NATIONAL_PREFIXES))}
    if not call.plus:
        for behind in _behind(call.digits, _LINE_PREFIXES):
            code, _ = _split(behind)
            if len(behind) >= _UNMISTAKABLE or everywhere_else or code in call.own_codes:
                numbers.add(behind)
            for national in _behind(behind, _NATIONAL_PREFIXES):
                numbers |= {
                    line.calling_code + national
                    for line in national_crisis_lines().get(national, ())
                    if everywhere_else or line.calling_code in call.own_codes
                }
    for line in filter(None, map(crisis_lines().get, numbers)):
        place = country_of(line.country)
        if place:
            yield Hit(entry=line.number, country=place, name=line.name)


def _harmonised(call: _Call) -> Iterator[Hit]:
    """What Europe reserves, on a trunk that may be there."""
    for entry in _ends(call.digits):
        if entry in harmonised().crisis:
            for place in filter(None, map(country_of, harmonised().countries)):
                yield from _reached(call, entry, place, at_home=True)


# How it is spelt


def _ends(digits: str) -> Iterator[str]:
    """What a number ends with: whatever stands in front of an entry, nothing comes after it."""
    for length in range(2, min(len(digits), _LONGEST_ENTRY) + 1):
        yield digits[-length:]


def _split(digits: str) -> tuple[str, str]:
    length = calling_code_length(digits)
    return digits[:length], digits[length:]


def _reached(call: _Call, entry: str, place: Country, *, at_home: bool) -> Iterator[Hit]:
    """The entry, if these digits are it behind any prefixes."""
    if any(rest.digits == entry for rest in call.abroad) or _is_domestic(call, entry, place, at_home=at_home):
        yield _hit(entry, place)
        return
    for rest in call.abroad:
        code, behind = _split(rest.digits)
        # A rule that puts "+44" in front of "0999" or "9999" leaves the prefix inside. No rule puts a code in
        # front that is in use nowhere; 900978... is a national number, and no line.
        unused = rest.behind_line and not code.startswith("0") and not is_calling_code(code)
        if entry in _behind(behind, _LINE_PREFIXES) and not unused:
            yield _hit(entry, place, foreign=code not in call.own_codes or code != place.calling_code)
    # Some providers want the country code without a "+"
    if not call.plus and call.digits == place.calling_code + entry:
        yield _hit(entry, place, foreign=place.calling_code not in call.own_codes)


def _is_domestic(call: _Call, entry: str, place: Country, *, at_home: bool) -> bool:
    """Whether these digits are the entry behind a line prefix, a national prefix or both."""
    # Of all line prefixes 1 is the rarest, and in front of 000, 061 or 080 it would refuse the commonest
    # extensions there are (1000, 1061, 1080), which nobody could test then. There it counts at home only, and
    # in front of two digits (1015) never.
    far_fetched = len(entry) < 3 or (entry.startswith("0") and not at_home)
    return not call.plus and any(
        call.digits == line + national + entry
        for line in _LINE_PREFIXES
        for national in ("", "0", place.national_prefix)
        if not (far_fetched and line == "1")
    )


def _hit(entry: str, place: Country, *, foreign: bool = False) -> Hit:
    return Hit(
        entry=entry,
        country=place,
        name=crisis_name(place.code, entry),
        doubtful=foreign and len(entry) < _LONG_ENTRY,
    )
