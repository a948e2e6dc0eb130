"""Which called numbers a played provider takes, with or without a tech prefix."""

from __future__ import annotations

from typing import Any

import pytest

from app.model.trunk import NumberFormat
from app.providers import catalogue
from app.providers.schema import (
    Field,
    Method,
    Mistake,
    Numbers,
    Page,
    Question,
)
from app.providers.schema import TestNumber as ForTests  # pytest would take it for a class of tests
from app.sip.carrier.judge import (
    Seen,
    is_emergency,
    is_reachable,
    judge_call,
    without_prefix,
)
from app.sip.carrier.profile import Profile, profile_named, profile_of
from app.sip.carrier.profile_facts import facts_of
from tests.carrier.providers import (
    BY_ADDRESS,
    CALLER,
    STRICT,
    UNKNOWN,
    code_of,
    provider,
)


@pytest.mark.parametrize(
    ("number", "rest"),
    [("12345678*15145550199", "15145550199"), ("15145550199", ""), ("1234567*15145550199", "")],
)
def test_the_prefix_is_taken_off_where_every_customer_has_one(number: str, rest: str) -> None:
    profile = profile_of(BY_ADDRESS, "address")
    assert without_prefix(profile, number) == rest
    assert code_of(judge_call(profile, Seen(number=number))) == (None if rest else 403)


def test_no_prefix_is_asked_for_with_another_way_to_sign_in_or_where_not_all_have_one() -> None:
    assert without_prefix(profile_of(BY_ADDRESS), "15145550199") == "15145550199"
    assert profile_of(provider(Method.ADDRESS, numbers=Numbers(tech_separator="#"))).prefix == ""


def optional_prefix(pattern: str, **numbers: Any) -> Profile:
    """A provider of which only some customers have a tech prefix."""
    field = Field(label="Tech prefix", pattern=pattern, required=False)
    return profile_of(
        provider(
            Method.ADDRESS,
            countries=("US", "GB"),
            questions=(Question(key="tech_prefix", page=Page.NUMBERS, field=field),),
            numbers=Numbers(**numbers),
        )
    )


FOUR_DIGITS = optional_prefix(
    "[0-9]{4}", destination=NumberFormat.E164_PLUS, accepts=(r"\+[1-9][0-9]{6,14}", "[0-9]{7,19}")
)
ANYTHING = optional_prefix("[0-9#*]*", destination=NumberFormat.NANP_11)


@pytest.mark.parametrize(
    ("profile", "number", "rest"),
    [
        (FOUR_DIGITS, "+13125550199", "+13125550199"),
        (FOUR_DIGITS, "13125550199", "13125550199"),
        (FOUR_DIGITS, "3125550199", "3125550199"),
        (FOUR_DIGITS, "123413125550199", "13125550199"),
        (FOUR_DIGITS, "1234442071234567", "442071234567"),
        (FOUR_DIGITS, "1234+13125550199", "+13125550199"),
        (FOUR_DIGITS, "1234555019", "1234555019"),
        (FOUR_DIGITS, "1234911", "911"),
        (FOUR_DIGITS, "600", "600"),
        (FOUR_DIGITS, "office", "office"),
        (FOUR_DIGITS, "", ""),
        (ANYTHING, "12125550199", "12125550199"),
        (ANYTHING, "2125550199", "2125550199"),
        (ANYTHING, "5512125550199", "12125550199"),
        (ANYTHING, "77#12125550199", "12125550199"),
        (ANYTHING, "*12125550486", "12125550486"),
        (ANYTHING, "01144207123456", "01144207123456"),
        (ANYTHING, "486", "486"),
    ],
)
def test_a_prefix_that_only_some_have_is_taken_off_where_it_stands(
    profile: Profile, number: str, rest: str
) -> None:
    assert without_prefix(profile, number) == rest
    assert is_emergency(profile, number) == (rest == "911")


@pytest.mark.parametrize("number", ["77#911", "9911", "55112"])
def test_an_emergency_number_is_known_behind_any_prefix(number: str) -> None:
    assert is_emergency(ANYTHING, number)


def test_a_number_without_a_prefix_that_only_some_have_is_right_too() -> None:
    for number in ("+13125550199", "123413125550199"):
        assert judge_call(FOUR_DIGITS, Seen(number=number)) is None
    assert FOUR_DIGITS.answer(Mistake.PREFIX) is None
    assert any("as well" in line for line in facts_of(UNKNOWN, FOUR_DIGITS).plays)


def test_a_test_number_has_no_prefix() -> None:
    facts = provider(
        Method.ADDRESS,
        questions=(Question(key="tech_prefix", page=Page.NUMBERS, field=Field(label="x", required=False)),),
        test_numbers=(ForTests(number="17770001234567", purpose="Echo"),),
    )
    assert without_prefix(profile_of(facts), "17770001234567") == "17770001234567"


@pytest.mark.parametrize(
    ("provider_id", "prefix"),
    [("telnyx", "1234"), ("voipinnovations", "77#"), ("voipinnovations", "55"), ("voxtelesys", "12*")],
)
def test_the_providers_whose_prefix_is_optional_take_it_off(provider_id: str, prefix: str) -> None:
    profile = profile_named(provider_id, "address")
    assert profile is not None
    for number in ("13125550199", "13125550486"):
        assert without_prefix(profile, prefix + number) == number
        assert without_prefix(profile, number) == number
    by_password = [facts.method for facts in catalogue.find(provider_id).sign_ins]
    if Method.REGISTER in by_password:
        assert profile_named(provider_id, "register").prefix == ""  # type: ignore[union-attr]  # it has that way


@pytest.mark.parametrize(
    ("number", "code"),
    [("+15145550199", None), ("15145550199", 400), ("600", 400), ("+0", 400), ("911", None)],
)
def test_a_number_in_another_form_is_refused(number: str, code: int | None) -> None:
    assert code_of(judge_call(profile_of(STRICT), Seen(number=number, callers=CALLER))) == code


def test_any_number_is_taken_where_no_form_is_known() -> None:
    profile = profile_of(UNKNOWN)
    for number in ("600", "+15145550199", "0011", "office"):
        assert judge_call(profile, Seen(number=number)) is None
    assert is_reachable(profile, "+15145550199")
    assert not is_reachable(profile, "office")


def test_the_providers_own_test_numbers_are_taken_in_any_form() -> None:
    profile = profile_of(BY_ADDRESS)
    assert judge_call(profile, Seen(number="4443")) is None
    assert code_of(judge_call(profile, Seen(number="4444"))) == 404
    assert is_reachable(profile, "4443")


@pytest.mark.parametrize("number", ["911", "112", "+112", "12345678*911"])
def test_an_emergency_number_is_known_with_and_without_prefix(number: str) -> None:
    assert is_emergency(profile_of(BY_ADDRESS, "address"), number)


def test_a_number_for_tests_is_no_emergency_number() -> None:
    for number in ("+15145550199", "12345678*15145550486", "4443"):
        assert not is_emergency(profile_of(BY_ADDRESS, "address"), number)
