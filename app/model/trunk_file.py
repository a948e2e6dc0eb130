"""Trunks as a JSON text that can be saved, sent and read again: settings by key, no ids and no secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from app.errors import SettingError
from app.model.names import name_key
from app.model.settings import as_text, new_trunk
from app.model.trunk import Trunk
from app.model.typed import shown
from app.model.visible import visible_json

FORMAT_VERSION = 1
"""The version of the document, not of Ringback."""

_KIND = "trunks"
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')

Place = tuple[int, str]
"""Which trunk (-1 for the document itself) and which key in it (empty for its beginning)."""


class _Object(dict[str, object]):
    """A JSON object that remembers a key that it has twice; JSON itself would keep the last one."""

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        super().__init__(pairs)
        keys = [key for key, _ in pairs]
        self.twice = next((key for key in self if keys.count(key) > 1), "") if len(self) < len(keys) else ""


def write_trunks(trunks: Sequence[Trunk], version: int = FORMAT_VERSION) -> str:
    """The document: every setting of every trunk, as `ringback add --set` takes it."""
    document = {"ringback": _KIND, "version": version, "trunks": [as_text(trunk) for trunk in trunks]}
    return visible_json(json.dumps(document, ensure_ascii=False, indent=2)) + "\n"


def read_trunks(text: str) -> tuple[Trunk, ...]:
    """The trunks of such a document, each with an empty id; all of them or none.

    Raises:
        SettingError: It is no such document, or one of its trunks can't be used. The text says in which line.
    """
    document = _parsed(text)
    if not isinstance(document, _Object) or document.get("ringback") != _KIND:
        raise SettingError(
            "This file holds no trunks of Ringback.",
            do='It must begin with {"ringback": "trunks". A table is imported as CSV instead.',
        )
    version = document.get("version")
    if isinstance(version, bool) or version != FORMAT_VERSION:
        newer = isinstance(version, float) and version > FORMAT_VERSION
        raise _at(
            text,
            (-1, "version"),
            "This file was written by a newer Ringback." if newer else "The version is not 1.",
            "Import it with that newer version." if newer else "Export the trunks once more.",
        )
    for key in document:
        if key not in {"ringback", "version", "trunks"}:
            raise _at(text, (-1, key), f"{shown(key)} does not belong here.", "Take it out.")
    if document.twice:
        raise _at(text, (-1, document.twice), f"{shown(document.twice)} is there twice.", "Take one out.")
    entries = document.get("trunks")
    if not isinstance(entries, list):
        raise _at(text, (-1, "trunks"), "There is no list of trunks.", 'Write it as "trunks": [ … ].')
    trunks: list[Trunk] = []
    seen: set[str] = set()
    for index, entry in enumerate(entries):
        trunk = _trunk(text, index, entry)
        if name_key(trunk.name) in seen:
            what = f"The name {shown(trunk.name)} is there twice."
            raise _at(text, (index, "name"), what, "Give one of the two another name.", "name")
        seen.add(name_key(trunk.name))
        trunks.append(trunk)
    return tuple(trunks)


def _parsed(text: str) -> object:
    try:
        # Numbers as floats: int() refuses very long ones, and only one number is looked at
        return json.loads(text.removeprefix("\ufeff"), object_pairs_hook=_Object, parse_int=float)
    except json.JSONDecodeError as error:
        raise SettingError(
            f"Line {error.lineno}: this is not JSON.",
            do="Export the trunks once more, or mend that line.",
            details=f"{error.msg} in column {error.colno}",
        ) from None  # its text holds the whole document
    except RecursionError:
        raise SettingError(
            "This file is nested too deeply to be one of ours.", do="Choose a file that Ringback exported."
        ) from None


def _trunk(text: str, index: int, entry: object) -> Trunk:
    if not isinstance(entry, _Object):
        raise SettingError(
            f"Trunk {index + 1} in the list is no object.", do='Write it as { "name": …, "host": … }.'
        )
    if entry.twice:
        what = f"{shown(entry.twice)} is there twice in one trunk."
        raise _at(text, (index, entry.twice), what, "Take one of the two out.", entry.twice)
    settings: dict[str, str] = {}
    for key, value in entry.items():
        if not isinstance(value, str):
            what = f"{shown(key)} is not a text in quotes."
            raise _at(text, (index, key), what, f'Write it as "{key}": "…".', key)
        settings[key] = value
    try:
        trunk, _ = new_trunk("", settings.get("name", ""), settings)
    except SettingError as error:
        which = f" Trunk {shown(settings['name'])}." if settings.get("name") else ""
        raise _at(text, (index, error.field), f"{error.what}{which}", error.do, error.field) from None
    return trunk


def _at(text: str, place: Place, what: str, do: str, field: str = "") -> SettingError:
    """The refusal with the line that it is about: of the key, or else of its trunk's beginning."""
    lines = _lines(text)
    line = lines.get(place) or lines.get((place[0], "")) or 1
    return SettingError(f"Line {line}: {what}", do=do, field=field)


def _lines(text: str) -> dict[Place, int]:
    """Where things are; only for a text that JSON understands."""
    found: dict[Place, int] = {}
    nesting: list[str] = []
    index, key_of_document, before, line, at = -1, "", "", 1, 0
    for match in _TOKEN.finditer(text):
        token = match[0]
        line += text.count("\n", at, match.start())
        at = match.start()
        if token == ":" and nesting and nesting[-1] == "{":
            key = json.loads(before)
            if len(nesting) == 1:
                found[-1, key] = line
                key_of_document = key
            elif len(nesting) == 3 and nesting == ["{", "[", "{"] and key_of_document == _KIND:
                found[index, key] = line
        elif token in "{[":
            if token == "{" and nesting == ["{", "["] and key_of_document == _KIND:
                index += 1
                found[index, ""] = line
            nesting.append(token)
        elif token in "}]":
            nesting.pop()
        before = token
    return found
