"""Puts what can be read of a damaged database into a new one; the damaged one is kept under another name.

A kill at any moment loses nothing: the new file is whole before anything is renamed, and the next start goes
on where this one stopped.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

from app.model.typed import shown
from app.paths import open_private
from app.store.files import repaired_of, unfinished_of
from app.store.image import Image, read_image
from app.store.salvage import Salvage, fill, salvage
from app.store.schema import Kind, begin, connect, migrate, transaction
from app.store.words import JOURNALS, beside

_MOST_NAMED = 10


def repair(kind: Kind, file: Path, copies: Sequence[Path]) -> str:
    """Repairs a file that nobody else has open.

    Args:
        kind: What it is.
        file: Where it is.
        copies: Of former states, the newest first.

    Returns:
        What was done, for the person; empty when nothing was lost and nothing is kept.

    Raises:
        StoreError: It can't be read in one piece.
        sqlite3.Error, OSError: The new file can't be written. The damaged one is where it was.
    """
    image = read_image(file) if file.exists() else None
    found = salvage(kind, image, copies)
    unfinished = unfinished_of(file)
    clear_half_done(file)
    try:
        with open(unfinished, "wb", opener=open_private):
            pass
        with closing(connect(str(unfinished))) as connection:
            connection.execute("PRAGMA synchronous = FULL")
            _write(connection, kind, found)
        os.replace(unfinished, repaired_of(file))
    except BaseException:
        clear_half_done(file)
        raise
    aside = finish_repair(file)
    return note_of(found, kind, there=_any(image), aside=aside)


def _any(image: Image | None) -> bool:
    return image is not None and bool(image.read or image.more)


def memory_with(found: Salvage, kind: Kind) -> sqlite3.Connection:
    """A database in memory with what was found.

    Raises:
        sqlite3.Error: There is too much of it.
    """
    connection = connect(":memory:")
    try:
        _write(connection, kind, found)
    except BaseException:
        connection.close()
        raise
    return connection


def _write(connection: sqlite3.Connection, kind: Kind, found: Salvage) -> None:
    begin(connection, kind)
    migrate(connection, kind)
    with transaction(connection):
        fill(connection, kind, found.tables)


def clear_half_done(file: Path) -> None:
    """Takes away a new file that was not whole yet."""
    unfinished = unfinished_of(file)
    for part in (unfinished, *beside(unfinished)):
        with suppress(OSError):
            part.unlink(missing_ok=True)


def finish_repair(file: Path) -> Path | None:
    """Puts the new file in the place of the damaged one, if there is a new one.

    Returns:
        Where the damaged one is now; None when there was nothing to do.
    """
    repaired = repaired_of(file)
    if not repaired.is_file():
        return None
    aside = _aside(file, repaired.stat().st_mtime)
    # Journals first: they belong to the damaged file, and a new one would take them for its own
    for end in (*JOURNALS, ""):
        with suppress(FileNotFoundError):
            os.replace(f"{file}{end}", f"{aside}{end}")
    os.replace(repaired, file)
    return aside


def _aside(file: Path, at: float) -> Path:
    stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(at))
    aside = file.with_name(f"{file.stem}-damaged-{stamp}{file.suffix}")
    count = 1
    while aside.exists():
        count += 1
        aside = file.with_name(f"{file.stem}-damaged-{stamp}-{count}{file.suffix}")
    return aside


def note_of(found: Salvage, kind: Kind, *, there: bool, aside: Path | None = None) -> str:
    """What was found, for the person; empty where there was nothing and nothing is known to be lost.

    Args:
        found: What could be read.
        kind: What it is.
        there: Whether there was a damaged file; else it was missing or empty.
        aside: Where it is now; None while it is where it was, and nothing is repaired.
    """
    if not there:
        if not found.from_copy:
            return ""
        said = [f"The file with {kind.what} was missing or empty."]
    else:
        many = f"1 {kind.noun}" if found.kept == 1 else f"{found.kept or 'No'} {kind.noun}s"
        state = "was damaged, and Ringback has repaired it" if aside else "is damaged"
        read = f"{many} could be read from it."
        whole = found.complete and found.rest_complete and not found.lost_last
        said = [f"The file with {kind.what} {state}.", f"Nothing is lost. {read}" if whole else read]
    if found.from_copy and found.copy is not None:
        names = [shown(str(row[1])) for row in found.from_copy[:_MOST_NAMED]]
        more = len(found.from_copy) - len(names)
        listed = ", ".join(names) + (f" and {more} more" if more else "")
        said.append(f"From the copy of {_day(found.copy)} come: {listed}. Check their settings.")
    if not found.complete:
        since = f"What was saved after {_day(found.copy)}" if found.copy else "Whatever else was in it"
        said.append(f"{since} may be missing.")
    elif found.lost_last:
        said.append("What was saved last may be missing.")
    elif there and not found.rest_complete:
        said.append(f"{kind.rest[:1].upper()}{kind.rest[1:]} may be missing.")
    if there and aside is not None:
        said.append(f"The damaged file is kept: {aside}.")
    return " ".join(said)


def _day(copy: Path) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(copy.stat().st_mtime))
