"""Messages of PJSIP as the far end gets them."""

from __future__ import annotations

import pytest

from app.model.trunk import Transport
from app.sip.engine.edge import outward
from app.sip.engine.edge.dialogs import Dialogs, Leg
from app.sip.engine.edge.outward import Face
from app.sip.engine.edge.transactions import Received
from app.sip.syntax.address import HostPort, parse_address, parse_uri
from app.sip.syntax.gate import examine
from app.sip.syntax.message import Message, parse, serialise
from tests.unit.sip.accounts import hop
from tests.unit.sip.samples import SDP, request

OURS = HostPort("192.0.2.7", 50123)
VIA = "Via: SIP/2.0/UDP 127.0.0.1:40001;rport;branch=z9hG4bKPjabc"
FACES = {transport: Face(ours=OURS, transport=transport) for transport in Transport}


def inner(
    method: str = "INVITE", *more: str, uri: str = "sip:7@sip.example.com", body: bytes = b""
) -> Message:
    """A request as PJSIP hands it over."""
    lines = [
        f"{method} {uri} SIP/2.0",
        VIA,
        "Max-Forwards: 70",
        "From: <sip:1001@sip.example.com>;tag=inner",
        "To: <sip:7@sip.example.com>",
        "Contact: <sip:1001@127.0.0.1:40001;ob>",
        "Call-ID: call-1",
        f"CSeq: 7 {method}",
        "Route: <sip:127.0.0.1:40000;lr;hide>",
        *more,
    ]
    return parse("\r\n".join([*lines, "", ""]).encode() + body)


def leg(*routes: str, contact: str = "sip:7@203.0.113.1:5070", incoming: bool = False) -> Leg:
    """A dialog with this route set and this Contact."""
    dialogs = Dialogs()
    local = "<sip:1001@sip.example.com>;tag=wire"
    call = dialogs.begin("wire-call", incoming=incoming, local=local, local_tag="wire")
    found = dialogs.leg(
        call, "far", '"Far" <sip:7@far.example>;tag=far', parse_uri("sip:7@far.example"), hop()
    )
    found.route([parse_address(f"<{route}>") for route in routes], reverse=False)
    found.retarget((parse_address(f"<{contact}>"),) if contact else ())
    return found


def lines(message: Message) -> list[str]:
    """All lines of the head."""
    return serialise(message).decode().partition("\r\n\r\n")[0].split("\r\n")


# Requests outside of dialogs


def test_a_whole_request() -> None:
    out = outward.request(inner("INVITE", "X-Odd:  two  spaces ", body=SDP), FACES[Transport.UDP], leg=None)
    assert lines(out) == [
        "INVITE sip:7@sip.example.com SIP/2.0",
        "Via: SIP/2.0/UDP 192.0.2.7:50123;rport;branch=z9hG4bKPjabc",
        "Max-Forwards: 70",
        "From: <sip:1001@sip.example.com>;tag=inner",
        "To: <sip:7@sip.example.com>",
        "Contact: <sip:1001@192.0.2.7:50123;ob>",
        "Call-ID: call-1",
        "CSeq: 7 INVITE",
        "X-Odd:  two  spaces ",
        f"Content-Length: {len(SDP)}",
    ]
    assert out.body == SDP


@pytest.mark.parametrize(
    ("transport", "via", "contact"),
    [
        (Transport.UDP, "SIP/2.0/UDP", "<sip:1001@192.0.2.7:50123;ob>"),
        (Transport.TCP, "SIP/2.0/TCP", "<sip:1001@192.0.2.7:50123;transport=tcp;ob>"),
        (Transport.TLS, "SIP/2.0/TLS", "<sip:1001@192.0.2.7:50123;transport=tls;ob>"),
    ],
)
def test_via_and_contact_are_ours_for_each_transport(transport: Transport, via: str, contact: str) -> None:
    out = outward.request(inner(), FACES[transport], leg=None)
    assert out.values("via") == [f"{via} 192.0.2.7:50123;rport;branch=z9hG4bKPjabc"]
    assert out.values("contact") == [contact]
    assert out.values("route") == []


