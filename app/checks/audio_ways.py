"""Which ways audio went in an answered call, and whether it lasted."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from app.checks.facts import Facts
from app.checks.line_quality import nothing_playable
from app.checks.sound_truth import one_way
from app.checks.texts import Values
from app.model.outcome import Audio, CallOutcome, HungUpBy, MediaFigures

SHORT_CALL_S = 2.0
"""A call that ended sooner says nothing about sound that did not come."""
GAP_S = 5.0
"""Without a packet for so long, people ask whether the other one is still there."""
LEFT_S = 2.0
"""Who hangs up may stop sending that long before the end of the call arrives here."""

_SILENT_WAYS = {
    Audio.NONE: "RTP-NONE",
    Audio.SEND_ONLY: "RTP-NONE-RX",
    Audio.RECEIVE_ONLY: "RTP-NONE-TX",
}


def way_ids(outcome: CallOutcome, facts: Facts, values: Values) -> Iterable[tuple[str, Values]]:
    """Ids of findings about the ways that audio went, each with its values."""
    media, too_short = outcome.media, outcome.duration_s < SHORT_CALL_S
    if outcome.audio in _SILENT_WAYS:
        silent = "RTP-ONE-WAY" if one_way(outcome) else _SILENT_WAYS[outcome.audio]
        if silent == "RTP-ONE-WAY" and facts.dialog.answer_direction in ("inactive", "recvonly"):
            silent = "RTP-NONE-RX"  # Nothing is wrong with the way in: the other side does not use it
        yield ("CALL-SHORT" if too_short else silent), values
    elif media is not None and nothing_playable(media):
        yield "RTP-PT", values
    elif outcome.heard is False:
        yield ("CALL-SHORT" if too_short else "RTP-SILENT"), values
    if media is not None and media.rx.packets:
        yield from _pauses(outcome, media, values)


def _pauses(outcome: CallOutcome, media: MediaFigures, values: Values) -> Iterable[tuple[str, Values]]:
    stopped_s = media.stopped_s or 0.0
    if outcome.hung_up_by is HungUpBy.THEM:
        stopped_s -= LEFT_S
    if stopped_s >= GAP_S:
        yield "RTP-STOP", replace(values, gap=f"{media.stopped_s:.0f} s")
    elif media.longest_gap_s >= GAP_S:
        yield "RTP-GAP", replace(values, gap=f"{media.longest_gap_s:.0f} s")
