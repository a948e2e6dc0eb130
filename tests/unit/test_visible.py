"""What nobody can see is written out, and nothing else is touched."""

from __future__ import annotations

import json
import unicodedata

import pytest

from app.model.visible import strip_blanks, visible, visible_json, without_surrogates
from tests.helpers.hostile import EVIL, EVIL_BYTES, shows


def test_every_character_of_a_hidden_kind_is_written_out() -> None:
    for number in range(0x110000):
        char = chr(number)
        if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp"):
            written = visible(char)
            assert written.startswith("\\"), hex(number)
            assert written.isascii()
            assert written.isprintable()


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("\x1b[31m", r"\x1b[31m"),
        ("\x9b31m", r"\x9b31m"),
        ("\x7f", r"\x7f"),
        ("a\tb\nc\r", r"a\tb\nc\r"),
        ("\u202e12\u2066", r"\u202e12\u2066"),
        ("\u2028\u2029\ufeff\u200b", r"\u2028\u2029\ufeff\u200b"),
        ("\U000e0041", r"\U000e0041"),
        ("\udc9b", r"\udc9b"),
        ("\u3164", r"\u3164"),
    ],
)
def test_hidden_characters_are_shown_as_what_they_are(text: str, written: str) -> None:
    assert visible(text) == written


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Büro »Ost« 📞",
        "☎️ Ελλάδα 東京 ٠١٢ שלום",
        "a\N{NO-BREAK SPACE}b",
        r"C:\x1b",
        "\N{COMBINING ACUTE ACCENT}e",
    ],
)
def test_what_can_be_seen_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


def test_json_shows_nothing_hidden_and_means_the_same() -> None:
    document = json.dumps({"a": EVIL, "b": ["\U000e0041", 'q"\\']}, ensure_ascii=False, indent=2)
    written = visible_json(document)
    assert shows(written) == []
    assert json.loads(written) == json.loads(document)
    assert "\\ud83d" not in visible_json('"📞"')


def test_text_with_surrogates_can_be_encoded_afterwards() -> None:
    assert without_surrogates("a\udc80b\ud83d") == r"a\udc80b\ud83d"
    without_surrogates(EVIL_BYTES).encode()


_SPACES = (
    " \t\n\x85\u2028\N{NO-BREAK SPACE}\N{IDEOGRAPHIC SPACE}\N{NARROW NO-BREAK SPACE}"
    "\u200b\u200e\u202c\ufeff\u180e\u3164\uffa0\u115f\u2800"
)


@pytest.mark.parametrize("blank", _SPACES)
def test_spaces_of_every_script_around_a_value_go(blank: str) -> None:
    assert strip_blanks(f"{blank}{blank}a{blank}b{blank}") == f"a{blank}b"
    assert strip_blanks(blank) == ""
