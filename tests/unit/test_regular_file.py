"""Only ordinary files of this computer are read, whatever a path leads to."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from app.regular_file import OddFileError, odd_windows_path, read_regular_file
from tests.helpers.command import ROOT

MOST = 1_000_000

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")


def told(path: Path) -> str:
    """Why a file is not read; at once."""
    began = time.monotonic()
    with pytest.raises(OSError, match=r"it is|it gives|No such") as caught:
        read_regular_file(path, MOST)
    assert time.monotonic() - began < 5
    return str(caught.value.strerror)


def test_an_ordinary_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    file = tmp_path / "a file ü"
    for size in (0, 1, MOST):
        file.write_bytes(b"\xff" * size)
        assert read_regular_file(file, MOST) == b"\xff" * size
    file.write_bytes(b"x" * (MOST + 1))
    assert told(file) == "it is larger than 1 MB"


def test_what_is_not_there_is_not_a_file_or_has_no_name(tmp_path: Path) -> None:
    assert told(tmp_path / "none") == os.strerror(2)
    assert told(tmp_path) == "it is a folder, not a file"
    with pytest.raises(ValueError, match="null"):
        read_regular_file(Path("a\0b"), MOST)


@posix_only
def test_a_huge_file_is_refused_without_being_read(tmp_path: Path) -> None:
    file = tmp_path / "huge"
    with file.open("wb") as out:
        out.truncate(1 << 40)
    assert told(file) == "it is larger than 1 MB"


@posix_only
@pytest.mark.parametrize("link", [False, True], ids=["itself", "through a link"])
@pytest.mark.parametrize("kind", ["pipe", "socket", "/dev/zero", "/dev/null", "/dev/tty", "folder"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, kind: str, link: bool) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as short, socket.socket(socket.AF_UNIX) as listening:
        path = Path(kind) if kind.startswith("/") else Path(short) / "odd"
        match kind:
            case "pipe":
                os.mkfifo(path)
            case "socket":
                listening.bind(str(path))
            case "folder":
                path.mkdir()
        if not path.exists():
            pytest.skip(f"there is no {kind} here")
        if link:
            (tmp_path / "link").symlink_to(path)
            path = tmp_path / "link"
        words = {"pipe": "a pipe", "socket": "a socket", "folder": "a folder"}.get(kind, "a device")
        assert told(path) == f"it is {words}, not a file"


@posix_only
def test_a_pipe_put_in_the_place_of_a_file_in_between_does_not_hold_it_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, real = tmp_path / "swapped", os.stat

    def swap(path: object, **more: object) -> os.stat_result:
        found = real(path, **more)  # type: ignore[call-overload]  # as it was called
        if path == file:
            file.unlink()
            os.mkfifo(file)
        return found  # type: ignore[no-any-return]  # as above

    file.write_bytes(b"x")
    monkeypatch.setattr(os, "stat", swap)
    assert told(file) == "it is a pipe, not a file"


@posix_only
def test_a_file_that_grows_while_it_is_read_stays_within_the_limit(tmp_path: Path) -> None:
    file = tmp_path / "grows"
    file.write_bytes(b"x" * MOST)
    with file.open("ab") as out, pytest.MonkeyPatch.context() as patch:
        real = os.fstat

        def grow(number: int) -> os.stat_result:
            found = real(number)
            out.write(b"y")
            out.flush()
            return found

        patch.setattr(os, "fstat", grow)
        assert told(file) == "it is larger than 1 MB"


@posix_only
def test_sigterm_ends_a_program_that_was_given_a_pipe(tmp_path: Path) -> None:
    """The whole command line, as somebody meets it: refused at once, nothing to terminate."""
    pipe = tmp_path / "pipe.pem"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "app", "--data-dir", str(tmp_path / "data"), "add", "--name", "A"]
    options = [word for key in ("host=a.example", "user=1", f"ca_file={pipe}") for word in ("--set", key)]
    ended = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 2
    assert "it is a pipe, not a file" in ended.stderr
    assert "CA file (ca_file)" in ended.stderr


@pytest.mark.parametrize(
    "path",
    [
        *(
            "NUL",
            "nul",
            "CON",
            "con.pem",
            "AUX .txt",
            "prn:",
            "COM1",
            "com9.crt",
            "LPT3",
            "COM\u00b9",
            "CONIN$",
        ),
        *(r"C:\certs\NUL", "C:/certs/nul.pem", r"aux\ca.pem", r"..\con", r"C:NUL", "NUL:stream"),
        *(r"\\.\pipe\x", "//./pipe/x", r"\\.\C:", r"\\.\PhysicalDrive0", r"\\?\pipe\x", r"\??\C:\x"),
        *(r"\\?\GLOBALROOT\Device\x", r"\\?\Volume{1}\x"),
    ],
)
def test_device_names_of_windows_are_known(path: str) -> None:
    assert odd_windows_path(path) == "it is a device, not a file"


@pytest.mark.parametrize(
    "path", [r"\\server\share\ca.pem", "//server/share/ca.pem", r"\\?\UNC\server\share\x"]
)
def test_a_path_that_would_sign_in_at_another_computer_is_known(path: str) -> None:
    assert odd_windows_path(path) == "it is on another computer; copy it to this one"


@pytest.mark.parametrize(
    "path",
    [
        *(
            "ca.pem",
            r"C:\Users\Anna\provider ca.pem",
            r"\\?\C:\very\long\ca.pem",
            r"..\ca.pem",
            "/etc/ssl/ca.pem",
        ),
        *(
            "console.pem",
            "nullify.pem",
            "com.pem",
            "com10.pem",
            "lpt",
            "auxiliary",
            r"C:\con-tact\x",
            "a.nul",
        ),
    ],
)
def test_ordinary_paths_of_windows_are_left_alone(path: str) -> None:
    assert odd_windows_path(path) == ""


def test_on_windows_such_names_are_refused_before_anything_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(os, "stat", None)
    assert told(tmp_path / "nul.pem") == "it is a device, not a file"


def test_oddities_are_errors_of_the_operating_system_to_whoever_reads(tmp_path: Path) -> None:
    with pytest.raises(OddFileError) as caught:
        read_regular_file(tmp_path, MOST)
    assert isinstance(caught.value, OSError)
