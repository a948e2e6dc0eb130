"""The SQLite file: opened, checked, moved to the newest version, copied; its errors put into words."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import msgspec

from app.errors import StoreError
from app.paths import Paths, disk_is_full, make_private, open_private

APPLICATION_ID = 0x52696E67
"""`PRAGMA application_id` of our files, "Ring"; tells them from other programs' databases."""

BUSY_MS = 2000
"""How long to wait for another Ringback that is writing, ms. Our writes take a few ms."""

_ROOM_BYTES = 256 * 1024
"""With less than this left on the disk, an I/O error without a reason is taken for a full disk."""

Migration = Callable[[sqlite3.Connection], None]


def _version_1(connection: sqlite3.Connection) -> None:
    # What SQL has to enforce is a column. The rest of a trunk is one JSON text, read strictly into
    # `Trunk`: a new setting with a default needs no new column, and a trunk is read or written whole anyway.
    # `name_key` and not COLLATE NOCASE, which knows only ASCII: "Büro" and "BÜRO" are one name.
    connection.execute(
        "CREATE TABLE trunks ("
        " id TEXT PRIMARY KEY NOT NULL,"
        " name TEXT NOT NULL,"
        " name_key TEXT NOT NULL UNIQUE,"
        " position INTEGER NOT NULL,"
        " settings TEXT NOT NULL)"
    )
    connection.execute("CREATE TABLE settings (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL)")


def _version_2(connection: sqlite3.Connection) -> None:
    # `register` said only half of how a trunk signs in; without a user there never was a password to send.
    for trunk_id, text in connection.execute("SELECT id, settings FROM trunks").fetchall():
        try:
            settings = msgspec.json.decode(text, type=dict[str, object])
        except (msgspec.MsgspecError, UnicodeError):
            continue  # it could not be read before either, and stays as it is
        if "register" not in settings:
            continue
        without = "credentials" if settings.get("user") else "address"
        settings["sign_in"] = "register" if settings.pop("register") else without
        connection.execute(
            "UPDATE trunks SET settings = ? WHERE id = ?",
            (msgspec.json.encode(settings).decode(), trunk_id),
        )


MIGRATIONS: tuple[Migration, ...] = (_version_1, _version_2)
"""The first leads from an empty file to version 1, the next to version 2, and so on."""

LATEST_VERSION = len(MIGRATIONS)


class DamagedStoreError(StoreError):
    """The database can't be read; it was left as it is.

    Attributes:
        file: The damaged file.
        copy: The newest copy of a sound state, if there is one.
    """

    def __init__(self, file: Path, copy: Path | None, details: str) -> None:
        # The journals have to go too: SQLite would apply them to whatever is put in the file's place.
        do = f"Move all files there whose names begin with {file.name} elsewhere, but keep them. "
        if copy:
            day = time.strftime("%Y-%m-%d %H:%M", time.localtime(copy.stat().st_mtime))
            do += f"Then copy {copy}, a good copy of {day}, to {file.name}."
        else:
            do += "Ringback then starts with an empty list; the passwords are still in the keyring."
        what = f"The file with your trunks is damaged, and was left untouched: {file}."
        super().__init__(what, do=do, details=details)
        self.file = file
        self.copy = copy


