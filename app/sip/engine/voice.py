"""The engine's mouth and ear: a conference port that sends a tone or speech and measures what comes back."""

from __future__ import annotations

from array import array
from collections import deque
from functools import cache

import pjsua2 as pj

from app.model.sound import SILENCE_DBM0, EchoFinder, dbm0, keyed_tone, rms
from app.sip.messages import Source

RATE = 8000
"""Sampling rate of what is sent and measured, Hz: the bridge's own. Each sample more would cost time when it
crosses into Python."""
FRAME_MS = 20
_FRAME = RATE * FRAME_MS // 1000
_BLOCK = RATE * EchoFinder.BLOCK_MS // 1000


@cache
def _samples(source: Source) -> array[int]:
    if source is Source.TONE:
        return keyed_tone(RATE)
    if source is Source.SPEECH:
        return _speech()
    return array("h", bytes(2 * _FRAME))


def _speech() -> array[int]:
    """The spoken sample, brought from 8 kHz to the bridge's rate."""
    # Late: an idle engine should not carry what only this needs
    import io
    import pkgutil
    import wave

    with wave.open(io.BytesIO(pkgutil.get_data("app.resources", "speech.wav") or b"")) as sample:
        narrow = array("h", sample.readframes(sample.getnframes()))
        factor = RATE // sample.getframerate()
    wide = array("h", bytes(2 * factor * len(narrow)))
    for step in range(factor):
        for n in range(len(narrow) - 1):
            wide[n * factor + step] = narrow[n] + (narrow[n + 1] - narrow[n]) * step // factor
    wide.extend(array("h", bytes(2 * RATE // 2)))  # half a second of pause before it starts again
    return wide


class Voice(pj.AudioMediaPort):  # type: ignore[misc]  # the wheel has no types
    """One call's mouth and ear. Frames come and go on PJMEDIA's clock thread, so it only counts and copies.

    A voice is used again for the next call and never destroyed while PJMEDIA's clock runs: PJSIP takes a port
    off the bridge some time after it was asked to, and a frame for a port that is gone ends the process.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.begin(Source.SILENCE)
        audio = pj.MediaFormatAudio()
        audio.init(pj.PJMEDIA_FORMAT_PCM, RATE, 1, FRAME_MS * 1000, 16)
        self.createPort(name, audio)

    def begin(self, source: Source) -> None:
        """Forget the former call and send `source`."""
        self._position = 0
        self._sent_power: deque[float] = deque(maxlen=1000 // FRAME_MS)
        self._heard_power: deque[float] = deque(maxlen=1000 // FRAME_MS)
        self._echo = EchoFinder()
        self.source = source

    @property
    def source(self) -> Source:
        """What is sent; may be changed at any time."""
        return self._source

    @source.setter
    def source(self, source: Source) -> None:
        # Made here, because the clock thread must not wait for it
        self._samples = _samples(source)
        self._source = source

    def onFrameRequested(self, frame: pj.MediaFrame) -> None:
        """Give the next 20 ms of what we send."""
        samples = self._samples
        start = self._position % len(samples)
        part = samples[start : start + _FRAME]
        if len(part) < _FRAME:
            part = part + samples[: _FRAME - len(part)]
        self._position += _FRAME
        frame.type = pj.PJMEDIA_FRAME_TYPE_AUDIO
        frame.buf = pj.ByteVector(part.tobytes())
        frame.size = 2 * _FRAME
        first, second = rms(part[:_BLOCK]), rms(part[_BLOCK:])
        self._echo.sent(first)
        self._echo.sent(second)
        self._sent_power.append((first * first + second * second) / 2)

    def onFrameReceived(self, frame: pj.MediaFrame) -> None:
        """Measure 20 ms of what the far end sends."""
        samples = array("h", bytes(frame.buf)) if frame.size else array("h")
        first, second = rms(samples[:_BLOCK]), rms(samples[_BLOCK:])
        self._echo.heard(first)
        self._echo.heard(second)
        self._heard_power.append((first * first + second * second) / 2)

    def levels(self, span_ms: int) -> tuple[float | None, float | None]:
        """Level sent and level heard over the last `span_ms` (up to 1000), dBm0; None for silence."""
        frames = span_ms // FRAME_MS
        return _mean_level(list(self._sent_power)[-frames:]), _mean_level(list(self._heard_power)[-frames:])

    def echo_ms(self) -> float | None:
        """After how long our own sound comes back, ms; None when it does not."""
        return self._echo.delay_ms() if self.source is not Source.SILENCE else None


class Voices:
    """The voices of an engine, made when they are first needed and kept."""

    def __init__(self) -> None:
        self._free: list[Voice] = []
        self._made = 0

    def take(self, source: Source) -> Voice:
        """A voice for a call."""
        if not self._free:
            self._made += 1
            return self._begun(Voice(f"voice-{self._made}"), source)
        return self._begun(self._free.pop(0), source)

    def give_back(self, voice: Voice) -> None:
        """The call is over; the voice waits for another one."""
        voice.begin(Source.SILENCE)
        self._free.append(voice)

    def clear(self) -> None:
        """Drop them all; the clock must have been stopped."""
        self._free.clear()

    @staticmethod
    def _begun(voice: Voice, source: Source) -> Voice:
        voice.begin(source)
        return voice


def _mean_level(powers: list[float]) -> float | None:
    level = dbm0((sum(powers) / len(powers)) ** 0.5) if powers else None
    return level if level is not None and level > SILENCE_DBM0 - 20 else None
