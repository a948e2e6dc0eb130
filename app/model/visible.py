"""Text that others wrote, as it can be shown: what hides or reverses its neighbours is named instead.

A display name, a certificate's subject or a file's name may hold characters that have no shape of their own
and change what stands around them: controls that a terminal obeys, marks that turn the writing direction
(Unicode UAX #9; "Trojan Source", CVE-2021-42574), characters of no width.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

LONGEST = 200
"""Characters of a text that is shown within a sentence, a cell or a menu."""

MOST_MARKS = 4
"""Combining marks on one letter; scripts that stack them need no more, and a tower covers other lines."""

# Control and format characters, surrogates without their half, noncharacters, and letters without a shape:
# the default ignorable code points of Unicode 15 (DerivedCoreProperties.txt), and the Braille blank.
_HIDDEN = (
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f"
    "\u202a-\u202e\u2060-\u206f\u2800\u3164\ud800-\udfff\ufdd0-\ufdef\ufeff\uffa0\ufff0-\ufffc\ufffe\uffff"
    "\U00013430-\U00013440\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
)
# ZERO WIDTH (NON-)JOINER: part of the spelling between letters of many scripts, and between emoji
_JOINERS = "\u200c\u200d"
_JOINED = (
    "\u0620-\u115e\u1161-\u17b3\u17b6-\u180a\u1810-\u1fff\u2190-\u27ff\u2900-\u2bff\u3041-\u3163\u3165-\ud7ff"
    "\U00010000-\U0001bc9f\U0001f000-\U0003ffff"
)
# Variation selectors: one behind a character chooses its form
_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_HIDDEN_ONE = (
    f"(?:[{_HIDDEN}]"
    f"|(?<![{_JOINED}])(?<![{_JOINED}]\ufe0f)[{_JOINERS}]|[{_JOINERS}](?![{_JOINED}])"
    f"|(?<![^\\s{_HIDDEN}{_JOINERS}{_SELECTORS}])[{_SELECTORS}])"
)
# What divides lines and moves to the next column, where there may be none of it
_CONTROLS = "\t-\r\x85\u2028\u2029"
_LINE_END = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
# Two spaces in a row are ours; more of them, or tabs, would push what follows out of sight
_GAP = re.compile(r"\s{3,}|[^\S ]")
_GAP_IN_LINE = re.compile(r"[^\S\n]{3,}|[^\S \n]")
_MOST_NAMED = 3


def visible(text: str) -> str:
    """A text in which nothing hides: `Anna\\u202e` is `Anna[U+202E]`. Lines and tabs stay."""
    if text.isprintable() and (text.isascii() or all(map(_is_western, text))):
        return text
    text = _hidden_run().sub(_named, _LINE_END.sub("\n", text))
    return text if text.isascii() else _without_towers(text)


def visible_line(text: str) -> str:
    """The same on one line for a terminal or a log: line ends and tabs are named too, and nothing is cut."""
    if text.isprintable() and (text.isascii() or all(map(_is_western, text))):
        return text
    text = _hidden_in_line().sub(_named, text)
    return text if text.isascii() else _without_towers(text)


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
    return _surrogate().sub(lambda found: ascii(found[0])[1:-1], text)


def one_line(text: str, longest: int = LONGEST) -> str:
    """The same on one line, without long gaps, cut with an ellipsis where it is longer than it may be.

    Args:
        text: Any text.
        longest: Most characters of the result.
    """
    # What is far beyond the limit is not looked at
    return _cut(_GAP.sub(" ", visible(text[: 4 * longest])).strip(), longest, more=len(text) > 4 * longest)


def few_lines(text: str, most: int, longest: int) -> str:
    """The same with its lines, but for those that are too many, without long gaps and not too long.

    Args:
        text: Any text.
        most: Most lines of the result.
        longest: Most characters of the result.
    """
    shown = _GAP_IN_LINE.sub(" ", visible(text[: 4 * longest]))
    lines = shown.split("\n", most)
    return _cut("\n".join(lines[:most]), longest, more=len(lines) > most or len(text) > 4 * longest)


def _cut(text: str, longest: int, *, more: bool) -> str:
    if len(text) <= longest and not more:
        return text
    return text[: longest - 1].rstrip(f" \n{_JOINERS}") + "…"


# Compiled when they are first needed: that takes 7 ms, and the first window has no text that needs it


@cache
def _hidden_run() -> re.Pattern[str]:
    return re.compile(f"{_HIDDEN_ONE}+")


@cache
def _hidden_in_line() -> re.Pattern[str]:
    return re.compile(f"(?:[{_CONTROLS}]|{_HIDDEN_ONE})+")


@cache
def _not_from_us() -> re.Pattern[str]:
    return re.compile(f"(?!\n)[{_HIDDEN}{_JOINERS}{_CONTROLS}]")


@cache
def _surrogate() -> re.Pattern[str]:
    return re.compile("[\ud800-\udfff]")


def _json_escape(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def _is_western(char: str) -> bool:
    """Whether it is a letter or a sign of Latin text; no more than a quick look before the closer one."""
    return char < "\u0300" or "\u2010" <= char <= "\u2027"


def _named(run: re.Match[str]) -> str:
    found = list(dict.fromkeys(run[0]))
    words = " ".join(f"U+{ord(char):04X}" for char in found[:_MOST_NAMED])
    return f"[{words}…]" if len(run[0]) > min(len(found), _MOST_NAMED) else f"[{words}]"


def _without_towers(text: str) -> str:
    kept: list[str] = []
    height = 0
    for char in text:
        height = height + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
        if height <= MOST_MARKS:
            kept.append(char)
    return "".join(kept)
