"""Boxes, tool tips, cells, buttons and labels show the characters that they are given."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible, QAction, QTextDocument
from PySide6.QtGui import Qt as TextFormats
from PySide6.QtWidgets import (
    QApplication,
    QLabel,
    QListWidgetItem,
    QMessageBox,
    QPushButton,
    QTextEdit,
    QToolTip,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.ui.clipboard import copy_text
from app.ui.plain_text import cell, key_free, message_box, set_spoken, set_tool_tip, tool_tip
from app.ui.widgets.banner import Banner
from app.ui.widgets.buttons import IconButton, ToneButton
from app.ui.widgets.log_panel import LogPanel
from app.ui.widgets.still_combo import StillCombo
from app.ui.widgets.text import ElidedText, Text
from app.ui.words import caller_words
from tests.ui.scene import Scene

# The offscreen plugin says so of a box, and of a tool tip
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", "does not support raise", extend=True)

FORGED = '<b>x</b> <img src="file:///nowhere/probe.png"> &amp; &lt;i&gt; A&B'


def rendered(tip: str) -> str:
    """The characters that a person sees in a tool tip."""
    if not TextFormats.mightBeRichText(tip):
        return tip
    document = QTextDocument()
    document.setHtml(tip)
    return document.toPlainText()


@pytest.fixture
def parent(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    return made


@pytest.mark.parametrize(
    "words",
    [
        "Call +4930123456",
        "two\nlines",
        FORGED,
        "&lt;",
        "a &lt;b",
        "<br>",
        "<!-- -->x<b>",
        "<p style='white-space:pre'>x</p>",
        "first\n<b>second</b>",
        "  <b>  spaces inside  </b>",
        "<b>x</b>\nsecond\n\nfourth",
    ],
)
def test_a_tool_tip_shows_its_characters(words: str) -> None:
    assert rendered(tool_tip(words)).replace("\N{NO-BREAK SPACE}", " ") == words.strip()


def test_what_is_no_markup_stays_without_markup() -> None:
    assert tool_tip("Call <+4930123> & more") == "Call <+4930123> & more"
    assert tool_tip("") == ""


@pytest.mark.parametrize("long", ["word " * 1000, "W" * 5000, "<b>" * 1700, "line\n" * 1000])
def test_a_long_tool_tip_is_wrapped_and_cut(long: str) -> None:
    lines = rendered(tool_tip(long)).splitlines()
    assert len(lines) <= 14
    assert max(map(len, lines)) <= 80
    assert lines[-1].endswith("…")


def test_qt_shows_the_tool_tip_as_it_is(parent: QWidget, qtbot: QtBot) -> None:
    button = QPushButton(parent)
    set_tool_tip(button, FORGED)
    QToolTip.showText(QPoint(10, 10), button.toolTip())
    tips = [each for each in QApplication.topLevelWidgets() if each.metaObject().className() == "QTipLabel"]
    assert [rendered(tip.text()) for tip in tips if isinstance(tip, QLabel)] == [FORGED]
    QToolTip.hideText()
    qtbot.waitUntil(lambda: not QToolTip.isVisible())


def test_a_screen_reader_gets_no_markup(parent: QWidget) -> None:
    button = QPushButton("Call again", parent)
    set_tool_tip(button, FORGED)
    spoken = QAccessible.queryAccessibleInterface(button)
    assert spoken.text(QAccessible.Text.Description) == FORGED
    set_spoken(button, "Call\nAnna\u202e")
    assert button.accessibleName() == "Call Anna[U+202E]"
    assert button.accessibleDescription() == FORGED


@pytest.mark.parametrize("make", [lambda: QAction(), lambda: QListWidgetItem()])
def test_actions_and_items_take_a_tool_tip(make: Callable[[], QAction | QListWidgetItem]) -> None:
    part = make()
    set_tool_tip(part, FORGED)
    assert rendered(part.toolTip()) == FORGED


def test_a_box_is_plain_in_all_its_labels(parent: QWidget) -> None:
    box = message_box(parent, QMessageBox.Icon.Question, FORGED, FORGED, FORGED)
    assert box.text().replace("\n", "") == FORGED
    assert box.informativeText().replace("\n", "") == FORGED
    labels = [label for label in box.findChildren(QLabel) if label.text()]
    assert len(labels) >= 2
    assert {label.textFormat() for label in labels} == {Qt.TextFormat.PlainText}
    assert [each.toPlainText() for each in box.findChildren(QTextEdit)] == [FORGED]
    assert box.testOption(QMessageBox.Option.DontUseNativeDialog)


@pytest.mark.parametrize("long", ["word " * 5000, "W" * 5000, "line\n" * 5000])
def test_a_box_stays_on_the_screen(parent: QWidget, long: str) -> None:
    box = message_box(parent, QMessageBox.Icon.Warning, long, long, long)
    box.addButton(QMessageBox.StandardButton.Close)
    box.show()
    assert box.width() <= 800
    assert box.height() <= 600
    box.close()


def test_a_label_with_a_buddy_shows_its_ampersand(parent: QWidget) -> None:
    label = Text("User & password", parent=parent)
    label.setBuddy(QPushButton(parent))
    assert label.text() == "User & password"
    assert QLabel.text(label) == "User && password"
    label.setText("A&B")
    assert (label.text(), QLabel.text(label)) == ("A&B", "A&&B")


@pytest.mark.parametrize("kind", [IconButton, ToneButton])
def test_a_button_takes_no_key_from_a_name(kind: type[IconButton], parent: QWidget) -> None:
    button = kind("Connect with A&B", parent=parent)
    assert button.shortcut().isEmpty()
    button.setText("Connect with C&D")
    assert button.shortcut().isEmpty()
    assert button.text() == "Connect with C&&D"


def test_a_filled_button_paints_one_ampersand(parent: QWidget, qtbot: QtBot) -> None:
    one, other = ToneButton("A&B"), ToneButton("A&&B")
    for button in (one, other):
        qtbot.addWidget(button)
        button.resize(120, 32)
    assert one.grab().toImage() != other.grab().toImage()


def test_cells_and_menus_have_one_short_line() -> None:
    assert cell("a\nb\tc") == "a b c"
    assert len(cell("W" * 5000)) == 200
    assert key_free("A&B\tCtrl+Q") == "A&&B Ctrl+Q"


def test_a_combo_box_shows_names_on_one_line(parent: QWidget) -> None:
    combo = StillCombo(parent)
    combo.addItem("Headset\u202e\n(USB)", "raw\u202e")
    assert combo.itemText(0) == "Headset[U+202E] (USB)"
    assert combo.itemData(0) == "raw\u202e"


def test_a_cut_text_has_its_whole_in_a_plain_tool_tip(qtbot: QtBot) -> None:
    text = ElidedText(f"{FORGED} and more words than fit")
    qtbot.addWidget(text)
    text.resize(80, 20)
    text.grab()
    assert " ".join(rendered(text.toolTip()).split()) == text.text()
    text.resize(2000, 20)
    text.grab()
    assert text.toolTip() == ""


def test_a_long_name_does_not_push_the_number_away() -> None:
    assert caller_words(f'"{"W" * 5000}" <sip:+4930123456@p.example>').endswith("…, +4930123456")
    assert caller_words('"Anna\n\n\n" <sip:+4930123456@p.example>') == "Anna, +4930123456"


def test_a_log_line_stays_one_line(parent: QWidget) -> None:
    log = LogPanel(parent)
    log.add("Office: incoming call from x\n12:00:00  Office: Registered")
    assert len(log.toPlainText().splitlines()) == 1


def test_a_note_with_lines_of_its_own_can_be_taken_back(parent: QWidget) -> None:
    banner = Banner(parent)
    banner.show_note("Call from\nAnna\u202e", button="Show", act=lambda: None)
    banner.add_note("There is no keyring.", banner._tone)
    banner.drop_note("Call from\nAnna\u202e")
    assert banner.words == "There is no keyring."
    banner.drop_note("There is no keyring.")
    assert banner.words == ""


def test_copied_details_are_plain_text(scene: Scene) -> None:
    copy_text(f"{FORGED}\x1b[31m\nsecond line")
    held = QApplication.clipboard().mimeData()
    assert held.formats() == ["text/plain"]
    assert held.text() == f"{FORGED}[U+001B][31m\nsecond line"
