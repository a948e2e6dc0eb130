"""Checking and mending what was typed into a field of the wizard."""

from __future__ import annotations

import re
from collections.abc import Iterable

from app.errors import SettingError
from app.flows.form import PASSWORD, SERVER, FormField, Problem
from app.model.setting_table import BY_KEY
from app.model.settings import apply_settings, as_text
from app.model.trunk import Trunk
from app.model.typed import Typed, shown
from app.providers.catalogue import matches
from app.providers.schema import Field

LONGEST_ANSWER = 255
_BLANK = Trunk(id="", name="", host="")
_BRACES = re.compile(r"\{([^{}]*)\}")
_SCHEME = re.compile(r"(?:sips?:|https?:)(?://)?", re.IGNORECASE)


def mend_answer(key: str, text: str, templates: Iterable[str]) -> tuple[str, str]:
    """What was typed, put right, and a sentence about it; the same text and nothing when all is well.

    Args:
        key: The field.
        text: As typed.
        templates: Hosts with braces: of a whole host that was pasted only the part in braces is kept.
    """
    if key in BY_KEY:
        try:
            trunk, mended = apply_settings(_BLANK, {key: text})
        except SettingError:
            return text, ""
        if not mended:
            return text, ""
        return as_text(trunk)[key], " ".join(note.what for note in mended)
    bare = text.strip()
    what = "Blanks around it were taken off." if bare != text else ""
    scheme = _SCHEME.match(bare)
    if scheme:
        bare, what = bare[scheme.end() :].rstrip("/"), f'The "{scheme[0]}" in front was taken off.'
    for template in templates:
        found = _BRACES.search(template)
        if not found or found[1] != key:
            continue
        front, behind = template[: found.start()], template[found.end() :]
        host = re.sub(r":[0-9]+$", "", bare)
        if "{" in front + behind or not (front or behind):
            continue
        if host.lower().startswith(front.lower()) and host.lower().endswith(behind.lower()):
            inner = host[len(front) : len(host) - len(behind)]
            if inner and inner != bare:
                return inner, f"Only {inner} is needed here; the rest of the host is known."
    return bare, what


def also_in(key: str, text: str) -> dict[str, str]:
    """Other settings in what was pasted, such as port and transport of `sips:sip.example.com:5071`."""
    if key not in BY_KEY:
        return {}
    try:
        trunk, _ = apply_settings(_BLANK, {key: text})
    except SettingError:
        return {}
    blank = as_text(_BLANK)
    return {other: value for other, value in as_text(trunk).items() if other != key and value != blank[other]}


def problem_of(field: FormField, text: str, rules: Field | None) -> Problem | None:
    """What is wrong with a field, or None.

    Args:
        field: The field.
        text: What it holds; of a password nothing is repeated.
        rules: The provider's own rules for it.
    """
    bare = text if field.key == PASSWORD else text.strip()
    if not bare:
        needed = Problem(key=field.key, text=f"{field.label} is needed.", missing=True)
        return needed if field.required else None
    if field.key == PASSWORD:
        return _password_problem(field, bare, rules)
    if field.key == SERVER and bare in field.choices:
        return None
    try:
        if field.key in BY_KEY:
            apply_settings(_BLANK, {field.key: bare})
        elif field.key == SERVER:
            apply_settings(_BLANK, {"host": bare})
        else:
            Typed(field.key, field.label, bare).tidy(longest=LONGEST_ANSWER)
    except SettingError as error:
        # The setting's own name, as its reader says it, is not the one that stands beside the field
        key = "host" if field.key == SERVER else field.key
        own = Typed(key, BY_KEY[key].label, "").name if key in BY_KEY else field.label
        return Problem(key=field.key, text=str(error).replace(own, field.label, 1))
    if field.choices and not field.free and field.key not in BY_KEY and bare not in field.choices:
        return Problem(key=field.key, text=f"{field.label}: choose one of {', '.join(field.words)}.")
    if rules and not field.choices and not matches(rules, bare):
        example = f" It looks like {rules.example}." if rules.example else ""
        return Problem(
            key=field.key,
            text=f"{field.label} {shown(bare)} is not of the form that this provider gives out.{example}",
        )
    return None


def _password_problem(field: FormField, password: str, rules: Field | None) -> Problem | None:
    if rules and not matches(rules, password):
        return Problem(
            key=field.key,
            text=f"{field.label} is not of the form that this provider gives out. {rules.help}".strip(),
        )
    return None
