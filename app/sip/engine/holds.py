"""Hold and its end: asked for by re-INVITE, again after glare, and told when the far end will not have it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import pjsua2 as pj

from app.errors import EngineError
from app.model.outcome import Direction
from app.model.signalling import Purpose
from app.sip.engine.causes import carry_out
from app.sip.engine.dialog_log import DialogLog
from app.sip.engine.leg import Leg, Wish
from app.sip.engine.operation import status
from app.sip.messages import CallHeld, Event

NO_ANSWER_S = 8.0
"""Seconds after which the person is told that the far end does not answer; PJSIP gives up after 32."""
MOST_TRIES = 4
"""How often a re-INVITE is sent that meets another one (491)."""


class Holds:
    """Belongs to the engine's thread.

    Args:
        emit: Gets every event.
        log: Gets what requests are for.
    """

    def __init__(self, emit: Callable[[Event], None], log: DialogLog) -> None:
        self._emit = emit
        self._log = log

    def ask(self, leg: Leg, *, hold: bool) -> None:
        """Put the far end of an answered call on hold, or take it off; nothing happens where it is so.

        Raises:
            EngineError: It has not agreed to the opposite yet, or PJSIP refuses, as while another re-INVITE
                is under way.
        """
        wish = leg.wish
        if wish is None:
            if hold != leg.held_by_us:
                now = time.monotonic()
                if leg.confirmed:
                    self._send(leg, hold)
                    leg.wish = Wish(hold=hold, asked_at=now)
                else:
                    # RFC 3261 section 14.1: no re-INVITE before the INVITE has its ACK
                    leg.wish = Wish(hold=hold, asked_at=now, tries=0, retry_at=now)
        elif wish.retry_at is not None:
            # Not asked at this moment: it is asked for what is wanted now, or for nothing
            wish.hold = hold
            if hold == leg.held_by_us:
                leg.wish = None
        elif wish.hold != hold:
            raise EngineError("The other side has not answered the request before.", do="Wait a moment.")

    def on_media(self, leg: Leg, *, by_us: bool, by_them: bool) -> None:
        """A leg's media changed."""
        if leg.wish is not None and leg.wish.hold is by_us:
            leg.wish = None
        if (by_us, by_them) != (leg.held_by_us, leg.held_by_them):
            leg.held_by_us, leg.held_by_them = by_us, by_them
            self._tell(leg)

    def on_reinvite(self, leg: Leg, code: int, reason: str) -> None:
        """A re-INVITE of ours got its final response, or none in time."""
        wish = leg.wish
        if wish is None or wish.retry_at is not None or code < 300:
            return
        if code == 491 and wish.tries < MOST_TRIES:
            # Late: an idle engine should not carry what only this needs
            import random

            # RFC 3261 section 14.1: whoever began the call waits longer, so that both do not meet again
            wait = random.uniform(2.1, 4.0) if leg.direction is Direction.OUT else random.uniform(0.0, 2.0)
            wish.retry_at = time.monotonic() + wait
            return
        leg.wish = None
        # RFC 3261 section 12.2.1.2: with these two the call is over, and its end says why
        if code not in (408, 481):
            self._tell(leg, f"The other side refused {_what(wish)}: {code} {reason}.")

    def watch(self, legs: Iterable[Leg], now: float) -> None:
        """Ask again where that is due, and tell what gets no answer; `now` is monotonic seconds."""
        for leg in legs:
            wish = leg.wish
            if wish is None or leg.ended_at is not None:
                continue
            if wish.retry_at is not None:
                if leg.confirmed and now >= wish.retry_at:
                    self._again(leg, wish, now)
            elif not wish.late_told and now - wish.asked_at >= NO_ANSWER_S:
                wish.late_told = True
                self._tell(leg, f"The other side does not answer {_what(wish)}.")

    def _again(self, leg: Leg, wish: Wish, now: float) -> None:
        wish.asked_at, wish.retry_at = now, None
        wish.tries += 1
        try:
            self._send(leg, wish.hold)
        except EngineError as error:
            leg.wish = None
            self._tell(leg, error.what)

    def _send(self, leg: Leg, hold: bool) -> None:
        self._log.expect(leg.sip_call_id, "INVITE", Purpose.HOLD if hold else Purpose.RESUME)
        if hold:
            carry_out(lambda: leg.setHold(status(0)), "The call could not be put on hold.")
            return
        param = status(0)
        param.opt.flag = pj.PJSUA_CALL_UNHOLD
        carry_out(lambda: leg.reinvite(param), "The call could not be taken off hold.")

    def _tell(self, leg: Leg, trouble: str = "") -> None:
        self._emit(
            CallHeld(call_id=leg.call_id, by_us=leg.held_by_us, by_them=leg.held_by_them, trouble=trouble)
        )


def _what(wish: Wish) -> str:
    return "the hold" if wish.hold else "the end of the hold"
