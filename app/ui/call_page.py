"""Placing calls and looking at them: the number at the left, a card for each call at the right."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from app.errors import UserError
from app.model.audio_choice import AudioChoice
from app.model.call import Source
from app.model.outcome import RegisterOutcome, may_call
from app.model.visible import one_line
from app.ui.bridge import DeskBridge
from app.ui.call_commands import CallCommands
from app.ui.call_words import who
from app.ui.models.call_view import CallView
from app.ui.models.trunk_watch import TrunkWatch
from app.ui.recent_numbers import RecentNumbers
from app.ui.style import Tone
from app.ui.widgets.call_card import CallCard
from app.ui.widgets.call_cards import CallCards
from app.ui.widgets.dial_pad import DIGITS, DialPad
from app.ui.widgets.number_panel import NumberPanel
from app.ui.words import USABLE_STATES, trunk_state_line

if TYPE_CHECKING:
    from app.desk import Desk
    from app.ui.widgets.buttons import ToneButton

_SEND = "send"
"""Under which key the window remembers what calls send."""


class CallPage(QWidget):
    """The calls of one trunk.

    Args:
        bridge: To the desk.
        watch: The trunk.
        recordings: The folder for recordings; None where there is none.

    Signals:
        field_asked: A setting is to be changed; carries its key.
        overview_asked: The person should see why the trunk does not sign in.
    """

    field_asked = Signal(str)
    overview_asked = Signal()

    def __init__(
        self,
        bridge: DeskBridge,
        watch: TrunkWatch,
        recordings: Path | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._watch = watch
        self._placing = False
        self._to_focus: CallView | None = None
        self._watching_devices = False
        self.commands = CallCommands(bridge, watch, recordings, self)
        self.recent = RecentNumbers(bridge, self)
        self.panel = NumberPanel(watch)
        self.right = CallCards(watch, self.commands, lambda: self.panel.source)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.panel)
        row.addWidget(self.right, 1)
        self._connect_parts()
        watch.changed.connect(self._on_watch_changed)
        watch.call_changed.connect(self._on_call_changed)
        self._on_watch_changed()
        self._on_current_changed()

    def _connect_parts(self) -> None:
        panel, right = self.panel, self.right
        escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), self)
        escape.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        escape.activated.connect(self._on_escape)
        panel.edited.connect(self._refresh_button)
        panel.call_asked.connect(self.place_call)
        panel.answer_asked.connect(self._on_empty_enter)
        panel.digit.connect(self.send_digit)
        panel.refused.connect(right.show_refusal)
        panel.source_chosen.connect(self._on_source_chosen)
        panel.redial.redial_asked.connect(self.call_number)
        panel.redial.clear_asked.connect(self.recent.clear)
        panel.audio.opened.connect(self._watch_devices)
        panel.audio.chosen.connect(self._on_audio_chosen)
        self.recent.changed.connect(lambda: panel.redial.show_numbers(self.recent.numbers))
        right.answer_asked.connect(lambda call, hold_others: self.answer(call, hold_others=hold_others))
        right.field_asked.connect(self.field_asked)
        right.again_asked.connect(self.call_number)
        right.left.connect(lambda: self.number.setFocus())
        right.current_changed.connect(self._on_current_changed)
        self._watch.devices_found.connect(self._on_devices_changed)
        self._watch.audio_changed.connect(self._on_devices_changed)
        self._on_devices_changed()

    # Parts that others ask for

    @property
    def number(self) -> QLineEdit:
        """Where the number is typed."""
        return self.panel.number

    @property
    def call_button(self) -> ToneButton:
        """Places the call."""
        return self.panel.call_button

    @property
    def pad(self) -> DialPad:
        """The dial pad."""
        return self.panel.pad

    @property
    def cards(self) -> list[CallCard]:
        """The calls as they are shown, the newest first."""
        return self.right.cards

    @property
    def line(self) -> str:
        """What stands under the number: how it will be sent, or why it can't be."""
        return self.panel.line

    @property
    def refusal(self) -> str:
        """What was refused, why, and what to do; empty when nothing was."""
        return self.right.refusal

    # What can be asked for

    def set_number(self, number: str) -> None:
        """Fill in a number."""
        self.number.setText(number)

    def call_number(self, number: str) -> None:
        """Fill in a number and call it."""
        self.set_number(number)
        self.place_call()

    def place_call(self) -> None:
        """Call the number that is typed in; a trunk that is off is connected first."""
        number = self.number.text()
        if self._placing:
            return
        if not self.panel.check(told=True):
            self._enter_refusal(number)
            return
        trunk_id, source, max_seconds = self._watch.trunk.id, self.panel.source, self.panel.max_seconds
        connect_first = self._watch.state not in USABLE_STATES
        registers = self._watch.trunk.register

        async def work(desk: Desk) -> str | RegisterOutcome:
            if connect_first:
                outcome = await desk.connect(trunk_id)
                if not may_call(outcome, registers=registers):
                    return outcome
            return await desk.place_call(trunk_id, number, max_seconds=max_seconds, source=source)

        self._placing = True
        self._bridge.submit(self, work, self._on_placed, self._on_place_failed)
        self.recent.add(number)
        self._refresh_button()

    def _enter_refusal(self, number: str) -> None:
        """The desk refuses the number as well, which belongs in the history."""
        trunk_id = self._watch.trunk.id

        async def work(desk: Desk) -> None:
            desk.check_call(trunk_id, number, meant=True)

        self._bridge.submit(self, work, failed=lambda _: None)

    def answer(self, call: CallView, *, hold_others: bool) -> None:
        """Answer a call that comes in, with what new calls send."""
        self._to_focus = call
        self.commands.answer(call, self.panel.source, hold_others=hold_others)

    def hang_up_newest(self) -> None:
        """End the newest call, in whatever state it is."""
        active = self._watch.active_calls
        if active:
            self.commands.hang_up(active[-1])

    def send_digit(self, digit: str) -> None:
        """A digit of the dial pad: into the call that the keys are for, else into the number."""
        call = self.right.current
        if call:
            self.commands.send_digit(call, digit)
        else:
            self.number.insert(digit)

    # Keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # What a field, a list or a button did not want
        plain = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier
        if event.text() in DIGITS or (event.text() == "+" and not self._watch.active_calls):
            self.send_digit(event.text())
        elif event.modifiers() not in plain or not self._act_on(Qt.Key(event.key())):
            super().keyPressEvent(event)

    def _act_on(self, key: Qt.Key) -> bool:
        """What a key means while no field has the focus; whether it means anything now."""
        ringing, call = self.right.ringing, self.right.current
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if ringing:
                self._answer_by_key(ringing)
            return ringing is not None
        if call is None:
            return False
        match key:
            case Qt.Key.Key_M:
                self.commands.set_muted(call, not call.muted)
            case Qt.Key.Key_H:
                self.commands.set_held(call, not call.held_by_us)
            case Qt.Key.Key_R if card := self.right.card(call):
                card.set_recording(not call.recording)
            case Qt.Key.Key_T if card := self.right.card(call):
                card.live.set_transferring(True)
            case Qt.Key.Key_J:
                self.right.toggle_conference()
            case _:
                return False
        return True

    def _answer_by_key(self, call: CallView) -> None:
        others = any(each.answered for each in self._watch.active_calls)
        self.answer(call, hold_others=others)

    def _on_empty_enter(self) -> None:
        """Enter in an empty field: take the call that rings, else bring back the last number to look at."""
        if self.right.ringing:
            self._answer_by_key(self.right.ringing)
        elif self.recent.numbers:
            self.set_number(self.recent.numbers[0])

    def _on_escape(self) -> None:
        if self.right.close_rows():
            return
        focused = self.right.focused
        if self.right.ringing:
            self.commands.hang_up(self.right.ringing)
        elif focused and focused.call.active:
            self.commands.hang_up(focused.call)
        else:
            self.hang_up_newest()

    # Placing

    def _refresh_button(self) -> None:
        connecting = self._placing and self._watch.state not in USABLE_STATES
        words = self.tr("Signing in…") if connecting else self.tr("Call")
        self.panel.show_button(words, enabled=bool(self.number.text().strip()) and not self._placing)

    def _on_placed(self, result: str | RegisterOutcome) -> None:
        self._placing = False
        self._refresh_button()
        if isinstance(result, RegisterOutcome):
            state = trunk_state_line(result.state, result)
            words = self.tr("{trunk} could not sign in: {state}. Overview says why.")
            self.panel.say(words.format(trunk=one_line(self._watch.trunk.name), state=state), Tone.BAD)
            self.overview_asked.emit()
            return
        card = next((card for card in self.cards if card.call.active and card.call.call_id == result), None)
        if card and self.number.hasFocus():
            # What is typed from here on is for the call
            card.take_focus()

    def _on_place_failed(self, error: UserError) -> None:
        self._placing = False
        self._refresh_button()
        self.panel.show_failure(error)
        if error.field == "password":
            self.overview_asked.emit()

    # The trunk and its calls

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        # Another trunk's page may have changed what they share
        self.recent.read()
        self._bridge.submit(self, _recall, self._on_recalled, lambda _: None)

    def _on_watch_changed(self) -> None:
        self.panel.check(told=False)
        self._refresh_button()
        usable = self._watch.state in USABLE_STATES
        self.panel.audio.set_connected(usable)
        if not usable:
            self._watching_devices = False
        elif self.panel.audio.is_open:
            self._watch_devices(True)

    def _on_call_changed(self, call: CallView) -> None:
        if call is self._to_focus and not call.ringing_here:
            self._to_focus = None
            if (card := self.right.card(call)) and call.answered:
                card.take_focus()

    def _on_current_changed(self) -> None:
        call = self.right.current
        words = self.tr("Keys go as tones into the call with {number}.")
        self.panel.show_pad(words.format(number=who(call)) if call else "")

    # What calls send, and the sound devices

    def _on_recalled(self, recalled: tuple[str, AudioChoice]) -> None:
        source, choice = recalled
        if source in {each.value for each in Source}:
            self.panel.set_source(Source(source))
        self.panel.audio.show_choice(choice)

    def _on_source_chosen(self, source: Source) -> None:
        async def work(desk: Desk) -> None:
            desk.remember(_SEND, source.value)

        self._bridge.submit(self, work)

    def _on_audio_chosen(self, choice: AudioChoice) -> None:
        self._bridge.submit(self, lambda desk: desk.use_audio(choice))

    def _on_devices_changed(self) -> None:
        self.panel.audio.show_devices(self._watch.devices)
        self.panel.audio.show_audio(self._watch.audio)

    def _watch_devices(self, on: bool) -> None:
        """Have the engine tell the devices while somebody looks at them."""
        if self._watch.state not in USABLE_STATES or on is self._watching_devices:
            return
        self._watching_devices = on
        trunk_id = self._watch.trunk.id
        # An engine that is lost tells so itself
        self._bridge.submit(
            self, lambda desk: desk.control(trunk_id).watch_devices(on), failed=lambda _: None
        )


async def _recall(desk: Desk) -> tuple[str, AudioChoice]:
    return desk.recall(_SEND), desk.audio_choice()
