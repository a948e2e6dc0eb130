"""Before trunks are imported: what a table would bring, or why a file brings nothing."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app.errors import UserError
from app.model.trunk_csv import CsvPreview
from app.model.visible import one_line
from app.ui.models.import_table import MARK_EDGE, Column, ImportTable, note
from app.ui.style import GRID, Tone
from app.ui.widgets.buttons import IconButton, ToneButton
from app.ui.widgets.card import Card
from app.ui.widgets.check_box import CheckBox
from app.ui.widgets.rule import Rule
from app.ui.widgets.text import Text, TextRole

_NOTE_HEIGHT = 9 * GRID


class ImportPage(QWidget):
    """Writes nothing; says what is to be done.

    Args:
        name: The file's name.

    Attributes:
        main_button: The one that leads on.

    Signals:
        rows_asked: The good rows are to be imported; carries the `CsvPreview`.
        rename_asked: The file is to be imported under names that are free.
        file_asked: Another file is to be chosen.
        cancelled: The person wants to go back.
    """

    rows_asked = Signal(object)
    rename_asked = Signal()
    file_asked = Signal()
    cancelled = Signal()

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 2 * GRID, 0, 0)
        self._column.setSpacing(GRID)
        title = Text(self.tr("Import {name}").format(name=one_line(name)), role=TextRole.TITLE)
        self._summary = Text()
        for text in (title, self._summary):
            text.setContentsMargins(3 * GRID, 0, 3 * GRID, 0)
            self._column.addWidget(text)
        self._middle = QVBoxLayout()
        self._middle.setContentsMargins(3 * GRID, GRID, 3 * GRID, GRID)
        self._middle.setSpacing(GRID)
        self._column.addLayout(self._middle, 1)
        self.main_button = ToneButton("")
        self.main_button.takes_enter = True
        self.cancel_button = IconButton(self.tr("Cancel"))
        self.cancel_button.clicked.connect(self.cancelled)
        self._error = Text(tone=Tone.BAD)
        foot = QHBoxLayout()
        foot.setContentsMargins(3 * GRID, GRID // 2, 3 * GRID, GRID)
        foot.setSpacing(GRID)
        foot.addWidget(self.main_button)
        foot.addWidget(self.cancel_button)
        foot.addWidget(self._error, 1)
        self._column.addWidget(Rule())
        self._column.addLayout(foot)
        self.table: QTableView | None = None
        self.detail = Text(role=TextRole.SMALL)
        self.only_bad = CheckBox(self.tr("Show only the rows that can't be imported"))

    @property
    def summary(self) -> str:
        """The sentence below the title."""
        return self._summary.text()

    def show_preview(self, preview: CsvPreview) -> None:
        """Show what a table would bring."""
        self._preview = preview
        good, bad = len(preview.good), len(preview.bad)
        if not preview.rows:
            self._summary.setText(self.tr("There are no trunks in this table."))
            self._show_words(
                self.tr("It has its heading, and nothing below."),
                self.tr("Write a line for each trunk, or choose another file."),
                Tone.WARNING,
            )
            self._offer_file()
            return
        mended = sum(bool(row.mended) for row in preview.good)
        self._summary.setText(f"{self._counted(good, bad)} {self._mended_words(mended)}".strip())
        for words in preview.notes:
            self._middle.addWidget(Text(words, role=TextRole.SMALL, tone=Tone.QUIET))
        self._build_table(preview)
        if good:
            self._offer_import(good)
            self.main_button.clicked.connect(self._on_import_clicked)
        else:
            self._offer_file()
        self.main_button.setFocus()

    def show_refusal(self, error: UserError, *, can_rename: bool = False) -> None:
        """Show why nothing of a file was imported."""
        self._summary.setText(self.tr("Nothing was imported."))
        self._show_words(error.what, error.do, Tone.BAD)
        if can_rename:
            self.main_button.setText(self.tr("Import under free names"))
            self.main_button.clicked.connect(self.rename_asked)
        else:
            self._offer_file()
        self.main_button.setFocus()

    def show_error(self, error: UserError) -> None:
        """Say why importing the rows failed; nothing of them was kept."""
        self._offer_import(len(self._preview.good))
        self.main_button.setEnabled(True)
        self._error.setText(str(error))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.cancelled.emit()
        else:
            super().keyPressEvent(event)

    def _counted(self, good: int, bad: int) -> str:
        if not bad and good == 1:
            return self.tr("1 trunk can be imported.")
        if not bad:
            return self.tr("All {count} trunks can be imported.").format(count=good)
        if not good:
            return self.tr("None of these trunks can be imported.")
        words = self.tr("{good} of {all} trunks can be imported. The others are left out.")
        return words.format(good=good, all=good + bad)

    def _mended_words(self, count: int) -> str:
        if not count:
            return ""
        if count == 1:
            return self.tr("In 1 row, a value was put right: check it.")
        return self.tr("In {count} rows, values were put right: check them.").format(count=count)

    def _offer_import(self, count: int) -> None:
        many = self.tr("Import {count} trunks").format(count=count)
        self.main_button.setText(self.tr("Import 1 trunk") if count == 1 else many)

    def _offer_file(self) -> None:
        self.main_button.setText(self.tr("Choose another file…"))
        self.main_button.clicked.connect(self.file_asked)

    def _show_words(self, what: str, do: str, tone: Tone) -> None:
        card = Card(tone=tone)
        card.column.addWidget(Text(what))
        if do:
            card.column.addWidget(Text(do, tone=Tone.QUIET))
        self._middle.addWidget(card)
        self._middle.addStretch(1)

    def _build_table(self, preview: CsvPreview) -> None:
        self._model = ImportTable(preview, self)
        self.table = table = QTableView()
        table.setModel(self._model)
        table.setAccessibleName(self.tr("Trunks in the file"))
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.setTabKeyNavigation(False)
        table.setFrameShape(QFrame.Shape.NoFrame)
        table.verticalHeader().hide()
        metrics = table.fontMetrics()
        table.verticalHeader().setDefaultSectionSize(metrics.height() + GRID)
        header = table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setHighlightSections(False)
        wide = metrics.averageCharWidth()
        widths = {
            Column.LINE: MARK_EDGE + 7 * wide + 2 * GRID,
            Column.NAME: 22 * wide,
            Column.HOST: 26 * wide,
            Column.USER: 18 * wide,
            Column.PASSWORD: metrics.horizontalAdvance(self.tr("not needed")) + 2 * GRID,
        }
        for column, width in widths.items():
            table.setColumnWidth(column, width)
        header.setSectionResizeMode(Column.NOTE, QHeaderView.ResizeMode.Stretch)
        self._middle.addWidget(table, 1)
        self.detail.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.detail.setMinimumHeight(_NOTE_HEIGHT)
        self._middle.addWidget(self.detail)
        if preview.bad and preview.good:
            self._middle.insertWidget(self._middle.indexOf(table), self.only_bad)
            self.only_bad.toggled.connect(self._on_only_bad)
        table.selectionModel().currentRowChanged.connect(self._on_row_changed)
        self._choose_first_bad()

    def _choose_first_bad(self) -> None:
        assert self.table
        rows = range(self._model.rowCount())
        self.table.selectRow(next((row for row in rows if self._model.row(row).trunk is None), 0))

    def _on_only_bad(self, only_bad: bool) -> None:
        self._model.show_only_bad(only_bad)
        self._choose_first_bad()

    def _on_row_changed(self, current: QModelIndex) -> None:
        if not current.isValid():
            return
        row = self._model.row(current.row())
        words = note(row) or self.tr("Nothing had to be put right.")
        self.detail.setText(self.tr("Line {line}: {words}").format(line=row.line, words=words))
        self.detail.set_tone(Tone.QUIET if row.trunk else Tone.BAD)

    def _on_import_clicked(self) -> None:
        # A keyring can take minutes for thousands of passwords
        self.main_button.setEnabled(False)
        self.main_button.setText(self.tr("Importing…"))
        self._error.clear()
        self.rows_asked.emit(self._preview)
