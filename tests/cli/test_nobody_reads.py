"""`ringback … | head`: whoever reads the output may go at any time, and only the exit code shows it."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from app.model.history import HistoryQuery
from app.paths import paths_in
from app.store.history import History
from app.terminal import READER_GONE
from tests.helpers.calls import details, entry
from tests.helpers.command import ROOT, Ringback

NOW = time.time()

needs_a_shell = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")


def many_calls(ringback: Ringback) -> None:
    """More than a pipe holds."""
    with closing(History.open(paths_in(ringback.data), "a run that has ended")) as history:
        for number in range(300):
            history.save(details(entry(f"+4930{number:06}", begun_at=NOW - number, reason="x" * 300)))


def gone(ringback: Ringback, *words: object, stream: str = "stdout") -> subprocess.CompletedProcess[bytes]:
    """Run a command whose output goes into a pipe that nobody reads any more."""
    reader, writer = os.pipe()
    os.close(reader)
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, stream: writer}
    try:
        return subprocess.run(
            ringback.command(*words), cwd=ROOT, stdin=subprocess.DEVNULL, check=False, timeout=60, **streams
        )
    finally:
        os.close(writer)


SHORT = {
    "help": ["--help"],
    "help of a command": ["call", "--help"],
    "help of the settings": ["--help-settings"],
    "version": ["--version"],
    "providers": ["providers"],
    "providers json": ["providers", "--json"],
    "trunks": ["trunks"],
    "history": ["history"],
    "history json": ["history", "--json", "--limit", "0"],
    "history csv": ["history", "--csv", "-"],
    "history show": ["history", "--show", "1"],
    "export": ["export"],
    "an error as json": ["register", "nobody", "--json"],
    "demo": ["demo", "--seconds", "1"],
    "carrier": ["carrier", "--port", "0"],
}


@pytest.mark.parametrize("words", SHORT.values(), ids=SHORT)
def test_a_command_that_nobody_reads_ends_as_other_tools_do(ringback: Ringback, words: list[str]) -> None:
    ringback.save("Office", host="sip.example.com", user="1")
    if words[0] == "history":
        many_calls(ringback)
    ended = gone(ringback, *words)
    assert (ended.returncode, ended.stderr) == (READER_GONE, b"")


@pytest.mark.parametrize("words", [["frobnicate"], ["register", "nobody"]])
def test_words_on_standard_error_that_nobody_reads_end_it_too(ringback: Ringback, words: list[str]) -> None:
    ended = gone(ringback, *words, stream="stderr")
    assert (ended.returncode, ended.stdout) == (READER_GONE, b"")


@needs_a_shell
@pytest.mark.parametrize("words", ["history --json --limit 0", "history --csv -", "history --limit 0"])
def test_head_gets_its_lines_and_the_shell_the_code_of_sigpipe(ringback: Ringback, words: str) -> None:
    many_calls(ringback)
    command = f"{shlex.join(ringback.command(*words.split()))} | head -n 1; echo code ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    first, last = ended.stdout.splitlines()
    assert first
    assert (last, ended.stderr) == (f"code {128 + signal.SIGPIPE}", "")


@needs_a_shell
def test_a_call_that_nobody_follows_any_more_is_ended_in_order(ringback: Ringback, tmp_path: Path) -> None:
    """The reader goes in the middle of a call: it is hung up, and nothing stays."""
    words = shlex.join(ringback.command("demo", "--seconds", "60"))
    command = f"{words} 2>{tmp_path}/err | head -n 2; echo code ${{PIPESTATUS[0]}}"
    ended = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False, timeout=50
    )
    assert ended.stdout.splitlines()[-1] == f"code {128 + signal.SIGPIPE}"
    assert (tmp_path / "err").read_text() == ""
    with closing(History.open(paths_in(ringback.data), "a run that has ended")) as history:
        assert [call.result for call in history.page(HistoryQuery(), limit=9)] in (
            [],
            ["cancelled"],
            ["answered"],
        )


@needs_a_shell
@pytest.mark.parametrize(
    "words", ["--help", "--version", "trunks", "trunks --json", "frobnicate", "register x"]
)
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_streams_that_the_shell_has_closed_do_no_harm(ringback: Ringback, words: str, closed: str) -> None:
    ringback.save("Office", host="sip.example.com", user="1")
    command = f"{shlex.join(ringback.command(*words.split()))} {closed}"
    ended = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == (2 if words in ("frobnicate", "register x") else 0)
    # What belongs on one stream does not turn up on the other
    assert ended.stdout == "" or (">&-" not in closed.split() and ended.returncode == 0)
    assert ended.stderr == "" or ended.returncode == 2
    assert ringback.saved_names() == ["Office"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")
@pytest.mark.parametrize(
    "words", [["trunks"], ["--help"], ["providers", "--json"], ["history", "--csv", "-"]]
)
def test_a_full_disk_behind_the_output_is_an_error_in_words(ringback: Ringback, words: list[str]) -> None:
    ringback.save("Office", host="sip.example.com", user="1")
    with open("/dev/full", "wb") as full:
        ended = subprocess.run(
            ringback.command(*words), cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert ended.returncode == 1
    assert ended.stderr == "ringback: The output can't be written: No space left on device.\n"
