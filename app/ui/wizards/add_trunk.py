"""The wizard that adds a trunk: asks what its provider needs, tries it, and saves it in the end."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QWidget, QWizard

from app.errors import UserError
from app.flows.add_trunk import AddTrunk
from app.model.settings import Mended
from app.model.trunk import Trunk
from app.ui.bridge import DeskBridge
from app.ui.style import GRID
from app.ui.wizards.buttons import LeadingButton
from app.ui.wizards.form_page import FormPage
from app.ui.wizards.numbers_page import NumbersPage
from app.ui.wizards.page import PAGES, StepPage
from app.ui.wizards.provider_page import ProviderPage
from app.ui.wizards.server_page import ServerPage
from app.ui.wizards.sign_in_page import SignInPage
from app.ui.wizards.try_page import TryPage

if TYPE_CHECKING:
    from app.desk import Desk

_Button = QWizard.WizardButton


class AddTrunkWizard(QWizard):
    """Lives on a page of the window, not in a window of its own; writes nothing before Finish.

    Args:
        bridge: To the desk.
        taken_names: Names that trunks have already.

    Attributes:
        flow: What was answered; the password is not in it.
        has_keyring: Whether passwords outlive this run.

    Signals:
        added: A trunk was saved; carries the `Trunk` and what was mended in it.
        cancelled: The person does not want to add one.
        demo_asked: The person wants the demo carrier.
        password_asked: A password is asked for; where it will be kept matters from now on.
    """

    added = Signal(object, object)
    cancelled = Signal()
    demo_asked = Signal()
    password_asked = Signal()

    def __init__(self, bridge: DeskBridge, taken_names: Iterable[str], parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Widget)
        self.bridge = bridge
        self.flow = AddTrunk(taken_names)
        self.has_keyring = True
        self._passwords: dict[str, str] = {}
        self._saving = False
        # Modern lays its pages on the ground that fields have; in the dark they could not be seen
        self.setWizardStyle(QWizard.WizardStyle.ClassicStyle)
        self.setOptions(QWizard.WizardOption.NoBackButtonOnStartPage)
        self.setAccessibleName(self.tr("Add a trunk"))
        for which in (_Button.NextButton, _Button.FinishButton):
            self.setButton(which, LeadingButton())
        self.setButtonText(_Button.BackButton, self.tr("&Back"))
        self.setButtonText(_Button.NextButton, self.tr("&Next"))
        self.setButtonText(_Button.FinishButton, self.tr("&Save and fix later"))
        self.setButtonText(_Button.CancelButton, self.tr("Cancel"))
        self.provider_page = ProviderPage(self)
        self.sign_in_page = SignInPage(self)
        self.server_page = ServerPage(self)
        self.numbers_page = NumbersPage(self)
        self.try_page = TryPage(self)
        pages: tuple[StepPage, ...] = (
            self.provider_page,
            self.sign_in_page,
            self.server_page,
            self.numbers_page,
            self.try_page,
        )
        for page in pages:
            self.setPage(PAGES.index(page.step), page)
        self.currentIdChanged.connect(self._on_page_changed)

    # The password; for each provider its own, and gone with the wizard

    @property
    def password(self) -> str:
        """What was typed for the chosen provider."""
        return self._passwords.get(self.flow.draft.provider, "")

    @password.setter
    def password(self, text: str) -> None:
        self._passwords[self.flow.draft.provider] = text

    @property
    def password_to_use(self) -> str:
        """The password, nothing for a way to sign in that takes none."""
        return self.password if self.flow.needs_password else ""

    @property
    def dirty(self) -> bool:
        """Whether something was typed that closing would lose."""
        return self.flow.answered or any(self._passwords.values())

    @property
    def step_page(self) -> StepPage:
        """The page that is shown."""
        found = self.currentPage()
        assert isinstance(found, StepPage)
        return found

    # What can be asked for

    def set_keyring(self, there_is_one: bool) -> None:
        """Say where the password is kept."""
        self.has_keyring = there_is_one
        self.sign_in_page.on_refreshed()

    def order_tabs(self, page: StepPage) -> None:
        """From the page's parts on to the buttons."""
        buttons = (_Button.BackButton, _Button.NextButton, _Button.FinishButton, _Button.CancelButton)
        for before, after in pairwise([*page.stops, *map(self.button, buttons)]):
            self.setTabOrder(before, after)

    def go_to_field(self, key: str) -> None:
        """Go back to the page that asks for a setting, and to its field."""
        step, field = self.flow.page_of(key)
        if not self.label_of(key):
            self.try_page.say_elsewhere(key)
            return
        while self.currentId() > PAGES.index(step):
            self.back()
        page = self.step_page
        if isinstance(page, FormPage):
            page.focus_field(field)

    def label_of(self, key: str) -> str:
        """The label of the field that decides a setting; empty when no page asks for it."""
        step, field = self.flow.page_of(key)
        return next((each.label for each in self.flow.fields(step) if each.key == field), "")

    def run_demo(self) -> None:
        """Leave for the demo carrier."""
        self.leave()
        self.demo_asked.emit()

    def leave(self) -> None:
        """End what runs, and forget the passwords."""
        self.server_page.hide_work()
        self.try_page.end()
        self._passwords.clear()

    def accept(self) -> None:
        """Save; the wizard stays when that does not work."""
        if self._saving:
            return
        self._saving = True
        self.try_page.end()
        settings, password = self.flow.settings(), self.password_to_use
        name, tried = settings.pop("name"), tuple(self.try_page.tried)
        self._show_saving()

        async def work(desk: Desk) -> tuple[Trunk, tuple[Mended, ...]]:
            return await desk.add(name, settings, password, tried=tried)

        self.bridge.submit(self, work, self._on_added, self._on_add_failed)

    def reject(self) -> None:
        """Leave without a trace."""
        if self._saving:
            return
        self.leave()
        self.cancelled.emit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.try_page.resume()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if not event.spontaneous():
            self.server_page.hide_work()
            self.try_page.pause()

    def _on_page_changed(self, page_id: int) -> None:
        if page_id >= 0:
            self._lay_out()
            self.order_tabs(self.step_page)
            self.step_page.focus_start()

    def _lay_out(self) -> None:
        """Margins as on the window's other pages; the line is each page's own, and is seen in the dark."""
        body = self.findChild(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly)
        grid = body.layout() if body else None
        if not isinstance(grid, QGridLayout):
            return
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(0)
        for place in range(grid.count()):
            item = grid.itemAt(place)
            assert item
            buttons, part = item.layout(), item.widget()
            if buttons:
                buttons.setContentsMargins(3 * GRID, GRID + GRID // 2, 3 * GRID, GRID)
                buttons.setSpacing(GRID)
            elif part and not isinstance(part, QFrame):
                part.hide()

    def _on_added(self, result: tuple[Trunk, tuple[Mended, ...]]) -> None:
        self._saving = False
        self.leave()
        self.added.emit(*result)

    def _on_add_failed(self, error: UserError) -> None:
        self._saving = False
        self._show_saving()
        self.try_page.show_error(error)
        self.try_page.focus_start()

    def _show_saving(self) -> None:
        for which in (_Button.BackButton, _Button.FinishButton, _Button.CancelButton):
            self.button(which).setEnabled(not self._saving)
        self.try_page.show_saving(saving=self._saving)
