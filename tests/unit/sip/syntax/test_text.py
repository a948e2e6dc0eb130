"""Bytes of the network as text that can be shown, stored and sent on."""

from __future__ import annotations

import msgspec
import pytest

from app.model.signalling import LONGEST_TEXT
from app.sip.syntax.text import one_line, readable, readable_lines


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"", ""),
        (b"Forbidden", "Forbidden"),
        ("Größe €".encode(), "Größe €"),
        ("日本".encode(), "日本"),
        (b"Identit\xe9 refus\xe9e", "Identité refusée"),
        (b"5 \x80", "5 €"),
        (b"\x81\x8d", "��"),
        (b"caf\xc3", "cafÃ"),
    ],
)
def test_utf_8_is_read_as_such_and_the_rest_as_windows_1252(raw: bytes, text: str) -> None:
    assert readable(raw) == text
    assert readable(raw.decode("utf-8", "surrogateescape")) == text


def test_every_octet_becomes_text_that_can_be_written() -> None:
    for first in range(0x100):
        for second in (b"", b"a", b"\x80", b"\xbf", b"\xff"):
            raw = bytes([first]) + second
            for text in (readable(raw), one_line(raw), readable_lines(raw)):
                assert msgspec.json.decode(msgspec.json.encode(text)) == text


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a  b\t\tc", "a b c"),
        ("  a ", "a"),
        ("a\r\n b", "a b"),
        ("a\0b", "a b"),
        ("\x1b[31mred\x1b[0m", "[31mred [0m"),
        ("\x07", ""),
        ("a\u202eb", "a b"),
        ("a\u2028b", "a b"),
        ("a\xadb", "a b"),
        ("a\udce9b", "aéb"),
        (b"a\xe9b", "aéb"),
        ("\U000e0041", ""),
    ],
)
def test_one_line_has_nothing_that_a_program_obeys(text: str | bytes, line: str) -> None:
    assert one_line(text) == line


@pytest.mark.parametrize("char", ["a", "ü", "日", "😀", "\udce9"])
def test_a_long_text_is_cut_and_shows_it(char: str) -> None:
    shown = readable(char)
    for text in (char * 5000, (char * 5000).encode("utf-8", "surrogateescape")):
        assert one_line(text) == shown * (LONGEST_TEXT - 1) + "…"
        assert one_line(text, 10) == shown * 9 + "…"
    assert one_line(char * LONGEST_TEXT) == shown * LONGEST_TEXT
    assert one_line(char * 10, 10) == shown * 10


def test_a_message_is_decoded_line_by_line() -> None:
    raw = "SIP/2.0 200 OK\r\nSubject: Größe\r\nServer: ".encode() + b"Entit\xe9\r\n\r\n\x00body"
    assert readable_lines(raw) == "SIP/2.0 200 OK\r\nSubject: Größe\r\nServer: Entité\r\n\r\n\x00body"
    assert readable_lines(b"a\nb\r\n") == "a\nb\r\n"
