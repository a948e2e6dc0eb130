"""How good a line is: scores of a call by the E-model (ITU-T G.107, edition 06/2015, narrowband)."""

from __future__ import annotations

import math
from enum import StrEnum

import msgspec

from app.model.codec_quality import CodecQuality, codec_quality

BEST_R = 93.2
"""R of a line without delay, loss or a codec that costs anything: G.107's default for all its inputs."""
CODEC_MARGIN_R = 3.0
"""A line that comes this close to what its codec can reach is limited by the codec."""
GOOD_R = 80.0
FAIR_R = 70.0
"""Least R of each grade (ITU-T G.109: from 80 on most are satisfied, below 70 many are not)."""
HYSTERESIS_R = 1.0
"""How far R must fall below a grade's least before the grade is lost, so that it does not flicker."""
DEVICE_MS = 10.0
"""What sound cards and their buffers add to the delay from mouth to ear, ms."""

_RO = 94.77
_IS = 1.41
_TELR_DB = 65.0
_WEPL_DB = 110.0
_LONGEST_BURST_RATIO = 2.0


class Grade(StrEnum):
    """A score as a word."""

    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """One direction of a call over some time.

    Attributes:
        r: Rating R of the E-model, 0 to 100, narrowband scale.
        mos: MOS-CQE made from it, 1 to 4.5; an estimate by a model, not a measured opinion.
        grade: The same as a word.
        loss_pct: Packets lost or discarded, per cent of those expected.
        one_way_ms: Mouth-to-ear delay, ms; None while unknown, and then left out of the score.
        limited_by_codec: Whether the line is as good as this codec can be.
    """

    r: float
    mos: float
    grade: Grade
    loss_pct: float = 0.0
    one_way_ms: float | None = None
    limited_by_codec: bool = False


class CallQuality(msgspec.Struct, frozen=True, kw_only=True):
    """What a call sounded like so far.

    Attributes:
        now: The last window of 5 seconds, as we hear it.
        mean, worst: Over all windows, as we hear it.
        far: Over the whole call, as the far end hears us, by its own reports; None when it sends none.
        windows: How many windows there were; 0 while the first one goes on.
    """

    now: Score
    mean: Score
    worst: Score
    far: Score | None = None
    windows: int = 1


def delay_impairment(one_way_ms: float) -> float:
    """Id: what the delay costs, echo of a usual telephone included (G.107 section 7.4).

    Args:
        one_way_ms: From mouth to ear, ms.
    """
    t = max(one_way_ms, 0.0)
    terv = _TELR_DB - 40 * math.log10((1 + t / 10) / (1 + t / 150)) + 6 * math.exp(-0.3 * t * t)
    talker = (_RO - (80 + 2.5 * (terv - 14))) / 2
    idte = (talker + math.sqrt(talker * talker + 100) - 1) * (1 - math.exp(-t))
    listener = (_RO - 10.5 * (_WEPL_DB + 7) * math.pow(2 * t + 1, -0.25)) / 2
    idle = listener + math.sqrt(listener * listener + 169)
    return idte + idle + _absolute_delay(t)


def _absolute_delay(t: float) -> float:
    """Idd, even with perfect echo cancelling."""
    if t <= 100:
        return 0.0
    x = math.log2(t / 100)
    return 25 * (_sixth_root(1 + x**6) - 3 * _sixth_root(1 + (x / 3) ** 6) + 2)


def _sixth_root(value: float) -> float:
    return math.pow(value, 1 / 6)


def burst_ratio(mean_burst: float, loss_pct: float) -> float:
    """BurstR: how much longer bursts of loss are than with random loss, 1 to 2, where the model is valid.

    Args:
        mean_burst: Mean number of packets lost in a row.
        loss_pct: Per cent.
    """
    ratio = mean_burst * (1 - loss_pct / 100)
    return min(max(ratio, 1.0), _LONGEST_BURST_RATIO)


def loss_impairment(ie: float, bpl: float, *, loss_pct: float, burst: float = 1.0) -> float:
    """Ie,eff: what codec and loss cost together (G.107 section 7.5).

    Args:
        ie, bpl: The codec's constants.
        loss_pct: Lost or discarded, per cent.
        burst: BurstR.
    """
    loss = min(max(loss_pct, 0.0), 100.0)
    return ie + (95 - ie) * loss / (loss / burst + bpl)


