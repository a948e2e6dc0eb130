"""Values of single headers: read where they make sense, and not where they do not."""

from __future__ import annotations

import pytest

from app.sip.syntax.head import Reason
from app.sip.syntax.values import (
    HIGHEST_SECONDS,
    event,
    forced,
    media_type,
    min_se,
    rack,
    reason_phrase,
    retry_after,
    sdp_part,
    seconds,
    session_expires,
    spelled,
    start_line_fault,
)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("1", 1),
        ("0300", 300),
        ("3600", 3600),
        (str(HIGHEST_SECONDS), HIGHEST_SECONDS),
        (str(HIGHEST_SECONDS + 1), HIGHEST_SECONDS),
        ("4294967296", HIGHEST_SECONDS),
        ("9" * 20, HIGHEST_SECONDS),
        ("9" * 21, None),
        ("", None),
        (" 1", None),
        ("-1", None),
        ("+1", None),
        ("1.5", None),
        ("1e3", None),
        ("0x10", None),
        ("1,000", None),
        ("none", None),
        ("٣", None),
        ("²", None),
        ("Thu, 01 Dec 2030 16:00:00 GMT", None),
        ("60;x=1", None),
    ],
)
def test_seconds_are_a_number_of_at_most_31_bits(text: str, number: int | None) -> None:
    assert seconds(text) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("3600", 3600),
        ("120 (I'm in a meeting)", 120),
        ("120(busy);duration=3600", 120),
        ("18000;duration=3600", 18000),
        ("18000 ; duration=3600", 18000),
        ("30 ()", 30),
        ("30 (a (nested) one)", 30),
        ("9" * 20, HIGHEST_SECONDS),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("(busy)", None),
        ("30 s", None),
        ("Fri, 31 Dec 1999 23:59:59 GMT", None),
    ],
)
def test_retry_after_may_have_a_comment_and_parameters(text: str, number: int | None) -> None:
    assert retry_after(text) == number


@pytest.mark.parametrize(
    ("text", "number"), [("90", 90), ("90;x=1", 90), ("90 ; x", 90), ("", None), (";x", None), ("90 s", None)]
)
def test_min_se_may_have_parameters(text: str, number: int | None) -> None:
    assert min_se(text) == number


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("1800", (1800, "")),
        ("1800;refresher=uac", (1800, "uac")),
        ("1800 ; Refresher = UAS", (1800, "uas")),
        ('1800;refresher="uac"', (1800, "uac")),
        ("1800;x=1;refresher=uas;y", (1800, "uas")),
        ("1800;refresher=both", (1800, "")),
        ("1800;refresher=uacs", (1800, "")),
        ("4294967295", (HIGHEST_SECONDS, "")),
        ("0", (0, "")),
        ("", None),
        ("x", None),
        ("-90", None),
        ("90 s", None),
        ("90;=", None),
        ("90,91", None),
        ("9" * 11, None),
    ],
)
def test_session_expires_has_seconds_and_a_refresher(text: str, read: tuple[int, str] | None) -> None:
    assert session_expires(text) == read


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("1 2 INVITE", (1, 2, "INVITE")),
        ("776656 \t1  INVITE", (776656, 1, "INVITE")),
        ("", None),
        ("1 INVITE", None),
        ("1 2 invite", None),
        ("1 2", None),
        ("x 2 INVITE", None),
        ("1 2 INVITE x", None),
        ("-1 2 INVITE", None),
    ],
)
def test_rack_has_two_numbers_and_a_method(text: str, read: tuple[int, int, str] | None) -> None:
    assert rack(text) == read


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("refer", ("refer", "")),
        ("Refer;id=93809824", ("refer", "93809824")),
        ("refer ; id = 1;x", ("refer", "1")),
        ("message-summary", ("message-summary", "")),
        ("presence.winfo", ("presence.winfo", "")),
        ("refer;x=1", ("refer", "")),
        ("refer;id=", ("refer", "")),
        ("", ("", "")),
        ("refer x", ("", "")),
        ("re/fer", ("", "")),
        ("r" * 65, ("", "")),
        ("r\udce9fer", ("", "")),
    ],
)
def test_event_has_a_package_and_an_id(text: str, read: tuple[str, str]) -> None:
    assert event(text) == read


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("application/sdp", "application/sdp"),
        ("Application / SDP ; charset=utf-8", "application/sdp"),
        ('multipart/mixed;boundary="a b"', "multipart/mixed"),
        ("message/sipfrag;version=2.0", "message/sipfrag"),
        ("application/vnd.3gpp.ussd+xml", "application/vnd.3gpp.ussd+xml"),
        ("application", None),
        ("application/", None),
        ("/sdp", None),
        ("", None),
        ("application/sdp x", None),
        ("application/sdp/x", None),
        ("applicati\udce9n/sdp", None),
        ("a" * 65 + "/b", None),
    ],
)
def test_a_media_type_is_read_without_parameters(text: str, read: str | None) -> None:
    assert media_type(text) == read


