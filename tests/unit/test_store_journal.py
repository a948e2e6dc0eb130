"""The write-ahead journal as bytes: read as SQLite reads it, and more where it is damaged."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from app.paths import Paths
from app.store import Store
from app.store.image import load, read_image
from app.store.journal import read_journal
from tests.helpers.damage import files_of, put
from tests.helpers.saved_trunks import saved, trunk

HEAD = 32
FRAME = 24 + 4096


def rows(data: bytes) -> list[tuple[object, ...]]:
    """What is in the table of a database that is given as bytes."""
    with closing(load(data)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return connection.execute("SELECT * FROM t ORDER BY a").fetchall()


@contextmanager
def written(file: Path, *, page_size: int = 4096) -> Iterator[sqlite3.Connection]:
    """A database in use."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size = {page_size}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)")
        yield connection


@pytest.mark.parametrize("seed", range(12))
def test_files_that_a_kill_leaves_are_read_as_sqlite_reads_them(tmp_path: Path, seed: int) -> None:
    """Whatever was done: small and large rows, deletions, checkpoints, journals that begin again."""
    dice = random.Random(seed)
    file = tmp_path / "a.db"
    with written(file, page_size=dice.choice((512, 1024, 4096, 65_536))) as connection:
        for _ in range(40):
            with connection:
                connection.execute("BEGIN")
                for _ in range(dice.randint(1, 5)):
                    key, size = dice.randint(1, 30), dice.choice((1, 100, 5000))
                    connection.execute("REPLACE INTO t VALUES (?, ?)", (key, "x" * size))
                    connection.execute("DELETE FROM t WHERE a = ?", (dice.randint(1, 30),))
            if dice.random() < 0.2:
                connection.execute(
                    f"PRAGMA wal_checkpoint({dice.choice(('PASSIVE', 'RESTART', 'TRUNCATE'))})"
                )
            if dice.random() < 0.05:
                connection.execute("VACUUM")
            expected = connection.execute("SELECT * FROM t ORDER BY a").fetchall()
            image = read_image(file)
            assert rows(image.read) == expected
            assert (image.more, image.lost) == (None, False)


def test_a_transaction_that_was_not_complete_is_not_read_and_is_no_damage(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    with written(file) as connection:
        connection.execute("INSERT INTO t VALUES (1, 'kept')")
        before = files_of(file)
        connection.execute("INSERT INTO t VALUES (2, ?)", ("x" * 30_000,))
        after = files_of(file)
    begin, end = len(before["a.db-wal"]), len(after["a.db-wal"])
    for length in (begin, begin + 10, begin + FRAME, begin + FRAME + 100, end - FRAME, end - 1):
        # Cut off, or with what the file had there before
        for rest in (b"", bytes(end - length)):
            journal = read_journal(after["a.db-wal"][:length] + rest, 4096)
            assert not journal.damaged
            assert rows(journal.applied(after["a.db"])) == [(1, "kept")]
    assert len(rows(read_journal(after["a.db-wal"], 4096).applied(after["a.db"]))) == 2


def killed(paths: Paths, count: int = 8) -> dict[str, bytes]:
    """A folder's database as a kill leaves it, all of its trunks in the journal only."""
    with Store.open(paths) as store:
        for number in range(1, count + 1):
            store.add(trunk(number))
        files = files_of(paths.database)
    for file in paths.data.glob("ringback.db*"):
        file.unlink()
    return {name: data for name, data in files.items() if not name.endswith("-shm")}


def frames(journal: bytes) -> int:
    """How many frames it has."""
    return (len(journal) - HEAD) // FRAME


@pytest.mark.parametrize("at", [0, 4, 8, 9, 12, 16, 20, 24, 28])
def test_damage_in_the_head_of_the_journal_costs_nothing(paths: Paths, at: int) -> None:
    files = killed(paths)
    journal = bytearray(files["ringback.db-wal"])
    journal[at] ^= 0x41
    put({**files, "ringback.db-wal": bytes(journal)}, paths.data)
    with Store.open(paths) as store:
        assert store.trunks() == tuple(trunk(number) for number in range(1, 9))
        (note,) = store.notes
        assert "Nothing is lost" in note
    (kept,) = paths.data.glob("ringback-damaged-*.db-wal")
    assert kept.read_bytes() == journal


def test_damage_in_a_page_costs_nothing_when_it_was_written_again_later_and_is_told_else(
    paths: Paths,
) -> None:
    files = killed(paths)
    everyone = tuple(trunk(number) for number in range(1, 9))
    whole = 0
    for number in range(1, frames(files["ringback.db-wal"]) - 8):
        journal = bytearray(files["ringback.db-wal"])
        journal[HEAD + number * FRAME + 500] ^= 0xFF
        put({**files, "ringback.db-wal": bytes(journal)}, paths.data)
        with Store.open(paths) as store:
            (note,) = store.notes
            if "Nothing is lost" in note:
                assert store.trunks() == everyone
                whole += 1
            else:
                assert "What was saved last may be missing" in note
        for file in paths.data.glob("ringback*"):
            file.unlink()
    assert whole > 10


def test_a_journal_that_makes_no_sense_at_all_is_kept_and_told(paths: Paths) -> None:
    assert saved(paths) == ()
    with Store.open(paths) as store:
        store.add(trunk(1))
    files = files_of(paths.database)
    put({**files, "ringback.db-wal": random.Random(1).randbytes(20_000)}, paths.data)
    with Store.open(paths) as store:
        assert store.trunks() == (trunk(1),)
        (note,) = store.notes
        assert "What was saved last may be missing" in note
    (kept,) = paths.data.glob("ringback-damaged-*.db-wal")
    assert kept.read_bytes() == random.Random(1).randbytes(20_000)


@pytest.mark.parametrize("length", [0, 1, 31, 32, 60, 4000, 50_000])
def test_a_journal_of_zeros_is_nothing(paths: Paths, length: int) -> None:
    """As a loss of power leaves it, before anything was reported as saved."""
    with Store.open(paths) as store:
        store.add(trunk(1))
    (paths.data / "ringback.db-wal").write_bytes(bytes(length))
    with Store.open(paths) as store:
        assert (store.trunks(), store.notes) == ((trunk(1),), ())


def test_a_journal_is_not_deleted_when_the_database_beside_it_is_damaged(paths: Paths) -> None:
    """SQLite would: it finds that the file is no database, and closes it."""
    with Store.open(paths) as store:
        store.add(trunk(1))
    with Store.open(paths) as store:
        store.add(trunk(2))
        files = files_of(paths.database)
    for file in paths.data.glob("ringback.db*"):
        file.unlink()
    put({"ringback.db": b"damaged" * 3000, "ringback.db-wal": files["ringback.db-wal"]}, paths.data)
    with Store.open(paths) as store:
        assert store.trunks() == (trunk(1), trunk(2))
    (kept,) = paths.data.glob("ringback-damaged-*.db-wal")
    assert kept.read_bytes() == files["ringback.db-wal"]


@pytest.mark.parametrize("seed", range(30))
def test_bytes_of_any_kind_are_read_without_an_error(seed: int) -> None:
    dice = random.Random(seed)
    data = dice.randbytes(dice.choice((10, 56, 57, 600, 5000, 100_000)))
    if seed % 2:
        data = (0x377F0682).to_bytes(4) + (3_007_000).to_bytes(4) + (512).to_bytes(4) + data
    journal = read_journal(data, dice.choice((0, 1, 4096, 65_536)))
    journal.applied(b"x" * 5000, all_of_it=True)
    assert journal.damaged in (True, False)
    assert journal.lost in (True, False)
