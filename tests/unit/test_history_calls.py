"""From notices to entries in the history: every call, whatever becomes of it, the disk or the program."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from app.errors import CallRefusedError, EngineError, SettingError, StoreError, UserError
from app.history.calls import HISTORY_KEEP_DAYS, CallHistory
from app.instance import RunMark, clear_old_marks, run_has_ended
from app.model.call import CallState, Source
from app.model.finding import Verdict
from app.model.history import CUT_OFF, FOR_EVER, CallPlan, HistoryDetails, HistoryEntry, HistoryQuery
from app.model.outcome import AnsweredBy, CallOutcome, CallResult, Direction, HungUpBy
from app.model.trunk import Trunk
from app.paths import Paths, paths_in
from app.sip.notices import (
    CallAccepted,
    CallEnded,
    CallProgress,
    CallRecording,
    HistoryChanged,
    HistoryTrouble,
    Notice,
    TraceAdded,
)
from app.store import Store
from app.store.history import History
from tests.engine.waiting import until
from tests.helpers.calls import PLAN, details, entry, message, running
from tests.helpers.disks import small_disk

ROOT = Path(__file__).parents[2]
ALL = HistoryQuery()
TRUNK = Trunk(id="office", name="Main office", host="sip.example.com", user="100", country="DE")
TRIAL = replace(TRUNK, id="trial", name="New trunk")
CALL_ID = "abc@192.0.2.1"


class Log:
    """A history and what it tells."""

    def __init__(self, paths: Paths) -> None:
        self.told: list[Notice] = []
        self.store = Store.open(paths)
        self.history = CallHistory(self.store, self.told.append, self._trunk, lambda each: each == "trial")
        self.trunks = {TRUNK.id: TRUNK, TRIAL.id: TRIAL}

    def _trunk(self, trunk_id: str) -> Trunk:
        if trunk_id not in self.trunks:
            raise UserError("That trunk has been removed.")
        return self.trunks[trunk_id]

    def take(self, *notices: Notice) -> None:
        """Have the calls do this."""
        for notice in notices:
            self.history.log.take(notice)

    async def all(self) -> tuple[HistoryEntry, ...]:
        """What is in the history, the newest first."""
        return await self.history.page(ALL)

    async def only(self) -> HistoryDetails:
        """The one call that is in the history."""
        (found,) = await self.all()
        whole = await self.history.details(found.id)
        assert whole
        return whole

    def place(
        self,
        number: str = "+4930123456",
        call_id: str = "call-1",
        trunk: Trunk = TRUNK,
        before: Notice | None = None,
        fail: Exception | None = None,
    ) -> None:
        """Place a call; `before` is what happens meanwhile, `fail` what placing it raises in the end."""
        with self.history.log.outgoing(trunk, number, PLAN) as begin:
            if call_id:
                begin(call_id, number.lstrip("+"))
            if before:
                self.take(before)
            if fail:
                raise fail


@asynccontextmanager
async def log(paths: Paths) -> AsyncIterator[Log]:
    made = Log(paths)
    try:
        yield made
    finally:
        await made.history.close()
        made.store.close()


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """An empty data folder."""
    return paths_in(tmp_path / "data")


def run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run it with a limit."""
    asyncio.run(asyncio.wait_for(work(), 60))


def progress(state: CallState = CallState.CALLING, **changes: Any) -> CallProgress:
    usual = CallProgress(
        trunk_id="office",
        call_id="call-1",
        direction=Direction.OUT,
        state=state,
        number="+4930123456",
        sip_call_id=CALL_ID,
    )
    return replace(usual, **changes)


def ended(**changes: Any) -> CallEnded:
    usual = CallOutcome(
        trunk="Main office",
        number="+4930123456",
        dialled="4930123456",
        result=CallResult.ANSWERED,
        sip_code=200,
        reason="OK",
        answered_by=AnsweredBy.NETWORK,
        duration_s=3.0,
        hung_up_by=HungUpBy.THEM,
        sip_call_id=CALL_ID,
    )
    return CallEnded(
        trunk_id="office", call_id="call-1", direction=Direction.OUT, outcome=replace(usual, **changes)
    )


