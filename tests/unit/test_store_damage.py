"""The store on damaged files, full disks and read-only ones: told, and what was saved is not harmed."""

from __future__ import annotations

import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.errors import StoreError
from app.model.trunk import Trunk
from app.paths import Paths, paths_in
from app.store import DamagedStoreError, Store, set_aside
from tests.helpers.disks import small_disk
from tests.helpers.saved_trunks import fill, saved, trunk

# Bad files


def test_a_file_of_another_program_is_refused_and_left_as_it_is(paths: Paths) -> None:
    with closing(sqlite3.connect(paths.database)) as raw:
        raw.execute("CREATE TABLE songs (title TEXT)")
    before = paths.database.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        Store.open(paths)
    assert paths.database.read_bytes() == before


def overwrite(file: Path, at: int, length: int) -> None:
    """Damages a file in its middle."""
    with open(file, "r+b") as damaged:
        damaged.seek(at)
        damaged.write(random.Random(3).randbytes(length))


def test_a_file_that_is_no_database_is_told_and_left_as_it_is(paths: Paths) -> None:
    paths.database.write_bytes(b"PK\x03\x04 not a database" * 100)
    before = paths.database.read_bytes()
    with pytest.raises(DamagedStoreError, match="left untouched") as caught:
        Store.open(paths)
    assert str(paths.database) in caught.value.what
    assert "empty list" in caught.value.do
    assert caught.value.copy is None
    assert paths.database.read_bytes() == before


def test_a_damaged_file_is_told_with_the_last_good_copy(paths: Paths) -> None:
    with Store.open(paths) as store:
        store.add(trunk())
    fill_again = saved(paths)  # makes a copy, as something was saved since the first one
    fill_count = 200
    with Store.open(paths) as store:
        for number in range(2, fill_count):
            store.add(trunk(number))
    size = paths.database.stat().st_size
    overwrite(paths.database, 8192, size - 8192 - 4096)
    before = paths.database.read_bytes()
    with pytest.raises(DamagedStoreError) as caught:
        Store.open(paths)
    assert caught.value.copy == paths.copies / "ringback-last-good.db"
    assert str(caught.value.copy) in caught.value.do
    assert caught.value.details
    assert paths.database.read_bytes() == before

    aside = set_aside(paths, use_copy=True)
    assert aside.read_bytes() == before
    assert saved(paths) == fill_again == (trunk(),)


def test_damage_that_appears_while_it_is_open_is_told_too(paths: Paths) -> None:
    fill(paths)
    with Store.open(paths) as store:
        overwrite(paths.database, 4096, paths.database.stat().st_size - 4096)
        store._database.execute("PRAGMA shrink_memory")  # forget the pages it has read
        with pytest.raises(DamagedStoreError):
            store.trunks()


def test_an_emptied_file_is_damage_when_there_is_a_copy_of_it(paths: Paths) -> None:
    with Store.open(paths) as store:
        store.add(trunk())
    paths.database.write_bytes(b"")
    with pytest.raises(DamagedStoreError, match="good copy"):
        Store.open(paths)


def test_setting_aside_without_a_copy_starts_with_an_empty_list_and_deletes_nothing(paths: Paths) -> None:
    paths.database.write_bytes(b"not a database")
    (paths.data / "ringback.db-wal").write_bytes(b"its journal")
    aside = set_aside(paths, use_copy=True)
    assert aside.read_bytes() == b"not a database"
    assert Path(f"{aside}-wal").read_bytes() == b"its journal"
    assert saved(paths) == ()


@pytest.mark.parametrize(
    "settings",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"host": 5}',
        '{"host": "a", "colour": "red"}',
        '{"host":"a","transport":"pigeon"}',
    ],
)
def test_a_trunk_that_can_not_be_read_is_named_and_can_be_removed(paths: Paths, settings: str) -> None:
    with Store.open(paths) as store:
        store.add(trunk(1))
        store.add(trunk(2))
    with closing(sqlite3.connect(paths.database)) as raw:
        raw.execute("UPDATE trunks SET settings = ? WHERE id = ?", (settings, trunk(1).id))
        raw.commit()
    with Store.open(paths) as store:
        with pytest.raises(StoreError, match='"Office 1" can\'t be read') as caught:
            store.by_name("Office 1")
        assert 'ringback remove "Office 1"' in caught.value.do
        assert store.by_name("Office 2") == trunk(2)
        assert store.trunks() == (trunk(2),)
        assert store.unreadable() == ("Office 1",)
        assert store.names() == ("Office 1", "Office 2")
        store.set_order([trunk(2).id])
        store.remove(store.id_of("Office 1"))
        assert store.trunks() == (trunk(2),)
        assert store.unreadable() == ()


# Disks


def add_until_refused(store: Store) -> tuple[list[Trunk], StoreError]:
    """Adds trunks, as many as still fit into the room that SQLite has taken already, and then the error."""
    added: list[Trunk] = []
    for number in range(1, 1000):
        try:
            store.add(trunk(number))
        except StoreError as error:
            return added, error
        added.append(trunk(number))
    raise AssertionError("the disk never got full")


def test_a_full_disk_is_told_and_what_was_saved_before_is_safe(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        paths = paths_in(disk.folder / "data")
        with Store.open(paths) as store:
            store.add(trunk(0))
            disk.fill()
            added, error = add_until_refused(store)
            assert "is full" in error.what
            assert str(paths.data) in error.what
            assert "room" in error.do
            kept = [trunk(0), *added]
            assert store.trunks() == tuple(kept)
            disk.make_room()
            store.add(trunk(5000))
        assert saved(paths) == (*kept, trunk(5000))


def test_opening_on_a_full_disk_is_told_and_harms_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        paths = paths_in(disk.folder / "data")
        with Store.open(paths) as store:
            store.add(trunk())
        disk.fill()
        with pytest.raises(StoreError, match="is full"):
            Store.open(paths)
        empty = Paths(data=disk.folder / "other", logs=disk.folder / "other")
        empty.data.mkdir()
        with pytest.raises(StoreError, match="is full"):
            Store.open(empty)
        disk.make_room()
        assert saved(paths) == (trunk(),)
        assert saved(empty) == ()


def test_a_file_that_may_not_grow_is_told_as_a_full_disk(paths: Paths) -> None:
    """The same where no disk can be mounted: SQLite's own limit gives the same error."""
    with Store.open(paths) as store:
        store.add(trunk(0))
        store._database.execute("PRAGMA max_page_count = 1")
        added, error = add_until_refused(store)
        assert "is full" in error.what
        assert store.trunks() == (trunk(0), *added)


def test_a_read_only_disk_is_told(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        paths = paths_in(disk.folder / "data")
        with Store.open(paths) as store:
            store.add(trunk())
        disk.make_read_only()
        with pytest.raises(StoreError, match="can't write") as caught:
            Store.open(paths)
        assert str(paths.data) in caught.value.what
        disk.make_writable()
        assert saved(paths) == (trunk(),)


def test_a_data_folder_that_vanished_is_told(paths: Paths) -> None:
    shutil.rmtree(paths.data)
    with pytest.raises(StoreError, match=r"ringback\.db can't be used") as caught:
        Store.open(paths)
    assert caught.value.do


def test_a_folder_in_the_files_place_is_told(paths: Paths) -> None:
    paths.database.mkdir()
    with pytest.raises(StoreError, match="can't write") as caught:
        Store.open(paths)
    assert caught.value.do
