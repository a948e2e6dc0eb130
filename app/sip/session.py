"""One trunk at work: its engine, its targets tried in order, its registration and its calls."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from msgspec.structs import replace

from app.errors import EngineError, UserError
from app.model.outcome import AnsweredBy, CallOutcome, LocalCause, RegisterOutcome, Target, TlsFacts
from app.model.trunk import Transport, Trunk, TrunkState
from app.sip.call_book import CallBook
from app.sip.child import ChildOutcome
from app.sip.client import EngineBugError, EngineClient
from app.sip.emergency import dialled_number
from app.sip.messages import (
    AnswerCall,
    CallChanged,
    CallLevels,
    CallMedia,
    DigitReceived,
    Event,
    HangUp,
    OpenAccount,
    OptionsAnswered,
    PlaceCall,
    Register,
    RegistrationChanged,
    RegistrationState,
    RejectCall,
    SendDigits,
    SendOptions,
    SetSource,
    Source,
    TlsHandshake,
    Traced,
)
from app.sip.notices import CallDigit, Notice, TraceAdded, TrunkChanged
from app.sip.probe import udp_refused
from app.sip.sign_in import (
    SignInAnswer,
    cause_in_words,
    outcome_of,
    outcome_of_closed_port,
    outcome_of_ipv6_only,
    outcome_without_address,
    usable,
)
from app.sip.targets import Resolution, ResolveError, resolve

ANSWER_LIMIT_S = 8.0
"""Seconds that one target has to answer: REGISTER has then gone out five times over UDP."""
_PROBE_AFTER_S = 0.7
_FAILOVER_CODES = frozenset({503})
"""Final codes after which the next target is tried (RFC 3263 section 4.3)."""

Resolve = Callable[[str, "int | None", Transport, str], Awaitable[Resolution]]


class TrunkSession:
    """One trunk's engine and what happens in it; belongs to one event loop.

    Args:
        trunk: The settings.
        password: Its secret; kept in memory for a restart of the engine, shown nowhere.
        notify: Gets every notice.
        on_engine_end: Told when the engine ended without having been asked, with the number of calls lost;
            not while `connect` runs, which then raises.
        on_log: Gets the engine's log lines.
        resolve: Finds the targets; a test gives its own.

    Attributes:
        state: The trunk's state.
        outcome: The last registration, None before the first.
    """

    def __init__(
        self,
        trunk: Trunk,
        password: str,
        notify: Callable[[Notice], None],
        *,
        on_engine_end: Callable[[ChildOutcome, int], None],
        on_log: Callable[[str], None] | None = None,
        resolve: Resolve = resolve,
    ) -> None:
        self.trunk = trunk
        self._password = password
        self._notify = notify
        self._on_engine_end = on_engine_end
        self._on_log = on_log
        self._resolve = resolve
        self._engine: EngineClient | None = None
        self._calls = CallBook(trunk.id, trunk.name, notify)
        self._waiting: asyncio.Future[SignInAnswer] | None = None
        self._tls: TlsFacts | None = None
        self._target: Target | None = None
        self._tried: list[Target] = []
        self._connecting = False
        self._stopping = False
        self.state = TrunkState.OFF
        self.outcome: RegisterOutcome | None = None

    @property
    def engine_pid(self) -> int:
        """Process id of the engine, 0 while there is none."""
        return self._engine.pid if self._engine is not None else 0

    # Signing in

    async def connect(self) -> RegisterOutcome:
        """Find the targets, start the engine, sign in; a trunk that does not register is asked for OPTIONS.

        Every failure that a person can do something about is an outcome, not an exception.

        Raises:
            EngineError: The engine can't be started, refuses the settings or is lost; or `close` was called.
            EngineBugError: The engine failed in a way that is our fault.
        """
        self._stopping, self._connecting = False, True
        self._change(TrunkState.CONNECTING, "")
        try:
            outcome = await self._sign_in()
        except asyncio.CancelledError:
            self._gave_up(TrunkState.OFF, "cancelled")
            raise
        except UserError as error:
            self._gave_up(TrunkState.UNREACHABLE, str(error))
            raise
        except EngineBugError:
            self._gave_up(TrunkState.UNREACHABLE, "The engine failed.")
            raise
        finally:
            self._connecting = False
        self.outcome = outcome
        self._change(outcome.state, cause_in_words(outcome), outcome)
        return outcome

    def _gave_up(self, state: TrunkState, cause: str) -> None:
        if not self._stopping:  # else `close` has the last word
            self._change(state, cause)

    async def _sign_in(self) -> RegisterOutcome:
        trunk = self.trunk
        self._tls, self._target, self._tried = None, None, []
        try:
            found = await self._resolve(trunk.host, trunk.port, trunk.transport, trunk.proxy)
        except ResolveError as error:
            return outcome_without_address(trunk.name, error)
        engine = await self._running_engine()
        targets, lookup = usable(found, engine.capabilities)
        if not targets:
            return outcome_of_ipv6_only(trunk.name, found.targets[0], lookup)
        outcome: RegisterOutcome | None = None
        for target in targets:
            self._tried.append(target)
            self._target, self._tls = target, None
            outcome = await self._try_target(engine, target)
            from_network = outcome.answered_by is AnsweredBy.NETWORK
            if outcome.state in (TrunkState.REGISTERED, TrunkState.REACHABLE) or (
                from_network and outcome.sip_code not in _FAILOVER_CODES
            ):
                break
        assert outcome is not None
        return replace(outcome, lookup=lookup)

    async def _try_target(self, engine: EngineClient, target: Target) -> RegisterOutcome:
        trunk = self.trunk
        await engine.request(
            OpenAccount(
                user=trunk.user,
                host=trunk.host,
                port=trunk.port,
                auth_id=trunk.auth_id,
                password=self._password,
                realm=trunk.realm,
                caller_id=trunk.caller_id,
                expires=trunk.expires,
                register=trunk.register,
                codecs=trunk.codecs,
                target=target,
                ca_file=trunk.ca_file,
            )
        )
        ask = Register(limit_s=ANSWER_LIMIT_S) if trunk.register else SendOptions(limit_s=ANSWER_LIMIT_S)
        waiting: asyncio.Future[SignInAnswer]
        self._waiting = waiting = asyncio.get_running_loop().create_future()
        probe = asyncio.create_task(self._refused(target)) if target.transport is Transport.UDP else None
        try:
            await engine.request(ask)
            either: set[asyncio.Future[Any]] = {waiting, probe} if probe else {waiting}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done() and probe is not None and probe.result():
                return outcome_of_closed_port(trunk.name, target, tuple(self._tried))
            answer = await waiting
        finally:
            self._waiting = None
            if probe is not None:
                probe.cancel()
        return self._outcome_of(answer)

    async def _refused(self, target: Target) -> bool:
        """Whether the target's port is closed; comes to an end only when it is, or when it is cancelled."""
        await asyncio.sleep(_PROBE_AFTER_S)
        if await udp_refused(target):
            return True
        await asyncio.Event().wait()
        return False

    def _outcome_of(self, answer: SignInAnswer) -> RegisterOutcome:
        return outcome_of(
            answer, trunk=self.trunk.name, target=self._target, tried=tuple(self._tried), tls=self._tls
        )

    async def _running_engine(self) -> EngineClient:
        self._check_not_closed()
        engine = self._engine
        if engine is None or not engine.running:
            self._engine = engine = EngineClient(
                on_event=self._on_event,
                on_end=lambda outcome: self._engine_ended(outcome) if self._engine is engine else None,
                on_log=self._on_log,
            )
            await engine.start()
            if self._stopping:  # `close` came before there was a process to stop
                await engine.stop()
            self._check_not_closed()
        return engine

    def _check_not_closed(self) -> None:
        if self._stopping:
            raise _cancelled()

    async def close(self) -> None:
        """Hang up, unregister, end the engine."""
        self._stopping = True
        engine, self._engine = self._engine, None
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(_cancelled())
        if engine is not None:
            await engine.stop()
        self._calls.lose_all(LocalCause.OTHER, "The trunk was closed")
        if self.state is not TrunkState.OFF:
            self._change(TrunkState.OFF, "")

    # Calls

    async def place_call(
        self, number: str, *, max_seconds: float, ring_seconds: float, source: Source
    ) -> str:
        """Send INVITE and return the call's id.

        Raises:
            CallRefusedError: An emergency number.
            UserError: Not a number, not connected, or refused by the engine.
        """
        dialled = dialled_number(number, self.trunk.host)
        engine = self._connected_engine()
        call_id = self._calls.begin(number, dialled)
        try:
            await engine.request(
                PlaceCall(
                    call_id=call_id,
                    user=dialled,
                    max_seconds=max_seconds,
                    ring_seconds=ring_seconds,
                    source=source,
                )
            )
        except (UserError, EngineBugError):
            self._calls.withdraw(call_id)
            raise
        return call_id

    async def wait_call(self, call_id: str) -> CallOutcome:
        """Wait for a call's end.

        Raises:
            EngineError: There is no such call.
        """
        return await self._calls.wait(call_id)

    @property
    def calls_up(self) -> int:
        """Calls that have not ended."""
        return self._calls.up

    async def answer(self, call_id: str, *, max_seconds: float, source: Source) -> None:
        """Answer an incoming call."""
        await self._connected_engine().request(
            AnswerCall(call_id=call_id, max_seconds=max_seconds, source=source)
        )

    async def reject(self, call_id: str, code: int) -> None:
        """Refuse an incoming call."""
        await self._connected_engine().request(RejectCall(call_id=call_id, code=code))

    async def hang_up(self, call_id: str) -> None:
        """End a call."""
        await self._connected_engine().request(HangUp(call_id=call_id))

    async def set_source(self, call_id: str, source: Source) -> None:
        """Change what a call sends."""
        await self._connected_engine().request(SetSource(call_id=call_id, source=source))

    async def send_digits(self, call_id: str, digits: str) -> None:
        """Send DTMF digits."""
        await self._connected_engine().request(SendDigits(call_id=call_id, digits=digits))

    def _connected_engine(self) -> EngineClient:
        if self._engine is None or not self._engine.running or self._target is None:
            raise EngineError(f"{self.trunk.name} is not connected.", do="Connect it first.")
        return self._engine

    # What the engine tells

    def _change(self, state: TrunkState, cause: str, outcome: RegisterOutcome | None = None) -> None:
        self.state = state
        self._notify(TrunkChanged(trunk_id=self.trunk.id, state=state, cause=cause, outcome=outcome))

    def _on_event(self, event: Event) -> None:
        trunk_id = self.trunk.id
        match event:
            case Traced(message=message):
                self._notify(TraceAdded(trunk_id=trunk_id, message=message))
            case CallLevels():
                self._calls.on_levels(event)
            case CallMedia():
                self._calls.on_media(event)
            case CallChanged():
                self._calls.on_change(event)
            case RegistrationChanged() | OptionsAnswered():
                self._on_sign_in(event)
            case TlsHandshake(facts=facts):
                self._tls = facts
            case DigitReceived(call_id=call_id, digit=digit):
                self._notify(CallDigit(trunk_id=trunk_id, call_id=call_id, digit=digit))

    def _on_sign_in(self, event: SignInAnswer) -> None:
        if self._waiting is not None:
            if not self._waiting.done():
                self._waiting.set_result(event)
            return
        # A refresh by the stack itself, or the end of the registration; between two targets it is old news
        if isinstance(event, RegistrationChanged) and not (self._stopping or self._connecting):
            if event.state is RegistrationState.UNREGISTERED:
                self._change(TrunkState.OFF, "unregistered")
                return
            self.outcome = outcome = self._outcome_of(event)
            self._change(outcome.state, cause_in_words(outcome), outcome)

    def _engine_ended(self, outcome: ChildOutcome) -> None:
        if self._stopping or outcome.asked:
            return
        self._engine, self._target = None, None
        lost = self._calls.lose_all(LocalCause.ENGINE_LOST, "The engine was lost")
        if self._connecting:
            if self._waiting is not None and not self._waiting.done():
                details = "\n".join(outcome.log_tail)
                self._waiting.set_exception(EngineError(str(outcome), do="Connect again.", details=details))
            return
        self._change(TrunkState.UNREACHABLE, str(outcome))
        self._on_engine_end(outcome, lost)


def _cancelled() -> EngineError:
    return EngineError("Connecting was cancelled.")
