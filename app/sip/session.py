"""One trunk at work: its engine, its targets tried in order, its registration and its calls."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from msgspec.structs import replace

from app.errors import EngineError, UserError
from app.model.audio_choice import AudioChoice
from app.model.call import Source
from app.model.outcome import AnsweredBy, CallOutcome, LocalCause, RegisterOutcome
from app.model.trunk import Trunk, TrunkState
from app.sip.call_book import CallBook
from app.sip.call_control import CallControl
from app.sip.call_limits import CallLimits
from app.sip.child import ChildOutcome
from app.sip.client import EngineBugError, EngineClient, EngineLostError
from app.sip.dialling import dial, prefixes
from app.sip.loss import LOST_CALL, UNKNOWN_CALL, words_for_trunk
from app.sip.lost_events import LostEvents
from app.sip.messages import (
    AudioDevices,
    AudioInUse,
    CallChanged,
    ConnectionLost,
    EngineFault,
    Event,
    HangUp,
    Hello,
    OptionsAnswered,
    PlaceCall,
    RegistrationChanged,
    RegistrationState,
    StrangerRefused,
    TlsHandshake,
    Traced,
    UseAudio,
)
from app.sip.notices import CallEnded, CallProgress, EngineLost, Notice
from app.sip.passing_on import passed_on
from app.sip.quarantine import Quarantine
from app.sip.recovery import Recovery
from app.sip.sign_in import SignInAnswer, cause_in_words, is_old_news, outcome_by_call
from app.sip.sign_in_walk import Resolve, SignInWalk
from app.sip.strangers import Strangers
from app.sip.targets import resolve
from app.sip.trunk_status import TrunkStatus
from app.system_country import system_countries


class TrunkSession:
    """One trunk's engine and what happens in it; belongs to one event loop.

    Args:
        trunk: The settings.
        password: Its secret; kept in memory for a restart of the engine, shown nowhere.
        notify: Gets every notice.
        on_engine_end: Told when the engine ended without having been asked, with the number of calls lost;
            not while `connect` runs, which then raises. What it returns is added to the cause of the state.
        on_log: Gets the engine's log lines.
        quarantine: What earlier engines of this trunk ended by.
        resolve: Finds the targets; a test gives its own.

    Attributes:
        outcome: The last registration, None before the first.
    """

    def __init__(
        self,
        trunk: Trunk,
        password: str,
        notify: Callable[[Notice], None],
        *,
        on_engine_end: Callable[[ChildOutcome, int], str | None],
        on_log: Callable[[str], None] | None = None,
        audio: AudioChoice | None = None,
        quarantine: Quarantine | None = None,
        resolve: Resolve = resolve,
    ) -> None:
        self.trunk = trunk
        self._audio = audio
        self._notify = notify
        self._on_engine_end = on_engine_end
        self._on_log = on_log
        self._engine: EngineClient | None = None
        self._quarantine = quarantine or Quarantine()
        self._walk = SignInWalk(trunk, password, resolve, self._running_engine, self._quarantine)
        self._calls = CallBook(
            trunk.id, trunk.name, self._on_call_notice, had_password=self._walk.had_password
        )
        self._status = TrunkStatus(trunk, lambda: self._calls.up, notify)
        self._limits = CallLimits(
            hang_up=self._hang_up_within,
            unknown=lambda call_id: self._calls.lose(call_id, LocalCause.OTHER, UNKNOWN_CALL),
            end_engine=self._end_engine,
        )
        self.control = CallControl(trunk, self._connected_engine, notify, self._limits, self._calls.trouble)
        self._recovery = Recovery(
            ask=lambda: self._walk.again(self._connected_engine()),
            walk=self._walk_again,
            calls_up=lambda: self._calls.up,
            show=self._signed_in,
            lost=self._lost_again,
            failed=lambda words: self._status.change(TrunkState.UNREACHABLE, words),
            log=self._log,
        )
        self._connecting = False
        self._stopping = False
        self._lost_connection: ConnectionLost | None = None
        self._lost_after_s: float | None = None
        self._registered_until = 0.0
        self._strangers = Strangers(trunk.id)
        self._lost_events = LostEvents(self._calls, self._limits, sign_in=self._on_lost_answer, log=self._log)
        self.outcome: RegisterOutcome | None = None

    @property
    def state(self) -> TrunkState:
        """The trunk's state; full while as many calls are up as its channels hold."""
        return self._status.state

    @property
    def engine_pid(self) -> int:
        """Process id of the engine, 0 while there is none."""
        return self._engine.pid if self._engine is not None else 0

    # Signing in

    async def connect(self, *, once_more: bool = False) -> RegisterOutcome:
        """Find the targets, start the engine, sign in; a trunk that does not register is asked for OPTIONS.

        Every failure that a person can do something about is an outcome, not an exception.

        Args:
            once_more: Whether to try again, with a new engine, when a message ended the engine: that one is
                then held back, and what comes of it is a result, too.

        Raises:
            EngineError: The engine can't be started, refuses the settings or is lost; or `close` was called.
            EngineBugError: The engine failed in a way that is our fault.
        """
        self._recovery.stop()
        self._stopping, self._connecting, self._lost_connection = False, True, None
        self._status.change(TrunkState.CONNECTING, "")
        try:
            try:
                outcome = await self._walk.run()
            except EngineLostError as error:
                if not once_more or error.outcome.last_message is None:
                    raise
                self._notify(
                    EngineLost(trunk_id=self.trunk.id, outcome=error.outcome, calls_lost=0, restart_in_s=0.0)
                )
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
        self._signed_in(outcome)
        return outcome

    def _signed_in(self, outcome: RegisterOutcome) -> None:
        """Signing in has come to an end; its connection may have been lost again by now."""
        self._learn(outcome)
        if self._lost_connection is not None:
            self._on_connection_lost(self._lost_connection)

    async def _walk_again(self) -> None:
        await self.connect()

    def _lost_again(self, error: EngineLostError) -> None:
        """The engine that `_walk_again` had started ended as well."""
        more = self._on_engine_end(error.outcome, 0) or ""
        self._status.change(TrunkState.UNREACHABLE, f"{error} {more}".rstrip())

    def _gave_up(self, state: TrunkState, cause: str) -> None:
        if not self._stopping:  # else `close` has the last word
            self._status.change(state, cause)

    def _learn(self, outcome: RegisterOutcome) -> None:
        """What signing in, or a refresh of it, has come to."""
        was_up = self._status.is_up
        outcome = replace(outcome, lost_after_s=self._lost_after_s)
        self._lost_after_s = None
        self.outcome = outcome
        self._registered_until = time.monotonic() + outcome.expires_s if outcome.expires_s else 0.0
        self._status.change(outcome.state, cause_in_words(outcome), outcome)
        if self._status.is_up and not was_up:
            self._recovery.up()

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
        self._recovery.stop()
        engine, self._engine = self._engine, None
        self._walk.fail(_cancelled())
        if engine is not None:
            await engine.stop()
        self._limits.clear()
        self._calls.lose_all(LocalCause.OTHER, "The trunk was closed")
        if self.state is not TrunkState.OFF:
            self._status.change(TrunkState.OFF, "")

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
        if self._status.is_full:
            raise UserError(
                f"All channels of {self.trunk.name} are in use: {self._status.load}.",
                do="End a call first, or correct Channels in its settings if more were bought.",
                field="channels",
            )
        call_id = self._calls.begin(number, dialled)
        self._limits.begin(call_id, ring_seconds=ring_seconds, max_seconds=max_seconds)
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
            self._limits.drop(call_id)
            self._calls.withdraw(call_id)
            self._status.count_calls()
            raise
        self._status.count_calls()
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

    async def _hang_up_within(self, call_id: str, limit_s: float) -> None:
        await self._connected_engine().request(HangUp(call_id=call_id), limit_s)

    def _end_engine(self, why: str) -> None:
        if self._engine is not None:
            self._engine.end(why)

    def _log(self, line: str) -> None:
        if self._on_log is not None:
            self._on_log(line)

    # What the engine reports

    def _on_call_notice(self, notice: Notice) -> None:
        self._notify(notice)
        if isinstance(notice, CallProgress | CallEnded):
            self._learn_from(notice)
            self._status.count_calls()

    def _learn_from(self, notice: CallProgress | CallEnded) -> None:
        if self.outcome is None or self._connecting or self._stopping:
            return
        outcome = outcome_by_call(self.outcome, notice, registers=self.trunk.register)
        if outcome is not None:
            self._learn(outcome)

    def _on_event(self, event: Event) -> None:
        match event:
            case Traced() | AudioDevices() | AudioInUse():
                self._notify(passed_on(self.trunk.id, event))
            case CallChanged():
                self._limits.follow(event)
                self._calls.take(event)
            case RegistrationChanged() | OptionsAnswered():
                self._on_sign_in(event)
            case TlsHandshake(facts=facts):
                self._walk.tls = facts
            case ConnectionLost():
                self._on_connection_lost(event)
            case StrangerRefused():
                self._notify(self._strangers.count(event))
            case EngineFault():
                self._lost_events.take(event)
            case Hello():
                pass  # the client's
            case _:
                self._calls.take(event)

    def _on_sign_in(self, event: SignInAnswer) -> None:
        if self._walk.take(event):
            self._lost_connection = None  # what ended before this answer was another connection
            return
        # A refresh by the stack itself, or the end of the registration; between two targets it is old news
        if isinstance(event, RegistrationChanged) and not (self._stopping or self._connecting):
            if event.state is RegistrationState.UNREGISTERED:
                self._status.change(TrunkState.OFF, "unregistered")
                return
            outcome = self._walk.outcome_of(event)
            if is_old_news(self.outcome, outcome):
                return
            if self._recovery.running:
                if outcome.answered_by is not AnsweredBy.NETWORK:
                    return  # known already
                self._recovery.stop()
            self._learn(outcome)

    def _on_connection_lost(self, event: ConnectionLost) -> None:
        if self._connecting or self._recovery.running:
            self._lost_connection = event  # perhaps of the connection that has just worked
            return
        self._lost_connection = None
        if self._stopping or not self._status.is_up or self.trunk.register != event.registered:
            return
        self._lost_after_s = round(self._recovery.up_for_s, 1)
        self._sign_in_again("connection lost" + (f": {event.words}" if event.words else ""))

    def _on_lost_answer(self, error: EngineBugError) -> None:
        asked = self._walk.fail(error)
        if not (asked or self._connecting or self._stopping) and self._status.is_up:
            self._sign_in_again(str(error))

    def _sign_in_again(self, why: str) -> None:
        self._registered_until = 0.0
        self._status.change(TrunkState.CONNECTING, why)
        self._recovery.start()

    def _engine_ended(self, outcome: ChildOutcome) -> None:
        if self._stopping or outcome.asked:
            return
        self._quarantine.learn(outcome)
        self._engine = self._walk.target = None
        self._limits.clear()
        lost = self._calls.lose_all(LocalCause.ENGINE_LOST, LOST_CALL)
        if self._connecting:
            self._walk.fail(EngineLostError(outcome))
            return
        self._recovery.stop()
        registered_s = max(0.0, self._registered_until - time.monotonic())
        words = words_for_trunk(outcome, calls_lost=lost, registered_s=registered_s)
        self._registered_until = 0.0
        more = self._on_engine_end(outcome, lost) or ""
        self._status.change(TrunkState.UNREACHABLE, f"{words} {more}".rstrip())


def _cancelled() -> EngineError:
    return EngineError("Connecting was cancelled.")
