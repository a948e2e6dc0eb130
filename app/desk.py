"""The desk: trunks with their secrets and their sessions, and everything a person can do with them.

The window and the command line are two faces of this one object; neither has a capability of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.model.outcome import CallOutcome, RegisterOutcome
from app.model.trunk import Trunk
from app.sip.messages import Source
from app.sip.notices import Notice

DEFAULT_MAX_SECONDS = 30.0
"""Length limit of a test call, seconds, unless the person asks for another."""
LONGEST_CALL_SECONDS = 120.0
"""Nobody can ask for a longer test call."""
DEFAULT_RING_SECONDS = 45.0
DEMO_NUMBER = "600"
"""The demo carrier's echo."""


class Desk:
    """All methods belong to one event loop; notices come on it too."""

    def trunks(self) -> tuple[Trunk, ...]:
        """Saved trunks in the person's order, then those of this run only (the demo)."""
        raise NotImplementedError

    async def add(self, name: str, settings: Mapping[str, str], password: str) -> Trunk:
        """Check, save and return a new trunk; the password goes to the vault."""
        raise NotImplementedError

    async def change(
        self, trunk_id: str, name: str, settings: Mapping[str, str], password: str | None
    ) -> Trunk:
        """Save a changed trunk; `password` None keeps the old one."""
        raise NotImplementedError

    async def remove(self, trunk_id: str) -> None:
        """Disconnect, delete the trunk and its secret."""
        raise NotImplementedError

    async def connect(self, trunk_id: str, password: str | None = None) -> RegisterOutcome:
        """Start the trunk's engine and sign in; failures are outcomes, not exceptions."""
        raise NotImplementedError

    async def disconnect(self, trunk_id: str) -> None:
        """Hang up, unregister, end the engine."""
        raise NotImplementedError

    async def start_demo(self) -> Trunk:
        """Start the demo carrier (once) and return its trunk, kept for this run only."""
        raise NotImplementedError

    async def place_call(
        self,
        trunk_id: str,
        number: str,
        *,
        max_seconds: float = DEFAULT_MAX_SECONDS,
        ring_seconds: float = DEFAULT_RING_SECONDS,
        source: Source = Source.TONE,
    ) -> str:
        """Place a call and return its id; the trunk must be connected.

        Raises:
            CallRefusedError: An emergency number.
            UserError: Not a number, not connected, or all calls of the engine in use.
        """
        raise NotImplementedError

    async def wait_call(self, trunk_id: str, call_id: str) -> CallOutcome:
        """Wait for the end of a call."""
        raise NotImplementedError

    async def answer(self, trunk_id: str, call_id: str) -> None:
        """Answer an incoming call."""
        raise NotImplementedError

    async def reject(self, trunk_id: str, call_id: str, code: int = 486) -> None:
        """Refuse an incoming call."""
        raise NotImplementedError

    async def hang_up(self, trunk_id: str, call_id: str) -> None:
        """End a call in whatever state it is."""
        raise NotImplementedError

    async def set_source(self, trunk_id: str, call_id: str, source: Source) -> None:
        """Change what a call sends."""
        raise NotImplementedError

    async def send_digits(self, trunk_id: str, call_id: str, digits: str) -> None:
        """Send DTMF digits."""
        raise NotImplementedError

    async def close(self) -> None:
        """Hang up everything, unregister everywhere, end every child."""
        raise NotImplementedError

    def listen(self, listener: Callable[[Notice], None]) -> None:
        """Hand every notice to `listener` as well."""
        raise NotImplementedError
