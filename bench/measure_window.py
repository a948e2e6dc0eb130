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
MANY = 500

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
from app.__main__ import main
sys.exit(main())
"""


def _seconds(code: str, home: str = "") -> float:
    """From the start of the process to its mark; the clock is one for all processes of a machine.

    Args:
        code: What the process runs, without arguments as after a double click.
        home: The person's folder; this person's own if it is empty.
    """
    command = [sys.executable, "-c", code]
    environment = {**os.environ, "QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen")}
    if home:
        environment |= _at_home(home)
    began = time.perf_counter()
    outcome = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return float(outcome.stdout.split()[0]) - began


def _at_home(home: str) -> dict[str, str]:
    """The environment in which everything is kept below one folder (XDG Base Directory Specification)."""
    return dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"), home)


def _save_trunks(home: Path, count: int) -> str:
    code = "from app.paths import default_paths; print(default_paths().data)"
    environment = {**os.environ, **_at_home(str(home))}
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert Path(found.stdout.strip()).is_relative_to(home), "not this person's own trunks"
    with Store.open(paths_in(found.stdout.strip())) as store:
        for number in range(count):
            store.add(Trunk(id=f"{number:032x}", name=f"Office {number}", host="sip.example.com", user="100"))
    return str(home)


def measure() -> list[Figure]:
    """The ratios: to a bare window, and of many trunks to none, taken in turns.

    Where programs keep their files can be told by the environment on Linux only.
    """
    if not sys.platform.startswith("linux"):
        return []
    with tempfile.TemporaryDirectory() as folder:
        some, none, many = (
            _save_trunks(Path(folder) / name, count)
            for name, count in (("some", TRUNKS), ("none", 0), ("many", MANY))
        )
        _seconds(_BARE)
        for each in (some, none, many):
            _seconds(_OURS, each)
        bare, ours, empty, full = [], [], [], []
        for _ in range(ROUNDS):
            bare.append(_seconds(_BARE))
            ours.append(_seconds(_OURS, some))
            empty.append(_seconds(_OURS, none))
            full.append(_seconds(_OURS, many))
    medians = [statistics.median(times) for times in (bare, ours, empty, full)]
    sys.stderr.write(
        "bare {:.3f} s, ours {:.3f} s, with none {:.3f} s, with many {:.3f} s\n".format(*medians)
    )
    ratio = medians[1] / medians[0]
    return [
        Figure(
            name=f"Window usable with {MANY} trunks, against none",
            value=medians[3] / medians[2],
            unit="×",
            budget=1.3,
            note=f"process start to trunks listed, median of {ROUNDS} in turns",
        ),
        Figure(
            name="Window usable, against a bare PySide6 window",
            value=ratio,
            unit="×",
            budget=2,
            note=f"process start to {TRUNKS} trunks listed, median of {ROUNDS} in turns",
        ),
    ]
