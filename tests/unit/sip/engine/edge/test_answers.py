"""Answers that the edge gives by itself, and the way they take."""

from __future__ import annotations

from typing import Any

import pytest

from app import __version__
from app.model.trunk import Transport
from app.sip.engine.edge.answers import (
    ALLOW,
    OK,
    UNKNOWN_USER,
    answer,
    capabilities,
    extension_faults,
    reply_hop,
    stamp,
)
from app.sip.engine.edge.hop import Hop
from app.sip.syntax.address import parse_via
from app.sip.syntax.gate import examine
from app.sip.syntax.message import Message, parse, serialise
from tests.unit.sip.accounts import hop
from tests.unit.sip.samples import request

SOURCE = hop("203.0.113.1", 40123)


def lines(message: Message, *names: str) -> list[str]:
    """The header lines of these names."""
    return [header.line for header in message.headers if header.name in names]


def answered(raw: bytes, source: Hop = SOURCE) -> Message:
    """A 404 to a request."""
    found = answer(parse(raw), UNKNOWN_USER, source)
    assert found is not None
    # What goes out can be read by everybody
    assert examine(serialise(found)).problems == ()
    return found


# What is copied


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
    assert found.start == "SIP/2.0 404 Not Found"
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
    assert lines(found, "server") == [f"Server: Ringback/{__version__}"]


def test_a_tag_is_added_where_there_is_none_and_is_the_same_for_a_repeat() -> None:
    first, second = (lines(answered(request()), "to") for _ in range(2))
    assert first == second
    other = lines(answered(request(call_id="Call-ID: other")), "to")
    assert other != first
    for value in ("<sip:a@b>;tag=9", "<sip:a@b> ; tag = 9", "sip:a@b;TAG=9", "<sip:a@b;tag=9>;tag=8"):
        assert lines(answered(request(to=f"To: {value}")), "to") == [f"To: {value}"]
    (inside,) = lines(answered(request(to="To: <sip:a@b;tag=9>")), "to")
    assert inside.startswith("To: <sip:a@b;tag=9>;tag=")


@pytest.mark.parametrize("missing", ["via", "sender", "to", "call_id", "cseq_line"])
def test_a_request_without_what_an_answer_copies_gets_none(missing: str) -> None:
    assert answer(parse(request(**{missing: None})), OK, SOURCE) is None


def test_more_headers_are_added() -> None:
    found = answer(parse(request("OPTIONS")), OK, SOURCE, capabilities())
    assert found is not None
    assert found.first("allow") == ALLOW
    for name in ("accept", "supported", "accept-encoding"):
        assert found.first(name)


# The Via


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
    assert [one.line for one in stamp(header, SOURCE)] == [f"Via: {after}"]
    second = 'SIP/2.0/UDP z;rport;x="a, b"'
    (both,) = parse(f"OPTIONS sip:a@b SIP/2.0\r\nv: {before} , {second}\r\n\r\n".encode()).headers
    assert [one.line for one in stamp(both, SOURCE)] in ([f"v: {after}", f"v: {second}"], [both.line])


def test_a_comma_in_quotes_is_no_end_of_a_via() -> None:
    via = 'Via: SIP/2.0/UDP h;x="a, \\" , b";branch=b, SIP/2.0/UDP i'
    (header,) = parse(f"OPTIONS sip:a@b SIP/2.0\r\n{via}\r\n\r\n".encode()).headers
    assert [one.line for one in stamp(header, SOURCE)] == [
        'Via: SIP/2.0/UDP h;x="a, \\" , b";branch=b;received=203.0.113.1',
        "Via: SIP/2.0/UDP i",
    ]


# The way back


@pytest.mark.parametrize(
    ("via", "port"),
    [
        ("SIP/2.0/UDP h;rport", 40123),
        ("SIP/2.0/UDP h:5070;rport", 40123),
        ("SIP/2.0/UDP h:5070", 5070),
        ("SIP/2.0/UDP h", 5060),
        ("SIP/2.0/UDP h:5070;rport=1", 5070),
        ("SIP/2.0/UDP h:5070;received=198.51.100.9", 5070),
        ("SIP/2.0/UDP h:5070;maddr=224.0.0.1", 40123),
        ("SIP/2.0/UDP h:5070;maddr=198.51.100.9", 40123),
        ("SIP/2.0/UDP h:5070;maddr=elsewhere.example", 5070),
    ],
)
def test_over_udp_an_answer_goes_back_to_the_address_it_came_from_whatever_the_via_says(
    via: str, port: int
) -> None:
    assert reply_hop(parse_via(via), SOURCE) == hop("203.0.113.1", port)


@pytest.mark.parametrize("transport", [Transport.TCP, Transport.TLS])
def test_over_a_connection_it_goes_back_on_it(transport: Transport) -> None:
    source = Hop(transport, "203.0.113.1", 40123)
    for via in ("SIP/2.0/TCP h:5070", "SIP/2.0/UDP h", "SIP/2.0/TLS h;rport;maddr=1.2.3.4"):
        assert reply_hop(parse_via(via), source) == source


def test_without_a_via_that_can_be_read_it_goes_back_where_it_came_from() -> None:
    assert reply_hop(None, SOURCE) == SOURCE


@pytest.mark.parametrize(
    ("headers", "unknown"),
    [
        ((), ()),
        (("Require: timer, 100rel",), ()),
        (("Require: Replaces",), ()),
        (("Require: timer, nothing, other", "Require: 100rel"), ("nothing", "other")),
        (("Supported: nothing",), ()),
        (("Proxy-Require: nothing",), ()),
    ],
)
def test_extensions_that_are_not_known_are_named(headers: tuple[str, ...], unknown: tuple[str, ...]) -> None:
    changes: dict[str, Any] = {}
    head = examine(request("INVITE", *headers, **changes)).head
    assert head is not None
    assert extension_faults(head) == unknown
