"""A lost connection: shown at once, answered by signing in again on the same account, ever later."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from msgspec.structs import replace

from app.model.call import CallState, Source
from app.model.outcome import AnsweredBy, Direction, LocalCause
from app.model.trunk import SignIn, TrunkState
from app.sip import recovery
from app.sip.messages import (
    AudioInUse,
    CallChanged,
    ConnectionLost,
    EngineFault,
    Event,
    RegistrationState,
)
from app.sip.notices import AudioChanged, TrunkChanged
from app.sip.recovery import FIRST_PAUSE_S, LONGEST_PAUSE_S, pause_s
from app.sip.session import TrunkSession
from tests.engine.waiting import until
from tests.helpers.engine_stub import GRANTED, Do, Script, Turn, stub_engines
from tests.helpers.stub_sessions import TARGETS, opened, refusal, states
from tests.helpers.trunks import Seen

LOST = ConnectionLost(cause=LocalCause.CONNECTION_LOST, words="Connection reset by peer", registered=True)
SILENT = replace(
    GRANTED,
    state=RegistrationState.FAILED,
    sip_code=408,
    answered_by=AnsweredBy.LOCAL,
    local_cause=LocalCause.NO_ANSWER,
    expires_s=0,
)
YES, NO_ANSWER = Turn(events=(GRANTED,)), Turn(events=(SILENT,))
CONNECTING, UP, OFF = TrunkState.CONNECTING, TrunkState.REGISTERED, TrunkState.OFF


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses of a hundredth."""
    monkeypatch.setattr(recovery, "pause_s", lambda attempt: pause_s(attempt) / 100)


def script(*told: Event, register: tuple[Turn, ...] = (YES,), **turns: tuple[Turn, ...]) -> Script:
    """An engine that reports these events, one at each `tell`, and answers REGISTER so."""
    return Script(turns={"SetSource": tuple(Turn(events=(event,)) for event in told),
                         "Register": register, **turns})  # fmt: skip


async def tell(session: TrunkSession) -> None:
    """Have the stub report what its script has for this moment."""
    await session.control.set_source("x", Source.TONE)


def asked(seen: Seen, name: str) -> int:
    """How often the engine was given a command."""
    return sum(line.startswith(f"got {name}(") for line in seen.log)


@asynccontextmanager
async def signed_in(seen: Seen, **changes: Any) -> AsyncIterator[TrunkSession]:
    """A session that is up."""
    async with opened(seen, **changes) as session:
        outcome = await session.connect()
        assert outcome.state in (TrunkState.REGISTERED, TrunkState.REACHABLE)
        yield session


def test_it_is_shown_at_once_and_the_same_account_registers_again(monkeypatch: pytest.MonkeyPatch) -> None:
    started = stub_engines(monkeypatch, script(LOST))
    seen = Seen()

    async def run() -> None:
        async with signed_in(seen) as session:
            await tell(session)
            await until(lambda: asked(seen, "Register") == 2, "the second REGISTER")
            await until(lambda: session.state is UP, "the registration")

    asyncio.run(run())
    assert states(seen) == [CONNECTING, UP, CONNECTING, UP, OFF]
    assert seen.of(TrunkChanged)[2].cause == "connection lost: Connection reset by peer"
    assert asked(seen, "OpenAccount") == 1  # a new account would end calls
    assert len(started) == 1


def test_a_trunk_that_does_not_register_is_asked_for_options_again(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch, script(replace(LOST, registered=False)))
    seen = Seen()

    async def run() -> None:
        async with signed_in(seen, sign_in=SignIn.CREDENTIALS) as session:
            await tell(session)
            await until(lambda: asked(seen, "SendOptions") == 2, "the second OPTIONS")
            await until(lambda: session.state is TrunkState.REACHABLE, "the answer")

    asyncio.run(run())
    assert states(seen) == [CONNECTING, TrunkState.REACHABLE, CONNECTING, TrunkState.REACHABLE, OFF]


def test_a_call_goes_on_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    up = CallChanged(call_id="call-1", direction=Direction.OUT, state=CallState.ANSWERED)
    over = replace(up, state=CallState.ENDED, sip_code=200, answered_by=AnsweredBy.NETWORK)
    register = (YES, NO_ANSWER, NO_ANSWER, NO_ANSWER, YES)
    stub_engines(monkeypatch, script(LOST, over, register=register, PlaceCall=(Turn(events=(up,)),)))
    seen = Seen()

    async def run() -> None:
        async with signed_in(seen) as session:
            await session.place_call("600", max_seconds=60, ring_seconds=5, source=Source.TONE)
            await tell(session)
            await until(lambda: asked(seen, "Register") >= 4, "attempts")
            assert session.calls_up == 1
            assert asked(seen, "OpenAccount") == 1
            await until(lambda: session.state is UP, "the registration")
            assert session.calls_up == 1

    asyncio.run(run())
    assert states(seen) == [CONNECTING, UP, CONNECTING, UP, OFF]


