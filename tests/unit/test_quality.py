"""The E-model, against values of G.107's full formula."""

from __future__ import annotations

import pytest

from app.model.codec_quality import CodecQuality, codec_quality, known_codecs
from app.model.codecs import CODECS
from app.model.quality import (
    BEST_R,
    Grade,
    Score,
    burst_ratio,
    delay_impairment,
    grade,
    loss_impairment,
    mos,
    mouth_to_ear_ms,
    rating,
    score,
    summary,
)


def codec(name: str) -> CodecQuality:
    found = codec_quality(name)
    assert found is not None
    return found


def short_form(one_way_ms: float) -> float:
    """Id as Cole and Rosenbluth (2001) shorten it."""
    return 0.024 * one_way_ms + (0.11 * (one_way_ms - 177.3) if one_way_ms > 177.3 else 0.0)


@pytest.mark.parametrize(
    ("one_way_ms", "impairment"),
    [
        (0, 0.15), (50, 1.60), (100, 2.69), (150, 3.82),
        (200, 7.55), (250, 14.18), (300, 20.69), (400, 31.11),
    ],
)  # fmt: skip
def test_delay_costs_what_the_full_formula_says(one_way_ms: float, impairment: float) -> None:
    assert delay_impairment(one_way_ms) == pytest.approx(impairment, abs=0.005)


@pytest.mark.parametrize("one_way_ms", range(0, 301, 10))
def test_the_short_form_agrees_within_one_point_up_to_300_ms(one_way_ms: int) -> None:
    assert delay_impairment(one_way_ms) == pytest.approx(short_form(one_way_ms), abs=1.0)


CONDITIONS = ((80, 0, 1), (80, 1, 1), (80, 3, 1), (150, 2, 1), (150, 2, 2), (300, 1, 1))
"""Delay in ms, loss in per cent, BurstR."""

WITHOUT_CONCEALMENT = (0.0, 4.3)

TABLE = {
    "PCMU": ((91.1, 4.36), (87.4, 4.27), (80.9, 4.06), (82.5, 4.12), (82.3, 4.11), (69.0, 3.55)),
    "without": ((91.1, 4.36), (73.2, 3.74), (52.0, 2.68), (59.4, 3.07), (53.7, 2.77), (54.7, 2.83)),
    "G729": ((80.1, 4.03), (75.9, 3.86), (68.6, 3.53), (70.5, 3.62), (70.1, 3.60), (57.5, 2.97)),
    "GSM": ((71.1, 3.65), (64.3, 3.32), (53.8, 2.77), (57.0, 2.95), (55.9, 2.89), (45.9, 2.36)),
    "iLBC": ((80.1, 4.03), (77.5, 3.93), (72.9, 3.73), (73.6, 3.76), (73.5, 3.75), (59.1, 3.05)),
    "opus": ((91.1, 4.36), (85.1, 4.20), (75.3, 3.83), (78.4, 3.96), (77.7, 3.93), (66.7, 3.44)),
}


@pytest.mark.parametrize(
    ("name", "condition", "expected"),
    [
        (name, condition, expected)
        for name, row in TABLE.items()
        for condition, expected in zip(CONDITIONS, row, strict=True)
    ],
)
def test_codec_delay_loss_and_bursts_together(
    name: str, condition: tuple[float, float, float], expected: tuple[float, float]
) -> None:
    ie, bpl = (codec(name).ie, codec(name).bpl) if name != "without" else WITHOUT_CONCEALMENT
    one_way_ms, loss_pct, burst = condition
    r = rating(ie, bpl, loss_pct=loss_pct, burst=burst, one_way_ms=one_way_ms)
    assert (round(r, 1), round(mos(r), 2)) == expected


@pytest.mark.parametrize(
    ("r", "expected"),
    [(93.2, 4.41), (90, 4.34), (80, 4.02), (70, 3.60), (60, 3.10), (50, 2.58), (100, 4.5), (0, 1.0)],
)
def test_mos_belongs_to_its_rating(r: float, expected: float) -> None:
    assert round(mos(r), 2) == expected


@pytest.mark.parametrize("r", [-20, -0.1, 0, 0.5, 3, 6.5, 99.99, 100, 100.1, 500])
def test_mos_stays_within_its_scale(r: float) -> None:
    assert 1.0 <= mos(r) <= 4.5


def test_a_line_without_fault_has_the_models_best_rating() -> None:
    assert rating(0, 25.1) == pytest.approx(BEST_R, abs=0.02)


