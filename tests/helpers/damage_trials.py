"""What is done with a damaged data folder, and what has to hold then."""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from app.errors import UserError
from app.history.worker import HistoryWorker
from app.model.history import HistoryDetails, HistoryQuery
from app.model.trunk import Trunk
from app.paths import Paths, paths_in
from app.store import Store
from app.store.history import History
from app.store.history_rows import LISTED
from app.store.schema import MOST_BYTES, UNREADABLE, text_of
from app.store.trunk_rows import COLUMNS
from tests.helpers.calls import details, entry
from tests.helpers.damage import (
    Files,
    call_files,
    damaged,
    damaged_by_sql,
    put,
    trunk_files,
)
from tests.helpers.saved_trunks import LAST_TRUNK, trunk

T = TypeVar("T")

LIMIT_S = 60.0
"""For one damaged folder, all that is done with it."""

EVERY = HistoryQuery()


@contextmanager
def quick_folder() -> Iterator[Path]:
    """In memory where that is possible: a trial makes many small writes, each of which waits for the disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as made:
        yield Path(made)


class Report(msgspec.Struct):
    """What came of many damaged folders.

    Attributes:
        count: How many there were.
        opened: How many could be opened.
        refused: How often each refusal was met.
        slowest_s: The longest that one took, s.
        slowest: Which one.
        failures: What must not happen, with the seed that shows it again.
    """

    count: int = 0
    opened: int = 0
    refused: Counter[str] = msgspec.field(default_factory=Counter)
    slowest_s: float = 0.0
    slowest: str = ""
    failures: list[str] = msgspec.field(default_factory=list)


class Trials:
    """Damaged folders, one after the other.

    Args:
        folder: For the sound ones and for those that are damaged.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.report = Report()
        self._trunks, closed, killed = trunk_files(paths_in(folder / "trunks"))
        self._trunk_files = (closed, killed)
        self._call_files = call_files(paths_in(folder / "calls"))
        self._calls = _call_rows(folder / "calls" / "history.db")
        self._copies = {each.name: each.read_bytes() for each in (folder / "trunks" / "copies").iterdir()}

    def run(self, seeds: range) -> Report:
        """One folder for each seed."""
        for seed in seeds:
            dice = random.Random(seed)
            began = time.monotonic()
            act = self._try_trunks if seed % 5 < 3 else self._try_calls
            what = "?"
            try:
                for what in act(seed, dice):  # noqa: B007  the last step, for the report
                    pass
            except Exception as error:  # noqa: BLE001  the outermost place of a trial: this is what it looks for
                self.report.failures.append(f"seed {seed}, {what}: {type(error).__name__}: {error}")
            took = time.monotonic() - began
            if took > self.report.slowest_s:
                self.report.slowest_s, self.report.slowest = took, f"seed {seed}, {what}"
            if took > LIMIT_S:
                self.report.failures.append(f"seed {seed}, {what}: took {took:.0f} s")
            self.report.count += 1
            for made in self._folder.glob(f"{seed}*"):
                shutil.rmtree(made)
        return self.report

    def damage_both(self, seed: int, data: Path) -> None:
        """Makes a data folder with trunks and calls, both damaged."""
        dice = random.Random(seed)
        paths = paths_in(data)
        self._damage(paths.database, self._trunk_files[seed % 2], "trunks", dice, "")
        self._damage(paths.history, self._call_files[seed % 2], "calls", dice, "")

    def _made(self, seed: int) -> Paths:
        return paths_in(self._folder / f"{seed}")

    def _damage(
        self, file: Path, sound: Files, table: str, dice: random.Random, journal: str
    ) -> tuple[str, Files]:
        if dice.random() < 0.3:
            put({name: data for name, data in sound.items() if not name.endswith("-shm")}, file.parent)
            what = damaged_by_sql(file, table, dice)
            return what, {}
        what, files = damaged(sound, dice)
        put(files, file.parent)
        return f"{what} {journal}", files

    # Trunks

    def _try_trunks(self, seed: int, dice: random.Random) -> Iterator[str]:
        paths = self._made(seed)
        index = dice.randrange(2)
        if dice.random() < 0.5:
            paths.copies.mkdir()
            put(self._copies, paths.copies)
        table = dice.choice(("trunks", "trunks", "trunks", "settings"))
        what, files = self._damage(
            paths.database, self._trunk_files[index], table, dice, ("closed", "killed")[index]
        )
        yield what
        expected = self._still_readable(paths, self._folder / f"{seed}-plain")
        store = self._opened(lambda: Store.open(paths))
        if store is None:
            return
        with store:
            yield f"{what}: listing"
            listed = store.trunks()
            missing = [each.name for each in expected if each not in listed]
            assert not missing, f"not listed: {missing[:5]} of {len(expected)}, {store.notes}"
            store.trunks(check=False)
            assert all(note for note in store.notes)
            if files and any(paths.data.glob("ringback-damaged-*.db")):
                (aside,) = paths.data.glob("ringback-damaged-*.db")
                kept = aside.read_bytes()
                # Closing it may have put the journal into it
                assert index or kept == files["ringback.db"], "the damaged file is kept as it was"
            yield f"{what}: looking"
            self._look(store, listed)
            yield f"{what}: changing"
            self._change(store, listed)
            before = store.trunks()
        yield f"{what}: opening again"
        with Store.open(paths) as store:
            assert store.trunks() == before
            assert not store.unreadable(), store.unreadable()

    def _look(self, store: Store, listed: tuple[Trunk, ...]) -> None:
        for name in store.names():
            with suppress(UserError):
                store.by_name(name)
        for each in listed:
            assert store.by_id(each.id) == each
            assert store.by_name(each.name).name == each.name
        store.setting(LAST_TRUNK)
        for bad in store.unreadable():
            assert bad.words.isprintable()

    def _change(self, store: Store, listed: tuple[Trunk, ...]) -> None:
        new = trunk(900, name="Brand new")
        store.add(new)
        store.set_setting(LAST_TRUNK, new.id)
        if listed:
            changed = replace(listed[0], expires=77)
            store.update(changed, before=listed[0])
            assert store.by_id(changed.id) == changed
            store.set_order([new.id, *(each.id for each in reversed(listed))])
            assert store.trunks()[:1] == (new,)
            store.remove(listed[-1].id)
        for bad in store.unreadable():
            store.remove(store.id_of(bad.removable_as))
        assert not store.unreadable()
        assert {each.id for each in store.trunks()} == {new.id, *(each.id for each in listed[:-1])}

    def _still_readable(self, paths: Paths, folder: Path) -> list[Trunk]:
        """The trunks whose rows SQLite itself can still read as they were saved, in a copy of the files."""
        folder.mkdir()
        _copy_files(paths.database, folder)
        rows = _readable_rows(folder / "ringback.db", _TRUNKS)
        known = {each.id: each for each in self._trunks}
        found = []
        for trunk_id, name, _, _, settings in rows:
            with suppress(msgspec.MsgspecError, UnicodeError, RecursionError, TypeError):
                values = msgspec.json.decode(settings, type=dict[str, object])
                if msgspec.convert({**values, "id": trunk_id, "name": name}, Trunk) == known.get(trunk_id):
                    found.append(known[trunk_id])
        return found

    # Calls

    def _try_calls(self, seed: int, dice: random.Random) -> Iterator[str]:
        paths = self._made(seed)
        index = dice.randrange(2)
        table = dice.choice(("calls", "calls", "calls", "details"))
        what, _ = self._damage(
            paths.history, self._call_files[index], table, dice, ("closed", "killed")[index]
        )
        yield what
        folder = self._folder / f"{seed}-plain"
        folder.mkdir()
        _copy_files(paths.history, folder)
        rows = _readable_rows(folder / "history.db", _CALLS)
        expected = {row[0] for row in rows if tuple(row) in self._calls}
        asyncio.run(asyncio.wait_for(self._work_with_calls(paths, expected), LIMIT_S))

    async def _work_with_calls(self, paths: Paths, expected: set[int]) -> None:
        notes: list[str] = []
        worker = HistoryWorker(paths, notes.append)
        try:
            try:
                await worker.ask(lambda history: history.open_runs())
            except UserError as error:
                self._refused(error)
                return
            self.report.opened += 1
            listed = await worker.ask(lambda history: history.page(EVERY, limit=500))
            missing = expected - {each.id for each in listed}
            assert not missing, f"not listed: {sorted(missing)} of {len(expected)}, {notes}"
            await worker.ask(lambda history: history.count(EVERY))
            await worker.ask(lambda history: history.trunks())
            await worker.ask(worker.mark_cut_off)
            walked = await worker.ask(lambda history: list(history.walk(EVERY)))
            assert [each.entry for each in walked] == list(listed)
            for each in listed:
                await worker.ask(lambda history, each=each: history.details(each.id))
            new = await worker.ask(lambda history: history.save(details(entry("+15145559999"))))
            assert (await worker.ask(lambda history: _whole(history, new))).entry.number == "+15145559999"
            await worker.ask(lambda history: history.delete(new))
            assert await worker.ask(lambda history: history.page(EVERY, limit=500)) == listed
            await worker.ask(lambda history: history.clear(EVERY))
            assert not [
                each for each in await worker.ask(lambda history: history.page(EVERY, limit=9)) if each.result
            ]
        finally:
            await worker.close()

    # Both

    def _opened(self, act: Callable[[], T]) -> T | None:
        try:
            opened = act()
        except UserError as error:
            self._refused(error)
            return None
        self.report.opened += 1
        return opened

    def _refused(self, error: UserError) -> None:
        assert error.what
        assert error.do
        for known in ("newer Ringback", "another program"):
            if known in error.what:
                self.report.refused[known] += 1
                return
        raise error


_TRUNKS = f"SELECT {', '.join(COLUMNS)} FROM trunks"
_CALLS = f"SELECT {LISTED} FROM calls"


def _call_rows(file: Path) -> set[tuple[Any, ...]]:
    return set(map(tuple, _readable_rows(file, _CALLS)))


def _whole(history: History, entry_id: int) -> HistoryDetails:
    found = history.details(entry_id)
    assert found
    return found


def _copy_files(file: Path, folder: Path) -> None:
    for part in file.parent.glob(f"{file.name}*"):
        (folder / part.name).write_bytes(part.read_bytes())


def _readable_rows(file: Path, select: str) -> list[tuple[Any, ...]]:
    """The rows that SQLite reads: in one go, or one by one where that fails."""
    with closing(sqlite3.connect(file)) as raw:
        raw.text_factory = text_of
        raw.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_BYTES)
        with suppress(*UNREADABLE):
            return raw.execute(select).fetchall()
        found = []
        for number in range(1, 200):
            with suppress(*UNREADABLE):
                found += raw.execute(f"{select} WHERE rowid = ?", (number,)).fetchall()
        return found
