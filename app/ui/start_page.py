"""The first page: two ways on."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.ui.icons import app_icon
from app.ui.style import GRID, Tone
from app.ui.widgets.buttons import IconButton, ToneButton
from app.ui.widgets.text import Text, TextRole

_TEXT_WIDTH = 56 * GRID
_ICON_EDGE = 9 * GRID


class StartPage(QWidget):
    """Shown while there is no trunk.

    Signals:
        add_asked: The person has a trunk.
        demo_asked: The person wants to see it work first.
    """

    add_asked = Signal()
    demo_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        mark = QLabel()
        mark.setFixedSize(_ICON_EDGE, _ICON_EDGE)
        mark.setPixmap(app_icon().pixmap(_ICON_EDGE, _ICON_EDGE))
        title = Text(self.tr("Does your SIP trunk work?"), role=TextRole.TITLE)
        title.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        words = self.tr(
            "Ringback signs in to your provider, places a real test call, listens to it, and tells you in "
            "plain words whether the trunk works, and what to change if it does not."
        )
        about = Text(words, tone=Tone.QUIET)
        about.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.demo_button = ToneButton(self.tr("Try it with the demo carrier"), "play")
        self.add_button = IconButton(self.tr("Add your trunk"), "add")
        self.demo_button.clicked.connect(self.demo_asked)
        self.add_button.clicked.connect(self.add_asked)
        buttons = QHBoxLayout()
        buttons.setSpacing(2 * GRID)
        buttons.addStretch(1)
        for button in (self.add_button, self.demo_button):
            button.setMinimumHeight(5 * GRID)
            button.setMinimumWidth(22 * GRID)
            button.takes_enter = True
            buttons.addWidget(button)
        buttons.addStretch(1)
        hint = Text(
            self.tr("The demo needs no account and no network: it calls a carrier on this computer."),
            role=TextRole.SMALL,
            tone=Tone.QUIET,
        )
        hint.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        middle = QWidget()
        middle.setFixedWidth(_TEXT_WIDTH)
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2 * GRID)
        column.addWidget(mark, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(title)
        column.addWidget(about)
        column.addSpacing(GRID)
        column.addLayout(buttons)
        column.addWidget(hint)
        outer = QVBoxLayout(self)
        outer.addStretch(2)
        # Stretches, not an alignment: that would not ask how high the words get at this width
        across = QHBoxLayout()
        across.addStretch(1)
        across.addWidget(middle)
        across.addStretch(1)
        outer.addLayout(across)
        outer.addStretch(3)
