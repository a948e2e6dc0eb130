"""A call that comes in: which number was called, and what to do with it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.ui.call_commands import BUSY, DECLINED
from app.ui.call_words import called_differ
from app.ui.models.call_view import CallView
from app.ui.models.trunk_watch import TrunkWatch
from app.ui.plain_text import set_spoken
from app.ui.style import GRID, Tone
from app.ui.widgets.buttons import IconButton, ToneButton
from app.ui.widgets.number_row import NumberRow
from app.ui.widgets.text import ElidedText, Text, TextRole
from app.ui.words import caller_words


class CalledNumbers(QWidget):
    """The called number as it stands in Request-URI and in To, side by side; for calls where they differ."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(0)
        self.values: list[ElidedText] = []
        for column, caption in enumerate((self.tr("Called, in Request-URI"), self.tr("Called, in To"))):
            # An address has no place where a line could break; the tool tip has it whole
            number, uri = ElidedText(), ElidedText(role=TextRole.SMALL, tone=Tone.QUIET)
            grid.addWidget(Text(caption, role=TextRole.SMALL, tone=Tone.QUIET), 0, column)
            grid.addWidget(number, 1, column)
            grid.addWidget(uri, 2, column)
            grid.setColumnStretch(column, 1)
            self.values += [number, uri]

    def show_call(self, call: CallView) -> None:
        """Show both where they differ; hidden otherwise."""
        self.setVisible(call.ringing_here and called_differ(call))
        for place, address in enumerate((call.called, call.to)):
            self.values[2 * place].setText(caller_words(address))
            self.values[2 * place + 1].setText(address)
        words = self.tr("Called: {first} in Request-URI, {second} in To")
        set_spoken(self, words.format(first=caller_words(call.called), second=caller_words(call.to)))


class IncomingPart(QWidget):
    """The buttons of a call that comes in.

    Args:
        watch: Its trunk.

    Signals:
        answer_asked: Answer it; whether the other calls are to be held first.
        reject_asked: Refuse it with this code.
        forward_asked: Send it on to this number.
    """

    answer_asked = Signal(bool)
    reject_asked = Signal(int)
    forward_asked = Signal(str)

    def __init__(self, watch: TrunkWatch, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.numbers = CalledNumbers()
        self._others_up = False
        self.answer = ToneButton("", "call", tone=Tone.GOOD)
        self.only_answer = IconButton(self.tr("Only answer"), "call")
        self.only_answer.setToolTip(self.tr("Answer this call and leave the others as they are"))
        self.busy = IconButton(self.tr("Busy"), "busy")
        self.busy.setToolTip(self.tr("Say that this line is busy (486); the provider may try another one"))
        self.decline = IconButton(self.tr("Decline"), "hang-up")
        self.decline.setToolTip(self.tr("Say that nobody wants this call, here or elsewhere (603, Esc)"))
        self.send_on = IconButton(self.tr("Send to…"), "forward")
        self.send_on.setToolTip(self.tr("Have the provider ring another number instead (302)"))
        self.send_on.setCheckable(True)
        self.row = NumberRow(self.tr("Send to number"), self.tr("Send"), "forward", lambda: watch.trunk)
        self.row.hide()
        self.answer.clicked.connect(lambda: self.answer_asked.emit(self._others_up))
        self.only_answer.clicked.connect(lambda: self.answer_asked.emit(False))
        self.busy.clicked.connect(lambda: self.reject_asked.emit(BUSY))
        self.decline.clicked.connect(lambda: self.reject_asked.emit(DECLINED))
        self.send_on.clicked.connect(lambda: self.set_open(self.row.isHidden()))
        self.row.asked.connect(self.forward_asked)
        self.row.closed.connect(lambda: self.set_open(False))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(self.numbers)
        column.addSpacing(GRID // 2)
        for buttons in ((self.answer, self.only_answer), (self.busy, self.decline, self.send_on)):
            row = QHBoxLayout()
            row.setSpacing(GRID)
            for button in buttons:
                row.addWidget(button)
            row.addStretch(1)
            column.addLayout(row)
        column.addWidget(self.row)

    @property
    def open(self) -> bool:
        """Whether it asks for a number to send the call to."""
        return not self.row.isHidden()

    def set_open(self, opened: bool) -> None:
        """Ask for a number to send the call to, or not any more."""
        self.send_on.setChecked(opened)
        if opened:
            self.row.begin()
        else:
            self.row.hide()

    def show_call(self, call: CallView, *, others_up: bool) -> None:
        """Show the call.

        Args:
            call: As it is now.
            others_up: Whether there are other calls that would have to wait.
        """
        self.numbers.show_call(call)
        self._others_up = others_up
        self.only_answer.setVisible(others_up)
        if others_up:
            self.answer.setText(self.tr("Hold and answer"))
            self.answer.setToolTip(self.tr("Have the other calls wait, and answer this one (Enter)"))
        else:
            self.answer.setText(self.tr("Answer"))
            self.answer.setToolTip(self.tr("Answer this call (Enter)"))
