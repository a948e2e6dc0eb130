"""The menu of one trunk in the list."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from app.model.trunk import TrunkState
from app.ui.models.trunk_watch import TrunkWatch

translate = QCoreApplication.translate


class TrunkMenu(QMenu):
    """Made when it is asked for; deleted when it closes.

    Args:
        watch: The trunk.
        saved_here: Whether it is kept; one of this run can only be connected.
        parent: The list.
    """

    def __init__(self, watch: TrunkWatch, *, saved_here: bool, parent: QWidget) -> None:
        super().__init__(parent)
        self.aboutToHide.connect(self.deleteLater)
        on = watch.state is not TrunkState.OFF
        connect = translate("TrunkMenu", "Connect")
        disconnect = translate("TrunkMenu", "Disconnect")
        switch_off = translate("TrunkMenu", "Switch off")
        switch_on = translate("TrunkMenu", "Switch on")
        self.connect_it = self._add(disconnect if on else connect)
        self.connect_it.setEnabled(on or watch.trunk.connect)
        self.switch = self._add(switch_off if watch.trunk.connect else switch_on)
        self.addSeparator()
        self.rename = self._add(translate("TrunkMenu", "Rename…"), "F2")
        self.duplicate = self._add(translate("TrunkMenu", "Duplicate"))
        self.move_up = self._add(translate("TrunkMenu", "Move up"), "Alt+Up")
        self.move_down = self._add(translate("TrunkMenu", "Move down"), "Alt+Down")
        self.export = self._add(translate("TrunkMenu", "Export…"))
        self.addSeparator()
        self.delete = self._add(translate("TrunkMenu", "Delete…"), QKeySequence.StandardKey.Delete)
        if not saved_here:
            for action in self.actions()[1:]:
                action.setVisible(False)

    def on(self, action: QAction, act: Callable[[], object]) -> None:
        """Have an action do something."""
        action.triggered.connect(lambda: act())

    def _add(self, words: str, keys: QKeySequence.StandardKey | str = "") -> QAction:
        action = QAction(words, self)
        if keys:
            # Shown only: the list itself has these keys, also while no menu is open
            action.setShortcut(QKeySequence(keys))
        self.addAction(action)
        return action
