"""What can be done within calls: by mouse, by key, and what is told of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.errors import EngineError
from app.model.call import Source
from app.model.outcome import HungUpBy
from app.paths import Paths
from app.sip.notices import (
    CallFigures,
    CallHold,
    CallMeters,
    CallRecording,
    TransferProgress,
)
from app.ui.trunk_page import TrunkPage
from app.ui.widgets import recording_line
from app.ui.widgets.call_card import CallCard
from tests.helpers.fake_desk import good_call, office
from tests.ui import call_scenes
from tests.ui.call_scenes import GOOD, NUMBER, POOR, bring_in, ended, media, ready, talk
from tests.ui.scenes import Scene

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def page(scene: Scene) -> TrunkPage:
    return ready(scene)


@pytest.fixture
def card(page: TrunkPage, scene: Scene) -> CallCard:
    """A call that is up, with the keys going to it."""
    card = talk(scene)
    card.take_focus()
    return card


def press(key: Qt.Key, qtbot: QtBot) -> None:
    """A key where the focus is."""
    focused = QApplication.focusWidget()
    assert focused
    qtbot.keyClick(focused, key)


def walk_to(button: QAbstractButton, key: Qt.Key, qtbot: QtBot) -> None:
    """Tab or Backtab from where the focus is to a button, at most once around the window."""
    qtbot.waitUntil(button.isVisible)
    seen: list[QWidget | None] = []
    while (focused := QApplication.focusWidget()) is not button:
        assert focused not in seen, f"{key.name} goes around without {button.text()}"
        seen.append(focused)
        press(key, qtbot)


def click(button: QAbstractButton, qtbot: QtBot) -> None:
    """A click on what can be seen."""
    qtbot.waitUntil(button.isVisible)
    qtbot.mouseClick(button, LEFT)


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


# Several calls


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


# Calls that come in


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


def test_enter_mutes_when_the_person_went_to_mute(card: CallCard, scene: Scene, qtbot: QtBot) -> None:
    card.live.buttons.hang_up.setFocus()
    walk_to(card.live.buttons.mute, Qt.Key.Key_Backtab, qtbot)
    press(Qt.Key.Key_Return, qtbot)
    scene.wait(lambda: bool(scene.desk.asked_for("mute")))
    assert not scene.desk.asked_for("hang_up")


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


# Sound


def test_what_is_sent_changes_in_this_call_only(card: CallCard, scene: Scene) -> None:
    card.live.send.setCurrentIndex(list(Source).index(Source.MICROPHONE))
    scene.wait(lambda: bool(scene.desk.asked_for("set_source")))
    assert scene.desk.asked_for("set_source") == [("office", "call-7", Source.MICROPHONE)]
    assert "send" not in scene.desk.settings


def test_quality_codec_and_protection_are_said_in_words(scene: Scene) -> None:
    call_scenes.call_poor(scene)
    card = scene.page().calls.cards[0]
    assert card.live.quality.text.text() == "Poor · MOS 2.7 · loss 8.2 % · jitter 31 ms · delay unknown"
    assert card.live.media.text() == "G.722 · not encrypted"
    assert card.live.far.text() == "The other side does not report how it hears us."
    assert card.live.plot.accessibleName().startswith("Quality of the last two minutes: MOS ")


def test_result_says_how_the_whole_call_sounded(scene: Scene) -> None:
    call_scenes.call_good_over(scene)
    card = scene.page().calls.cards[0]
    assert card.result
    assert card.result.quality.text.text().startswith("Good · MOS 4.4, at worst 4.3 · loss 0.1 %")
    assert "The other side hears us: good" in card.result.media.text()
    scene.wait(card.result.plot.isVisible)


def test_plot_is_painted_for_a_new_second_only(
    card: CallCard, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    updates: list[int] = []
    monkeypatch.setattr(card.live.plot, "update", lambda: updates.append(1))
    for _ in range(3):
        card.refresh()
    assert not updates
    before = len(card.call.series)
    scene.desk.tell(CallFigures(trunk_id="office", call_id="call-7", figures=media(2), quality=GOOD))
    scene.wait(lambda: len(card.call.series) == before + 1)
    assert len(updates) == 1


class _Layouts(QObject):
    """Counts how often a card is laid out."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self._quiet = 0

    def settled(self) -> bool:
        """Whether nothing was laid out for a while; asked again and again."""
        self._quiet = 0 if self.count else self._quiet + 1
        self.count = 0
        return self._quiet > 5

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() is QEvent.Type.LayoutRequest and isinstance(watched, CallCard)
        return False


@pytest.fixture
def layouts(qapp: QApplication) -> Iterator[_Layouts]:
    counter = _Layouts()
    qapp.installEventFilter(counter)
    yield counter
    qapp.removeEventFilter(counter)


def test_meters_move_without_laying_anything_out(
    card: CallCard, page: TrunkPage, scene: Scene, layouts: _Layouts
) -> None:
    heard = card.live.heard
    scene.wait(heard.isVisible)
    # The timer's words change with each second, and may
    page.calls.right._tick.stop()
    scene.wait(layouts.settled)
    for level in (-50.0, -9.0, None, -33.3):
        scene.desk.tell(CallMeters(trunk_id="office", call_id="call-7", tx_dbm0=level, rx_dbm0=level))
        words = "silent" if level is None else f"\N{MINUS SIGN}{abs(level):.0f} dBm0"
        scene.wait(lambda words=words: heard.words == words)
    assert layouts.count == 0


def test_unencrypted_sound_is_called_so_although_the_signalling_is_encrypted(scene: Scene) -> None:
    ready(scene, office())
    card = talk(scene)
    scene.desk.tell(CallFigures(trunk_id="office", call_id="call-7", figures=media(srtp=""), quality=POOR))
    scene.wait(lambda: card.live.media.text().endswith("sound not encrypted, only the signalling (TLS)"))


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


def test_hung_up_call_gives_the_keys_back_to_the_number(
    card: CallCard, page: TrunkPage, scene: Scene
) -> None:
    scene.desk.tell(ended(good_call(NUMBER, hung_up_by=HungUpBy.THEM)))
    scene.wait(page.calls.number.hasFocus)


# What is seen


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
