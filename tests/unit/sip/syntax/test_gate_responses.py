"""Responses at the gate: what passes, and what is so damaged that it can't."""

from __future__ import annotations

import contextlib
import re
from typing import Any

import pytest

from app.model.signalling import Handling
from app.sip.syntax.challenge import Challenge
from app.sip.syntax.framing import Framer, FramingError
from app.sip.syntax.gate import examine
from app.sip.syntax.head import Head
from tests.unit.sip.samples import SDP, SDP_TYPE, response


def head_of(raw: bytes) -> Head:
    """What is read of a message that passes without a problem."""
    examined = examine(raw)
    assert examined.head is not None, examined.problems
    assert examined.problems == ()
    return examined.head


def repaired(raw: bytes, header: str, what: str) -> Head:
    """What is read of a message that passes with one problem."""
    examined = examine(raw)
    assert [(p.header, p.what, p.handling) for p in examined.problems] == [(header, what, Handling.REPAIRED)]
    assert examined.head is not None
    return examined.head


def test_a_whole_response_is_read() -> None:
    head = head_of(
        response("183 Session Progress", "RSeq: 7", "Require: 100rel", SDP_TYPE, body=SDP, cseq=2147483647)
    )
    assert (head.method, head.code, head.phrase, head.cseq) == ("INVITE", 183, "Session Progress", 2147483647)
    assert (head.uri, head.rseq, head.tokens["require"]) == (None, 7, ("100rel",))
    assert (head.via.branch, head.via.received, head.via.rport) == ("z9hG4bKours", "192.0.2.7", 5060)
    assert head.to is not None
    assert head.to.tag == "far"
    assert head.sdp is not None


@pytest.mark.parametrize("method", ["invite", "Invite"])
def test_the_method_of_a_response_is_read_in_any_case(method: str) -> None:
    # It can only be that of a request of ours, which had it in capitals
    assert head_of(response(method=method)).method == "INVITE"


@pytest.mark.parametrize(
    ("status", "code", "phrase"),
    [
        ("200 OK", 200, "OK"),
        ("200 ", 200, ""),
        ("200", 200, ""),
        ("699 Whatever / + 1", 699, "Whatever / + 1"),
        ("403 Identit\udce9 refus\udce9e", 403, "Identité refusée"),
        ("403 Größe", 403, "Größe"),
        ("403 \x1b[31mred", 403, "[31mred"),
        ("486 " + "x" * 500, 486, "x" * 119 + "…"),
    ],
)
def test_the_phrase_is_plain_text(status: str, code: int, phrase: str) -> None:
    head = head_of(response(status))
    assert (head.code, head.phrase) == (code, phrase)


@pytest.mark.parametrize(
    ("changes", "header"),
    [
        ({"via": None}, "Via"),
        ({"via": "Via:"}, "Via"),
        ({"via": "Via: nonsense"}, "Via"),
        ({"via": "Via: SIP/2.0/UDP h"}, "Via"),
        ({"cseq_line": None}, "CSeq"),
        ({"cseq_line": "CSeq: x"}, "CSeq"),
        ({"cseq_line": "CSeq: 2147483648 INVITE"}, "CSeq"),
        ({"call_id": None}, "Call-ID"),
        ({"call_id": "Call-ID: a b"}, "Call-ID"),
        ({"length": "Content-Length: 5"}, "Content-Length"),
        ({"length": "Content-Length: x"}, "Content-Length"),
    ],
)
def test_a_response_without_what_a_transaction_needs_does_not_pass_and_is_not_answered(
    changes: dict[str, Any], header: str
) -> None:
    examined = examine(response(**changes))
    assert (examined.head, examined.answer) == (None, None)
    assert examined.message is not None
    assert (examined.problems[-1].header, examined.problems[-1].handling) == (header, Handling.DROPPED)


@pytest.mark.parametrize(
    "start",
    [
        "SIP/2.0 099 x",
        "SIP/2.0 700 x",
        "SIP/2.0 abc x",
        "SIP/2.0  200 OK",
        "SIP/3.0 200 OK",
        "SIP/2.0 2000 OK",
    ],
)
def test_a_status_line_that_can_not_be_read_is_dropped(start: str) -> None:
    examined = examine(start.encode() + response()[len("SIP/2.0 200 OK") :])
    assert (examined.message, examined.head, examined.answer) == (None, None, None)
    assert examined.problems[-1].line == " ".join(start.split())


@pytest.mark.parametrize(("name", "header"), [("sender", "From"), ("to", "To")])
@pytest.mark.parametrize(
    ("value", "what"),
    [
        (None, "is missing"),
        ("<tel:+49", "has an angle bracket that is not closed"),
        ("nobody", "is not a URI"),
        ("<sip:a@b>;tag=\udce9", "has a tag that can't be read"),
    ],
)
def test_from_and_to_of_a_response_are_only_copies_of_ours(
    name: str, header: str, value: str | None, what: str
) -> None:
    changes: dict[str, Any] = {name: None if value is None else f"{header}: {value}"}
    head = repaired(response(**changes), header, what)
    assert (head.sender if name == "sender" else head.to) is None


def test_a_from_without_a_tag_is_no_fault_of_a_response() -> None:
    assert head_of(response(sender="From: <sip:a@b>")).sender is not None


@pytest.mark.parametrize("code", [300, 301, 302, 305, 380, 399])
def test_contacts_of_a_redirection_may_be_of_any_scheme(code: int) -> None:
    head = head_of(response(f"{code} Moved", contact="Contact: <tel:+49>, <mailto:a@b>, <sip:a@b>"))
    assert [one.uri.scheme for one in head.contacts] == ["tel", "mailto", "sip"]


