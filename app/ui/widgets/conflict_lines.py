"""What a trunk shares with others that it should not, as quiet lines."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.model.conflicts import Conflict
from app.ui.plain_text import set_spoken
from app.ui.style import GRID, Tone
from app.ui.widgets.text import Text, TextRole
from app.ui.widgets.tone_icon import ToneIcon

_MOST = 3


class ConflictLines(QWidget):
    """Hidden while there is nothing to say."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        mark = ToneIcon(Tone.WARNING)
        self._words = Text(role=TextRole.SMALL, tone=Tone.WARNING)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        row.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._words, 1)
        self.hide()

    @property
    def words(self) -> str:
        """What it says; empty while it is hidden."""
        return "" if self.isHidden() else self._words.text()

    def show_conflicts(self, found: Sequence[Conflict]) -> None:
        """Say what they are, the first ones in full."""
        lines = [conflict.what for conflict in found[:_MOST]]
        if len(found) > _MOST:
            lines.append(self.tr("And {count} more like these.").format(count=len(found) - _MOST))
        self._words.setText("\n".join(lines))
        set_spoken(self, " ".join(lines))
        self.setVisible(bool(lines))
