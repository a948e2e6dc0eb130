"""The number: typed, pasted, called again; and the keys that are for calls only."""

from __future__ import annotations

import json

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.model.call import Source
from app.ui.trunk_page import TrunkPage
from tests.helpers.office import office
from tests.ui.call_scenes import bring_in, ready, talk
from tests.ui.scene import BACKUP, Scene

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def page(scene: Scene) -> TrunkPage:
    return ready(scene, office(country="CA"))


def paste(page: TrunkPage, text: str) -> None:
    QGuiApplication.clipboard().setText(text)
    page.calls.number.paste()


@pytest.mark.parametrize(
    ("pasted", "sent"),
    [
        ("tel:+1 (514) 555-0199", "+15145550199"),
        ("sip:600@montreal1.voip.example", "600"),
        ("+49 (0)30 1234-5678", "+493012345678"),
        ("0049 (0)30 1234 5678", "00493012345678"),
        (
            "  +1\N{NO-BREAK SPACE}514\N{NARROW NO-BREAK SPACE}555\N{NON-BREAKING HYPHEN}0199\n",
            "+15145550199",
        ),
        ("514\N{EN DASH}555\N{EM DASH}0199", "5145550199"),
        ("\uff0b\uff11\uff15\uff11\uff14\uff15\uff15\uff15\uff10\uff11\uff19\uff19", "+15145550199"),
        ("Tel.: +1 514 555 0199", "+15145550199"),
        ('"Anna" <sip:anna.smith@montreal1.voip.example>', "anna.smith"),
        ("\N{LEFT-TO-RIGHT EMBEDDING}+1 514 555 0199\N{POP DIRECTIONAL FORMATTING}", "+15145550199"),
        ("*98#", "*98#"),
    ],
)
def test_any_form_can_be_pasted_and_the_line_shows_what_will_be_sent(
    page: TrunkPage, pasted: str, sent: str
) -> None:
    paste(page, pasted)
    assert page.calls.line.startswith(f"Will be sent as {sent} through Main office")
    assert page.calls.number.accessibleDescription() == page.calls.line


def test_address_at_another_host_is_not_called(page: TrunkPage, scene: Scene, qtbot: QtBot) -> None:
    paste(page, "sip:600@host.example")
    assert "is an address at another host" in page.calls.line
    qtbot.keyClick(page.calls.number, Qt.Key.Key_Return)
    assert not scene.desk.asked_for("place_call")


# Redial


def call(page: TrunkPage, scene: Scene, number: str) -> None:
    """Call a number and hang up."""
    page.calls.call_number(number)
    scene.wait(lambda: any(each.number == number for each in page.watch.active_calls))
    page.calls.hang_up_newest()
    scene.wait(lambda: not page.watch.active_calls)


def recent(page: TrunkPage) -> list[str]:
    return [action.text() for action in page.calls.panel.redial.menu_.actions() if action.text()]


def test_numbers_called_are_offered_again_the_last_one_first(
    page: TrunkPage, scene: Scene, qtbot: QtBot
) -> None:
    redial = page.calls.panel.redial
    assert not redial.isEnabled()
    for number in ("600", "+1 514 555 0199", "600"):
        call(page, scene, number)
    scene.wait(lambda: recent(page) == ["600", "+1 514 555 0199", "Clear this list"])
    assert redial.accessibleName() == "Redial 600"
    qtbot.mouseClick(redial, LEFT)
    scene.wait(lambda: len(scene.desk.asked_for("place_call")) == 4)
    assert scene.desk.asked_for("place_call")[-1][1] == "600"


@pytest.mark.qt_log_ignore("This plugin does not support")  # a menu on a screen that is none
def test_down_key_shows_the_list_and_enter_takes_a_number_without_calling(
    page: TrunkPage, scene: Scene, qtbot: QtBot
) -> None:
    for number in ("600", "700"):
        call(page, scene, number)
    scene.wait(lambda: len(recent(page)) == 3)
    menu = page.calls.panel.redial.menu_
    page.calls.number.setFocus()
    qtbot.keyClick(page.calls.number, Qt.Key.Key_Down)
    scene.wait(menu.isVisible)
    qtbot.keyClick(menu, Qt.Key.Key_Down)
    qtbot.keyClick(menu, Qt.Key.Key_Return)
    scene.wait(lambda: page.calls.number.text() == "600")
    assert len(scene.desk.asked_for("place_call")) == 2


def test_enter_in_the_empty_field_brings_the_last_number_back_and_a_second_one_calls(
    page: TrunkPage, scene: Scene, qtbot: QtBot
) -> None:
    call(page, scene, "600")
    scene.wait(lambda: bool(page.calls.recent.numbers))
    page.calls.number.clear()
    page.calls.number.setFocus()
    qtbot.keyClick(page.calls.number, Qt.Key.Key_Return)
    assert page.calls.number.text() == "600"
    assert len(scene.desk.asked_for("place_call")) == 1
    qtbot.keyClick(page.calls.number, Qt.Key.Key_Return)
    scene.wait(lambda: len(scene.desk.asked_for("place_call")) == 2)


