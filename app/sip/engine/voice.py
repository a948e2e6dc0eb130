"""The engine's mouth and ear: a conference port that sends a tone or speech and hears what comes back."""

from __future__ import annotations

import os
from array import array
from collections import deque
from functools import cache
from typing import TYPE_CHECKING

import pjsua2 as pj

from app.errors import EngineError
from app.model.call import Source
from app.model.sound import keyed_tone
from app.model.sound_figures import SoundFigures
from app.sip.engine.audio.microphone import Microphone
from app.sip.engine.callbacks import contained
from app.sip.engine.frames import FRAME_MS, RATE, fill, samples_in

if TYPE_CHECKING:
    from app.sip.engine.ear import HeardDigit
    from app.sip.engine.recording import Recording

FRAME = RATE * FRAME_MS // 1000
"""Samples in a frame of the bridge."""
_QUIET = array("h", bytes(2 * FRAME))


@cache
def _samples(source: Source) -> array[int]:
    if source is Source.SPEECH:
        return _speech()
    return array("h", bytes(2 * FRAME))


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

    Args:
        name: Of its port on the bridge.
        microphone: What it sends while its source is the microphone.

    Attributes:
        muted: Whether silence is sent in place of the source.
        recording: Gets every frame of both sides.
        ear: What was measured.

    A voice is used again for the next call and never destroyed while PJMEDIA's clock runs: PJSIP takes a port
    off the bridge some time after it was asked to, and a frame for a port that is gone ends the process.
    """

    def __init__(self, name: str, microphone: Microphone) -> None:
        super().__init__()
        self._microphone = microphone
        self.begin(Source.SILENCE)
        audio = pj.MediaFormatAudio()
        audio.init(pj.PJMEDIA_FORMAT_PCM, RATE, 1, FRAME_MS * 1000, 16)
        self.createPort(name, audio)

    def begin(self, source: Source) -> None:
        """Forget the former call and send `source`."""
        # Late: an idle engine should not carry what a call needs to recognise sounds
        from app.sip.engine.ear import Ear

        self._position = 0
        # Not `random`: an idle engine would carry it, and all its tables, for this
        self._pattern = int.from_bytes(os.urandom(4))
        self.ear = Ear()
        self._digits: deque[array[int]] = deque()
        self.muted = False
        self.recording: Recording | None = None
        self.source = source

    @property
    def source(self) -> Source:
        """What is sent; may be changed at any time."""
        return self._source

    @source.setter
    def source(self, source: Source) -> None:
        # Made here, because the clock thread must not wait for it
        tone = source is Source.TONE
        self._samples = keyed_tone(RATE, pattern=self._pattern) if tone else _samples(source)
        self._spoken = self._microphone.number
        self._source = source

    def play_digits(self, digits: str) -> None:
        """Send DTMF tones, after those still to be sent. Everything else waits meanwhile: a receiver must not
        hear other sound in a digit."""
        # Late: an idle engine should not carry what only this needs
        from app.sip.engine.tones import dtmf

        try:
            tones = dtmf(digits, RATE)
        except ValueError as error:
            raise EngineError("Only 0 to 9, A to D, * and # can be sent.", details=str(error)) from None
        self._digits.extend(tones[start : start + FRAME] for start in range(0, len(tones), FRAME))

    @contained
    def onFrameRequested(self, frame: pj.MediaFrame) -> None:
        """Give the next 20 ms of what we send."""
        spoken: array[int] | None = None
        if self._source is Source.MICROPHONE:
            # Taken also when it is not sent, so that nothing old is heard afterwards
            self._spoken, spoken = self._microphone.frame(self._spoken)
        if self._digits:
            part = self._digits.popleft()
        elif self.muted:
            part = _QUIET
        elif spoken is not None:
            part = spoken
        else:
            samples = self._samples
            start = self._position % len(samples)
            part = samples[start : start + FRAME]
            if len(part) < FRAME:
                part = part + samples[: FRAME - len(part)]
            self._position += FRAME
        fill(frame, part.tobytes())
        if self.recording is not None:
            self.recording.sent(part)
        self.ear.sent(part)

    @contained
    def onFrameReceived(self, frame: pj.MediaFrame) -> None:
        """Measure 20 ms of what the far end sends."""
        samples = array("h", samples_in(frame))
        if self.recording is not None:
            self.recording.heard(samples)
        self.ear.heard(samples)

    def levels(self, span_ms: int) -> tuple[float | None, float | None]:
        """Level sent and level heard over the last `span_ms` (up to 1000), dBm0; None for silence."""
        return self.ear.levels(span_ms)

    def listen(self) -> list[HeardDigit]:
        """Look at what has come since; returns the digits in it."""
        digits = self.ear.take_digits()
        if self.ear.is_curious():
            self.look()
        return digits

    def look(self) -> SoundFigures:
        """What the sound shows so far; to be called about once a second."""
        ours = self._source in (Source.TONE, Source.SPEECH) and not self.muted
        return self.ear.look(own_sound=ours, tone_is_sent=self._source is Source.TONE)


class Voices:
    """The voices of an engine, made when they are first needed and kept.

    Args:
        microphone: What they share.
    """

    def __init__(self, microphone: Microphone) -> None:
        self._microphone = microphone
        self._free: list[Voice] = []
        self._made = 0

    def take(self, source: Source) -> Voice:
        """A voice for a call."""
        if not self._free:
            self._made += 1
            return self._begun(Voice(f"voice-{self._made}", self._microphone), source)
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