def test_without_a_call_every_address_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch, script(LOST, register=(YES, NO_ANSWER, NO_ANSWER, YES)))
    seen = Seen()

    async def run() -> None:
        async with signed_in(seen) as session:
            await tell(session)
            await until(lambda: asked(seen, "Register") == 4, "all attempts")
            await until(lambda: session.state is UP, "the registration")
            assert session.outcome is not None
            assert session.outcome.target == TARGETS[1]

    asyncio.run(run())
    assert asked(seen, "OpenAccount") == 3


def test_when_nothing_answers_the_trunk_is_unreachable_with_its_outcome(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stub_engines(monkeypatch, script(LOST, register=(YES, NO_ANSWER)))
    seen = Seen()

    async def run() -> None:
        async with signed_in(seen) as session:
            await tell(session)
            await until(lambda: session.state is TrunkState.UNREACHABLE, "the end of it")
            assert not session._recovery.running

    asyncio.run(run())
    last = seen.of(TrunkChanged)[-2]
    assert last.outcome is not None
    assert last.outcome.tried == TARGETS


@pytest.mark.parametrize(("code", "state"), [(401, TrunkState.WRONG_CREDENTIALS), (403, TrunkState.REJECTED)])
def test_a_refusal_is_an_answer(monkeypatch: pytest.MonkeyPatch, code: int, state: TrunkState) -> None:
    stub_engines(monkeypatch, script(LOST, register=(YES, Turn(events=(refusal(code),)))))
    seen = Seen()

    async def run() -> None:
        async with signed_in(seen) as session:
            await tell(session)
            await until(lambda: session.state is state, "the refusal")
            assert not session._recovery.running

    asyncio.run(run())
    assert asked(seen, "Register") == 2


def test_a_connection_lost_just_after_the_answer_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch, script(register=(Turn(events=(GRANTED, LOST)), YES)))
    seen = Seen()

    async def run() -> None:
        async with signed_in(seen) as session:
            await until(lambda: asked(seen, "Register") == 2, "the second REGISTER")
            await until(lambda: session.state is UP, "the registration")

    asyncio.run(run())


@pytest.mark.parametrize(
    "events",
    [
        (replace(LOST, registered=False),),
        (replace(GRANTED, state=RegistrationState.UNREGISTERED), LOST),
        (refusal(403), LOST),
    ],
    ids=["of no registration", "after signing out", "after a refusal"],
)
def test_a_connection_that_nothing_hung_on_is_no_loss(
    monkeypatch: pytest.MonkeyPatch, events: tuple[Event, ...]
) -> None:
    stub_engines(monkeypatch, script(*events, AudioInUse()))
    seen = Seen()

    async def run() -> None:
        async with signed_in(seen) as session:
            for _ in (*events, AudioInUse()):
                await tell(session)
            await until(lambda: seen.of(AudioChanged), "the last event")
            assert session.state is not CONNECTING
            assert not session._recovery.running

    asyncio.run(run())
    assert asked(seen, "Register") == 1


