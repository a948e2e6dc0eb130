"""An icon in the colour of what it says."""

from __future__ import annotations

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QLabel, QWidget

from app.ui.icons import pixmap
from app.ui.style import Tone, tone_colour

_ICONS = {
    Tone.BAD: "fail",
    Tone.WARNING: "warning",
    Tone.GOOD: "pass",
    Tone.ACCENT: "info",
    Tone.QUIET: "info",
}


class ToneIcon(QLabel):
    """An icon in a tone's colour.

    Args:
        tone: Sets colour, and the icon unless one is named.
        icon_name: An icon of the family.
        edge: Its size in device-independent pixels.
    """

    def __init__(
        self, tone: Tone = Tone.QUIET, icon_name: str = "", edge: int = 16, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._edge = edge
        self._tone = tone
        self._icon_name = icon_name
        self.setFixedSize(edge, edge)
        self._redraw()

    def show_tone(self, tone: Tone, icon_name: str = "") -> None:
        """Show another tone."""
        self._tone, self._icon_name = tone, icon_name
        self._redraw()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._redraw()

    def _redraw(self) -> None:
        colour = tone_colour(self.palette(), self._tone)
        name = self._icon_name or _ICONS[self._tone]
        self.setPixmap(pixmap(name, colour, self._edge, self.devicePixelRatioF()))
