"""Requests that are remembered until their responses have come."""

from __future__ import annotations

import pytest

from app.sip.engine.edge.transactions import KEEP, KEEP_S, Sent, Transactions, branch_inside
from app.sip.syntax.gate import examine
from tests.unit.sip.samples import request


def sent(now: float = 0.0, method: str = "INVITE") -> Sent:
    """A request of PJSIP."""
    return Sent(method, 1, now)


@pytest.fixture
def known() -> Transactions[Sent]:
    """None yet."""
    return Transactions()


def test_one_is_found_by_branch_and_method(known: Transactions[Sent]) -> None:
    invite, cancel = sent(), sent(method="CANCEL")
    known.add("b1", "INVITE", invite)
    known.add("b1", "CANCEL", cancel)
    assert known.get("b1", "INVITE", 1.0) is invite
    assert known.get("b1", "CANCEL", 1.0) is cancel
    assert known.get("b1", "ACK", 1.0) is None
    assert known.get("B1", "INVITE", 1.0) is None
    assert known.all() == (invite, cancel)
    known.drop("b1", "INVITE")
    known.drop("b1", "INVITE")
    assert known.all() == (cancel,)


def test_those_used_longest_ago_are_forgotten_first(known: Transactions[Sent]) -> None:
    for number in range(KEEP):
        known.add(str(number), "INVITE", sent())
    known.get("0", "INVITE", 1.0)
    known.add("more", "INVITE", sent())
    assert len(known) == KEEP
    assert known.get("0", "INVITE", 1.0) is not None
    assert known.get("1", "INVITE", 1.0) is None


def test_those_not_used_for_long_are_forgotten(known: Transactions[Sent]) -> None:
    known.add("old", "INVITE", sent(0.0))
    known.add("used", "INVITE", sent(0.0))
    known.add("new", "INVITE", sent(50.0))
    known.get("used", "INVITE", 60.0)
    known.forget_old(KEEP_S)
    assert len(known) == 3
    known.forget_old(KEEP_S + 1)
    assert [known.get(branch, "INVITE", 71.0) is None for branch in ("old", "used", "new")] == [
        True,
        False,
        False,
    ]
    known.forget_old(1000.0)
    assert len(known) == 0
    known.forget_old(2000.0)


def branch(method: str = "INVITE", via: str = "SIP/2.0/UDP h:5070;branch=z9hG4bK1", **changes: str) -> str:
    """That of a request of the far end, as PJSIP gets it."""
    head = examine(request(method, via=f"Via: {via}", **changes)).head
    assert head is not None
    return branch_inside(head.via, head)


def test_cancel_and_the_ack_of_a_refusal_have_the_branch_of_their_invite() -> None:
    for via in ("SIP/2.0/UDP h:5070;branch=z9hG4bK1", "SIP/2.0/UDP h;branch=old", "SIP/2.0/UDP h"):
        assert branch("INVITE", via) == branch("CANCEL", via) == branch("ACK", via)
        assert branch("INVITE", via).startswith("z9hG4bK")
        assert branch("INVITE", via).isalnum()


def test_other_requests_have_other_branches() -> None:
    vias = [
        "SIP/2.0/UDP h:5070;branch=z9hG4bK1",
        "SIP/2.0/UDP h:5070;branch=z9hG4bK2",
        "SIP/2.0/UDP h:5071;branch=z9hG4bK1",
        "SIP/2.0/UDP i:5070;branch=z9hG4bK1",
        "SIP/2.0/UDP h;branch=z9hG4bK1",
        "SIP/2.0/UDP h:5070;branch=1",
        "SIP/2.0/UDP h:5070",
    ]
    assert len({branch(via=via) for via in vias}) == len(vias)


@pytest.mark.parametrize("via", ["SIP/2.0/UDP h;branch=1", "SIP/2.0/UDP h"])
def test_without_a_branch_of_rfc_3261_the_request_itself_tells_them_apart(via: str) -> None:
    changes = [
        {},
        {"call_id": "Call-ID: other"},
        {"sender": "From: <sip:7@h>;tag=other"},
        {"cseq_line": "CSeq: 2 INVITE"},
    ]
    assert len({branch(via=via, **change) for change in changes}) == len(changes)
    with_cookie = "SIP/2.0/UDP h;branch=z9hG4bK1"
    assert len({branch(via=with_cookie, **change) for change in changes}) == 1
