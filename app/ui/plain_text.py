"""Shows text from outside as plain text, in boxes, tool tips, cells, buttons and to screen readers.

A trunk's name may come from a file, a number from the far end, a certificate from whoever runs the server.
Qt takes what looks like HTML for HTML in message boxes and tool tips, loads local images for it, and takes
"&" for the mark of a key. Labels are `app.ui.widgets.text.Text`; everything else goes through here, and a
test finds what does not.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtGui import Qt as TextFormats  # holds what QtGui adds to the namespace
from PySide6.QtWidgets import QLabel, QListWidgetItem, QWidget

from app.model.visible import few_lines, one_line, visible

if TYPE_CHECKING:
    from PySide6.QtWidgets import QMessageBox

_TIP_WIDTH, _TIP_LINES = 80, 12
_BOX_WORD = 48
_QUESTION_LINES, _QUESTION_LONGEST = 6, 480
_MEANING_LINES, _MEANING_LONGEST = 12, 900


def cell(words: str) -> str:
    """Words for an item of a view, a combo box or a menu: one line, not too long."""
    return one_line(words)


def key_free(words: str) -> str:
    """Words for a button, a menu or a label with a buddy, in which no "&" is taken for the mark of a key."""
    return cell(words).replace("&", "&&")


def tool_tip(words: str) -> str:
    """Words as a tool tip that shows their characters as they are, in lines of 80 characters."""
    shown = few_lines(words.strip(), _TIP_LINES, _TIP_LINES * _TIP_WIDTH)
    if len(shown) > _TIP_WIDTH:
        # Imported here, as html below: the first paint does without them
        import textwrap

        lines = shown.split("\n")
        shown = "\n".join(part for line in lines for part in textwrap.wrap(line, _TIP_WIDTH) or [""])
    if not TextFormats.mightBeRichText(shown):
        return shown
    # Tool tips have no text format: what looks like HTML is taken for HTML, so its characters are escaped
    import html

    return f"<p style='white-space:pre'>{html.escape(shown)}</p>"


def set_tool_tip(on: QWidget | QAction | QListWidgetItem, words: str) -> None:
    """Give a part a tool tip; a screen reader gets the words as they are."""
    on.setToolTip(tool_tip(words))
    if isinstance(on, QWidget):
        # Without a description, Qt reads out the tool tip, markup and all
        on.setAccessibleDescription(one_line(words))


def set_spoken(part: QWidget, name: str | None = None, description: str | None = None) -> None:
    """Say what a screen reader calls a part, and what it says besides; None leaves either as it is."""
    if name is not None:
        part.setAccessibleName(one_line(name, 2 * _MEANING_LONGEST))
    if description is not None:
        part.setAccessibleDescription(one_line(description, 2 * _MEANING_LONGEST))


def message_box(
    parent: QWidget | None, icon: QMessageBox.Icon, words: str, meaning: str = "", details: str = ""
) -> QMessageBox:
    """A box whose words are plain text and never so many that its buttons leave the screen.

    Args:
        parent: The window it belongs to.
        icon: Question, warning or error.
        words: What it is about.
        meaning: The smaller text below.
        details: A longer text that the person can open and scroll.
    """
    from PySide6.QtWidgets import QMessageBox

    box = QMessageBox(parent)
    # WORKAROUND: macOS's own box knows no text format; Qt takes what looks like markup out of its text, and
    # with it what the person should see (toPlainText in qcocoamessagedialog.mm)
    box.setOption(QMessageBox.Option.DontUseNativeDialog)
    box.setIcon(icon)
    box.setWindowTitle("Ringback")
    box.setText(_in_box(words, _QUESTION_LINES, _QUESTION_LONGEST))
    box.setInformativeText(_in_box(meaning, _MEANING_LINES, _MEANING_LONGEST))
    box.setDetailedText(visible(details))
    # Only now: setting a text makes the label for it, and not every version of Qt hands the box's format on
    box.setTextFormat(Qt.TextFormat.PlainText)
    for label in box.findChildren(QLabel):
        label.setTextFormat(Qt.TextFormat.PlainText)
    return box


def broken(words: str, width: int) -> str:
    """The same with a line break in each word longer than `width` characters, which a label would cut off."""
    return re.sub(rf"\S{{{width}}}(?=\S)", "\\g<0>\n", words)


def _in_box(words: str, most: int, longest: int) -> str:
    return broken(few_lines(words, most, longest), _BOX_WORD)
