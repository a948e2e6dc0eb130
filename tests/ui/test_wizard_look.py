"""How the wizard looks and where its keys go: edges, lines, the way of the Tab key."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QWidget, QWizard
from pytestqt.qtbot import QtBot

from app.ui.style import GRID
from app.ui.widgets.fold import Fold
from app.ui.widgets.text import Text
from app.ui.wizards.add_trunk import AddTrunkWizard
from tests.ui.scene import Scene
from tests.ui.wizard_hands import focused, open_wizard
from tests.ui.wizard_scenes import (
    wizard_errors,
    wizard_long_labels,
    wizard_nearest,
    wizard_numbers,
    wizard_providers,
    wizard_unregistered,
    wizard_wrong_password,
)

# The offscreen plugin says so of every window of a fixed size
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)

_Button = QWizard.WizardButton


ALL_PAGES = pytest.mark.parametrize(
    "play",
    [
        wizard_providers,
        wizard_errors,
        wizard_nearest,
        wizard_numbers,
        wizard_unregistered,
        wizard_wrong_password,
    ],
)


@ALL_PAGES
@pytest.mark.parametrize("key", [Qt.Key.Key_Tab, Qt.Key.Key_Backtab])
def test_tab_goes_round_through_all_of_a_page(
    key: Qt.Key, play: Callable[[Scene], None], scene: Scene, qtbot: QtBot
) -> None:
    play(scene)
    wizard = scene.window.stack.wizard
    assert wizard
    expected = _stops(scene, wizard)
    expected[0].setFocus()
    seen = [expected[0]]
    for _ in range(40):
        qtbot.keyClick(focused(), key)
        if focused() is expected[0]:
            break
        seen.append(focused())
    if key == Qt.Key.Key_Backtab:
        seen[1:] = reversed(seen[1:])
    assert [stop for stop in seen if wizard.isAncestorOf(stop)] == expected


def _stops(scene: Scene, wizard: AddTrunkWizard) -> list[QWidget]:
    """Where the Tab key is to stop, in order."""
    scene.wait(lambda: all(fold.isVisible() for fold in wizard.step_page.findChildren(Fold)))
    buttons = (_Button.BackButton, _Button.NextButton, _Button.FinishButton, _Button.CancelButton)
    stops = [*wizard.step_page.stops, *map(wizard.button, buttons)]
    return [stop for stop in stops if stop.isVisible() and stop.isEnabled()]


@ALL_PAGES
def test_each_stop_shows_that_the_keys_go_there(
    play: Callable[[Scene], None], scene: Scene, qtbot: QtBot
) -> None:
    play(scene)
    wizard = scene.window.stack.wizard
    assert wizard
    stops = _stops(scene, wizard)
    stops[-1].setFocus()
    without = [stop.grab().toImage() for stop in stops[:-1]]
    stops[0].setFocus()
    # A style may mark only what the keys have led to
    qtbot.keyClick(stops[0], Qt.Key.Key_Backtab)
    qtbot.keyClick(focused(), Qt.Key.Key_Tab)
    for stop, image in zip(stops, without, strict=False):
        assert stop.hasFocus()
        assert stop.grab().toImage() != image, stop.accessibleName()
        qtbot.keyClick(stop, Qt.Key.Key_Tab)


@pytest.mark.parametrize("play", [wizard_numbers, wizard_long_labels, wizard_wrong_password])
def test_no_line_is_cut_off_in_a_wide_and_low_window(play: Callable[[Scene], None], scene: Scene) -> None:
    play(scene)
    wizard = scene.window.stack.wizard
    assert wizard
    scene.window.resize(1600, 480)

    def uncut() -> bool:
        texts = [text for text in wizard.step_page.findChildren(Text) if text.isVisible() and text.wordWrap()]
        return bool(texts) and all(text.height() >= text.heightForWidth(text.width()) for text in texts)

    scene.wait(lambda: scene.window.width() == 1600 and uncut())


def test_buttons_end_where_the_page_ends(scene: Scene) -> None:
    window = scene.open()
    wizard = open_wizard(scene)
    cancel = wizard.button(_Button.CancelButton)
    scene.wait(lambda: cancel.mapTo(window, cancel.rect().topRight()).x() == window.width() - 1 - 3 * GRID)
    search = wizard.provider_page.search
    assert search.mapTo(window, QPoint()).x() == 3 * GRID
