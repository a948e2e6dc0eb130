"""What must not happen, told to the person instead of swallowed."""

from __future__ import annotations

import logging
import traceback
from types import TracebackType
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from PySide6.QtWidgets import QMessageBox

_log = logging.getLogger(__name__)


class BugReporter(QObject):
    """Logs a bug and shows one dialog at a time with its details to copy.

    Args:
        window: Where the dialog belongs.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self.dialog: QMessageBox | None = None

    def report(self, text: str) -> None:
        """Tell a bug by its traceback."""
        _log.error("bug: %s", text)
        if self.dialog:
            # One at a time: a bug in something that runs ten times a second must stay bearable
            return
        # Imported here: with luck nobody ever needs it
        from PySide6.QtWidgets import QMessageBox

        from app.ui.clipboard import copy_text
        from app.ui.details import bug_details
        from app.ui.plain_text import message_box

        details = bug_details(text)
        box = message_box(
            self._window,
            QMessageBox.Icon.Critical,
            self.tr("Something went wrong inside Ringback. This is not your fault."),
            self.tr("You can go on. If it happens again, copy the details and send them to us."),
            details,
        )
        box.setWindowTitle(self.tr("Ringback has a fault"))
        copy = box.addButton(self.tr("Copy details"), QMessageBox.ButtonRole.ActionRole)
        copy.clicked.connect(lambda: copy_text(details))
        close = box.addButton(QMessageBox.StandardButton.Close)
        box.setDefaultButton(close)
        box.setEscapeButton(close)
        box.finished.connect(self._on_finished)
        self.dialog = box
        box.open()

    def report_exception(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """For `sys.excepthook`: what was raised in a slot."""
        text = "".join(traceback.format_exception(kind, error, trace))
        if issubclass(kind, KeyboardInterrupt):
            return
        from app.terminal import say_err  # late, as above

        for line in text.rstrip("\n").split("\n"):
            say_err(line)
        self.report(text)

    def _on_finished(self) -> None:
        if self.dialog:
            self.dialog.deleteLater()
            self.dialog = None
