"""The add-trunk wizard brought into a state, for pictures and for tests."""

from __future__ import annotations

from collections.abc import Callable

from app.errors import VaultError
from app.flows.add_trunk import OTHER
from app.flows.form import PASSWORD
from app.model.outcome import CallResult, HungUpBy
from app.model.trunk import TrunkState
from tests.helpers.office import good_call, no_answer, office, registered
from tests.ui.scene import Scene
from tests.ui.wizard_desk import fail_with, hold, near
from tests.ui.wizard_hands import OTHER_ONE, TWILIO, VOIPMS, go_on, open_wizard

LONG_ONE = {
    "name": "Universitätsklinikum Nordrhein, Verwaltungsgebäude",
    "host": "sip-registrar-frankfurt.telekommunikationsdienstleistungen.example.com",
    "user": "universitaetsklinikum-nordrhein-verwaltungsgebaeude-anschluss-0049211",
    PASSWORD: "example",
}


def wizard_start(scene: Scene) -> None:
    """The list of providers, none of them chosen."""
    scene.open()
    open_wizard(scene)


def wizard_demo(scene: Scene) -> None:
    """The demo carrier is chosen."""
    scene.open()
    open_wizard(scene).provider_page.choose("demo")


def wizard_providers(scene: Scene) -> None:
    """The list of providers, one of them chosen."""
    scene.open()
    wizard = open_wizard(scene)
    wizard.provider_page.choose("voipms")


def wizard_search(scene: Scene) -> None:
    """A search by country."""
    scene.open()
    wizard = open_wizard(scene)
    wizard.provider_page.search.setText("kingdom")


def wizard_nothing_found(scene: Scene) -> None:
    """A search for one that is not in the catalogue."""
    scene.open()
    wizard = open_wizard(scene)
    wizard.provider_page.search.setText("no such provider")
    wizard.provider_page.choose(OTHER)


def wizard_thin(scene: Scene) -> None:
    """A provider of whom little is known."""
    scene.open()
    wizard = open_wizard(scene)
    wizard.provider_page.choose("telstra")


def wizard_sign_in(scene: Scene) -> None:
    """Signing in, in the provider's words."""
    scene.open(office())
    go_on(scene, "voipms", {}, 1)


def wizard_errors(scene: Scene) -> None:
    """Signing in, with a name that is taken, a wrong user and no password."""
    scene.open(office())
    wizard = go_on(scene, "voipms", {"name": "Main office", "user": "12"}, 1)
    wizard.next()


def wizard_other(scene: Scene) -> None:
    """Signing in at a provider that is not in the catalogue."""
    scene.open()
    go_on(scene, OTHER, {}, 1)


def wizard_by_address(scene: Scene) -> None:
    """The provider knows the address: there is nothing to sign in with."""
    scene.open()
    go_on(scene, "gamma", {}, 1)


def wizard_long_labels(scene: Scene) -> None:
    """A provider with long words of its own."""
    scene.open()
    go_on(scene, "telstra", {}, 1)


def wizard_long_choices(scene: Scene) -> None:
    """Servers with long names, and a long note."""
    scene.open()
    answers = {"trunk": "universitaetsklinikum-nordrhein", "user": "office", PASSWORD: "Example-Secret-1"}
    go_on(scene, "vonage", answers, 2)


def wizard_server(scene: Scene) -> None:
    """A list of servers."""
    scene.open()
    go_on(scene, "voipms", VOIPMS, 2)


def wizard_nearest_running(scene: Scene) -> None:
    """Servers are being asked."""
    scene.open()
    wizard = go_on(scene, "voipms", VOIPMS, 2)
    hold(scene, "find_nearest")
    wizard.server_page.nearest.start()
    scene.wait(lambda: bool(scene.desk.asked_for("find_nearest")))


def wizard_nearest(scene: Scene) -> None:
    """Servers by the time of their answer."""
    scene.open()
    wizard = go_on(scene, "voipms", VOIPMS, 2)
    near(scene, wizard)
    wizard.server_page.nearest.start()
    scene.wait(lambda: not wizard.server_page.nearest.running)


def wizard_nearest_none(scene: Scene) -> None:
    """No server has answered."""
    scene.open()
    wizard = go_on(scene, "voipms", VOIPMS, 2)
    wizard.server_page.nearest.start()
    scene.wait(lambda: not wizard.server_page.nearest.running)


def wizard_nearest_stopped(scene: Scene) -> None:
    """The search was stopped before an answer came."""
    wizard_nearest_running(scene)
    wizard = scene.window.stack.wizard
    assert wizard
    wizard.server_page.nearest.stop_button.click()


def wizard_mended(scene: Scene) -> None:
    """An address was pasted, and taken apart."""
    scene.open()
    wizard = go_on(scene, OTHER, {**OTHER_ONE, "host": ""}, 2)
    rows = wizard.server_page.form.rows
    rows["host"].focus()
    rows["host"].set_text(" sips:sip.example.com:5071 ")
    rows["host"].edited.emit()
    rows["port"].focus()


def wizard_other_server(scene: Scene) -> None:
    """The server of a provider that is not in the catalogue."""
    scene.open()
    go_on(scene, OTHER, OTHER_ONE, 2)


def wizard_numbers(scene: Scene) -> None:
    """Numbers, with what would be sent."""
    scene.open()
    wizard = go_on(scene, "voipms", VOIPMS, 3)
    wizard.numbers_page.number.setText("(514) 555-0199")
    wizard.numbers_page.on_refreshed()


def wizard_numbers_empty(scene: Scene) -> None:
    """Numbers at a provider that is not in the catalogue."""
    scene.open()
    go_on(scene, OTHER, OTHER_ONE, 3)