def test_a_server_that_accepts_and_closes_again_and_again_is_asked_ever_less(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[int] = []

    def pause(attempt: int) -> float:
        pauses.append(attempt)
        return 0.001

    monkeypatch.setattr(recovery, "pause_s", pause)
    stub_engines(monkeypatch, script(register=(Turn(events=(GRANTED, LOST)),)))

    async def run() -> None:
        async with signed_in(Seen()):
            await until(lambda: len(pauses) >= 8, "attempts")

    asyncio.run(run())
    assert pauses[:8] == list(range(8))


def test_after_a_steady_minute_the_first_pause_is_short_again(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[int] = []

    def pause(attempt: int) -> float:
        pauses.append(attempt)
        return 0.001

    monkeypatch.setattr(recovery, "pause_s", pause)
    stub_engines(monkeypatch, script(LOST))

    async def run() -> None:
        async with signed_in(Seen()) as session:
            for count in (1, 2, 3):
                if count == 3:
                    monkeypatch.setattr(recovery, "STEADY_S", 0.0)
                await tell(session)
                await until(lambda n=count: len(pauses) == n and session.state is UP, "the registration")

    asyncio.run(run())
    assert pauses == [0, 1, 0]


def test_pauses_grow_with_chance_in_them() -> None:
    chance = random.Random(1).uniform
    first = [pause_s(0, chance) for _ in range(100)]
    assert FIRST_PAUSE_S[0] <= min(first) < max(first) <= FIRST_PAUSE_S[1]
    assert len(set(first)) > 50
    for attempt, least, most in ((1, 1.5, 2.5), (2, 3.0, 5.0), (5, 24.0, 40.0), (40, 45.0, 75.0)):
        some = [pause_s(attempt, chance) for _ in range(100)]
        assert least <= min(some) < max(some) <= most
    assert pause_s(10_000) <= LONGEST_PAUSE_S * 1.25


# What happens meanwhile


def test_a_registration_of_the_stacks_own_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "pause_s", lambda attempt: 60.0)
    stub_engines(monkeypatch, script(LOST, SILENT, GRANTED))
    seen = Seen()

    async def run() -> None:
        async with signed_in(seen) as session:
            await tell(session)
            await tell(session)  # known already
            assert session.state is CONNECTING
            await tell(session)
            await until(lambda: session.state is UP, "the registration")
            assert not session._recovery.running

    asyncio.run(run())
    assert states(seen) == [CONNECTING, UP, CONNECTING, UP, OFF]


def test_an_engine_that_dies_meanwhile_is_lost_once(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch, script(LOST, register=(YES, Turn(do=Do.DIE))))
    seen = Seen()

    async def run() -> None:
        async with signed_in(seen) as session:
            await tell(session)
            await until(lambda: seen.lost, "the loss")
            assert session.state is TrunkState.UNREACHABLE
            assert not session._recovery.running

    asyncio.run(run())
    assert len(seen.lost) == 1


def test_a_second_engine_that_dies_on_the_way_is_a_loss_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    account = (Turn(), Turn(do=Do.DIE))
    stub_engines(monkeypatch, script(LOST, register=(YES, NO_ANSWER), OpenAccount=account))
    seen = Seen()

    async def run() -> None:
        async with signed_in(seen) as session:
            await tell(session)
            await until(lambda: seen.lost, "the loss")
            assert session.state is TrunkState.UNREACHABLE

    asyncio.run(run())
    assert len(seen.lost) == 1


@pytest.mark.parametrize("do", [Do.REFUSE, Do.BUG])
def test_an_engine_that_will_not_register_leaves_no_trunk_connecting(
    monkeypatch: pytest.MonkeyPatch, do: Do
) -> None:
    account = (Turn(), Turn(do=Do.REFUSE))
    stub_engines(monkeypatch, script(LOST, register=(YES, Turn(do=do)), OpenAccount=account))
    seen = Seen()

    async def run() -> None:
        async with signed_in(seen) as session:
            await tell(session)
            await until(lambda: session.state is TrunkState.UNREACHABLE, "the end of it")
            await until(lambda: not session._recovery.running, "the end of the task")

    asyncio.run(run())


def test_closing_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "pause_s", lambda attempt: 60.0)
    stub_engines(monkeypatch, script(LOST))
    seen = Seen()

    async def run() -> None:
        async with signed_in(seen) as session:
            await tell(session)
            await until(lambda: session.state is CONNECTING, "the loss")
            task = session._recovery._task
            await session.close()
            assert task is not None
            await asyncio.wait({task})

    asyncio.run(run())
    assert states(seen) == [CONNECTING, UP, CONNECTING, OFF]


# An answer that the engine could not send


@pytest.mark.parametrize("kind", ["RegistrationChanged", "OptionsAnswered"])
def test_whoever_signs_in_hears_of_an_answer_that_was_lost(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    fault = Turn(events=(EngineFault(event=kind, cause="a text in it is not Unicode"),))
    sign_in = SignIn.REGISTER if kind == "RegistrationChanged" else SignIn.CREDENTIALS
    stub_engines(monkeypatch, Script(turns={"Register": (fault,), "SendOptions": (fault,)}))
    seen = Seen()

    async def run() -> None:
        async with opened(seen, sign_in=sign_in) as session:
            with pytest.raises(Exception, match=f"{kind}.+not Unicode"):
                await session.connect()
            assert session.state is TrunkState.UNREACHABLE

    asyncio.run(run())


def test_a_refresh_whose_answer_was_lost_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    fault = EngineFault(event="RegistrationChanged", cause="why")
    stub_engines(monkeypatch, script(fault))
    seen = Seen()

    async def run() -> None:
        async with signed_in(seen) as session:
            await tell(session)
            await until(lambda: asked(seen, "Register") == 2, "the second REGISTER")
            await until(lambda: session.state is UP, "the registration")

    asyncio.run(run())
    assert "could not report" in seen.of(TrunkChanged)[2].cause


def test_a_call_whose_state_was_lost_is_ended_on_both_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    from app.sip import call_limits

    monkeypatch.setattr(call_limits, "MARGIN_S", 0.01)
    fault = EngineFault(event="CallChanged", cause="why", call_id="call-1")
    stub_engines(monkeypatch, script(PlaceCall=(Turn(events=(fault,)),), HangUp=(Turn(do=Do.REFUSE),)))
    seen = Seen()

    async def run() -> None:
        async with signed_in(seen) as session:
            call_id = await session.place_call("600", max_seconds=60, ring_seconds=60, source=Source.TONE)
            outcome = await session.wait_call(call_id)
            assert outcome.local_cause is LocalCause.OTHER
            assert "CallChanged" in outcome.reason
            await until(lambda: asked(seen, "HangUp"), "the hang-up")

    asyncio.run(run())


def test_a_flood_of_lost_events_is_logged_once_a_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    faults = tuple(EngineFault(event=f"Kind{n}", cause="why") for n in range(1000))
    levels = EngineFault(event="CallLevels", cause="why", call_id="call-1")
    stub_engines(monkeypatch, Script(turns={"SetSource": (Turn(events=(*faults, levels, levels)),)}))
    seen = Seen()

    async def run() -> None:
        async with signed_in(seen) as session:
            await tell(session)
            await session.control.watch_devices(True)
            assert session.state is UP

    asyncio.run(run())
    assert 1 <= sum("could not report" in line for line in seen.log) <= 32
