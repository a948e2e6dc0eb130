"""What the window knows about one trunk: its state, its calls, its trace."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QObject, Signal

from app.model.finding import Finding
from app.model.outcome import CallOutcome, Direction, MediaFigures, RegisterOutcome, TraceMessage
from app.model.trunk import Trunk, TrunkState
from app.sip.messages import CallState

if TYPE_CHECKING:
    from app.sip.notices import CallEnded, CallProgress, Notice, TrunkChanged

TRACE_KEPT = 20_000
"""SIP messages kept per trunk; older ones are dropped first."""
ENDED_CALLS_KEPT = 4


class CallView(msgspec.Struct, eq=False):
    """One call as the window shows it.

    Attributes:
        call_id: The engine's id.
        direction: Out or in.
        number: As typed, or the caller.
        called: The URI dialled, or the number called.
        state: Calling to ended.
        sip_code, reason: Of the last message that changed the state.
        setup_ms: Session request delay, ms, once known.
        answered_at: `time.monotonic()` at the answer.
        figures: The last media figures.
        tx_dbm0, rx_dbm0: The last levels; None is silence.
        digits, digits_sent: DTMF digits that came in and went out.
        outcome: What came of it, once ended.
        findings: What that means.
    """

    call_id: str
    direction: Direction
    number: str
    called: str = ""
    state: CallState = CallState.CALLING
    sip_code: int = 0
    reason: str = ""
    setup_ms: float | None = None
    answered_at: float | None = None
    figures: MediaFigures | None = None
    tx_dbm0: float | None = None
    rx_dbm0: float | None = None
    digits: str = ""
    digits_sent: str = ""
    outcome: CallOutcome | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def active(self) -> bool:
        """Whether it is not over yet."""
        return self.state is not CallState.ENDED

    @property
    def seconds(self) -> float:
        """Since the answer; the whole length once it is over."""
        if self.outcome:
            return self.outcome.duration_s
        return time.monotonic() - self.answered_at if self.answered_at is not None else 0.0


class TrunkWatch(QObject):
    """Follows one trunk through its notices.

    Args:
        trunk: The trunk.
        parent: Qt parent.

    Signals:
        changed: State, cause or settings are different now.
        call_added, call_changed, call_metered, call_ended: Carry the `CallView`.
        calls_counted: The number of running calls is different now.
        traced: A SIP message came; carries the `TraceMessage`.
    """

    changed = Signal()
    call_added = Signal(object)
    call_changed = Signal(object)
    call_metered = Signal(object)
    call_ended = Signal(object)
    calls_counted = Signal()
    traced = Signal(object)

    def __init__(self, trunk: Trunk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.trunk = trunk
        self.state = TrunkState.OFF
        self.cause = ""
        self.outcome: RegisterOutcome | None = None
        self.findings: tuple[Finding, ...] = ()
        # An id is used again once the trunk was connected anew, so calls that are over stand apart
        self._running: dict[str, CallView] = {}
        self._ended: deque[CallView] = deque(maxlen=ENDED_CALLS_KEPT)
        self.trace: deque[TraceMessage] = deque(maxlen=TRACE_KEPT)

    @property
    def active_calls(self) -> tuple[CallView, ...]:
        """Calls that are not over, the oldest first."""
        return tuple(self._running.values())

    @property
    def ended_calls(self) -> tuple[CallView, ...]:
        """The last calls that are over, the oldest first."""
        return tuple(self._ended)

    def forget(self, call: CallView) -> None:
        """Drop a call that is over."""
        if call in self._ended:
            self._ended.remove(call)

    def set_trunk(self, trunk: Trunk) -> None:
        """Take changed settings."""
        if trunk != self.trunk:
            self.trunk = trunk
            self.changed.emit()

    def take(self, notice: Notice) -> None:
        """Bring the picture up to date."""
        # Imported here: it brings asyncio along, which the first paint does not need
        from app.sip import notices

        match notice:
            case notices.TrunkChanged():
                self._take_state(notice)
            case notices.CallProgress():
                self._take_progress(notice)
            case notices.CallEnded():
                self._take_end(notice)
            case notices.CallFigures() if call := self._running.get(notice.call_id):
                call.figures = notice.figures
                self.call_changed.emit(call)
            case notices.CallMeters() if call := self._running.get(notice.call_id):
                call.tx_dbm0, call.rx_dbm0 = notice.tx_dbm0, notice.rx_dbm0
                self.call_metered.emit(call)
            case notices.CallDigit() if call := self._running.get(notice.call_id):
                call.digits += notice.digit
                self.call_changed.emit(call)
            case notices.TraceAdded():
                self.trace.append(notice.message)
                self.traced.emit(notice.message)
            case _:
                # A lost engine, whose calls are told one by one; or figures of a call that is already over
                pass

    def _take_state(self, notice: TrunkChanged) -> None:
        self.state, self.cause = notice.state, notice.cause
        if notice.outcome:
            from app.checks.diagnosis import explain_registration

            self.outcome = notice.outcome
            self.findings = tuple(explain_registration(notice.outcome, self.trunk))
        elif notice.state in (TrunkState.OFF, TrunkState.CONNECTING):
            self.outcome, self.findings = None, ()
        self.changed.emit()

    def _take_progress(self, notice: CallProgress) -> None:
        call = self._running.get(notice.call_id)
        new = call is None
        if call is None:
            call = CallView(notice.call_id, notice.direction, notice.number, notice.called)
            self._running[notice.call_id] = call
        call.state = notice.state
        call.sip_code, call.reason = notice.sip_code, notice.reason
        call.called = notice.called or call.called
        call.setup_ms = notice.setup_ms if notice.setup_ms is not None else call.setup_ms
        if notice.state is CallState.ANSWERED and call.answered_at is None:
            call.answered_at = time.monotonic()
        (self.call_added if new else self.call_changed).emit(call)
        if new:
            self.calls_counted.emit()

    def _take_end(self, notice: CallEnded) -> None:
        from app.checks.diagnosis import explain_call

        outcome = notice.outcome
        call = self._running.pop(notice.call_id, None)
        if call is None:
            # A call that failed before it had any progress to tell
            call = CallView(notice.call_id, notice.direction, outcome.number, outcome.dialled)
            self.call_added.emit(call)
        call.state = CallState.ENDED
        call.outcome = outcome
        call.figures = outcome.media or call.figures
        call.tx_dbm0 = call.rx_dbm0 = None
        call.findings = tuple(explain_call(outcome, self.trunk, direction=notice.direction))
        self._ended.append(call)
        self.call_ended.emit(call)
        self.calls_counted.emit()
