"""A database as bytes: read without a lock and without a write, whatever state it is in.

For a disk where SQLite can't make the file that it needs to read (`-shm`), and for files that are damaged.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from app.errors import StoreError
from app.store.files import MAGIC, OPEN_HERE, journal_of, stamp
from app.store.journal import Journal, read_journal
from app.store.schema import Kind, begin, connect, migrate

MOST_BYTES = 1 << 30
"""Of a file that is read in one piece; ours are a thousandth of it."""

MOST_JOURNAL_BYTES = 1 << 26
"""Of a journal; SQLite lets ours grow to 4 MB."""

_LEAF = 0x0D
"""The first byte of a page with rows of a table on it; the list of tables must not need a second page."""
_TRIES = 5


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """What is in a database and the journal beside it.

    Attributes:
        read: As SQLite reads it.
        more: With all that is left in the journal; None when it is sound.
        lost: Whether something that was saved last can't be had.
    """

    read: bytes
    more: bytes | None = None
    lost: bool = False


def read_image(file: Path) -> Image:
    """Reads a database that nobody has open, or whose writer can be waited for.

    Raises:
        StoreError: It is too large, somebody writes all the time, or this process has it open.
        OSError: It can't be read.
    """
    if file in OPEN_HERE:
        raise StoreError(f"{file} is in use.", do="Try again.")
    for _ in range(_TRIES):
        before = stamp(file)
        data, journal = _read(file, MOST_BYTES), _read_journal(file)
        if stamp(file) == before:
            break
    else:
        raise StoreError(
            "Another program is writing to Ringback's data; nothing was changed.",
            do=f"Try again. If it stays so, close other programs that have {file} open.",
        )
    return _image(data, read_journal(journal, _page_size(data)))


def _image(data: bytes, journal: Journal) -> Image:
    if not journal.damaged:
        return Image(read=journal.applied(data))
    return Image(read=journal.applied(data), more=journal.applied(data, all_of_it=True), lost=journal.lost)


def _read_journal(file: Path) -> bytes:
    journal = journal_of(file)
    return _read(journal, MOST_JOURNAL_BYTES) if journal.is_file() else b""


def _read(file: Path, most: int) -> bytes:
    with open(file, "rb") as opened:
        data = opened.read(most + 1)
    if len(data) > most:
        raise StoreError(f"The file {file} is too large.", do="Move it elsewhere, and start Ringback again.")
    return data


def _page_size(data: bytes) -> int:
    size = int.from_bytes(data[16:18])
    return 65_536 if size == 1 else size


def load(data: bytes) -> sqlite3.Connection:
    """A database in memory with these contents.

    Raises:
        sqlite3.Error: They make no sense.
    """
    connection = connect(":memory:")
    try:
        if data:
            connection.deserialize(_for_memory(data))
        return connection
    except BaseException:
        connection.close()
        raise


def _for_memory(data: bytes) -> bytearray:
    plain = bytearray(data)
    if data.startswith(MAGIC) and len(data) >= 100:
        # A write-ahead journal, which these two bytes ask for, is impossible in memory
        plain[18:20] = b"\1\1"
        size = _page_size(data) or 1
        plain += bytes(-len(data) % size)
        # Of a file that was cut off, SQLite would read nothing at all
        pages = len(plain) // size
        if int.from_bytes(data[28:32]) > pages:
            plain[28:32] = pages.to_bytes(4)
    return plain


def with_new_head(data: bytes, kind: Kind) -> bytes | None:
    """The same with a new first page, where the old one makes no sense: it says where which table begins.

    Returns:
        The contents; None where that is impossible.
    """
    size = _page_size(data)
    size = size if 512 <= size <= 65_536 and size & (size - 1) == 0 else 4096
    with closing(connect(":memory:")) as made:
        made.execute(f"PRAGMA page_size = {size}")
        begin(made, kind)
        migrate(made, kind)
        head = bytearray(made.serialize()[:size])
    if len(data) < 2 * size or head[100] != _LEAF:
        return None
    rest = data[size:] + bytes(-len(data) % size)
    # How many pages there are; the tables begin where they began in every file that these steps made
    head[28:32] = (1 + len(rest) // size).to_bytes(4)
    return bytes(head) + rest
