"""How often the dial guard refuses what it should let through; every number that it does is printed."""

from __future__ import annotations

import re
import sys

import pytest

from app.sip.carrier.scenarios import NUMBERS
from app.sip.emergency import Severity, countries, find
from app.sip.emergency_table import country_of, crisis_lines, short_numbers
from tests.helpers.number_plans import REGIONS, ValidNumber, lib, valid_numbers

MOST = 0.0001
"""Share of valid numbers: 0.01 %."""
A_SEED = 25_000
SEEDS = (1, 2, 3, 4)


@pytest.mark.parametrize("seed", SEEDS)
def test_of_100_000_valid_numbers_next_to_none_is_refused(seed: int) -> None:
    numbers = [number for number in valid_numbers(A_SEED, seed) if number.e164[1:] not in crisis_lines()]
    for name, calls in {
        "as international numbers, the trunk in their country": [
            (each.e164, each.region) for each in numbers
        ],
        "as international numbers, the trunk's country not known": [(each.e164, "") for each in numbers],
        "as they are dialled in their country": [(each.as_dialled, each.region) for each in numbers],
    }.items():
        refused = [(text, country, found.entry) for text, country in calls if (found := find(text, country))]
        sys.stdout.write(f"{name}: {len(refused)} of {len(numbers)} refused: {refused}\n")
        assert len(refused) < MOST * A_SEED, refused


def test_the_numbers_are_valid_and_from_everywhere() -> None:
    numbers = valid_numbers(2_000, 5)
    assert len(set(numbers)) == 2_000
    assert {number.region for number in numbers} == set(REGIONS)
    for number in numbers:
        assert lib.is_valid_number_for_region(number.parsed, number.region), number
        assert lib.format_number(number.parsed, lib.PhoneNumberFormat.E164) == number.e164


def test_no_example_number_of_any_country_is_refused() -> None:
    kinds = (lib.PhoneNumberType.FIXED_LINE, lib.PhoneNumberType.MOBILE, lib.PhoneNumberType.TOLL_FREE)
    numbers = []
    for region in REGIONS:
        for kind in kinds:
            example = lib.example_number_for_type(region, kind)
            if example:
                national = lib.national_significant_number(example)
                numbers.append(ValidNumber(region, str(example.country_code), national))
    assert len(numbers) > 600
    refused = [
        (number, text)
        for number in numbers
        for text in (number.e164, number.as_dialled)
        if find(text, number.region, (number.region,)) or (text == number.e164 and find(text))
    ]
    assert refused == []


@pytest.mark.parametrize("country", ["CH", "AT", "IN", "IT", "SG", "RU", "GA"])
def test_an_extension_is_refused_only_for_a_short_number_at_its_end(country: str) -> None:
    place = country_of(country)
    assert place is not None
    shorts = {
        digits
        for length in (2, 3, 4)
        for digits in (f"{number:0{length}}" for number in range(10**length))
        if not find(digits) and (found := find(digits, country)) and found.severity is Severity.EMERGENCY
    }
    own = short_numbers(place, live=False)
    # A line, the international prefix, the country code, one more line or the national prefix
    in_front = re.compile(rf"[901]?(00)?({place.calling_code})?([901]|{place.national_prefix or 0})?")
    assert shorts
    for digits in shorts:
        assert any(
            own.fullmatch(digits[at:]) and in_front.fullmatch(digits[:at]) for at in range(len(digits) - 1)
        ), digits


@pytest.mark.parametrize("country", ["", "US", "CA", "DE", "GB", "CH", "AT", "FR", "NL", "AU"])
def test_the_extensions_that_people_have_pass(country: str) -> None:
    for digits in ("200", "201", "250", "300", "400", "2000", "2001", "4444", "5000", "8000", "20001"):
        assert find(digits, country, (country,)) is None, digits


def test_the_demo_carriers_numbers_pass_wherever_the_computer_is() -> None:
    for region in REGIONS:
        for number in NUMBERS:
            text = number.public.number
            assert find(text, "", (region,)) is None, (text, region)


@pytest.mark.parametrize(
    ("number", "country"),
    [
        # 9, 00, a country's code and 112, or so it looks
        ("90044112", "NO"),
        ("900 27 919", "NO"),
        ("+47 900 44 112", "NO"),
        # 011, a country's code and 085
        ("01 15 81 08 50", "FR"),
        ("03311 2", "KR"),
        ("+82 33-112", "US"),
        ("+43 1 119", "AT"),
        # 9, 0 and one of Europe's
        ("90 11 66 73", "DK"),
        ("011 6016", "IT"),
    ],
)
def test_a_telephone_number_of_the_trunks_country_is_not_taken_for_a_call_abroad(
    number: str, country: str
) -> None:
    assert find(number, country) is None


def test_an_emergency_number_of_the_own_country_stays_one_though_it_is_a_telephone_number() -> None:
    assert find("90047112", "NO") is not None
    assert find("9004418000", "US") is not None


def test_a_country_is_not_asked_for_more_than_it_has() -> None:
    assert all(place.code and place.calling_code for place in countries())
