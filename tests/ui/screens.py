"""Draws every screen of the window into PNG files, to be looked at.

    python -m tests.ui.screens FOLDER [--dark] [--scale 2] [--size 720x480] [NAME …]

Uses the fake desk, so that each state can be had at once and looks the same each time.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

# Set before Qt is imported; tests say the same
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


def main() -> int:
    """Draw the screens that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--scale", default="1")
    parser.add_argument("--size", default="960x640")
    arguments = parser.parse_intermixed_args()
    os.environ["QT_SCALE_FACTOR"] = arguments.scale
    arguments.folder.mkdir(parents=True, exist_ok=True)

    from PySide6.QtWidgets import QApplication

    from tests.ui.palette import dark_palette
    from tests.ui.scene import Scene
    from tests.ui.scenes import SCENES

    application = QApplication(sys.argv[:1])
    application.setStyle("Fusion")
    if arguments.dark:
        application.setPalette(dark_palette())
    suffix = ("-dark" if arguments.dark else "") + (f"-{arguments.scale}x" if arguments.scale != "1" else "")
    for name, play in SCENES.items():
        if arguments.names and name not in arguments.names:
            continue
        scene = Scene(_wait)
        play(scene)
        scene.window.resize(*(int(edge) for edge in arguments.size.split("x")))
        # A form of fifty rows is laid out in more than one turn
        _wait(lambda: True)
        _wait(lambda: True)
        scene.window.grab().save(str(arguments.folder / f"{name}{suffix}.png"))
        scene.close()
        sys.stdout.write(f"{name}{suffix}\n")
    return 0


def _wait(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    from PySide6.QtTest import QTest

    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError("the screen did not come to be")
        QTest.qWait(10)
    QTest.qWait(50)


if __name__ == "__main__":
    sys.exit(main())
