"""Stores of other versions: older ones are brought up to date, with a copy kept; newer ones are refused."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from app.errors import StoreError
from app.model.trunk import SignIn
from app.paths import Paths
from app.store import Store
from app.store.opening import open_database
from app.store.trunk_file import TRUNKS
from app.store.words import DamagedStoreError
from tests.helpers.saved_trunks import FULL, LAST_TRUNK, saved, trunk

LATEST_VERSION = TRUNKS.latest
ROOT = Path(__file__).parents[2]
OLD_FILES = Path(__file__).parent / "data" / "store"


def upgraded(paths: Paths, fail: bool = False) -> None:
    """Opens with one more migration than there is."""

    def step(connection: sqlite3.Connection) -> None:
        connection.execute("ALTER TABLE trunks ADD COLUMN country TEXT NOT NULL DEFAULT ''")
        if fail:
            connection.execute("INSERT INTO nowhere VALUES (1)")

    kind = replace(TRUNKS, migrations=(*TRUNKS.migrations, step))
    open_database(kind, paths.database, paths).close()


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
    with pytest.raises(StoreError, match="nothing was changed") as caught:
        upgraded(paths, fail=True)
    assert "nowhere" in caught.value.details
    assert saved(paths) == (trunk(),)


def test_a_kill_in_the_middle_of_a_migration_leaves_the_old_version(paths: Paths) -> None:
    with Store.open(paths) as store:
        store.add(trunk())
    script = """
import sys
from msgspec.structs import replace
from app.paths import paths_in
from app.store.opening import open_database
from app.store.trunk_file import TRUNKS

def step(connection):
    connection.execute("ALTER TABLE trunks ADD COLUMN country TEXT")
    connection.execute("UPDATE trunks SET settings = '{}'")
    print("in the middle", flush=True)
    sys.stdin.read()

paths = paths_in(sys.argv[1])
open_database(replace(TRUNKS, migrations=(*TRUNKS.migrations, step)), paths.database, paths)
"""
    command = [sys.executable, "-c", script, str(paths.data)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "in the middle\n"
        process.kill()
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
    with Store.open(paths) as store:
        (found,) = store.trunks(check=False)
    assert (found.sign_in, found.user, found.host) == (sign_in, user, "sip.example.com")
    with closing(sqlite3.connect(paths.copies / "ringback-v1.db")) as copy:
        assert copy.execute("PRAGMA user_version").fetchone() == (1,)
        assert copy.execute("SELECT settings FROM trunks").fetchall() == [(settings,)]


def test_a_damaged_trunk_of_version_1_stays_as_it_is_and_the_others_move_on(paths: Paths) -> None:
    damaged = {"torn": '{"host":"a","register":tr', "list": "[]", "empty": ""}
    put_raw(paths, {**damaged, "sound": '{"host":"sip.example.com","user":"1","register":true}'})
    with Store.open(paths) as store:
        assert [found.name for found in store.trunks()] == ["sound"]
        assert [each.name for each in store.unreadable()] == ["torn", "list", "empty"]
    with closing(sqlite3.connect(paths.database)) as raw:
        kept = dict(raw.execute("SELECT name, settings FROM trunks WHERE name != 'sound'").fetchall())
    assert kept == damaged
