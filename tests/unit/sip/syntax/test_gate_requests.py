"""Requests at the gate: what passes, what is repaired, and what is answered and with what."""

from __future__ import annotations

from typing import Any

import pytest

from app.model.signalling import MOST_PROBLEMS, Handling
from app.sip.syntax.gate import (
    HIGHEST_CSEQ,
    LONGEST_MESSAGE,
    LONGEST_TAG,
    MOST_CONTACTS,
    MOST_HEADERS,
    MOST_ROUTES,
    MOST_TOKENS,
    MOST_VIAS,
    examine,
)
from app.sip.syntax.head import Examined, Head, Reason
from tests.unit.sip.samples import SDP, SDP_TYPE, request

PEER = "203.0.113.1:5060"


def head_of(raw: bytes) -> Head:
    """What is read of a message that passes without a problem."""
    examined = examine(raw, peer=PEER)
    assert examined.head is not None, examined.problems
    assert examined.problems == ()
    return examined.head


def repaired(raw: bytes, header: str, what: str) -> Head:
    """What is read of a message that passes with one problem."""
    examined = examine(raw, peer=PEER)
    assert [(p.header, p.what, p.handling, p.peer) for p in examined.problems] == [
        (header, what, Handling.REPAIRED, PEER)
    ]
    assert examined.head is not None
    return examined.head


def stopped(raw: bytes, header: str, what: str) -> Examined:
    """The outcome for a message that does not pass; its last problem says why."""
    examined = examine(raw, peer=PEER)
    assert examined.head is None
    problem = examined.problems[-1]
    assert (problem.header, problem.handling, problem.peer) == (header, Handling.DROPPED, PEER)
    assert what in problem.what
    return examined


# What passes


def test_a_whole_invite_is_read() -> None:
    head = head_of(
        request(
            "INVITE",
            "Via: SIP/2.0/UDP below.example;branch=z9hG4bKbelow",
            "Record-Route: <sip:p2.example;lr>, <sip:p1.example;lr>",
            "Record-Route: <sip:p0.example:5070;lr=on>",
            "m: <sip:8@203.0.113.2>;q=0.5",
            "Allow: INVITE, ACK,BYE",
            "Supported: timer,100rel",
            "Supported:",
            "Require: timer",
            "Session-Expires: 1800;refresher=uac",
            "Min-SE: 90;x=1",
            "Expires: 60",
            "Max-Forwards: 70",
            SDP_TYPE,
            body=SDP,
        )
    )
    assert (head.method, head.code, head.phrase, head.cseq, head.call_id) == ("INVITE", 0, "", 1, "call-1")
    assert head.uri is not None
    assert (head.uri.user, head.uri.host, head.uri.port) == ("1001", "192.0.2.7", 5060)
    assert (head.via.host, head.via.port, head.via.branch) == ("203.0.113.1", 5060, "z9hG4bKfar")
    assert head.sender is not None
    assert (head.sender.display, head.sender.uri.user, head.sender.tag) == ("Far", "7", "far")
    assert head.to is not None
    assert (head.to.uri.text, head.to.tag) == ("sip:1001@sip.example.com", "")
    assert [contact.uri.host for contact in head.contacts] == ["203.0.113.1", "203.0.113.2"]
    assert [route.uri.host for route in head.routes] == ["p2.example", "p1.example", "p0.example"]
    assert head.tokens == {
        "allow": ("INVITE", "ACK", "BYE"),
        "supported": ("timer", "100rel"),
        "require": ("timer",),
    }
    assert head.seconds == {"min-se": 90, "expires": 60}
    assert head.session_expires == (1800, "uac")
    assert head.media_type == "application/sdp"
    assert head.sdp is not None
    assert head.sdp.codecs == ("pcmu",)
    assert (head.sdp_broken, head.star, head.challenges) == (False, False, ())


def test_compact_folded_and_oddly_spelt_headers_are_read() -> None:
    head = head_of(
        b"\r\n\r\ninvite sip:1001@192.0.2.7 sip/2.0\r\nV: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"
        b"f:\r\n <sip:a@b>;\r\n\ttag=1\r\nT : <sip:c@d>\r\nI: c\r\ncseq:  7\t invite\r\nL: 0\r\n\r\n"
    )
    assert (head.method, head.cseq, head.call_id) == ("invite", 7, "c")
    assert head.sender is not None
    assert head.sender.tag == "1"


