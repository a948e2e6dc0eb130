"""How long until the window can be used, against a bare PySide6 window in the same run."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from app.model.trunk import Trunk
from app.paths import paths_in
from app.store import Store
from bench.figure import Figure

ROUNDS = 11
TRUNKS = 3

_BARE = """
import sys, time
from PySide6.QtWidgets import QApplication, QMainWindow
class Window(QMainWindow):
    def paintEvent(self, event):
        super().paintEvent(event)
        print(time.perf_counter())
        QApplication.exit()
application = QApplication(sys.argv)
window = Window()
window.resize(960, 640)
window.show()
application.exec()
"""

# Usable: painted, and the saved trunks are in the list. msgspec takes typing_extensions where it is, but only
# development tools bring it; requirements.lock does not have it.
_OURS = """
import sys, time
sys.modules["typing_extensions"] = None
import app.ui.main_window as main_window
shown = main_window.MainWindow._on_known
def usable(self, known):
    shown(self, known)
    print(time.perf_counter())
    self.close_now()
main_window.MainWindow._on_known = usable
from app.composition import run
sys.exit(run(["--data-dir", sys.argv[1]]))
"""


def _seconds(code: str, *arguments: str) -> float:
    """From the start of the process to its mark; the clock is one for all processes of a machine."""
    command = [sys.executable, "-c", code, *arguments]
    environment = {**os.environ, "QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen")}
    # A person's second start has its byte code at hand
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    began = time.perf_counter()
    outcome = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return float(outcome.stdout.split()[0]) - began


def _save_trunks(folder: Path) -> None:
    with Store.open(paths_in(folder)) as store:
        for number in range(TRUNKS):
            store.add(Trunk(id=f"{number:032x}", name=f"Office {number}", host="sip.example.com", user="100"))


def measure() -> list[Figure]:
    """The ratio of the two, taken in turns."""
    with tempfile.TemporaryDirectory() as folder:
        _save_trunks(Path(folder))
        _seconds(_BARE)
        _seconds(_OURS, folder)
        bare, ours = [], []
        for _ in range(ROUNDS):
            bare.append(_seconds(_BARE))
            ours.append(_seconds(_OURS, folder))
    sys.stderr.write(f"bare {statistics.median(bare):.3f} s, ours {statistics.median(ours):.3f} s\n")
    ratio = statistics.median(ours) / statistics.median(bare)
    return [
        Figure(
            name="Window usable, against a bare PySide6 window",
            value=ratio,
            unit="×",
            budget=2,
            note=f"process start to {TRUNKS} trunks listed, median of {ROUNDS} in turns",
        )
    ]
