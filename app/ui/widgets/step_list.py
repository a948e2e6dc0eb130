"""Steps that tick one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from app.ui.plain_text import set_spoken
from app.ui.style import GRID, Tone
from app.ui.widgets.text import Text
from app.ui.widgets.tone_icon import ToneIcon


class StepState(StrEnum):
    """How far a step is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


_LOOKS = {
    StepState.WAITING: (Tone.QUIET, "not-run"),
    StepState.RUNNING: (Tone.ACCENT, "running"),
    StepState.DONE: (Tone.GOOD, "pass"),
    StepState.FAILED: (Tone.BAD, "fail"),
}


class StepList(QWidget):
    """Steps side by side.

    Args:
        names: The steps' words, in order.
    """

    def __init__(self, names: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names = tuple(names)
        self._states = [StepState.WAITING] * len(names)
        self._icons: list[ToneIcon] = []
        self._texts: list[Text] = []
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        for place, name in enumerate(names):
            mark = ToneIcon(Tone.QUIET, "not-run")
            words = Text(name, tone=Tone.QUIET, wrap=False)
            words.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
            if place:
                row.addSpacing(GRID)
            row.addWidget(mark)
            row.addWidget(words)
            self._icons.append(mark)
            self._texts.append(words)
        row.addStretch(1)

    @property
    def states(self) -> tuple[StepState, ...]:
        """How far each step is."""
        return tuple(self._states)

    def set_step(self, place: int, state: StepState) -> None:
        """Change one step."""
        self._states[place] = state
        tone, name = _LOOKS[state]
        self._icons[place].show_tone(tone, name)
        self._texts[place].set_tone(Tone.QUIET if state is StepState.WAITING else None)
        set_spoken(
            self, ", ".join(f"{name}: {state}" for name, state in zip(self._names, self._states, strict=True))
        )

    def reset(self) -> None:
        """All wait again."""
        for place in range(len(self._names)):
            self.set_step(place, StepState.WAITING)
