"""Trunks and sessions for tests that drive a real engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from app.model.call import Source
from app.model.outcome import CallOutcome
from app.model.trunk import Transport, Trunk
from app.sip.child import ChildOutcome
from app.sip.notices import CallFigures, Notice
from app.sip.session import TrunkSession
from tests.engine.waiting import until

PLAIN = Trunk(id="trunk-1", name="Main office", host="127.0.0.1", user="1001")


def make_trunk(port: int | None, **changes: Any) -> Trunk:
    """A trunk on this machine; `changes` are fields of `Trunk`."""
    return msgspec.structs.replace(PLAIN, port=port, **changes)


class Seen:
    """Collects what a session tells."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []
        self.lost: list[tuple[ChildOutcome, int]] = []
        self.log: list[str] = []

    def of(self, kind: type[Any]) -> list[Any]:
        """The notices of one kind, in order."""
        return [notice for notice in self.notices if isinstance(notice, kind)]


@asynccontextmanager
async def session(trunk: Trunk, password: str, seen: Seen | None = None) -> AsyncIterator[TrunkSession]:
    """A session that is closed whatever happens."""
    seen = seen or Seen()
    opened = TrunkSession(
        trunk,
        password,
        seen.notices.append,
        on_engine_end=lambda outcome, lost: seen.lost.append((outcome, lost)),
        on_log=seen.log.append,
    )
    try:
        yield opened
    finally:
        await opened.close()


async def call(
    opened: TrunkSession,
    number: str,
    *,
    seconds: float = 1.5,
    ring_seconds: float = 5.0,
    source: Source = Source.TONE,
) -> CallOutcome:
    """Place a call and wait for its end."""
    call_id = await opened.place_call(number, max_seconds=seconds, ring_seconds=ring_seconds, source=source)
    return await opened.wait_call(call_id)


async def call_until_echo(
    opened: TrunkSession, seen: Seen, number: str, *, source: Source = Source.TONE
) -> CallOutcome:
    """Place a call, wait until our own sound has come back in it, and hang up."""
    call_id = await opened.place_call(number, max_seconds=20, ring_seconds=5, source=source)
    await until(
        lambda: any(notice.figures.echo_ms is not None for notice in seen.of(CallFigures)), "our own sound"
    )
    await opened.control.hang_up(call_id)
    return await opened.wait_call(call_id)


def transport_fields(name: str, peers: Any) -> dict[str, Any]:
    """Port, transport and CA file of Kamailio for this transport."""
    ports = {"udp": peers.udp_port, "tcp": peers.tcp_port, "tls": peers.tls_port}
    ca_file = str(peers.ca_file) if name == "tls" else ""
    return {"port": ports[name], "transport": Transport(name), "ca_file": ca_file}
