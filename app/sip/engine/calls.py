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
from app.model.call import CallState, Source
from app.model.outcome import Direction, HungUpBy, LocalCause
from app.model.signalling import Purpose
from app.model.trunk import Dtmf, Srtp
from app.sip.engine.account import Account
from app.sip.engine.arrivals import refusal, turned_away
from app.sip.engine.audio.microphone import Microphone
from app.sip.engine.call_rate import CallRate
from app.sip.engine.causes import carry_out
from app.sip.engine.control import Control
from app.sip.engine.dialog_log import DialogLog
from app.sip.engine.edge.seen import Seen
from app.sip.engine.endings import Ending, changed, ended, ending
from app.sip.engine.endpoint import MAX_CALLS
from app.sip.engine.goodbyes import Goodbyes
from app.sip.engine.invite import send_invite
from app.sip.engine.leg import Leg
from app.sip.engine.operation import status
from app.sip.engine.voice import Voices
from app.sip.messages import AnswerCall, CallLevels, CallMedia, DigitReceived, Event, OpenAccount, PlaceCall
from app.sip.trace import Ledger, MessageHead

NO_RESPONSE_S = 8.0
"""Seconds without any response after which an INVITE is given up; four repeats have gone out by then."""
LONGEST_CALL_S = 120.0
"""No call lasts longer, whatever the command says."""
LONGEST_RING_S = 180.0
FINAL_WAIT_S = 1.0
"""Seconds that a call which was ended here waits for the far end's word, so that the report can tell it."""
_LEVELS_EVERY_S = 0.05
_FIGURES_EVERY_S = 1.0


