"""The store on real files: what it keeps and refuses; what survives a kill, a full disk, a bad file."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from app.errors import SettingError, StoreError
from app.model.trunk import SignIn, Transport, Trunk
from app.paths import Paths, paths_in
from app.store import LATEST_VERSION, DamagedStoreError, Store, StoredSetting, set_aside
from app.store import database as database_module
from tests.helpers.disks import small_disk

ROOT = Path(__file__).parents[2]
OLD_FILES = Path(__file__).parent / "data" / "store"

LAST_TRUNK = StoredSetting("window.last_trunk", str, "")
GEOMETRY = StoredSetting("window.geometry", bytes, b"")


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """An empty data folder."""
    return paths_in(tmp_path / "data")


def trunk(number: int = 1, **change: object) -> Trunk:
    """A usable trunk."""
    usual = Trunk(
        id=f"{number:032x}", name=f"Office {number}", host="sip.example.com", user=f"49301234{number}"
    )
    return msgspec.structs.replace(usual, **change)


FULL = trunk(
    7,
    name="Büro »Ost« 📞",
    port=5071,
    transport=Transport.TLS,
    auth_id="tränk@sip.example.com",
    realm="asterisk",
    proxy="[2001:db8::1]:5061",
    expires=60,
    sign_in=SignIn.CREDENTIALS,
    caller_id="+4930123456",
    codecs=("iLBC", "L16"),
    ca_file="C:\\ca.pem",
)


def saved(paths: Paths) -> tuple[Trunk, ...]:
    """The trunks that a new start finds."""
    with Store.open(paths) as store:
        return store.trunks()


# Keeping


def test_a_new_folder_has_no_trunks(paths: Paths) -> None:
    assert saved(paths) == ()


def test_trunks_are_kept_in_the_order_of_their_adding(paths: Paths) -> None:
    with Store.open(paths) as store:
        for number in (3, 1, 2):
            store.add(trunk(number))
        store.add(FULL)
        assert store.trunks() == (trunk(3), trunk(1), trunk(2), FULL)
    assert saved(paths) == (trunk(3), trunk(1), trunk(2), FULL)


def test_a_changed_trunk_keeps_its_place(paths: Paths) -> None:
    with Store.open(paths) as store:
        for number in (1, 2, 3):
            store.add(trunk(number))
        store.update(trunk(2, name="Zweigstelle", port=5070), before=trunk(2))
    assert saved(paths) == (trunk(1), trunk(2, name="Zweigstelle", port=5070), trunk(3))


def test_a_removed_trunk_is_gone_and_its_name_free(paths: Paths) -> None:
    with Store.open(paths) as store:
        store.add(trunk(1))
        store.add(trunk(2))
        store.remove(trunk(1).id)
        store.add(trunk(3, name="Office 1"))
    assert saved(paths) == (trunk(2), trunk(3, name="Office 1"))


def test_the_order_is_the_persons(paths: Paths) -> None:
    with Store.open(paths) as store:
        for number in (1, 2, 3, 4):
            store.add(trunk(number))
        store.set_order([trunk(3).id, "nobody", trunk(1).id, trunk(3).id])
        store.add(trunk(5))
    assert [found.name[-1] for found in saved(paths)] == ["3", "1", "2", "4", "5"]


def test_many_are_added_in_their_order_behind_the_others(paths: Paths) -> None:
    with Store.open(paths) as store:
        store.add(trunk(9))
        store.add_many([trunk(3), trunk(1), FULL])
        store.add_many([])
    assert saved(paths) == (trunk(9), trunk(3), trunk(1), FULL)


@pytest.mark.parametrize(
    "bad", [trunk(5, name="office 9"), trunk(5, name="OFFICE 1"), trunk(5, host=""), trunk(5, user="")]
)
def test_of_many_all_are_added_or_none(paths: Paths, bad: Trunk) -> None:
    with Store.open(paths) as store:
        store.add(trunk(9))
        with pytest.raises((SettingError, StoreError)):
            store.add_many([trunk(1), bad, trunk(2)])
        assert store.trunks() == (trunk(9),)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_removed_trunk_comes_back_in_its_place(paths: Paths, number: int) -> None:
    everyone = (trunk(1), trunk(2), trunk(3))
    with Store.open(paths) as store:
        store.add_many(everyone)
        position = store.remove(trunk(number).id)
        assert position == number - 1
        store.insert_at(trunk(number), position)
        assert store.trunks() == everyone
    assert saved(paths) == everyone


def test_coming_back_needs_the_name_to_be_free_and_takes_a_place_that_is_gone_as_the_last(
    paths: Paths,
) -> None:
    with Store.open(paths) as store:
        store.add_many([trunk(1), trunk(2)])
        store.remove(trunk(1).id)
        store.add(trunk(3, name="office 1"))
        with pytest.raises(StoreError, match="already"):
            store.insert_at(trunk(1), 0)
        assert store.trunks() == (trunk(2), trunk(3, name="office 1"))
        store.insert_at(trunk(4), 70)
        assert store.trunks()[-1] == trunk(4)


def test_a_name_is_found_in_any_case_and_spelling(paths: Paths) -> None:
    with Store.open(paths) as store:
        store.add(FULL)
        for name in ("BÜRO »ost« 📞", " büro »Ost« 📞 ", "Bu\u0308ro »Ost« 📞"):
            assert store.by_name(name) == FULL
            assert store.id_of(name) == FULL.id


def test_what_the_window_remembers_is_typed(paths: Paths) -> None:
    with Store.open(paths) as store:
        assert store.setting(LAST_TRUNK) == ""
        store.set_setting(LAST_TRUNK, trunk().id)
        store.set_setting(GEOMETRY, b"\x00\xff")
        store.set_setting(GEOMETRY, b"\x01\xd9\xd0\xcb")
    with Store.open(paths) as store:
        assert store.setting(LAST_TRUNK) == trunk().id
        assert store.setting(GEOMETRY) == b"\x01\xd9\xd0\xcb"
        # The same key read as another type: not worth a message
        assert store.setting(StoredSetting("window.last_trunk", int, 5)) == 5


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no permission bits")
def test_files_can_be_read_by_their_user_only_even_in_a_shared_folder(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    os.chmod(tmp_path / "shared", 0o755)
    paths = paths_in(tmp_path / "shared")
    with Store.open(paths) as store:
        store.add(trunk())
        files = [file for file in paths.data.rglob("*") if file.is_file()]
        assert {file.name for file in files} >= {"ringback.db", "ringback.db-wal", "ringback-last-good.db"}
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


# Refusing


def test_a_name_that_is_taken_is_refused_and_nothing_changes(paths: Paths) -> None:
    with Store.open(paths) as store:
        store.add(trunk(1))
        store.add(trunk(2))
        for attempt in (
            lambda: store.add(trunk(3, name="OFFICE 1")),
            lambda: store.update(trunk(2, name="office 1")),
        ):
            with pytest.raises(StoreError, match='"Office 1" already') as caught:
                attempt()
            assert caught.value.field == "name"
        store.update(trunk(1, name="OFFICE 1"))
        assert store.trunks() == (trunk(1, name="OFFICE 1"), trunk(2))


def test_a_trunk_that_is_not_usable_is_not_saved(paths: Paths) -> None:
    with Store.open(paths) as store:
        store.add(trunk())
        with pytest.raises(SettingError):
            store.add(trunk(2, host="sip.example.com\r\nVia: x"))
        with pytest.raises(SettingError):
            store.update(trunk(user=""))
        assert store.trunks() == (trunk(),)


def test_an_unknown_name_is_told_with_those_that_look_like_it(paths: Paths) -> None:
    with Store.open(paths) as store:
        with pytest.raises(StoreError, match=r'no trunk called "Office"\. No trunk is saved yet\.'):
            store.by_name("Office")
        store.add(trunk(1))
        store.add(trunk(2, name="Home"))
        with pytest.raises(StoreError, match='Did you mean "Office 1"'):
            store.by_name("offce 1")
        with pytest.raises(StoreError, match='Saved trunks: "Office 1", "Home"'):
            store.id_of("qqqq")


def test_a_trunk_that_is_gone_can_not_be_changed_or_removed(paths: Paths) -> None:
    with Store.open(paths) as store:
        for attempt in (lambda: store.update(trunk()), lambda: store.remove(trunk().id)):
            with pytest.raises(StoreError, match="not there any more"):
                attempt()


def test_a_trunk_that_was_changed_elsewhere_is_not_overwritten_unseen(paths: Paths) -> None:
    with Store.open(paths) as window, Store.open(paths) as command:
        window.add(trunk())
        seen = window.by_name("Office 1")
        command.update(trunk(port=5070))
        with pytest.raises(StoreError, match="changed elsewhere"):
            window.update(trunk(expires=600), before=seen)
        assert window.trunks() == (trunk(port=5070),)


# Two at once


def test_what_another_saves_is_noticed_once_and_what_we_save_is_not(paths: Paths) -> None:
    with Store.open(paths) as window, Store.open(paths) as command:
        assert not window.changed_elsewhere()
        window.add(trunk(1))
        assert not window.changed_elsewhere()
        command.add(trunk(2))
        assert window.changed_elsewhere()
        assert not window.changed_elsewhere()
        assert window.trunks() == (trunk(1), trunk(2))


ADDER = """
import sys
from app.model.trunk import Trunk
from app.paths import paths_in
from app.store import Store

