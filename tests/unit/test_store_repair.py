"""Databases that are damaged as a whole: what can be read, or a copy has, is kept; nothing is deleted."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from app.errors import StoreError
from app.model.history import HistoryQuery
from app.paths import Paths, paths_in
from app.store import Store
from app.store.history import History
from app.store.words import DamagedStoreError
from tests.helpers.calls import details, entry
from tests.helpers.damage import overwrite
from tests.helpers.disks import small_disk
from tests.helpers.saved_trunks import LAST_TRUNK, saved, trunk

ROOT = Path(__file__).parents[2]
OLD_FILES = Path(__file__).parent / "data" / "store"
COUNT = 120
EVERYONE = tuple(trunk(number) for number in range(COUNT))


def aside(paths: Paths) -> Path:
    """The damaged file under its new name."""
    (found,) = paths.data.glob("ringback-damaged-*.db")
    return found


def forget_copies(paths: Paths) -> None:
    """As if there never had been any."""
    for copy in paths.copies.glob("*.db"):
        copy.unlink()


@pytest.fixture
def many(paths: Paths) -> Paths:
    """Trunks for many pages, no journal, and no copy."""
    with Store.open(paths) as store:
        store.add_many(EVERYONE)
        store.set_setting(LAST_TRUNK, "a")
    forget_copies(paths)
    return paths


def pages_of(file: Path, table: str) -> list[int]:
    """The pages of a table, where they begin in the file."""
    with closing(sqlite3.connect(file)) as raw:
        (root,) = raw.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    data = file.read_bytes()
    page = data[(root - 1) * 4096 : root * 4096]
    assert page[0] == 0x05, "an inner page of a table"
    cells = [int.from_bytes(page[at : at + 2]) for at in range(12, 12 + 2 * int.from_bytes(page[3:5]), 2)]
    below = [int.from_bytes(page[at : at + 4]) for at in cells]
    return [(number - 1) * 4096 for number in (*below, int.from_bytes(page[8:12]))]


# What can be read


def test_a_damaged_page_costs_the_trunks_on_it_only(many: Paths) -> None:
    pages = pages_of(many.database, "trunks")
    overwrite(many.database, pages[len(pages) // 2], 4096)
    before = many.database.read_bytes()
    with Store.open(many) as store:
        kept = store.trunks()
        assert COUNT - 20 < len(kept) < COUNT
        assert set(kept) < set(EVERYONE)
        assert kept == tuple(sorted(kept, key=EVERYONE.index)), "in their order"
        (note,) = store.notes
        assert "was damaged" in note
        assert f"{len(kept)} trunks could be read" in note
        assert "may be missing" in note
        assert str(aside(many)) in note
        store.add(trunk(COUNT + 1))
    assert aside(many).read_bytes() == before
    with Store.open(many) as store:
        assert store.trunks() == (*kept, trunk(COUNT + 1))
        assert store.notes == (), "once is enough"


def test_what_is_on_a_damaged_page_comes_from_the_copy_and_is_named(many: Paths) -> None:
    assert len(saved(many)) == COUNT  # makes a copy
    with Store.open(many) as store:
        store.update(trunk(3, port=5099))
        store.remove(trunk(COUNT - 1).id)
        store.add(trunk(COUNT))
    pages = pages_of(many.database, "trunks")
    overwrite(many.database, pages[len(pages) // 2], 4096)
    with Store.open(many) as store:
        found = {each.id: each for each in store.trunks()}
        assert found[trunk(3).id].port == 5099, "what the file still has is newer"
        assert trunk(COUNT).id in found
        assert set(found) == {each.id for each in (*EVERYONE, trunk(COUNT))}
        (note,) = store.notes
        lost = [each.name for each in EVERYONE if f'"{each.name}"' in note]
        assert 1 < len(lost) <= 11
        assert "From the copy of" in note
        assert "Check their settings" in note


def test_damaged_indexes_cost_nothing(many: Paths) -> None:
    with closing(sqlite3.connect(many.database)) as raw:
        roots = raw.execute("SELECT rootpage FROM sqlite_master WHERE type = 'index'").fetchall()
    for (root,) in roots:
        overwrite(many.database, (root - 1) * 4096, 4096)
    with Store.open(many) as store:
        assert store.trunks() == EVERYONE
        assert store.setting(LAST_TRUNK) == "a"
        (note,) = store.notes
        assert f"Nothing is lost. {COUNT} trunks could be read" in note
        assert store.by_name("office 7") == trunk(7)


@pytest.mark.parametrize(
    ("at", "length"), [(0, 16), (0, 100), (16, 2), (18, 2), (44, 4), (60, 4), (68, 4), (100, 3996)]
)
def test_a_damaged_head_costs_nothing(many: Paths, at: int, length: int) -> None:
    overwrite(many.database, at, length)
    with Store.open(many) as store:
        assert store.trunks() == EVERYONE
        (note,) = store.notes
        assert "Nothing is lost" in note


def test_a_format_that_sqlite_only_reads_costs_nothing(many: Paths) -> None:
    with History.open(many) as history:
        history.save(details(entry("1")))
    for file in (many.database, many.history):
        data = bytearray(file.read_bytes())
        data[18] = 7
        file.write_bytes(data)
    with Store.open(many) as store:
        assert store.trunks() == EVERYONE
        store.add(trunk(COUNT))
    with History.open(many) as history:
        history.save(details(entry("2")))
        assert history.count(HistoryQuery()) == 2


@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_of_a_file_that_was_cut_off_the_front_is_read(many: Paths, part: float) -> None:
    os.truncate(many.database, int(many.database.stat().st_size * part))
    with Store.open(many) as store:
        found = store.trunks()
        assert COUNT * part / 3 < len(found) < COUNT
        assert f"{len(found)} trunks could be read" in store.notes[0]
        assert set(found) < set(EVERYONE)


@pytest.mark.parametrize("version", [0, 1, -3, 1 << 30])
def test_a_version_that_there_never_was_costs_nothing(many: Paths, version: int) -> None:
    with closing(sqlite3.connect(many.database)) as raw:
        raw.execute(f"PRAGMA user_version = {version}")
    with Store.open(many) as store:
        assert store.trunks() == EVERYONE


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE settings",
        "ALTER TABLE settings RENAME TO other",
        "CREATE TRIGGER gone AFTER INSERT ON trunks BEGIN DELETE FROM trunks; END",
        "CREATE VIEW much AS SELECT 1",
        "ALTER TABLE trunks RENAME COLUMN position TO place",
    ],
)
def test_tables_that_are_not_as_ringback_makes_them_are_made_again(many: Paths, sql: str) -> None:
    assert len(saved(many)) == COUNT  # a copy, for where nothing can be read
    with closing(sqlite3.connect(many.database, isolation_level=None)) as raw:
        raw.execute(sql)
    with Store.open(many) as store:
        assert store.trunks() == EVERYONE
        store.add(trunk(COUNT))
        assert store.notes
    assert saved(many) == (*EVERYONE, trunk(COUNT))


def test_rows_that_fit_together_no_more_are_all_kept(many: Paths) -> None:
    """Two with one id, two with one name, one without an id, as only a damaged index lets them in."""
    with closing(sqlite3.connect(many.database, isolation_level=None)) as raw:
        raw.execute("PRAGMA writable_schema = ON")
        without = "replace(replace(sql, 'PRIMARY KEY NOT NULL', ''), 'UNIQUE', '')"
        raw.execute(f"UPDATE sqlite_master SET sql = {without}")
        raw.execute("DELETE FROM sqlite_master WHERE type = 'index'")
    with closing(sqlite3.connect(many.database, isolation_level=None)) as raw:
        raw.execute("UPDATE trunks SET id = ? WHERE id = ?", (trunk(1).id, trunk(2).id))
        raw.execute("UPDATE trunks SET name = 'Office 3', name_key = 'office 3' WHERE name = 'Office 4'")
        raw.execute("UPDATE trunks SET id = NULL WHERE name = 'Office 5'")
    with Store.open(many) as store:
        names = [each.name for each in store.trunks()] + [each.name for each in store.unreadable()]
        assert sorted(names) == sorted("Office 3 (2)" if each == trunk(4) else each.name for each in EVERYONE)
        assert len({each.id for each in store.trunks()}) == len(store.trunks())
        assert store.trunks()[:2] == EVERYONE[:2]


def test_a_damaged_file_of_an_older_version_is_moved_on_too(paths: Paths) -> None:
    with closing(sqlite3.connect(paths.database)) as raw:
        raw.executescript((OLD_FILES / "v1.sql").read_text(encoding="utf-8"))
    expected = saved(paths)
    for file in paths.data.glob("ringback.db*"):
        file.unlink()
    forget_copies(paths)
    with closing(sqlite3.connect(paths.database)) as raw:
        raw.executescript((OLD_FILES / "v1.sql").read_text(encoding="utf-8"))
        (root,) = raw.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'sqlite_autoindex_trunks_1'"
        ).fetchone()
    overwrite(paths.database, (root - 1) * 4096, 4096)
    assert saved(paths) == expected


# What can't


def test_of_a_file_that_is_no_database_nothing_can_be_read_and_the_copy_is_used(many: Paths) -> None:
    saved(many)
    many.database.write_bytes(b"PK\x03\x04 not a database" * 1000)
    with Store.open(many) as store:
        assert store.trunks() == EVERYONE
        assert store.setting(LAST_TRUNK) == "a"
        (note,) = store.notes
        assert "No trunks could be read from it" in note
        assert "What was saved after" in note
    assert aside(many).read_bytes() == b"PK\x03\x04 not a database" * 1000


def test_without_a_copy_ringback_starts_with_an_empty_list_and_deletes_nothing(paths: Paths) -> None:
    paths.database.write_bytes(b"not a database")
    (paths.data / "ringback.db-wal").write_bytes(b"its journal")
    with Store.open(paths) as store:
        assert store.trunks() == ()
        assert "was damaged" in store.notes[0]
        store.add(trunk())
    assert aside(paths).read_bytes() == b"not a database"
    assert Path(f"{aside(paths)}-wal").read_bytes() == b"its journal"
    assert saved(paths) == (trunk(),)


@pytest.mark.parametrize("missing", [True, False])
def test_a_file_that_is_gone_or_empty_comes_from_the_copy(many: Paths, missing: bool) -> None:
    saved(many)
    many.database.unlink() if missing else many.database.write_bytes(b"")
    with Store.open(many) as store:
        assert store.trunks() == EVERYONE
        (note,) = store.notes
        assert "was missing or empty" in note
        assert "and 110 more" in note


def test_a_new_folder_with_an_empty_copy_is_a_new_folder(paths: Paths) -> None:
    assert saved(paths) == ()
    paths.database.unlink()
    with Store.open(paths) as store:
        assert (store.trunks(), store.notes) == ((), ())


def test_of_several_copies_the_newest_that_can_be_used_is_used(many: Paths) -> None:
    saved(many)
    good = many.copies / "ringback-last-good.db"
    (many.copies / "ringback-v1.db").write_bytes(b"damaged as well")
    os.utime(good, (1_000_000, 1_000_000))
    many.database.write_bytes(b"damaged" * 1000)
    with Store.open(many) as store:
        assert store.trunks() == EVERYONE


def test_a_second_damaged_file_does_not_take_the_place_of_the_first(paths: Paths) -> None:
    for count in range(3):
        paths.database.write_bytes(b"damaged %d" % count)
        saved(paths)
    found = {file.read_bytes() for file in paths.data.glob("ringback-damaged-*.db")}
    assert found == {b"damaged %d" % count for count in range(3)}


# Others


def test_a_file_that_another_has_open_is_shown_and_repaired_once_it_is_closed(many: Paths) -> None:
    with Store.open(many):
        overwrite(many.database, 0, 100)
        before = many.database.read_bytes()
        found = in_another_process(many, "print(len(store.trunks()), store.notes); store.add(trunk(900))")
        assert found.stdout.startswith(f"{COUNT} ")
        assert "another Ringback has it open" in found.stdout
        assert "another Ringback has it open" in found.stderr
        assert many.database.read_bytes() == before
    found = in_another_process(many, "store.add(trunk(900)); print(len(store.trunks()), store.notes)")
    assert found.stdout.startswith(f"{COUNT + 1} ")
    assert "has repaired it" in found.stdout


def in_another_process(paths: Paths, work: str) -> subprocess.CompletedProcess[str]:
    """What a process prints that does something with the store."""
    script = (
        "import sys\nfrom app.paths import paths_in\nfrom app.store import Store\n"
        "from tests.helpers.saved_trunks import trunk\n"
        f"with Store.open(paths_in(sys.argv[1])) as store:\n    {work}\n"
    )
    command = [sys.executable, "-c", script, str(paths.data)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)


def test_many_that_find_a_damaged_file_at_once_repair_it_once(many: Paths) -> None:
    overwrite(many.database, 0, 100)
    script = (
        "import sys\nfrom app.paths import paths_in\nfrom app.store import Store\n"
        "sys.stdin.readline()\n"
        "with Store.open(paths_in(sys.argv[1])) as store:\n"
        "    print(len(store.trunks()), flush=True)\n    sys.stdin.read()\n"
    )
    many_at_once = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(many.data)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for _ in range(4)
    ]
    try:
        for process in many_at_once:
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in many_at_once:
            assert process.stdout
            assert process.stdout.readline() == f"{COUNT}\n"
    finally:
        for process in many_at_once:
            process.communicate("")
    assert aside(many)


# Kill


@pytest.mark.parametrize("number", range(1, 6))
def test_a_kill_in_the_middle_of_a_repair_loses_nothing(many: Paths, number: int) -> None:
    """Before each of the renames that a repair makes."""
    script = (
        "import os, signal, sys\nfrom app.paths import paths_in\nfrom app.store import Store\n"
        "rename, left = os.replace, [int(sys.argv[2])]\n"
        "def killed(*names):\n"
        "    left[0] -= 1\n"
        "    if not left[0]:\n"
        "        os.kill(os.getpid(), signal.SIGTERM if sys.platform == 'win32' else signal.SIGKILL)\n"
        "    rename(*names)\n"
        "os.replace = killed\n"
        "Store.open(paths_in(sys.argv[1]))\n"
    )
    overwrite(many.database, 0, 100)
    damaged = many.database.read_bytes()
    (many.data / "ringback.db-wal").write_bytes(b"its journal")
    (many.data / "ringback.db-shm").write_bytes(b"its index")
    command = [sys.executable, "-c", script, str(many.data), str(number)]
    ended = subprocess.run(command, capture_output=True, cwd=ROOT, timeout=60, check=False)
    assert ended.returncode, "it was killed"
    with Store.open(many) as store:
        assert store.trunks() == EVERYONE
        assert any(str(aside(many).parent) in note for note in store.notes)
        store.add(trunk(COUNT))
    assert saved(many) == (*EVERYONE, trunk(COUNT))
    kept = [file.read_bytes() for file in many.data.glob("ringback-damaged-*")]
    assert damaged in kept
    assert b"its journal" in kept
    assert not [*many.data.glob("*.unfinished*"), *many.data.glob("*.repaired*")]


def test_a_new_file_that_was_damaged_before_it_was_used_is_made_again(many: Paths) -> None:
    (many.data / "ringback.db.repaired").write_bytes(b"damaged too" * 1000)
    assert saved(many) == EVERYONE


# Disks


@pytest.mark.parametrize("how", ["full", "read-only"])
def test_a_damaged_file_where_nothing_can_be_written_is_shown_and_repaired_later(
    tmp_path: Path, how: str
) -> None:
    with small_disk(tmp_path) as disk:
        paths = paths_in(disk.folder / "data")
        with Store.open(paths) as store:
            store.add_many(EVERYONE)
        overwrite(paths.database, 0, 100)
        before = paths.database.read_bytes()
        disk.fill() if how == "full" else disk.make_read_only()
        with Store.open(paths) as store:
            assert store.trunks() == EVERYONE
            damaged, refusal = store.notes
            assert "is damaged. Nothing is lost" in damaged
            assert "nothing can be saved now" in refusal
            with pytest.raises(StoreError, match="nothing was changed"):
                store.add(trunk(COUNT))
        assert paths.database.read_bytes() == before
        disk.make_room() if how == "full" else disk.make_writable()
        assert saved(paths) == EVERYONE
        assert aside(paths).read_bytes() == before


# The history


def test_calls_of_a_damaged_history_are_kept(paths: Paths) -> None:
    with History.open(paths) as history:
        for number in range(200):
            history.save(details(entry(str(number))))
    pages = pages_of(paths.history, "calls")
    overwrite(paths.history, pages[len(pages) // 2], 4096)
    with History.open(paths) as history, pytest.raises(DamagedStoreError) as caught:
        history.page(HistoryQuery(), limit=500)
    before = paths.history.read_bytes()
    with History.open(paths, damage=caught.value) as history:
        kept = history.page(HistoryQuery(), limit=500)
        assert 170 < len(kept) < 200
        whole = history.details(kept[0].id)
        assert whole
        assert (whole.entry.number, whole.findings != ()) == ("199", True)
        assert history.save(details(entry("new"))) == 201, "no id is used again"
        (note,) = history.take_notes()
        assert f"{len(kept)} calls could be read" in note
        assert "history of calls was damaged" in note
    (kept_file,) = paths.data.glob("history-damaged-*.db")
    assert kept_file.read_bytes() == before
