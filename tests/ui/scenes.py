"""Scenes: the window brought into a state, for pictures and for tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
from PySide6.QtGui import QColor, QPalette

from app.errors import SettingError, VaultError
from app.model.call import CallState
from app.model.outcome import (
    AnsweredBy,
    CallResult,
    Direction,
    HungUpBy,
    LocalCause,
    MediaFigures,
    StreamFigures,
    Target,
    TlsFacts,
)
from app.model.trunk import SignIn, Srtp, Transport, Trunk, TrunkState
from app.model.trunk_csv import read_csv
from app.paths import Paths
from app.sip.child import ChildOutcome, Role
from app.sip.notices import (
    CallEnded,
    CallProgress,
    EngineLost,
    TrunkChanged,
)
from app.ui.bridge import DeskBridge
from app.ui.main_window import MainWindow
from app.ui.trunk_page import TrunkPage
from tests.helpers.fake_desk import FakeDesk, figures, good_call, office, registered
from tests.ui.call_scenes import CALL_SCENES
from tests.ui.history_scenes import HISTORY_SCENES
from tests.ui.wizard_scenes import WIZARD_SCENES

Wait = Callable[[Callable[[], bool]], None]

BACKUP = Trunk(id="backup", name="Backup", host="sip.telnyx.example", user="backup01")
WAREHOUSE = Trunk(id="warehouse", name="Warehouse", host="lager.pstn.twilio.example", user="lager")


class Scene:
    """A window on a fake desk.

    Args:
        wait: Waits for a condition while the window lives.
    """

    def __init__(self, wait: Wait) -> None:
        self.wait = wait
        self.desks: list[FakeDesk] = []
        self.bugs: list[str] = []
        self.opened = False
        self.closed = False
        self.paths: Paths | None = None

    def open(
        self,
        *trunks: Trunk,
        vault_note: str = "",
        prepare: Callable[[FakeDesk], None] = lambda _: None,
    ) -> MainWindow:
        """Open the window on these trunks; `prepare` gets the desk first."""

        def build() -> FakeDesk:
            desk = FakeDesk(trunks, vault_note)
            prepare(desk)
            self.desks.append(desk)
            return desk

        self.opened = True
        self.bridge = DeskBridge(build)  # type: ignore[arg-type]  # the fake has no base class in common
        self.bridge.closed.connect(self._on_closed)
        self.bridge.bug.connect(self.bugs.append)
        self.window = MainWindow(self.bridge, self.paths)
        self.window.show()
        self.bridge.start()
        self.wait(lambda: self.window.ready)
        return self.window

    @property
    def desk(self) -> FakeDesk:
        """The desk behind the window."""
        return self.desks[0]

    def page(self, trunk_id: str = "office") -> TrunkPage:
        """Choose a trunk; its page."""
        page = self.window.choose(trunk_id)
        assert page
        return page

    def sign_in(self, trunk_id: str = "office") -> TrunkPage:
        """Choose a trunk and connect it."""
        page = self.page(trunk_id)
        page.overview.connect_trunk()
        self.wait(lambda: page.watch.state is TrunkState.REGISTERED)
        return page

    def close(self) -> None:
        """Close the window as a person does, and wait for the end."""
        self.window.close_now()
        self.wait(lambda: self.closed and self.window.isHidden())
        self.window.deleteLater()
        self.bridge.deleteLater()
        assert not self.bugs, self.bugs[0]

    def _on_closed(self) -> None:
        self.closed = True


def dark_palette() -> QPalette:
    """Dark, as Fusion has it on a dark desktop."""
    palette = QPalette(QColor("#353535"), QColor("#2d2d2d"))
    roles = QPalette.ColorRole
    colours = {
        roles.Window: "#2b2b2b",
        roles.WindowText: "#f0f0f0",
        roles.Base: "#202020",
        roles.AlternateBase: "#2f2f2f",
        roles.Text: "#f0f0f0",
        roles.Button: "#3a3a3a",
        roles.ButtonText: "#f0f0f0",
        roles.ToolTipBase: "#3a3a3a",
        roles.ToolTipText: "#f0f0f0",
        roles.Highlight: "#2f7fd6",
        roles.HighlightedText: "#ffffff",
        roles.Link: "#6cb2ff",
        roles.PlaceholderText: "#8c8c8c",
    }
    for role, colour in colours.items():
        palette.setColor(role, QColor(colour))
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor("#7d7d7d"))
    return palette


def empty(scene: Scene) -> None:
    """First start."""
    scene.open()


def no_keyring(scene: Scene) -> None:
    """A trunk with a password, and no keyring."""
    scene.open(
        office(),
        vault_note="This system has no keyring. Passwords are kept until you close Ringback, and no longer.",
    )
    scene.wait(lambda: bool(scene.window.banner.words))


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
    outcome = registered(
        office(),
        state=TrunkState.UNREACHABLE,
        sip_code=408,
        reason="Request Timeout",
        answered_by=AnsweredBy.LOCAL,
        local_cause=LocalCause.NO_ANSWER,
        round_trip_ms=None,
        expires_s=0,
        target=target,
        tried=(target,),
    )
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
    outcome = registered(
        office(),
        state=TrunkState.UNREACHABLE,
        sip_code=503,
        reason="",
        answered_by=AnsweredBy.LOCAL,
        local_cause=LocalCause.TLS_CA,
        round_trip_ms=None,
        expires_s=0,
        target=target,
        tried=(target,),
        tls=tls,
        requests_sent=1,
        challenges=0,
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


def call_page(scene: Scene) -> None:
    """Ready to call."""
    scene.open(office(), BACKUP)
    page = scene.sign_in()
    page.show_calls()
    page.calls.set_number("+1 514 555-0199")


def emergency(scene: Scene) -> None:
    """A number that is not called."""
    scene.open(office())
    page = scene.sign_in()
    page.show_calls()
    page.calls.set_number("112")
    page.calls.place_call()


def in_call(scene: Scene) -> None:
    """A call with its meters."""
    scene.open(office(), BACKUP)
    page = scene.sign_in()
    page.show_calls()
    page.calls.set_number("15145550199")
    page.calls.place_call()
    scene.wait(lambda: bool(page.watch.active_calls and page.watch.active_calls[0].figures))


def several_calls(scene: Scene) -> None:
    """Four calls, one of them coming in."""
    scene.open(office(), BACKUP)
    page = scene.sign_in()
    page.show_calls()
    for number in ("15145550199", "15145550123"):
        page.calls.set_number(number)
        scene.wait(page.calls.call_button.isEnabled)
        page.calls.place_call()
    scene.wait(lambda: len(page.watch.active_calls) == 2)
    _bring_in(scene)
    scene.wait(lambda: len(page.calls.cards) == 3)


def incoming(scene: Scene) -> None:
    """A call comes in while its card is seen."""
    scene.open(office(), BACKUP)
    page = scene.sign_in()
    page.show_calls()
    _bring_in(scene)
    scene.wait(lambda: bool(page.calls.cards))


def incoming_elsewhere(scene: Scene) -> None:
    """A call comes in while another trunk is looked at."""
    scene.open(office(), BACKUP)
    scene.sign_in()
    scene.page("backup")
    _bring_in(scene)
    scene.wait(lambda: bool(scene.window.banner.words))


def call_worked(scene: Scene) -> None:
    """A call is over, and was good."""
    in_call(scene)
    page = scene.page()
    page.calls.hang_up_newest()
    scene.wait(lambda: bool(page.watch.ended_calls))


def call_failed(scene: Scene) -> None:
    """A call was refused."""
    scene.open(office(), BACKUP)
    page = scene.sign_in()
    page.show_calls()
    page.calls.set_number("15145550199")
    outcome = good_call(
        "15145550199",
        trunk="Main office",
        result=CallResult.FORBIDDEN,
        sip_code=403,
        reason="Caller ID not allowed",
        setup_ms=84.0,
        duration_s=0.0,
        hung_up_by=HungUpBy.NOBODY,
        media=None,
        heard=None,
    )
    scene.desk.tell(CallEnded(trunk_id="office", call_id="x", direction=Direction.OUT, outcome=outcome))
    scene.wait(lambda: bool(page.watch.ended_calls))


def one_way(scene: Scene) -> None:
    """A call without sound from the other side."""
    scene.open(office(), BACKUP)
    page = scene.sign_in()
    page.show_calls()
    media = MediaFigures(tx=StreamFigures(packets=500, bytes=80000), rx=StreamFigures(), codec="PCMU")
    outcome = good_call("15145550199", trunk="Main office", duration_s=10.2, media=media, heard=None)
    scene.desk.tell(CallEnded(trunk_id="office", call_id="x", direction=Direction.OUT, outcome=outcome))
    scene.wait(lambda: bool(page.watch.ended_calls))


def demo_running(scene: Scene) -> None:
    """The demo in its call."""
    scene.open()
    scene.window.start_demo()
    scene.wait(
        lambda: "demo" in scene.window.pane.pages and bool(scene.window.pane.pages["demo"].calls.cards)
    )


def demo_done(scene: Scene) -> None:
    """The demo with its verdict."""
    demo_running(scene)
    watch = scene.window.pane.pages["demo"].watch
    scene.desk.end_call("demo", watch.active_calls[0].call_id)
    scene.wait(lambda: not scene.window.demo.running)


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


def import_empty(scene: Scene) -> None:
    """A table without trunks."""
    _show_table(scene, "name,host\n")


def import_refused(scene: Scene) -> None:
    """A file that can't be imported."""
    scene.open(office())
    page = scene.window.keeping._show_page(Path("trunks.json"))
    error = SettingError("Line 14: Port 99999 is not between 1 and 65535.", do="Correct that line.")
    page.show_refusal(error)


