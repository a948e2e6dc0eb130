"""DIDs of a trunk: single numbers and ranges, as people write them and as they are matched."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

import msgspec

from app.errors import SettingError
from app.model.formatted_number import AS_TEXT, is_date, mend_number, refuse_decimal_point
from app.model.typed import Typed, shown

MOST_DIDS = 10_000
"""Entries of one trunk: a number or a range each."""
LONGEST_RANGE = 1_000_000
"""Numbers that one range may have; more is a slip of the keyboard."""

_DIGITS = re.compile(r"\+?[0-9]{1,15}")
_SEPARATORS = re.compile(r"[\s.()/]+")
_DASHES = re.compile("[\u2010-\u2015\u2212]")
"""Written for "-" by word processors."""
_FRACTION_OR_EXPONENT = re.compile(
    r"\A\s*\+?(?:[0-9]{5,},0{1,2}|(?:[0-9]{7,}|[0-9]{1,3}(?:\.[0-9]{3})+),[0-9]{1,2})\s*\Z"
    r"|[0-9]\s?[eE]\s?[+-]?[0-9]"
)
"""With a comma that does not divide DIDs; nobody has a number of one or two digits beside a long one."""
_BETWEEN_ENDS = re.compile(r"\s+-\s+")


class DidRange(msgspec.Struct, frozen=True):
    """Numbers from `first` to `last`, both included, all of one length.

    Attributes:
        first, last: Digits.
        plus: Whether they are written with `+`.
    """

    first: str
    last: str
    plus: bool = False

    def __str__(self) -> str:
        """`101`, `+4930100-+4930199`."""
        sign = "+" if self.plus else ""
        return f"{sign}{self.first}" if self.first == self.last else f"{sign}{self.first}-{sign}{self.last}"

    def __contains__(self, number: str) -> bool:
        """Whether a number, with or without `+`, is one of them."""
        digits = number.removeprefix("+")
        return len(digits) == len(self.first) and self.first <= digits <= self.last


def read_dids(typed: Typed) -> tuple[str, ...]:
    """Numbers and ranges with `;`, `,`, tabs or line ends between; separators in numbers are taken off.

    Raises:
        SettingError: One of them is no number or no range, or two overlap; the text names them.
    """
    entries = [_entry(typed, part) for part in _parts(typed)]
    if len(entries) > MOST_DIDS:
        raise typed.refuse(f"has {len(entries)} entries", f"At most {MOST_DIDS} are allowed; use ranges.")
    _refuse_overlap(typed, entries)
    plain = tuple(str(entry) for entry in entries)
    text = ";".join(plain)
    if text != typed.text:
        typed.mend(text, f"Written as {text}." if len(text) <= 80 else "Written in one line with ; between.")
    return plain


def _parts(typed: Typed) -> Iterator[str]:
    """What stands between the separators, without what a spreadsheet did to it.

    Raises:
        SettingError: A spreadsheet has made something else of one of them.
    """
    for piece in re.split(r"[;\n\t]", typed.text):
        # As a whole first: "4,93012E+11" and "493012345678,0" have a comma that separates nothing
        for part in [piece] if _FRACTION_OR_EXPONENT.search(piece) else piece.split(","):
            one = Typed(typed.key, typed.label, part.strip())
            mend_number(one)
            if is_date(one.text):
                allowed = f"Write a range as 101-103. {AS_TEXT}"
                raise one.refuse("is a day of a calendar, not a number", allowed)
            refuse_decimal_point(one)
            if one.text:
                yield one.text


def did_ranges(dids: Iterable[str]) -> tuple[DidRange, ...]:
    """The entries of a trunk as ranges; they have been read before."""
    found = []
    for did in dids:
        first, _, last = did.partition("-")
        plus = first.startswith("+")
        first = first.removeprefix("+")
        found.append(DidRange(first, last.removeprefix("+") or first, plus))
    return tuple(found)


def _entry(typed: Typed, part: str) -> DidRange:
    first, last = _ends(_DASHES.sub("-", part))
    if not last:
        if _DIGITS.fullmatch(first):
            return DidRange(first.removeprefix("+"), first.removeprefix("+"), first.startswith("+"))
        raise _wrong(typed, part, "is neither a number nor a range")
    if not (_DIGITS.fullmatch(first) and _DIGITS.fullmatch(last)):
        raise _wrong(typed, part, "is no range of numbers")
    plus = "+" in first + last
    first, last = first.removeprefix("+"), last.removeprefix("+")
    if len(first) != len(last):
        one = f"If it is one number, write {first}{last}."
        raise _wrong(typed, part, f"has ends of {len(first)} and {len(last)} digits", one)
    if first > last:
        raise _wrong(typed, part, "ends before it begins")
    if int(last) - int(first) >= LONGEST_RANGE:
        raise _wrong(typed, part, "has more than a million numbers")
    return DidRange(first, last, plus)


def _ends(part: str) -> tuple[str, str]:
    """Both ends of a range; the second one is empty for a number, `514-555-0199` too."""
    around = _BETWEEN_ENDS.split(part)
    if len(around) == 2:  # "514-555-0100 - 514-555-0199"
        first, last = (_SEPARATORS.sub("", end).replace("-", "") for end in around)
        return first, last or "-"
    bare = _SEPARATORS.sub("", part)
    first, dash, last = bare.partition("-")
    return (bare.replace("-", ""), "") if "-" in last else (first, last or dash)


def _wrong(typed: Typed, part: str, why: str, hint: str = "") -> SettingError:
    typed.original = part
    return typed.refuse(why, f"{hint} Write for example 101;203;300-450.".strip())


def _refuse_overlap(typed: Typed, entries: list[DidRange]) -> None:
    ordered = sorted(entries, key=lambda entry: (len(entry.first), entry.first))
    for before, after in pairwise(ordered):
        if len(before.last) == len(after.first) and after.first <= before.last:
            typed.original = str(after)
            raise typed.refuse(f"is also in {shown(str(before))}", "Name each number once.")