@pytest.mark.parametrize("uri", ["tel:+4930123", "http://a/b", "mailto:a@b", "urn:service:sos"])
def test_a_request_for_another_scheme_passes_to_be_answered(uri: str) -> None:
    uri_read = head_of(request("OPTIONS", uri=uri)).uri
    assert uri_read is not None
    assert not uri_read.is_sip


@pytest.mark.parametrize("star", ["*", " * ", "*, <sip:a@b>"])
def test_a_star_is_right_in_register_alone(star: str) -> None:
    assert head_of(request("REGISTER", contact=f"Contact: {star}")).star
    assert repaired(
        request("INVITE", contact=f"Contact: {star}"), "Contact", "is *, which only a REGISTER may say"
    ).star


# What can't be passed on

UNREADABLE: list[tuple[dict[str, Any], str, str]] = [
    *(({name: None}, header, "is missing") for name, header in (
        ("via", "Via"), ("sender", "From"), ("to", "To"), ("call_id", "Call-ID"), ("cseq_line", "CSeq"))),
    ({"cseq_line": "CSeq: 1"}, "CSeq", "not a number below 2^31 and a method"),
    ({"cseq_line": "CSeq: INVITE"}, "CSeq", "not a number"),
    ({"cseq_line": "CSeq: x INVITE"}, "CSeq", "not a number"),
    ({"cseq_line": "CSeq: -1 INVITE"}, "CSeq", "not a number"),
    ({"cseq_line": f"CSeq: {HIGHEST_CSEQ + 1} INVITE"}, "CSeq", "not a number"),
    ({"cseq_line": "CSeq: 99999999999 INVITE"}, "CSeq", "not a number"),
    ({"cseq_line": "CSeq: 1 INVITE x"}, "CSeq", "not a number"),
    ({"cseq_line": "CSeq:"}, "CSeq", "not a number"),
    ({"cseq_line": "CSeq: 1 BYE"}, "CSeq", "another method"),
    ({"cseq_line": "CSeq: 1 Invite"}, "CSeq", "another method"),
    ({"via": "Via:"}, "Via", "is empty"),
    ({"via": "Via: nonsense"}, "Via", "is not a Via value"),
    ({"via": "Via: SIP/2.0/UDP h:0;branch=x"}, "Via", "has a port"),
    ({"via": "Via: SIP/2.0/UDP h;branch=\udce9"}, "Via", "has a branch"),
    ({"via": "Via: " + ", ".join(["SIP/2.0/UDP h"] * (MOST_VIAS + 1))}, "Via", "more than 70 values"),
    ({"uri": "sip:a@[::1"}, "Request-URI", "has a host"),
    ({"uri": "sip:"}, "Request-URI", "is not a URI"),
    ({"uri": "1001"}, "Request-URI", "is not a URI"),
    ({"uri": "<sip:a@b>"}, "Request-URI", "is not a URI"),
    ({"uri": "sip:a@b?x=%"}, "Request-URI", "has headers"),
    ({"uri": "sip:" + "a" * 3000 + "@b"}, "Request-URI", "is longer than"),
    ({"uri": "sip:a@bücher.example"}, "Request-URI", "must be escaped"),
    ({"sender": "From: nobody"}, "From", "is not a URI"),
    ({"sender": "From:"}, "From", "is not a URI"),
    ({"sender": "From: <sip:a@b>;tag=\udce9"}, "From", "has a tag"),
    ({"sender": 'From: <sip:a@b>;tag="a b"'}, "From", "has a tag"),
    ({"sender": f"From: <sip:a@b>;tag={'t' * (LONGEST_TAG + 1)}"}, "From", "has a tag"),
    ({"to": "To: <sip:a@b"}, "To", "an angle bracket"),
    ({"to": "To: <sip:a@b>;tag=<"}, "To", "has a tag"),
    ({"call_id": "Call-ID: a b"}, "Call-ID", "has spaces"),
    ({"call_id": "Call-ID: \udce9"}, "Call-ID", "has spaces or characters"),
    ({"call_id": "Call-ID:"}, "Call-ID", "has spaces or characters"),
    ({"length": "Content-Length: x"}, "Content-Length", "is not a number of bytes"),
    ({"length": "Content-Length: -1"}, "Content-Length", "is not a number of bytes"),
    ({"length": "Content-Length: ٣"}, "Content-Length", "is not a number of bytes"),
    ({"length": "Content-Length: 9999999999"}, "Content-Length", "is not a number of bytes"),
    ({"length": "Content-Length:"}, "Content-Length", "is not a number of bytes"),
    ({"length": "Content-Length: 1"}, "Content-Length", "says more than the 0 bytes"),
    ({"length": "Content-Length: 0\r\nl: 1"}, "Content-Length", "stands there twice and differs"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "header", "what"), UNREADABLE)
