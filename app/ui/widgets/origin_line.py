"""Where a setting's value comes from, and the way back to the usual one."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QSizePolicy, QWidget

from app.ui.plain_text import set_spoken
from app.ui.style import GRID, Tone, small_font
from app.ui.widgets.text import Text, TextRole


class _Link(QAbstractButton):
    """A button as small as the words beside it."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.setText(words)
        self.setFont(small_font(self.font()))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        return QSize(metrics.horizontalAdvance(self.text()) + GRID, metrics.height() + GRID // 4)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        font = self.font()
        font.setUnderline(True)
        painter.setFont(font)
        painter.setPen(self.palette().color(QPalette.ColorRole.Link))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.text())
        if self.hasFocus():
            painter.setPen(self.palette().color(QPalette.ColorRole.Highlight))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()


class OriginLine(QWidget):
    """One small line below a field.

    Args:
        label: The setting's name, for those who hear the button.

    Signals:
        back_asked: The value is to be put back.
    """

    back_asked = Signal()

    def __init__(self, label: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = Text(role=TextRole.SMALL, tone=Tone.QUIET, wrap=False)
        self.button = _Link(self.tr("Put back"))
        set_spoken(self.button, self.tr("Put back {setting}").format(setting=label))
        self.button.clicked.connect(self.back_asked)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID // 2)
        row.addWidget(self._words)
        row.addWidget(self.button)
        row.addStretch(1)

    @property
    def words(self) -> str:
        """What it says."""
        return self._words.text()

    def show_words(self, words: str, *, can_go_back: bool) -> None:
        """Say something else."""
        self._words.setText(words)
        self.button.setVisible(can_go_back)
        set_spoken(self.button, description=words)
