"""Opens the window and runs it to its end."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app.errors import UserError
from app.ui.bridge import CLOSE_LIMIT_S, DeskBridge, DeskFactory, LookFirst
from app.ui.icons import app_icon
from app.ui.main_window import REMEMBERED, MainWindow

if TYPE_CHECKING:
    from app.paths import Paths
    from app.ui.interrupts import Interrupts


def open_window(desk_factory: DeskFactory, paths: Paths, look_first: LookFirst | None = None) -> int:
    """Show the window and return the exit code once it is closed.

    Args:
        desk_factory: Builds the desk; called in a thread of its own, after the window was painted.
        paths: Where data and logs are, for those who ask.
        look_first: Reads what is saved, so that it is on screen before the desk's imports are done.
    """
    application = _application()
    bridge = DeskBridge(desk_factory, look_first)
    window = MainWindow(bridge, paths)
    interrupts: list[Interrupts] = []

    def listen_to_the_system() -> None:
        from app.ui.interrupts import Interrupts

        made = Interrupts()
        made.came.connect(window.close_now)
        interrupts.append(made)

    # Costs an import that the desk needs as well; until then Ctrl-C ends the program as it ends any
    bridge.ready.connect(listen_to_the_system)
    former_hook, sys.excepthook = sys.excepthook, window.bugs.report_exception
    # What the desk imports must not delay the first paint
    window.painted.connect(lambda: bridge.start(REMEMBERED), Qt.ConnectionType.QueuedConnection)
    window.show()
    code = application.exec()
    sys.excepthook = former_hook
    for each in interrupts:
        each.close()
    bridge.close()
    bridge.wait_closed(CLOSE_LIMIT_S)
    return code


def show_error(error: UserError) -> None:
    """Tell an error when there is no window to tell it in; comes back once it was read."""
    from PySide6.QtWidgets import QMessageBox

    from app.ui.plain_text import message_box

    application, icon = _application(), QMessageBox.Icon.Warning
    message_box(application.activeWindow(), icon, error.what, error.do, error.details).exec()


def _application() -> QApplication:
    application = QApplication.instance()
    if isinstance(application, QApplication):
        return application
    application = QApplication(sys.argv[:1])
    application.setApplicationName("ringback")
    application.setApplicationDisplayName("Ringback")
    application.setDesktopFileName("ringback")
    application.setWindowIcon(app_icon())
    return application
