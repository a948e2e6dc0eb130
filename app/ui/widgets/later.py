"""A place for a page that is made when it is first needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

W = TypeVar("W", bound=QWidget)


class Place(QWidget):
    """Where the page goes; asks for it when it is shown."""

    def __init__(self, on_show: Callable[[], object]) -> None:
        super().__init__()
        self._on_show = on_show
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._on_show()


class Later(Generic[W]):
    """Makes its page once, when it is shown or asked for.

    Args:
        make: Makes the page.

    Attributes:
        place: The widget to put where the page belongs.
    """

    def __init__(self, make: Callable[[], W]) -> None:
        self._make = make
        self._page: W | None = None
        self.place = Place(lambda: self.page)

    @property
    def page(self) -> W:
        """The page."""
        if self._page is None:
            self._page = self._make()
            self.place.column.addWidget(self._page)
        return self._page

    @property
    def made(self) -> bool:
        """Whether it was needed yet."""
        return self._page is not None
