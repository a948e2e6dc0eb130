"""What the pages of the add-trunk wizard have in common: title, trail, room for their parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget, QWizardPage

from app.flows.form import WizardPage
from app.ui.plain_text import set_spoken
from app.ui.style import GRID, Tone
from app.ui.widgets.page import ScrollPage
from app.ui.widgets.rule import Rule
from app.ui.widgets.text import Text, TextRole

if TYPE_CHECKING:
    from app.ui.wizards.add_trunk import AddTrunkWizard

PAGES = tuple(WizardPage)
"""The pages; a page's place here is its id in the wizard."""

_WIDEST = 120 * GRID
"""As in a window of the usual size; in a wider one, lines would be too long to read."""

_BETWEEN = "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"

translate = QCoreApplication.translate


def step_name(page: WizardPage) -> str:
    """A page's word in the trail."""
    return {
        WizardPage.PROVIDER: translate("wizard", "Provider"),
        WizardPage.SIGN_IN: translate("wizard", "Sign-in"),
        WizardPage.SERVER: translate("wizard", "Server"),
        WizardPage.NUMBERS: translate("wizard", "Numbers"),
        WizardPage.TRY: translate("wizard", "Try it"),
    }[page]


class Trail(QWidget):
    """Where in the wizard one is."""

    def __init__(self, here: WizardPage, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        for place, page in enumerate(PAGES):
            if place:
                row.addWidget(Text(_BETWEEN, tone=Tone.QUIET, wrap=False))
            tone = None if page is here else Tone.QUIET
            row.addWidget(Text(step_name(page), role=TextRole.SMALL, tone=tone, wrap=False))
        row.addStretch(1)
        set_spoken(
            self,
            translate("wizard", "Step {place} of {all}: {name}").format(
                place=PAGES.index(here) + 1, all=len(PAGES), name=step_name(here)
            ),
        )


class StepPage(QWizardPage):
    """One page.

    Args:
        wizard: Whose page it is.
        step: Which.
        title: Its heading.

    Attributes:
        column: Takes its parts.
    """

    step: WizardPage

    def __init__(self, wizard: AddTrunkWizard, step: WizardPage, title: str, *, scrolls: bool = True) -> None:
        super().__init__(wizard)
        self.step = step
        self._wizard = wizard
        self._title = Text(title, role=TextRole.TITLE)
        self._lead = Text(tone=Tone.QUIET)
        set_spoken(self, title)
        head = QVBoxLayout()
        head.setContentsMargins(3 * GRID, 2 * GRID, 3 * GRID, GRID)
        head.setSpacing(GRID // 2)
        trail = Trail(step)
        trail.setSizePolicy(trail.sizePolicy().horizontalPolicy(), self._title.sizePolicy().Policy.Fixed)
        head.addWidget(trail)
        head.addWidget(self._title)
        head.addLayout(_no_wider(self._lead, _WIDEST - 6 * GRID))
        body = QWidget()
        self.column = QVBoxLayout(body)
        self.column.setContentsMargins(3 * GRID, GRID, 3 * GRID, 2 * GRID)
        self.column.setSpacing(2 * GRID)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addLayout(head)
        if scrolls:
            self.scroll_area = ScrollPage()
            self.scroll_area.column.setContentsMargins(0, 0, 0, 0)
            self.scroll_area.column.addLayout(_no_wider(body, _WIDEST))
            outer.addWidget(self.scroll_area, 1)
        else:
            outer.addLayout(_no_wider(body, _WIDEST), 1)
        outer.addWidget(Rule())
        self._lead.hide()

    def say(self, lead: str) -> None:
        """The sentence under the heading; empty for none."""
        self._lead.setText(lead)
        self._lead.setVisible(bool(lead))

    @property
    def lead(self) -> str:
        """The sentence under the heading."""
        return self._lead.text()

    def focus_start(self) -> None:
        """Go to where the page begins."""

    @property
    def stops(self) -> list[QWidget]:
        """Where the Tab key stops before it comes to the wizard's buttons, in order."""
        return []


def _no_wider(part: QWidget, width: int) -> QHBoxLayout:
    # In a row, Qt asks how high the part is at the width that it gets; in a column, at the column's
    part.setMaximumWidth(width)
    row = QHBoxLayout()
    row.addWidget(part, 1)
    row.addStretch(0)
    return row
