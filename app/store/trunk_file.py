"""The database of trunks and of what the window remembers: its versions."""

from __future__ import annotations

import sqlite3

import msgspec

from app.store.schema import Kind, Table
from app.store.trunk_rows import COLUMNS, fit_together, is_setting, is_trunk


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
    for number, text in connection.execute("SELECT rowid, settings FROM trunks").fetchall():
        try:
            settings = msgspec.json.decode(text, type=dict[str, object])
        except (msgspec.MsgspecError, UnicodeError, RecursionError, TypeError):
            continue  # it could not be read before either, and stays as it is
        if "register" not in settings:
            continue
        without = "credentials" if settings.get("user") else "address"
        settings["sign_in"] = "register" if settings.pop("register") else without
        connection.execute(
            "UPDATE trunks SET settings = ? WHERE rowid = ?",
            (msgspec.json.encode(settings).decode(), number),
        )


TRUNKS = Kind(
    what="your trunks",
    noun="trunk",
    rest="what the window remembers",
    application_id=0x52696E67,  # "Ring"
    migrations=(_version_1, _version_2),
    tables=(
        Table(name="trunks", columns=COLUMNS, spare=("name_key", "position"), key="id", readable=is_trunk),
        Table(name="settings", columns=("key", "value"), key="key", readable=is_setting),
    ),
    fit=fit_together,
    pragmas=(
        # FULL: a commit has reached the disk when it returns; NORMAL may lose it with the power
        "synchronous = FULL",
        # On macOS fsync alone leaves data in the drive's cache; elsewhere this does nothing
        "fullfsync = ON",
    ),
)
"""What is in `Paths.database`."""
