"""What a supervisor tells whoever listens: the window through its bridge, or the command line."""

from __future__ import annotations

import msgspec

from app.model.outcome import CallOutcome, Direction, MediaFigures, RegisterOutcome, TraceMessage
from app.model.trunk import TrunkState
from app.sip.child import ChildOutcome
from app.sip.messages import CallState


class _Notice(msgspec.Struct, frozen=True, kw_only=True):
    trunk_id: str


class TrunkChanged(_Notice, frozen=True, kw_only=True):
    """A trunk reached another state.

    Attributes:
        state: One of the eight.
        cause: Why, in a few words: `200 OK in 38 ms`, `403 Forbidden`, `no answer from 192.0.2.1`.
        outcome: The registration behind it, where there was one.
    """

    state: TrunkState
    cause: str = ""
    outcome: RegisterOutcome | None = None


class CallProgress(_Notice, frozen=True, kw_only=True):
    """A call reached another state; its end comes as `CallEnded`.

    Attributes:
        call_id: Our id.
        direction: Out or in.
        state: Calling to answered.
        number: The number as typed, or the caller of an incoming call.
        called: For an incoming call the number called, else the URI dialled.
        sip_code, reason: Of the message behind the change.
        setup_ms: Session request delay, once known.
    """

    call_id: str
    direction: Direction
    state: CallState
    number: str
    called: str = ""
    sip_code: int = 0
    reason: str = ""
    setup_ms: float | None = None


class CallEnded(_Notice, frozen=True, kw_only=True):
    """A call is over, however it ended."""

    call_id: str
    direction: Direction
    outcome: CallOutcome


class CallFigures(_Notice, frozen=True, kw_only=True):
    """A call's media figures, once a second."""

    call_id: str
    figures: MediaFigures


class CallMeters(_Notice, frozen=True, kw_only=True):
    """A call's levels in dBm0, ten times a second; None is silence."""

    call_id: str
    tx_dbm0: float | None
    rx_dbm0: float | None


class CallDigit(_Notice, frozen=True, kw_only=True):
    """A DTMF digit came in."""

    call_id: str
    digit: str


class TraceAdded(_Notice, frozen=True, kw_only=True):
    """A SIP message was sent or received."""

    message: TraceMessage


class EngineLost(_Notice, frozen=True, kw_only=True):
    """An engine ended without having been asked.

    Attributes:
        outcome: How, with its last log lines.
        calls_lost: How many calls were in it.
        restart_in_s: Seconds until it is started again, None when it stays down.
    """

    outcome: ChildOutcome
    calls_lost: int
    restart_in_s: float | None


Notice = (
    TrunkChanged | CallProgress | CallEnded | CallFigures | CallMeters | CallDigit | TraceAdded | EngineLost
)
