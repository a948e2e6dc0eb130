"""A call's figures, when every packet of the far end is known."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable

import pytest

from app.model.outcome import Audio, CallOutcome, CallResult, MediaFigures
from app.model.quality import Grade
from app.model.trunk import Srtp
from app.sip.carrier.impairment import Line
from app.sip.notices import CallFigures, CallHold
from tests.engine.rtp_source import Sent, calling_source, steady
from tests.engine.waiting import until
from tests.helpers.two_engines import Side, talking

COUNT = 150


def figures_of(outcome: CallOutcome) -> MediaFigures:
    assert outcome.result is CallResult.ANSWERED, outcome
    assert outcome.media is not None
    return outcome.media


def heard(packets: Iterable[Sent], **source: object) -> CallOutcome:
    """What came of a call in which the far end sends these packets."""
    return heard_and_sent(packets, **source)[0]


def heard_and_sent(packets: Iterable[Sent], **source: object) -> tuple[CallOutcome, float]:
    """The same, and the jitter that the packets had when they left, ms."""

    async def run() -> tuple[CallOutcome, float]:
        async with calling_source(**source) as call:  # type: ignore[arg-type]  # passed on as they are
            await call.source.play(packets)
            outcome = await call.end()
            assert call.seen.lost == []
            return outcome, call.source.own_jitter_ms()

    return asyncio.run(run())


def without(*gone: int) -> list[Sent]:
    return [packet for packet in steady(COUNT) if packet.nth not in gone]


def moved(by_ms: float, *which: int) -> list[Sent]:
    return [
        packet._replace(at_ms=packet.at_ms + by_ms) if packet.nth in which else packet
        for packet in steady(COUNT)
    ]


def again(after_ms: float, *which: int) -> list[Sent]:
    twice = [packet for packet in steady(COUNT) if packet.nth in which]
    return steady(COUNT) + [packet._replace(at_ms=packet.at_ms + after_ms) for packet in twice]


def test_a_clean_line_is_measured_as_clean() -> None:
    outcome, own_jitter_ms = heard_and_sent(steady(COUNT))
    media = figures_of(outcome)
    rx = media.rx
    assert (rx.packets, rx.lost, rx.discarded, rx.reordered, rx.duplicated) == (COUNT, 0, 0, 0, 0)
    assert rx.burst == 1.0
    assert rx.bytes == COUNT * 160
    assert rx.jitter_ms < 3 + own_jitter_ms
    assert (media.codec, media.ptime_ms, media.srtp) == ("PCMU", 20, "")
    assert media.jitter_buffer_ms is not None
    assert 10 <= media.jitter_buffer_ms <= 60
    assert media.round_trip_ms is None
    assert outcome.quality is not None
    assert outcome.quality.mean.grade is Grade.GOOD
    assert outcome.quality.mean.one_way_ms is None
    assert outcome.quality.far is None
    assert outcome.hang_up_ms is not None
    assert 0 < outcome.hang_up_ms < 1000


def test_lost_packets_are_counted_with_the_length_of_their_bursts() -> None:
    rx = figures_of(heard(without(50, 51, 52, 90))).rx
    assert (rx.packets, rx.lost) == (COUNT - 4, 4)
    assert rx.burst == pytest.approx(2.0)
    assert rx.missing_pct == pytest.approx(100 * 4 / COUNT)


def test_packets_out_of_order_are_not_lost() -> None:
    rx = figures_of(heard(moved(30, 50, 70, 90))).rx
    assert (rx.packets, rx.lost, rx.reordered) == (COUNT, 0, 3)
    assert rx.discarded == 3  # this buffer holds nothing back, so each came too late


def test_a_packet_that_comes_twice_is_counted_once() -> None:
    rx = figures_of(heard(again(1, 50, 70, 90))).rx
    assert (rx.packets, rx.lost, rx.duplicated, rx.discarded) == (COUNT, 0, 3, 0)


def test_packets_too_late_to_be_played_are_told_in_packets() -> None:
    outcome = heard(moved(300, 50, 70, 90))
    assert figures_of(outcome).rx.discarded == 3
    assert outcome.quality is not None
    assert outcome.quality.mean.loss_pct == pytest.approx(100 * 3 / COUNT, abs=0.1)


def test_jitter_is_that_of_rfc_3550_from_the_first_seconds_on() -> None:
    line = Line(jitter_ms=20, seed=7)
    delays = [line.jitter(packet_ms=20) for _ in range(200)]
    packets = [packet._replace(at_ms=packet.at_ms + delays[packet.nth]) for packet in steady(200)]
    rx = figures_of(heard(packets)).rx
    assert rx.jitter_ms == pytest.approx(20, rel=0.1)
    assert rx.jitter_max_ms > 20
    assert (rx.lost, rx.reordered) == (0, 0)


def test_thirty_per_cent_loss_is_measured_and_called_poor() -> None:
    gone = random.Random(3).sample(range(1, COUNT - 1), COUNT * 3 // 10)
    outcome = heard(without(*gone))
    media = figures_of(outcome)
    assert media.rx.lost == len(gone)
    assert media.rx.loss_pct == pytest.approx(30, abs=0.5)
    assert outcome.quality is not None
    assert outcome.quality.mean.grade is Grade.POOR


def test_packets_of_another_codec_than_agreed_are_not_called_good_sound() -> None:
    outcome = heard([packet._replace(payload_type=8) for packet in steady(COUNT)])
    rx = figures_of(outcome).rx
    assert (rx.packets, rx.discarded) == (COUNT, COUNT)
    assert outcome.heard is False
    assert outcome.quality is not None
    assert outcome.quality.mean.grade is Grade.POOR


def test_no_packet_at_all_gives_no_score() -> None:
    outcome = heard([])
    media = figures_of(outcome)
    assert media.rx.packets == 0
    assert (media.first_rtp_ms, media.jitter_buffer_ms, outcome.quality) == (None, None, None)
    assert outcome.audio is Audio.SEND_ONLY


def test_a_stranger_who_sends_too_does_not_spoil_the_figures() -> None:
    stranger = [packet._replace(stranger=True, ssrc=77, nth=packet.nth + 30_000) for packet in steady(COUNT)]
    rx = figures_of(heard(steady(COUNT) + stranger)).rx
    assert (rx.packets, rx.lost, rx.discarded) == (COUNT, 0, 0)


def test_sound_from_another_address_than_agreed_is_taken() -> None:
    outcome = heard([packet._replace(stranger=True) for packet in steady(COUNT)])
    assert figures_of(outcome).rx.packets > COUNT * 0.8
    assert outcome.audio is Audio.TWO_WAY


@pytest.mark.parametrize("start", [b"", b"\x80", b"\x80\x00", b"\xff"])
def test_garbage_among_the_packets_is_survived_and_costs_nothing(start: bytes) -> None:
    dice = random.Random(1)
    garbage = [
        Sent(packet.at_ms + 5, raw=start + dice.randbytes(dice.randrange(1, 200))) for packet in steady(COUNT)
    ]
    outcome = heard(steady(COUNT) + garbage)
    rx = figures_of(outcome).rx
    assert rx.packets >= COUNT
    assert rx.discarded == 0 or start == b"\x80\x00"  # that much looks like sound to anybody
    assert 0 <= rx.missing_pct <= 100


def test_a_wideband_codec_has_the_same_units() -> None:
    packets = [packet._replace(payload_type=9) for packet in without(50, 51)]
    outcome, own_jitter_ms = heard_and_sent(packets, formats="9 101", codecs=("G722",))
    media = figures_of(outcome)
    assert (media.codec, media.ptime_ms) == ("G722", 20)
    assert (media.rx.lost, media.rx.burst) == (2, 2.0)
    assert media.rx.jitter_ms < 3 + own_jitter_ms


@pytest.mark.parametrize(("lost", "shown"), [(7, 7), (0, 0), (-3, 0)])
def test_the_far_ends_report_tells_what_we_lost(lost: int, shown: int) -> None:
    async def run() -> None:
        async with calling_source() as call:
            await call.source.play(steady(100))
            call.source.report(lost=lost, jitter=80)
            # Sent after the report, so that it does not cover all that was sent
            await call.source.play([packet._replace(at_ms=packet.at_ms + 20) for packet in steady(50)])
            outcome = await call.end()
        tx = figures_of(outcome).tx
        assert tx.lost == shown
        assert tx.jitter_ms == pytest.approx(10, abs=0.1)
        assert tx.reported == pytest.approx(100, abs=15)
        assert tx.packets > tx.reported + 30
        assert tx.loss_pct == pytest.approx(shown, abs=1.5)
        assert outcome.quality is not None
        assert outcome.quality.far is not None
        assert outcome.quality.far.loss_pct == tx.loss_pct

    asyncio.run(run())


def test_the_first_packet_is_timed_from_the_answer() -> None:
    media = figures_of(heard([packet._replace(at_ms=packet.at_ms + 600) for packet in steady(50)]))
    assert media.first_rtp_ms == pytest.approx(600, abs=150)


def latest(side: Side) -> MediaFigures:
    """The newest figures of the side."""
    figures: MediaFigures = side.seen.of(CallFigures)[-1].figures
    return figures


def test_figures_go_on_growing_after_a_hold() -> None:
    async def run() -> None:
        async with talking() as (us, them):
            await until(lambda: us.seen.of(CallFigures) and latest(us).rx.packets > 60, "figures")
            await us.session.control.hold(us.call_id)
            await until(lambda: them.seen.of(CallHold), "the hold")
            await us.session.control.resume(us.call_id)
            await until(lambda: len(us.seen.of(CallHold)) == 2, "the resume")
            before = latest(us)
            mark = len(us.seen.of(CallFigures))
            await until(lambda: len(us.seen.of(CallFigures)) > mark + 1, "more figures")
            after = latest(us)
            assert after.rx.packets > before.rx.packets
            assert after.tx.packets > before.tx.packets
            assert after.rx.lost == 0

    asyncio.run(run())


def test_encrypted_sound_names_its_suite() -> None:
    async def run() -> None:
        secure = {"srtp": Srtp.REQUIRE}
        async with talking(caller=secure, called=secure) as sides:
            for side in sides:
                await until(
                    lambda side=side: side.seen.of(CallFigures) and latest(side).rx.packets,
                    "figures of their sound",
                )
                assert latest(side).srtp.startswith("AES_"), latest(side)

    asyncio.run(run())
