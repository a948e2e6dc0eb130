"""Messages are cut out of a stream however it is chopped, and limits hold."""

from __future__ import annotations

import re

import pytest

from app.sip.syntax import framing
from app.sip.syntax.framing import BODY_LIMIT, HEADERS_LIMIT, Framer, FramingError, KeepAlive

FIRST = b"INVITE sip:a@b SIP/2.0\r\nl:\r\n  4\r\nVia: x\r\n\r\nab\r\n"
SECOND = b"SIP/2.0 200 OK\r\nContent-Length : 0\r\n\r\n"
THIRD = b"SIP/2.0 180 Ringing\nCONTENT-LENGTH: 3\n\nxyz"
STREAM = FIRST + SECOND + THIRD + SECOND


class Counted:
    """A pattern that notes each use."""

    def __init__(self, pattern: re.Pattern[bytes], used: list[int]) -> None:
        self._pattern, self._used = pattern, used

    def match(self, text: bytes) -> re.Match[bytes] | None:
        self._used.append(len(text))
        return self._pattern.match(text)


def frames(*pieces: bytes) -> list[bytes | KeepAlive]:
    framer = Framer()
    return [frame for piece in pieces for frame in framer.frames(piece)]


def test_pipelined_messages_come_one_by_one():
    assert frames(STREAM) == [FIRST, SECOND, THIRD, SECOND]


def test_byte_by_byte_gives_the_same():
    assert frames(*(STREAM[at : at + 1] for at in range(len(STREAM)))) == [FIRST, SECOND, THIRD, SECOND]


def test_every_cut_in_two_gives_the_same():
    for cut in range(1, len(STREAM)):
        assert frames(STREAM[:cut], STREAM[cut:]) == [FIRST, SECOND, THIRD, SECOND], cut


def test_nothing_is_given_before_it_is_whole():
    assert frames(FIRST[:-1]) == []


def test_missing_length_means_no_body():
    assert frames(b"OPTIONS sip:a@b SIP/2.0\r\nVia: x\r\n\r\n" + SECOND)[1:] == [SECOND]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\r\n\r\n", [KeepAlive.PING]),
        (b"\r\n", [KeepAlive.PONG]),
        (b"\r\n" + SECOND, [KeepAlive.PONG, SECOND]),
        (b"\r\n\r\n" + SECOND + b"\r\n\r\n", [KeepAlive.PING, SECOND, KeepAlive.PING]),
        (b"\r\n\r\n\r\n" + SECOND, [KeepAlive.PING, KeepAlive.PONG, SECOND]),
        (b"\n" + SECOND, [KeepAlive.PONG, SECOND]),
        (b"\r", []),
    ],
)
def test_keep_alives_between_messages(data, expected):
    assert frames(data) == expected


def test_carriage_return_alone_waits_for_its_line_feed():
    assert frames(b"\r", b"\n" + SECOND) == [KeepAlive.PONG, SECOND]


def of_size(headers: int, body: int) -> bytes:
    begin, end = b"OPTIONS sip:a@b SIP/2.0\r\nX: ", b"\r\nl: %d\r\n\r\n" % body
    return begin + b"x" * (headers - len(begin) - len(end)) + end + b"b" * body


def test_sizes_at_the_limits_pass():
    whole = of_size(HEADERS_LIMIT, BODY_LIMIT)
    assert frames(whole) == [whole]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (of_size(HEADERS_LIMIT + 1, 0), "headers .* longer than 65536"),
        (of_size(HEADERS_LIMIT + 5, 0)[:-4], "headers .* longer than 65536"),
        (b"x" * (HEADERS_LIMIT + 1), "headers .* longer than 65536"),
        (of_size(200, 0).replace(b"l: 0", b"l: 262145"), "body .* longer than 262144"),
        (of_size(200, 0).replace(b"l: 0", b"l: " + b"9" * 5000), "body .* longer than 262144"),
        (of_size(200, 0).replace(b"l: 0", b"l: -1"), "not a number: '-1'"),
        (of_size(200, 0).replace(b"l: 0", b"l: 0x10"), "not a number: '0x10'"),
        (of_size(200, 0).replace(b"l: 0", "l: ٣".encode()), "not a number"),
        (of_size(200, 0).replace(b"l: 0", b"l: 0\r\nContent-Length: 5"), "two different"),
        (b"HTTP/1.1 400 Bad Request\r\nServer", "begins with 'HTTP/1.1 400 Bad Request'"),
        (b"\x15\x03\x01\x00\x02\x02\n", "not a SIP message"),
    ],
)
def test_streams_that_can_not_be_followed_are_refused(data, words):
    with pytest.raises(FramingError, match=words):
        frames(data)


