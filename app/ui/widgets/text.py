"""A label with a role and a tone that follows the palette."""

from __future__ import annotations

from enum import StrEnum

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QFontMetrics, QGuiApplication, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QApplication, QLabel, QSizePolicy, QWidget

from app.model.visible import few_lines, one_line
from app.ui.plain_text import set_tool_tip
from app.ui.style import Tone, fixed_font, heading_font, small_font, title_font, tone_colour

_MOST_LINES, _LONGEST = 60, 3000
"""More than this is a fault or an attack, and would only push away what else is on the page."""


class TextRole(StrEnum):
    """What a text is on its page."""

    BODY = "body"
    TITLE = "title"
    HEADING = "heading"
    SMALL = "small"
    FIXED = "fixed"


class Text(QLabel):
    """Plain text; never reads markup into what a server or a person wrote.

    Args:
        text: The text.
        role: Sets the font.
        tone: Sets the colour; None is the main text colour.
        wrap: Whether lines break at the widget's width.
    """

    def __init__(
        self,
        text: str = "",
        *,
        role: TextRole = TextRole.BODY,
        tone: Tone | None = None,
        wrap: bool = True,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._role = role
        self._tone = tone
        self._styling = False
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setWordWrap(wrap)
        if wrap:
            policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
            policy.setHeightForWidth(True)
            self.setSizePolicy(policy)
            self.setMinimumWidth(1)
        self.setText(text)
        self._restyle()

    def text(self) -> str:
        shown = super().text()
        return shown.replace("&&", "&") if self.buddy() else shown

    def setText(self, text: str) -> None:  # noqa: N802  Qt's name
        shown = self._shown(text)
        # A label with a buddy takes "&" for the mark of a key
        super().setText(shown.replace("&", "&&") if self.buddy() else shown)

    def setBuddy(self, buddy: QWidget) -> None:  # noqa: N802  Qt's name
        words = self.text()
        super().setBuddy(buddy)
        self.setText(words)

    def set_tone(self, tone: Tone | None) -> None:
        """Change the colour."""
        if tone != self._tone:
            self._tone = tone
            self._restyle()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.ApplicationFontChange):
            self._restyle()

    def _shown(self, text: str) -> str:
        return few_lines(text, _MOST_LINES, _LONGEST)

    def _restyle(self) -> None:
        if self._styling:
            return
        self._styling = True
        base = QApplication.font()
        fonts = {
            TextRole.TITLE: title_font,
            TextRole.HEADING: heading_font,
            TextRole.SMALL: small_font,
            TextRole.FIXED: fixed_font,
        }
        if self._role in fonts:
            self.setFont(fonts[self._role](base))
        if self._tone is not None:
            palette = QPalette()
            colour = tone_colour(QGuiApplication.palette(), self._tone)
            palette.setColor(QPalette.ColorRole.WindowText, colour)
            palette.setColor(QPalette.ColorRole.Text, colour)
            self.setPalette(palette)
        elif self.testAttribute(Qt.WidgetAttribute.WA_SetPalette):
            self.setPalette(QPalette())
        self._styling = False


class ElidedText(Text):
    """One line that is cut with an ellipsis when it does not fit; the tool tip has it whole."""

    def __init__(
        self,
        text: str = "",
        *,
        role: TextRole = TextRole.BODY,
        tone: Tone | None = None,
        elide: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
        parent: QWidget | None = None,
    ) -> None:
        self._elide = elide
        self._tip = ""
        super().__init__(text, role=role, tone=tone, wrap=False, parent=parent)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def minimumSizeHint(self) -> QSize:
        return QSize(4 * QFontMetrics(self.font()).averageCharWidth(), super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        metrics = self.fontMetrics()
        room = self.contentsRect()
        shown = metrics.elidedText(self.text(), self._elide, room.width())
        self._show_whole(self.text() if shown != self.text() else "")
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(room, self.alignment(), shown)
        painter.end()

    def _shown(self, text: str) -> str:
        return one_line(text, _LONGEST)

    def _show_whole(self, tip: str) -> None:
        if tip != self._tip:
            self._tip = tip
            set_tool_tip(self, tip)
