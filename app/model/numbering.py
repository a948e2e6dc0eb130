"""How a provider wants numbers: pure functions from what was dialled to what is sent."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from app.model.trunk import NumberFormat, Trunk

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

_NUMBER = re.compile(r"\+?[0-9]+")
_NANP = 1
"""Country code of the North American Numbering Plan."""
_LONGEST_SHORT = 6
"""Digits: extensions, test numbers and service numbers such as 131444 or 118118 have no more, and where a
telephone number has no more, it can't be told from them."""


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A number in a provider's format.

    Attributes:
        text: What is sent.
        note: Why it was left as it was typed, a sentence; empty when it was written in the format.
    """

    text: str
    note: str = ""


def write_destination(trunk: Trunk, dialled: str) -> Written:
    """The user part of the Request-URI, before escaping.

    Args:
        trunk: Its country, number format, tech prefix and separator are used.
        dialled: A number without separators, or a SIP user.

    Returns:
        The number in the trunk's format behind its tech prefix. Short numbers and what is no telephone number
        keep their digits. Service codes (`*97`) and SIP users stay as they are, without a prefix. What begins
        with the prefix gets no second one; without a separator that is known only where a `+` comes next, or
        the digits are no telephone number as a whole but are one behind the prefix.
    """
    prefix = trunk.tech_prefix + trunk.tech_separator if trunk.tech_prefix else ""
    if not prefix:
        return _write(dialled, trunk.country, trunk.number_format, _abroad)
    if dialled.startswith(prefix):
        rest = dialled.removeprefix(prefix)
        behind = write_destination(replace(trunk, tech_prefix=""), rest)
        if trunk.tech_separator or rest.startswith("+") or _only_behind(trunk, dialled, rest):
            return replace(behind, text=prefix + _behind_prefix(trunk, behind.text))
    if not _NUMBER.fullmatch(dialled):
        return Written(text=dialled)
    written = _write(dialled, trunk.country, trunk.number_format, _abroad)
    return replace(written, text=prefix + _behind_prefix(trunk, written.text))


def _behind_prefix(trunk: Trunk, text: str) -> str:
    """Without the `+`, which stands in front of a number or nowhere; what goes out as typed stays so."""
    return text if trunk.number_format is NumberFormat.AS_TYPED else text.removeprefix("+")


def _only_behind(trunk: Trunk, dialled: str, rest: str) -> bool:
    """Whether what was dialled is no telephone number, but the rest behind the prefix is one."""
    if trunk.number_format is NumberFormat.AS_TYPED or not _NUMBER.fullmatch(rest):
        return False
    whole, behind = (write_number(text, trunk.country, trunk.number_format) for text in (dialled, rest))
    return bool(whole.note) and not behind.note


def write_caller_id(trunk: Trunk) -> Written:
    """The caller ID as the provider wants it; empty when the trunk has none of its own.

    A number of another country is written with `+` in the formats that have no other way to say so: an
    international prefix belongs to dialling, and no caller ID has one.
    """
    return _write(trunk.caller_id, trunk.country, trunk.caller_id_format, _as_caller)


def write_number(number: str, country: str, wanted: NumberFormat) -> Written:
    """A telephone number in another format.

    Args:
        number: Digits, with or without `+` or an international prefix of the country; `00` is understood
            everywhere. Anything else stays as it is.
        country: ISO 3166 code of the country that a number without a country code belongs to, or empty.
        wanted: The format.
    """
    return _write(number, country, wanted, _abroad)


def _write(
    number: str, country: str, wanted: NumberFormat, abroad: Callable[[PhoneNumber, str], str]
) -> Written:
    """Writes a number; `abroad` is how one of another country is written for a trunk of this country."""
    if wanted is NumberFormat.AS_TYPED or not _NUMBER.fullmatch(number):
        return Written(text=number)
    if len(number) <= _LONGEST_SHORT:
        return Written(text=number, note=f"{number} is a short number, so its digits are sent as typed.")
    # Here: its tables cost 40 ms, and most of the program never writes a number
    import phonenumbers as lib

    parsed = _parse(number, country)
    if parsed is None and number.startswith("00"):
        parsed = _parse(f"+{number[2:]}", "")
    if parsed is None:
        where = f" in {country}" if country else ""
        why = f"is no telephone number{where}"
        if not country and not number.startswith("+"):
            why = "has no country code, and the trunk's country is not set"
        return Written(text=number, note=f"{number} {why}, so its digits are sent as typed.")
    code, national = parsed.country_code or 0, lib.national_significant_number(parsed)
    match wanted:
        case NumberFormat.E164_PLUS:
            return Written(text=f"+{code}{national}")
        case NumberFormat.E164:
            return Written(text=f"{code}{national}")
        case NumberFormat.NANP_11 | NumberFormat.NANP_10 if code != _NANP:
            return Written(text=abroad(parsed, "US"))
        case NumberFormat.NANP_11:
            return Written(text=f"1{national}")
        case NumberFormat.NANP_10:
            return Written(text=national)
        case _:
            at_home = country and code == lib.country_code_for_region(country)
            return Written(text=(_abroad if at_home else abroad)(parsed, country))


def _parse(number: str, country: str) -> PhoneNumber | None:
    """A whole telephone number; not one that only reaches the same town."""
    import phonenumbers as lib

    try:
        parsed = lib.parse(number, country or None)
    except lib.NumberParseException:
        return None
    if lib.is_possible_number_with_reason(parsed) != lib.ValidationResult.IS_POSSIBLE:
        return None
    if parsed.country_code == _NANP and str(parsed.national_number)[0] == "1":
        return None  # No area code begins with 1
    # A 0 behind the country code is part of the number in Italy and few other places; elsewhere it is a slip
    return None if parsed.italian_leading_zero and not lib.is_valid_number(parsed) else parsed


def _abroad(parsed: PhoneNumber, country: str) -> str:
    """As dialled in a country; with `+` where its international prefix is not one, or it is not known."""
    import phonenumbers as lib

    if not country:
        return _as_caller(parsed, country)
    return re.sub(r"[^0-9+]", "", lib.format_out_of_country_calling_number(parsed, country))


def _as_caller(parsed: PhoneNumber, _country: str) -> str:
    import phonenumbers as lib

    return lib.format_number(parsed, lib.PhoneNumberFormat.E164)
