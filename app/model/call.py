"""Words about a call: how far it is, and what is sent as our side's sound."""

from __future__ import annotations

from enum import StrEnum


class CallState(StrEnum):
    """States of a call, in their order."""

    CALLING = "calling"
    RINGING = "ringing"
    EARLY_MEDIA = "early media"
    INCOMING = "incoming"
    ANSWERED = "answered"
    ENDED = "ended"


class Source(StrEnum):
    """What an engine sends as our side's audio."""

    TONE = "tone"
    SPEECH = "speech"
    MICROPHONE = "microphone"
    SILENCE = "silence"
