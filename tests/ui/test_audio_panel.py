"""Sound devices: chosen by name, remembered, gone, or not there at all."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.model.audio_choice import AudioChoice
from app.model.trunk import TrunkState
from app.sip.notices import AudioChanged, DevicesFound, TrunkChanged
from app.ui.trunk_page import TrunkPage
from app.ui.widgets.audio_panel import AudioPanel
from tests.helpers.office import office
from tests.ui.call_scenes import HEADSETS, ready, talk
from tests.ui.scene import Scene


@pytest.fixture
def page(scene: Scene) -> TrunkPage:
    return ready(scene)


@pytest.fixture
def panel(page: TrunkPage, scene: Scene, qtbot: QtBot) -> AudioPanel:
    """Open, with two devices."""
    panel = page.calls.panel.audio
    qtbot.mouseClick(panel.fold.button, Qt.MouseButton.LeftButton)
    scene.wait(lambda: scene.desk.asked_for("watch_devices") == [("office", True)])
    scene.desk.tell(DevicesFound(trunk_id="office", microphones=HEADSETS, speakers=HEADSETS))
    scene.wait(lambda: panel.microphone.count() == 3)
    return panel


def test_window_asks_for_sound_once_at_its_start(page: TrunkPage, scene: Scene) -> None:
    assert scene.desk.asked_for("use_audio") == [(None,)]


def test_devices_are_offered_by_name_below_the_system_default(panel: AudioPanel) -> None:
    for combo in (panel.microphone, panel.speaker, panel.ringer):
        shown = [combo.itemText(at) for at in range(combo.count())]
        assert shown == ["System default", *HEADSETS]


def test_choice_is_used_at_once_and_remembered(panel: AudioPanel, scene: Scene) -> None:
    panel.microphone.setCurrentIndex(1)
    panel.ring.click()
    panel.speaker_volume.slider.setValue(-6)
    scene.wait(lambda: len(scene.desk.asked_for("use_audio")) > 1)
    chosen = AudioChoice(microphone=HEADSETS[0], ring=False, speaker_db=-6.0)
    scene.wait(lambda: scene.desk.audio == chosen)
    assert len(scene.desk.asked_for("use_audio")) == 2
    assert not panel.ringer.isEnabled()


def test_what_was_chosen_before_is_shown(scene: Scene) -> None:
    chosen = AudioChoice(
        microphone=HEADSETS[1], speaker="Old headset", microphone_db=3.0, speaker_db=-12.0, ring=False
    )
    scene.open(office(), prepare=lambda desk: setattr(desk, "audio", chosen))
    page = scene.sign_in()
    page.show_calls()
    panel = page.calls.panel.audio
    scene.wait(lambda: panel.choice == chosen)
    scene.desk.tell(DevicesFound(trunk_id="office", microphones=HEADSETS, speakers=HEADSETS))
    scene.wait(lambda: panel.speaker.currentText() == "Old headset (not there)")
    assert panel.choice == chosen
    assert len(scene.desk.asked_for("use_audio")) == 1


def test_devices_are_watched_only_while_the_panel_is_open(
    panel: AudioPanel, scene: Scene, qtbot: QtBot
) -> None:
    qtbot.mouseClick(panel.fold.button, Qt.MouseButton.LeftButton)
    scene.wait(lambda: scene.desk.asked_for("watch_devices")[-1] == ("office", False))


def test_panel_of_a_trunk_that_is_off_waits_for_its_engine(scene: Scene) -> None:
    scene.open(office())
    page = scene.page()
    page.show_calls()
    panel = page.calls.panel.audio
    panel.fold.set_open(True)
    scene.wait(panel._unknown.isVisible)
    assert not scene.desk.asked_for("watch_devices")
    page.overview.connect_trunk()
    scene.wait(lambda: scene.desk.asked_for("watch_devices") == [("office", True)])
    assert not panel._unknown.isVisible()
    scene.desk.tell(TrunkChanged(trunk_id="office", state=TrunkState.UNREACHABLE))
    scene.wait(lambda: page.watch.state is TrunkState.UNREACHABLE)
    scene.desk.tell(TrunkChanged(trunk_id="office", state=TrunkState.REGISTERED))
    scene.wait(lambda: len(scene.desk.asked_for("watch_devices")) == 2)


@pytest.mark.parametrize(
    ("microphones", "speakers", "words"),
    [
        ((), (), "This computer has no sound devices."),
        ((), HEADSETS, "This computer has no microphone."),
        (HEADSETS, (), "This computer has no speaker."),
        (HEADSETS, HEADSETS, ""),
    ],
)
def test_what_is_missing_is_said_and_calls_go_on(
    page: TrunkPage,
    scene: Scene,
    microphones: tuple[str, ...],
    speakers: tuple[str, ...],
    words: str,
) -> None:
    scene.desk.tell(DevicesFound(trunk_id="office", microphones=microphones, speakers=speakers))
    scene.wait(lambda: page.watch.devices is not None)
    panel = page.calls.panel.audio
    assert panel.note.startswith(words)
    assert bool(panel.note) is bool(words)
    assert "Calls still work" in panel.note or not words
    page.calls.call_number("600")
    scene.wait(lambda: bool(page.watch.active_calls))


def test_device_that_is_gone_is_told_although_the_panel_is_closed(page: TrunkPage, scene: Scene) -> None:
    talk(scene)
    note = f"{HEADSETS[0]} is gone; {HEADSETS[1]} is used instead."
    scene.desk.tell(AudioChanged(trunk_id="office", microphone=HEADSETS[1], note=note))
    panel = page.calls.panel.audio
    scene.wait(lambda: panel.note == note)
    assert not panel.is_open
    scene.desk.tell(AudioChanged(trunk_id="office", microphone=HEADSETS[0]))
    scene.wait(lambda: not panel.note)
