"""All about one call of the history, and its SIP messages."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QStackedWidget, QVBoxLayout, QWidget

from app.model.history import HistoryDetails
from app.model.outcome import Direction
from app.model.visible import visible
from app.ui.call_words import far_words, quality_words
from app.ui.clipboard import copy_text
from app.ui.details import history_details
from app.ui.history_words import headline_of, result_look, route_words, story_words, whole_time
from app.ui.plain_text import set_tool_tip
from app.ui.show_file import show_in_folder
from app.ui.style import GRID, Tone, fixed_font
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.call_figures import CallFigureGrid
from app.ui.widgets.finding_view import FindingList
from app.ui.widgets.fold import Fold
from app.ui.widgets.page import ScrollPage
from app.ui.widgets.text import ElidedText, Text, TextRole
from app.ui.widgets.tone_icon import ToneIcon


class HistoryDetailsPane(QStackedWidget):
    """Shows the chosen call, or in its place the messages that were kept of it.

    Attributes:
        call: What is shown; None while nothing is chosen.

    Signals:
        again_asked: The other side is to be called again.
        trace_asked: The call's SIP messages are wanted; `show_messages` shows those that were kept.
        delete_asked: The call is to be deleted.
        field_asked: A finding's setting is to be changed; carries its key.
    """

    again_asked = Signal()
    trace_asked = Signal()
    delete_asked = Signal()
    field_asked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.call: HistoryDetails | None = None
        self._empty = Text(self.tr("Choose a call to see what came of it."), tone=Tone.QUIET)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._about = self._build_about()
        self._trace = self._build_trace()
        for page in (self._empty, self._about, self._trace):
            self.addWidget(page)

    # What it says

    @property
    def headline(self) -> str:
        """What is to be thought of the call; empty while none is shown."""
        return self._headline.text() if self.currentWidget() is self._about else ""

    @property
    def shows_messages(self) -> bool:
        """Whether the SIP messages are shown."""
        return self.currentWidget() is self._trace

    def show_call(self, call: HistoryDetails | None) -> None:
        """Show a call, or that none is chosen; messages that are looked at stay, brought up to date."""
        same = call is not None and self.call is not None and call.entry.id == self.call.entry.id
        self.call = call
        if call is None:
            self.setCurrentWidget(self._empty)
            return
        _, tone, icon_name = result_look(call.entry)
        self._mark.show_tone(tone, icon_name)
        self._headline.setText(headline_of(call))
        self._story.setText(story_words(call))
        self._route.setText(route_words(call))
        self._show_sound(call)
        self.findings.show_findings(call.findings, self._headline.text())
        self._show_recording(call)
        self._show_buttons(call)
        if same and self.shows_messages:
            self._fill_messages(call)
        else:
            self._about.verticalScrollBar().setValue(0)
            self.setCurrentWidget(self._about)

    def show_messages(self) -> None:
        """Show the SIP messages that were kept of the call."""
        if self.call:
            self._fill_messages(self.call)
            self.setCurrentWidget(self._trace)
            self.messages.setFocus()

    def show_about(self) -> None:
        """Go back from the messages to the call."""
        if self.call:
            self.setCurrentWidget(self._about)
            self.trace.setFocus()

    def copy(self) -> None:
        """Copy what is known of the call."""
        if self.call:
            copy_text(history_details(self.call))

    # Building

    def _build_about(self) -> ScrollPage:
        page = ScrollPage()
        column = page.column
        column.setContentsMargins(0, GRID, GRID, GRID)
        column.setSpacing(GRID)
        self._mark = ToneIcon(edge=20)
        self._headline = Text(role=TextRole.HEADING)
        head = QHBoxLayout()
        head.setSpacing(GRID)
        head.addWidget(self._mark, alignment=Qt.AlignmentFlag.AlignTop)
        head.addWidget(self._headline, 1)
        self._story = Text(role=TextRole.SMALL, tone=Tone.QUIET)
        self._route = Text(role=TextRole.SMALL, tone=Tone.QUIET)
        self._sound = Text()
        self.findings = FindingList()
        self.findings.field_asked.connect(self.field_asked)
        self.figures = CallFigureGrid()
        self._fold = Fold(self.tr("Figures"), self.figures)
        column.addLayout(head)
        column.addWidget(self._story)
        column.addWidget(self._route)
        column.addLayout(self._build_buttons())
        column.addWidget(self._sound)
        column.addWidget(self.findings)
        column.addWidget(self._build_recording())
        column.addWidget(self._fold)
        column.addStretch(1)
        return page

    def _build_buttons(self) -> QHBoxLayout:
        self.again = IconButton(self.tr("Call again"), "redial")
        self.again.clicked.connect(self.again_asked)
        self.trace = IconButton(self.tr("Show trace"), "log")
        self.trace.clicked.connect(self.trace_asked)
        self.copy_button = IconButton(self.tr("Copy details"), "copy")
        self.copy_button.clicked.connect(self.copy)
        self.delete = IconButton(self.tr("Delete…"), "delete")
        self.delete.clicked.connect(self.delete_asked)
        row = QHBoxLayout()
        row.setSpacing(GRID)
        for button in (self.again, self.trace, self.copy_button, self.delete):
            row.addWidget(button)
        row.addStretch(1)
        return row

    def _build_recording(self) -> QWidget:
        self.recording = QWidget()
        self._recorded = ElidedText(elide=Qt.TextElideMode.ElideMiddle)
        self.show_recording = IconButton(self.tr("Show in folder"), "folder")
        self.show_recording.clicked.connect(self._on_folder_clicked)
        row = QHBoxLayout(self.recording)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        row.addWidget(ToneIcon(Tone.QUIET, "record"))
        row.addWidget(self._recorded, 1)
        row.addWidget(self.show_recording)
        return self.recording

    def _build_trace(self) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, GRID, 0, 0)
        column.setSpacing(GRID)
        self.back = IconButton(self.tr("Back to the call"), "back")
        self.back.clicked.connect(self.show_about)
        self.copy_messages = IconButton(self.tr("Copy messages"), "copy")
        self.copy_messages.clicked.connect(self._on_copy_messages_clicked)
        head = QHBoxLayout()
        head.setSpacing(GRID)
        head.addWidget(self.back)
        head.addWidget(Text(self.tr("Passwords and keys are hidden."), tone=Tone.QUIET), 1)
        head.addWidget(self.copy_messages)
        self.messages = QPlainTextEdit()
        self.messages.setReadOnly(True)
        self.messages.setFrameShape(QFrame.Shape.NoFrame)
        self.messages.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.messages.setFont(fixed_font(self.font()))
        self.messages.setAccessibleName(self.tr("SIP messages of the call"))
        # Tab leaves it, as it leaves every other part of the page
        self.messages.setTabChangesFocus(True)
        column.addLayout(head)
        column.addWidget(self.messages, 1)
        return page

    # Filling

    def _show_sound(self, call: HistoryDetails) -> None:
        outcome = call.outcome
        quality, media = (outcome.quality, outcome.media) if outcome else (None, None)
        lines = (quality_words(quality, media, over=True), far_words(quality))
        self._sound.setText("\n".join(line for line in lines if line))
        self._sound.setVisible(bool(self._sound.text()))
        self.figures.show_figures(media)
        self._fold.setVisible(media is not None)

    def _show_recording(self, call: HistoryDetails) -> None:
        self._recorded.setText(self.tr("Recorded: {name}").format(name=Path(call.recording).name))
        self._recorded.set_tone(None)
        self.recording.setVisible(bool(call.recording))

    def _show_buttons(self, call: HistoryDetails) -> None:
        number = call.entry.to_call
        self.again.setEnabled(bool(number))
        set_tool_tip(self.again, self.tr("Call {number}").format(number=number) if number else "")
        self.trace.setEnabled(bool(call.messages))
        self.trace.setToolTip("" if call.messages else self.tr("No SIP message was kept of this call."))
        self.delete.setEnabled(not call.entry.running)

    def _fill_messages(self, call: HistoryDetails) -> None:
        parts = []
        for place, message in enumerate(call.messages):
            if call.left_out and place == len(call.messages) // 2:
                words = self.tr("{count} more messages were not kept.").format(count=call.left_out)
                parts.append(f"({words})")
            out = message.direction is Direction.OUT
            arrow = "\N{RIGHTWARDS ARROW}" if out else "\N{LEFTWARDS ARROW}"
            head = f"{whole_time(message.at)}  {arrow} {message.transport.upper()} {message.peer}"
            parts.append(f"{head}\n{message.text.strip()}")
        text = visible("\n\n".join(parts))
        if text != self.messages.toPlainText():
            self.messages.setPlainText(text)

    def _on_copy_messages_clicked(self) -> None:
        copy_text(self.messages.toPlainText())

    def _on_folder_clicked(self) -> None:
        path = Path(self.call.recording) if self.call else Path()
        if not path.exists():
            words = self.tr("The recording is not there any more: {path}")
            self._recorded.setText(words.format(path=path))
            self._recorded.set_tone(Tone.BAD)
        show_in_folder(path)
