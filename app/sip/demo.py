"""The parent's end of the demo carrier: starts it, knows its trunk, ends it."""

from __future__ import annotations

import asyncio
import secrets
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from app.errors import EngineError
from app.model.trunk import SignIn, Transport, Trunk
from app.sip.carrier.messages import (
    CARRIER_PROTOCOL_VERSION,
    CarrierNumber,
    CarrierOptions,
    CarrierReady,
    CarrierRefused,
    FromCarrier,
    StartCarrier,
    Stop,
    ca_file_name,
)
from app.sip.child import Child, ChildOutcome, Role
from app.sip.wire import LineDecoder, WireError, encode

DEMO_USER = "1001"
DEMO_HOST = "127.0.0.1"
READY_LIMIT_S = 15.0
"""From start to ready; a slow disk or a virus scanner may need most of it the first time."""


class DemoAccount(msgspec.Struct, frozen=True, kw_only=True):
    """The account that the carrier was started with; the password is shown in no repr.

    Attributes:
        user: User part of its address of record.
        password: Its password.
        auth_user: The name that signs in for it, empty for `user`.
    """

    user: str
    password: str
    auth_user: str = ""

    def __repr__(self) -> str:
        """Without the password."""
        return f"DemoAccount(user={self.user!r}, auth_user={self.auth_user!r}, password=<hidden>)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """The same for pretty printers, which would take msgspec's own list of all fields."""
        return [("user", self.user), ("auth_user", self.auth_user), ("password", "<hidden>")]


class DemoCarrier:
    """One demo carrier in a child process; all methods belong to the event loop that started it.

    Args:
        options: Strictness, faults, times, provider to play.
        account: The account that it has; a user with a new password if not given.
        on_end: Gets the outcome when the process ends, asked or not.
        on_log: Gets the carrier's log, one line a REGISTER and a call.
        ready_s: Limit for the start, seconds.
    """

    def __init__(
        self,
        *,
        options: CarrierOptions | None = None,
        account: DemoAccount | None = None,
        on_end: Callable[[ChildOutcome], None] | None = None,
        on_log: Callable[[str], None] | None = None,
        ready_s: float = READY_LIMIT_S,
    ) -> None:
        self.account = account or DemoAccount(user=DEMO_USER, password=secrets.token_urlsafe(18))
        self._options = options or CarrierOptions()
        self._on_end = on_end
        self._ready_s = ready_s
        self._child = Child(Role.CARRIER, on_line=self._line, on_end=self._ended, on_log=on_log)
        self._decoder: LineDecoder[FromCarrier] = LineDecoder(FromCarrier)
        self._ready: CarrierReady | None = None
        self._first: asyncio.Future[CarrierReady | EngineError] | None = None

    @property
    def port(self) -> int:
        """Its UDP port, and nearly always its TCP port; 0 before it is ready.

        A provider without UDP has its TCP port here, and one that has only TLS that.
        """
        return next((port for transport in Transport if (port := self.port_for(transport))), 0)

    @property
    def tcp_port(self) -> int:
        """Its TCP port; 0 before it is ready, and while it plays a provider without TCP."""
        return self._ready.tcp_port if self._ready else 0

    @property
    def tls_port(self) -> int:
        """Its TLS port; 0 before it is ready, and where it has no TLS."""
        return self._ready.tls_port if self._ready else 0

    def port_for(self, transport: Transport) -> int:
        """Its port for a transport, 0 where it has none."""
        if self._ready is None:
            return 0
        ready = self._ready
        ports = {
            Transport.UDP: ready.udp_port,
            Transport.TCP: ready.tcp_port,
            Transport.TLS: ready.tls_port,
        }
        return ports[transport]

    @property
    def numbers(self) -> tuple[CarrierNumber, ...]:
        """What can be dialled."""
        return self._ready.numbers if self._ready else ()

    @property
    def plays(self) -> tuple[str, ...]:
        """What it does as the provider does, a sentence each."""
        return self._ready.plays if self._ready else ()

    @property
    def lenient(self) -> tuple[str, ...]:
        """What it does not know of the provider and takes as it comes, a sentence each."""
        return self._ready.lenient if self._ready else ()

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
            auth_users = {self.account.user: self.account.auth_user} if self.account.auth_user else {}
            start = StartCarrier(accounts=accounts, auth_users=auth_users, options=self._options)
            self._child.send(encode(start))
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

    def write_ca(self, folder: Path) -> Path:
        """Write the certificate that a trunk over TLS has to trust into a folder; it holds no secret.

        Raises:
            OSError: It can't be written.
        """
        path = folder / ca_file_name(self.tls_port)
        path.write_text(self._ready.ca_pem if self._ready else "", encoding="ascii")
        return path

    def trunk(
        self, name: str = "Demo carrier", *, transport: Transport = Transport.UDP, ca_file: str = ""
    ) -> Trunk:
        """A trunk that fits it, with a new id; its password is `password`.

        For a provider that is played it signs in as its customers do and names a host of the provider's;
        how numbers are written is left to whoever calls.

        Args:
            name: Its name.
            transport: How it goes to the carrier.
            ca_file: For TLS, what `write_ca` has written.
        """
        port = self.port_for(transport) or self.port
        ready = self._ready
        domain = ready.domain if ready else ""
        return Trunk(
            id=uuid.uuid4().hex,
            name=name,
            provider=self._options.provider,
            sign_in=SignIn(ready.method) if ready and ready.method else SignIn.REGISTER,
            host=domain or DEMO_HOST,
            port=None if domain else port,
            proxy=f"{DEMO_HOST}:{port}" if domain else "",
            transport=transport,
            ca_file=ca_file,
            user=self.account.user,
            auth_id=self.account.auth_user,
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
