"""Shows a file to the person where it lies, in the system's own file manager."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices


def show_in_folder(path: Path) -> bool:
    """Open the folder, with the file selected where the system can do that.

    Returns:
        Whether there was something that could open it.
    """
    command = select_command(sys.platform, path) if path.exists() else None
    if command is not None:
        try:
            subprocess.run(command, check=False, timeout=5, capture_output=True)
        except (OSError, subprocess.TimeoutExpired):
            pass
        else:
            return True
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.parent)))


def select_command(system: str, path: Path) -> str | list[str] | None:
    """The command that opens a folder with a file selected; None where there is none that is always there.

    Args:
        system: As `sys.platform` says.
        path: The file.
    """
    if system == "win32":
        # As one text: explorer takes quotes around the path only, not around the whole argument. A path on
        # Windows has no quotes in it.
        return f'explorer.exe /select,"{path}"'
    if system == "darwin":
        return ["open", "-R", str(path)]
    return None
