"""A party of a call, read out of its SIP address."""

from __future__ import annotations

import pytest

from app.model.caller import caller_name, caller_number, caller_words


@pytest.mark.parametrize(
    ("address", "name", "number"),
    [
        ('"Anna Smith" <sip:+4930@example.com>', "Anna Smith", "+4930"),
        ('  "Anna"  <sip:+4930@example.com>;tag=1', "Anna", "+4930"),
        ('"<b>Anna</b>" <sip:+4930@example.com>', "<b>Anna</b>", "+4930"),
        ("Anna Smith <sips:anna@example.com>", "Anna Smith", "anna"),
        (" <tel:+4930>", "", "+4930"),
        ("sip:+4930@example.com", "", "+4930"),
        ("+4930", "", "+4930"),
        ('"Anna', "", '"Anna'),
        ("Anna <sip:+4930@example.com", "", "Anna <sip:+4930@example.com"),
    ],
)
def test_name_and_number_are_found(address: str, name: str, number: str) -> None:
    assert (caller_name(address), caller_number(address)) == (name, number)


@pytest.mark.parametrize("hostile", [" " * 60_000, "a " * 30_000, " \t" * 30_000 + '"', '" ' * 30_000])
def test_no_address_keeps_the_window_busy(hostile: str) -> None:
    assert len(caller_words(hostile)) <= len(hostile)
