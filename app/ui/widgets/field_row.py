"""One field of a form: label, input, and below it what to know or what is wrong."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QFocusEvent, QPaintEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from app.flows.form import PASSWORD, FormField
from app.model.setting_table import BY_KEY, Kind
from app.model.visible import visible
from app.ui.plain_text import cell, key_free, set_spoken
from app.ui.style import GRID, Tone
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.check_box import CheckBox
from app.ui.widgets.password_field import PasswordField
from app.ui.widgets.selection import paint_focus
from app.ui.widgets.still_combo import StillCombo
from app.ui.widgets.text import Text, TextRole

FIELD_WIDTH = 52 * GRID
_NUMBER_WIDTH = 12 * GRID
_LINES_HEIGHT = 9 * GRID
_JOINED = frozenset({"dids"})
"""Fields of several lines whose value is one line, with a semicolon in place of each break."""


class FieldRow(QObject):
    """The parts of one field; a form places `label` and `field`.

    Args:
        asked: What is asked, and which input takes it.
        parent: The form.

    Attributes:
        asked: As given.
        label: Its name; empty where the input says it itself.
        field: Holds the input and what stands below it.
        column: Of `field`, for more below.
        input: Takes the value.
        stops: Where the Tab key stops, in order.
        touched: Whether the person has been in it.
        visible: Whether it is shown; a search may hide it.

    Signals:
        edited: The person changed the value.
        left: The person went on to another field.
    """

    edited = Signal()
    left = Signal()

    def __init__(self, asked: FormField, parent: QWidget) -> None:
        super().__init__(parent)
        self.asked = asked
        self.touched = False
        self.visible = True
        self._help = asked.help
        self._unused = ""
        self._tone = Tone.QUIET
        self.field = QWidget(parent)
        self.column = QVBoxLayout(self.field)
        self.column.setContentsMargins(0, 0, 0, GRID)
        self.column.setSpacing(GRID // 4)
        self.stops: list[QWidget] = []
        self.input = self.make_input()
        if not self.stops:
            self.stops = [self.input]
        self._note = Text(role=TextRole.SMALL, tone=Tone.QUIET)
        self.column.addWidget(self._note)
        self.label = Text("" if asked.kind is Kind.YES_NO else asked.label)
        self.label.setContentsMargins(0, GRID // 2, 0, 0)
        self.label.setBuddy(self.stops[0])
        set_spoken(self.stops[0], asked.label)
        self.stops[0].installEventFilter(self)
        self.show_help()

    @property
    def text(self) -> str:
        """The value as `ringback add --set` would take it."""
        match self.input:
            case QComboBox() if self.input.isEditable():
                words = self.input.currentText()
                at = self.input.findText(words)
                return str(self.input.itemData(at)) if at >= 0 else words.strip()
            case QComboBox():
                return str(self.input.currentData() or "")
            case QCheckBox():
                return "yes" if self.input.isChecked() else "no"
            case QPlainTextEdit() if self.asked.key in _JOINED:
                lines = (line.strip() for line in self.input.toPlainText().splitlines())
                return ";".join(line for line in lines if line)
            case QPlainTextEdit():
                return self.input.toPlainText()
            case PasswordField():
                return self.input.line.text()
            case QLineEdit():
                return self.input.text()
        raise AssertionError(type(self.input))

    def set_text(self, text: str) -> None:
        """Show another value; `edited` is not emitted."""
        if text == self.text:
            return
        match self.input:
            case QComboBox():
                at = self.input.findData(text)
                self.input.setCurrentIndex(at)
                if at < 0 and self.input.isEditable():
                    self.input.setEditText(text)
            case QCheckBox():
                self.input.setChecked(text == "yes")
            case QPlainTextEdit():
                self.input.blockSignals(True)
                self.input.setPlainText(text.replace(";", "\n") if self.asked.key in _JOINED else text)
                self.input.blockSignals(False)
            case PasswordField():
                self.input.line.setText(text)
            case QLineEdit():
                self.input.setText(text)

    def focus(self) -> None:
        """Go there, with what it holds selected."""
        self.stops[0].setFocus(Qt.FocusReason.TabFocusReason)

    # What stands below

    @property
    def note(self) -> str:
        """What stands below the field now."""
        return self._note.text()

    @property
    def wrong(self) -> bool:
        """Whether an error stands below the field."""
        return self._tone is Tone.BAD

    def set_help(self, words: str = "") -> None:
        """Other words of help than the field's own; empty for its own."""
        self._help = words or self.asked.help
        if self._tone is Tone.QUIET:
            self.show_help()

    def show_help(self) -> None:
        """What to write."""
        self._show(self._help, Tone.QUIET)

    def show_error(self, words: str) -> None:
        """What is wrong with the value."""
        self._show(words, Tone.BAD)

    def show_mended(self, words: str) -> None:
        """What was put right in the value."""
        self._show(words, Tone.GOOD)

    def _show(self, words: str, tone: Tone) -> None:
        self._tone = tone
        words = _without_keys(words)
        self._note.setText(words)
        self._note.set_tone(tone)
        self._note.setVisible(bool(words))
        set_spoken(self.stops[0], description=f"{words} {self.asked.where}".strip())

    # Whether it is there

    def set_unused(self, because: str) -> None:
        """Switch the field off and say why; with an empty text, switch it on again."""
        if because == self._unused:
            return
        self._unused = because
        self.field.setEnabled(not because)
        self.label.setEnabled(not because)
        self.set_help(because)
        self.show_help()

    def set_visible(self, visible: bool) -> None:
        """Show or hide the row."""
        if visible != self.visible:
            self.visible = visible
            self.field.setVisible(visible)
            self.label.setVisible(visible)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.FocusOut:
            self.touched = True
            self.left.emit()
        return False

    # Inputs

    def make_input(self) -> QWidget:
        """The input for what is asked, placed in `column`; a kind of row may have its own."""
        asked = self.asked
        made: QWidget
        if asked.key == PASSWORD:
            made = PasswordField()
            made.edited.connect(self.edited)
            self.stops = list(made.stops)
        elif asked.kind is Kind.YES_NO:
            made = CheckBox(key_free(asked.label))
            made.clicked.connect(self.edited)
            self.column.addWidget(made, 0, Qt.AlignmentFlag.AlignLeft)
            return made
        elif asked.choices and asked.kind is not Kind.LIST:
            made = self._make_combo()
        elif asked.kind is Kind.LINES:
            made = self._make_lines()
        elif asked.kind is Kind.FILE:
            return self._make_file()
        else:
            made = self._make_line()
        made.setMaximumWidth(_NUMBER_WIDTH if asked.kind is Kind.NUMBER else FIELD_WIDTH)
        self.column.addWidget(made)
        return made

    def _make_combo(self) -> QComboBox:
        combo = StillCombo()
        combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        combo.setMinimumContentsLength(24)
        if self.asked.free:
            combo.setEditable(True)
            combo.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
            line = combo.lineEdit()
            assert line
            set_spoken(line, self.asked.label)
            line.textEdited.connect(self.edited)
        for words, choice in zip(self.asked.words or self.asked.choices, self.asked.choices, strict=True):
            combo.addItem(words, choice)
        combo.activated.connect(self.edited)
        return combo

    def _make_line(self) -> QLineEdit:
        line = QLineEdit()
        line.setPlaceholderText(cell(self.asked.example))
        line.textEdited.connect(self.edited)
        return line

    def _make_lines(self) -> QPlainTextEdit:
        lines = _Lines()
        lines.setPlaceholderText(visible(self.asked.example.replace(";", "\n")))
        lines.setFixedHeight(_LINES_HEIGHT)
        if self.asked.key in _JOINED:
            # Ten thousand numbers, a line each: wrapped, they would be laid out with every change of size
            lines.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        # Tab goes on to the next field, as everywhere else
        lines.setTabChangesFocus(True)
        lines.textChanged.connect(self.edited)
        return lines

    def _make_file(self) -> QLineEdit:
        line = self._make_line()
        browse = IconButton(self.tr("Choose…"), "folder")
        set_spoken(browse, self.tr("Choose {setting}").format(setting=self.asked.label))
        browse.clicked.connect(self._on_browse_clicked)
        both = QWidget()
        both.setMaximumWidth(FIELD_WIDTH)
        row = QHBoxLayout(both)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        row.addWidget(line, 1)
        row.addWidget(browse)
        self.column.addWidget(both)
        self.stops = [line, browse]
        return line

    def _on_browse_clicked(self) -> None:
        chooser = QFileDialog(self.field, self.asked.label)
        chooser.setFileMode(QFileDialog.FileMode.ExistingFile)
        chooser.setNameFilters([self.tr("Certificates (*.pem *.crt *.cer)"), self.tr("All files (*)")])
        chooser.fileSelected.connect(self._on_file_selected)
        chooser.finished.connect(chooser.deleteLater)
        chooser.open()

    def _on_file_selected(self, path: str) -> None:
        self.set_text(path)
        self.edited.emit()


class _Lines(QPlainTextEdit):
    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        paint_focus(self)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802  Qt's name
        super().focusOutEvent(event)
        self.viewport().update()


def _without_keys(words: str) -> str:
    """The names of settings as the form has them; their keys are for the command line."""
    for key, setting in BY_KEY.items():
        words = words.replace(f"{setting.label} ({key})", setting.label)
    return words
