"""The window as a whole: trunks, notices, log, closing, faults."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from app.errors import StoreError, UserError
from app.model.trunk import TrunkState
from app.sip.notices import TrunkChanged
from app.ui.bridge import DeskBridge, FirstLook
from app.ui.failed_page import FailedPage
from app.ui.main_window import REMEMBERED, MainWindow
from app.ui.widgets.text import Text
from tests.helpers.fake_desk import FakeDesk
from tests.helpers.office import office
from tests.ui.scene import BACKUP, WAREHOUSE, Scene
from tests.ui.scenes import engine_lost, in_call, several_calls

# The offscreen plugin says so of every window of a fixed size
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)


def _box(window: MainWindow) -> QMessageBox:
    box = window.findChild(QMessageBox)
    assert isinstance(box, QMessageBox)
    return box


def _press(box: QMessageBox, words: str) -> None:
    next(each for each in box.findChildren(QPushButton) if each.text() == words).click()


def test_first_start_offers_two_ways_on(scene: Scene) -> None:
    window = scene.open()
    assert window.stack.currentWidget() is window.stack.start_page is not None
    assert window.stack.start_page.demo_button.isVisible()
    assert window.stack.start_page.add_button.isVisible()
    assert not window.tool_bar.place_call.isEnabled()


def test_trunks_are_shown_before_the_desk_is_there(wait: Callable[[Callable[[], bool]], None]) -> None:
    gate = threading.Event()

    def build() -> FakeDesk:
        gate.wait(10)
        return FakeDesk((office(), BACKUP))

    def look(keys: tuple[str, ...]) -> FirstLook:
        return FirstLook(trunks=(office(), BACKUP), recalled=dict.fromkeys(keys, ""))

    bridge = DeskBridge(build, look)  # type: ignore[arg-type]  # the fake stands in for the desk
    ended: list[bool] = []
    bridge.closed.connect(lambda: ended.append(True))
    window = MainWindow(bridge)
    window.show()
    bridge.start(REMEMBERED)
    wait(lambda: window.ready)
    assert window.chosen
    # What is asked for meanwhile is done as soon as there is somebody to do it
    window.chosen.overview.connect_trunk()
    assert window.chosen.overview.headline == "Main office is signing in…"
    gate.set()
    wait(lambda: window.trunks.watches[0].state is TrunkState.REGISTERED)
    window.close_now()
    wait(lambda: bool(ended) and window.isHidden())
    window.deleteLater()


def test_trunks_stand_in_the_persons_order(scene: Scene) -> None:
    window = scene.open(WAREHOUSE, office(), BACKUP)
    assert [watch.trunk.name for watch in window.trunks.watches] == ["Warehouse", "Main office", "Backup"]
    assert window.chosen
    assert window.chosen.watch.trunk is WAREHOUSE


def test_trouble_does_not_change_the_order(scene: Scene) -> None:
    window = scene.open(office(), BACKUP)
    scene.desk.tell(TrunkChanged(trunk_id="backup", state=TrunkState.UNREACHABLE, cause="no answer"))
    scene.wait(lambda: window.trunks.watches[1].state is TrunkState.UNREACHABLE)
    assert [watch.trunk.name for watch in window.trunks.watches] == ["Main office", "Backup"]


def test_filter_finds_by_name_host_and_user(scene: Scene, qtbot: QtBot) -> None:
    window = scene.open(office(), BACKUP, WAREHOUSE)

    def shown() -> list[str]:
        model = window.pane.list.model()
        return [model.index(row, 0).data() for row in range(model.rowCount())]

    for text, names in (("office", ["Main office"]), ("TWILIO", ["Warehouse"]), ("backup01", ["Backup"])):
        window.tool_bar.filter.setText(text)
        assert shown() == names
    window.tool_bar.filter.clear()
    assert len(shown()) == 3


def test_list_is_read_aloud_with_name_state_and_host(scene: Scene) -> None:
    window = scene.open(office())
    scene.sign_in()
    at = window.pane.list.currentIndex()
    words = at.data(Qt.ItemDataRole.AccessibleTextRole)
    assert words == "Main office, Registered, montreal1.voip.example"


def test_list_is_walked_with_the_arrow_keys(scene: Scene, qtbot: QtBot) -> None:
    window = scene.open(office(), BACKUP)
    scene.wait(window.pane.list.hasFocus)
    qtbot.keyClick(window.pane.list, Qt.Key.Key_Down)
    assert window.chosen
    assert window.chosen.watch.trunk is BACKUP


def test_shortcut_leads_to_the_number(scene: Scene, qtbot: QtBot) -> None:
    window = scene.open(office())
    qtbot.keyClick(window, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    page = scene.page()
    scene.wait(page.calls.number.hasFocus)


def test_status_line_and_log_tell_what_happened(scene: Scene) -> None:
    window = scene.open(office())
    scene.sign_in()
    scene.wait(lambda: window.status.line == "Main office: Registered (200 OK)")
    window.status.log_button.click()
    assert window.log.isVisible()
    assert "Main office: Connecting…" in window.log.toPlainText()
    window.tool_bar.show_log.setChecked(False)
    assert not window.log.isVisible()


@pytest.mark.qt_log_ignore("This plugin does not support")  # a menu on a screen that is none
@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space])
def test_menu_opens_by_one_key(key: Qt.Key, scene: Scene, qtbot: QtBot) -> None:
    button = scene.open(office()).tool_bar.menu_button
    shown: list[bool] = []

    def look() -> None:
        shown.append(button.menu().isVisible())
        button.menu().close()

    button.menu().aboutToShow.connect(lambda: QTimer.singleShot(0, look))
    button.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(button, key)
    assert shown == [True]


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space])
def test_log_opens_by_one_key(key: Qt.Key, scene: Scene, qtbot: QtBot) -> None:
    window = scene.open(office())
    window.status.log_button.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(window.status.log_button, key)
    assert window.log.isVisible()
    qtbot.keyClick(window.status.log_button, key)
    assert not window.log.isVisible()


def test_lost_engine_costs_a_line_and_its_calls_not_the_window(scene: Scene) -> None:
    engine_lost(scene)
    window = scene.window
    assert window.status.line == "The engine for Main office stopped (SIGKILL); starting again; calls lost: 1"
    page = scene.page()
    assert not page.watch.active_calls
    assert "cut short" in page.calls.cards[0].verdict
    scene.sign_in()
    assert page.watch.state is TrunkState.REGISTERED


def test_change_made_by_the_command_line_shows_when_the_window_is_come_back_to(scene: Scene) -> None:
    window = scene.open(office())
    scene.desk._trunks.append(BACKUP)
    window._refresh_trunks()
    scene.wait(lambda: len(window.trunks.watches) == 2)
    assert window.chosen
    assert window.chosen.watch.trunk.id == "office"


def test_trunk_that_can_not_be_read_is_told_with_the_missing_keyring(scene: Scene) -> None:
    def torn(desk: FakeDesk) -> None:
        desk.store_note = 'The trunk "Torn" can\'t be read.'

    window = scene.open(office(), vault_note="There is no keyring.", prepare=torn)
    scene.wait(lambda: window.banner.words == 'The trunk "Torn" can\'t be read.\nThere is no keyring.')
    assert len(window.trunks.watches) == 1


def test_closing_with_a_call_up_asks_once(scene: Scene) -> None:
    in_call(scene)
    window = scene.window
    window.close()
    box = _box(window)
    assert box.text() == "A call is up."
    _press(box, "Stay")
    assert window.isVisible()
    assert not scene.desk.closed
    scene.wait(lambda: window.findChild(QMessageBox) is None)
    window.close()
    window.close()
    assert len(window.findChildren(QMessageBox)) == 1
    _press(_box(window), "Hang up and close")
    scene.wait(lambda: scene.closed and window.isHidden())
    assert scene.desk.closed


def test_question_counts_the_calls(scene: Scene) -> None:
    several_calls(scene)
    scene.window.close()
    assert _box(scene.window).text() == "3 calls are up."
    _press(_box(scene.window), "Stay")


def test_closing_without_a_call_does_not_ask(scene: Scene) -> None:
    window = scene.open(office())
    scene.sign_in()
    window.close()
    assert window.findChild(QMessageBox) is None
    scene.wait(lambda: scene.closed and window.isHidden())


def test_closing_again_while_signing_out_changes_nothing(scene: Scene) -> None:
    window = scene.open(office())
    window.close()
    window.close()
    scene.wait(lambda: scene.closed and window.isHidden())
    assert len(scene.desk.asked_for("close")) == 1


def test_size_and_chosen_trunk_are_remembered(
    scene: Scene, wait: Callable[[Callable[[], bool]], None]
) -> None:
    window = scene.open(office(), BACKUP)
    window.resize(960, 520)
    scene.page("backup")
    scene.close()
    again = Scene(wait)
    build = FakeDesk

    def remembering() -> FakeDesk:
        desk = build((office(), BACKUP))
        desk.settings = scene.desk.settings
        again.desks.append(desk)
        return desk

    again.bridge = DeskBridge(remembering)  # type: ignore[arg-type]  # the fake stands in for the desk
    again.bridge.closed.connect(again._on_closed)
    again.window = MainWindow(again.bridge)
    again.window.show()
    again.bridge.start()
    wait(lambda: again.window.ready)
    # The offscreen screen is narrower than the window may be, so the height has to do
    assert again.window.height() == 520
    assert again.window.chosen
    assert again.window.chosen.watch.trunk.id == "backup"
    again.close()


def test_window_that_can_not_be_remembered_closes_all_the_same(scene: Scene) -> None:
    window = scene.open(office())

    def full(key: str, value: str) -> None:
        raise StoreError("The disk is full.")

    scene.desk.remember = full  # type: ignore[method-assign]  # the disk fills up
    window.close()
    scene.wait(lambda: scene.closed and window.isHidden())


def test_data_that_can_not_be_opened_is_told_with_what_to_do(
    wait: Callable[[Callable[[], bool]], None],
) -> None:
    def build() -> FakeDesk:
        raise StoreError("The data is of a newer Ringback.", do="Install the newest Ringback.")

    bridge = DeskBridge(build)  # type: ignore[arg-type]  # the fake stands in for the desk
    ended: list[bool] = []
    bridge.closed.connect(lambda: ended.append(True))
    window = MainWindow(bridge)
    window.show()
    bridge.start()
    wait(lambda: bool(ended))
    page = window.stack.currentWidget()
    assert isinstance(page, FailedPage)
    shown = [label.text() for label in page.findChildren(Text)]
    assert "The data is of a newer Ringback." in shown
    assert "Install the newest Ringback." in shown
    assert window.isVisible()
    assert not window.tool_bar.add_trunk.isEnabled()
    page.quit_asked.emit()
    wait(window.isHidden)
    window.deleteLater()


def test_fault_of_ours_is_shown_with_details_to_copy(scene: Scene) -> None:
    window = scene.open(office())

    async def work(desk: object) -> None:
        raise ZeroDivisionError("never")

    scene.bridge.submit(window, work)
    scene.wait(lambda: window.bugs.dialog is not None)
    box = window.bugs.dialog
    assert box
    assert "ZeroDivisionError: never" in box.detailedText()
    _press(box, "Copy details")
    assert "ZeroDivisionError: never" in QApplication.clipboard().text()
    scene.wait(lambda: window.bugs.dialog is None)
    scene.bugs.clear()


def test_many_faults_show_one_dialog(scene: Scene) -> None:
    window = scene.open(office())
    for number in range(5):
        window.bugs.report(f"fault {number}")
    boxes = [box for box in window.findChildren(QMessageBox) if box.isVisible()]
    assert len(boxes) == 1
    boxes[0].reject()


def test_error_that_no_page_takes_is_shown_across_the_window(scene: Scene) -> None:
    window = scene.open(office())

    async def work(desk: object) -> None:
        raise UserError("The disk is full.", do="Make some room.")

    scene.bridge.submit(window, work)
    scene.wait(lambda: window.banner.words == "The disk is full. Make some room.")


def test_about_tells_version_and_licence(scene: Scene) -> None:
    window = scene.open()
    window.tool_bar.about.trigger()
    box = _box(window)
    assert "Ringback 0." in box.text()
    assert "GNU General Public License" in box.informativeText()
    box.reject()


def test_desk_that_ends_by_itself_is_told(scene: Scene) -> None:
    window = scene.open(office())
    scene.bridge.close()
    scene.wait(lambda: isinstance(window.stack.currentWidget(), FailedPage))
    assert window.isVisible()
    window.close()
    scene.wait(window.isHidden)
