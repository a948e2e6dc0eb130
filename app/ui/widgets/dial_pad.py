"""A dial pad with letters (ITU-T E.161)."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QGridLayout, QPushButton, QSizePolicy, QStyle, QStyleOptionButton, QWidget

from app.ui.plain_text import set_spoken
from app.ui.style import GRID, quiet_colour, small_font, title_font

_KEYS = (
    ("1", ""),
    ("2", "ABC"),
    ("3", "DEF"),
    ("4", "GHI"),
    ("5", "JKL"),
    ("6", "MNO"),
    ("7", "PQRS"),
    ("8", "TUV"),
    ("9", "WXYZ"),
    ("*", ""),
    ("0", "+"),
    ("#", ""),
)
DIGITS = frozenset(digit for digit, _ in _KEYS)


class _Key(QPushButton):
    """One key: a digit with its letters under it, drawn on the style's own button."""

    def __init__(self, digit: str, letters: str) -> None:
        super().__init__()
        self._digit, self._letters = digit, letters
        set_spoken(self, f"{digit} {letters}".strip())
        self.setAutoDefault(False)
        # Digits can be typed anywhere on the page, so twelve stops of the Tab key are spared
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(7 * GRID, 6 * GRID)

    def minimumSizeHint(self) -> QSize:
        return QSize(5 * GRID, 6 * GRID)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        option = QStyleOptionButton()
        self.initStyleOption(option)
        self.style().drawControl(QStyle.ControlElement.CE_PushButtonBevel, option, painter, self)
        palette = self.palette()
        group = QPalette.ColorGroup.Active if self.isEnabled() else QPalette.ColorGroup.Disabled
        painter.setFont(title_font(self.font()))
        painter.setPen(palette.color(group, QPalette.ColorRole.ButtonText))
        middle = self.height() * 5 // 8 if self._letters else self.height()
        align = Qt.AlignmentFlag.AlignHCenter | (
            Qt.AlignmentFlag.AlignBottom if self._letters else Qt.AlignmentFlag.AlignVCenter
        )
        painter.drawText(QRect(0, 0, self.width(), middle), align, self._digit)
        if self._letters:
            painter.setFont(small_font(self.font()))
            painter.setPen(quiet_colour(palette) if self.isEnabled() else painter.pen().color())
            box = QRect(0, middle - 1, self.width(), self.height() - middle)
            painter.drawText(box, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, self._letters)
        painter.end()


class DialPad(QWidget):
    """Twelve keys.

    Signals:
        pressed: A key was pressed; carries its digit.
    """

    pressed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.keys: dict[str, QPushButton] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(GRID)
        for place, (digit, letters) in enumerate(_KEYS):
            key = _Key(digit, letters)
            key.clicked.connect(lambda _checked=False, digit=digit: self.pressed.emit(digit))
            grid.addWidget(key, place // 3, place % 3)
            self.keys[digit] = key
        self.setAccessibleName(self.tr("Dial pad"))
