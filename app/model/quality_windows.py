"""From a call's growing figures to its score: windows of five seconds, their mean and their worst."""

from __future__ import annotations

from app.model.codec_quality import CodecQuality, codec_quality
from app.model.outcome import MediaFigures, StreamFigures
from app.model.quality import CallQuality, Grade, Score, mouth_to_ear_ms, score, score_of

WINDOW_S = 5.0
"""Length of a window. A late burst hurts more than the average of the whole call says."""
LEAST_PACKETS = 50
"""A second of sound; fewer packets say nothing about a line."""
LEAST_LAST_S = 2.0
"""A shorter rest at the end of a call is no window of its own: one lost packet would look like a bad line."""
_JUST_BEFORE_S = 0.2
"""Figures come once a second, sometimes a little early."""


class QualityWindows:
    """Scores one call; feed it every reading of the figures, which only ever grow."""

    def __init__(self) -> None:
        self._since: tuple[float, StreamFigures] | None = None
        self._last: tuple[float, MediaFigures] | None = None
        self._closed: list[Score] = []

    def add(self, at: float, figures: MediaFigures) -> CallQuality | None:
        """Take a reading and give the score so far; None while there is too little to judge.

        Args:
            at: When it was read, seconds on any clock that does not jump.
            figures: The figures since the call began.
        """
        codec = codec_quality(figures.codec)
        if codec is None:
            return None
        since = self._since
        if since is None or _fewer(figures.rx, since[1]):
            # The first reading counts from the start of the call
            self._since = since = (at, StreamFigures() if since is None else figures.rx)
        self._last = (at, figures)
        if at - since[0] >= WINDOW_S - _JUST_BEFORE_S:
            self._close(codec)
        return self._quality(codec, figures)

    def end(self) -> CallQuality | None:
        """The score of the whole call, once no more readings come."""
        if self._since is None or self._last is None:
            return None
        at, figures = self._last
        codec = codec_quality(figures.codec)
        if codec is None:
            return None
        if at - self._since[0] >= LEAST_LAST_S:
            self._close(codec)
        return self._quality(codec, figures)

    def _close(self, codec: CodecQuality) -> None:
        """End the window, and count it if there was sound in it: hold is no bad line."""
        assert self._since is not None
        assert self._last is not None
        at, figures = self._last
        window = _between(self._since[1], figures.rx)
        if window.expected >= LEAST_PACKETS:
            former = self._closed[-1].grade if self._closed else None
            self._closed.append(_score(window, figures, codec, former))
        self._since = (at, figures.rx)

    def _quality(self, codec: CodecQuality, figures: MediaFigures) -> CallQuality | None:
        far = _far(figures, codec)
        if not self._closed:
            assert self._since is not None
            window = _between(self._since[1], figures.rx)
            if window.expected < LEAST_PACKETS:
                return None
            first = _score(window, figures, codec)
            return CallQuality(now=first, mean=first, worst=first, far=far, windows=0)
        count = len(self._closed)
        delays = [one.one_way_ms for one in self._closed if one.one_way_ms is not None]
        mean = score_of(
            sum(one.r for one in self._closed) / count,
            codec,
            loss_pct=sum(one.loss_pct for one in self._closed) / count,
            one_way_ms=sum(delays) / len(delays) if delays else None,
        )
        return CallQuality(
            now=self._closed[-1],
            mean=mean,
            worst=min(self._closed, key=lambda one: one.r),
            far=far,
            windows=count,
        )


def _score(
    window: StreamFigures, figures: MediaFigures, codec: CodecQuality, former: Grade | None = None
) -> Score:
    return score(
        codec,
        loss_pct=window.missing_pct,
        mean_burst=window.burst,
        one_way_ms=_one_way_ms(figures, codec),
        former=former,
    )


def _far(figures: MediaFigures, codec: CodecQuality) -> Score | None:
    """How the far end hears us; its jitter buffer is unknown, so ours stands for it."""
    if figures.tx.reported < LEAST_PACKETS:
        return None
    return score(
        codec,
        loss_pct=figures.tx.loss_pct,
        mean_burst=figures.tx.burst,
        one_way_ms=_one_way_ms(figures, codec),
    )


def _one_way_ms(figures: MediaFigures, codec: CodecQuality) -> float | None:
    return mouth_to_ear_ms(
        codec,
        round_trip_ms=figures.round_trip_ms,
        buffer_ms=figures.jitter_buffer_ms,
        packet_ms=figures.ptime_ms,
    )


def _between(was: StreamFigures, now: StreamFigures) -> StreamFigures:
    """What happened between two readings."""
    lost = max(now.lost - was.lost, 0)
    bursts = now.lost / now.burst - was.lost / was.burst
    return StreamFigures(
        packets=max(now.packets - was.packets, 0),
        lost=lost,
        discarded=max(now.discarded - was.discarded, 0),
        burst=max(lost / bursts, 1.0) if bursts > 0 else 1.0,
    )


def _fewer(now: StreamFigures, was: StreamFigures) -> bool:
    return now.packets < was.packets
