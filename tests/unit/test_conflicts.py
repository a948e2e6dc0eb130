"""Trunks that get in each other's way."""

from __future__ import annotations

import time

import pytest
from msgspec.structs import replace

from app.model.conflicts import Conflict, conflicts
from app.model.trunk import SignIn, Trunk

MINE = Trunk(id="mine", name="Mine", host="sip.example.com", user="4711")
OTHER = Trunk(id="other", name="Other", host="SIP.Example.com", user="4711")


def fields(trunk: Trunk, *others: Trunk) -> list[str]:
    """What they share."""
    return [found.field for found in conflicts(trunk, others)]


@pytest.mark.parametrize(
    ("mine", "other", "found"),
    [
        ({}, {}, ["user"]),
        ({}, {"user": "4712"}, []),
        ({}, {"host": "sip2.example.com"}, []),
        ({"auth_id": "a"}, {"auth_id": "a", "user": "x"}, ["auth_id"]),
        ({"auth_id": "a"}, {}, []),
        ({}, {"user": "x", "auth_id": "4711"}, ["user"]),
        ({"sign_in": SignIn.CREDENTIALS}, {"sign_in": SignIn.CREDENTIALS}, ["user"]),
        ({"sign_in": SignIn.CREDENTIALS}, {}, []),
        ({"sign_in": SignIn.ADDRESS}, {"sign_in": SignIn.ADDRESS}, ["host"]),
        ({"sign_in": SignIn.ADDRESS, "user": ""}, {"sign_in": SignIn.ADDRESS, "user": ""}, ["host"]),
        ({"sign_in": SignIn.ADDRESS}, {}, []),
        ({}, {"id": "mine"}, []),
        ({}, {"connect": False}, ["user"]),
    ],
)
def test_one_account_or_address_for_two_is_found(
    mine: dict[str, object], other: dict[str, object], found: list[str]
) -> None:
    assert fields(replace(MINE, **mine), replace(OTHER, **other)) == found


@pytest.mark.parametrize(
    ("mine", "theirs", "shared"),
    [
        (("101",), ("101",), "101"),
        (("101",), ("102",), ""),
        (("100-199",), ("150",), "150"),
        (("150",), ("100-199",), "150"),
        (("100-149", "300-450"), ("140-160", "200"), "140"),
        (("100-149",), ("150-160",), ""),
        (("100-150",), ("150-160",), "150"),
        (("0100-0150",), ("100-150",), ""),
        (("+4930100",), ("4930100",), "4930100"),
        (("200-300",), ("250", "210", "290"), "210"),
        (("1", "500-600"), ("2", "3", "555"), "555"),
        ((), ("1",), ""),
    ],
)
def test_a_number_that_two_trunks_of_one_host_have_is_named(
    mine: tuple[str, ...], theirs: tuple[str, ...], shared: str
) -> None:
    other = replace(OTHER, user="x", dids=theirs)
    found = conflicts(replace(MINE, dids=mine), [other])
    assert [each.what for each in found] == (
        [f'The number {shared} also belongs to "Other". A call to it reaches only one trunk.']
        if shared
        else []
    )
    assert fields(replace(MINE, dids=mine), replace(other, host="elsewhere.example.com")) == []


def test_each_conflict_is_a_sentence_with_the_others_name() -> None:
    (found,) = conflicts(MINE, [OTHER])
    assert found == Conflict(
        other="Other",
        field="user",
        what='"Other" registers as "4711" at SIP.Example.com too. Calls may come in on either one.',
    )


def test_five_hundred_trunks_with_many_numbers_are_compared_at_once() -> None:
    others = [
        replace(
            OTHER, id=str(number), user=str(number), dids=tuple(f"49{number:03}{i:04}" for i in range(200))
        )
        for number in range(500)
    ]
    mine = replace(MINE, user="x", dids=tuple(f"48{i:07}" for i in range(10_000)))
    begin = time.perf_counter()
    assert conflicts(mine, others) == ()
    again = time.perf_counter()
    assert conflicts(mine, others) == ()
    # Generous for a busy machine; looking at each pair of numbers would take minutes
    assert again - begin < 10
