"""The real wizard on the real desk: real engine, real carrier, a trunk that is saved only in the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.desk import Desk
from app.flows.add_trunk import OTHER
from app.flows.form import PASSWORD
from app.model.history import HistoryEntry, HistoryQuery
from app.model.outcome import CallResult
from app.model.trunk import TrunkState
from app.paths import paths_in
from app.sip.carrier.messages import CarrierOptions
from app.sip.demo import DemoCarrier
from app.store import Store
from app.ui.bridge import DeskBridge
from app.ui.main_window import MainWindow
from app.ui.widgets.step_list import StepState
from app.ui.wizards.add_trunk import AddTrunkWizard
from app.vault import RunOnlyVault
from tests.ui.wizard_hands import answer

LIMIT_MS = 40_000
DONE, FAILED, WAITING = StepState.DONE, StepState.FAILED, StepState.WAITING


class Office:
    """A window on a real desk, and a carrier that lives in the desk's loop."""

    def __init__(self, folder: Path, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.paths = paths_in(folder)
        self.desks: list[Desk] = []
        self.bugs: list[str] = []
        self.ended: list[bool] = []
        self.carriers: list[DemoCarrier] = []
        self.bridge = DeskBridge(self._build)
        self.bridge.bug.connect(self.bugs.append)
        self.bridge.closed.connect(lambda: self.ended.append(True))
        self.window = MainWindow(self.bridge, self.paths)
        self.window.show()
        self.bridge.start()
        self.wait(lambda: self.window.ready)

    def _build(self) -> Desk:
        self.desks.append(Desk(Store.open(self.paths), lambda: (RunOnlyVault(), None)))
        return self.desks[0]

    def wait(self, condition: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(condition, timeout=LIMIT_MS)

    def carrier(self, **options: object) -> DemoCarrier:
        """Start one."""

        async def start(_desk: Desk) -> DemoCarrier:
            made = DemoCarrier(options=CarrierOptions(**options))  # type: ignore[arg-type]  # what a test gives
            await made.start()
            return made

        self.bridge.submit(self.window, start, self.carriers.append)
        self.wait(lambda: bool(self.carriers))
        return self.carriers[0]

    def saved(self) -> list[str]:
        """Hosts of the trunks that are in the store."""
        with Store.open(self.paths) as store:
            return [f"{trunk.host}:{trunk.port}" for trunk in store.trunks()]

    def engines(self) -> list[str]:
        """Ids of trunks that have a session."""
        return list(self.desks[0]._supervisor._sessions)

    def history(self, trunk_id: str) -> tuple[HistoryEntry, ...]:
        """The calls that were kept, of one trunk or of all."""
        found: list[tuple[HistoryEntry, ...]] = []
        query = HistoryQuery(trunk_id=trunk_id)
        self.bridge.submit(self.window, lambda desk: desk.history.page(query), found.append)
        self.wait(lambda: bool(found))
        return found[0]

    def wizard_at_try(self, carrier: DemoCarrier, sign_in: str, password: str) -> AddTrunkWizard:
        """Go through the pages with the answers for this carrier."""
        self.window.show_wizard()
        wizard = self.window.stack.wizard
        assert wizard
        wizard.provider_page.choose(OTHER)
        answers = {
            "name": "Main office",
            "sign_in": sign_in,
            "user": carrier.user,
            PASSWORD: password,
            "host": "127.0.0.1",
            "port": str(carrier.port),
        }
        for page in range(1, 5):
            wizard.next()
            assert wizard.currentId() == page
            if page < 4:
                answer(wizard, answers)
        return wizard

    def close(self) -> None:
        async def stop(_desk: Desk) -> None:
            await asyncio.gather(*(carrier.stop() for carrier in self.carriers))

        stopped: list[bool] = []
        self.bridge.submit(self.window, stop, lambda _: stopped.append(True))
        self.wait(lambda: bool(stopped))
        self.window.close_now()
        self.wait(lambda: bool(self.ended))
        self.window.deleteLater()
        assert not self.bugs, self.bugs[0]


@pytest.fixture
def office(tmp_path: Path, qtbot: QtBot) -> Iterator[Office]:
    made = Office(tmp_path, qtbot)
    yield made
    made.close()


def test_tried_called_saved_and_signed_in(office: Office) -> None:
    carrier = office.carrier()
    wizard = office.wizard_at_try(carrier, "register", carrier.password)
    page = wizard.try_page
    office.wait(lambda: not page.running)
    assert page.steps.states == (DONE, DONE, DONE, WAITING)
    assert office.saved() == []
    assert office.window.trunks.watches == ()

    office.qtbot.keyClicks(page.number, "605")
    office.qtbot.keyClick(page.number, Qt.Key.Key_Return)
    office.wait(lambda: page.steps.states[3] is DONE)

    wizard.accept()
    office.wait(lambda: bool(office.window.trunks.watches))
    watch = office.window.trunks.watches[0]
    office.wait(lambda: watch.state is TrunkState.REGISTERED)
    assert office.saved() == [f"127.0.0.1:{carrier.port}"]
    office.wait(lambda: office.engines() == [watch.trunk.id])
    # The test call belongs to the trunk that came of it
    (tried,) = office.history(watch.trunk.id)
    assert (tried.number, tried.trunk, tried.result) == ("605", "Main office", CallResult.ANSWERED)


def test_a_wrong_password_leads_back_and_is_mended_and_cancel_leaves_nothing(office: Office) -> None:
    carrier = office.carrier()
    wizard = office.wizard_at_try(carrier, "register", "not the password")
    page = wizard.try_page
    office.wait(lambda: not page.running)
    assert page.steps.states == (DONE, DONE, FAILED, WAITING)

    page.findings.field_asked.emit("password")
    assert wizard.currentId() == 1
    answer(wizard, {PASSWORD: carrier.password})
    for _ in range(3):
        wizard.next()
    office.wait(lambda: not page.running and page.steps.states[2] is DONE)

    wizard.reject()
    office.wait(lambda: office.engines() == [])
    assert office.saved() == []


def test_a_server_that_ignores_options_is_tried_with_a_call(office: Office) -> None:
    carrier = office.carrier(answers_options=False)
    wizard = office.wizard_at_try(carrier, "credentials", carrier.password)
    page = wizard.try_page
    office.wait(lambda: not page.running)
    assert page.steps.states == (DONE, FAILED, WAITING, WAITING)
    assert page.call_button.isVisible()

    office.qtbot.keyClicks(page.number, "605")
    office.qtbot.keyClick(page.number, Qt.Key.Key_Return)
    office.wait(lambda: page.steps.states == (DONE, DONE, DONE, DONE))
    wizard.reject()
    office.wait(lambda: office.engines() == [])
    assert not office.history("")
