"""Full disks, and folders in which nothing can be written: what is saved is shown, and writing is refused."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from app.errors import StoreError
from app.model.history import HistoryQuery
from app.model.trunk import Trunk
from app.paths import Paths, paths_in
from app.store import Store, StoredSetting
from app.store.history import History
from tests.helpers.calls import details, entry
from tests.helpers.disks import Disk, small_disk
from tests.helpers.saved_trunks import LAST_TRUNK, saved, trunk

ROOT = Path(__file__).parents[2]
ALL = HistoryQuery()

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no permission bits")

BLOCKS: dict[str, tuple[Callable[[Disk], None], Callable[[Disk], None], str]] = {
    "full": (Disk.fill, Disk.make_room, "is full"),
    "read-only": (Disk.make_read_only, Disk.make_writable, "can only be read"),
}
"""How writing is made impossible and possible again, and what is said about it."""

every_block = pytest.mark.parametrize("block", BLOCKS)


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


def test_a_disk_that_gets_full_is_told_and_what_was_saved_before_is_safe(tmp_path: Path) -> None:
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


def test_a_file_that_may_not_grow_is_told_as_a_full_disk(paths: Paths) -> None:
    """The same where no disk can be mounted: SQLite's own limit gives the same error."""
    with Store.open(paths) as store:
        store.add(trunk(0))
        store._database.rows("PRAGMA max_page_count = 1")
        added, error = add_until_refused(store)
        assert "is full" in error.what
        assert store.trunks() == (trunk(0), *added)


@every_block
@pytest.mark.parametrize("killed", [False, True])
def test_where_nothing_can_be_written_trunks_are_shown_and_writing_is_refused(
    tmp_path: Path, block: str, killed: bool
) -> None:
    stop, go_on, words = BLOCKS[block]
    with small_disk(tmp_path) as disk:
        paths = paths_in(disk.folder / "data")
        saved(paths)
        with Store.open(paths) as store:
            store.add(trunk(1))
            store.set_setting(LAST_TRUNK, "a")
        if killed:
            leave_a_journal(paths)
        expected = (trunk(1), trunk(7)) if killed else (trunk(1),)
        stop(disk)
        with Store.open(paths) as store:
            assert store.trunks() == expected
            assert store.by_name("office 1") == store.by_id(trunk(1).id) == trunk(1)
            assert store.setting(LAST_TRUNK) == "a"
            for note in store.notes:
                assert "You can look at everything, but nothing can be saved now." in note
                assert words in note
            for write in writes(store):
                with pytest.raises(StoreError, match="nothing was changed") as caught:
                    write()
                assert words in caught.value.what
                assert caught.value.do
            assert store.trunks() == expected
        go_on(disk)
        assert saved(paths) == expected


def writes(store: Store) -> list[Callable[[], object]]:
    """Everything that changes something."""
    return [
        lambda: store.add(trunk(2, notes="x" * 900)),
        lambda: store.update(trunk(1, notes="x" * 900)),
        lambda: store.insert_at(trunk(2, notes="x" * 900), 0),
        lambda: store.set_setting(StoredSetting("other", str, ""), "x" * 200_000),
    ]


def leave_a_journal(paths: Paths) -> None:
    """Saves one more trunk in a process that is killed then."""
    script = (
        "import os, sys\nfrom app.paths import paths_in\nfrom app.store import Store\n"
        "from tests.helpers.saved_trunks import trunk\n"
        "store = Store.open(paths_in(sys.argv[1]))\nstore.add(trunk(7))\nos._exit(9)\n"
    )
    command = [sys.executable, "-c", script, str(paths.data)]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 9
    assert paths.data.joinpath("ringback.db-wal").stat().st_size


@every_block
def test_once_there_is_room_again_what_is_open_can_save(tmp_path: Path, block: str) -> None:
    stop, go_on, _ = BLOCKS[block]
    with small_disk(tmp_path) as disk:
        paths = paths_in(disk.folder / "data")
        with Store.open(paths) as store:
            store.add(trunk(1))
        with History.open(paths) as history:
            history.save(details(entry("1")))
        stop(disk)
        with Store.open(paths) as store, History.open(paths) as history:
            assert store.notes
            assert history.read_only
            go_on(disk)
            store.add(trunk(2))
            history.save(details(entry("2")))
            assert store.trunks() == (trunk(1), trunk(2))
            assert [each.number for each in history.page(ALL, limit=5)] == ["2", "1"]
            assert (store.notes, history.read_only) == ((), False)
        assert saved(paths) == (trunk(1), trunk(2))


@every_block
def test_a_folder_without_a_database_where_nothing_can_be_written_is_an_empty_list(
    tmp_path: Path, block: str
) -> None:
    stop, go_on, words = BLOCKS[block]
    with small_disk(tmp_path) as disk:
        paths = paths_in(disk.folder / "data")
        stop(disk)
        with Store.open(paths) as store:
            assert store.trunks() == ()
            with pytest.raises(StoreError, match=words):
                store.add(trunk())
        go_on(disk)
        assert saved(paths) == ()


