"""A call as a card: coming in, running, or over with its verdict."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from app.model.outcome import AnsweredBy, CallOutcome, Direction
from app.model.trunk import Trunk
from app.sip.messages import CallState, Source
from app.ui.clipboard import copy_text
from app.ui.details import call_details
from app.ui.models.trunk_watch import CallView
from app.ui.style import GRID, Tone
from app.ui.widgets.buttons import IconButton, IconToolButton, ToneButton
from app.ui.widgets.card import Card
from app.ui.widgets.fact_grid import FactGrid
from app.ui.widgets.finding_view import VERDICT_TONES, FindingList
from app.ui.widgets.level_meter import NamedMeter
from app.ui.widgets.text import ElidedText, Text, TextRole
from app.ui.widgets.tone_icon import ToneIcon
from app.ui.words import (
    call_state_words,
    caller_words,
    clock,
    codec_word,
    hung_up_words,
    milliseconds,
    source_word,
)

_UNKNOWN = "\N{EN DASH}"


class CallCard(Card):
    """Shows one call.

    Args:
        call: What to show; `refresh` after each change.
        trunk: Whose call it is.

    Signals:
        answer_asked, decline_asked, hang_up_asked: A button was pressed.
        source_asked: Another thing to send; carries the `Source`.
        field_asked: A finding's setting is to be changed; carries its key.
        dismissed: The card of an ended call is not wanted any more.
    """

    answer_asked = Signal()
    decline_asked = Signal()
    hang_up_asked = Signal()
    source_asked = Signal(object)
    field_asked = Signal(str)
    dismissed = Signal()

    def __init__(self, call: CallView, trunk: Trunk, source: Source, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.call = call
        self._trunk = trunk
        self._build_head()
        self._build_meters(source)
        self._build_result()
        self.refresh()

    @property
    def verdict(self) -> str:
        """The headline of an ended call, else empty."""
        return self._headline.text() if self.call.outcome else ""

    def refresh(self) -> None:
        """Show the call as it is now."""
        call = self.call
        incoming = call.state is CallState.INCOMING
        answered = call.state is CallState.ANSWERED
        self._state.setText(self._state_words())
        self._called.setText(self._called_words())
        self._called.setVisible(call.active and bool(self._called.text()))
        self._incoming_row.setVisible(incoming)
        self._running.setVisible(answered)
        self._hang_up.setVisible(call.active and not incoming)
        self._digits.setText(self._digit_words())
        self._digits.setVisible(bool(self._digits.text()))
        self._show_figures()
        self._figures.setVisible(answered or (call.outcome is not None and call.figures is not None))
        if call.outcome:
            self._show_result(call.outcome)
        self.setAccessibleName(f"{self._who()}: {self._state.text()} {self.verdict}".strip())

    def take_focus(self) -> None:
        """Put the focus on what ends the call."""
        self._hang_up.setFocus(Qt.FocusReason.OtherFocusReason)

    def tick(self) -> None:
        """Move the timer on."""
        if self.call.state is CallState.ANSWERED:
            self._state.setText(self._state_words())

    def show_levels(self) -> None:
        """Move the meters."""
        self._sent.set_level(self.call.tx_dbm0)
        self._heard.set_level(self.call.rx_dbm0)

    def _build_head(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(GRID)
        top = Qt.AlignmentFlag.AlignTop
        self._mark = ToneIcon(Tone.ACCENT, "incoming" if self.call.direction is Direction.IN else "call")
        # A caller has a name as well as a number, and may take two lines
        incoming = self.call.direction is Direction.IN
        self._number = (Text if incoming else ElidedText)(self._who(), role=TextRole.HEADING)
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
        self.column.addWidget(self._called)
        self._incoming_row = QWidget()
        buttons = QHBoxLayout(self._incoming_row)
        buttons.setContentsMargins(0, GRID, 0, 0)
        buttons.setSpacing(GRID)
        answer = ToneButton(self.tr("Answer"), "call", tone=Tone.GOOD)
        answer.clicked.connect(self.answer_asked)
        decline = IconButton(self.tr("Decline"), "hang-up")
        decline.clicked.connect(self.decline_asked)
        buttons.addWidget(answer)
        buttons.addWidget(decline)
        buttons.addStretch(1)
        self.column.addWidget(self._incoming_row)

    def _build_meters(self, source: Source) -> None:
        self._running = QWidget()
        column = QVBoxLayout(self._running)
        column.setContentsMargins(0, GRID, 0, GRID)
        column.setSpacing(GRID)
        self._sent = NamedMeter(self.tr("Sent"), scale=False)
        self._heard = NamedMeter(self.tr("Received"))
        column.addWidget(self._sent)
        column.addWidget(self._heard)
        self.column.addWidget(self._running)
        captions = (
            self.tr("Codec"),
            self.tr("Loss"),
            self.tr("Jitter"),
            self.tr("Round trip"),
            self.tr("Echo after"),
            self.tr("Packets out / in"),
        )
        self._digits = Text()
        self._figures = FactGrid(captions, 3)
        self._figures.setContentsMargins(0, GRID // 2, 0, GRID // 2)
        self._send = QComboBox()
        self._send.setAccessibleName(self.tr("Send in this call"))
        for choice in Source:
            self._send.addItem(source_word(choice), choice)
        with QSignalBlocker(self._send):
            self._send.setCurrentIndex(list(Source).index(source))
        self._send.currentIndexChanged.connect(self._on_source_chosen)
        self._hang_up = ToneButton(self.tr("Hang up"), "hang-up", tone=Tone.BAD)
        self._hang_up.clicked.connect(self.hang_up_asked)
        self._hang_up.setToolTip(self.tr("Esc"))

    def _build_result(self) -> None:
        self._story = Text(tone=Tone.QUIET)
        self._story.hide()
        self._findings = FindingList()
        self._findings.field_asked.connect(self.field_asked)
        self._findings.hide()
        self.column.addWidget(self._story)
        self.column.addWidget(self._digits)
        self.column.addWidget(self._figures)
        self.column.addWidget(self._findings)
        self._foot = QWidget()
        row = QHBoxLayout(self._foot)
        row.setContentsMargins(0, GRID, 0, 0)
        row.setSpacing(GRID)
        self._copy = IconButton(self.tr("Copy details"), "copy")
        self._copy.clicked.connect(self._on_copy_clicked)
        self._copy.hide()
        self._send_label = Text(self.tr("Send"), role=TextRole.SMALL, tone=Tone.QUIET, wrap=False)
        self._send_label.setBuddy(self._send)
        row.addWidget(self._send_label)
        row.addWidget(self._send)
        row.addWidget(self._copy)
        row.addStretch(1)
        row.addWidget(self._hang_up)
        self.column.addWidget(self._foot)

    def _show_figures(self) -> None:
        figures = self.call.figures
        answered = self.call.state is CallState.ANSWERED
        self._send.setVisible(answered)
        self._send_label.setVisible(answered)
        self._foot.setVisible(self.call.state is not CallState.INCOMING)
        if figures is None:
            self._figures.set_values((_UNKNOWN,) * 6)
            return
        self._figures.set_values(
            (
                codec_word(figures.codec) or _UNKNOWN,
                f"{figures.rx.loss_pct:.1f} %" if figures.rx.packets else _UNKNOWN,
                milliseconds(figures.rx.jitter_ms if figures.rx.packets else None),
                milliseconds(figures.round_trip_ms),
                milliseconds(figures.echo_ms),
                f"{figures.tx.packets} / {figures.rx.packets}",
            )
        )

    def _show_result(self, outcome: CallOutcome) -> None:
        from app.checks.diagnosis import headline, worst

        findings = self.call.findings
        tone, icon_name = VERDICT_TONES[worst(findings)]
        self.set_tone(tone)
        self._mark.show_tone(tone, icon_name)
        words = headline(findings)
        self._headline.setText(words)
        self._headline.show()
        self._number.hide()
        self._state.hide()
        self._story.setText(self._story_words(outcome))
        self._story.show()
        self._findings.show_findings(findings, words)
        self._copy.show()
        self._dismiss.show()

    def _who(self) -> str:
        if self.call.direction is Direction.IN:
            number = caller_words(self.call.number) or self.tr("unknown")
            return self.tr("From {number}").format(number=number)
        return self.call.number

    def _called_words(self) -> str:
        if self.call.direction is Direction.IN:
            words = self.tr("Number called: {number} ({uri})")
            return words.format(number=caller_words(self.call.called), uri=self.call.called)
        return self.tr("To {uri}").format(uri=self.call.called) if self.call.called else ""

    def _digit_words(self) -> str:
        parts = []
        if self.call.digits_sent:
            parts.append(self.tr("Digits sent: {digits}").format(digits=self.call.digits_sent))
        if self.call.digits:
            parts.append(self.tr("Digits received: {digits}").format(digits=self.call.digits))
        return " · ".join(parts)

    def _state_words(self) -> str:
        call = self.call
        words = call_state_words(call.state, call.direction)
        return f"{words}  {clock(call.seconds)}" if call.state is CallState.ANSWERED else words

    def _story_words(self, outcome: CallOutcome) -> str:
        parts = [self._who()]
        if outcome.duration_s:
            parts.append(clock(outcome.duration_s))
        by_network = outcome.sip_code and outcome.answered_by is AnsweredBy.NETWORK
        if hung_up_words(outcome.hung_up_by):
            parts.append(hung_up_words(outcome.hung_up_by))
        elif not by_network:
            parts.append(str(outcome.result))
        if by_network:
            parts.append(f"{outcome.sip_code} {outcome.reason}".strip())
        if outcome.setup_ms is not None:
            parts.append(self.tr("first response after {time}").format(time=milliseconds(outcome.setup_ms)))
        return " · ".join(parts)

    def _on_source_chosen(self, place: int) -> None:
        self.source_asked.emit(self._send.itemData(place))

    def _on_copy_clicked(self) -> None:
        if self.call.outcome:
            copy_text(call_details(self._trunk, self.call.outcome, self.call.findings))
