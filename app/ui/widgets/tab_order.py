"""The order of the Tab key for parts that come and go: it follows what is seen, not when it was made."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget


def tab_stops(part: QWidget) -> list[QWidget]:
    """What in a part takes the Tab key, in its present order."""
    found = []
    widget = part.nextInFocusChain()
    while widget is not None and widget is not part:
        if part.isAncestorOf(widget) and widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            found.append(widget)
        widget = widget.nextInFocusChain()
    return found


def put_after(before: QWidget, stops: Iterable[QWidget]) -> None:
    """Let the Tab key come to these, one after the other, after `before`."""
    for widget in stops:
        QWidget.setTabOrder(before, widget)
        before = widget
