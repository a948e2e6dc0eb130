"""How long signing in takes above what the SIP messages themselves take, on loopback with digest."""

from __future__ import annotations

import asyncio
import statistics
import time

from app.model.outcome import Direction, Target, TraceMessage
from app.model.trunk import Transport, TrunkState
from app.sip.client import EngineClient
from app.sip.demo import DemoCarrier
from app.sip.messages import (
    Event,
    OpenAccount,
    Register,
    RegistrationChanged,
    RegistrationState,
    Traced,
    Unregister,
)
from app.sip.notices import Notice
from app.sip.supervisor import Supervisor
from bench.figure import Figure

ROUNDS = 40
ENGINES = 10


def measure() -> list[Figure]:
    """The overhead of one registration, and ten engines at once."""
    return [asyncio.run(_overhead()), asyncio.run(_ten_at_once())]


class _Listener:
    def __init__(self) -> None:
        self.messages: list[TraceMessage] = []
        self.outcome: asyncio.Future[RegistrationChanged] | None = None

    def __call__(self, event: Event) -> None:
        if isinstance(event, Traced):
            self.messages.append(event.message)
        elif isinstance(event, RegistrationChanged) and self.outcome is not None:
            self.outcome.set_result(event)


def _on_the_wire_ms(messages: list[TraceMessage]) -> float:
    """From each request sent to its response received, added up."""
    total, sent = 0.0, 0.0
    for message in messages:
        if message.direction is Direction.OUT:
            sent = message.at
        else:
            total += message.at - sent
    return total * 1000


async def _overhead() -> Figure:
    carrier = DemoCarrier()
    await carrier.start()
    listener = _Listener()
    engine = EngineClient(on_event=listener, on_end=lambda _: None)
    try:
        await engine.start()
        target = Target(address="127.0.0.1", port=carrier.port, transport=Transport.UDP, name="127.0.0.1")
        await engine.request(
            OpenAccount(
                user=carrier.user,
                host=target.address,
                port=target.port,
                auth_id="",
                password=carrier.password,
                realm="*",
                caller_id="",
                expires=300,
                register=True,
                codecs=("PCMU",),
                target=target,
            )
        )
        above = []
        for _ in range(ROUNDS):
            listener.messages.clear()
            listener.outcome = asyncio.get_running_loop().create_future()
            began = time.perf_counter()
            await engine.request(Register())
            outcome = await listener.outcome
            took_ms = (time.perf_counter() - began) * 1000
            assert outcome.state is RegistrationState.REGISTERED
            above.append(took_ms - _on_the_wire_ms(listener.messages))
            listener.outcome = asyncio.get_running_loop().create_future()
            await engine.request(Unregister())
            await listener.outcome
    finally:
        await engine.stop()
        await carrier.stop()
    return Figure(
        name="Registering with digest, above the SIP messages' own time",
        value=statistics.median(above),
        unit="ms",
        budget=5,
        note=f"command to event, UDP on loopback, median of {ROUNDS}",
    )


async def _ten_at_once() -> Figure:
    carrier = DemoCarrier()
    await carrier.start()
    notices: list[Notice] = []
    supervisor = Supervisor(notices.append)
    try:
        trunks = [carrier.trunk(name=f"trunk {number}") for number in range(ENGINES)]
        began = time.perf_counter()
        outcomes = await asyncio.gather(*(supervisor.connect(trunk, carrier.password) for trunk in trunks))
        took_s = time.perf_counter() - began
        assert all(outcome.state is TrunkState.REGISTERED for outcome in outcomes)
    finally:
        await supervisor.close()
        await carrier.stop()
    return Figure(
        name="Ten engines started and registered at once",
        value=took_s,
        unit="s",
        budget=2,
        note="processes included, UDP on loopback, one run",
    )