def sip(start: str, method: str = "INVITE", *, call_id: str = CALL_ID, head: str = "") -> TraceAdded:
    text = f"{start}\r\nCall-ID: {call_id}\r\nCSeq: 1 {method}\r\n{head}\r\n"
    return TraceAdded(trunk_id="office", message=message(text))


INVITE = sip("INVITE sip:4930123456@sip.example.com SIP/2.0")


def test_an_outgoing_call_is_kept_from_its_start_to_its_end(paths: Paths) -> None:
    async def work() -> None:
        async with log(paths) as calls:
            calls.place()
            first = await calls.only()
            assert first.entry.running
            assert (first.entry.number, first.entry.dialled) == ("+4930123456", "4930123456")
            assert (first.entry.trunk, first.plan) == ("Main office", PLAN)
            calls.take(INVITE, progress(), progress(CallState.ANSWERED, sip_code=200, setup_ms=84.0))
            second = await calls.only()
            assert second.entry.running
            assert second.entry.answered_at is not None
            assert second.entry.setup_ms == 84.0
            assert [each.text[:6] for each in second.messages] == ["INVITE"]
            calls.take(CallRecording(trunk_id="office", call_id="call-1", path="/music/a.wav", on=True))
            calls.take(sip("BYE sip:100@192.0.2.1 SIP/2.0", "BYE"), ended())
            last = await calls.only()
            assert last.entry.result == CallResult.ANSWERED
            assert last.entry.hung_up_by is HungUpBy.THEM
            assert last.entry.verdict is not None
            assert last.entry.headline
            assert last.findings
            assert last.outcome
            assert last.recording == "/music/a.wav"
            assert [each.text[:6] for each in last.messages] == ["INVITE", "BYE si"]
            assert last.entry.id == first.entry.id

    run(work)


def test_each_change_is_told_when_it_can_be_read(paths: Paths) -> None:
    async def work() -> None:
        async with log(paths) as calls:
            calls.place()
            calls.take(ended())
            await until(lambda: len(calls.told) == 2, "both changes")
            (found,) = await calls.all()
            assert calls.told == [HistoryChanged(trunk_id="office", entry_id=found.id)] * 2

    run(work)


def test_an_incoming_call_is_kept_with_caller_and_number_called(paths: Paths) -> None:
    caller, called = '"Anna" <sip:+4930999@a.example>', "sip:100@192.0.2.1"
    coming = progress(CallState.INCOMING, direction=Direction.IN, number=caller, called=called)

    async def work() -> None:
        async with log(paths) as calls:
            calls.take(coming)
            entry = (await calls.only()).entry
            assert (entry.direction, entry.number, entry.dialled) == (Direction.IN, caller, called)
            assert entry.to_call == "+4930999"
            missed = ended(
                result=CallResult.CANCELLED, duration_s=0.0, sip_code=487, number=caller, dialled=called
            )
            calls.take(replace(missed, direction=Direction.IN))
            assert [finding.id for finding in (await calls.only()).findings] == ["CALL-IN-MISSED"]

    run(work)


def test_the_plan_of_an_incoming_call_is_what_it_was_answered_with(paths: Paths) -> None:
    coming = progress(CallState.INCOMING, direction=Direction.IN)
    accepted = CallAccepted(
        trunk_id=coming.trunk_id, call_id=coming.call_id, source=Source.SPEECH, max_seconds=60.0
    )

    async def work() -> None:
        async with log(paths) as calls:
            calls.take(accepted)
            assert not await calls.all(), "there is no such call"
            calls.take(coming)
            assert (await calls.only()).plan is None
            calls.take(accepted)
            assert (await calls.only()).plan == CallPlan(source="speech", max_seconds=60.0)

    run(work)


