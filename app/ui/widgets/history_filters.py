"""What of the history is looked at: words to look for, and choices beside them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QWidget

from app.model.history import RESULTS, HistoryQuery, ResultGroup
from app.model.outcome import Direction
from app.ui.history_words import group_word
from app.ui.plain_text import set_spoken
from app.ui.style import GRID
from app.ui.widgets.search_field import SearchField

_TYPING_MS = 200
"""Who types on is not done yet."""
_DAY_S = 86_400.0


class Period(StrEnum):
    """How far back is looked."""

    ALL = "all"
    TODAY = "today"
    WEEK = "week"
    MONTH = "month"


class HistoryFilters(QWidget):
    """Search field and combos in a row.

    Signals:
        changed: Another query is asked.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.search = SearchField(self.tr("Number, result…"), self.tr("Search the calls"))
        self.trunk = _combo(self.tr("Trunk"), ((self.tr("This trunk"), False), (self.tr("All trunks"), True)))
        self.direction = _combo(
            self.tr("Direction"),
            (
                (self.tr("In and out"), None),
                (self.tr("Outgoing"), Direction.OUT),
                (self.tr("Incoming"), Direction.IN),
            ),
        )
        self.result = _combo(
            self.tr("Result"),
            ((self.tr("Any result"), None), *((group_word(group), group) for group in ResultGroup)),
        )
        self.period = _combo(
            self.tr("Time"),
            (
                (self.tr("Any time"), Period.ALL),
                (self.tr("Today"), Period.TODAY),
                (self.tr("Last 7 days"), Period.WEEK),
                (self.tr("Last 30 days"), Period.MONTH),
            ),
        )
        self._resetting = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_TYPING_MS)
        self._timer.timeout.connect(self.changed)
        self.search.textChanged.connect(self._timer.start)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        row.addWidget(self.search, 1)
        for combo in self.combos:
            combo.currentIndexChanged.connect(self._on_chosen)
            row.addWidget(combo)

    @property
    def combos(self) -> tuple[QComboBox, ...]:
        """The choices, in their order."""
        return self.trunk, self.direction, self.result, self.period

    @property
    def all_trunks(self) -> bool:
        """Whether calls of all trunks are looked at."""
        return bool(self.trunk.currentData())

    @property
    def narrowed(self) -> bool:
        """Whether some calls of the trunk, or of all of them, are left out."""
        return bool(self.search.text().strip()) or any(combo.currentIndex() for combo in self.combos[1:])

    def query(self, trunk_id: str) -> HistoryQuery:
        """What is asked for, on the page of this trunk."""
        direction, group = self.direction.currentData(), self.result.currentData()
        return HistoryQuery(
            text=self.search.text(),
            trunk_id="" if self.all_trunks else trunk_id,
            direction=Direction(direction) if direction else None,
            results=RESULTS[group] if group else (),
            since=_since(Period(self.period.currentData())),
        )

    def reset(self) -> None:
        """Leave no call of the trunk out."""
        self._resetting = True
        self.search.clear()
        for combo in self.combos[1:]:
            combo.setCurrentIndex(0)
        self._resetting = False
        self._on_chosen()

    def _on_chosen(self) -> None:
        self._timer.stop()
        if not self._resetting:
            self.changed.emit()


def _combo(name: str, items: Iterable[tuple[str, object]]) -> QComboBox:
    combo = QComboBox()
    set_spoken(combo, name)
    for words, value in items:
        combo.addItem(words, value)
    return combo


def _since(period: Period) -> float:
    midnight = datetime.now().replace(hour=0, minute=0, second=0, microsecond=0)
    match period:
        case Period.ALL:
            return 0.0
        case Period.TODAY:
            return midnight.timestamp()
        case Period.WEEK:
            return (midnight - timedelta(days=6)).timestamp()
        case Period.MONTH:
            return time.time() - 30 * _DAY_S
