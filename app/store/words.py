"""What goes wrong with a database, in words: the border that no error of SQLite passes."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from app.errors import StoreError
from app.paths import disk_is_full, why_not_writable

JOURNALS = ("-wal", "-shm", "-journal")
"""Endings of the files that SQLite puts beside a database; they belong to it."""

_ROOM_BYTES = 256 * 1024
"""With less than this left on the disk, an I/O error without a reason is taken for a full disk."""


class DamagedStoreError(StoreError):
    """A database that makes no sense as a whole; what can be read of it is saved at the next start.

    Attributes:
        file: The damaged file.
    """

    def __init__(self, file: Path, details: str) -> None:
        super().__init__(
            f"The file {file} is damaged; nothing was changed.",
            do="Close Ringback everywhere and start it again. It then saves what can be read, "
            "and keeps the damaged file.",
            details=details,
        )
        self.file = file


class TooLargeError(StoreError):
    """A value or a row that is larger than any of ours."""


class UnwritableStoreError(StoreError):
    """Nothing can be written now; what is saved can perhaps still be read.

    Attributes:
        cause: Why, a sentence without its end.
    """

    def __init__(self, cause: str, *, do: str, details: str) -> None:
        super().__init__(f"{cause}; nothing was changed.", do=do, details=details)
        self.cause = cause


class FullStoreError(UnwritableStoreError):
    """There is no room left on the disk, as far as SQLite or the operating system says."""


@contextmanager
def in_words(file: Path) -> Iterator[None]:
    """Turns errors of SQLite and of the operating system into words for the person.

    Args:
        file: The database that the work within is about.

    Raises:
        DamagedStoreError: It makes no sense.
        UnwritableStoreError: It can't be opened or written.
        StoreError: Whatever else went wrong.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise words_of(error, file) from error
    except UnicodeDecodeError as error:
        # Python's module can't build its own error when SQLite's message has a damaged name in it
        raise DamagedStoreError(file, str(error)) from error
    except (MemoryError, sqlite3.Warning) as error:
        raise _failed(file, f"{type(error).__name__}: {error}") from error
    except OSError as error:
        if disk_is_full(error):
            raise _full(file, str(error)) from error
        if error.errno in {errno.EROFS, errno.EACCES, errno.EPERM}:
            raise unwritable(file, str(error)) from error
        raise UnwritableStoreError(
            f"The file {file} can't be used: {error.strerror or error}",
            do="Check that your user may read and write it, or choose another folder with --data-dir.",
            details=str(error),
        ) from error


def result_code(error: sqlite3.Error) -> int:
    """SQLite's primary result code (https://sqlite.org/rescode.html); 0 for an error of the Python module."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def words_of(error: sqlite3.Error, file: Path) -> StoreError:
    """The error for the person."""
    code = result_code(error)
    details = f"{getattr(error, 'sqlite_errorname', type(error).__name__)}: {error}"
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return DamagedStoreError(file, details)
    if code == sqlite3.SQLITE_FULL or (
        code in {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN} and has_no_room(file)
    ):
        return _full(file, details)
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}:
        return StoreError(
            "Another program is writing to Ringback's data; nothing was changed.",
            do=f"Try again. If it stays so, close other programs that have {file} open.",
            details=details,
        )
    if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_AUTH}:
        return unwritable(file, details)
    if code == sqlite3.SQLITE_IOERR:
        return UnwritableStoreError(
            f"The disk with {file} failed",
            do="Check the disk, or choose a folder on another one with --data-dir.",
            details=details,
        )
    if code == sqlite3.SQLITE_TOOBIG:
        return TooLargeError(
            f"Something in {file} is too large to be read.",
            do="Start Ringback again. If it stays so, report it with the details.",
            details=details,
        )
    if code == sqlite3.SQLITE_INTERRUPT:
        return StoreError(
            f"Reading or writing {file} took too long and was stopped; nothing was changed.",
            do="Try again. If it stays so, check the disk.",
            details=details,
        )
    if code == sqlite3.SQLITE_CONSTRAINT:
        return StoreError(
            "This conflicts with what is already saved; nothing was changed.",
            do="Choose another name, or start Ringback again and try once more.",
            details=details,
        )
    return _failed(file, details)


def unwritable(file: Path, details: str) -> UnwritableStoreError:
    """Why a file can't be written: the disk, the folder, or a file beside it."""
    folder = why_not_writable(file.parent)
    if folder is not None:
        cause = folder.what.removesuffix(".")
        return UnwritableStoreError(cause, do=folder.do, details=f"{details}\n{folder.details}")
    part = next((part for part in (file, *beside(file)) if _in_the_way(part)), file)
    if part.exists() and not part.is_file():
        return UnwritableStoreError(
            f"Ringback can't write to its data: there is a folder or a device where the file {part} belongs",
            do="Move it elsewhere, or choose another folder with --data-dir.",
            details=details,
        )
    return UnwritableStoreError(
        f"Ringback can't write to {part}",
        do="Allow your user to write to it, or choose another folder with --data-dir.",
        details=details,
    )


def beside(file: Path) -> tuple[Path, ...]:
    """The files that SQLite puts beside a database."""
    return tuple(file.with_name(f"{file.name}{end}") for end in JOURNALS)


def _in_the_way(part: Path) -> bool:
    with suppress(OSError):
        return part.exists() and not (part.is_file() and os.access(part, os.R_OK | os.W_OK))
    return True


def _failed(file: Path, details: str) -> StoreError:
    return StoreError(
        f"The data in {file} can't be used as it is; nothing was changed.",
        do="Start Ringback again. If it stays so, report it with the details.",
        details=details,
    )


def _full(file: Path, details: str) -> FullStoreError:
    return FullStoreError(
        f"The disk with {file.parent} is full",
        do="What was saved before is safe. Make some room on that disk, then try again.",
        details=details,
    )


def has_no_room(file: Path) -> bool:
    """Whether the disk with this file has next to no room left."""
    with suppress(OSError):
        return shutil.disk_usage(file.parent).free < _ROOM_BYTES
    return False
