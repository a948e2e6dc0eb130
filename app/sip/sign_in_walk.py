"""Signing in: every address of every server of a trunk, tried in order until one gives a final answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from msgspec.structs import replace

from app.errors import EngineError
from app.model.host import HostPort
from app.model.outcome import LocalCause, RegisterOutcome, Target, TlsFacts
from app.model.password import traits_of
from app.model.trunk import Transport, Trunk
from app.sip.client import EngineClient, EngineRefusedError
from app.sip.messages import OpenAccount, Register, SendOptions
from app.sip.opening import account_of, servers
from app.sip.probe import udp_refused
from app.sip.quarantine import Quarantine
from app.sip.sign_in import (
    SignInAnswer,
    is_final,
    outcome_of,
    outcome_of_closed_port,
    outcome_of_endless_lookup,
    outcome_of_ipv6_only,
    outcome_of_refusal,
    outcome_without_address,
    usable,
    with_held_back,
)
from app.sip.targets import Resolution, ResolveError

ANSWER_LIMIT_S = 8.0
"""Seconds that one target has to answer: REGISTER has then gone out five times over UDP."""
REPORT_LIMIT_S = 24.0
"""Seconds within which an engine that works has reported, whatever the target did: three answers' time."""
LOOKUP_LIMIT_S = 20.0
"""Seconds for finding the addresses of one server; the lookup's own limit is a quarter of that."""
_PROBE_AFTER_S = 0.7

Resolve = Callable[[str, "int | None", Transport, str], Awaitable[Resolution]]


