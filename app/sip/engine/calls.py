"""The calls of an engine: placing, answering, limits, figures and how each one ended."""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress

import pjsua2 as pj

from app.errors import EngineError, UserError
from app.model.outcome import AnsweredBy, Direction, HungUpBy, LocalCause
from app.sip.engine.account import Account, host_and_port, uri_host
from app.sip.engine.causes import carry_out
from app.sip.engine.endpoint import MAX_CALLS
from app.sip.engine.leg import Leg
from app.sip.engine.voice import Voices
from app.sip.messages import (
    AnswerCall,
    CallChanged,
    CallLevels,
    CallMedia,
    CallState,
    DigitReceived,
    Event,
    OpenAccount,
    PlaceCall,
    Source,
)
from app.sip.trace import Ledger

NO_RESPONSE_S = 8.0
"""Seconds without any response after which an INVITE is given up; four repeats have gone out by then."""
LONGEST_CALL_S = 120.0
"""No call lasts longer, whatever the command says."""
LONGEST_RING_S = 180.0
FINAL_WAIT_S = 1.0
"""Seconds that a cancelled call waits for the far end's 487, so that the report can tell what it said."""
_LEVELS_EVERY_S = 0.1
_FIGURES_EVERY_S = 1.0


class Calls:
    """All calls of one engine; belongs to the engine's thread.

    Args:
        emit: Gets every event.
        ledger: What the trace says.
        settle: Called before the ledger is asked, so that everything on its way to it has arrived.
        explain: Gives the cause behind a final code that was made up here, from code and phrase.
    """

    def __init__(
        self,
        *,
        emit: Callable[[Event], None],
        ledger: Ledger,
        settle: Callable[[], None],
        explain: Callable[[int, str], LocalCause],
    ) -> None:
        self._emit = emit
        self._ledger = ledger
        self._settle = settle
        self._explain = explain
        self._legs: dict[str, Leg] = {}
        self._ended: list[Leg] = []
        self._voices = Voices()
        self._incoming_ids = itertools.count(1)
        self._next_levels = self._next_figures = 0.0

    def __len__(self) -> int:
        """How many calls are up."""
        return len(self._legs)

    # What is asked for

    def place(self, command: PlaceCall, account: Account, settings: OpenAccount) -> None:
        """Send INVITE.

        Raises:
            CallRefusedError: An emergency number; this is the last gate before the wire.
            UserError: All calls in use, or a number that makes no URI.
        """
        # Late: an engine that places no call should not carry the table
        from app.sip.emergency import guard

        guard(command.user, command.country)
        if len(self._legs) >= MAX_CALLS:
            raise UserError(
                f"This trunk already has {MAX_CALLS} calls up, the most one engine can hold.",
                do="End one of them first.",
            )
        if command.call_id in self._legs:
            raise EngineError(f"There is a call {command.call_id} already.")
        leg = Leg(
            account,
            command.call_id,
            Direction.OUT,
            voice=self._voices.take(command.source),
            started_at=time.monotonic(),
            max_seconds=min(command.max_seconds, LONGEST_CALL_S),
            ring_seconds=min(command.ring_seconds, LONGEST_RING_S),
            on_state=self._on_state,
            on_digit=self._on_digit,
        )
        param = pj.CallOpParam(True)
        param.opt.videoCount = 0
        if settings.caller_id and settings.caller_id != settings.user:
            param.txOption.localUri = f"<sip:{settings.caller_id}@{uri_host(settings.host)}>"
        uri = f"sip:{command.user}@{host_and_port(settings)}"
        self._legs[command.call_id] = leg
        try:
            carry_out(lambda: leg.makeCall(uri, param), f"{command.user} can't be dialled.")
        except UserError:
            if self._legs.pop(command.call_id, None) is not None:
                self._ended.append(leg)
            raise

    def answer(self, command: AnswerCall) -> None:
        """Answer an incoming call."""
        leg = self._leg(command.call_id)
        leg.max_seconds = min(command.max_seconds, LONGEST_CALL_S)
        leg.voice.source = command.source
        carry_out(lambda: leg.answer(status(200)), "The call could not be answered.")

    def reject(self, call_id: str, code: int) -> None:
        """Refuse an incoming call."""
        leg = self._leg(call_id)
        leg.hung_up_by = HungUpBy.US
        carry_out(lambda: leg.hangup(status(code)), "The call could not be refused.")

    def hang_up(self, call_id: str) -> None:
        """End a call, whatever its state."""
        self._end(self._leg(call_id), HungUpBy.US)

    def hang_up_all(self) -> None:
        """End every call; their ends are told as they come."""
        for leg in list(self._legs.values()):
            self._end(leg, HungUpBy.US)

    def drop_all(self) -> None:
        """End every call and tell it at once, because the account goes away."""
        for leg in list(self._legs.values()):
            self._end(leg, HungUpBy.US)
            if leg.call_id in self._legs:
                self._ended_as(leg, 487, "The trunk was closed", LocalCause.OTHER)

    def set_source(self, call_id: str, source: Source) -> None:
        """Change what a call sends."""
        self._leg(call_id).voice.source = source

    def send_digits(self, call_id: str, digits: str) -> None:
        """Send DTMF as RFC 4733 events."""
        leg = self._leg(call_id)
        carry_out(lambda: leg.dialDtmf(digits), f"The digits {digits} could not be sent.")

    def incoming(self, account: Account, pj_id: int) -> None:
        """Take an incoming call: it rings until it is answered, refused or given up."""
        leg = Leg(
            account,
            # Not to be taken for a call of the engine before this one
            f"in-{os.getpid()}-{next(self._incoming_ids)}",
            Direction.IN,
            voice=self._voices.take(Source.SILENCE),
            started_at=time.monotonic(),
            max_seconds=LONGEST_CALL_S,
            ring_seconds=LONGEST_RING_S,
            on_state=self._on_state,
            on_digit=self._on_digit,
            pj_id=pj_id,
        )
        self._legs[leg.call_id] = leg
        leg.sip_call_id = leg.getInfo().callIdString
        leg.answer(status(180))
        self._emit(self._changed(leg, CallState.INCOMING))

    # What the clock asks for

    def forget_ended(self) -> None:
        """Drop the objects of ended calls, which must not happen inside their own callbacks."""
        for leg in self._ended:
            self._voices.give_back(leg.voice)
        self._ended.clear()

    def close(self) -> None:
        """Let everything go; the clock must have been stopped."""
        self.forget_ended()
        self._voices.clear()

    def watch(self, now: float) -> None:
        """Enforce the limits and tell levels and figures when they are due; `now` is monotonic seconds."""
        for leg in list(self._legs.values()):
            if leg.ended_at is None:
                self._watch_limits(leg, now)
            elif self._final_is_known(leg) or now - leg.ended_at > FINAL_WAIT_S:
                self._call_ended(leg)
        if not self._legs or now < self._next_levels:
            return
        self._next_levels = now + _LEVELS_EVERY_S
        figures_due = now >= self._next_figures
        if figures_due:
            self._next_figures = now + _FIGURES_EVERY_S
        for leg in self._legs.values():
            self._measure(leg, figures_due)

    def _measure(self, leg: Leg, figures_due: bool) -> None:
        if leg.figures is None and leg.answered_at is None and not figures_due:
            return
        if leg.ended_at is not None:
            return
        tx, rx = leg.voice.levels(int(_LEVELS_EVERY_S * 1000))
        if leg.figures is not None:
            self._emit(CallLevels(call_id=leg.call_id, tx_dbm0=tx, rx_dbm0=rx))
        if figures_due and leg.measure() and leg.figures:
            self._emit(CallMedia(call_id=leg.call_id, figures=leg.figures))

    def _watch_limits(self, leg: Leg, now: float) -> None:
        if leg.hung_up_by is not HungUpBy.NOBODY:
            return
        if leg.answered_at is not None:
            if now - leg.answered_at >= leg.max_seconds:
                self._end(leg, HungUpBy.LIMIT)
        elif now - leg.started_at >= leg.ring_seconds:
            self._end(leg, HungUpBy.LIMIT)
        elif leg.direction is Direction.OUT and now - leg.started_at >= NO_RESPONSE_S:
            progress = self._ledger.of(leg.sip_call_id, "INVITE")
            if not progress.provisional and not progress.challenges:
                self._end(leg, HungUpBy.NOBODY)
                self._ended_as(leg, 408, "No answer", LocalCause.NO_ANSWER)

    # What PJSIP tells

    def _on_digit(self, leg: Leg, digit: str) -> None:
        self._emit(DigitReceived(call_id=leg.call_id, digit=digit))

    def _on_state(self, leg: Leg, state: CallState) -> None:
        self._settle()
        if leg.call_id not in self._legs:
            return
        if state is CallState.ENDED:
            leg.close()
            if self._final_is_known(leg):
                self._call_ended(leg)
            return
        progress = self._ledger.of(leg.sip_call_id, "INVITE")
        if leg.direction is Direction.IN and state is not CallState.ANSWERED:
            return
        if state is CallState.RINGING and progress.early_sdp:
            state = CallState.EARLY_MEDIA
        if state is leg.state and state is not CallState.CALLING:
            return
        if state is CallState.ANSWERED:
            leg.answered_at = time.monotonic()
        leg.state = state
        self._emit(self._changed(leg, state))

    def _changed(self, leg: Leg, state: CallState) -> CallChanged:
        progress = self._ledger.of(leg.sip_call_id, "INVITE")
        info = leg.getInfo()
        return CallChanged(
            call_id=leg.call_id,
            direction=leg.direction,
            state=state,
            remote=info.remoteUri,
            called=info.localUri if leg.direction is Direction.IN else info.remoteUri,
            sip_code=info.lastStatusCode,
            reason=info.lastReason,
            setup_ms=progress.setup_ms,
            sip_call_id=leg.sip_call_id,
        )

    def credentials_rejected(self, sip_call_id: str) -> None:
        """The far end rejected our credentials for this INVITE; they are not sent a second time."""
        self._settle()
        for leg in list(self._legs.values()):
            if leg.sip_call_id == sip_call_id and leg.answered_at is None and leg.ended_at is None:
                self._end(leg, HungUpBy.NOBODY)

    def _final_is_known(self, leg: Leg) -> bool:
        """Whether nothing more is to come: PJSIP ends a cancelled call before the 487 has arrived."""
        progress = self._ledger.of(leg.sip_call_id, "INVITE")
        cancelled = leg.hung_up_by is not HungUpBy.NOBODY and leg.answered_at is None
        waiting = cancelled and leg.direction is Direction.OUT and progress.provisional
        return not waiting or progress.code >= 200

    def _call_ended(self, leg: Leg) -> None:
        progress = self._ledger.of(leg.sip_call_id, "INVITE")
        if leg.answered_at is not None:
            if leg.hung_up_by is HungUpBy.NOBODY:
                leg.hung_up_by = HungUpBy.THEM
            self._ended_as(leg, 200, "OK", None, self._ledger.bye_reason(leg.sip_call_id))
        elif leg.direction is Direction.IN or progress.code >= 300:
            code = progress.code or leg.last_code
            reason_header = progress.reason or self._ledger.bye_reason(leg.sip_call_id)
            self._ended_as(leg, code, progress.phrase or leg.last_reason, None, reason_header)
        else:
            cause = self._explain(leg.last_code, leg.last_reason)
            self._ended_as(leg, leg.last_code, leg.last_reason, cause)

    def _ended_as(
        self, leg: Leg, code: int, phrase: str, cause: LocalCause | None, reason_header: str = ""
    ) -> None:
        """Report a call's end and forget it; `cause` None means that the network gave the code."""
        progress = self._ledger.of(leg.sip_call_id, "INVITE")
        ended_at = leg.ended_at or time.monotonic()
        duration = ended_at - leg.answered_at if leg.answered_at is not None else 0.0
        leg.state = CallState.ENDED
        if leg.figures is not None:
            self._emit(CallMedia(call_id=leg.call_id, figures=leg.figures))
        self._emit(
            CallChanged(
                call_id=leg.call_id,
                direction=leg.direction,
                state=CallState.ENDED,
                sip_code=code,
                reason=phrase,
                reason_header=reason_header,
                answered_by=AnsweredBy.NETWORK if cause is None else AnsweredBy.LOCAL,
                local_cause=cause or LocalCause.NONE,
                setup_ms=progress.setup_ms,
                duration_s=round(duration, 3),
                hung_up_by=leg.hung_up_by,
                sip_call_id=leg.sip_call_id,
            )
        )
        self._ledger.forget(leg.sip_call_id)
        del self._legs[leg.call_id]
        # PJSIP is still inside a callback of this object: it is dropped after the poll
        self._ended.append(leg)

    def _leg(self, call_id: str) -> Leg:
        leg = self._legs.get(call_id)
        if leg is None or leg.ended_at is not None:
            raise EngineError("That call is over.")
        return leg

    def _end(self, leg: Leg, by: HungUpBy) -> None:
        if leg.hung_up_by is HungUpBy.NOBODY:
            leg.hung_up_by = by
        if leg.ended_at is not None:
            return
        leg.measure()
        busy = leg.direction is Direction.IN and leg.answered_at is None
        try:
            leg.hangup(status(480 if busy else 0))
        except pj.Error as error:
            # The call ended by itself in the same moment; its last state is on its way
            with suppress(OSError):
                sys.stderr.write(f"hang up: {error.reason}\n")


def status(code: int) -> pj.CallOpParam:
    """Parameters of an answer or a hang-up with this SIP code."""
    param = pj.CallOpParam(True)
    param.opt.videoCount = 0
    param.statusCode = code
    return param