def test_a_request_that_can_not_be_used_is_answered_400_with_the_header(
    changes: dict[str, Any], header: str, what: str
) -> None:
    examined = stopped(request(**changes), header, what)
    assert examined.answer is not None
    assert examined.answer.code == 400
    assert examined.answer.phrase.startswith(header)
    assert examined.answer.phrase.isascii()
    assert examined.message is not None


@pytest.mark.parametrize(("changes", "header", "what"), UNREADABLE)
def test_an_ack_that_can_not_be_used_is_never_answered(
    changes: dict[str, Any], header: str, what: str
) -> None:
    changes = {name: text.replace("INVITE", "ACK") if text else text for name, text in changes.items()}
    assert (
        stopped(request("ACK", **changes), header, what if "another" not in what else "another").answer
        is None
    )


@pytest.mark.parametrize(
    ("header", "first", "second"),
    [
        ("From", "<sip:a@b>;tag=1", "<sip:a@b>;tag=2"),
        ("To", "<sip:a@b>", "<sip:c@d>"),
        ("Call-ID", "a", "b"),
        ("CSeq", "1 INVITE", "2 INVITE"),
        ("Max-Forwards", "70", "71"),
        ("Content-Type", "application/sdp", "text/plain"),
    ],
)
def test_what_may_stand_there_once_stands_there_once_or_says_the_same(
    header: str, first: str, second: str
) -> None:
    names = {"From": "sender", "To": "to", "Call-ID": "call_id", "CSeq": "cseq_line"}
    without: dict[str, Any] = {names[header]: None} if header in names else {}
    one, two = f"{header}: {first}", f"{header}: {second}"
    answer = stopped(request("INVITE", one, two, **without), header, "stands there twice").answer
    assert answer is not None
    assert answer.code == 400
    assert examine(request("INVITE", one, one, **without)).head is not None


@pytest.mark.parametrize(
    ("start", "answer"),
    [
        ("INVITE sip:a@b SIP/3.0", Reason(505, "Version Not Supported")),
        ("INVITE  sip:a@b SIP/2.0", Reason(400, "Bad Request-Line")),
        ("INVITE sip:a@b;x = y SIP/2.0", Reason(400, "Bad Request-Line")),
        ("INVITE sip:a@b", None),
        ("hello", None),
        ("SIP/2.0 4294967301 x", None),
        ("ACK sip:a@b SIP/3.0", None),
    ],
)
def test_a_start_line_that_can_not_be_read(start: str, answer: Reason | None) -> None:
    raw = request(start.split()[0]).partition(b"\r\n")[2]
    examined = stopped(start.encode() + b"\r\n" + raw, "", "")
    assert examined.answer == answer
    assert examined.problems[-1].line == " ".join(start.split())
    assert (examined.message is None) == (answer is None and not start.startswith("ACK"))


@pytest.mark.parametrize(
    "raw", [b"", b"\r\n", b"\0", b"\0" * 100, b"\xff" * 100, b"a", b"SIP/2.0", b"\r\n\r\nx\r\n"]
)
def test_what_is_no_message_at_all_is_dropped(raw: bytes) -> None:
    assert examine(raw).message is None
    assert examine(raw).answer is None
    assert len(examine(raw).problems) == 1


def test_sizes_have_limits() -> None:
    most = request("OPTIONS", *["X: y"] * (MOST_HEADERS - 7))
    assert examine(most).head is not None
    stopped(request("OPTIONS", *["X: y"] * (MOST_HEADERS - 6)), "", f"more than {MOST_HEADERS} headers")
    rest = LONGEST_MESSAGE - len(request("OPTIONS", "X: "))
    longest = request("OPTIONS", "X: " + "y" * rest)
    assert len(longest) == LONGEST_MESSAGE
    assert examine(longest).head is not None
    too_long = stopped(
        request("OPTIONS", "X: " + "y" * (rest + 1)), "", f"longer than {LONGEST_MESSAGE} bytes"
    )
    assert too_long.message is None
    assert (
        len(examine(request("OPTIONS", "Via: " + ", ".join(["SIP/2.0/UDP h"] * (MOST_VIAS - 1)))).problems)
        == 0
    )


# What is repaired


