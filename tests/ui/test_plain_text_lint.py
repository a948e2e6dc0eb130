"""Text that may come from outside reaches Qt by one module: no other line hands it a tool tip or a box."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

UI = Path(__file__).parents[2] / "app" / "ui"
HELPER = "plain_text.py"

# Qt has no text format for these, reads HTML into them, or has them read out
ONLY_OWN_WORDS = {
    "setToolTip",
    "setStatusTip",
    "setWhatsThis",
    "setTabToolTip",
    "setTabWhatsThis",
    "setAccessibleName",
    "setAccessibleDescription",
    "setWindowTitle",
    "setInformativeText",
    "setDetailedText",
    "setTitle",
    "setSubTitle",
    "showMessage",
}
NOWHERE = {
    "setHtml",
    "insertHtml",
    "appendHtml",
    "setMarkdown",
    "RichText",
    "AutoText",
    "MarkdownText",
    "QErrorMessage",
    "QTextBrowser",
    "QTextEdit",
    "QToolTip",
    "QWhatsThis",
}


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _own_words(node: ast.expr) -> bool:
    """A text of the source: written out, translated, or one of two."""
    if isinstance(node, ast.IfExp):
        return _own_words(node.body) and _own_words(node.orelse)
    if isinstance(node, ast.Call):
        return _name(node.func) in ("tr", "translate") and all(map(_own_words, node.args))
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def offences(source: str) -> Iterator[str]:
    """What in a module hands Qt a text as something else than plain text, or may."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Name, ast.Attribute)) and _name(node) in NOWHERE:
            yield f"line {node.lineno}: {_name(node)}"
        if isinstance(node, ast.ImportFrom):
            yield from (f"line {node.lineno}: {each.name}" for each in node.names if each.name in NOWHERE)
        if not isinstance(node, ast.Call):
            continue
        called = _name(node.func)
        if called in ONLY_OWN_WORDS and not all(map(_own_words, node.args)):
            yield f"line {node.lineno}: {called}"
        if called == "QMessageBox" or (
            isinstance(node.func, ast.Attribute) and _name(node.func.value) == "QMessageBox"
        ):
            yield f"line {node.lineno}: a message box"
        if called == "QLabel" and any(not _is_parent(each) for each in node.args):
            yield f"line {node.lineno}: a label"


def _is_parent(node: ast.expr) -> bool:
    return _name(node) in ("self", "parent")


@pytest.mark.parametrize("file", sorted(UI.rglob("*.py")), ids=lambda file: str(file.relative_to(UI)))
def test_only_one_module_hands_text_from_outside_to_qt(file: Path) -> None:
    if file.name == HELPER:
        return
    assert not list(offences(file.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "line",
    [
        "button.setToolTip(number)",
        "button.setToolTip(self.tr('Call {number}').format(number=number))",
        "button.setToolTip(f'Call {number}')",
        "button.setToolTip('' if number else number)",
        "self.setAccessibleName(trunk.name)",
        "self.setWindowTitle(trunk.name)",
        "box = QMessageBox(parent)",
        "QMessageBox.warning(parent, 'Ringback', words)",
        "label = QLabel(words)",
        "label = QtWidgets.QLabel(words, parent)",
        "label.setTextFormat(Qt.TextFormat.RichText)",
        "from PySide6.QtWidgets import QTextBrowser",
        "pane.setHtml(words)",
        "QToolTip.showText(place, words)",
    ],
)
def test_a_line_that_goes_around_the_module_is_found(line: str) -> None:
    assert list(offences(line))


@pytest.mark.parametrize(
    "line",
    [
        "button.setToolTip('')",
        "button.setToolTip(self.tr('Menu'))",
        "button.setToolTip('' if messages else self.tr('No SIP message was kept of this call.'))",
        "set_tool_tip(button, number)",
        "box.setWindowTitle(translate('about', 'About Ringback'))",
        "icon = QMessageBox.Icon.Warning",
        "label = QLabel()",
    ],
)
def test_a_line_with_words_of_our_own_is_let_through(line: str) -> None:
    assert not list(offences(line))
