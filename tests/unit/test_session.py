"""One trunk at work, with stub engines: failures, being closed at any moment, news after signing in."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from app.errors import EngineError
from app.model.call import CallState, Source
from app.model.outcome import AnsweredBy, Direction, LocalCause
from app.model.trunk import TrunkState
from app.sip.client import EngineBugError
from app.sip.messages import AudioInUse, CallChanged, RegistrationState
from app.sip.notices import AudioChanged, EngineLost, TrunkChanged
from app.sip.targets import Resolution
from tests.engine.waiting import until
from tests.helpers.engine_stub import GRANTED, Do, Script, Turn, stub_engines
from tests.helpers.stub_sessions import TARGETS, opened, refusal, registers, states
from tests.helpers.trunks import Seen

# What goes wrong


@pytest.mark.parametrize(
    ("script", "error", "words"),
    [
        (Script(turns={"OpenAccount": (Turn(do=Do.REFUSE),)}), EngineError, "says no"),
        (Script(turns={"OpenAccount": (Turn(do=Do.BUG),)}), EngineBugError, "ZeroDivisionError"),
        (Script(turns={"Register": (Turn(do=Do.BUG),)}), EngineBugError, "ZeroDivisionError"),
        (Script(turns={"OpenAccount": (Turn(do=Do.DIE),)}), EngineError, "exit code 7"),
        (Script(turns={"Register": (Turn(do=Do.DIE),)}), EngineError, "exit code 7"),
        (Script(hello="rubbish"), EngineError, "does not understand"),
        (Script(protocol=99), EngineError, "version 99"),
    ],
    ids=["refused", "bug", "bug later", "dies", "dies later", "rubbish", "version"],
)
def test_a_failing_engine_is_told_once_and_the_trunk_is_not_left_connecting(
    monkeypatch: pytest.MonkeyPatch, script: Script, error: type[Exception], words: str
) -> None:
    stub_engines(monkeypatch, script)
    seen = Seen()

    async def run() -> None:
        async with opened(seen) as session:
            with pytest.raises(error, match=words):
                await session.connect()
            assert session.state is TrunkState.UNREACHABLE
            engine = session._engine
            if error is EngineError and "says no" not in words:
                await until(lambda: engine is None or not engine.running, "the engine to be gone")
                assert states(seen) == [TrunkState.CONNECTING, TrunkState.UNREACHABLE]

    asyncio.run(run())
    # The one who asked was told by the exception; nobody needs to bring it back
    assert seen.lost == []
    assert seen.of(EngineLost) == []


def test_an_engine_lost_after_signing_in_is_told_with_its_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch, Script(turns={"SendDigits": (Turn(do=Do.DIE),)}))
    seen = Seen()

    async def run() -> None:
        async with opened(seen) as session:
            await session.connect()
            call_id = await session.place_call("600", max_seconds=5, ring_seconds=5, source=Source.TONE)
            with pytest.raises(EngineError, match="exit code 7"):
                await session.control.send_digits(call_id, "1")
            await until(lambda: seen.lost, "the loss")
            assert (await session.wait_call(call_id)).local_cause is LocalCause.ENGINE_LOST
            assert session.state is TrunkState.UNREACHABLE
            with pytest.raises(EngineError, match="not connected"):
                await session.control.hang_up(call_id)

    asyncio.run(run())
    ((outcome, lost),) = seen.lost
    assert (outcome.exit_code, lost) == (7, 1)


@pytest.mark.parametrize("do", [Do.REFUSE, Do.BUG, Do.DIE])
def test_a_call_that_the_engine_does_not_place_is_not_up(monkeypatch: pytest.MonkeyPatch, do: Do) -> None:
    stub_engines(monkeypatch, Script(turns={"PlaceCall": (Turn(do=do),)}))

    async def run() -> None:
        async with opened(Seen()) as session:
            await session.connect()
            with pytest.raises((EngineError, EngineBugError)):
                await session.place_call("600", max_seconds=5, ring_seconds=5, source=Source.TONE)
            assert session.calls_up == 0

    asyncio.run(run())


def test_what_needs_a_connection_says_so_before_there_is_one() -> None:
    async def run() -> None:
        async with opened(Seen()) as session:
            for ask in (
                session.place_call("600", max_seconds=5, ring_seconds=5, source=Source.TONE),
                session.control.hang_up("x"),
                session.control.answer("x", max_seconds=5, source=Source.TONE),
                session.control.reject("x", 486),
                session.control.set_source("x", Source.TONE),
                session.control.send_digits("x", "1"),
            ):
                with pytest.raises(EngineError, match="Main office is not connected") as caught:
                    await ask
                assert caught.value.do == "Connect it first."
            assert session.calls_up == 0

    asyncio.run(run())


# Closed while connecting


def test_closed_while_the_name_is_looked_up_no_engine_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    started = stub_engines(monkeypatch)
    seen = Seen()

    async def run() -> None:
        found, asked = asyncio.Event(), asyncio.Event()

        async def slow(*_: object) -> Resolution:
            asked.set()
            await found.wait()
            return Resolution(targets=TARGETS)

        async with opened(seen, slow) as session:
            connecting = asyncio.create_task(session.connect())
            await asked.wait()
            await session.close()
            found.set()
            with pytest.raises(EngineError, match="cancelled"):
                await connecting

    asyncio.run(run())
    assert started == []
    assert states(seen)[-1] is TrunkState.OFF
    assert TrunkState.UNREACHABLE not in states(seen)


@pytest.mark.parametrize("turns", [0, 1, 3, 10, 100])
def test_closed_while_the_engine_starts_nothing_is_left_running(
    monkeypatch: pytest.MonkeyPatch, turns: int
) -> None:
    stub_engines(monkeypatch)
    seen = Seen()

    async def run() -> None:
        async with opened(seen) as session:
            connecting = asyncio.create_task(session.connect())
            await until(lambda: session._engine is not None, "the engine to be made")
            for _ in range(turns):
                await asyncio.sleep(0)
            engine = session._engine
            assert engine is not None
            await session.close()
            with pytest.raises(EngineError):
                await connecting
            assert session.state is TrunkState.OFF
            await until(lambda: not engine.running, "the engine to end")
            assert engine._child.outcome is not None or engine.pid == 0

    asyncio.run(run())
    assert states(seen)[-1] is TrunkState.OFF


def test_closed_while_the_far_end_is_silent_it_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch, registers(Turn()))
    seen = Seen()

    async def run() -> None:
        async with opened(seen) as session:
            connecting = asyncio.create_task(session.connect())
            await until(lambda: any(line.startswith("got Register") for line in seen.log), "REGISTER")
            await session.close()
            with pytest.raises(EngineError, match="cancelled"):
                await connecting

    asyncio.run(run())
    assert states(seen) == [TrunkState.CONNECTING, TrunkState.OFF]


def test_a_cancelled_connect_can_be_tried_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch, registers(Turn(), Turn(events=(GRANTED,))))
    seen = Seen()

    async def run() -> None:
        async with opened(seen) as session:
            connecting = asyncio.create_task(session.connect())
            await until(lambda: any(line.startswith("got Register") for line in seen.log), "REGISTER")
            connecting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await connecting
            assert session.state is TrunkState.OFF
            assert (await session.connect()).state is TrunkState.REGISTERED

    asyncio.run(run())


# Afterwards


def registered_then(*events: Any) -> Script:
    """A trunk that registers; `set_source` makes the engine tell these events."""
    return Script(turns={"SetSource": (Turn(events=tuple(events)),)})


def after_signing_in(monkeypatch: pytest.MonkeyPatch, *events: Any) -> Seen:
    """What a session tells when its engine tells these events some time after the registration."""
    stub_engines(monkeypatch, registered_then(*events, AudioInUse()))
    seen = Seen()

    async def run() -> None:
        async with opened(seen) as session:
            await session.connect()
            seen.notices.clear()
            await session.control.set_source("x", Source.TONE)
            await until(lambda: seen.of(AudioChanged), "the last event")

    asyncio.run(run())
    return seen


def test_a_refused_refresh_changes_the_trunk(monkeypatch: pytest.MonkeyPatch) -> None:
    first, *_ = after_signing_in(monkeypatch, refusal(403, "Forbidden")).of(TrunkChanged)
    assert first.state is TrunkState.REJECTED
    assert first.cause == "403 Forbidden in 38 ms"
    assert first.outcome is not None
    assert first.outcome.target == TARGETS[0]


def test_a_refresh_that_worked_is_told_with_its_new_round_trip(monkeypatch: pytest.MonkeyPatch) -> None:
    first, *_ = after_signing_in(monkeypatch, replace(GRANTED, round_trip_ms=12.0)).of(TrunkChanged)
    assert (first.state, first.cause) == (TrunkState.REGISTERED, "200 OK in 12 ms")


def test_an_end_of_the_registration_is_told_as_off(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = replace(GRANTED, state=RegistrationState.UNREGISTERED, expires_s=0)
    first, *_ = after_signing_in(monkeypatch, gone).of(TrunkChanged)
    assert (first.state, first.cause) == (TrunkState.OFF, "unregistered")


def test_an_incoming_call_reaches_the_listener_and_is_closed_with_the_trunk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from app.sip.notices import CallEnded, CallProgress

    ring = CallChanged(
        call_id="in-1", direction=Direction.IN, state=CallState.INCOMING, remote="sip:a@b", called="sip:c@d"
    )
    seen = after_signing_in(monkeypatch, ring)
    (progress,) = seen.of(CallProgress)
    assert (progress.number, progress.called) == ("sip:a@b", "sip:c@d")
    (ended,) = seen.of(CallEnded)
    assert ended.outcome.reason == "The trunk was closed"


# All channels in use


def test_a_full_trunk_stays_full_when_its_registration_is_refreshed_and_is_free_after_the_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ring = CallChanged(call_id="in-1", direction=Direction.IN, state=CallState.INCOMING)
    over = replace(ring, state=CallState.ENDED, sip_code=487, answered_by=AnsweredBy.NETWORK)
    turns = (Turn(events=(ring, GRANTED)), Turn(events=(over,)))
    stub_engines(monkeypatch, Script(turns={"SetSource": turns}))
    seen = Seen()

    async def run() -> None:
        async with opened(seen, channels=1) as session:
            await session.connect()
            await session.control.set_source("x", Source.TONE)
            await until(lambda: len(states(seen)) == 4, "the refresh")
            await session.control.set_source("x", Source.TONE)
            await until(lambda: len(states(seen)) == 5, "the end of the call")

    asyncio.run(run())
    full, up = TrunkState.FULL, TrunkState.REGISTERED
    assert states(seen) == [TrunkState.CONNECTING, up, full, full, up, TrunkState.OFF]
    causes = [notice.cause for notice in seen.of(TrunkChanged)]
    assert causes[1:3] == [causes[4], "1 of 1 calls are up"]


def test_a_trunk_that_is_not_up_is_not_called_full(monkeypatch: pytest.MonkeyPatch) -> None:
    ring = CallChanged(call_id="in-1", direction=Direction.IN, state=CallState.INCOMING)
    stub_engines(monkeypatch, registers(Turn(events=(refusal(403), ring))))
    seen = Seen()

    async def run() -> None:
        async with opened(seen, channels=1) as session:
            await session.connect()
            await until(lambda: session.calls_up, "the call")
            assert session.state is TrunkState.REJECTED

    asyncio.run(run())
