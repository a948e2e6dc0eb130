"""DIDs: single numbers and ranges, as people write them."""

from __future__ import annotations

import time

import pytest

from app.errors import SettingError
from app.model.did import MOST_DIDS, DidRange, did_ranges
from app.model.settings import apply_settings, as_text, check_trunk
from app.model.trunk import SignIn, Trunk

BLANK = Trunk(id="1" * 32, name="Office", host="192.0.2.1", sign_in=SignIn.ADDRESS)


def read(text: str) -> tuple[str, ...]:
    """The entries, which are still the same when their own text is read again."""
    trunk, _ = apply_settings(BLANK, {"dids": text})
    check_trunk(trunk)
    assert apply_settings(BLANK, {"dids": as_text(trunk)["dids"]}) == (trunk, ())
    return trunk.dids


@pytest.mark.parametrize("text", ["", "101", "101;203;300-450", "007-009", "+4930100-+4930199", "1" * 15])
def test_dids_are_kept_as_typed(text: str) -> None:
    trunk, mended = apply_settings(BLANK, {"dids": text})
    assert (";".join(trunk.dids), mended) == (text, ())


@pytest.mark.parametrize(
    ("typed", "dids"),
    [
        (" ; \n,", ()),
        ("101, 203 ,300-450,", ("101", "203", "300-450")),
        ("101\r\n203\n\n300-450\n", ("101", "203", "300-450")),
        ("101\t203", ("101", "203")),
        ("514.555.0199", ("5145550199",)),
        ("514-555-0199", ("5145550199",)),
        ("+1-514-555-0199; +1 514 555 0100", ("+15145550199", "+15145550100")),
        ("514-555-0100 - 514-555-0199", ("5145550100-5145550199",)),
        ("300 - 450", ("300-450",)),
        ("300\N{EN DASH}450", ("300-450",)),
        ("514\N{NO-BREAK SPACE}555\N{NO-BREAK SPACE}0199", ("5145550199",)),
        ("+4930100-4930199", ("+4930100-+4930199",)),
        ("4930100-+4930199", ("+4930100-+4930199",)),
        ("5-5", ("5",)),
    ],
)
def test_dids_are_put_right_and_that_is_told(typed: str, dids: tuple[str, ...]) -> None:
    trunk, mended = apply_settings(BLANK, {"dids": typed})
    assert trunk.dids == dids
    assert mended
    assert read(typed) == dids


@pytest.mark.parametrize(
    ("typed", "value", "told"),
    [
        ("101;alice", "alice", "neither a number nor a range"),
        ("101;+", "+", "neither a number nor a range"),
        ("1" * 16, "1" * 16, "neither a number nor a range"),
        ("\uff11\uff10\uff11", "\uff11\uff10\uff11", "neither"),
        ("\u0661\u0660\u0661", "\u0661\u0660\u0661", "neither"),
        ("📞", "📞", "neither"),
        ("sip:101@sip.example.com", "sip:101@sip.example.com", "neither"),
        ("12+34", "12+34", "neither"),
        ("101-", "101-", "no range"),
        ("-101", "-101", "no range"),
        ("300 - ", "300 -", "no range"),
        ("a-b", "a-b", "no range"),
        ("450-300", "450-300", "ends before it begins"),
        ("101;99-150", "99-150", "ends of 2 and 3 digits"),
        ("555-0199", "555-0199", "If it is one number, write 5550199."),
        ("0000000-9999999", "0000000-9999999", "a million"),
        ("101;101", "101", 'also in "101"'),
        ("300-450;101;450", "450", 'also in "300-450"'),
        ("300-450;400-500", "400-500", 'also in "300-450"'),
        ("100-900;200-300;500", "200-300", 'also in "100-900"'),
        ("+4930100;4930100", "4930100", "also in"),
    ],
)
def test_a_wrong_did_is_refused_by_its_own_text(typed: str, value: str, told: str) -> None:
    with pytest.raises(SettingError) as caught:
        apply_settings(BLANK, {"dids": typed})
    assert caught.value.field == "dids"
    assert "DIDs" in caught.value.what
    assert f'"{value}"' in caught.value.what
    assert told in str(caught.value)
    assert caught.value.do


def test_numbers_of_different_length_do_not_overlap() -> None:
    assert read("1;01;001;10-19;010-019") == ("1", "01", "001", "10-19", "010-019")


def test_ten_thousand_dids_are_read_at_once_and_one_more_is_refused() -> None:
    numbers = [f"+4930{number:09}" for number in range(0, 2 * MOST_DIDS, 2)]
    began = time.process_time()
    assert read("\n".join(numbers)) == tuple(numbers)
    assert time.process_time() - began < 4  # four readings in there, each under a second
    with pytest.raises(SettingError, match="10001 entries"):
        apply_settings(BLANK, {"dids": ";".join([*numbers, "7"])})


def test_a_stored_did_is_read_as_the_range_it_was() -> None:
    assert did_ranges(read("101;+4930100-+4930199")) == (
        DidRange("101", "101"),
        DidRange("4930100", "4930199", plus=True),
    )
    assert [str(entry) for entry in did_ranges(("101", "+1-+9"))] == ["101", "+1-+9"]


def test_a_called_number_is_found_in_its_range_with_and_without_plus() -> None:
    (entry,) = did_ranges(("+4930100-+4930199",))
    assert "+4930100" in entry
    assert "4930199" in entry
    assert "4930200" not in entry
    assert "04930150" not in entry
    assert "493015" not in entry