class SignInWalk:
    """Belongs to one event loop, as the session does whose way in it finds.

    Args:
        trunk: The settings.
        password: Its secret, shown nowhere.
        resolve: Finds the targets.
        engine: Gives the running engine, which it starts where needed, or raises `EngineError`.
        quarantine: What earlier engines ended by.

    Attributes:
        target: The address tried last, which the account in the engine has; None while there is none.
        tls: What was seen of its certificate.
    """

    def __init__(
        self,
        trunk: Trunk,
        password: str,
        resolve: Resolve,
        engine: Callable[[], Awaitable[EngineClient]],
        quarantine: Quarantine,
    ) -> None:
        self._trunk = trunk
        self._password = password if trunk.needs_password else ""
        self._quarantine = quarantine
        self._resolve = resolve
        self._running_engine = engine
        self._waiting: asyncio.Future[SignInAnswer] | None = None
        self._tried: list[Target] = []
        self._addresses: list[str] = []
        self._silent: tuple[EngineClient, HostPort, Target] | None = None
        self.target: Target | None = None
        self.tls: TlsFacts | None = None

    async def run(self) -> RegisterOutcome:
        """Walk from the first server on; a trunk that does not register is asked for OPTIONS.

        Raises:
            EngineError: The engine can't be started, refuses the settings or is lost; or `fail` was called.
            EngineBugError: The engine failed in a way that is our fault.
        """
        self.tls, self.target, self._tried, self._silent = None, None, [], None
        self._addresses = []
        lookup: list[str] = []
        best: RegisterOutcome | None = None
        for server in servers(self._trunk):
            if best is not None:
                lookup.append(f"The backup host {server} comes next.")
            outcome = await self._try_server(server, lookup)
            if is_final(outcome):
                return replace(outcome, lookup=tuple(lookup), **self._about_password)
            # Of several failures the last one that came from a server says most
            best = outcome if best is None or outcome.tried else best
        assert best is not None
        await self._go_back_to_first()
        return replace(best, lookup=tuple(lookup), **self._about_password)

    def take(self, answer: SignInAnswer) -> bool:
        """Whether the walk was waiting for an answer, which this one then is."""
        if self._waiting is None:
            return False
        if not self._waiting.done():
            self._waiting.set_result(answer)
        return True

    def fail(self, error: Exception) -> bool:
        """Have a wait for an answer end with this; whether there was one."""
        if self._waiting is None:
            return False
        if not self._waiting.done():
            self._waiting.set_exception(error)
        return True

    def outcome_of(self, answer: SignInAnswer) -> RegisterOutcome:
        """What an answer of the present target means."""
        outcome = outcome_of(
            answer, trunk=self._trunk.name, target=self.target, tried=tuple(self._tried), tls=self.tls
        )
        return replace(with_held_back(outcome, self._quarantine.messages), **self._about_password)

    @property
    def _about_password(self) -> dict[str, Any]:
        """What an outcome says about it: nothing that it could be guessed by."""
        return {"had_password": self.had_password, "password_traits": traits_of(self._password)}

    @property
    def had_password(self) -> bool:
        """Whether there is a password to answer a challenge with."""
        return bool(self._password)

    async def _go_back_to_first(self) -> None:
        """Calls of a trunk whose servers all ignore OPTIONS go to the first of them, not to the last."""
        if self._silent is None or self._trunk.register:
            return
        engine, server, target = self._silent
        if target != self.target:
            self.target = target
            await engine.request(self._account(server, target))

    def _account(self, server: HostPort, target: Target) -> OpenAccount:
        others = dict.fromkeys(address for address in self._addresses if address != target.address)
        return account_of(
            self._trunk,
            self._password,
            server,
            target,
            servers=tuple(others),
            quarantine=self._quarantine.fingerprints,
        )

    async def _try_server(self, server: HostPort, lookup: list[str]) -> RegisterOutcome:
        """Try every address of one server; the steps of finding them are added to `lookup`."""
        trunk = self._trunk
        try:
            async with asyncio.timeout(LOOKUP_LIMIT_S):
                found = await self._resolve(server.host, server.port, trunk.transport, trunk.proxy)
        except ResolveError as error:
            lookup.extend(error.steps)
            return outcome_without_address(trunk.name, error)
        except TimeoutError:
            lookup.append(f"The lookup of {server.host} did not end within {LOOKUP_LIMIT_S:g} seconds.")
            return outcome_of_endless_lookup(trunk.name, server.host)
        self._addresses += [target.address for target in found.targets]
        engine = await self._running_engine()
        targets, steps = usable(found, engine.capabilities)
        lookup.extend(steps)
        if not targets:
            return outcome_of_ipv6_only(trunk.name, found.targets[0], steps)
        for target in targets:
            self._tried.append(target)
            self.target, self.tls = target, None
            outcome = await self._try_target(engine, server, target)
            if is_final(outcome):
                break
            if outcome.local_cause is LocalCause.NO_ANSWER:
                self._silent = self._silent or (engine, server, target)
        return outcome

    async def _try_target(self, engine: EngineClient, server: HostPort, target: Target) -> RegisterOutcome:
        try:
            await engine.request(self._account(server, target))
        except EngineRefusedError as refusal:
            if refusal.local_cause is LocalCause.NONE:
                raise
            # Said of the network, not of the settings: a result like any other, and the next address may do
            return outcome_of_refusal(self._trunk.name, refusal, target, tuple(self._tried))
        return await self._ask(engine, target)

    async def again(self, engine: EngineClient) -> RegisterOutcome:
        """Ask the target once more on the account that is open, as after a lost connection; calls stay up.

        Raises:
            EngineError, EngineBugError: As `run`.
        """
        assert self.target is not None
        return replace(await self._ask(engine, self.target), **self._about_password)

    async def _ask(self, engine: EngineClient, target: Target) -> RegisterOutcome:
        trunk = self._trunk
        ask = Register(limit_s=ANSWER_LIMIT_S) if trunk.register else SendOptions(limit_s=ANSWER_LIMIT_S)
        waiting: asyncio.Future[SignInAnswer]
        self._waiting = waiting = asyncio.get_running_loop().create_future()
        # An engine that reads ICMP errors reports a closed port by itself, at once
        hears = engine.capabilities is not None and engine.capabilities.reads_icmp
        probed = target.transport is Transport.UDP and not hears
        probe = asyncio.create_task(_refused(target)) if probed else None
        try:
            await engine.request(ask)
            either: set[asyncio.Future[Any]] = {waiting, probe} if probe else {waiting}
            await asyncio.wait(either, timeout=REPORT_LIMIT_S, return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done() and probe is not None and probe.done() and probe.result():
                return outcome_of_closed_port(trunk.name, target, tuple(self._tried))
            if not waiting.done():
                why = f"The engine did not report within {REPORT_LIMIT_S:g} seconds and was ended."
                engine.end(why)
                raise EngineError(why, do="Connect again.")
            answer = waiting.result()
        finally:
            self._waiting = None
            if not waiting.cancel():
                waiting.exception()  # looked at, whoever else was cancelled in the same moment
            if probe is not None:
                probe.cancel()
        return self.outcome_of(answer)


async def _refused(target: Target) -> bool:
    """Whether the target's port is closed; comes to an end only when it is, or when it is cancelled."""
    await asyncio.sleep(_PROBE_AFTER_S)
    if await udp_refused(target):
        return True
    await asyncio.Event().wait()
    return False
