"""One call inside an engine: PJSIP's call object, its audio, and its figures."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple, Protocol

import msgspec
import pjsua2 as pj
from msgspec.structs import replace

from app.errors import EngineError
from app.model.call import CallState
from app.model.outcome import Direction, HungUpBy, MediaFigures
from app.model.sound_figures import FarReport
from app.model.trunk import Dtmf
from app.sip.engine.callbacks import contained
from app.sip.engine.figures import Meter
from app.sip.engine.offer import codecs_in, is_held, with_usual_event_type
from app.sip.engine.voice import Voice

_STATES = {
    pj.PJSIP_INV_STATE_CALLING: CallState.CALLING,
    pj.PJSIP_INV_STATE_INCOMING: CallState.INCOMING,
    pj.PJSIP_INV_STATE_EARLY: CallState.RINGING,
    pj.PJSIP_INV_STATE_CONFIRMED: CallState.ANSWERED,
    pj.PJSIP_INV_STATE_DISCONNECTED: CallState.ENDED,
}


_REPORTED_BY_PACKETS = 400
"""Packets sent after which a far end that receives them has said so: an interval of 5 s, randomised (RFC 3550
section 6.2), and some more."""
_ALL_LOST_PCT = 99.0


class Refusal(NamedTuple):
    """An incoming call that may not ring: the final code and why, for the person."""

    code: int
    words: str


class Wish(msgspec.Struct):
    """A hold, or its end, that was asked for.

    Attributes:
        hold: Whether it is a hold.
        asked_at: Monotonic seconds when the far end was asked last.
        tries: How often it was.
        retry_at: When it is asked, for the first time or again after 491; None while an answer is awaited.
        late_told: Whether the person knows that no answer comes.
    """

    hold: bool
    asked_at: float
    tries: int = 1
    retry_at: float | None = None
    late_told: bool = False


class Transfer(msgspec.Struct):
    """A transfer that the far end was asked for.

    Attributes:
        news_at: Monotonic seconds when it was asked or last told something.
        accepted: Whether it has agreed.
        ringing: Whether it has told how far it has come.
    """

    news_at: float
    accepted: bool = False
    ringing: bool = False


class LegControl(Protocol):
    """Who is told what happens within a call."""

    def on_media(self, leg: Leg, *, by_us: bool, by_them: bool) -> None:
        """Its media changed."""

    def on_transfer(self, leg: Leg, code: int, reason: str, final: bool) -> None:
        """A transfer moved on."""

    def on_reinvite(self, leg: Leg, code: int, reason: str) -> None:
        """A re-INVITE of ours got its final response, or none in time."""


class Leg(pj.Call):  # type: ignore[misc]  # the wheel has no types
    """One call.

    Attributes:
        call_id: Our id for it.
        direction: Out or in.
        state: The last state reached.
        started_at, answered_at: Monotonic seconds; None before it happened.
        max_seconds, ring_seconds: Its limits.
        hung_up_by: Who asked for the end, nobody while nobody has.
        unanswered: Whether it was given up because nothing came back at all, or nothing that can be read.
        unreadable: Whether it was the latter.
        figures: The last media figures.
        figures_at: Monotonic seconds when the next ones are due.
        voice: Its sound.
        has_media: Whether there is a stream to measure.
        told: Whether an incoming call was told to the person.
        refusal: Why it was refused unasked, None where it was not.
        confirmed: Whether its answer was confirmed with ACK.
        left_at: Monotonic seconds when PJSIP said BYE by itself, None while it has not.
        gone_at: Monotonic seconds when PJSIP would not hang up, None while it has not refused.
        ended_at: Monotonic seconds when PJSIP let the call go, None before; from then on PJSIP must not be
            asked about it, an assertion would end the process.
        last_code, last_reason: PJSIP's last word, set with `ended_at`.
        request_uri, caller, to: Of an incoming call: Request-URI, From and To as they came.
        country: Of an outgoing call: ISO 3166 code of the country that the trunk is in, may be empty.
        audio: Its place on the bridge, None while it has none.
        held_by_us, held_by_them: Who holds it.
        codecs: Names of those switched on, in small letters; empty where they are not known.
        wish: The hold, or its end, that the far end has not agreed to yet.
        transfer: The transfer under way.
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
        on_digit: Callable[[Leg, str, Dtmf], None],
        control: LegControl,
        pj_id: int = pj.PJSUA_INVALID_ID,
    ) -> None:
        # Late: an idle engine should not carry what only calls need
        from app.model.dtmf import DigitWays

        super().__init__(account, pj_id)
        self.call_id = call_id
        self.direction = direction
        self.state = CallState.INCOMING if direction is Direction.IN else CallState.CALLING
        self.started_at = started_at
        self.answered_at: float | None = None
        self.max_seconds = max_seconds
        self.ring_seconds = ring_seconds
        self.hung_up_by = HungUpBy.NOBODY
        self.unanswered = False
        self.figures: MediaFigures | None = None
        self.figures_at = 0.0
        self.sip_call_id = ""
        self.has_media = False
        self.refusal: Refusal | None = None
        self.told = self.confirmed = False
        self.left_at: float | None = None
        self.gone_at: float | None = None
        self.ended_at: float | None = None
        self.last_code = 0
        self.last_reason = ""
        self.voice = voice
        self.unreadable = False
        self.request_uri = self.caller = self.to = ""
        self.country = ""
        self.audio: pj.AudioMedia | None = None
        self._meter = Meter()
        self._ways = DigitWays()
        self._stream = 0
        self.held_by_us = self.held_by_them = self._offered_hold = False
        self.codecs: frozenset[str] = frozenset()
        self.wish: Wish | None = None
        self.transfer: Transfer | None = None
        self._control = control
        self._on_state = on_state
        self._on_digit = on_digit

    @contained
    def onCallState(self, param: pj.OnCallStateParam) -> None:
        """Copy the state and leave."""
        info = self.getInfo()
        self.sip_call_id = info.callIdString
        state = _STATES.get(info.state)
        self.confirmed = self.confirmed or info.state == pj.PJSIP_INV_STATE_CONFIRMED
        if info.state == pj.PJSIP_INV_STATE_CONNECTING and self.direction is Direction.IN:
            # Our 200 is out: sound goes both ways from now on, whenever the ACK arrives
            state = CallState.ANSWERED
        if state is not None and self.state is not CallState.ENDED:
            self._on_state(self, state)

    @contained
    def onCallMediaState(self, param: pj.OnCallMediaStateParam) -> None:
        """Connect the audio as soon as there is some, early media included; anew after each re-INVITE."""
        info = self.getInfo()  # kept: the media list is a view into it
        by_us, by_them = self.held_by_us, self.held_by_them
        self.audio = None
        for index, media in enumerate(info.media):
            if media.type != pj.PJMEDIA_TYPE_AUDIO:
                continue
            by_us = media.status == pj.PJSUA_CALL_MEDIA_LOCAL_HOLD
            # While both hold, PJSIP tells only of us
            by_them = media.status == pj.PJSUA_CALL_MEDIA_REMOTE_HOLD or (by_us and self._offered_hold)
            if media.status in (pj.PJSUA_CALL_MEDIA_ACTIVE, pj.PJSUA_CALL_MEDIA_REMOTE_HOLD):
                self._connect_audio(index)
        if not by_us:
            self._offered_hold = by_them
        self._control.on_media(self, by_us=by_us, by_them=by_them)

    def _connect_audio(self, index: int) -> None:
        try:
            audio = self.getAudioMedia(index)
            self.voice.startTransmit(audio)
            audio.startTransmit(self.voice)
        except pj.Error:
            # The call ends in this very moment, or its stream could not be set up: PJSIP says so next
            self.has_media = False
            return
        self.audio, self.has_media, self._stream = audio, True, index

    @contained
    def onCallSdpCreated(self, param: pj.OnCallSdpCreatedParam) -> None:
        """Number telephone-event as nearly everybody does; PJSIP has no setting for it."""
        param.sdp.wholeSdp = with_usual_event_type(param.sdp.wholeSdp)

    @contained
    def onCallRxOffer(self, param: pj.OnCallRxOfferParam) -> None:
        """Note whether the far end holds: of two holds PJSIP tells only ours."""
        offer = param.offer.wholeSdp
        if self.codecs and not codecs_in(offer) & self.codecs:
            param.statusCode = 488  # PJSIP would answer 500, and some far ends hang up then
            return
        self._offered_hold = is_held(offer)

    @contained
    def onCallTsxState(self, param: pj.OnCallTsxStateParam) -> None:
        """Tell what became of a re-INVITE."""
        transaction = param.e.body.tsxState.tsx
        if (
            transaction.method == "INVITE"
            and transaction.role == pj.PJSIP_ROLE_UAC
            and transaction.statusCode >= 200
            and self.answered_at is not None
            and self.ended_at is None
        ):
            self._control.on_reinvite(self, transaction.statusCode, transaction.statusText)

    def onCallRedirected(self, param: pj.OnCallRedirectedParam) -> int:
        """Stop: only a person decides what is dialled, and an emergency number never is."""
        return int(pj.PJSIP_REDIRECT_STOP)

    @contained
    def onCallTransferStatus(self, param: pj.OnCallTransferStatusParam) -> None:
        """Copy the values and leave."""
        self._control.on_transfer(self, param.statusCode, param.reason, param.finalNotify)

    @contained
    def onCallTransferRequest(self, param: pj.OnCallTransferRequestParam) -> None:
        """The far end wants us to call somebody: a tester dials what its person typed and nothing else."""
        param.statusCode = 603

    @contained
    def onCallReplaceRequest(self, param: pj.OnCallReplaceRequestParam) -> None:
        """Another call wants to take the place of this one, which would get round the limits of both."""
        param.statusCode = 603

    @contained
    def onStreamDestroyed(self, param: pj.OnStreamDestroyedParam) -> None:
        """Take the figures a last time; later there is nothing left to ask."""
        self.measure()
        self._meter.stream_ended()
        self.has_media = False
        self.audio = None

    @contained
    def onDtmfDigit(self, param: pj.OnDtmfDigitParam) -> None:
        """Copy the digit and leave."""
        as_info = param.method == pj.PJSUA_DTMF_METHOD_SIP_INFO
        self._tell_digit(param.digit, Dtmf.INFO if as_info else Dtmf.RFC4733, time.monotonic())

    def listen(self) -> None:
        """Look at the sound that has come since, and tell the digits in it."""
        buffer_ms = self.figures.jitter_buffer_ms if self.figures is not None else None
        for heard in self.voice.listen():
            self._tell_digit(heard.digit, Dtmf.INBAND, heard.at - (buffer_ms or 0.0) / 1000)

    def _tell_digit(self, digit: str, way: Dtmf, at: float) -> None:
        if self._ways.is_new(digit, way, at):
            self._on_digit(self, digit, way)

    def send_digits(self, digits: str, way: Dtmf) -> None:
        """Send DTMF.

        Raises:
            pj.Error: PJSIP refuses.
            EngineError: As sound, before there is any.
        """
        if way is Dtmf.INBAND:
            if not self.has_media:
                raise EngineError("The call has no sound yet, so no digits can be sent.", do="Wait for it.")
            self.voice.play_digits(digits)
        elif way is Dtmf.INFO:
            param = pj.CallSendDtmfParam()
            param.method = pj.PJSUA_DTMF_METHOD_SIP_INFO
            param.digits = digits
            self.sendDtmf(param)
        else:
            self.dialDtmf(digits)

    def measure(self) -> bool:
        """Read the media figures into `figures`; False when there is no stream to read."""
        if not self.has_media:
            return False
        try:
            figures = self._meter.read(self, self._stream, held=self.held_by_us or self.held_by_them)
        except pj.Error:
            # The stream went in this very moment
            self.has_media = False
            return False
        sound, levels, clipped = self.voice.look(), self.voice.levels(1000), self.voice.ear.clipped_pct()
        first = self._meter.first_rtp_at
        self.figures = replace(
            figures,
            tx=replace(figures.tx, level_dbm0=levels[0], clipped_pct=clipped[0]),
            rx=replace(figures.rx, level_dbm0=levels[1], clipped_pct=clipped[1]),
            echo_ms=sound.delay_ms,
            sound=replace(sound, doubled=self._ways.doubled, far_report=self._far_report(figures)),
            # Sound that came before the answer has cost nobody a word
            first_rtp_ms=None
            if first is None or self.answered_at is None
            else max(first - self.answered_at, 0.0) * 1000,
        )
        return True

    def _far_report(self, figures: MediaFigures) -> FarReport:
        """What the far end's RTCP says of what we send."""
        if figures.tx.reported:
            lost_all = figures.tx.lost >= figures.tx.reported * _ALL_LOST_PCT / 100
            return FarReport.RECEIVES_NOTHING if lost_all else FarReport.RECEIVES
        if figures.tx.packets < _REPORTED_BY_PACKETS:
            return FarReport.NONE
        # Whoever sends reports tells of all whom it hears (RFC 3550 section 6.4)
        reports = self.getMedTransportInfo(self._stream).srcRtcpName
        return FarReport.RECEIVES_NOTHING if reports else FarReport.NONE

    def look_for_sound(self, now: float) -> None:
        """See whether the first packet has come; `now` is monotonic seconds."""
        if self.has_media:
            with suppress(pj.Error):
                self._meter.look(self, self._stream, now)

    def close(self) -> None:
        """Keep PJSIP's last word; called in the callback that tells the end."""
        info = self.getInfo()
        self.last_code, self.last_reason = info.lastStatusCode, info.lastReason
        self.ended_at = time.monotonic()
        self.has_media = False
        self.audio = None
