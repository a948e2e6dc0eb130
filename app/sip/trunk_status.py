"""The state of a trunk as people see it: what signing in led to, and whether a channel is left."""

from __future__ import annotations

from collections.abc import Callable

from app.model.outcome import RegisterOutcome
from app.model.trunk import Trunk, TrunkState
from app.sip.notices import TrunkChanged

UP = frozenset({TrunkState.REGISTERED, TrunkState.REACHABLE})


class TrunkStatus:
    """Belongs to one event loop.

    Args:
        trunk: The settings.
        calls_up: Tells how many calls have not ended.
        notify: Gets every change.

    Attributes:
        state: What is shown: full while as many calls are up as the trunk's channels hold.
        signed_in: What signing in led to.
    """

    def __init__(
        self, trunk: Trunk, calls_up: Callable[[], int], notify: Callable[[TrunkChanged], None]
    ) -> None:
        self._trunk = trunk
        self._calls_up = calls_up
        self._notify = notify
        self._cause = ""
        self.state = TrunkState.OFF
        self.signed_in = TrunkState.OFF

    def change(self, state: TrunkState, cause: str, outcome: RegisterOutcome | None = None) -> None:
        """Signing in, or its end, led to another state."""
        self.signed_in, self._cause = state, cause
        full = state in UP and self.is_full
        self._show(TrunkState.FULL if full else state, cause, outcome)

    def count_calls(self) -> None:
        """Tell when the last channel is taken, and when one is free again."""
        if self.signed_in not in UP:
            return
        if self.is_full and self.state is not TrunkState.FULL:
            self._show(TrunkState.FULL, self.load)
        elif not self.is_full and self.state is TrunkState.FULL:
            self._show(self.signed_in, self._cause)

    @property
    def is_up(self) -> bool:
        """Whether the trunk is signed in."""
        return self.signed_in in UP

    @property
    def is_full(self) -> bool:
        """Whether every channel is in use."""
        channels = self._trunk.channels
        return channels is not None and self._calls_up() >= channels

    @property
    def load(self) -> str:
        """How many channels are in use, in words."""
        return f"{self._calls_up()} of {self._trunk.channels} calls are up"

    def _show(self, state: TrunkState, cause: str, outcome: RegisterOutcome | None = None) -> None:
        self.state = state
        self._notify(TrunkChanged(trunk_id=self._trunk.id, state=state, cause=cause, outcome=outcome))
