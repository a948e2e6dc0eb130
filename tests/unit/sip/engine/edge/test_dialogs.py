"""Calls, their legs and where requests in them go."""

from __future__ import annotations

import pytest

from app.sip.engine.edge.dialogs import (
    LINGER_S,
    LONGEST_CALL_ID,
    MOST_CALLS,
    MOST_LEGS,
    Call,
    Dialogs,
    Leg,
    inner_call_id,
    inner_tag,
)
from app.sip.syntax.address import LONGEST_TAG, Address, is_token, parse_address, parse_uri
from app.sip.syntax.gate import examine
from app.sip.syntax.head import Head
from tests.unit.sip.accounts import hop
from tests.unit.sip.samples import request

PEER = hop()
TARGET = parse_uri("sip:7@sip.example.com")


def read(raw: bytes) -> Head:
    """What the gate reads."""
    head = examine(raw).head
    assert head is not None
    return head


def addresses(*values: str) -> tuple[Address, ...]:
    """Read ones."""
    return tuple(parse_address(value) for value in values)


def leg_of(dialogs: Dialogs, call: Call, tag: str = "far") -> Leg:
    """A leg of a call."""
    return dialogs.leg(call, tag, f"<sip:7@sip.example.com>;tag={tag}", TARGET, PEER)


@pytest.fixture
def dialogs() -> Dialogs:
    """None yet."""
    return Dialogs()


# Calls


def test_a_call_is_found_by_both_its_ids(dialogs: Dialogs) -> None:
    long = "x" * (LONGEST_CALL_ID + 1)
    for call_id in ("call-1", long):
        call = dialogs.begin(call_id, incoming=False, local="<sip:a@b>;tag=1", local_tag="1")
        assert dialogs.of(call_id) is call
        assert dialogs.inside(call.inner_id) is call
    assert dialogs.inside(long) is None
    assert len(dialogs) == 2
    assert dialogs.of("other") is None


def test_a_call_that_begins_again_is_a_new_one(dialogs: Dialogs) -> None:
    first = dialogs.begin("call-1", incoming=True, local="", local_tag="")
    leg = leg_of(dialogs, first)
    second = dialogs.begin("call-1", incoming=True, local="", local_tag="")
    assert dialogs.of("call-1") is second
    assert dialogs.aliased(leg.number) is None
    assert len(dialogs) == 1


def test_a_call_of_ours_and_one_of_theirs_can_share_a_call_id(dialogs: Dialogs) -> None:
    ours = dialogs.begin("call-1", incoming=False, local="<sip:a@b>;tag=ours", local_tag="ours")
    theirs = dialogs.begin("call-1", incoming=True, local="", local_tag="mine")
    assert len(dialogs) == 2
    assert ours.inner_id == "call-1"
    assert theirs.inner_id != "call-1"
    assert (dialogs.inside("call-1"), dialogs.inside(theirs.inner_id)) == (ours, theirs)
    assert dialogs.of("call-1") is theirs
    one, two = leg_of(dialogs, ours, "mine"), leg_of(dialogs, theirs, "ours")
    to, sender = "To: <sip:1001@h>;tag={}", "From: <sip:1001@h>;tag={}"
    assert dialogs.match(read(request("BYE", to=to.format("ours"), sender=sender.format("mine")))) is one
    assert dialogs.match(read(request("BYE", to=to.format("mine"), sender=sender.format("ours")))) is two
    assert dialogs.match(read(request("BYE", to=to.format("mine"), sender=sender.format("mine")))) is None
    again = dialogs.begin("call-1", incoming=True, local="", local_tag="")
    assert (dialogs.of("call-1"), dialogs.inside("call-1"), len(dialogs)) == (again, ours, 2)
    dialogs.forget("call-1")
    assert len(dialogs) == 0


