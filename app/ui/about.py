"""What this program is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, qVersion
from PySide6.QtWidgets import QMessageBox, QWidget

from app import __version__
from app.ui.icons import app_icon
from app.ui.plain_text import message_box

if TYPE_CHECKING:
    from app.paths import Paths

translate = QCoreApplication.translate


def show_about(parent: QWidget, paths: Paths | None) -> None:
    """Show version, licence and where the data is."""
    about = translate(
        "about",
        "Signs in to a SIP trunk, places a real test call, and tells in plain words whether it works.\n\n"
        "Free software under the GNU General Public License, version 3 or later. "
        "It comes with no warranty.\n\nQt {qt}",
    ).format(qt=qVersion())
    places = f"{paths.data}\n{paths.log_file}" if paths else ""
    box = message_box(parent, QMessageBox.Icon.NoIcon, f"Ringback {__version__}", about, places)
    box.setWindowTitle(translate("about", "About Ringback"))
    box.setIconPixmap(app_icon().pixmap(64, 64))
    box.finished.connect(box.deleteLater)
    box.open()
