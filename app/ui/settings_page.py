"""A trunk's settings: to find, to change, or to delete the trunk."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QEvent, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.errors import UserError
from app.model.settings import Mended
from app.model.trunk import Trunk
from app.ui.bridge import DeskBridge
from app.ui.models.trunk_watch import TrunkWatch
from app.ui.style import GRID, Tone
from app.ui.widgets.buttons import IconButton, ToneButton
from app.ui.widgets.conflict_lines import ConflictLines
from app.ui.widgets.page import ScrollPage
from app.ui.widgets.rule import Rule
from app.ui.widgets.search_field import SearchField
from app.ui.widgets.text import Text
from app.ui.widgets.trunk_form import TrunkForm
from app.ui.words import USABLE_STATES

_SEARCH_WIDTH = 32 * GRID


class SettingsPage(QWidget):
    """The form of one trunk with its buttons.

    Args:
        bridge: To the desk.
        watch: The trunk.
        taken_names: Gives the names of the other trunks.

    Signals:
        saved: The trunk was changed; carries the new `Trunk` and whether to connect it again.
        delete_asked: The trunk is to be deleted; carries its id.
    """

    saved = Signal(object, bool)
    delete_asked = Signal(str)

    def __init__(
        self,
        bridge: DeskBridge,
        watch: TrunkWatch,
        taken_names: Callable[[], Iterable[str]],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._watch = watch
        self._was_on = False
        self.form = TrunkForm(taken_names)
        self.form.changed.connect(self._on_form_changed)
        self.search = SearchField(self.tr("Find a setting…"), self.tr("Find a setting"))
        self.search.setMaximumWidth(_SEARCH_WIDTH)
        self.search.textChanged.connect(self.form.search)
        self.search.left_down.connect(self.form.focus_first_found)
        self.conflicts = ConflictLines()
        head = QVBoxLayout()
        head.setContentsMargins(3 * GRID, 2 * GRID, 3 * GRID, GRID)
        head.setSpacing(GRID)
        head.addWidget(self.search)
        head.addWidget(self.conflicts)
        self._scroll = ScrollPage()
        self._scroll.column.setContentsMargins(3 * GRID, 2 * GRID, 3 * GRID, GRID)
        self._scroll.column.addWidget(self.form)
        self._scroll.column.addStretch(1)
        self._note = Text()
        self._note.hide()
        self.save_button = ToneButton(self.tr("Save changes"))
        self.save_button.clicked.connect(self._on_save_clicked)
        self.undo_button = IconButton(self.tr("Undo changes"))
        self.undo_button.clicked.connect(self._on_undo_clicked)
        self.delete_button = IconButton(self.tr("Delete trunk…"), "delete")
        self.delete_button.clicked.connect(lambda: self.delete_asked.emit(self._watch.trunk.id))
        foot = QHBoxLayout()
        foot.setContentsMargins(3 * GRID, GRID + GRID // 2, 3 * GRID, GRID)
        foot.setSpacing(GRID)
        foot.addWidget(self.save_button)
        foot.addWidget(self.undo_button)
        foot.addWidget(self._note, 1)
        foot.addStretch(0)
        foot.addWidget(self.delete_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(Rule())
        column.addWidget(self._scroll, 1)
        column.addWidget(Rule())
        column.addLayout(foot)
        self.setTabOrder(self.search, self.form.first_stop)
        self.setTabOrder(self.form.last_stop, self.save_button)
        self.setTabOrder(self.save_button, self.undo_button)
        self.setTabOrder(self.undo_button, self.delete_button)
        watch.changed.connect(self._on_watch_changed)
        self.form.show_trunk(watch.trunk)
        self._trunk = watch.trunk

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        # Other trunks may have changed since
        self._ask_conflicts()

    def focus_field(self, key: str) -> None:
        """Go to one setting."""
        self.form.focus_field(key)
        # Only once the page has its size is there somewhere to scroll to
        QTimer.singleShot(0, self, self._scroll_to_focus)

    def event(self, event: QEvent) -> bool:
        # The window has the same keys for its own filter; in here they are for the settings
        if (
            event.type() is QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.matches(QKeySequence.StandardKey.Find)
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Find):
            self.search.setFocus()
            self.search.selectAll()
        else:
            super().keyPressEvent(event)

    def _scroll_to_focus(self) -> None:
        widget = self.focusWidget()
        if widget and self.form.isAncestorOf(widget):
            self._scroll.ensureWidgetVisible(widget, 0, 8 * GRID)

    def _ask_conflicts(self) -> None:
        trunk = self._trunk
        self._bridge.submit(self, lambda desk: desk.conflicts(trunk), self.conflicts.show_conflicts)

    def _on_watch_changed(self) -> None:
        if self._watch.trunk == self._trunk:
            return
        self._trunk = self._watch.trunk
        self._ask_conflicts()
        if not self.form.dirty:
            self.form.show_trunk(self._trunk)

    def _on_form_changed(self) -> None:
        dirty = self.form.dirty
        self.save_button.setEnabled(dirty and self.form.valid)
        self.undo_button.setEnabled(dirty)
        if dirty:
            self._note.hide()

    def _on_undo_clicked(self) -> None:
        self.form.show_trunk(self._watch.trunk)

    def _on_save_clicked(self) -> None:
        trunk_id, name, settings = self._watch.trunk.id, self.form.name, self.form.settings()
        password = self.form.password_text() or None
        self._was_on = self._watch.state in USABLE_STATES
        self.save_button.setEnabled(False)
        self._bridge.submit(
            self,
            lambda desk: desk.change(trunk_id, name, settings, password),
            self._on_saved,
            self._on_save_failed,
        )

    def _on_saved(self, result: tuple[Trunk, tuple[Mended, ...]]) -> None:
        trunk, mended = result
        self._trunk = trunk
        self.form.show_trunk(trunk)
        self.form.show_mended(mended)
        self._ask_conflicts()
        self._say(self.tr("Saved."), Tone.GOOD)
        self.saved.emit(trunk, self._was_on)

    def _on_save_failed(self, error: UserError) -> None:
        self.save_button.setEnabled(True)
        if not self.form.show_error(error):
            self._say(str(error), Tone.BAD)

    def _say(self, words: str, tone: Tone) -> None:
        self._note.setText(words)
        self._note.set_tone(tone)
        self._note.show()
