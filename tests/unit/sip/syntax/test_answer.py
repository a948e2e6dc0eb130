"""Answers without state: they copy what RFC 3261 section 8.2.6 says, and go where the request came from."""

from __future__ import annotations

import pytest

from app.sip.syntax.address import HostPort
from app.sip.syntax.answer import answer, copied_headers
from app.sip.syntax.gate import examine
from app.sip.syntax.head import Reason
from app.sip.syntax.message import Header, Message, parse, serialise
from tests.unit.sip.samples import request

SOURCE = HostPort("203.0.113.1", 40123)
REFUSAL = Reason(481, "Call/Transaction Does Not Exist")
REQUEST = (
    b"OPTIONS sip:a@b SIP/2.0\r\nv: SIP/2.0/UDP h;branch=z9hG4bK1\r\nRoute: <sip:x>\r\n"
    b'f: "J\xe9" <sip:c@d>;tag=1\r\nt: <sip:a@b>\r\ni: x\r\nCSeq: 1 OPTIONS\r\n\r\n'
)


def answered(raw: bytes) -> Message:
    found = answer(parse(raw), REFUSAL, SOURCE, server="Us", headers=[("Allow", "BYE")])
    assert found is not None
    return found


def lines(message: Message, *names: str) -> list[str]:
    """The header lines of these names."""
    return [header.line for header in message.headers if header.name in names]


def vias(header: Header) -> list[str]:
    """The lines that an answer has for the first Via of a request."""
    return [copy.line for copy in copied_headers(Message(start="", headers=(header,)), SOURCE)]


def stamped(via: str) -> list[str]:
    """The Via values of an answer to a request with this Via."""
    return answered(REQUEST.replace(b"SIP/2.0/UDP h;branch=z9hG4bK1", via.encode())).values("via")


def test_an_answer_holds_what_a_response_copies_octet_for_octet_and_what_is_added() -> None:
    raw = serialise(answered(REQUEST))
    tag = parse(raw).first("to").partition(";tag=")[2]
    assert len(tag) == 16
    assert raw == (
        b"SIP/2.0 481 Call/Transaction Does Not Exist\r\n"
        b"v: SIP/2.0/UDP h;branch=z9hG4bK1;received=203.0.113.1\r\n"
        b'f: "J\xe9" <sip:c@d>;tag=1\r\nt: <sip:a@b>;tag=%s\r\ni: x\r\nCSeq: 1 OPTIONS\r\n'
        b"Allow: BYE\r\nServer: Us\r\nContent-Length: 0\r\n\r\n" % tag.encode()
    )


def test_an_answer_passes_the_gate() -> None:
    assert examine(serialise(answered(REQUEST.replace(b"\xe9", b"e")))).problems == ()


def test_everything_that_identifies_a_request_comes_back_as_it_was() -> None:
    raw = (
        b"INVITE sip:1001@192.0.2.7 SIP/2.0\r\n"
        b"v: SIP / 2.0 / UDP p.example.com:5070 ;branch=z9hG4bK1\r\n"
        b"Via:  SIP/2.0/UDP below.example ;branch=z9hG4bK0\r\n"
        b"Subject: no copy\r\n"
        b'f:  "Ann"  <sip:7@h>;tag=1\r\n'
        b"T : <sip:1001@b>\r\n"
        b"i: c@d\r\n"
        b"CSeq:  7   INVITE\r\n"
        b"Record-Route: <sip:p;lr>\r\n"
        b"l: 0\r\n\r\n"
    )
    found = answered(raw)
    assert lines(found, "via") == [
        "v: SIP / 2.0 / UDP p.example.com:5070 ;branch=z9hG4bK1;received=203.0.113.1",
        "Via:  SIP/2.0/UDP below.example ;branch=z9hG4bK0",
    ]
    assert lines(found, "from", "call-id", "cseq") == [
        'f:  "Ann"  <sip:7@h>;tag=1',
        "i: c@d",
        "CSeq:  7   INVITE",
    ]
    (to,) = lines(found, "to")
    assert to.startswith("T : <sip:1001@b>;tag=")
    assert lines(found, "subject", "record-route", "contact") == []
    assert lines(found, "server") == ["Server: Us"]


def test_a_tag_is_added_where_there_is_none_and_is_the_same_for_a_repeat() -> None:
    first, second = (lines(answered(request()), "to") for _ in range(2))
    assert first == second
    other = lines(answered(request(call_id="Call-ID: other")), "to")
    assert other != first
    for value in ("<sip:a@b>;tag=9", "<sip:a@b> ; tag = 9", "sip:a@b;TAG=9", "<sip:a@b;tag=9>;tag=8"):
        assert lines(answered(request(to=f"To: {value}")), "to") == [f"To: {value}"]
    (inside,) = lines(answered(request(to="To: <sip:a@b;tag=9>")), "to")
    assert inside.startswith("To: <sip:a@b;tag=9>;tag=")


