"""Trunks in the list: put into another order, renamed, copied, switched, deleted and brought back."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from app.errors import StoreError, VaultError
from app.model.trunk import Trunk, TrunkState
from app.ui.models.trunk_list import TrunkList
from app.ui.trunk_menu import TrunkMenu
from app.ui.widgets.trunk_list_view import TrunkListView
from tests.helpers.office import office
from tests.ui.scene import BACKUP, WAREHOUSE, Scene

# The offscreen plugin says so of every window of a fixed size, and of every menu
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", "plugin does not support", extend=True)


def _list(scene: Scene) -> TrunkListView:
    shown = scene.window.pane.list
    scene.wait(shown.hasFocus)
    return shown


def _names(scene: Scene) -> list[str]:
    return [watch.trunk.name for watch in scene.window.trunks.watches]


def _menu(scene: Scene) -> TrunkMenu:
    """The menu as the menu key opens it."""
    shown = scene.window.pane.list
    event = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(0, 0), QPoint(0, 0))
    QApplication.sendEvent(shown.viewport(), event)
    menu = shown.findChild(TrunkMenu)
    assert isinstance(menu, TrunkMenu)
    assert menu.isVisible()
    return menu


def _answer(scene: Scene, words: str) -> None:
    box = scene.window.findChild(QMessageBox)
    assert isinstance(box, QMessageBox)
    next(each for each in box.findChildren(QPushButton) if each.text() == words).click()


def test_trunk_is_moved_by_keyboard_and_stays_chosen(scene: Scene, qtbot: QtBot) -> None:
    scene.open(office(), BACKUP, WAREHOUSE)
    shown = _list(scene)
    qtbot.keyClick(shown, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    scene.wait(lambda: _names(scene) == ["Backup", "Main office", "Warehouse"])
    assert scene.desk.asked_for("set_order") == [(("backup", "office", "warehouse"),)]
    assert scene.window.chosen
    assert scene.window.chosen.watch.trunk.id == "office"
    qtbot.keyClick(shown, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    scene.wait(lambda: _names(scene) == ["Main office", "Backup", "Warehouse"])


def test_first_trunk_moves_no_further_up(scene: Scene, qtbot: QtBot) -> None:
    scene.open(office(), BACKUP)
    qtbot.keyClick(_list(scene), Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert not scene.desk.asked_for("set_order")


def test_filtered_list_keeps_its_order(scene: Scene, qtbot: QtBot) -> None:
    window = scene.open(office(), BACKUP, WAREHOUSE)
    shown = _list(scene)
    assert shown.dragDropMode() is shown.DragDropMode.InternalMove
    window.tool_bar.filter.setText("a")
    assert shown.dragDropMode() is shown.DragDropMode.NoDragDrop
    qtbot.keyClick(shown, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert not scene.desk.asked_for("set_order")
    window.tool_bar.filter.clear()
    assert shown.dragDropMode() is shown.DragDropMode.InternalMove


class _Drop(QDropEvent):
    """A drop that comes from the list itself."""

    def __init__(self, source: TrunkListView, at: QPoint) -> None:
        super().__init__(
            QPointF(at),
            Qt.DropAction.MoveAction,
            QMimeData(),
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
        self._source = source

    def source(self) -> TrunkListView:
        return self._source


def test_dragged_trunk_stands_where_it_was_dropped(scene: Scene) -> None:
    scene.open(office(), BACKUP, WAREHOUSE)
    shown = _list(scene)
    # Below the last one
    shown.dropEvent(_Drop(shown, QPoint(20, shown.viewport().height() - 5)))
    scene.wait(lambda: _names(scene) == ["Backup", "Warehouse", "Main office"])


def test_name_is_edited_in_place(scene: Scene, qtbot: QtBot) -> None:
    scene.open(office(), BACKUP)
    shown = _list(scene)
    qtbot.keyClick(shown, Qt.Key.Key_F2)
    editor = shown.findChild(QLineEdit)
    assert isinstance(editor, QLineEdit)
    assert editor.text() == "Main office"
    editor.selectAll()
    qtbot.keyClicks(editor, "Head office")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    scene.wait(lambda: _names(scene) == ["Head office", "Backup"])
    assert scene.desk.asked_for("rename") == [("office", "Head office")]


def test_name_stays_when_editing_is_given_up_or_it_is_emptied(scene: Scene, qtbot: QtBot) -> None:
    scene.open(office())
    shown = _list(scene)
    for words, key in (("Other", Qt.Key.Key_Escape), ("", Qt.Key.Key_Return)):
        qtbot.keyClick(shown, Qt.Key.Key_F2)
        editor = shown.findChild(QLineEdit)
        assert isinstance(editor, QLineEdit)
        editor.setText(words)
        qtbot.keyClick(editor, key)
        scene.wait(lambda: shown.findChild(QLineEdit) is None)
    assert not scene.desk.asked_for("rename")
    assert _names(scene) == ["Main office"]


def test_name_that_is_taken_is_told_and_the_old_one_stays(scene: Scene) -> None:
    window = scene.open(office(), BACKUP)
    scene.desk.refuse["rename"] = StoreError("There is a trunk called Backup already.", field="name")
    window.keeping.rename("office", "Backup")
    scene.wait(lambda: window.banner.words == "There is a trunk called Backup already.")
    assert _names(scene) == ["Main office", "Backup"]


def test_copy_is_chosen_and_switched_off(scene: Scene) -> None:
    window = scene.open(office(), BACKUP)
    menu = _menu(scene)
    menu.duplicate.trigger()
    menu.close()
    scene.wait(lambda: len(window.trunks.watches) == 3)
    scene.wait(lambda: window.chosen is not None and window.chosen.watch.trunk.name == "Main office (copy)")
    assert window.chosen
    assert not window.chosen.watch.trunk.connect
    scene.wait(lambda: "switched off" in window.banner.words)


def test_trunk_is_switched_off_and_on_again(scene: Scene) -> None:
    window = scene.open(office(), BACKUP)
    scene.sign_in()
    window.pane.list.setFocus()
    menu = _menu(scene)
    assert menu.switch.text() == "Switch off"
    menu.switch.trigger()
    menu.close()
    watch = window.trunks.watches[0]
    scene.wait(lambda: not watch.trunk.connect and watch.state is TrunkState.OFF)
    at = window.pane.list.currentIndex()
    words = at.data(Qt.ItemDataRole.AccessibleTextRole)
    assert words == "Main office, Switched off, montreal1.voip.example"
    scene.wait(lambda: window.pane.list.findChild(TrunkMenu) is None)
    menu = _menu(scene)
    assert menu.switch.text() == "Switch on"
    assert not menu.connect_it.isEnabled()
    menu.switch.trigger()
    scene.wait(lambda: watch.trunk.connect)


def test_trunk_is_connected_and_disconnected_from_the_menu(scene: Scene) -> None:
    window = scene.open(office())
    menu = _menu(scene)
    menu.connect_it.trigger()
    menu.close()
    watch = window.trunks.watches[0]
    scene.wait(lambda: watch.state is TrunkState.REGISTERED)
    scene.wait(lambda: window.pane.list.findChild(TrunkMenu) is None)
    menu = _menu(scene)
    assert menu.connect_it.text() == "Disconnect"
    menu.connect_it.trigger()
    scene.wait(lambda: watch.state is TrunkState.OFF)


def test_deleted_trunk_comes_back_to_its_place(scene: Scene, qtbot: QtBot) -> None:
    window = scene.open(office(), BACKUP)
    qtbot.keyClick(_list(scene), Qt.Key.Key_Delete)
    assert not scene.desk.asked_for("remove")
    box = window.findChild(QMessageBox)
    assert isinstance(box, QMessageBox)
    assert "password" in box.informativeText()
    assert "undo this until you close Ringback" in box.informativeText()
    _answer(scene, "Delete")
    scene.wait(lambda: _names(scene) == ["Backup"])
    scene.wait(lambda: window.banner.words == "Main office is deleted, and its password with it.")
    window.banner._button.setFocus()
    qtbot.keyClick(window.banner._button, Qt.Key.Key_Space)
    scene.wait(lambda: _names(scene) == ["Main office", "Backup"])
    scene.wait(lambda: window.chosen is not None and window.chosen.watch.trunk.id == "office")
    assert not window.banner.words


def test_last_trunk_comes_back_from_the_start_page(scene: Scene) -> None:
    window = scene.open(office())
    window.keeping.delete("office")
    _answer(scene, "Delete")
    scene.wait(lambda: window.stack.currentWidget() is window.stack.start_page is not None)
    window.banner._button.click()
    scene.wait(lambda: window.stack.currentWidget() is window.pane)
    assert _names(scene) == ["Main office"]


def test_password_that_stays_in_the_keyring_is_told(scene: Scene) -> None:
    window = scene.open(office(), BACKUP)
    scene.desk.refuse["remove"] = VaultError("The password is still there.", do="Unlock the keyring.")
    window.keeping.delete("office")
    _answer(scene, "Delete")
    scene.wait(lambda: window.banner.words == "The password is still there. Unlock the keyring.")


def test_demo_can_only_be_connected(scene: Scene, qtbot: QtBot) -> None:
    window = scene.open(office())
    scene.desk.demo_script = False
    window.start_demo()
    scene.wait(lambda: window.chosen is not None and window.chosen.watch.trunk.id == "demo")
    shown = window.pane.list
    shown.setFocus()
    menu = _menu(scene)
    visible = [action.text() for action in menu.actions() if action.isVisible()]
    assert visible == [menu.connect_it.text()]
    menu.close()
    for key in (Qt.Key.Key_F2, Qt.Key.Key_Delete):
        qtbot.keyClick(shown, key)
    qtbot.keyClick(shown, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert shown.findChild(QLineEdit) is None
    assert window.findChild(QMessageBox) is None
    assert not scene.desk.asked_for("set_order")


# The model


def _many(count: int) -> list[Trunk]:
    return [office(id=f"trunk-{number}", name=f"Trunk {number}") for number in range(count)]


def test_watch_is_kept_while_its_trunk_is_there_wherever_it_stands(qapp: QApplication) -> None:
    trunks, model = _many(6), TrunkList()
    model.set_trunks(trunks)
    before = {watch.trunk.id: watch for watch in model.watches}
    gone: list[str] = []
    model.watch_removed.connect(lambda watch: gone.append(watch.trunk.id))
    new = office(id="new", name="New")
    model.set_trunks([trunks[5], new, trunks[0], trunks[3]])
    assert [watch.trunk.id for watch in model.watches] == ["trunk-5", "new", "trunk-0", "trunk-3"]
    assert sorted(gone) == ["trunk-1", "trunk-2", "trunk-4"]
    for row, watch in enumerate(model.watches):
        assert model.row(watch.trunk.id) == row
        assert model.watch(watch.trunk.id) is watch
        assert watch.trunk.id == "new" or watch is before[watch.trunk.id]
    assert model.watch("trunk-1") is None


def test_chosen_row_follows_its_trunk_into_another_order(qapp: QApplication, qtbot: QtBot) -> None:
    trunks, model = _many(4), TrunkList()
    model.set_trunks(trunks)
    view = TrunkListView(_filter(model), model)
    qtbot.addWidget(view)
    view.setCurrentIndex(view.model().index(1, 0))
    model.set_trunks(trunks[::-1])
    assert view.currentIndex().row() == 2
    assert view.currentIndex().data() == "Trunk 1"


def _filter(model: TrunkList) -> object:
    from app.ui.models.trunk_list import TrunkFilter

    return TrunkFilter(model)


def test_long_list_is_changed_in_few_steps(qapp: QApplication) -> None:
    trunks, model = _many(500), TrunkList()
    steps: list[str] = []
    model.rowsInserted.connect(lambda: steps.append("inserted"))
    model.rowsRemoved.connect(lambda: steps.append("removed"))
    model.layoutChanged.connect(lambda: steps.append("order"))
    model.set_trunks(trunks)
    assert steps == ["inserted"]
    model.set_trunks(trunks)
    assert steps == ["inserted"]
    model.set_trunks(trunks[::-1])
    model.set_trunks(trunks[100:200])
    assert steps == ["inserted", "order", "removed", "removed", "order"]


def test_only_the_row_of_a_changed_trunk_is_drawn_anew(qapp: QApplication) -> None:
    trunks, model = _many(3), TrunkList()
    model.set_trunks(trunks)
    rows: list[int] = []
    model.dataChanged.connect(lambda first, last: rows.extend(range(first.row(), last.row() + 1)))
    model.watches[1].set_trunk(replace(trunks[1], connect=False))
    assert rows == [1]


def test_no_page_is_made_for_a_trunk_that_nobody_chose(scene: Scene) -> None:
    window = scene.open(*_many(500))
    assert set(window.pane.pages) == {"trunk-0"}
    window.keeping.set_order([f"trunk-{number}" for number in reversed(range(500))])
    scene.wait(lambda: window.trunks.watches[0].trunk.id == "trunk-499")
    assert set(window.pane.pages) == {"trunk-0"}
