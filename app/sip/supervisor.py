"""Keeps one session per trunk and brings lost ones back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from msgspec.structs import replace

from app.errors import EngineError, UserError
from app.model.audio_choice import AudioChoice
from app.model.outcome import AnsweredBy, RegisterOutcome
from app.model.trunk import Trunk, TrunkState
from app.sip.child import ChildOutcome
from app.sip.client import EngineBugError, EngineLostError
from app.sip.comeback import Comeback, Pauses, in_words
from app.sip.loss import SAME_DEATHS, Deaths
from app.sip.notices import EngineLost, Notice, TrunkChanged
from app.sip.quarantine import Quarantine
from app.sip.session import TrunkSession

STEADY_S = 120.0
"""Seconds of quiet after which the next loss counts as the first."""


class Supervisor:
    """All trunks at work; belongs to one event loop.

    Args:
        notify: Gets every notice of every trunk.
        on_log: Gets the engines' log lines with the trunk's name.
        pauses: How long it waits; a test gives its own.
    """

    def __init__(
        self,
        notify: Callable[[Notice], None],
        *,
        on_log: Callable[[str, str], None] | None = None,
        pauses: Pauses | None = None,
    ) -> None:
        self._notify_all = notify
        self._on_log = on_log
        self._pauses = pauses or Pauses()
        self._sessions: dict[str, TrunkSession] = {}
        self._deaths: dict[str, Deaths] = {}
        self._quarantines: dict[str, Quarantine] = {}
        self._comebacks: dict[str, Comeback] = {}
        self._returns: dict[str, asyncio.Task[None]] = {}
        self._not_before: dict[str, float] = {}
        self._was_up: set[str] = set()
        self._audio: AudioChoice | None = None

    def state(self, trunk_id: str) -> TrunkState:
        """The state of a trunk, off when it has no session."""
        session = self._sessions.get(trunk_id)
        return session.state if session else TrunkState.OFF

    def session(self, trunk_id: str) -> TrunkSession:
        """The session of a trunk.

        Raises:
            EngineError: It is not connected.
        """
        session = self._sessions.get(trunk_id)
        if session is None:
            raise EngineError("The trunk is not connected.", do="Connect it first.")
        return session

    @property
    def calls_up(self) -> int:
        """Calls up on all trunks."""
        return sum(session.calls_up for session in self._sessions.values())

    async def connect(self, trunk: Trunk, password: str) -> RegisterOutcome:
        """Open a session (an old one of the same trunk is closed first) and sign in.

        Raises:
            UserError: The trunk is switched off.
            EngineError: The engine can't be started or is lost while it signs in.
            EngineBugError: The engine failed in a way that is our fault.
        """
        if not trunk.connect:
            raise UserError(
                f"{trunk.name} is switched off.", do="Switch Connect on in its settings.", field="connect"
            )
        await self.disconnect(trunk.id)
        while trunk.id in self._sessions:
            await self.disconnect(trunk.id)  # connected by somebody else in the meantime
        self._deaths.pop(trunk.id, None)
        quarantine = self._quarantines.setdefault(trunk.id, Quarantine())
        session = TrunkSession(
            trunk,
            password,
            self._notify,
            on_engine_end=lambda outcome, lost: self._engine_ended(trunk.id, outcome, lost),
            on_log=lambda line: self._log(trunk.name, line),
            audio=self._audio,
            quarantine=quarantine,
        )
        self._sessions[trunk.id] = session
        held = quarantine.messages
        outcome = await session.connect(once_more=True)
        if held and held == quarantine.messages and outcome.answered_by is not AnsweredBy.NETWORK:
            # Perhaps what is missing is the very message that is held back: the next time, by hand, it is not
            quarantine.clear()
        return outcome

    async def disconnect(self, trunk_id: str) -> None:
        """Hang up, unregister and end the trunk's engine; nothing happens when it has none."""
        self._was_up.discard(trunk_id)
        self._not_before.pop(trunk_id, None)
        session = self._sessions.pop(trunk_id, None)
        self._comebacks.pop(trunk_id, None)
        returning = self._returns.pop(trunk_id, None)
        if returning is not None:
            returning.cancel()
            await asyncio.gather(returning, return_exceptions=True)
        if session is not None:
            await session.close()

    async def use_audio(self, choice: AudioChoice | None) -> None:
        """Have the calls of all trunks use these sound devices, or none."""
        self._audio = choice
        await asyncio.gather(*(session.use_audio(choice) for session in self._sessions.values()))

    async def close(self) -> None:
        """Disconnect every trunk, side by side."""
        await asyncio.gather(*(self.disconnect(trunk_id) for trunk_id in list(self._sessions)))

    def _notify(self, notice: Notice) -> None:
        self._notify_all(self._watch(notice) if isinstance(notice, TrunkChanged) else notice)

    def _watch(self, notice: TrunkChanged) -> TrunkChanged:
        """See to it that a trunk comes back; returns the notice, which says when."""
        trunk_id, outcome = notice.trunk_id, notice.outcome
        comeback = self._comebacks.get(trunk_id)
        if notice.state in (TrunkState.REGISTERED, TrunkState.REACHABLE, TrunkState.FULL):
            self._was_up.add(trunk_id)
            if comeback is not None:
                comeback.done()
            return notice
        if trunk_id not in self._was_up:
            return notice  # what a person's own Connect comes to stays as it is
        if outcome is None:
            if notice.state is TrunkState.UNREACHABLE and comeback is None:
                self._come_back(trunk_id, self._pauses.retry)
            return notice
        if comeback is None:
            comeback = Comeback(self._pauses, self._pauses.retry)
        comeback.learn(outcome)
        if comeback.pause_s is None:
            return notice
        if outcome.answered_by is AnsweredBy.NETWORK:
            self._not_before[trunk_id] = time.monotonic() + comeback.pause_s
        if trunk_id not in self._comebacks:
            self._begin(trunk_id, comeback)
        return replace(notice, cause=f"{notice.cause}; next try in {in_words(comeback.pause_s)}")

    def _log(self, name: str, line: str) -> None:
        if self._on_log is not None:
            self._on_log(name, line)

    def _engine_ended(self, trunk_id: str, outcome: ChildOutcome, lost: int) -> str:
        """Start it again after a pause; returns why that is a long one, if it is."""
        deaths = self._deaths.setdefault(trunk_id, Deaths())
        before = deaths.within(STEADY_S)
        deaths.add(outcome)
        why = deaths.why_slowly
        if why:
            delays, turn = self._pauses.slow_restart, max(0, deaths.count - SAME_DEATHS)
        else:
            delays, turn = self._pauses.restart, before
        former = self._returns.pop(trunk_id, None)
        if former is not None:
            former.cancel()
        pause = self._come_back(trunk_id, delays, turn)
        self._notify_all(
            EngineLost(
                trunk_id=trunk_id, outcome=outcome, calls_lost=lost, restart_in_s=pause, why_slowly=why
            )
        )
        return f"{why} The next start is in {in_words(pause)}." if why else ""

    def _come_back(self, trunk_id: str, delays: tuple[float, ...], turn: int = 0) -> float:
        """Begin to bring a trunk back; returns the seconds until the first attempt."""
        comeback = Comeback(self._pauses, delays, turn)
        comeback.failed()
        self._begin(trunk_id, comeback)
        return self._wait_s(trunk_id, comeback)

    def _begin(self, trunk_id: str, comeback: Comeback) -> None:
        self._comebacks[trunk_id] = comeback
        self._returns[trunk_id] = asyncio.create_task(self._return(trunk_id, comeback))

    def _wait_s(self, trunk_id: str, comeback: Comeback) -> float:
        """Seconds until the next attempt: never sooner after a refusal than that one asks for."""
        refused = self._not_before.get(trunk_id, 0.0) - time.monotonic()
        return max(comeback.pause_s or 0.0, refused)

    async def _return(self, trunk_id: str, comeback: Comeback) -> None:
        """Connect again and again, each time later, until it works or the far end says no."""
        try:
            while comeback.pause_s is not None:
                await self._try_again(trunk_id, comeback)
        finally:
            if self._comebacks.get(trunk_id) is comeback:
                del self._comebacks[trunk_id]
                self._returns.pop(trunk_id, None)

    async def _try_again(self, trunk_id: str, comeback: Comeback) -> None:
        """Wait, then connect; what comes of it reaches `comeback` as a change of state."""
        await asyncio.sleep(self._wait_s(trunk_id, comeback))
        session = self._sessions.get(trunk_id)
        if session is None or comeback.pause_s is None:
            comeback.done()
            return
        if session.calls_up:
            comeback.failed()  # signing in again would end them
            return
        try:
            await session.connect()
        except EngineLostError as error:
            self._lost_again(session, comeback, error.outcome)
        except UserError:
            comeback.failed()  # said by the session as a change of state
        except EngineBugError as error:
            self._log(session.trunk.name, f"the engine failed: {error}")
            comeback.failed()

    def _lost_again(self, session: TrunkSession, comeback: Comeback, outcome: ChildOutcome) -> None:
        deaths = self._deaths.setdefault(session.trunk.id, Deaths())
        deaths.add(outcome)
        why = deaths.why_slowly
        comeback.failed(self._pauses.slow_restart if why else None)
        if why:
            pause = in_words(self._wait_s(session.trunk.id, comeback))
            cause = f"{outcome} {why} The next start is in {pause}."
            self._notify_all(
                TrunkChanged(trunk_id=session.trunk.id, state=TrunkState.UNREACHABLE, cause=cause)
            )
