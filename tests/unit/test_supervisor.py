"""How lost engines and lost registrations come back, and when they must not; with stub engines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from msgspec.structs import replace

from app.errors import EngineError, UserError
from app.model.call import CallState, Source
from app.model.outcome import AnsweredBy, CallResult, Direction, LocalCause
from app.model.trunk import SignIn, Transport, Trunk, TrunkState
from app.sip import supervisor as supervisor_module
from app.sip.client import EngineBugError
from app.sip.comeback import Comeback, Pauses
from app.sip.messages import CallChanged, RegistrationState
from app.sip.notices import CallEnded, EngineLost, TrunkChanged
from app.sip.supervisor import Supervisor
from tests.engine.waiting import until
from tests.helpers.engine_stub import GRANTED, Do, Script, Turn, stub_engines
from tests.helpers.trunks import Seen, make_trunk

RESTART = (0.01, 0.02, 0.04)
RETRY = (0.03, 0.06, 0.12)
PAUSES: dict[str, Any] = {
    "restart": RESTART,
    "slow_restart": (0.2, 0.3),
    "retry": RETRY,
    "refused": (0.05, 0.07),
    "forbidden": 0.09,
    "most_forbidden": 3,
}
TRUNK = make_trunk(5060, transport=Transport.TCP)


def failed(code: int, by: AnsweredBy = AnsweredBy.NETWORK) -> Any:
    """A REGISTER, or its refresh, that failed."""
    cause = LocalCause.NO_ANSWER if by is AnsweredBy.LOCAL else LocalCause.NONE
    return replace(
        GRANTED, state=RegistrationState.FAILED, sip_code=code, answered_by=by, local_cause=cause, expires_s=0
    )


NETWORK_GONE = failed(408, AnsweredBy.LOCAL)


class Watched(Supervisor):
    """A supervisor whose pauses are noted.

    Attributes:
        seen: What it told.
        pauses: Seconds before each attempt to come back.
    """

    def __init__(self, **options: Any) -> None:
        self.seen = Seen()
        self.pauses: list[float] = []
        super().__init__(
            self.seen.notices.append,
            on_log=lambda name, line: self.seen.log.append(f"{name}: {line}"),
            pauses=Pauses(**{**PAUSES, **options}),
        )

    async def _try_again(self, trunk_id: str, comeback: Comeback) -> None:
        assert comeback.pause_s is not None
        self.pauses.append(comeback.pause_s)
        await super()._try_again(trunk_id, comeback)

    def states(self) -> list[TrunkState]:
        """The states told so far."""
        return [notice.state for notice in self.seen.of(TrunkChanged)]

    async def came_back(self, attempts: int) -> None:
        """Wait until the trunk is up again after this many attempts."""
        await until(
            lambda: (
                len(self.pauses) >= attempts
                and self.state(TRUNK.id) in (TrunkState.REGISTERED, TrunkState.REACHABLE)
                and not self._comebacks
            ),
            f"attempt {attempts} to work",
        )


@asynccontextmanager
async def supervising(**options: Any) -> AsyncIterator[Watched]:
    """A supervisor that is closed whatever happens."""
    made = Watched(**options)
    try:
        yield made
    finally:
        await made.close()


async def tell(supervisor: Supervisor) -> None:
    """Have the stub tell what its script has for this moment."""
    await supervisor.session(TRUNK.id).control.set_source("x", Source.TONE)


def kill(supervisor: Supervisor, trunk: Trunk = TRUNK) -> None:
    """End a trunk's engine from outside."""
    engine = supervisor.session(trunk.id)._engine
    assert engine is not None
    engine._child.kill()


def later(*events: Any, register: tuple[Turn, ...] = (), **turns: tuple[Turn, ...]) -> Script:
    """A script whose `tell`s bring these events, one each, and whose REGISTERs go as said."""
    told = {"SetSource": tuple(Turn(events=(event,)) for event in events), **turns}
    return Script(turns={**told, "Register": register} if register else told)


# A lost engine


def test_pauses_before_a_restart_grow_and_stay_at_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    started = stub_engines(monkeypatch)

    async def run() -> Watched:
        async with supervising() as supervisor:
            await supervisor.connect(TRUNK, "secret")
            for attempt in range(1, 5):
                kill(supervisor)
                await supervisor.came_back(attempt)
            return supervisor

    supervisor = asyncio.run(run())
    told = [notice.restart_in_s for notice in supervisor.seen.of(EngineLost)]
    assert told == supervisor.pauses == [0.01, 0.02, 0.04, 0.04]
    assert len(started) == 5
    assert supervisor.states()[:4] == [
        TrunkState.CONNECTING,
        TrunkState.REGISTERED,
        TrunkState.UNREACHABLE,
        TrunkState.CONNECTING,
    ]