@pytest.mark.parametrize("method", ["CANCEL", "ACK", "REGISTER", "OPTIONS"])
def test_the_branch_stays_pjsips(method: str) -> None:
    out = outward.request(inner(method), FACES[Transport.UDP], leg=None)
    assert outward.branch_of(out) == outward.branch_of(inner(method)) == "z9hG4bKPjabc"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("*", "*"),
        ("<sip:127.0.0.1:40001>", "<sip:192.0.2.7:50123;transport=tcp>"),
        ("<sip:a@127.0.0.1:40001>;expires=60", "<sip:a@192.0.2.7:50123;transport=tcp>;expires=60"),
        ("<sip:a@127.0.0.1:40001;transport=UDP;ob>", "<sip:a@192.0.2.7:50123;transport=tcp;ob>"),
        ('"Lee" <sip:a@127.0.0.1:40001;ob>;q=1', '"Lee" <sip:a@192.0.2.7:50123;transport=tcp;ob>;q=1'),
        ("<sip:a%20b@127.0.0.1:40001;x=y>", "<sip:a%20b@192.0.2.7:50123;transport=tcp;x=y>"),
        ("sip:nobody", "sip:nobody"),
    ],
)
def test_a_contact_keeps_all_but_its_address(before: str, after: str) -> None:
    message = parse(f"REGISTER sip:h SIP/2.0\r\n{VIA}\r\nContact: {before}\r\n\r\n".encode())
    assert outward.request(message, FACES[Transport.TCP], leg=None).values("contact") == [after]


def test_ipv6_is_put_in_brackets() -> None:
    out = outward.request(inner(), Face(ours=HostPort("2001:db8::7", 5), transport=Transport.TLS), leg=None)
    assert out.first("via") == "SIP/2.0/TLS [2001:db8::7]:5;rport;branch=z9hG4bKPjabc"
    assert out.first("contact") == "<sip:1001@[2001:db8::7]:5;transport=tls;ob>"


def test_a_register_from_a_new_address_takes_the_former_one_back() -> None:
    former = HostPort("203.0.113.7", 61000)
    out = outward.request(inner("REGISTER"), FACES[Transport.UDP], leg=None, former=former)
    assert out.values("contact") == [
        "<sip:1001@192.0.2.7:50123;ob>",
        "<sip:1001@203.0.113.7:61000;ob>;expires=0",
    ]
    for method in ("INVITE", "OPTIONS"):
        other = outward.request(inner(method), FACES[Transport.UDP], leg=None, former=former)
        assert len(other.values("contact")) == 1


# Requests in dialogs


@pytest.mark.parametrize(
    ("routes", "uri", "values"),
    [
        ((), "sip:7@203.0.113.1:5070", []),
        (("sip:p1.example;lr",), "sip:7@203.0.113.1:5070", ["<sip:p1.example;lr>"]),
        (
            ("sip:p2.example;lr;ftag=1", "sips:p1.example:5061;lr=on"),
            "sip:7@203.0.113.1:5070",
            ["<sip:p2.example;lr;ftag=1>", "<sips:p1.example:5061;lr=on>"],
        ),
        (
            ("sip:strict.example;x=1", "sip:p1.example;lr"),
            "sip:strict.example;x=1",
            ["<sip:p1.example;lr>", "<sip:7@203.0.113.1:5070>"],
        ),
        (("sip:strict.example",), "sip:strict.example", ["<sip:7@203.0.113.1:5070>"]),
    ],
)
def test_the_route_set_leads_a_request_and_a_strict_router_is_addressed_itself(
    routes: tuple[str, ...], uri: str, values: list[str]
) -> None:
    out = outward.request(inner("BYE", uri="sip:1@127.0.0.1:40000"), FACES[Transport.UDP], leg=leg(*routes))
    assert out.start == f"BYE {uri} SIP/2.0"
    assert out.values("route") == values
    assert [header.name for header in out.headers][: 1 + len(values)] == ["via", *["route"] * len(values)]


def test_headers_in_the_uri_of_a_contact_are_no_part_of_a_request_uri() -> None:
    out = outward.request(inner("BYE"), FACES[Transport.UDP], leg=leg(contact="sip:7@h;x=1?Subject=y"))
    assert out.uri == "sip:7@h;x=1"


def test_in_a_call_of_ours_the_far_end_sees_its_own_address_and_tag() -> None:
    out = outward.request(inner("BYE"), FACES[Transport.UDP], leg=leg())
    assert out.first("from") == "<sip:1001@sip.example.com>;tag=inner"
    assert out.first("to") == '"Far" <sip:7@far.example>;tag=far'
    assert out.first("call-id") == "wire-call"