folder, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
sys.stdin.readline()
with Store.open(paths_in(folder)) as store:
    for number in range(first, first + count):
        name = f"Office {number}"
        store.add(Trunk(id=f"{number:032x}", name=name, host="sip.example.com", user="x"))
        print("saved", number, flush=True)
"""


def start_adder(paths: Paths, first: int, count: int) -> subprocess.Popen[str]:
    """Another process that adds trunks, one transaction each, as soon as it is told to."""
    return subprocess.Popen(
        [sys.executable, "-c", ADDER, str(paths.data), str(first), str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def test_many_processes_start_on_an_empty_folder_and_write_at_once(paths: Paths) -> None:
    adders = [start_adder(paths, 100 * index, 20) for index in range(4)]
    for adder in adders:
        assert adder.stdin is not None
        adder.stdin.write("go\n")
        adder.stdin.flush()
    for adder in adders:
        out, _ = adder.communicate(timeout=60)
        assert (adder.returncode, out.count("saved")) == (0, 20)
    with Store.open(paths) as store:
        assert len(store.trunks()) == 80
    with closing(sqlite3.connect(paths.database)) as raw:
        positions = [row[0] for row in raw.execute("SELECT position FROM trunks ORDER BY position")]
    assert positions == list(range(1, 81))


def test_a_writer_waits_for_another_while_reading_goes_on(paths: Paths) -> None:
    writing = threading.Event()
    never = threading.Event()

    def write_slowly() -> None:
        with closing(sqlite3.connect(paths.database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            writing.set()
            never.wait(0.3)
            other.execute("COMMIT")

    with Store.open(paths) as store:
        thread = threading.Thread(target=write_slowly)
        thread.start()
        assert writing.wait(10)
        begin = time.monotonic()
        assert store.trunks() == ()
        assert time.monotonic() - begin < 0.2
        store.add(trunk())
        assert time.monotonic() - begin > 0.2
        thread.join()
    assert saved(paths) == (trunk(),)


def test_a_file_that_stays_locked_is_told(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "BUSY_MS", 50)
    with Store.open(paths) as store, closing(sqlite3.connect(paths.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="Another program is writing") as caught:
            store.add(trunk())
        assert str(paths.database) in caught.value.do
        other.execute("ROLLBACK")
        store.add(trunk())
        assert store.trunks() == (trunk(),)


# Kill


def test_a_kill_at_any_moment_loses_nothing_that_was_said_to_be_saved(paths: Paths) -> None:
    dice = random.Random(5)
    said: set[int] = set()
    for attempt in range(6):
        with start_adder(paths, 1000 * attempt, 1000) as adder:
            assert adder.stdin is not None
            assert adder.stdout is not None
            adder.stdin.write("go\n")
            adder.stdin.flush()
            for _ in range(dice.randint(1, 30)):
                said.add(int(adder.stdout.readline().split()[1]))
            time.sleep(dice.random() / 200)  # not a wait: the kill comes at any moment of a transaction
            adder.kill()
            said |= {int(line.split()[1]) for line in adder.stdout if line.endswith("\n")}
        with Store.open(paths) as store:
            found = {int(trunk.id, 16) for trunk in store.trunks()}
        assert said <= found
        # At most the one whose "saved" the kill cut off
        assert len(found - said) <= attempt + 1
    assert len(said) >= 6


def test_a_kill_in_the_middle_of_a_migration_leaves_the_old_version(paths: Paths) -> None:
    with Store.open(paths) as store:
        store.add(trunk())
    script = """
