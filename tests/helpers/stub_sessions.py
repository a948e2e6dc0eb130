"""Sessions with stub engines: three addresses, and what happens at each REGISTER."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from msgspec.structs import replace

from app.model.outcome import Target
from app.model.trunk import Transport, TrunkState
from app.sip.messages import RegistrationState
from app.sip.notices import TrunkChanged
from app.sip.quarantine import Quarantine
from app.sip.session import TrunkSession
from app.sip.targets import Resolution
from tests.helpers.engine_stub import GRANTED, Script, Turn
from tests.helpers.trunks import Seen, make_trunk

TARGETS = tuple(
    Target(address=f"192.0.2.{number}", port=5060, transport=Transport.TCP, name="sip.example.com")
    for number in (1, 2, 3)
)


def refusal(code: int, phrase: str = "Phrase") -> Any:
    """A REGISTER that the network refused."""
    return replace(GRANTED, state=RegistrationState.FAILED, sip_code=code, reason=phrase, expires_s=0)


async def resolves(*_: object) -> Resolution:
    """Three addresses."""
    return Resolution(targets=TARGETS, steps=("asked", "answered"))


@asynccontextmanager
async def opened(
    seen: Seen, resolve: Any = resolves, *, quarantine: Quarantine | None = None, **changes: Any
) -> AsyncIterator[TrunkSession]:
    """A session that is closed whatever happens."""
    made = TrunkSession(
        make_trunk(5060, transport=Transport.TCP, **changes),
        "secret",
        seen.notices.append,
        on_engine_end=lambda outcome, lost: seen.lost.append((outcome, lost)),
        on_log=seen.log.append,
        resolve=resolve,
        quarantine=quarantine,
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
