"""The left half of the call page: the number, the dial pad, what calls send and through which devices."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QWidget

from app.errors import UserError
from app.model.call import Source
from app.model.visible import one_line
from app.ui.dialled_line import dialled_line
from app.ui.models.trunk_watch import TrunkWatch
from app.ui.plain_text import set_spoken
from app.ui.style import GRID, Tone
from app.ui.widgets.audio_panel import AudioPanel
from app.ui.widgets.buttons import ToneButton
from app.ui.widgets.dial_pad import DialPad
from app.ui.widgets.number_field import NumberField, RedialButton
from app.ui.widgets.page import ScrollPage
from app.ui.widgets.still_combo import StillCombo
from app.ui.widgets.text import Text, TextRole
from app.ui.words import source_word

_LEFT_WIDTH = 28 * GRID
_LENGTHS_S = (10, 30, 60, 120)
_USUAL_LENGTH_S = 30


class NumberPanel(ScrollPage):
    """Takes a number and says how it will be sent.

    Args:
        watch: The trunk.

    Signals:
        call_asked: Call what is in the field.
        answer_asked: Enter was pressed with nothing in the field.
        digit: A key of the dial pad; carries its digit.
        edited: Another number is in the field.
        refused: The number is never called; carries the `CallRefusedError`, or None once it is another one.
        source_chosen: Calls from now on send something else; carries the `Source`.
    """

    call_asked = Signal()
    answer_asked = Signal()
    digit = Signal(str)
    edited = Signal()
    refused = Signal(object)
    source_chosen = Signal(object)

    def __init__(self, watch: TrunkWatch, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._watch = watch
        self.setFixedWidth(3 * GRID + _LEFT_WIDTH + 2 * GRID)
        column = self.column
        # The margin at the right is where a scroll bar finds its place
        column.setContentsMargins(3 * GRID, 2 * GRID, 2 * GRID, GRID)
        column.setSpacing(GRID)
        self.number = NumberField()
        self.number.textChanged.connect(self._on_text_changed)
        self.number.returnPressed.connect(self._on_return_pressed)
        self._line = Text(role=TextRole.SMALL, tone=Tone.QUIET)
        self._line.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.call_button = ToneButton(self.tr("Call"), "call")
        self.call_button.setMinimumHeight(4 * GRID)
        self.call_button.clicked.connect(self.call_asked)
        self.redial = RedialButton()
        self.redial.number_chosen.connect(self._on_number_chosen)
        self.number.recent_asked.connect(lambda: self.redial.pop_up(self.number))
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(self.call_button, 1)
        row.addWidget(self.redial)
        self.pad = DialPad()
        self.pad.pressed.connect(self.digit)
        self._pad_line = Text(role=TextRole.SMALL, tone=Tone.QUIET)
        self._pad_line.hide()
        self.audio = AudioPanel()
        column.addWidget(self.number)
        column.addWidget(self._line)
        column.addLayout(row)
        column.addWidget(self.pad)
        column.addWidget(self._pad_line)
        column.addLayout(self._build_choices())
        column.addWidget(self.audio)
        # Once it is laid out
        self.audio.opened.connect(lambda _: QTimer.singleShot(0, self, self._show_audio))
        column.addStretch(1)

    @property
    def line(self) -> str:
        """What stands under the number: how it will be sent, or why it can't be."""
        return self._line.text()

    @property
    def pad_line(self) -> str:
        """Where the keys of the dial pad go; empty when into the number."""
        return "" if self._pad_line.isHidden() else self._pad_line.text()

    @property
    def source(self) -> Source:
        """What a new call sends."""
        return Source(self.send.currentData())

    @property
    def max_seconds(self) -> float:
        """How long a new call may last."""
        return float(self.length.currentData())

    def set_source(self, source: Source) -> None:
        """Show what new calls send; `source_chosen` is not emitted."""
        with QSignalBlocker(self.send):
            self.send.setCurrentIndex(list(Source).index(source))

    def show_button(self, words: str, *, enabled: bool) -> None:
        """Change the call button."""
        self.call_button.setText(words)
        self.call_button.setEnabled(enabled)

    def show_pad(self, words: str) -> None:
        """Say where the keys go; empty for into the number."""
        self._pad_line.setText(words)
        self._pad_line.setVisible(bool(words))

    def check(self, *, told: bool) -> bool:
        """Show how the number will be sent, or why not; an empty one is an error only when `told`."""
        trunk, text = self._watch.trunk, self.number.text()
        if not text.strip() and not told:
            words = self.tr("Through {trunk} ({host})")
            self.say(words.format(trunk=one_line(trunk.name), host=one_line(trunk.host)))
            self.refused.emit(None)
            return False
        said = dialled_line(text, trunk)
        self.say(said.words, Tone.QUIET if said.good else Tone.BAD)
        self.refused.emit(said.refusal)
        return said.good

    def say(self, words: str, tone: Tone = Tone.QUIET) -> None:
        """Put something under the number."""
        self._line.setText(words)
        self._line.set_tone(tone)
        set_spoken(self.number, description=words)

    def show_failure(self, error: UserError) -> None:
        """Say that a call could not be placed; why has room elsewhere."""
        self.say(self.tr("That did not work."), Tone.BAD)
        self.refused.emit(error)

    def _build_choices(self) -> QGridLayout:
        self.send = StillCombo()
        for source in Source:
            self.send.addItem(source_word(source), source)
        self.send.currentIndexChanged.connect(lambda _: self.source_chosen.emit(self.source))
        self.length = StillCombo()
        for seconds in _LENGTHS_S:
            self.length.addItem(self.tr("{seconds} s").format(seconds=seconds), seconds)
        self.length.setCurrentIndex(_LENGTHS_S.index(_USUAL_LENGTH_S))
        grid = QGridLayout()
        grid.setHorizontalSpacing(GRID)
        grid.setVerticalSpacing(GRID)
        for row, (words, combo) in enumerate(
            ((self.tr("Send"), self.send), (self.tr("End after"), self.length))
        ):
            label = Text(words, tone=Tone.QUIET, wrap=False)
            label.setBuddy(combo)
            set_spoken(combo, words)
            grid.addWidget(label, row, 0)
            grid.addWidget(combo, row, 1)
        grid.setColumnStretch(1, 1)
        return grid

    def _show_audio(self) -> None:
        if self.audio.is_open:
            self.ensureWidgetVisible(self.audio, 0, GRID)

    def _on_text_changed(self) -> None:
        self.check(told=False)
        self.edited.emit()

    def _on_number_chosen(self, number: str) -> None:
        self.number.setText(number)
        self.number.setFocus()

    def _on_return_pressed(self) -> None:
        if self.number.text().strip():
            self.call_asked.emit()
        else:
            self.answer_asked.emit()
