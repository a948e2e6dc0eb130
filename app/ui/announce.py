"""Says something to a screen reader that nobody would find by moving the focus."""

from __future__ import annotations

from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QWidget

from app.model.visible import one_line


def announce(about: QWidget, words: str) -> None:
    """Have words spoken, where a screen reader listens.

    Args:
        about: What they are about; it must be on screen.
        words: A sentence.
    """
    if words and about.isVisible() and QAccessible.isActive():
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(about, one_line(words)))
