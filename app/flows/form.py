"""What a page of the add-trunk wizard shows: fields, problems, and what was put right."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from app.model.settings import Kind


class WizardPage(StrEnum):
    """The pages, in order."""

    PROVIDER = "provider"
    SIGN_IN = "sign-in"
    SERVER = "server"
    NUMBERS = "numbers"
    TRY = "try"


PASSWORD = "password"
"""Key of the password's field; its text is never in a draft."""
SERVER = "server"
"""Key of the field with the provider's servers to choose from."""


class FormField(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a page.

    Attributes:
        key: A setting's key, a question's key, `server` or `password`.
        label, help, where, example: In the provider's words where it has its own; `where` is where the
            customer finds it.
        required: Whether it has to be filled in.
        kind: What a form shows for it.
        choices, words: For a choice, the values and what stands on screen for them.
        free: Whether something else than the choices may be typed, too.
        value: What it holds now: typed, or preset.
    """

    key: str
    label: str
    help: str = ""
    where: str = ""
    example: str = ""
    required: bool = False
    kind: Kind = Kind.TEXT
    choices: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    free: bool = False
    value: str = ""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a field can't stay as it is, for the line below it.

    Attributes:
        key: The field.
        text: What is wrong and what to write instead.
        missing: Whether it is only empty: told once the person has been there.
    """

    key: str
    text: str
    missing: bool = False


class Mend(msgspec.Struct, frozen=True, kw_only=True):
    """What was put right in a field: its new text, and a sentence."""

    key: str
    text: str
    what: str
