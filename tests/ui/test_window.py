"""The window as a program: started, ended from outside, refused a second time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.errors import StoreError
from app.ui import window

_WINDOW = """
import sys
import app.ui.main_window as main_window
shown = main_window.MainWindow._on_known
def tell(self, known):
    shown(self, known)
    self._bridge.ready.connect(lambda: print("ready", flush=True))
main_window.MainWindow._on_known = tell
from app.composition import run
sys.exit(run(["--data-dir", sys.argv[1]]))
"""

_DOUBLE_CLICK = """
import sys
import app.ui.window as window
def opened(*_):
    print([name for name in ("app.cli", "asyncio", "ssl", "app.desk", "pjsua2") if name in sys.modules])
    return 0
window.open_window = opened
from app.__main__ import main
sys.argv[1:] = []
sys.exit(main())
"""


def test_a_double_click_loads_nothing_that_the_first_paint_does_without(tmp_path: Path) -> None:
    home = dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"), str(tmp_path))
    ended = subprocess.run(
        [sys.executable, "-c", _DOUBLE_CLICK],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **home, "QT_QPA_PLATFORM": "offscreen"},
    )
    assert (ended.returncode, ended.stdout) == (0, "[]\n"), ended.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM that a program could see")
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_window_ends_in_order_when_the_system_asks(kind: signal.Signals, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _WINDOW, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    process.send_signal(kind)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors


def test_error_without_a_window_is_told_in_a_box(monkeypatch: pytest.MonkeyPatch, qapp: object) -> None:
    from PySide6.QtWidgets import QMessageBox

    shown: list[tuple[str, str]] = []

    def read(box: QMessageBox) -> int:
        shown.append((box.text(), box.informativeText()))
        return 0

    monkeypatch.setattr(QMessageBox, "exec", read)
    window.show_error(StoreError("Ringback is open already.", do="Go to that window."))
    assert shown == [("Ringback is open already.", "Go to that window.")]


def test_an_error_in_a_box_shows_the_text_of_others_as_it_is(
    monkeypatch: pytest.MonkeyPatch, qapp: object
) -> None:
    from PySide6.QtCore import Qt
    from PySide6.QtWidgets import QLabel, QMessageBox

    forged = '<b>Done</b><img src="file:///x.png"><a href="https://evil.example/">x</a>'
    formats: set[Qt.TextFormat] = set()

    def read(box: QMessageBox) -> int:
        assert (box.text(), box.informativeText()) == (forged, forged)
        formats.update(label.textFormat() for label in box.findChildren(QLabel) if label.text())
        return 0

    monkeypatch.setattr(QMessageBox, "exec", read)
    window.show_error(StoreError(forged, do=forged))
    assert formats == {Qt.TextFormat.PlainText}
