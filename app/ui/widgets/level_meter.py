"""A level meter from -60 to 0 dBm0 with peak hold."""

from __future__ import annotations

import time

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.ui.style import GRID, Tone, is_dark, mix, quiet_colour, small_font, tone_colour
from app.ui.widgets.text import Text, TextRole

FLOOR_DBM0 = -60.0
CEILING_DBM0 = 0.0
HOT_DBM0 = -6.0
"""From here on speech is likely to clip in G.711, whose ceiling is +3.14 dBm0 for a sine (ITU-T G.711)."""
_HOLD_S = 1.5
_FALL_DB_PER_S = 20.0
_TICKS = (-60, -40, -20, 0)
_BAR = 8


class LevelMeter(QWidget):
    """The bar; `set_level` is expected about ten times a second.

    Args:
        scale: Whether figures stand under the bar.
    """

    def __init__(self, *, scale: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scale = scale
        self._level: float | None = None
        self._peak = FLOOR_DBM0
        self._peak_at = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @property
    def peak_dbm0(self) -> float:
        """The held peak, dBm0."""
        return self._peak

    def set_level(self, dbm0: float | None) -> None:
        """Show a level, dBm0; None is silence."""
        now = time.monotonic()
        level = FLOOR_DBM0 if dbm0 is None else min(max(dbm0, FLOOR_DBM0), CEILING_DBM0)
        held_s = now - self._peak_at
        if level >= self._peak:
            self._peak, self._peak_at = level, now
        elif held_s > _HOLD_S:
            self._peak = max(level, self._peak - _FALL_DB_PER_S * (held_s - _HOLD_S))
            self._peak_at = now - _HOLD_S
        self._level = dbm0
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(160, _BAR + 2 + self._scale_height())

    def minimumSizeHint(self) -> QSize:
        return QSize(80, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = self.palette()
        bar = QRectF(0, 1, self.width(), _BAR)
        text = palette.color(QPalette.ColorRole.WindowText)
        ground = mix(palette.color(QPalette.ColorRole.Base), text, 0.18 if is_dark(palette) else 0.10)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(bar, _BAR / 2, _BAR / 2)
        if self._level is not None:
            shown = min(max(self._level, FLOOR_DBM0), CEILING_DBM0)
            filled = QRectF(bar)
            filled.setWidth(max(self._x(shown), _BAR))
            tone = Tone.WARNING if shown > HOT_DBM0 else Tone.ACCENT
            painter.setBrush(tone_colour(palette, tone))
            painter.drawRoundedRect(filled, _BAR / 2, _BAR / 2)
        if self._peak > FLOOR_DBM0:
            painter.setBrush(text)
            painter.drawRect(QRectF(min(self._x(self._peak), self.width() - 2.0), 0, 2, _BAR + 2))
        if self._scale:
            self._paint_scale(painter)
        painter.end()

    def _paint_scale(self, painter: QPainter) -> None:
        painter.setPen(quiet_colour(self.palette()))
        painter.setFont(small_font(self.font()))
        metrics = painter.fontMetrics()
        for tick in _TICKS:
            words = str(tick).replace("-", "\N{MINUS SIGN}")
            width = metrics.horizontalAdvance(words)
            left = min(max(self._x(tick) - width / 2, 0.0), self.width() - width)
            painter.drawText(QRectF(left, _BAR + 2, width + 1, self._scale_height()), words)

    def _x(self, dbm0: float) -> float:
        return self.width() * (dbm0 - FLOOR_DBM0) / (CEILING_DBM0 - FLOOR_DBM0)

    def _scale_height(self) -> int:
        if not self._scale:
            return 0
        return QFontMetrics(small_font(self.font())).height()


class NamedMeter(QWidget):
    """A meter with its name on the left and its figure on the right.

    Args:
        name: What is measured.
        scale: Whether figures stand under the bar.
    """

    def __init__(self, name: str, *, scale: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._label = Text(name, role=TextRole.SMALL, tone=Tone.QUIET, wrap=False)
        self._figure = Text(role=TextRole.SMALL, wrap=False)
        self.meter = LevelMeter(scale=scale)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        metrics = self._label.fontMetrics()
        self._label.setFixedWidth(metrics.horizontalAdvance(self.tr("Received")) + GRID)
        self._figure.setFixedWidth(self._figure.fontMetrics().horizontalAdvance("\N{MINUS SIGN}88 dBm0") + 4)
        self._figure.setAlignment(Qt.AlignmentFlag.AlignRight)
        row.addWidget(self._label, 0, Qt.AlignmentFlag.AlignTop)
        bar = QVBoxLayout()
        # The bar's middle is level with the words beside it
        bar.setContentsMargins(0, max(0, (metrics.height() - _BAR) // 2), 0, 0)
        bar.addWidget(self.meter)
        row.addLayout(bar, 1)
        row.addWidget(self._figure, 0, Qt.AlignmentFlag.AlignTop)
        self.set_level(None)

    def set_level(self, dbm0: float | None) -> None:
        """Show a level, dBm0; None is silence."""
        self.meter.set_level(dbm0)
        if dbm0 is None or dbm0 < FLOOR_DBM0:
            words = self.tr("silent")
        else:
            words = f"{dbm0:.0f} dBm0".replace("-", "\N{MINUS SIGN}")
        self._figure.setText(words)
        self.setAccessibleName(f"{self._name}: {words}")
