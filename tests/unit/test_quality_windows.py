"""From growing figures to windows of five seconds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from msgspec.structs import replace

from app.model.outcome import MediaFigures, StreamFigures
from app.model.quality import CallQuality, Grade, rating
from app.model.quality_windows import QualityWindows

A_SECOND = 50
PLAIN = MediaFigures(tx=StreamFigures(), rx=StreamFigures(), codec="PCMU", round_trip_ms=0.0)


def figures(packets: int, lost: int = 0, **rx: Any) -> MediaFigures:
    return replace(PLAIN, rx=StreamFigures(packets=packets, lost=lost, **rx))


def scored(losses: Iterable[int], **fields: Any) -> tuple[QualityWindows, CallQuality | None]:
    """A reading after each second, with that many of its 50 packets lost; the windows and the last score."""
    windows, quality = QualityWindows(), None
    packets = lost = 0
    for second, gone in enumerate(losses, 1):
        packets, lost = packets + A_SECOND - gone, lost + gone
        quality = windows.add(float(second), replace(figures(packets, lost), **fields))
    return windows, quality


def test_the_first_second_is_scored_before_the_first_window_is_full() -> None:
    windows = QualityWindows()
    assert windows.add(0.5, figures(A_SECOND // 2)) is None
    quality = windows.add(1.0, figures(A_SECOND))
    assert quality is not None
    assert quality.windows == 0
    assert quality.now == quality.mean == quality.worst
    assert quality.now.grade is Grade.GOOD
    assert windows.end() == quality


def test_a_window_counts_only_what_happened_in_it() -> None:
    _, quality = scored([0] * 6 + [1] * 5)
    assert quality is not None
    assert quality.windows == 2
    assert quality.now.loss_pct == pytest.approx(2.0)
    assert quality.worst == quality.now
    assert quality.mean.loss_pct == pytest.approx(1.0)
    clean, bad = (rating(0, 25.1, loss_pct=loss, one_way_ms=50) for loss in (0, 2))
    assert quality.mean.r == pytest.approx((clean + bad) / 2)


def test_a_late_burst_shows_in_the_worst_window() -> None:
    _, quality = scored([0] * 20 + [25])
    assert quality is not None
    assert quality.windows == 4
    assert quality.worst.loss_pct == pytest.approx(10.0)
    assert quality.worst.grade is Grade.POOR
    assert quality.mean.grade is Grade.GOOD


def test_packets_too_late_to_be_played_cost_like_lost_ones() -> None:
    windows = QualityWindows()
    windows.add(1.0, figures(A_SECOND))
    quality = windows.add(6.0, figures(6 * A_SECOND, discarded=5))
    assert quality is not None
    assert quality.now.loss_pct == pytest.approx(100 * 5 / 300)


def test_bursts_are_those_of_the_window() -> None:
    windows = QualityWindows()
    windows.add(1.0, figures(40, 10, burst=1.0))
    windows.add(6.0, figures(290, 10, burst=1.0))
    # Ten more in two bursts of five: the mean of all twelve bursts
    quality = windows.add(11.0, figures(530, 20, burst=20 / 12))
    assert quality is not None
    assert quality.now.r == pytest.approx(rating(0, 25.1, loss_pct=4.0, burst=2.0, one_way_ms=50))


def test_hold_is_no_bad_line() -> None:
    windows, before = scored([0] * 6)
    held = figures(6 * A_SECOND)
    quality = [windows.add(float(second), held) for second in range(7, 30)][-1]
    assert quality == before


def test_a_stream_that_begins_anew_gives_no_nonsense() -> None:
    windows, _ = scored([5] * 6)
    windows.add(7.0, figures(10))
    quality = windows.add(12.0, figures(260))
    assert quality is not None
    assert (quality.windows, quality.now.loss_pct) == (2, 0.0)


@pytest.mark.parametrize(("seconds", "windows"), [(7, 1), (8, 2)])
def test_the_rest_at_the_end_counts_when_it_is_long_enough(seconds: int, windows: int) -> None:
    opened, _ = scored([0] * seconds)
    quality = opened.end()
    assert quality is not None
    assert quality.windows == windows


def test_a_grade_is_kept_from_window_to_window_while_it_is_close() -> None:
    # About R 79.3, which is not good by itself
    _, after_good = scored([0] * 6 + [2, 2, 2, 2, 1])
    _, alone = scored([2] * 6)
    assert after_good is not None
    assert alone is not None
    assert 79 < after_good.now.r < 80
    assert after_good.now.grade is Grade.GOOD
    assert alone.now.grade is Grade.FAIR


def test_the_other_direction_is_told_by_the_far_ends_reports() -> None:
    _, silent = scored([0] * 6)
    assert silent is not None
    assert silent.far is None
    _, told = scored([0] * 6, tx=StreamFigures(packets=400, lost=9, reported=300))
    assert told is not None
    assert told.far is not None
    assert told.far.loss_pct == pytest.approx(3.0)
    assert told.far.r == pytest.approx(rating(0, 25.1, loss_pct=3.0, one_way_ms=50))


def test_delay_is_made_of_what_was_measured_and_unknown_without_a_round_trip() -> None:
    _, known = scored([0] * 6, round_trip_ms=100.0, jitter_buffer_ms=60.0, ptime_ms=30)
    assert known is not None
    assert known.now.one_way_ms == known.mean.one_way_ms == 50 + 60 + 30 + 10
    _, unknown = scored([0] * 6, round_trip_ms=None, jitter_buffer_ms=60.0)
    assert unknown is not None
    assert unknown.now.one_way_ms is unknown.mean.one_way_ms is None
    assert unknown.now.r == pytest.approx(rating(0, 25.1))


@pytest.mark.parametrize("codec", ["", "AMR-WB"])
def test_a_codec_without_constants_has_no_score(codec: str) -> None:
    windows, quality = scored([0] * 12, codec=codec)
    assert quality is None
    assert windows.end() is None


def test_a_call_without_sound_has_no_score() -> None:
    windows, quality = scored([])
    assert quality is None
    assert windows.end() is None
    assert QualityWindows().add(1.0, PLAIN) is None
