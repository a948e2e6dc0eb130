"""The telephone numbers of the world, out of the patterns that `phonenumbers` has of them."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from functools import cache, partial

# Python has no public way to look into a pattern; the name has stayed since 3.11
from re import _constants as kind  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple, TypeVar

import phonenumbers as lib
from phonenumbers.shortnumberinfo import SUPPORTED_SHORT_REGIONS

T = TypeVar("T")

REGIONS = sorted(lib.SUPPORTED_REGIONS)
KINDS = (
    "fixed_line",
    "mobile",
    "toll_free",
    "premium_rate",
    "shared_cost",
    "personal_number",
    "voip",
    "uan",
)


class ValidNumber(NamedTuple):
    """A telephone number.

    Attributes:
        region: ISO 3166 code.
        code: Its country code.
        national: The digits behind it.
    """

    region: str
    code: str
    national: str

    @property
    def e164(self) -> str:
        """With `+` and country code."""
        return f"+{self.code}{self.national}"

    @property
    def parsed(self) -> lib.PhoneNumber:
        """As `phonenumbers` has it."""
        zeros = len(self.national) - len(self.national.lstrip("0"))
        return lib.PhoneNumber(
            country_code=int(self.code),
            national_number=int(self.national),
            italian_leading_zero=zeros > 0,
            number_of_leading_zeros=zeros if zeros > 1 else None,
        )

    @property
    def as_dialled(self) -> str:
        """The digits that are dialled inside the country."""
        return re.sub(r"\D", "", lib.format_number(self.parsed, lib.PhoneNumberFormat.NATIONAL))


def all_of(pattern: str) -> list[str]:
    """Every text that matches a pattern of digits, which must have an end."""
    return list(dict.fromkeys(_all(_parsed(pattern))))


def one_of(pattern: str, choose: random.Random) -> str:
    """A text that matches a pattern of digits."""
    return _one(_parsed(pattern), choose)


def emergency_numbers() -> dict[str, list[str]]:
    """The emergency numbers of each region that `phonenumbers` has any of."""
    found = {}
    for region in sorted(SUPPORTED_SHORT_REGIONS):
        rules = lib.PhoneMetadata.short_metadata_for_region(region)
        if rules and rules.emergency and rules.emergency.national_number_pattern:
            found[region] = all_of(rules.emergency.national_number_pattern)
    return found


def valid_numbers(count: int, seed: int) -> list[ValidNumber]:
    """Valid numbers, evenly over all regions and their kinds of numbers; none comes twice."""
    choose = random.Random(seed)
    plans = [(region, str(lib.country_code_for_region(region)), _kinds(region)) for region in REGIONS]
    found: dict[ValidNumber, None] = {}
    while len(found) < count:
        for region, code, kinds in plans:
            pattern, is_valid = _any(kinds, choose)
            national = one_of(pattern, choose)
            if is_valid(national):
                found[ValidNumber(region, code, national)] = None
    return list(found)[:count]


def _kinds(region: str) -> list[tuple[str, Callable[[str], bool]]]:
    """The patterns of all kinds of numbers, each with what says whether a text is a whole such number."""
    rules = lib.PhoneMetadata.metadata_for_region(region)
    assert rules
    assert rules.general_desc
    general = rules.general_desc
    every = re.compile(general.national_number_pattern or "", re.ASCII)
    found = []
    for each in (getattr(rules, name) for name in KINDS):
        if each and each.national_number_pattern:
            of_kind = re.compile(each.national_number_pattern, re.ASCII)
            # A kind that can be of any length of the plan names none
            lengths = each.possible_length or general.possible_length
            found.append((each.national_number_pattern, partial(_is_whole, (every, of_kind), lengths)))
    return found


def _is_whole(patterns: Iterable[re.Pattern[str]], lengths: Container[int], national: str) -> bool:
    return len(national) in lengths and all(each.fullmatch(national) for each in patterns)


@cache
def _parsed(pattern: str) -> Any:
    return parser.parse(pattern, re.ASCII)


def _digits(allowed: Any) -> list[str]:
    found: list[str] = []
    for operation, argument in allowed:
        if operation is kind.LITERAL:
            found.append(chr(argument))
        elif operation is kind.RANGE:
            found.extend(chr(code) for code in range(argument[0], argument[1] + 1))
        else:
            assert (operation, argument) == (kind.CATEGORY, kind.CATEGORY_DIGIT)
            found.extend("0123456789")
    return found


def _all(items: Any) -> Iterator[str]:
    return ("".join(parts) for parts in itertools.product(*(list(_all_of_item(*item)) for item in items)))


def _all_of_item(operation: Any, argument: Any) -> Iterator[str]:
    if operation is kind.LITERAL:
        yield chr(argument)
    elif operation is kind.IN:
        yield from _digits(argument)
    elif operation is kind.BRANCH:
        for way in argument[1]:
            yield from _all(way)
    elif operation is kind.SUBPATTERN:
        yield from _all(argument[3])
    else:
        assert operation is kind.MAX_REPEAT, operation
        least, most, repeated = argument
        for times in range(least, most + 1):
            yield from ("".join(parts) for parts in itertools.product(list(_all(repeated)), repeat=times))


def _one(items: Any, choose: random.Random) -> str:
    return "".join([_one_of_item(operation, argument, choose) for operation, argument in items])


def _one_of_item(operation: Any, argument: Any, choose: random.Random) -> str:
    if operation is kind.LITERAL:
        return chr(argument)
    if operation is kind.IN:
        return _any(_choices(tuple(argument)), choose)
    if operation is kind.BRANCH:
        return _one(_any(argument[1], choose), choose)
    if operation is kind.SUBPATTERN:
        return _one(argument[3], choose)
    assert operation is kind.MAX_REPEAT, operation
    least, most, repeated = argument
    times = least + int(choose.random() * (most - least + 1))
    return "".join([_one(repeated, choose) for _ in range(times)])


def _any(choices: Sequence[T], choose: random.Random) -> T:
    # A third of what random.choice takes, and there are a million choices
    return choices[int(choose.random() * len(choices))]


@cache
def _choices(allowed: Any) -> list[str]:
    return _digits(allowed)
