"""Importing and exporting trunks: what a table would bring, what is refused, and what the file holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from app.errors import StoreError
from app.importing import MOST_BYTES
from app.model.trunk_file import write_trunks
from app.ui.import_page import ImportPage
from app.ui.models.import_table import Column
from app.ui.widgets.text import Text
from tests.helpers.office import office
from tests.ui.scene import BACKUP, Scene
from tests.ui.trunk_scenes import IMPORT_TABLE, MANGLED_TABLE

# The offscreen plugin says so of every window of a fixed size
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)


def _page(scene: Scene) -> ImportPage:
    scene.wait(lambda: scene.window.keeping.import_page is not None)
    page = scene.window.keeping.import_page
    assert page
    scene.wait(page.isVisible)
    return page


def _import(scene: Scene, tmp_path: Path, name: str, text: str | bytes) -> None:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    scene.window.keeping.import_from(path)


def _cells(page: ImportPage, column: Column) -> list[str]:
    assert page.table
    model = page.table.model()
    return [str(model.index(row, column).data()) for row in range(model.rowCount())]


def _said(page: ImportPage) -> str:
    return "\n".join(text.text() for text in page.findChildren(Text))


def test_table_is_shown_with_what_is_wrong_in_it(scene: Scene, tmp_path: Path) -> None:
    scene.open(office())
    _import(scene, tmp_path, "trunks.csv", IMPORT_TABLE)
    page = _page(scene)
    assert page.summary == (
        "3 of 6 trunks can be imported. The others are left out. In 1 row, a value was put right: check it."
    )
    assert page.main_button.text() == "Import 3 trunks"
    assert _cells(page, Column.LINE) == ["2", "3", "4", "5", "6", "7"]
    notes = _cells(page, Column.NOTE)
    assert notes[0] == ""
    assert "Main office" in notes[2]
    assert "blank" in notes[3]
    assert "sctp" in notes[4]
    assert notes[5] == "Type its password in its settings afterwards."
    assert 'The column "Colour" is not used' in _said(page)
    # The first row that needs a look is chosen, its reason below in full
    assert page.detail.text().startswith("Line 4: ")
    assert page.table
    marked = page.table.model().index(2, Column.LINE).data(Qt.ItemDataRole.AccessibleTextRole)
    assert marked == "line 4, can't be imported"


def test_what_a_spreadsheet_did_is_put_right_or_refused_with_column_and_value(
    scene: Scene, tmp_path: Path
) -> None:
    scene.open(office())
    _import(scene, tmp_path, "trunks.csv", MANGLED_TABLE)
    page = _page(scene)
    assert page.summary.endswith("In 1 row, a value was put right: check it.")
    mended, lost, password, good = _cells(page, Column.NOTE)
    assert 'Column "SIP user": "493012345678.0" is now "493012345678".' in mended
    assert 'Column "SIP port": "5060,0" is now "5060".' in mended
    assert 'Column "SIP user": User "4,93012E+11" is a number that a spreadsheet has shortened' in lost
    assert "Format the column as text" in lost
    assert 'Column "Secret": The password is a number that a spreadsheet has shortened' in password
    assert "1,23457E+12" not in password
    assert good == ""
    assert page.table
    model = page.table.model()
    states = [model.index(row, Column.LINE).data(Qt.ItemDataRole.AccessibleTextRole) for row in range(4)]
    assert [state.partition(", ")[2] for state in states] == [
        "can be imported, with values that were put right",
        "can't be imported",
        "can't be imported",
        "can be imported",
    ]
    assert _cells(page, Column.USER)[:2] == ["493012345678", "4,93012E+11"]


def test_no_password_of_the_table_is_on_screen(scene: Scene, tmp_path: Path) -> None:
    scene.open(office())
    _import(scene, tmp_path, "trunks.csv", "name,host,user,password\nBerlin,sip.example,b,s3cret-canary\n")
    page = _page(scene)
    assert _cells(page, Column.PASSWORD) == ["given"]
    shown = [cell for column in Column for cell in _cells(page, column)]
    assert "s3cret-canary" not in "\n".join((*shown, _said(page)))


def test_good_rows_are_imported_by_keyboard(scene: Scene, tmp_path: Path, qtbot: QtBot) -> None:
    window = scene.open(office())
    _import(scene, tmp_path, "trunks.csv", IMPORT_TABLE)
    page = _page(scene)
    scene.wait(page.main_button.hasFocus)
    qtbot.keyClick(page.main_button, Qt.Key.Key_Space)
    scene.wait(lambda: len(window.trunks.watches) == 4)
    scene.wait(lambda: window.banner.words == "3 trunks were imported.")
    assert window.stack.currentWidget() is window.pane
    scene.wait(lambda: window.chosen is not None and window.chosen.watch.trunk.name == "Berlin")


def test_first_trunks_are_imported_from_the_start_page(scene: Scene, tmp_path: Path) -> None:
    window = scene.open()
    _import(scene, tmp_path, "trunks.csv", "name,host,user\nBerlin,sip.example,b\n")
    page = _page(scene)
    window._refresh_trunks()
    scene.wait(lambda: window.stack.currentWidget() is page)
    page.main_button.click()
    scene.wait(lambda: window.stack.currentWidget() is window.pane)
    assert window.banner.words == "1 trunk was imported: Berlin."


def test_import_tells_of_a_missing_keyring_beside_its_own_result(scene: Scene, tmp_path: Path) -> None:
    window = scene.open(vault_note="There is no keyring.")
    assert not scene.desk_asked_by_now("check_vault")
    _import(scene, tmp_path, "trunks.csv", "name,host,user,password\nBerlin,sip.example,b,s3cret\n")
    _page(scene).main_button.click()
    scene.wait(lambda: window.banner.words == "1 trunk was imported: Berlin.\nThere is no keyring.")


def test_escape_goes_back_and_nothing_is_imported(scene: Scene, tmp_path: Path, qtbot: QtBot) -> None:
    window = scene.open(office())
    _import(scene, tmp_path, "trunks.csv", IMPORT_TABLE)
    page = _page(scene)
    qtbot.keyClick(page.main_button, Qt.Key.Key_Escape)
    scene.wait(lambda: window.stack.currentWidget() is window.pane)
    assert not scene.desk.asked_for("import_rows")
    assert window.keeping.import_page is None


def test_only_the_bad_rows_can_be_shown(scene: Scene, tmp_path: Path) -> None:
    scene.open(office())
    _import(scene, tmp_path, "trunks.csv", IMPORT_TABLE)
    page = _page(scene)
    page.only_bad.click()
    assert _cells(page, Column.LINE) == ["4", "5", "6"]
    page.only_bad.click()
    assert len(_cells(page, Column.LINE)) == 6


def test_table_of_bad_rows_offers_another_file(scene: Scene, tmp_path: Path) -> None:
    scene.open(office())
    _import(scene, tmp_path, "trunks.csv", "name,host,user\nMain office,sip.example,b\n")
    page = _page(scene)
    assert page.summary == "None of these trunks can be imported."
    page.main_button.click()
    scene.wait(lambda: scene.window.findChild(QFileDialog) is not None)
    assert not scene.desk.asked_for("import_rows")


def test_table_without_trunks_says_so(scene: Scene, tmp_path: Path) -> None:
    scene.open(office())
    _import(scene, tmp_path, "trunks.csv", "name,host\n")
    page = _page(scene)
    assert page.summary == "There are no trunks in this table."
    assert page.main_button.text() == "Choose another file…"


def test_failed_import_of_rows_is_told_and_can_be_tried_again(scene: Scene, tmp_path: Path) -> None:
    scene.open(office())
    scene.desk.refuse["import_rows"] = StoreError("The disk is full.", do="Make some room.")
    _import(scene, tmp_path, "trunks.csv", IMPORT_TABLE)
    page = _page(scene)
    page.main_button.click()
    assert page.main_button.text() == "Importing…"
    scene.wait(lambda: "The disk is full. Make some room." in _said(page))
    assert page.main_button.isEnabled()
    assert page.main_button.text() == "Import 3 trunks"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("trunks.json", '{"ringback": "trunks",\n"version": 1,\n"trunks": [', "Line 3: this is not JSON."),
        ("trunks.json", '{"ringback": "calls"}', "This file holds no trunks of Ringback."),
        ("trunks.csv", b"\xff\xfe\x00", "Line 1: this file is not text in UTF-8."),
        ("trunks.csv", "", "This file is empty."),
        ("trunks.csv", b"x" * (MOST_BYTES + 1), "trunks.csv can't be read: it is larger than 20 MB."),
    ],
)
def test_file_that_is_no_use_is_refused_in_words(
    scene: Scene, tmp_path: Path, name: str, content: str | bytes, words: str
) -> None:
    scene.open(office())
    _import(scene, tmp_path, name, content)
    page = _page(scene)
    assert page.summary == "Nothing was imported."
    assert words in _said(page)
    assert len(scene.window.trunks.watches) == 1


def test_file_that_is_not_there_is_told(scene: Scene, tmp_path: Path) -> None:
    scene.open(office())
    scene.window.keeping.import_from(tmp_path / "gone.json")
    assert "gone.json can't be read: No such file or directory." in _said(_page(scene))


def test_bad_setting_in_our_own_file_is_refused_with_its_line(scene: Scene, tmp_path: Path) -> None:
    scene.open(office())
    text = write_trunks((BACKUP,)).replace('"port": ""', '"port": "99999"')
    line = next(number for number, each in enumerate(text.splitlines(), 1) if "99999" in each)
    _import(scene, tmp_path, "trunks.json", text)
    assert f"Line {line}: " in _said(_page(scene))
    assert not [watch for watch in scene.window.trunks.watches if watch.trunk.name == "Backup"]


def test_our_own_file_is_imported_at_once(scene: Scene, tmp_path: Path) -> None:
    window = scene.open(office())
    _import(scene, tmp_path, "trunks.json", write_trunks((BACKUP,)))
    scene.wait(lambda: len(window.trunks.watches) == 2)
    scene.wait(lambda: window.banner.words == "1 trunk was imported: Backup.")
    assert window.keeping.import_page is None


def test_names_that_are_taken_can_be_changed_by_the_import(scene: Scene, tmp_path: Path) -> None:
    window = scene.open(office(), BACKUP)
    scene.desk.refuse["import_text"] = StoreError("There is a trunk called Backup already.", field="name")
    _import(scene, tmp_path, "trunks.json", write_trunks((BACKUP,)))
    page = _page(scene)
    assert page.main_button.text() == "Import under free names"
    del scene.desk.refuse["import_text"]
    page.main_button.click()
    scene.wait(lambda: [watch.trunk.name for watch in window.trunks.watches][2:] == ["Backup (2)"])
    assert scene.desk.asked_for("import_text")[-1][1] is True


def test_export_holds_every_trunk_and_says_that_no_password_is_in_it(scene: Scene, tmp_path: Path) -> None:
    window = scene.open(office(), BACKUP)
    path = tmp_path / "all.json"
    window.keeping.export_to(path)
    scene.wait(lambda: window.banner.words == "Exported to all.json. Passwords are not in it.")
    document = json.loads(path.read_text(encoding="utf-8"))
    assert [trunk["name"] for trunk in document["trunks"]] == ["Main office", "Backup"]


def test_one_trunk_is_exported_to_the_file_that_is_chosen(scene: Scene, tmp_path: Path) -> None:
    window = scene.open(office(), BACKUP)
    window.keeping.ask_export(("backup",))
    chooser = window.findChild(QFileDialog)
    assert isinstance(chooser, QFileDialog)
    assert "without passwords" in chooser.windowTitle()
    path = tmp_path / "one.json"
    chooser.fileSelected.emit(str(path))
    chooser.close()
    scene.wait(lambda: "one.json" in window.banner.words)
    document = json.loads(path.read_text(encoding="utf-8"))
    assert [trunk["name"] for trunk in document["trunks"]] == ["Backup"]


def test_export_that_can_not_be_written_is_told(scene: Scene, tmp_path: Path) -> None:
    window = scene.open(office())
    window.keeping.export_to(tmp_path)
    scene.wait(lambda: "can't be written" in window.banner.words)


def test_menu_offers_export_only_with_trunks(scene: Scene) -> None:
    window = scene.open()
    assert window.tool_bar.import_trunks.isEnabled()
    assert not window.tool_bar.export_trunks.isEnabled()
    scene.desk._trunks.append(office())
    window._refresh_trunks()
    scene.wait(window.tool_bar.export_trunks.isEnabled)
