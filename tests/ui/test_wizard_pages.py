"""The wizard's pages with more than fields: servers, numbers, the list of providers."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QWizard
from pytestqt.qtbot import QtBot

from app.flows.add_trunk import OTHER
from app.flows.form import PASSWORD
from app.providers import catalogue
from app.ui.widgets.text import Text
from tests.ui.scene import Scene
from tests.ui.wizard_desk import hold, near
from tests.ui.wizard_hands import OTHER_ONE, VOIPMS, focused, form_of, go_on, open_wizard, press

# The offscreen plugin says so of every window of a fixed size
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)

_Button = QWizard.WizardButton


def test_nearest_server_is_chosen_and_another_one_can_be(scene: Scene, qtbot: QtBot) -> None:
    scene.open()
    wizard = go_on(scene, "voipms", VOIPMS, 2)
    before = wizard.flow.settings()["host"]
    near(scene, wizard)
    panel = wizard.server_page.nearest
    qtbot.mouseClick(panel.find_button, Qt.MouseButton.LeftButton)
    scene.wait(lambda: not panel.running and panel.table.rowCount() > 1)
    first = panel.table.item(0, 0)
    assert first
    assert wizard.flow.settings()["host"] == first.text() != before
    qtbot.keyClick(panel.table, Qt.Key.Key_Down)
    second = panel.table.item(1, 0)
    assert second
    assert wizard.flow.settings()["host"] == second.text()
    times = [panel.table.model().index(row, 2).data() for row in range(panel.table.rowCount())]
    silent = [not words.endswith(" ms") for words in times]
    assert silent == sorted(silent)
    assert sum(silent) == 2


@pytest.mark.parametrize("answer_comes", [True, False])
def test_server_list_is_seen_whole_in_the_smallest_window(
    answer_comes: bool, scene: Scene, qtbot: QtBot
) -> None:
    window = scene.open()
    window.resize(window.minimumSize())
    wizard = go_on(scene, "voipms", VOIPMS, 2)
    if answer_comes:
        near(scene, wizard)
    panel = wizard.server_page.nearest
    qtbot.mouseClick(panel.find_button, Qt.MouseButton.LeftButton)
    scene.wait(lambda: panel.table.visibleRegion().boundingRect().size() == panel.table.size())


def test_no_server_that_answers_is_told_and_none_is_chosen(scene: Scene, qtbot: QtBot) -> None:
    scene.open()
    wizard = go_on(scene, "voipms", VOIPMS, 2)
    before = wizard.flow.settings()["host"]
    panel = wizard.server_page.nearest
    qtbot.mouseClick(panel.find_button, Qt.MouseButton.LeftButton)
    scene.wait(lambda: "No server answered." in panel.words)
    assert wizard.flow.settings()["host"] == before


def test_servers_are_named_with_what_is_typed_in_place_of_braces(scene: Scene, qtbot: QtBot) -> None:
    scene.open()
    wizard = go_on(scene, "vonage", {"user": "office", PASSWORD: "Example-Secret-1"}, 2)
    rows = form_of(wizard).form.rows
    combo = rows["server"].input
    assert isinstance(combo, QComboBox)
    assert combo.itemText(0).startswith("….sip-us.")
    rows["trunk"].focus()
    qtbot.keyClicks(focused(), "my-company")
    assert combo.itemText(0).startswith("my-company.sip-us.")
    assert wizard.flow.settings()["host"].startswith("my-company.sip-us.")


def test_search_for_the_nearest_can_be_stopped(scene: Scene, qtbot: QtBot) -> None:
    scene.open()
    wizard = go_on(scene, "voipms", VOIPMS, 2)
    before = wizard.flow.settings()["host"]
    hold(scene, "find_nearest")
    panel = wizard.server_page.nearest
    qtbot.mouseClick(panel.find_button, Qt.MouseButton.LeftButton)
    scene.wait(lambda: bool(scene.desk.asked_for("find_nearest")))
    qtbot.mouseClick(panel.stop_button, Qt.MouseButton.LeftButton)
    assert not panel.running
    assert panel.words == "Stopped before any server answered."
    assert panel.find_button.isVisible()
    scene.desk.release("find_nearest")
    press(qtbot, wizard, _Button.NextButton)
    assert wizard.flow.settings()["host"] == before


@pytest.mark.parametrize(
    ("number", "says"),
    [
        ("(514) 555-0199", "We send 15145550199, caller ID 5145550100 in "),
        ("112", "emergency"),
        ("", "Nothing is called."),
    ],
)
def test_line_shows_what_would_be_sent(number: str, says: str, scene: Scene, qtbot: QtBot) -> None:
    scene.open()
    wizard = go_on(scene, "voipms", VOIPMS, 3)
    page = wizard.numbers_page
    qtbot.keyClicks(page.number, number)
    assert says in page.preview
    assert not scene.desk.asked_for("place_call")


def test_country_is_chosen_by_its_name(scene: Scene, qtbot: QtBot) -> None:
    scene.open()
    wizard = go_on(scene, OTHER, OTHER_ONE, 3)
    row = form_of(wizard).form.rows["country"]
    assert isinstance(row.input, QComboBox)
    assert row.input.currentText() == "Not chosen"
    row.focus()
    qtbot.keyClicks(row.input, "germ")
    assert row.input.currentText() == "Germany"
    assert wizard.flow.settings()["country"] == "DE"
    names = [row.input.itemText(at) for at in range(1, row.input.count())]
    assert names.index("Åland Islands") < names.index("Albania") < names.index("Zimbabwe")


def test_numbers_are_asked_for_as_they_are_typed(scene: Scene) -> None:
    scene.open()
    wizard = go_on(scene, OTHER, OTHER_ONE, 3)
    assert "one in each line" in form_of(wizard).form.rows["dids"].note


# The list


def test_search_finds_by_country_and_keeps_other_and_demo(scene: Scene, qtbot: QtBot) -> None:
    scene.open()
    page = open_wizard(scene).provider_page
    qtbot.keyClicks(page.search, "united kingdom")
    assert "gamma" in page.list.ids()
    assert "voipms" not in page.list.ids()
    page.search.setText("no such provider")
    assert not page.list.ids()
    assert page.more.ids() == [OTHER, "demo"]
    assert not scene.window.stack.wizard.button(_Button.NextButton).isEnabled()  # type: ignore[union-attr]  # it was just opened


def test_search_for_a_country_puts_its_providers_under_it(scene: Scene, qtbot: QtBot) -> None:
    scene.open()
    page = open_wizard(scene).provider_page
    qtbot.keyClicks(page.search, "united kingdom")
    headings = [
        page.list.item(row).text() for row in range(page.list.count()) if not page.list.item(row).flags()
    ]
    assert headings == ["United Kingdom"]
    assert len(page.list.ids()) > 1


def test_escape_empties_the_search_before_it_cancels(scene: Scene, qtbot: QtBot) -> None:
    window = scene.open()
    page = open_wizard(scene).provider_page
    qtbot.keyClicks(page.search, "gamma")
    qtbot.keyClick(page.search, Qt.Key.Key_Escape)
    assert not page.search.text()
    assert window.stack.wizard
    qtbot.keyClick(page.search, Qt.Key.Key_Escape)
    assert window.stack.wizard is None


def test_chosen_row_stays_in_sight_when_the_window_gets_smaller(scene: Scene) -> None:
    window = scene.open()
    window.resize(960, 900)
    page = open_wizard(scene).provider_page
    page.choose(page.list.ids()[-1])
    window.resize(960, 640)
    (item,) = page.list.selectedItems()
    scene.wait(lambda: window.height() == 640)
    assert page.list.viewport().rect().contains(page.list.visualItemRect(item))


def test_choice_that_the_search_hides_is_no_choice_any_more(scene: Scene, qtbot: QtBot) -> None:
    scene.open()
    page = open_wizard(scene).provider_page
    page.choose("voipms")
    qtbot.keyClicks(page.search, "gamma")
    assert page.chosen is None


def test_arrow_keys_go_from_the_search_through_both_lists(scene: Scene, qtbot: QtBot) -> None:
    scene.open()
    page = open_wizard(scene).provider_page
    qtbot.keyClicks(page.search, "gamma")
    for expected in ("gamma", OTHER, "demo"):
        qtbot.keyClick(focused(), Qt.Key.Key_Down)
        assert page.chosen == expected
    for expected in (OTHER, "gamma"):
        qtbot.keyClick(focused(), Qt.Key.Key_Up)
        assert page.chosen == expected
    qtbot.keyClick(focused(), Qt.Key.Key_Up)
    assert page.search.hasFocus()


def test_thin_facts_are_said_with_the_month_they_are_from(scene: Scene) -> None:
    scene.open()
    page = open_wizard(scene).provider_page
    thin = next(provider for provider in catalogue.providers() if provider.thin)
    page.choose(thin.id)

    def shown(words: str) -> bool:
        return any(words in text.text() for text in page.findChildren(Text) if text.isVisible())

    scene.wait(lambda: shown(thin.thin))
    scene.wait(lambda: shown(thin.checked))


def test_demo_carrier_is_among_the_choices(scene: Scene, qtbot: QtBot) -> None:
    window = scene.open()
    wizard = open_wizard(scene)
    wizard.provider_page.choose("demo")
    press(qtbot, wizard, _Button.NextButton)
    assert window.stack.wizard is None
    scene.wait(lambda: bool(scene.desk.asked_for("start_demo")))
