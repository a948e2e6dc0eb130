"""What spreadsheets do to the fields of a table: undone where nothing is lost, refused where something is.

Excel, LibreOffice and Google Sheets take digits for numbers, `1-2` for a day and `+49` for a formula. A field
that can have been only one thing is put right, and that is reported; anything else is refused, never guessed.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

import msgspec

from app import shipped
from app.errors import SettingError
from app.model.blanks import is_blank, strip_blanks
from app.model.formatted_number import (
    has_exponent,
    has_lost_digits,
    is_date,
    mend_number,
    without_zero_fraction,
)
from app.model.setting_table import BY_KEY, Kind
from app.model.typed import Typed
from app.model.visible import visible_line

TEXT_COLUMN = "Format the column as text in the spreadsheet, correct the value there, and export it again."

_CODES = frozenset({"user", "auth_id", "caller_id", "tech_prefix", "dids"})
"""Digits that are no quantity."""
_CLEARLY_A_NUMBER = 5
_PHONE_NUMBERS = frozenset({"caller_id", "dids"})
_FREE = frozenset({"name", "notes", "realm", "ca_file"})
"""May be anything, also what looks like a formula; `'t Hof` is a name."""

_QUOTED_FORMULA = re.compile(r'=\s*"((?:[^"]|"")*)"')
_MARKS = "'\u2018\u2019`\u00b4"
"""An apostrophe in front says "text" to a spreadsheet; our own export of the history writes it too."""
_FORMULA_SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"
_OFFICE_ERROR = re.compile(r"(?:err|error|fehler|erreur):\s?[0-9]{3}", re.IGNORECASE)
_OVERFLOW = re.compile(r"#{3,}")

_SPACES = " \u00a0\u2007\u2009\u202f"
_QUIET_GROUPS = re.compile(rf"[0-9]{{1,3}}(?:([{_SPACES}'\u2019])[0-9]{{3}})(?:\1[0-9]{{3}})*")
"""Thousands of French and Swiss spreadsheets: nothing else is written like that."""
_GROUPS = re.compile(r"[0-9]{1,3}(?:([.,])[0-9]{3})(?:\1[0-9]{3})*(?:[.,][0-9]+)?")
_LIST_OR_NUMBER = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+|[0-9][0-9.]*,[0-9]{1,3}")
_FRACTION = re.compile(r"[0-9]+[.,\u066b][0-9]+")
_SIGNED = re.compile(r"[-\u2212][0-9][0-9.,]*")
_CURRENCY = re.compile(r"[$\u20ac\u00a3\u00a5]\s?[0-9][0-9.,]*|[0-9][0-9.,]*\s?[$\u20ac\u00a3\u00a5%]")
_DAY_AND_MONTH = re.compile(
    r"(?:([0-9]{1,4})\.?[-./\s]{0,2})?([^\W\d_]{3,12})\.?(?:[-./\s]{1,2}([0-9]{1,4}))?\.?"
)
_ASIAN_DAY = re.compile(r"(?:[0-9]{4}\s?[年년]\s?)?[0-9]{1,2}\s?[月월]\s?[0-9]{1,2}\s?[日일]")


class _Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The shape of `data/spreadsheet.toml`; its comments explain the fields."""

    errors: tuple[str, ...]
    yes: tuple[str, ...]
    no: tuple[str, ...]
    months: tuple[str, ...]


class _Known(msgspec.Struct, frozen=True):
    errors: frozenset[str]
    yes_no: dict[str, str]
    months: frozenset[str]


@cache
def _known() -> _Known:
    words = shipped.load("app.model", "data/spreadsheet.toml", _Words)
    return _Known(
        errors=frozenset(map(_folded, words.errors)),
        yes_no={_folded(word): "no" for word in words.no} | {_folded(word): "yes" for word in words.yes},
        months=frozenset(map(_folded, words.months)),
    )


