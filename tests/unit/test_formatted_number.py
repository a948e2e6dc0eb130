"""Whether digits went through a program that took them for a number."""

from __future__ import annotations

import random

import pytest

from app.errors import SettingError
from app.model.formatted_number import (
    has_decimal_point,
    has_exponent,
    has_lost_digits,
    is_date,
    without_zero_fraction,
)
from app.model.settings import apply_settings, as_text
from app.model.trunk import Trunk

BLANK = Trunk(id="1" * 32, name="Office", host="192.0.2.1", user="1")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "4.93012E+11",
            "4,93012E+11",
            "4.93012e+11",
            "4.93012345678E11",
            "4E+11",
            "1E-7",
            "-4.9E+5",
            "+4.9E+11",
        ),
        *("1.23457E+12", "4.93E 11", "4.93 E+11", "4\u066b93E+11", "4.93012\u00d710^11", "4,93 x 10^11"),
    ],
)
def test_an_exponent_is_seen_as_every_locale_writes_it(text: str) -> None:
    assert has_exponent(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "E",
        "E+11",
        "12E5",
        "1E10",
        "493012345678",
        "anna.e+5",
        "a4.9E+11",
        "4.9E+11x",
        "2x100",
        "0xE1",
        "4.9E+1111",
    ],
)
def test_what_may_be_a_name_is_not_an_exponent(text: str) -> None:
    assert not has_exponent(text)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("493012345678.0", "493012345678"),
        ("493012345678,0", "493012345678"),
        ("493012345678.00", "493012345678"),
        ("493012345678.000", ""),
        ("555.0000", ""),
        ("+493012345678.0", "+493012345678"),
        ("0049301.0", "0049301"),
        ("5060.0", "5060"),
        ("1.0", "1"),
        ("5.000", ""),
        ("506.000", ""),
        ("1234567890123456.0", ""),
        ("493012345678.5", ""),
        ("493012345678.05", ""),
        ("493012345678.", ""),
        (".0", ""),
        ("1.0.0", ""),
        ("1001", ""),
        ("a.0", ""),
    ],
)
def test_a_zero_behind_the_point_is_taken_off_where_nothing_is_lost(text: str, whole: str) -> None:
    assert without_zero_fraction(text) == whole


@pytest.mark.parametrize(
    "text",
    [
        *(
            "493012345678.0",
            "493012345678,5",
            "1.5",
            "12,5",
            "0.5",
            "-104.25",
            "493.012.345.678,0",
            "493,012.5",
        ),
        *("493,012,345,678.00", "+493012345678.0", "0301234.0", "493.012.345.678.0", "555.0199", "300-450.0"),
        *("300.0-450", "493 012 345 678.5", "493\u066b5"),
    ],
)
def test_a_decimal_point_is_seen(text: str) -> None:
    assert has_decimal_point(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "493012345678",
            "514.555.0199",
            "01.42.68.53.00",
            "+49.3012345678",
            "030.12345678",
            "(514) 555.0199",
        ),
        *("493.012.345.678", "+1-514-555-0199", "anna.smith", "a.0", "10.0.0.1", "514-555.0199"),
    ],
)
def test_dots_that_only_separate_are_no_decimal_points(text: str) -> None:
    assert not has_decimal_point(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "01.02.2024",
            "1.2.24",
            "1/2/2024",
            "12/31/2024",
            "31-12-2024",
            "2024-02-01",
            "2024/2/1",
            "2024.02.01",
        ),
        *(
            "2024-02-01 00:00:00",
            "2024-02-01T10:30",
            "1/2/2024 12:00 AM",
            "1.2.2024 0:00",
            "2024-02-01 00:00:00.000",
        ),
    ],
)
def test_a_day_is_seen(text: str) -> None:
    assert is_date(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "101",
        "300-450",
        "1-2",
        "514-555-0199",
        "23-45-67",
        "99.99.2024",
        "2024-13-40",
        "1.2.3",
        "01.42.68",
        "0.0.2024",
    ],
)
def test_what_is_no_day_is_left_alone(text: str) -> None:
    assert not is_date(text)


def test_digits_that_a_spreadsheet_has_lost_are_seen() -> None:
    assert has_lost_digits("4930123456789000")
    assert has_lost_digits("49301234567891200000")
    for text in ("493012345678900", "4930123456789012", "", "x", "493012345678900x", "\u0661" * 16):
        assert not has_lost_digits(text)


@pytest.mark.parametrize("key", ["user", "auth_id", "caller_id", "dids"])
@pytest.mark.parametrize(
    ("typed", "now"), [("493012345678.0", "493012345678"), ("'493012345678", "493012345678")]
)
def test_what_is_typed_is_put_right_in_the_same_way_and_reported(key: str, typed: str, now: str) -> None:
    trunk, mended = apply_settings(BLANK, {key: typed})
    assert as_text(trunk)[key] == now
    assert [(mend.key, mend.was, mend.now) for mend in mended] == [(key, typed, now)]


@pytest.mark.parametrize("key", ["user", "auth_id", "caller_id", "dids"])
@pytest.mark.parametrize("typed", ["4.93012E+11", "4,93012E+11", "4E+11", "4.93012345678E11"])
def test_what_has_lost_its_digits_is_refused_where_it_is_typed(key: str, typed: str) -> None:
    with pytest.raises(SettingError) as caught:
        apply_settings(BLANK, {key: typed})
    assert caught.value.field == key
    assert f'"{typed}"' in caught.value.what
    assert "last digits are lost" in caught.value.what
    assert "format the column as text" in caught.value.do


@pytest.mark.parametrize(
    ("key", "typed"),
    [
        *(
            (key, typed)
            for key in ("caller_id", "dids")
            for typed in ("493012345678.5", "4930123.45678", "493.012.345.678,5", "555.0199", "-104.5")
        ),
        ("dids", "300-450.0"),
        ("dids", "3000-450.0"),
        ("dids", "300.0-4500"),
    ],
)
def test_digits_are_not_joined_across_a_decimal_point(key: str, typed: str) -> None:
    with pytest.raises(SettingError) as caught:
        apply_settings(BLANK, {key: typed})
    assert re_digits(typed) not in str(caught.value), "and joining them is not proposed either"


def test_no_number_with_one_point_comes_out_longer_than_what_is_in_front_of_it() -> None:
    """Whatever digits: with one point or comma between them, the result is refused or ends before it."""
    dice = random.Random(7)
    for _ in range(3_000):
        whole, fraction = str(dice.randrange(1, 10**12)), str(dice.randrange(10 ** dice.randint(1, 6)))
        text = f"{whole}{dice.choice('.,')}{fraction}"
        for key in ("user", "caller_id", "auth_id", "dids"):
            try:
                trunk, _ = apply_settings(BLANK, {key: text})
            except SettingError:
                continue
            now = as_text(trunk)[key]
            # A comma divides DIDs, and a user name may have a point in it
            assert whole + fraction not in now
            assert now in (text, whole) or key == "dids", (key, text, now)


def re_digits(text: str) -> str:
    """Only its digits."""
    return "".join(char for char in text if char.isdigit())