def test_in_a_call_of_theirs_it_sees_both_as_they_were_on_the_wire() -> None:
    out = outward.request(inner("BYE"), FACES[Transport.UDP], leg=leg(incoming=True))
    assert out.first("from") == "<sip:1001@sip.example.com>;tag=wire"
    assert out.first("to") == '"Far" <sip:7@far.example>;tag=far'
    assert out.first("call-id") == "wire-call"


def test_before_a_contact_came_there_is_no_next_hop() -> None:
    assert outward.next_hop_uri(leg(contact="")) is None
    target = outward.next_hop_uri(leg())
    assert target is not None
    assert target.text == "sip:7@203.0.113.1:5070"
    first = outward.next_hop_uri(leg("sip:p2.example;lr", "sip:p1.example;lr", contact=""))
    assert first is not None
    assert first.text == "sip:p2.example;lr"


@pytest.mark.parametrize("transport", list(Transport))
def test_a_request_that_goes_another_way_says_so_in_its_via(transport: Transport) -> None:
    out = outward.request(inner("BYE"), FACES[Transport.UDP], leg=leg())
    sent = outward.over(out, transport)
    assert sent.values("via") == [f"SIP/2.0/{transport.upper()} 192.0.2.7:50123;rport;branch=z9hG4bKPjabc"]
    assert [header for header in sent.headers if header.name != "via"] == list(out.headers[1:])


# Responses


def answered(status: str = "200 OK", *more: str, method: str = "INVITE", **changes: str | None) -> Message:
    """A response of PJSIP to a request of the far end, as it goes out."""
    raw = request(
        method,
        "Via: SIP/2.0/UDP below.example;branch=z9hG4bKbelow",
        "Record-Route: <sip:p2.example;lr>",
        "Record-Route: <sip:p1.example;lr>",
        **changes,
    )
    head, message = examine(raw).head, parse(raw)
    assert head is not None
    received = Received(head, "b", hop(), 0.0)
    received.copied = tuple(h for h in message.headers if h.name in ("via", "from", "call-id", "cseq"))
    (received.to,) = message.named("to")
    received.routes = tuple(message.named("record-route"))
    lines = [
        f"SIP/2.0 {status}",
        "Via: SIP/2.0/UDP 127.0.0.1:40000;branch=b",
        "From: <sip:7@h>;tag=inner-far",
        "To: <sip:1001@h>;tag=ours",
        "Call-ID: inner",
        f"CSeq: 1 {method}",
        "Record-Route: <sip:127.0.0.1:40000;lr>",
        "Contact: <sip:1001@127.0.0.1:40001;ob>",
        *more,
    ]
    return outward.response(
        parse("\r\n".join([*lines, "", ""]).encode() + SDP), received, FACES[Transport.UDP]
    )


def test_a_whole_response() -> None:
    assert lines(answered("180 Ringing", "Require: 100rel", "RSeq: 1")) == [
        "SIP/2.0 180 Ringing",
        "Via: SIP/2.0/UDP 203.0.113.1:5060;rport;branch=z9hG4bKfar",
        "Via: SIP/2.0/UDP below.example;branch=z9hG4bKbelow",
        'From: "Far" <sip:7@sip.example.com>;tag=far',
        "To: <sip:1001@sip.example.com>;tag=ours",
        "Call-ID: call-1",
        "CSeq: 1 INVITE",
        "Record-Route: <sip:p2.example;lr>",
        "Record-Route: <sip:p1.example;lr>",
        "Contact: <sip:1001@192.0.2.7:50123;ob>",
        "Require: 100rel",
        "RSeq: 1",
        f"Content-Length: {len(SDP)}",
    ]


def test_a_tag_that_the_request_had_stays_as_it_was() -> None:
    to = "t :  <sip:1001@sip.example.com> ;tag=ours"
    assert to in lines(answered(to=to))


@pytest.mark.parametrize(
    ("status", "method", "routes"),
    [
        ("100 Trying", "INVITE", 0),
        ("180 Ringing", "INVITE", 2),
        ("200 OK", "INVITE", 2),
        ("486 Busy Here", "INVITE", 0),
        ("200 OK", "BYE", 0),
        ("200 OK", "UPDATE", 0),
    ],
)
def test_record_routes_come_back_where_a_dialog_begins(status: str, method: str, routes: int) -> None:
    assert len(answered(status, method=method).values("record-route")) == routes


def test_the_contact_of_a_redirection_is_somebody_elses() -> None:
    assert answered("302 Moved", method="INVITE").values("contact") == ["<sip:1001@127.0.0.1:40001;ob>"]