def test_ended_calls_are_forgotten_after_a_while(dialogs: Dialogs) -> None:
    first, second, third = (
        dialogs.begin(call_id, incoming=True, local="", local_tag="") for call_id in "abc"
    )
    leg = leg_of(dialogs, first)
    first.ended_at, second.ended_at = 100.0, 120.0
    dialogs.forget_ended(100.0 + LINGER_S)
    assert len(dialogs) == 3
    dialogs.forget_ended(100.0 + LINGER_S + 0.1)
    assert (dialogs.of("a"), dialogs.inside("a"), dialogs.aliased(leg.number)) == (None, None, None)
    assert dialogs.of("b") is second
    dialogs.forget_ended(10_000.0)
    assert dialogs.of("c") is third
    dialogs.forget("nobody")


def test_room_is_made_by_forgetting_calls_that_have_ended(dialogs: Dialogs) -> None:
    calls = [
        dialogs.begin(str(number), incoming=True, local="", local_tag="") for number in range(MOST_CALLS)
    ]
    assert not dialogs.has_room
    calls[77].ended_at = 1.0
    assert dialogs.has_room
    dialogs.begin("one more", incoming=True, local="", local_tag="")
    assert len(dialogs) == MOST_CALLS
    assert dialogs.of("77") is None
    assert dialogs.of("0") is calls[0]
    # There is no other choice left now: a call of ours is never refused for want of memory
    dialogs.begin("and more", incoming=False, local="", local_tag="")
    assert len(dialogs) == MOST_CALLS
    assert dialogs.of("0") is None
    assert dialogs.of("and more") is not None


# Which leg a request is in


def test_a_request_is_in_the_leg_with_both_its_tags(dialogs: Dialogs) -> None:
    call = dialogs.begin("call-1", incoming=False, local="<sip:a@b>;tag=ours", local_tag="ours")
    leg = leg_of(dialogs, call)
    other = leg_of(dialogs, call, "fork")
    to = "To: <sip:1001@sip.example.com>;tag=ours"
    assert dialogs.match(read(request("BYE", to=to))) is leg
    assert dialogs.match(read(request("BYE", to=to, sender="From: <sip:7@h>;tag=fork"))) is other
    for changes in (
        {"call_id": "Call-ID: call-2"},
        {"to": "To: <sip:1001@sip.example.com>;tag=Ours"},
        {"to": "To: <sip:1001@sip.example.com>"},
        {"sender": "From: <sip:7@sip.example.com>;tag=FAR"},
        {"sender": "From: <sip:7@sip.example.com>"},
    ):
        assert dialogs.match(read(request("BYE", **{"to": to, **changes}))) is None, changes


def test_before_our_tag_is_known_no_request_is_in_a_dialog(dialogs: Dialogs) -> None:
    leg_of(dialogs, dialogs.begin("call-1", incoming=True, local="", local_tag=""))
    assert dialogs.match(read(request("BYE", to="To: <sip:1001@sip.example.com>"))) is None


def test_a_far_end_without_a_tag_has_a_leg_all_the_same(dialogs: Dialogs) -> None:
    call = dialogs.begin("call-1", incoming=True, local="", local_tag="ours")
    leg = leg_of(dialogs, call, "")
    raw = request("BYE", to="To: <sip:1001@h>;tag=ours", sender="From: <sip:7@h>")
    assert dialogs.match(read(raw)) is leg
    assert leg.inner_tag == "none"


def test_a_leg_is_entered_once_and_each_has_an_alias_of_its_own(dialogs: Dialogs) -> None:
    call = dialogs.begin("call-1", incoming=False, local="", local_tag="ours")
    one, two = leg_of(dialogs, call, "1"), leg_of(dialogs, call, "2")
    assert leg_of(dialogs, call, "1") is one
    assert one.number != two.number
    assert (dialogs.aliased(one.number), dialogs.aliased(two.number)) == (one, two)
    assert dialogs.aliased(0) is None
    dialogs.forget("call-1")
    again = dialogs.begin("call-1", incoming=False, local="", local_tag="ours")
    assert leg_of(dialogs, again, "1").number not in (one.number, two.number)
    assert dialogs.aliased(one.number) is None


