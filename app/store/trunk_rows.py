"""A trunk as rows of the database have it: written whole, read with care."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from app.errors import SettingError, StoreError
from app.model.names import LONGEST_NAME, free_name, name_key
from app.model.trunk import Trunk
from app.model.typed import shown
from app.store.schema import Row, is_text

COLUMNS = ("id", "name", "name_key", "position", "settings")

_WHERE_IN_SETTINGS = re.compile(r" - at `\$\.([a-z_]{1,40})(?![a-z_])")
"""Where in a JSON object msgspec found something of the wrong type; keys are ours, values are not."""
_HANDLE = re.compile(r"row-(\d{1,18})")


class TrunkRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row as it is in the file; a value of it can be anything.

    Attributes:
        number: Its rowid.
        trunk_id, name, name_key, settings: As they are.
    """

    number: int
    trunk_id: object = None
    name: object = None
    name_key: object = None
    settings: object = None

    @property
    def handle(self) -> str:
        """A name for it that always works."""
        return f"row-{self.number}"

    @property
    def label(self) -> str:
        """What the person knows it by: its name as far as it can be read."""
        if is_text(self.name) and isinstance(self.name, str) and 0 < len(self.name) <= LONGEST_NAME:
            return self.name
        text = self.name if isinstance(self.name, str) else ""
        readable = text[:LONGEST_NAME].encode("utf-8", "replace").decode()
        return f"{readable} ({self.handle})" if readable.strip() else self.handle

    @property
    def removable_as(self) -> str:
        """What `Store.id_of` finds it by, as it can be typed."""
        return self.label if self.label == self.name and self.label.isprintable() else self.handle


class _PartError(Exception):
    """A part of a row is missing, or is not text; says which."""


class UnreadableTrunk(msgspec.Struct, frozen=True, kw_only=True):
    """A saved trunk that can't be used; it stays as it is until the person removes it.

    Attributes:
        name: Its name, as far as it can be read.
        removable_as: What to call it to remove it.
        why: What is wrong with it, a sentence.
        field: The setting that is not valid any more and can be changed; empty when more is wrong.
    """

    name: str
    removable_as: str
    why: str
    field: str

    @property
    def words(self) -> str:
        """All of that, for the person."""
        name, why = shown(self.removable_as), f"{self.why[:1].upper()}{self.why[1:]}"
        what = f"The trunk {shown(self.name)} can't be"
        remove = f"emove it with: ringback remove {name}"
        if self.field:
            change = f"Change it with: ringback set {name} {self.field}=…"
            return f"{what} used and is not shown; all others are here. {why} {change} Or r{remove}"
        return f"{what} read and is not shown; all others are here. {why} R{remove}. Then add it again."


def row_number(name: str) -> int | None:
    """The number in a row's handle; None when it is none."""
    found = _HANDLE.fullmatch(name.strip())
    return int(found[1]) if found else None


def settings_json(trunk: Trunk) -> str:
    """The column `settings`."""
    values = msgspec.to_builtins(trunk)
    return msgspec.json.encode({key: values[key] for key in values if key not in {"id", "name"}}).decode()


def read_trunk(row: TrunkRow, where: object, *, check: bool = True) -> Trunk:
    """The trunk of a row.

    Args:
        row: As it is.
        where: The file, for the message.
        check: Whether its values have to be valid settings too, and not only of the right types.

    Raises:
        StoreError: It can't be used; `details` says why in a sentence, and `field` names the setting that is
            not valid.
    """
    try:
        trunk = _converted(row)
        if check:
            # Imported when it is needed: the first paint does without its table
            from app.model.settings import check_trunk

            check_trunk(trunk)
    except SettingError as error:
        raise _unreadable(row, where, error.what, field=error.field) from error
    except _PartError as error:
        raise _unreadable(row, where, str(error)) from error
    except (msgspec.MsgspecError, UnicodeError, RecursionError, TypeError, ValueError) as error:
        found = _WHERE_IN_SETTINGS.search(str(error))
        what = f'its setting "{found[1]}" makes' if found else "its settings make"
        raise _unreadable(row, where, f"{what} no sense.") from error
    return trunk


def _unreadable(row: TrunkRow, where: object, why: str, *, field: str = "") -> StoreError:
    name = shown(row.removable_as)
    if field:
        return StoreError(
            f"The trunk {shown(row.label)} can't be used: {why}",
            do=f"Change it with: ringback set {name} {field}=… Or remove it with: ringback remove {name}",
            details=why,
            field=field,
        )
    return StoreError(
        f"The trunk {shown(row.label)} can't be read from {where}.",
        do=f"Remove it with: ringback remove {name}. Then add it again.",
        details=why,
    )


def _converted(row: TrunkRow) -> Trunk:
    parts = (("id is", row.trunk_id), ("name is", row.name), ("settings are", row.settings))
    for what, value in parts:
        if not is_text(value) or not value:
            raise _PartError(f"its {what} {'missing' if value in ('', None) else 'not text'}.")
    values = msgspec.json.decode(str(row.settings), type=dict[str, object])
    return msgspec.convert({**values, "id": row.trunk_id, "name": row.name}, Trunk)


def is_trunk(row: Row) -> bool:
    """Whether a row of the columns `COLUMNS` is a trunk; its settings may be invalid."""
    trunk_id, name, _, _, settings = row
    with suppress(StoreError):
        read_trunk(TrunkRow(number=0, trunk_id=trunk_id, name=name, settings=settings), "", check=False)
        return True
    return False


def is_setting(row: Row) -> bool:
    """Whether a row of the table `settings` can be used."""
    return all(map(is_text, row))


def fit_together(rows: Sequence[Row]) -> list[Row]:
    """Rows that come from several files, in one order, with ids and names of their own."""
    fitted: list[Row] = []
    ids, names = set[object](), list[str]()
    keys = set[object]()
    for place, row in enumerate(sorted(rows, key=_position), start=1):
        trunk_id, name, key, _, settings = row
        if is_trunk(row):
            name = free_name(name, names)
            key = name_key(name)
            names.append(name)
        if trunk_id is None or trunk_id in ids:
            trunk_id = os.urandom(16).hex()
        if key is None or key in keys:
            key = f"{place} {os.urandom(16).hex()}"
        ids.add(trunk_id)
        keys.add(key)
        empty = ("" if value is None else value for value in (name, settings))
        name, settings = empty
        fitted.append((trunk_id, name, key, place, settings))
    return fitted


def _position(row: Row) -> float:
    position = row[3]
    return float(position) if isinstance(position, int | float) else float("inf")
