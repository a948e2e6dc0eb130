"""Copying text for the person to paste elsewhere."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication

from app.model.visible import visible


def copy_text(text: str) -> None:
    """Put plain text on the clipboard, without what a terminal or an editor would obey."""
    QGuiApplication.clipboard().setText(visible(text))
