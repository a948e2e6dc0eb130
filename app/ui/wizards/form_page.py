"""A page of the wizard that asks: fields from the flow, checked and mended while they are filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace
from PySide6.QtWidgets import QWidget

from app.flows.form import PASSWORD, FormField, WizardPage
from app.model.setting_table import BY_KEY
from app.ui.countries import with_countries
from app.ui.typed_settings import help_words
from app.ui.wizards.answer_form import AnswerForm
from app.ui.wizards.page import StepPage

if TYPE_CHECKING:
    from app.ui.wizards.add_trunk import AddTrunkWizard


class FormPage(StepPage):
    """Sign-in, server or numbers.

    Args:
        wizard: Whose page it is; has the flow and the password.
        step: Which page.
        title: Its heading.

    Attributes:
        form: Its fields.
    """

    def __init__(self, wizard: AddTrunkWizard, step: WizardPage, title: str) -> None:
        super().__init__(wizard, step, title)
        self.form = AnswerForm()
        self.form.edited.connect(self._on_edited)
        self.form.left.connect(self._on_left)
        self.column.addWidget(self.form)
        self._asked_for = ""
        self._next_was_pressed = False

    def initializePage(self) -> None:
        provider = self._wizard.flow.draft.provider
        if provider != self._asked_for:
            # What was seen and left empty for another provider is not held against this one
            self.form.show_fields(())
            self._next_was_pressed = False
            self._asked_for = provider
        self.refresh()

    def refresh(self) -> None:
        """Show fields, values and problems as they are now."""
        if self.form.show_fields(self.shown_fields()):
            self._wizard.order_tabs(self)
        self._show_problems()
        self.on_refreshed()

    def shown_fields(self) -> tuple[FormField, ...]:
        """The page's fields, the password with what was typed, in the words for a form."""
        return tuple(map(self._as_shown, self._wizard.flow.fields(self.step)))

    def on_refreshed(self) -> None:
        """For pages with more than fields."""

    @property
    def stops(self) -> list[QWidget]:
        """The fields', then those of what follows them."""
        return [*self.form.stops, *self.more_stops()]

    def more_stops(self) -> list[QWidget]:
        """For pages with more than fields."""
        return []

    def focus_start(self) -> None:
        self.form.focus_first()

    def focus_field(self, key: str) -> None:
        """Go to a field."""
        row = self.form.rows.get(key)
        if row:
            row.touched = True
            self.scroll_area.ensureWidgetVisible(row.field)
            row.focus()

    def validatePage(self) -> bool:
        self._next_was_pressed = True
        for key in self.form.rows:
            self._mend(key)
        problems = self._wizard.flow.problems(self.step, password=self._wizard.password)
        if not problems:
            return True
        self.refresh()
        self.focus_field(problems[0].key)
        return False

    def _as_shown(self, field: FormField) -> FormField:
        if field.key == PASSWORD:
            return replace(field, value=self._wizard.password)
        setting = BY_KEY.get(field.key)
        if setting and field.help == setting.help:
            field = replace(field, help=help_words(setting))
        return with_countries(field)

    def _show_problems(self) -> None:
        problems = self._wizard.flow.problems(self.step, password=self._wizard.password)
        self.form.show_problems(problems, missing_too=self._next_was_pressed)

    def _mend(self, key: str) -> str:
        """Put right what a field holds; what was done."""
        if key == PASSWORD:
            return ""
        mend = self._wizard.flow.mend(key)
        return mend.what if mend else ""

    def _on_edited(self, key: str, text: str) -> None:
        if key == PASSWORD:
            self._wizard.password = text
        else:
            self._wizard.flow.answer(key, text)
        if self.form.rows[key].asked.choices:
            # Other fields may follow from the choice
            self.refresh()
        else:
            self._show_problems()
            self.on_refreshed()

    def _on_left(self, key: str) -> None:
        what = self._mend(key)
        self.refresh()
        row = self.form.rows.get(key)
        if what and row:
            row.show_mended(what)
