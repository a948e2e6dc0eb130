"""Calls of the history that can't be read: named, passed over, and all others are there."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from app.errors import StoreError
from app.model.history import HistoryQuery
from app.model.history_csv import csv_rows
from app.paths import Paths
from app.sip.notices import HistoryTrouble
from app.store.history import History
from app.store.words import DamagedStoreError
from tests.engine.waiting import until
from tests.helpers.call_history import log, run
from tests.helpers.calls import details, entry, running

ALL = HistoryQuery()
COUNT = 10
BAD = 4


@pytest.fixture
def ten(paths: Paths) -> Paths:
    """A folder with ten calls; something happens to one."""
    with History.open(paths) as history:
        for number in range(1, COUNT + 1):
            assert history.save(details(entry(str(number)))) == number
    return paths


def change(paths: Paths, sql: str) -> None:
    """Does something to the history that Ringback would not."""
    with closing(sqlite3.connect(paths.history, isolation_level=None)) as raw:
        raw.execute(sql)


OTHERS = [str(number) for number in range(COUNT, 0, -1) if number != BAD]

VALUES = (
    "trunk = CAST(x'4dff' AS TEXT)",
    "trunk = x'4d'",
    "number = CAST(x'fffe' AS TEXT)",
    "dialled = zeroblob(17000000)",
    "found_by = zeroblob(17000000), begun_at = 'noon'",
    "begun_at = 'noon'",
    "begun_at = 9e999",
    "begun_at = 1e300",
    "begun_at = -1e9",
    "answered_at = 'then'",
    "answered_at = 1e15",
    "duration_s = 'long'",
    "duration_s = 9e999",
    "sip_code = 'OK'",
    "sip_code = 200.5",
    "mos = x'00'",
    "headline = replace(hex(zeroblob(20000)), '00', 'x')",
    "result = x'00'",
    "trunk_id = CAST(x'80' AS TEXT)",
)


@pytest.mark.parametrize("values", VALUES)
def test_a_call_with_a_damaged_value_is_named_and_all_others_are_there(ten: Paths, values: str) -> None:
    change(ten, f"UPDATE calls SET {values} WHERE id = {BAD}")
    with History.open(ten) as history:
        assert [each.number for each in history.page(ALL, limit=100)] == OTHERS
        (note,) = history.take_notes()
        assert f"Call {BAD} of the history can't be read" in note
        assert f"ringback history --delete {BAD}" in note
        assert note.isprintable()
        walked = list(history.walk(ALL))
        assert [each.entry.number for each in walked] == OTHERS
        assert csv_rows(walked).count("\r\n") == COUNT - 1
        assert history.take_notes() == (), "it is named once"
        assert history.find(ALL, BAD) is None
        assert history.count(ALL) == COUNT
        with pytest.raises(StoreError, match=f"Call {BAD} can't be read") as caught:
            history.details(BAD)
        assert f"--delete {BAD}" in caught.value.do
        assert history.trunks() == {"office": "Main office"}
        assert history.delete(BAD)
        assert history.details(BAD) is None
        assert history.count(ALL) == COUNT - 1
    with History.open(ten) as history:
        assert [each.number for each in history.page(ALL, limit=100)] == OTHERS
        assert history.take_notes() == ()


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 9, 10])
def test_pages_are_full_and_follow_each_other_past_calls_that_can_not_be_read(ten: Paths, limit: int) -> None:
    change(ten, "UPDATE calls SET trunk = x'00' WHERE id IN (10, 7, 6, 2, 1)")
    with History.open(ten) as history:
        found, below = [], None
        while page := history.page(ALL, limit=limit, below=below):
            found += [each.number for each in page]
            assert len(page) == limit or len(found) == 5
            below = page[-1]
        assert found == ["9", "8", "5", "4", "3"]
        assert [each.entry.number for each in history.walk(ALL, 3)] == ["9", "8", "5"]


@pytest.mark.parametrize(
    "values",
    [
        "outcome = '{'",
        "outcome = CAST(x'ff' AS TEXT), findings = x'00'",
        "plan = 7, messages = 'null'",
        "messages = replace(hex(zeroblob(90000)), '00', '[')",
        "messages = zeroblob(17000000)",
        "outcome = zeroblob(17000000)",
        "recording = CAST(x'ff' AS TEXT), sip_call_id = x'00', left_out = 'many'",
    ],
)
def test_of_a_call_with_damaged_details_the_rest_is_shown(ten: Paths, values: str) -> None:
    change(ten, f"UPDATE details SET {values} WHERE call_id = {BAD}")
    with History.open(ten) as history:
        assert len(history.page(ALL, limit=100)) == len(list(history.walk(ALL))) == COUNT
        whole = history.details(BAD)
        assert whole
        assert whole.entry.number == str(BAD)
        assert history.take_notes() == ()


def test_a_call_whose_details_are_gone_is_shown_without_them(ten: Paths) -> None:
    change(ten, f"DELETE FROM details WHERE call_id = {BAD}")
    with History.open(ten) as history:
        assert len(list(history.walk(ALL))) == COUNT
        whole = history.details(BAD)
        assert whole
        assert (whole.entry.number, whole.outcome, whole.messages) == (str(BAD), None, ())


@pytest.mark.parametrize("run_name", ["CAST(x'ff' AS TEXT)", "x'ff00'", "''", "'../x'"])
def test_a_call_of_a_run_with_a_damaged_name_does_not_stay_up_for_ever(paths: Paths, run_name: str) -> None:
    with History.open(paths, "gone") as history:
        history.save(details(running("1")))
    change(paths, f"UPDATE calls SET run = {run_name}")
    with History.open(paths, "new") as history:
        (name,) = history.open_runs()
        assert history.cut_off(name) == 1
        assert history.open_runs() == ()


@pytest.mark.parametrize("seq", [1 << 62, (1 << 63) - 1, -5, "'x'"])
def test_calls_are_entered_also_when_the_last_id_is_damaged(ten: Paths, seq: object) -> None:
    """With the highest id that there is SQLite would say for ever that the disk is full."""
    change(ten, f"UPDATE sqlite_sequence SET seq = {seq}")
    with History.open(ten) as history:
        assert history.save(details(entry("new"))) == COUNT + 1
        assert history.count(ALL) == COUNT + 1


def test_a_call_with_an_id_that_is_none_costs_no_other(ten: Paths) -> None:
    change(ten, f"UPDATE calls SET id = {(1 << 63) - 1} WHERE id = {BAD}")
    with History.open(ten) as history:
        new = history.save(details(entry("new")))
        assert new == COUNT + 1
        assert {each.number for each in history.page(ALL, limit=100)} == {*OTHERS, "new"}


def test_rows_out_of_order_are_damage_and_not_a_way_without_an_end(ten: Paths) -> None:
    with closing(sqlite3.connect(ten.history)) as raw:
        (root,) = raw.execute("SELECT rootpage FROM sqlite_master WHERE name = 'calls'").fetchone()
    data = bytearray(ten.history.read_bytes())
    page = (root - 1) * 4096
    data[page + 3 : page + 5] = (400).to_bytes(2)  # how many rows are on it
    ten.history.write_bytes(data)
    for read in (lambda history: history.page(ALL, limit=50), lambda history: list(history.walk(ALL))):
        with History.open(ten) as history, pytest.raises(DamagedStoreError) as caught:
            read(history)
    with History.open(ten, damage=caught.value) as history:
        assert [each.number for each in history.page(ALL, limit=50)] == [str(10 - n) for n in range(10)]


def test_numbers_that_can_not_be_kept_cost_no_call(paths: Paths) -> None:
    odd = entry("1", duration_s=float("nan"), setup_ms=float("inf"), mos=float("nan"))
    with History.open(paths) as history:
        kept = history.save(details(odd))
        found = history.find(ALL, kept)
        assert found
        assert (found.duration_s, found.setup_ms, found.mos) == (0.0, None, None)


def test_looking_for_what_is_not_text_is_refused_in_words(ten: Paths) -> None:
    with History.open(ten) as history, pytest.raises(StoreError, match="can't be saved or searched for"):
        history.page(HistoryQuery(text="\udcff"), limit=5)


def test_who_asks_is_told_which_calls_can_not_be_read(ten: Paths, tmp_path: Path) -> None:
    change(ten, f"UPDATE calls SET begun_at = {time.time()}")  # else they are old, and deleted
    change(ten, "UPDATE calls SET trunk = x'00' WHERE id IN (4, 5)")

    async def work() -> None:
        async with log(ten) as calls:
            assert len(await calls.all()) == COUNT - 2
            await until(
                lambda: len([each for each in calls.told if isinstance(each, HistoryTrouble)]) == 2,
                "both to be named",
            )
            assert "Call 5 of the history" in calls.history.note
            file = tmp_path / "calls.csv"
            assert await calls.history.export_csv(ALL, file) == COUNT - 2
            await asyncio.sleep(0)
            assert calls.history.note.count("Call 4 of the history") == 1

    run(work)
