"""Spaces of every script around a value, which come with what is copied or exported."""

from __future__ import annotations

import unicodedata

_BLANK = frozenset("\u2800\u115f\u1160\u3164\uffa0")
"""Look like a space and are neither `str.isspace` nor Cf: the empty braille pattern, the Hangul fillers."""


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
