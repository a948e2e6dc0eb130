"""Buttons whose icons and colours follow the palette."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QGuiApplication,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
)
from PySide6.QtWidgets import QPushButton, QToolButton, QWidget

from app.ui.icons import icon
from app.ui.plain_text import key_free, set_spoken, set_tool_tip
from app.ui.style import GRID, Tone, fill_colour, mix, readable_pair

_RADIUS = 4.0


def is_by_tab(event: QFocusEvent, before: bool) -> bool:
    """Whether the person went there by keyboard; `before` where the focus only comes back with its window."""
    reason = event.reason()
    if reason in (Qt.FocusReason.ActiveWindowFocusReason, Qt.FocusReason.PopupFocusReason):
        return before
    return reason in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)


def is_enter(event: QKeyEvent) -> bool:
    """Whether this is one of the two Enter keys."""
    return event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class IconButton(QPushButton):
    """A push button with an icon of ours.

    Enter presses it when the person went there by keyboard: whoever did means this button. A button that has
    the focus for another reason leaves Enter to its page or dialog, where it may mean to answer or to go on.

    Args:
        text: Its words.
        icon_name: An icon of the family, or empty.

    Attributes:
        takes_enter: Whether Enter always presses it while it has the focus.
    """

    def __init__(self, text: str, icon_name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(key_free(text), parent)
        self._icon_name = icon_name
        self.takes_enter = self._by_tab = False
        self.setAutoDefault(False)
        self._restyle()

    def setText(self, text: str) -> None:  # noqa: N802  Qt's name
        # No button of ours but the wizard's has a key of its own, and those get theirs from the wizard
        super().setText(key_free(text))

    def set_face(self, text: str, icon_name: str) -> None:
        """Change words and icon."""
        self._icon_name = icon_name
        self.setText(text)
        self._restyle()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._by_tab = is_by_tab(event, self._by_tab)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if is_enter(event) and (self.takes_enter or self._by_tab):
            self.click()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.EnabledChange):
            self._restyle()

    def _restyle(self) -> None:
        self._tint(self.palette().color(QPalette.ColorRole.ButtonText))

    def _tint(self, colour: QColor) -> None:
        if self._icon_name:
            self.setIcon(icon(self._icon_name, colour))


class ToneButton(IconButton):
    """The one button of a page that leads on, or that ends something: filled with a tone.

    Drawn here, because a style that lightens the palette's button colour leaves its words unreadable.

    Args:
        text: Its words.
        icon_name: An icon of the family, or empty.
        tone: Accent to lead on, good to accept, bad to end something.
    """

    def __init__(
        self,
        text: str,
        icon_name: str = "",
        *,
        tone: Tone = Tone.ACCENT,
        parent: QWidget | None = None,
    ) -> None:
        self._tone = tone
        super().__init__(text, icon_name, parent)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def sizeHint(self) -> QSize:
        hint = super().sizeHint()
        return QSize(hint.width() + GRID, max(hint.height(), 3 * GRID))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground, text = self._colours()
        if self.isDown():
            ground = mix(ground, QColor("black"), 0.18)
        elif self.isEnabled() and self.underMouse():
            ground = mix(ground, text, 0.10)
        box = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(box, _RADIUS, _RADIUS)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(text, 1))
            painter.drawRoundedRect(box.adjusted(2.5, 2.5, -2.5, -2.5), _RADIUS - 2, _RADIUS - 2)
        self._paint_label(painter, text)
        painter.end()

    def _paint_label(self, painter: QPainter, colour: QColor) -> None:
        """Icon and words in the middle, as one."""
        # By hand: the style's own way needs QStyle, whose enums alone cost a sixth of a bare window's start
        words, metrics = self.text().replace("&&", "&"), self.fontMetrics()
        icon_edge = self.iconSize().width() if self._icon_name else 0
        gap = GRID // 2 if icon_edge else 0
        left = (self.width() - icon_edge - gap - metrics.horizontalAdvance(words)) // 2
        if icon_edge:
            self.icon().paint(painter, left, (self.height() - icon_edge) // 2, icon_edge, icon_edge)
        painter.setPen(colour)
        room = self.rect().adjusted(left + icon_edge + gap, 0, 0, 0)
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, words)

    def _restyle(self) -> None:
        self._tint(self._colours()[1])
        self.update()

    def _colours(self) -> tuple[QColor, QColor]:
        palette = QGuiApplication.palette()
        if self.isEnabled():
            return readable_pair(fill_colour(palette, self._tone))
        window = palette.color(QPalette.ColorRole.Window)
        text = palette.color(QPalette.ColorRole.WindowText)
        return mix(window, text, 0.08), mix(window, text, 0.5)


class EnterToolButton(QToolButton):
    """A tool button that Enter presses as it does an `IconButton`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._by_tab = False

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._by_tab = is_by_tab(event, self._by_tab)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if is_enter(event) and self._by_tab:
            self.click()
        else:
            super().keyPressEvent(event)


class IconToolButton(EnterToolButton):
    """A small button that is only an icon; its words are its accessible name and tool tip."""

    def __init__(self, words: str, icon_name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon_name = icon_name
        set_spoken(self, words)
        set_tool_tip(self, words)
        self.setAutoRaise(True)
        self.setIconSize(QSize(16, 16))
        self._restyle()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._restyle()

    def _restyle(self) -> None:
        self.setIcon(icon(self._icon_name, self.palette().color(QPalette.ColorRole.ButtonText)))
