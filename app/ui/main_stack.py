"""What fills the window: nothing yet, the welcome, the trunks, the wizard for a new one, or a failure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from app.errors import UserError
from app.ui.bridge import DeskBridge

if TYPE_CHECKING:
    from app.model.settings import Mended
    from app.model.trunk import Trunk
    from app.ui.start_page import StartPage
    from app.ui.wizards.add_trunk import AddTrunkWizard


class MainStack(QStackedWidget):
    """Makes each page when it is first shown; empty until then, because neither would be true.

    Args:
        bridge: To the desk.
        names: Gives the names that trunks have.

    Attributes:
        start_page: Once it was shown.
        wizard: While a trunk is being added, also while something else is looked at.

    Signals:
        add_asked, demo_asked: As in `StartPage`.
        added, cancelled, password_asked: As in `AddTrunkWizard`.
        quit_asked: As in `FailedPage`.
    """

    add_asked = Signal()
    demo_asked = Signal()
    added = Signal(object, object)
    cancelled = Signal()
    password_asked = Signal()
    quit_asked = Signal()

    def __init__(
        self, bridge: DeskBridge, names: Callable[[], Iterable[str]], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._names = names
        self._has_keyring = True
        self.start_page: StartPage | None = None
        self.wizard: AddTrunkWizard | None = None
        self.addWidget(QWidget())

    @property
    def filling_in(self) -> bool:
        """Whether the wizard is shown."""
        return self.wizard is not None and self.currentWidget() is self.wizard

    @property
    def unsaved(self) -> bool:
        """Whether a wizard holds what would be lost."""
        return self.wizard is not None and self.wizard.dirty

    def show_start(self) -> None:
        """Show the welcome."""
        if self.start_page is None:
            from app.ui.start_page import StartPage

            self.start_page = StartPage()
            self.start_page.add_asked.connect(self.add_asked)
            self.start_page.demo_asked.connect(self.demo_asked)
            self.addWidget(self.start_page)
        self.setCurrentWidget(self.start_page)
        self.start_page.demo_button.setFocus()

    def show_wizard(self) -> AddTrunkWizard:
        """Show the wizard for a new trunk, with what was answered so far."""
        if self.wizard is None:
            from app.ui.wizards.add_trunk import AddTrunkWizard

            self.wizard = AddTrunkWizard(self._bridge, self._names())
            self.wizard.added.connect(self._on_added)
            self.wizard.cancelled.connect(self._on_cancelled)
            self.wizard.demo_asked.connect(self._on_demo_asked)
            self.wizard.password_asked.connect(self.password_asked)
            self.wizard.set_keyring(self._has_keyring)
            self.addWidget(self.wizard)
        self.setCurrentWidget(self.wizard)
        return self.wizard

    def drop_wizard(self) -> None:
        """End the wizard, if there is one; nothing of it is kept."""
        wizard, self.wizard = self.wizard, None
        if wizard:
            wizard.leave()
            self.removeWidget(wizard)
            wizard.hide()
            wizard.deleteLater()

    def _on_added(self, trunk: Trunk, mended: tuple[Mended, ...]) -> None:
        self.drop_wizard()
        self.added.emit(trunk, mended)

    def _on_cancelled(self) -> None:
        self.drop_wizard()
        self.cancelled.emit()

    def _on_demo_asked(self) -> None:
        self.drop_wizard()
        self.demo_asked.emit()

    def show_failure(self, error: UserError) -> None:
        """Show why nothing can be done."""
        from app.ui.failed_page import FailedPage

        page = FailedPage(error)
        page.quit_asked.connect(self.quit_asked)
        self.addWidget(page)
        self.setCurrentWidget(page)

    def set_keyring(self, there_is_one: bool) -> None:
        """Say in the wizard where passwords are kept."""
        self._has_keyring = there_is_one
        if self.wizard:
            self.wizard.set_keyring(there_is_one)
