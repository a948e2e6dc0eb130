"""Engines that hang, and parents that do; with real engines and the demo carrier."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from app.errors import EngineError
from app.model.call import CallState, Source
from app.model.outcome import CallResult, LocalCause
from app.model.trunk import TrunkState
from app.sip import call_limits, client
from app.sip.carrier.server import Carrier
from app.sip.child import Role, child_command
from app.sip.comeback import Pauses
from app.sip.messages import HangUp, PlaceCall, Register, Request
from app.sip.notices import CallFigures, CallProgress, EngineLost, TrunkChanged
from app.sip.opening import account_of, servers
from app.sip.supervisor import Supervisor
from app.sip.wire import encode
from tests.engine.far_end import echoing, far_end, granted
from tests.engine.resolved import PASSWORD, at, resolved_to
from tests.engine.waiting import until
from tests.helpers.sip_client import Message
from tests.helpers.trunks import Seen, make_trunk

POSIX = pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="Windows can't stop a process")


@asynccontextmanager
async def supervised(seen: Seen) -> AsyncIterator[tuple[Supervisor, Carrier, str]]:
    """A trunk that is registered with a carrier, its supervisor and its id."""
    async with Carrier(accounts={"1001": PASSWORD}) as carrier:
        supervisor = Supervisor(seen.notices.append, pauses=Pauses(restart=(0.1,), retry=(0.1,)))
        try:
            trunk = make_trunk(carrier.udp_port)
            outcome = await supervisor.connect(trunk, PASSWORD)
            assert outcome.state is TrunkState.REGISTERED, outcome
            yield supervisor, carrier, trunk.id
        finally:
            await supervisor.close()


async def in_call(supervisor: Supervisor, seen: Seen, trunk_id: str, *, seconds: float) -> str:
    """A call with sound in it."""
    call_id = await supervisor.session(trunk_id).place_call(
        "600", max_seconds=seconds, ring_seconds=5, source=Source.TONE
    )
    await until(lambda: seen.of(CallFigures), "sound")
    return call_id


@POSIX
def test_a_stopped_engine_is_noticed_said_and_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PULSE_EVERY_S", 0.3)
    monkeypatch.setattr(client, "ANSWER_LIMIT_S", 1.5)
    seen = Seen()

    async def run() -> None:
        async with supervised(seen) as (supervisor, _, trunk_id):
            session = supervisor.session(trunk_id)
            call_id = await in_call(supervisor, seen, trunk_id, seconds=60)
            monkeypatch.setattr(client, "ANSWER_LIMIT_S", 1.5)
            stopped = session.engine_pid
            os.kill(stopped, signal.SIGSTOP)
            outcome = await asyncio.wait_for(session.wait_call(call_id), 10)
            assert (outcome.result, outcome.local_cause) == (CallResult.LOST, LocalCause.ENGINE_LOST)
            assert outcome.reason == "The engine was lost; the far end may still have the call open"
            assert outcome.duration_s > 0
            monkeypatch.setattr(client, "ANSWER_LIMIT_S", 10.0)
            await until(
                lambda: session.state is TrunkState.REGISTERED and session.engine_pid not in (0, stopped),
                "the comeback",
            )

    asyncio.run(run())
    (loss,) = seen.of(EngineLost)
    assert loss.calls_lost == 1
    assert str(loss.outcome) == "The engine stopped responding for 1.5 seconds and was ended."
    down = next(n for n in seen.of(TrunkChanged) if n.state is TrunkState.UNREACHABLE)
    assert "stopped responding" in down.cause
    assert "The far end may still have the call open" in down.cause
    assert "the server may list the trunk as registered for another" in down.cause


@POSIX
def test_a_call_in_a_stopped_engine_ends_at_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PULSE_EVERY_S", 60.0)  # not by the pulse
    monkeypatch.setattr(call_limits, "MARGIN_S", 1.0)
    monkeypatch.setattr(call_limits, "HANG_UP_LIMIT_S", 1.0)
    seen = Seen()

    async def run() -> None:
        async with supervised(seen) as (supervisor, _, trunk_id):
            call_id = await in_call(supervisor, seen, trunk_id, seconds=3)
            os.kill(supervisor.session(trunk_id).engine_pid, signal.SIGSTOP)
            outcome = await asyncio.wait_for(supervisor.session(trunk_id).wait_call(call_id), 10)
            assert outcome.result is CallResult.LOST
            assert 2 < outcome.duration_s < 7

    asyncio.run(run())
    (loss,) = seen.of(EngineLost)
    assert "did not answer within 1 seconds" in str(loss.outcome)


def test_an_engine_that_works_is_not_disturbed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own limit comes first, and what the parent asks costs the call nothing."""
    monkeypatch.setattr(client, "PULSE_EVERY_S", 0.05)
    seen = Seen()

    async def run() -> None:
        async with supervised(seen) as (supervisor, carrier, trunk_id):
            call_id = await in_call(supervisor, seen, trunk_id, seconds=2)
            outcome = await supervisor.session(trunk_id).wait_call(call_id)
            assert (outcome.result, outcome.hung_up_by.value) == (CallResult.ANSWERED, "time limit")
            assert outcome.media is not None
            assert outcome.media.rx.lost == 0
            assert not carrier.calls_up

    asyncio.run(run())
    assert seen.of(EngineLost) == []


