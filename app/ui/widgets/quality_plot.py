"""The last two minutes of a call: its score as a line, lost packets as bars."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.model.quality import FAIR_R, GOOD_R, Grade, mos
from app.ui.call_words import GRADE_TONES, grade_word, percent
from app.ui.models.call_view import SERIES_S, QualityPoint
from app.ui.plain_text import set_spoken, set_tool_tip
from app.ui.style import GRID, Tone, line_colour, mix, quiet_colour, small_font, tone_colour

TOP_LOSS_PCT = 10.0
_GRADES = (Grade.POOR, Grade.FAIR, Grade.GOOD)
_EDGES = (1.0, mos(FAIR_R), mos(GOOD_R), 4.5)
"""MOS between the grades, from the least to the most that the E-model knows (ITU-T G.107 annex B). Each grade
has a third of the height: by its figures, poor would fill most of it even in a call without a fault."""
_HEIGHT = 9 * GRID
_LEAST_BAR = 2.0
_GAP_S = 3.0
"""Seconds without a point, as on hold, after which the line is broken."""


class QualityPlot(QWidget):
    """Shows a series; repaints once for each new point, which comes once a second."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._points: tuple[QualityPoint, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._measure()
        self._tell()

    @property
    def summary(self) -> str:
        """The same in words."""
        scores = [point.mos for point in self._points if point.mos is not None]
        if not scores:
            return self.tr("Quality in the last two minutes: not known yet")
        words = self.tr(
            "Quality of the last two minutes: MOS {least} to {most}, now {now}; loss up to {loss}"
        )
        return words.format(
            least=f"{min(scores):.1f}",
            most=f"{max(scores):.1f}",
            now=f"{scores[-1]:.1f}",
            loss=percent(max(point.loss_pct for point in self._points)),
        )

    def show_series(self, points: Sequence[QualityPoint]) -> None:
        """Show these points, the oldest first."""
        if tuple(points) != self._points:
            self._points = tuple(points)
            self._tell()
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(30 * GRID, _HEIGHT + self._line)

    def minimumSizeHint(self) -> QSize:
        return QSize(20 * GRID, self.sizeHint().height())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.ApplicationFontChange):
            self._measure()
            self.updateGeometry()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._font)
        area = QRectF(self._names_width, 0, self.width() - self._names_width, _HEIGHT)
        self._paint_ground(painter, area)
        self._paint_loss(painter, area)
        self._paint_scores(painter, area)
        self._paint_legend(painter, area)
        painter.end()

    def _measure(self) -> None:
        self._font = small_font(self.font())
        metrics = QFontMetrics(self._font)
        self._line = metrics.height() + GRID // 4
        self._names_width = max(metrics.horizontalAdvance(grade_word(grade)) for grade in Grade) + GRID

    def _tell(self) -> None:
        set_spoken(self, self.summary)
        set_tool_tip(self, self.summary)

    def _paint_ground(self, painter: QPainter, area: QRectF) -> None:
        palette = self.palette()
        base, quiet = palette.color(QPalette.ColorRole.Base), quiet_colour(palette)
        for place, grade in enumerate(_GRADES):
            high = area.height() / len(_GRADES)
            band = QRectF(area.left(), area.bottom() - (place + 1) * high, area.width(), high)
            painter.fillRect(band, mix(base, tone_colour(palette, GRADE_TONES[grade]), 0.12))
            painter.setPen(quiet)
            name = QRectF(0, band.top(), self._names_width - GRID / 2, band.height())
            align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(name, align | Qt.TextFlag.TextDontClip, grade_word(grade))
        painter.setPen(QPen(line_colour(palette), 1))
        painter.drawLine(area.bottomLeft(), area.bottomRight())

    def _paint_loss(self, painter: QPainter, area: QRectF) -> None:
        colour = self._loss_colour()
        width = max(area.width() / SERIES_S - 0.5, 1.0)
        for at, point in self._placed(area):
            if point.loss_pct > 0:
                share = min(point.loss_pct / TOP_LOSS_PCT, 1.0)
                high = max(area.height() * share, _LEAST_BAR)
                painter.fillRect(QRectF(at - width, area.bottom() - high, width, high), colour)

    def _paint_scores(self, painter: QPainter, area: QRectF) -> None:
        pen = QPen(self.palette().color(QPalette.ColorRole.WindowText), 1.5)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        run: list[QPointF] = []
        former = None
        for at, point in self._placed(area):
            if point.mos is None or (former is not None and point.at - former > _GAP_S):
                _draw_run(painter, run)
                run = []
            if point.mos is not None:
                run.append(QPointF(at, _height(area, point.mos)))
            former = point.at
        _draw_run(painter, run)

    def _paint_legend(self, painter: QPainter, area: QRectF) -> None:
        palette, metrics = self.palette(), painter.fontMetrics()
        quiet = quiet_colour(palette)
        row = QRectF(area.left(), area.bottom() + GRID / 4, area.width(), self._line)
        painter.setPen(quiet)
        painter.drawText(row, Qt.AlignmentFlag.AlignLeft, self.tr("2 min ago"))
        painter.drawText(row, Qt.AlignmentFlag.AlignRight, self.tr("now"))
        words = (self.tr("MOS"), self.tr("loss"))
        mark, gap = 1.5 * GRID, GRID / 2
        whole = sum(mark + gap + metrics.horizontalAdvance(each) for each in words) + 2 * GRID
        left, middle = row.center().x() - whole / 2, row.top() + metrics.height() / 2
        painter.setPen(QPen(palette.color(QPalette.ColorRole.WindowText), 1.5))
        painter.drawLine(QPointF(left, middle), QPointF(left + mark, middle))
        left = _write(painter, words[0], left + mark + gap, row, quiet) + 2 * GRID
        painter.fillRect(QRectF(left + mark - 6, middle - 4, 3, 8), self._loss_colour())
        painter.fillRect(QRectF(left + mark - 2, middle, 3, 4), self._loss_colour())
        _write(painter, words[1], left + mark + gap, row, quiet)

    def _loss_colour(self) -> QColor:
        # The score's line is seen through it
        colour = tone_colour(self.palette(), Tone.BAD)
        colour.setAlphaF(0.6)
        return colour

    def _placed(self, area: QRectF) -> Iterator[tuple[float, QualityPoint]]:
        """Each point with its place: the last one is at the right, whenever it was."""
        last = self._points[-1].at if self._points else 0.0
        for point in self._points:
            age = last - point.at
            if age <= SERIES_S:
                yield area.right() - 1 - (area.width() - 2) * age / SERIES_S, point


def _height(area: QRectF, score: float) -> float:
    inside = min(max(score, _EDGES[0]), _EDGES[-1])
    place = min(bisect_right(_EDGES, inside), len(_GRADES)) - 1
    share = (inside - _EDGES[place]) / (_EDGES[place + 1] - _EDGES[place])
    return area.bottom() - area.height() * (place + share) / len(_GRADES)


def _draw_run(painter: QPainter, run: list[QPointF]) -> None:
    if len(run) == 1:
        painter.drawPoint(run[0])
    elif run:
        painter.drawPolyline(QPolygonF(run))


def _write(painter: QPainter, words: str, left: float, row: QRectF, colour: QColor) -> float:
    """Words from a place on; where they end."""
    painter.setPen(colour)
    painter.drawText(QRectF(left, row.top(), row.width(), row.height()), words)
    return left + painter.fontMetrics().horizontalAdvance(words)
