"""Placing calls and looking at them: number, dial pad, a card for each call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLineEdit, QWidget

from app.errors import CallRefusedError, UserError
from app.model.outcome import RegisterOutcome
from app.sip.messages import CallState, Source
from app.ui.bridge import DeskBridge
from app.ui.models.trunk_watch import CallView, TrunkWatch
from app.ui.style import GRID, Tone, title_font
from app.ui.widgets.buttons import ToneButton
from app.ui.widgets.call_card import CallCard
from app.ui.widgets.card import Card
from app.ui.widgets.dial_pad import DIGITS, DialPad
from app.ui.widgets.page import ScrollPage
from app.ui.widgets.text import Text, TextRole
from app.ui.words import USABLE_STATES, source_word, trunk_state_line

if TYPE_CHECKING:
    from app.desk import Desk

_LEFT_WIDTH = 28 * GRID
_LENGTHS_S = (10, 30, 60, 120)
_USUAL_LENGTH_S = 30
_TICK_MS = 250


class CallPage(QWidget):
    """The calls of one trunk.

    Args:
        bridge: To the desk.
        watch: The trunk.

    Signals:
        field_asked: A setting is to be changed; carries its key.
        overview_asked: The person should see why the trunk does not sign in.
    """

    field_asked = Signal(str)
    overview_asked = Signal()

    def __init__(self, bridge: DeskBridge, watch: TrunkWatch, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._watch = watch
        self._placing = False
        self.cards: list[CallCard] = []
        self._tick = QTimer(self)
        self._tick.setInterval(_TICK_MS)
        self._tick.timeout.connect(self._on_tick)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self._build_left())
        row.addWidget(self._build_right(), 1)
        escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), self)
        escape.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        escape.activated.connect(self.hang_up_newest)
        watch.changed.connect(self._on_number_changed)
        watch.call_added.connect(self._on_call_added)
        watch.call_changed.connect(self._on_call_changed)
        watch.call_metered.connect(self._on_call_metered)
        watch.call_ended.connect(self._on_call_ended)
        for call in (*watch.ended_calls, *watch.active_calls):
            self._on_call_added(call)
        self._on_number_changed()

    @property
    def line(self) -> str:
        """What stands under the number: how it will be sent, or why it can't be."""
        return self._line.text()

    def set_number(self, number: str) -> None:
        """Fill in a number."""
        self.number.setText(number)

    def place_call(self) -> None:
        """Call the number that is typed in; a trunk that is off is connected first."""
        number = self.number.text()
        if self._placing or not self._check_number(told=True):
            return
        trunk_id, source = self._watch.trunk.id, Source(self._send.currentData())
        max_seconds = float(self._length.currentData())
        connect_first = self._watch.state not in USABLE_STATES

        async def work(desk: Desk) -> str | RegisterOutcome:
            if connect_first:
                outcome = await desk.connect(trunk_id)
                if outcome.state not in USABLE_STATES:
                    return outcome
            return await desk.place_call(trunk_id, number, max_seconds=max_seconds, source=source)

        self._placing = True
        self._bridge.submit(self, work, self._on_placed, self._on_place_failed)
        self._refresh_button()

    def hang_up_newest(self) -> None:
        """End the newest call, in whatever state it is."""
        active = self._watch.active_calls
        if active:
            self._hang_up(active[-1])

    def send_digit(self, digit: str) -> None:
        """A digit of the dial pad: into the newest answered call, else into the number."""
        answered = [call for call in self._watch.active_calls if call.state is CallState.ANSWERED]
        if not answered:
            self.number.insert(digit)
            return
        call, trunk_id = answered[-1], self._watch.trunk.id
        call.digits_sent += digit
        self._on_call_changed(call)
        self._bridge.submit(
            self, lambda desk: desk.send_digits(trunk_id, call.call_id, digit), failed=self._show_error
        )

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # What a number field or a list did not want: digits typed anywhere on the page
        if event.text() in DIGITS or (event.text() == "+" and not self._watch.active_calls):
            self.send_digit(event.text())
        else:
            super().keyPressEvent(event)

    def _build_left(self) -> ScrollPage:
        page = ScrollPage()
        page.setFixedWidth(3 * GRID + _LEFT_WIDTH + 2 * GRID)
        column = page.column
        # The margin at the right is where a scroll bar finds its place
        column.setContentsMargins(3 * GRID, 2 * GRID, 2 * GRID, GRID)
        column.setSpacing(GRID)
        self.number = QLineEdit()
        self.number.setAccessibleName(self.tr("Number to call"))
        self.number.setPlaceholderText(self.tr("Number"))
        self.number.setFont(title_font(self.font()))
        self.number.setClearButtonEnabled(True)
        self.number.textChanged.connect(self._on_number_changed)
        self.number.returnPressed.connect(self.place_call)
        self._line = Text(role=TextRole.SMALL, tone=Tone.QUIET)
        self._line.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.call_button = ToneButton(self.tr("Call"), "call")
        self.call_button.setMinimumHeight(4 * GRID)
        self.call_button.clicked.connect(self.place_call)
        self.pad = DialPad()
        self.pad.pressed.connect(self.send_digit)
        column.addWidget(self.number)
        column.addWidget(self._line)
        column.addWidget(self.call_button)
        column.addWidget(self.pad)
        column.addLayout(self._build_choices())
        column.addStretch(1)
        return page

    def _build_choices(self) -> QGridLayout:
        self._send = QComboBox()
        for source in Source:
            self._send.addItem(source_word(source), source)
        self._length = QComboBox()
        for seconds in _LENGTHS_S:
            self._length.addItem(self.tr("{seconds} s").format(seconds=seconds), seconds)
        self._length.setCurrentIndex(_LENGTHS_S.index(_USUAL_LENGTH_S))
        grid = QGridLayout()
        grid.setHorizontalSpacing(GRID)
        grid.setVerticalSpacing(GRID)
        for row, (words, combo) in enumerate(
            ((self.tr("Send"), self._send), (self.tr("End after"), self._length))
        ):
            label = Text(words, tone=Tone.QUIET, wrap=False)
            label.setBuddy(combo)
            combo.setAccessibleName(words)
            grid.addWidget(label, row, 0)
            grid.addWidget(combo, row, 1)
        grid.setColumnStretch(1, 1)
        return grid

    def _build_right(self) -> ScrollPage:
        page = ScrollPage()
        page.column.setContentsMargins(GRID, 2 * GRID, 3 * GRID, 3 * GRID)
        self._cards_column = page.column
        self._refusal = Card(tone=Tone.BAD)
        self._refusal_what = Text()
        self._refusal_do = Text(tone=Tone.QUIET)
        self._refusal.column.addWidget(self._refusal_what)
        self._refusal.column.addWidget(self._refusal_do)
        self._refusal.hide()
        page.column.addWidget(self._refusal)
        self._empty = Text(
            self.tr("No call yet. Type a number and press Enter; what comes of the call is shown here."),
            tone=Tone.QUIET,
        )
        self._empty.setContentsMargins(0, GRID, 0, 0)
        page.column.addWidget(self._empty)
        page.column.addStretch(1)
        return page

    # The number

    def _on_number_changed(self) -> None:
        self._check_number(told=False)
        self._refresh_button()

    def _check_number(self, *, told: bool) -> bool:
        """Show how the number will be sent, or why not; an empty one is an error only when `told`."""
        # Imported here: the number rules and the emergency table are not needed for the first paint
        from app.sip.emergency import guard
        from app.sip.number import check_number

        trunk, text = self._watch.trunk, self.number.text()
        if not text.strip() and not told:
            self._say(self.tr("Through {trunk} ({host})").format(trunk=trunk.name, host=trunk.host))
            return False
        try:
            guard(text)
            dialled = check_number(text, trunk.host)
            guard(dialled)
        except CallRefusedError as error:
            self._show_error(error)
            return False
        except UserError as error:
            self._say(str(error), Tone.BAD)
            return False
        shown = dialled.replace("%23", "#")
        words = self.tr("Will be sent as {number} through {trunk} ({host})")
        self._say(words.format(number=shown, trunk=trunk.name, host=trunk.host))
        return True

    def _say(self, words: str, tone: Tone = Tone.QUIET) -> None:
        self._line.setText(words)
        self._line.set_tone(tone)
        self._refusal.hide()

    def _show_error(self, error: UserError) -> None:
        """Where there is room for it: what happened and what to do can be long."""
        refused = isinstance(error, CallRefusedError)
        self._say(
            self.tr("This number is not called.") if refused else self.tr("That did not work."), Tone.BAD
        )
        self._refusal_what.setText(error.what)
        self._refusal_do.setText(error.do)
        self._refusal_do.setVisible(bool(error.do))
        self._refusal.setAccessibleName(str(error))
        self._refusal.show()

    @property
    def refusal(self) -> str:
        """What was refused, why, and what to do; empty when nothing was."""
        return "" if self._refusal.isHidden() else self._refusal.accessibleName()

    def _refresh_button(self) -> None:
        self.call_button.setEnabled(bool(self.number.text().strip()) and not self._placing)
        connecting = self._placing and self._watch.state not in USABLE_STATES
        self.call_button.setText(self.tr("Signing in…") if connecting else self.tr("Call"))

    def _on_placed(self, result: str | RegisterOutcome) -> None:
        self._placing = False
        self._refresh_button()
        if isinstance(result, RegisterOutcome):
            state = trunk_state_line(result.state, result)
            words = self.tr("{trunk} could not sign in: {state}. Overview says why.")
            self._say(words.format(trunk=self._watch.trunk.name, state=state), Tone.BAD)
            self.overview_asked.emit()
            return
        card = next((card for card in self.cards if card.call.active and card.call.call_id == result), None)
        if card and self.number.hasFocus():
            # What is typed from here on is for the call
            card.take_focus()

    def _on_place_failed(self, error: UserError) -> None:
        self._placing = False
        self._refresh_button()
        self._show_error(error)
        if error.field == "password":
            self.overview_asked.emit()

    # The calls

    def card(self, call: CallView) -> CallCard | None:
        """The card of a call."""
        return next((card for card in self.cards if card.call is call), None)

    def _on_call_added(self, call: CallView) -> None:
        card = CallCard(call, self._watch.trunk, Source(self._send.currentData()))
        card.answer_asked.connect(lambda: self._answer(call))
        card.decline_asked.connect(lambda: self._decline(call))
        card.hang_up_asked.connect(lambda: self._hang_up(call))
        card.source_asked.connect(lambda source: self._set_source(call, source))
        card.field_asked.connect(self.field_asked)
        card.dismissed.connect(lambda: self._on_dismissed(call))
        self._empty.hide()
        # Below the refusal, above older calls
        self._cards_column.insertWidget(1, card)
        self.cards.insert(0, card)
        self._drop_old_cards()
        self._keep_time()

    def _on_call_changed(self, call: CallView) -> None:
        if card := self.card(call):
            card.refresh()
        self._keep_time()

    def _on_call_metered(self, call: CallView) -> None:
        if card := self.card(call):
            card.show_levels()

    def _on_call_ended(self, call: CallView) -> None:
        card = self.card(call)
        had_focus = card is not None and card.isAncestorOf(self.focusWidget())
        self._on_call_changed(call)
        self._drop_old_cards()
        if had_focus:
            self.number.setFocus()

    def _keep_time(self) -> None:
        answered = any(call.state is CallState.ANSWERED for call in self._watch.active_calls)
        if answered and not self._tick.isActive():
            self._tick.start()
        elif not answered:
            self._tick.stop()

    def _on_tick(self) -> None:
        for card in self.cards:
            card.tick()

    def _drop_old_cards(self) -> None:
        for card in [card for card in self.cards if not self._shown(card.call)]:
            self._drop(card)

    def _shown(self, call: CallView) -> bool:
        return call.active or call in self._watch.ended_calls

    def _drop(self, card: CallCard) -> None:
        self.cards.remove(card)
        card.hide()
        card.deleteLater()
        self._empty.setVisible(not self.cards)

    def _on_dismissed(self, call: CallView) -> None:
        self._watch.forget(call)
        if card := self.card(call):
            self._drop(card)
        self.number.setFocus()

    def _answer(self, call: CallView) -> None:
        trunk_id = self._watch.trunk.id
        self._bridge.submit(self, lambda desk: desk.answer(trunk_id, call.call_id), failed=self._show_error)

    def _decline(self, call: CallView) -> None:
        trunk_id = self._watch.trunk.id
        self._bridge.submit(self, lambda desk: desk.reject(trunk_id, call.call_id), failed=self._show_error)

    def _hang_up(self, call: CallView) -> None:
        if call.state is CallState.INCOMING:
            self._decline(call)
            return
        trunk_id = self._watch.trunk.id
        self._bridge.submit(self, lambda desk: desk.hang_up(trunk_id, call.call_id), failed=self._show_error)

    def _set_source(self, call: CallView, source: Source) -> None:
        trunk_id = self._watch.trunk.id
        self._bridge.submit(
            self, lambda desk: desk.set_source(trunk_id, call.call_id, source), failed=self._show_error
        )
