"""Text that others wrote has nothing in it that hides or reverses what stands around it."""

from __future__ import annotations

import json
import random
import sys
import unicodedata

import pytest

from app.model.visible import (
    LONGEST,
    MOST_MARKS,
    few_lines,
    one_line,
    visible,
    visible_json,
    visible_line,
    without_surrogates,
)
from tests.helpers.hostile import EVIL, EVIL_BYTES, shows

# "Prefixed concatenation marks" are format characters by their category, and can be seen
_SEEN = ("ARABIC", "SYRIAC", "KAITHI")
# Letters and marks without a shape, which have a harmless category
_SHAPELESS = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u2800\u3164\uffa0\ufff0\ufffc\ufdd0\uffff"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("Main office", "Main office"),
        ("<b>Main</b> & office", "<b>Main</b> & office"),
        ("Büro Köln №5 ☎", "Büro Köln №5 ☎"),
        ("שלום عليكم", "שלום عليكم"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("a\r\nb\rc\u2028d\u2029e\x85f\x0bg\x0ch", "a\nb\nc\nd\ne\nf\ng\nh"),
        ("invoice\u202efdp.exe", "invoice[U+202E]fdp.exe"),
        ("\u2066a\u2069\u200eb\u061c", "[U+2066]a[U+2069][U+200E]b[U+061C]".replace("][", " ")),
        ("pay\u200bpal\ufeff", "pay[U+200B]pal[U+FEFF]"),
        ("\x1b[31mred\x1b[0m\x07", "[U+001B][31mred[U+001B][0m[U+0007]"),
        ("caf\udce9", "caf[U+DCE9]"),
        ("\u200b" * 5000, "[U+200B…]"),
        ("\u202a\u202b\u202c\u202d\u202e", "[U+202A U+202B U+202C…]"),
        ("tag\U000e0041\U000e0042", "tag[U+E0041 U+E0042]"),
    ],
)
def test_what_hides_or_reverses_is_named(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "\U0001f469\u200d\u2764\ufe0f\u200d\U0001f468",  # a couple with a heart: emoji joined to one
        "1\ufe0f\u20e3",  # a key of a dial pad
        "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian, with a non-joiner in a word
        "\u0915\u094d\u200d\u0937",  # Devanagari, with a joiner
        "\u845b\U000e0100",  # an ideograph in one of its forms
        "\u1ec7",  # Vietnamese
    ],
)
def test_spelling_of_other_scripts_stays(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize("text", ["a\u200db", "pay\u200cpal", "\u200d", "a\ufe0f\ufe0f", "\ufe0f", "א\u200d"])
def test_joiners_and_selectors_without_anything_to_join_are_named(text: str) -> None:
    assert "[U+" in visible(text)


def test_no_character_of_unicode_hides() -> None:
    every = [chr(number) for number in range(sys.maxunicode + 1)]
    hidden = [
        char
        for char in every
        if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        and char not in "\n\t"
        and not unicodedata.name(char, "").startswith(_SEEN)
    ]
    for char in (*hidden, *_SHAPELESS):
        assert char not in visible(f"a{char}b"), f"U+{ord(char):04X}"


def test_letters_signs_and_blanks_of_unicode_stay() -> None:
    kept = [
        chr(number)
        for number in range(0x20, sys.maxunicode + 1)
        if unicodedata.category(chr(number))[0] in "LNPS" and chr(number) not in _SHAPELESS
    ]
    assert visible("".join(kept)) == "".join(kept)


def test_marks_stand_in_no_tower() -> None:
    assert visible("a" + "\u0301" * 500 + "b") == "a" + "\u0301" * MOST_MARKS + "b"
    assert visible("ก" + "\u0e49" * 30) == "ก" + "\u0e49" * MOST_MARKS


def test_what_is_visible_stays_as_it_is() -> None:
    draw = random.Random(7)
    pool = "a\u202e\u200d\ufe0f\u0301\x1b\n\r\t \u2764\u0646\u200b\udce9\U0001f469[U+202E]"
    for _ in range(3000):
        text = "".join(draw.choices(pool, k=draw.randrange(12)))
        once = visible(text)
        assert visible(once) == once, ascii(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("  Anna \n Smith\t", "Anna Smith"),
        ("a\n\n\n\nb", "a b"),
        ("a" + " " * 5000 + "b", "a…"),
        ("Recording  0:12", "Recording  0:12"),
        ("x" * LONGEST, "x" * LONGEST),
        ("x" * (LONGEST + 1), "x" * (LONGEST - 1) + "…"),
        ("x" * 1_000_000, "x" * (LONGEST - 1) + "…"),
    ],
)
def test_one_line_is_one_and_not_too_long(text: str, shown: str) -> None:
    assert one_line(text) == shown


def test_few_lines_are_not_more() -> None:
    assert few_lines("a\nb\nc", 3, 100) == "a\nb\nc"
    assert few_lines("a\nb\nc\nd", 3, 100) == "a\nb\nc…"
    assert few_lines("a\n" * 5000, 3, 100) == "a\na\na…"
    assert few_lines("a  b" + "\t" * 50 + "c\n   d", 3, 100) == "a  b c\n d"
    assert few_lines("x" * 500, 3, 100) == "x" * 99 + "…"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("Büro »Ost« 📞", "Büro »Ost« 📞"),
        ("a\tb\nc\r", "a[U+0009]b[U+000A]c[U+000D]"),
        ("a\r\n\x1b[2J", "a[U+000D U+000A U+001B][2J"),
        ("\x9b31m\x85", "[U+009B]31m[U+0085]"),
        ("\u2028 \u2029", "[U+2028] [U+2029]"),
        ("  two  ", "  two  "),
        ("x" * 5000, "x" * 5000),
    ],
)
def test_a_line_for_a_terminal_names_line_ends_too_and_is_whole(text: str, shown: str) -> None:
    assert visible_line(text) == shown


def test_json_shows_nothing_hidden_and_means_the_same() -> None:
    document = json.dumps({"a": EVIL, "b": ["\U000e0041", 'q"\\']}, ensure_ascii=False, indent=2)
    written = visible_json(document)
    assert shows(written) == []
    assert json.loads(written) == json.loads(document)
    assert "\\ud83d" not in visible_json('"📞"')


def test_text_with_surrogates_can_be_encoded_afterwards() -> None:
    assert without_surrogates("a\udc80b\ud83d") == r"a\udc80b\ud83d"
    without_surrogates(EVIL_BYTES).encode()
