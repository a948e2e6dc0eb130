"""Several calls at once: conference, where keys and digits go, and which cards are seen."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.ui.trunk_page import TrunkPage
from tests.helpers.office import good_call
from tests.ui.call_hands import LEFT, click, press
from tests.ui.call_scenes import ended, talk
from tests.ui.scene import Scene


@pytest.mark.parametrize("by_key", [False, True])
def test_calls_are_joined_and_separated(page: TrunkPage, scene: Scene, qtbot: QtBot, by_key: bool) -> None:
    first = talk(scene, call_id="call-1", number="100")
    second = talk(scene, call_id="call-2", number="200")
    click(first.live.buttons.hold, qtbot)
    scene.wait(lambda: first.call.held_by_us)
    second.take_focus()
    bar = page.calls.right.conference
    assert bar.words == "2 calls are up."
    if by_key:
        press(Qt.Key.Key_J, qtbot)
    else:
        click(bar.join, qtbot)
    scene.wait(lambda: bar.words == "2 calls hear each other.")
    methods = [entry[0] for entry in scene.desk.asked]
    assert methods.index("resume") < methods.index("set_conference")
    assert scene.desk.asked_for("set_conference") == [("office", ("call-1", "call-2"))]
    assert first.state.startswith("In conference")
    if by_key:
        press(Qt.Key.Key_J, qtbot)
    else:
        click(bar.separate, qtbot)
    scene.wait(lambda: bar.words == "2 calls are up.")
    assert scene.desk.asked_for("set_conference")[-1] == ("office", ())


def test_conference_is_over_when_one_call_is_left(page: TrunkPage, scene: Scene) -> None:
    first, second = (talk(scene, call_id=f"call-{place}", number=f"{place}00") for place in (1, 2))
    page.calls.right.conference.join.click()
    scene.wait(lambda: second.call.in_conference)
    scene.desk.tell(ended(good_call("100"), "call-1"))
    scene.wait(lambda: bool(first.verdict))
    assert second.state.startswith("In call")
    assert not page.calls.right.conference.words


def test_third_call_can_be_taken_into_the_conference(page: TrunkPage, scene: Scene, qtbot: QtBot) -> None:
    for place in (1, 2):
        talk(scene, call_id=f"call-{place}", number=f"{place}00")
    bar = page.calls.right.conference
    bar.join.click()
    scene.wait(lambda: not bar.join.isVisible())
    talk(scene, call_id="call-3", number="300")
    assert bar.separate.isVisible()
    click(bar.join, qtbot)
    scene.wait(lambda: bar.words == "3 calls hear each other.")


def test_digits_and_keys_are_for_the_call_that_was_chosen(
    page: TrunkPage, scene: Scene, qtbot: QtBot
) -> None:
    older = talk(scene, call_id="call-1", number="100")
    newer = talk(scene, call_id="call-2", number="200")
    assert page.calls.panel.pad_line == "Keys go as tones into the call with 200."
    qtbot.mouseClick(older, LEFT)
    assert page.calls.panel.pad_line == "Keys go as tones into the call with 100."
    click(page.calls.pad.keys["7"], qtbot)
    newer.take_focus()
    press(Qt.Key.Key_8, qtbot)
    scene.wait(lambda: len(scene.desk.asked_for("send_digits")) == 2)
    assert [entry[1:] for entry in scene.desk.asked_for("send_digits")] == [
        ("call-1", "7"),
        ("call-2", "8"),
    ]
    scene.desk.tell(ended(good_call("200"), "call-2"))
    scene.wait(lambda: page.calls.panel.pad_line.endswith("100."))
    scene.desk.tell(ended(good_call("100"), "call-1"))
    scene.wait(lambda: not page.calls.panel.pad_line)


def test_escape_ends_the_call_in_which_the_keys_are(page: TrunkPage, scene: Scene, qtbot: QtBot) -> None:
    older = talk(scene, call_id="call-1", number="100")
    talk(scene, call_id="call-2", number="200")
    older.take_focus()
    press(Qt.Key.Key_Escape, qtbot)
    scene.wait(lambda: scene.desk.asked_for("hang_up") == [("office", "call-1")])
    page.calls.number.setFocus()
    press(Qt.Key.Key_Escape, qtbot)
    scene.wait(lambda: scene.desk.asked_for("hang_up")[-1] == ("office", "call-2"))


def test_only_a_call_that_is_alone_shows_everything(page: TrunkPage, scene: Scene) -> None:
    first = talk(scene, call_id="call-1", number="100")
    assert not first.live.compact
    second = talk(scene, call_id="call-2", number="200")
    assert first.live.compact
    assert second.live.compact
    scene.desk.tell(ended(good_call("200"), "call-2"))
    scene.wait(lambda: not first.live.compact)


def test_a_call_that_begins_and_one_that_ended_stand_where_they_are_seen(
    page: TrunkPage, scene: Scene
) -> None:
    for nth in range(3):
        talk(scene, call_id=f"call-{nth}", number=f"60{nth}")
        scene.desk.tell(ended(good_call(f"60{nth}"), f"call-{nth}"))
        scene.wait(lambda nth=nth: len(page.watch.ended_calls) == nth + 1)
    bar = page.calls.right.verticalScrollBar()
    scene.wait(lambda: bar.maximum() > 0)
    bar.setValue(bar.maximum())
    card = talk(scene, call_id="call-9", number="609")
    scene.wait(lambda: bar.value() == 0)
    card.take_focus()
    bar.setValue(bar.maximum())
    scene.desk.tell(ended(good_call("609"), "call-9"))
    scene.wait(lambda: not card.call.active)
    scene.wait(lambda: bar.value() == 0)
