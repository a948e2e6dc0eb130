"""One call as the window shows it."""

from __future__ import annotations

import time
from collections import deque

import msgspec

from app.model.call import CallState
from app.model.caller import caller_number
from app.model.finding import Finding
from app.model.outcome import CallOutcome, Direction, MediaFigures
from app.model.quality import CallQuality

SERIES_S = 120
"""Seconds of a call's quality that are kept for its plot."""


class QualityPoint(msgspec.Struct, frozen=True):
    """One second of a call.

    Attributes:
        at: `time.monotonic()`.
        mos: MOS of the last window; None while there is no score.
        loss_pct: Packets lost or discarded in this second, per cent of those expected.
    """

    at: float
    mos: float | None
    loss_pct: float


class Transfer(msgspec.Struct):
    """A transfer that was asked for.

    Attributes:
        to: The number, or the other call's, as the person knows it.
        sip_code, reason: What it has come to so far.
        final: Whether nothing more is to come.
    """

    to: str
    sip_code: int = 0
    reason: str = ""
    final: bool = False

    @property
    def refused(self) -> bool:
        """Whether it came to nothing, and the call goes on."""
        return self.final and not 200 <= self.sip_code < 300


class CallView(msgspec.Struct, eq=False):
    """One call as the window shows it.

    Attributes:
        call_id: The engine's id.
        direction: Out or in.
        number: As typed, or the caller.
        called: The URI dialled, or the Request-URI of a call that came in.
        to: For a call that came in, the URI in To.
        state: Calling to ended.
        sip_code, reason: Of the last message that changed the state.
        setup_ms: Session request delay, ms, once known.
        answered_at: `time.monotonic()` at the answer.
        figures: The last media figures.
        quality: The last score.
        series: Its last two minutes, a point a second.
        tx_dbm0, rx_dbm0: The last levels; None is silence.
        digits, digits_sent: DTMF digits that came in and went out.
        held_by_us, held_by_them: Who holds it; both can.
        hold_asked: Whether a hold or its end was asked for that the far end has not agreed to yet.
        hold_trouble: Why that did not come about; for the card to take and show.
        muted: Whether silence goes out in place of the chosen sound.
        in_conference: Whether it hears the other calls of the conference.
        transfer: What came of the last transfer.
        recording: The file that is written now, empty for none.
        recording_since: `time.monotonic()` at its beginning.
        recorded: The last file that is finished.
        recording_trouble: Why that one ended unasked.
        outcome: What came of the call, once ended.
        findings: What that means.
    """

    call_id: str
    direction: Direction
    number: str
    called: str = ""
    to: str = ""
    state: CallState = CallState.CALLING
    sip_code: int = 0
    reason: str = ""
    setup_ms: float | None = None
    answered_at: float | None = None
    figures: MediaFigures | None = None
    quality: CallQuality | None = None
    series: deque[QualityPoint] = msgspec.field(default_factory=lambda: deque(maxlen=SERIES_S))
    tx_dbm0: float | None = None
    rx_dbm0: float | None = None
    digits: str = ""
    digits_sent: str = ""
    held_by_us: bool = False
    held_by_them: bool = False
    hold_asked: bool = False
    hold_trouble: str = ""
    muted: bool = False
    in_conference: bool = False
    transfer: Transfer | None = None
    recording: str = ""
    recording_since: float = 0.0
    recorded: str = ""
    recording_trouble: str = ""
    outcome: CallOutcome | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def active(self) -> bool:
        """Whether it is not over yet."""
        return self.state is not CallState.ENDED

    @property
    def answered(self) -> bool:
        """Whether it is answered and not over."""
        return self.state is CallState.ANSWERED

    @property
    def ringing_here(self) -> bool:
        """Whether it comes in and waits for an answer."""
        return self.state is CallState.INCOMING

    @property
    def callable_number(self) -> str:
        """What to call to reach the other side again."""
        return self.number if self.direction is Direction.OUT else caller_number(self.number)

    @property
    def seconds(self) -> float:
        """Since the answer; the whole length once it is over."""
        if self.outcome:
            return self.outcome.duration_s
        return time.monotonic() - self.answered_at if self.answered_at is not None else 0.0

    @property
    def recording_seconds(self) -> float:
        """Since the recording began; 0 while there is none."""
        return time.monotonic() - self.recording_since if self.recording else 0.0

    def take_figures(self, figures: MediaFigures, quality: CallQuality | None) -> None:
        """Take a second's figures."""
        before, self.figures = self.figures, figures
        self.quality = quality or self.quality
        mos = quality.now.mos if quality else None
        self.series.append(QualityPoint(time.monotonic(), mos, _loss_since(before, figures)))

    def take_recording(self, path: str, on: bool, trouble: str) -> None:
        """Take that a recording began or ended."""
        if on:
            self.recording, self.recording_since = path, time.monotonic()
            self.recorded, self.recording_trouble = "", ""
        else:
            self.recording, self.recorded, self.recording_trouble = "", path, trouble


def _loss_since(before: MediaFigures | None, now: MediaFigures) -> float:
    """Loss between two figures, per cent; the counters may begin anew with a new stream."""
    was = before.rx if before and before.rx.packets <= now.rx.packets else None
    missing = now.rx.lost + now.rx.discarded - (was.lost + was.discarded if was else 0)
    came = now.rx.packets - (was.packets if was else 0)
    expected = came + now.rx.lost - (was.lost if was else 0)
    return min(max(100.0 * missing / expected, 0.0), 100.0) if expected > 0 else 0.0
