"""From a number as typed to what a trunk sends: what is refused, and what is not refused by accident."""

from __future__ import annotations

import msgspec
import pytest

from app.errors import CallRefusedError, UserError
from app.model.trunk import NumberFormat, SignIn, Trunk
from app.sip.dialling import dial, guard_rewritten, prefixes
from app.sip.emergency import countries

TRUNK = Trunk(id="1" * 32, name="Office", host="sip.example.com", sign_in=SignIn.ADDRESS, country="US")
PREFIXES = (
    ("", ""),
    ("12345678", "*"),
    ("12345678", "#"),
    ("1234", ""),
    ("9", ""),
    ("00", "*"),
    ("911", "*"),
)


def trunk(**settings: object) -> Trunk:
    return msgspec.structs.replace(TRUNK, **settings)


def test_outgoing_calls_that_are_switched_off_are_refused_by_the_trunks_name() -> None:
    with pytest.raises(CallRefusedError, match=r"switched off for Office\. Switch them on") as caught:
        dial("600", trunk(allow_out=False))
    assert caught.value.field == "allow_out"


# Emergency numbers


@pytest.mark.parametrize("wanted", NumberFormat)
@pytest.mark.parametrize(("prefix", "separator"), PREFIXES)
def test_no_emergency_number_passes_in_any_format_behind_any_prefix(
    wanted: NumberFormat, prefix: str, separator: str
) -> None:
    passed = []
    for place in countries():
        for home in (place.code, ""):
            through = trunk(number_format=wanted, tech_prefix=prefix, tech_separator=separator, country=home)
            entries = place.emergency + place.at_home + place.live if home else place.emergency
            for entry in (entry.replace("x", "7") for entry in entries):
                spelt = {entry, f"sip:{entry}@sip.example.com", f"{entry[0]} {entry[1:]}"}
                for taken_off in prefixes(prefix, separator):
                    spelt |= {f"{taken_off}{entry}", f"{taken_off}+{entry}", f"{taken_off} {entry}"}
                    spelt |= {f"{taken_off}+{place.calling_code}{entry}"}
                    if not entry.startswith("0"):
                        spelt |= {f"{taken_off}9{entry}"}
                for text in spelt:
                    try:
                        dial(text, through)
                    except CallRefusedError:
                        continue
                    passed.append((place.code, home, text))
    assert passed == []


@pytest.mark.parametrize(
    ("typed", "settings"),
    [
        # What only the rewriting makes an emergency number of
        ("11", {"tech_prefix": "9"}),
        ("12", {"tech_prefix": "1"}),
        ("999", {"tech_prefix": "1234", "country": "GB"}),
        ("12345678#911", {"tech_prefix": "12345678", "tech_separator": "*"}),
        ("12345678*#911", {"tech_prefix": "12345678", "tech_separator": "*"}),
        ("12345678**911", {"tech_prefix": "12345678", "tech_separator": "*"}),
        ("12345678911", {"tech_prefix": "12345678", "tech_separator": "*"}),
        ("%31234*911", {"tech_prefix": "1234", "tech_separator": "*"}),
        ("12 34 911", {"tech_prefix": "1234"}),
        ("1234*67911", {"tech_prefix": "1234"}),
        ("1234*911", {"tech_prefix": "1234"}),
        ("1234*1234*911", {"tech_prefix": "1234", "tech_separator": "*"}),
        ("+1234*911", {"tech_prefix": "1234", "tech_separator": "*"}),
        ("\uff11\uff12\uff13\uff14*911", {"tech_prefix": "1234", "tech_separator": "*"}),
        ("sip:1234*911@sip.example.com", {"tech_prefix": "1234", "tech_separator": "*"}),
        ("tel:1234911", {"tech_prefix": "1234"}),
        ("911\r\n", {}),
        # What people copy along with a number
        ("Tel.: 911", {}),
        ("phone 1234911", {"tech_prefix": "1234"}),
        ("\N{BLACK TELEPHONE}'911',", {}),
        ("00 1 (0)911", {"country": "GB"}),
        # Live services of the trunk's own country
        ("101", {"country": "GB"}),
        ("1234*101", {"country": "GB", "tech_prefix": "1234", "tech_separator": "*"}),
        ("411", {"country": "CA"}),
        ("116 123", {"country": "IE"}),
    ],
)
@pytest.mark.parametrize("wanted", NumberFormat)
def test_a_hidden_emergency_number_is_refused(
    typed: str, settings: dict[str, str], wanted: NumberFormat
) -> None:
    with pytest.raises(CallRefusedError):
        dial(typed, trunk(number_format=wanted, **settings))


