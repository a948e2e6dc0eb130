"""Copies of the trunks: whole or not there, and what a kill leaves of one is taken away by the next start."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from app.instance import FileUse
from app.paths import Paths
from app.store import Store
from app.store.image import load
from tests.helpers.saved_trunks import saved, trunk
from tests.helpers.waiting import wait_for

ROOT = Path(__file__).parents[2]

COPIER = """
import os, sys, time
from app.paths import paths_in
from app.store import Store

def wait(*_):
    print("copying", flush=True)
    sys.stdin.read()

rename = os.replace
os.replace = lambda *names: (wait(), rename(*names))
Store.open(paths_in(sys.argv[1])).close()
print("done", flush=True)
"""


@contextmanager
def copying(paths: Paths) -> Iterator[subprocess.Popen[str]]:
    """Another process, in the middle of making a copy until its input ends."""
    command = [sys.executable, "-c", COPIER, str(paths.data)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "copying\n"
            yield process
        finally:
            process.kill()


def unfinished(paths: Paths) -> list[Path]:
    """What is left of copies that are not whole."""
    return list(paths.copies.glob("*.unfinished*"))


@pytest.fixture
def changed(paths: Paths) -> Paths:
    """A folder in which something was saved since the last copy."""
    with Store.open(paths) as store:
        store.add(trunk())
    (paths.copies / "ringback-last-good.db").unlink()
    return paths


def test_what_a_kill_leaves_of_a_copy_is_taken_away_by_the_next_start(changed: Paths) -> None:
    with copying(changed) as process:
        assert len(unfinished(changed)) == 1
        process.kill()
        assert process.wait(10) == (1 if sys.platform == "win32" else -signal.SIGKILL)
        assert len(unfinished(changed)) == 1
    assert saved(changed) == (trunk(),)
    assert unfinished(changed) == []
    with closing(load((changed.copies / "ringback-last-good.db").read_bytes())) as copy:
        assert copy.execute("SELECT name FROM trunks").fetchall() == [("Office 1",)]


def test_it_is_taken_away_also_when_no_copy_is_due(changed: Paths) -> None:
    saved(changed)
    left = changed.copies / "ringback-last-good.db.4711.unfinished"
    for end in ("", "-journal"):
        Path(f"{left}{end}").write_bytes(b"half a copy")
    (changed.copies / "mine.txt").write_text("not Ringback's")
    assert saved(changed) == (trunk(),)
    assert {file.name for file in changed.copies.iterdir()} == {"ringback-last-good.db", "mine.txt"}


def test_a_copy_that_another_is_making_is_left_alone(changed: Paths) -> None:
    with copying(changed) as process:
        (theirs,) = unfinished(changed)
        assert saved(changed) == (trunk(),), "nobody waits for the other's copy"
        assert theirs.exists()
        assert not (changed.copies / "ringback-last-good.db").exists()
        assert process.communicate("", timeout=30)[0] == "done\n"
    assert {file.name for file in changed.copies.iterdir()} == {"ringback-last-good.db"}


def test_a_lock_that_is_held_for_ever_keeps_nobody_from_their_trunks(changed: Paths) -> None:
    theirs = FileUse(changed.data / "copies.lock")
    assert theirs.take_alone()
    try:
        assert saved(changed) == (trunk(),)
    finally:
        theirs.release()


def test_kills_at_any_moment_of_starting_leave_no_more_than_the_next_start_takes_away(
    changed: Paths,
) -> None:
    script = COPIER.replace("    sys.stdin.read()\n", "")
    for number in range(4):
        with Store.open(changed) as store:
            store.update(trunk(expires=100 + number))
        command = [sys.executable, "-c", script, str(changed.data)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        ) as process:
            assert process.stdout
            wait_for(process.stdout.readline, "the copy to begin")
            process.kill()
        assert saved(changed) == (trunk(expires=100 + number),)
        assert unfinished(changed) == []
