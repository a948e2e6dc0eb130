"""Where to transfer a call, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.model.trunk import Trunk
from app.ui.call_words import transfer_words, who
from app.ui.models.call_view import CallView
from app.ui.plain_text import set_tool_tip
from app.ui.style import GRID, Tone
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.number_row import NumberRow
from app.ui.widgets.tab_order import put_after
from app.ui.widgets.text import Text, TextRole
from app.ui.widgets.tone_icon import ToneIcon

_NAME_WIDTH = 28 * GRID
"""On a button; a longer name would make the page wider than the window."""


class TransferRow(QWidget):
    """Asks in place for a number, or for one of the other calls; below it the progress.

    Args:
        trunk: Gives the trunk of the call.

    Signals:
        number_asked: Transfer to this number.
        call_asked: Connect with this `CallView`.
        closed: The row is not wanted any more.
    """

    number_asked = Signal(str)
    call_asked = Signal(object)
    closed = Signal()

    def __init__(self, trunk: Callable[[], Trunk], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._others: tuple[CallView, ...] = ()
        self.buttons: list[IconButton] = []
        self.row = NumberRow(self.tr("Transfer to number"), self.tr("Transfer"), "transfer", trunk)
        self.row.asked.connect(self.number_asked)
        self.row.closed.connect(self.closed)
        self._calls = QVBoxLayout()
        self._calls.setSpacing(GRID // 2)
        self._hint = Text(role=TextRole.SMALL, tone=Tone.QUIET)
        self._asking = QWidget()
        asking = QVBoxLayout(self._asking)
        asking.setContentsMargins(0, 0, 0, 0)
        asking.setSpacing(GRID // 2)
        asking.addWidget(self.row)
        asking.addWidget(self._hint)
        asking.addLayout(self._calls)
        self._asking.hide()
        self._told = QWidget()
        told = QHBoxLayout(self._told)
        told.setContentsMargins(0, 0, 0, 0)
        told.setSpacing(GRID)
        self._mark = ToneIcon(Tone.ACCENT, "transfer")
        self._words = Text()
        told.addWidget(self._mark)
        told.addWidget(self._words, 1)
        self._told.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(self._asking)
        column.addWidget(self._told)
        self.hide()

    @property
    def open(self) -> bool:
        """Whether it asks."""
        return not self._asking.isHidden()

    @property
    def words(self) -> str:
        """What has come of the transfer; empty while there is none."""
        return "" if self._told.isHidden() else self._words.text()

    def set_open(self, opened: bool) -> None:
        """Ask, or not any more."""
        self._asking.setVisible(opened)
        if opened:
            self.row.begin()
        self._show_if_needed()

    def show_call(self, call: CallView, others: Sequence[CallView]) -> None:
        """Show what came of the last transfer, and the calls that could be connected with this one.

        Args:
            call: Whose row it is.
            others: Calls that are answered.
        """
        transfer = call.transfer
        self._told.setVisible(transfer is not None)
        if transfer is not None:
            words, tone = transfer_words(transfer)
            self._words.setText(words)
            self._words.set_tone(tone if tone is Tone.BAD else None)
            self._mark.show_tone(tone, "transfer" if tone is Tone.ACCENT else "")
        under_way = transfer is not None and not transfer.final
        self.row.setEnabled(not under_way)
        if tuple(others) != self._others:
            self._show_others(tuple(others))
        for button in self.buttons:
            button.setEnabled(not under_way)
        self._show_if_needed()

    def _show_others(self, others: tuple[CallView, ...]) -> None:
        self._others = others
        for button in self.buttons:
            button.hide()
            button.deleteLater()
        self.buttons = []
        words = self.tr("Connect with {number}")
        for other in others:
            whole = who(other)
            shown = self.fontMetrics().elidedText(whole, Qt.TextElideMode.ElideRight, _NAME_WIDTH)
            button = IconButton(words.format(number=shown), "join")
            if shown != whole:
                set_tool_tip(button, words.format(number=whole))
            button.clicked.connect(lambda _checked=False, other=other: self.call_asked.emit(other))
            self._calls.addWidget(button)
            self.buttons.append(button)
        put_after(self.row.close_button, self.buttons)
        self._hint.setText(self.tr("Or connect both with each other, and leave:"))
        self._hint.setVisible(bool(others))

    def _show_if_needed(self) -> None:
        self.setVisible(self.open or not self._told.isHidden())
