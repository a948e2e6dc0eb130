"""The supervisor with real engines: one is lost, the other trunk does not notice, the lost one comes back."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.model.call import Source
from app.model.outcome import Audio, CallResult, HungUpBy, LocalCause
from app.model.trunk import Transport, TrunkState
from app.sip.comeback import Pauses
from app.sip.demo import DemoCarrier
from app.sip.notices import CallEnded, CallFigures, EngineLost, TrunkChanged
from app.sip.supervisor import Supervisor
from tests.engine.waiting import until
from tests.helpers.trunks import Seen

pytestmark = pytest.mark.skipif(
    not hasattr(signal, "SIGKILL"), reason="kills processes with SIGKILL, which Windows does not have"
)


@asynccontextmanager
async def two_trunks(seen: Seen) -> AsyncIterator[tuple[Supervisor, DemoCarrier]]:
    """A demo carrier with two registered trunks, `one` over UDP and `two` over TCP."""
    carrier = DemoCarrier()
    await carrier.start()
    supervisor = Supervisor(seen.notices.append, pauses=Pauses(restart=(0.1, 0.2), retry=(0.1, 0.2)))
    try:
        for name, transport in (("one", Transport.UDP), ("two", Transport.TCP)):
            trunk = carrier.trunk(name=name, transport=transport)
            outcome = await supervisor.connect(trunk, carrier.password)
            assert outcome.state is TrunkState.REGISTERED, outcome
        yield supervisor, carrier
    finally:
        await supervisor.close()
        await carrier.stop()


def ids(supervisor: Supervisor) -> tuple[str, str]:
    """The two trunks' ids, in order."""
    one, two = supervisor._sessions
    return one, two


def test_a_killed_engine_costs_its_own_calls_only_and_comes_back_registered() -> None:
    seen = Seen()

    async def run() -> None:
        async with two_trunks(seen) as (supervisor, _):
            one, two = ids(supervisor)
            lost_call = await supervisor.session(one).place_call(
                "600", max_seconds=60, ring_seconds=5, source=Source.TONE
            )
            kept_call = await supervisor.session(two).place_call(
                "600", max_seconds=60, ring_seconds=5, source=Source.TONE
            )
            await until(lambda: {n.call_id for n in seen.of(CallFigures)}, "sound")
            os.kill(supervisor.session(one).engine_pid, signal.SIGKILL)
            lost = await supervisor.session(one).wait_call(lost_call)
            assert (lost.result, lost.local_cause) == (CallResult.LOST, LocalCause.ENGINE_LOST)
            await until(
                lambda: supervisor.state(one) is TrunkState.REGISTERED and seen.of(EngineLost), "the comeback"
            )
            again = await supervisor.session(one).place_call(
                "600", max_seconds=0.5, ring_seconds=5, source=Source.TONE
            )
            assert (await supervisor.session(one).wait_call(again)).result is CallResult.ANSWERED
            await supervisor.session(two).control.hang_up(kept_call)
            kept = await supervisor.session(two).wait_call(kept_call)
            assert kept.hung_up_by is HungUpBy.US
            assert kept.audio is Audio.TWO_WAY

    asyncio.run(run())
    (notice,) = seen.of(EngineLost)
    assert notice.outcome.signal_name == "SIGKILL"
    assert notice.calls_lost == 1
    assert len(seen.of(CallEnded)) == 3


def test_an_engine_that_hangs_is_ended_and_replaced() -> None:
    seen = Seen()

    async def run() -> None:
        async with two_trunks(seen) as (supervisor, _):
            one, _two = ids(supervisor)
            pid = supervisor.session(one).engine_pid
            os.kill(pid, signal.SIGSTOP)
            # asked, terminated (which a stopped process does not hear), killed
            await asyncio.wait_for(supervisor.disconnect(one), 12)
            assert supervisor.state(one) is TrunkState.OFF

    asyncio.run(run())


def test_a_lost_carrier_is_told_and_the_trunk_registers_again_when_it_is_back() -> None:
    seen = Seen()

    async def run() -> None:
        async with two_trunks(seen) as (supervisor, carrier):
            one, two = ids(supervisor)
            call = await supervisor.session(two).place_call(
                "600", max_seconds=2, ring_seconds=5, source=Source.TONE
            )
            await until(lambda: seen.of(CallFigures), "sound")
            os.kill(carrier.pid, signal.SIGKILL)
            outcome = await supervisor.session(two).wait_call(call)
            assert outcome.result is CallResult.ANSWERED
            assert supervisor.state(one) is TrunkState.REGISTERED  # nobody has told it otherwise yet
            again = await supervisor.session(one).connect()
            assert again.state is TrunkState.UNREACHABLE
            assert again.local_cause is LocalCause.REFUSED

    asyncio.run(run())
    assert any(n.state is TrunkState.UNREACHABLE and "refused" in n.cause for n in seen.of(TrunkChanged))


ORPHAN = """
import asyncio, os, sys
from app.sip.client import EngineClient
async def main():
    client = EngineClient(on_event=lambda e: None, on_end=lambda o: None)
    await client.start()
    print(client.pid, flush=True)
    os.kill(os.getpid(), 9)
asyncio.run(main())
"""


def test_an_engine_whose_parent_is_gone_ends_itself(tmp_path: Path) -> None:
    async def run() -> None:
        parent = await asyncio.create_subprocess_exec(
            sys.executable, "-c", ORPHAN, stdout=asyncio.subprocess.PIPE
        )
        assert parent.stdout is not None
        pid = int(await parent.stdout.readline())
        await parent.wait()
        await until(lambda: not Path(f"/proc/{pid}").exists(), "the orphan to end")

    asyncio.run(run())