def connect(paths: Paths, migrations: Sequence[Migration] = MIGRATIONS) -> sqlite3.Connection:
    """Opens the database, made when missing and moved to the newest version when older.

    Args:
        paths: Where it is.
        migrations: The steps, only given in tests.

    Raises:
        StoreError: It can't be read or written, or is of a newer Ringback. Nothing was changed.
        DamagedStoreError: It is no sound database.
    """
    with told(paths):
        _make_file(paths)
        connection = sqlite3.connect(paths.database, timeout=BUSY_MS / 1000, isolation_level=None)
        try:
            _check(connection, paths, len(migrations))
            use_journal(connection)
            # FULL: a commit has reached the disk when it returns; NORMAL may lose it with the power
            connection.execute("PRAGMA synchronous = FULL")
            # On macOS fsync alone leaves data in the drive's cache; elsewhere this does nothing.
            connection.execute("PRAGMA fullfsync = ON")
            connection.execute("PRAGMA foreign_keys = ON")
            _migrate(connection, paths, migrations)
            _keep_copy(connection, paths)
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection, paths: Paths, file: Path | None = None) -> Iterator[None]:
    """All or nothing; what was done is on the disk when it ends.

    Raises:
        StoreError: SQLite could not do it; nothing was changed.
    """
    with told(paths, file):
        # IMMEDIATE: waits for another writer here, not in the middle, where SQLite could only give up.
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            # With a full disk SQLite has rolled back already.
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


