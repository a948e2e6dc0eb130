"""What the history makes of calls when a program is killed, a disk is full or its file is damaged."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from app.errors import StoreError
from app.instance import RunMark, clear_old_marks, run_has_ended
from app.model.finding import Verdict
from app.model.history import CUT_OFF, HistoryDetails
from app.model.outcome import CallResult
from app.paths import Paths, paths_in
from app.sip.notices import HistoryTrouble
from app.store.history import History
from tests.engine.waiting import until
from tests.helpers.call_history import ALL, ended, log, progress, run
from tests.helpers.calls import running
from tests.helpers.damage import overwrite
from tests.helpers.disks import small_disk

ROOT = Path(__file__).parents[2]


# Runs that end without a word

_CALLER = """
import asyncio, sys
from app.history.calls import CallHistory
from app.model.history import CallPlan, HistoryQuery
from app.model.trunk import Trunk
from app.paths import paths_in
from app.store import Store

async def work():
    trunk = Trunk(id="office", name="Main office", host="sip.example.com", user="100")
    store = Store.open(paths_in(sys.argv[1]))
    history = CallHistory(store, lambda _: None, lambda _: trunk, lambda _: False)
    plan = CallPlan(source="tone", max_seconds=30.0, ring_seconds=45.0)
    with history.log.outgoing(trunk, "600", plan) as begin:
        begin("call-1", "600")
    await history.page(HistoryQuery())
    print("calling", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await history.close()

asyncio.run(work())
"""


@asynccontextmanager
async def caller(paths: Paths) -> AsyncIterator[subprocess.Popen[str]]:
    """Another process with a call up; it ends with its input, or is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", _CALLER, str(paths.data)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        assert process.stdout
        assert await asyncio.to_thread(process.stdout.readline) == "calling\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_call_of_another_process_is_left_alone_while_it_lives_and_cut_off_when_it_is_killed(
    paths: Paths,
) -> None:
    async def work() -> None:
        async with caller(paths) as process, log(paths) as calls:
            await calls.history.open()
            (found,) = await calls.all()
            assert found.running
            process.kill()
            await asyncio.to_thread(process.wait)
            (found,) = await calls.all()
            assert found.result == CUT_OFF
            assert found.verdict is Verdict.WARNING

    run(work)


def test_a_call_of_a_killed_program_is_cut_off_at_the_next_start(paths: Paths) -> None:
    async def work() -> None:
        async with caller(paths) as process:
            process.kill()
            await asyncio.to_thread(process.wait)
        async with log(paths) as calls:
            await calls.history.open()
            with History.open(paths) as history:
                assert [each.result for each in history.page(ALL, limit=5)] == [CUT_OFF]
            calls.place("601", "call-2")
            assert [(each.number, each.result) for each in await calls.all()] == [
                ("601", ""),
                ("600", CUT_OFF),
            ]
        assert not list(paths.data.glob("runs/*")), "no mark is left"

    run(work)


def test_a_run_goes_on_as_long_as_it_is_marked(paths: Paths) -> None:
    mark = RunMark(paths)
    assert run_has_ended(paths, mark.name)
    mark.set()
    assert not run_has_ended(paths, mark.name)
    mark.clear()
    mark.clear()
    assert run_has_ended(paths, mark.name)


def test_marks_of_runs_that_were_killed_are_taken_away_when_they_are_old(paths: Paths) -> None:
    mark = RunMark(paths)
    mark.set()
    for name in ("fresh", "old"):
        (paths.run_marks / f"{name}.lock").touch()
    long_ago = time.time() - 2 * 86_400
    for name in ("old", mark.name):
        os.utime(paths.run_marks / f"{name}.lock", (long_ago, long_ago))
    clear_old_marks(paths)
    assert {file.stem for file in paths.run_marks.iterdir()} == {"fresh", mark.name}
    mark.clear()


@pytest.mark.parametrize("name", ["../ringback", "..", "", "a/b"])
def test_a_run_with_the_name_of_another_file_has_ended_and_harms_nothing(paths: Paths, name: str) -> None:
    (paths.data / "ringback.lock").touch()
    assert run_has_ended(paths, name)
    assert (paths.data / "ringback.lock").exists()


# Disks and damage


def test_a_disk_that_is_full_harms_no_call_and_is_told_once(tmp_path: Path) -> None:
    async def work() -> None:
        with small_disk(tmp_path) as disk:
            async with log(paths_in(disk.folder / "data")) as calls:
                calls.place("1")
                await calls.all()
                disk.fill()
                for number in range(5):
                    calls.place(str(number))
                    calls.take(progress(), ended(number=str(number)))
                await until(
                    lambda: [each for each in calls.told if isinstance(each, HistoryTrouble)], "the trouble"
                )
                disk.make_room()
                calls.place("2", "call-2")
                calls.take(replace(ended(number="2", dialled="2"), call_id="call-2"))
                await until(lambda: calls.history._working == set(), "all writing")
                (newest, *_) = await calls.all()
                assert (newest.number, newest.result) == ("2", CallResult.ANSWERED)
                (trouble,) = [each for each in calls.told if isinstance(each, HistoryTrouble)]
                assert "could not be entered" in trouble.words
                assert "full" in trouble.words
                assert calls.history.note == trouble.words

    run(work)


