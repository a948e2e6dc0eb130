"""Trunks brought into a state, from signing in to settings and import, for pictures and for tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from app.errors import SettingError, VaultError
from app.model.outcome import LocalCause, Target, TlsFacts
from app.model.trunk import SignIn, Srtp, Transport, Trunk, TrunkState
from app.model.trunk_csv import read_csv
from app.sip.notices import TrunkChanged
from tests.helpers.office import no_answer, office, registered
from tests.ui.scene import BACKUP, WAREHOUSE, Scene


def registered_trunk(scene: Scene) -> None:
    """Three trunks, one signed in, one in trouble."""
    scene.open(office(), BACKUP, WAREHOUSE)
    scene.sign_in()
    scene.desk.tell(_rejected(WAREHOUSE))
    scene.wait(lambda: scene.window.trunks.watches[2].state is TrunkState.WRONG_CREDENTIALS)


def off(scene: Scene) -> None:
    """A trunk that is not connected."""
    scene.open(office(), BACKUP)


def wrong_password(scene: Scene) -> None:
    """The provider does not take the password."""
    scene.open(office(), WAREHOUSE)
    scene.desk.tell(_rejected(WAREHOUSE))
    page = scene.page("warehouse")
    scene.wait(lambda: page.watch.state is TrunkState.WRONG_CREDENTIALS)


def unreachable(scene: Scene) -> None:
    """Nobody answers."""
    scene.open(office())
    target = Target(address="192.0.2.10", port=5061, transport=Transport.TLS, name="montreal1.voip.example")
    outcome = no_answer(target=target, tried=(target,), challenges=1)
    scene.desk.tell(
        TrunkChanged(
            trunk_id="office",
            state=TrunkState.UNREACHABLE,
            cause="no answer (tls 192.0.2.10:5061)",
            outcome=outcome,
        )
    )
    page = scene.page()
    scene.wait(lambda: page.watch.state is TrunkState.UNREACHABLE)


def certificate_refused(scene: Scene) -> None:
    """A server with a certificate of its own making."""
    scene.open(office())
    target = Target(address="192.0.2.10", port=5061, transport=Transport.TLS, name="montreal1.voip.example")
    tls = TlsFacts(
        server_name="montreal1.voip.example",
        subject="pbx.office.example",
        issuer="pbx.office.example",
        names=("pbx.office.example", "192.0.2.10"),
        not_before="2025-02-01T08:00:00Z",
        not_after="2035-02-01T08:00:00Z",
        error="self-signed certificate",
        cause=LocalCause.TLS_CA,
        fingerprint=":".join(f"{number:02X}" for number in range(0xA0, 0xC0)),
    )
    outcome = no_answer(
        sip_code=503,
        reason="",
        local_cause=LocalCause.TLS_CA,
        target=target,
        tried=(target,),
        tls=tls,
        requests_sent=1,
    )
    notice = TrunkChanged(
        trunk_id="office",
        state=TrunkState.UNREACHABLE,
        cause="certificate not trusted (tls 192.0.2.10:5061)",
        outcome=outcome,
    )
    scene.desk.tell(notice)
    page = scene.page()
    scene.wait(lambda: page.watch.state is TrunkState.UNREACHABLE)


def no_password(scene: Scene) -> None:
    """The trunk's password is not known."""
    scene.open(office())
    scene.desk.outcomes["office"] = VaultError(
        "No password is known for Main office.", do="Type it in the trunk's settings.", field="password"
    )
    page = scene.page()
    page.overview.connect_trunk()
    scene.wait(lambda: "password" in page.overview.headline)


def settings(scene: Scene) -> None:
    """The settings of a trunk."""
    scene.open(office(ca_file="/etc/ssl/provider.pem"))
    page = scene.page()
    page.show_field("caller_id")


def settings_of_a_provider(scene: Scene) -> None:
    """Settings that are the provider's, and some that were changed; another trunk is in the way."""
    trunk = office(provider="voipms", expires=120, srtp=Srtp.OFFER, user="123456_desk")
    twin = office(id="twin", name="Second desk", provider="voipms")
    scene.open(trunk, twin)
    page = scene.page()
    page.show_field("transport")
    assert page.settings
    conflicts = page.settings.conflicts
    scene.wait(lambda: bool(conflicts.words))


