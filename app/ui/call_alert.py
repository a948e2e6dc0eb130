"""Says that a call comes in when its card can't be seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QWidget

from app.model.call import CallState
from app.model.outcome import Direction
from app.model.visible import one_line
from app.ui.models.call_view import CallView
from app.ui.models.trunk_watch import TrunkWatch
from app.ui.style import Tone
from app.ui.words import caller_words

if TYPE_CHECKING:
    from app.ui.widgets.banner import Banner


class CallAlert(QObject):
    """Follows the calls of all trunks; never takes the focus away.

    Args:
        window: Is marked in the task bar.
        banner: Gives where it is said.
        is_seen: Whether the calls of this trunk are on screen.
        show_calls: Goes to the calls of this trunk.
    """

    def __init__(
        self,
        window: QWidget,
        banner: Callable[[], Banner],
        is_seen: Callable[[TrunkWatch], bool],
        show_calls: Callable[[str], None],
    ) -> None:
        super().__init__(window)
        self._window = window
        self._banner = banner
        self._is_seen = is_seen
        self._show_calls = show_calls
        self._announced: CallView | None = None
        self._words = ""

    def follow(self, watch: TrunkWatch) -> None:
        """Follow a trunk as well."""
        watch.call_added.connect(lambda call: self._on_call_added(watch, call))
        watch.call_changed.connect(self._on_call_moved_on)
        watch.call_ended.connect(self._on_call_moved_on)

    def _on_call_added(self, watch: TrunkWatch, call: CallView) -> None:
        if call.direction is not Direction.IN or call.state is not CallState.INCOMING:
            return
        QApplication.alert(self._window)
        if self._is_seen(watch):
            return
        words = self.tr("Incoming call on {trunk} from {number}.")
        self._words = words.format(trunk=one_line(watch.trunk.name), number=caller_words(call.number))
        self._announced = call
        trunk_id = watch.trunk.id
        self._banner().show_note(
            self._words,
            Tone.ACCENT,
            button=self.tr("Show"),
            act=lambda: self._show_calls(trunk_id),
        )

    def _on_call_moved_on(self, call: CallView) -> None:
        if call is self._announced and call.state is not CallState.INCOMING:
            self._announced = None
            self._banner().drop_note(self._words)
