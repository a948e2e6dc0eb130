"""Real databases, and the ways in which files get damaged; the same seed gives the same damage."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from app.model.trunk import Trunk
from app.paths import Paths
from app.store import Store
from app.store.history import History
from app.store.schema import text_of
from tests.helpers.calls import details, entry, message
from tests.helpers.saved_trunks import FULL, LAST_TRUNK, trunk

Files = dict[str, bytes]
"""Contents by name, of a database and what is beside it."""

PAGE = 4096
TRUNK_COUNT = 40
CALL_COUNT = 30


def files_of(file: Path) -> Files:
    """A database with its journals, as they are on the disk just now."""
    return {part.name: part.read_bytes() for part in file.parent.glob(f"{file.name}*") if part.is_file()}


def put(files: Files, folder: Path) -> None:
    """Writes files into a folder."""
    for name, data in files.items():
        (folder / name).write_bytes(data)


def trunk_files(paths: Paths) -> tuple[tuple[Trunk, ...], Files, Files]:
    """Saved trunks, their database after it was closed, and what a kill leaves of it."""
    everyone = (*(trunk(number) for number in range(10, 10 + TRUNK_COUNT)), FULL)
    with Store.open(paths) as store:
        store.add_many(everyone[: TRUNK_COUNT // 2])
    with Store.open(paths) as store:
        for each in everyone[TRUNK_COUNT // 2 :]:
            store.add(each)
        store.set_setting(LAST_TRUNK, everyone[0].id)
        killed = files_of(paths.database)
    return everyone, files_of(paths.database), killed


def call_files(paths: Paths) -> tuple[Files, Files]:
    """A history after it was closed, and what a kill leaves of it."""
    with History.open(paths) as history:
        for number in range(CALL_COUNT // 2):
            history.save(details(entry(f"+1514555{number:04}")))
    with History.open(paths) as history:
        for number in range(CALL_COUNT // 2, CALL_COUNT):
            messages = (message(f"INVITE sip:{number}@sip.example.com SIP/2.0\r\n\r\n" * 30),)
            history.save(details(entry(f"+1514555{number:04}"), messages=messages))
        killed = files_of(paths.history)
    return files_of(paths.history), killed


# Bytes

Change = Callable[[bytearray, random.Random], None]


def _flip_bit(data: bytearray, dice: random.Random) -> None:
    data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)


def _flip_some(data: bytearray, dice: random.Random) -> None:
    for _ in range(dice.randint(2, 40)):
        _flip_bit(data, dice)


def _overwrite(data: bytearray, dice: random.Random) -> None:
    begin = dice.randrange(len(data))
    length = min(dice.choice((1, 4, 64, 512, PAGE)), len(data) - begin)
    data[begin : begin + length] = dice.randbytes(length)


def _cut(data: bytearray, dice: random.Random) -> None:
    del data[dice.randrange(len(data)) :]


def _cut_at_page(data: bytearray, dice: random.Random) -> None:
    del data[PAGE * dice.randrange(max(1, len(data) // PAGE)) :]


def _empty(data: bytearray, _dice: random.Random) -> None:
    data.clear()


def _zero_page(data: bytearray, dice: random.Random) -> None:
    begin = PAGE * dice.randrange(max(1, len(data) // PAGE))
    data[begin : begin + PAGE] = bytes(len(data[begin : begin + PAGE]))


def _swap_pages(data: bytearray, dice: random.Random) -> None:
    pages = max(1, len(data) // PAGE)
    one, two = PAGE * dice.randrange(pages), PAGE * dice.randrange(pages)
    page = data[one : one + PAGE]
    data[one : one + PAGE] = data[two : two + PAGE]
    data[two : two + PAGE] = page


def _damage_head(data: bytearray, dice: random.Random) -> None:
    for _ in range(dice.randint(1, 4)):
        data[dice.randrange(min(100, len(data)))] = dice.randrange(256)


def _damage_first_page(data: bytearray, dice: random.Random) -> None:
    for _ in range(dice.randint(1, 20)):
        data[dice.randrange(min(PAGE, len(data)))] = dice.randrange(256)


def _damage_text(data: bytearray, dice: random.Random) -> None:
    """One byte within a value, as in a column of text."""
    words = (b"sip.example.com", b"Office", b"transport", b"+1514555", b"Main office", b'"host"', b"answered")
    places = [data.find(word, dice.randrange(len(data))) for word in words]
    at = dice.choice([place for place in places if place >= 0] or [0])
    byte = dice.choice((0x80, 0xC3, 0xFF, 0x00, 0x22, 0x7F, dice.randrange(256)))
    data[min(at + dice.randrange(4), len(data) - 1)] = byte


def _append(data: bytearray, dice: random.Random) -> None:
    data += dice.randbytes(dice.choice((1, 100, PAGE, 3 * PAGE)))


def _replace(data: bytearray, dice: random.Random) -> None:
    data[:] = dice.randbytes(dice.choice((1, 50, 512, len(data))))


CHANGES: tuple[Change, ...] = (
    _flip_bit,
    _flip_bit,
    _flip_some,
    _overwrite,
    _overwrite,
    _cut,
    _cut_at_page,
    _empty,
    _zero_page,
    _zero_page,
    _swap_pages,
    _damage_head,
    _damage_first_page,
    _damage_text,
    _damage_text,
    _damage_text,
    _append,
    _replace,
)


def damaged(files: Files, dice: random.Random) -> tuple[str, Files]:
    """The files with some damage, and what it is called."""
    found = dict(files)
    said = []
    for _ in range(dice.choice((1, 1, 1, 2))):
        sizeable = sorted(name for name, data in found.items() if data and not name.endswith(".lock"))
        if not sizeable:
            break
        name, change = dice.choice(sizeable), dice.choice(CHANGES)
        data = bytearray(found[name])
        change(data, dice)
        found[name] = bytes(data)
        said.append(f"{change.__name__[1:]} of {name}")
    if dice.random() < 0.05:
        name = next(iter(sorted(found)))
        found[f"{name}-journal"] = dice.randbytes(600)
        said.append("a strange rollback journal")
    return " and ".join(said), found


# Values, put in by SQL, so that the file as a whole stays sound

_VALUES = (
    "CAST(x'4f66e966696365' AS TEXT)",
    "CAST(x'ff00fe' AS TEXT)",
    "x'00ff'",
    "''",
    "5",
    "-1.5e300",
    "9e999",
    "zeroblob(17000000)",
    "replace(hex(zeroblob(600000)), '00', 'xy')",
    "replace(hex(zeroblob(30000)), '00', '[')",
    "'{\"host\":' || char(10) || '5}'",
    '\'{"host":"sip.example.com","user":"1","port":99999}\'',
    '\'{"host":"a\' || char(92) || \'r\' || char(92) || \'nVia: x","user":"1"}\'',
    "char(27) || '[31mred'",
    "9223372036854775807",
    "NULL",
)
_SCHEMA = (
    "DROP TABLE {table}",
    "ALTER TABLE {table} RENAME TO other",
    "ALTER TABLE {table} ADD COLUMN more TEXT",
    "CREATE TRIGGER gone AFTER INSERT ON {table} BEGIN DELETE FROM {table}; END",
    "CREATE VIEW much AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n",
    "PRAGMA user_version = 0",
    "PRAGMA user_version = 1",
    "PRAGMA user_version = -7",
    "PRAGMA user_version = 2000000000",
    "PRAGMA application_id = 77",
    "PRAGMA encoding = 'UTF-16'",
    "CREATE UNIQUE INDEX one_of_each ON {table} (substr({column}, 1, 1))",
    "DELETE FROM {table} WHERE rowid % 2",
)


def damaged_by_sql(file: Path, table: str, dice: random.Random) -> str:
    """Does something to a database that Ringback would never do; returns what."""
    with closing(sqlite3.connect(file, isolation_level=None)) as raw:
        raw.text_factory = text_of
        columns = [row[1] for row in raw.execute(f"PRAGMA table_info({table})")]
        column = dice.choice(columns)
        if dice.random() < 0.25:
            sql = dice.choice(_SCHEMA).format(table=table, column=column)
        else:
            rows = "rowid % 7 = 3" if dice.random() < 0.5 else f"rowid = {dice.randint(1, 30)}"
            sql = f"UPDATE OR IGNORE {table} SET {column} = {dice.choice(_VALUES)} WHERE {rows}"
        try:
            raw.execute(sql)
        except sqlite3.Error as error:
            return f"{sql} ({error})"
    return sql


def overwrite(file: Path, at: int, length: int) -> None:
    """Damages a file in its middle."""
    with open(file, "r+b") as opened:
        opened.seek(at)
        opened.write(random.Random(3).randbytes(length))
