"""Countries by their names, in place of two letters."""

from __future__ import annotations

import unicodedata
from functools import cache

from msgspec.structs import replace
from PySide6.QtCore import QCoreApplication, QLocale

from app.flows.form import FormField
from app.model.countries import COUNTRIES
from app.model.setting_table import Kind


def country_name(code: str) -> str:
    """A country's name; its code when there is none for it."""
    territory = QLocale.codeToTerritory(code)
    return code if territory is QLocale.Country.AnyCountry else QLocale.territoryToString(territory)


def with_countries(field: FormField) -> FormField:
    """The field of the setting `country`, to be chosen by name; any other field as it is."""
    if field.key != "country":
        return field
    names = _names()
    nothing = QCoreApplication.translate("countries", "Not chosen")
    return replace(field, kind=Kind.CHOICE, choices=("", *names), words=(nothing, *names.values()))


@cache
def _names() -> dict[str, str]:
    """Names by code, in the order of the names."""
    names = {code: country_name(code) for code in COUNTRIES}
    return dict(sorted(names.items(), key=lambda pair: _letters(pair[1])))


def _letters(name: str) -> bytes:
    # An accent does not send a name to the end of the list
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore")
