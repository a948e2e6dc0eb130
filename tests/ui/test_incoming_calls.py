"""Calls that come in: answered, also while another call is up, refused, sent on."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.errors import EngineError
from app.ui.trunk_page import TrunkPage
from app.ui.widgets.call_card import CallCard
from tests.ui import call_scenes
from tests.ui.call_hands import click, press, walk_to
from tests.ui.call_scenes import bring_in, talk
from tests.ui.scene import Scene


@pytest.mark.parametrize(("word", "code"), [("busy", 486), ("decline", 603)])
def test_incoming_call_is_refused_as_chosen(
    page: TrunkPage, scene: Scene, qtbot: QtBot, word: str, code: int
) -> None:
    card = bring_in(scene)
    assert card.incoming
    click(getattr(card.incoming, word), qtbot)
    scene.wait(lambda: scene.desk.asked_for("reject") == [("office", "in-1", code)])


def test_incoming_call_is_sent_on(page: TrunkPage, scene: Scene, qtbot: QtBot) -> None:
    card = bring_in(scene)
    assert card.incoming
    click(card.incoming.send_on, qtbot)
    row = card.incoming.row
    scene.wait(row.number.hasFocus)
    qtbot.keyClicks(row.number, "112")
    qtbot.keyClick(row.number, Qt.Key.Key_Return)
    assert "never dials it" in row.line
    row.number.clear()
    qtbot.keyClicks(row.number, "514 555 0123")
    qtbot.keyClick(row.number, Qt.Key.Key_Return)
    scene.wait(lambda: bool(scene.desk.asked_for("forward")))
    assert scene.desk.asked_for("forward") == [("office", "in-1", "514 555 0123")]


def test_escape_closes_the_row_of_an_incoming_call_before_it_declines(
    page: TrunkPage, scene: Scene, qtbot: QtBot
) -> None:
    card = bring_in(scene)
    assert card.incoming
    click(card.incoming.send_on, qtbot)
    press(Qt.Key.Key_Escape, qtbot)
    assert not card.incoming.open
    assert not scene.desk.asked_for("reject")
    page.calls.number.setFocus()
    press(Qt.Key.Key_Escape, qtbot)
    scene.wait(lambda: scene.desk.asked_for("reject") == [("office", "in-1", 603)])


def test_second_call_is_answered_once_the_first_one_holds(card: CallCard, scene: Scene, qtbot: QtBot) -> None:
    new = bring_in(scene)
    assert new.incoming
    assert new.incoming.answer.text() == "Hold and answer"
    click(new.incoming.answer, qtbot)
    scene.wait(lambda: bool(scene.desk.asked_for("answer")))
    methods = [entry[:3] for entry in scene.desk.asked if entry[0] in ("hold", "answer")]
    assert methods == [("hold", "office", "call-7"), ("answer", "office", "in-1")]


def test_second_call_can_be_answered_without_holding_the_first(
    card: CallCard, scene: Scene, qtbot: QtBot
) -> None:
    new = bring_in(scene)
    assert new.incoming
    click(new.incoming.only_answer, qtbot)
    scene.wait(lambda: bool(scene.desk.asked_for("answer")))
    assert not scene.desk.asked_for("hold")


def test_call_that_can_not_be_held_leaves_the_second_one_ringing(
    card: CallCard, scene: Scene, qtbot: QtBot
) -> None:
    scene.desk.refuse["hold"] = EngineError("The call could not be put on hold.")
    new = bring_in(scene)
    assert new.incoming
    click(new.incoming.answer, qtbot)
    scene.wait(lambda: new.trouble == "The call could not be put on hold.")
    assert not scene.desk.asked_for("answer")


@pytest.mark.parametrize("in_field", [False, True])
def test_enter_answers_also_while_another_call_has_the_keys(
    page: TrunkPage, scene: Scene, qtbot: QtBot, in_field: bool
) -> None:
    if not in_field:
        talk(scene).take_focus()
    bring_in(scene)
    press(Qt.Key.Key_Return, qtbot)
    scene.wait(lambda: bool(scene.desk.asked_for("answer")))
    assert bool(scene.desk.asked_for("hold")) is not in_field
    assert not scene.desk.asked_for("hang_up")
    assert not scene.desk.asked_for("place_call")


def test_enter_declines_when_the_person_went_to_decline(page: TrunkPage, scene: Scene, qtbot: QtBot) -> None:
    incoming = bring_in(scene).incoming
    assert incoming
    incoming.answer.setFocus()
    walk_to(incoming.decline, Qt.Key.Key_Tab, qtbot)
    press(Qt.Key.Key_Return, qtbot)
    scene.wait(lambda: bool(scene.desk.asked_for("reject")))
    assert not scene.desk.asked_for("answer")


def test_enter_in_a_row_transfers_and_does_not_answer(card: CallCard, scene: Scene, qtbot: QtBot) -> None:
    bring_in(scene)
    card.live.set_transferring(True)
    card.live.transfer.row.number.setText("600")
    scene.wait(card.live.transfer.row.number.isVisible)
    qtbot.keyClick(card.live.transfer.row.number, Qt.Key.Key_Return)
    scene.wait(lambda: bool(scene.desk.asked_for("transfer")))
    assert not scene.desk.asked_for("answer")


def test_answered_call_gets_the_keys(page: TrunkPage, scene: Scene, qtbot: QtBot) -> None:
    card = bring_in(scene)
    press(Qt.Key.Key_Return, qtbot)
    scene.desk.tell(call_scenes.answered_in())
    scene.wait(card.live.buttons.hang_up.hasFocus)


def test_called_number_is_shown_from_both_headers_where_they_differ(scene: Scene) -> None:
    call_scenes.incoming_differs(scene)
    card = scene.page().calls.cards[0]
    assert card.incoming
    shown = [value.text() for value in card.incoming.numbers.values]
    assert shown == [
        "123456_desk",
        "sip:123456_desk@203.0.113.7:5061;transport=tls",
        "+15145550100",
        "sip:+15145550100@montreal1.voip.example",
    ]
    scene.wait(card.incoming.numbers.isVisible)
