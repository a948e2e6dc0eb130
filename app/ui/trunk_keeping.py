"""Keeping trunks, from the list and the menu: rename, duplicate, order, switch, delete, export, import."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtWidgets import QFileDialog

from app.errors import StoreError, UserError
from app.model.trunk import Trunk, TrunkState
from app.model.visible import one_line
from app.ui.bridge import DeskBridge
from app.ui.models.trunk_list import TrunkList
from app.ui.models.trunk_watch import TrunkWatch
from app.ui.questions import ask_before_deleting
from app.ui.style import Tone
from app.ui.trunk_files import is_our_own, write_file

if TYPE_CHECKING:
    from app.desk import Desk
    from app.model.trunk_csv import CsvPreview
    from app.ui.import_page import ImportPage
    from app.ui.main_stack import MainStack
    from app.ui.trunk_pane import TrunkPane
    from app.ui.widgets.banner import Banner

T = TypeVar("T")


class TrunkKeeping(QObject):
    """Asks the desk, then has the list shown anew.

    Args:
        bridge: To the desk.
        trunks: All trunks.
        pane: The list.
        stack: Where the import's page goes.
        banner: Gets the line for notes.

    Attributes:
        import_page: While something is being imported.

    Signals:
        changed: The saved trunks are others now; carries the id of the one to choose, or nothing.
        left: The import's page is gone.
    """

    changed = Signal(str)
    left = Signal()

    def __init__(
        self,
        bridge: DeskBridge,
        trunks: TrunkList,
        pane: TrunkPane,
        stack: MainStack,
        banner: Callable[[], Banner],
    ) -> None:
        super().__init__(stack)
        self._bridge = bridge
        self._trunks = trunks
        self._pane = pane
        self._stack = stack
        self._banner = banner
        self.import_page: ImportPage | None = None

    # One trunk

    def show_menu(self, watch: TrunkWatch, place: QPoint) -> None:
        """Show the menu of a trunk."""
        from app.ui.trunk_menu import TrunkMenu

        trunk, shown = watch.trunk, self._pane.list
        self._pane.choose(trunk.id)
        menu = TrunkMenu(watch, saved_here=not self._trunks.is_fixed(trunk.id), parent=shown)
        menu.move_up.setEnabled(shown.can_move(watch, -1))
        menu.move_down.setEnabled(shown.can_move(watch, 1))
        menu.on(menu.connect_it, partial(self.connect_or_not, watch))
        menu.on(menu.switch, partial(self.switch, trunk))
        menu.on(menu.rename, shown.rename_chosen)
        menu.on(menu.duplicate, partial(self.duplicate, trunk.id))
        menu.on(menu.move_up, partial(shown.move_by, -1))
        menu.on(menu.move_down, partial(shown.move_by, 1))
        menu.on(menu.export, partial(self.ask_export, (trunk.id,)))
        menu.on(menu.delete, partial(self.delete, trunk.id))
        menu.popup(place)

    def connect_or_not(self, watch: TrunkWatch) -> None:
        """Connect a trunk that is off, disconnect any other."""
        overview = self._pane.page(watch).overview
        if watch.state is TrunkState.OFF:
            overview.connect_trunk()
        else:
            overview.disconnect_trunk()

    def rename(self, trunk_id: str, name: str) -> None:
        """Give a trunk another name."""
        self._do(lambda desk: desk.rename(trunk_id, name), self._refresh)

    def duplicate(self, trunk_id: str) -> None:
        """Copy a trunk; the copy is switched off."""

        def done(copy: Trunk) -> None:
            self.changed.emit(copy.id)
            words = self.tr("{name} is switched off, so that it does not sign in twice.")
            self._banner().show_note(words.format(name=one_line(copy.name)))

        self._do(lambda desk: desk.duplicate(trunk_id), done)

    def switch(self, trunk: Trunk) -> None:
        """Switch a trunk off, or on again."""
        trunk_id, on = trunk.id, not trunk.connect
        self._do(lambda desk: desk.switch(trunk_id, "connect", on), self._refresh)

    def set_order(self, trunk_ids: Sequence[str]) -> None:
        """Put the trunks in this order."""
        self._do(lambda desk: desk.set_order(trunk_ids), self._refresh)

    def delete(self, trunk_id: str) -> None:
        """Delete a trunk, after a question."""
        watch = self._trunks.watch(trunk_id)
        if watch:
            ask_before_deleting(self._stack.window(), watch.trunk.name, lambda: self._delete(watch.trunk))

    def _delete(self, trunk: Trunk) -> None:
        def done(_: None) -> None:
            self._refresh()
            words = self.tr("{name} is deleted, and its password with it.").format(name=one_line(trunk.name))
            self._banner().show_note(words, button=self.tr("Undo"), act=self.undo)

        self._do(lambda desk: desk.remove(trunk.id), done)

    def undo(self) -> None:
        """Bring back the trunk that was deleted last."""

        def done(trunk: Trunk | None) -> None:
            self.changed.emit(trunk.id if trunk else "")

        self._do(lambda desk: desk.undo_remove(), done)

    # Files

    def ask_export(self, trunk_ids: Sequence[str] | None = None) -> None:
        """Ask for a file and export trunks, or all of them."""
        title = self.tr("Export trunks (without passwords)")
        chooser = QFileDialog(self._stack.window(), title, "trunks.json")
        chooser.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        chooser.setNameFilters([self.tr("Trunks (*.json)"), self.tr("All files (*)")])
        chooser.setDefaultSuffix("json")
        chooser.fileSelected.connect(lambda path: self.export_to(Path(path), trunk_ids))
        chooser.finished.connect(chooser.deleteLater)
        chooser.open()

    def export_to(self, path: Path, trunk_ids: Sequence[str] | None = None) -> None:
        """Export trunks, or all of them, to a file; says which ones can't be read and are not in it."""

        async def work(desk: Desk) -> tuple[str, str]:
            return await desk.export_text(trunk_ids), "" if trunk_ids else desk.store_note

        def done(result: tuple[str, str]) -> None:
            text, note = result
            try:
                write_file(path, text)
            except UserError as error:
                self._fail(error)
                return
            words = self.tr("Exported to {name}. Passwords are not in it.").format(name=one_line(path.name))
            self._banner().show_note(words, Tone.GOOD)
            if note:
                self._banner().add_note(note, Tone.WARNING)

        self._do(work, done)

    def ask_import(self) -> None:
        """Ask for a file and import it."""
        chooser = QFileDialog(self._stack.window(), self.tr("Import trunks"))
        chooser.setFileMode(QFileDialog.FileMode.ExistingFile)
        chooser.setNameFilters(
            [self.tr("Trunks and tables (*.json *.csv *.tsv *.txt)"), self.tr("All files (*)")]
        )
        chooser.fileSelected.connect(lambda path: self.import_from(Path(path)))
        chooser.finished.connect(chooser.deleteLater)
        chooser.open()

    def import_from(self, path: Path) -> None:
        """Import an export of ours at once, and show first what a table would bring."""
        self._bridge.submit(
            self,
            lambda desk: desk.read_import(path),
            lambda text: self._import_what_was_read(path, text),
            lambda error: self._show_page(path).show_refusal(error),
        )

    def _import_what_was_read(self, path: Path, text: str) -> None:
        if is_our_own(text):
            self._import_text(path, text)
            return
        self._bridge.submit(
            self,
            lambda desk: desk.preview_csv(text),
            lambda preview: self._show_page(path).show_preview(preview),
            lambda error: self._show_page(path).show_refusal(error),
        )

    def _import_text(self, path: Path, text: str, *, rename_taken: bool = False) -> None:
        def failed(error: UserError) -> None:
            taken = isinstance(error, StoreError) and error.field == "name" and not rename_taken
            page = self._show_page(path)
            page.show_refusal(error, can_rename=taken)
            page.rename_asked.connect(lambda: self._import_text(path, text, rename_taken=True))

        self._bridge.submit(
            self,
            lambda desk: desk.import_text(text, rename_taken=rename_taken),
            self._on_imported,
            failed,
        )

    def _import_rows(self, page: ImportPage, preview: CsvPreview) -> None:
        self._bridge.submit(self, lambda desk: desk.import_rows(preview), self._on_imported, page.show_error)

    def _show_page(self, path: Path) -> ImportPage:
        from app.ui.import_page import ImportPage

        self._drop_page()
        page = ImportPage(path.name)
        page.cancelled.connect(self._on_cancelled)
        page.file_asked.connect(self.ask_import)
        page.rows_asked.connect(lambda preview: self._import_rows(page, preview))
        self.import_page = page
        self._stack.addWidget(page)
        self._stack.setCurrentWidget(page)
        return page

    def _drop_page(self) -> None:
        page, self.import_page = self.import_page, None
        if page:
            self._stack.removeWidget(page)
            page.hide()
            page.deleteLater()

    def _on_cancelled(self) -> None:
        self._drop_page()
        self.left.emit()

    def _on_imported(self, trunks: tuple[Trunk, ...]) -> None:
        self._drop_page()
        self.changed.emit(trunks[0].id if trunks else "")
        if len(trunks) == 1:
            words = self.tr("1 trunk was imported: {name}.").format(name=one_line(trunks[0].name))
        else:
            words = self.tr("{count} trunks were imported.").format(count=len(trunks))
        self._banner().show_note(words, Tone.GOOD)
        self.left.emit()

    # The desk

    def _do(self, work: Callable[[Desk], Awaitable[T]], done: Callable[[T], None]) -> None:
        self._bridge.submit(self, work, done, self._fail)

    def _refresh(self, _: object = None) -> None:
        self.changed.emit("")

    def _fail(self, error: UserError) -> None:
        # Some of it may be done: a trunk deleted whose password could not be
        self._refresh()
        self._banner().show_note(str(error), Tone.BAD)
