"""Which country this computer is in, by its settings."""

from __future__ import annotations

import os
import plistlib
from pathlib import Path

import pytest

from app import system_country
from app.system_country import (
    country_of_apple,
    country_of_environment,
    country_of_locale,
    country_of_zone,
    system_countries,
)

TABLE = (
    "# A comment\n"
    "CH\t+4723+00832\tEurope/Zurich\tBüsingen\n"
    "IN\t+2232+08822\tAsia/Kolkata\n"
    "AR\t-3436-05827\tAmerica/Argentina/Buenos_Aires\n"
)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("de_CH.UTF-8", "CH"),
        ("de_CH.UTF-8@euro", "CH"),
        ("de_CH", "CH"),
        ("ca_ES@valencia", "ES"),
        ("sr_RS@latin", "RS"),
        ("en-GB", "GB"),
        ("zh-Hant-TW", "TW"),
        ("zh_Hans_CN", "CN"),
        ("en_US@rg=chzzzz", "CH"),
        ("en-US-u-rg-chzzzz", "CH"),
        ("en_US@calendar=gregorian;rg=atzzzz", "AT"),
        ("es_419", ""),
        ("en_001", ""),
        ("C", ""),
        ("C.UTF-8", ""),
        ("POSIX", ""),
        ("de", ""),
        ("", ""),
    ],
)
def test_the_country_of_a_locale(name: str, code: str) -> None:
    assert country_of_locale(name) == code


@pytest.mark.parametrize(
    ("environment", "code"),
    [
        ({}, ""),
        ({"LANG": "en_US.UTF-8"}, "US"),
        ({"LANG": "en_US.UTF-8", "LC_TELEPHONE": "de_AT.UTF-8"}, "AT"),
        ({"LANG": "en_US.UTF-8", "LC_ADDRESS": "de_AT.UTF-8"}, "AT"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "fr_CH.UTF-8", "LC_TELEPHONE": "de_AT"}, "CH"),
        ({"LANG": "fr_BE.UTF-8", "LC_ALL": "C"}, "BE"),
        ({"LANG": "fr_BE.UTF-8", "LC_MESSAGES": "en_GB.UTF-8"}, "BE"),
    ],
)
def test_the_category_for_telephones_comes_before_the_language(
    environment: dict[str, str], code: str
) -> None:
    assert country_of_environment(environment) == code


@pytest.mark.parametrize(
    ("zone", "code"),
    [
        ("Europe/Zurich", "CH"),
        ("/usr/share/zoneinfo/Europe/Zurich", "CH"),
        ("/var/db/timezone/zoneinfo/Asia/Kolkata", "IN"),
        ("/usr/share/zoneinfo/posix/Asia/Kolkata", "IN"),
        ("America/Argentina/Buenos_Aires", "AR"),
        ("Etc/UTC", ""),
        ("CET-1CEST", ""),
        ("", ""),
    ],
)
def test_the_country_of_a_time_zone(zone: str, code: str) -> None:
    assert country_of_zone(zone, TABLE) == code
    assert country_of_zone(zone, "") == ""


@pytest.mark.parametrize("form", [plistlib.FMT_BINARY, plistlib.FMT_XML])
def test_the_region_of_macos(form: plistlib.PlistFormat) -> None:
    assert country_of_apple(plistlib.dumps({"AppleLocale": "en_DE"}, fmt=form)) == "DE"
    assert country_of_apple(plistlib.dumps({"AppleLocale": "en_US@rg=chzzzz"}, fmt=form)) == "CH"
    for odd in ({}, {"AppleLocale": 1}, ["x"]):
        assert country_of_apple(plistlib.dumps(odd, fmt=form)) == ""


@pytest.mark.parametrize(
    "raw", [b"", b"bplist00", b"bplist00" + b"\xff" * 40, b"<plist>", b"\0" * 9, b"<?xml"]
)
def test_damaged_settings_of_macos_say_nothing(raw: bytes) -> None:
    assert country_of_apple(raw) == ""


def test_the_tests_themselves_are_nowhere() -> None:
    assert not set(system_countries()) - {"US"}


@pytest.mark.skipif(os.name != "posix", reason="Windows keeps it in the registry")
def test_locale_and_time_zone_both_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    table = tmp_path / "zone.tab"
    table.write_text(TABLE, encoding="utf-8")
    monkeypatch.setattr(system_country, "_ZONES", table)
    for name in ("LC_ALL", "LC_ADDRESS", "LC_TELEPHONE"):
        monkeypatch.delenv(name, raising=False)
    for locale, zone, codes in (
        ("en_US.UTF-8", "Europe/Zurich", ("US", "CH")),
        ("de_CH.UTF-8", ":Europe/Zurich", ("CH",)),
        ("C", "Asia/Kolkata", ("IN",)),
        ("fr_XX", "UTC", ()),
    ):
        monkeypatch.setenv("LANG", locale)
        monkeypatch.setenv("TZ", zone)
        system_countries.cache_clear()
        assert system_countries() == codes


@pytest.mark.skipif(os.name != "posix", reason="Windows has names of its own for time zones")
def test_without_the_variable_the_systems_own_time_zone_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "zone.tab").write_text(TABLE, encoding="utf-8")
    folder = tmp_path / "zoneinfo" / "Asia"
    folder.mkdir(parents=True)
    (folder / "Kolkata").touch()
    (folder / "Calcutta").symlink_to("Kolkata")
    (tmp_path / "localtime").symlink_to(folder / "Calcutta")
    (tmp_path / "timezone").write_text("Europe/Zurich\n", encoding="utf-8")
    monkeypatch.setattr(system_country, "_ZONES", tmp_path / "zone.tab")
    monkeypatch.setattr(system_country, "_ZONE_NAME", tmp_path / "timezone")
    monkeypatch.setenv("LANG", "C")
    monkeypatch.delenv("LC_ALL")
    monkeypatch.delenv("TZ")
    for local_time, codes in (("localtime", ("IN",)), ("missing", ("CH",))):
        monkeypatch.setattr(system_country, "_LOCAL_TIME", tmp_path / local_time)
        system_countries.cache_clear()
        assert system_countries() == codes
