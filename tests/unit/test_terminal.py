"""Printing: nothing hidden gets out, and nothing fails when nobody reads."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app import terminal
from app.errors import UserError
from app.model.outcome import CallOutcome
from app.terminal import exit_code, output_lost, say, say_document, say_err, say_json, say_lines, when_lost
from tests.helpers.hostile import EVIL_BYTES, filled, shows

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def own_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is lost at the beginning, and nobody else sees what was lost here."""
    monkeypatch.setattr(terminal, "_output", terminal._Output())


def test_a_line_is_one_line_with_nothing_hidden(capfd: pytest.CaptureFixture[str]) -> None:
    say(f"name {EVIL_BYTES}")
    say_err(EVIL_BYTES)
    out, err = capfd.readouterr()
    for text in (out, err):
        assert text.count("\n") == 1
        assert shows(text) == []
    assert out.startswith("name evil[U+001B]]0;title[U+0007 U+001B][2J[U+0000")
    assert "…]2026-01-01 00:00:00[U+0009]forged" in out
    assert out.endswith("end[U+DC9B U+D800]\n")


def test_lines_of_a_text_stay_lines_behind_their_indent(capfd: pytest.CaptureFixture[str]) -> None:
    say_lines("one\r\ntwo\x1b[A\nthree\rfour", "    ", first="  - ")
    say_lines("one\ntwo", "  ", err=True)
    assert capfd.readouterr() == ("  - one\n    two[U+001B][A\n    three[U+000D]four\n", "  one\n  two\n")


def test_json_is_valid_with_anything_in_it(capfd: pytest.CaptureFixture[str]) -> None:
    say_json({EVIL_BYTES: filled(CallOutcome), "plain": "Büro"})
    out = capfd.readouterr().out
    assert shows(out) == []
    value = json.loads(out)
    assert value["plain"] == "Büro"
    (key,) = [key for key in value if key != "plain"]
    assert key == value[key]["reason"] == EVIL_BYTES.replace("\udc9b", r"\udc9b").replace("\ud800", r"\ud800")


def test_a_document_is_printed_in_utf_8_as_it_is(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    say_document("\ufeffBüro\r\n\udc80")
    assert capfdbinary.readouterr().out == "\ufeffBüro\r\n\\udc80".encode()


def test_an_old_code_page_gets_question_marks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with (tmp_path / "out").open("w", encoding="cp437") as out:
        monkeypatch.setattr(sys, "stdout", out)
        say("Büro 📞\x1b")
    assert (tmp_path / "out").read_bytes().rstrip() == b"B\x81ro ?[U+001B]"


def test_streams_that_the_shell_has_closed_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    say("x")
    say_err("x")
    say_json({"x": 1})
    assert not output_lost()
    assert exit_code(0) == 0


@contextmanager
def reader_gone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Standard output is a pipe that nobody reads any more. No fixture: capturing sets the stream again."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", encoding="utf-8") as out:
        monkeypatch.setattr(sys, "stdout", out)
        yield


def test_a_reader_that_has_gone_is_noticed_once_and_nothing_is_raised(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    called: list[str] = []
    with reader_gone(monkeypatch), when_lost(lambda: called.append("early")):
        say("x" * 100_000)
        say("y")
        say_json({"z": 1})
        with when_lost(lambda: called.append("late")):
            pass
    assert called == ["early", "late"]
    assert output_lost()
    assert [exit_code(code) for code in (0, 1, 2, 130)] == [terminal.READER_GONE] * 4
    assert capfd.readouterr().err == ""


def test_a_stream_without_a_buffer_that_takes_a_part_at_a_time_gets_everything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Slow(io.RawIOBase):
        """As the file behind standard output is with PYTHONUNBUFFERED."""

        taken = b""

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            self.taken += bytes(data[:7])
            return min(7, len(data))

    raw = Slow()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="utf-8", write_through=True))  # type: ignore[arg-type]  # as Python itself does
    say("a long line that does not fit")
    say_json({"key": "value"})
    assert raw.taken.decode().replace("\r", "") == 'a long line that does not fit\n{\n  "key": "value"\n}\n'


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGPIPE")
def test_the_code_is_the_one_of_a_tool_that_sigpipe_ended() -> None:
    assert terminal.READER_GONE == 128 + 13


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_output_that_can_not_be_written_is_reported(
    code: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    class Full(io.BytesIO):
        def write(self, data: object) -> int:
            raise OSError(code, os.strerror(code))

    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(Full()))
    say("x")
    say("y")
    assert capfd.readouterr().err == f"ringback: The output can't be written: {os.strerror(code)}.\n"
    assert [exit_code(given) for given in (0, 1, 2)] == [1, 1, 2]


def test_what_nobody_has_caught_is_printed_with_nothing_hidden(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("excepthook", "unraisablehook"):
        monkeypatch.setattr(sys, name, getattr(sys, name))
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    terminal.install_hooks()

    def fail() -> None:
        raise UserError(EVIL_BYTES)

    thread = threading.Thread(target=fail, name="worker")
    thread.start()
    thread.join()
    try:
        fail()
    except UserError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    err = capfd.readouterr().err
    assert shows(err) == []
    assert err.count("app.errors.UserError: evil[U+001B]]0;") == 2
    assert err.startswith("Exception in thread worker:\n")


_PRINTS = re.compile(r"\bprint\(|std(?:out|err)(?:\.buffer)?\.write\(|\binput\(|sys\.displayhook")


def test_nothing_else_in_ringback_prints() -> None:
    # Children print into a pipe; `log_child_line` makes their lines harmless
    children = ("app/sip/engine/", "app/sip/carrier/process.py", "app/sip/wire.py")
    found = [
        f"{path.relative_to(ROOT).as_posix()}:{number}: {line.strip()}"
        for path in sorted((ROOT / "app").rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if _PRINTS.search(line) and not path.relative_to(ROOT).as_posix().startswith(children)
    ]
    assert [line for line in found if not line.startswith("app/terminal.py:")] == []
