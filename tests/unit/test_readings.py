"""What was typed, read in every way that matters to the dial guard."""

from __future__ import annotations

import pytest

from app.errors import CallRefusedError
from app.model.trunk import SignIn, Trunk
from app.sip.dialling import dial
from app.sip.emergency import guard, guard_behind
from app.sip.readings import Reading, only_digits, read, service

SERVICES = [
    ("sos", "sos"),
    ("SOS", "sos"),
    (" Sos ", "sos"),
    ("sos.police", "sos.police"),
    ("sip:sos@example.com", "sos"),
    ("SIPS:SOS.Fire@example.com;transport=tls", "sos.fire"),
    ("sos;phone-context=+1", "sos"),
    ("sos:secret@example.com", "sos"),
    ("%73%6f%73", "sos"),
    ("%2573os", "sos"),
    ("\uff53\uff4f\uff53", "sos"),
    ("s\N{SOFT HYPHEN}os", "sos"),
    ("+sos", "sos"),
    ("*sos", "sos"),
    ("urn:service:sos", "sos"),
    ("URN:SERVICE:SOS", "sos"),
    ("<urn:service:sos>", "sos"),
    ("sip:urn:service:sos@example.com", "sos"),
    *(
        (f"urn:service:sos.{name}", f"sos.{name}")
        for name in (
            *("ambulance", "animal-control", "fire", "gas", "marine", "mountain", "physician", "poison"),
            *("police", "ecall.manual", "country-specific.ch.1414"),
        )
    ),
    ("urn:nena:service:sos.psap", "sos.psap"),
    ("urn:service:counseling", "counseling"),
    ("urn:service:counseling.suicide", "counseling.suicide"),
    ("urn:service:counseling.children;x=1", "counseling.children"),
]


@pytest.mark.parametrize(("text", "name"), SERVICES)
def test_an_emergency_service_in_letters_is_refused(text: str, name: str) -> None:
    assert service(text) == name
    with pytest.raises(CallRefusedError, match=rf"{name} is an emergency or crisis number in every country"):
        guard(text, "US")


@pytest.mark.parametrize(
    "text",
    ["sosa", "sos1", "asos", "mr.sos", "counseling", "urn:service:test.sos", "urn:uuid:sosa", "600", ""],
)
def test_other_names_are_names(text: str) -> None:
    assert service(text) == ""


def test_a_service_in_letters_does_not_pass_behind_a_prefix_nor_on_the_way_to_the_wire() -> None:
    trunk = Trunk(
        id="1" * 32,
        name="Office",
        host="sip.example.com",
        sign_in=SignIn.ADDRESS,
        tech_prefix="1234",
        tech_separator="*",
    )
    for text in ("sos", "sip:sos@sip.example.com", "1234*sos", "1234sos", "urn:service:sos"):
        with pytest.raises(CallRefusedError):
            dial(text, trunk)


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("911*1", "911"),
        ("911#1", "911"),
        ("911%231", "911"),
        ("911**1#2", "911"),
        ("9 1 1 * 1", "911"),
        ("911,,1", "911"),
        ("911p1", "911"),
        ("911ext1", "911"),
        ("911!1", "911"),
        ("911~1", "911"),
        ("9p911", "9911"),
        ("9w911", "9911"),
        ("*21*911#", "911"),
        ("**62*911**30#", "911"),
        ("#31#*67911", "911"),
        ("*1*2*3*4*5*6*7*8*9*0*911", "911"),
        ("\u0669\u0661\u0661*\u0661", "911"),
    ],
)
def test_what_stands_around_a_star_or_a_pause_is_read_by_itself(text: str, digits: str) -> None:
    assert Reading(digits=digits) in read(text)


def test_letters_are_keys_only_where_there_are_letters() -> None:
    assert Reading(digits="18002738255") in read("1-800-273-TALK")
    assert Reading(digits="1800737732") in read("1800 RESPECT")
    assert Reading(digits="3811164933", plus=True) in read("+3811164933")
    assert read("+38111649330000") == read("+381 11 6493 30000")
    assert {reading.digits for reading in read("+38111649330000")} == {"38111649330000"}


@pytest.mark.parametrize("text", ["room911*", "p911", "anna", "x911", "wxp"])
def test_a_name_is_not_read_as_digits(text: str) -> None:
    assert all(reading.digits != "911" for reading in read(text))


def test_digits_behind_a_star_that_no_feature_code_begins_are_part_of_a_whole() -> None:
    assert Reading(digits="911") not in read("12345678*911")
    assert Reading(digits="12345678911") in read("12345678*911")


def test_a_plus_inside_begins_a_number() -> None:
    assert Reading(digits="49112", plus=True) in read("**21*+49112#")
    assert Reading(digits="49112", plus=True) in read("9+49 112")
    assert Reading(digits="112", plus=True) in read("12;phone-context=+1")


def test_a_star_that_belongs_to_a_known_prefix_does_not_end_the_number() -> None:
    assert Reading(digits="911") in read("911*15145550199")
    assert Reading(digits="911") not in read("911*15145550199", ("911*",))
    assert Reading(digits="911") not in read("+911*15145550199", ("911*",))
    guard_behind("1999*442079460018", "GB", ("1999*", "1999"))
    for number in ("1999*999", "1999*999*1", "1999*1999*999#1"):
        with pytest.raises(CallRefusedError):
            guard_behind(number, "GB", ("1999*", "1999"))


@pytest.mark.parametrize(
    ("text", "digits"),
    [("+41 (0)44-1", "+410441"), ("sip:600@h", "600"), ("600;x=1", ""), ("6*1", ""), ("anna", ""), ("", "")],
)
def test_only_digits(text: str, digits: str) -> None:
    assert only_digits(text) == digits
