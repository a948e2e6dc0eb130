"""The SQLite file with the calls that were made: its versions.

Not in the file with the trunks: that one is checked and copied at each start, which takes as long as it is
large, and damage here costs no trunk.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from app.model.history import search_key
from app.store.history_rows import COLUMNS, is_call, read_entry
from app.store.schema import LAST_ID, Kind, Row, Table


def _version_1(connection: sqlite3.Connection) -> None:
    # A list reads `calls` only, which stays small; what one call has besides is in `details`. The order of
    # the ids is that of the calls: each is entered when it begins, and a search that goes through all of them
    # is thrice as quick as by an index of their times.
    connection.execute(
        "CREATE TABLE calls ("
        " id INTEGER PRIMARY KEY AUTOINCREMENT,"
        " run TEXT NOT NULL,"
        " trunk_id TEXT NOT NULL,"
        " trunk TEXT NOT NULL,"
        " direction TEXT NOT NULL,"
        " number TEXT NOT NULL,"
        " dialled TEXT NOT NULL,"
        " begun_at REAL NOT NULL,"
        " answered_at REAL,"
        " result TEXT NOT NULL,"
        " sip_code INTEGER NOT NULL,"
        " reason TEXT NOT NULL,"
        " hung_up_by TEXT NOT NULL,"
        " setup_ms REAL,"
        " duration_s REAL NOT NULL,"
        " mos REAL,"
        " verdict TEXT,"
        " headline TEXT NOT NULL,"
        " found_by TEXT NOT NULL)"
    )
    connection.execute("CREATE INDEX calls_by_time ON calls (begun_at)")
    connection.execute("CREATE INDEX calls_of_trunk ON calls (trunk_id)")
    connection.execute("CREATE INDEX calls_running ON calls (run) WHERE result = ''")
    connection.execute(
        "CREATE TABLE details ("
        " call_id INTEGER PRIMARY KEY REFERENCES calls (id) ON DELETE CASCADE,"
        " recording TEXT NOT NULL,"
        " sip_call_id TEXT NOT NULL,"
        " left_out INTEGER NOT NULL,"
        " plan TEXT NOT NULL,"
        " outcome TEXT NOT NULL,"
        " findings TEXT NOT NULL,"
        " messages TEXT NOT NULL)"
    )


def _fit_together(rows: Sequence[Row]) -> list[Row]:
    """The calls with ids that are none, which would leave no room for others, left out."""
    fitted = []
    for *listed, found_by, run in rows:
        if isinstance(listed[0], int) and 0 < listed[0] < LAST_ID:
            if found_by is None and is_call(tuple(listed)):
                found_by = search_key(read_entry(listed))
            fitted.append((*listed, found_by or "", run or ""))
    return fitted


def _is_detail(row: Row) -> bool:
    return isinstance(row[0], int)  # what can't be read of the rest is left out when it is looked at


HISTORY = Kind(
    what="the history of calls",
    noun="call",
    rest="details of some calls",
    application_id=0x52696E48,  # "RinH"
    migrations=(_version_1,),
    tables=(
        Table(
            name="calls",
            columns=(*COLUMNS, "found_by", "run"),
            spare=("found_by", "run"),
            key="id",
            readable=is_call,
        ),
        Table(
            name="details",
            columns=(
                "call_id",
                "recording",
                "sip_call_id",
                "left_out",
                "plan",
                "outcome",
                "findings",
                "messages",
            ),
            key="call_id",
            readable=_is_detail,
        ),
    ),
    fit=_fit_together,
    # Room that deleted calls leave can be given back
    auto_vacuum=True,
    pragmas=(
        # The file is not checked when it is opened, so each page is when it is read
        "cell_size_check = ON",
        # A kill loses nothing; the power may cost the last calls, and in return no call waits for the disk
        "synchronous = NORMAL",
        "foreign_keys = ON",
        # Who deletes a number wants it gone from the disk
        "secure_delete = ON",
    ),
    check_all=False,
)
"""What is in `Paths.history`."""
