"""Adding a trunk: the form, and saving it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.errors import UserError
from app.model.settings import Mended
from app.model.trunk import Trunk
from app.ui.bridge import DeskBridge
from app.ui.style import GRID, Tone
from app.ui.widgets.buttons import IconButton, ToneButton
from app.ui.widgets.page import ScrollPage
from app.ui.widgets.rule import Rule
from app.ui.widgets.text import Text, TextRole
from app.ui.widgets.trunk_form import TrunkForm


class AddPage(QWidget):
    """Fill in, save, connect.

    Args:
        bridge: To the desk.
        taken_names: Gives the names that trunks have.

    Signals:
        added: A trunk was saved; carries the `Trunk` and what was mended in it.
        cancelled: The person does not want to add one.
    """

    added = Signal(object, object)
    cancelled = Signal()

    def __init__(
        self,
        bridge: DeskBridge,
        taken_names: Callable[[], Iterable[str]],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self.form = TrunkForm(taken_names)
        self.form.changed.connect(self._on_form_changed)
        scroll = ScrollPage()
        scroll.column.setSpacing(GRID)
        scroll.column.addWidget(Text(self.tr("Add a trunk"), role=TextRole.TITLE))
        scroll.column.addWidget(
            Text(self.tr("Type in what your provider gave you. The rest can stay as it is."), tone=Tone.QUIET)
        )
        scroll.column.addSpacing(GRID)
        scroll.column.addWidget(self.form)
        scroll.column.addStretch(1)
        self.save_button = ToneButton(self.tr("Save and connect"), "connect")
        self.save_button.clicked.connect(self._on_save_clicked)
        self.cancel_button = IconButton(self.tr("Cancel"))
        self.cancel_button.clicked.connect(self._on_cancel_clicked)
        self._note = Text(tone=Tone.BAD)
        foot = QHBoxLayout()
        foot.setContentsMargins(3 * GRID, GRID + GRID // 2, 3 * GRID, GRID)
        foot.setSpacing(GRID)
        foot.addWidget(self.save_button)
        foot.addWidget(self.cancel_button)
        foot.addWidget(self._note, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(scroll, 1)
        column.addWidget(Rule())
        column.addLayout(foot)
        self.setTabOrder(self.form.last_stop, self.save_button)
        self.setTabOrder(self.save_button, self.cancel_button)
        self._clear()

    def resume(self) -> None:
        """Go on with what was typed so far."""
        if not self.form.dirty:
            self.form.focus_field("name")

    def _clear(self) -> None:
        self.form.show_trunk(None)
        self._note.clear()

    def _on_cancel_clicked(self) -> None:
        self._clear()
        self.cancelled.emit()

    def _on_form_changed(self) -> None:
        self.save_button.setEnabled(self.form.valid)
        self._note.clear()

    def _on_save_clicked(self) -> None:
        name, settings = self.form.name, self.form.settings()
        password = self.form.password_text()
        self.save_button.setEnabled(False)
        self._bridge.submit(
            self, lambda desk: desk.add(name, settings, password), self._on_added, self._on_add_failed
        )

    def _on_added(self, result: tuple[Trunk, tuple[Mended, ...]]) -> None:
        trunk, mended = result
        self._clear()
        self.added.emit(trunk, mended)

    def _on_add_failed(self, error: UserError) -> None:
        self.save_button.setEnabled(True)
        if not self.form.show_error(error):
            self._note.setText(str(error))
