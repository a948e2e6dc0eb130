"""Readers of the settings that have to do with numbers."""

from __future__ import annotations

import re

from app.model.countries import COUNTRIES
from app.model.formatted_number import mend_number, refuse_decimal_point
from app.model.setting_values import choose, read_user, whole, without_separators
from app.model.trunk import IdentityHeader, NumberFormat
from app.model.typed import Typed, shown

_NUMBER = re.compile(r"\+?[\s(]*[0-9][0-9\s.()/-]*")

MOST_CHANNELS = 10_000


def read_caller_id(typed: Typed) -> str:
    """A number, from which separators are taken off, or a SIP user."""
    mend_number(typed)
    refuse_decimal_point(typed)
    plain = without_separators(typed.text)
    if _NUMBER.fullmatch(typed.text) and plain != typed.text:
        typed.mend(plain, f"Written as {plain}.")
    return read_user(typed)


def read_country(typed: Typed) -> str:
    """ISO 3166 code in capitals; empty when it is not known."""
    if not typed.text:
        return ""
    word = typed.text.upper()
    word = "GB" if word == "UK" else word
    if not typed.text.isascii() or word not in COUNTRIES:
        do = "Write the two letters of a country, such as US, GB for Britain or DE for Germany."
        raise typed.refuse("is no country code", do)
    if word != typed.text:
        typed.mend(word, f"Written as {word}.")
    return word


def read_number_format(typed: Typed) -> NumberFormat:
    """One of the formats."""
    return choose(typed, NumberFormat)


def read_tech_prefix(typed: Typed) -> str:
    """Digits; a separator at the end belongs into its own setting."""
    if not re.fullmatch(r"[0-9]*", typed.text):
        found = next(char for char in typed.text if not ("0" <= char <= "9"))
        do = "Write only the digits."
        if found in "*#":
            do = f"Write only the digits, and {found} into Prefix separator (tech_separator)."
        raise typed.refuse(f"has {shown(found)} in it", do)
    return typed.text


def read_tech_separator(typed: Typed) -> str:
    """Nothing, `*` or `#`."""
    if typed.text not in {"", "*", "#"}:
        raise typed.refuse("is no separator", "Write * or #, or leave it empty.")
    return typed.text


def read_channels(typed: Typed) -> int | None:
    """Calls at a time; empty when it is not known."""
    return whole(typed, 1, MOST_CHANNELS, "calls") if typed.text else None


def read_caller_id_header(typed: Typed) -> tuple[IdentityHeader, ...]:
    """Header names, at least one."""
    headers: list[IdentityHeader] = []
    for part in typed.text.split(","):
        one = Typed(typed.key, typed.label, part.strip())
        one.original = typed.original
        header = choose(one, IdentityHeader)
        if header in headers:
            raise typed.refuse(f"names {header} twice", "Name each header once.")
        headers.append(header)
    plain = ",".join(headers)
    if plain != typed.text:
        typed.mend(plain, f"Written as {plain}.")
    return tuple(headers)
