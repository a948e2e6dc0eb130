"""Messages for PJSIP are built from what the gate has read: none of the far end's own text is in them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from app.sip.engine.edge import inward
from app.sip.engine.edge.dialogs import Dialogs, Leg
from app.sip.engine.edge.transactions import Sent
from app.sip.syntax.address import HostPort, parse_address, parse_uri
from app.sip.syntax.gate import examine
from app.sip.syntax.message import Message, serialise
from app.sip.syntax.sdp import read_sdp
from tests.unit.sip.accounts import hop
from tests.unit.sip.samples import SDP, SDP_TYPE, request, response

EDGE = HostPort("127.0.0.1", 40000)
OWN_URI = "sip:127.0.0.1:40001"


def leg(tag: str = "far", *, incoming: bool = True, call_id: str = "call-1", local_tag: str = "") -> Leg:
    """A leg of a call."""
    dialogs = Dialogs()
    call = dialogs.begin(call_id, incoming=incoming, local="", local_tag=local_tag)
    return dialogs.leg(call, tag, f"<sip:7@h>;tag={tag}", parse_uri("sip:7@h"), hop())


def sent(method: str = "INVITE", **changes: str) -> Sent:
    """A request of PJSIP that has gone out."""
    found = Sent(method, 7, 0.0)
    found.via = "SIP/2.0/UDP 127.0.0.1:40001;rport;branch=z9hG4bKPj"
    found.sender, found.to = "<sip:1001@h>;tag=inner", "<sip:7@sip.example.com>"
    found.call_id, found.contact = "inner-call", "<sip:1001@127.0.0.1:40001;ob>"
    for name, value in changes.items():
        setattr(found, name, value)
    return found


def came(
    raw: bytes, of: Sent | None = None, at: Leg | None = None, challenge: str = "", contact: str = ""
) -> Message:
    """A response of the far end as PJSIP gets it."""
    examined = examine(raw)
    assert examined.message is not None
    assert examined.head is not None
    return inward.response(
        examined.message,
        examined.head,
        of or sent(),
        leg=at,
        edge=EDGE,
        challenge=challenge,
        contact=contact,
    )


def asked(raw: bytes, at: Leg | None = None) -> Message:
    """A request of the far end as PJSIP gets it."""
    examined = examine(raw)
    assert examined.message is not None
    assert examined.head is not None, examined.problems
    return inward.request(
        examined.message, examined.head, leg=at or leg(), branch="z9hG4bKin", uri=OWN_URI, edge=EDGE
    )


def lines(message: Message) -> list[str]:
    """All lines of the head."""
    return serialise(message).decode("ascii").partition("\r\n\r\n")[0].split("\r\n")


# Responses


def test_a_whole_response() -> None:
    raw = response(
        "183 Session Progress",
        "Record-Route: <sip:p1.example;lr>",
        "Allow: INVITE, ACK",
        "Supported: timer",
        "Require: 100rel",
        "RSeq: 9",
        "Session-Expires: 1800;refresher=uas",
        "Min-SE: 90",
        "Server: Far <end>",
        "P-Asserted-Identity: <sip:7@h>",
        SDP_TYPE,
        body=SDP,
    )
    far = leg(incoming=False)
    message = came(raw, at=far)
    assert lines(message) == [
        "SIP/2.0 183 Session Progress",
        "Via: SIP/2.0/UDP 127.0.0.1:40001;rport;branch=z9hG4bKPj",
        "From: <sip:1001@h>;tag=inner",
        "To: <sip:7@sip.example.com>;tag=far",
        "Call-ID: inner-call",
        "CSeq: 7 INVITE",
        f"Contact: <sip:{far.number}@127.0.0.1:40000>",
        "Allow: INVITE, ACK",
        "Supported: timer",
        "Require: 100rel",
        "Session-Expires: 1800;refresher=uas",
        "Min-SE: 90",
        "RSeq: 9",
        "Content-Type: application/sdp",
        f"Content-Length: {len(message.body)}",
    ]
    assert message.body == read_sdp(SDP).body


def test_a_dialog_tag_of_ours_is_never_added_twice() -> None:
    already = sent(to="<sip:7@sip.example.com>;tag=known")
    assert came(response(), already, at=leg()).first("to") == "<sip:7@sip.example.com>;tag=known"
    assert came(response(), already).first("to") == "<sip:7@sip.example.com>;tag=known"


@pytest.mark.parametrize(("tag", "shown"), [("far", "far"), ("x" * 200, r"long-[0-9a-f]{32}"), ("", "none")])
def test_the_tag_of_a_leg_is_one_that_pjsip_can_hold(tag: str, shown: str) -> None:
    to = came(response(to=f"To: <sip:7@h>;tag={tag}" if tag else "To: <sip:7@h>"), at=leg(tag)).first("to")
    assert re.fullmatch(rf"<sip:7@sip\.example\.com>;tag={shown}", to)


def test_outside_of_dialogs_the_answers_own_tag_is_used() -> None:
    assert (
        came(response(method="REGISTER"), sent("REGISTER")).first("to") == "<sip:7@sip.example.com>;tag=far"
    )
    without = came(response(method="REGISTER", to="To: <sip:7@h>"), sent("REGISTER"))
    assert without.first("to") == "<sip:7@sip.example.com>"


@pytest.mark.parametrize("status", ["100 Trying", "180 Ringing", "200 OK", "302 Moved", "404 x", "503 x"])
def test_a_contact_is_an_alias_where_it_matters_and_else_is_left_out(status: str) -> None:
    far = leg()
    contacts = came(response(status), at=far).values("contact")
    assert contacts == ([f"<sip:{far.number}@127.0.0.1:40000>"] if status[0] in "12" else [])


def test_our_binding_is_what_it_is_told() -> None:
    own = "<sip:1001@127.0.0.1:40001;ob>;expires=60"
    raw = response(method="REGISTER", contact="Contact: <sip:1001@1.2.3.4>;expires=60")
    assert came(raw, sent("REGISTER"), contact=own).values("contact") == [own]


@pytest.mark.parametrize(("code", "name"), [(401, "www-authenticate"), (407, "proxy-authenticate")])
def test_a_challenge_is_the_one_it_is_told(code: int, name: str) -> None:
    raw = response(f"{code} x", 'WWW-Authenticate: Digest realm="real"', SDP_TYPE, body=SDP)
    message = came(raw, challenge='Digest realm="realm-1"')
    assert message.values(name) == ['Digest realm="realm-1"']
    assert message.body == b""
    bare = came(raw)
    assert [header.name for header in bare.headers] == ["via", "from", "to", "call-id", "cseq"]


@pytest.mark.parametrize(
    ("status", "start"),
    [
        ("200", "SIP/2.0 200 -"),
        ("200 ", "SIP/2.0 200 -"),
        ("200 OK", "SIP/2.0 200 OK"),
        ("403 refus\udce9", "SIP/2.0 403 refusé"),
        ("403 \x07", "SIP/2.0 403 -"),
    ],
)
def test_the_phrase_is_text_on_one_line(status: str, start: str) -> None:
    assert came(response(status)).start == start
    serialise(came(response(status)))


def test_sdp_whose_name_is_not_found_yet_is_left_out() -> None:
    raw = response("200 OK", SDP_TYPE, body=SDP.replace(b"c=IN IP4 192.0.2.1", b"c=IN IP4 m.example"))
    message = came(raw, at=leg())
    assert (message.body, message.named("content-type")) == (b"", [])


def test_a_failure_of_our_own_is_503_with_a_tag() -> None:
    assert lines(inward.failure(sent(), "no way")) == [
        "SIP/2.0 503 no way",
        "Via: SIP/2.0/UDP 127.0.0.1:40001;rport;branch=z9hG4bKPj",
        "From: <sip:1001@h>;tag=inner",
        "To: <sip:7@sip.example.com>;tag=edge",
        "Call-ID: inner-call",
        "CSeq: 7 INVITE",
        "Content-Length: 0",
    ]
    inside = inward.failure(sent("BYE", to="<sip:7@h>;tag=far"), "x")
    assert inside.first("to") == "<sip:7@h>;tag=far"


# Requests


def test_a_whole_request() -> None:
    far = leg()
    message = asked(
        request(
            "INVITE",
            "Via: SIP/2.0/UDP below.example;branch=z9hG4bKbelow",
            "Record-Route: <sip:p1.example;lr>",
            "Route: <sip:x>",
            "Allow: INVITE",
            "Supported: timer, 100rel",
            "Session-Expires: 1800;refresher=uac",
            "Min-SE: 100;x=1",
            "Expires: 60",
            "User-Agent: <evil>",
            "Authorization: Digest x",
            SDP_TYPE,
            body=SDP,
        ),
        far,
    )
    assert lines(message) == [
        "INVITE sip:127.0.0.1:40001 SIP/2.0",
        "Via: SIP/2.0/UDP 127.0.0.1:40000;branch=z9hG4bKin",
        "Max-Forwards: 70",
        "From: <sip:7@sip.example.com>;tag=far",
        "To: <sip:1001@sip.example.com>",
        "Call-ID: call-1",
        "CSeq: 1 INVITE",
        f"Contact: <sip:{far.number}@127.0.0.1:40000>",
        "Allow: INVITE",
        "Supported: timer, 100rel",
        "Session-Expires: 1800;refresher=uac",
        "Min-SE: 100",
        "Content-Type: application/sdp",
        f"Content-Length: {len(message.body)}",
    ]
    assert message.body == read_sdp(SDP).body


def test_within_a_dialog_it_carries_the_tags_and_ids_that_pjsip_knows() -> None:
    far = leg("x" * 200, call_id="c" * 200, local_tag="ours")
    message = asked(request("BYE", to="To: <sip:1001@h>;tag=ours", call_id=f"Call-ID: {'c' * 200}"), far)
    assert message.first("to") == "<sip:1001@h>;tag=ours"
    assert message.first("from").endswith(f";tag={far.inner_tag}")
    assert message.first("call-id") == far.call.inner_id
    assert len(far.call.inner_id) < 64


ANONYMOUS = "<sip:anonymous@anonymous.invalid>"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("<sip:7@h>", "<sip:7@h>"),
        ('"Name" <sips:7@h:5061;x=y?z=1>;p=1', "<sip:7@h:5061>"),
        ("<sip:h>", "<sip:h>"),
        ("<sip:a:secret@h>", "<sip:a@h>"),
        ("<sip:*21#@h>", "<sip:*21%23@h>"),
        ("<sip:+49(30)12-34@h>", "<sip:+49(30)12-34@h>"),
        ("<sip:a;b=c@h>", "<sip:a;b=c@h>"),
        ("<sip:7@[2001:db8::1]:5060>", "<sip:7@[2001:db8::1]:5060>"),
        ("<sip:" + "u" * 64 + "@h>", "<sip:" + "u" * 64 + "@h>"),
        ("<sip:" + "u" * 65 + "@h>", ANONYMOUS),
        ("<sip:7@" + "h" * 65 + ">", ANONYMOUS),
        ("<tel:+4930123>", ANONYMOUS),
        ("<mailto:a@b>", ANONYMOUS),
        ("<urn:x:y>", ANONYMOUS),
    ],
)
def test_an_address_that_does_not_fit_is_stood_in_for(address: str, shown: str) -> None:
    assert inward.safe_address(parse_address(address), "") == shown
    assert inward.safe_address(parse_address(address), "t") == f"{shown};tag=t"


def test_an_address_that_was_not_read_is_stood_in_for() -> None:
    assert inward.safe_address(None, "t") == f"{ANONYMOUS};tag=t"


# Bodies


@pytest.mark.parametrize(
    ("kind", "body", "digit"),
    [
        ("application/dtmf-relay", b"Signal=5\r\nDuration=100\r\n", ("5", 100)),
        ("application/dtmf-relay", b"signal = a\nduration = 20\n", ("A", 20)),
        ("application/dtmf-relay", b"Signal=*\r\n", ("*", 160)),
        ("application/dtmf-relay", b"Duration=100\r\n Signal= # \r\n", ("#", 100)),
        ("application/dtmf-relay", b"Signal=5\r\nDuration=999999\r\n", ("5", 160)),
        ("application/dtmf-relay", b"Signal=5\r\nDuration=-1\r\n", ("5", 160)),
        ("application/dtmf-relay", b"Signal=55\r\n", None),
        ("application/dtmf-relay", b"Signal=x\r\n", None),
        ("application/dtmf-relay", b"Signal=\r\n", None),
        ("application/dtmf-relay", b"", None),
        ("application/dtmf", b"5", ("5", 160)),
        ("application/dtmf", b" d\r\n", ("D", 160)),
        ("application/dtmf", b"55", None),
        ("application/dtmf", b"\xb2", None),
        ("application/dtmf", b"", None),
        ("text/plain", b"Signal=5\r\n", None),
    ],
)
def test_digits_are_read_and_written_again(kind: str, body: bytes, digit: tuple[str, int] | None) -> None:
    raw = request("INFO", f"Content-Type: {kind}", body=body)
    examined = examine(raw)
    assert examined.message is not None
    assert examined.head is not None
    assert inward.dtmf_digit(examined.message, examined.head) == digit
    if digit is not None:
        message = asked(raw)
        assert message.first("content-type") == "application/dtmf-relay"
        assert message.body == f"Signal={digit[0]}\r\nDuration={digit[1]}\r\n".encode()


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (b"SIP/2.0 200 OK", "SIP/2.0 200 OK"),
        (b"SIP/2.0 100 Trying\r\nX: y\r\n", "SIP/2.0 100 Trying"),
        (b"sip/2.0 603", "SIP/2.0 603"),
        (b"SIP/2.0 486 bes\xc3\xa4tzt", "SIP/2.0 486 bes?tzt"),
        (b"SIP/2.0 486 \x1b[31m", "SIP/2.0 486 ?[31m"),
        (b"SIP/2.0 486 " + b"x" * 500, "SIP/2.0 486 " + "x" * 64),
        (b"SIP/2.0 99 x", ""),
        (b"SIP/2.0 700 x", ""),
        (b"hello", ""),
        (b"", ""),
    ],
)
def test_the_news_of_a_transfer_are_one_status_line(body: bytes, line: str) -> None:
    raw = request("NOTIFY", "Event: refer;id=93", "Content-Type: message/sipfrag;version=2.0", body=body)
    examined = examine(raw)
    assert examined.message is not None
    assert examined.head is not None
    assert inward.fragment(examined.message, examined.head) == line
    if line:
        message = asked(raw)
        assert message.body.decode("ascii") == f"{line}\r\n"
        assert message.first("event") == "refer;id=93"


@pytest.mark.parametrize(
    ("value", "state"),
    [
        ("active", "active;expires=60"),
        ("Active;expires=99999999999", "active;expires=60"),
        ("pending", "active;expires=60"),
        ("", "active;expires=60"),
        ("\udce9", "active;expires=60"),
        ("terminated", "terminated;reason=noresource"),
        (" TERMINATED ;reason=x", "terminated;reason=noresource"),
    ],
)
def test_a_subscription_is_up_or_over(value: str, state: str) -> None:
    kind = "Content-Type: message/sipfrag"
    raw = request("NOTIFY", "Event: refer", f"Subscription-State: {value}", kind, body=b"SIP/2.0 200 OK")
    assert asked(raw).first("subscription-state") == state


def test_rack_is_written_for_prack_alone() -> None:
    assert asked(request("PRACK", "RAck: 9 1 INVITE")).first("rack") == "9 1 INVITE"
    assert asked(request("UPDATE", "RAck: 9 1 INVITE")).named("rack") == []


# Nothing of the far end's own text

EVIL = ["<", '"', "\\", "%s%n", "\x00", "\x1b[31m", "\udce9", "é", "🙂", "x" * 3000, "\r\n X: y", ";", ","]


@pytest.mark.parametrize("text", EVIL)
def test_whatever_is_in_a_header_what_pjsip_gets_is_plain_ascii_on_short_lines(text: str) -> None:
    headers = ["Subject", "Server", "Contact", "Record-Route", "Allow", "Supported", "Require", "X", "RSeq"]
    headers += ["Session-Expires", "Min-SE", "Event", "Content-Disposition", "Reason", "Warning"]
    for name in headers:
        changes: dict[str, Any] = {"contact": None} if name == "Contact" else {}
        for raw in (
            response("200 OK", f"{name}: {text}", **changes),
            request("BYE", f"{name}: {text}", **changes),
        ):
            examined = examine(raw)
            if examined.head is None:
                continue
            message = came(raw, at=leg()) if raw.startswith(b"SIP/") else asked(raw)
            for line in lines(message):
                assert len(line) < 1000
                assert line.isprintable()


@pytest.mark.parametrize("text", EVIL)
def test_whatever_is_in_an_address_what_pjsip_gets_can_be_read_again(text: str) -> None:
    for name, header in (("sender", "From"), ("to", "To")):
        for value in (
            f'"{text}" <sip:7@h>;tag=1',
            f"<sip:{text}@h>;tag=1",
            f"<sip:7@h>;tag=1;x={text}",
            f"{text}",
        ):
            raw = request("BYE", **{name: f"{header}: {value}"})
            if examine(raw).head is None:
                continue
            message = asked(raw)
            for line in lines(message):
                assert len(line) < 300
                assert line.isprintable()
            assert examine(serialise(message)).problems == ()


# Their size

LARGEST_FOR_PJSIP = 4000
"""Octets from which PJSIP drops a message (PJSIP_MAX_PKT_LEN)."""
MANY = [f"{'w' * 61}{number:02}" for number in range(32)]
LARGE_SDP = (
    b"v=0\r\no=- 2147483647 2147483647 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nc=IN IP4 255.255.255.255\r\n"
    + b"m=audio 65535 RTP/SAVP "
    + b" ".join(b"%d" % kind for kind in range(96, 128))
    + b"\r\n"
    + b"".join(b"a=rtpmap:%d %s/48000/2\r\n" % (kind, b"n" * 32) for kind in range(96, 128))
    + b"".join(b"a=fmtp:%d %s\r\n" % (kind, b"p" * 200) for kind in range(96, 128))
    + b"".join(b"a=crypto:12345678%d %s inline:%s\r\n" % (tag, b"S" * 64, b"k" * 120) for tag in range(8))
    + b"".join(
        b"a=rtcp:%d IN IP4 255.255.255.255\r\na=ptime:%d\r\n" % (port, 1 + port % 200) for port in range(900)
    )
    + b"m=application 0 RTP/AVP 0\r\n" * 12
)
LARGE = [
    *(f"{name}: {', '.join(MANY)}" for name in ("Allow", "Supported", "Require", "Unsupported", "Accept")),
    "Session-Expires: 2147483647;refresher=uas",
    "Min-SE: 2147483647",
    "Min-Expires: 2147483647",
    "RSeq: 2147483647",
    SDP_TYPE,
]


def test_the_largest_response_is_not_too_large_for_pjsip() -> None:
    ours = f"<sip:{'%20' * 64}@{'h' * 64}>"
    own = sent(sender=f"{ours};tag={'t' * 32}", to=ours, call_id="c" * 128)
    raw = response(f"200 {chr(0x1F4A9) * 200}", *LARGE, body=LARGE_SDP)
    message = came(raw, own, leg("t" * 128, incoming=False))
    assert message.body
    assert len(serialise(message)) < LARGEST_FOR_PJSIP


def test_the_largest_request_is_not_too_large_for_pjsip() -> None:
    far = f"<sip:{'u' * 64}@{'h' * 64}:65535>"
    raw = request(
        "INVITE",
        *LARGE,
        body=LARGE_SDP,
        sender=f"From: {far};tag={'t' * 128}",
        to=f"To: {far};tag={'t' * 128}",
    )
    message = asked(raw, leg("t" * 128, call_id="c" * 128, local_tag="t" * 128))
    assert message.body
    assert len(serialise(message)) < LARGEST_FOR_PJSIP


def test_what_pjsip_knows_is_what_there_is_room_for() -> None:
    words = [*MANY, "100rel", "timer"]
    assert (
        came(response("200 OK", f"Supported: {', '.join(words[2:])}"))
        .first("supported")
        .endswith("100rel, timer")
    )
    assert came(response("200 OK", "Supported: x, timer, y")).first("supported") == "x, timer, y"