def test_list_is_kept_shared_between_trunks_and_can_be_cleared(scene: Scene) -> None:
    scene.open(office(), BACKUP)
    page = scene.sign_in()
    page.show_calls()
    call(page, scene, "600")
    scene.wait(lambda: json.loads(scene.desk.settings.get("recent_numbers", "[]")) == ["600"])
    other = scene.page("backup")
    other.show_calls()
    scene.wait(lambda: recent(other) == ["600", "Clear this list"])
    other.calls.panel.redial.menu_.actions()[-1].trigger()
    scene.wait(lambda: scene.desk.settings["recent_numbers"] == "[]")
    scene.page("office").show_calls()
    scene.wait(lambda: not page.calls.panel.redial.isEnabled())


def test_list_of_another_version_is_no_trouble(scene: Scene) -> None:
    scene.open(office(), prepare=lambda desk: desk.settings.update(recent_numbers='{"x": 1}', send="morse"))
    page = scene.sign_in()
    page.show_calls()
    call(page, scene, "600")
    scene.wait(lambda: scene.desk.settings["recent_numbers"] == '["600"]')
    assert page.calls.panel.source is Source.TONE


def test_ended_call_can_be_called_again(page: TrunkPage, scene: Scene, qtbot: QtBot) -> None:
    call(page, scene, "600")
    result = page.calls.cards[0].result
    assert result
    scene.wait(result.again.isVisible)
    qtbot.mouseClick(result.again, LEFT)
    scene.wait(lambda: len(scene.desk.asked_for("place_call")) == 2)


# What calls send


def test_what_calls_send_is_remembered(page: TrunkPage, scene: Scene) -> None:
    page.calls.panel.send.setCurrentIndex(list(Source).index(Source.MICROPHONE))
    scene.wait(lambda: scene.desk.settings.get("send") == "microphone")
    page.show_overview()
    page.calls.panel.set_source(Source.TONE)
    page.show_calls()
    scene.wait(lambda: page.calls.panel.source is Source.MICROPHONE)
    bring_in(scene)


# Keys


def test_letters_in_the_field_are_a_name_and_no_command(page: TrunkPage, scene: Scene, qtbot: QtBot) -> None:
    card = talk(scene)
    page.calls.number.setFocus()
    qtbot.keyClicks(page.calls.number, "mhrtj")
    assert page.calls.number.text() == "mhrtj"
    assert not card.live.transfer.open
    assert [method for method, *_ in scene.desk.asked if method in ("mute", "hold", "start_recording")] == []


def test_letters_do_nothing_while_no_call_is_up(page: TrunkPage, scene: Scene, qtbot: QtBot) -> None:
    page.calls.call_button.setFocus()
    before = len(scene.desk.asked)
    for key in (Qt.Key.Key_M, Qt.Key.Key_H, Qt.Key.Key_R, Qt.Key.Key_T, Qt.Key.Key_J, Qt.Key.Key_Return):
        qtbot.keyClick(page.calls.pad, key)
    assert len(scene.desk.asked) == before


def test_keys_with_ctrl_are_for_the_window(page: TrunkPage, scene: Scene, qtbot: QtBot) -> None:
    card = talk(scene)
    card.take_focus()
    qtbot.keyClick(card.live.buttons.hang_up, Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(card.live.buttons.hang_up, Qt.Key.Key_H, Qt.KeyboardModifier.AltModifier)
    assert not scene.desk.asked_for("mute")
    assert not scene.desk.asked_for("hold")


def test_shortcuts_stand_in_the_tool_tips(page: TrunkPage, scene: Scene) -> None:
    buttons = talk(scene).live.buttons
    shown = [
        (button.toolTip(), key)
        for button, key in (
            (buttons.mute, "(M)"),
            (buttons.hold, "(H)"),
            (buttons.transfer, "(T)"),
            (buttons.record, "(R)"),
            (buttons.hang_up, "(Esc)"),
        )
    ]
    assert all(key in tip for tip, key in shown)
    bar = page.calls.right.conference
    assert "(J)" in bar.join.toolTip()
    assert "(J)" in bar.separate.toolTip()
    incoming = bring_in(scene).incoming
    assert incoming
    assert "(Enter)" in incoming.answer.toolTip()
    assert "Esc" in incoming.decline.toolTip()


def test_enter_calls_the_number_although_a_call_comes_in(page: TrunkPage, scene: Scene, qtbot: QtBot) -> None:
    bring_in(scene)
    page.calls.number.setFocus()
    qtbot.keyClicks(page.calls.number, "600")
    focused = QApplication.focusWidget()
    assert focused
    qtbot.keyClick(focused, Qt.Key.Key_Return)
    scene.wait(lambda: bool(scene.desk.asked_for("place_call")))
    assert not scene.desk.asked_for("answer")
