"""Follows calls by their notices and says when there is something to keep of one."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from app.errors import CallRefusedError, UserError
from app.history.record import CallRecord, Dialog
from app.model.history import CallPlan, HistoryEntry
from app.model.outcome import AnsweredBy, CallOutcome, CallResult, Direction
from app.model.trunk import Trunk
from app.sip.dialling import dial
from app.sip.notices import CallAccepted, CallEnded, CallProgress, CallRecording, Notice, TraceAdded
from app.sip.number import check_number
from app.sip.trace import read_head
from app.system_country import system_countries

MOST_DIALOGS = 200
"""Call-IDs whose SIP messages are held in memory, those of running calls not counted."""
MOST_HELD = 20
"""Calls of trunks on trial that wait for the trunk to be saved."""
LATE_S = 1.0
"""How long to wait for more SIP messages of a call that has ended, s."""


class CallLog:
    """Belongs to one event loop.

    Args:
        save: Gets a call when it begins, when it is answered, when it ends, and when a message came late.
        trunk: Finds a trunk, or raises `UserError`.
        on_trial: Whether a trunk is only tried; its calls are held back until it is saved.
    """

    def __init__(
        self,
        save: Callable[[CallRecord], None],
        trunk: Callable[[str], Trunk],
        on_trial: Callable[[str], bool],
    ) -> None:
        self._save_now = save
        self._trunk = trunk
        self._on_trial = on_trial
        self._calls: dict[tuple[str, str], CallRecord] = {}
        self._dialogs: dict[tuple[str, str], Dialog] = {}
        self._held: deque[CallRecord] = deque(maxlen=MOST_HELD)
        self._late: set[CallRecord] = set()
        self._late_timer: asyncio.TimerHandle | None = None

    @contextmanager
    def outgoing(self, trunk: Trunk, number: str, plan: CallPlan) -> Iterator[Callable[[str, str], None]]:
        """Around placing a call: a refusal is entered as a call that was refused here.

        What is no number at all is not: it is no call, and could be a password in the wrong field.

        Args:
            trunk: Through which.
            number: As typed.
            plan: What was asked for.

        Yields:
            What gets the call's id and the user part that is dialled, before anything is sent.
        """
        key: tuple[str, str] | None = None

        def begin(call_id: str, dialled: str) -> None:
            nonlocal key
            key = trunk.id, call_id
            self._calls[key] = self._begun(trunk, number, dialled, plan=plan)
            self._save(self._calls[key])

        try:
            yield begin
        except Exception as error:
            # Whatever it is, the call was not placed, and that is entered; then it goes on its way
            record = self._calls.pop(key, None) if key else None
            dialled = _dialled(number, trunk)
            if key is None and dialled is not None:
                record = self._begun(trunk, number, dialled, plan=plan)
            if record is not None:
                record.end(_refused(trunk, number, dialled or "", error), time.time())
                self._save(record)
            raise

    def take(self, notice: Notice) -> None:
        """Follow what happens."""
        match notice:
            case TraceAdded():
                self._on_trace(notice)
            case CallProgress():
                self._on_progress(notice)
            case CallAccepted():
                self._on_accepted(notice)
            case CallRecording(on=True):
                self._on_recording(notice)
            case CallEnded():
                self._on_end(notice)

    def adopt(self, trial_ids: Sequence[str], trunk: Trunk) -> None:
        """Enter the calls of trunks on trial, which were saved as this one."""
        for record in [record for record in self._held if record.trunk.id in trial_ids]:
            self._held.remove(record)
            record.adopt(trunk.id, trunk.name)
            self._save(record)

    def flush(self) -> None:
        """Save at once what waits for late messages."""
        if self._late_timer is not None:
            self._late_timer.cancel()
            self._late_timer = None
        records, self._late = self._late, set()
        for record in records:
            self._save(record)

    def _save(self, record: CallRecord) -> None:
        if not record.held:
            self._save_now(record)
        elif record not in self._held:
            self._held.append(record)

    def _begun(
        self,
        trunk: Trunk,
        number: str,
        dialled: str,
        *,
        direction: Direction = Direction.OUT,
        plan: CallPlan | None = None,
    ) -> CallRecord:
        entry = HistoryEntry(
            trunk_id=trunk.id,
            trunk=trunk.name,
            direction=direction,
            number=number,
            dialled=dialled,
            begun_at=time.time(),
        )
        return CallRecord(trunk, entry, plan, held=self._on_trial(trunk.id))

    def _not_placed(
        self, trunk_id: str, direction: Direction, number: str, dialled: str
    ) -> CallRecord | None:
        """A call that nobody placed through `outgoing`, such as one that comes in."""
        try:
            trunk = self._trunk(trunk_id)
        except UserError:
            return None
        return self._begun(trunk, number, dialled, direction=direction)

    def _on_progress(self, notice: CallProgress) -> None:
        key = notice.trunk_id, notice.call_id
        record = self._calls.get(key)
        new = record is None
        if record is None:
            record = self._not_placed(notice.trunk_id, notice.direction, notice.number, notice.called)
            if record is None:
                return
            self._calls[key] = record
        self._join(record, notice.trunk_id, notice.sip_call_id)
        if record.progress(notice, time.time()) or new:
            self._save(record)

    def _on_accepted(self, notice: CallAccepted) -> None:
        record = self._calls.get((notice.trunk_id, notice.call_id))
        if record is not None:
            record.planned(CallPlan(source=notice.source, max_seconds=notice.max_seconds))
            self._save(record)

    def _on_recording(self, notice: CallRecording) -> None:
        key = notice.trunk_id, notice.call_id
        record = self._calls.get(key)
        if record is not None:
            record.recorded(notice.path)
            self._save(record)

    def _on_end(self, notice: CallEnded) -> None:
        outcome = notice.outcome
        record = self._calls.pop((notice.trunk_id, notice.call_id), None) or self._not_placed(
            notice.trunk_id, notice.direction, outcome.number, outcome.dialled
        )
        if record is not None:
            self._join(record, notice.trunk_id, outcome.sip_call_id)
            record.end(outcome, time.time())
            self._save(record)

    # SIP messages

    def _join(self, record: CallRecord, trunk_id: str, sip_call_id: str) -> None:
        if sip_call_id and record.dialog is None:
            record.join(sip_call_id, self._dialogs.get((trunk_id, sip_call_id)))

    def _on_trace(self, notice: TraceAdded) -> None:
        head = read_head(notice.message.text)
        if head is None:
            return
        key = notice.trunk_id, head.call_id
        dialog = self._dialogs.get(key)
        if dialog is None:
            if head.method != "INVITE":
                return
            dialog = self._dialogs[key] = Dialog()
            self._forget_old_dialogs()
        dialog.add(notice.message)
        if dialog.record is not None and dialog.record.over:
            # The answer to our BYE, a retransmission: they come behind the end
            self._late.add(dialog.record)
            if self._late_timer is None:
                self._late_timer = asyncio.get_running_loop().call_later(LATE_S, self.flush)

    def _forget_old_dialogs(self) -> None:
        done = [key for key, each in self._dialogs.items() if each.record is None or each.record.over]
        for key in done[:-MOST_DIALOGS]:
            del self._dialogs[key]


def _dialled(number: str, trunk: Trunk) -> str | None:
    """What would have been sent; empty for a number that is never called, None for what is no number."""
    try:
        return dial(number, trunk, system_countries()).user
    except CallRefusedError:
        pass
    except UserError:
        return None
    try:
        check_number(number, trunk.host)
    except UserError:
        return None
    return ""


def _refused(trunk: Trunk, number: str, dialled: str, error: Exception) -> CallOutcome:
    return CallOutcome(
        trunk=trunk.name,
        number=number,
        dialled=dialled,
        result=CallResult.REFUSED_HERE,
        reason=error.what if isinstance(error, UserError) else "Ringback made an error of its own",
        answered_by=AnsweredBy.LOCAL,
    )
