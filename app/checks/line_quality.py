"""What the figures of an answered call say about its line: loss, lateness, jitter, delay, codec."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from app.checks.texts import Values
from app.model.codec_quality import codec_quality
from app.model.outcome import CallOutcome, MediaFigures, StreamFigures
from app.model.quality import summary

LOSS_FAIR_PCT = 1.0
LOSS_POOR_PCT = 3.0
JITTER_FAIR_MS = 20.0
ROUND_TRIP_FAIR_MS = 300.0
"""Twice the one-way delay that ITU-T G.114 calls good."""
MOUTH_TO_EAR_FAIR_MS = 200.0
"""Some more than that, because sound cards and jitter buffers are in it as well; ITU-T G.107 takes 7 points
of 93 for it."""
FIRST_SOUND_LATE_MS = 1000.0
NONE_ARRIVES = 0.98
"""Share of lost packets from which the few others are no sound either."""
ENOUGH_PACKETS = 100
"""Two seconds of sound; below, one lost packet is a per cent."""


def nothing_playable(media: MediaFigures) -> bool:
    """Whether packets came in and not one of them could be played."""
    return 0 < ENOUGH_PACKETS <= media.rx.packets <= media.rx.discarded


def none_arrives(media: MediaFigures) -> bool:
    """Whether the far end's reports say that what we send is lost on its way."""
    return media.tx.reported > 0 and media.tx.lost >= NONE_ARRIVES * media.tx.reported


def line_troubles(outcome: CallOutcome, values: Values) -> Iterable[tuple[str, Values]]:
    """Ids of findings about an answered call's line, each with its values.

    Of loss and jitter the worse direction counts; the other end's figures come from its reports.

    Args:
        outcome: The call.
        values: What is known of it already.
    """
    media = outcome.media
    if media is None or nothing_playable(media):
        return
    ways = [
        (stream, way)
        for stream, way in ((media.rx, "coming in"), (media.tx, "going out"))
        if stream.packets >= ENOUGH_PACKETS and not (stream is media.tx and none_arrives(media))
    ]
    if ways:
        yield from _missing(*max(ways, key=lambda pair: pair[0].missing_pct), outcome, values)
        stream, way = max(ways, key=lambda pair: pair[0].jitter_ms)
        if stream.jitter_ms > JITTER_FAIR_MS:
            yield "MEDIA-JITTER", replace(values, jitter=f"{stream.jitter_ms:.0f} ms", way=way)
    yield from _delay(outcome, values)
    if media.first_rtp_ms is not None and media.first_rtp_ms > FIRST_SOUND_LATE_MS:
        yield "MEDIA-FIRST", replace(values, delay=f"{media.first_rtp_ms / 1000:.1f} s")
    quality, codec = outcome.quality, codec_quality(media.codec)
    if quality is not None and codec is not None and quality.mean.limited_by_codec:
        yield "CODEC-LIMIT", replace(values, codec=codec.shown, mos=f"{quality.mean.mos:.1f}")


def _missing(
    stream: StreamFigures, way: str, outcome: CallOutcome, values: Values
) -> Iterable[tuple[str, Values]]:
    if stream.missing_pct > LOSS_FAIR_PCT:
        late = stream.discarded > stream.lost
        filled = replace(values, loss=_per_cent(stream.missing_pct), way=way)
        yield ("MEDIA-LATE" if late else "MEDIA-LOSS"), filled
        return
    # Good on the whole, and yet there was a moment that everybody noticed
    quality = outcome.quality
    if quality is not None and quality.windows > 1 and quality.worst.loss_pct > LOSS_POOR_PCT:
        yield "MEDIA-BURST", replace(values, loss=_per_cent(quality.worst.loss_pct), way="coming in")


def _delay(outcome: CallOutcome, values: Values) -> Iterable[tuple[str, Values]]:
    round_trip_ms = outcome.media.round_trip_ms if outcome.media else None
    if round_trip_ms is None:
        return
    whole_ms = outcome.quality.mean.one_way_ms if outcome.quality else None
    if round_trip_ms > ROUND_TRIP_FAIR_MS or (whole_ms or 0.0) > MOUTH_TO_EAR_FAIR_MS:
        delay = f"{whole_ms:.0f} ms" if whole_ms is not None else f"at least {round_trip_ms / 2:.0f} ms"
        yield "DELAY", replace(values, delay=delay)


def quality_lines(outcome: CallOutcome) -> tuple[str, ...]:
    """The scores of a call, a line each; none while there are none."""
    quality = outcome.quality
    if quality is None or outcome.media is None:
        return ()
    codec = outcome.media.codec
    lines = [f"Quality here (estimated, ITU-T G.107): {summary(quality.mean, codec)}"]
    if quality.windows > 1:
        lines.append(f"Its worst 5 seconds: {summary(quality.worst, codec)}")
    if quality.far is not None:
        lines.append(f"Quality at the other side, by its own reports: {summary(quality.far, codec)}")
    if quality.mean.one_way_ms is not None:
        lines.append(f"Delay from mouth to ear: about {quality.mean.one_way_ms:.0f} ms")
    return tuple(lines)


def _per_cent(value: float) -> str:
    return f"{value:.1f} %"
