"""Reads a table row by row, past those that can't be read."""

from __future__ import annotations

import sqlite3
import time
from contextlib import suppress
from itertools import pairwise

import msgspec

from app.store.schema import UNREADABLE, Row, Table

_WIDEST_GAP = 1 << 15
"""Row numbers that are tried one by one where a part of a table can't be read."""
_FURTHEST = 1 << 40


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """What could be read of a table.

    Attributes:
        rows: By row number, in their order; None for a row that is there and can't be read.
        complete: Whether nothing had to be passed over.
    """

    rows: dict[int, Row | None]
    complete: bool


def scan(connection: sqlite3.Connection, table: Table, until: float) -> Scan:
    """Reads a table, past everything in it that can't be read.

    Args:
        connection: May be to a damaged database.
        table: Which one.
        until: When to stop, by `time.monotonic`.
    """
    select = f"SELECT rowid, {', '.join(table.columns)} FROM {table.name} NOT INDEXED"
    rows: dict[int, Row | None] = {}
    try:
        connection.execute(f"{select} LIMIT 0")
    except UNREADABLE:
        return Scan(rows={}, complete=False)
    # As they stand in the file: where pages have changed places, rows can't be found by their numbers
    ended, numbers = _take(connection, table, select, (), rows)
    if ended and all(one < two for one, two in pairwise(numbers)):
        return Scan(rows=rows, complete=True)
    last = 0
    while not ended and time.monotonic() < until:
        ended, numbers = _take(connection, table, f"{select} WHERE rowid > ? ORDER BY rowid", (last,), rows)
        last = max((last, *numbers))
        if not ended:
            gap, ended = _gap(connection, select, last)
            for number in range(last + 1, last + 1 + min(gap, _WIDEST_GAP)):
                if number not in rows:
                    _take_one(connection, table, number, rows)
                if time.monotonic() > until:
                    break
            last += gap
    for number in _others(connection, table, rows):
        if time.monotonic() > until:
            break
        _take_one(connection, table, number, rows)
    return Scan(rows=dict(sorted(rows.items())), complete=False)


def _others(connection: sqlite3.Connection, table: Table, rows: dict[int, Row | None]) -> list[int]:
    """Numbers of rows that there may be besides: where pages changed places, a way can lead past them."""
    listed = []
    with suppress(*UNREADABLE):
        # An index has them too, and may be sound
        listed += [number for (number,) in connection.execute(f"SELECT rowid FROM {table.name}")]
    highest = min(max((0, *rows, *listed)), _WIDEST_GAP)
    return sorted({*listed, *range(1, highest + 1)} - set(rows))


def _take(
    connection: sqlite3.Connection,
    table: Table,
    sql: str,
    values: tuple[int, ...],
    rows: dict[int, Row | None],
) -> tuple[bool, list[int]]:
    """Takes rows until one can't be read; whether that did not happen, and their numbers."""
    numbers = []
    try:
        for number, *values_read in connection.execute(sql, values):
            row, before = tuple(values_read), rows.get(number)
            numbers.append(number)
            # A page of another table can have come in between
            if before is None or not table.readable(before):
                rows[number] = row
    except UNREADABLE:
        return False, numbers
    return True, numbers


def _gap(connection: sqlite3.Connection, select: str, last: int) -> tuple[int, bool]:
    """How far behind `last` rows can be read again, and whether there are none further on."""
    step = 1
    while step < _FURTHEST:
        try:
            beyond = connection.execute(
                f"{select} WHERE rowid > ? ORDER BY rowid LIMIT 1", (last + step,)
            ).fetchone()
        except UNREADABLE:
            step *= 2
        else:
            return step, beyond is None
    return step, True


def _take_one(connection: sqlite3.Connection, table: Table, number: int, rows: dict[int, Row | None]) -> None:
    needed = ("NULL" if name in table.spare else name for name in table.columns)
    for columns in (table.columns, needed):
        sql = f"SELECT rowid, {', '.join(columns)} FROM {table.name} NOT INDEXED WHERE rowid = ?"
        ended, _ = _take(connection, table, sql, (number,), rows)
        if ended:
            return
    sql = f"SELECT 1 FROM {table.name} NOT INDEXED WHERE rowid = ?"
    with suppress(*UNREADABLE):
        if connection.execute(sql, (number,)).fetchone():
            rows[number] = None
