"""Where Ringback keeps its files: the only place that knows folders."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from pathlib import Path

import msgspec

from app.errors import StoreError

APP_NAME = "Ringback"


class Paths(msgspec.Struct, frozen=True, kw_only=True):
    """The folders of one user, and the files in them.

    Attributes:
        data: Database, its copies and the lock of the window.
        logs: Log files.
        music: Where this user's sound files belong; None keeps recordings of calls in `data`.
    """

    data: Path
    logs: Path
    music: Path | None = None

    @property
    def database(self) -> Path:
        """Trunks and the window's settings."""
        return self.data / "ringback.db"

    @property
    def history(self) -> Path:
        """The calls that were made."""
        return self.data / "history.db"

    @property
    def run_marks(self) -> Path:
        """A file for each run of the program that is going on."""
        return self.data / "runs"

    @property
    def copies(self) -> Path:
        """Copies of the database."""
        return self.data / "copies"

    @property
    def window_lock(self) -> Path:
        """Held by the one window that works on this data folder."""
        return self.data / "window.lock"

    @property
    def recordings(self) -> Path:
        """Recordings of calls; `make_recordings_folder` makes it when it is first needed."""
        return self.music / APP_NAME if self.music else self.data / "recordings"

    @property
    def log_file(self) -> Path:
        """The newest log file."""
        return self.logs / "ringback.log"


def default_paths() -> Paths:
    """The platform's folders for this user, made when missing.

    Raises:
        StoreError: The data folder can't be made.
    """
    # Costs as much to import as the rest of this module; `--data-dir` does without it.
    import platformdirs

    # Without an author, Windows gets AppData\Local\Ringback instead of a company folder.
    return _made(
        Paths(
            data=platformdirs.user_data_path(APP_NAME, appauthor=False),
            logs=platformdirs.user_log_path(APP_NAME, appauthor=False),
            music=platformdirs.user_music_path(),
        )
    )


def paths_in(folder: str | os.PathLike[str]) -> Paths:
    """Everything below one folder, as `--data-dir` asks; made when missing.

    Args:
        folder: The folder; `~` and paths relative to the working directory are understood.

    Raises:
        StoreError: The folder can't be made.
    """
    text = os.fspath(folder)
    if not text.strip() or "\0" in text:
        raise StoreError(f"{text!r} is not the name of a folder.", do="Give --data-dir the path of a folder.")
    try:
        data = Path(text).expanduser().absolute()
    except RuntimeError as error:  # "~name" of a user who does not exist
        raise StoreError(
            f"The folder {text} can't be found.", do="Write its path in full.", details=str(error)
        ) from error
    return _made(Paths(data=data, logs=data / "logs"))


def make_recordings_folder(folder: Path) -> None:
    """Makes the folder for recordings of calls; only this user may open it.

    Raises:
        StoreError: It can't be made.
    """
    try:
        make_private(folder)
    except OSError as error:
        raise StoreError(
            f"The folder {folder} for recordings can't be made: {error.strerror or error}.",
            do="Make it yourself, or allow your user to write there.",
            details=f"{type(error).__name__}: {error}",
        ) from error


def free_name(folder: Path, name: str, ending: str) -> Path:
    """A file in this folder that is not there yet: `name.wav`, else `name (2).wav`, and so on."""
    taken = 1
    path = folder / f"{name}{ending}"
    while path.exists():
        taken += 1
        path = folder / f"{name} ({taken}){ending}"
    return path


def make_private(folder: Path) -> None:
    """Makes a folder that only this user may open; one that is already there keeps its permissions.

    On Windows a new folder inherits the permissions of the one it is in, and those of the user's AppData
    let in nobody else, so there is nothing to set.

    Raises:
        OSError: It can't be made.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def open_private(path: str, flags: int) -> int:
    """An `opener` for `open()`: a file that it creates can be read by this user only."""
    return os.open(path, flags, 0o600)


def disk_is_full(error: OSError) -> bool:
    """Whether an error of the operating system means that no room is left, the user's quota included."""
    # EDQUOT does not exist on Windows; there a quota gives ERROR_DISK_FULL, which is ENOSPC.
    return error.errno in {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}


def why_not_writable(folder: Path) -> StoreError | None:
    """Finds out why nothing can be written in a folder, by trying it; None when it can."""
    try:
        _try_writing(folder)
    except OSError as error:
        return _folder_error(folder, error)
    return None


def _made(paths: Paths) -> Paths:
    # What is saved can be read where nothing can be written, so that is left to who writes
    try:
        make_private(paths.data)
    except OSError as error:
        raise _folder_error(paths.data, error) from error
    with suppress(OSError):  # a log that can't be written stops nothing
        make_private(paths.logs)
    return paths


def _try_writing(folder: Path) -> None:
    # os.access can't tell (root, Windows, a read-only mount), and tempfile retries for ever on a Windows
    # folder without permission (https://github.com/python/cpython/issues/66305).
    probe = folder / f".ringback-{os.getpid()}"
    try:
        with open(probe, "wb", opener=open_private) as file:
            file.write(b"?" * 512)
    finally:
        probe.unlink(missing_ok=True)


def _folder_error(folder: Path, error: OSError) -> StoreError:
    option = "or start Ringback with --data-dir and another folder."
    details = f"{type(error).__name__}: {error}"
    if disk_is_full(error):
        return StoreError(
            f"The disk with {folder} is full.", do=f"Make some room on it, {option}", details=details
        )
    if error.errno == errno.EROFS:
        return StoreError(
            f"The folder {folder} is on a disk that can only be read.",
            do=f"Make that disk writable, {option}",
            details=details,
        )
    if isinstance(error, FileExistsError | NotADirectoryError) or _file_above(folder):
        return StoreError(
            f"{folder} can't be a folder: a file is in its place.",
            do=f"Move that file elsewhere, {option}",
            details=details,
        )
    if isinstance(error, PermissionError):
        owner = "" if sys.platform == "win32" else " (its owner can, with chmod u+rwx)"
        return StoreError(
            f"Ringback may not write into the folder {folder}.",
            do=f"Allow your user to write there{owner}, {option}",
            details=details,
        )
    return StoreError(
        f"The folder {folder} can't be used: {error.strerror or error}.",
        do=f"Check that path, {option}",
        details=details,
    )


def _file_above(folder: Path) -> bool:
    """Whether a part of the path is a file; Windows tells that as "path not found"."""
    return any(os.path.isfile(part) for part in (folder, *folder.parents))
