"""An engine that hangs, dies by a message, or sends what can't be read; with stub engines."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tracemalloc

import pytest

from app.errors import EngineError
from app.model.outcome import Direction, TraceMessage
from app.model.trunk import Transport
from app.sip import client as client_module
from app.sip.client import EngineBugError, EngineLostError
from app.sip.fingerprint import fingerprint
from app.sip.messages import CallLevels, EngineFault, OpenAccount, Register, Traced, Unregister
from tests.engine.waiting import until
from tests.helpers.engine_stub import GRANTED, Do, Script, Turn, stub_engines
from tests.unit.test_client import Told, gone, started
from tests.unit.test_wire import sample

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows can't stop a process")
TEXT = "SIP/2.0 401 Unauthorized\r\nContact: *\r\n\r\n"


def traced(text: str = TEXT, direction: Direction = Direction.IN, peer: str = "192.0.2.1:5060") -> Traced:
    """A message on the wire."""
    return Traced(
        message=TraceMessage(at=0.0, direction=direction, transport=Transport.UDP, peer=peer, text=text)
    )


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pulse that is felt often, and missed soon."""
    monkeypatch.setattr(client_module, "PULSE_EVERY_S", 0.05)
    monkeypatch.setattr(client_module, "ANSWER_LIMIT_S", 0.4)


# Hanging


def test_an_engine_that_answers_is_left_in_peace(monkeypatch: pytest.MonkeyPatch, quick: None) -> None:
    stub_engines(monkeypatch)
    told = Told()

    async def run() -> None:
        async with started(told) as made:
            await until(lambda: told.log.count("got Ping()") >= 5, "five pulses")
            assert made.running

    asyncio.run(run())
    assert [outcome.asked for outcome in told.ends] == [True]


@pytest.mark.parametrize("do", [Do.NOTHING, Do.HANG])
def test_an_engine_without_a_pulse_is_ended_and_why_is_said(
    monkeypatch: pytest.MonkeyPatch, quick: None, do: Do
) -> None:
    stub_engines(monkeypatch, Script(turns={"Ping": (Turn(), Turn(do=do))}, deaf=True))
    told = Told()

    async def run() -> None:
        async with started(told) as made:
            await until(lambda: told.ends, "the end")
            with pytest.raises(EngineLostError, match="stopped responding"):
                await made.request(Unregister())

    asyncio.run(run())
    (outcome,) = told.ends
    assert str(outcome) == "The engine stopped responding for 0.4 seconds and was ended."
    assert not outcome.asked
    assert not outcome.by_itself


@POSIX
def test_an_engine_that_was_stopped_is_ended(monkeypatch: pytest.MonkeyPatch, quick: None) -> None:
    stub_engines(monkeypatch)
    told = Told()

    async def run() -> None:
        async with started(told) as made:
            os.kill(made.pid, signal.SIGSTOP)
            asking = asyncio.create_task(made.request(Register()))
            with pytest.raises(EngineError, match=r"did not answer|stopped responding"):
                await asking
            await gone(made)

    asyncio.run(run())
    assert told.ends[0].signal_name == "SIGKILL"


@POSIX
def test_an_engine_that_was_stopped_for_a_moment_only_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "PULSE_EVERY_S", 0.05)
    monkeypatch.setattr(client_module, "ANSWER_LIMIT_S", 5.0)
    stub_engines(monkeypatch)
    told = Told()

    async def run() -> None:
        async with started(told) as made:
            os.kill(made.pid, signal.SIGSTOP)
            await until(lambda: made._waiting, "a question")
            await asyncio.wait({asyncio.create_task(asyncio.sleep(0.3))})
            os.kill(made.pid, signal.SIGCONT)
            await made.request(Unregister())

    asyncio.run(run())
    assert [outcome.asked for outcome in told.ends] == [True]


