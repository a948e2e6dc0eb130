"""The wizard's page about numbers, with a line that shows what would be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QGridLayout, QLineEdit, QVBoxLayout, QWidget

from app.errors import UserError
from app.flows.form import WizardPage
from app.sip.dialling import dial
from app.system_country import system_countries
from app.ui.style import GRID, Tone
from app.ui.widgets.field_row import FIELD_WIDTH
from app.ui.widgets.rule import Rule
from app.ui.widgets.text import Text, TextRole
from app.ui.wizards.answer_form import LABEL_WIDTH
from app.ui.wizards.form_page import FormPage

if TYPE_CHECKING:
    from app.ui.wizards.add_trunk import AddTrunkWizard


class NumbersPage(FormPage):
    """Country, caller ID, forms of numbers, DIDs, channels.

    Attributes:
        number: A number to see written.
    """

    def __init__(self, wizard: AddTrunkWizard) -> None:
        super().__init__(wizard, WizardPage.NUMBERS, wizard.tr("Numbers"))
        self.number = QLineEdit()
        self.number.setPlaceholderText("514 555 0199")
        self.number.setMaximumWidth(FIELD_WIDTH)
        self.number.setAccessibleName(self.tr("A number to see how it is sent"))
        self.number.textEdited.connect(self._show_preview)
        self._preview = Text()
        self._note = Text(role=TextRole.SMALL, tone=Tone.QUIET)
        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(GRID // 2)
        grid.setColumnMinimumWidth(0, LABEL_WIDTH)
        grid.setColumnStretch(1, 1)
        label = Text(self.tr("You type"), wrap=False)
        label.setBuddy(self.number)
        grid.addWidget(label, 0, 0)
        for line, part in enumerate((self.number, self._preview, self._note)):
            grid.addWidget(part, line, 1)
        column = QVBoxLayout()
        column.setSpacing(GRID)
        column.addWidget(Rule())
        column.addWidget(Text(self.tr("How a number is sent"), role=TextRole.HEADING))
        column.addLayout(grid)
        self.column.addLayout(column)
        self.column.addStretch(1)

    @property
    def preview(self) -> str:
        """What the line says now."""
        return self._preview.text()

    def more_stops(self) -> list[QWidget]:
        return [self.number]

    def on_refreshed(self) -> None:
        provider = self._wizard.flow.provider
        self.say(provider.numbers.note if provider else "")
        self._note.setText(provider.numbers.caller_id_note if provider else "")
        self._note.setVisible(bool(self._note.text()))
        self._show_preview()

    def _show_preview(self) -> None:
        number = self.number.text().strip()
        if not number:
            self._say(self.tr("Type a number as you would dial it, to see what is sent. Nothing is called."))
            return
        try:
            trunk = self._wizard.flow.trunk()
            sent = dial(number, trunk, system_countries())
        except UserError as error:
            self._say(str(error))
            return
        words = self.tr("We send {number}, caller ID {caller} in {headers}.").format(
            number=sent.shown,
            caller=sent.caller_id or trunk.user or self.tr("none"),
            headers=", ".join(trunk.caller_id_header),
        )
        self._say(f"{words} {sent.note}".strip(), None)

    def _say(self, words: str, tone: Tone | None = Tone.QUIET) -> None:
        self._preview.setText(words)
        self._preview.set_tone(tone)
