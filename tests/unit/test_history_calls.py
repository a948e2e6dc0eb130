"""From notices to entries in the history: every call, refused or on trial too, with its SIP messages."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from app.errors import CallRefusedError, EngineError, UserError
from app.model.call import CallState, Source
from app.model.finding import Verdict
from app.model.history import CallPlan
from app.model.outcome import CallResult, Direction, HungUpBy
from app.paths import Paths
from app.sip.notices import CallAccepted, CallRecording, HistoryChanged
from app.store.history import History
from tests.engine.waiting import until
from tests.helpers.call_history import ALL, CALL_ID, INVITE, TRIAL, TRUNK, ended, log, progress, run, sip
from tests.helpers.calls import PLAN


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
