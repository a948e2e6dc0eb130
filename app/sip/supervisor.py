"""Keeps one session per trunk and brings lost ones back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from app.errors import EngineError, UserError
from app.model.audio_choice import AudioChoice
from app.model.outcome import AnsweredBy, RegisterOutcome
from app.model.trunk import Trunk, TrunkState
from app.sip.child import ChildOutcome
from app.sip.client import EngineBugError
from app.sip.notices import EngineLost, Notice, TrunkChanged
from app.sip.session import TrunkSession

RESTART_DELAYS_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
"""Seconds before an engine is started again after its first, second, … loss in a row."""
RETRY_DELAYS_S = (30.0, 60.0, 120.0, 300.0)
"""Seconds before a registration that the network lost is asked for again."""
STEADY_S = 120.0
"""Seconds of quiet after which the next loss counts as the first."""


class Supervisor:
    """All trunks at work; belongs to one event loop.

    Args:
        notify: Gets every notice of every trunk.
        on_log: Gets the engines' log lines with the trunk's name.
        restart_delays_s, retry_delays_s: For tests.
    """

    def __init__(
        self,
        notify: Callable[[Notice], None],
        *,
        on_log: Callable[[str, str], None] | None = None,
        restart_delays_s: tuple[float, ...] = RESTART_DELAYS_S,
        retry_delays_s: tuple[float, ...] = RETRY_DELAYS_S,
    ) -> None:
        self._notify_all = notify
        self._on_log = on_log
        self._restart_delays_s = restart_delays_s
        self._retry_delays_s = retry_delays_s
        self._sessions: dict[str, TrunkSession] = {}
        self._losses: dict[str, list[float]] = {}
        self._comebacks: dict[str, asyncio.Task[None]] = {}
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
        self._losses.pop(trunk.id, None)
        session = TrunkSession(
            trunk,
            password,
            self._notify,
            on_engine_end=lambda outcome, lost: self._engine_ended(trunk.id, outcome, lost),
            on_log=lambda line: self._log(trunk.name, line),
            audio=self._audio,
        )
        self._sessions[trunk.id] = session
        return await session.connect()

    async def disconnect(self, trunk_id: str) -> None:
        """Hang up, unregister and end the trunk's engine; nothing happens when it has none."""
        self._was_up.discard(trunk_id)
        session = self._sessions.pop(trunk_id, None)
        comeback = self._comebacks.pop(trunk_id, None)
        if comeback is not None:
            comeback.cancel()
            await asyncio.gather(comeback, return_exceptions=True)
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
        if isinstance(notice, TrunkChanged):
            self._watch(notice)
        self._notify_all(notice)

    def _watch(self, notice: TrunkChanged) -> None:
        trunk_id = notice.trunk_id
        if notice.state in (TrunkState.REGISTERED, TrunkState.REACHABLE, TrunkState.FULL):
            self._was_up.add(trunk_id)
            return
        outcome = notice.outcome
        if outcome is None or trunk_id not in self._was_up or trunk_id in self._comebacks:
            return
        # Asking again after a refusal would look like an attack; a network that was gone may be back
        by_network = outcome.answered_by is AnsweredBy.NETWORK
        if not by_network or outcome.sip_code >= 500:
            self._come_back(trunk_id, self._retry_delays_s, 0)

    def _log(self, name: str, line: str) -> None:
        if self._on_log is not None:
            self._on_log(name, line)

    def _engine_ended(self, trunk_id: str, outcome: ChildOutcome, lost: int) -> None:
        now = time.monotonic()
        losses = [at for at in self._losses.get(trunk_id, []) if now - at < STEADY_S]
        self._losses[trunk_id] = [*losses, now]
        delay = _delay(self._restart_delays_s, len(losses))
        self._notify_all(EngineLost(trunk_id=trunk_id, outcome=outcome, calls_lost=lost, restart_in_s=delay))
        former = self._comebacks.pop(trunk_id, None)
        if former is not None:
            former.cancel()
        self._come_back(trunk_id, self._restart_delays_s, len(losses))

    def _come_back(self, trunk_id: str, delays_s: tuple[float, ...], attempt: int) -> None:
        self._comebacks[trunk_id] = asyncio.create_task(self._reconnect(trunk_id, delays_s, attempt))

    async def _reconnect(self, trunk_id: str, delays_s: tuple[float, ...], attempt: int) -> None:
        """Connect again and again, each time later, until it works or the far end says no."""
        try:
            while not await self._try_again(trunk_id, _delay(delays_s, attempt)):
                attempt += 1
        finally:
            if self._comebacks.get(trunk_id) is asyncio.current_task():
                del self._comebacks[trunk_id]

    async def _try_again(self, trunk_id: str, delay_s: float) -> bool:
        """Wait, then connect; returns whether that was the last attempt."""
        await asyncio.sleep(delay_s)
        session = self._sessions.get(trunk_id)
        if session is None:
            return True
        if session.calls_up:
            return False  # signing in anew would end them
        try:
            outcome = await session.connect()
        except UserError:
            return False  # said by the session as a change of state
        except EngineBugError as error:
            self._log(session.trunk.name, f"the engine failed: {error}")
            return False
        up = outcome.state in (TrunkState.REGISTERED, TrunkState.REACHABLE)
        refused = outcome.answered_by is AnsweredBy.NETWORK and outcome.sip_code < 500
        return up or refused


def _delay(delays_s: tuple[float, ...], attempt: int) -> float:
    return delays_s[min(attempt, len(delays_s) - 1)]
