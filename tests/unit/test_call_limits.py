"""The parent's own limits for calls, whatever the engine does about them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from app.errors import EngineError
from app.model.call import CallState, Source
from app.model.outcome import AnsweredBy, CallOutcome, CallResult, Direction, HungUpBy, LocalCause
from app.sip import call_limits
from app.sip.call_limits import CallLimits
from app.sip.client import EngineBugError, EngineRefusedError
from app.sip.messages import CallChanged, Refused
from app.sip.notices import CallEnded
from app.sip.session import TrunkSession
from tests.engine.waiting import until
from tests.helpers.engine_stub import Do, Script, Turn, stub_engines
from tests.helpers.stub_sessions import opened
from tests.helpers.trunks import Seen


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Margins that pass at once."""
    for name in ("MARGIN_S", "LAST_WORD_S", "CANCEL_S"):
        monkeypatch.setattr(call_limits, name, 0.05)


class Watched:
    """Limits, and what they have done."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.error: Exception | None = None
        self.limits = CallLimits(
            hang_up=self._hang_up,
            unknown=lambda call_id: self.done.append(f"unknown {call_id}"),
            end_engine=lambda why: self.done.append(f"end: {why}"),
        )

    async def _hang_up(self, call_id: str, limit_s: float) -> None:
        assert limit_s == call_limits.HANG_UP_LIMIT_S
        self.done.append(f"hang up {call_id}")
        if self.error is not None:
            raise self.error

    def change(self, call_id: str, state: CallState, direction: Direction = Direction.OUT) -> None:
        """The engine reports a state."""
        self.limits.follow(CallChanged(call_id=call_id, direction=direction, state=state))


def run(test: Callable[[Watched], Coroutine[Any, Any, None]]) -> list[str]:
    """Run a test with limits; what they did."""

    async def with_limits() -> list[str]:
        watched = Watched()
        await test(watched)
        watched.limits.clear()
        return watched.done

    return asyncio.run(with_limits())


ENDED = "end: The engine did not end a call at its limit and was ended."


def test_a_call_that_rings_too_long_is_hung_up_and_then_the_engine_is_ended() -> None:
    async def test(watched: Watched) -> None:
        watched.limits.begin("one", ring_seconds=0.05, max_seconds=60)
        watched.change("one", CallState.CALLING)
        watched.change("one", CallState.RINGING)
        await until(lambda: len(watched.done) == 2, "the end")

    assert run(test) == ["hang up one", ENDED]


def test_a_call_that_lasts_too_long_is_hung_up_and_then_the_engine_is_ended() -> None:
    async def test(watched: Watched) -> None:
        watched.limits.begin("one", ring_seconds=60, max_seconds=0.05)
        watched.change("one", CallState.ANSWERED)
        await until(lambda: len(watched.done) == 2, "the end")

    assert run(test) == ["hang up one", ENDED]


def test_an_answer_counts_once() -> None:
    async def test(watched: Watched) -> None:
        watched.limits.begin("one", ring_seconds=60, max_seconds=0.1)
        watched.change("one", CallState.ANSWERED)
        first = watched.limits._watches["one"]
        watched.change("one", CallState.ANSWERED)
        assert watched.limits._watches["one"] is first

    assert run(test) == []


@pytest.mark.parametrize("when", ["before the limit", "while asked", "after that"])
def test_a_call_that_ends_leaves_the_engine_alone(when: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_limits, "LAST_WORD_S", 60.0)

    async def test(watched: Watched) -> None:
        watched.limits.begin("one", ring_seconds=60, max_seconds=60 if "before" in when else 0.01)
        watched.change("one", CallState.ANSWERED)
        watch = watched.limits._watches["one"]
        if "before" not in when:
            await until(lambda: watched.done, "the hang-up")
        watched.change("one", CallState.ENDED)
        await asyncio.wait({watch})
        assert not watched.limits._watches
        assert not watched.limits._max_s

    assert ENDED not in run(test)


def test_calls_side_by_side_have_their_own_limits() -> None:
    async def test(watched: Watched) -> None:
        watched.limits.begin("long", ring_seconds=60, max_seconds=60)
        watched.limits.begin("short", ring_seconds=0.01, max_seconds=60)
        await until(lambda: watched.done, "a hang-up")

    assert run(test)[0] == "hang up short"


def test_a_call_that_came_in_has_the_length_it_was_answered_with() -> None:
    async def test(watched: Watched) -> None:
        watched.change("in", CallState.INCOMING, Direction.IN)
        watched.limits.accept("in", 0.05)
        watched.change("in", CallState.ANSWERED, Direction.IN)
        await until(lambda: watched.done, "a hang-up")

    assert run(test)[0] == "hang up in"


def test_a_call_that_rings_here_for_ever_is_hung_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_limits, "LONGEST_RING_SECONDS", 0.05)

    async def test(watched: Watched) -> None:
        watched.change("in", CallState.INCOMING, Direction.IN)
        await until(lambda: watched.done, "a hang-up")

    assert run(test)[0] == "hang up in"


def test_a_call_that_was_hung_up_must_end_soon() -> None:
    async def test(watched: Watched) -> None:
        watched.limits.begin("one", ring_seconds=60, max_seconds=60)
        watched.change("one", CallState.ANSWERED)
        watched.limits.leave("one")
        await until(lambda: len(watched.done) == 2, "the end")
        watched.limits.leave("unknown")

    assert run(test) == ["hang up one", ENDED]


@pytest.mark.parametrize(
    ("error", "done"),
    [
        (EngineRefusedError(Refused(what="That call is over.")), ["hang up one", "unknown one"]),
        (EngineError("The engine ended."), ["hang up one"]),
        (EngineBugError("KeyError"), ["hang up one", ENDED]),
    ],
    ids=["unknown", "gone", "bug"],
)
def test_what_the_engine_says_to_the_hang_up_decides(error: Exception, done: list[str]) -> None:
    async def test(watched: Watched) -> None:
        watched.error = error
        watched.limits.begin("one", ring_seconds=0.01, max_seconds=60)
        watch = watched.limits._watches["one"]
        await asyncio.wait({watch})

    assert run(test) == done


# In a session


def changed(state: CallState, **values: Any) -> CallChanged:
    """What the engine reports of the first call."""
    return CallChanged(call_id="call-1", direction=Direction.OUT, state=state, **values)


async def placed(session: TrunkSession, *, seconds: float = 60.0, ring: float = 60.0) -> CallOutcome:
    """A call from its beginning to its end."""
    await session.connect()
    call_id = await session.place_call("600", max_seconds=seconds, ring_seconds=ring, source=Source.TONE)
    return await asyncio.wait_for(session.wait_call(call_id), 20)


@pytest.mark.parametrize("events", [(), (changed(CallState.ANSWERED),)], ids=["ringing", "answered"])
def test_a_call_that_the_engine_never_ends_is_lost_and_said_to_be_perhaps_open(
    monkeypatch: pytest.MonkeyPatch, events: tuple[CallChanged, ...]
) -> None:
    stub_engines(monkeypatch, Script(turns={"PlaceCall": (Turn(events=events),)}))
    seen = Seen()

    async def run() -> None:
        async with opened(seen) as session:
            outcome = await placed(session, seconds=0.1, ring=0.1)
            assert (outcome.result, outcome.local_cause) == (CallResult.LOST, LocalCause.ENGINE_LOST)
            assert "the far end may still have the call open" in outcome.reason
            assert session.calls_up == 0

    asyncio.run(run())
    ((outcome, lost),) = seen.lost
    assert lost == 1
    assert str(outcome) == "The engine did not end a call at its limit and was ended."
    assert "got HangUp(call_id='call-1')" in seen.log


def test_a_call_whose_end_the_engine_has_lost_is_ended_and_the_engine_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stub_engines(monkeypatch, Script(turns={"HangUp": (Turn(do=Do.REFUSE),)}))
    seen = Seen()

    async def run() -> None:
        async with opened(seen) as session:
            outcome = await placed(session, ring=0.1)
            assert (outcome.result, outcome.local_cause) == (CallResult.FAILED, LocalCause.OTHER)
            assert "does not know the call" in outcome.reason
            assert session.state.value == "registered"

    asyncio.run(run())
    assert seen.lost == []
    assert len(seen.of(CallEnded)) == 1


def test_a_call_that_ends_at_the_parents_hang_up_is_told_as_any_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    over = changed(
        CallState.ENDED, sip_code=200, answered_by=AnsweredBy.NETWORK, hung_up_by=HungUpBy.US, duration_s=0.2
    )
    stub_engines(
        monkeypatch,
        Script(turns={"PlaceCall": (Turn(events=(changed(CallState.ANSWERED),)),),
                      "HangUp": (Turn(events=(over,)),)}),
    )  # fmt: skip
    seen = Seen()

    async def run() -> None:
        async with opened(seen) as session:
            outcome = await placed(session, seconds=0.1)
            assert (outcome.result, outcome.hung_up_by) == (CallResult.ANSWERED, HungUpBy.US)

    asyncio.run(run())
    assert seen.lost == []


def test_a_call_that_was_not_placed_has_no_limit_left(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch, Script(turns={"PlaceCall": (Turn(do=Do.REFUSE),)}))

    async def run() -> None:
        async with opened(Seen()) as session:
            await session.connect()
            with pytest.raises(EngineError):
                await session.place_call("600", max_seconds=5, ring_seconds=5, source=Source.TONE)
            assert not session._limits._watches

    asyncio.run(run())
