"""One setting on its way from what a person typed to a value."""

from __future__ import annotations

import unicodedata

from app.errors import SettingError
from app.model.blanks import strip_blanks
from app.model.visible import visible_line

LINE_BREAKS = frozenset("\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029")
"""What `str.splitlines` breaks at; in a SIP header a line break would begin another header."""

_LONGEST_SHOWN = 120
_FAR_TOO_LONG = 4
"""Times what is allowed; up to that, spaces around a value may have made it too long."""


class Typed:
    """The text of one setting, what was put right in it, and how to refuse it.

    Attributes:
        key: The setting's key.
        label: Its name on screen.
        original: What was typed.
        text: What is left of it after the mending so far.
        mended: What was put right, a sentence each.
    """

    def __init__(self, key: str, label: str, text: str) -> None:
        self.key = key
        self.label = label
        self.original = text
        self.text = text
        self.mended: list[str] = []

    def mend(self, text: str, what: str) -> None:
        """Goes on with another text, and notes what was done in a sentence."""
        self.text = text
        self.mended.append(what)

    def refuse(self, wrong: str, allowed: str) -> SettingError:
        """The error for a value that can't be used.

        Args:
            wrong: What is wrong with it: the sentence that begins with field and value.
            allowed: What to write instead, a sentence.
        """
        return SettingError(f"{self.name} {shown(self.original)} {wrong}.", do=allowed, field=self.key)

    @property
    def name(self) -> str:
        """The label, with the key when it is another word."""
        return self.label if self.label.lower() == self.key else f"{self.label} ({self.key})"

    def tidy(self, *, longest: int, any_character: bool = False, lines: bool = False) -> None:
        """Takes off blanks around, and refuses what no setting may hold.

        Args:
            longest: Most characters allowed.
            any_character: Whether invisible characters may stand inside.
            lines: Whether it may have several lines; all line ends become `\n`.

        Raises:
            SettingError: A line break or another control character is in it, or it is too long.
        """
        if len(self.text) > _FAR_TOO_LONG * longest:
            # Before anything looks at each character of it
            raise self.refuse(f"is {len(self.text)} characters long", f"At most {longest} are allowed.")
        if lines:
            self.text = "\n".join(self.text.splitlines())
        elif LINE_BREAKS & set(self.text):
            raise self.refuse("has a line break in it", "Write it on one line.")
        stripped = strip_blanks(self.text)
        if stripped != self.text:
            self.mend(stripped, "Blanks around it were taken off.")
        for char in self.text:
            category = unicodedata.category(char)
            if category == "Cc" and not (lines and char in "\n\t"):
                wrong = f"has a control character in it (U+{ord(char):04X})"
                raise self.refuse(wrong, "Type it by hand instead of copying it.")
            if category == "Cs":
                raise self.refuse(
                    "has bytes in it that are not text", "Type it by hand instead of copying it."
                )
            if category == "Cf" and not any_character:
                # Web pages and address books leave them in copied text; the provider's name has none.
                wrong = f"has an invisible character in it (U+{ord(char):04X})"
                raise self.refuse(wrong, "Type it by hand instead of copying it.")
        if len(self.text) > longest:
            raise self.refuse(f"is {len(self.text)} characters long", f"At most {longest} are allowed.")

    def take_off_brackets(self) -> None:
        """Without `<` and `>` around it."""
        if len(self.text) > 1 and self.text.startswith("<") and self.text.endswith(">"):
            self.mend(self.text[1:-1], "The angle brackets were taken off.")

    def take_off_scheme(self) -> str:
        """Without `sip:` or `sips:` in front; gives back which one it was, in lower case, or nothing."""
        for scheme in ("sip:", "sips:"):
            if self.text.lower().startswith(scheme):
                length = len(scheme) + 2 * self.text.startswith("//", len(scheme))
                self.mend(self.text[length:], f'The "{self.text[:length]}" in front was taken off.')
                return scheme
        return ""


def shown(value: str) -> str:
    """A value for a message: quoted, one line, not too long, without the password of `user:password@host`."""
    return f'"{clipped(value)}"'


def clipped(value: str) -> str:
    """As `shown`, without the quotes."""
    # Cut before, as it may be very long, and after, as a character's number is longer than the character
    value = visible_line(_both_ends(_without_password(value)))
    # Also other spaces than " ", private and unknown characters: else nobody could see what is wrong
    return _both_ends("".join(c if c.isprintable() else f"[U+{ord(c):04X}]" for c in value))


def _both_ends(value: str) -> str:
    half = _LONGEST_SHOWN // 2  # both ends: a path is known by its last part
    return value if len(value) <= 2 * half + 1 else f"{value[:half]}…{value[-half:]}"


def _without_password(value: str) -> str:
    front, at, behind = value.rpartition("@")
    start = front.find(":") + 1 if front.lower().lstrip(" <").startswith(("sip:", "sips:")) else 0
    colon = front.find(":", start)
    return value if not at or colon < 0 else f"{front[:colon]}:…@{behind}"