import sys
from app.paths import paths_in
from app.store import database

def step(connection):
    connection.execute("ALTER TABLE trunks ADD COLUMN country TEXT")
    connection.execute("UPDATE trunks SET settings = '{}'")
    print("in the middle", flush=True)
    sys.stdin.read()

database.connect(paths_in(sys.argv[1]), (*database.MIGRATIONS, step))
"""
    command = [sys.executable, "-c", script, str(paths.data)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "in the middle\n"
        process.kill()
    assert saved(paths) == (trunk(),)


# Versions


def upgraded(paths: Paths, fail: bool = False) -> None:
    """Opens with one more migration than there is."""

    def step(connection: sqlite3.Connection) -> None:
        connection.execute("ALTER TABLE trunks ADD COLUMN country TEXT NOT NULL DEFAULT ''")
        if fail:
            connection.execute("INSERT INTO nowhere VALUES (1)")

    database_module.connect(paths, (*database_module.MIGRATIONS, step)).close()


def test_before_a_migration_a_copy_of_the_old_version_is_kept(paths: Paths) -> None:
    with Store.open(paths) as store:
        store.add(trunk())
    upgraded(paths)
    copy = paths.copies / f"ringback-v{LATEST_VERSION}.db"
    with closing(sqlite3.connect(paths.database)) as raw:
        assert raw.execute("PRAGMA user_version").fetchone() == (LATEST_VERSION + 1,)
        assert raw.execute("SELECT name, country FROM trunks").fetchall() == [("Office 1", "")]
    with closing(sqlite3.connect(copy)) as raw:
        assert raw.execute("PRAGMA user_version").fetchone() == (LATEST_VERSION,)
    # The copy is whole: put in place of the file, it is the old state
    paths.database.unlink()
    shutil.copyfile(copy, paths.database)
    assert saved(paths) == (trunk(),)
    names = {file.name for file in paths.copies.iterdir()}
    assert names == {copy.name, "ringback-last-good.db"}


def test_a_migration_that_fails_changes_nothing(paths: Paths) -> None:
    with Store.open(paths) as store:
        store.add(trunk())
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):  # a bug of ours stays one
        upgraded(paths, fail=True)
    assert saved(paths) == (trunk(),)


def test_a_file_of_a_newer_ringback_is_refused_and_left_as_it_is(paths: Paths) -> None:
    with Store.open(paths) as store:
        store.add(trunk())
    upgraded(paths)
    before = paths.database.read_bytes()
    with pytest.raises(StoreError, match="newer Ringback") as caught:
        Store.open(paths)
    assert not isinstance(caught.value, DamagedStoreError)
    assert "--data-dir" in caught.value.do
    assert paths.database.read_bytes() == before
    assert list(paths.data.glob("ringback.db-*")) == []


@pytest.mark.parametrize("version", range(1, LATEST_VERSION + 1))
def test_files_of_every_version_so_far_are_read(paths: Paths, version: int) -> None:
    """A step without a stored file of its version fails here: add `vN.sql` with the step."""
    with closing(sqlite3.connect(paths.database)) as raw:
        raw.executescript((OLD_FILES / f"v{version}.sql").read_text(encoding="utf-8"))
    with Store.open(paths) as store:
        assert store.trunks() == (trunk(2), FULL)
        assert store.setting(LAST_TRUNK) == FULL.id


def put_raw(paths: Paths, settings: dict[str, str]) -> None:
    """A file of version 1 with these settings, as they stand, by name."""
    text = (OLD_FILES / "v1.sql").read_text(encoding="utf-8")
    with closing(sqlite3.connect(paths.database)) as raw:
        raw.executescript(text)
        raw.execute("DELETE FROM trunks")
        for number, (name, value) in enumerate(settings.items(), start=1):
            row = (f"{number:032x}", name, name, number, value)
            raw.execute("INSERT INTO trunks VALUES (?, ?, ?, ?, ?)", row)
        raw.commit()


@pytest.mark.parametrize(
    ("register", "user", "sign_in"),
    [
        ("true", "1", SignIn.REGISTER),
        ("true", "", SignIn.REGISTER),
        ("false", "1", SignIn.CREDENTIALS),
        ("false", "", SignIn.ADDRESS),
    ],
)
def test_how_a_trunk_of_version_1_signs_in_is_read_from_register_and_user(
    paths: Paths, register: str, user: str, sign_in: SignIn
) -> None:
    settings = f'{{"host":"sip.example.com","user":"{user}","register":{register}}}'
    put_raw(paths, {"one": settings})
    (found,) = saved(paths)
    assert (found.sign_in, found.user, found.host) == (sign_in, user, "sip.example.com")
    with closing(sqlite3.connect(paths.copies / "ringback-v1.db")) as copy:
        assert copy.execute("PRAGMA user_version").fetchone() == (1,)
        assert copy.execute("SELECT settings FROM trunks").fetchall() == [(settings,)]


def test_a_damaged_trunk_of_version_1_stays_as_it_is_and_the_others_move_on(paths: Paths) -> None:
    damaged = {"torn": '{"host":"a","register":tr', "list": "[]", "empty": ""}
    put_raw(paths, {**damaged, "sound": '{"host":"sip.example.com","user":"1","register":true}'})
    with Store.open(paths) as store:
        assert [found.name for found in store.trunks()] == ["sound"]
        assert store.unreadable() == ("torn", "list", "empty")
    with closing(sqlite3.connect(paths.database)) as raw:
        kept = dict(raw.execute("SELECT name, settings FROM trunks WHERE name != 'sound'").fetchall())
    assert kept == damaged


# Bad files


def test_a_file_of_another_program_is_refused_and_left_as_it_is(paths: Paths) -> None:
    with closing(sqlite3.connect(paths.database)) as raw:
        raw.execute("CREATE TABLE songs (title TEXT)")
    before = paths.database.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        Store.open(paths)
    assert paths.database.read_bytes() == before


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


def fill(paths: Paths, count: int = 200) -> None:
    """Enough trunks for many pages, and no journal left."""
    with Store.open(paths) as store:
        for number in range(count):
            store.add(trunk(number))


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


# Speed


def test_opening_and_saving_are_quick(paths: Paths) -> None:
    fill(paths, 100)
    begin = time.perf_counter()
    with Store.open(paths) as store:
        assert len(store.trunks()) == 100
    assert time.perf_counter() - begin < 0.5
