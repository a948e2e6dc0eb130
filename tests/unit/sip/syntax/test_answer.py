"""Answers without state: they copy what RFC 3261 section 8.2.6 says, and go where the request came from."""

from __future__ import annotations

import pytest

from app.sip.syntax.address import HostPort, parse_via
from app.sip.syntax.answer import answer, copied_headers, reply_address
from app.sip.syntax.gate import examine
from app.sip.syntax.head import Reason
from app.sip.syntax.message import Message, parse, serialise

SOURCE = HostPort("198.51.100.7", 40000)
REFUSAL = Reason(481, "Call/Transaction Does Not Exist")
REQUEST = (
    b"OPTIONS sip:a@b SIP/2.0\r\nv: SIP/2.0/UDP h;branch=z9hG4bK1\r\nRoute: <sip:x>\r\n"
    b'f: "J\xe9" <sip:c@d>;tag=1\r\nt: <sip:a@b>\r\ni: x\r\nCSeq: 1 OPTIONS\r\n\r\n'
)


def answered(raw: bytes) -> Message:
    found = answer(parse(raw), REFUSAL, SOURCE, server="Us", headers=[("Allow", "BYE")])
    assert found is not None
    return found


def stamped(via: str) -> list[str]:
    """The Via values of an answer to a request with this Via."""
    return answered(REQUEST.replace(b"SIP/2.0/UDP h;branch=z9hG4bK1", via.encode())).values("via")


def test_an_answer_holds_what_a_response_copies_octet_for_octet_and_what_is_added() -> None:
    raw = serialise(answered(REQUEST))
    tag = parse(raw).first("to").partition(";tag=")[2]
    assert len(tag) == 16
    assert raw == (
        b"SIP/2.0 481 Call/Transaction Does Not Exist\r\n"
        b"v: SIP/2.0/UDP h;branch=z9hG4bK1;received=198.51.100.7\r\n"
        b'f: "J\xe9" <sip:c@d>;tag=1\r\nt: <sip:a@b>;tag=%s\r\ni: x\r\nCSeq: 1 OPTIONS\r\n'
        b"Allow: BYE\r\nServer: Us\r\nContent-Length: 0\r\n\r\n" % tag.encode()
    )


def test_an_answer_passes_the_gate() -> None:
    assert examine(serialise(answered(REQUEST.replace(b"\xe9", b"e")))).problems == ()


def test_the_same_request_gets_the_same_tag_and_another_one_another() -> None:
    assert answered(REQUEST) == answered(REQUEST)
    assert answered(REQUEST).first("to") != answered(REQUEST.replace(b"i: x", b"i: y")).first("to")


@pytest.mark.parametrize("to", [b"<sip:a@b>;tag=9", b"sip:a@b;tag=9", b"<sip:a@b> ; tag = 9", b'"x" ;tag=9'])
def test_a_tag_that_is_there_stays(to: bytes) -> None:
    assert answered(REQUEST.replace(b"<sip:a@b>\r\ni:", to + b"\r\ni:")).first("to").encode() == to


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
    ("via", "expected"),
    [
        ("SIP/2.0/UDP h;branch=b", "SIP/2.0/UDP h;branch=b;received=198.51.100.7"),
        ("SIP/2.0/UDP 198.51.100.7;branch=b", "SIP/2.0/UDP 198.51.100.7;branch=b"),
        ("SIP/2.0/UDP h;rport;branch=b", "SIP/2.0/UDP h;rport=40000;received=198.51.100.7;branch=b"),
        ("SIP/2.0/UDP 198.51.100.7;rport", "SIP/2.0/UDP 198.51.100.7;rport=40000;received=198.51.100.7"),
        ("SIP/2.0/UDP h; RPort = ;branch=b", "SIP/2.0/UDP h;rport=40000;received=198.51.100.7;branch=b"),
        ('SIP/2.0/UDP h;rport="";branch=b', "SIP/2.0/UDP h;rport=40000;received=198.51.100.7;branch=b"),
        ("SIP/2.0/UDP h;rport=7;branch=b", "SIP/2.0/UDP h;rport=7;branch=b;received=198.51.100.7"),
        # Where the letters stand somewhere else too
        (
            "SIP/2.0/UDP rport.h;branch=z9hG4bKrport;rport",
            "SIP/2.0/UDP rport.h;branch=z9hG4bKrport;rport=40000;received=198.51.100.7",
        ),
        ("SIP/2.0/UDP h;xrport;rport", "SIP/2.0/UDP h;xrport;rport=40000;received=198.51.100.7"),
        (
            'SIP/2.0/UDP h;x=";rport;";rport;y',
            'SIP/2.0/UDP h;x=";rport;";rport=40000;received=198.51.100.7;y',
        ),
    ],
)
def test_the_top_via_says_where_the_request_came_from(via: str, expected: str) -> None:
    assert stamped(via) == [expected]
    assert stamped(f"{via}, SIP/2.0/TCP i;branch=c;rport") == [expected, "SIP/2.0/TCP i;branch=c;rport"]


def test_a_quote_that_is_not_closed_hides_nothing() -> None:
    assert stamped('SIP/2.0/UDP h;x="a;rport') == ['SIP/2.0/UDP h;x="a;rport=40000;received=198.51.100.7']


@pytest.mark.parametrize("via", ["rubbish", "SIP/2.0/UDP h;rport;=", ", SIP/2.0/UDP h"])
def test_a_via_that_can_not_be_read_stays_as_it_is(via: str) -> None:
    raw = REQUEST.replace(b"SIP/2.0/UDP h;branch=z9hG4bK1", via.encode())
    assert answered(raw).first("via") == via


@pytest.mark.parametrize(
    ("via", "port"),
    [
        ("SIP/2.0/UDP h", 5060),
        ("SIP/2.0/UDP h:7000", 7000),
        ("SIP/2.0/UDP h:7000;rport", 40000),
        ("SIP/2.0/UDP h:7000;maddr=239.1.1.1", 40000),
        ("SIP/2.0/UDP h:7000;maddr=192.0.2.1", 40000),
    ],
)
def test_a_response_goes_back_to_the_address_it_came_from(via: str, port: int) -> None:
    assert reply_address(parse_via(via), SOURCE) == HostPort(SOURCE.host, port)
