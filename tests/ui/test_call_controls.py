"""What can be done within a call: mute, hold, record, transfer, by mouse and by key."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.errors import EngineError
from app.model.outcome import HungUpBy
from app.paths import Paths
from app.sip.notices import CallHold, CallRecording, TransferProgress
from app.ui.trunk_page import TrunkPage
from app.ui.widgets import recording_line
from app.ui.widgets.call_card import CallCard
from tests.helpers.office import good_call
from tests.ui import call_scenes
from tests.ui.call_hands import click, press, walk_to
from tests.ui.call_scenes import NUMBER, ended, ready, talk
from tests.ui.scene import Scene

# Mute and hold


@pytest.mark.parametrize("by_key", [False, True])
def test_call_is_muted_and_heard_again(card: CallCard, scene: Scene, qtbot: QtBot, by_key: bool) -> None:
    mute = card.live.buttons.mute
    for muted, state in ((True, "In call, muted  1:4"), (False, "In call  1:4")):
        if by_key:
            press(Qt.Key.Key_M, qtbot)
        else:
            click(mute, qtbot)
        scene.wait(lambda state=state: card.state.startswith(state))
        assert mute.isChecked() is muted
        assert scene.desk.asked_for("mute")[-1] == ("office", "call-7", muted)


@pytest.mark.parametrize("by_key", [False, True])
def test_call_is_held_and_goes_on(card: CallCard, scene: Scene, qtbot: QtBot, by_key: bool) -> None:
    hold = card.live.buttons.hold
    for method, state, word in (("hold", "On hold", "Resume"), ("resume", "In call", "Hold")):
        if by_key:
            press(Qt.Key.Key_H, qtbot)
        else:
            click(hold, qtbot)
        scene.wait(lambda state=state: card.state.startswith(state))
        assert scene.desk.asked_for(method) == [("office", "call-7")]
        assert hold.text() == hold.accessibleName() == word


def test_hold_is_asked_for_once_while_the_other_side_thinks(
    card: CallCard, scene: Scene, qtbot: QtBot
) -> None:
    scene.desk.hold["hold"] = asyncio.Event()
    press(Qt.Key.Key_H, qtbot)
    assert not card.live.buttons.hold.isEnabled()
    press(Qt.Key.Key_H, qtbot)
    scene.wait(lambda: bool(scene.desk.asked_for("hold")))
    scene.desk.release("hold")
    scene.wait(lambda: card.state.startswith("On hold"))
    assert len(scene.desk.asked_for("hold")) == 1
    assert card.live.buttons.hold.isEnabled()


def test_hold_that_is_never_agreed_to_is_told(card: CallCard, scene: Scene, qtbot: QtBot) -> None:
    scene.desk.hold["hold"] = asyncio.Event()
    press(Qt.Key.Key_H, qtbot)
    assert not card.live.buttons.hold.isEnabled()
    told = "The other side does not answer the hold."
    scene.desk.tell(CallHold(trunk_id="office", call_id="call-7", by_us=False, by_them=False, trouble=told))
    scene.wait(lambda: told in card.trouble)
    assert card.live.buttons.hold.isEnabled()
    scene.desk.release("hold")


def test_hold_by_the_other_side_is_told(card: CallCard, scene: Scene) -> None:
    scene.desk.tell(CallHold(trunk_id="office", call_id="call-7", by_us=False, by_them=True))
    scene.wait(lambda: card.state.startswith("Held by them"))
    assert card.live.buttons.hold.text() == "Hold"
    scene.desk.tell(CallHold(trunk_id="office", call_id="call-7", by_us=True, by_them=True))
    scene.wait(lambda: card.state.startswith("Held by both sides"))


def test_what_the_engine_refuses_is_told_on_the_card_until_something_else_is_asked(
    card: CallCard, scene: Scene, qtbot: QtBot
) -> None:
    scene.desk.refuse["hold"] = EngineError("The call could not be put on hold.", do="Try it again.")
    press(Qt.Key.Key_H, qtbot)
    scene.wait(lambda: card.trouble == "The call could not be put on hold. Try it again.")
    assert card.live.buttons.hold.isEnabled()
    press(Qt.Key.Key_M, qtbot)
    assert not card.trouble


# Recording


@pytest.fixture
def recorded(scene: Scene, tmp_path: Path) -> CallCard:
    """A call in a window that has a folder for recordings, not made yet."""
    scene.paths = Paths(data=tmp_path, logs=tmp_path, music=tmp_path / "Music")
    ready(scene)
    card = talk(scene)
    card.take_focus()
    return card


@pytest.mark.parametrize("by_key", [False, True])
def test_call_is_recorded_into_the_music_folder(
    recorded: CallCard, scene: Scene, qtbot: QtBot, tmp_path: Path, by_key: bool
) -> None:
    folder = tmp_path / "Music" / "Ringback"
    assert not folder.exists()
    if by_key:
        press(Qt.Key.Key_R, qtbot)
    else:
        click(recorded.live.buttons.record, qtbot)
    scene.wait(lambda: recorded.recording.words.startswith("Recording  0:0"))
    ((_, call_id, path),) = scene.desk.asked_for("start_recording")
    assert isinstance(path, Path)
    assert (call_id, path.parent, path.suffix) == ("call-7", folder, ".wav")
    assert path.name.endswith(f"Main office {NUMBER}.wav")
    assert folder.is_dir()
    assert recorded.live.buttons.record.accessibleName() == "Stop recording"
    press(Qt.Key.Key_R, qtbot)
    scene.wait(lambda: bool(scene.desk.asked_for("stop_recording")))


def test_finished_recording_can_be_shown_where_it_lies(
    card: CallCard, scene: Scene, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[Path] = []
    monkeypatch.setattr(recording_line, "show_in_folder", shown.append)
    for on in (True, False):
        scene.desk.tell(CallRecording(trunk_id="office", call_id="call-7", path="/m/a.wav", on=on))
    scene.wait(lambda: card.recording.words == "Recorded: a.wav")
    click(card.recording.show_button, qtbot)
    assert shown == [Path("/m/a.wav")]


def test_recording_that_ends_unasked_says_why(card: CallCard, scene: Scene) -> None:
    for on, trouble in ((True, ""), (False, "No space left on device")):
        notice = CallRecording(trunk_id="office", call_id="call-7", path="/m/a.wav", on=on, trouble=trouble)
        scene.desk.tell(notice)
    scene.wait(lambda: card.recording.words == "The recording ended: No space left on device")
    assert card.recording.show_button.isVisible()


def test_recording_whose_end_is_told_after_the_call_is_shown_with_the_result(
    card: CallCard, scene: Scene
) -> None:
    scene.desk.tell(
        CallRecording(trunk_id="office", call_id="call-7", path="/m/a.wav", on=True),
        ended(good_call(NUMBER)),
        CallRecording(trunk_id="office", call_id="call-7", path="/m/a.wav", on=False, trouble="disk full"),
    )
    scene.wait(lambda: "disk full" in card.recording.words)
    assert card.verdict


def test_folder_that_can_not_be_made_is_told(
    recorded: CallCard, scene: Scene, qtbot: QtBot, tmp_path: Path
) -> None:
    (tmp_path / "Music").touch()
    press(Qt.Key.Key_R, qtbot)
    scene.wait(lambda: "for recordings can't be made" in recorded.trouble)
    assert not scene.desk.asked_for("start_recording")


# Transfer


def test_call_is_transferred_to_a_number_and_the_progress_is_told(
    card: CallCard, scene: Scene, qtbot: QtBot
) -> None:
    click(card.live.buttons.transfer, qtbot)
    row = card.live.transfer.row
    scene.wait(row.number.hasFocus)
    qtbot.keyClicks(row.number, "+1 (514) 555-0177")
    assert row.line == "Will be sent as +15145550177"
    qtbot.keyClick(row.number, Qt.Key.Key_Return)
    assert card.live.transfer.words == "Transferring to +1 (514) 555-0177…"
    assert not card.live.transfer.open
    assert QApplication.focusWidget() is card.live.buttons.hang_up
    scene.wait(lambda: bool(scene.desk.asked_for("transfer")))
    assert scene.desk.asked_for("transfer") == [("office", "call-7", "+1 (514) 555-0177")]
    for code, reason, final, words in (
        (180, "Ringing", False, "Transferring: +1 (514) 555-0177 rings."),
        (486, "Busy Here", True, "Not transferred: +1 (514) 555-0177 answered 486 Busy Here."),
    ):
        notice = TransferProgress(
            trunk_id="office", call_id="call-7", sip_code=code, reason=reason, final=final
        )
        scene.desk.tell(notice)
        scene.wait(lambda words=words: card.live.transfer.words.startswith(words))
    assert card.call.active


def test_transfer_opens_by_key_and_escape_closes_it_without_ending_the_call(
    card: CallCard, scene: Scene, qtbot: QtBot
) -> None:
    press(Qt.Key.Key_T, qtbot)
    row = card.live.transfer.row
    scene.wait(row.number.hasFocus)
    press(Qt.Key.Key_Escape, qtbot)
    assert not card.live.transfer.open
    assert QApplication.focusWidget() is card.live.buttons.hang_up
    assert not scene.desk.asked_for("hang_up")
    press(Qt.Key.Key_Escape, qtbot)
    scene.wait(lambda: scene.desk.asked_for("hang_up") == [("office", "call-7")])


@pytest.mark.parametrize("number", ["911", "Tel.: 911", "555,,1"])
def test_number_that_is_not_called_is_no_transfer_either(
    card: CallCard, scene: Scene, qtbot: QtBot, number: str
) -> None:
    press(Qt.Key.Key_T, qtbot)
    row = card.live.transfer.row
    row.number.setText(number)
    qtbot.keyClick(row.number, Qt.Key.Key_Return)
    click(row.button, qtbot)
    assert "dial" in row.line
    assert card.live.transfer.open
    assert card.call.transfer is None


def test_transfer_that_the_desk_refuses_leaves_nothing_under_way(
    card: CallCard, scene: Scene, qtbot: QtBot
) -> None:
    scene.desk.refuse["transfer"] = EngineError("The call could not be transferred to 600.")
    press(Qt.Key.Key_T, qtbot)
    card.live.transfer.row.number.setText("600")
    click(card.live.transfer.row.button, qtbot)
    scene.wait(lambda: card.trouble == "The call could not be transferred to 600.")
    assert not card.live.transfer.words


def test_two_calls_are_connected_with_each_other(page: TrunkPage, scene: Scene, qtbot: QtBot) -> None:
    other = talk(scene, call_id="call-8", number="15145550123")
    card = talk(scene)
    click(card.live.buttons.transfer, qtbot)
    (button,) = card.live.transfer.buttons
    assert button.text() == "Connect with 15145550123"
    click(button, qtbot)
    scene.wait(lambda: scene.desk.asked_for("transfer_to") == [("office", "call-7", "call-8")])
    assert card.live.transfer.words == "Transferring to 15145550123…"
    assert not other.live.transfer.words


def test_result_of_a_transferred_call_says_where_it_went(scene: Scene) -> None:
    call_scenes.transferred(scene)
    assert "Transferred to +1 514 555-0177" in scene.page().calls.cards[0].story


# Keyboard and screen reader


@pytest.mark.parametrize("name", sorted(call_scenes.CALL_SCENES))
def test_everything_in_a_call_can_be_reached_by_the_tab_key_and_has_a_name(
    name: str, scene: Scene, qtbot: QtBot
) -> None:
    call_scenes.CALL_SCENES[name](scene)
    calls = scene.page().calls
    wanted = {
        widget
        for widget in calls.findChildren(QWidget)
        if widget.isVisible() and widget.isEnabled() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
    }
    calls.number.setFocus()
    seen: list[QWidget] = []
    while (focused := QApplication.focusWidget()) and focused not in seen:
        seen.append(focused)
        qtbot.keyClick(focused, Qt.Key.Key_Tab)
    assert [_name(widget) for widget in wanted - set(seen)] == []
    assert all(map(_name, wanted))
    right = [widget for widget in seen if calls.right.isAncestorOf(widget)]
    middles = [widget.mapTo(calls.right, widget.rect().center()).y() for widget in right]
    # From the top to the bottom; those in one row count as one line
    assert all(below >= above - 16 for above, below in pairwise(middles))


def _name(widget: QWidget) -> str:
    return widget.accessibleName() or str(getattr(widget, "text", str)())


def test_enter_mutes_when_the_person_went_to_mute(card: CallCard, scene: Scene, qtbot: QtBot) -> None:
    card.live.buttons.hang_up.setFocus()
    walk_to(card.live.buttons.mute, Qt.Key.Key_Backtab, qtbot)
    press(Qt.Key.Key_Return, qtbot)
    scene.wait(lambda: bool(scene.desk.asked_for("mute")))
    assert not scene.desk.asked_for("hang_up")


def test_hung_up_call_gives_the_keys_back_to_the_number(
    card: CallCard, page: TrunkPage, scene: Scene
) -> None:
    scene.desk.tell(ended(good_call(NUMBER, hung_up_by=HungUpBy.THEM)))
    scene.wait(page.calls.number.hasFocus)
