"""Events that an engine could not send: whoever waits for one hears so instead of waiting."""

from __future__ import annotations

from collections.abc import Callable

from app.model.outcome import LocalCause
from app.model.signalling import Trouble
from app.sip.call_book import CallBook
from app.sip.call_limits import CallLimits
from app.sip.call_troubles import Step
from app.sip.client import EngineBugError
from app.sip.messages import (
    CallChanged,
    CallHeld,
    CallRecorded,
    CallTransferred,
    EngineFault,
    OptionsAnswered,
    RegistrationChanged,
)

MOST_KINDS = 32
"""Kinds of events of which the first that was lost is logged."""

_STEPS = {
    CallHeld.__name__: Step.HOLD,
    CallTransferred.__name__: Step.TRANSFER,
    CallRecorded.__name__: Step.RECORD,
}


class LostEvents:
    """What a session does about them.

    Args:
        calls, limits: The session's.
        sign_in: Told of an answer to signing in that was lost.
        log: Gets a line for the first lost event of a kind.
    """

    def __init__(
        self,
        calls: CallBook,
        limits: CallLimits,
        *,
        sign_in: Callable[[EngineBugError], None],
        log: Callable[[str], None],
    ) -> None:
        self._calls = calls
        self._limits = limits
        self._sign_in = sign_in
        self._log = log
        self._kinds: set[str] = set()

    def take(self, fault: EngineFault) -> None:
        """An event was lost."""
        words = f"The engine could not report something ({fault.event}): {fault.cause}."
        if fault.event not in self._kinds and len(self._kinds) < MOST_KINDS:
            self._kinds.add(fault.event)
            self._log(words)
        match fault.event:
            case RegistrationChanged.__name__ | OptionsAnswered.__name__:
                self._sign_in(EngineBugError(words))
            case CallChanged.__name__:
                # What it said is not known, so the call is ended on both sides
                self._limits.leave(fault.call_id)
                self._calls.lose(fault.call_id, LocalCause.OTHER, words)
            case event if event in _STEPS:
                self._calls.trouble(fault.call_id, Trouble(step=_STEPS[event], what=words))