def test_after_quiet_the_pauses_begin_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch)

    async def run() -> Watched:
        async with supervising() as supervisor:
            await supervisor.connect(TRUNK, "secret")
            for attempt in (1, 2):
                kill(supervisor)
                await supervisor.came_back(attempt)
            monkeypatch.setattr(supervisor_module, "STEADY_S", 0.0)
            kill(supervisor)
            await supervisor.came_back(3)
            return supervisor

    assert asyncio.run(run()).pauses == [0.01, 0.02, 0.01]


def test_connecting_by_hand_lets_the_pauses_begin_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch)

    async def run() -> Watched:
        async with supervising() as supervisor:
            for attempt in (1, 2):
                await supervisor.connect(TRUNK, "secret")
                kill(supervisor)
                await supervisor.came_back(attempt)
            return supervisor

    assert asyncio.run(run()).pauses == [0.01, 0.01]


def test_engines_that_fail_at_once_are_tried_again_ever_later(monkeypatch: pytest.MonkeyPatch) -> None:
    dies, bug = (
        Script(turns={"Register": (Turn(do=Do.DIE),)}),
        Script(turns={"OpenAccount": (Turn(do=Do.BUG),)}),
    )
    started = stub_engines(monkeypatch, Script(), dies, Script(protocol=99), Script(hello="rubbish"), bug)

    async def run() -> Watched:
        async with supervising() as supervisor:
            await supervisor.connect(TRUNK, "secret")
            kill(supervisor)
            await until(lambda: len(supervisor.pauses) >= 6, "six attempts")
            await supervisor.disconnect(TRUNK.id)
            return supervisor

    supervisor = asyncio.run(run())
    assert supervisor.pauses[:6] == [0.01, 0.02, 0.04, 0.04, 0.04, 0.04]
    # One engine was lost; the others never stood
    assert len(supervisor.seen.of(EngineLost)) == 1
    assert len(started) >= 5
    # Until it was switched off, nothing said that it was
    assert TrunkState.OFF not in supervisor.states()[:-1]
    assert any("the engine failed" in line for line in supervisor.seen.log)


def test_an_engine_that_dies_while_connecting_by_hand_is_not_brought_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started = stub_engines(monkeypatch, Script(turns={"Register": (Turn(do=Do.DIE),)}))

    async def run() -> Watched:
        async with supervising() as supervisor:
            with pytest.raises(EngineError, match="exit code 7"):
                await supervisor.connect(TRUNK, "secret")
            assert supervisor.state(TRUNK.id) is TrunkState.UNREACHABLE
            await asyncio.sleep(0)
            assert not supervisor._comebacks
            return supervisor

    assert asyncio.run(run()).pauses == []
    assert len(started) == 1


def test_a_bug_while_connecting_by_hand_goes_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch, Script(turns={"Register": (Turn(do=Do.BUG),)}))

    async def run() -> None:
        async with supervising() as supervisor:
            with pytest.raises(EngineBugError):
                await supervisor.connect(TRUNK, "secret")
            assert supervisor.state(TRUNK.id) is TrunkState.UNREACHABLE

    asyncio.run(run())


def test_a_trunk_without_registration_comes_back_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch)

    async def run() -> None:
        async with supervising() as supervisor:
            await supervisor.connect(replace(TRUNK, sign_in=SignIn.CREDENTIALS), "secret")
            kill(supervisor)
            await supervisor.came_back(1)
            assert supervisor.state(TRUNK.id) is TrunkState.REACHABLE

    asyncio.run(run())


def test_one_lost_engine_leaves_the_other_trunk_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    started = stub_engines(monkeypatch)
    other = replace(TRUNK, id="trunk-2", name="Branch")

    async def run() -> None:
        async with supervising() as supervisor:
            await asyncio.gather(supervisor.connect(TRUNK, "a"), supervisor.connect(other, "b"))
            pid = supervisor.session(other.id).engine_pid
            kill(supervisor)
            await supervisor.came_back(1)
            assert supervisor.state(other.id) is TrunkState.REGISTERED
            assert supervisor.session(other.id).engine_pid == pid
            told = [notice.trunk_id for notice in supervisor.seen.of(TrunkChanged)]
            assert told.count(other.id) == 2

    asyncio.run(run())
    assert len(started) == 3


# A lost registration


