"""The real call page on real engines: what buttons ask for happens on the wire, and is told back."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.ui.trunk_page import TrunkPage
from app.ui.widgets.call_card import CallCard
from tests.ui.test_window_end_to_end import DEMO_MS, Real

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def page(tmp_path: Path, qtbot: QtBot) -> Iterator[TrunkPage]:
    """The call page of the demo's trunk, signed in."""
    real = Real(tmp_path)
    real.window.show()
    real.bridge.start()
    qtbot.waitUntil(lambda: real.window.ready, timeout=DEMO_MS)
    real.window.start_demo()
    qtbot.waitUntil(lambda: bool(real.window.pane.pages) and not real.window.demo.running, timeout=DEMO_MS)
    page = real.window.chosen
    assert page
    yield page
    real.window.close_now()
    qtbot.waitUntil(lambda: bool(real.ended), timeout=DEMO_MS)
    real.window.deleteLater()
    assert not real.bugs, real.bugs[0]


def call(page: TrunkPage, number: str, qtbot: QtBot) -> CallCard:
    """A call that is up; its card."""
    page.calls.set_number(number)
    # The call before is answered a moment earlier than the desk says that it is placed
    qtbot.waitUntil(page.calls.call_button.isEnabled, timeout=DEMO_MS)
    page.calls.place_call()
    qtbot.waitUntil(
        lambda: any(each.number == number and each.answered for each in page.watch.active_calls),
        timeout=DEMO_MS,
    )
    return next(card for card in page.calls.cards if card.call.number == number and card.call.answered)


def packets_sent(card: CallCard) -> int:
    """What the card knows of it."""
    figures = card.call.figures
    assert figures
    return figures.tx.packets


def test_call_is_muted_held_recorded_and_scored(page: TrunkPage, qtbot: QtBot, tmp_path: Path) -> None:
    card = call(page, "600", qtbot)
    buttons = card.live.buttons
    qtbot.mouseClick(buttons.record, LEFT)
    qtbot.waitUntil(lambda: card.recording.words.startswith("Recording"), timeout=DEMO_MS)
    qtbot.waitUntil(lambda: card.call.quality is not None, timeout=DEMO_MS)
    assert card.live.quality.text.text().startswith("Good · MOS 4.")
    assert card.live.media.text().startswith("G.7")
    # A second and a half of packets, all of them recorded
    sent = packets_sent(card)
    qtbot.waitUntil(lambda: packets_sent(card) >= sent + 75, timeout=DEMO_MS)
    qtbot.mouseClick(buttons.mute, LEFT)
    qtbot.waitUntil(lambda: card.live.heard.words == "silent", timeout=DEMO_MS)
    qtbot.mouseClick(buttons.mute, LEFT)
    qtbot.waitUntil(lambda: card.live.heard.words != "silent", timeout=DEMO_MS)
    qtbot.mouseClick(buttons.hold, LEFT)
    qtbot.waitUntil(lambda: card.state.startswith("On hold"), timeout=DEMO_MS)
    qtbot.mouseClick(buttons.hold, LEFT)
    qtbot.waitUntil(lambda: card.state.startswith("In call"), timeout=DEMO_MS)
    qtbot.mouseClick(buttons.hang_up, LEFT)
    qtbot.waitUntil(lambda: card.recording.words.startswith("Recorded: "), timeout=DEMO_MS)
    qtbot.waitUntil(lambda: bool(card.verdict), timeout=DEMO_MS)
    (path,) = (tmp_path / "recordings").iterdir()
    assert path.name in card.recording.words
    with wave.open(str(path)) as file:
        assert file.getnchannels() == 2
        assert file.getnframes() > file.getframerate()
        assert any(file.readframes(file.getnframes()))


def test_two_calls_are_joined(page: TrunkPage, qtbot: QtBot) -> None:
    first, second = call(page, "600", qtbot), call(page, "601", qtbot)
    bar = page.calls.right.conference
    qtbot.waitUntil(bar.join.isVisible)
    qtbot.mouseClick(bar.join, LEFT)
    qtbot.waitUntil(lambda: bar.words == "2 calls hear each other.", timeout=DEMO_MS)
    page.calls.commands.hang_up(first.call)
    qtbot.waitUntil(lambda: bool(first.verdict), timeout=DEMO_MS)
    qtbot.waitUntil(lambda: second.state.startswith("In call"), timeout=DEMO_MS)


def test_devices_of_this_computer_are_listed(page: TrunkPage, qtbot: QtBot) -> None:
    panel = page.calls.panel.audio
    panel.fold.set_open(True)
    qtbot.waitUntil(lambda: page.watch.devices is not None, timeout=DEMO_MS)
    devices = page.watch.devices
    assert devices
    assert panel.microphone.count() == 1 + len(devices.microphones)
    assert bool(panel.note) or (devices.microphones and devices.speakers)
