"""The overview: state with cause, what to do about trouble, connecting and disconnecting."""

from __future__ import annotations

import asyncio

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QLabel

from app.errors import EngineError
from app.model.trunk import TrunkState
from app.sip.notices import TrunkChanged
from app.ui.certificate_question import CertificateQuestion
from tests.helpers.office import office, registered
from tests.ui.scene import Scene
from tests.ui.trunk_scenes import (
    certificate_refused,
    no_password,
    registered_trunk,
    unreachable,
    wrong_password,
)


def test_trunk_that_is_off_offers_to_connect(scene: Scene) -> None:
    scene.open(office())
    overview = scene.page().overview
    assert overview.headline == "Main office is off."
    assert overview.connect_button.isVisible()
    assert not overview.disconnect_button.isVisible()


def test_connecting_leads_to_registered_with_the_round_trip(scene: Scene) -> None:
    scene.open(office())
    page = scene.page()
    page.overview.connect_button.click()
    scene.wait(lambda: page.watch.state is TrunkState.REGISTERED)
    assert page._badge.accessibleName() == "Registered · 38 ms"
    assert "registered" in page.overview.headline
    assert page.overview.disconnect_button.isVisible()
    assert not page.overview.connect_button.isVisible()


def test_facts_of_the_trunk_are_listed(scene: Scene) -> None:
    registered_trunk(scene)
    facts = {key: label.text() for key, label in scene.page().overview._facts.items()}
    assert facts == {
        "state": "Registered · 38 ms",
        "server": "montreal1.voip.example:5061  TLS",
        "user": "123456_desk",
        "caller": "+15145550100",
        "codecs": "G.711 µ-law, G.711 A-law, G.722",
        "expires": "renewed every 300 s; answered in 38 ms",
    }


def test_connecting_can_be_cancelled(scene: Scene) -> None:
    scene.open(office())
    scene.desk.hold["connect"] = asyncio.Event()
    page = scene.page()
    page.overview.connect_button.click()
    scene.wait(lambda: page.watch.state is TrunkState.CONNECTING)
    assert page.overview.disconnect_button.text() == "Cancel"
    page.overview.disconnect_button.click()
    scene.wait(lambda: page.watch.state is TrunkState.OFF)
    assert page.overview.connect_button.isVisible()


def test_disconnecting_goes_back_to_off(scene: Scene) -> None:
    scene.open(office())
    page = scene.sign_in()
    page.overview.disconnect_button.click()
    scene.wait(lambda: page.watch.state is TrunkState.OFF)
    assert page.overview.headline == "Main office is off."


def test_wrong_password_says_what_to_do_and_leads_to_the_field(scene: Scene) -> None:
    wrong_password(scene)
    page = scene.page("warehouse")
    assert page.overview.headline == "This trunk does not work: wrong user name or password."
    finding = page.overview._findings.findings[0]
    assert finding.do
    assert finding.field == "password"
    page.overview._findings.field_asked.emit(finding.field)
    assert page.settings
    assert page.shows_settings
    password = page.settings.form.password.input.line
    scene.wait(lambda: QApplication.focusWidget() is password)


def test_unreachable_server_offers_to_try_again_and_to_copy_details(scene: Scene) -> None:
    unreachable(scene)
    overview = scene.page().overview
    assert overview.connect_button.text() == "Try again"
    overview._copy.click()
    text = QGuiApplication.clipboard().text()
    assert "Tried: tls 192.0.2.10:5061 (montreal1.voip.example)" in text
    assert "Answered by: local no answer" in text


def test_missing_password_leads_to_the_setting(scene: Scene) -> None:
    no_password(scene)
    page = scene.page()
    assert page.overview.headline == "No password is known for Main office."
    page.overview._fix.click()
    assert page.settings
    password = page.settings.form.password.input.line
    scene.wait(lambda: QApplication.focusWidget() is password)


def test_engine_that_does_not_start_is_told_with_what_to_do(scene: Scene) -> None:
    scene.open(office())
    scene.desk.outcomes["office"] = EngineError("The engine could not be started.", do="Free some memory.")
    page = scene.page()
    page.overview.connect_button.click()
    scene.wait(lambda: page.overview.headline == "The engine could not be started.")
    assert page.overview._cause.text() == "Free some memory."


def test_error_is_forgotten_once_the_state_changes(scene: Scene) -> None:
    scene.open(office())
    scene.desk.outcomes["office"] = EngineError("The engine could not be started.")
    page = scene.page()
    page.overview.connect_button.click()
    scene.wait(lambda: page.overview.headline == "The engine could not be started.")
    scene.desk.tell(
        TrunkChanged(
            trunk_id="office", state=TrunkState.REGISTERED, cause="200 OK", outcome=registered(office())
        )
    )
    scene.wait(lambda: "registered" in page.overview.headline)


@pytest.mark.parametrize("state", list(TrunkState))
def test_every_state_has_a_shape_a_word_and_a_headline(scene: Scene, state: TrunkState) -> None:
    scene.open(office())
    page = scene.page()
    scene.desk.tell(TrunkChanged(trunk_id="office", state=state, cause="because"))
    scene.wait(lambda: page.watch.cause == "because")
    assert page._badge.accessibleName()
    assert page.overview.headline
    assert not page._badge.grab().toImage().isNull()


@pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)
def test_a_certificate_that_is_not_trusted_is_shown_and_can_be_trusted(scene: Scene) -> None:
    certificate_refused(scene)
    overview = scene.page().overview
    assert overview.trust_button.isVisible()
    overview.trust_button.click()
    (question,) = scene.window.findChildren(CertificateQuestion)
    fingerprint = scene.page().watch.outcome.tls.fingerprint
    assert question.fingerprint.text().replace("\n", ":") == fingerprint
    assert "pbx.office.example" in [each.text() for each in question.claims.findChildren(QLabel)]
    question.trust_button.click()
    scene.wait(lambda: bool(scene.desk.asked_for("connect")))
    assert scene.desk.trunk("office").tls_pin == fingerprint


def test_a_trunk_that_works_or_fails_otherwise_has_no_certificate_to_trust(scene: Scene) -> None:
    unreachable(scene)
    assert not scene.page().overview.trust_button.isVisible()
