"""JSON that knows where things are: for files of ours that somebody may have edited by hand.

`json.loads` keeps only the last of two equal keys, forgets lines, and goes through a whole file in one step
in which no other thread can run. This goes value by value, and stops at what is larger than any file of ours.
"""

from __future__ import annotations

import itertools
import json
import re

from app.errors import SettingError

MOST_MEMBERS = 1_000
"""Keys of one object."""
LONGEST_TEXT = 1_000_000
"""Characters of one string."""
_DEEPEST = 16
_SPACE = re.compile(r"[ \t\n\r]*")
# Numbers as floats: int() refuses very long ones
_PLAIN = json.JSONDecoder(parse_int=float)


class Object:
    """A JSON object.

    Args:
        at: Where it begins in the text.

    Attributes:
        members: Keys in order, each with where it stands and its value; the first one of equal keys.
        twice: A key that is there twice and where, None when there is none.
    """

    def __init__(self, at: int) -> None:
        self.at = at
        self.members: dict[str, tuple[int, object]] = {}
        self.twice: tuple[str, int] | None = None

    def get(self, key: str) -> object:
        """The value of a key, None without one."""
        return self.members.get(key, (0, None))[1]

    def place(self, key: str) -> int:
        """Where a key stands, or else where the object begins."""
        return self.members.get(key, (self.at, None))[0]


def line_of(text: str, at: int) -> int:
    """The line of a place in a text, from 1."""
    return text.count("\n", 0, at) + 1


def parse(text: str, *, longest_list: int) -> object:
    """The value of a JSON text (RFC 8259): `Object`, list, str, float, bool or None.

    Args:
        text: All of it, without a byte order mark.
        longest_list: Entries that a list may have.

    Raises:
        SettingError: It is not JSON, or larger or deeper than allowed; the text names the line.
    """
    reader = _Reader(text, longest_list)
    value = reader.value(0)
    if reader.peek():
        raise reader.not_json(reader.at)
    return value


class _Reader:
    def __init__(self, text: str, longest_list: int) -> None:
        self._text = text
        self._longest_list = longest_list
        self.at = 0

    def peek(self) -> str:
        """The next character that is no space, empty at the end."""
        space = _SPACE.match(self._text, self.at)
        assert space is not None  # it may be empty
        self.at = space.end()
        return self._text[self.at : self.at + 1]

    def not_json(self, at: int) -> SettingError:
        return SettingError(
            f"Line {line_of(self._text, at)}: this is not JSON.",
            do="Export the trunks again, or fix that line.",
        )

    def value(self, depth: int) -> object:
        """The next value, with everything in it."""
        match self.peek():
            case "{" | "[" if depth == _DEEPEST:
                raise SettingError(
                    "This file is nested too deeply to be one of ours.",
                    do="Choose a file that Ringback exported.",
                )
            case "{":
                return self._object(depth)
            case "[":
                return self._list(depth)
        return self._plain()

    def _plain(self) -> object:
        begin, end = self.at + 1, self.at + 1 + LONGEST_TEXT
        if self.peek() == '"' and end < len(self._text) and self._text.find('"', begin, end) < 0:
            line = line_of(self._text, begin)
            raise SettingError(
                f"Line {line}: a text has no end, or more than {LONGEST_TEXT:,} characters.",
                do="Choose a file that Ringback exported.",
            )
        try:
            value, self.at = _PLAIN.raw_decode(self._text, self.at)
        except json.JSONDecodeError as error:
            raise self.not_json(error.pos) from None  # its text holds the whole document
        return value

    def _object(self, depth: int) -> Object:
        found = Object(self.at)
        if self._ends_at_once("}"):
            return found
        for count in itertools.count(1):
            if self.peek() != '"':
                raise self.not_json(self.at)
            at, key = self.at, str(self._plain())
            if self.peek() != ":":
                raise self.not_json(self.at)
            self.at += 1
            value = self.value(depth + 1)
            if key not in found.members:
                found.members[key] = at, value
            elif found.twice is None:
                found.twice = key, at
            if count > MOST_MEMBERS:
                raise SettingError(
                    f"Line {line_of(self._text, at)}: this has too many keys to be one of ours.",
                    do="Choose a file that Ringback exported.",
                )
            if self._ends("}"):
                break
        return found

    def _list(self, depth: int) -> list[object]:
        found: list[object] = []
        if self._ends_at_once("]"):
            return found
        while True:
            found.append(self.value(depth + 1))
            if len(found) > self._longest_list:
                line, most = line_of(self._text, self.at), f"{self._longest_list:,}"
                raise SettingError(
                    f"Line {line}: there are more than {most} entries in the list.", do="Import it in parts."
                )
            if self._ends("]"):
                return found

    def _ends_at_once(self, end: str) -> bool:
        self.at += 1
        if self.peek() != end:
            return False
        self.at += 1
        return True

    def _ends(self, end: str) -> bool:
        """Whether this is the end, and not the comma in front of the next one."""
        char = self.peek()
        if char not in (end, ","):
            raise self.not_json(self.at)
        self.at += 1
        return char == end
