"""What a person types or pastes as a number."""

from __future__ import annotations

import pytest

from app.errors import UserError
from app.sip.number import MAX_LENGTH, check_number


@pytest.mark.parametrize(
    ("typed", "dialled"),
    [
        ("600", "600"),
        ("  600 \r\n", "600"),
        ("+44 20 7946 0018", "+442079460018"),
        ("+44 (0)20 7946-0018", "+442079460018"),
        ("+44 [0] 20 7946-0018", "+442079460018"),
        ("0044 (0)20 7946 0018", "00442079460018"),
        ("00 44 ( 0 ) 20 / 7946 0018", "00442079460018"),
        ("011 44 (0)20 7946 0018", "011442079460018"),
        ("Tel.: +44 20 7946 0018", "+442079460018"),
        ("Tel +44 20 7946 0018", "+442079460018"),
        ("Tél. : (020) 7946 0018", "02079460018"),
        ("Phone: (514) 555-0199", "5145550199"),
        ("T: +1 514 555 0199,", "+15145550199"),
        ("\N{BLACK TELEPHONE} +44 20 7946 0018", "+442079460018"),
        ("\N{BLACK TELEPHONE}\N{VARIATION SELECTOR-16} 600", "600"),
        ("\N{TELEPHONE RECEIVER}600", "600"),
        ("'+15145550199'", "+15145550199"),
        ('"600"', "600"),
        ("600;", "600"),
        ("tel600", "tel600"),
        ("t100", "t100"),
        ("t.100", "t.100"),
        ("(+44) 20.7946.0018", "+442079460018"),
        ("(020) 7946 0018", "02079460018"),
        ("(0)20 7946 0018", "02079460018"),
        ("030/12 34 56", "030123456"),
        ("020\N{NO-BREAK SPACE}7946\N{EN DASH}0018", "02079460018"),
        ("020\N{NON-BREAKING HYPHEN}7946\N{MINUS SIGN}0018", "02079460018"),
        ("\N{LEFT-TO-RIGHT EMBEDDING}+44 20 7946 0018\N{POP DIRECTIONAL FORMATTING}", "+442079460018"),
        ("\N{FULLWIDTH PLUS SIGN}\uff14\uff14\uff12\uff10", "+4420"),
        ("٠٢٠٧٩", "02079"),
        ("०२०", "020"),
        ("tel:+44-20-7946-0018", "+442079460018"),
        ("TEL:7042;phone-context=example.com", "7042"),
        ("tel:+44-20-7946-0018;ext=5", "+442079460018"),
        ("sip:600@pbx.example.com", "600"),
        ("sips:+4420@pbx.example.com:5061;transport=tls?Subject=x", "+4420"),
        ("sip:600;user=phone", "600"),
        ('"Anna Smith" <sip:anna.smith@pbx.example.com>', "anna.smith"),
        ("<sip:600@pbx.example.com>", "600"),
        ("sip:anna:secret@pbx.example.com", "anna"),
        ("sip:%36%30%30@pbx.example.com", "600"),
        ("anna.smith", "anna.smith"),
        ("echo-test_1", "echo-test_1"),
        ("anna@pbx.example.com", "anna"),
        ("555.0000", "5550000"),
        ("01.42.68.53.00", "0142685300"),
        ("*43", "*43"),
        ("#31#600", "%2331%23600"),
        ("%2331", "%2331"),
        ("sip:%E0%A5%A6", "0"),
        ("1" * MAX_LENGTH, "1" * MAX_LENGTH),
    ],
)
def test_any_common_form_becomes_the_user_part(typed: str, dialled: str) -> None:
    assert check_number(typed) == dialled


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "no number"),
        ("  \n", "no number"),
        ("\u200e", "no number"),
        ("---", "no digit"),
        ("+", "no digit"),
        ("()", "no digit"),
        ("600\r\nContact: <sip:evil@example.com>", "line break"),
        ("600%0d%0aX: y", "control"),
        ("600%00", "control"),
        ("6\x0000", "control"),
        ("020\t7946", "control"),
        ("@pbx.example.com", "in front of the @"),
        ("hello world", "a space"),
        ("anna<script>", "brackets"),
        ("<600", "brackets"),
        ("600> <", "brackets"),
        ("<mailto:anna@example.com>", "another kind"),
        ("müller", "ü"),
        ("anna smith@pbx.example.com", "a space"),
        ('anna"x', '"'),
        ("12+34", "+"),
        ("++44", "+"),
        ("600,,1", "pause"),
        ("493012345678.0", "decimal point"),
        ("493012345678,00", "decimal point"),
        ("'+493012345678.0", "decimal point"),
        ("4.93012E+11", "last digits are lost"),
        ("4,93012E+11", "last digits are lost"),
        ("6=00", "="),
        ("6:00", ":"),
        ("60€", "€"),
        ("https://example.com/600", "another kind"),
        ("mailto:anna@example.com", "another kind"),
        ("1" * (MAX_LENGTH + 1), str(MAX_LENGTH)),
        ("a" * 5000, str(MAX_LENGTH)),
    ],
)
def test_what_cannot_be_dialled_is_refused_with_the_reason(typed: str, words: str) -> None:
    with pytest.raises(UserError) as caught:
        check_number(typed)
    assert words in caught.value.what
    assert caught.value.what.endswith(".")
    assert caught.value.do


def test_the_message_names_the_value_without_raw_control_characters_and_not_at_any_length() -> None:
    with pytest.raises(UserError) as caught:
        check_number("600\r\n" + "x" * 500)
    assert "600[U+000D U+000A]" in caught.value.what
    assert "\r" not in caught.value.what
    assert "\n" not in caught.value.what
    assert len(caught.value.what) < 200


@pytest.mark.parametrize("host", ["pbx.example.com", "PBX.example.com.", "pbx.example.com:5060"])
def test_an_address_at_the_trunks_own_host_is_dialled(host: str) -> None:
    assert check_number("sip:600@pbx.example.com:5062", host) == "600"


@pytest.mark.parametrize(
    "address", ["sip:600@other.example.com", "600@evil.example.com", "sip:6@[2001:db8::1]:5060"]
)
def test_an_address_at_another_host_is_refused_by_name(address: str) -> None:
    with pytest.raises(UserError) as caught:
        check_number(address, "pbx.example.com")
    assert "pbx.example.com" in caught.value.what
    assert address in caught.value.what


def test_the_password_of_an_address_is_not_shown() -> None:
    with pytest.raises(UserError) as caught:
        check_number("sip:anna:hunter2@other.example.com", "pbx.example.com")
    assert "hunter2" not in str(caught.value)


def test_an_address_at_an_ipv6_host_is_compared_without_brackets() -> None:
    assert check_number("sip:600@[2001:DB8::1]:5060", "2001:db8::1") == "600"
