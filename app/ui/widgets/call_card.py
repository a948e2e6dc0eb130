"""A call as a card: coming in, running, or over with its verdict."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from app.errors import UserError
from app.model.call import Source
from app.model.outcome import CallOutcome, Direction
from app.ui.announce import announce
from app.ui.call_commands import CallCommands
from app.ui.call_words import (
    called_differ,
    called_words,
    state_name,
    state_tone,
    state_words,
    story_words,
    who,
)
from app.ui.models.call_view import CallView
from app.ui.models.trunk_watch import TrunkWatch
from app.ui.plain_text import set_spoken
from app.ui.style import GRID, Tone
from app.ui.widgets.buttons import IconToolButton
from app.ui.widgets.card import Card
from app.ui.widgets.finding_view import VERDICT_TONES
from app.ui.widgets.incoming_part import IncomingPart
from app.ui.widgets.live_part import LivePart
from app.ui.widgets.recording_line import RecordingLine
from app.ui.widgets.result_part import ResultPart
from app.ui.widgets.tab_order import put_after, tab_stops
from app.ui.widgets.text import ElidedText, Text, TextRole
from app.ui.widgets.tone_icon import ToneIcon


class CallCard(Card):
    """Shows one call and takes what is to be done with it.

    Args:
        call: What to show; `refresh` after each change.
        watch: Whose call it is.
        commands: Carries out what is asked for.
        source: What the call sends at first.

    Signals:
        answer_asked: Answer it; whether the other calls are to be held first.
        field_asked: A finding's setting is to be changed; carries its key.
        again_asked: The number is to be called again; carries it.
        dismissed: The card of an ended call is not wanted any more.
        chosen: The person means this call, by a click somewhere on its card.
    """

    answer_asked = Signal(bool)
    field_asked = Signal(str)
    again_asked = Signal(str)
    dismissed = Signal()
    chosen = Signal()

    def __init__(
        self,
        call: CallView,
        watch: TrunkWatch,
        commands: CallCommands,
        source: Source,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        # As high as its lines need at this width; the page has the rest
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.call = call
        self._watch = watch
        self._commands = commands
        self._current = False
        self._announced = ""
        self.incoming: IncomingPart | None = None
        self.result: ResultPart | None = None
        self._build_head()
        if call.ringing_here:
            self._build_incoming()
        self.live = LivePart(watch, source)
        self.live.details.button.toggled.connect(self._show_called)
        self.live.source_asked.connect(lambda source: commands.set_source(call, source))
        buttons = self.live.buttons
        buttons.mute_asked.connect(lambda on: commands.set_muted(call, on))
        buttons.hold_asked.connect(lambda on: commands.set_held(call, on))
        buttons.record_asked.connect(self.set_recording)
        buttons.hang_up_asked.connect(lambda: commands.hang_up(call))
        self.live.transfer.number_asked.connect(lambda number: commands.transfer(call, number))
        self.live.transfer.call_asked.connect(lambda other: commands.transfer_to(call, other))
        self.recording = RecordingLine()
        self.digits = Text(role=TextRole.SMALL, tone=Tone.QUIET)
        self._trouble = Text(tone=Tone.BAD)
        self._trouble.hide()
        for part in (self.recording, self._trouble, self.live, self.digits):
            self.column.addWidget(part)
        self.refresh()

    # What it says

    @property
    def verdict(self) -> str:
        """The headline of an ended call, else empty."""
        return self._headline.text() if self.call.outcome else ""

    @property
    def state(self) -> str:
        """The state of a running call, in words."""
        return self._state.text()

    @property
    def story(self) -> str:
        """An ended call in one line."""
        return self._story.text()

    @property
    def trouble(self) -> str:
        """What could not be done; empty when all could."""
        return "" if self._trouble.isHidden() else self._trouble.text()

    def refresh(self) -> None:
        """Show the call as it is now."""
        call = self.call
        self._show_state()
        self._called.setText(called_words(call))
        self._show_called()
        others = [each for each in self._watch.active_calls if each.answered and each is not call]
        if self.incoming:
            self.incoming.show_call(call, others_up=bool(others))
            self.incoming.setVisible(call.ringing_here)
        self.recording.show_call(call)
        self.digits.setText(self._digit_words())
        self.digits.setVisible(bool(self.digits.text()))
        self.live.setVisible(call.active and not call.ringing_here)
        if call.active:
            self.live.show_call(call, others)
        elif call.outcome:
            self._show_result(call.outcome)
        set_spoken(self, f"{who(call)}: {self._state.text()} {self.verdict}".strip())
        self._announce()

    def show_trouble(self, error: UserError | None) -> None:
        """Say that something could not be done; None once it is of no interest any more."""
        self._trouble.setText(str(error) if error else "")
        self._trouble.setVisible(error is not None)
        announce(self, self.trouble)

    def set_current(self, current: bool) -> None:
        """Mark it as the call that keys and dial pad are for."""
        if current != self._current:
            self._current = current
            if self.call.active:
                self.set_tone(Tone.ACCENT if current else None)

    def take_focus(self) -> None:
        """Put the focus on what ends the call."""
        self.live.buttons.hang_up.setFocus(Qt.FocusReason.OtherFocusReason)

    def tick(self) -> None:
        """Move the timers on."""
        if self.call.answered:
            self._show_state()
            if self.call.recording:
                self.recording.show_call(self.call)

    def show_levels(self) -> None:
        """Move the meters."""
        self.live.show_levels(self.call)

    # What is asked for

    def set_recording(self, on: bool) -> None:
        """Begin or end a recording."""
        if on:
            self._commands.start_recording(self.call)
        else:
            self._commands.stop_recording(self.call)

    def close_rows(self) -> bool:
        """Close what asks for a number; whether there was any."""
        if self.incoming and self.incoming.isVisible() and self.incoming.open:
            self.incoming.set_open(False)
            return True
        if self.live.transfer.open:
            self.live.set_transferring(False)
            self.take_focus()
            return True
        return False

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._announce()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.chosen.emit()
        super().mousePressEvent(event)

    def _announce(self) -> None:
        """Say what is new to those who do not see it; figures and timers are not."""
        words = self.verdict or f"{state_name(self.call)}. {self.live.transfer.words}".strip(". ")
        if words != self._announced and self.isVisible():
            self._announced = words
            announce(self, f"{who(self.call)}: {words}")

    # Parts

    def _build_head(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(GRID)
        top = Qt.AlignmentFlag.AlignTop
        incoming = self.call.direction is Direction.IN
        self._mark = ToneIcon(Tone.ACCENT, "incoming" if incoming else "call")
        # A caller has a name as well as a number, and may take two lines
        words = self.tr("From {number}").format(number=who(self.call)) if incoming else who(self.call)
        self._number = (Text if incoming else ElidedText)(words, role=TextRole.HEADING)
        self._state = Text(wrap=False)
        self._dismiss = IconToolButton(self.tr("Remove this result"), "close")
        # No higher than the line it stands in
        self._dismiss.setFixedSize(2 * GRID + 2, 2 * GRID + 2)
        self._dismiss.clicked.connect(self.dismissed)
        self._dismiss.hide()
        self._headline = Text(role=TextRole.HEADING)
        self._headline.hide()
        row.addWidget(self._mark, 0, top)
        row.addWidget(self._number, 1, top)
        row.addWidget(self._headline, 1, top)
        row.addWidget(self._state, 0, top)
        row.addWidget(self._dismiss, 0, top)
        self.column.addLayout(row)
        self._called = ElidedText(role=TextRole.SMALL, tone=Tone.QUIET)
        self._story = Text(tone=Tone.QUIET)
        self._story.hide()
        self.column.addWidget(self._called)
        self.column.addWidget(self._story)

    def _build_incoming(self) -> None:
        call, commands = self.call, self._commands
        self.incoming = IncomingPart(self._watch)
        self.incoming.answer_asked.connect(self.answer_asked)
        self.incoming.reject_asked.connect(lambda code: commands.reject(call, code))
        self.incoming.forward_asked.connect(lambda number: commands.forward(call, number))
        self.column.addWidget(self.incoming)

    def _show_called(self) -> None:
        call = self.call
        room = not (call.answered and self.live.compact)
        wanted = call.active and room and not called_differ(call)
        self._called.setVisible(wanted and bool(self._called.text()))

    def _show_state(self) -> None:
        self._state.setText(state_words(self.call))
        self._state.set_tone(state_tone(self.call))

    def _show_result(self, outcome: CallOutcome) -> None:
        from app.checks.diagnosis import headline, worst

        tone, icon_name = VERDICT_TONES[worst(self.call.findings)]
        self.set_tone(tone)
        self._mark.show_tone(tone, icon_name)
        words = headline(self.call.findings)
        self._headline.setText(words)
        self._headline.show()
        self._number.hide()
        self._state.hide()
        if self.result is None:
            self.result = ResultPart(self.call, self._watch)
            self.result.field_asked.connect(self.field_asked)
            self.result.again_asked.connect(lambda: self.again_asked.emit(self.call.callable_number))
            self.column.addWidget(self.result)
        self._story.setText(story_words(self.call, outcome))
        self._story.show()
        self.result.show_call(words)
        put_after(self._dismiss, [self.recording.show_button, *tab_stops(self.result.findings)])
        self._trouble.hide()
        self._dismiss.show()

    def _digit_words(self) -> str:
        parts = []
        if self.call.digits_sent:
            parts.append(self.tr("Digits sent: {digits}").format(digits=self.call.digits_sent))
        if self.call.digits:
            parts.append(self.tr("Digits received: {digits}").format(digits=self.call.digits))
        return " · ".join(parts)
