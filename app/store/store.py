"""Trunks in the person's order, and what the window remembers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Self, TypeVar

import msgspec

from app.errors import StoreError
from app.model.names import name_key
from app.model.trunk import Trunk
from app.model.typed import shown
from app.paths import Paths
from app.store.opening import open_database
from app.store.remembered import StoredSetting
from app.store.schema import LAST_ID, Row, is_text
from app.store.trunk_file import TRUNKS
from app.store.trunk_rows import TrunkRow, UnreadableTrunk, read_trunk, row_number, settings_json
from app.store.words import TooLargeError

T = TypeVar("T")


class Store:
    """An open data folder. Belongs to the thread that opened it; window and command line can share a folder.

    Every change is on the disk when its method returns. All methods raise `StoreError` when the file can't be
    read or written, and then nothing was changed.
    """

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._database = open_database(TRUNKS, paths.database, paths)
        self._seen = self._data_version()
        # By what is in the row: checking a trunk takes longer than reading it
        self._known: dict[TrunkRow, Trunk | StoreError] = {}

    @classmethod
    def open(cls, paths: Paths) -> Self:
        """Opens what is saved in a data folder, or starts there; see `open_database`.

        Raises:
            StoreError: It can't be read at all, or is of a newer Ringback. Nothing was changed.
        """
        return cls(paths)

    @property
    def paths(self) -> Paths:
        """The data folder."""
        return self._paths

    @property
    def notes(self) -> tuple[str, ...]:
        """What the person should know: what was repaired, and why nothing can be saved."""
        return self._database.notes

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

    def trunks(self, *, check: bool = True) -> tuple[Trunk, ...]:
        """All trunks that can be read, in the person's order; `unreadable` names the others.

        Args:
            check: Whether to leave out those whose settings are not valid any more; that takes longer.
        """
        rows = self._rows()
        found = [self._read(row, check=check) for row in rows]
        if check:
            self._known = dict(zip(rows, found, strict=True))
        return tuple(each for each in found if isinstance(each, Trunk))

    def unreadable(self) -> tuple[UnreadableTrunk, ...]:
        """The trunks that can't be read, in the person's order."""
        rows = self._rows()
        read = {row: self._read(row) for row in rows}
        sound = {name_key(trunk.name) for trunk in read.values() if isinstance(trunk, Trunk)}
        return tuple(
            UnreadableTrunk(
                name=row.label,
                removable_as=row.handle if name_key(row.removable_as) in sound else row.removable_as,
                why=error.details,
                field=error.field,
            )
            for row, error in read.items()
            if isinstance(error, StoreError)
        )

    def names(self) -> tuple[str, ...]:
        """Names that are taken, those of trunks that can't be read among them."""
        return tuple(row.label for row in self._rows())

    def _rows(self) -> list[TrunkRow]:
        """All rows in the person's order, past what can't be read in a file that is damaged meanwhile."""
        found = self._database.scan(TRUNKS.tables[0]).rows
        rows = [(_place(row), _row(number, row)) for number, row in found.items()]
        return [row for _, row in sorted(rows, key=lambda each: each[0])]

    def _read(self, row: TrunkRow, *, check: bool = True) -> Trunk | StoreError:
        known = self._known.get(row)
        if known is None or (isinstance(known, StoreError) and known.field and not check):
            try:
                known = read_trunk(row, self._database.file, check=check)
            except StoreError as error:
                known = error
            if check:
                self._known[row] = known
        return known

    def _trunk(self, row: TrunkRow, *, check: bool = True) -> Trunk:
        read = self._read(row, check=check)
        if isinstance(read, StoreError):
            raise read
        return read

    def by_id(self, trunk_id: str, *, check: bool = True) -> Trunk | None:
        """The trunk with this id, None when there is none; another one that can't be read does not matter.

        Args:
            trunk_id: Which trunk.
            check: Whether to refuse one whose settings are not valid any more; else they can be changed.
        """
        row = self._row_of(trunk_id)
        return None if row is None else self._trunk(row, check=check)

    def by_name(self, name: str, *, check: bool = True) -> Trunk:
        """The trunk of this name, in upper or lower case; `check` as in `by_id`.

        Raises:
            StoreError: There is none, and names that look like it are suggested; or it can't be read.
        """
        return self._trunk(self._row_named(name), check=check)

    def id_of(self, name: str) -> str:
        """The id of the trunk of this name, also of one that can't be read any more: enough to remove it.

        Raises:
            StoreError: There is none; names that look like it are suggested.
        """
        row = self._row_named(name)
        return row.trunk_id if isinstance(row.trunk_id, str) and is_text(row.trunk_id) else row.handle

    def _row_of(self, trunk_id: str) -> TrunkRow | None:
        if not is_text(trunk_id):
            return None
        try:
            found = self._database.row(_SELECT, (trunk_id,))
        except TooLargeError:
            return next((row for row in self._rows() if row.trunk_id == trunk_id), None)
        return None if found is None else _row(found[0], found[1:])

    def _number_of(self, trunk_id: str) -> int | None:
        """The number of the row with this id, or with this handle."""
        found: list[tuple[int, ...]] = []
        if is_text(trunk_id):
            found = self._database.small_rows("SELECT rowid FROM trunks WHERE id = ?", (trunk_id,))
        if not found:
            handle = (row_number(trunk_id),)
            found = self._database.small_rows("SELECT rowid FROM trunks WHERE rowid = ?", handle)
        return int(found[0][0]) if found else None

    def _row_named(self, name: str) -> TrunkRow:
        key, number = name_key(name), row_number(name)
        rows = self._rows()
        alike = [
            row
            for row in rows
            if key in (name_key(row.label), row.name_key)
            or (row.number == number and isinstance(self._read(row), StoreError))
        ]
        # In a damaged file two can have one name: it is that of the one with which nothing is wrong
        alike.sort(key=lambda row: (isinstance(self._read(row), StoreError), row.name_key != key))
        if not alike:
            raise _unknown(name, [row.label for row in rows])
        return alike[0]

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
        with self._database.transaction():
            self._insert(trunks)

    def insert_at(self, trunk: Trunk, position: int) -> None:
        """Saves a trunk at a place, as `remove` gave it; those behind it move on.

        Raises:
            SettingError: It is not a usable trunk.
            StoreError: The name is taken.
        """
        _check(trunk)
        with self._database.transaction():
            order = self._order()
            order[position:position] = self._insert((trunk,))
            self._put_in_order(order)

    def _insert(self, trunks: Sequence[Trunk]) -> list[int]:
        """Puts trunks behind the others; returns the numbers of their rows."""
        taken = self._taken()
        first, numbers = self._free_place(), []
        for place, trunk in enumerate(trunks, start=first):
            _refuse_taken(trunk, taken)
            taken[name_key(trunk.name)] = trunk.name, trunk.id
            added = self._database.change(
                "INSERT INTO trunks (id, name, name_key, position, settings) VALUES (?, ?, ?, ?, ?)",
                (trunk.id, trunk.name, name_key(trunk.name), place, settings_json(trunk)),
            )
            numbers.append(added.lastrowid or 0)
        return numbers

    def _taken(self) -> dict[str, tuple[str, object]]:
        """Names with the ids that have them, by what is the same in names that are one to a person."""
        return {name_key(row.label): (row.label, row.trunk_id) for row in self._rows()}

    def _free_place(self) -> int:
        """The position behind all others."""
        ((count, highest, odd),) = self._database.small_rows(
            "SELECT count(*), max(CASE WHEN typeof(position) = 'integer' THEN position END),"
            " total(typeof(position) != 'integer' OR position > ?) FROM trunks",
            (LAST_ID,),
        )
        if odd:
            self._put_in_order(self._order())
            return int(count) + 1
        return int(highest or 0) + 1

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
        with self._database.transaction():
            row = self._row_of(trunk.id)
            if row is None:
                raise _gone(trunk.name)
            if before is not None and self._trunk(row, check=False) != before:
                raise StoreError(
                    f"The trunk {shown(before.name)} was changed elsewhere meanwhile; nothing was saved.",
                    do="Look at it again, then make your change.",
                )
            _refuse_taken(trunk, self._taken())
            self._database.change(
                "UPDATE trunks SET name = ?, name_key = ?, settings = ? WHERE rowid = ?",
                (trunk.name, name_key(trunk.name), settings_json(trunk), row.number),
            )

    def remove(self, trunk_id: str) -> int:
        """Deletes a trunk; its secret is the vault's to delete.

        Returns:
            Its place in the order, from 0; `insert_at` takes it.

        Raises:
            StoreError: It is not there any more.
        """
        with self._database.transaction():
            order, number = self._order(), self._number_of(trunk_id)
            if number is None:
                raise _gone("")
            self._database.change("DELETE FROM trunks WHERE rowid = ?", (number,))
        return order.index(number)

    def set_order(self, trunk_ids: Iterable[str]) -> None:
        """Puts trunks into this order; those that are not named come behind, in their old order."""
        with self._database.transaction():
            numbers = {row.trunk_id: row.number for row in self._rows()}
            first = dict.fromkeys(numbers[trunk_id] for trunk_id in trunk_ids if trunk_id in numbers)
            self._put_in_order([*first, *(number for number in self._order() if number not in first)])

    def _order(self) -> list[int]:
        rows = self._database.small_rows("SELECT rowid FROM trunks ORDER BY position, name_key")
        return [number for (number,) in rows]

    def _put_in_order(self, numbers: Iterable[int]) -> None:
        for place, number in enumerate(numbers, start=1):
            self._database.change("UPDATE trunks SET position = ? WHERE rowid = ?", (place, number))

    # The window's memory

    def setting(self, stored: StoredSetting[T]) -> T:
        """What was remembered, or its usual value."""
        try:
            row = self._database.row("SELECT value FROM settings WHERE key = ?", (stored.key,))
            return stored.usual if row is None else msgspec.json.decode(row[0], type=stored.kind)
        except (TooLargeError, msgspec.MsgspecError, UnicodeError, RecursionError, TypeError):
            # Damaged, written by hand or by another version. It is a convenience, not worth a message.
            return stored.usual

    def set_setting(self, stored: StoredSetting[T], value: T) -> None:
        """Remembers a value."""
        text = msgspec.json.encode(value).decode()
        with self._database.transaction():
            self._database.change(
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
        return self._database.number("data_version")


_SELECT = "SELECT rowid, id, name, name_key, NULL, settings FROM trunks WHERE id = ?"


def _row(number: int, values: Row | None) -> TrunkRow:
    if values is None:
        return TrunkRow(number=number)
    trunk_id, name, key, _, settings = values
    return TrunkRow(number=number, trunk_id=trunk_id, name=name, name_key=key, settings=settings)


def _place(row: Row | None) -> tuple[float, str]:
    """What rows are sorted by: the position, then the name."""
    _, _, key, position, _ = row or (None,) * 5
    return (position if isinstance(position, int | float) else math.inf), str(key)


def _refuse_taken(trunk: Trunk, taken: Mapping[str, tuple[str, object]]) -> None:
    name, trunk_id = taken.get(name_key(trunk.name), ("", trunk.id))
    if trunk_id != trunk.id:
        raise StoreError(
            f"There is a trunk called {shown(name)} already.", do="Choose another name.", field="name"
        )


def _unknown(name: str, names: Sequence[str]) -> StoreError:
    import difflib  # late: the window has trunks on screen before a name is not found

    by_key = {name_key(each): each for each in names}
    near = difflib.get_close_matches(name_key(name), by_key, n=3)
    if near:
        do = f"Did you mean {' or '.join(shown(by_key[key]) for key in near)}?"
    elif names:
        do = f"Saved trunks: {', '.join(map(shown, names))}."
    else:
        do = "No trunk is saved yet. Add one with: ringback add."
    return StoreError(f"There is no trunk called {shown(name)}.", do=do, field="name")


def _gone(name: str) -> StoreError:
    which = f"The trunk {shown(name)}" if name else "That trunk"
    return StoreError(
        f"{which} is not there any more; it was removed elsewhere.", do="Look at the list again."
    )


def _check(trunk: Trunk) -> None:
    """`check_trunk`, imported when something is saved: reading for the first paint does without its table."""
    from app.model.settings import check_trunk

    check_trunk(trunk)
