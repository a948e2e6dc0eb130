"""The real window on the real desk: real engine, real demo carrier."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.desk import Desk
from app.model.call import CallState
from app.model.finding import Verdict
from app.model.outcome import Audio, CallResult
from app.model.trunk import Trunk, TrunkState
from app.paths import paths_in
from app.store import Store
from app.ui.bridge import DeskBridge
from app.ui.main_window import MainWindow
from app.ui.models.trunk_watch import TrunkWatch
from app.ui.widgets.step_list import StepState
from app.vault import RunOnlyVault

DEMO_MS = 40_000


class Real:
    """A window on a real desk."""

    def __init__(self, folder: Path) -> None:
        paths = paths_in(folder)
        self.bugs: list[str] = []
        self.ended: list[bool] = []
        self.desks: list[Desk] = []

        def build() -> Desk:
            self.desks.append(Desk(Store.open(paths), lambda: (RunOnlyVault(), None)))
            return self.desks[0]

        self.bridge = DeskBridge(build)
        self.bridge.bug.connect(self.bugs.append)
        self.bridge.closed.connect(lambda: self.ended.append(True))
        self.window = MainWindow(self.bridge, paths)


@pytest.fixture
def real(tmp_path: Path, qtbot: QtBot) -> Iterator[Real]:
    made = Real(tmp_path)
    made.window.show()
    made.bridge.start()
    qtbot.waitUntil(lambda: made.window.ready, timeout=20_000)
    yield made
    made.window.close_now()
    qtbot.waitUntil(lambda: bool(made.ended), timeout=20_000)
    made.window.deleteLater()
    assert not made.bugs, made.bugs[0]


def test_demo_button_leads_to_a_verdict_that_it_works(real: Real, qtbot: QtBot) -> None:
    window = real.window
    assert window.stack.start_page
    qtbot.mouseClick(window.stack.start_page.demo_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(window.pane.pages), timeout=DEMO_MS)
    page = next(iter(window.pane.pages.values()))
    levels: list[tuple[float | None, float | None]] = []
    page.watch.call_metered.connect(lambda call: levels.append((call.tx_dbm0, call.rx_dbm0)))
    qtbot.waitUntil(lambda: bool(page.watch.ended_calls), timeout=DEMO_MS)

    call = page.watch.ended_calls[0]
    assert call.outcome
    assert call.outcome.result is CallResult.ANSWERED
    assert call.outcome.audio is Audio.TWO_WAY
    assert call.outcome.heard
    assert call.figures
    assert call.figures.rx.lost == 0
    assert call.figures.echo_ms is not None
    assert {finding.verdict for finding in call.findings} == {Verdict.PASS}
    assert page.watch.state is TrunkState.REGISTERED
    # What the person sees
    assert window.demo.steps.states == (StepState.DONE,) * 4
    assert page.shows_calls
    card = page.calls.right.card(call)
    assert card
    assert card.isVisible()
    assert "works" in card.verdict
    assert any(tx is not None and rx is not None and rx > -40 for tx, rx in levels)


@pytest.mark.skipif(
    not hasattr(signal, "SIGKILL"), reason="kills a process with SIGKILL, which Windows has not"
)
def test_killed_engine_costs_its_call_and_nothing_else(real: Real, qtbot: QtBot) -> None:
    window = real.window
    window.start_demo()
    qtbot.waitUntil(lambda: bool(window.pane.pages) and not window.demo.running, timeout=DEMO_MS)
    desk = real.desks[0]
    demo_trunk = window.trunks.watches[0].trunk
    demo = desk._demo
    assert demo
    settings = {"host": demo_trunk.host, "port": str(demo_trunk.port), "user": demo_trunk.user}

    async def add(desk: Desk) -> tuple[Trunk, ...]:
        await desk.add("Second", settings, demo.password)
        return desk.trunks()

    real.bridge.submit(window, add, window._set_trunks)
    qtbot.waitUntil(lambda: len(window.trunks.watches) == 2, timeout=DEMO_MS)
    first = window.trunks.watch(demo_trunk.id)
    second = next(watch for watch in window.trunks.watches if watch is not first)
    assert first
    for watch in (first, second):
        page = window.choose(watch.trunk.id)
        assert page
        page.show_calls()
        page.calls.set_number("600")
        page.calls.place_call()
        qtbot.waitUntil(lambda watch=watch: _in_call(watch), timeout=DEMO_MS)

    os.kill(desk._supervisor.session(demo_trunk.id).engine_pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: not first.active_calls, timeout=DEMO_MS)
    lost = first.ended_calls[-1].outcome
    assert lost
    assert lost.result is CallResult.LOST
    assert _in_call(second)
    # The end of the call is told first, when the trunk still counts as registered
    qtbot.waitUntil(lambda: "SIGKILL" in window.log.toPlainText(), timeout=DEMO_MS)
    qtbot.waitUntil(lambda: first.state is TrunkState.REGISTERED, timeout=DEMO_MS)
    assert window.isVisible()
    assert _in_call(second)
    packets = second.active_calls[0].figures
    qtbot.waitUntil(lambda: _packets(second) > (packets.rx.packets if packets else 0), timeout=DEMO_MS)


def _in_call(watch: TrunkWatch) -> bool:
    return bool(watch.active_calls) and watch.active_calls[0].state is CallState.ANSWERED


def _packets(watch: TrunkWatch) -> int:
    figures = watch.active_calls[0].figures
    return figures.rx.packets if figures else 0


def test_carrier_calls_back_and_is_answered(real: Real, qtbot: QtBot) -> None:
    window = real.window
    window.start_demo()
    qtbot.waitUntil(lambda: bool(window.pane.pages) and not window.demo.running, timeout=DEMO_MS)
    page = window.chosen
    assert page
    watch = page.watch
    page.calls.set_number("607")
    page.calls.place_call()
    qtbot.waitUntil(
        lambda: any(call.state is CallState.INCOMING for call in watch.active_calls), timeout=DEMO_MS
    )
    incoming = watch.active_calls[-1]
    card = page.calls.right.card(incoming)
    assert card
    assert "Number called: 1001" in card._called.text()
    card.answer_asked.emit(False)
    qtbot.waitUntil(lambda: incoming.state is CallState.ANSWERED, timeout=DEMO_MS)
    qtbot.waitUntil(lambda: incoming.figures is not None and incoming.figures.rx.packets > 0, timeout=DEMO_MS)
    page.calls.hang_up_newest()
    qtbot.waitUntil(lambda: incoming in watch.ended_calls, timeout=DEMO_MS)
    assert incoming.outcome
    assert incoming.outcome.audio is Audio.TWO_WAY


def test_refused_calls_are_explained(real: Real, qtbot: QtBot) -> None:
    window = real.window
    window.start_demo()
    qtbot.waitUntil(lambda: bool(window.pane.pages) and not window.demo.running, timeout=DEMO_MS)
    page = window.chosen
    assert page
    for number, words in (("486", "busy"), ("404", "not known"), ("503", "503")):
        page.calls.set_number(number)
        page.calls.place_call()
        qtbot.waitUntil(lambda number=number: page.watch.ended_calls[-1].number == number, timeout=DEMO_MS)
        call = page.watch.ended_calls[-1]
        card = page.calls.right.card(call)
        assert card
        shown = f"{card.verdict} {card._story.text()} {call.findings[0].title}"
        assert words in shown.lower(), shown
        qtbot.waitUntil(page.calls.call_button.isEnabled)
