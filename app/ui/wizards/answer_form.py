"""The fields of a wizard's page under each other."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from itertools import pairwise

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from app.flows.form import FormField, Problem
from app.ui.style import GRID
from app.ui.wizards.answer_row import AnswerRow

LABEL_WIDTH = 20 * GRID
INDENT = LABEL_WIDTH + 2 * GRID
"""From the page's edge to its fields."""


class AnswerForm(QWidget):
    """Rows for the fields it is given; the same fields keep their rows.

    Attributes:
        rows: By the key of the field, in order.

    Signals:
        edited: The person changed a field; carries key and text.
        left: The person went on from a field; carries its key.
    """

    edited = Signal(str, str)
    left = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: dict[str, AnswerRow] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(2 * GRID)
        self._grid.setVerticalSpacing(0)
        self._grid.setColumnStretch(1, 1)

    def show_fields(self, fields: Iterable[FormField]) -> bool:
        """Show these fields with their values; whether that took other rows."""
        wanted = {field.key: field for field in fields}
        same = [_make(field) for field in wanted.values()] == [_make(row.asked) for row in self.rows.values()]
        if not same:
            self._build(wanted)
        for key, field in wanted.items():
            self.rows[key].set_words(field)
            self.rows[key].set_text(field.value)
        return not same

    def show_problems(self, problems: Iterable[Problem], *, missing_too: bool) -> None:
        """Show what is wrong at its field, and the help at the others.

        Args:
            problems: All problems of the page.
            missing_too: Also say what is missing in fields where the person has not been.
        """
        by_key = {problem.key: problem for problem in problems}
        for key, row in self.rows.items():
            problem = by_key.get(key)
            if problem and (not problem.missing or row.touched or missing_too):
                row.show_error(problem.text)
            else:
                row.show_help()

    @property
    def stops(self) -> list[QWidget]:
        """Where the Tab key stops, in order."""
        return [stop for row in self.rows.values() for stop in row.stops]

    def focus_first(self) -> None:
        """Go to the first field that is empty and needed, else to the first one."""
        empty = (row for row in self.rows.values() if row.asked.required and not row.text)
        row = next(empty, next(iter(self.rows.values()), None))
        if row:
            row.focus()

    def _build(self, wanted: dict[str, FormField]) -> None:
        focused = next((key for key, row in self.rows.items() if row.field.focusWidget()), "")
        had_focus = bool(focused) and self.isAncestorOf(self.window().focusWidget() or self.window())
        touched = {row.asked.key for row in self.rows.values() if row.touched}
        for row in self.rows.values():
            for part in (row.label, row.field):
                self._grid.removeWidget(part)
                part.hide()
                part.deleteLater()
            row.deleteLater()
        self.rows = {}
        for line, (key, field) in enumerate(wanted.items()):
            row = AnswerRow(field, self)
            row.touched = key in touched
            row.label.setFixedWidth(LABEL_WIDTH)
            self._grid.addWidget(row.label, line, 0, Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(row.field, line, 1)
            row.edited.connect(partial(self._on_edited, row))
            row.left.connect(partial(self.left.emit, key))
            self.rows[key] = row
        for before, after in pairwise(self.stops):
            self.setTabOrder(before, after)
        if had_focus and focused in self.rows:
            self.rows[focused].stops[0].setFocus()

    def _on_edited(self, row: AnswerRow) -> None:
        self.edited.emit(row.asked.key, row.text)


def _make(field: FormField) -> tuple[object, ...]:
    """What decides which input a field has."""
    return field.key, field.kind, bool(field.choices), field.free