@contextmanager
def told(paths: Paths, file: Path | None = None) -> Iterator[None]:
    """Turns errors of SQLite and of the operating system into words for the person.

    Args:
        paths: Where the data is.
        file: Which database in it; the one with the trunks if none is given.

    Raises:
        StoreError: What went wrong.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise _in_words(error, paths, file or paths.database) from error
    except OSError as error:
        if disk_is_full(error):
            raise _full(paths, str(error)) from error
        raise StoreError(
            f"The file {file or paths.database} can't be used: {error.strerror or error}.",
            do="Check that your user may read and write it, or choose another folder with --data-dir.",
            details=str(error),
        ) from error


def good_copy(paths: Paths) -> Path | None:
    """The newest copy of the database, if there is one."""
    copies = [path for path in paths.copies.glob("ringback-*.db") if path.stat().st_size]
    return max(copies, key=lambda path: path.stat().st_mtime, default=None)


def set_aside(paths: Paths, *, use_copy: bool) -> Path:
    """Renames a damaged database, so that Ringback can go on; nothing is deleted.

    Args:
        paths: Where it is.
        use_copy: Whether to put the newest copy in its place; else the next start makes an empty one.

    Returns:
        Where the damaged file is now.

    Raises:
        StoreError: It can't be renamed or copied.
    """
    with told(paths):
        copy = good_copy(paths) if use_copy else None
        stamp = time.strftime("%Y%m%d-%H%M%S")
        aside = paths.data / f"ringback-damaged-{stamp}.db"
        for end in ("-wal", "-shm", ""):
            # Its journal belongs to it: a new database would take it for its own.
            with suppress(FileNotFoundError):
                os.replace(f"{paths.database}{end}", f"{aside}{end}")
        if copy:
            new = paths.data / "ringback.db.new"
            shutil.copyfile(copy, new)
            os.replace(new, paths.database)
    return aside


def _make_file(paths: Paths) -> None:
    """SQLite would make it readable for all; its journals take over the permissions of the file."""
    if not paths.database.exists():
        with open(paths.database, "ab", opener=open_private):
            return
    size = paths.database.stat().st_size
    copy = good_copy(paths)
    if size == 0 and copy:
        # To SQLite an empty file is a new database. Here it was one with trunks in it.
        raise DamagedStoreError(paths.database, copy, "the file is empty")


def _check(connection: sqlite3.Connection, paths: Paths, latest: int) -> None:
    """Reads only, so that a file that is refused is left as it is."""
    version = pragma(connection, "user_version")
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if pragma(connection, "application_id") != APPLICATION_ID and (version or tables):
        raise StoreError(
            f"The file {paths.database} belongs to another program.",
            do="Move it elsewhere, or choose another folder with --data-dir.",
        )
    if version > latest:
        raise StoreError(
            f"The data in {paths.data} was saved by a newer Ringback.",
            do="Start that newer version, or choose another folder with --data-dir. Nothing was changed.",
            details=f"version {version} of {paths.database}; this Ringback knows versions up to {latest}",
        )
    # A few ms for what we keep; finds pages that are torn or swapped.
    found = connection.execute("PRAGMA quick_check(5)").fetchall()
    if found != [("ok",)]:
        raise DamagedStoreError(paths.database, good_copy(paths), "\n".join(str(row[0]) for row in found))


def use_journal(connection: sqlite3.Connection) -> None:
    """Lets others read while somebody writes, and keeps a kill in the middle from doing harm.

    Raises:
        sqlite3.Error: It can't be done.
    """
    limit = time.monotonic() + BUSY_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:
            # Switching needs the file alone, and SQLite does not wait for that
            # (https://sqlite.org/wal.html, "Sometimes queries return SQLITE_BUSY in WAL mode").
            if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > limit:
                raise
            time.sleep(0.01)


def _migrate(connection: sqlite3.Connection, paths: Paths, migrations: Sequence[Migration]) -> None:
    first = pragma(connection, "user_version")
    if 0 < first < len(migrations):  # a new file has nothing to go back to
        _copy(connection, paths, f"ringback-v{first}.db")
    while (version := pragma(connection, "user_version")) < len(migrations):
        with transaction(connection, paths):
            # Another Ringback may have taken this step between our look and our lock.
            if pragma(connection, "user_version") == version:
                migrations[version](connection)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {version + 1}")


def _keep_copy(connection: sqlite3.Connection, paths: Paths) -> None:
    """A sound state to go back to, made anew when something was saved since the last one.

    A full disk must not keep anyone from their trunks.
    """
    name = "ringback-last-good.db"
    with suppress(OSError, sqlite3.Error):
        target = paths.copies / name
        if not target.exists() or target.stat().st_mtime < _saved_at(paths):
            _copy(connection, paths, name)


def _saved_at(paths: Paths) -> float:
    """When something was saved last; an empty journal is no sign of that."""
    files = (paths.database, paths.database.with_name(f"{paths.database.name}-wal"))
    return max(file.stat().st_mtime for file in files if file.exists() and file.stat().st_size)


def _copy(connection: sqlite3.Connection, paths: Paths, name: str) -> None:
    make_private(paths.copies)
    unfinished = paths.copies / f"{name}.{os.getpid()}.unfinished"
    try:
        with open(unfinished, "wb", opener=open_private):
            pass
        with closing(sqlite3.connect(unfinished)) as copy:
            connection.backup(copy)
        os.replace(unfinished, paths.copies / name)
    finally:
        unfinished.unlink(missing_ok=True)


def pragma(connection: sqlite3.Connection, name: str) -> int:
    """The value of a PRAGMA that is a number."""
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary result code, 0 for errors of the Python module itself."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _in_words(error: sqlite3.Error, paths: Paths, file: Path) -> StoreError:
    code = _code(error)
    details = f"{getattr(error, 'sqlite_errorname', type(error).__name__)}: {error}"
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return DamagedStoreError(file, good_copy(paths), details)
    if code == sqlite3.SQLITE_FULL or (
        code in {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN} and _has_no_room(paths)
    ):
        return _full(paths, details)
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return StoreError(
            "Another program is writing to Ringback's data; nothing was changed.",
            do=f"Try again. If it stays so, close other programs that have {file} open.",
            details=details,
        )
    if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_AUTH}:
        return StoreError(
            f"Ringback can't write to its data in {paths.data}; nothing was changed.",
            do=f"Allow your user to write to it and to {file.name} in it, or choose another with --data-dir.",
            details=details,
        )
    if code == sqlite3.SQLITE_IOERR:
        return StoreError(
            f"The disk with {file} failed.",
            do="Check the disk, or choose a folder on another one with --data-dir.",
            details=details,
        )
    raise error


def _full(paths: Paths, details: str) -> StoreError:
    return StoreError(
        f"The disk with {paths.data} is full; nothing was changed. What was saved before is safe.",
        do="Make some room on that disk, then try again.",
        details=details,
    )


def _has_no_room(paths: Paths) -> bool:
    with suppress(OSError):
        return shutil.disk_usage(paths.data).free < _ROOM_BYTES
    return False
