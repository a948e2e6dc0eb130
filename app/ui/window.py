"""Opens the window and runs it to its end."""

from __future__ import annotations

import signal
import socket
import sys
from types import FrameType
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSocketNotifier, Qt, Signal
from PySide6.QtWidgets import QApplication, QMessageBox

from app.errors import UserError
from app.ui.bridge import CLOSE_LIMIT_S, DeskBridge, DeskFactory
from app.ui.icons import app_icon
from app.ui.main_window import MainWindow

if TYPE_CHECKING:
    from app.paths import Paths


def open_window(desk_factory: DeskFactory, paths: Paths) -> int:
    """Show the window and return the exit code once it is closed.

    Args:
        desk_factory: Builds the desk; called in a thread of its own, after the window was painted.
        paths: Where data and logs are, for those who ask.
    """
    application = _application()
    bridge = DeskBridge(desk_factory)
    window = MainWindow(bridge, paths)
    interrupts = Interrupts()
    interrupts.came.connect(window.close_now)
    former_hook, sys.excepthook = sys.excepthook, window.bugs.report_exception
    # What the desk imports must not delay the first paint
    window.painted.connect(bridge.start, Qt.ConnectionType.QueuedConnection)
    window.show()
    code = application.exec()
    sys.excepthook = former_hook
    interrupts.close()
    bridge.close()
    bridge.wait_closed(CLOSE_LIMIT_S)
    return code


def show_error(error: UserError) -> None:
    """Tell an error when there is no window to tell it in; comes back once it was read."""
    application = _application()
    box = QMessageBox()
    box.setIcon(QMessageBox.Icon.Warning)
    box.setWindowTitle(application.applicationDisplayName())
    box.setText(error.what)
    box.setInformativeText(error.do)
    box.setDetailedText(error.details)
    box.exec()


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


class Interrupts(QObject):
    """Ctrl-C and an end asked for by the system, as a signal of Qt.

    Python runs its handlers only between two of its own instructions, of which there are none while Qt waits;
    the wake-up socket brings Qt back (https://docs.python.org/3.11/library/signal.html#signal.set_wakeup_fd).

    Signals:
        came: The program was asked to end.
    """

    came = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._former_fd = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        kinds = [signal.SIGINT, signal.SIGTERM]
        self._former = {kind: signal.signal(kind, self._on_signal) for kind in kinds}
        self._notifier = QSocketNotifier(self._reader.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._on_readable)

    def close(self) -> None:
        """Give the signals back to who had them before."""
        self._notifier.setEnabled(False)
        for kind, handler in self._former.items():
            signal.signal(kind, handler)
        signal.set_wakeup_fd(self._former_fd)
        self._reader.close()
        self._writer.close()

    def _on_signal(self, _kind: int, _frame: FrameType | None) -> None:
        self.came.emit()

    def _on_readable(self) -> None:
        # The handler runs by itself now that Python is at work
        self._reader.recv(64)