@pytest.mark.parametrize("name", [b"v", b"CSeq"])
def test_an_answer_needs_what_it_is_known_by(name: bytes) -> None:
    raw = REQUEST.replace(b"\r\n" + name + b":", b"\r\nX-" + name + b":")
    assert answer(parse(raw), REFUSAL, SOURCE, server="Us") is None


def test_an_answer_can_not_hold_what_the_request_did_not() -> None:
    raw = REQUEST.replace(b"\r\nf:", b"\r\nX:").replace(b"\r\nt:", b"\r\nX:").replace(b"\r\ni:", b"\r\nX:")
    names = [header.name for header in answered(raw).headers]
    assert names == ["via", "cseq", "allow", "server"]


def test_a_header_that_stands_twice_is_copied_once() -> None:
    raw = REQUEST.replace(b"i: x\r\n", b"i: x\r\nCall-ID: x\r\n")
    assert [header.name for header in copied_headers(parse(raw), SOURCE)] == [
        "via",
        "from",
        "to",
        "call-id",
        "cseq",
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("SIP/2.0/UDP 203.0.113.1;branch=b", "SIP/2.0/UDP 203.0.113.1;branch=b"),
        ("SIP/2.0/UDP 203.0.113.1:9;branch=b", "SIP/2.0/UDP 203.0.113.1:9;branch=b"),
        ("SIP/2.0/UDP p.example;branch=b", "SIP/2.0/UDP p.example;branch=b;received=203.0.113.1"),
        ("SIP/2.0/UDP 10.0.0.1;branch=b", "SIP/2.0/UDP 10.0.0.1;branch=b;received=203.0.113.1"),
        (
            "SIP/2.0/UDP 203.0.113.1:9;rport;branch=b",
            "SIP/2.0/UDP 203.0.113.1:9;rport=40123;received=203.0.113.1;branch=b",
        ),
        ("SIP/2.0/UDP h;branch=b;rport", "SIP/2.0/UDP h;branch=b;rport=40123;received=203.0.113.1"),
        ("SIP/2.0/UDP h;branch=b;RPORT=;x", "SIP/2.0/UDP h;branch=b;rport=40123;received=203.0.113.1;x"),
        ("SIP/2.0/UDP h ; rport ; branch=b", "SIP/2.0/UDP h ;rport=40123;received=203.0.113.1; branch=b"),
        (
            "SIP/2.0/UDP airport.example;rport;branch=b",
            "SIP/2.0/UDP airport.example;rport=40123;received=203.0.113.1;branch=b",
        ),
        (
            "SIP/2.0/UDP h;branch=z9hG4bKrport1;rport",
            "SIP/2.0/UDP h;branch=z9hG4bKrport1;rport=40123;received=203.0.113.1",
        ),
        (
            "SIP/2.0/UDP h;xrport=1;rport;branch=b",
            "SIP/2.0/UDP h;xrport=1;rport=40123;received=203.0.113.1;branch=b",
        ),
        ("SIP/2.0/UDP h;rport=7;branch=b", "SIP/2.0/UDP h;rport=7;branch=b;received=203.0.113.1"),
        ("SIP/2.0/UDP h;received=1.2.3.4;branch=b", "SIP/2.0/UDP h;received=1.2.3.4;branch=b"),
        ("SIP/2.0/UDP [2001:db8::1];rport", "SIP/2.0/UDP [2001:db8::1];rport=40123;received=203.0.113.1"),
        ("nonsense", "nonsense"),
    ],
)
def test_where_it_came_from_is_noted_in_the_top_via(before: str, after: str) -> None:
    (header,) = parse(f"OPTIONS sip:a@b SIP/2.0\r\nVia: {before}\r\n\r\n".encode()).headers
    assert vias(header) == [f"Via: {after}"]
    second = 'SIP/2.0/UDP z;rport;x="a, b"'
    (both,) = parse(f"OPTIONS sip:a@b SIP/2.0\r\nv: {before} , {second}\r\n\r\n".encode()).headers
    assert vias(both) in ([f"v: {after}", f"v: {second}"], [both.line])


def test_a_comma_in_quotes_is_no_end_of_a_via() -> None:
    via = 'Via: SIP/2.0/UDP h;x="a, \\" , b";branch=b, SIP/2.0/UDP i'
    (header,) = parse(f"OPTIONS sip:a@b SIP/2.0\r\n{via}\r\n\r\n".encode()).headers
    assert vias(header) == [
        'Via: SIP/2.0/UDP h;x="a, \\" , b";branch=b;received=203.0.113.1',
        "Via: SIP/2.0/UDP i",
    ]


def test_a_quote_that_is_not_closed_hides_nothing() -> None:
    assert stamped('SIP/2.0/UDP h;x="a;rport') == ['SIP/2.0/UDP h;x="a;rport=40123;received=203.0.113.1']


@pytest.mark.parametrize("via", ["rubbish", "SIP/2.0/UDP h;rport;=", ", SIP/2.0/UDP h"])
def test_a_via_that_can_not_be_read_stays_as_it_is(via: str) -> None:
    raw = REQUEST.replace(b"SIP/2.0/UDP h;branch=z9hG4bK1", via.encode())
    assert answered(raw).first("via") == via
