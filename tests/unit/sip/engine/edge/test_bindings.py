"""What the 200 to a REGISTER says of our own Contact."""

from __future__ import annotations

import pytest

from app.model.signalling import Bindings
from app.sip.engine.edge.bindings import bindings_of, own_binding
from app.sip.syntax.address import HostPort
from app.sip.syntax.gate import examine
from app.sip.syntax.head import Head
from tests.unit.sip.samples import response

OURS = HostPort("192.0.2.7", 5062)
INNER = "<sip:1001@127.0.0.1:40000;ob>;expires=300"
"""The Contact as PJSIP wrote it."""


def granted(*contacts: str, expires: str = "") -> Head:
    """A 200 that lists these."""
    lines = [f"Contact: {contact}" for contact in contacts] + ([f"Expires: {expires}"] if expires else [])
    head = examine(response("200 OK", *lines, method="REGISTER", contact=None)).head
    assert head is not None
    return head


def bindings(head: Head, asked_s: int = 300) -> Bindings:
    """What it lists."""
    return bindings_of(head, user="1001", ours=OURS, asked_s=asked_s)


OWN = "<sip:1001@192.0.2.7:5062;ob>"
OTHER = "<sip:1001@198.51.100.1:5060>;expires=20"


@pytest.mark.parametrize(
    ("contacts", "expires", "ours_s", "others"),
    [
        ((f"{OWN};expires=120",), "", 120, 0),
        ((f"{OWN};expires=120",), "60", 120, 0),
        ((OWN,), "60", 60, 0),
        ((OWN,), "", 300, 0),
        ((f"{OWN};expires=0",), "", 0, 0),
        ((f"{OWN};expires=20",), "", 20, 0),
        ((f"{OWN};expires=x",), "60", 300, 0),
        ((f"{OWN};expires=",), "60", 300, 0),
        ((f"{OWN};expires=4294967296",), "", 2**31 - 1, 0),
        ((OTHER, f"{OWN};expires=120"), "", 120, 1),
        ((f"{OTHER}, {OWN};expires=120",), "", 120, 1),
        ((f'{OWN};expires=120;q=0.5;+sip.instance="<urn:x>"', OTHER, OTHER), "", 120, 2),
        (('"Me, myself" <sip:1001@192.0.2.7:5062>;EXPIRES=7',), "", 7, 0),
        (("<sip:1001@192.0.2.7:5062;transport=udp>;expires=7",), "", 7, 0),
    ],
)
def test_our_own_contact_is_found_with_its_lifetime(
    contacts: tuple[str, ...], expires: str, ours_s: int, others: int
) -> None:
    found = bindings(granted(*contacts, expires=expires))
    assert found == Bindings(asked_s=300, ours_s=ours_s, others=others, listed=True)


def test_a_single_contact_of_our_user_is_ours_at_whatever_address_the_registrar_sees_us() -> None:
    found = bindings(granted("<sip:1001@203.0.113.7:61000>;expires=99"))
    assert found == Bindings(asked_s=300, ours_s=99, listed=True)


@pytest.mark.parametrize(
    "contacts",
    [
        ("<sip:1002@192.0.2.7:5062>",),
        ("<sip:1001@203.0.113.7:61000>", "<sip:1001@203.0.113.8:61000>"),
        ("<sip:1001@203.0.113.7:61000>", "<sip:1002@192.0.2.7:5062>"),
        ("<sip:1001@192.0.2.7>", "<sip:1001@192.0.2.7:5060>"),
        ("<sip:192.0.2.7:5062>",),
    ],
)
def test_contacts_of_others_are_not_ours(contacts: tuple[str, ...]) -> None:
    assert bindings(granted(*contacts)) == Bindings(asked_s=300, others=len(contacts), listed=True)


def test_the_default_port_need_not_be_named() -> None:
    found = bindings_of(
        granted("<sip:1001@192.0.2.7>;expires=9", OTHER),
        user="1001",
        ours=HostPort("192.0.2.7", 5060),
        asked_s=300,
    )
    assert (found.ours_s, found.others) == (9, 1)


def test_a_200_that_lists_nothing_is_said_to() -> None:
    assert bindings(granted()) == Bindings(asked_s=300)
    assert bindings(granted("*")) == Bindings(asked_s=300)


# What PJSIP gets


@pytest.mark.parametrize(
    ("contacts", "expires", "lifetime"),
    [
        ((f"{OWN};expires=120", OTHER), "", 120),
        ((f"{OWN};expires=0",), "", 0),
        ((OWN,), "60", 60),
        ((OWN,), "", 300),
        ((OTHER, OTHER), "60", 60),
        ((OTHER, OTHER), "", 300),
        ((), "60", 60),
        ((), "", 300),
    ],
)
def test_pjsip_gets_its_own_contact_with_a_lifetime(
    contacts: tuple[str, ...], expires: str, lifetime: int
) -> None:
    head = granted(*contacts, expires=expires)
    assert own_binding(INNER, bindings(head), head) == f"<sip:1001@127.0.0.1:40000;ob>;expires={lifetime}"


def test_a_contact_that_is_none_gives_none() -> None:
    head = granted(OWN)
    assert own_binding("*", bindings(head), head) == ""
    assert own_binding("", bindings(head), head) == ""
