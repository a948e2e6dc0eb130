"""Folders: where they are, who may read them, and what is told when they can't be used."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from app import paths as paths_module
from app.errors import StoreError
from app.paths import default_paths, paths_in, why_not_writable
from tests.helpers.disks import small_disk

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no permission bits")


def test_a_data_folder_holds_everything_in_one_place(tmp_path: Path) -> None:
    paths = paths_in(tmp_path / "a" / "b")
    assert paths.data == tmp_path / "a" / "b"
    for path in (paths.logs, paths.database, paths.copies, paths.window_lock, paths.log_file):
        assert path.is_relative_to(paths.data)
    assert paths.data.is_dir()
    assert paths.logs.is_dir()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@posix_only
def test_folders_that_are_made_are_private(tmp_path: Path) -> None:
    paths = paths_in(tmp_path / "data")
    for folder in (paths.data, paths.logs):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@posix_only
def test_a_folder_that_is_there_keeps_its_permissions(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir(mode=0o755)
    os.chmod(tmp_path / "shared", 0o755)
    paths_in(tmp_path / "shared")
    assert stat.S_IMODE((tmp_path / "shared").stat().st_mode) == 0o755


@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="the XDG variables are Linux's")
def test_the_usual_folders_are_the_platforms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    paths = default_paths()
    assert paths.data == tmp_path / "share" / "Ringback"
    assert paths.logs.is_relative_to(tmp_path / "state" / "Ringback")
    assert paths.logs.is_dir()


def test_a_relative_folder_is_understood_from_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert paths_in("here").data == tmp_path / "here"


def test_a_home_folder_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert paths_in("~/ringback").data == tmp_path / "ringback"


@pytest.mark.parametrize("text", ["", "  ", "a\0b", "~nobody-of-that-name/x"])
def test_what_is_no_folder_name_is_refused(text: str) -> None:
    with pytest.raises(StoreError):
        paths_in(text)


@pytest.mark.parametrize("below", ["", "deeper", "deeper/still"])
def test_a_file_in_the_folders_place_is_told_with_its_path(tmp_path: Path, below: str) -> None:
    (tmp_path / "data").write_text("mine")
    with pytest.raises(StoreError, match="file is in its place") as caught:
        paths_in(tmp_path / "data" / below)
    assert str(tmp_path / "data") in caught.value.what
    assert "--data-dir" in caught.value.do
    assert (tmp_path / "data").read_text() == "mine"


def refusal(folder: Path) -> StoreError:
    """Why nothing can be written there."""
    error = why_not_writable(folder)
    assert error
    assert str(folder) in error.what
    assert "--data-dir" in error.do
    return error


def test_a_folder_on_a_full_disk_is_used_and_it_is_known_that_it_is_full(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        paths_in(disk.folder)
        assert why_not_writable(disk.folder) is None
        disk.fill()
        assert paths_in(disk.folder).data == disk.folder
        assert "is full" in refusal(disk.folder).what
        assert not list(disk.folder.glob(".ringback*")), "nothing is left of the try"


def test_a_folder_on_a_read_only_disk_is_used_and_a_new_one_is_refused(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        disk.make_read_only()
        assert paths_in(disk.folder).data == disk.folder
        assert "can only be read" in refusal(disk.folder).what
        with pytest.raises(StoreError, match="can only be read") as caught:
            paths_in(disk.folder / "new")
        assert str(disk.folder / "new") in caught.value.what


def test_a_file_in_the_place_of_the_folder_for_logs_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("mine")
    assert paths_in(tmp_path).data == tmp_path
    assert (tmp_path / "logs").read_text() == "mine"


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (errno.ENOSPC, "is full"),
        (errno.EROFS, "can only be read"),
        (errno.EACCES, "may not write"),
        (errno.ENAMETOOLONG, "can't be used: "),
        (errno.EIO, "can't be used: "),
    ],
)
def test_every_error_of_a_folder_names_it_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, told: str
) -> None:
    def fail(folder: Path) -> None:
        raise OSError(code, os.strerror(code), str(folder))

    monkeypatch.setattr(paths_module, "_try_writing", fail)
    error = refusal(tmp_path)
    assert told in error.what
    assert error.details
    monkeypatch.setattr(paths_module, "make_private", fail)
    with pytest.raises(StoreError, match=told):
        paths_in(tmp_path)


def test_a_name_that_is_too_long_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="can't be used"):
        paths_in(tmp_path / ("x" * 300))


AS_NOBODY = """
import os, sys
from app.paths import paths_in, why_not_writable

if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
print(why_not_writable(paths_in(sys.argv[1]).data))
"""


@posix_only
def test_a_folder_without_permission_is_told() -> None:
    # Not below pytest's folders, which only root may enter when root runs the tests
    with tempfile.TemporaryDirectory() as above:
        os.chmod(above, 0o755)
        theirs = Path(above) / "theirs"
        theirs.mkdir(mode=0o555)
        run = subprocess.run(
            [sys.executable, "-c", AS_NOBODY, str(theirs)],
            capture_output=True,
            text=True,
            cwd=Path(__file__).parents[2],
            check=True,
        )
    assert "may not write" in run.stdout
    assert str(theirs) in run.stdout
