"""Tabs whose words are whole."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QTabBar, QTabWidget, QWidget

from app.ui.plain_text import set_spoken
from app.ui.style import GRID


class _Bar(QTabBar):
    def tabSizeHint(self, index: int) -> QSize:  # noqa: N802  Qt's name
        # Qt's own style, Fusion, lowers the words of all but the chosen tab, and cuts off what hangs below
        return super().tabSizeHint(index) + QSize(0, GRID // 2)


class Tabs(QTabWidget):
    """Pages one behind the other, without a frame.

    Args:
        name: Of the tabs as a whole, for screen readers.
    """

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTabBar(_Bar())
        self.setDocumentMode(True)
        set_spoken(self, name)
        set_spoken(self.tabBar(), name)
