"""What the sound of a call shows, as against the packets that carried it."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Returned(StrEnum):
    """Whether our own signal came back, as on an echo test."""

    UNKNOWN = "unknown"
    YES = "yes"
    NO = "no"


class FarReport(StrEnum):
    """What the far end's RTCP reports (RFC 3550 section 6.4) say of what we send."""

    NONE = ""
    RECEIVES = "receives"
    RECEIVES_NOTHING = "receives nothing"


class NetworkTone(StrEnum):
    """Tones that a telephone network speaks in (ITU-T E.180)."""

    NONE = ""
    DIAL = "dial tone"
    RINGBACK = "ringing tone"
    BUSY = "busy tone"
    CONGESTION = "congestion tone"
    SPECIAL_INFORMATION = "special information tone"


class SoundFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The sound of a call so far, both directions; all defaults mean that nothing is known.

    Attributes:
        returned: Whether our own signal came back. No means that there was time enough for it.
        returned_dbm0: The level that it came back with, dBm0.
        delay_ms: After how long it came back, ms.
        tone_hz, tone_dbm0: The last steady tone heard, Hz and dBm0; None for none.
        signal: The last tone of the telephone network heard.
        heard_pct, sent_pct: Share of the time with sound and not silence, per cent; None before any frame.
        clipped_in_pct, clipped_out_pct: Of what sounded, samples that touch the limits, per cent.
        digits: How many DTMF digits were heard as tones in the sound. Not which: people type PINs, and
            figures are written down.
        doubled: Digits that the far end sent in two ways at once.
        far_report: What the far end reports of what we send.
    """

    returned: Returned = Returned.UNKNOWN
    returned_dbm0: float | None = None
    delay_ms: float | None = None
    tone_hz: float | None = None
    tone_dbm0: float | None = None
    signal: NetworkTone = NetworkTone.NONE
    heard_pct: float | None = None
    sent_pct: float | None = None
    clipped_in_pct: float = 0.0
    clipped_out_pct: float = 0.0
    digits: int = 0
    doubled: int = 0
    far_report: FarReport = FarReport.NONE
