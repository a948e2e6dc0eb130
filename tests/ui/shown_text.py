"""Walks everything that is on screen, or can be, and finds text that is not shown as the plain text it is."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from PySide6.QtCore import QAbstractItemModel, QAbstractListModel, QModelIndex, Qt
from PySide6.QtGui import QAction, QTextDocument
from PySide6.QtGui import Qt as TextFormats
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QGroupBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QProgressBar,
    QStatusBar,
    QTabBar,
    QTabWidget,
    QTextEdit,
    QWidget,
    QWizardPage,
)

_ROLES = Qt.ItemDataRole
_CELL_ROLES = (_ROLES.DisplayRole, _ROLES.AccessibleTextRole, _ROLES.AccessibleDescriptionRole)
_TIP_ROLES = (_ROLES.ToolTipRole, _ROLES.StatusTipRole, _ROLES.WhatsThisRole)
_MOST_ROWS = 300
WITH_KEY = "Q&A"
"""In this text from outside, the "&" marks no key."""


class Shown:
    """One text, where it is, and how Qt takes it.

    Args:
        place: For the message of a failed test.
        text: As Qt has it.
        tip: Whether it is shown where Qt decides by itself whether it is HTML.
        rich: Whether it is shown as HTML.
        keys: Whether an "&" in it marks a key.
    """

    def __init__(
        self, place: str, text: str, *, tip: bool = False, rich: bool = False, keys: bool = False
    ) -> None:
        self.place = place
        self.text = text
        self.tip = tip
        self.rich = rich or (tip and TextFormats.mightBeRichText(text))
        self.keys = keys

    @property
    def seen(self) -> str:
        """The characters that a person gets to see."""
        if self.rich:
            document = QTextDocument()
            document.setHtml(self.text)
            return document.toPlainText()
        return self.text.replace("&&", "&") if self.keys else self.text


def everything_shown() -> list[Shown]:
    """All texts of all windows, of hidden parts too."""
    found: list[Shown] = []
    for window in QApplication.topLevelWidgets():
        for widget in (window, *window.findChildren(QWidget)):
            found += _of_widget(widget)
        for action in window.findChildren(QAction):
            found += _of_action(action)
    return [each for each in found if each.text]


def problems() -> list[str]:
    """What is not plain text, or would hide or reverse what stands beside it."""
    return [f"{each.place}: {wrong}" for each in everything_shown() for wrong in _wrong_with(each)]


def _wrong_with(shown: Shown) -> Iterator[str]:
    if shown.rich and not (shown.tip and _only_escaped(shown.text)):
        yield f"rich text {shown.text[:60]!r}"
    hidden = next((char for char in shown.seen if hides(char)), "")
    if hidden:
        yield f"U+{ord(hidden):04X} in {shown.text[:60]!r}"
    if shown.keys and WITH_KEY in shown.text:
        yield f"a key is taken from {shown.text[:60]!r}"


def hides(char: str) -> bool:
    """Whether a character has no shape and changes what stands around it; line breaks and tabs do not."""
    # Marks in front of Arabic numbers are "format characters" that can be seen
    if char in "\n\t" or unicodedata.name(char, "").startswith(("ARABIC", "SYRIAC", "KAITHI")):
        return False
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")


def _only_escaped(html: str) -> bool:
    """Whether HTML is nothing but a paragraph with escaped characters and line breaks."""
    return all(re.fullmatch(r"</?(p|br|qt)\b[^<>]*>", tag) for tag in re.findall(r"<[^>]*>?", html))


def _of_widget(widget: QWidget) -> Iterator[Shown]:
    place = f"{type(widget).__name__} in {type(widget.parent()).__name__}"
    for name in ("toolTip", "statusTip", "whatsThis"):
        yield Shown(f"{name} of {place}", getattr(widget, name)(), tip=True)
    for name in ("accessibleName", "accessibleDescription", "windowTitle", "windowIconText"):
        yield Shown(f"{name} of {place}", getattr(widget, name)())
    match widget:
        case QLabel():
            auto = widget.textFormat() is Qt.TextFormat.AutoText
            rich = widget.textFormat() in (Qt.TextFormat.RichText, Qt.TextFormat.MarkdownText)
            # As C++ has it: a subclass may answer otherwise
            yield Shown(place, QLabel.text(widget), tip=auto, rich=rich, keys=widget.buddy() is not None)
        case QAbstractButton():
            yield Shown(place, QAbstractButton.text(widget), keys=True)
        case QGroupBox():
            yield Shown(place, widget.title(), keys=True)
        case QLineEdit():
            # What is in it is the person's to change, and must be what it is
            yield Shown(f"placeholder of {place}", widget.placeholderText())
        case QPlainTextEdit():
            yield Shown(f"placeholder of {place}", widget.placeholderText())
            if widget.isReadOnly():
                yield Shown(place, widget.toPlainText())
        case QTextEdit():
            yield Shown(place, widget.toPlainText(), rich=_styled(widget))
        case QStatusBar():
            yield Shown(place, widget.currentMessage())
        case QProgressBar():
            yield Shown(place, widget.text())
        case QWizardPage():
            # Qt shows both in labels that take HTML for HTML
            yield Shown(place, widget.title(), tip=True)
            yield Shown(place, widget.subTitle(), tip=True)
        case QMenu():
            yield Shown(place, widget.title(), keys=True)
        case QTabBar() | QTabWidget():
            for at in range(widget.count()):
                yield Shown(place, widget.tabText(at), keys=True)
                yield Shown(f"toolTip of {place}", widget.tabToolTip(at), tip=True)
                yield Shown(f"whatsThis of {place}", widget.tabWhatsThis(at), tip=True)
        case QComboBox():
            yield from _of_model(widget.model(), place)
            if not widget.isEditable():
                yield Shown(place, widget.currentText())
        case QHeaderView():
            pass
        case QAbstractItemView() if widget.model() is not None:
            yield from _of_model(widget.model(), place)


def _styled(edit: QTextEdit) -> bool:
    block = edit.document().begin()
    while block.isValid():
        for each in block:
            part = each.fragment().charFormat()
            if part.isAnchor() or part.isImageFormat() or part.fontWeight() > 400:
                return True
        block = block.next()
    return False


def _of_action(action: QAction) -> Iterator[Shown]:
    place = f"an action of {type(action.parent()).__name__}"
    yield Shown(place, action.text(), keys=True)
    for name in ("toolTip", "statusTip", "whatsThis"):
        yield Shown(f"{name} of {place}", getattr(action, name)(), tip=True)


def _of_model(model: QAbstractItemModel, place: str) -> Iterator[Shown]:
    # A list keeps its one column private
    columns = range(1 if isinstance(model, QAbstractListModel) else model.columnCount())
    for column in columns:
        for role in (*_CELL_ROLES, *_TIP_ROLES):
            yield from _of_value(
                model.headerData(column, Qt.Orientation.Horizontal, role), role, f"heading of {place}"
            )
    for row in range(min(model.rowCount(), _MOST_ROWS)):
        for column in columns:
            index: QModelIndex = model.index(row, column)
            for role in (*_CELL_ROLES, *_TIP_ROLES):
                yield from _of_value(index.data(role), role, f"cell {row}, {column} of {place}")


def _of_value(value: object, role: Qt.ItemDataRole, place: str) -> Iterator[Shown]:
    if isinstance(value, str):
        yield Shown(f"{role.name} of {place}", value, tip=role in _TIP_ROLES)
