"""The speaker: what all calls send, with the tones that only the person here hears."""

from __future__ import annotations

from array import array
from collections import deque
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from app.sip.engine.audio.buffer import ClockBuffer

_LOUDEST = 32767


class Tone(Protocol):
    """A sound without an end."""

    def read(self, count: int) -> bytes:
        """The next samples."""


class Speaker:
    """Takes the frames that the calls are heard with; all but `hear` may be called from any thread.

    Args:
        samples: Samples in a frame.

    Attributes:
        buffer: Where the device takes its sound from, None while there is no device.
        lasting: A tone that sounds until it is taken away, such as a ringback tone.
    """

    def __init__(self, samples: int) -> None:
        self._samples = samples
        self._short: deque[array[int]] = deque()
        self.buffer: ClockBuffer | None = None
        self.lasting: Tone | None = None

    def play(self, samples: array[int]) -> None:
        """Have a short tone heard, after those still to come."""
        for start in range(0, len(samples), self._samples):
            part = samples[start : start + self._samples]
            part.frombytes(bytes(2 * (self._samples - len(part))))
            self._short.append(part)

    def hear(self, samples: bytes) -> None:
        """Pass one frame of the calls' sound on to the device; empty for silence."""
        buffer = self.buffer
        lasting = self.lasting
        if buffer is None:
            self._short.clear()
            return
        tone = None
        if self._short:
            tone = self._short.popleft()
        elif lasting is not None:
            tone = array("h", lasting.read(self._samples))
        if tone is None:
            buffer.write(samples or bytes(2 * self._samples))
        elif not samples:
            buffer.write(tone.tobytes())
        else:
            buffer.write(_mixed(array("h", samples), tone))


def _mixed(one: array[int], other: array[int]) -> bytes:
    return array(
        "h", [max(-_LOUDEST, min(_LOUDEST, a + b)) for a, b in zip(one, other, strict=True)]
    ).tobytes()
