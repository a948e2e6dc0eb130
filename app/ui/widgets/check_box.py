"""A check box whose box is seen on dark ground too."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QCheckBox, QStyle, QStyleOptionButton

from app.ui.style import is_dark, mix

_EDGE_SHARE = 0.45
"""How much of the text's colour is in the edge: a contrast of 3:1 against the ground (WCAG 2.2, 1.4.11)."""


class CheckBox(QCheckBox):
    """Draws the edge that Qt's own style, Fusion, makes darker than a dark ground."""

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        palette = self.palette()
        if self.style().name() != "fusion" or not is_dark(palette):
            return
        option = QStyleOptionButton()
        self.initStyleOption(option)
        by_keyboard = QStyle.StateFlag.State_HasFocus | QStyle.StateFlag.State_KeyboardFocusChange
        if option.state & by_keyboard == by_keyboard:
            return  # the style's own edge has the colour of the focus then
        box = self.style().subElementRect(QStyle.SubElement.SE_CheckBoxIndicator, option, self)
        painter = QPainter(self)
        ground, text = palette.color(QPalette.ColorRole.Window), palette.color(QPalette.ColorRole.WindowText)
        painter.setPen(mix(ground, text, _EDGE_SHARE))
        painter.drawRect(QRectF(box).adjusted(0.5, 0.5, -0.5, -0.5))
        painter.end()
