"""The parent's end of the demo carrier: starts it, knows its trunk, ends it."""

from __future__ import annotations

import asyncio
import secrets
import uuid
from collections.abc import Callable
from typing import Any

import msgspec

from app.errors import EngineError
from app.model.trunk import Transport, Trunk
from app.sip.carrier.messages import (
    CARRIER_PROTOCOL_VERSION,
    CarrierNumber,
    CarrierOptions,
    CarrierReady,
    CarrierRefused,
    FromCarrier,
    StartCarrier,
    Stop,
)
from app.sip.child import Child, ChildOutcome, Role
from app.sip.wire import LineDecoder, WireError, encode

DEMO_USER = "1001"
DEMO_HOST = "127.0.0.1"
READY_LIMIT_S = 15.0
"""From start to ready; a slow disk or a virus scanner may need most of it the first time."""


class DemoAccount(msgspec.Struct, frozen=True, kw_only=True):
    """The account that the carrier was started with; the password is shown in no repr."""

    user: str
    password: str

    def __repr__(self) -> str:
        """Without the password."""
        return f"DemoAccount(user={self.user!r}, password=<hidden>)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """The same for pretty printers, which would take msgspec's own list of all fields."""
        return [("user", self.user), ("password", "<hidden>")]


class DemoCarrier:
    """One demo carrier in a child process; all methods belong to the event loop that started it.

    Args:
        options: Strictness, faults, times.
        on_end: Gets the outcome when the process ends, asked or not.
        on_log: Gets the carrier's log, one line a REGISTER and a call.
        ready_s: Limit for the start, seconds.
    """

    def __init__(
        self,
        *,
        options: CarrierOptions | None = None,
        on_end: Callable[[ChildOutcome], None] | None = None,
        on_log: Callable[[str], None] | None = None,
        ready_s: float = READY_LIMIT_S,
    ) -> None:
        self.account = DemoAccount(user=DEMO_USER, password=secrets.token_urlsafe(18))
        self._options = options or CarrierOptions()
        self._on_end = on_end
        self._ready_s = ready_s
        self._child = Child(Role.CARRIER, on_line=self._line, on_end=self._ended, on_log=on_log)
        self._decoder: LineDecoder[FromCarrier] = LineDecoder(FromCarrier)
        self._ready: CarrierReady | None = None
        self._first: asyncio.Future[CarrierReady | EngineError] | None = None

    @property
    def port(self) -> int:
        """Its UDP port, and nearly always its TCP port; 0 before it is ready."""
        return self._ready.udp_port if self._ready else 0

    @property
    def tcp_port(self) -> int:
        """Its TCP port; 0 before it is ready."""
        return self._ready.tcp_port if self._ready else 0

    @property
    def numbers(self) -> tuple[CarrierNumber, ...]:
        """What can be dialled."""
        return self._ready.numbers if self._ready else ()

    @property
    def user(self) -> str:
        """User of the account."""
        return self.account.user

    @property
    def password(self) -> str:
        """Password of the account: a new one for each carrier."""
        return self.account.password

    @property
    def pid(self) -> int:
        """Process id; 0 before the start."""
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether it is ready and has not ended."""
        return self._ready is not None and self._child.outcome is None

    @property
    def outcome(self) -> ChildOutcome | None:
        """How it ended; None while it runs."""
        return self._child.outcome

    async def start(self) -> None:
        """Start it and wait until it listens.

        Raises:
            EngineError: It could not be started or was not ready in time; nothing is left running.
        """
        self._first = asyncio.get_running_loop().create_future()
        await self._child.start()
        try:
            accounts = {self.account.user: self.account.password}
            self._child.send(encode(StartCarrier(accounts=accounts, options=self._options)))
            async with asyncio.timeout(self._ready_s):
                first = await self._first
        except TimeoutError:
            first = EngineError(
                f"The demo carrier was not ready within {self._ready_s:g} seconds.",
                do="Close other programs and try again.",
            )
        except asyncio.CancelledError:
            await self.stop()
            raise
        if isinstance(first, EngineError):
            await self.stop()
            raise first
        self._ready = first

    def trunk(self, name: str = "Demo carrier", *, transport: Transport = Transport.UDP) -> Trunk:
        """A trunk that fits it, with a new id; its password is `password`."""
        return Trunk(
            id=uuid.uuid4().hex,
            name=name,
            host=DEMO_HOST,
            port=self.port if transport is Transport.UDP else self.tcp_port,
            transport=transport,
            user=self.account.user,
        )

    async def stop(self) -> ChildOutcome | None:
        """Hang up all its calls and end it; returns how it ended."""
        return await self._child.stop(encode(Stop()))

    def _line(self, line: bytes) -> None:
        try:
            message = self._decoder.decode(line)
        except WireError as error:
            self._tell(_broken(str(error)))
            self._child.kill()
            return
        if isinstance(message, CarrierRefused):
            self._tell(EngineError(message.what, do=message.do))
        elif message.protocol != CARRIER_PROTOCOL_VERSION:
            self._tell(_broken(f"protocol {message.protocol} instead of {CARRIER_PROTOCOL_VERSION}"))
        else:
            self._tell(message)

    def _tell(self, first: CarrierReady | EngineError) -> None:
        if self._first and not self._first.done():
            self._first.set_result(first)

    def _ended(self, outcome: ChildOutcome) -> None:
        details = "\n".join(outcome.log_tail)
        self._tell(EngineError(str(outcome), do="Try again, or install Ringback again.", details=details))
        if self._on_end:
            self._on_end(outcome)


def _broken(details: str) -> EngineError:
    return EngineError(
        "The demo carrier said something that Ringback does not understand.",
        do="Install Ringback again.",
        details=details,
    )