class Calls:
    """All calls of one engine; belongs to the engine's thread.

    Args:
        emit: Gets every event.
        ledger, log: What the messages say.
        settle: Called before the ledger is asked, so that everything on its way to it has arrived.
        explain: Gives the cause behind a final code that was made up here, from code and phrase.
        rate: How fast calls may begin.
        microphone: What the calls can send.
    """

    def __init__(
        self,
        *,
        emit: Callable[[Event], None],
        ledger: Ledger,
        log: DialogLog,
        settle: Callable[[], None],
        explain: Callable[[int, str], LocalCause],
        rate: CallRate,
        microphone: Microphone,
    ) -> None:
        self._rate = rate
        self._emit = emit
        self._ledger = ledger
        self._log = log
        self._settle = settle
        self._explain = explain
        self._legs: dict[str, Leg] = {}
        self._ended: list[Leg] = []
        self._voices = Voices(microphone)
        self._goodbyes = Goodbyes()
        self.control = Control(
            emit=emit,
            log=log,
            leg=self._leg,
            legs=lambda: tuple(self._legs.values()),
            hang_up=self.hang_up,
        )
        self._incoming_ids = itertools.count(1)
        self._next_levels = 0.0

    def __len__(self) -> int:
        """How many calls are up."""
        return len(self._legs)

    @property
    def legs(self) -> tuple[Leg, ...]:
        """The calls that are up."""
        return tuple(self._legs.values())

    # What is asked for

    def place(self, command: PlaceCall, account: Account, settings: OpenAccount) -> None:
        """Send INVITE.

        Raises:
            CallRefusedError: An emergency number; this is the last gate before the wire.
            UserError: All calls in use, or a number that makes no URI.
        """
        # Late: an engine that places no call should not carry the table
        from app.sip.emergency import guard_behind
        from app.system_country import system_countries

        guard_behind(command.user, command.country, command.prefixes, system_countries())
        if len(self._legs) >= MAX_CALLS:
            raise UserError(
                f"This trunk already has {MAX_CALLS} calls up, the most one engine can hold.",
                do="End one of them first.",
            )
        if not self._rate.allows(time.monotonic()):
            raise UserError(
                "More calls begin at once than one engine can start.", do="Wait a second and call again."
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
            control=self.control,
        )
        leg.country = command.country
        leg.codecs = frozenset(name.lower() for name in settings.codecs)
        self._legs[command.call_id] = leg
        try:
            send_invite(leg, command.user, settings)
        except EngineError:
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
                self._ended_as(leg, Ending(487, "The trunk was closed", LocalCause.OTHER))

    def set_source(self, call_id: str, source: Source) -> None:
        """Change what a call sends."""
        self._leg(call_id).voice.source = source

    def send_digits(self, call_id: str, digits: str, way: Dtmf) -> None:
        """Send DTMF as RFC 4733 events, by INFO, or as sound.

        Raises:
            EngineError: There is no sound yet to send it with, or PJSIP refuses.
        """
        leg = self._leg(call_id)
        self._log.expect(leg.sip_call_id, "INFO", Purpose.DIGITS)
        carry_out(lambda: leg.send_digits(digits, way), f"The digits {digits} could not be sent.")

    def incoming(self, account: Account, pj_id: int, settings: OpenAccount) -> None:
        """Take an incoming call: it rings until it is answered, refused or given up.

        Args:
            account: Who is called.
            pj_id: PJSIP's id of the call.
            settings: Whether it may ring; else it is told and declined at once.
        """
        leg = Leg(
            account,
            self._incoming_id(),
            Direction.IN,
            voice=self._voices.take(Source.SILENCE),
            started_at=time.monotonic(),
            max_seconds=LONGEST_CALL_S,
            ring_seconds=LONGEST_RING_S,
            on_state=self._on_state,
            on_digit=self._on_digit,
            control=self.control,
            pj_id=pj_id,
        )
        self._legs[leg.call_id] = leg
        leg.sip_call_id = leg.getInfo().callIdString
        leg.request_uri, leg.caller, leg.to = self._goodbyes.who(leg.sip_call_id)
        leg.codecs = frozenset(name.lower() for name in settings.codecs)
        leg.refusal = refusal(settings)
        if leg.refusal is None:
            # Told when the 180 is out: PJSIP may still refuse it, and the caller try again (422)
            leg.answer(status(180))
        else:
            self._tell_incoming(leg)
            leg.hangup(status(leg.refusal.code))

    def note(self, seen: Seen, head: MessageHead, settings: OpenAccount | None) -> None:
        """Take a message that passes the edge: some calls end without any other sign."""
        self._goodbyes.srtp = settings.srtp if settings is not None else Srtp.OFF
        away = self._goodbyes.note(seen, head)
        if away is not None and all(leg.sip_call_id != away.sip_call_id for leg in self._legs.values()):
            for event in turned_away(away, self._incoming_id(), self._log.facts(away.sip_call_id)):
                self._emit(event)
        if seen.outgoing and (head.method, head.code) == ("CANCEL", 0):
            for leg in list(self._legs.values()):
                # PJSIP takes back a call whose early sound can't be had, and would abort at an answer to it
                if leg.ended_at is None and self._has_left(leg):
                    self._end(leg, HungUpBy.NOBODY)

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
        self.control.watch(now)
        for leg in list(self._legs.values()):
            if leg.call_id not in self._legs:
                continue  # it ended with the one before
            if leg.ended_at is None and self._has_left(leg):
                self._let_go(leg, now)
            elif leg.ended_at is None:
                leg.look_for_sound(now)
                self._watch_limits(leg, now)
            elif self._final_is_known(leg) or now - leg.ended_at > FINAL_WAIT_S:
                self._call_ended(leg)
        if not self._legs or now < self._next_levels:
            return
        self._next_levels = now + _LEVELS_EVERY_S
        # One call's figures in a turn: those of all at once keep PJMEDIA's clock thread from the interpreter
        due = min(self._legs.values(), key=lambda leg: leg.figures_at)
        for leg in self._legs.values():
            self._measure(leg, figures_due=leg is due and now >= due.figures_at)
        if now >= due.figures_at:
            due.figures_at = now + _FIGURES_EVERY_S

    def _measure(self, leg: Leg, *, figures_due: bool) -> None:
        if leg.figures is None and leg.answered_at is None and not figures_due:
            return
        if leg.ended_at is not None:
            return
        tx, rx = leg.voice.levels(int(_LEVELS_EVERY_S * 1000))
        leg.listen()
        if leg.figures is not None:
            self._emit(CallLevels(call_id=leg.call_id, tx_dbm0=tx, rx_dbm0=rx))
        if figures_due and leg.measure() and leg.figures:
            self._emit(CallMedia(call_id=leg.call_id, figures=leg.figures))

    def _has_left(self, leg: Leg) -> bool:
        """Whether PJSIP has said BYE by itself."""
        return leg.hung_up_by is HungUpBy.NOBODY and self._goodbyes.ours(leg.sip_call_id) is not None

    def _let_go(self, leg: Leg, now: float) -> None:
        """End a call whose far end does not answer PJSIP's BYE, for which that would wait 32 seconds."""
        if leg.left_at is None:
            leg.left_at = now
        elif now - leg.left_at > FINAL_WAIT_S:
            self._end(leg, HungUpBy.NOBODY)

    def _watch_limits(self, leg: Leg, now: float) -> None:
        if leg.hung_up_by is not HungUpBy.NOBODY:
            if leg.gone_at is not None and now - leg.gone_at > FINAL_WAIT_S:
                leg.told = True  # what it was can't be asked any more
                self._call_ended(leg)
            return
        if leg.answered_at is not None:
            if now - leg.answered_at >= leg.max_seconds:
                self._end(leg, HungUpBy.LIMIT)
        elif now - leg.started_at >= leg.ring_seconds:
            self._end(leg, HungUpBy.LIMIT)
        elif leg.direction is Direction.OUT and now - leg.started_at >= NO_RESPONSE_S:
            progress = self._ledger.of(leg.sip_call_id, "INVITE")
            if not progress.provisional and not progress.challenges:
                # PJSIP tells the end from within the hang-up, as a cancelled call; this is what it was
                leg.unanswered = True
                leg.unreadable = self._log.is_unreadable(leg.sip_call_id)
                self._end(leg, HungUpBy.NOBODY)
                if leg.call_id in self._legs:
                    self._call_ended(leg)

    # What PJSIP tells

    def _on_digit(self, leg: Leg, digit: str, way: Dtmf) -> None:
        self._emit(DigitReceived(call_id=leg.call_id, digit=digit, way=way))

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
            if state is CallState.RINGING:
                self._tell_incoming(leg)
            return
        if state is CallState.RINGING and progress.early_sdp:
            state = CallState.EARLY_MEDIA
        if state is leg.state and state is not CallState.CALLING:
            return
        if state is CallState.ANSWERED:
            if self._has_left(leg):
                return  # answered in a way that can't be used: it ends at once
            leg.answered_at = time.monotonic()
        leg.state = state
        self._emit(changed(leg, state, self._ledger))

    def _final_is_known(self, leg: Leg) -> bool:
        """Whether nothing more is to come: PJSIP ends a call before 487 or the answer to BYE has arrived."""
        if leg.answered_at is not None:
            ours = leg.hung_up_by in (HungUpBy.US, HungUpBy.LIMIT)
            return not ours or self._ledger.of(leg.sip_call_id, "BYE").code >= 200
        progress = self._ledger.of(leg.sip_call_id, "INVITE")
        cancelled = leg.hung_up_by is not HungUpBy.NOBODY
        waiting = cancelled and leg.direction is Direction.OUT and progress.provisional
        return not waiting or progress.code >= 200

    def _call_ended(self, leg: Leg) -> None:
        self._ended_as(leg, ending(leg, self._ledger, self._goodbyes, self._explain))

    def _ended_as(self, leg: Leg, end: Ending) -> None:
        """Report a call's end and forget it; nothing happens when that was done already."""
        if self._legs.get(leg.call_id) is not leg:
            return
        if leg.direction is Direction.IN and leg.sip_call_id:
            self._tell_incoming(leg)
        leg.state = CallState.ENDED
        self.control.on_end(leg)
        if leg.figures is not None:
            self._emit(CallMedia(call_id=leg.call_id, figures=leg.figures))
        self._emit(ended(leg, end, self._ledger, self._log))
        self._ledger.forget(leg.sip_call_id)
        self._log.forget(leg.sip_call_id)
        self._goodbyes.forget(leg.sip_call_id)
        del self._legs[leg.call_id]
        # PJSIP is still inside a callback of this object: it is dropped after the poll
        self._ended.append(leg)

    def _tell_incoming(self, leg: Leg) -> None:
        if not leg.told:
            leg.told = True
            self._emit(changed(leg, CallState.INCOMING, self._ledger))

    def _incoming_id(self) -> str:
        # Not to be taken for a call of the engine before this one
        return f"in-{os.getpid()}-{next(self._incoming_ids)}"

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
        self._log.expect(leg.sip_call_id, "BYE", Purpose.HANG_UP)
        busy = leg.direction is Direction.IN and leg.answered_at is None
        try:
            leg.hangup(status(480 if busy else 0))
        except pj.Error as error:
            # The call ended by itself in the same moment; its last state is on its way, or never comes
            leg.gone_at = time.monotonic()
            with suppress(OSError):
                sys.stderr.write(f"hang up: {error.reason}\n")
