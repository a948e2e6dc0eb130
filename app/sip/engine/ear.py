"""What a call's voice measures of the sound that it sends and hears."""

from __future__ import annotations

import math
import time
from array import array
from collections import deque
from typing import NamedTuple

from app.model.dtmf import DtmfReceiver
from app.model.listening import ReturnWatch, clipped, mean_square
from app.model.network_tones import ToneWatch
from app.model.sound import SILENCE_DBM0, EchoFinder, amplitude, dbm0
from app.model.sound_figures import Returned, SoundFigures
from app.sip.engine.frames import FRAME_MS, RATE

_FRAME_S = FRAME_MS / 1000
_SECOND = 1000 // FRAME_MS
_BLOCK = RATE * EchoFinder.BLOCK_MS // 1000
_QUIET = array("h", bytes(4 * _BLOCK))

_SILENCE = amplitude(SILENCE_DBM0) ** 2 / 2
_MAY_CLIP = amplitude(-19) ** 2 / 2
"""Power below which not one per cent of the samples can be at the limits."""
_STALE_S = 0.1
"""Seconds without a frame, as on hold, after which the former ones say nothing about now."""
_DIGIT_S = 0.06
"""How long before it is recognised a digit has begun, at least."""
_CURIOUS_S = 6.0
_EARLY_LOOK_S = 0.4


class HeardDigit(NamedTuple):
    """A digit in the sound, and when it began, monotonic seconds."""

    digit: str
    at: float


class Ear:
    """The measures of one call.

    PJMEDIA's clock thread must not be kept waiting: `sent` and `heard` only leave frames here, and the
    engine's thread looks at them.
    """

    def __init__(self) -> None:
        self._sent = _Side()
        self._heard = _Side()
        self._echo = EchoFinder()
        self._tones = ToneWatch()
        self._dtmf = DtmfReceiver()
        self._return = ReturnWatch()
        self._digits: list[HeardDigit] = []
        self._all_digits = 0
        self._known_sent_s = 0.0
        self._sounding_before = 0

    def sent(self, samples: array[int]) -> None:
        """Note 20 ms of what we send."""
        self._sent.leave(samples)

    def heard(self, samples: array[int]) -> None:
        """Note 20 ms of what the far end sends."""
        self._heard.leave(samples)

    def listen(self) -> None:
        """Look at what has come since."""
        while frame := self._sent.next():
            first, second = frame.powers
            self._echo.sent(math.sqrt(first))
            self._echo.sent(math.sqrt(second))
        while frame := self._heard.next():
            first, second = frame.powers
            self._echo.heard(math.sqrt(first))
            self._echo.heard(math.sqrt(second))
            self._tones.take(frame.samples, frame.powers)
            for digit in self._dtmf.take(frame.samples, frame.powers):
                self._digits.append(HeardDigit(digit, frame.at - _DIGIT_S))
                self._all_digits += 1

    def take_digits(self) -> list[HeardDigit]:
        """The digits heard since this was last asked."""
        self.listen()
        digits, self._digits = self._digits, []
        return digits

    def levels(self, span_ms: int) -> tuple[float | None, float | None]:
        """Level sent and level heard over the last `span_ms` (up to 1000), dBm0; None for silence."""
        self.listen()
        frames = span_ms // FRAME_MS
        return self._sent.level(frames), self._heard.level(frames)

    def clipped_pct(self) -> tuple[float, float]:
        """Samples sent and heard in the last second that touch the limits, per cent."""
        return self._sent.clipped_now_pct(), self._heard.clipped_now_pct()

    def is_curious(self) -> bool:
        """Whether an early look is worth it: short calls too should know whether their sound came back."""
        since_look = self._sent.sounding - self._sounding_before
        young = self._sent.frames <= _CURIOUS_S / _FRAME_S
        return young and self._return.returned is Returned.UNKNOWN and since_look * _FRAME_S >= _EARLY_LOOK_S

    def look(self, *, own_sound: bool, tone_is_sent: bool) -> SoundFigures:
        """What the sound shows so far; to be called about once a second.

        Args:
            own_sound: Whether we send a sound of our own making, which is known when it comes back.
            tone_is_sent: Whether that is the test tone.
        """
        self.listen()
        self._tones.look()
        if own_sound:
            self._known_sent_s += _FRAME_S * (self._sent.sounding - self._sounding_before)
        self._sounding_before = self._sent.sounding
        sent, heard = self.levels(1000)
        delay_ms = None if sent is None or heard is None else self._echo.delay_ms()
        self._return.judge(
            delay_ms=delay_ms,
            likeness=self._echo.likeness if delay_ms is not None else 0.0,
            level_dbm0=heard,
            tone=self._tones.now,
            tone_is_sent=tone_is_sent,
            sent_s=self._known_sent_s,
        )
        tone = self._tones.tone
        return SoundFigures(
            returned=self._return.returned,
            returned_dbm0=self._return.level_dbm0,
            delay_ms=self._return.delay_ms,
            tone_hz=tone.hz if tone else None,
            tone_dbm0=tone.dbm0 if tone else None,
            signal=self._tones.signal,
            heard_pct=self._heard.sounding_pct(),
            sent_pct=self._sent.sounding_pct(),
            clipped_in_pct=self._heard.clipped_pct(),
            clipped_out_pct=self._sent.clipped_pct(),
            digits=self._all_digits,
        )


class _Frame(NamedTuple):
    """20 ms, when they came in monotonic seconds, and the mean square of each half."""

    samples: array[int]
    at: float
    powers: tuple[float, float]


class _Side:
    """One direction."""

    def __init__(self) -> None:
        self.sounding = 0
        self._left: deque[tuple[float, array[int]]] = deque(maxlen=_SECOND)
        self._at = 0.0
        self.frames = 0
        self._clipped = 0
        self._powers: deque[float] = deque(maxlen=_SECOND)
        self._clips: deque[int] = deque(maxlen=_SECOND)

    def leave(self, samples: array[int]) -> None:
        self._left.append((time.monotonic(), samples))

    def next(self) -> _Frame | None:
        """The next frame that was left here, counted."""
        if not self._left:
            return None
        self._at, samples = self._left.popleft()
        samples = samples or _QUIET
        first, second = mean_square(samples[:_BLOCK]), mean_square(samples[_BLOCK:])
        power = (first + second) / 2
        clips = clipped(samples) if power > _MAY_CLIP else 0
        self.frames += 1
        self._powers.append(power)
        self._clips.append(clips)
        if power > _SILENCE:
            self.sounding += 1
            self._clipped += clips
        return _Frame(samples, self._at, (first, second))

    def is_live(self) -> bool:
        return time.monotonic() - self._at < _STALE_S

    def level(self, frames: int) -> float | None:
        if not self._powers or not self.is_live():
            return None
        last = list(self._powers)[-frames:]
        level = dbm0(math.sqrt(sum(last) / len(last)))
        return level if level is not None and level > SILENCE_DBM0 - 20 else None

    def clipped_now_pct(self) -> float:
        return 100 * sum(self._clips) / (2 * _BLOCK * len(self._clips)) if self._clips else 0.0

    def clipped_pct(self) -> float:
        return 100 * self._clipped / (2 * _BLOCK * self.sounding) if self.sounding else 0.0

    def sounding_pct(self) -> float | None:
        return 100 * self.sounding / self.frames if self.frames else None
