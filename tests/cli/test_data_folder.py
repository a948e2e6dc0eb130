"""A data folder that can't be used, a damaged or newer file in it, a full disk, two commands at once."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from app.paths import paths_in
from app.store.history import History
from tests.helpers.calls import details, entry
from tests.helpers.command import ROOT, Ended, Ringback
from tests.helpers.disks import Disk, small_disk

ADD = ("add", "--name", "Second", "--set", "host=sip.example.com", "--set", "user=2")


@pytest.fixture
def office(ringback: Ringback) -> Ringback:
    """A data folder with the trunk Office in it."""
    ringback.save("Office", host="sip.example.com", user="1")
    return ringback


def database(ringback: Ringback) -> Path:
    """The file with the trunks."""
    return ringback.data / "ringback.db"


def refused_twice(ringback: Ringback, *words: str) -> dict[str, str]:
    """The error of a command, the same in words."""
    error = ringback.run(*words, "--json").error
    told = ringback.run(*words)
    assert (told.code, told.out) == (2, "")
    assert told.err == f"ringback: {error['what']}\n  {error['do']}\n"
    return error


def test_a_damaged_file_is_repaired_kept_and_told_once(office: Ringback) -> None:
    assert office.run("trunks").code == 0  # makes a copy of what was saved
    database(office).write_bytes(b"this is no database" * 100)
    listed = office.run("trunks")
    assert listed.code == 0
    assert listed.out.startswith("Office  ")
    assert "was damaged, and Ringback has repaired it" in listed.err
    assert "From the copy of" in listed.err
    (aside,) = office.data.glob("ringback-damaged-*.db")
    assert str(aside) in listed.err
    assert aside.read_bytes() == b"this is no database" * 100
    assert office.run("trunks").err == ""


@pytest.mark.parametrize(
    "words",
    [("trunks", "--json"), ADD, ("remove", "Office"), ("export",), ("history",)],
    ids=lambda words: words[0],
)
def test_every_command_says_that_it_has_repaired_a_damaged_file(
    office: Ringback, words: tuple[str, ...]
) -> None:
    assert office.run("trunks").code == 0
    database(office).write_bytes(b"\0" * 4096)
    ended = office.run(*words)
    assert ended.code == (2 if "x" in words else 0), ended
    said = ended.json["note"] if "--json" in words else ended.err
    assert said.count("was damaged, and Ringback has repaired it") == 1


def test_a_file_of_a_newer_ringback_is_told_and_left_as_it_is(office: Ringback) -> None:
    with sqlite3.connect(database(office)) as connection:
        connection.execute("PRAGMA user_version = 9000")
    connection.close()
    before = database(office).read_bytes()
    error = refused_twice(office, *ADD)
    assert "newer Ringback" in error["what"]
    assert "Nothing was changed." in error["do"]
    assert database(office).read_bytes() == before


def change(ringback: Ringback, sql: str, file: str = "ringback.db") -> None:
    """Does something to a database that Ringback would not."""
    with closing(sqlite3.connect(ringback.data / file, isolation_level=None)) as raw:
        raw.execute(sql)


@pytest.mark.parametrize(
    "settings", ["'nonsense'", "CAST(x'7bff7d' AS TEXT)", "x'7b7d'", "''", "zeroblob(17000000)"]
)
def test_a_trunk_that_can_not_be_read_is_named_and_can_be_removed(office: Ringback, settings: str) -> None:
    office.save("Second", host="127.0.0.1", port=9, user="2", transport="tcp")
    change(office, f"UPDATE trunks SET settings = {settings} WHERE name = 'Office'")
    listed = office.run("trunks", "--json").json
    assert [each["name"] for each in listed["trunks"]] == ["Second"]
    called = "row-1" if "zeroblob" in settings else "Office"
    assert f'ringback remove "{called}"' in listed["note"]
    error = refused_twice(office, "register", called)
    assert f'"{called}"' in error["what"]
    assert "ringback remove" in error["do"]
    # It does not stand in the way of another one, and an export says that it is not in it
    assert office.run("register", "Second", "--json", password="x").finding_ids == ["NET-ICMP"]
    exported = office.run("export")
    assert "Second" in exported.out
    assert f'"{called}" can\'t be read' in exported.err
    assert office.run("remove", "Second").code == 0
    removed = office.run("remove", called)
    assert removed.code == 0, removed
    assert office.run("trunks", "--json").json == {"trunks": [], "note": None}


@pytest.mark.parametrize("name", ["CAST(x'4f6666ff' AS TEXT)", "x'00'", "char(27) || '[31m'", "''"])
def test_a_trunk_whose_name_can_not_be_read_is_removed_by_its_row(office: Ringback, name: str) -> None:
    office.save("Second", host="sip.example.com", user="2")
    change(office, f"UPDATE trunks SET name = {name} WHERE name = 'Office'")
    listed = office.run("trunks")
    assert listed.out.startswith("Second  ")
    assert 'ringback remove "row-1"' in listed.err
    assert listed.err.strip().isprintable()
    assert office.run("remove", "row-1").code == 0
    assert office.run("trunks").err == ""


def test_a_trunk_whose_settings_are_not_valid_any_more_can_be_put_right(office: Ringback) -> None:
    settings = '{"host":"sip.example.com","user":"1","port":99999}'
    change(office, f"UPDATE trunks SET settings = '{settings}'")
    listed = office.run("trunks")
    assert 'ringback set "Office" port=' in listed.err
    assert refused_twice(office, "register", "Office")["field"] == "port"
    assert refused_twice(office, "set", "Office", "expires=60")["field"] == "port", "it is still not valid"
    assert office.run("set", "Office", "port=5070").code == 0
    assert office.run("trunks", "--json").json["trunks"][0]["port"] == 5070


def test_a_name_that_is_not_text_is_refused_in_words(office: Ringback) -> None:
    name = os.fsdecode(b"Off\xffice")
    for words in (("remove", name), ("register", name), ("history", name), ("rename", "Office", name)):
        assert office.run(*words).code == 2
    assert office.run("history", "--search", name).code == 2
    assert office.saved_names() == ["Office"]


def test_calls_that_can_not_be_read_are_named_and_can_be_deleted(office: Ringback) -> None:
    with History.open(paths_in(office.data)) as history:
        for number in ("1", "2", "3"):
            history.save(details(entry(number, begun_at=time.time())))
    change(office, "UPDATE calls SET trunk = CAST(x'4dff' AS TEXT) WHERE id = 2", "history.db")
    listed = office.run("history")
    assert listed.code == 0
    assert [line.split()[0] for line in listed.out.splitlines()[:2]] == ["3", "1"]
    assert "Call 2 of the history can't be read" in listed.err
    assert "Call 2 of" in office.run("history", "--json").json["note"]
    assert "Call 2 can't be read" in refused_twice(office, "history", "--show", "2")["what"]
    file = office.folder / "calls.csv"
    exported = office.run("history", "--csv", file)
    assert exported.out.startswith("2 calls written")
    assert "Call 2 of" in exported.err
    assert office.run("history", "--delete", "2").code == 0
    assert office.run("history").err == ""


def test_a_file_in_the_place_of_the_data_folder_is_told(ringback: Ringback) -> None:
    ringback.data.write_text("I was here first")
    error = refused_twice(ringback, "trunks")
    assert "a file is in its place" in error["what"]
    assert str(ringback.data) in error["what"]
    assert "--data-dir" in error["do"]
    assert ringback.data.read_text() == "I was here first"


def test_a_data_folder_below_a_file_is_told(ringback: Ringback) -> None:
    (ringback.folder / "file").write_text("")
    ringback.data = ringback.folder / "file" / "data"
    assert str(ringback.data) in refused_twice(ringback, "demo")["what"]


def test_a_data_folder_without_a_name_is_told(ringback: Ringback) -> None:
    ringback.data = Path("\t")
    assert "not the name of a folder" in refused_twice(ringback, "trunks")["what"]


BLOCKS: dict[str, tuple[Callable[[Disk], None], Callable[[Disk], None], str, str]] = {
    "full": (Disk.fill, Disk.make_room, "is full", "room"),
    "read-only": (Disk.make_read_only, Disk.make_writable, "can only be read", "--data-dir"),
}
"""How writing is made impossible and possible again, and what is said about it."""


@pytest.mark.parametrize("block", BLOCKS)
def test_where_nothing_can_be_written_everything_can_be_looked_at(
    ringback: Ringback, tmp_path: Path, block: str
) -> None:
    stop, go_on, what, do = BLOCKS[block]
    with small_disk(tmp_path) as disk:
        ringback.data = disk.folder / "data"
        ringback.save("Office", host="127.0.0.1", port=9, user="1", transport="tcp")
        with History.open(paths_in(ringback.data)) as history:
            history.save(details(entry("1", begun_at=time.time())))
        stop(disk)
        listed = ringback.run("trunks", "--json").json
        assert [each["name"] for each in listed["trunks"]] == ["Office"]
        assert "nothing can be saved now" in listed["note"]
        assert what in listed["note"]
        assert ringback.run("trunks").out.startswith("Office  ")
        assert "Office" in ringback.run("export").out
        assert ringback.run("providers").code == 0
        calls = ringback.run("history", "--json").json
        assert ([each["number"] for each in calls["calls"]], calls["count"]) == (["1"], 1)
        assert what in calls["note"]
        assert ringback.run("history", "--show", "1").code == 0
        assert ringback.run("history", "--csv", "-").out.count("\n") == 2
        plain = ringback.run("history")
        assert plain.err.count(what) == 1, "both files say the same, once"
        # A trunk can be tried as well
        assert ringback.run("register", "Office", "--json", password="x").finding_ids == ["NET-ICMP"]
        for words in (ADD, ("remove", "Office"), ("set", "Office", "port=1"), ("history", "--delete", "1")):
            error = refused_twice(ringback, *words)
            assert what in error["what"]
            assert "nothing was changed" in error["what"]
            assert do in error["do"]
        go_on(disk)
        assert ringback.saved_names() == ["Office"]
        assert ringback.run(*ADD).code == 0
        assert ringback.saved_names() == ["Office", "Second"]


@pytest.mark.parametrize("block", BLOCKS)
def test_the_demo_runs_where_nothing_can_be_written(ringback: Ringback, tmp_path: Path, block: str) -> None:
    stop, _, what, _ = BLOCKS[block]
    with small_disk(tmp_path) as disk:
        ringback.data = disk.folder / "data"
        assert ringback.run("trunks").code == 0
        stop(disk)
        ended = ringback.run("demo", "--seconds", "1", "--json")
        assert ended.code == 0, ended
        assert ended.json["works"] is True
        assert what in ended.err


def test_what_a_kill_left_of_a_copy_is_gone_after_the_next_command(office: Ringback) -> None:
    left = office.data / "copies" / "ringback-last-good.db.4711.unfinished"
    left.write_bytes(b"half a copy")
    assert office.run("trunks").code == 0
    assert not left.exists()


def test_many_commands_at_once_on_one_new_folder_all_work(ringback: Ringback) -> None:
    def add(number: int) -> tuple[str, ...]:
        return (
            "add",
            "--name",
            f"Trunk {number}",
            "--set",
            "host=sip.example.com",
            "--set",
            f"user={number}",
        )

    with (
        ringback.start(*add(1)) as one,
        ringback.start(*add(2)) as two,
        ringback.start(*add(3)) as three,
        ringback.start("trunks", "--json") as listing,
    ):
        ended: list[Ended] = [running.end() for running in (one, two, three, listing)]
    assert [command.code for command in ended] == [0, 0, 0, 0], ended
    assert sorted(ringback.saved_names()) == ["Trunk 1", "Trunk 2", "Trunk 3"]


def test_the_folder_is_understood_behind_the_command_too(ringback: Ringback) -> None:
    elsewhere = ringback.folder / "elsewhere"
    assert ringback.run(*ADD, "--data-dir", elsewhere).code == 0
    assert not ringback.data.exists()
    ringback.data = elsewhere
    assert ringback.saved_names() == ["Second"]


def test_without_the_option_the_usual_place_is_used(ringback: Ringback, own_home: Path) -> None:
    command = [sys.executable, "-m", "app", *ADD]
    subprocess.run(command, cwd=ROOT, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    assert list(own_home.rglob("ringback.db"))