# Routes and targets

ROUTES = addresses("<sip:p3.example;lr>;x=1", '"P2" <sip:p2.example;lr;ftag=a>', "<sips:p1.example>")


def test_a_far_end_that_makes_up_tags_fills_no_memory(dialogs: Dialogs) -> None:
    call = dialogs.begin("call-1", incoming=False, local="", local_tag="ours")
    legs = [leg_of(dialogs, call, f"tag-{number}") for number in range(5 * MOST_LEGS)]
    kept = [legs[0], *legs[1 - MOST_LEGS :]]
    assert list(call.legs.values()) == kept
    assert [leg for leg in legs if dialogs.aliased(leg.number)] == kept


def test_the_route_set_is_that_of_the_first_message_in_its_direction(dialogs: Dialogs) -> None:
    call = dialogs.begin("call-1", incoming=False, local="", local_tag="")
    caller, called = leg_of(dialogs, call, "1"), leg_of(dialogs, call, "2")
    caller.route(ROUTES, reverse=True)
    called.route(ROUTES, reverse=False)
    forward = ("<sip:p3.example;lr>", "<sip:p2.example;lr;ftag=a>", "<sips:p1.example>")
    assert called.routes == forward
    assert caller.routes == tuple(reversed(forward))
    caller.route((), reverse=True)
    called.route(addresses("<sip:other>"), reverse=False)
    assert (caller.routes, called.routes) == (tuple(reversed(forward)), forward)


def test_an_empty_route_set_is_one_too(dialogs: Dialogs) -> None:
    leg = leg_of(dialogs, dialogs.begin("call-1", incoming=False, local="", local_tag=""))
    leg.route((), reverse=True)
    leg.route(ROUTES, reverse=True)
    assert leg.routes == ()


@pytest.mark.parametrize(
    ("contacts", "target"),
    [
        (("<sip:7@203.0.113.9:5070>",), "sip:7@203.0.113.9:5070"),
        (("<sips:7@h>", "<sip:8@h>"), "sips:7@h"),
        ((), None),
        (("<tel:+49>", "<sip:8@h>"), None),
    ],
)
def test_the_target_is_the_first_contact_where_it_is_a_sip_address(
    dialogs: Dialogs, contacts: tuple[str, ...], target: str | None
) -> None:
    leg = leg_of(dialogs, dialogs.begin("call-1", incoming=False, local="", local_tag=""))
    assert (leg.target, leg.located) == (TARGET, False)
    leg.retarget(addresses(*contacts))
    assert (leg.target.text, leg.located) == (target or TARGET.text, target is not None)
    leg.retarget(addresses("<sip:9@h>"))
    assert (leg.target.text, leg.located) == ("sip:9@h", True)
    leg.retarget(())
    assert (leg.target.text, leg.located) == ("sip:9@h", True)


# Names in PJSIP


def test_ids_and_tags_that_pjsip_can_not_hold_are_stood_in_for() -> None:
    for length in (1, LONGEST_CALL_ID):
        assert inner_call_id("x" * length) == "x" * length
    for text in ("x" * (LONGEST_CALL_ID + 1), "y" * (LONGEST_CALL_ID + 1), "x" * 5000):
        assert len(inner_call_id(text)) < 64
    assert inner_call_id("x" * 200) != inner_call_id("x" * 201)
    assert inner_call_id("x" * 200) == inner_call_id("x" * 200)
    for tag in ("a", "x" * LONGEST_TAG):
        assert inner_tag(tag) == tag
    for tag in ("x" * (LONGEST_TAG + 1), "a b", "\udce9", "a;b", '"'):
        assert is_token(inner_tag(tag))
    assert inner_tag("a b") != inner_tag("a  b")
