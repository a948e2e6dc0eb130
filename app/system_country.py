"""Which country this computer is in, by its own settings; the network is not asked."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from app.model.countries import COUNTRIES

# POSIX: LC_ALL overrules the categories, and LANG is for those that are not set. Of the categories these two
# say where telephones and houses are (glibc has them); many people read English elsewhere.
_LOCALES = ("LC_ALL", "LC_TELEPHONE", "LC_ADDRESS", "LANG")

_ZONES = Path("/usr/share/zoneinfo/zone.tab")
_LOCAL_TIME = Path("/etc/localtime")
_ZONE_NAME = Path("/etc/timezone")
_MAC_SETTINGS = "Library/Preferences/.GlobalPreferences.plist"
_WINDOWS_SETTINGS = r"Control Panel\International"


@cache
def system_countries() -> tuple[str, ...]:
    """ISO 3166 codes of the countries that this computer may be in; none when its settings do not say.

    It is the country of the region setting and that of the time zone: a system that was installed in American
    English and left so is found by its clock. They are read once in a run.
    """
    found = [_region(), _country_of_zone()]
    return tuple(dict.fromkeys(code for code in found if code in COUNTRIES))


def country_of_locale(name: str) -> str:
    """The country in the name of a locale, empty when it has none.

    Args:
        name: POSIX (`de_CH.UTF-8@euro`), BCP 47 (`zh-Hant-TW`) or Apple's (`en_US@rg=chzzzz`), in which `rg`
            is a region chosen apart from the language (Unicode TR 35).
    """
    chosen = re.search(r"[@;-](?:u-)?rg[=-]([a-z]{2})zzzz", name, re.IGNORECASE)
    if chosen:
        return chosen[1].upper()
    plain = re.split(r"[.@;:]", name, maxsplit=1)[0]
    parts = re.split(r"[_-]", plain)[1:]
    return next((part.upper() for part in parts if re.fullmatch(r"[A-Za-z]{2}", part)), "")


def country_of_environment(environment: Mapping[str, str]) -> str:
    """The country of the first variable for locales that names one, empty when none does."""
    return next(filter(None, (country_of_locale(environment.get(name, "")) for name in _LOCALES)), "")


def country_of_zone(zone: str, table: str) -> str:
    """The country of a time zone, empty when the table does not have it.

    Args:
        zone: Its name, or a path that ends with it.
        table: `zone.tab` of the tz database: country, coordinates and zone in columns, a line each.
    """
    name = re.sub(r"^.*zoneinfo/(posix/|right/)?", "", zone)
    rows = (line.split("\t") for line in table.splitlines() if not line.startswith("#"))
    return next((row[0] for row in rows if len(row) > 2 and row[2] == name), "")


def _region() -> str:
    if sys.platform == "win32":
        own = _of_windows()
    elif sys.platform == "darwin":
        own = country_of_apple(_text_or_nothing(Path.home() / _MAC_SETTINGS))
    else:
        own = ""
    return own or country_of_environment(os.environ)


def country_of_apple(settings: bytes) -> str:
    """The country in a property list of macOS's global preferences, empty when it has none."""
    # Here: they cost 12 ms, on the one system that needs them
    import plistlib
    from xml.parsers.expat import ExpatError

    try:
        preferences = plistlib.loads(settings)
    except (ExpatError, ValueError, TypeError, LookupError, AttributeError, OverflowError):
        return ""
    name = preferences.get("AppleLocale", "") if isinstance(preferences, dict) else ""
    return country_of_locale(name) if isinstance(name, str) else ""


def _of_windows() -> str:
    if sys.platform != "win32":
        return ""
    import winreg

    # The country in the settings, in letters since Windows 10; else that of dates and numbers
    for key, value in ((rf"{_WINDOWS_SETTINGS}\Geo", "Name"), (_WINDOWS_SETTINGS, "LocaleName")):
        try:
            with winreg.OpenKey(winreg.HKEY_CURRENT_USER, key) as settings:
                text = str(winreg.QueryValueEx(settings, value)[0])
        except OSError:
            continue
        code = text if value == "Name" else country_of_locale(text)
        if code in COUNTRIES:
            return code
    return ""


def _country_of_zone() -> str:
    table = _text_or_nothing(_ZONES).decode("utf-8", "replace")
    return next(filter(None, (country_of_zone(zone, table) for zone in _zones())), "")


def _zones() -> Iterator[str]:
    """Names and paths of the time zone, as far as they are to be had; Windows has names of its own."""
    chosen = os.environ.get("TZ", "").removeprefix(":")
    if chosen:
        yield chosen
        yield os.path.realpath(_ZONES.parent / chosen)
        return
    # An old name such as Asia/Calcutta is a link to the one in the table
    yield os.path.realpath(_LOCAL_TIME)
    # Where the zone's file was copied instead of linked
    yield _text_or_nothing(_ZONE_NAME).decode("utf-8", "replace").strip()


def _text_or_nothing(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
