"""The password in a form of settings: never shown, only replaced."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from app.flows.form import PASSWORD, FormField
from app.ui.widgets.field_row import FieldRow


class PasswordRow(FieldRow):
    """As a `SettingRow`, but for the one thing that is no setting."""

    def __init__(self, parent: QWidget) -> None:
        asked = FormField(
            key=PASSWORD,
            label=parent.tr("Password"),
            help=parent.tr("Leave empty to keep the one that is saved. It is never shown."),
        )
        super().__init__(asked, parent)
        self.edited.connect(self.show_help)

    @property
    def text(self) -> str:
        """What is typed; empty keeps the password that there is."""
        return "" if self._unused else super().text

    def clear(self) -> None:
        """Forget what was typed."""
        self.set_text("")
        self.show_help()

    def found_by(self, words: str) -> bool:
        """Whether each of the words is in its label or help."""
        text = f"{self.label.text()} {self.note} password".casefold()
        return all(word in text for word in words.casefold().split())