def restore(key: str, text: str) -> Typed:
    """One field of a table as it was before the spreadsheet.

    Args:
        key: The setting that it is for; not the password.
        text: The field.

    Returns:
        What to read as if it had been typed; `mended` says what was done to it.

    Raises:
        SettingError: Something is lost, or it may have been one thing or another.
    """
    # `register` is no setting of its own, but read as one that is on or off
    label, kind = (BY_KEY[key].label, BY_KEY[key].kind) if key in BY_KEY else (key, Kind.YES_NO)
    typed = Typed(key, label, text)
    bare = strip_blanks(text)
    if bare != text:
        typed.mend(bare, "Spaces around it were removed.")
    if key != "dids" or _QUOTED_FORMULA.fullmatch(bare):
        _take_off_formula(typed)
        _take_off_mark(typed)
    if key not in _FREE:
        _narrow(typed)
    _refuse_error(typed)
    if has_exponent(typed.text):
        wrong = "is a number that a spreadsheet has shortened: its last digits are lost"
        raise typed.refuse(wrong, TEXT_COLUMN)
    if key == "dids":
        _restore_list(typed)
    elif key in _CODES:
        _restore_code(typed)
    elif kind is Kind.NUMBER:
        _restore_whole(typed)
    elif kind is Kind.YES_NO:
        _restore_yes_no(typed)
    elif key == "name" and len(whole := without_zero_fraction(typed.text)) >= _CLEARLY_A_NUMBER:
        typed.mend(whole, "The zero behind its decimal point was removed.")
    return typed


def check_password_field(text: str) -> None:
    """Refuse a password that a spreadsheet has changed, in words that do not repeat it.

    A password is taken as it is or not at all: which characters of it are right, only its owner knows.

    Raises:
        SettingError: It looks changed.
    """
    why = _wrong_with_password(text)
    if why:
        raise SettingError(
            f"The password {why}, so it is not the one that was typed.",
            do="Format the column as text in the spreadsheet, type the password again, and export it again; "
            "or leave the field empty and set the password afterwards.",
            field="password",
        )


def _wrong_with_password(text: str) -> str:
    if any(visible_line(char) != char and unicodedata.category(char) != "Cc" for char in text):
        return "has a character in it that nobody can see"
    if text and any(is_blank(char) and char not in " \t\r\n" for char in (text[0], text[-1])):
        return "begins or ends with a space that no keyboard types"
    bare = text.strip()
    if _is_error(bare):
        return "is an error value of a spreadsheet"
    if _QUOTED_FORMULA.fullmatch(bare):
        return "is a formula of a spreadsheet"
    if has_exponent(bare) or has_lost_digits(bare):
        return "is a number that a spreadsheet has shortened"
    if without_zero_fraction(bare) or re.fullmatch(r"[0-9]{1,3}([.,])[0-9]{3}(?:\1[0-9]{3})+", bare):
        return "is a number in the form of a spreadsheet"
    if re.fullmatch(rf"[{_MARKS}][+-]?[0-9]+", bare):
        return "is a number with the apostrophe of a spreadsheet in front"
    if _has_month(bare):
        return "is a day in the form of a spreadsheet"
    return ""


def _take_off_formula(typed: Typed) -> None:
    """`="0049"`, by which people keep a spreadsheet from taking digits for a number."""
    found = _QUOTED_FORMULA.fullmatch(typed.text)
    if found:
        inside = strip_blanks(found[1].replace('""', '"'))
        typed.mend(inside, 'The formula ="…" around it was removed.')
    elif typed.text.startswith(("=", "\uff1d")) and typed.key not in _FREE:
        raise typed.refuse("is a formula, not a value", TEXT_COLUMN)


def _take_off_mark(typed: Typed) -> None:
    signs = _FORMULA_SIGNS if typed.key in _FREE else None
    behind = typed.text[1:].lstrip()
    if typed.text[:1] in tuple(_MARKS) and behind and (signs is None or behind[0] in signs):
        typed.mend(behind, "The apostrophe in front was removed.")


