"""What the edge reports of the messages that pass it."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from app.model.outcome import Direction, TraceMessage
from app.model.signalling import Bindings, ChallengeFacts, MessageProblem
from app.sip.engine.edge.hop import Hop
from app.sip.syntax.head import Head
from app.sip.syntax.message import Message


class Seen(NamedTuple):
    """A message on the wire, before PJSIP gets it or after it has left.

    Attributes:
        trace: As it was on the wire.
        message: Taken apart; of one that can't be, None.
        head: What the gate has read of one that came in; None where it did not pass, and for one of ours.
        call_id: Its Call-ID in PJSIP, empty where that is not known.
        problems: What breaks the standard in it.
        challenge: Of a 401 or 407: what it asks for, and whether that can be answered.
        bindings: Of a 2xx to REGISTER: what it lists.
        altered: What an answer should have repeated and did not.
        passed: Whether PJSIP gets it, or has sent it.
    """

    trace: TraceMessage
    message: Message | None
    head: Head | None
    call_id: str
    problems: tuple[MessageProblem, ...] = ()
    challenge: ChallengeFacts | None = None
    bindings: Bindings | None = None
    altered: tuple[str, ...] = ()
    passed: bool = True

    @property
    def outgoing(self) -> bool:
        """Whether we sent it."""
        return self.trace.direction is Direction.OUT


class Listener(Protocol):
    """Who hears from the relay."""

    def on_seen(self, seen: Seen) -> None:
        """A message passes."""

    def on_detour(self, method: str, call_id: str, obstacle: str) -> None:
        """A request could not go where the far end wants it, and went to where its last message came from."""

    def on_stranger(self, method: str, user: str, source: Hop, code: int) -> None:
        """Somebody who is not the provider was refused."""

    def on_new_address(self) -> None:
        """The provider sees us at another address than the one that was registered."""
