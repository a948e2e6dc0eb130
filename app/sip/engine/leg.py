"""One call inside an engine: PJSIP's call object, its audio, and its figures."""

from __future__ import annotations

import time
from collections.abc import Callable

import pjsua2 as pj

from app.model.outcome import Direction, HungUpBy, MediaFigures, StreamFigures
from app.sip.engine.voice import Voice
from app.sip.messages import CallState

_STATES = {
    pj.PJSIP_INV_STATE_CALLING: CallState.CALLING,
    pj.PJSIP_INV_STATE_INCOMING: CallState.INCOMING,
    pj.PJSIP_INV_STATE_EARLY: CallState.RINGING,
    pj.PJSIP_INV_STATE_CONFIRMED: CallState.ANSWERED,
    pj.PJSIP_INV_STATE_DISCONNECTED: CallState.ENDED,
}


class Leg(pj.Call):  # type: ignore[misc]  # the wheel has no types
    """One call.

    Attributes:
        call_id: Our id for it.
        direction: Out or in.
        state: The last state reached.
        started_at, answered_at: Monotonic seconds; None before it happened.
        max_seconds, ring_seconds: Its limits.
        hung_up_by: Who asked for the end, nobody while nobody has.
        figures: The last media figures.
        voice: Its sound.
        has_media: Whether there is a stream to measure.
        ended_at: Monotonic seconds when PJSIP let the call go, None before; from then on PJSIP must not be
            asked about it, an assertion would end the process.
        last_code, last_reason: PJSIP's last word, set with `ended_at`.
    """

    def __init__(
        self,
        account: pj.Account,
        call_id: str,
        direction: Direction,
        *,
        voice: Voice,
        started_at: float,
        max_seconds: float,
        ring_seconds: float,
        on_state: Callable[[Leg, CallState], None],
        on_digit: Callable[[Leg, str], None],
        pj_id: int = pj.PJSUA_INVALID_ID,
    ) -> None:
        super().__init__(account, pj_id)
        self.call_id = call_id
        self.direction = direction
        self.state = CallState.INCOMING if direction is Direction.IN else CallState.CALLING
        self.started_at = started_at
        self.answered_at: float | None = None
        self.max_seconds = max_seconds
        self.ring_seconds = ring_seconds
        self.hung_up_by = HungUpBy.NOBODY
        self.figures: MediaFigures | None = None
        self.sip_call_id = ""
        self.has_media = False
        self.ended_at: float | None = None
        self.last_code = 0
        self.last_reason = ""
        self.voice = voice
        self._on_state = on_state
        self._on_digit = on_digit

    def onCallState(self, param: pj.OnCallStateParam) -> None:
        """Copy the state and leave."""
        info = self.getInfo()
        self.sip_call_id = info.callIdString
        state = _STATES.get(info.state)
        if state is not None and self.state is not CallState.ENDED:
            self._on_state(self, state)

    def onCallMediaState(self, param: pj.OnCallMediaStateParam) -> None:
        """Connect the audio as soon as there is some, early media included."""
        info = self.getInfo()  # kept: the media list is a view into it
        for index, media in enumerate(info.media):
            if media.type == pj.PJMEDIA_TYPE_AUDIO and media.status == pj.PJSUA_CALL_MEDIA_ACTIVE:
                audio = self.getAudioMedia(index)
                self.voice.startTransmit(audio)
                audio.startTransmit(self.voice)
                self.has_media = True

    def onStreamDestroyed(self, param: pj.OnStreamDestroyedParam) -> None:
        """Take the figures a last time; later there is nothing left to ask."""
        self.measure()
        self.has_media = False

    def onDtmfDigit(self, param: pj.OnDtmfDigitParam) -> None:
        """Copy the digit and leave."""
        self._on_digit(self, param.digit)

    def measure(self) -> bool:
        """Read the media figures into `figures`; False when there is no stream to read."""
        if not self.has_media:
            return False
        try:
            stream = self.getStreamStat(0)
            codec = self.getStreamInfo(0).codecName
        except pj.Error:
            # The stream went in this very moment
            self.has_media = False
            return False
        levels = self.voice.levels(1000)
        self.figures = MediaFigures(
            tx=_figures(stream.rtcp.txStat, levels[0]),
            rx=_figures(stream.rtcp.rxStat, levels[1]),
            round_trip_ms=stream.rtcp.rttUsec.mean / 1000 if stream.rtcp.rttUsec.n else None,
            echo_ms=self.voice.echo_ms(),
            codec=codec,
        )
        return True

    def close(self) -> None:
        """Keep PJSIP's last word; called in the callback that tells the end."""
        info = self.getInfo()
        self.last_code, self.last_reason = info.lastStatusCode, info.lastReason
        self.ended_at = time.monotonic()
        self.has_media = False


def _figures(stream: pj.RtcpStreamStat, level: float | None) -> StreamFigures:
    return StreamFigures(
        packets=stream.pkt,
        bytes=stream.bytes,
        lost=stream.loss,
        discarded=stream.discard,
        jitter_ms=stream.jitterUsec.mean / 1000,
        level_dbm0=level,
    )
