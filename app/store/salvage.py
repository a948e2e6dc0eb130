"""Rows that can be read of a damaged database, together with those that a copy still has."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from app.errors import StoreError
from app.store.image import Image, load, read_image, with_new_head
from app.store.scan import Scan, scan
from app.store.schema import UNREADABLE, Kind, Row, Table, begin, check, connect, migrate, pragma

SALVAGE_S = 20.0
"""How long to look for rows, s."""


class Salvage(msgspec.Struct, frozen=True, kw_only=True):
    """What a new file is made of.

    Attributes:
        tables: Rows by the table's name.
        kept: How many rows of the first table could be read from the damaged file.
        complete: Whether no part of the first table had to be passed over.
        rest_complete: Whether no part of the others had to be.
        lost_last: Whether something that was saved last is missing.
        from_copy: Rows of the first table that came from a copy.
        copy: That copy; None when there was none, or none was needed.
    """

    tables: dict[str, list[Row]]
    kept: int
    complete: bool
    rest_complete: bool = True
    lost_last: bool = False
    from_copy: tuple[Row, ...] = ()
    copy: Path | None = None


def salvage(kind: Kind, image: Image | None, copies: Sequence[Path]) -> Salvage:
    """Finds all rows that there are.

    A row that can't be used is taken as it is, unless another state of the file or a copy has it whole. Rows
    that only a copy has are taken when a part of the file could not be read, and from the newest copy only.

    Args:
        kind: What is looked for.
        image: The damaged file; None when it is gone.
        copies: The newest first.
    """
    until = time.monotonic() + SALVAGE_S
    found: dict[str, dict[int, Row]] = {table.name: {} for table in kind.tables}
    complete = {table.name: False for table in kind.tables}
    for data in _states(image, kind):
        for table, result in _scans(data, kind, until):
            _merge(table, found[table.name], result)
            complete[table.name] |= result.complete
    rows = {name: list(numbered.values()) for name, numbered in found.items()}
    first = kind.tables[0]
    kept = sum(map(first.readable, rows[first.name]))
    from_copy, copy = _fill_from(copies, kind, rows, complete, until)
    rows[first.name] = kind.fit(rows[first.name])
    return Salvage(
        tables=rows,
        kept=kept,
        complete=complete[first.name],
        rest_complete=all(complete.values()),
        lost_last=image is not None and image.lost,
        from_copy=tuple(from_copy),
        copy=copy,
    )


def _states(image: Image | None, kind: Kind) -> list[bytes]:
    """The states of a file to look for rows in, the most trustworthy first; one if that is whole."""
    if image is None:
        return []
    states = [data for data in (image.more, image.read) if data]
    for data in states:
        if _is_whole(data, kind):
            return [data]
    # What SQLite reads is older, and what goes on behind a damaged place may not fit together
    states.reverse()
    headed = [with_new_head(data, kind) for data in states if not _has_tables(data, kind)]
    return [*states, *filter(None, headed)]


def _is_whole(data: bytes, kind: Kind) -> bool:
    try:
        with closing(load(data)) as connection:
            return _tables(connection, kind) and connection.execute(
                "PRAGMA integrity_check(1)"
            ).fetchall() == [("ok",)]
    except UNREADABLE:
        return False


def _has_tables(data: bytes, kind: Kind) -> bool:
    try:
        with closing(load(data)) as connection:
            return _tables(connection, kind)
    except UNREADABLE:
        return False


def _tables(connection: sqlite3.Connection, kind: Kind) -> bool:
    names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return {table.name for table in kind.tables} <= names


def _scans(data: bytes, kind: Kind, until: float) -> list[tuple[Table, Scan]]:
    try:
        with closing(load(data)) as connection:
            scans = [(table, scan(connection, table, until)) for table in kind.tables]
            version = pragma(connection, "user_version")
    except UNREADABLE:
        return []
    return _moved_on(scans, kind, version, until) if 0 < version < kind.latest else scans


def _moved_on(
    scans: list[tuple[Table, Scan]], kind: Kind, version: int, until: float
) -> list[tuple[Table, Scan]]:
    """The rows of an older version, as the newest has them."""
    old = {table.name: [row for row in result.rows.values() if row] for table, result in scans}
    with closing(connect(":memory:")) as made:
        begin(made, kind)
        migrate(made, kind, version)
        fill(made, kind, old)
        migrate(made, kind)
        return [
            (table, Scan(rows=scan(made, table, until).rows, complete=result.complete))
            for table, result in scans
        ]


def _merge(table: Table, found: dict[int, Row], result: Scan) -> None:
    for number, row in result.rows.items():
        if row and (number not in found or (table.readable(row) and not table.readable(found[number]))):
            found[number] = row


def _fill_from(
    copies: Sequence[Path],
    kind: Kind,
    rows: dict[str, list[Row]],
    complete: dict[str, bool],
    until: float,
) -> tuple[list[Row], Path | None]:
    """Takes from copies what is missing; returns the rows of the first table, and the newest copy used."""
    taken: list[Row] = []
    used: Path | None = None
    for path in copies:
        if all(complete.values()) and not _any_bad(kind, rows):
            break
        try:
            scans = _scans(_sound_copy(path, kind), kind, until)
        except (StoreError, OSError, *UNREADABLE):
            continue
        for table, result in scans:
            whole = used is None and not complete[table.name]
            new = _missing(table, rows[table.name], result, whole=whole)
            if table is kind.tables[0]:
                taken += new
        used = used or path
    return taken, used


def _missing(table: Table, rows: list[Row], result: Scan, *, whole: bool) -> list[Row]:
    """Puts rows of a copy in the place of bad ones, and with `whole` those that are missing behind them."""
    good = {table.key_of(row) for row in rows if table.readable(row)}
    bad = {table.key_of(row): place for place, row in enumerate(rows) if not table.readable(row)}
    taken = []
    for row in result.rows.values():
        key = table.key_of(row) if row else None
        if row is None or key in good or not table.readable(row):
            continue
        if key in bad:
            rows[bad[key]] = row
        elif whole:
            rows.append(row)
        else:
            continue
        taken.append(row)
    return taken


def _any_bad(kind: Kind, rows: dict[str, list[Row]]) -> bool:
    return any(not table.readable(row) for table in kind.tables for row in rows[table.name])


def _sound_copy(path: Path, kind: Kind) -> bytes:
    """A copy, brought to the newest version.

    Raises:
        StoreError, sqlite3.Error, OSError: It can't be used.
    """
    with closing(load(read_image(path).read)) as connection:
        check(connection, kind, path)
        migrate(connection, kind)
        return connection.serialize()


def fill(connection: sqlite3.Connection, kind: Kind, tables: dict[str, list[Row]]) -> int:
    """Writes rows into a new database; returns how many did not fit.

    Raises:
        sqlite3.Error: It can't be written.
    """
    lost = 0
    for table in kind.tables:
        for row in tables[table.name]:
            marks = ", ".join("CAST(? AS TEXT)" if isinstance(value, str) else "?" for value in row)
            sql = f"INSERT INTO {table.name} ({', '.join(table.columns)}) VALUES ({marks})"
            try:
                connection.execute(sql, [_raw(value) for value in row])
            except (sqlite3.IntegrityError, sqlite3.DataError):
                lost += 1
    return lost


def _raw(value: Any) -> Any:
    """As it was in the file, byte for byte."""
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
