"""A call's sound as a WAV file: what we send left, what we hear right."""

from __future__ import annotations

import queue
import threading
import wave
from array import array
from pathlib import Path

from app.errors import EngineError


class Recording:
    """One recording. `sent` and `heard` are called on PJMEDIA's clock thread and only queue; a thread writes.

    A call that is on hold has no frames, so a hold is left out.

    Args:
        path: The file, which must not exist yet.
        rate: Samples a second.

    Raises:
        EngineError: The file can't be made.
    """

    def __init__(self, path: Path, rate: int) -> None:
        self.path = path
        try:
            self._file = path.open("xb")
        except OSError as error:
            raise EngineError(
                f"The recording could not be started: {error.strerror or error}.",
                do=f"Choose another folder than {path.parent}, or make room there.",
                details=str(error),
            ) from error
        self._wave = wave.open(self._file, "wb")  # noqa: SIM115  closed by the thread that writes
        self._wave.setnchannels(2)
        self._wave.setsampwidth(2)
        self._wave.setframerate(rate)
        self._sent: array[int] | None = None
        self._frames: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self.trouble = ""
        self._writer = threading.Thread(target=self._write, name="recording", daemon=True)
        self._writer.start()

    def sent(self, samples: array[int]) -> None:
        """Note a frame of what we send; in each tick PJMEDIA asks for it before it brings what was heard."""
        if self._sent is not None:
            self._put(self._sent, array("h", bytes(2 * len(self._sent))))
        self._sent = samples

    def heard(self, samples: array[int]) -> None:
        """Note a frame of what we hear."""
        if not samples:
            return
        sent, self._sent = self._sent, None
        self._put(sent if sent is not None else array("h", bytes(2 * len(samples))), samples)

    def _put(self, left: array[int], right: array[int]) -> None:
        both = array("h", bytes(4 * len(left)))
        both[0::2] = left
        both[1::2] = right[: len(left)] if len(right) >= len(left) else _filled(right, len(left))
        self._frames.put(both.tobytes())

    def close(self) -> None:
        """Write what is left and close the file."""
        self._frames.put(None)
        self._writer.join()

    def _write(self) -> None:
        try:
            with self._file, self._wave:
                while (frame := self._frames.get()) is not None:
                    self._wave.writeframesraw(frame)
        except OSError as error:
            self.trouble = error.strerror or str(error)


def _filled(samples: array[int], length: int) -> array[int]:
    return samples + array("h", bytes(2 * (length - len(samples))))
