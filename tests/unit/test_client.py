"""The parent's end of an engine, with stub engines that go wrong in every way."""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.errors import EngineError
from app.model.outcome import AnsweredBy
from app.sip import child
from app.sip.child import Child, ChildOutcome
from app.sip.client import EngineBugError, EngineClient, EngineLostError, EngineRefusedError
from app.sip.messages import (
    PROTOCOL_VERSION,
    Answer,
    Done,
    Event,
    OptionsAnswered,
    Register,
    SendOptions,
    Unregister,
)
from tests.engine.waiting import until
from tests.helpers.engine_stub import BUG_TEXT, GRANTED, REFUSED_TEXT, Do, Script, Turn, stub_engines


class Told:
    """What a client tells."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.ends: list[ChildOutcome] = []
        self.log: list[str] = []


@asynccontextmanager
async def client(told: Told | None = None) -> AsyncIterator[EngineClient]:
    """A client that is not started yet; its engine is stopped afterwards, if it still runs."""
    told = told or Told()
    made = EngineClient(on_event=told.events.append, on_end=told.ends.append, on_log=told.log.append)
    try:
        yield made
    finally:
        await made.stop()


@asynccontextmanager
async def started(told: Told | None = None) -> AsyncIterator[EngineClient]:
    """A client whose engine is ready."""
    async with client(told) as made:
        await made.start()
        yield made


async def gone(made: EngineClient) -> None:
    """Wait until nothing is left running, without having asked for it."""
    await until(lambda: made._child.outcome, "the engine to be gone", seconds=5)


# Starting


def test_a_ready_engine_tells_what_it_can_do(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch)

    async def run() -> None:
        async with client() as made:
            assert not made.running
            capabilities = await made.start()
            assert capabilities.max_calls == 4
            assert made.capabilities == capabilities
            assert made.running
            assert made.pid > 0
            outcome = await made.stop()
            assert outcome is not None
            assert (outcome.exit_code, outcome.asked) == (0, True)
            assert not made.running

    asyncio.run(run())


def test_another_version_is_refused_and_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch, Script(protocol=PROTOCOL_VERSION + 1))

    async def run() -> None:
        async with client() as made:
            with pytest.raises(EngineError, match=f"speaks version {PROTOCOL_VERSION + 1}") as caught:
                await made.start()
            assert "nstall Ringback again" in caught.value.do
            await gone(made)
            assert not made.running

    asyncio.run(run())


def test_an_engine_that_says_nothing_is_ended_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch, Script(hello="", deaf=True))

    async def run() -> None:
        async with client() as made:
            with pytest.raises(EngineError, match=r"not get ready within 0\.3 seconds") as caught:
                await made.start(0.3)
            assert caught.value.do
            await gone(made)

    asyncio.run(run())


@pytest.mark.parametrize("line", ["hello there", "{}", '{"type":"Hello","protocol":1,"pid":1}', "[1"])
def test_an_engine_whose_first_line_is_garbage_is_ended(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    stub_engines(monkeypatch, Script(hello=line))

    async def run() -> None:
        async with client() as made:
            with pytest.raises(
                EngineError, match="said something that Ringback does not understand"
            ) as caught:
                await made.start()
            assert "nstall Ringback again" in caught.value.do
            assert "not a " in caught.value.details
            await gone(made)

    asyncio.run(run())


def test_an_engine_that_dies_at_the_start_is_told_with_its_last_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code = "import sys; print('ImportError: no pjsua2', file=sys.stderr); sys.exit(7)"
    monkeypatch.setattr(child, "child_command", lambda role: [sys.executable, "-c", code])

    async def run() -> None:
        async with client() as made:
            with pytest.raises(EngineError, match="ended with exit code 7") as caught:
                await made.start()
            assert "ImportError: no pjsua2" in caught.value.details
            assert caught.value.do

    asyncio.run(run())


def test_a_start_that_is_cancelled_leaves_nothing_running(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch, Script(hello="", deaf=True))

    async def run() -> None:
        async with client() as made:
            starting = asyncio.create_task(made.start())
            await until(lambda: made.pid, "the process")
            starting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await starting
            await gone(made)

    asyncio.run(run())


@pytest.mark.parametrize("pause", [0, 1, 2, 3, 4, 6, 8, 12, 16, 24])
def test_a_start_cancelled_twice_leaves_nothing_running(pause: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # Cancel in the wizard, then the window closed: the second one meets the engine's end half done
    stub_engines(monkeypatch, Script(hello="", deaf=True))
    made = EngineClient(on_event=print, on_end=print)

    async def run() -> None:
        starting = asyncio.create_task(made.start())
        for _ in range(pause):
            await asyncio.sleep(0)
        starting.cancel()
        for _ in range(2):
            await asyncio.sleep(0)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting

    asyncio.run(run())
    process = made._child._process
    assert process is None or process.returncode is not None
    gc.collect()  # asyncio tells here of what it could not close


# Asking


def test_a_command_is_answered_and_events_come_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch)
    told = Told()

    async def run() -> None:
        async with started(told) as made:
            await made.request(Register())
            await made.request(SendOptions())
            await until(lambda: len(told.events) == 2, "the events")

    asyncio.run(run())
    assert told.events[0] == GRANTED
    assert isinstance(told.events[1], OptionsAnswered)
    assert told.log[0].startswith("got Register(")


def test_requests_side_by_side_get_their_own_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch, Script(turns={"Unregister": (Turn(do=Do.REFUSE),)}))

    async def run() -> None:
        async with started() as made:
            answers = await asyncio.gather(
                made.request(Register()), made.request(Unregister()), made.request(SendOptions()),
                return_exceptions=True,
            )  # fmt: skip
            assert [type(answer) for answer in answers] == [type(None), EngineRefusedError, type(None)]

    asyncio.run(run())


def test_a_refusal_keeps_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch, Script(turns={"Register": (Turn(do=Do.REFUSE),)}))

    async def run() -> None:
        async with started() as made:
            with pytest.raises(EngineError) as caught:
                await made.request(Register())
            error = caught.value
            assert (error.what, error.do, error.details) == (
                REFUSED_TEXT.what,
                REFUSED_TEXT.do,
                REFUSED_TEXT.details,
            )
            await made.request(Unregister())  # it goes on working

    asyncio.run(run())


def test_a_bug_of_the_engine_is_no_error_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch, Script(turns={"Register": (Turn(do=Do.BUG),)}))

    async def run() -> None:
        async with started() as made:
            with pytest.raises(EngineBugError, match=BUG_TEXT):
                await made.request(Register())
            await made.request(Unregister())

    asyncio.run(run())


def test_an_engine_that_does_not_answer_is_ended_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch, Script(turns={"Register": (Turn(do=Do.NOTHING),)}, deaf=True))
    told = Told()

    async def run() -> None:
        async with started(told) as made:
            with pytest.raises(EngineError, match=r"not answer within 0\.3 seconds") as caught:
                await made.request(Register(), 0.3)
            assert caught.value.do == "Connect again."
            await gone(made)

    asyncio.run(run())
    assert [outcome.asked for outcome in told.ends] == [False]


def test_an_engine_that_dies_is_told_with_exit_code_and_last_words(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script(log=("about to fail",), turns={"Register": (Turn(do=Do.DIE, exit_code=7),)})
    stub_engines(monkeypatch, script)
    told = Told()

    async def run() -> None:
        async with started(told) as made:
            with pytest.raises(EngineError, match="ended with exit code 7") as caught:
                await made.request(Register())
            assert caught.value.do == "Connect again."
            assert "about to fail" in caught.value.details
            assert not made.running
            # From then on every command says so at once
            with pytest.raises(EngineError, match="exit code 7"):
                await made.request(Unregister())

    asyncio.run(run())
    (outcome,) = told.ends
    assert outcome.exit_code == 7
    assert outcome.log_tail[0] == "about to fail"


def test_every_command_that_waits_hears_of_the_death(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = Turn(do=Do.NOTHING)
    stub_engines(
        monkeypatch,
        Script(turns={"Register": (silent,), "SendOptions": (silent,), "Unregister": (Turn(do=Do.DIE),)}),
    )

    async def run() -> None:
        async with started() as made:
            answers = await asyncio.gather(
                made.request(Register()), made.request(SendOptions()), made.request(Unregister()),
                return_exceptions=True,
            )  # fmt: skip
            assert [type(answer) for answer in answers] == [EngineLostError] * 3

    asyncio.run(run())


def test_garbage_in_place_of_an_answer_ends_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch, Script(turns={"Register": (Turn(do=Do.GARBAGE),)}, deaf=True))

    async def run() -> None:
        async with started() as made:
            with pytest.raises(
                EngineError, match="said something that Ringback does not understand"
            ) as caught:
                await made.request(Register())
            assert "nstall Ringback again" in caught.value.do
            assert "not a JSON object" in caught.value.details
            await gone(made)

    asyncio.run(run())


def test_an_answer_nobody_waits_for_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    late = OptionsAnswered(sip_code=200, reason="late", answered_by=AnsweredBy.NETWORK)
    stub_engines(monkeypatch, Script(turns={"Register": (Turn(events=(late,)),)}))
    told = Told()

    async def run() -> None:
        async with started(told) as made:
            asking = asyncio.create_task(made.request(Register()))
            await asyncio.sleep(0)
            asking.cancel()
            await until(lambda: told.events, "what comes after the answer")
            await made.request(Unregister())

    asyncio.run(run())


# Ending


def test_an_engine_that_will_not_stop_is_ended_within_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch, Script(turns={"Stop": (Turn(do=Do.NOTHING),)}, deaf=True))
    monkeypatch.setattr(Child.stop, "__kwdefaults__", {"ask_s": 0.2, "terminate_s": 1.0})
    told = Told()

    async def run() -> None:
        async with started(told) as made:
            before = time.monotonic()
            outcome = await made.stop()
            assert outcome is not None
            assert outcome.asked
            assert time.monotonic() - before < 3

    asyncio.run(run())
    assert len(told.ends) == 1


def test_stopping_before_the_start_is_harmless() -> None:
    async def run() -> None:
        async with client() as made:
            assert await made.stop() is None

    asyncio.run(run())


def test_a_cancellation_that_comes_together_with_the_answer_is_not_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def run() -> None:
        client = EngineClient(on_event=lambda _: None, on_end=lambda _: None)
        monkeypatch.setattr(client._child, "send", lambda _line: None)
        asking = asyncio.create_task(client.request(Unregister()))
        while not client._waiting:
            await asyncio.sleep(0)
        (future,) = client._waiting.values()
        future.set_result(Answer(id=1, result=Done()))
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    asyncio.run(run())
