"""The demo: carrier, registration, echo call, verdict, each step shown as it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.errors import UserError
from app.model.call import CallState
from app.model.outcome import RegisterOutcome
from app.model.trunk import Trunk
from app.ui.bridge import DeskBridge, Submission
from app.ui.models.call_view import CallView
from app.ui.models.trunk_watch import TrunkWatch
from app.ui.style import GRID, Tone, line_colour
from app.ui.widgets.buttons import IconButton, IconToolButton
from app.ui.widgets.step_list import StepList, StepState
from app.ui.widgets.text import Text
from app.ui.words import USABLE_STATES, trunk_state_line

if TYPE_CHECKING:
    from app.desk import Desk

CALL_SECONDS = 6.0
"""Length of the demo's call."""

_CARRIER, _SIGN_IN, _ANSWER, _ECHO = range(4)


class DemoRun(QWidget):
    """A strip across the window that runs the demo and shows how far it is.

    Args:
        bridge: To the desk.

    Signals:
        trunks_known: The demo's trunk is there now; carries it and all trunks.
        calling: The call is placed; carries the trunk's id and the number.
        add_asked: The person wants to add a trunk of their own now.
    """

    trunks_known = Signal(object, object)
    calling = Signal(str, str)
    add_asked = Signal()

    def __init__(self, bridge: DeskBridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._work: Submission | None = None
        self._watch: TrunkWatch | None = None
        self._call: CallView | None = None
        self.steps = StepList(
            (
                self.tr("Demo carrier started"),
                self.tr("Signed in"),
                self.tr("Call answered"),
                self.tr("Echo heard"),
            )
        )
        self._words = Text(wrap=True)
        self.cancel_button = IconButton(self.tr("Cancel"))
        self.cancel_button.clicked.connect(self.cancel)
        self.add_button = IconButton(self.tr("Add your trunk"), "add")
        self.add_button.clicked.connect(self._on_add_clicked)
        self._close = IconToolButton(self.tr("Close the demo's steps"), "close")
        self._close.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * GRID, GRID, GRID, GRID)
        row.setSpacing(GRID)
        left = QVBoxLayout()
        left.setSpacing(GRID // 2)
        left.addWidget(self._words)
        left.addWidget(self.steps)
        row.addLayout(left, 1)
        row.addWidget(self.cancel_button)
        row.addWidget(self.add_button)
        row.addWidget(self._close)
        self.hide()

    @property
    def running(self) -> bool:
        """Whether it is under way."""
        return self._work is not None

    @property
    def words(self) -> str:
        """The sentence over the steps."""
        return self._words.text()

    def start(self) -> None:
        """Run the demo; a run under way goes on."""
        if self.running:
            return
        self._let_go()
        self.steps.reset()
        self._say(self.tr("The demo: a carrier on this computer, a real registration, a real call."), None)
        self._show_buttons()
        self.show()

        async def work(desk: Desk) -> tuple[Trunk, tuple[Trunk, ...]]:
            return await desk.start_demo(), desk.trunks()

        self.steps.set_step(_CARRIER, StepState.RUNNING)
        self._work = self._bridge.submit(self, work, self._on_carrier_started, self._on_failed)
        self._show_buttons()

    def cancel(self) -> None:
        """Stop where it is, and hang up and sign out."""
        if not self._work:
            return
        if self.steps.states[_CARRIER] is StepState.RUNNING:
            # A child half started would belong to nobody; it may finish, and is there for the next try
            self._work.drop()
        else:
            self._work.cancel()
        self._work = None
        watch = self._watch
        self._let_go()
        if watch:
            trunk_id = watch.trunk.id
            self._bridge.submit(self, lambda desk: desk.disconnect(trunk_id))
        for place, state in enumerate(self.steps.states):
            if state is StepState.RUNNING:
                self.steps.set_step(place, StepState.WAITING)
        self._say(self.tr("The demo was cancelled."), None)
        self._show_buttons()

    def follow(self, watch: TrunkWatch) -> None:
        """Sign in with the demo's trunk; called by the window once it has its watch."""
        self._watch = watch
        trunk_id = watch.trunk.id
        self._work = self._bridge.submit(
            self, lambda desk: desk.connect(trunk_id), self._on_connected, self._on_failed
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(line_colour(self.palette()))
        painter.drawLine(0, self.height() - 1, self.width(), self.height() - 1)
        painter.end()

    def _on_carrier_started(self, result: tuple[Trunk, tuple[Trunk, ...]]) -> None:
        self.steps.set_step(_CARRIER, StepState.DONE)
        self.steps.set_step(_SIGN_IN, StepState.RUNNING)
        self.trunks_known.emit(*result)

    def _on_connected(self, outcome: RegisterOutcome) -> None:
        if outcome.state not in USABLE_STATES or not self._watch:
            self._fail(trunk_state_line(outcome.state, outcome))
            return
        self.steps.set_step(_SIGN_IN, StepState.DONE)
        self.steps.set_step(_ANSWER, StepState.RUNNING)
        watch, trunk_id = self._watch, self._watch.trunk.id
        watch.call_added.connect(self._on_call_changed)
        watch.call_changed.connect(self._on_call_changed)
        watch.call_ended.connect(self._on_call_ended)

        from app.desk import DEMO_NUMBER

        self._work = self._bridge.submit(
            self,
            lambda desk: desk.place_call(trunk_id, DEMO_NUMBER, max_seconds=CALL_SECONDS),
            failed=self._on_failed,
        )
        self.calling.emit(trunk_id, DEMO_NUMBER)

    def _on_call_changed(self, call: CallView) -> None:
        self._call = self._call or call
        if call is not self._call:
            return
        if call.state is CallState.ANSWERED and self.steps.states[_ANSWER] is StepState.RUNNING:
            self.steps.set_step(_ANSWER, StepState.DONE)
            self.steps.set_step(_ECHO, StepState.RUNNING)
        if call.figures and call.figures.echo_ms is not None:
            self.steps.set_step(_ECHO, StepState.DONE)

    def _on_call_ended(self, call: CallView) -> None:
        if self._call and call is not self._call:
            return
        self._on_call_changed(call)
        self._let_go()
        self._work = None
        worked = True
        for place, state in enumerate(self.steps.states):
            if state is not StepState.DONE:
                worked = False
                if state is StepState.RUNNING:
                    self.steps.set_step(place, StepState.FAILED)
        if worked:
            self._say(self.tr("That is how it looks when a trunk works. Now try your own."), Tone.GOOD)
        else:
            self._say(self.tr("The demo did not work; the verdict below says why."), Tone.BAD)
        self._show_buttons()

    def _on_failed(self, error: UserError) -> None:
        self._fail(str(error))

    def _fail(self, words: str) -> None:
        self._let_go()
        self._work = None
        for place, state in enumerate(self.steps.states):
            if state is StepState.RUNNING:
                self.steps.set_step(place, StepState.FAILED)
        self._say(self.tr("The demo did not work: {cause}").format(cause=words), Tone.BAD)
        self._show_buttons()

    def _let_go(self) -> None:
        watch, self._watch, self._call = self._watch, None, None
        if watch and self.steps.states[_SIGN_IN] is StepState.DONE:
            watch.call_added.disconnect(self._on_call_changed)
            watch.call_changed.disconnect(self._on_call_changed)
            watch.call_ended.disconnect(self._on_call_ended)

    def _say(self, words: str, tone: Tone | None) -> None:
        self._words.setText(words)
        self._words.set_tone(tone)

    def _show_buttons(self) -> None:
        self.cancel_button.setVisible(self.running)
        self.add_button.setVisible(not self.running)
        self._close.setVisible(not self.running)

    def _on_add_clicked(self) -> None:
        self.hide()
        self.add_asked.emit()