def test_a_call_that_only_its_end_tells_of_is_kept_too(paths: Paths) -> None:
    async def work() -> None:
        async with log(paths) as calls:
            calls.take(ended(result=CallResult.FAILED, sip_code=500, duration_s=0.0))
            assert (await calls.only()).entry.sip_code == 500
            calls.take(replace(ended(), trunk_id="nobody's"))
            assert len(await calls.all()) == 1

    run(work)


def test_an_id_that_is_used_again_is_another_call(paths: Paths) -> None:
    async def work() -> None:
        async with log(paths) as calls:
            for number in ("1", "2"):
                calls.place(number)
                calls.take(progress(), ended(number=number, dialled=number))
            assert [found.number for found in await calls.all()] == ["2", "1"]

    run(work)


# Refused here


@pytest.mark.parametrize(
    ("number", "error", "dialled"),
    [
        ("112", CallRefusedError("112 is an emergency number."), ""),
        ("+4930123456", EngineError("Main office is not connected."), "+4930123456"),
        ("+4930123456", UserError("All channels are in use.", field="channels"), "+4930123456"),
    ],
)
def test_a_refused_call_is_kept_with_the_reason(
    paths: Paths, number: str, error: UserError, dialled: str
) -> None:
    async def work() -> None:
        async with log(paths) as calls:
            with pytest.raises(type(error)):
                calls.place(number, call_id="", fail=error)
            found = await calls.only()
            assert found.entry.result == CallResult.REFUSED_HERE
            assert (found.entry.number, found.entry.dialled) == (number, dialled)
            assert found.entry.reason == error.what
            assert found.findings
            assert found.entry.verdict is not Verdict.PASS

    run(work)


def test_a_call_that_the_engine_refuses_is_one_entry(paths: Paths) -> None:
    async def work() -> None:
        async with log(paths) as calls:
            for error in (EngineError("No line is free."), ZeroDivisionError("a bug")):
                with pytest.raises(type(error)):
                    calls.place(fail=error)
                calls.take(progress(CallState.CALLING, call_id="other", trunk_id="nobody's"))
            found = await calls.all()
            assert [each.result for each in found] == [CallResult.REFUSED_HERE] * 2
            assert found[1].reason == "No line is free."

    run(work)


def test_a_call_that_was_lost_with_its_engine_while_it_was_placed_is_one_entry(paths: Paths) -> None:
    async def work() -> None:
        async with log(paths) as calls:
            lost = ended(result=CallResult.LOST, duration_s=0.0, sip_code=0, reason="lost")
            with pytest.raises(EngineError):
                calls.place(before=lost, fail=EngineError("The engine ended."))
            assert (await calls.only()).entry.result == CallResult.LOST

    run(work)


@pytest.mark.parametrize("typed", ["", "my secret password", "pa ss:word", "<script>"])
def test_what_is_no_number_is_no_call(paths: Paths, typed: str) -> None:
    async def work() -> None:
        async with log(paths) as calls:
            for trunk in (TRUNK, replace(TRUNK, allow_out=False)):
                with pytest.raises(UserError):
                    calls.place(typed, call_id="", trunk=trunk, fail=UserError("It can't be dialled."))
            assert await calls.all() == ()

    run(work)


# On trial


def test_calls_of_a_trial_are_written_once_the_trunk_is_saved_and_not_before(paths: Paths) -> None:
    async def work() -> None:
        async with log(paths) as calls:
            calls.place(trunk=TRIAL)
            calls.take(replace(ended(), trunk_id="trial"))
            with pytest.raises(EngineError):
                calls.place(trunk=TRIAL, call_id="", fail=EngineError("Not connected."))
            assert await calls.all() == ()
            calls.history.log.adopt(["trial", "another"], TRUNK)
            found = await calls.all()
            assert [(each.trunk_id, each.trunk) for each in found] == [("office", "Main office")] * 2
            assert {each.result for each in found} == {CallResult.ANSWERED, CallResult.REFUSED_HERE}
            calls.history.log.adopt(["trial"], TRUNK)
            assert len(await calls.all()) == 2

    run(work)


