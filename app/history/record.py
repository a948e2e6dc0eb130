"""One call on its way into the history, and the SIP messages of its dialog."""

from __future__ import annotations

from collections import deque

from msgspec.structs import replace

from app.model.call import CallState
from app.model.history import CallPlan, HistoryDetails, HistoryEntry
from app.model.outcome import CallOutcome, TraceMessage
from app.model.trunk import Trunk
from app.sip.notices import CallProgress

FIRST_MESSAGES = 100
LAST_MESSAGES = 100
"""SIP messages kept of one call: as many from its start and from its end."""


class Dialog:
    """The SIP messages with one Call-ID.

    Attributes:
        record: The call that they belong to, once it is known.
    """

    def __init__(self) -> None:
        self.record: CallRecord | None = None
        self._first: list[TraceMessage] = []
        self._last: deque[TraceMessage] = deque(maxlen=LAST_MESSAGES)
        self._seen = 0

    def add(self, message: TraceMessage) -> None:
        """The next message."""
        self._seen += 1
        (self._first if len(self._first) < FIRST_MESSAGES else self._last).append(message)

    @property
    def messages(self) -> tuple[TraceMessage, ...]:
        """Those that are kept, in order, secrets and all."""
        return (*self._first, *self._last)

    @property
    def left_out(self) -> int:
        """How many in the middle are not kept."""
        return self._seen - len(self._first) - len(self._last)


class CallRecord:
    """What is known of a call so far.

    Args:
        trunk: Its trunk as it was when the call began.
        entry: The call as it began.
        plan: What was asked for, None for one that came in.

    Attributes:
        held: Whether nothing of it may be written yet.
        over: Whether it has ended.
        dialog: Its SIP messages, once its Call-ID is known.
        entry_id, kept_in: Its entry, and in which history; only for the thread that writes.
    """

    def __init__(
        self, trunk: Trunk, entry: HistoryEntry, plan: CallPlan | None = None, *, held: bool = False
    ) -> None:
        self.trunk = trunk
        self.held = held
        self.over = False
        self.dialog: Dialog | None = None
        self.entry_id = 0
        self.kept_in: object = None
        self._call = HistoryDetails(entry=entry, plan=plan)

    @property
    def trunk_id(self) -> str:
        """Of the entry; another one than the trunk's own for a call of a trial that was saved."""
        return self._call.entry.trunk_id

    def adopt(self, trunk_id: str, name: str) -> None:
        """Belong to another trunk, the one that was tried and then saved."""
        self.held = False
        self._change(trunk_id=trunk_id, trunk=name)

    def join(self, sip_call_id: str, dialog: Dialog | None) -> None:
        """The Call-ID is known."""
        self._call = replace(self._call, sip_call_id=sip_call_id)
        if dialog is not None:
            dialog.record, self.dialog = self, dialog

    def progress(self, notice: CallProgress, now: float) -> bool:
        """The call reached another state; whether it was answered just now."""
        entry = self._call.entry
        answered = notice.state is CallState.ANSWERED and entry.answered_at is None
        self._change(
            sip_code=notice.sip_code or entry.sip_code,
            reason=notice.reason or entry.reason,
            setup_ms=notice.setup_ms if notice.setup_ms is not None else entry.setup_ms,
            answered_at=now if answered else entry.answered_at,
        )
        return answered

    def planned(self, plan: CallPlan) -> None:
        """The person has answered it."""
        self._call = replace(self._call, plan=plan)

    def recorded(self, path: str) -> None:
        """There is a recording of it."""
        self._call = replace(self._call, recording=path)

    def end(self, outcome: CallOutcome, now: float) -> None:
        """The call is over."""
        self.over = True
        answered_at = self._call.entry.answered_at
        if outcome.duration_s and answered_at is None:
            answered_at = now - outcome.duration_s
        self._call = replace(self._call, outcome=outcome)
        self._change(
            dialled=outcome.dialled or self._call.entry.dialled,
            answered_at=answered_at,
            result=str(outcome.result),
            sip_code=outcome.sip_code,
            reason=outcome.reason,
            hung_up_by=outcome.hung_up_by,
            setup_ms=outcome.setup_ms,
            duration_s=outcome.duration_s,
            mos=outcome.quality.mean.mos if outcome.quality else None,
        )

    def details(self) -> HistoryDetails:
        """The call as it is now, with its messages, for another thread to read."""
        if self.dialog is None:
            return self._call
        return replace(self._call, messages=self.dialog.messages, left_out=self.dialog.left_out)

    def _change(self, **values: object) -> None:
        entry = replace(self._call.entry, **values)
        self._call = replace(self._call, entry=entry)


def judged(call: HistoryDetails, trunk: Trunk) -> HistoryDetails:
    """The call with its findings and what they come to; as it is while it runs."""
    if call.outcome is None or call.findings:
        return call
    # Its tables are read with the first call that ends
    from app.checks.diagnosis import explain_call, headline, worst

    findings = explain_call(call.outcome, trunk, direction=call.entry.direction)
    entry = replace(call.entry, verdict=worst(findings), headline=headline(findings))
    return replace(call, entry=entry, findings=findings)