def test_a_parent_that_slept_through_the_limit_still_hears_the_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As after a computer has slept, or a command was stopped in its terminal: the clock has jumped."""
    stub_engines(monkeypatch)

    async def run() -> None:
        async with started() as made:
            loop, jump = asyncio.get_running_loop(), 0.0
            clock = loop.time
            monkeypatch.setattr(loop, "time", lambda: clock() + jump)
            asking = asyncio.create_task(made.request(Unregister(), 60.0))
            await asyncio.sleep(0)
            jump = 3600.0
            await asking

    asyncio.run(run())


def test_nothing_is_asked_of_an_idle_engine_but_its_pulse_every_few_seconds() -> None:
    assert client_module.PULSE_EVERY_S >= 2.0
    assert client_module.ANSWER_LIMIT_S <= 15.0


# Dying by a message


def dying(*turns: Turn, do: Do = Do.ABORT) -> Script:
    """An engine that is given these messages and then ends."""
    return Script(turns={"Register": (*turns, Turn(do=do)), "Unregister": (Turn(do=do),)})


@POSIX
def test_the_message_that_ended_an_engine_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    events = (traced("SIP/2.0 100 Trying\r\n\r\n"), traced(), traced("REGISTER sip:x SIP/2.0", Direction.OUT))
    stub_engines(monkeypatch, Script(turns={"Register": (Turn(before=events, do=Do.ABORT),)}))
    told = Told()

    async def run() -> None:
        async with started(told) as made:
            with pytest.raises(EngineLostError) as caught:
                await made.request(Register())
            assert caught.value.outcome is told.ends[0] or caught.value.outcome == told.ends[0]

    asyncio.run(run())
    (outcome,) = told.ends
    assert outcome.signal_name == "SIGABRT"
    assert outcome.by_itself
    assert outcome.last_message is not None
    assert outcome.last_message.start == "SIP/2.0 401 Unauthorized"
    assert outcome.last_message.peer == "192.0.2.1:5060"
    assert outcome.last_message.fingerprint == fingerprint(TEXT)
    assert str(outcome) == (
        "The engine was ended by SIGABRT. "
        'The last message it got was "SIP/2.0 401 Unauthorized" from 192.0.2.1:5060.'
    )


def test_an_engine_that_ends_with_an_error_names_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch, Script(turns={"Register": (Turn(before=(traced(),), do=Do.DIE),)}))
    told = Told()

    async def run() -> None:
        async with started(told) as made:
            with pytest.raises(EngineLostError, match=r"exit code 7.+401 Unauthorized"):
                await made.request(Register())

    asyncio.run(run())


@pytest.mark.parametrize("how", ["asked", "killed", "long ago", "sent"])
def test_a_message_that_had_nothing_to_do_with_the_end_is_not_named(
    monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    direction = Direction.OUT if how == "sent" else Direction.IN
    stub_engines(monkeypatch, Script(turns={"Register": (Turn(events=(traced(direction=direction),)),),
                                            "Unregister": (Turn(do=Do.DIE),)}))  # fmt: skip
    told = Told()

    async def run() -> None:
        async with started(told) as made:
            await made.request(Register())
            await until(lambda: told.events, "the message")
            if how == "long ago":
                monkeypatch.setattr(client_module, "BLAME_S", 0.0)
            if how == "asked":
                await made.stop()
            elif how == "killed":
                made._child.kill()
            else:
                with pytest.raises(EngineLostError):
                    await made.request(Unregister())
            await until(lambda: told.ends, "the end")

    asyncio.run(run())
    assert told.ends[0].last_message is None


def test_a_start_line_with_anything_in_it_is_shown_on_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "\r\nSIP/2.0 200 \x1b[2J\u202eOK\x07" + "x" * 5000 + "\r\nVia: y\r\n"
    stub_engines(monkeypatch, Script(turns={"Register": (Turn(before=(traced(text),), do=Do.DIE),)}))
    told = Told()

    async def run() -> None:
        async with started(told) as made:
            with pytest.raises(EngineLostError):
                await made.request(Register())

    asyncio.run(run())
    words = str(told.ends[0])
    assert words.isprintable()
    assert len(words) < 400
    assert "SIP/2.0 200" in words


# What can't be read


def test_an_event_with_a_wrong_value_is_named_and_the_engine_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = ('{"type":"CallLevels","call_id":"call-7","tx_dbm0":null}',)
    stub_engines(monkeypatch, Script(turns={"Register": (Turn(events=(GRANTED,), raw=raw),)}))
    told = Told()

    async def run() -> None:
        async with started(told) as made:
            await made.request(Register())
            await until(lambda: len(told.events) == 2, "the events")
            await made.request(Unregister())
            assert made.running

    asyncio.run(run())
    fault = told.events[1]
    assert isinstance(fault, EngineFault)
    assert (fault.event, fault.call_id) == ("CallLevels", "call-7")
    assert "rx_dbm0" in fault.cause


def test_an_answer_with_a_wrong_value_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = ('{"type":"Answer","id":1,"result":{"type":"Refused"}}',)
    stub_engines(monkeypatch, Script(turns={"Register": (Turn(do=Do.NOTHING, raw=raw),)}))

    async def run() -> None:
        async with started() as made:
            with pytest.raises(EngineBugError, match="can't be read"):
                await made.request(Register())
            await made.request(Unregister())

    asyncio.run(run())


@pytest.mark.parametrize("line", ["Assertion failed", "[]", '{"type":"Nonsense"}', '{"type":"Hello"}', "\0"])
def test_anything_else_ends_the_engine(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    stub_engines(monkeypatch, Script(turns={"Register": (Turn(do=Do.NOTHING, raw=(line,)),)}, deaf=True))
    told = Told()

    async def run() -> None:
        async with started(told) as made:
            with pytest.raises(EngineLostError, match="does not understand"):
                await made.request(Register())
            await gone(made)

    asyncio.run(run())
    assert "does not understand" in told.ends[0].why


def test_a_flood_of_events_takes_no_memory_and_hides_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    levels = CallLevels(call_id="x" * 1000, tx_dbm0=None, rx_dbm0=None)
    stub_engines(monkeypatch, Script(turns={"Register": (Turn(events=(levels,), times=30_000),)}))
    count = 0

    def take(_: object) -> None:
        nonlocal count
        count += 1

    async def run() -> int:
        async with started() as made:
            made._on_event = take
            tracemalloc.start()
            await made.request(Register())
            await made.request(Unregister(), 60.0)
            await until(lambda: count == 30_000, "all events", seconds=60)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return peak

    assert asyncio.run(run()) < 16 << 20  # of 32 MB that came


def test_a_command_that_can_not_be_sent_is_an_error_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch)
    secret = "canary-5f0c\udce9"
    account = sample(OpenAccount)

    async def run() -> None:
        async with started() as made:
            from msgspec.structs import replace

            with pytest.raises(EngineError, match="can't be sent") as caught:
                await made.request(replace(account, password=secret))
            assert "canary" not in f"{caught.value} {caught.value.details}"
            await made.request(Unregister())

    asyncio.run(run())


def test_an_answer_for_nobody_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = ('{"type":"Answer","id":99,"result":{"type":"Done"}}', '{"type":"Answer","id":98,"result":{}}')
    stub_engines(monkeypatch, Script(turns={"Register": (Turn(raw=raw),)}))

    async def run() -> None:
        async with started() as made:
            await made.request(Register())
            await made.request(Unregister())

    asyncio.run(run())
