"""The figures of a call's media, for those who know them."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QWidget

from app.model.outcome import MediaFigures
from app.ui.call_words import percent
from app.ui.style import GRID
from app.ui.widgets.fact_grid import FactGrid
from app.ui.words import codec_word, milliseconds

_UNKNOWN = "\N{EN DASH}"


class CallFigureGrid(FactGrid):
    """Codec, loss, jitter, round trip, echo, packets."""

    def __init__(self, parent: QWidget | None = None) -> None:
        tr = QCoreApplication.translate
        captions = (
            tr("CallFigureGrid", "Codec"),
            tr("CallFigureGrid", "Loss"),
            tr("CallFigureGrid", "Jitter"),
            tr("CallFigureGrid", "Round trip"),
            tr("CallFigureGrid", "Echo after"),
            tr("CallFigureGrid", "Packets out / in"),
        )
        super().__init__(captions, 3, parent)
        self.setContentsMargins(0, GRID // 2, 0, GRID // 2)

    def show_figures(self, figures: MediaFigures | None) -> None:
        """Show these; a dash for each that is not known."""
        if figures is None:
            self.set_values((_UNKNOWN,) * 6)
            return
        self.set_values(
            (
                codec_word(figures.codec) or _UNKNOWN,
                percent(figures.rx.loss_pct) if figures.rx.packets else _UNKNOWN,
                milliseconds(figures.rx.jitter_ms if figures.rx.packets else None),
                milliseconds(figures.round_trip_ms),
                milliseconds(figures.echo_ms),
                f"{figures.tx.packets} / {figures.rx.packets}",
            )
        )
