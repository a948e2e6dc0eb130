"""Characters that nobody can see, or that a terminal acts on, written as what they are.

Names, phrases and messages come from a network or from a file. An escape sequence in them could clear the
screen, change its title or paint a verdict; a bidi override can show a number backwards.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

_HIDDEN = (
    # Cc: C0, DEL and C1, whose U+009B is "ESC [" in one character
    "\x00-\x1f\x7f-\x9f"
    # Cf: soft hyphen, zero width, bidi marks, overrides and isolates (UAX 9), byte order mark, tags
    "\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufeff\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
    # Zl, Zp
    "\u2028\u2029"
    # Cs: bytes that were not UTF-8
    "\ud800-\udfff"
    # Letters and marks that show nothing (Default_Ignorable_Code_Point). Not U+FE0E and U+FE0F, which only
    # choose how an emoji looks
    "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\ufe00-\ufe0d\uffa0\ufffe\uffff"
)

_BLANK = frozenset("\u2800\u115f\u1160\u3164\uffa0")
"""Look like a space and are neither `str.isspace` nor Cf: the empty braille pattern, the Hangul fillers."""


def visible(text: str) -> str:
    r"""One line of text from outside, safe to print: `\x1b`, `\u202e`, `\n` instead of such characters."""
    return _any().sub(_python_escape, text)


def visible_json(document: str) -> str:
    """A JSON document that a terminal shows as it is; its values stay the same.

    JSON itself escapes C0 only (RFC 8259 section 7). Whatever else is hidden can only stand inside strings,
    where an escape means the same character.

    Args:
        document: Without lone surrogates.
    """
    return _not_from_us().sub(_json_escape, document)


def without_surrogates(text: str) -> str:
    r"""Text that can be encoded: `\udc80` instead of what was not UTF-8."""
    return _surrogate().sub(_python_escape, text)


def is_blank(char: str) -> bool:
    """Whether a character at an end of a value is there by accident: a space of any script, or invisible."""
    return char.isspace() or char in _BLANK or unicodedata.category(char) == "Cf"


def strip_blanks(text: str) -> str:
    """Without what `is_blank` at both ends."""
    start, end = 0, len(text)
    while start < end and is_blank(text[start]):
        start += 1
    while end > start and is_blank(text[end - 1]):
        end -= 1
    return text[start:end]


# Compiled when they are first needed: the window is on screen before that


@cache
def _any() -> re.Pattern[str]:
    return re.compile(f"[{_HIDDEN}]")


@cache
def _not_from_us() -> re.Pattern[str]:
    return re.compile(f"(?!\n)[{_HIDDEN}]")


@cache
def _surrogate() -> re.Pattern[str]:
    return re.compile("[\ud800-\udfff]")


def _python_escape(found: re.Match[str]) -> str:
    return ascii(found[0])[1:-1]


def _json_escape(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
