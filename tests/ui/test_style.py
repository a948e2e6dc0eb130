"""Colours, icons and words follow the palette and can be read."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QStyle, QStyleOptionTab, QWidget
from pytestqt.qtbot import QtBot

import app
from app.model.call import CallState, Source
from app.model.outcome import Direction, HungUpBy
from app.model.trunk import TrunkState
from app.ui import words
from app.ui.icons import app_icon, icon, pixmap
from app.ui.style import Tone, contrast, fill_colour, quiet_colour, readable_pair, tone_colour
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.check_box import CheckBox
from app.ui.widgets.level_meter import FLOOR_DBM0, LevelMeter
from app.ui.widgets.tabs import Tabs
from app.ui.widgets.text import Text
from tests.ui.palette import dark_palette

ICONS = sorted(path.stem for path in (Path(app.__file__).parent / "resources" / "icons").glob("*.svg"))
READABLE = 4.5
"""WCAG 2.2, 1.4.3, for text of the usual size."""


@pytest.fixture(params=["light", "dark"])
def palette(request: pytest.FixtureRequest, qapp: QApplication) -> QPalette:
    return dark_palette() if request.param == "dark" else QPalette(QColor("#efefef"))


@pytest.mark.parametrize("tone", [Tone.GOOD, Tone.WARNING, Tone.BAD, Tone.QUIET])
def test_tones_can_be_read_on_page_and_card(palette: QPalette, tone: Tone) -> None:
    for ground in (QPalette.ColorRole.Window, QPalette.ColorRole.Base):
        assert contrast(tone_colour(palette, tone), palette.color(ground)) >= READABLE
    assert contrast(quiet_colour(palette), palette.color(QPalette.ColorRole.Window)) >= READABLE


@pytest.mark.parametrize("tone", [Tone.ACCENT, Tone.GOOD, Tone.BAD])
def test_words_on_filled_buttons_can_be_read(palette: QPalette, tone: Tone) -> None:
    ground, text = readable_pair(fill_colour(palette, tone))
    assert contrast(ground, text) >= READABLE


@pytest.mark.parametrize("accent", ["#ffd400", "#308cc6", "#000080", "#ffffff", "#7f7f7f"])
def test_any_accent_of_the_system_gets_words_that_can_be_read(accent: str) -> None:
    ground, text = readable_pair(QColor(accent))
    assert contrast(ground, text) >= READABLE


@pytest.mark.parametrize("name", ICONS)
def test_icon_is_drawn_in_the_colour_asked_for(name: str, qapp: QApplication) -> None:
    image = pixmap(name, QColor("#ff0000"), 24, 2.0).toImage()
    assert image.width() == 48
    assert any(image.pixelColor(x, y).alpha() > 128 for x in range(48) for y in range(48))
    if name != "app":
        seen = {
            image.pixelColor(x, y).name()
            for x in range(48)
            for y in range(48)
            if image.pixelColor(x, y).alpha() == 255
        }
        assert seen <= {"#ff0000"}


def test_missing_icon_is_an_error(qapp: QApplication) -> None:
    with pytest.raises(FileNotFoundError):
        icon("no-such-icon")


def test_program_has_an_icon(qapp: QApplication) -> None:
    assert not app_icon().isNull()


def test_text_follows_a_change_of_palette(qapp: QApplication, qtbot: QtBot) -> None:
    text = Text("x", tone=Tone.BAD)
    button = IconButton("x", "copy")
    qtbot.addWidget(text)
    qtbot.addWidget(button)
    text.show()
    button.show()
    before = text.palette().color(QPalette.ColorRole.WindowText)
    drawn = button.icon().pixmap(16, 16).toImage()
    light = QPalette(qapp.palette())
    qapp.setPalette(dark_palette())
    try:
        qtbot.waitUntil(lambda: text.palette().color(QPalette.ColorRole.WindowText) != before)
        qtbot.waitUntil(lambda: button.icon().pixmap(16, 16).toImage() != drawn)
    finally:
        qapp.setPalette(light)
    qtbot.waitUntil(lambda: text.palette().color(QPalette.ColorRole.WindowText) == before)


def test_icon_of_a_button_is_as_dim_as_its_words(qapp: QApplication, qtbot: QtBot) -> None:
    light = QPalette(qapp.palette())
    qapp.setPalette(dark_palette())
    try:
        button = IconButton("x", "call")
        qtbot.addWidget(button)
        bright = _brightest(button)
        button.setEnabled(False)
        words = button.palette().color(QPalette.ColorRole.ButtonText).lightness()
        assert _brightest(button) <= words < bright
        button.setEnabled(True)
        assert _brightest(button) == bright
    finally:
        qapp.setPalette(light)


def test_words_of_a_tab_have_room(qtbot: QtBot) -> None:
    tabs = Tabs("Pages")
    qtbot.addWidget(tabs)
    for name in ("Chosen", "Settings"):
        tabs.addTab(QWidget(), name)
    tabs.show()
    bar = tabs.tabBar()
    option = QStyleOptionTab()
    bar.initStyleOption(option, 1)
    room = bar.style().subElementRect(QStyle.SubElement.SE_TabBarTabText, option, bar)
    assert room.height() >= bar.fontMetrics().height()


@pytest.mark.parametrize("checked", [False, True])
def test_check_box_is_seen_in_the_dark(checked: bool, qapp: QApplication, qtbot: QtBot) -> None:
    light = QPalette(qapp.palette())
    qapp.setPalette(dark_palette())
    try:
        box = CheckBox("")
        qtbot.addWidget(box)
        box.setChecked(checked)
        image = box.grab().toImage()
        ground = box.palette().color(QPalette.ColorRole.Window)
        middle = [image.pixelColor(x, image.height() // 2) for x in range(image.width())]
        left_edge = next(colour for colour in middle if colour != ground)
        assert contrast(left_edge, ground) >= 3
    finally:
        qapp.setPalette(light)


def _brightest(button: IconButton) -> int:
    image = button.icon().pixmap(16, 16).toImage()
    found = (image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height()))
    return max(colour.lightness() for colour in found if colour.alpha() == 255)


def test_text_reads_no_markup(qtbot: QtBot) -> None:
    text = Text("<b>403</b>", wrap=False)
    qtbot.addWidget(text)
    plain = Text("403", wrap=False)
    qtbot.addWidget(plain)
    assert text.sizeHint().width() > 2 * plain.sizeHint().width()


def test_meter_holds_its_peak_then_lets_it_fall(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    meter = LevelMeter()
    qtbot.addWidget(meter)
    now = 100.0
    monkeypatch.setattr("app.ui.widgets.level_meter.time.monotonic", lambda: now)
    meter.set_level(-10.0)
    now += 1.0
    meter.set_level(-40.0)
    assert meter.peak_dbm0 == -10.0
    now += 1.5
    meter.set_level(-40.0)
    assert -35.0 < meter.peak_dbm0 < -20.0
    now += 5.0
    meter.set_level(None)
    assert meter.peak_dbm0 == FLOOR_DBM0


def test_meter_keeps_levels_outside_its_range_inside(qtbot: QtBot) -> None:
    meter = LevelMeter()
    qtbot.addWidget(meter)
    meter.set_level(3.14)
    assert meter.peak_dbm0 == 0.0
    meter.set_level(-120.0)
    assert not meter.grab().isNull()


def test_every_value_has_a_word() -> None:
    for state in TrunkState:
        assert words.trunk_state_word(state)
        assert state in words.TRUNK_TONES
    for call_state in CallState:
        assert words.call_state_words(call_state, Direction.OUT)
    for source in Source:
        assert words.source_word(source)
    for by in HungUpBy:
        assert bool(words.hung_up_words(by)) is (by is not HungUpBy.NOBODY)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ('"Anna Smith" <sip:+4930@example.com>', "Anna Smith, +4930"),
        ("Anna <sip:anna@example.com;user=phone>", "Anna, anna"),
        ("<sip:+4930@example.com:5060>", "+4930"),
        ("sip:+4930@example.com", "+4930"),
        ("tel:+4930", "+4930"),
        ('"4930" <sip:4930@example.com>', "4930"),
        ("+4930", "+4930"),
        ("", ""),
    ],
)
def test_caller_is_shown_for_people(address: str, shown: str) -> None:
    assert words.caller_words(address) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.0, "0:00"), (6.9, "0:06"), (65.0, "1:05"), (3723.0, "1:02:03")]
)
def test_length_of_a_call_is_shown_as_a_clock(seconds: float, shown: str) -> None:
    assert words.clock(seconds) == shown
