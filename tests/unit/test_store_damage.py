"""Rows that can't be used, and files that are not what they should be: named, and nothing else is harmed."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from app.errors import StoreError
from app.paths import Paths, paths_in
from app.store import Store, StoredSetting
from app.store.database import Database
from app.store.history import History
from app.store.words import (
    DamagedStoreError,
    FullStoreError,
    TooLargeError,
    UnwritableStoreError,
    words_of,
)
from tests.helpers.damage import overwrite
from tests.helpers.saved_trunks import LAST_TRUNK, fill, saved, trunk


def change(paths: Paths, sql: str, values: tuple[object, ...] = ()) -> None:
    """Does something to the database that Ringback would not."""
    with closing(sqlite3.connect(paths.database, isolation_level=None)) as raw:
        raw.execute(sql, values)


# Rows

SOUND = (trunk(2), trunk(3))


@pytest.fixture
def three(paths: Paths) -> Paths:
    """A folder with three trunks; something happens to the first."""
    with Store.open(paths) as store:
        store.add_many([trunk(1), *SOUND])
    return paths


@pytest.mark.parametrize(
    "settings",
    [
        "",
        "{",
        "[]",
        "{}",
        "null",
        '{"host": 5}',
        '{"host": "a", "colour": "red"}',
        '{"host":"a","transport":"pigeon"}',
        '{"host":' + 200_000 * "[",
        b'{"host":"sip.example.com","user":"1"}',
        b"\xff\xfe",
        7,
        1.5,
        "x" * 20_000_000,
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_trunk_whose_settings_make_no_sense_is_named_and_can_be_removed(
    three: Paths, settings: object
) -> None:
    change(three, "UPDATE trunks SET settings = ? WHERE id = ?", (settings, trunk(1).id))
    check_the_first_is_named_and_can_be_removed(three)


@pytest.mark.parametrize(
    "sql",
    [
        "settings = CAST(x'7b22686f7374223a22ff227d' AS TEXT)",
        "id = CAST(x'ff00' AS TEXT)",
        "id = x'00'",
        "id = ''",
        "id = zeroblob(20000000)",
        "name_key = zeroblob(20000000), settings = ''",
        "settings = replace(settings, 'sip.', 'sip' || char(0))",
    ],
)
def test_a_trunk_with_a_damaged_value_is_named_and_can_be_removed(three: Paths, sql: str) -> None:
    change(three, f"UPDATE trunks SET {sql} WHERE name = 'Office 1'")
    check_the_first_is_named_and_can_be_removed(three)


@pytest.mark.parametrize(
    "sql",
    [
        "name = CAST(x'4f6666ff' AS TEXT)",
        "name = x'4f6666'",
        "name = ''",
        "name = 'Office' || char(10) || char(27) || '[31m'",
        "name = replace(hex(zeroblob(5000)), '00', 'long')",
    ],
)
def test_a_trunk_with_a_damaged_name_is_named_as_far_as_it_can_be_and_can_be_removed(
    three: Paths, sql: str
) -> None:
    change(three, f"UPDATE trunks SET {sql} WHERE id = '{trunk(1).id}'")
    with Store.open(three) as store:
        (bad,) = store.unreadable()
        assert "row-1" in bad.removable_as
        assert bad.words.isprintable()
        assert "row-1" in bad.words
        assert store.trunks() == SOUND
        assert len(store.names()) == 3
        store.remove(store.id_of(bad.removable_as))
        assert (store.trunks(), store.unreadable()) == (SOUND, ())


def check_the_first_is_named_and_can_be_removed(paths: Paths) -> None:
    """All others work as ever, the first is not touched by that, and it is gone once it is removed."""
    with Store.open(paths) as store:
        (bad,) = store.unreadable()
        assert "Office 1" in bad.name or bad.name == "row-1"
        assert bad.why
        assert f'ringback remove "{bad.removable_as}"' in bad.words
        assert store.trunks() == SOUND
        assert store.by_name("Office 2") == store.by_id(trunk(2).id) == trunk(2)
        with pytest.raises(StoreError, match="can't be read") as caught:
            store.by_name(bad.removable_as)
        assert f'ringback remove "{bad.removable_as}"' in caught.value.do
        store.set_order([trunk(3).id])
        store.update(trunk(2, port=5070), before=trunk(2))
        store.add(trunk(4))
        assert store.unreadable() == (bad,), "no change of others touches it"
    with Store.open(paths) as store:
        assert store.trunks() == (trunk(3), trunk(2, port=5070), trunk(4))
        store.remove(store.id_of(bad.removable_as))
        assert store.unreadable() == ()
        assert [each.name for each in store.trunks()] == ["Office 3", "Office 2", "Office 4"]


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ('{"host":"sip.example.com","user":"1","port":99999}', "port"),
        ('{"host":"sip.example.com","user":"1","port":1' + 80 * "0" + "}", "port"),
        ('{"host":"","user":"1"}', "host"),
        ('{"host":"sip.example.com"}', "user"),
        ('{"host":"sip.example.com\\r\\nVia: x","user":"1"}', "host"),
        ('{"host":"sip.example.com","user":"1","codecs":["MP3"]}', "codecs"),
    ],
)
def test_a_trunk_whose_settings_are_not_valid_any_more_is_named_and_can_be_put_right(
    three: Paths, settings: str, field: str
) -> None:
    change(three, "UPDATE trunks SET settings = ? WHERE id = ?", (settings, trunk(1).id))
    with Store.open(three) as store:
        assert store.trunks() == SOUND
        (bad,) = store.unreadable()
        assert bad.field == field
        assert f'ringback set "Office 1" {field}=' in bad.words
        with pytest.raises(StoreError, match="can't be used") as caught:
            store.by_name("Office 1")
        assert caught.value.field == field
        before = store.by_name("Office 1", check=False)
        store.update(trunk(1), before=before)
        assert store.trunks() == (trunk(1), *SOUND)


def test_a_sound_trunk_has_its_name_also_when_a_damaged_one_has_it_too(three: Paths) -> None:
    change(three, "UPDATE trunks SET name = 'Office 2', settings = '{' WHERE name = 'Office 1'")
    with Store.open(three) as store:
        assert store.by_name("office 2") == trunk(2)
        assert store.id_of("Office 2") == trunk(2).id
        (bad,) = store.unreadable()
        assert bad.removable_as == "row-1", "with the name the sound one would be removed"
        store.remove(store.id_of(bad.removable_as))
        assert store.trunks() == SOUND


def test_of_two_trunks_with_one_name_both_can_be_reached(three: Paths) -> None:
    change(three, "UPDATE trunks SET name = 'Office 2' WHERE name = 'Office 1'")
    with Store.open(three) as store:
        assert len(store.trunks()) == 3
        assert store.by_name("Office 2") == trunk(2)
        assert store.by_name("Office 1").id == trunk(1).id, "by the name that it had"
        with pytest.raises(StoreError, match="already"):
            store.add(trunk(9, name="Office 2"))


@pytest.mark.parametrize("position", ["'first'", "x'00'", "9223372036854775807", "1.0e300", "-5"])
def test_damaged_positions_cost_the_order_only(three: Paths, position: str) -> None:
    change(three, f"UPDATE trunks SET position = {position} WHERE name = 'Office 2'")
    with Store.open(three) as store:
        assert {each.name for each in store.trunks()} == {"Office 1", "Office 2", "Office 3"}
        store.add(trunk(4))
        store.add(trunk(5))
        assert [each.name for each in store.trunks()][-2:] == ["Office 4", "Office 5"]
        store.set_order([trunk(5).id, trunk(2).id])
        assert [each.name for each in store.trunks()][:2] == ["Office 5", "Office 2"]
        place = store.remove(trunk(2).id)
        store.insert_at(trunk(2), place)
        assert [each.name for each in store.trunks()][:2] == ["Office 5", "Office 2"]


@pytest.mark.parametrize(
    "value",
    [
        "CAST(x'ff' AS TEXT)",
        "x'00'",
        "'{'",
        "5",
        "''",
        "replace(hex(zeroblob(90000)), '00', '[')",
        "zeroblob(17000000)",
    ],
)
def test_what_the_window_remembers_and_can_not_be_read_is_forgotten(paths: Paths, value: str) -> None:
    lists = StoredSetting("window.lists", list[list[str]], [["x"]])
    with Store.open(paths) as store:
        store.set_setting(LAST_TRUNK, "a")
        store.set_setting(lists, [["y"]])
    change(paths, f"UPDATE settings SET value = {value}")
    with Store.open(paths) as store:
        assert store.setting(LAST_TRUNK) == ""
        assert store.setting(lists) == [["x"]]
        store.set_setting(LAST_TRUNK, "b")
        assert store.setting(LAST_TRUNK) == "b"


def test_a_copy_with_the_last_sound_state_stays_while_something_can_not_be_read(three: Paths) -> None:
    saved(three)
    good = three.copies / "ringback-last-good.db"
    before = good.read_bytes()
    change(three, "UPDATE trunks SET settings = '{' WHERE name = 'Office 1'")
    os.utime(good, (1, 1))
    with Store.open(three) as store:
        assert good.read_bytes() == before
        assert (three.copies / "ringback-last-state.db").exists()
        store.remove(store.id_of("Office 1"))
    saved(three)
    assert not (three.copies / "ringback-last-state.db").exists()
    assert good.read_bytes() != before


# Names and values that come from outside

SURROGATES = b"Off\xffice".decode("utf-8", "surrogateescape")


def test_a_name_that_is_not_text_is_looked_for_in_vain(three: Paths) -> None:
    with Store.open(three) as store:
        for look in (store.by_name, store.id_of):
            with pytest.raises(StoreError, match="no trunk called"):
                look(SURROGATES)
        assert store.by_id(SURROGATES) is None
        with pytest.raises(StoreError, match="not there any more"):
            store.remove(SURROGATES)


def test_what_sqlite_can_not_take_is_refused_in_words(paths: Paths) -> None:
    with Store.open(paths) as store:
        for value in (SURROGATES, 1 << 70):
            with pytest.raises(StoreError, match="can't be saved or searched for"):
                store._database.rows("SELECT ?", (value,))


# Files


def test_a_file_of_another_program_is_refused_and_left_as_it_is(paths: Paths) -> None:
    with closing(sqlite3.connect(paths.database)) as raw:
        raw.execute("CREATE TABLE songs (title TEXT)")
    before = paths.database.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        Store.open(paths)
    assert paths.database.read_bytes() == before


def test_damage_that_appears_while_it_is_open_is_told_too(paths: Paths) -> None:
    fill(paths)
    with Store.open(paths) as store:
        overwrite(paths.database, 4096, paths.database.stat().st_size - 4096)
        store._database.rows("PRAGMA shrink_memory")  # forget the pages it has read
        with pytest.raises(DamagedStoreError, match="is damaged") as caught:
            store.trunks()
        assert "start it again" in caught.value.do


def test_of_a_file_that_is_damaged_while_it_is_open_the_rest_is_still_shown(paths: Paths) -> None:
    fill(paths)
    with Store.open(paths) as store:
        overwrite(paths.database, paths.database.stat().st_size // 2, 8192)
        store._database.rows("PRAGMA shrink_memory")
        assert 50 < len(store.trunks()) < 200


NAMES = ("ringback.db-wal", "ringback.db-shm", "ringback.db-journal", "ringback.db.lock")
OTHERS = ("ringback.db.unfinished", "ringback.db.repaired", "copies", "copies.lock", "runs", "logs")


def _folder(path: Path) -> None:
    (path / "mine").mkdir(parents=True)


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _garbage(path: Path) -> None:
    path.write_bytes(b"garbage" * 700)


def _loop(path: Path) -> None:
    path.symlink_to(path)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes among its files")
@pytest.mark.parametrize("name", [*NAMES, *OTHERS])
@pytest.mark.parametrize("make", [_folder, _pipe, _garbage, _loop], ids=lambda make: make.__name__[1:])
def test_what_lies_in_the_place_of_our_own_files_keeps_nobody_from_their_trunks(
    paths: Paths, name: str, make: Callable[[Path], None]
) -> None:
    saved(paths)
    with Store.open(paths) as store:
        store.add(trunk())
    part = paths.data / name
    shutil.rmtree(part, ignore_errors=True)
    part.unlink(missing_ok=True)
    make(part)
    paths_in(paths.data)
    with Store.open(paths) as store:
        assert store.trunks() == (trunk(),)
        note = "".join(store.notes)
        if "nothing can be saved now" in note:
            assert name in note or make is _loop
            with pytest.raises(StoreError, match="nothing was changed"):
                store.add(trunk(2))
        else:
            store.add(trunk(2))
            assert store.trunks() == (trunk(), trunk(2))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes among its files")
@pytest.mark.parametrize("make", [_folder, _pipe], ids=lambda make: make.__name__[1:])
@pytest.mark.parametrize("what", ["trunks", "history"])
def test_what_is_no_file_in_the_place_of_a_database_is_told(
    paths: Paths, what: str, make: Callable[[Path], None]
) -> None:
    file = paths.database if what == "trunks" else paths.history
    make(file)
    with pytest.raises(StoreError, match="a folder or a device where the file") as caught:
        Store.open(paths) if what == "trunks" else History.open(paths)
    assert str(file) in caught.value.what
    assert caught.value.do


# Words


def raised(code: int, message: str = "what SQLite says") -> sqlite3.Error:
    """The error of Python's module for one of SQLite's results."""
    error = sqlite3.OperationalError(message)
    error.sqlite_errorcode = code  # type: ignore[misc]  what the module sets itself
    error.sqlite_errorname = f"SQLITE_{code}"  # type: ignore[misc]  as above
    return error


RESULTS = {name: getattr(sqlite3, name) for name in dir(sqlite3) if name.startswith("SQLITE_")}
CODES = sorted(
    {
        value
        for name, value in RESULTS.items()
        if isinstance(value, int) and not name.startswith(("SQLITE_LIMIT", "SQLITE_DBCONFIG"))
    }
    - {sqlite3.SQLITE_OK}
)


@pytest.mark.parametrize("code", [*CODES, 0, 255, 99_999])
def test_every_result_of_sqlite_is_put_into_words(paths: Paths, code: int) -> None:
    error = words_of(raised(code), paths.database)
    assert isinstance(error, StoreError)
    assert str(paths.data) in error.what or "nothing was changed" in error.what
    assert error.do
    assert "what SQLite says" in error.details


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_CORRUPT, DamagedStoreError),
        (sqlite3.SQLITE_CORRUPT_VTAB, DamagedStoreError),
        (sqlite3.SQLITE_NOTADB, DamagedStoreError),
        (sqlite3.SQLITE_FULL, FullStoreError),
        (sqlite3.SQLITE_READONLY, UnwritableStoreError),
        (sqlite3.SQLITE_CANTOPEN, UnwritableStoreError),
        (sqlite3.SQLITE_IOERR_READ, UnwritableStoreError),
        (sqlite3.SQLITE_TOOBIG, TooLargeError),
    ],
)
def test_results_that_are_answered_in_a_way_of_their_own_are_told_apart(
    paths: Paths, code: int, kind: type[StoreError]
) -> None:
    assert type(words_of(raised(code), paths.database)) is kind


@pytest.mark.parametrize(
    "error",
    [sqlite3.Warning("odd"), MemoryError(), sqlite3.InterfaceError("odd"), OSError(5, "Input/output error")],
)
def test_errors_around_sqlite_are_put_into_words_too(paths: Paths, error: Exception) -> None:
    class Failing:
        """A connection that fails."""

        def execute(self, *_: object) -> None:
            raise error

        def set_progress_handler(self, *_: object) -> None:
            pass

    database = Database(Failing(), paths.database)  # type: ignore[arg-type]  stands in for a connection
    with pytest.raises(StoreError) as caught:
        database.rows("SELECT 1")
    assert caught.value.do


def test_work_that_takes_too_long_is_stopped_and_told(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.store.database.limit_time", lambda connection: _stop_at_once(connection))
    with Store.open(paths) as store, pytest.raises(StoreError, match="took too long"):
        store._database.rows(
            "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
        )


def _stop_at_once(connection: sqlite3.Connection) -> None:
    connection.set_progress_handler(lambda: True, 100_000)
