"""The row of buttons of a call: mute, hold, transfer, record, hang up."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QHBoxLayout,
    QStyle,
    QStyleOptionToolButton,
    QWidget,
)

from app.ui.icons import icon
from app.ui.models.call_view import CallView
from app.ui.plain_text import set_spoken, set_tool_tip
from app.ui.style import GRID, Tone, mix, small_font, tone_colour
from app.ui.widgets.buttons import EnterToolButton, ToneButton

_ICON = 20
_RADIUS = 4.0
_LEAST_WIDTH = 52
_HEIGHT = 6 * GRID


class ActionButton(EnterToolButton):
    """An icon over its word; lit while what it does is on, which the call decides, not the click.

    Args:
        tone: Its colour while it is on; a style's own pressed look can hardly be seen in the dark.
    """

    def __init__(self, tone: Tone, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tone = tone
        self._icon_name = ""
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        self.setIconSize(QSize(_ICON, _ICON))
        self.setFont(small_font(self.font()))
        self.setCheckable(True)

    def set_face(self, word: str, icon_name: str, tip: str, *, on: bool = False) -> None:
        """Show another word and icon; `tip` says more, with the key."""
        self.setText(word)
        set_spoken(self, word)
        set_tool_tip(self, tip)
        self.setChecked(on)
        if icon_name != self._icon_name:
            self._icon_name = icon_name
            self._tint()

    def sizeHint(self) -> QSize:
        return QSize(max(super().sizeHint().width(), _LEAST_WIDTH), _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def nextCheckState(self) -> None:  # noqa: N802  Qt's name
        """A click asks only; `set_face` shows what came of it."""

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, palette = QPainter(self), self.palette()
        if self.isChecked():
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            colour = tone_colour(palette, self._tone)
            painter.setPen(QPen(colour, 2 if self.hasFocus() else 1))
            painter.setBrush(mix(palette.color(QPalette.ColorRole.Base), colour, 0.18))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), _RADIUS, _RADIUS)
        else:
            # The style's own ground; icon and word are where those of the neighbours are
            option = QStyleOptionToolButton()
            self.initStyleOption(option)
            option.icon, option.text = QIcon(), ""
            self.style().drawComplexControl(QStyle.ComplexControl.CC_ToolButton, option, painter, self)
        paint_over(painter, self, palette.color(QPalette.ColorRole.ButtonText))
        painter.end()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.EnabledChange):
            self._tint()

    def _tint(self) -> None:
        if self._icon_name:
            self.setIcon(icon(self._icon_name, self.palette().color(QPalette.ColorRole.ButtonText)))


class HangUpButton(ToneButton):
    """The red one, in the shape of its neighbours."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", "hang-up", tone=Tone.BAD, parent=parent)
        self.setText(self.tr("Hang up"))
        self.setFont(small_font(self.font()))
        self.setIconSize(QSize(_ICON, _ICON))
        self.setToolTip(self.tr("End this call (Esc)"))

    def sizeHint(self) -> QSize:
        width = self.fontMetrics().horizontalAdvance(self.text()) + 2 * GRID
        return QSize(max(width, _LEAST_WIDTH), _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def _paint_label(self, painter: QPainter, colour: QColor) -> None:
        paint_over(painter, self, colour)


def paint_over(painter: QPainter, button: QAbstractButton, colour: QColor) -> None:
    """A button's icon over its word."""
    line = button.fontMetrics().height()
    top = (button.height() - _ICON - line) // 2
    button.icon().paint(painter, (button.width() - _ICON) // 2, top, _ICON, _ICON)
    painter.setPen(colour)
    room = QRect(0, top + _ICON, button.width(), line)
    painter.drawText(room, Qt.AlignmentFlag.AlignCenter, button.text())


class CallActions(QWidget):
    """What can be done with a call that is up.

    Signals:
        mute_asked, hold_asked, record_asked: On or off.
        transfer_asked: The row for a transfer is wanted, or not any more.
        hang_up_asked: It is to end.
    """

    mute_asked = Signal(bool)
    hold_asked = Signal(bool)
    record_asked = Signal(bool)
    transfer_asked = Signal()
    hang_up_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID // 2)
        self.mute, self.hold = ActionButton(Tone.WARNING), ActionButton(Tone.WARNING)
        self.transfer, self.record = ActionButton(Tone.ACCENT), ActionButton(Tone.BAD)
        self.hang_up = HangUpButton()
        for button in (self.mute, self.hold, self.transfer, self.record):
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self.hang_up)
        # Pressed means on, so a click asks for the other
        self.mute.clicked.connect(lambda: self.mute_asked.emit(not self.mute.isChecked()))
        self.hold.clicked.connect(lambda: self.hold_asked.emit(not self.hold.isChecked()))
        self.record.clicked.connect(lambda: self.record_asked.emit(not self.record.isChecked()))
        self.transfer.clicked.connect(self.transfer_asked)
        self.hang_up.clicked.connect(self.hang_up_asked)

    def show_call(self, call: CallView, *, transferring: bool) -> None:
        """Show what is on and what can be asked for.

        Args:
            call: As it is now.
            transferring: Whether the row for a transfer is open.
        """
        for button in (self.mute, self.hold, self.transfer, self.record):
            button.setVisible(call.answered)
        if call.muted:
            self.mute.set_face(self.tr("Unmute"), "mute", self.tr("Let them hear you again (M)"), on=True)
        else:
            self.mute.set_face(self.tr("Mute"), "microphone", self.tr("Send silence (M)"))
        if call.held_by_us:
            self.hold.set_face(self.tr("Resume"), "play", self.tr("Go on with the call (H)"), on=True)
        else:
            self.hold.set_face(self.tr("Hold"), "hold", self.tr("Have the other side wait (H)"))
        self.hold.setEnabled(not call.hold_asked)
        tip = self.tr("Connect the other side with somebody else (T)")
        self.transfer.set_face(self.tr("Transfer"), "transfer", tip, on=transferring)
        if call.recording:
            self.record.set_face(self.tr("Stop"), "stop", self.tr("End the recording (R)"), on=True)
            self.record.setAccessibleName(self.tr("Stop recording"))
        else:
            tip = self.tr("Record both sides to a file (R). In many places the other side must be told.")
            self.record.set_face(self.tr("Record"), "record", tip)
