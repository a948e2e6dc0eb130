"""The tool bar: add, call, filter, menu."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QLineEdit, QMenu, QSizePolicy, QToolBar, QToolButton, QWidget

from app.ui.icons import icon
from app.ui.plain_text import set_tool_tip
from app.ui.style import GRID
from app.ui.widgets.buttons import EnterToolButton

_FILTER_WIDTH = 25 * GRID


class ToolBar(QToolBar):
    """Actions of the whole window, with their shortcuts."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Tool bar"))
        self.setMovable(False)
        self.setFloatable(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setIconSize(QSize(16, 16))
        self.add_trunk = self._action(self.tr("Add trunk"), QKeySequence.StandardKey.New)
        self.place_call = self._action(self.tr("Call"), "Ctrl+D")
        self.start_demo = self._action(self.tr("Try the demo carrier"), "")
        self.import_trunks = self._action(self.tr("Import trunks…"), "")
        self.export_trunks = self._action(self.tr("Export trunks…"), "")
        self.show_log = self._action(self.tr("Show the log"), "Ctrl+L")
        self.show_log.setCheckable(True)
        self.about = self._action(self.tr("About Ringback"), "")
        self.about.setMenuRole(QAction.MenuRole.AboutRole)
        self.quit = self._action(self.tr("Quit"), QKeySequence.StandardKey.Quit)
        self.quit.setMenuRole(QAction.MenuRole.QuitRole)
        self.addAction(self.add_trunk)
        self.addAction(self.place_call)
        space = QWidget()
        space.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.addWidget(space)
        self._build_filter()
        self._build_menu()
        self.retint()

    def retint(self) -> None:
        """Draw the icons in the palette's colours."""
        self.add_trunk.setIcon(icon("add"))
        self.place_call.setIcon(icon("call"))
        self.start_demo.setIcon(icon("play"))
        self.show_log.setIcon(icon("log"))
        self._search.setIcon(icon("filter"))
        self.menu_button.setIcon(icon("menu"))

    def _action(self, words: str, keys: QKeySequence.StandardKey | str) -> QAction:
        action = QAction(words, self)
        action.setShortcut(QKeySequence(keys))
        if not action.shortcut().isEmpty():
            shown = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            set_tool_tip(action, f"{words} ({shown})")
        return action

    def _build_filter(self) -> None:
        self.filter = QLineEdit()
        self.filter.setPlaceholderText(self.tr("Filter trunks…"))
        self.filter.setAccessibleName(self.tr("Filter trunks"))
        self.filter.setClearButtonEnabled(True)
        self.filter.setFixedWidth(_FILTER_WIDTH)
        self._search = QAction(self)
        self.filter.addAction(self._search, QLineEdit.ActionPosition.LeadingPosition)
        self.addWidget(self.filter)
        find = QAction(self)
        find.setShortcut(QKeySequence(QKeySequence.StandardKey.Find))
        find.triggered.connect(self.filter.setFocus)
        self.filter.addAction(find)

    def _build_menu(self) -> None:
        menu = QMenu(self)
        for action in (self.add_trunk, self.place_call, self.start_demo):
            menu.addAction(action)
        menu.addSeparator()
        menu.addAction(self.import_trunks)
        menu.addAction(self.export_trunks)
        menu.addSeparator()
        menu.addAction(self.show_log)
        menu.addSeparator()
        menu.addAction(self.about)
        menu.addAction(self.quit)
        self.menu_button = EnterToolButton()
        self.menu_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        self.menu_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu_button.setMenu(menu)
        self.menu_button.setAccessibleName(self.tr("Menu"))
        self.menu_button.setToolTip(self.tr("Menu"))
        self.menu_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.addWidget(self.menu_button)
