"""What an answer must repeat from our request: a router that changes it on the way is found."""

from __future__ import annotations

import pytest

from app.sip.engine.edge.echoes import alterations
from app.sip.engine.edge.transactions import Sent
from app.sip.syntax.gate import examine
from app.sip.syntax.message import parse
from tests.unit.sip.samples import response

REQUEST = (
    b"INVITE sip:7@sip.example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7:5060;rport;branch=z9hG4bKours\r\n"
    b"From: <sip:1001@sip.example.com>;tag=ours\r\nTo: <sip:7@sip.example.com>\r\nCall-ID: call-1\r\n"
    b"CSeq: 1 INVITE\r\n\r\n"
)


def changed(request: bytes = REQUEST, **changes: str | None) -> tuple[str, ...]:
    """What came back changed in a response with these headers."""
    head = examine(response(**changes)).head  # type: ignore[arg-type]  # lines of the message
    assert head is not None
    sent = Sent("INVITE", 1, 0.0)
    sent.message = parse(request)
    return alterations(head, sent)


def test_a_faithful_answer_has_nothing_changed() -> None:
    assert changed() == ()


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("via", "Via: SIP/2.0/UDP 192.0.2.7:5060;received=203.0.113.7;rport=61000;branch=z9hG4bKours"),
        ("via", "v: SIP / 2.0 / UDP 192.0.2.7 ;branch=z9hG4bKours"),
        ("sender", 'f: "Me" <sip:1001@SIP.example.com;x=y> ; tag = ours'),
        ("to", "To: <sip:7@sip.example.com>;tag=any"),
        ("to", "To: sip:7@sip.example.com"),
        ("sender", "From: nonsense"),
        ("sender", None),
        ("to", "To: <tel:7>;tag=x"),
    ],
)
def test_what_a_server_may_add_or_spell_differently_is_no_change(name: str, line: str | None) -> None:
    assert changed(**{name: line}) == ()


@pytest.mark.parametrize(
    ("name", "line", "found"),
    [
        (
            "via",
            "Via: SIP/2.0/UDP 203.0.113.7:5060;branch=z9hG4bKours",
            "Via came back as 203.0.113.7:5060 instead of 192.0.2.7:5060",
        ),
        (
            "via",
            "Via: SIP/2.0/UDP 192.0.2.7:61000;branch=z9hG4bKours",
            "Via came back as 192.0.2.7:61000 instead of 192.0.2.7:5060",
        ),
        ("call_id", "Call-ID: call-2", "Call-ID came back as call-2 instead of call-1"),
        ("cseq_line", "CSeq: 2 INVITE", "CSeq came back as 2 instead of 1"),
        (
            "sender",
            "From: <sip:1001@203.0.113.7>;tag=ours",
            "From came back as 1001@203.0.113.7;tag=ours instead of 1001@sip.example.com;tag=ours",
        ),
        (
            "sender",
            "From: <sip:1001@sip.example.com>;tag=theirs",
            "From came back as 1001@sip.example.com;tag=theirs instead of 1001@sip.example.com;tag=ours",
        ),
        (
            "to",
            "To: <sip:8@sip.example.com>",
            "To came back as 8@sip.example.com instead of 7@sip.example.com",
        ),
    ],
)
def test_what_was_changed_is_named_with_both_values(name: str, line: str, found: str) -> None:
    assert changed(**{name: line}) == (found,)


def test_values_are_shown_short() -> None:
    (found,) = changed(call_id=f"Call-ID: {'x' * 500}")
    assert len(found) < 150


def test_a_request_of_ours_that_the_gate_would_not_take_has_nothing_to_compare() -> None:
    assert changed(REQUEST.replace(b"<sip:7@", b"<sip:7" + b"7" * 3000 + b"@")) == ()
    head = examine(response()).head
    assert head is not None
    assert alterations(head, Sent("INVITE", 1, 0.0)) == ()
