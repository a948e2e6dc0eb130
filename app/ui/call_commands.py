"""What the person does with the calls of one trunk, on its way to the desk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.errors import UserError
from app.model.call import CallState, Source
from app.ui.bridge import DeskBridge
from app.ui.call_words import who
from app.ui.models.call_view import CallView, Transfer
from app.ui.models.trunk_watch import TrunkWatch

if TYPE_CHECKING:
    from app.sip.call_control import CallControl

BUSY, DECLINED = 486, 603
"""Final codes for a call that is not wanted: busy here, and declined everywhere (RFC 3261 section 21)."""


class CallCommands(QObject):
    """Carries out what buttons and keys ask for.

    Args:
        bridge: To the desk.
        watch: The trunk.
        recordings: The folder for recordings; None where there is none.
        parent: Qt parent.

    Signals:
        asked: Something is asked of a call; what went wrong before is of no interest any more.
        failed: A call could not be told what to do; carries the `CallView` and the `UserError`.
    """

    asked = Signal(object)
    failed = Signal(object, object)

    def __init__(
        self, bridge: DeskBridge, watch: TrunkWatch, recordings: Path | None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._watch = watch
        self._recordings = recordings

    # A call that comes in

    def answer(self, call: CallView, source: Source, *, hold_others: bool = False) -> None:
        """Answer; with `hold_others`, once the other calls were asked to hold."""
        others = [other for other in self._watch.active_calls if other.answered and not other.held_by_us]
        if not hold_others:
            others = []

        async def work(control: CallControl) -> None:
            for other in others:
                await control.hold(other.call_id)
            await control.answer(call.call_id, source=source)

        self._submit(call, work)

    def reject(self, call: CallView, code: int) -> None:
        """Refuse it with a final code."""
        self._submit(call, lambda control: control.reject(call.call_id, code))

    def forward(self, call: CallView, number: str) -> None:
        """Send it on to another number."""
        self._submit(call, lambda control: control.forward(call.call_id, number))

    # Any call

    def hang_up(self, call: CallView) -> None:
        """End it, in whatever state it is."""
        if call.state is CallState.INCOMING:
            self.reject(call, DECLINED)
        else:
            self._submit(call, lambda control: control.hang_up(call.call_id))

    def set_source(self, call: CallView, source: Source) -> None:
        """Send something else."""
        self._submit(call, lambda control: control.set_source(call.call_id, source))

    def send_digit(self, call: CallView, digit: str) -> None:
        """Send a DTMF digit."""
        call.digits_sent += digit
        self._watch.call_changed.emit(call)
        self._submit(call, lambda control: control.send_digits(call.call_id, digit))

    def set_muted(self, call: CallView, muted: bool) -> None:
        """Send silence, or sound again."""

        def done(_: object) -> None:
            call.muted = muted
            self._watch.call_changed.emit(call)

        self._submit(call, lambda control: control.mute(call.call_id, muted), done)

    def set_held(self, call: CallView, held: bool) -> None:
        """Put the far end on hold or take it off; nothing happens while it is being asked already."""
        if call.hold_asked:
            return
        call.hold_asked = True
        self._watch.call_changed.emit(call)

        def failed(_: UserError) -> None:
            call.hold_asked = False
            self._watch.call_changed.emit(call)

        self._submit(
            call,
            lambda control: control.hold(call.call_id) if held else control.resume(call.call_id),
            failed=failed,
        )

    def transfer(self, call: CallView, number: str) -> None:
        """Have the far end call a number; what comes of it is told by a notice."""
        self._transfer(call, number, lambda control: control.transfer(call.call_id, number))

    def transfer_to(self, call: CallView, other: CallView) -> None:
        """Connect the far ends of two calls with each other."""
        self._transfer(call, who(other), lambda control: control.transfer_to(call.call_id, other.call_id))

    def _transfer(self, call: CallView, to: str, work: Callable[[CallControl], Awaitable[None]]) -> None:
        call.transfer = Transfer(to)
        self._watch.call_changed.emit(call)

        def failed(_: UserError) -> None:
            call.transfer = None
            self._watch.call_changed.emit(call)

        self._submit(call, work, failed=failed)

    def set_conference(self, calls: Sequence[CallView]) -> None:
        """Let these calls hear each other and us; those that we hold go on. None of them for the end."""
        ids = tuple(call.call_id for call in calls)
        held = [call for call in calls if call.held_by_us]
        first = next(iter(calls or self._watch.active_calls), None)
        if first is None:
            return

        async def work(control: CallControl) -> None:
            for call in held:
                await control.resume(call.call_id)
            await control.set_conference(ids)

        self._submit(first, work, lambda _: self._watch.set_conference(ids))

    def start_recording(self, call: CallView) -> None:
        """Record both sides to a new file."""
        trunk, folder = self._watch.trunk.name, self._recordings

        async def work(control: CallControl) -> None:
            from app.model.recording_name import recording_name
            from app.paths import free_name, make_recordings_folder

            if folder is None:
                raise UserError(self.tr("There is no folder for recordings."))
            make_recordings_folder(folder)
            name = recording_name(datetime.now(), trunk, who(call))
            await control.start_recording(call.call_id, free_name(folder, name, ".wav"))

        self._submit(call, work)

    def stop_recording(self, call: CallView) -> None:
        """End its recording."""
        self._submit(call, lambda control: control.stop_recording(call.call_id))

    def _submit(
        self,
        call: CallView,
        work: Callable[[CallControl], Awaitable[None]],
        done: Callable[[object], None] | None = None,
        failed: Callable[[UserError], None] | None = None,
    ) -> None:
        trunk_id = self._watch.trunk.id

        def on_failed(error: UserError) -> None:
            if failed:
                failed(error)
            self.failed.emit(call, error)

        self.asked.emit(call)
        self._bridge.submit(self, lambda desk: work(desk.control(trunk_id)), done, on_failed)