def test_a_call_whose_start_could_not_be_written_is_entered_at_its_end(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, failures = History.save, [StoreError("The disk is full.")]

    def fail_once(self: History, call: HistoryDetails) -> int:
        if failures:
            raise failures.pop()
        return save(self, call)

    monkeypatch.setattr(History, "save", fail_once)

    async def work() -> None:
        async with log(paths) as calls:
            calls.place()
            assert await calls.all() == ()
            calls.take(ended())
            assert (await calls.only()).entry.result == CallResult.ANSWERED

    run(work)


def test_a_damaged_history_is_set_aside_and_told_and_the_call_is_kept(paths: Paths) -> None:
    paths.history.write_bytes(b"no database" * 1000)

    async def work() -> None:
        async with log(paths) as calls:
            calls.place()
            calls.take(ended())
            assert (await calls.only()).entry.result == CallResult.ANSWERED
            await until(
                lambda: [each for each in calls.told if isinstance(each, HistoryTrouble)], "the trouble"
            )
            assert "damaged" in calls.history.note

    run(work)
    (aside,) = paths.data.glob("history-damaged-*.db")
    assert aside.read_bytes().startswith(b"no database")


def damage(paths: Paths) -> None:
    """Overwrite the history and its journals."""
    for file in paths.data.glob("history.db*"):
        file.write_bytes(b"no database" * (file.stat().st_size // 11))


def test_damage_that_appears_while_a_call_is_up_costs_old_calls_only(paths: Paths) -> None:
    async def work() -> None:
        async with log(paths) as calls:
            calls.place("old")
            calls.take(ended(number="old"))
            calls.place("600")
            await calls.all()
            damage(paths)
            calls.take(ended(number="600", dialled="600"))
            await until(lambda: calls.history._working == set(), "all writing")
            assert [each.number for each in await calls.all()][:1] == ["600"]

    run(work)


def test_damage_that_leaves_a_call_that_is_up_does_not_enter_it_twice(paths: Paths) -> None:
    async def work() -> None:
        async with log(paths) as calls:
            for number in range(60):
                calls.place(f"old {number}", f"old-{number}")
                calls.take(replace(ended(number=f"old {number}"), call_id=f"old-{number}"))
            calls.place("600")
            before = await calls.all()
            damage_details(paths)
            assert await calls.history.walk(ALL, lambda _: None) == len(before), "it is repaired meanwhile"
            await until(lambda: "was damaged" in calls.history.note, "the note")
            assert "Details of some calls may be missing" in calls.history.note
            calls.take(ended(number="600", dialled="600"))
            await until(lambda: calls.history._working == set(), "all writing")
            after = await calls.all()
            assert [each.number for each in after] == [each.number for each in before]
            assert after[0].result == CallResult.ANSWERED

    run(work)


def damage_details(paths: Paths) -> None:
    """Overwrite the pages with details of calls, but not the list."""
    with closing(sqlite3.connect(paths.history)) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (root,) = raw.execute("SELECT rootpage FROM sqlite_master WHERE name = 'details'").fetchone()
    overwrite(paths.history, (root - 1) * 4096, 4096)


def test_a_table_of_a_damaged_history_has_each_call_once(paths: Paths, tmp_path: Path) -> None:
    async def work() -> None:
        async with log(paths) as calls:
            for number in range(60):
                calls.place(f"old {number}", f"old-{number}")
                calls.take(replace(ended(number=f"old {number}"), call_id=f"old-{number}"))
            count = len(await calls.all())
            damage_details(paths)
            file = tmp_path / "calls.csv"
            assert await calls.history.export_csv(ALL, file) == count == 60
            assert file.read_text(encoding="utf-8").count("\n") == 61

    run(work)


def test_reading_a_history_that_can_not_be_opened_is_told_to_who_asked(paths: Paths) -> None:
    paths.history.mkdir()

    async def work() -> None:
        async with log(paths) as calls:
            with pytest.raises(StoreError):
                await calls.all()
            with pytest.raises(StoreError):
                await calls.history.count(ALL)
            await calls.history.open()
            assert "Old calls could not be deleted" in calls.history.note
            paths.history.rmdir()
            calls.place()
            assert (await calls.only()).entry.number == running("+4930123456").number

    run(work)
