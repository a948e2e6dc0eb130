"""What fills the window: nothing yet, the welcome, the trunks, the form for a new one, or a failure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from app.errors import UserError
from app.ui.bridge import DeskBridge

if TYPE_CHECKING:
    from app.ui.add_page import AddPage
    from app.ui.start_page import StartPage


class MainStack(QStackedWidget):
    """Makes each page when it is first shown; empty until then, because neither would be true.

    Args:
        bridge: To the desk.
        names: Gives the names that trunks have.

    Attributes:
        start_page, add_page: Once they were shown.

    Signals:
        add_asked, demo_asked: As in `StartPage`.
        added, cancelled: As in `AddPage`.
        quit_asked: As in `FailedPage`.
    """

    add_asked = Signal()
    demo_asked = Signal()
    added = Signal(object, object)
    cancelled = Signal()
    quit_asked = Signal()

    def __init__(
        self, bridge: DeskBridge, names: Callable[[], Iterable[str]], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._names = names
        self._has_keyring = True
        self.start_page: StartPage | None = None
        self.add_page: AddPage | None = None
        self.addWidget(QWidget())

    @property
    def filling_in(self) -> bool:
        """Whether the form is shown."""
        return self.add_page is not None and self.currentWidget() is self.add_page

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

    def show_form(self) -> None:
        """Show the form, with what was typed so far."""
        if self.add_page is None:
            from app.ui.add_page import AddPage

            self.add_page = AddPage(self._bridge, self._names)
            self.add_page.added.connect(self.added)
            self.add_page.cancelled.connect(self.cancelled)
            self.add_page.form.set_keyring(self._has_keyring)
            self.addWidget(self.add_page)
        self.setCurrentWidget(self.add_page)
        self.add_page.resume()

    def show_failure(self, error: UserError) -> None:
        """Show why nothing can be done."""
        from app.ui.failed_page import FailedPage

        page = FailedPage(error)
        page.quit_asked.connect(self.quit_asked)
        self.addWidget(page)
        self.setCurrentWidget(page)

    def set_keyring(self, there_is_one: bool) -> None:
        """Say in the form where passwords are kept."""
        self._has_keyring = there_is_one
        if self.add_page:
            self.add_page.form.set_keyring(there_is_one)