@pytest.mark.parametrize("line", ["nonsense", ": x", "a b: c", "é: x", "\udce9", "(x): y"])
def test_a_line_that_is_no_header_is_reported(line: str) -> None:
    examined = examine(request("OPTIONS", line))
    assert examined.head is not None
    assert examined.problems[-1].handling is Handling.REPAIRED
    assert examined.problems[-1].line


@pytest.mark.parametrize("params", [";received=203.0.113.7:60571", ";rport=99999", ";received=x;rport=1"])
def test_a_via_whose_parameters_make_no_sense_passes_without_them(params: str) -> None:
    via = f"Via: SIP/2.0/UDP h;branch=z9hG4bK1{params}"
    what = "received that is not an IP address" if "received" in params else "rport that is not a port"
    assert repaired(request(via=via), "Via", f"has something in {what}").via.received is None


def test_a_sender_without_a_tag_is_one_of_rfc_2543() -> None:
    assert repaired(request(sender="From: <sip:a@b>"), "From", "has no tag").sender is not None
    assert head_of(request(via="Via: SIP/2.0/UDP h")).via.branch == ""


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("<tel:+49>", "is a tel: address and not a SIP address"),
        ("<mailto:a@b>", "is a mailto: address and not a SIP address"),
        ("<http://a>", "is a http: address and not a SIP address"),
        ("<sip:a@b", "has an angle bracket that is not closed"),
        ("<sip:a@b:99999>", "has a port that is not a number up to 65535"),
        ("nonsense", "is not a URI"),
        ('"a', "is not a URI"),
    ],
)
@pytest.mark.parametrize("name", ["Contact", "Record-Route"])
def test_a_contact_or_route_that_is_no_sip_address_is_left_out(name: str, value: str, what: str) -> None:
    head = repaired(request("INVITE", f"{name}: <sip:x@y>, {value}", contact=None), name, what)
    assert [one.uri.text for one in (*head.contacts, *head.routes)] == ["sip:x@y"]


@pytest.mark.parametrize("name", ["Expires", "Min-Expires", "Min-SE", "Retry-After", "Session-Expires"])
@pytest.mark.parametrize("value", ["", "none", "-1", "1.5", "Thu, 01 Dec 2030 16:00:00 GMT", "\udce9"])
def test_seconds_that_are_none_are_left_out(name: str, value: str) -> None:
    head = repaired(request("INVITE", f"{name}: {value}"), name, "is not a number of seconds")
    assert (head.seconds, head.session_expires) == ({}, None)
    second = repaired(
        request("INVITE", f"{name}: {value}", f"{name}: 90"), name, "is not a number of seconds"
    )
    assert (
        second.session_expires == (90, "")
        if name == "Session-Expires"
        else second.seconds == {name.lower(): 90}
    )


def test_rseq_that_is_no_number_is_left_out() -> None:
    assert repaired(request("INVITE", "RSeq: x"), "RSeq", "is not a number").rseq is None
    assert head_of(request("INVITE", "RSeq: 7")).rseq == 7


LISTS = ["Allow", "Supported", "Require", "Proxy-Require", "Unsupported", "Accept", "Allow-Events"]


@pytest.mark.parametrize("name", LISTS)
def test_lists_of_words_are_read_and_what_is_no_word_is_left_out(name: str) -> None:
    key = name.lower()
    assert head_of(request("INVITE", f"{name}: a, b;q=0.5 ,a,, c", f"{name}: d")).tokens[key] == (
        "a",
        "b",
        "c",
        "d",
    )
    assert head_of(request("INVITE", f"{name}:")).tokens[key] == ()
    assert head_of(request("INVITE", f"{name}: application/sdp")).tokens[key] == ("application/sdp",)
    for bad in ("a b", "\udce9", "<x>", "w" * 65, "é"):
        head = repaired(
            request("INVITE", f"{name}: a, {bad}, c"), name, "has something in its list that is not a word"
        )
        assert head.tokens[key] == ("a",)
    many = ", ".join(f"w{number}" for number in range(100))
    assert len(head_of(request("INVITE", f"{name}: {many}")).tokens[key]) == MOST_TOKENS


def test_many_contacts_and_routes_are_cut_off() -> None:
    many = ", ".join(["<sip:a@b>"] * 50)
    head = head_of(request("INVITE", f"Record-Route: {many}", contact=f"Contact: {many}"))
    assert (len(head.contacts), len(head.routes)) == (MOST_CONTACTS, MOST_ROUTES)


