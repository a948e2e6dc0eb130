"""How long calls stay in the history, and giving them out as a table."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.errors import SettingError, StoreError, UserError
from app.history.calls import HISTORY_KEEP_DAYS
from app.model.history import FOR_EVER, HistoryDetails, HistoryQuery
from app.paths import Paths
from app.store.history import History
from tests.helpers.call_history import ALL, log, run
from tests.helpers.calls import details, entry

# Keeping


def test_old_calls_are_deleted_at_the_start_and_each_day(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work() -> None:
        with History.open(paths) as history:
            history.save(details(entry("old", begun_at=1000.0)))
        async with log(paths) as calls:
            await calls.history.open()
            assert await calls.all() == ()
            with History.open(paths) as history:
                history.save(details(entry("old", begun_at=1000.0)))
            calls.history._look_again()
            assert len(await calls.all()) == 1, "once a day is enough"
            calls.history._pruned_at -= 86_400
            calls.history._look_again()
            assert await calls.all() == ()

    run(work)


def test_calls_are_kept_as_long_as_the_person_says(paths: Paths) -> None:
    async def work() -> None:
        async with log(paths) as calls:
            assert calls.history.keep_days == 90
            await calls.history.set_keep_days(FOR_EVER)
            with History.open(paths) as history:
                history.save(details(entry("old", begun_at=1000.0)))
        async with log(paths) as calls:
            await calls.history.open()
            assert len(await calls.all()) == 1
            await calls.history.set_keep_days(7)
            assert await calls.all() == ()
            for days in (-1, 40_000):
                with pytest.raises(SettingError, match=str(days)):
                    await calls.history.set_keep_days(days)
            assert calls.history.keep_days == 7
            calls.store.set_setting(HISTORY_KEEP_DAYS, -5)
            assert calls.history.keep_days == 90

    run(work)


# Giving out


def test_a_table_is_written_whole_or_not_at_all(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "calls.csv"

    def fail(*_: object, below: int) -> Iterator[HistoryDetails]:
        yield details()
        raise StoreError("The disk failed.")

    async def work() -> None:
        async with log(paths) as calls:
            with History.open(paths) as history:
                for number in range(1201):
                    history.save(details(entry(str(number), begun_at=time.time())))
            assert await calls.history.export_csv(ALL, file) == 1201
            lines = file.read_bytes().decode("utf-8-sig").split("\r\n")
            assert len(lines) == 1201 + 2
            assert await calls.history.export_csv(HistoryQuery(text="busy"), file) == 0
            assert await calls.history.export_csv(ALL, file, limit=3) == 3
            before = file.read_bytes()
            with pytest.raises(UserError, match="can't be written"):
                await calls.history.export_csv(ALL, tmp_path / "nowhere" / "calls.csv")
            monkeypatch.setattr(History, "walk", fail)
            with pytest.raises(StoreError):
                await calls.history.export_csv(ALL, file)
            assert file.read_bytes() == before
            assert not list(tmp_path.glob("*.unfinished"))

    run(work)
