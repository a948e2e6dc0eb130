"""What is set on a line against what a call over it measures: every combination of loss, jitter and delay.

`python -m bench.measure_quality` prints every call. The demo carrier spoils its own lines, exactly: see
`app.sip.carrier.impairment`. Packets of 20 ms can't have 60 ms of jitter without overtaking each other, so
those calls have packets of 60 ms, and go on for longer to have as many of them.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
from dataclasses import dataclass

from app.model.call import Source
from app.model.codec_quality import codec_quality
from app.model.outcome import CallOutcome, CallResult
from app.model.quality import mos, mouth_to_ear_ms, rating
from app.model.trunk import TrunkState
from app.sip.carrier.messages import CarrierOptions
from app.sip.demo import DemoCarrier
from app.sip.notices import Notice
from app.sip.session import TrunkSession
from bench.figure import Figure

LOSSES_PCT = (0.0, 1.0, 3.0, 10.0)
JITTERS_MS = (0.0, 20.0, 60.0)
DELAYS_MS = (20.0, 150.0, 300.0)
AT_ONCE = 3
PACKETS = 1500
"""At 1 % that is 15 lost packets, and one more or less is seven per cent of them."""

WITHIN = 0.1
"""Share of what was set by which a figure may be off."""
FLOOR_LOSS_PCT = 0.1
FLOOR_JITTER_MS = 3.0
FLOOR_DELAY_MS = 2.0
"""What a figure may be off where ten per cent of what was set is less: a packet in a thousand, and the timers
of a computer that carries three calls and their carriers."""
WITHIN_MOS = 0.1


@dataclass(frozen=True, kw_only=True)
class Line:
    """One combination, and what a call measured."""

    loss_pct: float
    jitter_ms: float
    delay_ms: float
    outcome: CallOutcome

    def rows(self) -> list[tuple[str, float, float, float]]:
        """Figures: name, what was set, what was measured, and the error as a share of what is allowed."""
        media, quality = self.outcome.media, self.outcome.quality
        assert media is not None
        assert quality is not None
        codec = codec_quality(media.codec)
        assert codec is not None
        one_way_ms = mouth_to_ear_ms(
            codec,
            round_trip_ms=2 * self.delay_ms,
            buffer_ms=media.jitter_buffer_ms,
            packet_ms=media.ptime_ms,
        )
        formula = mos(rating(codec.ie, codec.bpl, loss_pct=self.loss_pct, one_way_ms=one_way_ms or 0.0))
        delay_ms = (media.round_trip_ms or 0.0) / 2
        return [
            _row("loss in, %", self.loss_pct, media.rx.loss_pct, FLOOR_LOSS_PCT),
            _row("loss out, %", self.loss_pct, media.tx.loss_pct, FLOOR_LOSS_PCT),
            _row("jitter, ms", self.jitter_ms, media.rx.jitter_ms, FLOOR_JITTER_MS),
            _row("delay, ms", self.delay_ms, delay_ms, FLOOR_DELAY_MS),
            ("MOS", formula, quality.mean.mos, abs(quality.mean.mos - formula) / WITHIN_MOS),
        ]


def _row(name: str, was_set: float, measured: float, floor: float) -> tuple[str, float, float, float]:
    return name, was_set, measured, abs(measured - was_set) / max(WITHIN * was_set, floor)


def measure() -> list[Figure]:
    """The largest error of each figure, as a share of what it may be off."""
    lines = asyncio.run(_all())
    _print(lines)
    worst: dict[str, float] = {}
    for line in lines:
        for name, _, _, share in line.rows():
            worst[name] = max(worst.get(name, 0.0), share)
    return [
        Figure(
            name=f"Measured against set: {name.partition(',')[0]}",
            value=100 * share,
            unit="%",
            budget=100,
            note=f"largest of {len(lines)} lines, of the error allowed"
            f" ({'0.1 MOS' if name == 'MOS' else '10 % of what was set'})",
        )
        for name, share in worst.items()
    ]


async def _all() -> list[Line]:
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(loss_pct: float, jitter_ms: float, delay_ms: float) -> Line:
        async with slots:
            outcome = await _call(loss_pct, jitter_ms, delay_ms)
            return Line(loss_pct=loss_pct, jitter_ms=jitter_ms, delay_ms=delay_ms, outcome=outcome)

    combinations = itertools.product(LOSSES_PCT, JITTERS_MS, DELAYS_MS)
    return await asyncio.gather(*(one(*combination) for combination in combinations))


async def _call(loss_pct: float, jitter_ms: float, delay_ms: float) -> CallOutcome:
    packet_ms = 60 if jitter_ms > 36 else 20
    carrier = DemoCarrier(
        options=CarrierOptions(loss_pct=loss_pct, jitter_ms=jitter_ms, delay_ms=delay_ms, packet_ms=packet_ms)
    )
    await carrier.start()
    notices: list[Notice] = []
    session = TrunkSession(
        carrier.trunk(name="bench"), carrier.password, notices.append, on_engine_end=lambda *_: None
    )
    try:
        assert (await session.connect()).state is TrunkState.REGISTERED
        seconds = PACKETS * packet_ms / 1000
        call_id = await session.place_call("600", max_seconds=seconds, ring_seconds=5, source=Source.TONE)
        outcome = await session.wait_call(call_id)
        assert outcome.result is CallResult.ANSWERED, outcome
        return outcome
    finally:
        await session.close()
        await carrier.stop()


def _print(lines: list[Line]) -> None:
    names = [name for name, *_ in lines[0].rows()]
    head = ["loss", "jitter", "delay", *names, "late", "buffer ms"]
    _say_row(head)
    _say_row(["---"] * len(head))
    for line in lines:
        media = line.outcome.media
        assert media is not None
        cells = [
            f"{measured:.2f} / {was_set:.2f}{'' if share <= 1 else ' **!**'}"
            for _, was_set, measured, share in line.rows()
        ]
        _say_row(
            [
                f"{line.loss_pct:g}",
                f"{line.jitter_ms:g}",
                f"{line.delay_ms:g}",
                *cells,
                str(media.rx.discarded),
                f"{media.jitter_buffer_ms or 0:.0f}",
            ]
        )


def _say_row(cells: list[str]) -> None:
    """One row of a Markdown table, to standard error: standard output belongs to the figures."""
    sys.stderr.write(f"| {' | '.join(cells)} |\n")
    sys.stderr.flush()


if __name__ == "__main__":
    measure()
