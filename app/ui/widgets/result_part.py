"""A call that is over: what came of it, how it sounded, what it means."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.ui.call_words import codec_words, far_words
from app.ui.clipboard import copy_text
from app.ui.details import call_details
from app.ui.models.call_view import CallView
from app.ui.models.trunk_watch import TrunkWatch
from app.ui.plain_text import set_tool_tip
from app.ui.style import GRID, Tone
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.call_figures import CallFigureGrid
from app.ui.widgets.finding_view import FindingList
from app.ui.widgets.fold import Fold
from app.ui.widgets.live_part import QualityLine
from app.ui.widgets.quality_plot import QualityPlot
from app.ui.widgets.text import Text, TextRole


class ResultPart(QWidget):
    """Everything below the head of a call that is over.

    Args:
        call: The call.
        watch: Its trunk.

    Signals:
        field_asked: A finding's setting is to be changed; carries its key.
        again_asked: The same number is to be called.
    """

    field_asked = Signal(str)
    again_asked = Signal()

    def __init__(self, call: CallView, watch: TrunkWatch, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._call = call
        self._watch = watch
        self.quality = QualityLine()
        self.media = Text(role=TextRole.SMALL, tone=Tone.QUIET)
        self.findings = FindingList()
        self.findings.field_asked.connect(self.field_asked)
        self.plot = QualityPlot()
        self.figures = CallFigureGrid()
        parts = QWidget()
        inner = QVBoxLayout(parts)
        inner.setContentsMargins(0, GRID, 0, 0)
        inner.setSpacing(GRID)
        inner.addWidget(self.plot)
        inner.addWidget(self.figures)
        self.details = Fold(self.tr("Figures"), parts)
        self.copy = IconButton(self.tr("Copy details"), "copy")
        self.copy.clicked.connect(self._on_copy_clicked)
        self.again = IconButton(self.tr("Call again"), "redial")
        self.again.clicked.connect(self.again_asked)
        foot = QHBoxLayout()
        foot.setSpacing(GRID)
        foot.addWidget(self.again)
        foot.addWidget(self.copy)
        foot.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(self.quality)
        column.addWidget(self.media)
        column.addWidget(self.findings)
        column.addWidget(self.details)
        column.addLayout(foot)

    def show_call(self, headline: str) -> None:
        """Show what came of the call; `headline` stands over it already."""
        call = self._call
        self.quality.show_call(call)
        self.quality.setVisible(call.quality is not None)
        lines = (codec_words(call.figures, self._watch.trunk), far_words(call.quality))
        self.media.setText("\n".join(line for line in lines if line))
        self.media.setVisible(bool(self.media.text()))
        self.findings.show_findings(call.findings, headline)
        self.details.setVisible(call.figures is not None)
        self.plot.show_series(call.series)
        self.plot.setVisible(len(call.series) > 1)
        self.figures.show_figures(call.figures)
        set_tool_tip(self.again, self.tr("Call {number}").format(number=call.callable_number))

    def _on_copy_clicked(self) -> None:
        if self._call.outcome:
            copy_text(call_details(self._watch.trunk, self._call.outcome, self._call.findings))
