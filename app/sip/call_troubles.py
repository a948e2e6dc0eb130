"""Steps within a call that did not work, as its outcome keeps them."""

from __future__ import annotations

import re
from enum import StrEnum

from app.errors import UserError
from app.model.signalling import Trouble
from app.sip.messages import CallHeld, CallRecorded, CallTransferred, DigitReceived


class Step(StrEnum):
    """What is asked for within a call and belongs to what came of it, see `Trouble.step`."""

    ANSWER = "answer"
    FORWARD = "forward"
    DIGITS = "digits"
    HOLD = "hold"
    RESUME = "resume"
    TRANSFER = "transfer"
    RECORD = "record"


# What a person can do nothing with: pjsua_call_dial_dtmf(), pj::Call, PJ_EINVAL
_CODE_NAME = re.compile(r"\bpj\w*_\w+|\bPJ\w*_\w+|\w+::\w+|\w+\(\)")

_PLAIN = "The SIP stack refused this step."


def trouble_in(step: Step, error: Exception) -> Trouble:
    """A step that the engine refused, or that failed by our own fault.

    Args:
        step: What was asked for.
        error: Why it did not work.
    """
    if not isinstance(error, UserError):
        return Trouble(step=step, what="Ringback failed at this step.", details=f"{error}")
    if _CODE_NAME.search(error.what):
        details = f"{error.what}\n{error.details}".strip()
        return Trouble(step=step, what=_PLAIN, do=error.do, details=details)
    return Trouble(step=step, what=error.what, do=error.do, details=error.details)


def trouble_of(event: CallHeld | CallTransferred | CallRecorded | DigitReceived) -> Trouble | None:
    """A step that was begun and came to nothing, by the event that says so; None for other news."""
    match event:
        case CallHeld(trouble=words, by_us=held) if words:
            # Who holds still wanted to resume
            return Trouble(step=Step.RESUME if held else Step.HOLD, what=words)
        case CallRecorded(trouble=words) if words:
            return Trouble(step=Step.RECORD, what=words)
        case CallTransferred(final=True, sip_code=code, reason=reason) if code >= 300:
            what = f"The call was not transferred: {code} {reason}".strip()
            return Trouble(step=Step.TRANSFER, what=f"{what}.")
    return None