def rating(
    ie: float, bpl: float, *, loss_pct: float = 0.0, burst: float = 1.0, one_way_ms: float = 0.0
) -> float:
    """R, 0 to 100, from a codec's constants, loss in per cent, BurstR and the mouth-to-ear delay in ms."""
    ie_eff = loss_impairment(ie, bpl, loss_pct=loss_pct, burst=burst)
    return min(max(_RO - _IS - delay_impairment(one_way_ms) - ie_eff, 0.0), 100.0)


def mos(r: float) -> float:
    """MOS-CQE for a rating, 1 to 4.5 (G.107 annex B); an estimate, not an opinion that was asked for."""
    if r <= 0:
        return 1.0
    if r >= 100:
        return 4.5
    return max(1.0, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6)


def grade(r: float, former: Grade | None = None) -> Grade:
    """The word for a rating.

    Args:
        r: The rating.
        former: The word so far; it is kept until R has fallen clearly below it.
    """
    least_good = GOOD_R - (HYSTERESIS_R if former is Grade.GOOD else 0.0)
    least_fair = FAIR_R - (HYSTERESIS_R if former in (Grade.GOOD, Grade.FAIR) else 0.0)
    if r >= least_good:
        return Grade.GOOD
    return Grade.FAIR if r >= least_fair else Grade.POOR


def mouth_to_ear_ms(
    codec: CodecQuality, *, round_trip_ms: float | None, buffer_ms: float | None, packet_ms: float
) -> float | None:
    """The delay from mouth to ear, ms; None while the round trip is unknown.

    Args:
        codec: The codec, for its look-ahead.
        round_trip_ms: Of the network, by RTCP; half of it is taken as one way.
        buffer_ms: Mean delay of the jitter buffer; None while unknown, and then a packet's length, its least.
        packet_ms: Length of a packet's sound.
    """
    if round_trip_ms is None:
        return None
    buffered = packet_ms if buffer_ms is None else buffer_ms
    return round_trip_ms / 2 + buffered + packet_ms + codec.look_ahead_ms + DEVICE_MS


def score(
    codec: CodecQuality,
    *,
    loss_pct: float,
    mean_burst: float = 1.0,
    one_way_ms: float | None = None,
    former: Grade | None = None,
) -> Score:
    """The score of one direction.

    Args:
        codec: Its codec.
        loss_pct: Lost or discarded, per cent of those expected.
        mean_burst: Mean number of packets lost in a row.
        one_way_ms: Mouth-to-ear delay; None for unknown, and then it costs nothing.
        former: The grade of the window before.
    """
    r = rating(
        codec.ie,
        codec.bpl,
        loss_pct=loss_pct,
        burst=burst_ratio(mean_burst, loss_pct),
        one_way_ms=one_way_ms or 0.0,
    )
    return score_of(r, codec, loss_pct=loss_pct, one_way_ms=one_way_ms, former=former)


def score_of(
    r: float, codec: CodecQuality, *, loss_pct: float, one_way_ms: float | None, former: Grade | None = None
) -> Score:
    """The score that belongs to a rating; arguments as for `score`."""
    return Score(
        r=r,
        mos=mos(r),
        grade=grade(r, former),
        loss_pct=loss_pct,
        one_way_ms=one_way_ms,
        # A codec that costs nothing limits nothing
        limited_by_codec=codec.ie > 0 and r >= BEST_R - codec.ie - CODEC_MARGIN_R,
    )


def summary(value: Score, codec: str) -> str:
    """A score in one line: `Good, R 91 / MOS 4.4, G.711 µ-law, loss 0.1 %`.

    Args:
        value: The score.
        codec: Codec as in SDP.
    """
    known = codec_quality(codec)
    parts = [
        value.grade.capitalize(),
        f"R {value.r:.0f} / MOS {value.mos:.1f}",
        known.shown if known is not None else codec,
        f"loss {value.loss_pct:.1f} %",
    ]
    if value.one_way_ms is None:
        parts.append("delay unknown")
    if value.limited_by_codec:
        parts.append("limited by the codec")
    return ", ".join(part for part in parts if part)