def test_problems_have_a_limit_and_the_one_that_stopped_the_message_is_the_last() -> None:
    nonsense = ["nonsense"] * 50
    passed = examine(request("OPTIONS", *nonsense))
    assert (len(passed.problems), passed.head is not None) == (MOST_PROBLEMS, True)
    dropped = examine(request("OPTIONS", *nonsense, cseq_line="CSeq: x"))
    assert len(dropped.problems) == MOST_PROBLEMS + 1
    assert (dropped.problems[-1].header, dropped.problems[-1].handling) == ("CSeq", Handling.DROPPED)


def test_problems_are_always_in_the_same_order() -> None:
    raw = request(
        "INVITE", "Expires: x", "Min-SE: x", "Min-Expires: x", "Allow: a b", "Require: a b", "Accept: a b"
    )
    order = [problem.header for problem in examine(raw).problems]
    assert order == ["Expires", "Min-Expires", "Min-SE", "Allow", "Require", "Accept"]


def test_a_problem_shows_the_line_and_the_start_line_as_plain_text() -> None:
    raw = request("OPTIONS", "Expires: \x1b[31mJos\udce9\x00", uri="sip:a@b")
    (problem,) = examine(raw).problems
    assert problem.start == "OPTIONS sip:a@b SIP/2.0"
    assert problem.line == "Expires: [31mJosé"


# Bodies


def test_extra_bytes_of_a_datagram_are_no_part_of_the_body() -> None:
    raw = request("INFO", "Content-Type: text/plain", body=b"hello", length="Content-Length: 4")
    examined = examine(raw)
    assert examined.message is not None
    assert (examined.message.body, examined.problems) == (b"hell", ())
    whole = examine(request("INFO", "Content-Type: text/plain", body=b"hello", length=None))
    assert whole.message is not None
    assert (whole.message.body, whole.problems) == (b"hello", ())


@pytest.mark.parametrize("transport", [b"TCP", b"tls"])
def test_a_stream_needs_content_length(transport: bytes) -> None:
    raw = request("OPTIONS", length=None).replace(b"SIP/2.0/UDP", b"SIP/2.0/" + transport)
    (problem,) = examine(raw).problems
    assert (problem.header, problem.handling) == ("Content-Length", Handling.REPAIRED)
    assert problem.what.startswith("is missing")


@pytest.mark.parametrize("value", ["", "sdp", "application/", "application sdp", "\udce9/x"])
def test_a_body_of_no_type_is_answered_415(value: str) -> None:
    examined = stopped(request("INVITE", f"Content-Type: {value}", body=SDP), "Content-Type", "is not a type")
    assert examined.answer == Reason(415, "Unsupported Media Type")
    assert head_of(request("INVITE", f"Content-Type: {value}")).media_type == ""


def test_a_body_without_a_type_is_reported_and_taken_for_sdp_when_it_is_one() -> None:
    what = "is missing, and there is a body"
    head = repaired(request("INVITE", body=SDP), "Content-Type", what)
    assert (head.media_type, head.sdp is not None) == ("application/sdp", True)
    assert repaired(request("INFO", body=b"hello"), "Content-Type", what).media_type == ""
    assert head_of(request("INFO", body=b"\r\n")).media_type == ""


def test_sdp_is_read_from_several_parts() -> None:
    body = b"--b\r\nContent-Type: application/sdp\r\n\r\n" + SDP + b"\r\n--b--\r\n"
    head = head_of(request("INVITE", "Content-Type: multipart/mixed;boundary=b", body=body))
    assert head.sdp is not None
    assert head.sdp.codecs == ("pcmu",)
    without = head_of(request("INVITE", "Content-Type: multipart/mixed;boundary=c", body=body))
    assert (without.sdp, without.sdp_broken) == (None, False)


def test_sdp_that_can_not_be_read_is_reported_and_said_to_be_broken() -> None:
    head = repaired(request("INVITE", SDP_TYPE, body=b"hello"), "SDP", "does not begin with v=0")
    assert (head.sdp, head.sdp_broken) == (None, True)
    head = repaired(request("INVITE", SDP_TYPE, body=b"v=0\r\ns=-\r\n"), "SDP", "describes no stream")
    assert head.sdp_broken


def test_faults_of_sdp_are_named_by_their_line() -> None:
    raw = request("INVITE", SDP_TYPE, body=SDP + b"a=rtpmap:96 /8000\r\nnonsense\r\n")
    assert [(p.header, p.line) for p in examine(raw).problems] == [
        ("SDP a=", "a=rtpmap:96 /8000"),
        ("SDP", "nonsense"),
    ]
