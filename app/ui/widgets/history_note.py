"""What stands in the table's place when there is no call to show."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.errors import UserError
from app.ui.plain_text import set_spoken
from app.ui.style import GRID, Tone
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.text import Text, TextRole
from app.ui.widgets.tone_icon import ToneIcon

_WIDTH = 52 * GRID


class HistoryNote(QWidget):
    """A heading, a line below it, and one thing to do.

    Signals:
        retry_asked: Read the calls once more.
        all_asked: Leave no call out.
    """

    retry_asked = Signal()
    all_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon = ToneIcon(Tone.BAD, edge=24)
        self._heading = Text(role=TextRole.HEADING)
        self._words = Text(tone=Tone.QUIET)
        self.retry = IconButton(self.tr("Try again"))
        self.retry.clicked.connect(self.retry_asked)
        self.all = IconButton(self.tr("Show all calls"))
        self.all.clicked.connect(self.all_asked)
        middle = QWidget()
        middle.setFixedWidth(_WIDTH)
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(self._icon)
        column.addWidget(self._heading)
        column.addWidget(self._words)
        buttons = QHBoxLayout()
        buttons.addWidget(self.retry)
        buttons.addWidget(self.all)
        buttons.addStretch(1)
        column.addLayout(buttons)
        across = QHBoxLayout()
        across.addStretch(1)
        across.addWidget(middle)
        across.addStretch(1)
        outer = QVBoxLayout(self)
        outer.addStretch(2)
        outer.addLayout(across)
        outer.addStretch(3)

    @property
    def words(self) -> str:
        """Heading and line."""
        return f"{self._heading.text()} {self._words.text()}".strip()

    def show_loading(self) -> None:
        """The calls are being read."""
        self._show(self.tr("Reading the calls…"), "")

    def show_empty(self, kept: str, *, all_trunks: bool) -> None:
        """There is no call; `kept` says how long calls are kept."""
        heading = self.tr("No calls yet") if all_trunks else self.tr("No calls through this trunk yet")
        words = self.tr("Every call is entered here when it begins, and kept {kept}.")
        # "kept 90 days", but "kept for ever"
        self._show(heading, words.format(kept=kept))

    def show_nothing_found(self) -> None:
        """There are calls, but none that is looked for."""
        self._show(self.tr("No call found"), self.tr("No call matches the search and the choices beside it."))
        self.all.show()

    def show_error(self, error: UserError) -> None:
        """The calls can't be read."""
        self._show(self.tr("The calls can't be read"), f"{error.what} {error.do}".strip(), bad=True)
        self.retry.show()

    def _show(self, heading: str, words: str, *, bad: bool = False) -> None:
        self._icon.setVisible(bad)
        self._heading.setText(heading)
        self._words.setText(words)
        self._words.setVisible(bool(words))
        self.retry.hide()
        self.all.hide()
        set_spoken(self, self.words)
