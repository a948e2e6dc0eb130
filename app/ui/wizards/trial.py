"""Trying a trunk that is not saved: signs in, calls, and leaves no trace."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.errors import UserError
from app.model.outcome import CallOutcome, Direction, RegisterOutcome
from app.model.trunk import Trunk
from app.sip.notices import CallProgress, Notice, TraceAdded
from app.ui.bridge import DeskBridge, Submission

if TYPE_CHECKING:
    from app.desk import Desk

CALL_SECONDS = 10.0
"""Longest test call; long enough to hear an echo or an announcement begin."""
RING_SECONDS = 30.0


class Trial(QObject):
    """One try of one draft; after `end` nothing comes of it any more.

    Args:
        bridge: To the desk.

    Attributes:
        trunk: The trunk that is tried; None until the desk has taken it.

    Signals:
        asked: The first request is on its way, so the name is known.
        answered: The server has answered something.
        signed_in: Carries the `RegisterOutcome`, of a failure too.
        called: The test call is over; carries its `CallOutcome`.
        failed: It could not be tried or called at all; carries the `UserError`.
    """

    asked = Signal()
    answered = Signal()
    signed_in = Signal(object)
    called = Signal(object)
    failed = Signal(object)

    def __init__(self, bridge: DeskBridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._work: Submission | None = None
        self._ended = False
        self._call_id = ""
        self.trunk: Trunk | None = None
        bridge.notice.connect(self._on_notice)

    def begin(self, settings: Mapping[str, str], password: str) -> None:
        """Have the desk take the trunk and sign in."""
        started: Callable[[Trunk], None] = self._on_started
        # On the bridge's behalf: also when the wizard is gone by then, the trial has to be ended
        self._bridge.submit(
            self._bridge, lambda desk: desk.start_trial(settings, password), started, self._on_failed
        )

    def call(self, number: str) -> None:
        """Place a test call."""
        if self.trunk is None or self._ended:
            return
        trunk_id = self.trunk.id

        async def work(desk: Desk) -> CallOutcome:
            call_id = await desk.place_call(
                trunk_id, number, max_seconds=CALL_SECONDS, ring_seconds=RING_SECONDS
            )
            return await desk.wait_call(trunk_id, call_id)

        self._work = self._bridge.submit(self, work, self.called.emit, self._on_failed)

    def hang_up(self) -> None:
        """End the test call; its outcome comes as always."""
        if self.trunk and self._call_id:
            trunk_id, call_id = self.trunk.id, self._call_id
            self._bridge.submit(self, lambda desk: desk.control(trunk_id).hang_up(call_id))

    def end(self) -> None:
        """Disconnect, and have the desk forget it."""
        if self._ended:
            return
        self._ended = True
        if self._work:
            self._work.cancel()
        self._forget()

    def _forget(self) -> None:
        trunk = self.trunk
        if trunk is not None:
            trunk_id = trunk.id
            self._bridge.submit(self._bridge, lambda desk: desk.end_trial(trunk_id))

    def _on_started(self, trunk: Trunk) -> None:
        self.trunk = trunk
        if self._ended:
            self._forget()
            return
        outcome: Callable[[RegisterOutcome], None] = self.signed_in.emit
        self._work = self._bridge.submit(self, lambda desk: desk.connect(trunk.id), outcome, self._on_failed)

    def _on_failed(self, error: UserError) -> None:
        if not self._ended:
            self.failed.emit(error)

    def _on_notice(self, notice: Notice) -> None:
        if self._ended or self.trunk is None or notice.trunk_id != self.trunk.id:
            return
        if isinstance(notice, TraceAdded):
            (self.asked if notice.message.direction is Direction.OUT else self.answered).emit()
        elif isinstance(notice, CallProgress):
            self._call_id = notice.call_id