def wizard_number_refused(scene: Scene) -> None:
    """A number that would not be called."""
    wizard_numbers(scene)
    wizard = scene.window.stack.wizard
    assert wizard
    wizard.numbers_page.number.setText("112")
    wizard.numbers_page.on_refreshed()


def wizard_trying(scene: Scene) -> None:
    """Signing in."""
    scene.open()
    hold(scene, "connect")
    go_on(scene, "voipms", VOIPMS, 4)
    scene.wait(lambda: bool(scene.desk.asked_for("connect")))


def wizard_works(scene: Scene) -> None:
    """It works."""
    scene.open()
    wizard = go_on(scene, "voipms", VOIPMS, 4)
    scene.wait(lambda: not wizard.try_page.running)


def wizard_unregistered(scene: Scene) -> None:
    """The server answers; signing in is tested with the call."""
    scene.open()
    wizard = go_on(scene, "twilio", TWILIO, 4)
    scene.wait(lambda: not wizard.try_page.running)


def wizard_calling(scene: Scene) -> None:
    """The test call rings."""
    wizard_works(scene)
    wizard = scene.window.stack.wizard
    assert wizard
    wizard.try_page.call_button.click()
    scene.wait(lambda: bool(scene.desk._calls))


def wizard_call_worked(scene: Scene) -> None:
    """The test call was good."""
    wizard_calling(scene)
    wizard = scene.window.stack.wizard
    assert wizard
    scene.desk.end_call(*next(iter(scene.desk._calls)))
    scene.wait(lambda: not wizard.try_page.running)


def wizard_call_failed(scene: Scene) -> None:
    """The test call was refused."""
    scene.open()
    wizard = go_on(scene, "twilio", TWILIO, 4)
    scene.wait(lambda: not wizard.try_page.running)
    scene.desk.call_outcome = lambda number: good_call(
        number,
        result=CallResult.FORBIDDEN,
        sip_code=403,
        reason="Caller ID not allowed",
        duration_s=0.0,
        hung_up_by=HungUpBy.NOBODY,
        media=None,
        heard=None,
    )
    wizard.try_page.number.setText("+15145550199")
    wizard.try_page._show_buttons()
    wizard.try_page.call_button.click()
    scene.wait(lambda: bool(scene.desk._calls))
    scene.desk.end_call(*next(iter(scene.desk._calls)))
    scene.wait(lambda: not wizard.try_page.running)


def wizard_stopped(scene: Scene) -> None:
    """The try was stopped."""
    wizard_trying(scene)
    wizard = scene.window.stack.wizard
    assert wizard
    wizard.try_page.cancel_button.click()


def wizard_not_saved(scene: Scene) -> None:
    """The keyring refused the password."""
    wizard_works(scene)
    wizard = scene.window.stack.wizard
    assert wizard
    error = VaultError("The keyring refused the password.", do="Unlock it and try again.", field="password")
    scene.desk.refuse["add"] = error
    wizard.accept()
    scene.wait(lambda: wizard.try_page.words == str(error))


def wizard_saving(scene: Scene) -> None:
    """The keyring takes its time."""
    wizard_works(scene)
    wizard = scene.window.stack.wizard
    assert wizard
    hold(scene, "add")
    wizard.accept()
    scene.wait(lambda: bool(scene.desk.asked_for("add")))


def wizard_long_names(scene: Scene) -> None:
    """Long names on the last page, and nobody answers."""
    scene.open()
    fail_with(scene, no_answer())
    wizard = go_on(scene, OTHER, LONG_ONE, 4)
    scene.wait(lambda: not wizard.try_page.running)


def wizard_wrong_password(scene: Scene) -> None:
    """The provider refuses the password."""
    scene.open()
    outcome = registered(
        office(),
        state=TrunkState.WRONG_CREDENTIALS,
        sip_code=401,
        reason="Unauthorized",
        expires_s=0,
        challenges=2,
    )
    fail_with(scene, outcome)
    wizard = go_on(scene, "voipms", VOIPMS, 4)
    scene.wait(lambda: not wizard.try_page.running)


def wizard_no_answer(scene: Scene) -> None:
    """The server does not answer."""
    scene.open()
    fail_with(scene, no_answer())
    wizard = go_on(scene, OTHER, OTHER_ONE, 4)
    scene.wait(lambda: not wizard.try_page.running)


def wizard_no_keyring(scene: Scene) -> None:
    """Signing in without a keyring."""
    scene.open(
        vault_note="This system has no keyring. Passwords are kept until you close Ringback, and no longer."
    )
    go_on(scene, "voipms", {}, 1)
    scene.wait(lambda: bool(scene.window.banner.words))


WIZARD_SCENES: dict[str, Callable[[Scene], None]] = {
    play.__name__: play
    for play in (
        wizard_start,
        wizard_demo,
        wizard_providers,
        wizard_search,
        wizard_nothing_found,
        wizard_thin,
        wizard_sign_in,
        wizard_errors,
        wizard_other,
        wizard_by_address,
        wizard_long_labels,
        wizard_long_choices,
        wizard_server,
        wizard_nearest_running,
        wizard_nearest,
        wizard_nearest_none,
        wizard_nearest_stopped,
        wizard_mended,
        wizard_other_server,
        wizard_numbers,
        wizard_numbers_empty,
        wizard_number_refused,
        wizard_trying,
        wizard_works,
        wizard_unregistered,
        wizard_calling,
        wizard_call_worked,
        wizard_call_failed,
        wizard_stopped,
        wizard_not_saved,
        wizard_saving,
        wizard_long_names,
        wizard_wrong_password,
        wizard_no_answer,
        wizard_no_keyring,
    )
}