@pytest.mark.parametrize("code", [180, 200, 404, 485, 503])
def test_contacts_of_other_responses_are_sip_addresses(code: int) -> None:
    head = repaired(
        response(f"{code} x", contact="Contact: <tel:+49>"),
        "Contact",
        "is a tel: address and not a SIP address",
    )
    assert head.contacts == ()


def test_a_star_in_a_response_is_reported() -> None:
    raw = response(method="REGISTER", contact="Contact: *")
    assert repaired(raw, "Contact", "is *, which only a REGISTER may say").star


@pytest.mark.parametrize(
    ("code", "name", "other"),
    [(401, "WWW-Authenticate", "Proxy-Authenticate"), (407, "Proxy-Authenticate", "WWW-Authenticate")],
)
def test_challenges_are_read_from_all_headers_of_the_right_name(code: int, name: str, other: str) -> None:
    head = head_of(
        response(
            f"{code} x",
            f'{name}: Digest realm="a", nonce="1", algorithm=SHA-256, Basic realm="b"',
            f'{other}: Digest realm="no", nonce="no"',
            f'{name}: Digest realm="c", nonce="2"',
        )
    )
    assert [(one.scheme, one.realm) for one in head.challenges] == [
        ("digest", "a"),
        ("basic", "b"),
        ("digest", "c"),
    ]


def test_a_challenge_that_can_not_be_read_leaves_the_others() -> None:
    raw = response("401 x", "WWW-Authenticate: <x>", 'WWW-Authenticate: Digest realm="a", nonce="1"')
    head = repaired(raw, "WWW-Authenticate", "is not a challenge that can be read")
    assert head.challenges == (Challenge(scheme="digest", realm="a", nonce="1"),)


@pytest.mark.parametrize("code", [180, 200, 403, 494])
def test_challenges_of_other_codes_are_none(code: int) -> None:
    assert head_of(response(f"{code} x", 'WWW-Authenticate: Digest realm="a", nonce="1"')).challenges == ()


@pytest.mark.parametrize("value", ["sdp", "", "\udce9/x"])
def test_a_type_that_is_none_only_hides_the_body(value: str) -> None:
    head = repaired(response("200 OK", f"Content-Type: {value}", body=SDP), "Content-Type", "is not a type")
    assert (head.media_type, head.sdp, head.sdp_broken) == ("", None, False)


def test_sdp_that_can_not_be_read_does_not_keep_a_response_back() -> None:
    head = repaired(response("200 OK", SDP_TYPE, body=b"v=1\r\n"), "SDP", "does not begin with v=0")
    assert (head.sdp, head.sdp_broken) == (None, True)


# What a message costs

FILLS = [
    " ",
    "\t",
    "a",
    "1",
    ",",
    '"',
    "<",
    ">",
    ";",
    "\\",
    "%",
    "=",
    ":",
    "@",
    "[",
    "(",
    "/",
    "-",
    ".",
    "\udce9",
]
FILLS += [
    "a ",
    "1 ",
    "a,",
    ";a",
    "a=",
    '\\"',
    " ,",
    "; ",
    "a:",
    "a.",
    "\r\n ",
    "\r\n\t",
    "<a>,",
    '"a"',
    "= ",
    "1;",
]
PREFIXES = [
    "",
    "1",
    "<sip:a@",
    '"',
    "Digest ",
    'Digest realm="',
    "sip:a@b;x=",
    "SIP/2.0/UDP h",
    "SIP/2.0/UDP h;x=",
]
ENDLESS_S = 100
"""After which reading is given up; what backtracks over these values needs hours."""

NAMES = [
    "Via",
    "From",
    "Contact",
    "Record-Route",
    "CSeq",
    "Call-ID",
    "Retry-After",
    "Session-Expires",
    "Warning",
]
NAMES += ["WWW-Authenticate", "Content-Type", "Content-Length", "Event", "RAck", "Allow", "Expires", "X"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.timeout(ENDLESS_S)
def test_no_header_is_read_without_end(name: str) -> None:
    for prefix in PREFIXES:
        for fill in FILLS:
            value = prefix + fill * (16_000 // len(fill)) + "x"
            raw = response("401 x", f"{name}: {value}")
            examine(raw)
            with contextlib.suppress(FramingError):
                list(Framer().frames(raw))


@pytest.mark.parametrize("kind", list("oscmabitkzr"))
@pytest.mark.timeout(ENDLESS_S)
def test_no_line_of_sdp_is_read_without_end(kind: str) -> None:
    prefixes = [
        "",
        "IN IP4 ",
        "audio 1 RTP/AVP ",
        "rtpmap:0 ",
        "fmtp:0 ",
        "crypto:1 X inline:",
        "rtcp:1 IN IP4 ",
        "ptime:",
    ]
    for prefix in prefixes:
        for fill in FILLS:
            if re.search(r"[\r\n]", fill):
                continue
            raw = response(
                "200 OK", SDP_TYPE, body=SDP + f"{kind}={prefix}{fill * 20_000}x".encode("utf-8", "ignore")
            )
            examine(raw)


@pytest.mark.parametrize(
    "line", [b"m=audio 1 RTP/AVP 0\r\n", b"a=x\r\n", b"\r\n", b"\n", b"c=IN IP4 h\r\n", b"a=rtpmap:0 x/1\r\n"]
)
@pytest.mark.timeout(ENDLESS_S)
def test_many_lines_of_sdp_are_not_read_without_end(line: bytes) -> None:
    examine(response("200 OK", SDP_TYPE, body=SDP + line * (60_000 // len(line))))


def test_a_problem_names_no_more_of_a_scheme_than_a_line_has_room_for() -> None:
    examined = examine(response("200 OK", f"Contact: <{'s' * 500}:a@b>"))
    (problem,) = examined.problems
    assert problem.what == f"is a {'s' * 19}…: address and not a SIP address"
