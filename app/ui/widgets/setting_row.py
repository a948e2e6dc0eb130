"""One setting in a form: label, field, and below it what to know or what is wrong."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QFileDialog, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.model.settings import Kind, Setting
from app.ui.style import GRID, Tone
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.text import Text, TextRole

FIELD_WIDTH = 45 * GRID
_NUMBER_WIDTH = 12 * GRID


class SettingRow(QObject):
    """The parts of one setting; a form places them.

    Args:
        setting: From the table of settings.
        parent: The form.

    Attributes:
        input: Takes the value.
        stops: Where the Tab key stops, in order.

    Signals:
        edited: The person changed the value.
        left: The person went on to another field.
    """

    edited = Signal()
    left = Signal()

    def __init__(self, setting: Setting, parent: QWidget) -> None:
        super().__init__(parent)
        self.setting = setting
        self.touched = False
        self.field = QWidget(parent)
        self._column = QVBoxLayout(self.field)
        self._column.setContentsMargins(0, 0, 0, GRID)
        self._column.setSpacing(GRID // 4)
        self.stops: list[QWidget] = []
        self.input: QWidget = self._make_input()
        self.stops.insert(0, self.input)
        self._hint = Text(setting.help, role=TextRole.SMALL, tone=Tone.QUIET)
        self._column.addWidget(self._hint)
        self.label = Text(setting.label, wrap=False)
        self.label.setContentsMargins(0, GRID // 2, 0, 0)
        self.label.setBuddy(self.input)
        self.input.setAccessibleName(setting.label)
        self.input.setAccessibleDescription(setting.help)
        self.input.installEventFilter(self)

    @property
    def text(self) -> str:
        """The value as `ringback add --set` would take it."""
        if isinstance(self.input, QComboBox):
            return str(self.input.currentData())
        if isinstance(self.input, QCheckBox):
            return "yes" if self.input.isChecked() else "no"
        assert isinstance(self.input, QLineEdit)
        return self.input.text()

    def set_text(self, text: str) -> None:
        """Show another value; `edited` is not emitted."""
        if text == self.text:
            return
        if isinstance(self.input, QComboBox):
            self.input.setCurrentIndex(max(0, self.input.findData(text)))
        elif isinstance(self.input, QCheckBox):
            self.input.setChecked(text == "yes")
        elif isinstance(self.input, QLineEdit):
            self.input.setText(text)

    @property
    def note(self) -> str:
        """What stands below the field now."""
        return self._hint.text()

    def show_help(self) -> None:
        """The setting's own line of help."""
        self._show(self.setting.help, Tone.QUIET)

    def show_error(self, words: str) -> None:
        """What is wrong with the value."""
        self._show(words, Tone.BAD)

    def show_mended(self, words: str) -> None:
        """What was put right in the value."""
        self._show(words, Tone.GOOD)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.FocusOut:
            self.touched = True
            self.left.emit()
        return False

    def _show(self, words: str, tone: Tone) -> None:
        self._hint.setText(words)
        self._hint.set_tone(tone)
        self.input.setAccessibleDescription(words)

    def _make_input(self) -> QWidget:
        match self.setting.kind:
            case Kind.CHOICE:
                combo = QComboBox()
                for choice in self.setting.choices:
                    combo.addItem(choice.upper(), choice)
                combo.setFixedWidth(_NUMBER_WIDTH)
                combo.activated.connect(self.edited)
                self._column.addWidget(combo)
                return combo
            case Kind.YES_NO:
                check = QCheckBox(self.tr("Sign in (REGISTER)"))
                check.setChecked(True)
                check.clicked.connect(self.edited)
                self._column.addWidget(check)
                return check
            case Kind.FILE:
                line = self._make_line()
                row = QHBoxLayout()
                row.setSpacing(GRID)
                row.addWidget(line, 1)
                browse = IconButton(self.tr("Choose…"), "folder")
                browse.setAccessibleName(self.tr("Choose {setting}").format(setting=self.setting.label))
                browse.clicked.connect(self._on_browse_clicked)
                row.addWidget(browse)
                self.stops.append(browse)
                row.addStretch(0)
                self._column.addLayout(row)
                return line
            case _:
                line = self._make_line()
                if self.setting.kind is Kind.NUMBER:
                    line.setFixedWidth(_NUMBER_WIDTH)
                self._column.addWidget(line)
                return line

    def _make_line(self) -> QLineEdit:
        line = QLineEdit()
        line.setPlaceholderText(self.setting.example)
        line.setMaximumWidth(FIELD_WIDTH)
        line.textEdited.connect(self.edited)
        return line

    def _on_browse_clicked(self) -> None:
        chooser = QFileDialog(self.field, self.setting.label)
        chooser.setFileMode(QFileDialog.FileMode.ExistingFile)
        chooser.setNameFilters([self.tr("Certificates (*.pem *.crt *.cer)"), self.tr("All files (*)")])
        chooser.fileSelected.connect(self._on_file_selected)
        chooser.finished.connect(chooser.deleteLater)
        chooser.open()

    def _on_file_selected(self, path: str) -> None:
        self.set_text(path)
        self.edited.emit()
