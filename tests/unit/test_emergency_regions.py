"""Every emergency number that `phonenumbers` knows, with the trunk or this computer in its country."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from functools import cache

import pytest
from phonenumbers.shortnumberinfo import SUPPORTED_SHORT_REGIONS, connects_to_emergency_number

from app.errors import CallRefusedError
from app.model.countries import COUNTRIES
from app.model.trunk import NumberFormat, SignIn, Trunk
from app.sip.dialling import dial
from app.sip.emergency import Severity, find, guard, refuse_emergency
from app.sip.emergency_table import Country, country_of, country_with_calling_code, harmonised
from tests.helpers.number_plans import all_of, emergency_numbers, one_of
from tests.helpers.spellings import spellings

EUROPE = harmonised().countries
PARTS = 6


@cache
def numbers() -> dict[str, list[str]]:
    return emergency_numbers()


def part(which: int) -> list[tuple[Country, str]]:
    """A sixth of all regions with their numbers, so that none of the tests takes long."""
    found = []
    for region in sorted(numbers())[which::PARTS]:
        place = country_of(region)
        assert place is not None
        found += [(place, number) for number in numbers()[region]]
    return found


def ways(place: Country, number: str) -> dict[str, str]:
    """All spellings, and those that depend on the country's own way to call abroad."""
    found = spellings(number, place)
    abroad = place.international_prefix
    found |= {
        f"international prefix {prefix}": f"{prefix}{place.calling_code}{number}"
        for prefix in (all_of(abroad)[:5] if abroad else [])
    }
    found["trunk access 1"] = f"1{number}"
    if len(number) == 2:
        # 1015 is an extension wherever 15 is an ambulance
        del found["trunk access 1"]
    return found


def test_the_patterns_are_read_as_phonenumbers_reads_them() -> None:
    every = [(region, number) for region, found in numbers().items() for number in found]
    assert len(numbers()) >= 240
    assert len(every) >= 800
    assert all(connects_to_emergency_number(number, region) for region, number in every)
    short = {
        (region, f"{digits:03}")
        for region in ("CH", "US", "GE")
        for digits in range(1000)
        if connects_to_emergency_number(f"{digits:03}", region)
    }
    assert short == {(region, number) for region, number in every if region in ("CH", "US", "GE")}


@pytest.mark.parametrize("which", range(PARTS))
def test_no_spelling_passes_on_a_trunk_of_the_country(which: int) -> None:
    passed = [
        (place.code, way, text)
        for place, number in part(which)
        for way, text in ways(place, number).items()
        if find(text, place.code) is None
    ]
    assert passed == []


@pytest.mark.parametrize("which", range(PARTS))
def test_no_spelling_passes_on_a_computer_in_the_country(which: int) -> None:
    passed = [
        (place.code, way, text)
        for place, number in part(which)
        for way, text in ways(place, number).items()
        if find(text, "US", ("US", place.code)) is None
    ]
    assert passed == []


def test_a_computers_country_counts_also_where_the_trunks_is_not_known() -> None:
    for region, found in numbers().items():
        for number in found:
            assert find(number, "", (region,)) is not None, (region, number)
            assert find(f"9{number}", "XX", (region,)) is not None, (region, number)


@pytest.mark.parametrize("wanted", [NumberFormat.E164_PLUS, NumberFormat.NATIONAL, NumberFormat.NANP_10])
def test_none_passes_the_way_from_typing_to_sending(wanted: NumberFormat) -> None:
    passed = []
    for region, found in numbers().items():
        for number in found:
            through = Trunk(
                id="1" * 32,
                name="Office",
                host="sip.example.com",
                sign_in=SignIn.ADDRESS,
                country=region,
                number_format=wanted,
                tech_prefix="1234",
                tech_separator="*",
            )
            for text in (
                number,
                f"1234*{number}",
                f"+1{number}",
                f"9{number}",
                f"*67{number}",
                f"{number}#1",
            ):
                try:
                    dial(text, through)
                except CallRefusedError:
                    continue
                passed.append((region, text))
    assert passed == []


@pytest.mark.parametrize(
    ("country", "examples"),
    [
        ("CH", "117 118 144"),
        ("AT", "122 133 144"),
        ("IT", "115 118"),
        ("IN", "100 101 102"),
        ("SG", "993"),
        ("SE", "+4690000 90000 4690000"),
        ("BR", "55112 128"),
        ("RU", "01 8101 81049112"),
        ("HU", "104 06104"),
        ("BR", "0015112"),
    ],
)
def test_the_numbers_that_went_out_do_so_no_more(country: str, examples: str) -> None:
    for number in examples.split():
        with pytest.raises(CallRefusedError, match="an emergency or crisis number in"):
            guard(number, country)


