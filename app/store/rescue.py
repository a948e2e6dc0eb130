"""What is done with a database that can't be opened as it is."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from app.store.files import Stamp, has_journal, journal_of, repaired_of, stamp
from app.store.image import Image, load, read_image
from app.store.repair import clear_half_done, finish_repair, memory_with, note_of, repair
from app.store.salvage import salvage
from app.store.schema import Kind, begin, check, migrate
from app.store.words import DamagedStoreError, in_words

_MOST_LOOKED_AT = 1 << 26
"""Of a file that is looked through before it is opened, bytes; a second's work."""

_log = logging.getLogger(__name__)


class Rescue:
    """One file and the copies of it.

    Args:
        kind: What it is.
        file: Where it is.
        copies: Of former states, the newest first.

    Attributes:
        notes: What was done, for the person.
    """

    def __init__(self, kind: Kind, file: Path, copies: Sequence[Path]) -> None:
        self._kind = kind
        self._file = file
        self._copies = copies
        self.notes: tuple[str, ...] = ()

    def _note(self, words: str) -> None:
        if words:
            _log.warning("%s", words)
            self.notes = (*self.notes, words)

    def left_behind(self) -> DamagedStoreError | None:
        """Ends a repair that a kill has cut off; nobody else may have the file open.

        Returns:
            What SQLite would pass over without a word: that the file is gone, or that its journal is damaged.
            Also damage of the file itself, if there is a journal: SQLite would delete that.

        Raises:
            StoreError, OSError: The files can't be read or renamed.
        """
        file, whole = self._file, repaired_of(self._file)
        if whole.is_file() and file.is_file() and not self._is_sound(read_image(whole)):
            whole.unlink()  # it is made again, from the file that it was made from
        aside = finish_repair(file)
        if aside is not None:
            self._note(
                f"The file with {self._kind.what} was damaged, and Ringback has repaired it. "
                f"The damaged file is kept: {aside}."
            )
        clear_half_done(file)
        if not file.exists() or not file.stat().st_size:
            return DamagedStoreError(file, "it is missing or empty") if self._copies else None
        if not has_journal(file) or file.stat().st_size > _MOST_LOOKED_AT:
            return None
        image = read_image(file)
        if image.more is not None:
            return DamagedStoreError(journal_of(file), "transactions in it can't be read")
        if not self._is_sound(image):
            return DamagedStoreError(file, "what is in it and in its journal makes no sense")
        return None

    def repair(self, damage: DamagedStoreError) -> None:
        """Puts what can be read into a new file; nobody else may have the file open.

        Raises:
            StoreError, sqlite3.Error, OSError: It can't be done; the damaged file is where it was.
        """
        _log.warning("%s %s", damage, damage.details)
        self._note(repair(self._kind, self._file, self._copies))

    def in_memory(self, damage: DamagedStoreError | None) -> tuple[sqlite3.Connection, Stamp]:
        """The contents in memory, only to be read, and the state of the file that they are of.

        Raises:
            StoreError, sqlite3.Error, OSError: Not even its bytes can be read, or it is not ours.
        """
        read_at = stamp(self._file)
        # Where nothing can be written, a repair that was cut off can't be ended either
        whole = repaired_of(self._file)
        file = whole if whole.is_file() else self._file
        image = read_image(file) if file.exists() else None
        connection = self._loaded(image) if image is not None and damage is None else None
        if connection is None:
            found = salvage(self._kind, image, self._copies)
            there = image is not None and bool(image.read)
            self._note(note_of(found, self._kind, there=there))
            connection = memory_with(found, self._kind)
        connection.execute("PRAGMA query_only = ON")
        return connection, read_at

    def _is_sound(self, image: Image) -> bool:
        connection = self._loaded(image)
        if connection is not None:
            connection.close()
        return connection is not None

    def _loaded(self, image: Image) -> sqlite3.Connection | None:
        with suppress(DamagedStoreError), in_words(self._file):
            connection = load(image.read)
            try:
                check(connection, self._kind, self._file)
                begin(connection, self._kind)
                migrate(connection, self._kind)
            except BaseException:
                connection.close()
                raise
            return connection
        return None
