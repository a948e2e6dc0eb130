"""The right half of the call page: a card for each call, and which of them the keys are for."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QApplication, QWidget

from app.errors import EngineError, UserError
from app.model.call import Source
from app.ui.call_commands import CallCommands
from app.ui.models.call_view import CallView
from app.ui.models.trunk_watch import TrunkWatch
from app.ui.plain_text import set_spoken
from app.ui.style import GRID, Tone
from app.ui.widgets.call_card import CallCard
from app.ui.widgets.card import Card
from app.ui.widgets.conference_bar import ConferenceBar
from app.ui.widgets.page import ScrollPage
from app.ui.widgets.tab_order import put_after, tab_stops
from app.ui.widgets.text import Text

_TICK_MS = 250
_ABOVE_CARDS = 2
"""Parts that stand above the cards: what was refused, and the conference."""


class CallCards(ScrollPage):
    """Follows the calls of one trunk, the newest at the top.

    Args:
        watch: The trunk.
        commands: Carries out what is asked for.
        source: Gives what a new call sends.

    Attributes:
        cards: As they stand.

    Signals:
        answer_asked: Answer this `CallView`; whether the other calls are to be held first.
        field_asked: A finding's setting is to be changed; carries its key.
        again_asked: This number is to be called again.
        left: What had the focus is gone with a call.
        current_changed: The keys are for another call now.
    """

    answer_asked = Signal(object, bool)
    field_asked = Signal(str)
    again_asked = Signal(str)
    left = Signal()
    current_changed = Signal()

    def __init__(
        self,
        watch: TrunkWatch,
        commands: CallCommands,
        source: Callable[[], Source],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._watch = watch
        self._commands = commands
        self._source = source
        self._chosen: CallView | None = None
        self._current: CallView | None = None
        self.cards: list[CallCard] = []
        self._tick = QTimer(self)
        self._tick.setInterval(_TICK_MS)
        self._tick.timeout.connect(self._on_tick)
        self._build()
        commands.asked.connect(lambda call: self._show_trouble(call, None))
        commands.failed.connect(self._show_trouble)
        watch.call_added.connect(self._on_call_added)
        watch.call_changed.connect(self._on_call_changed)
        watch.call_metered.connect(self._on_call_metered)
        watch.call_ended.connect(self._on_call_ended)
        QApplication.instance().focusChanged.connect(self._on_focus_changed)  # type: ignore[union-attr]  # there is one
        for call in (*watch.ended_calls, *watch.active_calls):
            self._on_call_added(call)

    def card(self, call: CallView) -> CallCard | None:
        """The card of a call."""
        return next((card for card in self.cards if card.call is call), None)

    @property
    def current(self) -> CallView | None:
        """The answered call that keys and dial pad are for: the one chosen last, else the newest."""
        return self._current

    @property
    def ringing(self) -> CallView | None:
        """The newest call that waits for an answer."""
        return next((call for call in reversed(self._watch.active_calls) if call.ringing_here), None)

    @property
    def focused(self) -> CallCard | None:
        """The card that the focus is in."""
        widget = QApplication.focusWidget()
        return next((card for card in self.cards if widget and card.isAncestorOf(widget)), None)

    @property
    def refusal(self) -> str:
        """What was refused, why, and what to do; empty when nothing was."""
        return "" if self._refusal.isHidden() else self._refusal.accessibleName()

    def show_refusal(self, error: UserError | None) -> None:
        """Say above the cards what happened and what to do, which can be long; None takes it away."""
        self._refusal.setVisible(error is not None)
        if error:
            self._refusal_what.setText(error.what)
            self._refusal_do.setText(error.do)
            self._refusal_do.setVisible(bool(error.do))
            set_spoken(self._refusal, str(error))

    def close_rows(self) -> bool:
        """Close what asks for a number; whether there was any."""
        return any(card.close_rows() for card in self.cards)

    def toggle_conference(self) -> None:
        """Join the calls, or separate those that are joined."""
        if self.conference.words:
            joined = any(call.in_conference for call in self._answered)
            self._commands.set_conference(() if joined else self._answered)

    # Building

    def _build(self) -> None:
        self.column.setContentsMargins(GRID, 2 * GRID, 3 * GRID, 3 * GRID)
        self._refusal = Card(tone=Tone.BAD)
        self._refusal_what = Text()
        self._refusal_do = Text(tone=Tone.QUIET)
        self._refusal.column.addWidget(self._refusal_what)
        self._refusal.column.addWidget(self._refusal_do)
        self._refusal.hide()
        self.conference = ConferenceBar()
        self.conference.join_asked.connect(lambda: self._commands.set_conference(self._answered))
        self.conference.separate_asked.connect(lambda: self._commands.set_conference(()))
        self.empty = Text(
            self.tr("No call yet. Type a number and press Enter; what comes of the call is shown here."),
            tone=Tone.QUIET,
        )
        self.empty.setContentsMargins(0, GRID, 0, 0)
        for part in (self._refusal, self.conference, self.empty):
            self.column.addWidget(part)
        self.column.addStretch(1)

    # The calls

    @property
    def _answered(self) -> list[CallView]:
        return [call for call in self._watch.active_calls if call.answered]

    def _on_call_added(self, call: CallView) -> None:
        card = CallCard(call, self._watch, self._commands, self._source())
        card.answer_asked.connect(lambda hold_others: self.answer_asked.emit(call, hold_others))
        card.field_asked.connect(self.field_asked)
        card.again_asked.connect(self.again_asked)
        card.dismissed.connect(lambda: self._on_dismissed(call))
        card.chosen.connect(lambda: self._choose(call))
        self.empty.hide()
        # Cards with all that can be said would not be seen at once
        alone = not any(other.call.active for other in self.cards)
        card.live.details.set_open(alone)
        if call.active:
            for other in self.cards:
                other.live.details.set_open(False)
        self.column.insertWidget(_ABOVE_CARDS, card)
        # The Tab key comes to it before the others, as it stands above them
        put_after(self.conference.separate, tab_stops(card))
        self.cards.insert(0, card)
        self._drop_old_cards()
        self._refresh()
        if call.active:
            self._bring_to_sight(card)

    def _on_call_changed(self, call: CallView) -> None:
        if card := self.card(call):
            card.refresh()
            if call.hold_trouble:
                card.show_trouble(EngineError(call.hold_trouble, do=self.tr("Try it again, or hang up.")))
                call.hold_trouble = ""
        self._refresh()

    def _on_call_metered(self, call: CallView) -> None:
        if card := self.card(call):
            card.show_levels()

    def _on_call_ended(self, call: CallView) -> None:
        card = self.card(call)
        had_focus = card is not None and card is self.focused
        self._on_call_changed(call)
        self._drop_old_cards()
        # With one call left there is room for all of it
        running = [each for each in self.cards if each.call.active]
        if len(running) == 1:
            running[0].live.details.set_open(True)
        if card is not None and had_focus:
            self.left.emit()
            self._bring_to_sight(card)

    def _bring_to_sight(self, card: CallCard) -> None:
        """Scroll to the top of a card: a focus that passed through others may have scrolled away from it."""

        def scroll() -> None:
            if card in self.cards:
                self.verticalScrollBar().setValue(card.y() - 2 * GRID)

        # Only then its place is known
        QTimer.singleShot(0, self, scroll)

    def _show_trouble(self, call: CallView, error: UserError | None) -> None:
        if card := self.card(call):
            card.show_trouble(error)

    def _refresh(self) -> None:
        """What belongs to all calls together."""
        answered = self._answered
        self.conference.show_calls(answered)
        if answered and not self._tick.isActive():
            self._tick.start()
        elif not answered:
            self._tick.stop()
        former = self._current
        if self._chosen not in answered:
            self._chosen = None
        self._current = self._chosen or (answered[-1] if answered else None)
        several = len(self._watch.active_calls) > 1
        for card in self.cards:
            card.set_current(several and card.call is self._current)
        if former is not self._current:
            for card in self.cards:
                card.refresh()
            self.current_changed.emit()

    def _on_tick(self) -> None:
        for card in self.cards:
            card.tick()

    def _choose(self, call: CallView) -> None:
        self._chosen = call
        self._refresh()

    def _on_focus_changed(self, _old: QWidget | None, now: QWidget | None) -> None:
        card = self.focused if now else None
        if card and card.call.answered:
            self._choose(card.call)

    # Cards that go

    def _drop_old_cards(self) -> None:
        for card in [card for card in self.cards if not self._shown(card.call)]:
            self._drop(card)

    def _shown(self, call: CallView) -> bool:
        return call.active or call in self._watch.ended_calls

    def _drop(self, card: CallCard) -> None:
        self.cards.remove(card)
        card.hide()
        card.deleteLater()
        self.empty.setVisible(not self.cards)

    def _on_dismissed(self, call: CallView) -> None:
        self._watch.forget(call)
        if card := self.card(call):
            self._drop(card)
        self.left.emit()
