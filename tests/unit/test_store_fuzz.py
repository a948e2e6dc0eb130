"""Damaged data folders by the hundred: no error but those in words, no hang, and what can be read is shown.

`python -m bench.run damage` takes ten times as many.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.errors import StoreError
from app.history.worker import HistoryWorker
from app.model.history import HistoryQuery
from app.paths import Paths, paths_in
from app.store import Store
from app.store.history import History
from tests.helpers.calls import details, entry
from tests.helpers.command import Ringback
from tests.helpers.damage import files_of, put
from tests.helpers.damage_trials import Trials, quick_folder
from tests.helpers.saved_trunks import trunk

FILES = 320
AT_A_TIME = 40


@pytest.mark.parametrize("first", range(0, FILES, AT_A_TIME))
def test_whatever_is_in_the_data_folder_is_opened_or_refused_in_words(first: int) -> None:
    with quick_folder() as folder:
        report = Trials(folder).run(range(first, first + AT_A_TIME))
    assert report.failures == []
    assert report.count == AT_A_TIME
    assert report.opened + sum(report.refused.values()) == AT_A_TIME
    assert report.opened > AT_A_TIME * 0.9


def changed_bytes(data: bytes, step: int) -> Iterator[bytes]:
    """The same with one byte changed, at one place after the other."""
    for at in range(0, len(data), step):
        found = bytearray(data)
        found[at] ^= 0xFF if at % 2 else 0x20
        yield bytes(found)


@pytest.mark.parametrize("kind", ["closed", "journal"])
def test_one_damaged_byte_anywhere_hides_no_trunk_without_a_word(kind: str) -> None:
    with quick_folder() as folder:
        sound = paths_in(folder / "sound")
        with Store.open(sound) as store:
            store.add_many([trunk(1), trunk(2), trunk(3)])
            files = files_of(sound.database)
        if kind == "closed":
            files = files_of(sound.database)
        name = "ringback.db" if kind == "closed" else "ringback.db-wal"
        for number, data in enumerate(changed_bytes(files[name], 61 if kind == "closed" else 211)):
            paths = paths_in(folder / str(number))
            put({"ringback.db": files["ringback.db"], name: data}, paths.data)
            try:
                with Store.open(paths) as store:
                    found = len(store.trunks()) + len(store.unreadable())
                    # What stands last in a journal may be what a kill left half written
                    assert found == 3 or store.notes or kind == "journal"
                    store.add(trunk(4))
            except StoreError as error:
                if "newer Ringback" not in error.what:
                    raise


def test_one_damaged_byte_anywhere_hides_no_call_without_a_word() -> None:
    with quick_folder() as folder:
        sound = paths_in(folder / "sound")
        with History.open(sound) as history:
            for number in range(3):
                history.save(details(entry(str(number))))
        for number, data in enumerate(changed_bytes(sound.history.read_bytes(), 61)):
            paths = paths_in(folder / str(number))
            paths.history.write_bytes(data)
            try:
                found, noted = asyncio.run(listed_calls(paths))
            except StoreError as error:
                if "newer Ringback" not in error.what:
                    raise
            else:
                assert found == 3 or noted


async def listed_calls(paths: Paths) -> tuple[int, bool]:
    """How many calls are listed, and whether something is said."""
    notes: list[str] = []
    worker = HistoryWorker(paths, notes.append)
    try:
        calls = await worker.ask(lambda history: history.page(HistoryQuery(), limit=9))
        walked = await worker.ask(lambda history: list(history.walk(HistoryQuery())))
        await worker.ask(lambda history: history.save(details(entry("new"))))
        return min(len(calls), len(walked)), bool(notes)
    finally:
        await worker.close()


@pytest.mark.parametrize("seed", range(9000, 9006))
def test_the_command_line_opens_them_too(tmp_path: Path, seed: int) -> None:
    ringback = Ringback(tmp_path)
    Trials(tmp_path / "trials").damage_both(seed, ringback.data)
    for words in (("trunks",), ("trunks", "--json"), ("export",), ("history",), ("history", "--json")):
        ended = ringback.run(*words)
        assert ended.code == 0, ended
    assert ringback.run("add", "--name", "New", "--set", "host=sip.example.com", "--set", "user=1").code == 0
    listed = ringback.run("trunks", "--json").json
    assert "New" in [trunk["name"] for trunk in listed["trunks"]]
    assert ringback.run("remove", "New").code == 0
    assert ringback.run("history", "--delete", "all").code == 0
