"""Trunks as a JSON text that can be saved, sent and read again: settings by key, no ids and no secrets."""

from __future__ import annotations

import json
from collections.abc import Sequence

from app.errors import SettingError
from app.model.json_lines import Object, line_of, parse
from app.model.names import name_key
from app.model.settings import as_text, new_trunk
from app.model.trunk import Trunk
from app.model.typed import shown
from app.model.visible import visible_json

FORMAT_VERSION = 1
"""The version of the document, not of Ringback."""

MOST_TRUNKS = 5_000
"""Of one document."""

_KIND = "trunks"


def write_trunks(trunks: Sequence[Trunk], version: int = FORMAT_VERSION) -> str:
    """The document: every setting of every trunk, as `ringback add --set` takes it."""
    document = {"ringback": _KIND, "version": version, "trunks": [as_text(trunk) for trunk in trunks]}
    return visible_json(json.dumps(document, ensure_ascii=False, indent=2)) + "\n"


def read_trunks(text: str) -> tuple[Trunk, ...]:
    """The trunks of such a document, each with an empty id; all of them or none.

    Raises:
        SettingError: It is no such document, or one of its trunks can't be used. The text says in which line.
    """
    text = text.removeprefix("\ufeff")
    document = parse(text, longest_list=MOST_TRUNKS)
    if not isinstance(document, Object) or document.get("ringback") != _KIND:
        raise SettingError(
            "This file holds no trunks of Ringback.",
            do='It must begin with {"ringback": "trunks". A table is imported as CSV instead.',
        )
    version = document.get("version")
    if isinstance(version, bool) or version != FORMAT_VERSION:
        newer = isinstance(version, float) and version > FORMAT_VERSION
        raise _at(
            text,
            document.place("version"),
            "This file was written by a newer Ringback." if newer else "The version is not 1.",
            "Import it with that newer version." if newer else "Export the trunks again.",
        )
    for key in document.members:
        if key not in {"ringback", "version", "trunks"}:
            raise _at(text, document.place(key), f"{shown(key)} does not belong here.", "Take it out.")
    if document.twice:
        key, at = document.twice
        raise _at(text, at, f"{shown(key)} is there twice.", "Take one out.")
    entries = document.get("trunks")
    if not isinstance(entries, list):
        what = "There is no list of trunks."
        raise _at(text, document.place("trunks"), what, 'Write it as "trunks": [ … ].')
    trunks: list[Trunk] = []
    seen: set[str] = set()
    for index, entry in enumerate(entries):
        if not isinstance(entry, Object):
            raise SettingError(
                f"Trunk {index + 1} in the list is not an object.",
                do='Write it as { "name": …, "host": … }.',
            )
        trunk = _trunk(text, entry)
        if name_key(trunk.name) in seen:
            what = f"The name {shown(trunk.name)} is there twice."
            raise _at(text, entry.place("name"), what, "Give one of the two another name.", "name")
        seen.add(name_key(trunk.name))
        trunks.append(trunk)
    return tuple(trunks)


def _trunk(text: str, entry: Object) -> Trunk:
    if entry.twice:
        key, at = entry.twice
        what = f"{shown(key)} is there twice in one trunk."
        raise _at(text, at, what, "Take one of the two out.", key)
    settings: dict[str, str] = {}
    for key, (at, value) in entry.members.items():
        if not isinstance(value, str):
            what = f"{shown(key)} is not a text in quotes."
            raise _at(text, at, what, f'Write it as {shown(key)}: "…".', key)
        settings[key] = value
    try:
        trunk, _ = new_trunk("", settings.get("name", ""), settings)
    except SettingError as error:
        which = f" Trunk {shown(settings['name'])}." if settings.get("name") else ""
        raise _at(text, entry.place(error.field), f"{error.what}{which}", error.do, error.field) from None
    return trunk


def _at(text: str, at: int, what: str, do: str, field: str = "") -> SettingError:
    """The refusal with the line that it is about."""
    return SettingError(f"Line {line_of(text, at)}: {what}", do=do, field=field)
