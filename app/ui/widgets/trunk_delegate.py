"""Draws one trunk in the list: mark, name, state and host."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPalette
from PySide6.QtWidgets import QLineEdit, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.model.names import LONGEST_NAME
from app.ui.models.trunk_list import TrunkRole
from app.ui.models.trunk_watch import TrunkWatch
from app.ui.plain_text import cell
from app.ui.style import GRID, Tone, heading_font, quiet_colour, small_font, tone_colour
from app.ui.widgets.selection import paint_chosen
from app.ui.widgets.state_mark import MARK_EDGE, paint_mark
from app.ui.words import TRUNK_TONES, list_state_word


class TrunkDelegate(QStyledItemDelegate):
    """Two lines a row; trouble has its colour in the second one."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        name = QFontMetrics(heading_font(option.font)).height()
        small = QFontMetrics(small_font(option.font)).height()
        return QSize(20 * GRID, name + small + 2 * GRID + 2)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        watch = index.data(TrunkRole.WATCH)
        if not isinstance(watch, TrunkWatch):
            return
        painter.save()
        palette = option.palette
        chosen = paint_chosen(painter, option, index)
        if chosen:
            text = quiet = mark = chosen
        else:
            super().paint(painter, option, index)
            quiet = quiet_colour(palette)
            text = palette.color(QPalette.ColorRole.Text) if watch.trunk.connect else quiet
            mark = tone_colour(palette, TRUNK_TONES[watch.state])
        box = option.rect.adjusted(2 * GRID, GRID, -2 * GRID, -GRID)
        self._paint_row(painter, box, option, watch, (text, quiet, mark))
        painter.restore()

    def createEditor(  # noqa: N802  Qt's name
        self, parent: QWidget, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QWidget:
        editor = QLineEdit(parent)
        editor.setFont(heading_font(option.font))
        editor.setMaxLength(LONGEST_NAME)
        editor.setAccessibleName(self.tr("Name of the trunk"))
        return editor

    def updateEditorGeometry(  # noqa: N802  Qt's name
        self, editor: QWidget, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        # Over the name, as high as a field is
        left = 2 * GRID + MARK_EDGE + GRID // 2
        height = editor.sizeHint().height()
        name = QFontMetrics(heading_font(option.font)).height()
        top = max(0, GRID - (height - name) // 2)
        editor.setGeometry(option.rect.adjusted(left, top, -GRID, 0))
        editor.setFixedHeight(height)

    def initStyleOption(  # noqa: N802  Qt's name
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        super().initStyleOption(option, index)
        option.text = ""

    def _paint_row(
        self,
        painter: QPainter,
        box: QRect,
        option: QStyleOptionViewItem,
        watch: TrunkWatch,
        colours: tuple[QColor, QColor, QColor],
    ) -> None:
        text, quiet, mark = colours
        name_font, line_font = heading_font(option.font), small_font(option.font)
        name_height = QFontMetrics(name_font).height()
        top = box.top() + (name_height - MARK_EDGE) / 2
        paint_mark(painter, QRectF(box.left(), top, MARK_EDGE, MARK_EDGE), watch.state, mark)
        left = box.left() + MARK_EDGE + GRID
        width = box.right() - left + 1
        calls = len(watch.active_calls)
        if calls:
            words = self.tr("in call") if calls == 1 else self.tr("in {count} calls").format(count=calls)
            painter.setFont(line_font)
            painter.setPen(quiet)
            taken = painter.fontMetrics().horizontalAdvance(words)
            place = QRect(left, box.top(), width, name_height)
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words)
            width -= taken + GRID
        painter.setFont(name_font)
        painter.setPen(text)
        shown = painter.fontMetrics().elidedText(cell(watch.trunk.name), Qt.TextElideMode.ElideRight, width)
        painter.drawText(QRect(left, box.top(), width, name_height), Qt.AlignmentFlag.AlignVCenter, shown)
        width = box.right() - left + 1
        painter.setFont(line_font)
        line = QRect(left, box.top() + name_height + 2, width, painter.fontMetrics().height())
        state = list_state_word(watch.state, watch.trunk)
        trouble = TRUNK_TONES[watch.state] in (Tone.BAD, Tone.WARNING)
        painter.setPen(mark if trouble else quiet)
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, state)
        used = painter.fontMetrics().horizontalAdvance(state)
        painter.setPen(quiet)
        rest = painter.fontMetrics().elidedText(
            f" · {cell(watch.trunk.host)}", Qt.TextElideMode.ElideRight, max(0, width - used)
        )
        painter.drawText(line.adjusted(used, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, rest)
