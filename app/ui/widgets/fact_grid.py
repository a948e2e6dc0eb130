"""Facts as a caption over a value, side by side."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QGridLayout, QWidget

from app.ui.plain_text import set_spoken
from app.ui.style import GRID, Tone
from app.ui.widgets.text import Text, TextRole


class FactGrid(QWidget):
    """Captions are fixed, values change.

    Args:
        captions: In reading order.
        columns: How many side by side.
    """

    def __init__(self, captions: Sequence[str], columns: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._captions = tuple(captions)
        self._values: list[Text] = []
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(0)
        for place, caption in enumerate(captions):
            row, column = divmod(place, columns)
            value = Text("\N{EN DASH}", wrap=False)
            grid.addWidget(Text(caption, role=TextRole.SMALL, tone=Tone.QUIET, wrap=False), 3 * row, column)
            grid.addWidget(value, 3 * row + 1, column)
            if row:
                grid.setRowMinimumHeight(3 * row - 1, GRID)
            self._values.append(value)
        for column in range(columns):
            grid.setColumnStretch(column, 1)

    def set_values(self, values: Sequence[str]) -> None:
        """Show these values, in the captions' order."""
        for label, value in zip(self._values, values, strict=True):
            label.setText(value)
        set_spoken(
            self, ", ".join(f"{name} {value}" for name, value in zip(self._captions, values, strict=True))
        )

    def values(self) -> dict[str, str]:
        """What is shown, by caption."""
        return {name: label.text() for name, label in zip(self._captions, self._values, strict=True)}
