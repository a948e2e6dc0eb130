"""Locks: of the window, one holder, and of files, many or one; freed by any end of the process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.errors import StoreError
from app.instance import FileUse, InstanceLock
from app.paths import Paths, paths_in
from tests.helpers.disks import small_disk
from tests.helpers.waiting import wait_for

HOLDER = """
import sys
from app.instance import InstanceLock
from app.paths import paths_in

lock = InstanceLock(paths_in(sys.argv[1]))
lock.acquire()
print("locked", flush=True)
sys.stdin.read()
"""


def start_holder(paths: Paths) -> subprocess.Popen[str]:
    """Another process that holds the lock until its input ends."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(paths.data)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "locked\n"
    return holder


def test_a_second_window_is_told_which_process_has_the_folder(paths: Paths) -> None:
    holder = start_holder(paths)
    with holder:
        with pytest.raises(StoreError, match=f"process {holder.pid}") as caught:
            InstanceLock(paths).acquire()
        assert str(paths.data) in caught.value.what
        assert caught.value.do
        holder.communicate("")
    with InstanceLock(paths):
        pass


def test_a_killed_window_leaves_no_lock_behind(paths: Paths) -> None:
    with start_holder(paths) as holder:
        holder.kill()
        assert holder.wait(10) == (1 if sys.platform == "win32" else -signal.SIGKILL)
    lock = InstanceLock(paths)
    lock.acquire()
    assert paths.window_lock.read_text().strip() == str(os.getpid())
    lock.release()
    lock.release()


def test_a_child_of_the_window_does_not_keep_the_lock(paths: Paths) -> None:
    lock = InstanceLock(paths)
    lock.acquire()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        lock.release()
        with InstanceLock(paths):
            pass
        child.communicate(b"\n")


def test_windows_on_different_folders_do_not_meet(tmp_path: Path) -> None:
    with InstanceLock(paths_in(tmp_path / "a")), InstanceLock(paths_in(tmp_path / "b")):
        pass


def test_two_locks_in_one_process_exclude_each_other_too(paths: Paths) -> None:
    with InstanceLock(paths), pytest.raises(StoreError, match="open already"):
        InstanceLock(paths).acquire()


def test_of_many_windows_started_at_once_exactly_one_gets_the_folder(paths: Paths) -> None:
    script = HOLDER.replace("lock.acquire()", "input()\nlock.acquire()")
    command = [sys.executable, "-c", script, str(paths.data)]
    many = [
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for _ in range(4)
    ]
    try:
        for process in many:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        wait_for(lambda: sum(process.poll() is None for process in many) == 1, "all but one to be refused")
        for process in many:
            out, error = process.communicate("")
            assert (out == "locked\n") == (process.returncode == 0)
            assert process.returncode == 0 or "StoreError" in error
        assert [process.returncode for process in many].count(0) == 1
    finally:
        for process in many:
            process.kill()
            process.wait()


def test_a_lock_file_that_can_not_be_written_is_told(paths: Paths) -> None:
    paths.window_lock.mkdir()
    with pytest.raises(StoreError, match="can't be written") as caught:
        InstanceLock(paths).acquire()
    assert str(paths.window_lock) in caught.value.what


def test_where_nothing_can_be_written_a_window_opens_and_a_lock_that_is_held_is_still_found(
    tmp_path: Path,
) -> None:
    with small_disk(tmp_path) as disk:
        paths = paths_in(disk.folder / "data")
        disk.make_read_only()
        with InstanceLock(paths):
            assert not paths.window_lock.exists()
        disk.make_writable()
        with InstanceLock(paths):
            pass
        disk.make_read_only()
        with InstanceLock(paths), pytest.raises(StoreError, match="open already"):
            InstanceLock(paths).acquire()
        with InstanceLock(paths):
            pass


# Who has a file open

SHARER = """
import sys
from pathlib import Path
from app.instance import FileUse

use = FileUse(Path(sys.argv[1]))
print(use.take_alone() if sys.argv[2] == "alone" else use.share(0), flush=True)
sys.stdin.read()
"""


@contextmanager
def in_use(lock: Path, how: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that shares a file, or has it alone, until it is killed."""
    with subprocess.Popen(
        [sys.executable, "-c", SHARER, str(lock), how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "True\n"
            yield process
        finally:
            process.kill()


@pytest.fixture
def use(tmp_path: Path) -> Iterator[FileUse]:
    """Ours, of a file that nobody has open yet."""
    made = FileUse(tmp_path / "file.lock")
    yield made
    made.release()


def test_many_share_a_file_and_nobody_has_it_alone_meanwhile(use: FileUse, tmp_path: Path) -> None:
    with in_use(tmp_path / "file.lock", "share"), in_use(tmp_path / "file.lock", "share"):
        assert not use.take_alone()
        assert use.share(0)
        assert use.share(0), "harmless when done twice"
        assert not use.take_alone()
    assert use.take_alone(), "the others were killed"
    use.release()
    use.release()


def test_one_has_a_file_alone_and_whoever_shares_it_waits(use: FileUse, tmp_path: Path) -> None:
    with in_use(tmp_path / "file.lock", "alone") as process:
        assert not use.share(0)
        assert not use.take_alone(0.05)
        killer = threading.Timer(0.2, process.kill)
        killer.start()
        assert use.share(30)
        killer.join()


def test_who_shares_a_file_can_have_it_alone_and_share_it_again(use: FileUse, tmp_path: Path) -> None:
    other = FileUse(tmp_path / "file.lock")
    for _ in range(2):
        assert use.share(0)
        assert use.take_alone()
        assert not other.share(0)
        assert use.share(0)
        assert other.share(0)
        assert not use.take_alone()
        other.release()


def test_where_there_can_be_no_lock_a_file_is_shared_and_nobody_has_it_alone(tmp_path: Path) -> None:
    use = FileUse(tmp_path / "no folder" / "file.lock")
    assert use.share(0)
    assert not use.take_alone()
    use.release()
