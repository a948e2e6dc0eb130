"""A provider chosen by its name."""

from __future__ import annotations

from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QWidget

from app.ui.widgets.still_combo import StillCombo


class ProviderCombo(StillCombo):
    """Holds the catalogue's id; empty is another provider.

    Knows only the name that it shows until somebody goes there: reading the whole catalogue costs time.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._filled = False
        self.setSizeAdjustPolicy(self.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(24)
        self.addItem(self.tr("Other provider"), "")

    def set_provider(self, provider_id: str) -> None:
        """Show a provider, also one that the catalogue does not know any more."""
        from app.providers import catalogue

        at = self.findData(provider_id)
        if at < 0:
            self.addItem(catalogue.name_of(provider_id), provider_id)
            at = self.count() - 1
        self.setCurrentIndex(at)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._fill()
        super().focusInEvent(event)

    def showPopup(self) -> None:  # noqa: N802  Qt's name
        self._fill()
        super().showPopup()

    def _fill(self) -> None:
        if self._filled:
            return
        from app.providers import catalogue

        self._filled = True
        chosen, words = str(self.currentData()), self.currentText()
        self.clear()
        self.addItem(self.tr("Other provider"), "")
        for provider in catalogue.providers():
            self.addItem(provider.name, provider.id)
        if self.findData(chosen) < 0:
            self.addItem(words, chosen)
        self.setCurrentIndex(self.findData(chosen))
