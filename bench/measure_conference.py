"""Four calls in conference with live audio, in a real window on real engines: stalls and gaps in a minute."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.event_loop import Beats, spin, wait
from bench.figure import Figure
from tests.helpers.programs import find_program
from tests.helpers.sound_card import SoundCard, sound_card

if TYPE_CHECKING:
    from app.ui.bridge import DeskBridge
    from app.ui.call_page import CallPage
    from app.ui.main_window import MainWindow

CALLS = 4
CONFERENCE_S = 60.0
_SPEECH = "602"


def measure() -> list[Figure]:
    """The figures; on Linux with PulseAudio only."""
    if not sys.platform.startswith("linux") or not all(map(find_program, ("pulseaudio", "pactl", "pacat"))):
        return []
    # Before there is an application
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory() as folder, sound_card() as card:
        os.environ.update(card.environment)
        card.add_microphone("mike", "Microphone")
        card.add_speaker("box", "Speaker")
        return _measured(Path(folder), card)


def _measured(folder: Path, card: SoundCard) -> list[Figure]:
    from PySide6.QtWidgets import QApplication

    from tests.helpers.live_audio import voice

    application = QApplication(sys.argv[:1])
    log: list[str] = []
    window, bridge = _open(folder, log)
    with card.speaking("mike", voice()):
        page = _demo_page(window)
        demo_lines = len(log)
        for _ in range(CALLS):
            _call(page)
        page.right.toggle_conference()
        wait(lambda: f"{CALLS} calls" in page.right.conference.words)
        spin(1)
        beats = Beats(time.monotonic)
        spin(CONFERENCE_S)
        longest_ms = beats.longest_ms
        ended: list[bool] = []
        bridge.closed.connect(lambda: ended.append(True))
        window.close_now()
        wait(lambda: bool(ended))
    del application
    counts = [int(count) for line in log[demo_lines:] for count in re.findall(r" s, (\d+) underruns", line)]
    assert len(counts) == 2, "the engine has not told how its devices fared"
    note = f"{CALLS} calls that hear each other, microphone and speaker, {CONFERENCE_S:.0f} s"
    return [
        Figure(
            name="Longest stall of the window in a conference",
            value=longest_ms,
            unit="ms",
            budget=50,
            note=f"{note}; by the clock, all of it on this computer",
        ),
        Figure(
            name="Gaps in a conference with live audio",
            value=sum(counts),
            unit="in a minute",
            budget=0,
            note="reads of microphone or speaker that found too little, after their first second",
        ),
    ]


def _open(folder: Path, log: list[str]) -> tuple[MainWindow, DeskBridge]:
    from app.desk import Desk
    from app.paths import paths_in
    from app.store import Store
    from app.ui.bridge import DeskBridge
    from app.ui.main_window import MainWindow
    from app.vault import RunOnlyVault

    paths = paths_in(folder)

    def build() -> Desk:
        return Desk(
            Store.open(paths), lambda: (RunOnlyVault(), None), on_log=lambda _trunk, line: log.append(line)
        )

    bridge = DeskBridge(build)
    window = MainWindow(bridge, paths)
    window.resize(1280, 1000)
    window.show()
    bridge.start()
    wait(lambda: window.ready)
    return window, bridge


def _demo_page(window: MainWindow) -> CallPage:
    """The call page of the demo's trunk, its own call over."""
    from app.model.call import Source

    window.start_demo()
    wait(lambda: bool(window.pane.pages) and not window.demo.running)
    chosen = window.chosen
    assert chosen
    page = chosen.calls
    page.panel.set_source(Source.MICROPHONE)
    page.panel.length.setCurrentIndex(page.panel.length.count() - 1)
    return page


def _call(page: CallPage) -> None:
    before = sum(card.call.answered for card in page.cards)
    page.set_number(_SPEECH)
    wait(page.call_button.isEnabled)
    page.place_call()
    wait(lambda: sum(card.call.answered for card in page.cards) > before)
    page.cards[0].live.details.set_open(True)
