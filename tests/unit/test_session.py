"""One trunk at work, with stub engines: targets in order, failures, and being closed at any moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from msgspec.structs import replace

from app.errors import EngineError
from app.model.call import CallState, Source
from app.model.outcome import AnsweredBy, Direction, LocalCause, RegisterOutcome, Target, TlsFacts
from app.model.trunk import SignIn, Transport, TrunkState
from app.sip import sign_in_walk
from app.sip.client import EngineBugError
from app.sip.messages import AudioInUse, CallChanged, RegistrationState, TlsHandshake
from app.sip.notices import AudioChanged, EngineLost, TrunkChanged
from app.sip.session import TrunkSession
from app.sip.sign_in import cause_in_words
from app.sip.targets import Resolution, ResolveError
from tests.engine.waiting import until
from tests.helpers.engine_stub import GRANTED, Do, Script, Turn, stub_engines
from tests.helpers.trunks import Seen, make_trunk

TARGETS = tuple(
    Target(address=f"192.0.2.{number}", port=5060, transport=Transport.TCP, name="sip.example.com")
    for number in (1, 2, 3)
)
SILENT = replace(
    GRANTED,
    state=RegistrationState.FAILED,
    sip_code=408,
    reason="No answer within 8 s",
    answered_by=AnsweredBy.LOCAL,
    local_cause=LocalCause.NO_ANSWER,
    expires_s=0,
)


def refusal(code: int, phrase: str = "Phrase") -> Any:
    """A REGISTER that the network refused."""
    return replace(GRANTED, state=RegistrationState.FAILED, sip_code=code, reason=phrase, expires_s=0)


async def resolves(*_: object) -> Resolution:
    """Three addresses."""
    return Resolution(targets=TARGETS, steps=("asked", "answered"))


@asynccontextmanager
async def opened(seen: Seen, resolve: Any = resolves, **changes: Any) -> AsyncIterator[TrunkSession]:
    """A session that is closed whatever happens."""
    made = TrunkSession(
        make_trunk(5060, transport=Transport.TCP, **changes),
        "secret",
        seen.notices.append,
        on_engine_end=lambda outcome, lost: seen.lost.append((outcome, lost)),
        on_log=seen.log.append,
        resolve=resolve,
    )
    try:
        yield made
    finally:
        await made.close()
        assert made.state is TrunkState.OFF


def registers(*turns: Turn) -> Script:
    """What happens at the first, second, … REGISTER."""
    return Script(turns={"Register": turns})


def states(seen: Seen) -> list[TrunkState]:
    """The states told so far."""
    return [notice.state for notice in seen.of(TrunkChanged)]


# Targets


@pytest.mark.parametrize("first", [SILENT, refusal(503, "Service Unavailable")])
def test_the_next_address_is_tried_after_silence_and_after_503(
    monkeypatch: pytest.MonkeyPatch, first: Any
) -> None:
    stub_engines(monkeypatch, registers(Turn(events=(first,)), Turn(events=(GRANTED,))))
    seen = Seen()

    async def run() -> None:
        async with opened(seen) as session:
            outcome = await session.connect()
            assert outcome.state is TrunkState.REGISTERED
            assert outcome.target == TARGETS[1]
            assert outcome.tried == TARGETS[:2]
            assert outcome.lookup == ("asked", "answered")
            assert session.outcome == outcome

    asyncio.run(run())
    assert states(seen) == [TrunkState.CONNECTING, TrunkState.REGISTERED, TrunkState.OFF]


@pytest.mark.parametrize("code", [401, 403, 404, 423, 500, 600])
def test_a_refusal_is_an_answer_and_no_other_address_is_bothered(
    monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    stub_engines(monkeypatch, registers(Turn(events=(refusal(code),))))

    async def run() -> None:
        async with opened(Seen()) as session:
            outcome = await session.connect()
            assert (outcome.sip_code, outcome.tried) == (code, TARGETS[:1])

    asyncio.run(run())


def test_when_no_address_answers_the_last_one_is_the_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch, registers(Turn(events=(SILENT,))))

    async def run() -> None:
        async with opened(Seen()) as session:
            outcome = await session.connect()
            assert outcome.state is TrunkState.UNREACHABLE
            assert (outcome.target, outcome.tried) == (TARGETS[2], TARGETS)

    asyncio.run(run())


def test_news_of_an_address_given_up_is_no_news_of_the_trunk(monkeypatch: pytest.MonkeyPatch) -> None:
    account = (Turn(), Turn(before=(refusal(403),)))
    register = (Turn(events=(SILENT,)), Turn(events=(GRANTED,)))
    stub_engines(monkeypatch, Script(turns={"OpenAccount": account, "Register": register}))
    seen = Seen()

    async def run() -> None:
        async with opened(seen) as session:
            assert (await session.connect()).state is TrunkState.REGISTERED

    asyncio.run(run())
    assert states(seen) == [TrunkState.CONNECTING, TrunkState.REGISTERED, TrunkState.OFF]


def test_a_handshake_is_that_of_the_address_it_was_made_with(monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = TlsFacts(error="expired", cause=LocalCause.TLS_TIME), TlsFacts(version="TLSv1.3")
    stub_engines(
        monkeypatch,
        registers(
            Turn(events=(TlsHandshake(target=TARGETS[0], facts=bad), SILENT)),
            Turn(events=(TlsHandshake(target=TARGETS[1], facts=good), GRANTED)),
            Turn(events=(GRANTED,)),
        ),
    )

    async def run() -> None:
        async with opened(Seen()) as session:
            assert (await session.connect()).tls == good
            assert (await session.connect()).tls is None

    asyncio.run(run())


def test_a_name_without_an_address_starts_no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    started = stub_engines(monkeypatch)
    seen = Seen()

    async def nowhere(*_: object) -> Resolution:
        cause = LocalCause.NAME_NOT_FOUND
        raise ResolveError(
            "There is no such name.", do="Check it.", cause=cause, steps=["asked"], field="host"
        )

    async def run() -> None:
        async with opened(seen, nowhere) as session:
            outcome = await session.connect()
            assert outcome.state is TrunkState.UNREACHABLE
            assert outcome.local_cause is LocalCause.NAME_NOT_FOUND
            assert outcome.lookup == ("asked",)

    asyncio.run(run())
    assert started == []


def six(number: int) -> Target:
    """An IPv6 address."""
    return Target(address=f"2001:db8::{number}", port=5060, transport=Transport.TCP, name="sip.example.com")


def test_addresses_that_the_engine_cannot_use_are_left_out_and_said_to_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stub_engines(monkeypatch, registers(Turn(events=(SILENT,)), Turn(events=(GRANTED,))))

    async def both(*_: object) -> Resolution:
        return Resolution(targets=(six(1), TARGETS[0], six(2), TARGETS[1]), steps=("asked",))

    async def run() -> None:
        async with opened(Seen(), both) as session:
            outcome = await session.connect()
            assert outcome.tried == TARGETS[:2]
            assert outcome.lookup[0] == "asked"
            assert [line for line in outcome.lookup if "2001:db8::" in line and "IPv6" in line][1:]

    asyncio.run(run())


def test_a_provider_with_ipv6_only_is_an_outcome_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch)
    seen = Seen()

    async def only_six(*_: object) -> Resolution:
        return Resolution(targets=(six(1),))

    async def run() -> None:
        async with opened(seen, only_six) as session:
            outcome = await session.connect()
            assert (outcome.state, outcome.answered_by) == (TrunkState.UNREACHABLE, AnsweredBy.LOCAL)
            assert (outcome.target, outcome.tried) == (six(1), ())
            with pytest.raises(EngineError, match="not connected"):
                await session.control.hang_up("x")

    asyncio.run(run())
    assert "IPv6" in seen.of(TrunkChanged)[1].cause


def test_a_lifetime_is_told_only_where_one_was_granted(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch, registers(Turn(events=(replace(refusal(403), expires_s=300),))))

    async def run() -> None:
        async with opened(Seen()) as session:
            assert (await session.connect()).expires_s == 0

    asyncio.run(run())


def test_a_failed_handshake_is_the_reason_in_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = TlsFacts(error="certificate has expired", cause=LocalCause.TLS_TIME)
    stub_engines(monkeypatch, registers(Turn(events=(TlsHandshake(target=TARGETS[0], facts=bad), SILENT))))

    async def one(*_: object) -> Resolution:
        return Resolution(targets=TARGETS[:1])

    async def run() -> None:
        async with opened(Seen(), one) as session:
            assert (await session.connect()).reason == "certificate has expired"

    asyncio.run(run())


def test_a_trunk_that_does_not_register_is_asked_for_options(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch)
    seen = Seen()

    async def run() -> None:
        async with opened(seen, sign_in=SignIn.CREDENTIALS) as session:
            assert (await session.connect()).state is TrunkState.REACHABLE

    asyncio.run(run())
    assert not any(line.startswith("got Register") for line in seen.log)


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


# Words


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            {"answered_by": AnsweredBy.NETWORK, "sip_code": 200, "reason": "OK", "round_trip_ms": 38.4},
            "200 OK in 38 ms",
        ),
        ({"answered_by": AnsweredBy.NETWORK, "sip_code": 403, "reason": "Forbidden"}, "403 Forbidden"),
        ({"answered_by": AnsweredBy.NETWORK, "sip_code": 480, "reason": ""}, "480"),
        (
            {"answered_by": AnsweredBy.LOCAL, "local_cause": LocalCause.NO_ANSWER, "target": TARGETS[0]},
            "no answer (tcp 192.0.2.1:5060 (sip.example.com))",
        ),
        (
            {
                "answered_by": AnsweredBy.LOCAL,
                "local_cause": LocalCause.NAME_NOT_FOUND,
                "reason": "No such name",
            },
            "No such name",
        ),
        (
            {
                "answered_by": AnsweredBy.LOCAL,
                "local_cause": LocalCause.OTHER,
                "reason": "x",
                "target": TARGETS[0],
            },
            "x",
        ),
        ({"answered_by": AnsweredBy.LOCAL, "local_cause": LocalCause.OTHER}, "other"),
    ],
)
def test_the_cause_is_one_short_line(values: dict[str, Any], words: str) -> None:
    outcome = RegisterOutcome(trunk="t", state=TrunkState.UNREACHABLE, **values)
    assert cause_in_words(outcome) == words


def test_the_limit_for_an_answer_is_handed_to_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch)
    monkeypatch.setattr(sign_in_walk, "ANSWER_LIMIT_S", 1.25)
    seen = Seen()

    async def run() -> None:
        async with opened(seen) as session:
            await session.connect()

    asyncio.run(run())
    assert "got Register(limit_s=1.25)" in seen.log


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
