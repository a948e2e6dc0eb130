"""Signs that a value went through a program that took it for a number: decimal point, exponent, lost digits.

A user name, a telephone number or a DID is a text of digits. Digits are never joined across a decimal point:
`493012345678.0` is not 4930123456780.
"""

from __future__ import annotations

import re

from app.model.typed import Typed

AS_TEXT = "In a spreadsheet, format the column as text before you type or paste numbers."

MOST_DIGITS = 15
"""That a spreadsheet keeps of a number; what comes behind them is 0 (IEEE 754, and Excel's own limit)."""

_EXPONENT = re.compile(
    r"[+-]?[0-9]+(?:[.,\u066b][0-9]+\s?[eE]\s?[+-]?|\s?[eE]\s?[+-])[0-9]{1,3}"
    r"|[+-]?[0-9]+(?:[.,\u066b][0-9]+)?\s?[x*\u00d7\u00b7\u22c5]\s?10\s?\^\s?[+-]?[0-9]{1,3}"
)
_ZERO_FRACTION = re.compile(r"(\+?[0-9]+)[.,\u066b]0{1,2}")
_DIGITS_AND_MARKS = re.compile(r"[+-]?[0-9.,\u066b\s()/-]*[.,\u066b][0-9.,\u066b\s()/-]*")
_FRACTION_OF_AN_END = re.compile(r"[0-9][.,\u066b]0{1,2}\s*-|-\s*[0-9]+[.,\u066b]0{1,2}\s*\Z")
"""Of a range: `300-450.0`."""
_ONE_POINT = re.compile(r"(?P<sign>[+-]?)(?P<whole>[0-9][0-9 ]*)[.,\u066b](?P<fraction>[0-9]+)")


_TEXT_MARK = re.compile(r"['\u2018\u2019`\u00b4]\s*(?=[+0-9])")


def mend_number(typed: Typed, *, fewest_digits: int = 1) -> None:
    """Undo what a spreadsheet did to digits where nothing is lost.

    Args:
        typed: Goes on without an apostrophe in front, and without `.0` behind.
        fewest_digits: With fewer digits, `.0` behind is left alone: it may be meant.

    Raises:
        SettingError: It has an exponent, so that digits are lost.
    """
    mark = _TEXT_MARK.match(typed.text)
    if mark:
        typed.mend(typed.text[mark.end() :], "The apostrophe in front was removed.")
    if has_exponent(typed.text):
        wrong = "is a number that a spreadsheet has shortened: its last digits are lost"
        raise typed.refuse(wrong, f"Type it in full. {AS_TEXT}")
    whole = without_zero_fraction(typed.text)
    if len(whole.lstrip("+")) >= fewest_digits:
        typed.mend(whole, f'The "{typed.text[len(whole) :]}" at the end was removed.')


def refuse_decimal_point(typed: Typed) -> None:
    """Refuse digits with a decimal point between them.

    Raises:
        SettingError: There is one, or there may be.
    """
    if has_decimal_point(typed.text):
        allowed = f"If it only separates digits, leave it out. {AS_TEXT}"
        raise typed.refuse("has a decimal point in it", allowed)


def has_exponent(text: str) -> bool:
    """Whether it is a number like `4.93012E+11` or `4,93E+11`: most of its digits are gone.

    `12E5` alone may be a name; programs write a sign or a decimal point.
    """
    return _EXPONENT.fullmatch(text) is not None


def without_zero_fraction(text: str) -> str:
    """`493012345678.0` and `493012345678,00` without their end; empty when it is nothing like that.

    More zeros may be thousands or the end of a telephone number. Of more than 15 digits the last are made up.
    """
    found = _ZERO_FRACTION.fullmatch(text)
    return found[1] if found and len(found[1].lstrip("+")) <= MOST_DIGITS else ""


def has_decimal_point(number: str) -> bool:
    """Whether a point or comma in it divides a number from its fraction, or may do so.

    `514.555.0199` has two points, `030.123456` begins with a zero and `+49.301234` with a plus (RFC 5733), as
    no program writes a number: there they only separate.
    """
    if not _DIGITS_AND_MARKS.fullmatch(number):
        return False
    points = [char for char in number if char in ".,\u066b"]
    if len(set(points)) > 1:
        return True
    if _FRACTION_OF_AN_END.search(number):
        return True
    if len(points) > 1:
        return re.search(r"[.,\u066b]0\s*\Z", number) is not None
    found = _ONE_POINT.fullmatch(number.strip())
    if found is None:
        return False
    if not found["fraction"].strip("0"):
        return True
    return found["sign"] != "+" and not re.match(r"0[0-9]", found["whole"])


def has_lost_digits(text: str) -> bool:
    """Whether it has more digits than a spreadsheet keeps, and zeros where the others were."""
    return text.isascii() and text.isdigit() and len(text) > MOST_DIGITS and not text[MOST_DIGITS:].strip("0")


_DAY_FIRST = re.compile(r"(?P<a>[0-9]{1,2})(?P<by>[./-])(?P<b>[0-9]{1,2})(?P=by)(?:[0-9]{4}|[0-9]{2})")
_YEAR_FIRST = re.compile(r"(?:19|20)[0-9]{2}(?P<by>[./-])(?P<a>[0-9]{1,2})(?P=by)(?P<b>[0-9]{1,2})")


def is_date(text: str) -> bool:
    """Whether it is a day of a calendar in digits: `01.02.2024`, `2/1/24`, `2024-02-01 00:00:00`."""
    day = re.sub(r"[ T][0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?(?: ?[AaPp][Mm])?\Z", "", text)
    found = _DAY_FIRST.fullmatch(day) or _YEAR_FIRST.fullmatch(day)
    if found is None:
        return False
    low, high = sorted((int(found["a"]), int(found["b"])))
    return 1 <= low <= 12 and high <= 31