@pytest.mark.parametrize(
    "start",
    [
        b"OPTIONS sip:a@b SIP/7.0",
        b"OPTIONS <sip:a@b> SIP/2.0",
        b"OPTIONS  sip:a b  SIP/2.0  ",
        b"OPTIONS sip:a@b sip/2.0",
        b"\xff\xfe SIP/2.0",
        b"SIP/2.0 4294967301 OK",
        b"SIP/3.1 200",
        b"SIP/2.0",
    ],
)
@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_a_start_line_of_sip_is_left_to_the_gate_however_bad_it_is(start: bytes, end: bytes) -> None:
    bad = start + end + b"l: 3" + end * 2 + b"abc"
    assert frames(bad + SECOND) == [bad, SECOND]


@pytest.mark.parametrize(
    "start",
    [b"GET / HTTP/1.1", b"SSH-2.0-OpenSSH_9", b"220 mail ESMTP", b"SIP", b"x SIP/2.0 y", b"a=b SIP/2"],
)
def test_anything_but_sip_is_refused_at_its_first_line(start: bytes) -> None:
    with pytest.raises(FramingError, match="not a SIP message: it begins with"):
        frames(start + b"\r\n")


def test_what_was_read_once_is_not_read_again_for_each_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    monkeypatch.setattr(framing, "_content_length", lambda head: read.append(len(head)) or 5000)
    monkeypatch.setattr(framing, "_START", Counted(framing._START, read))
    head = b"INVITE sip:a@b SIP/2.0\r\nX: " + b"x" * 5000 + b"\r\n\r\n"
    whole = head + b"b" * 5000
    assert frames(*(whole[at : at + 1] for at in range(len(whole)))) == [whole]
    assert len(read) == 3  # the start line; the head when it and when the body is there


def test_messages_before_the_bad_one_are_given():
    coming = Framer().frames(SECOND + b"rubbish\r\n")
    assert next(coming) == SECOND
    with pytest.raises(FramingError):
        next(coming)


def test_equal_lengths_twice_are_no_harm():
    raw = b"SIP/2.0 200 OK\r\nl: 2\r\nContent-Length: 2\r\n\r\nhi"
    assert frames(raw) == [raw]


# Bodies without a length, which RFC 3261 section 20.14 forbids on a stream

OPEN = b"SIP/2.0 200 OK\r\nContent-Type: application/sdp\r\n\r\n"
SDP = b"v=0\r\no=- 1 1 IN IP4 h\r\n"


@pytest.mark.parametrize("head", [OPEN, OPEN.replace(b"Content-Type", b"c"), OPEN.replace(b"\r\n", b"\n")])
@pytest.mark.parametrize(
    "after",
    [
        SECOND,
        THIRD,
        b"BYE sip:1001@192.0.2.7:5060;transport=tcp SIP/2.0\r\nl: 0\r\n\r\n",
        b"OPTIONS sips:a@b SIP/2.0\r\nl: 0\r\n\r\n",
    ],
)
def test_a_body_without_length_ends_where_the_next_message_begins(head: bytes, after: bytes) -> None:
    assert frames(head + SDP + after) == [head + SDP, after]
    assert frames(head + after) == [head, after]


def test_a_body_without_length_ends_with_what_has_come() -> None:
    assert frames(OPEN + SDP) == [OPEN + SDP]
    assert frames(OPEN + SDP, SECOND) == [OPEN + SDP, SECOND]


def test_a_body_without_length_has_the_limit_of_all_bodies() -> None:
    whole = OPEN + b"a=x\r\n" * (BODY_LIMIT // 5 + 1)
    first = next(Framer().frames(whole))
    assert isinstance(first, bytes)
    assert len(first) == len(OPEN) + BODY_LIMIT


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"HTTP/1.1 400 Bad Request\r\nServer", "HTTP/1.1 400 Bad Request"),
        (b"OPTIONS sip:a@b SIP/2.0\r\nl: -1\r\n\r\n", "Content-Length: -1"),
        (b"OPTIONS sip:a@b SIP/2.0\r\nl: 300000\r\n\r\n", "Content-Length: 300000"),
        (b"OPTIONS sip:a@b SIP/2.0\r\nl: 1\r\nl: 2\r\n\r\n", "Content-Length"),
        (b"x" * (HEADERS_LIMIT + 1), ""),
    ],
)
def test_the_line_at_fault_is_named(data: bytes, line: str) -> None:
    with pytest.raises(FramingError) as caught:
        frames(data)
    assert caught.value.line == line


def test_words_for_people_have_nothing_that_a_terminal_obeys() -> None:
    with pytest.raises(FramingError) as caught:
        frames(b"\x1b[31m\x00\xe9" + b"x" * 500 + b"\r\n")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 120


def test_a_message_whose_rest_is_missing_is_unfinished() -> None:
    framer = Framer()
    assert framer.unfinished == ""
    assert list(framer.frames(b"SIP/2.0 200 OK\r\nVia: x\r\nConte")) == []
    assert framer.unfinished == "SIP/2.0 200 OK"
    (whole,) = framer.frames(b"nt-Length: 0\r\n\r\n")
    assert isinstance(whole, bytes)
    assert framer.unfinished == ""
    assert list(framer.frames(b"\r")) == []
    assert framer.unfinished == ""