def _narrow(typed: Typed) -> None:
    """Full-width characters of an East Asian keyboard as the ASCII that they stand for."""
    narrow = "".join(chr(ord(char) - 0xFEE0) if "\uff01" <= char <= "\uff5e" else char for char in typed.text)
    if narrow != typed.text:
        typed.mend(narrow, "Full-width characters were written as plain ones.")


def _refuse_error(typed: Typed) -> None:
    if _is_error(typed.text):
        raise typed.refuse("is an error value of a spreadsheet, not what was typed", TEXT_COLUMN)


def _is_error(text: str) -> bool:
    if not text.startswith("#"):
        return _OFFICE_ERROR.fullmatch(text) is not None
    return _OVERFLOW.fullmatch(text) is not None or _folded(text) in _known().errors


def _restore_code(typed: Typed) -> None:
    """One number or name, such as a user."""
    mend_number(typed)
    text = typed.text
    if is_date(text) or _has_month(text) or _ASIAN_DAY.fullmatch(text):
        raise typed.refuse("is a day of a calendar that a spreadsheet has made of it", TEXT_COLUMN)
    if _SIGNED.fullmatch(text):
        raise typed.refuse("is a negative number, as a spreadsheet makes of a formula", TEXT_COLUMN)
    if _CURRENCY.fullmatch(text):
        raise typed.refuse("is an amount or a percentage", TEXT_COLUMN)
    if has_lost_digits(text):
        wrong = "has more digits than a spreadsheet keeps, and zeros where the others were"
        raise typed.refuse(wrong, TEXT_COLUMN)
    if _QUIET_GROUPS.fullmatch(text):
        plain = re.sub(r"[^0-9]", "", text)
        typed.mend(plain, "The separators between its digits were removed.")
    elif typed.key in _PHONE_NUMBERS and text.count(".") > 1 and "," not in text:
        pass  # points between digits, whether of thousands or of a telephone number, mean nothing
    elif _GROUPS.fullmatch(text) or _FRACTION.fullmatch(text):
        wrong = "may be one number with separators between its thousands, or have a decimal point"
        raise typed.refuse(wrong, TEXT_COLUMN)


def _restore_list(typed: Typed) -> None:
    """DIDs; a comma divides entries, thousands or a fraction, and only the person knows which."""
    pieces = re.split(r"([;\n\t])", typed.text)
    for at in range(0, len(pieces), 2):
        one = Typed(typed.key, typed.label, strip_blanks(pieces[at]))
        _take_off_formula(one)
        _take_off_mark(one)
        _refuse_error(one)
        if without_zero_fraction(one.text) or not _LIST_OR_NUMBER.fullmatch(one.text):
            _restore_code(one)
        else:
            wrong = "may be several DIDs, or one number with separators or a decimal point"
            raise one.refuse(wrong, f"Write ; between DIDs. {TEXT_COLUMN}")
        if one.mended:
            pieces[at] = one.text
            typed.mended += [what for what in one.mended if what not in typed.mended]
    typed.text = "".join(pieces)


def _restore_whole(typed: Typed) -> None:
    """A whole number: its reader says what is wrong with anything else."""
    mend_number(typed)
    if _QUIET_GROUPS.fullmatch(typed.text):
        plain = re.sub(r"[^0-9]", "", typed.text)
        typed.mend(plain, "The separators between its digits were removed.")
    elif is_date(typed.text) or _has_month(typed.text) or _GROUPS.fullmatch(typed.text):
        raise typed.refuse("is not a whole number as it stands there", TEXT_COLUMN)


def _restore_yes_no(typed: Typed) -> None:
    """Truth values in the language of the spreadsheet, and 1 and 0 with a fraction."""
    mend_number(typed)
    word = _known().yes_no.get(_folded(typed.text), "")
    if word:
        typed.mend(word, f"Read as {word}.")


def _has_month(text: str) -> bool:
    found = _DAY_AND_MONTH.fullmatch(unicodedata.normalize("NFC", text))
    return found is not None and bool(found[1] or found[3]) and _folded(found[2]) in _known().months


def _folded(word: str) -> str:
    return unicodedata.normalize("NFC", word).casefold()
