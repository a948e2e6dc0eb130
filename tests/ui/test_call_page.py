"""The call page: what is typed, what is sent, what is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.errors import EngineError
from app.model.call import CallState, Source
from app.model.outcome import Direction
from app.model.trunk import IdentityHeader, NumberFormat, TrunkState
from app.sip.notices import CallDigit, CallEnded, CallFigures, CallMeters, CallProgress, HistoryTrouble
from app.system_country import system_countries
from app.ui.trunk_page import TrunkPage
from app.ui.widgets.call_card import CallCard
from tests.helpers.office import figures, good_call, office, registered
from tests.ui.scene import Scene
from tests.ui.scenes import call_failed, in_call, incoming, incoming_elsewhere, one_way


@pytest.fixture
def page(scene: Scene) -> TrunkPage:
    """The call page of a registered trunk, ready to type."""
    scene.open(office())
    page = scene.sign_in()
    page.show_calls()
    return page


def _call(scene: Scene) -> tuple[TrunkPage, CallCard]:
    in_call(scene)
    page = scene.page()
    scene.wait(lambda: page.calls.cards[0].live.buttons.hang_up.hasFocus())
    return page, page.calls.cards[0]


def _has_focus(widget: QWidget) -> Callable[[], bool]:
    return lambda: QApplication.focusWidget() is widget


def test_line_says_how_the_number_will_be_sent(page: TrunkPage) -> None:
    page.calls.number.setText("+1 (514) 555-0199")
    assert page.calls.line == (
        "Will be sent as +15145550199 through Main office (montreal1.voip.example), "
        "caller ID +15145550100 in From"
    )


def test_line_shows_number_and_caller_id_as_the_provider_wants_them(scene: Scene) -> None:
    scene.open(
        office(
            country="CA",
            number_format=NumberFormat.E164,
            caller_id_format=NumberFormat.NANP_10,
            caller_id_header=(IdentityHeader.FROM, IdentityHeader.P_ASSERTED_IDENTITY),
        )
    )
    page = scene.page()
    page.show_calls()
    page.calls.number.setText("514 555 0199")
    assert page.calls.line == (
        "Will be sent as 15145550199 through Main office (montreal1.voip.example), "
        "caller ID 5145550100 in From, P-Asserted-Identity"
    )


def test_hash_is_shown_as_typed_not_as_escaped(page: TrunkPage) -> None:
    page.calls.number.setText("*98#")
    assert "as *98# through" in page.calls.line


def test_line_says_what_is_wrong_with_a_number(page: TrunkPage) -> None:
    page.calls.number.setText("555,,1")
    assert "can't be dialled" in page.calls.line


def test_emergency_number_is_refused_in_words_and_not_sent(
    page: TrunkPage, scene: Scene, qtbot: QtBot
) -> None:
    qtbot.keyClicks(page.calls.number, "911")
    qtbot.keyClick(page.calls.number, Qt.Key.Key_Return)
    assert "Ringback never dials it" in page.calls.refusal
    assert page.calls.line == "This number is not called."
    assert not scene.desk.asked_for("place_call")
    page.calls.number.setText("9115550100")
    assert not page.calls.refusal


def test_an_emergency_number_of_the_computers_country_is_refused_as_it_is_typed(
    page: TrunkPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.system_country._region", lambda: "CH")
    system_countries.cache_clear()
    page.calls.number.setText("117")
    assert "in Switzerland" in page.calls.refusal
    assert "this computer is set to Switzerland" in page.calls.refusal


def test_number_enter_and_escape_place_and_end_a_call(page: TrunkPage, scene: Scene, qtbot: QtBot) -> None:
    qtbot.keyClicks(page.calls.number, "600")
    qtbot.keyClick(page.calls.number, Qt.Key.Key_Return)
    scene.wait(lambda: bool(page.calls.cards) and page.calls.cards[0].call.state is CallState.ANSWERED)
    scene.wait(_has_focus(page.calls.cards[0].live.buttons.hang_up))
    focused = QApplication.focusWidget()
    assert focused
    qtbot.keyClick(focused, Qt.Key.Key_Escape)
    scene.wait(lambda: bool(page.watch.ended_calls))
    assert page.calls.cards[0].verdict == "This trunk works."
    scene.wait(page.calls.number.hasFocus)


def test_chosen_sound_and_length_go_with_the_call(page: TrunkPage, scene: Scene) -> None:
    page.calls.set_number("600")
    page.calls.panel.send.setCurrentIndex(list(Source).index(Source.SPEECH))
    page.calls.panel.length.setCurrentIndex(0)
    page.calls.place_call()
    scene.wait(lambda: bool(page.watch.active_calls))
    assert scene.desk.asked_for("place_call") == [("office", "600", 10.0, Source.SPEECH)]


def test_trunk_that_is_off_is_connected_first(scene: Scene) -> None:
    scene.open(office())
    page = scene.page()
    page.show_calls()
    page.calls.set_number("600")
    page.calls.place_call()
    scene.wait(lambda: bool(page.watch.active_calls))
    methods = [entry[0] for entry in scene.desk.asked]
    assert methods.index("connect") < methods.index("place_call")


def test_trunk_that_can_not_sign_in_leads_to_the_overview(scene: Scene) -> None:
    scene.open(office())
    scene.desk.outcomes["office"] = registered(
        office(), state=TrunkState.WRONG_CREDENTIALS, sip_code=401, reason="Unauthorized", challenges=2
    )
    page = scene.page()
    page.show_calls()
    page.calls.set_number("600")
    page.calls.place_call()
    scene.wait(lambda: page.tabs.currentWidget() is page.overview)
    assert not scene.desk.asked_for("place_call")
    assert "could not sign in: Wrong credentials" in page.calls.line


def test_error_of_the_desk_is_shown_on_the_page(page: TrunkPage, scene: Scene) -> None:
    scene.desk.refuse["place_call"] = EngineError("All four calls are in use.", do="Hang one up.")
    page.calls.set_number("600")
    page.calls.place_call()
    scene.wait(lambda: page.calls.refusal == "All four calls are in use. Hang one up.")
    assert page.calls.call_button.isEnabled()


def test_call_is_not_placed_twice_by_two_quick_presses(page: TrunkPage, scene: Scene) -> None:
    scene.desk.hold["place_call"] = asyncio.Event()
    page.calls.set_number("600")
    page.calls.place_call()
    page.calls.place_call()
    assert not page.calls.call_button.isEnabled()
    scene.desk.release("place_call")
    scene.wait(lambda: bool(page.watch.active_calls))
    assert len(scene.desk.asked_for("place_call")) == 1


def test_pad_types_the_number_while_no_call_is_up(page: TrunkPage, qtbot: QtBot) -> None:
    for digit in "5*#":
        qtbot.mouseClick(page.calls.pad.keys[digit], Qt.MouseButton.LeftButton)
    assert page.calls.number.text() == "5*#"


def test_pad_and_keys_send_digits_in_a_call(scene: Scene, qtbot: QtBot) -> None:
    page, card = _call(scene)
    qtbot.mouseClick(page.calls.pad.keys["7"], Qt.MouseButton.LeftButton)
    qtbot.keyClick(card.live.buttons.hang_up, Qt.Key.Key_8)
    scene.wait(lambda: len(scene.desk.asked_for("send_digits")) == 2)
    assert [digits for *_, digits in scene.desk.asked_for("send_digits")] == ["7", "8"]
    assert "Digits sent: 78" in card.digits.text()
    assert page.calls.number.text() == "15145550199"


def test_card_shows_state_timer_and_figures(scene: Scene) -> None:
    _, card = _call(scene)
    assert card.state.startswith("In call  0:0")
    assert card.live.figures.values() == {
        "Codec": "G.711 µ-law",
        "Loss": "0.0 %",
        "Jitter": "0.4 ms",
        "Round trip": "1.2 ms",
        "Echo after": "140 ms",
        "Packets out / in": "300 / 300",
    }


def test_timer_goes_on_while_in_call_and_stops_after(scene: Scene) -> None:
    page, card = _call(scene)
    card.call.answered_at = (card.call.answered_at or 0.0) - 65
    scene.wait(lambda: card.state.startswith("In call  1:0"))
    page.calls.hang_up_newest()
    scene.wait(lambda: not page.calls.right._tick.isActive())


def test_meters_follow_the_levels(scene: Scene) -> None:
    _, card = _call(scene)
    call_id = card.call.call_id
    scene.desk.tell(CallMeters(trunk_id="office", call_id=call_id, tx_dbm0=-9.6, rx_dbm0=None))
    scene.wait(lambda: card.live.sent.words == "\N{MINUS SIGN}10 dBm0")
    assert card.live.heard.words == "silent"
    assert card.live.heard.peak_dbm0 == pytest.approx(-17.0)


def test_sound_can_be_changed_in_the_call(scene: Scene) -> None:
    _, card = _call(scene)
    card.live.send.setCurrentIndex(list(Source).index(Source.SILENCE))
    scene.wait(lambda: bool(scene.desk.asked_for("set_source")))
    assert scene.desk.asked_for("set_source")[0] == ("office", card.call.call_id, Source.SILENCE)


def test_digits_received_are_shown(scene: Scene) -> None:
    _, card = _call(scene)
    for digit in "42":
        scene.desk.tell(CallDigit(trunk_id="office", call_id=card.call.call_id, digit=digit))
    scene.wait(lambda: card.digits.text() == "Digits received: 42")


def test_incoming_call_shows_who_calls_and_what_number_and_can_be_answered(
    scene: Scene, qtbot: QtBot
) -> None:
    incoming(scene)
    card = scene.page().calls.cards[0]
    assert card._number.text() == "From Anna Smith, +493012345678"
    assert card._called.text() == "Number called: +15145550100 (sip:+15145550100@203.0.113.7)"
    assert card.incoming
    qtbot.mouseClick(card.incoming.answer, Qt.MouseButton.LeftButton)
    scene.wait(lambda: scene.desk.asked_for("answer") == [("office", "in-1")])


def test_incoming_call_can_be_declined_with_escape(scene: Scene, qtbot: QtBot) -> None:
    incoming(scene)
    qtbot.keyClick(scene.page().calls.number, Qt.Key.Key_Escape)
    scene.wait(lambda: scene.desk.asked_for("reject") == [("office", "in-1", 603)])


def test_incoming_call_elsewhere_is_announced_and_led_to(scene: Scene) -> None:
    incoming_elsewhere(scene)
    banner = scene.window.banner
    assert banner.words == "Incoming call on Main office from Anna Smith, +493012345678."
    banner._button.click()
    assert scene.window.chosen is scene.page("office")
    assert scene.page().shows_calls


def test_announcement_goes_when_the_caller_gives_up(scene: Scene) -> None:
    incoming_elsewhere(scene)
    outcome = good_call('"Anna Smith" <sip:+493012345678@provider.example>', duration_s=0.0)
    scene.desk.tell(CallEnded(trunk_id="office", call_id="in-1", direction=Direction.IN, outcome=outcome))
    scene.wait(lambda: not scene.window.banner.words)


def test_what_was_told_while_it_rang_outlasts_the_announcement(scene: Scene) -> None:
    incoming_elsewhere(scene)
    banner = scene.window.banner
    announced = banner.words
    scene.desk.tell(HistoryTrouble(trunk_id="", words="A call could not be entered in the history."))
    scene.wait(lambda: banner.words == f"{announced}\nA call could not be entered in the history.")
    assert banner._button.isVisible()
    outcome = good_call('"Anna Smith" <sip:+493012345678@provider.example>', duration_s=0.0)
    scene.desk.tell(CallEnded(trunk_id="office", call_id="in-1", direction=Direction.IN, outcome=outcome))
    scene.wait(lambda: banner.words == "A call could not be entered in the history.")
    assert not banner._button.isVisible()


def test_failed_call_shows_its_finding_and_leads_to_the_setting(scene: Scene) -> None:
    call_failed(scene)
    page = scene.page()
    card = page.calls.cards[0]
    assert "caller ID" in card.verdict
    assert "403 Caller ID not allowed" in card.story
    card.field_asked.emit(card.call.findings[0].field)
    assert page.settings
    assert page.shows_settings
    scene.wait(_has_focus(page.settings.form.rows["caller_id"].input))


def test_call_without_sound_coming_in_does_not_count_as_working(scene: Scene) -> None:
    one_way(scene)
    card = scene.page().calls.cards[0]
    assert "does not work" in card.verdict
    assert card.result
    assert card.result.figures.values()["Loss"] == "\N{EN DASH}"


def test_details_can_be_copied(scene: Scene) -> None:
    call_failed(scene)
    result = scene.page().calls.cards[0].result
    assert result
    result.copy.click()
    text = QGuiApplication.clipboard().text()
    assert "SIP: 403 Caller ID not allowed" in text
    assert "Trunk: Main office" in text
    assert f"{scene.page().watch.ended_calls[0].findings[0].id} (fail)" in text


def test_only_the_last_results_stay(page: TrunkPage, scene: Scene) -> None:
    for number in range(7):
        outcome = good_call(str(number))
        scene.desk.tell(
            CallEnded(trunk_id="office", call_id=f"c{number}", direction=Direction.OUT, outcome=outcome)
        )
    scene.wait(lambda: bool(page.calls.cards) and page.calls.cards[0].call.number == "6")
    assert [card.call.number for card in page.calls.cards] == ["6", "5", "4", "3"]


def test_result_can_be_removed(page: TrunkPage, scene: Scene) -> None:
    scene.desk.tell(CallEnded(trunk_id="office", call_id="a", direction=Direction.OUT, outcome=good_call()))
    scene.wait(lambda: bool(page.calls.cards))
    page.calls.cards[0]._dismiss.click()
    assert not page.calls.cards
    assert page.calls.right.empty.isVisible()


def test_call_id_of_an_earlier_connection_starts_a_card_of_its_own(page: TrunkPage, scene: Scene) -> None:
    scene.desk.tell(
        CallEnded(trunk_id="office", call_id="call-1", direction=Direction.OUT, outcome=good_call("1")),
        CallProgress(
            trunk_id="office",
            call_id="call-1",
            direction=Direction.OUT,
            state=CallState.CALLING,
            number="2",
        ),
    )
    scene.wait(lambda: len(page.calls.cards) == 2)
    assert [card.call.number for card in page.calls.cards] == ["2", "1"]


def test_figures_of_a_call_that_is_over_are_dropped(page: TrunkPage, scene: Scene) -> None:
    scene.desk.tell(
        CallEnded(trunk_id="office", call_id="a", direction=Direction.OUT, outcome=good_call()),
        CallFigures(trunk_id="office", call_id="a", figures=figures(packets=1)),
    )
    scene.wait(lambda: bool(page.calls.cards))
    result = page.calls.cards[0].result
    assert result
    assert result.figures.values()["Packets out / in"] == "300 / 300"
