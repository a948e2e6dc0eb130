"""One finding: what was seen, what it means, likely causes, what to do, the evidence."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.model.finding import Finding, Verdict
from app.ui.plain_text import set_spoken
from app.ui.style import GRID, Tone
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.fold import Fold
from app.ui.widgets.text import Text, TextRole
from app.ui.widgets.tone_icon import ToneIcon

VERDICT_TONES = {
    Verdict.PASS: (Tone.GOOD, "pass"),
    Verdict.WARNING: (Tone.WARNING, "warning"),
    Verdict.FAIL: (Tone.BAD, "fail"),
    Verdict.NOT_RUN: (Tone.QUIET, "not-run"),
}


class FindingView(QWidget):
    """Shows one finding.

    Args:
        finding: What to show.
        titled: Whether its title is shown; not where the page says it already.
        leads: Whether it has a button that leads to its setting.

    Signals:
        field_asked: The person wants to change the setting behind it; carries its key.
    """

    field_asked = Signal(str)

    def __init__(
        self, finding: Finding, *, titled: bool = True, leads: bool = True, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._finding = finding
        tone, icon_name = VERDICT_TONES[finding.verdict]
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(GRID)
        grid.setVerticalSpacing(0)
        grid.setColumnStretch(1, 1)
        self._column = QVBoxLayout()
        self._column.setSpacing(GRID // 2)
        grid.addLayout(self._column, 0, 1)
        if titled:
            grid.addWidget(ToneIcon(tone, icon_name), 0, 0, Qt.AlignmentFlag.AlignTop)
            self._column.addWidget(Text(finding.title))
        if finding.meaning:
            self._column.addWidget(Text(finding.meaning, tone=Tone.QUIET))
        if finding.verdict in (Verdict.FAIL, Verdict.WARNING):
            self._add_list(self.tr("Likely causes"), finding.causes, numbered=False)
            self._add_list(self.tr("What to do"), finding.do, numbered=True)
        self._add_evidence()
        if leads and finding.field and finding.verdict is not Verdict.PASS:
            self._add_button(finding.field)
        set_spoken(self, f"{finding.verdict}: {finding.title}")

    def _add_list(self, heading: str, lines: tuple[str, ...], *, numbered: bool) -> None:
        if not lines:
            return
        self._column.addSpacing(GRID // 2)
        self._column.addWidget(Text(heading, role=TextRole.SMALL, tone=Tone.QUIET))
        grid = QGridLayout()
        grid.setHorizontalSpacing(GRID // 2)
        grid.setVerticalSpacing(GRID // 2)
        # As far in under both headings
        grid.setColumnMinimumWidth(0, 2 * GRID)
        grid.setColumnStretch(1, 1)
        for place, line in enumerate(lines):
            mark = f"{place + 1}." if numbered else "\N{BULLET}"
            grid.addWidget(Text(mark, tone=Tone.QUIET, wrap=False), place, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(Text(line), place, 1)
        self._column.addLayout(grid)

    def _add_evidence(self) -> None:
        if not self._finding.evidence:
            return
        lines = QWidget()
        column = QVBoxLayout(lines)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID // 4)
        for line in self._finding.evidence:
            column.addWidget(Text(line, role=TextRole.FIXED, tone=Tone.QUIET))
        fold = Fold(self.tr("What we saw"), lines)
        # Who looks for a fault wants to see it; who has none need not
        fold.set_open(self._finding.verdict in (Verdict.FAIL, Verdict.WARNING))
        self._column.addWidget(fold)

    def _add_button(self, field: str) -> None:
        from app.model.settings import SETTINGS

        labels = {setting.key: setting.label for setting in SETTINGS} | {"password": self.tr("Password")}
        words = self.tr("Change {setting}…").format(setting=labels.get(field, field))
        button = IconButton(words, "settings")
        button.clicked.connect(lambda: self.field_asked.emit(field))
        row = QHBoxLayout()
        row.setContentsMargins(0, GRID // 2, 0, 0)
        row.addWidget(button)
        row.addStretch(1)
        self._column.addLayout(row)


class FindingList(QWidget):
    """Findings under each other.

    Signals:
        field_asked: As in `FindingView`.
    """

    field_asked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._findings: tuple[Finding, ...] = ()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2 * GRID)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is shown."""
        return self._findings

    def show_findings(self, findings: tuple[Finding, ...], headline: str = "", leads_to: str = "") -> None:
        """Show these and no others.

        Args:
            findings: What to show.
            headline: Stands over them; a title that says the same is not repeated.
            leads_to: A setting that a button of the page leads to; no finding has another one.
        """
        if findings == self._findings:
            return
        self._findings = findings
        while item := self._column.takeAt(0):
            if widget := item.widget():
                widget.hide()
                widget.deleteLater()
        for finding in findings:
            view = FindingView(finding, titled=finding.title != headline, leads=finding.field != leads_to)
            view.field_asked.connect(self.field_asked)
            self._column.addWidget(view)
        self.setVisible(bool(findings))