# Several parts in a body

SDP = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n"
OTHER = b"Content-Type: text/plain\r\n\r\nhello\r\n"
WITH_SDP = b"Content-Type: Application/SDP\r\nContent-ID: <1>\r\n\r\n" + SDP


@pytest.mark.parametrize("boundary", ["b", "b-1", "a b", "--"])
@pytest.mark.parametrize(
    "order", [(WITH_SDP,), (OTHER, WITH_SDP), (WITH_SDP, OTHER), (OTHER,) * 7 + (WITH_SDP,)]
)
def test_the_sdp_of_several_parts_is_found(boundary: str, order: tuple[bytes, ...]) -> None:
    mark = b"--" + boundary.encode()
    body = b"".join(mark + b"\r\n" + part for part in order) + mark + b"--\r\n"
    for preamble in (b"", b"This is a message\r\n"):
        assert sdp_part(f'multipart/mixed; Boundary = "{boundary}"', preamble + body) == SDP


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/mixed", b"--b\r\n" + WITH_SDP + b"--b--"),
        ("multipart/mixed;boundary=", b"--b\r\n" + WITH_SDP + b"--b--"),
        ("multipart/mixed;boundary=c", b"--b\r\n" + WITH_SDP + b"--b--"),
        ("multipart/mixed;boundary=b", b""),
        ("multipart/mixed;boundary=b", b"--b\r\n" + OTHER + b"--b--"),
        ("multipart/mixed;boundary=b", b"--b\r\nContent-Type: application/sdp\r\n" + SDP + b"--b--"),
        ("multipart/mixed;boundary=b", (b"--b\r\n" + OTHER) * 8 + b"--b\r\n" + WITH_SDP + b"--b--"),
    ],
)
def test_where_there_is_no_sdp_part_none_is_found(content_type: str, body: bytes) -> None:
    assert sdp_part(content_type, body) == b""


# Start lines and words


@pytest.mark.parametrize(
    ("line", "what", "code"),
    [
        (b"SIP/2.0 99 Early", "a status line", 0),
        (b"SIP/2.0 700 Late", "a status line", 0),
        (b"SIP/2.0 4294967301 better not break", "a status line", 0),
        (b"sip/2.0 OK", "a status line", 0),
        (b"OPTIONS sip:a@b SIP/7.0", "another version", 505),
        (b"OPTIONS sip:a@b SIP/1.0", "another version", 505),
        (b"OPTIONS  sip:a@b  SIP/2.0", "a request line", 400),
        (b"INVITE sip:a@b; lr SIP/2.0", "a request line", 400),
        (b"INVITE SIP/2.0", "a request line", 400),
        (b"GET / HTTP/1.1", "is not a SIP message", 0),
        (b"hello", "is not a SIP message", 0),
        (b"\x16\x03\x01", "is not a SIP message", 0),
        (b"", "is not a SIP message", 0),
        (b"SIP/2.0", "is not a SIP message", 0),
        (b"INVITE sip:a@b", "is not a SIP message", 0),
    ],
)
def test_a_bad_start_line_is_explained_and_answered_where_it_is_a_request(
    line: bytes, what: str, code: int
) -> None:
    words, answer = start_line_fault(line)
    assert what in words
    assert (answer.code if answer else 0) == code
    assert answer is None or isinstance(answer, Reason)


def test_a_request_with_a_bad_line_still_has_what_an_answer_needs() -> None:
    message = forced(b"INVITE sip:a@b; lr SIP/2.0\r\nVia: x\r\nCall-ID: c\r\n\r\nbody")
    assert message is not None
    assert (message.method, message.first("call-id"), message.body) == ("INVITE", "c", b"body")
    assert forced(b"INVITE") is None
    assert forced(b"IN<VITE x SIP/2.0\r\nVia: x\r\n\r\n") is None
    assert forced(b"\xe9NVITE x SIP/2.0\r\nVia: x\r\n\r\n") is None


@pytest.mark.parametrize(
    ("name", "as_spelt"),
    [
        ("via", "Via"),
        ("call-id", "Call-ID"),
        ("cseq", "CSeq"),
        ("www-authenticate", "WWW-Authenticate"),
        ("proxy-authenticate", "Proxy-Authenticate"),
        ("rseq", "RSeq"),
        ("min-se", "Min-SE"),
        ("record-route", "Record-Route"),
        ("retry-after", "Retry-After"),
    ],
)
def test_headers_are_named_as_the_rfcs_spell_them(name: str, as_spelt: str) -> None:
    assert spelled(name) == as_spelt


def test_a_reason_phrase_names_the_header_on_one_short_line() -> None:
    assert reason_phrase("CSeq", "is missing") == "CSeq is missing"
    assert reason_phrase("", "is not\r\n one") == "Request is not one"
    assert len(reason_phrase("X", "y " * 200)) == 80
