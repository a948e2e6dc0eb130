"""`ringback carrier`: the demo carrier in the terminal, for any SIP phone on this computer."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from typing import TextIO

import msgspec

from app.sip.carrier.messages import CarrierNumber, CarrierOptions
from app.sip.carrier.process import new_event_loop
from app.sip.carrier.server import Carrier

HOST = "127.0.0.1"
DEFAULT_PORT = 5070
"""Not 5060, which a PBX or a softphone on the same computer may have."""

ACCOUNTS = ("1001", "1002", "1003", "1004")
PASSWORD = "ringback"
"""Well known on purpose: the carrier can't be reached from another computer."""

TICK_S = 0.5
"""A selector on Windows does not notice Ctrl-C while it waits, so it never waits longer."""


class CarrierFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What `ringback carrier --json` gives; the keys stay.

    Attributes:
        host, udp_port, tcp_port: Where it listens.
        accounts: Users there are.
        password: Theirs, the same for all.
        channels: Calls that each may have at a time.
        numbers: What can be dialled.
    """

    host: str
    udp_port: int
    tcp_port: int
    accounts: tuple[str, ...]
    password: str
    channels: int
    numbers: tuple[CarrierNumber, ...]


def run_by_hand(
    port: int | None = None, *, as_json: bool = False, options: CarrierOptions | None = None
) -> int:
    """Run the carrier until Ctrl-C; returns the exit code.

    Args:
        port: UDP and TCP port, 0 for any free one; 5070 if not given.
        as_json: Print one JSON object in place of the list; what happens then goes to standard error.
        options: Strictness, faults, times.

    Raises:
        UserError: The port can't be had.
    """
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        with contextlib.suppress(KeyboardInterrupt):
            runner.run(_run(DEFAULT_PORT if port is None else port, as_json, options or CarrierOptions()))
        return 0


async def _run(port: int, as_json: bool, options: CarrierOptions) -> None:
    log = sys.stderr if as_json else sys.stdout
    stop = asyncio.Event()
    # Windows has no such handler; there Ctrl-C arrives as KeyboardInterrupt
    with contextlib.suppress(NotImplementedError):
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with Carrier(
        accounts=dict.fromkeys(ACCOUNTS, PASSWORD),
        host=HOST,
        udp_port=port,
        tcp_port=port,
        options=options,
        note=lambda line: _say(f"{time.strftime('%H:%M:%S')}  {line}", log),
    ) as carrier:
        facts = CarrierFacts(
            host=HOST,
            udp_port=carrier.udp_port,
            tcp_port=carrier.tcp_port,
            accounts=ACCOUNTS,
            password=PASSWORD,
            channels=options.channels,
            numbers=carrier.numbers,
        )
        if as_json:
            _say(msgspec.json.format(msgspec.json.encode(facts), indent=2).decode(), sys.stdout)
        else:
            for line in _table(facts):
                _say(line, sys.stdout)
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), TICK_S)
        if not as_json:
            _say("Stopping: hanging up what is up.", sys.stdout)


def _table(facts: CarrierFacts) -> list[str]:
    ports = f"UDP and TCP port {facts.udp_port}"
    if facts.udp_port != facts.tcp_port:
        ports = f"UDP port {facts.udp_port}, TCP port {facts.tcp_port}"
    width = max(len(number.title) for number in facts.numbers)
    return [
        f"The demo carrier listens on {facts.host}, {ports}. Only this computer can reach it.",
        f"Users {facts.accounts[0]} to {facts.accounts[-1]}, password {facts.password},"
        f" {facts.channels} calls each at a time; they can call each other too.",
        "",
        *(f"  {number.number}  {number.title:<{width}}  {number.what_happens}" for number in facts.numbers),
        "",
        "Ctrl-C ends it.",
        "",
    ]


def _say(line: str, stream: TextIO) -> None:
    stream.write(line + "\n")
    stream.flush()
