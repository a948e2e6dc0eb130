"""A bad line's patterns, by their own arithmetic."""

from __future__ import annotations

import itertools
import math

import pytest

from app.errors import SettingError
from app.sip.carrier.impairment import Line, check_line, line_in_words
from app.sip.carrier.messages import CarrierOptions


def rfc_3550(delays: list[float]) -> float:
    """The mean difference of transit times, which section 6.4.1's estimate comes to."""
    return sum(abs(b - a) for a, b in itertools.pairwise(delays)) / (len(delays) - 1)


@pytest.mark.parametrize("loss_pct", [0.1, 1, 3, 10, 30, 33.3, 50, 90, 100])
@pytest.mark.parametrize("seed", range(5))
def test_exactly_the_share_is_lost_at_any_time(loss_pct: float, seed: int) -> None:
    line = Line(loss_pct=loss_pct, seed=seed)
    lost = 0
    for sent in range(1, 3001):
        lost += line.loses()
        assert abs(lost - sent * loss_pct / 100) <= 1.5


def test_no_loss_is_no_loss_and_the_first_packet_always_comes() -> None:
    line = Line(loss_pct=0)
    assert not any(line.loses() for _ in range(1000))
    assert not any(Line(loss_pct=90, seed=seed).loses() for seed in range(50))


def test_places_are_random_and_the_same_for_the_same_seed() -> None:
    def places(seed: int) -> list[int]:
        line = Line(loss_pct=10, seed=seed)
        return [n for n in range(1000) if line.loses()]

    assert places(1) == places(1) != places(2)
    assert len({b - a for a, b in itertools.pairwise(places(1))}) > 8


@pytest.mark.parametrize("jitter_ms", [1, 10, 20, 30, 36])
@pytest.mark.parametrize("seed", range(5))
def test_jitter_is_that_of_rfc_3550_and_keeps_the_order(jitter_ms: float, seed: int) -> None:
    line = Line(jitter_ms=jitter_ms, seed=seed)
    delays = [line.jitter(packet_ms=20) for _ in range(5000)]
    assert rfc_3550(delays) == pytest.approx(jitter_ms, rel=0.01)
    assert all(b - a >= -20 - 1e-9 for a, b in itertools.pairwise(delays))


def test_longer_packets_can_have_more_jitter_in_order() -> None:
    line = Line(jitter_ms=60)
    delays = [line.jitter(packet_ms=60) for _ in range(5000)]
    assert rfc_3550(delays) == pytest.approx(60, rel=0.01)
    assert all(b - a >= -60 for a, b in itertools.pairwise(delays))


def test_more_jitter_than_that_has_packets_overtake_each_other() -> None:
    line = Line(jitter_ms=60)
    delays = [line.jitter(packet_ms=20) for _ in range(20_000)]
    assert rfc_3550(delays) == pytest.approx(60, rel=0.02)
    assert any(b - a < -20 for a, b in itertools.pairwise(delays))


def test_packets_are_let_through_in_order_although_the_clock_of_the_sender_is_not_exact() -> None:
    line = Line(jitter_ms=36, delay_ms=100)
    dues = [line.due(n * 0.02 + (0.004 if n % 3 else 0.0), packet_ms=20) for n in range(500)]
    assert dues == sorted(set(dues))
    assert min(due - n * 0.02 for n, due in enumerate(dues)) == pytest.approx(0.1, abs=0.005)


def test_a_line_without_fault_holds_nothing_back() -> None:
    line = Line()
    assert [line.due(n * 0.02, packet_ms=20) for n in range(5)] == [n * 0.02 for n in range(5)]
    assert math.isclose(Line(delay_ms=150).due(1.0, packet_ms=20), 1.15)


@pytest.mark.parametrize(
    ("field", "value"),
    [("loss", -1), ("loss", 100.1), ("loss", math.nan), ("jitter", 501), ("delay", math.inf)],
)
def test_a_line_that_can_not_be_is_refused_in_words(field: str, value: float) -> None:
    name = "loss_pct" if field == "loss" else f"{field}_ms"
    with pytest.raises(SettingError, match=field) as refusal:
        check_line(CarrierOptions(**{name: value}))
    assert f"--{field}" in refusal.value.do
    check_line(CarrierOptions())


def test_a_bad_line_is_told_in_words() -> None:
    assert line_in_words(CarrierOptions()) == ""
    bad = CarrierOptions(loss_pct=3, jitter_ms=20, delay_ms=150)
    assert line_in_words(bad) == "3 % of the sound lost each way, 20 ms of jitter, 150 ms of delay each way"