def settings_by_address(scene: Scene) -> None:
    """The provider knows the address, so there is no password."""
    scene.open(office(sign_in=SignIn.ADDRESS, user=""))
    scene.page().show_field("sign_in")


def settings_found(scene: Scene) -> None:
    """Settings that were searched for."""
    scene.open(office())
    page = scene.page()
    page.show_field("name")
    assert page.settings
    page.settings.search.setFocus()
    page.settings.search.setText("caller id")


def settings_not_found(scene: Scene) -> None:
    """A search that finds nothing."""
    settings_found(scene)
    page = scene.page()
    assert page.settings
    page.settings.search.setText("fax")


def switched_off(scene: Scene) -> None:
    """One of the trunks may not connect, another one has its name edited."""
    scene.open(office(), msgspec.structs.replace(BACKUP, connect=False), WAREHOUSE)
    scene.sign_in()
    shown = scene.window.pane.list
    shown.setFocus()
    scene.page("warehouse")
    shown.rename_chosen()


def deleted(scene: Scene) -> None:
    """A trunk was deleted, and can come back."""
    scene.open(office(), BACKUP)
    scene.page("backup")
    scene.window.keeping._delete(BACKUP)
    scene.wait(lambda: bool(scene.window.banner.words))


def import_preview(scene: Scene) -> None:
    """A table of trunks, some of which can't be imported."""
    _show_table(scene, IMPORT_TABLE)


def import_mangled(scene: Scene) -> None:
    """A table whose numbers a spreadsheet has changed."""
    _show_table(scene, MANGLED_TABLE)


def import_empty(scene: Scene) -> None:
    """A table without trunks."""
    _show_table(scene, "name,host\n")


def import_refused(scene: Scene) -> None:
    """A file that can't be imported."""
    scene.open(office())
    page = scene.window.keeping._show_page(Path("trunks.json"))
    error = SettingError("Line 14: Port 99999 is not between 1 and 65535.", do="Correct that line.")
    page.show_refusal(error)


IMPORT_TABLE = """\
Trunk name;Server;Username;Secret;Transport;Colour
Berlin;sip.berlin.example;berlin01;one;udp;blue
Munich;sip:munich.example:5080;munich01;two;;
Main office;sip.office.example;office01;three;tls;
Hamburg;sip.ham burg.example;hamburg01;four;udp;
Cologne;sip.cologne.example;;five;sctp;
Dresden;sip.dresden.example;dresden01;;udp;
"""
"""A table as a PBX writes it; one name is taken, one host is none, one row has two mistakes."""


MANGLED_TABLE = """\
Trunk name;Server;SIP user;Secret;SIP port
Berlin;sip.berlin.example;493012345678.0;one;5060,0
Munich;sip.munich.example;4,93012E+11;two;5060
Bonn;sip.bonn.example;49228;1,23457E+12;5060
Ulm;sip.ulm.example;49731;four;5060
"""
"""As a spreadsheet writes it that took user names and ports for numbers."""


def _show_table(scene: Scene, table: str) -> None:
    scene.open(office())
    page = scene.window.keeping._show_page(Path("trunks.csv"))
    page.show_preview(read_csv(table, ["Main office"]))


def _rejected(trunk: Trunk) -> TrunkChanged:
    outcome = registered(
        trunk,
        state=TrunkState.WRONG_CREDENTIALS,
        sip_code=401,
        reason="Unauthorized",
        expires_s=0,
        challenges=2,
    )
    return TrunkChanged(
        trunk_id=trunk.id,
        state=TrunkState.WRONG_CREDENTIALS,
        cause="401 Unauthorized in 38 ms",
        outcome=outcome,
    )


TRUNK_SCENES: dict[str, Callable[[Scene], None]] = {
    play.__name__: play
    for play in (
        off,
        registered_trunk,
        wrong_password,
        unreachable,
        certificate_refused,
        no_password,
        settings,
        settings_of_a_provider,
        settings_by_address,
        settings_found,
        settings_not_found,
        switched_off,
        deleted,
        import_preview,
        import_mangled,
        import_empty,
        import_refused,
    )
}