def test_a_call_ends_at_its_limit_although_nobody_reads_what_the_engine_says() -> None:
    """As when `ringback call` is stopped in its terminal: the call costs money all the same."""

    async def run() -> None:
        async with Carrier(accounts={"1001": PASSWORD}) as carrier:
            trunk = make_trunk(carrier.udp_port)
            commands = [
                account_of(trunk, PASSWORD, servers(trunk)[0], at(carrier.udp_port)),
                Register(),
                PlaceCall(call_id="call-1", user="600", max_seconds=4, ring_seconds=5),
                # Answers that fill the pipe, many times over
                *(HangUp(call_id=f"nobody-{number}") for number in range(3000)),
            ]
            engine = subprocess.Popen(
                child_command(Role.ENGINE), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )  # fmt: skip
            try:
                assert engine.stdin is not None
                for number, command in enumerate(commands):
                    engine.stdin.write(encode(Request(id=number, command=command)))
                    await asyncio.sleep(0)
                engine.stdin.flush()
                await until(lambda: carrier.calls_up, "the call")
                await until(lambda: not carrier.calls_up, "its end", seconds=15)
            finally:
                engine.kill()
                engine.communicate()

    asyncio.run(run())


def test_digits_that_the_far_end_can_not_take_are_a_trouble_of_an_answered_call() -> None:
    seen = Seen()

    async def run() -> None:
        async with echoing() as sdp, far_end(lambda request: answer(request)) as far:

            def answer(request: Message) -> Sequence[str]:
                if request.start_line.startswith("INVITE"):
                    contact = f"Contact: <sip:127.0.0.1:{far.port}>"
                    return ("200 OK", contact, "Content-Type: application/sdp", "", *sdp)
                return () if request.start_line.startswith("ACK") else granted(request)

            async with resolved_to(seen, at(far.port)) as opened:
                await opened.connect()
                call_id = await opened.place_call("600", max_seconds=2, ring_seconds=5, source=Source.TONE)
                await until(
                    lambda: any(n.state is CallState.ANSWERED for n in seen.of(CallProgress)), "the answer"
                )
                with pytest.raises(EngineError):
                    await opened.control.send_digits(call_id, "12")
                outcome = await opened.wait_call(call_id)
                assert (outcome.result, outcome.sip_code) == (CallResult.ANSWERED, 200)
                (trouble,) = outcome.troubles
                assert trouble.step == "digits"
                assert "pj" not in trouble.what.lower()

    asyncio.run(run())
