"""What is chosen in a list, and whether the keys go there; seen on every style alike."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex
from PySide6.QtGui import QColor, QPainter, QPalette
from PySide6.QtWidgets import QAbstractItemView, QAbstractScrollArea, QStyleOptionViewItem

from app.ui.style import readable_pair


def paint_chosen(
    painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
) -> QColor | None:
    """Fill the ground of a chosen row.

    Returns:
        The colour for words on it; None when the row is not chosen, and nothing was painted.
    """
    view = option.widget
    if not isinstance(view, QAbstractItemView) or not view.selectionModel().isSelected(index):
        return None
    group = QPalette.ColorGroup.Active if view.isActiveWindow() else QPalette.ColorGroup.Inactive
    ground, text = readable_pair(option.palette.color(group, QPalette.ColorRole.Highlight))
    painter.fillRect(option.rect, ground)
    return text


def paint_focus(view: QAbstractScrollArea) -> None:
    """Draw the edge of a view that has the keyboard, as a field has one; for the end of its `paintEvent`."""
    if not view.hasFocus():
        return
    painter = QPainter(view.viewport())
    painter.setPen(view.palette().color(QPalette.ColorRole.Highlight))
    painter.drawRect(view.viewport().rect().adjusted(0, 0, -1, -1))
    painter.end()
