"""What can be a password, and how one is carried among values that are shown."""

from __future__ import annotations

import unicodedata
from enum import StrEnum

from app.errors import VaultError

LONGEST_PASSWORD = 1024
"""Characters; Windows keeps 2560 bytes of UTF-16."""


class PasswordTrait(StrEnum):
    """Something about a password that some servers or people stumble over; it does not give it away."""

    HASH = "has a # in it"
    SIGNS = "has other characters than letters and digits"
    SPACE_AROUND = "has a space at its start or end"
    NOT_ASCII = "has letters outside ASCII"


def traits_of(password: str) -> tuple[PasswordTrait, ...]:
    """What is unusual about a password."""
    found = {
        PasswordTrait.HASH: "#" in password,
        PasswordTrait.SIGNS: any(not char.isalnum() for char in password),
        PasswordTrait.SPACE_AROUND: password != password.strip(),
        PasswordTrait.NOT_ASCII: not password.isascii(),
    }
    return tuple(trait for trait, there in found.items() if there)


class Secret:
    """A password on its way. It is no struct, so nothing can write or print it by accident.

    Args:
        text: The password, empty for none.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str = "") -> None:
        self._text = text

    def reveal(self) -> str:
        """The password itself, for the vault or the engine."""
        return self._text

    def __bool__(self) -> bool:
        """Whether there is one."""
        return bool(self._text)

    def __repr__(self) -> str:
        """Only whether there is one."""
        return "<hidden>" if self._text else "<none>"


def check_password(password: str) -> None:
    """Checks that a text can be a password; what is wrong is said without it.

    Raises:
        VaultError: It is empty, too long, or holds characters that can't be typed.
    """
    if not password:
        raise VaultError(
            "The password is empty.", do="Type the password that your provider gave you.", field="password"
        )
    if len(password) > LONGEST_PASSWORD:
        raise VaultError(
            f"The password has {len(password)} characters; at most {LONGEST_PASSWORD} can be kept.",
            do="Check what was pasted.",
            field="password",
        )
    if any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in password):
        raise VaultError(
            "The password has a line break or another control character in it.",
            do="Type it by hand, or copy it again without the end of its line.",
            field="password",
        )