@every_block
def test_an_older_file_where_nothing_can_be_written_is_shown_as_the_newest(
    tmp_path: Path, block: str
) -> None:
    stop, go_on, _ = BLOCKS[block]
    old = (Path(__file__).parent / "data" / "store" / "v1.sql").read_text(encoding="utf-8")
    with small_disk(tmp_path) as disk:
        paths = paths_in(disk.folder / "data")
        with closing(sqlite3.connect(paths.database)) as raw:
            raw.executescript(old)
        before = paths.database.read_bytes()
        stop(disk)
        with Store.open(paths) as store:
            found = store.trunks()
            assert len(found) == 2
        assert paths.database.read_bytes() == before
        go_on(disk)
        assert saved(paths) == found


@every_block
def test_where_nothing_can_be_written_calls_are_shown_and_none_is_entered(tmp_path: Path, block: str) -> None:
    stop, go_on, words = BLOCKS[block]
    with small_disk(tmp_path) as disk:
        paths = paths_in(disk.folder / "data")
        with History.open(paths) as history:
            kept = history.save(details(entry("1")))
        stop(disk)
        with History.open(paths) as history:
            assert history.read_only
            assert [each.number for each in history.page(ALL, limit=5)] == ["1"]
            assert history.details(kept)
            assert len(list(history.walk(ALL))) == history.count(ALL) == 1
            (note,) = history.take_notes()
            assert words in note
            assert history.take_notes() == ()
            for write in (
                lambda: history.save(details(entry("2"))),
                lambda: history.delete(kept),
                lambda: history.clear(ALL),
            ):
                with pytest.raises(StoreError, match=words):
                    write()
        go_on(disk)
        with History.open(paths) as history:
            assert [each.number for each in history.page(ALL, limit=5)] == ["1"]


def test_what_another_saves_is_seen_also_by_one_who_can_not_write(tmp_path: Path) -> None:
    """As on a disk that is shared, and that only the other may write to."""
    with small_disk(tmp_path) as disk:
        paths = paths_in(disk.folder / "data")
        with Store.open(paths) as store:
            store.add(trunk(1))
        disk.make_read_only()
        with Store.open(paths) as reader:
            assert reader.trunks() == (trunk(1),)
            disk.make_writable()
            with Store.open(paths) as writer:
                writer.add(trunk(2))
                assert reader.trunks() == (trunk(1), trunk(2))


def test_a_data_folder_that_vanished_is_told(paths: Paths) -> None:
    shutil.rmtree(paths.data)
    with Store.open(paths) as store:
        (note,) = store.notes
        assert "nothing can be saved now" in note
        assert str(paths.data) in note
        with pytest.raises(StoreError, match="nothing was changed"):
            store.add(trunk())


# Permissions, as somebody who is not root

# What is imported late may lie where only root can read it
AS_NOBODY = """
import os, sys
import app.model.settings, app.store.rescue
from app.errors import StoreError
from app.paths import paths_in
from app.store import Store
from tests.helpers.saved_trunks import trunk

if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    with Store.open(paths_in(sys.argv[1])) as store:
        print([each.name for each in store.trunks()], *store.notes)
        store.add(trunk(2))
        print("added")
except StoreError as error:
    print(error)
"""


@posix_only
@pytest.mark.parametrize(
    ("modes", "shown"),
    [
        ({"": 0o555}, True),
        ({"": 0o555, "ringback.db": 0o444}, True),
        ({"ringback.db": 0o444}, True),
        ({"ringback.db": 0o000}, False),
        ({"": 0o000}, False),
    ],
)
def test_without_permission_to_write_trunks_are_shown_and_without_one_to_read_it_is_told(
    modes: dict[str, int], shown: bool
) -> None:
    # Not below pytest's folders, which only root may enter when root runs the tests
    with tempfile.TemporaryDirectory() as above:
        os.chmod(above, 0o755)
        data = Path(above) / "data"
        paths = paths_in(data)
        with Store.open(paths) as store:
            store.add(trunk(1))
        for part in (data, *data.rglob("*")):
            os.chmod(part, 0o777 if part.is_dir() else 0o666)
        for name, mode in modes.items():
            os.chmod(data / name, mode)
        run = subprocess.run(
            [sys.executable, "-c", AS_NOBODY, str(data)],
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=False,
            timeout=60,
        )
        os.chmod(data, 0o755)
    assert run.returncode == 0, run.stderr
    lines = run.stdout.splitlines()
    assert "nothing was changed" in lines[-1] or not shown
    assert str(data) in run.stdout
    assert ("Office 1" in lines[0]) == shown
