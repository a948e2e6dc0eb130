"""`ringback set`, `rename`, `duplicate`, `move`, `export` and `import`: what changes and what is refused."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from app.importing import MOST_BYTES
from tests.cli.documented import keys
from tests.helpers.command import ROOT, Ringback
from tests.helpers.waiting import wait_for

CANARY = "canary-Xq7p"


@pytest.fixture
def three(ringback: Ringback) -> Ringback:
    """The command line with three trunks."""
    for name in ("Office", "Home", "Shop"):
        ringback.save(name, host=f"{name.lower()}.example.com", user="1")
    return ringback


def test_settings_are_changed_and_the_others_stay(three: Ringback) -> None:
    ended = three.run("set", "office", "port=5070", "notes=a=b", "allow_in=no", "--json")
    assert ended.code == 0, ended
    assert list(ended.json) == keys("ringback set")
    trunk = ended.json["trunk"]
    assert (trunk["name"], trunk["port"], trunk["notes"], trunk["allow_in"]) == ("Office", 5070, "a=b", False)
    assert (trunk["host"], trunk["user"]) == ("office.example.com", "1")
    ended = three.run("set", "Office", "host=sip:new.example.com", "name=Head office")
    assert ended.out.splitlines() == ['host: The "sip:" in front was taken off.', "Head office is changed."]
    assert three.saved_names() == ["Head office", "Home", "Shop"]


@pytest.mark.parametrize(
    ("words", "field", "what"),
    [
        ([], "", "nothing to change"),
        (["port"], "", "port has no value"),
        (["port=1", "port=2"], "port", "set twice"),
        (["port=70000"], "port", '"70000"'),
        (["usr=1"], "usr", '"usr"'),
        (["name=HOME"], "name", '"Home" already'),
        (["user="], "user", "needed to sign in"),
    ],
)
def test_a_bad_change_is_refused_and_nothing_changes(
    three: Ringback, words: list[str], field: str, what: str
) -> None:
    before = three.run("export").out
    error = three.run("set", "Office", *words, "--json").error
    assert error["field"] == field
    assert what in error["what"]
    assert three.run("export").out == before


def test_a_trunk_is_renamed(three: Ringback) -> None:
    ended = three.run("rename", "home", "Büro 2", "--json")
    assert list(ended.json) == keys("ringback rename")
    assert (ended.json["before"], ended.json["trunk"]["name"]) == ("Home", "Büro 2")
    assert three.run("rename", "Büro 2", "Flat").out == "Büro 2 is now called Flat.\n"
    assert three.run("rename", "Flat", "SHOP", "--json").error["field"] == "name"
    assert three.saved_names() == ["Office", "Flat", "Shop"]


def test_a_copy_is_switched_off_and_what_to_do_is_told(three: Ringback) -> None:
    ended = three.run("duplicate", "Home", "--json")
    assert list(ended.json) == keys("ringback duplicate")
    assert (ended.json["trunk"]["name"], ended.json["trunk"]["connect"]) == ("Home (copy)", False)
    said = three.run("duplicate", "Home").out
    assert 'ringback set "Home (copy) (2)" connect=yes' in said
    listed = three.run("trunks").out.splitlines()
    assert listed[3].endswith("registers  switched off")
    refused = three.run("register", "Home (copy)", "--json").error
    assert refused["field"] == "connect"
    assert "switched off" in refused["what"]


def test_provider_and_switches_are_listed(three: Ringback) -> None:
    assert three.run("set", "Shop", "provider=voipms", "allow_out=no", "allow_in=no").code == 0
    assert three.run("trunks").out.splitlines()[2] == (
        "Shop    udp  1@shop.example.com  registers  voipms  no outgoing calls  no incoming calls"
    )


@pytest.mark.parametrize(
    ("name", "position", "order"),
    [
        ("Shop", 1, ["Shop", "Office", "Home"]),
        ("Office", 2, ["Home", "Office", "Shop"]),
        ("Office", 99, ["Home", "Shop", "Office"]),
        ("Home", 2, ["Office", "Home", "Shop"]),
    ],
)
def test_a_trunk_is_moved(three: Ringback, name: str, position: int, order: list[str]) -> None:
    ended = three.run("move", name, position, "--json")
    assert list(ended.json) == keys("ringback move")
    assert ended.json["trunks"] == three.saved_names() == order
    assert three.run("move", name, 1).out == f"{name} is number 1 of 3 now.\n"
    assert three.run("move", name, 0, "--json").error["field"] == "position"


@pytest.mark.parametrize(
    "words", [["set", "Ofice", "port=1"], ["rename", "Ofice", "x"], ["duplicate", "Ofice"]]
)
def test_an_unknown_name_is_told_with_the_one_that_was_meant(three: Ringback, words: list[str]) -> None:
    assert three.run(*words, "--json").error["do"] == 'Did you mean "Office"?'


# Giving out and taking in


def test_what_is_given_out_comes_in_again(three: Ringback, tmp_path: Path) -> None:
    file = tmp_path / "trunks ü.json"
    ended = three.run("export", "Shop", "office", "Shop", "--file", file, "--json")
    assert list(ended.json) == keys("ringback export")
    assert (ended.json["exported"], ended.json["file"]) == (["Shop", "Office"], str(file))
    assert [trunk["name"] for trunk in json.loads(file.read_text("utf-8"))["trunks"]] == ["Shop", "Office"]
    assert three.run("export", "Shop", "Office").out == file.read_text("utf-8")
    assert three.run("import", file, "--json").error["field"] == "name"
    assert three.saved_names() == ["Office", "Home", "Shop"]
    for name in ("Shop", "Office"):
        three.run("remove", name)
    assert three.run("import", file, "--dry-run", "--json").json["imported"] == ["Shop", "Office"]
    assert three.saved_names() == ["Home"]
    assert three.run("import", file).code == 0
    renamed = three.run("import", file, "--rename", "--json")
    assert list(renamed.json) == keys("ringback import")
    assert renamed.json["imported"] == ["Shop (2)", "Office (2)"]
    assert three.saved_names() == ["Home", "Shop", "Office", "Shop (2)", "Office (2)"]
    assert [path.name for path in tmp_path.iterdir() if "unfinished" in path.name] == []


def test_a_dry_run_refuses_what_the_real_one_would(three: Ringback, tmp_path: Path) -> None:
    file = tmp_path / "all.json"
    three.run("export", "--file", file)
    assert three.run("import", file, "--dry-run", "--json").error["field"] == "name"
    named = three.run("import", file, "--dry-run", "--rename", "--json")
    assert named.json["imported"] == ["Office (2)", "Home (2)", "Shop (2)"]
    assert len(three.saved_names()) == 3


def test_a_table_is_shown_first_then_its_good_rows_are_saved(three: Ringback, tmp_path: Path) -> None:
    table = tmp_path / "pbx.csv"
    table.write_text(
        "Trunk Name;Server;Username;Colour\nA;a.example;1;red\nHOME;b.example;2;\nC;sip:c.example;3;\n"
    )
    for options in (["--dry-run"], []):
        ended = three.run("import", table, *options, "--json")
        assert ended.code == 1
        assert list(ended.json) == keys("ringback import")
        assert ended.json["imported"] == ["A", "C"]
        assert ended.json["dry_run"] is bool(options)
        assert ended.json["columns"] == ["name", "host", "user"]
        assert ["Colour" in note for note in ended.json["notes"]] == [True]
        rows = ended.json["rows"]
        assert [(row["line"], row["name"], row["ok"]) for row in rows] == [
            (2, "A", True),
            (3, "HOME", False),
            (4, "C", True),
        ]
        assert [problem["field"] for problem in rows[1]["problems"]] == ["name"]
        assert rows[1]["problems"][0]["column"] == "Trunk Name"
        assert rows[2]["mended"] == [
            {
                "field": "host",
                "what": 'The "sip:" in front was taken off.',
                "was": "sip:c.example",
                "now": "c.example",
                "column": "Server",
            }
        ]
        assert three.saved_names() == ["Office", "Home", "Shop", *([] if options else ["A", "C"])]
    words = three.run("import", "--csv", table)
    assert (words.code, three.saved_names()) == (1, ["Office", "Home", "Shop", "A", "C"])
    assert words.out.splitlines()[-1] == "0 trunks saved."
    assert "3 rows were left out" in words.err
    assert 'line 2     A     FAILED  column "Trunk Name": There is a trunk called "A" already.' in words.out


def test_what_a_spreadsheet_has_mangled_is_put_right_or_refused(ringback: Ringback, tmp_path: Path) -> None:
    table = tmp_path / "sheet.csv"
    table.write_text(
        "name;host;user\n"
        "point;a.example;493012345678.0\n"
        "comma;a.example;493012345678,0\n"
        "apostrophe;a.example;'0049301\n"
        'formula;a.example;"=""0049301"""\n'
        "blank;a.example;4930\u3000\n"
        "exponent;a.example;4.93012E+11\n"
        "exponent,;a.example;4,93012E+11\n",
        encoding="utf-8",
    )
    ended = ringback.run("import", table, "--json")
    assert ended.code == 1
    *good, first, second = ended.json["rows"]
    assert [row["mended"][0]["now"] for row in good] == [
        "493012345678",
        "493012345678",
        "0049301",
        "0049301",
        "4930",
    ]
    for row, line, value in ((first, 7, "4.93012E+11"), (second, 8, "4,93012E+11")):
        (problem,) = row["problems"]
        assert (row["line"], problem["column"]) == (line, "user")
        assert value in problem["what"]
    assert ringback.saved_names() == [row["name"] for row in good]