@pytest.mark.parametrize("loss_pct", [-1, 0, 50, 100, 150])
@pytest.mark.parametrize("one_way_ms", [-5, 0, 1e4, 1e7])
def test_a_rating_stays_within_its_scale(loss_pct: float, one_way_ms: float) -> None:
    assert 0 <= rating(20, 10, loss_pct=loss_pct, one_way_ms=one_way_ms) <= 100


@pytest.mark.parametrize(
    ("mean_burst", "loss_pct", "expected"), [(1, 0, 1), (1, 10, 1), (1.5, 2, 1.47), (9, 20, 2), (0, 0, 1)]
)
def test_the_burst_ratio_stays_where_the_model_is_valid(
    mean_burst: float, loss_pct: float, expected: float
) -> None:
    assert burst_ratio(mean_burst, loss_pct) == pytest.approx(expected)


def test_bursts_cost_more_than_single_losses() -> None:
    assert loss_impairment(0, 4.3, loss_pct=5, burst=2) > loss_impairment(0, 4.3, loss_pct=5, burst=1)


@pytest.mark.parametrize(
    ("r", "former", "expected"),
    [
        (80.0, None, Grade.GOOD), (79.9, None, Grade.FAIR),
        (70.0, None, Grade.FAIR), (69.9, None, Grade.POOR),
        (79.0, Grade.GOOD, Grade.GOOD), (78.9, Grade.GOOD, Grade.FAIR), (79.9, Grade.FAIR, Grade.FAIR),
        (69.0, Grade.FAIR, Grade.FAIR), (68.9, Grade.FAIR, Grade.POOR), (69.9, Grade.POOR, Grade.POOR),
        (69.0, Grade.GOOD, Grade.FAIR), (68.0, Grade.GOOD, Grade.POOR), (80.0, Grade.POOR, Grade.GOOD),
    ],
)  # fmt: skip
def test_a_grade_does_not_flicker(r: float, former: Grade | None, expected: Grade) -> None:
    assert grade(r, former) is expected


def test_delay_from_mouth_to_ear_is_made_of_its_parts() -> None:
    assert (
        mouth_to_ear_ms(codec("G729"), round_trip_ms=100, buffer_ms=40, packet_ms=20) == 50 + 40 + 20 + 5 + 10
    )
    assert mouth_to_ear_ms(codec("PCMU"), round_trip_ms=0, buffer_ms=None, packet_ms=30) == 30 + 30 + 10


def test_an_unknown_delay_costs_nothing_and_is_called_unknown() -> None:
    assert mouth_to_ear_ms(codec("PCMU"), round_trip_ms=None, buffer_ms=40, packet_ms=20) is None
    unknown = score(codec("PCMU"), loss_pct=0.1, one_way_ms=None)
    assert unknown.r == pytest.approx(rating(0, 25.1, loss_pct=0.1, one_way_ms=0))
    assert unknown.one_way_ms is None
    assert summary(unknown, "PCMU").endswith(", delay unknown")


@pytest.mark.parametrize(
    ("name", "loss_pct", "limited"),
    [("G729", 0, True), ("G729", 2, False), ("GSM", 0, True), ("GSM", 3, False), ("PCMU", 0, False)],
)
def test_a_line_as_good_as_its_codec_is_limited_by_it(name: str, loss_pct: float, limited: bool) -> None:
    assert score(codec(name), loss_pct=loss_pct, one_way_ms=60).limited_by_codec is limited


def test_the_summary_says_it_in_one_line() -> None:
    good = score(codec("PCMU"), loss_pct=0.1, one_way_ms=60)
    assert summary(good, "PCMU") == "Good, R 91 / MOS 4.4, G.711 µ-law, loss 0.1 %"
    limited = score(codec("GSM"), loss_pct=0.0, one_way_ms=60)
    assert summary(limited, "GSM") == "Fair, R 72 / MOS 3.7, GSM, loss 0.0 %, limited by the codec"


def test_the_summary_of_a_codec_without_constants_has_its_own_name() -> None:
    poor = Score(r=40, mos=2.1, grade=Grade.POOR, loss_pct=12.3, one_way_ms=80)
    assert summary(poor, "AMR-WB") == "Poor, R 40 / MOS 2.1, AMR-WB, loss 12.3 %"
    assert codec_quality("AMR-WB") is None


def test_every_codec_of_this_version_has_constants_with_their_basis() -> None:
    assert {name.lower() for name in CODECS} <= {known.name.lower() for known in known_codecs()}
    assert all(known.basis and known.shown and known.bpl > 0 <= known.ie for known in known_codecs())
    assert codec_quality("pcmu") is codec_quality("PCMU")