def test_calls_of_a_trial_that_is_dropped_never_reach_the_disk(paths: Paths) -> None:
    async def work() -> None:
        async with log(paths) as calls:
            calls.place(trunk=TRIAL, number="+4930555000111")
            calls.take(replace(ended(), trunk_id="trial"))

    run(work)
    assert not paths.history.exists()


def test_a_trial_call_that_is_still_up_at_the_saving_is_completed(paths: Paths) -> None:
    async def work() -> None:
        async with log(paths) as calls:
            calls.place(trunk=TRIAL)
            calls.history.log.adopt(["trial"], TRUNK)
            assert (await calls.only()).entry.running
            calls.take(replace(ended(), trunk_id="trial"))
            assert (await calls.only()).entry.result == CallResult.ANSWERED
            await until(lambda: len(calls.told) == 2, "both changes")
            assert {notice.trunk_id for notice in calls.told} == {"office"}

    run(work)


# SIP messages


def test_only_messages_of_the_calls_own_dialog_are_kept(paths: Paths) -> None:
    async def work() -> None:
        async with log(paths) as calls:
            calls.place()
            calls.take(
                sip("REGISTER sip:sip.example.com SIP/2.0", "REGISTER", call_id="reg"),
                INVITE,
                sip("INVITE sip:other SIP/2.0", call_id="other"),
                replace(INVITE, trunk_id="another"),
                progress(),
                sip("SIP/2.0 486 Busy Here"),
                ended(result=CallResult.BUSY, sip_code=486, duration_s=0.0),
            )
            found = await calls.only()
            assert [each.text.split("\r\n")[0] for each in found.messages] == [
                "INVITE sip:4930123456@sip.example.com SIP/2.0",
                "SIP/2.0 486 Busy Here",
            ]
            assert found.sip_call_id == CALL_ID

    run(work)


def test_messages_that_come_after_the_end_are_kept_too(paths: Paths) -> None:
    async def work() -> None:
        async with log(paths) as calls:
            calls.place()
            calls.take(INVITE, progress(), ended(), sip("SIP/2.0 200 OK", "BYE"))
            await until(lambda: len(calls.told) == 3, "the late change")
            assert len((await calls.only()).messages) == 2
            calls.take(sip("SIP/2.0 200 OK", "BYE"))

    run(work)
    with History.open(paths) as history:
        (found,) = history.page(ALL, limit=2)
        whole = history.details(found.id)
        assert whole
        assert len(whole.messages) == 3, "closing waits for nothing, and loses nothing"


def test_secrets_are_taken_out_before_anything_is_written(paths: Paths) -> None:
    response, key = "6629fae49393a05397450978507c4ef1", "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
    head = f'Authorization: Digest username="100", response="{response}"\r\n'
    sdp = f"\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{key}\r\n"

    async def work() -> None:
        async with log(paths) as calls:
            calls.place()
            calls.take(sip("INVITE sip:1 SIP/2.0", head=head + sdp), progress())
            calls.take(progress(CallState.ANSWERED))
            await calls.all()
            for _ in range(2):
                raw = b"".join(file.read_bytes() for file in paths.data.rglob("*") if file.is_file())
                assert b"Digest username" in raw
                assert response.encode() not in raw
                assert key.encode() not in raw
                calls.take(ended(reason=f'response="{response}"'))
                await calls.all()

    run(work)


def damage(paths: Paths) -> None:
    """Overwrite the history and its journals."""
    for file in paths.data.glob("history.db*"):
        file.write_bytes(b"no database" * (file.stat().st_size // 11))


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

    def fail(*_: object) -> Iterator[HistoryDetails]:
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
