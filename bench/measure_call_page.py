"""What four calls with meters and plots cost the window: stalls of its event loop, and processor time."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from bench.event_loop import Beats, spin, wait
from bench.figure import Figure

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from tests.ui.scene import Scene

SECONDS = 10.0
CALLS = 4
LEVELS_A_SECOND = 20
PAINTS = 200


def measure() -> list[Figure]:
    """The longest stall, and the share of a core that the page and a plot take."""
    # Before there is an application
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtWidgets import QApplication

    from tests.ui.call_scenes import ready, talk
    from tests.ui.scene import Scene

    application = QApplication(sys.argv[:1])
    scene = Scene(wait)
    page = ready(scene)
    scene.window.resize(1280, 1600)
    for place in range(CALLS):
        talk(scene, call_id=f"call-{place}", number=f"60{place}")
    for card in page.calls.cards:
        card.live.details.set_open(True)
    wait(lambda: True)
    plot_share = _paint_seconds(page.calls.cards[0].live.plot)
    before = time.process_time()
    spin(SECONDS)
    idle_share = (time.process_time() - before) / SECONDS
    beats, before = Beats(time.thread_time), time.process_time()
    _play(scene)
    beats.stop()
    share = (time.process_time() - before) / SECONDS - idle_share
    scene.close()
    del application
    note = f"{CALLS} calls, {LEVELS_A_SECOND} levels a second each, {SECONDS:.0f} s"
    return [
        Figure(
            name="Longest stall of the window with four calls",
            value=beats.longest_ms,
            unit="ms",
            budget=50,
            note=f"{note}; the window's own work between two looks at its events",
        ),
        Figure(
            name="Quality plot, of a core",
            value=100 * plot_share,
            unit="%",
            budget=2,
            note=f"one repaint a second, mean of {PAINTS}",
        ),
        Figure(
            name="Four calls in the window, of a core",
            value=100 * share,
            unit="%",
            budget=15,
            note=f"{note}; above the window without news",
        ),
    ]


def _play(scene: Scene) -> None:
    """Tell levels and figures as four calls do."""
    from msgspec.structs import replace

    from app.sip.notices import CallFigures, CallMeters
    from tests.ui.call_scenes import GOOD, media

    ids = [f"call-{place}" for place in range(CALLS)]
    began = time.perf_counter()
    for step in range(round(SECONDS * LEVELS_A_SECOND)):
        spin(max(began + step / LEVELS_A_SECOND - time.perf_counter(), 0.0))
        level = -40.0 + (step * 7) % 35
        for call_id in ids:
            scene.desk.tell(
                CallMeters(trunk_id="office", call_id=call_id, tx_dbm0=level, rx_dbm0=-50 - level)
            )
            if step % LEVELS_A_SECOND == 0:
                now = replace(GOOD.now, mos=3.2 + (step // LEVELS_A_SECOND % 12) / 10)
                quality, figures = replace(GOOD, now=now), media(packets=900 + 50 * step)
                scene.desk.tell(
                    CallFigures(trunk_id="office", call_id=call_id, figures=figures, quality=quality)
                )


def _paint_seconds(plot: QWidget) -> float:
    """Processor time of one paint, seconds."""
    from PySide6.QtCore import QPoint
    from PySide6.QtGui import QPixmap

    picture = QPixmap(plot.size())
    before = time.process_time()
    for _ in range(PAINTS):
        plot.render(picture, QPoint())
    return (time.process_time() - before) / PAINTS
