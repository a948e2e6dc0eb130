"""A message that is not edited goes out as it came in."""

from __future__ import annotations

import pytest

from app.sip.syntax.message import MOST_VALUES, MessageError, made, parse, serialise, split_list

ODD = (
    b"INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\r\n"
    b"TO :\r\n sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\r\n"
    b'from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8\r\n'
    b"MaX-fOrWaRdS: 0068\r\n"
    b"v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n"
    b" SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z9hG4bK30239\r\n"
    b"NewFangledHeader:   newfangled value\r\n continued newfangled value\r\n"
    b"UnknownHeaderWithUnusualValue: ;;,,;;,;\r\n"
    b"X-Bytes: caf\xe9 \xff\r\n"
    b"l: 5\r\n"
    b"\r\n"
    b"\x00\xff\r\n\r"
)


def test_keeps_spelling_order_folds_and_bytes():
    assert serialise(parse(ODD)) == ODD


def test_reads_compact_and_folded_headers():
    message = parse(ODD)
    assert message.first("to") == "sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n"
    assert message.values("via") == [
        "SIP  / 2.0  / TCP     spindle.example.com   ; branch  =   z9hG4bK9ikj8",
        "SIP  /    2.0   / UDP  192.168.255.111   ; branch= z9hG4bK30239",
    ]
    assert message.first("newfangledheader") == "newfangled value continued newfangled value"
    assert message.body == b"\x00\xff\r\n\r"


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("a, b ,c", ["a", "b", "c"]),
        ('"Lee, Ann" <sip:a@b>, <sip:c@d;x=1,2>;q=0.5', ['"Lee, Ann" <sip:a@b>', "<sip:c@d;x=1,2>;q=0.5"]),
        (r'"a \" , b" <sip:a@b>,<sip:c@d>', [r'"a \" , b" <sip:a@b>', "<sip:c@d>"]),
        ('"<" <sip:a@b>, <sip:c@d>', ['"<" <sip:a@b>', "<sip:c@d>"]),
        ("*", ["*"]),
        ("", []),
    ],
)
def test_splits_only_at_commas_that_separate(value, parts):
    assert split_list(value) == parts


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [("", b"Content-Length: 2"), ("l: 7\r\n", b"l: 2"), ("Content-Length: 02\r\n", b"Content-Length: 2")],
)
def test_content_length_is_made_right(lengths, expected):
    raw = f"OPTIONS sip:a@b SIP/2.0\r\nCSeq: 1 OPTIONS\r\n{lengths}\r\nhi".encode()
    assert (
        serialise(parse(raw)) == b"OPTIONS sip:a@b SIP/2.0\r\nCSeq: 1 OPTIONS\r\n" + expected + b"\r\n\r\nhi"
    )


def test_bare_line_feeds_become_proper_line_ends():
    raw = b"SIP/2.0 200\nSubject: a\n b\nl: 0\n\n"
    assert serialise(parse(raw)) == b"SIP/2.0 200\r\nSubject: a\r\n b\r\nl: 0\r\n\r\n"


def test_method_code_and_uri():
    response = parse(b"SIP/2.0 486 Busy Here\r\nCSeq: 7  INVITE\r\n\r\n")
    assert (response.is_request, response.code, response.method) == (False, 486, "INVITE")
    request = parse(b"BYE sip:a@b;x=1 SIP/2.0\r\nCSeq: 8 BYE\r\n\r\n")
    assert (request.is_request, request.code, request.method, request.uri) == (True, 0, "BYE", "sip:a@b;x=1")


def test_response_without_cseq_has_no_method():
    with pytest.raises(MessageError, match="CSeq"):
        _ = parse(b"SIP/2.0 200 OK\r\n\r\n").method


@pytest.mark.parametrize("start", ["HTTP/1.1 400 Bad Request", "hello", "INVITE sip:a@b", "SIP/2.0 99 x", ""])
def test_start_lines_of_other_protocols_are_refused(start):
    with pytest.raises(MessageError, match="start line"):
        parse(f"{start}\r\nA: b\r\n\r\n".encode())


@pytest.mark.parametrize(
    ("start", "phrase"),
    [
        ("SIP/2.0 200 OK", "OK"),
        ("SIP/2.0 486 Busy  Here", "Busy  Here"),
        ("SIP/2.0 200 ", ""),
        ("SIP/2.0 200", ""),
        ("INVITE sip:a@b SIP/2.0", ""),
    ],
)
def test_only_a_response_has_a_phrase(start: str, phrase: str) -> None:
    assert parse(f"{start}\r\n\r\n".encode()).phrase == phrase


def test_of_a_list_without_end_the_first_values_are_taken() -> None:
    assert split_list("a," * 100_000) == ["a"] * MOST_VALUES


def test_a_header_of_our_own_has_its_name_in_both_forms() -> None:
    header = made("Record-Route", "<sip:a;lr>")
    assert (header.name, header.line, header.value) == (
        "record-route",
        "Record-Route: <sip:a;lr>",
        "<sip:a;lr>",
    )


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("Subject: a", "a"),
        ("Subject:a", "a"),
        ("Subject :\t a \t", "a"),
        ("Subject: a\r\n b", "a b"),
        ("Subject:\r\n\t a\r\n b", "a b"),
        ("Subject: a \r\n b", "a  b"),
        ("Subject:", ""),
        ("Subject: a: b", "a: b"),
    ],
)
def test_values_are_unfolded(line: str, value: str) -> None:
    (header,) = parse(f"SIP/2.0 200 OK\r\n{line}\r\n\r\n".encode()).headers
    assert (header.name, header.value) == ("subject", value)
