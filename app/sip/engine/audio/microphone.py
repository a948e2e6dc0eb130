"""The microphone as all calls of an engine share it."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.sip.engine.audio.buffer import ClockBuffer

_LOUDEST = 32767


class Microphone:
    """Gives every call the same frame in each tick of the bridge; only PJMEDIA's clock thread reads.

    The frames are numbered, and who reads tells the number of its last one: the first to ask in a tick has
    the next one taken from the device, the others get the same. So none runs ahead of the others, and one
    that joins or pauses is in step again at once.

    Args:
        samples: Samples in a frame.

    Attributes:
        buffer: Where the sound of the device comes from, None while there is no device: then it is silent.
        gain_db: Volume, dB.
        number: Of the newest frame.
    """

    def __init__(self, samples: int) -> None:
        self._samples = samples
        self._quiet = self._frame = array("h", bytes(2 * samples))
        self._factor = 1.0
        self.buffer: ClockBuffer | None = None
        self.number = 0

    @property
    def gain_db(self) -> float:
        """Volume, dB; 0 leaves the sound as it is."""
        return self._gain_db

    @gain_db.setter
    def gain_db(self, gain_db: float) -> None:
        self._gain_db = gain_db
        self._factor = 10 ** (gain_db / 20)

    _gain_db = 0.0

    def frame(self, seen: int) -> tuple[int, array[int]]:
        """The number of a frame and its samples, which are not to be changed.

        Args:
            seen: The number that this reader got last; the newest one for a reader that begins.
        """
        if seen == self.number:
            self._frame = self._next()
            self.number += 1
        return self.number, self._frame

    def _next(self) -> array[int]:
        buffer = self.buffer
        if buffer is None:
            return self._quiet
        frame = array("h", buffer.read(self._samples))
        if self._factor != 1.0:
            factor = self._factor
            frame = array("h", [max(-_LOUDEST, min(_LOUDEST, int(sample * factor))) for sample in frame])
        return frame
