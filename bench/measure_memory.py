"""What one idle, registered engine keeps in memory."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from app.model.trunk import TrunkState
from app.sip.demo import DemoCarrier
from app.sip.notices import Notice
from app.sip.supervisor import Supervisor
from bench.figure import Figure


def measure() -> list[Figure]:
    """Resident memory of an engine; read from /proc, so on Linux only."""
    if not sys.platform.startswith("linux"):
        return []
    asyncio.run(_idle_engine())  # the first one may have to compile, which costs half as much again
    return [asyncio.run(_idle_engine())]


async def _idle_engine() -> Figure:
    carrier = DemoCarrier()
    await carrier.start()
    notices: list[Notice] = []
    supervisor = Supervisor(notices.append)
    try:
        trunk = carrier.trunk()
        outcome = await supervisor.connect(trunk, carrier.password)
        assert outcome.state is TrunkState.REGISTERED
        pid = supervisor.session(trunk.id).engine_pid
        resident = next(
            int(line.split()[1])
            for line in Path(f"/proc/{pid}/status").read_text().splitlines()
            if line.startswith("VmRSS")
        )
    finally:
        await supervisor.close()
        await carrier.stop()
    return Figure(
        name="An idle registered engine",
        value=resident / 1024,
        unit="MB",
        budget=30,
        note="resident memory, shared libraries included",
    )
