"""What is set on a line is what is measured on it, and the score is the formula's for that."""

from __future__ import annotations

import asyncio

import pytest

from app.model.outcome import CallOutcome, CallResult
from app.model.quality import Grade, mos, rating
from app.sip.carrier.messages import CarrierOptions, Timing
from app.sip.carrier.server import Carrier
from tests.helpers.trunks import call, make_trunk, session

PASSWORD = "canary-5f0c-kept-out-of-sight"
OFTEN = Timing(rtcp_s=0.5)

A_PACKET_PCT = 0.35
"""One packet more or less in six seconds; where nothing is set, ten per cent of it is nothing."""
STILL_MS = 5.0
"""What timers on a busy machine add to jitter and delay that are set to nothing or next to it."""


def echoed(*, seconds: float = 6.0, codecs: tuple[str, ...] = ("PCMU",), **line: float) -> CallOutcome:
    """An echo call over a line of the demo carrier that is as bad as this."""

    async def run() -> CallOutcome:
        options = CarrierOptions(timing=OFTEN, **line)  # type: ignore[arg-type]  # passed on as they are
        async with Carrier(accounts={"1001": PASSWORD}, options=options) as carrier:
            trunk = make_trunk(carrier.udp_port, codecs=codecs)
            async with session(trunk, PASSWORD) as opened:
                await opened.connect()
                return await call(opened, "600", seconds=seconds)

    outcome = asyncio.run(run())
    assert outcome.result is CallResult.ANSWERED, outcome
    return outcome


@pytest.mark.parametrize(
    ("loss_pct", "jitter_ms", "delay_ms"),
    [(0, 0, 0), (3, 0, 150), (10, 20, 20), (0, 30, 300), (30, 0, 0)],
)
def test_what_is_set_is_measured(loss_pct: float, jitter_ms: float, delay_ms: float) -> None:
    outcome = echoed(loss_pct=loss_pct, jitter_ms=jitter_ms, delay_ms=delay_ms)
    media, quality = outcome.media, outcome.quality
    assert media is not None
    assert quality is not None
    assert media.rx.loss_pct == pytest.approx(loss_pct, rel=0.1, abs=A_PACKET_PCT)
    # The far end told it a little before the call ended
    assert media.tx.loss_pct == pytest.approx(loss_pct, rel=0.1, abs=3 * A_PACKET_PCT)
    assert media.rx.jitter_ms == pytest.approx(jitter_ms, rel=0.1, abs=STILL_MS)
    assert media.round_trip_ms == pytest.approx(2 * delay_ms, rel=0.1, abs=2 * STILL_MS)
    assert media.rx.reordered == 0
    assert media.jitter_buffer_ms is not None
    one_way_ms = delay_ms + media.jitter_buffer_ms + 20 + 10
    assert quality.mean.mos == pytest.approx(
        mos(rating(0, 25.1, loss_pct=loss_pct, one_way_ms=one_way_ms)), abs=0.1
    )


def test_longer_packets_can_have_more_jitter() -> None:
    outcome = echoed(seconds=9, jitter_ms=60, packet_ms=60)
    assert outcome.media is not None
    assert outcome.media.ptime_ms == 60
    assert outcome.media.rx.jitter_ms == pytest.approx(60, rel=0.1)
    assert outcome.media.rx.reordered == 0


def test_a_codec_that_limits_is_told_apart_from_a_bad_line() -> None:
    clean, lossy = (echoed(seconds=3, codecs=("PCMA",), loss_pct=loss) for loss in (0, 10))
    assert clean.quality is not None
    assert clean.quality.mean.grade is Grade.GOOD
    assert not clean.quality.mean.limited_by_codec
    assert lossy.quality is not None
    assert lossy.quality.mean.grade is Grade.POOR
