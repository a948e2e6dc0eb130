"""A country is chosen by its name, and saved as its two letters."""

from __future__ import annotations

from PySide6.QtWidgets import QComboBox
from pytestqt.qtbot import QtBot

from app.flows.fields import setting_field
from app.model.countries import COUNTRIES
from app.ui.countries import country_name, with_countries
from tests.helpers.office import office
from tests.ui.scene import Scene


def test_every_country_has_a_name_of_its_own() -> None:
    field = with_countries(setting_field("country"))
    assert set(field.choices) == {"", *COUNTRIES}
    assert len(set(field.words)) == len(field.words)
    assert not set(field.words) & COUNTRIES


def test_names_with_accents_stand_where_they_are_looked_for() -> None:
    words = with_countries(setting_field("country")).words
    assert words.index("Albania") > words.index("Åland Islands") > words.index("Afghanistan")
    assert words.index("Turkmenistan") > words.index("Türkiye") > words.index("Tunisia")


def test_other_fields_stay_as_they_are() -> None:
    field = setting_field("caller_id")
    assert with_countries(field) is field


def test_code_that_is_none_is_its_own_name() -> None:
    assert country_name("QQ") == "QQ"


def test_country_of_a_trunk_is_changed_by_name(scene: Scene, qtbot: QtBot) -> None:
    scene.open(office(country="CA"))
    page = scene.page()
    page.show_field("country")
    assert page.settings
    row = page.settings.form.rows["country"]
    assert isinstance(row.input, QComboBox)
    assert row.input.currentText() == "Canada"
    qtbot.keyClicks(row.input, "aus")
    assert row.input.currentText() == "Australia"
    page.settings.save_button.click()
    scene.wait(lambda: scene.window.trunks.watches[0].trunk.country == "AU")


def test_country_that_the_provider_has_is_told_by_name(scene: Scene) -> None:
    scene.open(office(provider="voipms", country="DE"))
    page = scene.page()
    page.show_field("country")
    assert page.settings
    line = page.settings.form.rows["country"].origin_line
    assert line
    assert line.words == "Changed; VoIP.ms: Canada"