def test_behind_its_country_code_a_number_is_refused_on_every_trunk() -> None:
    for place, number in part(0):
        # Of those that share a code only the main one is looked at
        if country_with_calling_code(place.calling_code) is place:
            for text in (f"+{place.calling_code}{number}", f"00{place.calling_code}{number}"):
                assert find(text, "US") is not None, text
                assert find(text) is not None, text


def test_where_the_trunk_has_no_country_the_numbers_of_others_are_extensions() -> None:
    for number in ("117", "118", "144", "15", "100", "101"):
        assert find(number) is None, number
        assert find(number, "US", ("US",)) is None, number


def test_every_country_has_a_name_for_the_refusal() -> None:
    for code in COUNTRIES:
        place = country_of(code)
        assert place is not None
        assert place.name != code


def test_the_refusal_names_a_country_that_has_no_row_of_its_own() -> None:
    with pytest.raises(CallRefusedError) as caught:
        refuse_emergency("9-144", "CH")
    assert caught.value.what == (
        '"9-144" can reach 144: 144 is an emergency or crisis number in Switzerland, '
        "and Ringback never dials it."
    )
    assert "test number" in caught.value.do


def test_a_refusal_for_the_computers_country_says_so_and_what_to_do() -> None:
    with pytest.raises(CallRefusedError) as caught:
        refuse_emergency("144", "US", ("CH",))
    assert "in Switzerland" in caught.value.what
    assert "this computer is set to Switzerland" in caught.value.do
    assert "time zone" in caught.value.do
    with pytest.raises(CallRefusedError) as caught:
        refuse_emergency("144", "CH", ("CH",))
    assert "this computer" not in caught.value.do


def test_live_services_of_the_computers_country_are_extensions() -> None:
    assert find("101", "GB") is not None
    assert find("101", "US", ("GB",)) is None


def test_a_place_that_is_no_country_is_no_error() -> None:
    assert find("144", "XX", ("", "001", "ZZ")) is None
    assert find("911", "XX", ("ZZ",)) is not None
    assert set(SUPPORTED_SHORT_REGIONS) <= COUNTRIES


# Numbers that are the same in all of Europe


@pytest.mark.parametrize("number", ["116000", "116006", "116111", "116117", "116123", "116016", "116999"])
def test_what_europe_reserves_is_refused_all_over_europe(number: str) -> None:
    for code in EUROPE:
        place = country_of(code)
        assert place is not None
        for text in (
            number,
            f"{number[:3]} {number[3:]}",
            f"9{number}",
            f"+{place.calling_code}{number}",
            f"00{place.calling_code}{number}",
            f"{number}*1",
        ):
            refusal = find(text, code)
            assert refusal is not None, (code, text)
            assert refusal.entry == number


@pytest.mark.parametrize("number", ["+49116117", "0049116117", "01149116117", "+41 116 123", "90049116117"])
@pytest.mark.parametrize("country", ["", "US", "JP"])
def test_as_an_international_call_it_is_refused_from_anywhere(number: str, country: str) -> None:
    refusal = find(number, country)
    assert refusal is not None
    assert refusal.severity is Severity.EMERGENCY


def test_it_is_refused_on_a_trunk_without_a_country_and_on_a_computer_in_europe() -> None:
    assert find("116117") is not None
    assert find("116117", "US", ("AT",)) is not None
    assert find("116117", "US", ("US",)) is None
    assert find("1161170") is None
    assert find("116 11", "DE") is None


def test_the_european_union_is_complete() -> None:
    union = "ATBEBGCYCZDEDKEEESFIFRGRHRHUIEITLTLULVMTNLPLPTROSESISK"
    members = {union[at : at + 2] for at in range(0, len(union), 2)}
    assert len(members) == 27
    assert members | {"GB", "CH", "NO", "IS", "LI"} <= set(EUROPE)


@pytest.mark.parametrize("module", ["app.sip.engine.process", "app.cli.commands", "app.ui.main_window"])
def test_nothing_is_read_before_a_number_is_asked_for(module: str) -> None:
    code = (
        f"import sys, importlib; importlib.import_module({module!r})\n"
        "from app.sip import emergency_table\n"
        "print(sum(each.cache_info().currsize for each in (emergency_table._table, emergency_table._crises,"
        " emergency_table._country)), 'phonenumbers' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["0", "False"]


def test_an_engine_does_not_carry_the_guard_before_its_first_call() -> None:
    code = (
        "import sys, app.sip.engine.process\n"
        "print([name for name in sys.modules if name.startswith(('app.sip.emergency', 'app.sip.readings'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_one_of_a_pattern_is_one_of_all() -> None:
    pattern = r"1(?:[12]2|3\d?)|9{2,3}"
    everything = all_of(pattern)
    assert everything[:3] == ["112", "122", "13"]
    assert all(re.fullmatch(pattern, one) for one in everything)
    choose = random.Random(1)
    assert {one_of(pattern, choose) for _ in range(500)} == set(everything)
