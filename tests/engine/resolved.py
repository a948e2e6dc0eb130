"""Sessions whose host leads to these addresses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from app.model.outcome import Target
from app.model.trunk import Transport
from app.sip.session import TrunkSession
from app.sip.targets import Resolution
from tests.helpers.trunks import Seen, make_trunk

PASSWORD = "canary-5f0c-kept-out-of-sight"


def at(port: int, address: str = "127.0.0.1", transport: Transport = Transport.UDP) -> Target:
    """A target on this machine."""
    return Target(address=address, port=port, transport=transport, name="sip.example.com")


@asynccontextmanager
async def resolved_to(seen: Seen, *targets: Target, **changes: Any) -> AsyncIterator[TrunkSession]:
    """A session whose trunk's name leads to these addresses."""

    async def resolve(*_: object) -> Resolution:
        return Resolution(targets=targets, steps=("asked",))

    opened = TrunkSession(
        make_trunk(5060, transport=targets[0].transport, **changes),
        PASSWORD,
        seen.notices.append,
        on_engine_end=lambda outcome, lost: seen.lost.append((outcome, lost)),
        on_log=seen.log.append,
        resolve=resolve,
    )
    try:
        yield opened
    finally:
        await opened.close()
