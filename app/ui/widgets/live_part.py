"""A call that is up: its buttons, how it sounds, what it sends."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QApplication, QHBoxLayout, QVBoxLayout, QWidget

from app.model.call import Source
from app.model.quality import Grade
from app.ui.call_words import GRADE_TONES, codec_words, far_words, quality_words
from app.ui.models.call_view import CallView
from app.ui.models.trunk_watch import TrunkWatch
from app.ui.style import GRID, Tone
from app.ui.widgets.call_actions import CallActions
from app.ui.widgets.call_figures import CallFigureGrid
from app.ui.widgets.fold import Fold
from app.ui.widgets.level_meter import LevelMeter
from app.ui.widgets.quality_plot import QualityPlot
from app.ui.widgets.still_combo import StillCombo
from app.ui.widgets.text import Text, TextRole
from app.ui.widgets.tone_icon import ToneIcon
from app.ui.widgets.transfer_row import TransferRow
from app.ui.words import source_word

_GRADE_ICONS = {Grade.GOOD: "pass", Grade.FAIR: "warning", Grade.POOR: "fail"}


class QualityLine(QWidget):
    """A mark and a line: how the other side sounds here."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._mark = ToneIcon(Tone.QUIET)
        self.text = Text()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        row.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.text, 1)

    def show_call(self, call: CallView) -> None:
        """Show the call's quality now, or of all of it once it is over."""
        over = not call.active
        words = quality_words(call.quality, call.figures, over=over)
        self.text.setText(words)
        self.text.set_tone(None if call.quality else Tone.QUIET)
        if call.quality:
            grade = (call.quality.mean if over else call.quality.now).grade
            self._mark.show_tone(GRADE_TONES[grade], _GRADE_ICONS[grade])
        self._mark.setVisible(call.quality is not None)


class LivePart(QWidget):
    """Everything below the head of a call that is up.

    Args:
        watch: Its trunk.
        source: What it sends at first.

    Signals:
        source_asked: Send something else; carries the `Source`.
    """

    source_asked = Signal(object)

    def __init__(self, watch: TrunkWatch, source: Source, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._watch = watch
        self.buttons = CallActions()
        self.transfer = TransferRow(lambda: watch.trunk)
        self.quality = QualityLine()
        self.sent = LevelMeter(self.tr("Sent"), scale=False)
        self.heard = LevelMeter(self.tr("Received"))
        self.plot = QualityPlot()
        self.media = Text(role=TextRole.SMALL, tone=Tone.QUIET)
        self.far = Text(role=TextRole.SMALL, tone=Tone.QUIET)
        self.figures = CallFigureGrid()
        self.more = Fold(self.tr("Figures"), self.figures)
        self.details = Fold(self.tr("Sound and quality"), self._build_details(source))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addSpacing(GRID // 2)
        column.addWidget(self.buttons)
        column.addWidget(self.transfer)
        column.addWidget(self.quality)
        column.addWidget(self.details)
        self.transfer.closed.connect(lambda: self.set_transferring(False))
        self.buttons.transfer_asked.connect(lambda: self.set_transferring(not self.transfer.open))

    def _build_details(self, source: Source) -> QWidget:
        self.send = StillCombo()
        self.send.setAccessibleName(self.tr("Send in this call"))
        for choice in Source:
            self.send.addItem(source_word(choice), choice)
        with QSignalBlocker(self.send):
            self.send.setCurrentIndex(list(Source).index(source))
        self.send.currentIndexChanged.connect(lambda at: self.source_asked.emit(self.send.itemData(at)))
        label = Text(self.tr("Send"), role=TextRole.SMALL, tone=Tone.QUIET, wrap=False)
        label.setBuddy(self.send)
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(label)
        row.addWidget(self.send)
        row.addStretch(1)
        parts = QWidget()
        column = QVBoxLayout(parts)
        column.setContentsMargins(0, GRID, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(self.sent)
        column.addWidget(self.heard)
        column.addLayout(row)
        column.addSpacing(GRID // 2)
        column.addWidget(self.plot)
        column.addWidget(self.media)
        column.addWidget(self.far)
        column.addWidget(self.more)
        return parts

    @property
    def compact(self) -> bool:
        """Whether only what is needed at all times is shown."""
        return not self.details.button.isChecked()

    def set_transferring(self, opened: bool) -> None:
        """Ask where to transfer the call, or not any more."""
        self.transfer.set_open(opened)
        self.buttons.transfer.setChecked(opened)

    def show_call(self, call: CallView, others: Sequence[CallView]) -> None:
        """Show the call as it is now.

        Args:
            call: The call.
            others: The other calls that are answered.
        """
        under_way = call.transfer is not None and not call.transfer.final
        if self.transfer.open and (under_way or not call.answered):
            # What the keys went to is gone
            focused = QApplication.focusWidget()
            had_focus = focused is not None and self.transfer.isAncestorOf(focused)
            self.transfer.set_open(False)
            if had_focus:
                self.buttons.hang_up.setFocus(Qt.FocusReason.OtherFocusReason)
        self.buttons.show_call(call, transferring=self.transfer.open)
        self.transfer.show_call(call, others)
        self.transfer.setVisible(call.answered and not self.transfer.isHidden())
        for part in (self.quality, self.details):
            part.setVisible(call.answered)
        if not call.answered:
            return
        self.quality.show_call(call)
        self.plot.show_series(call.series)
        self.media.setText(codec_words(call.figures, self._watch.trunk))
        self.media.setVisible(bool(self.media.text()))
        self.far.setText(far_words(call.quality))
        self.far.setVisible(call.quality is not None)
        self.figures.show_figures(call.figures)

    def show_levels(self, call: CallView) -> None:
        """Move the meters."""
        if self.details.button.isChecked():
            self.sent.set_level(call.tx_dbm0)
            self.heard.set_level(call.rx_dbm0)
