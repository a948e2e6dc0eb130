"""What the window knows about one trunk: its state, its calls, its trace."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.model.call import CallState
from app.model.finding import Finding
from app.model.outcome import RegisterOutcome, TraceMessage
from app.model.trunk import Trunk, TrunkState
from app.ui.models.call_view import CallView, Transfer

if TYPE_CHECKING:
    from app.sip.notices import AudioChanged, CallEnded, CallProgress, DevicesFound, Notice, TrunkChanged

TRACE_KEPT = 20_000
"""SIP messages kept per trunk; older ones are dropped first."""
ENDED_CALLS_KEPT = 4


class TrunkWatch(QObject):
    """Follows one trunk through its notices.

    Args:
        trunk: The trunk.
        parent: Qt parent.

    Signals:
        changed: State, cause or settings are different now.
        call_added, call_changed, call_metered, call_ended: Carry the `CallView`.
        calls_counted: The number of running calls is different now.
        devices_found: The sound devices are known, or are others now.
        audio_changed: Other sound devices are in use.
        traced: A SIP message came; carries the `TraceMessage`.
    """

    changed = Signal()
    call_added = Signal(object)
    call_changed = Signal(object)
    call_metered = Signal(object)
    call_ended = Signal(object)
    calls_counted = Signal()
    devices_found = Signal()
    audio_changed = Signal()
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
        self.devices: DevicesFound | None = None
        self.audio: AudioChanged | None = None
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

    def set_conference(self, call_ids: tuple[str, ...]) -> None:
        """Note which calls hear each other now; fewer than two do not."""
        members = call_ids if len(call_ids) > 1 else ()
        for call in self.active_calls:
            if call.in_conference != (call.call_id in members):
                call.in_conference = not call.in_conference
                self.call_changed.emit(call)

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
            case notices.CallMeters() if call := self._running.get(notice.call_id):
                call.tx_dbm0, call.rx_dbm0 = notice.tx_dbm0, notice.rx_dbm0
                self.call_metered.emit(call)
            case notices.DevicesFound():
                self.devices = notice
                self.devices_found.emit()
            case notices.AudioChanged():
                self.audio = notice
                self.audio_changed.emit()
            case notices.TraceAdded():
                self.trace.append(notice.message)
                self.traced.emit(notice.message)
            case (
                notices.CallFigures()
                | notices.CallDigit()
                | notices.CallHold()
                | notices.TransferProgress()
                | notices.CallRecording()
            ) if call := self._find(notice.call_id):
                _take_news(call, notice)
                self.call_changed.emit(call)
            case _:
                # A lost engine, whose calls are told one by one; the history; news of a call long over
                pass

    def _find(self, call_id: str) -> CallView | None:
        """The call that runs under this id, else the last one that did: its recording ends after it."""
        ended = (call for call in reversed(self._ended) if call.call_id == call_id)
        return self._running.get(call_id) or next(ended, None)

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
        call.called, call.to = notice.called or call.called, notice.to or call.to
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
        call.figures, call.quality = outcome.media or call.figures, outcome.quality or call.quality
        call.tx_dbm0 = call.rx_dbm0 = None
        call.hold_asked = False
        call.in_conference = False
        if call.recording:
            call.take_recording(call.recording, False, "")
        call.findings = tuple(explain_call(outcome, self.trunk, direction=notice.direction))
        self._ended.append(call)
        members = tuple(other.call_id for other in self.active_calls if other.in_conference)
        self.set_conference(members)
        self.call_ended.emit(call)
        self.calls_counted.emit()


def _take_news(call: CallView, notice: Notice) -> None:
    from app.sip import notices

    match notice:
        case notices.CallRecording():
            call.take_recording(notice.path, notice.on, notice.trouble)
        case _ if not call.active:
            pass
        case notices.CallFigures():
            call.take_figures(notice.figures, notice.quality)
        case notices.CallDigit():
            call.digits += notice.digit
        case notices.CallHold():
            call.held_by_us, call.held_by_them = notice.by_us, notice.by_them
            call.hold_asked, call.hold_trouble = False, notice.trouble
        case notices.TransferProgress():
            call.transfer = call.transfer or Transfer("")
            call.transfer.sip_code, call.transfer.reason = notice.sip_code, notice.reason
            call.transfer.final = notice.final
