"""Trunks in the person's order, and what the window remembers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Generic, Self, TypeVar

import msgspec

from app.errors import StoreError
from app.model.names import name_key
from app.model.trunk import Trunk
from app.model.typed import shown
from app.paths import Paths
from app.store.database import connect, told, transaction

T = TypeVar("T")


class StoredSetting(Generic[T]):
    """A thing to remember that is not a trunk's, such as the window's geometry.

    Args:
        key: Its key in the file; never reuse one for another kind of value.
        kind: Type of the value: whatever msgspec writes as JSON.
        usual: The value as long as nothing is stored, or something that can't be read.
    """

    def __init__(self, key: str, kind: type[T], usual: T) -> None:
        self.key = key
        self.kind = kind
        self.usual = usual


def window_setting(key: str) -> StoredSetting[str]:
    """A thing that the window remembers, such as its size; empty text when there is none."""
    return StoredSetting(f"window.{key}", str, "")


class Store:
    """An open data folder. Belongs to the thread that opened it; window and command line can share a folder.

    Every change is on the disk when its method returns. All methods raise `StoreError` when the file can't be
    read or written, and then nothing was changed.
    """

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._database = connect(paths)
        self._seen = self._data_version()

    @classmethod
    def open(cls, paths: Paths) -> Self:
        """Opens what is saved in a data folder, or starts there.

        Raises:
            StoreError: It can't be read or written, or is of a newer Ringback. Nothing was changed.
            DamagedStoreError: It can't be made sense of; it was left as it is.
        """
        return cls(paths)

    @property
    def paths(self) -> Paths:
        """The data folder."""
        return self._paths

    def close(self) -> None:
        """Ends all access; harmless when done twice."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Trunks

    def trunks(self) -> tuple[Trunk, ...]:
        """All trunks that can be read, in the person's order; `unreadable` names the others."""
        found = []
        for row in self._rows():
            with suppress(StoreError):
                found.append(self._trunk(*row))
        return tuple(found)

    def unreadable(self) -> tuple[str, ...]:
        """Names of the trunks that can't be read, in the person's order."""
        names = []
        for row in self._rows():
            try:
                self._trunk(*row)
            except StoreError:
                names.append(str(row[1]))
        return tuple(names)

    def names(self) -> tuple[str, ...]:
        """Names that are taken, those of trunks that can't be read among them."""
        return tuple(str(row[1]) for row in self._rows())

    def _rows(self) -> list[tuple[str, str, str]]:
        with told(self._paths):
            rows = self._database.execute("SELECT id, name, settings FROM trunks ORDER BY position, name_key")
            return rows.fetchall()

    def by_id(self, trunk_id: str) -> Trunk | None:
        """The trunk with this id, None when there is none; another one that can't be read does not matter."""
        with told(self._paths):
            row = self._database.execute(
                "SELECT id, name, settings FROM trunks WHERE id = ?", (trunk_id,)
            ).fetchone()
        return None if row is None else self._trunk(*row)

    def by_name(self, name: str) -> Trunk:
        """The trunk of this name, in upper or lower case.

        Raises:
            StoreError: There is none; names that look like it are suggested.
        """
        with told(self._paths):
            row = self._database.execute(
                "SELECT id, name, settings FROM trunks WHERE name_key = ?", (name_key(name),)
            ).fetchone()
        if row is None:
            raise self._unknown(name)
        return self._trunk(*row)

    def id_of(self, name: str) -> str:
        """The id of the trunk of this name, also of one that can't be read any more: enough to remove it.

        Raises:
            StoreError: There is none; names that look like it are suggested.
        """
        with told(self._paths):
            row = self._database.execute(
                "SELECT id FROM trunks WHERE name_key = ?", (name_key(name),)
            ).fetchone()
        if row is None:
            raise self._unknown(name)
        return str(row[0])

    def add(self, trunk: Trunk) -> None:
        """Saves a new trunk behind the others.

        Raises:
            SettingError: It is not a usable trunk.
            StoreError: The name is taken.
        """
        self.add_many((trunk,))

    def add_many(self, trunks: Sequence[Trunk]) -> None:
        """Saves new trunks behind the others, all or none.

        Raises:
            SettingError: One is not a usable trunk.
            StoreError: A name is taken, or two have the same.
        """
        for trunk in trunks:
            _check(trunk)
        with transaction(self._database, self._paths):
            for trunk in trunks:
                self._insert(trunk)

    def insert_at(self, trunk: Trunk, position: int) -> None:
        """Saves a trunk at a place, as `remove` gave it; those behind it move on.

        Raises:
            SettingError: It is not a usable trunk.
            StoreError: The name is taken.
        """
        _check(trunk)
        with transaction(self._database, self._paths):
            order = self._order()
            self._insert(trunk)
            order.insert(position, trunk.id)
            self._put_in_order(order)

    def _insert(self, trunk: Trunk) -> None:
        self._refuse_taken(trunk)
        self._database.execute(
            "INSERT INTO trunks (id, name, name_key, position, settings)"
            " VALUES (?, ?, ?, (SELECT coalesce(max(position), 0) + 1 FROM trunks), ?)",
            (trunk.id, trunk.name, name_key(trunk.name), _settings_json(trunk)),
        )

    def update(self, trunk: Trunk, *, before: Trunk | None = None) -> None:
        """Saves a changed trunk; its place in the order stays.

        Args:
            trunk: The new values; `id` tells which trunk.
            before: What the person saw when they began to change it. When the saved one differs from that by
                now, nothing is changed, so that nobody's work is overwritten unseen.

        Raises:
            SettingError: It is not a usable trunk.
            StoreError: The name is taken, or the trunk was changed or removed elsewhere.
        """
        _check(trunk)
        with transaction(self._database, self._paths):
            row = self._database.execute(
                "SELECT id, name, settings FROM trunks WHERE id = ?", (trunk.id,)
            ).fetchone()
            if row is None:
                raise self._gone(trunk.name)
            if before is not None and self._trunk(*row) != before:
                raise StoreError(
                    f"The trunk {shown(before.name)} was changed elsewhere meanwhile; nothing was saved.",
                    do="Look at it again, then make your change.",
                )
            self._refuse_taken(trunk)
            self._database.execute(
                "UPDATE trunks SET name = ?, name_key = ?, settings = ? WHERE id = ?",
                (trunk.name, name_key(trunk.name), _settings_json(trunk), trunk.id),
            )

    def remove(self, trunk_id: str) -> int:
        """Deletes a trunk; its secret is the vault's to delete.

        Returns:
            Its place in the order, from 0; `insert_at` takes it.

        Raises:
            StoreError: It is not there any more.
        """
        with transaction(self._database, self._paths):
            order = self._order()
            if trunk_id not in order:
                raise self._gone("")
            self._database.execute("DELETE FROM trunks WHERE id = ?", (trunk_id,))
        return order.index(trunk_id)

    def set_order(self, trunk_ids: Iterable[str]) -> None:
        """Puts trunks into this order; those that are not named come behind, in their old order."""
        with transaction(self._database, self._paths):
            saved = dict.fromkeys(self._order())
            first = dict.fromkeys(trunk_id for trunk_id in trunk_ids if trunk_id in saved)
            self._put_in_order([*first, *(trunk_id for trunk_id in saved if trunk_id not in first)])

    def _order(self) -> list[str]:
        rows = self._database.execute("SELECT id FROM trunks ORDER BY position, name_key").fetchall()
        return [row[0] for row in rows]

    def _put_in_order(self, trunk_ids: Iterable[str]) -> None:
        places = enumerate(trunk_ids, start=1)
        self._database.executemany("UPDATE trunks SET position = ? WHERE id = ?", places)

    # The window's memory

    def setting(self, stored: StoredSetting[T]) -> T:
        """What was remembered, or its usual value."""
        with told(self._paths):
            row = self._database.execute("SELECT value FROM settings WHERE key = ?", (stored.key,)).fetchone()
        if row is None:
            return stored.usual
        try:
            return msgspec.json.decode(row[0], type=stored.kind)
        except msgspec.MsgspecError:
            # Written by hand or by another version. It is a convenience, not worth a message.
            return stored.usual

    def set_setting(self, stored: StoredSetting[T], value: T) -> None:
        """Remembers a value."""
        text = msgspec.json.encode(value).decode()
        with transaction(self._database, self._paths):
            self._database.execute(
                "INSERT INTO settings (key, value) VALUES (?, ?)"
                " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (stored.key, text),
            )

    def changed_elsewhere(self) -> bool:
        """Whether another window or command line has saved something since this was last asked."""
        version = self._data_version()
        changed, self._seen = version != self._seen, version
        return changed

    def _data_version(self) -> int:
        with told(self._paths):
            return int(self._database.execute("PRAGMA data_version").fetchone()[0])

    def _trunk(self, trunk_id: str, name: str, settings: str) -> Trunk:
        try:
            values = msgspec.json.decode(settings, type=dict[str, object])
            return msgspec.convert({**values, "id": trunk_id, "name": name}, Trunk)
        except (msgspec.MsgspecError, UnicodeError, TypeError) as error:
            raise StoreError(
                f"The trunk {shown(str(name))} can't be read from {self._paths.database}.",
                do=f"Remove it with: ringback remove {shown(str(name))}. Then add it again.",
                details=str(error),
            ) from error

    def _refuse_taken(self, trunk: Trunk) -> None:
        row = self._database.execute(
            "SELECT name FROM trunks WHERE name_key = ? AND id != ?", (name_key(trunk.name), trunk.id)
        ).fetchone()
        if row is not None:
            raise StoreError(
                f"There is a trunk called {shown(row[0])} already.", do="Choose another name.", field="name"
            )

    def _unknown(self, name: str) -> StoreError:
        with told(self._paths):
            rows = self._database.execute("SELECT name_key, name FROM trunks ORDER BY position").fetchall()
        import difflib  # late: the window has trunks on screen before a name is not found

        names = {row[0]: row[1] for row in rows}
        near = difflib.get_close_matches(name_key(name), names, n=3)
        if near:
            do = f"Did you mean {' or '.join(shown(names[key]) for key in near)}?"
        elif names:
            do = f"Saved trunks: {', '.join(shown(saved) for saved in names.values())}."
        else:
            do = "No trunk is saved yet. Add one with: ringback add."
        return StoreError(f"There is no trunk called {shown(name)}.", do=do, field="name")

    def _gone(self, name: str) -> StoreError:
        which = f"The trunk {shown(name)}" if name else "That trunk"
        return StoreError(
            f"{which} is not there any more; it was removed elsewhere.", do="Look at the list again."
        )


def _check(trunk: Trunk) -> None:
    """`check_trunk`, imported when something is saved: reading for the first paint does without its table."""
    from app.model.settings import check_trunk

    check_trunk(trunk)


def _settings_json(trunk: Trunk) -> str:
    values = msgspec.to_builtins(trunk)
    return msgspec.json.encode({key: values[key] for key in values if key not in {"id", "name"}}).decode()