@pytest.mark.parametrize("code", [401, 404, 423])
def test_a_refused_refresh_is_never_asked_for_again(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    stub_engines(monkeypatch, later(failed(code)))

    async def run() -> Watched:
        async with supervising() as supervisor:
            await supervisor.connect(TRUNK, "secret")
            await tell(supervisor)
            await until(lambda: supervisor.state(TRUNK.id) is not TrunkState.REGISTERED, "the refusal")
            assert not supervisor._comebacks
            return supervisor

    supervisor = asyncio.run(run())
    assert supervisor.pauses == []
    expected = TrunkState.WRONG_CREDENTIALS if code == 401 else TrunkState.REJECTED
    assert supervisor.states()[-2:] == [expected, TrunkState.OFF]


@pytest.mark.parametrize(
    ("loss", "pauses"),
    [
        (NETWORK_GONE, [0.03, 0.06, 0.12, 0.03]),
        (failed(500), [0.05, 0.03, 0.06, 0.03]),
        (failed(503), [0.05, 0.03, 0.06, 0.03]),
    ],
    ids=["silence", "500", "503"],
)
def test_a_registration_lost_with_the_network_is_asked_for_until_it_is_back(
    monkeypatch: pytest.MonkeyPatch, loss: Any, pauses: list[float]
) -> None:
    good, bad = Turn(events=(GRANTED,)), Turn(events=(NETWORK_GONE,))
    started = stub_engines(monkeypatch, later(loss, NETWORK_GONE, register=(good, bad, bad, good)))

    async def run() -> Watched:
        async with supervising() as supervisor:
            await supervisor.connect(TRUNK, "secret")
            await tell(supervisor)
            await supervisor.came_back(3)
            # A later loss begins with the first pause again
            await tell(supervisor)
            await supervisor.came_back(4)
            return supervisor

    supervisor = asyncio.run(run())
    assert supervisor.pauses == pauses
    assert len(started) == 1


@pytest.mark.parametrize("code", [401, 404])
def test_a_refusal_ends_the_asking(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    no = Turn(events=(failed(code),))
    stub_engines(monkeypatch, later(NETWORK_GONE, register=(Turn(events=(GRANTED,)), no)))

    async def run() -> Watched:
        async with supervising() as supervisor:
            await supervisor.connect(TRUNK, "secret")
            await tell(supervisor)
            await until(lambda: supervisor.pauses and not supervisor._comebacks, "the refusal")
            return supervisor

    supervisor = asyncio.run(run())
    assert supervisor.pauses == [0.03]
    assert sum("got Register(" in line for line in supervisor.seen.log) == 2


def test_what_was_never_up_is_not_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch, later(register=(Turn(events=(NETWORK_GONE,)),)))

    async def run() -> None:
        async with supervising() as supervisor:
            outcome = await supervisor.connect(TRUNK, "secret")
            assert outcome.state is TrunkState.UNREACHABLE
            assert not supervisor._comebacks

    asyncio.run(run())


def test_a_lost_engine_counts_more_than_a_lost_registration(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch, later(NETWORK_GONE))

    async def run() -> Watched:
        async with supervising(retry=(60.0,)) as supervisor:
            await supervisor.connect(TRUNK, "secret")
            await tell(supervisor)
            await until(lambda: supervisor.pauses, "the long pause")
            kill(supervisor)
            await supervisor.came_back(2)
            return supervisor

    assert asyncio.run(run()).pauses == [60.0, 0.01]


def test_a_call_that_goes_on_is_not_ended_to_register_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def call(state: CallState, **values: Any) -> CallChanged:
        return CallChanged(call_id="call-1", direction=Direction.OUT, state=state, **values)

    ended = call(CallState.ENDED, sip_code=200, answered_by=AnsweredBy.NETWORK)
    script = later(NETWORK_GONE, ended, PlaceCall=(Turn(events=(call(CallState.ANSWERED),)),))
    stub_engines(monkeypatch, script)

    async def run() -> Watched:
        async with supervising() as supervisor:
            await supervisor.connect(TRUNK, "secret")
            session = supervisor.session(TRUNK.id)
            await session.place_call("600", max_seconds=60, ring_seconds=5, source=Source.TONE)
            await tell(supervisor)
            await until(lambda: len(supervisor.pauses) >= 3, "attempts that were put off")
            assert session.calls_up == 1
            assert supervisor.calls_up == 1
            await tell(supervisor)
            await supervisor.came_back(3)
            return supervisor

    supervisor = asyncio.run(run())
    (end,) = supervisor.seen.of(CallEnded)
    assert end.outcome.result is CallResult.ANSWERED
    assert sum("got Register(" in line for line in supervisor.seen.log) == 2


# Taken back by the person


@pytest.mark.parametrize("way", ["disconnect", "close"])
def test_switching_off_cancels_a_comeback(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    started = stub_engines(monkeypatch)

    async def run() -> None:
        async with supervising(restart=(60.0,)) as supervisor:
            await supervisor.connect(TRUNK, "secret")
            kill(supervisor)
            await until(lambda: supervisor.seen.of(EngineLost), "the loss")
            comeback = supervisor._returns[TRUNK.id]
            await asyncio.wait_for(
                supervisor.disconnect(TRUNK.id) if way == "disconnect" else supervisor.close(), 5
            )
            assert comeback.done()
            assert supervisor.state(TRUNK.id) is TrunkState.OFF
            assert supervisor.states()[-1] is TrunkState.OFF
            with pytest.raises(EngineError, match="not connected"):
                supervisor.session(TRUNK.id)

    asyncio.run(run())
    assert len(started) == 1


def test_switching_off_cancels_a_comeback_that_connects_just_then(monkeypatch: pytest.MonkeyPatch) -> None:
    started = stub_engines(monkeypatch, Script(), Script(turns={"Register": (Turn(),)}))

    async def run() -> None:
        async with supervising() as supervisor:
            await supervisor.connect(TRUNK, "secret")
            kill(supervisor)
            await until(
                lambda: sum("got Register(" in line for line in supervisor.seen.log) == 2, "the new engine"
            )
            await supervisor.disconnect(TRUNK.id)
            assert supervisor.states()[-1] is TrunkState.OFF
            assert not supervisor._comebacks

    asyncio.run(run())
    assert len(started) == 2


def test_connecting_by_hand_takes_the_place_of_a_comeback(monkeypatch: pytest.MonkeyPatch) -> None:
    started = stub_engines(monkeypatch)

    async def run() -> None:
        async with supervising(restart=(60.0,)) as supervisor:
            await supervisor.connect(TRUNK, "secret")
            kill(supervisor)
            await until(lambda: supervisor.seen.of(EngineLost), "the loss")
            assert (await supervisor.connect(TRUNK, "secret")).state is TrunkState.REGISTERED
            assert not supervisor._comebacks

    asyncio.run(run())
    assert len(started) == 2


def test_connecting_twice_at_once_leaves_one_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch)

    async def run() -> None:
        async with supervising() as supervisor:
            await supervisor.connect(TRUNK, "secret")
            outcomes = await asyncio.gather(
                *(supervisor.connect(TRUNK, "secret") for _ in range(3)), return_exceptions=True
            )
            assert supervisor.state(TRUNK.id) is TrunkState.REGISTERED
            assert sum(not isinstance(outcome, BaseException) for outcome in outcomes) >= 1
        # An engine that nobody knows any more would be left running here

    asyncio.run(run())


def test_an_old_session_is_closed_before_a_new_one_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    started = stub_engines(monkeypatch)

    async def run() -> None:
        async with supervising() as supervisor:
            await supervisor.connect(TRUNK, "secret")
            former = supervisor.session(TRUNK.id)
            await supervisor.connect(TRUNK, "secret")
            assert former.state is TrunkState.OFF
            assert former.engine_pid == 0
            assert supervisor.session(TRUNK.id) is not former

    asyncio.run(run())
    assert len(started) == 2


def test_a_trunk_without_session_is_off_and_switching_it_off_is_harmless() -> None:
    async def run() -> None:
        async with supervising() as supervisor:
            assert supervisor.state("nobody") is TrunkState.OFF
            await supervisor.disconnect("nobody")
            assert supervisor.calls_up == 0
            assert supervisor.seen.notices == []

    asyncio.run(run())


def test_a_trunk_that_may_not_connect_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    started = stub_engines(monkeypatch)

    async def run() -> None:
        async with supervising() as supervisor:
            with pytest.raises(UserError, match="is switched off") as caught:
                await supervisor.connect(replace(TRUNK, connect=False), "secret")
            assert (caught.value.field, supervisor.state(TRUNK.id)) == ("connect", TrunkState.OFF)

    asyncio.run(run())
    assert started == []


def test_a_full_trunk_whose_engine_is_lost_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    ring = CallChanged(call_id="in-1", direction=Direction.IN, state=CallState.INCOMING)
    dies = Turn(events=(ring,), do=Do.DIE)
    stub_engines(
        monkeypatch, Script(turns={"HangUp": (dies,), "SetSource": (Turn(events=(ring,)),)}), Script()
    )

    async def run() -> None:
        async with supervising() as supervisor:
            await supervisor.connect(replace(TRUNK, channels=1), "secret")
            session = supervisor.session(TRUNK.id)
            await session.control.set_source("x", Source.TONE)
            await until(lambda: supervisor.state(TRUNK.id) is TrunkState.FULL, "the call")
            with pytest.raises(EngineError):
                await session.control.hang_up("x")
            await supervisor.came_back(1)

    asyncio.run(run())
