"""Calls that come in and may not ring: why, and how they are told."""

from __future__ import annotations

from msgspec.structs import replace

from app.model.call import CallState
from app.model.outcome import AnsweredBy, Direction
from app.model.signalling import DialogFacts
from app.sip.engine.goodbyes import AUDIO_CODES, BAD_OFFER, TurnedAway
from app.sip.engine.leg import Refusal
from app.sip.messages import CallChanged, OpenAccount

NOT_ALLOWED_IN = "Declined, because incoming calls are switched off for this trunk"


def refusal(settings: OpenAccount) -> Refusal | None:
    """Why an incoming call can't ring, None when it can."""
    if not settings.allow_in:
        # 603, as no other of our phones would take it either (RFC 3261 section 21.6.2)
        return Refusal(603, NOT_ALLOWED_IN)
    return None


def turned_away(away: TurnedAway, call_id: str, dialog: DialogFacts) -> tuple[CallChanged, CallChanged]:
    """The events for a call that PJSIP refused before anybody was asked; `dialog` is what it showed."""
    came = CallChanged(
        call_id=call_id,
        direction=Direction.IN,
        state=CallState.INCOMING,
        remote=away.caller,
        called=away.called,
        to=away.to,
        sip_call_id=away.sip_call_id,
    )
    ended = replace(
        came,
        state=CallState.ENDED,
        sip_code=away.code,
        reason=BAD_OFFER if away.code in AUDIO_CODES and dialog.audio_damaged else away.words,
        answered_by=AnsweredBy.NETWORK,
        dialog=dialog,
    )
    return came, ended