def test_a_live_service_is_an_extension_on_a_trunk_of_another_country() -> None:
    assert dial("101", trunk(country="US")).user == "101"
    assert dial("411", trunk(country="GB")).user == "411"
    assert dial("111", trunk(country="")).user == "111"


def test_the_gate_after_rewriting_looks_behind_the_prefix_too() -> None:
    through = trunk(tech_prefix="1234", tech_separator="*")
    for number in ("911", "1234*911", "1234911", "1234%2A911", "1234*+1911"):
        with pytest.raises(CallRefusedError):
            guard_rewritten(number, through)
    guard_rewritten("1234*15145550199", through)


def test_the_computers_country_counts_at_every_step() -> None:
    through = trunk(tech_prefix="1234", tech_separator="*")
    for text in ("144", "9144", "1234*144", "14 4", "144*1", "+41144", "144 #1"):
        with pytest.raises(CallRefusedError):
            dial(text, through, ("CH",))
    assert dial("144", through).user == "1234*144"
    # What only the prefix makes one
    with pytest.raises(CallRefusedError):
        dial("44", trunk(tech_prefix="1"), ("CH",))


# Ordinary numbers


@pytest.mark.parametrize(
    ("typed", "settings", "user"),
    [
        ("+1 514 555 0911", {}, "15145550911"),
        ("15555550911", {}, "15555550911"),
        ("514-555-0112", {}, "15145550112"),
        ("911 555 0100", {}, "19115550100"),
        ("+44 20 7946 0999", {}, "442079460999"),
        ("12345678*15145550199", {"tech_prefix": "12345678", "tech_separator": "*"}, "12345678*15145550199"),
        ("(514) 555-0199", {"tech_prefix": "12345678", "tech_separator": "#"}, "12345678%2315145550199"),
        ("12345678#5145550199", {"tech_prefix": "12345678", "tech_separator": "#"}, "12345678%2315145550199"),
        (
            "12345678*+1 514 555 0199",
            {"tech_prefix": "12345678", "tech_separator": "*"},
            "12345678*15145550199",
        ),
        ("1234+15145550199", {"tech_prefix": "1234"}, "123415145550199"),
        ("5145550911", {"tech_prefix": "911", "tech_separator": "*"}, "911*15145550911"),
        ("5145550199", {"tech_prefix": "112"}, "11215145550199"),
        ("600", {}, "600"),
        ("600\r\n", {}, "600"),
        ("*43", {}, "*43"),
        ("#31#600", {}, "%2331%23600"),
        ("*225", {"tech_prefix": "1234", "tech_separator": "*"}, "*225"),
        ("anna.smith", {"tech_prefix": "1234"}, "anna.smith"),
        ("933", {}, "933"),
        ("999 5550 199", {"country": "GB"}, "449995550199"),
        ("030 110 112 99", {"country": "DE"}, "493011011299"),
        ("sip:600@sip.example.com", {}, "600"),
    ],
)
def test_an_ordinary_number_is_sent_as_the_trunk_writes_it(
    typed: str, settings: dict[str, str], user: str
) -> None:
    through = trunk(number_format=NumberFormat.E164, **settings)
    dialled = dial(typed, through)
    assert dialled.user == user
    assert dialled.shown == user.replace("%23", "#")
    # What was shown may be typed again
    assert dial(dialled.shown, through).user == user


def test_the_caller_id_and_the_reason_come_along() -> None:
    through = trunk(
        number_format=NumberFormat.E164, caller_id="5145550199", caller_id_format=NumberFormat.E164_PLUS
    )
    assert dial("600", through).caller_id == "+15145550199"
    assert dial("600", through).note == "600 is a short number, so its digits are sent as typed."
    assert dial("+15145550100", through).note == ""


@pytest.mark.parametrize("typed", ["", "12+34", "sip:600@other.example.com", "6 0 0\r\nX: y", "1" * 65])
def test_what_is_no_number_for_this_trunk_is_refused(typed: str) -> None:
    with pytest.raises(UserError):
        dial(typed, trunk(tech_prefix="1234", tech_separator="*"))


def test_a_prefix_that_makes_a_number_too_long_is_refused() -> None:
    with pytest.raises(UserError, match="64 is the limit"):
        dial("1" * 64, trunk(tech_prefix="1234"))
