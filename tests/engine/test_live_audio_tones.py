"""The tones that only the person here hears."""

from __future__ import annotations

from array import array

import pytest

from app.model.sound import dbm0, rms
from app.sip.engine.tones import LOCAL_DBM0, RING_DBM0, RING_HZ, Repeated, dtmf, ring, ringback
from tests.helpers.live_audio import power_at

RATE = 8000


def cadence(tone: Repeated, rate: int, seconds: int) -> list[float]:
    """Lengths of sound and silence by turns, s, in steps of 10 ms."""
    blocks = [any(array("h", tone.read(rate // 100))) for _ in range(100 * seconds)]
    turns, length = [], 0
    for n, block in enumerate(blocks):
        length += 1
        if n + 1 == len(blocks) or blocks[n + 1] != block:
            turns.append(length / 100)
            length = 0
    return turns


@pytest.mark.parametrize(
    ("country", "frequencies", "turns"),
    [
        ("", [425], [1, 4, 1, 4]),
        ("DE", [425], [1, 4, 1, 4]),
        ("us", [440, 480], [2, 4, 2, 2]),
        ("GB", [400, 450], [0.4, 0.2, 0.4, 2, 0.4, 0.2, 0.4, 2]),
    ],
)
def test_the_ringback_tone_is_that_of_the_country(
    country: str, frequencies: list[int], turns: list[float]
) -> None:
    assert cadence(ringback(country, RATE, LOCAL_DBM0), RATE, 10)[: len(turns)] == turns
    sound = array("h", ringback(country, RATE, LOCAL_DBM0).read(RATE * 2 // 5))
    for hertz in frequencies:
        assert power_at(hertz, sound, RATE) == pytest.approx(LOCAL_DBM0, abs=0.2)


def test_it_rings_two_seconds_of_six_at_minus_20_dbm0() -> None:
    assert cadence(ring(), RING_HZ, 12) == [2, 4, 2, 4]
    sound = array("h", ring().read(2 * RING_HZ))
    assert dbm0(rms(sound)) == pytest.approx(RING_DBM0, abs=0.1)
    assert max(map(abs, sound)) < 32767


def test_digits_can_be_softer_than_those_that_are_sent() -> None:
    sound = dtmf("1", RATE, LOCAL_DBM0)[: RATE // 10]
    for hertz in (697, 1209):
        assert power_at(hertz, sound, RATE) == pytest.approx(LOCAL_DBM0, abs=0.4)


def test_a_repeated_sound_is_the_same_in_reads_of_any_length() -> None:
    whole = Repeated(array("h", range(1, 8)), 4).read(100)
    parts = Repeated(array("h", range(1, 8)), 4)
    assert b"".join(parts.read(count) for count in (1, 3, 30, 2, 64)) == whole
    assert array("h", whole)[:13].tolist() == [1, 2, 3, 4, 5, 6, 7, 0, 0, 0, 0, 1, 2]
