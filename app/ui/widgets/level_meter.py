"""A level meter from -60 to 0 dBm0 with peak hold."""

from __future__ import annotations

import time

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.ui.plain_text import set_spoken
from app.ui.style import GRID, Tone, is_dark, mix, quiet_colour, small_font, tone_colour

FLOOR_DBM0 = -60.0
CEILING_DBM0 = 0.0
HOT_DBM0 = -6.0
"""From here on speech is likely to clip in G.711, whose ceiling is +3.14 dBm0 for a sine (ITU-T G.711)."""
_HOLD_S = 1.5
_FALL_DB_PER_S = 20.0
_TICKS = (-60, -40, -20, 0)
_BAR = 8
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_TOLD_EVERY_S = 1.0
"""How often a screen reader may be told another level."""


class LevelMeter(QWidget):
    """The name, the bar and the figure; `set_level` is expected twenty times a second.

    All of it is one widget that paints itself: labels would have the whole card laid out with each figure.

    Args:
        name: What is measured, at the left; empty for a bar alone.
        scale: Whether figures stand under the bar.
    """

    def __init__(self, name: str = "", *, scale: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._scale = scale
        self._level: float | None = None
        self._peak = FLOOR_DBM0
        self._peak_at = 0.0
        self._told_at = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        set_spoken(self, name)
        self._measure()

    @property
    def peak_dbm0(self) -> float:
        """The held peak, dBm0."""
        return self._peak

    @property
    def words(self) -> str:
        """The level for people."""
        if self._level is None or self._level < FLOOR_DBM0:
            return self.tr("silent")
        return f"{self._level:.0f} dBm0".replace("-", "\N{MINUS SIGN}")

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
        quiet = dbm0 is None and self._level is None and self._peak <= FLOOR_DBM0
        self._level = dbm0
        if not quiet:
            self.update(self._moving())
        if now - self._told_at >= _TOLD_EVERY_S:
            self._told_at = now
            set_spoken(self, description=self.words)

    def sizeHint(self) -> QSize:
        return QSize(self._name_width + 160 + self._figure_width, self._line + self._scale_height)

    def minimumSizeHint(self) -> QSize:
        return QSize(self._name_width + 80 + self._figure_width, self.sizeHint().height())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.ApplicationFontChange):
            self._measure()
            self.updateGeometry()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._font)
        if event.rect().left() < self._name_width:
            painter.setPen(quiet_colour(self.palette()))
            painter.drawText(QRect(0, 0, self._name_width, self._line), _LEFT, self._name)
        self._paint_bar(painter)
        if self._name:
            painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
            room = QRect(self.width() - self._figure_width, 0, self._figure_width, self._line)
            painter.drawText(room, _RIGHT, self.words)
        if self._scale and event.rect().bottom() >= self._line:
            self._paint_scale(painter)
        painter.end()

    def _measure(self) -> None:
        self._font = small_font(self.font())
        metrics = QFontMetrics(self._font)
        self._line = metrics.height() if self._name else _BAR + 2
        self._scale_height = metrics.height() if self._scale else 0
        # The same for every meter, so that their bars begin and end under each other
        names = (self._name, self.tr("Received"))
        self._name_width = max(map(metrics.horizontalAdvance, names)) + GRID if self._name else 0
        widest = max(map(metrics.horizontalAdvance, ("\N{MINUS SIGN}88 dBm0", self.tr("silent"))))
        self._figure_width = widest + GRID if self._name else 0

    def _bar(self) -> QRectF:
        width = self.width() - self._name_width - self._figure_width
        return QRectF(self._name_width, (self._line - _BAR) / 2, max(width, _BAR), _BAR)

    def _moving(self) -> QRect:
        """What changes with the level."""
        return QRect(self._name_width, 0, self.width() - self._name_width, self._line)

    def _paint_bar(self, painter: QPainter) -> None:
        palette, bar = self.palette(), self._bar()
        text = palette.color(QPalette.ColorRole.WindowText)
        ground = mix(palette.color(QPalette.ColorRole.Base), text, 0.18 if is_dark(palette) else 0.10)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(bar, _BAR / 2, _BAR / 2)
        if self._level is not None:
            shown = min(max(self._level, FLOOR_DBM0), CEILING_DBM0)
            filled = QRectF(bar)
            filled.setWidth(max(self._x(shown) - bar.left(), _BAR))
            tone = Tone.WARNING if shown > HOT_DBM0 else Tone.ACCENT
            painter.setBrush(tone_colour(palette, tone))
            painter.drawRoundedRect(filled, _BAR / 2, _BAR / 2)
        if self._peak > FLOOR_DBM0:
            painter.setBrush(text)
            at = min(self._x(self._peak), bar.right() - 2.0)
            painter.drawRect(QRectF(at, bar.top() - 1, 2, _BAR + 2))

    def _paint_scale(self, painter: QPainter) -> None:
        painter.setPen(quiet_colour(self.palette()))
        metrics, bar = painter.fontMetrics(), self._bar()
        for tick in _TICKS:
            words = str(tick).replace("-", "\N{MINUS SIGN}")
            width = metrics.horizontalAdvance(words)
            left = min(max(self._x(tick) - width / 2, bar.left()), bar.right() - width)
            painter.drawText(QRectF(left, self._line, width + 1, self._scale_height), words)

    def _x(self, dbm0: float) -> float:
        bar = self._bar()
        return bar.left() + bar.width() * (dbm0 - FLOOR_DBM0) / (CEILING_DBM0 - FLOOR_DBM0)
