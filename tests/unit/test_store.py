"""The store on real files: what it keeps and refuses, two at once, a kill at any moment."""

from __future__ import annotations

import os
import random
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from app.errors import SettingError, StoreError
from app.model.names import LONGEST_NAME
from app.model.trunk import Trunk
from app.paths import Paths, paths_in
from app.store import Store, StoredSetting, schema
from tests.helpers.saved_trunks import FULL, LAST_TRUNK, fill, saved, trunk

ROOT = Path(__file__).parents[2]

GEOMETRY = StoredSetting("window.geometry", bytes, b"")


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


def test_the_longest_name_is_a_name_like_any_other(paths: Paths) -> None:
    longest = trunk(1, name="x" * LONGEST_NAME)
    with Store.open(paths) as store:
        store.add(longest)
        assert store.names() == (longest.name,)
        assert store.by_name(longest.name.upper()) == longest
        with pytest.raises(StoreError, match="already"):
            store.add(trunk(2, name=longest.name))


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
from app.model.names import LONGEST_NAME
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
    monkeypatch.setattr(schema, "BUSY_MS", 50)
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


# Speed


def test_opening_and_saving_are_quick(paths: Paths) -> None:
    fill(paths, 100)
    begin = time.perf_counter()
    with Store.open(paths) as store:
        assert len(store.trunks()) == 100
    assert time.perf_counter() - begin < 0.5