def test_a_table_without_problems_ends_well(ringback: Ringback, tmp_path: Path) -> None:
    table = tmp_path / "table.txt"
    table.write_text("name,host,user\nA,a.example,1\n", encoding="utf-8-sig")
    ended = ringback.run("import", "--csv", table)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == "line 2     A  ok      udp  1@a.example  registers\n1 trunk saved.\n"


def test_what_can_not_be_read_or_written_is_told(three: Ringback, tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text('{"ringback": "trunks",\n"version": 7, "trunks": []}')
    latin = tmp_path / "latin.csv"
    latin.write_bytes(b"name,host\nB\xfcro,a\n")
    for words, field, what in (
        (["import", tmp_path / "nowhere.json"], "file", "can't be read: No such file"),
        (["import", tmp_path], "file", "can't be read"),
        (["import", bad], "", "Line 2: This file was written by a newer Ringback"),
        (["import", latin], "", "Line 2: this file is not text in UTF-8"),
        (["import", latin, "--rename"], "", "UTF-8"),
        (["export", "--file", tmp_path / "nowhere" / "x.json"], "file", "can't be written"),
        (["export", "Nobody"], "name", '"Nobody"'),
    ):
        error = three.run(*words, "--json").error
        assert error["field"] == field
        assert what in error["what"]
    assert len(three.saved_names()) == 3


def test_a_trunk_that_can_not_be_read_does_not_hide_the_others(three: Ringback, tmp_path: Path) -> None:
    with closing(sqlite3.connect(three.data / "ringback.db")) as raw:
        raw.execute("UPDATE trunks SET settings = '[' WHERE name = 'Home'")
        raw.commit()
    listed = three.run("trunks", "--json").json
    assert [trunk["name"] for trunk in listed["trunks"]] == ["Office", "Shop"]
    assert '"Home" can\'t be read' in listed["note"]
    words = three.run("trunks")
    assert words.code == 0
    assert len(words.out.splitlines()) == 2
    assert '"Home"' in words.err
    assert three.run("export", "--file", tmp_path / "x.json", "--json").json["exported"] == ["Office", "Shop"]
    assert (
        three.run("duplicate", "Home", "--json").error["what"].startswith('The trunk "Home" can\'t be read')
    )
    assert three.run("remove", "Home").code == 0
    assert three.run("trunks", "--json").json["note"] is None


def test_a_password_of_a_table_is_kept_nowhere_without_a_keyring(ringback: Ringback, tmp_path: Path) -> None:
    table = tmp_path / "pbx.csv"
    table.write_text(f"name,host,user,secret\nA,a.example,1,{CANARY}\nB,b.example,x y,{CANARY}\n")
    shown = ringback.run("import", table, "--dry-run", "--json")
    saved = ringback.run("import", table)
    exported = ringback.run("export")
    assert [row["password"] for row in shown.json["rows"]] == [True, True]
    assert "The passwords were not saved." in saved.out
    assert CANARY not in f"{shown}{saved}{exported}"
    for file in ringback.data.rglob("*"):
        assert not file.is_file() or CANARY.encode() not in file.read_bytes()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such files")
@pytest.mark.parametrize("kind", ["pipe", "/dev/zero", "folder", "huge"])
@pytest.mark.parametrize("table", [[], ["--csv"]], ids=["json", "csv"])
def test_only_an_ordinary_file_is_imported(
    ringback: Ringback, tmp_path: Path, kind: str, table: list[str]
) -> None:
    path = Path(kind) if kind.startswith("/") else tmp_path / kind
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "huge":
            with path.open("wb") as out:
                out.truncate(1 << 40)
    error = ringback.run("import", path, *table, "--json").error
    words = {"pipe": "a pipe", "folder": "a folder", "/dev/zero": "a device"}
    expected = f"it is {words[kind]}, not a file" if kind in words else "it is larger than 20 MB"
    assert expected in error["what"]
    assert error["field"] == "file"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such files")
@pytest.mark.parametrize("table", [False, True], ids=["json", "csv"])
def test_a_file_to_import_can_not_make_ringback_read_a_device_or_a_pipe(
    ringback: Ringback, tmp_path: Path, table: bool
) -> None:
    os.mkfifo(tmp_path / "pipe")
    for ca_file, kind in (("/dev/zero", "a device"), (tmp_path / "pipe", "a pipe")):
        trunk = {"name": "A", "host": "a.example", "user": "1", "ca_file": str(ca_file)}
        path = tmp_path / ("trunks.csv" if table else "trunks.json")
        rows = [",".join(trunk), ",".join(trunk.values())]
        document = json.dumps({"ringback": "trunks", "version": 1, "trunks": [trunk]})
        path.write_text("\n".join(rows) if table else document, encoding="utf-8")
        ended = ringback.run("import", path, "--json")
        assert ended.code == (1 if table else 2)
        assert f"it is {kind}, not a file" in ended.out
    assert ringback.saved_names() == []


def test_standard_input_is_imported_and_has_a_limit_too(three: Ringback) -> None:
    text = three.run("export").out
    assert three.run("import", "-", "--rename", given=text).code == 0
    assert len(three.saved_names()) == 6
    error = three.run("import", "-", "--json", given=" " * (MOST_BYTES + 1)).error
    assert "more than 20 MB" in error["what"]


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="Windows has no signals to send to another process")
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_waiting_for_standard_input_ends_at_once_when_told_to(
    ringback: Ringback, stop: signal.Signals
) -> None:
    command = ringback.command("import", "-")
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        wait_for((ringback.data / "ringback.db").exists, "the command to have begun")
        wait_for(
            lambda: len(list(Path(f"/proc/{process.pid}/task").iterdir())) > 1, "it to wait for its input"
        )
        process.send_signal(stop)
        assert process.wait(10) == 130
        assert process.stderr
        assert process.stderr.read() == b"ringback: stopped; nothing is left running.\n"


def test_every_command_is_documented() -> None:
    from app.cli.keeping import COMMANDS

    text = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"### `ringback {name}" not in text] == []