def trace(scene: Scene) -> None:
    """Messages, one of them chosen."""
    from tests.ui.trace_sample import MESSAGES

    scene.open(office())
    page = scene.sign_in()
    scene.desk.tell(*MESSAGES)
    scene.wait(lambda: len(page.watch.trace) == len(MESSAGES))
    page.show_trace()
    scene.wait(lambda: page.trace.table.isVisible())
    page.trace.table.selectRow(2)


def engine_lost(scene: Scene) -> None:
    """An engine died in a call."""
    in_call(scene)
    page = scene.page()
    call = page.watch.active_calls[0]
    outcome = good_call(
        call.number,
        result=CallResult.LOST,
        sip_code=200,
        reason="The engine was lost",
        answered_by=AnsweredBy.LOCAL,
        local_cause=LocalCause.ENGINE_LOST,
        duration_s=3.2,
        hung_up_by=HungUpBy.NOBODY,
        media=figures(),
    )
    ended = ChildOutcome(role=Role.ENGINE, exit_code=None, signal_name="SIGKILL", asked=False)
    scene.desk.tell(
        CallEnded(trunk_id="office", call_id=call.call_id, direction=Direction.OUT, outcome=outcome),
        TrunkChanged(trunk_id="office", state=TrunkState.UNREACHABLE, cause=str(ended)),
        EngineLost(trunk_id="office", outcome=ended, calls_lost=1, restart_in_s=1.0),
    )
    scene.wait(lambda: "starting again" in scene.window.status.line)


def log(scene: Scene) -> None:
    """The log is open."""
    call_worked(scene)
    scene.window.tool_bar.show_log.setChecked(True)


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


def _bring_in(scene: Scene) -> None:
    progress = CallProgress(
        trunk_id="office",
        call_id="in-1",
        direction=Direction.IN,
        state=CallState.INCOMING,
        number='"Anna Smith" <sip:+493012345678@provider.example>',
        called="sip:+15145550100@203.0.113.7",
    )
    scene.desk.tell(progress)


SCENES: dict[str, Callable[[Scene], None]] = WIZARD_SCENES | {
    play.__name__: play
    for play in (
        empty,
        no_keyring,
        off,
        registered_trunk,
        wrong_password,
        unreachable,
        certificate_refused,
        no_password,
        call_page,
        emergency,
        in_call,
        several_calls,
        incoming,
        incoming_elsewhere,
        call_worked,
        call_failed,
        one_way,
        demo_running,
        demo_done,
        settings,
        settings_of_a_provider,
        settings_by_address,
        settings_found,
        settings_not_found,
        switched_off,
        deleted,
        import_preview,
        import_empty,
        import_refused,
        trace,
        engine_lost,
        log,
    )
}
SCENES |= CALL_SCENES | HISTORY_SCENES
