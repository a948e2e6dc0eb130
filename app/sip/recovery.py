"""After a connection has ended: sign in again on the same account, later each time."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from app.errors import UserError
from app.model.outcome import AnsweredBy, RegisterOutcome
from app.sip.client import EngineBugError, EngineLostError, EngineRefusedError
from app.sip.sign_in import is_final

FIRST_PAUSE_S = (0.3, 1.5)
"""Least and most seconds before the first attempt: all customers of a server that restarts come at once."""
LONGEST_PAUSE_S = 60.0
STEADY_S = 60.0
"""Seconds that a connection must have lasted for its end to count as the first one."""


def pause_s(attempt: int, chance: Callable[[float, float], float] = random.uniform) -> float:
    """Seconds before an attempt, 0 being the first: some 2, 4, 8 … 60, each a quarter more or less."""
    if attempt == 0:
        return chance(*FIRST_PAUSE_S)
    return min(LONGEST_PAUSE_S, 2.0 ** min(attempt, 10)) * chance(0.75, 1.25)


class Recovery:
    """Brings one trunk's registration back; belongs to one event loop.

    Args:
        ask: Signs in again on the account that is open; calls stay up.
        walk: Signs in from the start, on every address, which ends calls; shows what came of it by itself.
        calls_up: How many calls there are.
        show: Gets what came of `ask`, when it is the last word.
        lost: Told when the engine ended on the way.
        failed: Told why it could not be tried.
        log: Gets a line about an attempt that the engine would not make.
    """

    def __init__(
        self,
        *,
        ask: Callable[[], Awaitable[RegisterOutcome]],
        walk: Callable[[], Awaitable[None]],
        calls_up: Callable[[], int],
        show: Callable[[RegisterOutcome], None],
        lost: Callable[[EngineLostError], None],
        failed: Callable[[str], None],
        log: Callable[[str], None],
    ) -> None:
        self._ask = ask
        self._walk = walk
        self._calls_up = calls_up
        self._show = show
        self._lost = lost
        self._failed = failed
        self._log = log
        self._task: asyncio.Task[None] | None = None
        self._attempt = -1
        self._up_since = 0.0

    @property
    def running(self) -> bool:
        """Whether it is at work."""
        return self._task is not None

    def up(self) -> None:
        """The trunk has come up: its next connection lives from now on."""
        self._up_since = time.monotonic()

    @property
    def up_for_s(self) -> float:
        """How long the trunk has been up, or was when it went down, seconds."""
        return time.monotonic() - self._up_since

    def start(self) -> None:
        """Begin, if it is not at work already."""
        if self._task is not None:
            return
        steady = self.up_for_s >= STEADY_S
        self._attempt = 0 if steady else self._attempt + 1
        self._task = asyncio.create_task(self._run())

    def stop(self) -> None:
        """End it; harmless when it is not at work."""
        task, self._task = self._task, None
        if task is not None and task is not asyncio.current_task():
            task.cancel()

    async def _run(self) -> None:
        try:
            outcome = await self._until_answered()
        except EngineLostError as error:
            self._task = None
            self._lost(error)
            return
        except (UserError, EngineBugError) as error:
            self._failed(str(error))
        else:
            self._task = None
            if outcome is not None:
                self._show(outcome)
        finally:
            if self._task is asyncio.current_task():
                self._task = None

    async def _until_answered(self) -> RegisterOutcome | None:
        """Until the trunk is up, refuses, or can't be reached although no call keeps it from any address."""
        while True:
            await asyncio.sleep(pause_s(self._attempt))
            try:
                outcome = await self._ask()
            except EngineRefusedError as error:
                self._log(f"signing in again: {error}")  # the account has been given up meanwhile
            else:
                refused_in_call = outcome.answered_by is AnsweredBy.NETWORK and self._calls_up()
                if is_final(outcome) or refused_in_call:
                    return outcome
            if not self._calls_up():
                await self._walk()
                return None
            self._attempt += 1
