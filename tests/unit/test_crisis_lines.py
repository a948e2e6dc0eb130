"""Crisis lines by their full number: none passes, and nobody else's number is among them."""

from __future__ import annotations

import phonenumbers
import pytest

from app.errors import CallRefusedError
from app.model.trunk import NumberFormat, SignIn, Trunk
from app.sip.dialling import dial
from app.sip.emergency import Severity, find, refuse_emergency
from app.sip.emergency_table import CrisisLine, country_of, crisis_lines
from tests.helpers.number_plans import lib
from tests.helpers.spellings import full_width

LINES = tuple(crisis_lines().values())
LONG_ENOUGH = 10


def parsed(line: CrisisLine) -> lib.PhoneNumber:
    return phonenumbers.parse(line.number)


def at_home(line: CrisisLine) -> dict[str, str]:
    """How a line is dialled in its country."""
    place = country_of(line.country)
    assert place is not None
    national = place.national_prefix + line.national
    printed = phonenumbers.format_number(parsed(line), phonenumbers.PhoneNumberFormat.NATIONAL)
    return {
        "national": national,
        "as printed": printed,
        "without national prefix": line.national,
        "line prefix": f"9{national}",
        "line prefix 0": f"0{national}",
        "hidden caller ID": f"*67{national}",
        "dashes": "-".join(national),
        "sip": f"sip:{national}@sip.example.com",
        "full-width": full_width(national),
        "star and more": f"{national}*1",
        "pause": f"{national},,1",
        "country code without plus": line.number[1:],
    }


def from_anywhere(line: CrisisLine) -> dict[str, str]:
    """How a line is dialled from abroad."""
    digits = line.number[1:]
    place = country_of(line.country)
    assert place is not None
    found = {
        "plus": line.number,
        "as printed": phonenumbers.format_number(parsed(line), phonenumbers.PhoneNumberFormat.INTERNATIONAL),
        "00": f"00{digits}",
        "011": f"011{digits}",
        "line prefix, 00": f"900{digits}",
        "tel": f"tel:{line.number}",
        "escapes": f"%2B{digits}",
        "forwarded": f"**21*{line.number}#",
        "hash and more": f"00{digits}#1",
        "the 0 left inside": f"+{line.calling_code}0{line.national}",
        "national prefix left inside": f"+{line.calling_code}{place.national_prefix}{line.national}",
    }
    if len(digits) >= LONG_ENOUGH:
        found["without plus"] = digits
        found["line prefix, without plus"] = f"9{digits}"
    return found


def test_every_line_has_a_valid_number_of_its_country() -> None:
    assert len(LINES) > 100
    for line in LINES:
        number = parsed(line)
        assert phonenumbers.is_valid_number(number), line
        place = country_of(line.country)
        assert place is not None
        assert place.calling_code == line.calling_code, line
        assert phonenumbers.is_valid_number_for_region(number, line.country) or line.country == "CA", line


def test_a_line_is_refused_in_its_country_however_it_is_dialled() -> None:
    passed = [
        (line.number, way, text, country, here)
        for line in LINES
        for way, text in (at_home(line) | from_anywhere(line)).items()
        for country, here in ((line.country, ()), ("", ()), ("", (line.country,)), ("FJ", (line.country,)))
        if find(text, country, here) is None
    ]
    assert passed == []


def test_a_line_is_refused_from_abroad() -> None:
    passed = [
        (line.number, way, text, country)
        for line in LINES
        for way, text in from_anywhere(line).items()
        for country in ("US", "DE", "FJ")
        if find(text, country) is None
    ]
    assert passed == []


@pytest.mark.parametrize("wanted", NumberFormat)
def test_no_line_passes_in_any_format_behind_a_prefix(wanted: NumberFormat) -> None:
    passed = []
    for line in LINES:
        through = Trunk(
            id="1" * 32,
            name="Office",
            host="sip.example.com",
            sign_in=SignIn.ADDRESS,
            country=line.country,
            number_format=wanted,
            tech_prefix="1234",
            tech_separator="*",
        )
        for text in (line.number, at_home(line)["national"], f"1234*{line.number}", f"1234{line.number[1:]}"):
            try:
                dial(text, through)
            except CallRefusedError:
                continue
            passed.append((line.number, text))
    assert passed == []


@pytest.mark.parametrize(
    ("country", "number", "name"),
    [
        ("US", "1-800-273-8255", "the Suicide and Crisis Lifeline"),
        ("US", "1-800-273-TALK", "the Suicide and Crisis Lifeline"),
        ("CA", "(800) 273-8255", "the Suicide and Crisis Lifeline"),
        ("GB", "0800 1111", "Childline"),
        ("DE", "0800 111 0 111", "TelefonSeelsorge"),
        ("DE", "0800 111 0 222", "TelefonSeelsorge"),
        ("AT", "142", "Telefonseelsorge"),
        ("CH", "143", "Die Dargebotene Hand"),
        ("AU", "13 11 14", "Lifeline"),
        ("AU", "1800RESPECT", "1800RESPECT"),
        ("NZ", "0800 543 354", "Lifeline"),
        ("FR", "09 72 39 40 50", "SOS Amitié"),
        ("JP", "0120-783-556", "Inochi no Denwa"),
        ("SG", "1800 221 4444", "Samaritans of Singapore"),
        ("HK", "2896 0000", "The Samaritans"),
    ],
)
def test_the_refusal_says_who_answers(country: str, number: str, name: str) -> None:
    with pytest.raises(CallRefusedError) as caught:
        refuse_emergency(number, country)
    assert f" is {name}" in caught.value.what
    assert "an emergency or crisis number in" in caught.value.what
    assert "test number" in caught.value.do


def test_a_short_line_is_an_extension_elsewhere_and_refused_behind_its_country_code() -> None:
    for country, number in (("AT", "142"), ("CH", "143"), ("KR", "1393"), ("IN", "14416")):
        place = country_of(country)
        assert place is not None
        assert find(number, country) is not None
        assert find(number) is None
        assert find(number, "US") is None
        assert find(number, "US", (country,)) is not None
        assert find(f"+{place.calling_code}{number}", "US") is not None


def test_a_line_is_no_less_protected_than_an_emergency_number() -> None:
    assert {refusal.severity for line in LINES if (refusal := find(line.number))} == {Severity.EMERGENCY}


def test_the_same_digits_in_another_country_are_somebody_elses() -> None:
    for country, number in (("GB", "0800 111 0 111"), ("SG", "6113 1114"), ("US", "212 896 0000")):
        assert find(number, country) is None, number
    for line in LINES:
        last = int(line.national[-1])
        neighbour = f"{line.number[:-1]}{(last + 1) % 10}"
        assert find(neighbour, line.country) is None or neighbour[1:] in crisis_lines(), neighbour
