"""One trunk at work: its engine, its targets tried in order, its registration and its calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from app.errors import EngineError, UserError
from app.model.audio_choice import AudioChoice
from app.model.call import Source
from app.model.outcome import CallOutcome, LocalCause, RegisterOutcome
from app.model.trunk import Trunk, TrunkState
from app.sip.call_book import CallBook
from app.sip.call_control import CallControl
from app.sip.child import ChildOutcome
from app.sip.client import EngineBugError, EngineClient
from app.sip.dialling import dial, prefixes
from app.sip.messages import (
    AudioDevices,
    AudioInUse,
    CallChanged,
    CallHeld,
    CallLevels,
    CallMedia,
    CallRecorded,
    CallTransferred,
    DigitReceived,
    Event,
    OptionsAnswered,
    PlaceCall,
    RegistrationChanged,
    RegistrationState,
    TlsHandshake,
    Traced,
    UseAudio,
)
from app.sip.notices import (
    AudioChanged,
    CallEnded,
    CallProgress,
    DevicesFound,
    Notice,
    TraceAdded,
    TrunkChanged,
)
from app.sip.sign_in import SignInAnswer, cause_in_words, is_old_news, outcome_by_call
from app.sip.sign_in_walk import Resolve, SignInWalk
from app.sip.targets import resolve
from app.system_country import system_countries

_UP = frozenset({TrunkState.REGISTERED, TrunkState.REACHABLE})


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
        state: The trunk's state; full while as many calls are up as its channels hold.
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
        audio: AudioChoice | None = None,
        resolve: Resolve = resolve,
    ) -> None:
        self.trunk = trunk
        self._audio = audio
        self._notify = notify
        self._on_engine_end = on_engine_end
        self._on_log = on_log
        self._engine: EngineClient | None = None
        self._calls = CallBook(trunk.id, trunk.name, self._on_call_notice)
        self.control = CallControl(trunk, self._connected_engine, notify)
        self._walk = SignInWalk(trunk, password, resolve, self._running_engine)
        self._connecting = False
        self._stopping = False
        self._signed_in = TrunkState.OFF
        self._cause = ""
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
            outcome = await self._walk.run()
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
            if self._audio is not None:
                await engine.request(UseAudio(choice=self._audio))
        return engine

    def _check_not_closed(self) -> None:
        if self._stopping:
            raise _cancelled()

    async def close(self) -> None:
        """Hang up, unregister, end the engine."""
        self._stopping = True
        engine, self._engine = self._engine, None
        self._walk.fail(_cancelled())
        if engine is not None:
            await engine.stop()
        self._calls.lose_all(LocalCause.OTHER, "The trunk was closed")
        if self.state is not TrunkState.OFF:
            self._change(TrunkState.OFF, "")

    # Calls

    async def place_call(
        self,
        number: str,
        *,
        max_seconds: float,
        ring_seconds: float,
        source: Source,
        on_begin: Callable[[str, str], None] | None = None,
    ) -> str:
        """Send INVITE and return the call's id.

        Args:
            number: As typed.
            max_seconds, ring_seconds: The longest that it may last and ring.
            source: What is sent.
            on_begin: Gets the call's id and the user part that is dialled, before anything is sent.

        Raises:
            CallRefusedError: An emergency number.
            UserError: Not a number, not connected, all channels in use, or refused by the engine.
        """
        dialled = dial(number, self.trunk, system_countries()).user
        engine = self._connected_engine()
        if self._is_full():
            raise UserError(
                f"All channels of {self.trunk.name} are in use: {self._load()}.",
                do="End a call first, or correct Channels in its settings if more were bought.",
                field="channels",
            )
        call_id = self._calls.begin(number, dialled)
        if on_begin is not None:
            on_begin(call_id, dialled)
        try:
            await engine.request(
                PlaceCall(
                    call_id=call_id,
                    user=dialled,
                    country=self.trunk.country,
                    prefixes=prefixes(self.trunk.tech_prefix, self.trunk.tech_separator),
                    max_seconds=max_seconds,
                    ring_seconds=ring_seconds,
                    source=source,
                )
            )
        except (UserError, EngineBugError):
            self._calls.withdraw(call_id)
            self._count_calls()
            raise
        self._count_calls()
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

    async def use_audio(self, choice: AudioChoice | None) -> None:
        """Use these sound devices for calls, now and after a restart of the engine; None for none."""
        self._audio = choice
        if self._engine is not None and self._engine.running:
            await self._engine.request(UseAudio(choice=choice))

    def _connected_engine(self) -> EngineClient:
        if self._engine is None or not self._engine.running or self._walk.target is None:
            raise EngineError(f"{self.trunk.name} is not connected.", do="Connect it first.")
        return self._engine

    # What the engine tells

    def _change(self, state: TrunkState, cause: str, outcome: RegisterOutcome | None = None) -> None:
        self._signed_in, self._cause = state, cause
        full = state in _UP and self._is_full()
        self._show(TrunkState.FULL if full else state, cause, outcome)

    def _show(self, state: TrunkState, cause: str, outcome: RegisterOutcome | None = None) -> None:
        self.state = state
        self._notify(TrunkChanged(trunk_id=self.trunk.id, state=state, cause=cause, outcome=outcome))

    def _is_full(self) -> bool:
        channels = self.trunk.channels
        return channels is not None and self.calls_up >= channels

    def _load(self) -> str:
        return f"{self.calls_up} of {self.trunk.channels} calls are up"

    def _count_calls(self) -> None:
        """Tell when the last channel is taken, and when one is free again."""
        if self._signed_in not in _UP:
            return
        full = self._is_full()
        if full and self.state is not TrunkState.FULL:
            self._show(TrunkState.FULL, self._load())
        elif not full and self.state is TrunkState.FULL:
            self._show(self._signed_in, self._cause)

    def _on_call_notice(self, notice: Notice) -> None:
        self._notify(notice)
        if isinstance(notice, CallProgress | CallEnded):
            self._learn_from(notice)
            self._count_calls()

    def _learn_from(self, notice: CallProgress | CallEnded) -> None:
        if self.outcome is None or self._connecting or self._stopping:
            return
        outcome = outcome_by_call(self.outcome, notice, registers=self.trunk.register)
        if outcome is not None:
            self.outcome = outcome
            self._change(outcome.state, cause_in_words(outcome), outcome)

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
                self._walk.tls = facts
            case CallHeld() | CallTransferred() | CallRecorded() | DigitReceived():
                self._calls.on_control(event)
            case AudioDevices(microphones=microphones, speakers=speakers):
                self._notify(DevicesFound(trunk_id=trunk_id, microphones=microphones, speakers=speakers))
            case AudioInUse(microphone=microphone, speaker=speaker, note=note):
                self._notify(
                    AudioChanged(trunk_id=trunk_id, microphone=microphone, speaker=speaker, note=note)
                )

    def _on_sign_in(self, event: SignInAnswer) -> None:
        if self._walk.take(event):
            return
        # A refresh by the stack itself, or the end of the registration; between two targets it is old news
        if isinstance(event, RegistrationChanged) and not (self._stopping or self._connecting):
            if event.state is RegistrationState.UNREGISTERED:
                self._change(TrunkState.OFF, "unregistered")
                return
            outcome = self._walk.outcome_of(event)
            if is_old_news(self.outcome, outcome):
                return
            self.outcome = outcome
            self._change(outcome.state, cause_in_words(outcome), outcome)

    def _engine_ended(self, outcome: ChildOutcome) -> None:
        if self._stopping or outcome.asked:
            return
        self._engine = self._walk.target = None
        lost = self._calls.lose_all(LocalCause.ENGINE_LOST, "The engine was lost")
        if self._connecting:
            details = "\n".join(outcome.log_tail)
            self._walk.fail(EngineError(str(outcome), do="Connect again.", details=details))
            return
        self._change(TrunkState.UNREACHABLE, str(outcome))
        self._on_engine_end(outcome, lost)


def _cancelled() -> EngineError:
    return EngineError("Connecting was cancelled.")
