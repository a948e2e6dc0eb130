"""One setting in a form, with where its value comes from."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.flows.form import FormField
from app.model.settings import Setting
from app.ui.countries import with_countries
from app.ui.typed_settings import Origin, help_words
from app.ui.widgets.field_row import FIELD_WIDTH, FieldRow
from app.ui.widgets.origin_line import OriginLine
from app.ui.widgets.provider_combo import ProviderCombo


class SettingRow(FieldRow):
    """A setting; the button of its origin is no part of `stops`.

    Args:
        setting: From the table of settings.
        parent: The form.

    Attributes:
        origin_line: Where the value comes from, once there was something to say.

    Signals:
        back_asked: The provider's or the usual value is to be put back; carries it.
    """

    back_asked = Signal(str)

    def __init__(self, setting: Setting, parent: QWidget) -> None:
        self.setting = setting
        self.origin_line: OriginLine | None = None
        self._back = ""
        super().__init__(
            with_countries(
                FormField(
                    key=setting.key,
                    label=setting.label,
                    help=help_words(setting),
                    example=setting.example,
                    kind=setting.kind,
                    choices=setting.choices,
                    words=setting.words,
                )
            ),
            parent,
        )
        self.label.setWordWrap(False)

    def make_input(self) -> QWidget:
        if self.asked.key != "provider":
            return super().make_input()
        made = ProviderCombo()
        made.activated.connect(self.edited)
        made.setMaximumWidth(FIELD_WIDTH)
        self.column.addWidget(made)
        return made

    def set_text(self, text: str) -> None:
        if isinstance(self.input, ProviderCombo):
            self.input.set_provider(text)
        else:
            super().set_text(text)

    def set_origin(self, origin: Origin | None) -> None:
        """Say where the value comes from, and offer the way back."""
        if origin is None:
            if self.origin_line:
                self._leave_button()
                self.origin_line.hide()
            return
        if self.origin_line is None:
            # Most rows never need one
            self.origin_line = OriginLine(self.setting.label)
            self.origin_line.back_asked.connect(lambda: self.back_asked.emit(self._back))
            self.column.addWidget(self.origin_line)
            QWidget.setTabOrder(self.stops[-1], self.origin_line.button)
        if origin.back is None:
            self._leave_button()
        self._back = origin.back or ""
        self.origin_line.show_words(origin.words, can_go_back=origin.back is not None)
        self.origin_line.show()

    def _leave_button(self) -> None:
        # A button that goes takes the focus along; it belongs to the field then
        if self.origin_line and self.origin_line.button.hasFocus():
            self.input.setFocus()
