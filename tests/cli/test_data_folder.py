"""A data folder that can't be used, a damaged or newer file in it, a full disk, two commands at once."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.command import ROOT, Ended, Ringback
from tests.helpers.disks import small_disk

ADD = ("add", "--name", "Second", "--set", "host=sip.example.com", "--set", "user=2")
COMMANDS = (("trunks",), ADD, ("remove", "Office"), ("register", "Office"), ("demo",))


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


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_a_damaged_file_is_told_and_left_as_it_is(office: Ringback, words: tuple[str, ...]) -> None:
    database(office).write_bytes(b"this is no database" * 100)
    error = office.run(*words, "--json").error
    assert "damaged" in error["what"]
    assert str(database(office)) in error["what"]
    assert "good copy" in error["do"]
    assert database(office).read_bytes() == b"this is no database" * 100


def test_what_a_damaged_file_s_message_says_to_do_brings_the_trunks_back(office: Ringback) -> None:
    assert office.run("trunks").code == 0  # makes a copy of what was saved
    database(office).write_bytes(b"\0" * 4096)
    error = refused_twice(office, "trunks")
    assert "ringback-last-good.db" in error["do"]
    for file in office.data.glob("ringback.db*"):
        file.rename(file.with_name(f"aside-{file.name}"))
    shutil.copy(office.data / "copies" / "ringback-last-good.db", database(office))
    assert office.run("trunks").out.startswith("Office  ")


def test_a_file_of_a_newer_ringback_is_told_and_left_as_it_is(office: Ringback) -> None:
    with sqlite3.connect(database(office)) as connection:
        connection.execute("PRAGMA user_version = 9000")
    connection.close()
    before = database(office).read_bytes()
    error = refused_twice(office, *ADD)
    assert "newer Ringback" in error["what"]
    assert "Nothing was changed." in error["do"]
    assert database(office).read_bytes() == before


def test_a_trunk_that_can_not_be_read_is_named_and_can_be_removed(office: Ringback) -> None:
    with sqlite3.connect(database(office)) as connection:
        connection.execute("UPDATE trunks SET settings = 'nonsense'")
    connection.close()
    assert '"Office"' in office.run("trunks", "--json").json["note"]
    error = refused_twice(office, "register", "Office")
    assert '"Office"' in error["what"]
    assert "ringback remove" in error["do"]
    # It does not stand in the way of another one
    office.save("Second", host="127.0.0.1", port=9, user="2", transport="tcp")
    assert office.run("register", "Second", "--json", password="x").finding_ids == ["NET-ICMP"]
    assert office.run("remove", "Second").code == 0
    removed = office.run("remove", "Office")
    assert removed.code == 0, removed
    assert office.run("trunks", "--json").json == {"trunks": [], "note": None}


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


def test_a_disk_that_can_only_be_read_is_told(ringback: Ringback, tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        ringback.data = disk.folder / "data"
        ringback.save("Office", host="sip.example.com", user="1")
        disk.make_read_only()
        error = refused_twice(ringback, *ADD)
        assert "can only be read" in error["what"]
        disk.make_writable()
        assert ringback.saved_names() == ["Office"]


def test_a_full_disk_is_told_and_what_was_saved_is_safe(ringback: Ringback, tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        ringback.data = disk.folder / "data"
        ringback.save("Office", host="sip.example.com", user="1")
        disk.fill()
        error = refused_twice(ringback, *ADD)
        assert "full" in error["what"]
        assert "room" in error["do"]
        disk.make_room()
        assert ringback.saved_names() == ["Office"]
        assert ringback.run(*ADD).code == 0
        assert ringback.saved_names() == ["Office", "Second"]


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
