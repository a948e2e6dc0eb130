"""What the sound of a call shows, with real engines: silence, one way, both ways, echo, tones, keys."""

from __future__ import annotations

import asyncio
import math
import struct
from array import array
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiortp import get_codec

from app.checks.diagnosis import explain_call
from app.model.call import Source
from app.model.dtmf import HIGH_HZ, KEYS, LOW_HZ
from app.model.outcome import Audio, CallOutcome
from app.model.sound import amplitude
from app.model.sound_figures import FarReport, NetworkTone, Returned, SoundFigures
from app.model.trunk import Dtmf, Trunk
from app.sip.carrier.server import Carrier
from app.sip.notices import CallDigit, CallFigures
from app.sip.session import TrunkSession
from tests.engine.rtp_source import SSRC, TICKS, RtpSource, Sent, calling_source
from tests.engine.waiting import until
from tests.helpers.trunks import Seen, call, make_trunk, session
from tests.helpers.two_engines import PASSWORD, talking

TRUNK = Trunk(id="1", name="Office", host="sip.example.test", user="1001")
RATE = 8000
EVENT = 101
"""Payload type of events, theirs and ours."""
LONG_ENOUGH_S = 7.5
"""In which our own sound would have come back."""


def sound_of(outcome: CallOutcome) -> SoundFigures:
    assert outcome.media is not None
    return outcome.media.sound


def ids(outcome: CallOutcome) -> list[str]:
    return [finding.id for finding in explain_call(outcome, TRUNK)]


def last(seen: Seen) -> SoundFigures:
    """What was told last."""
    figures = [notice for notice in seen.of(CallFigures) if isinstance(notice, CallFigures)]
    return figures[-1].figures.sound if figures else SoundFigures()


def tones(hertz: Sequence[float], dbm0: float, seconds: float) -> list[float]:
    """Tones together, each of this level."""
    peak = amplitude(dbm0)
    steps = [2 * math.pi * one / RATE for one in hertz]
    return [sum(peak * math.sin(step * n) for step in steps) for n in range(round(seconds * RATE))]


def pressed(key: str, ms: int = 100) -> list[float]:
    """A key as tones, and a pause as long."""
    row = next(n for n, keys in enumerate(KEYS) if key in keys)
    pair = LOW_HZ[row], HIGH_HZ[KEYS[row].index(key)]
    return tones(pair, -10, ms / 1000) + [0.0] * (ms * RATE // 1000)


def packets(samples: Sequence[float]) -> list[Sent]:
    """The samples as PCMU, a packet for each 20 ms."""
    pcm = array("h", [max(-32768, min(32767, round(value))) for value in samples])
    law = get_codec(0)
    return [
        Sent(n * 20.0, n, law.encode(pcm[start : start + TICKS].tobytes()))
        for n, start in enumerate(range(0, len(pcm) - TICKS + 1, TICKS))
    ]


# Calls to the demo carrier


@asynccontextmanager
async def at_carrier(seen: Seen | None = None, **changes: Any) -> AsyncIterator[TrunkSession]:
    """A trunk that is registered with the demo carrier."""
    async with (
        Carrier(accounts={"1001": PASSWORD}) as carrier,
        session(make_trunk(carrier.udp_port, **changes), PASSWORD, seen) as opened,
    ):
        await opened.connect()
        yield opened


def test_the_carriers_numbers_are_told_apart_by_what_is_heard() -> None:
    outcomes: dict[str, CallOutcome] = {}

    async def one(opened: TrunkSession, number: str) -> None:
        outcomes[number] = await call(opened, number, seconds=LONG_ENOUGH_S)

    async def run() -> None:
        async with at_carrier() as opened:
            await asyncio.gather(*(one(opened, number) for number in ("600", "601", "602", "606")))

    asyncio.run(run())
    echo, tone, speech, silence = (sound_of(outcomes[number]) for number in ("600", "601", "602", "606"))
    assert {sound.far_report for sound in (echo, tone, speech, silence)} == {FarReport.RECEIVES}
    assert {outcome.audio for outcome in outcomes.values()} == {Audio.TWO_WAY}

    assert echo.returned is Returned.YES
    assert echo.returned_dbm0 == pytest.approx(-10, abs=0.5)
    assert echo.delay_ms is not None
    assert 0 < echo.delay_ms < 400
    assert ids(outcomes["600"]) == ["CALL-OK", "ECHO-BACK"]

    # The same frequency and level as ours, but without our gaps
    assert (tone.returned, tone.delay_ms) == (Returned.NO, None)
    assert tone.tone_hz == pytest.approx(1004, abs=1)
    assert tone.tone_dbm0 == pytest.approx(-10, abs=0.5)
    assert tone.heard_pct is not None
    assert tone.heard_pct > 90
    assert ids(outcomes["601"]) == ["CALL-OK"]

    assert (speech.returned, speech.tone_hz) == (Returned.NO, None)
    assert speech.heard_pct is not None
    assert 20 < speech.heard_pct < 100
    assert ids(outcomes["602"]) == ["CALL-OK"]

    assert (silence.returned, silence.heard_pct, silence.tone_hz) == (Returned.NO, 0, None)
    assert ids(outcomes["606"]) == ["RTP-SILENT", "CALL-ANSWERED"]
    for sound in (echo, tone, speech, silence):
        assert (sound.digits, sound.doubled, sound.signal) == (0, 0, NetworkTone.NONE)
        assert (sound.clipped_in_pct, sound.clipped_out_pct) == (0, 0)


def test_speech_come_back_is_recognised_too() -> None:
    async def run() -> CallOutcome:
        async with at_carrier() as opened:
            return await call(opened, "600", seconds=4, source=Source.SPEECH)

    outcome = asyncio.run(run())
    assert sound_of(outcome).returned is Returned.YES
    assert ids(outcome) == ["CALL-OK", "ECHO-BACK"]


def test_who_sends_silence_does_not_know_whether_it_would_come_back() -> None:
    async def run() -> CallOutcome:
        async with at_carrier() as opened:
            return await call(opened, "601", seconds=LONG_ENOUGH_S, source=Source.SILENCE)

    outcome = asyncio.run(run())
    assert sound_of(outcome).returned is Returned.UNKNOWN
    assert sound_of(outcome).sent_pct == 0
    assert ids(outcome) == ["CALL-HEARD"]


# Two engines


def test_two_that_send_the_test_tone_do_not_take_each_others_for_their_own() -> None:
    async def run() -> None:
        async with talking() as sides:
            for side in sides:
                await until(lambda side=side: last(side.seen).returned is Returned.NO, "the verdict", 20)
                assert last(side.seen).tone_hz == pytest.approx(1004, abs=1)
                assert last(side.seen).delay_ms is None

    asyncio.run(run())


def digits_of(seen: Seen) -> list[tuple[str, Dtmf]]:
    return [(n.digit, n.way) for n in seen.of(CallDigit) if isinstance(n, CallDigit)]


@pytest.mark.parametrize("way", list(Dtmf))
def test_keys_go_both_directions_in_each_way_and_are_told_once(way: Dtmf) -> None:
    keys = "1590*#ABCD11"

    async def run() -> None:
        async with talking({"dtmf": way}, {"dtmf": way}) as (caller, called):
            for us, them in ((caller, called), (called, caller)):
                await us.session.control.send_digits(us.call_id, keys)
                await until(lambda them=them: len(digits_of(them.seen)) >= len(keys), "the keys", 20)
            # Nothing comes after them
            seconds = len(caller.seen.of(CallFigures)) + 2
            await until(lambda: len(caller.seen.of(CallFigures)) >= seconds, "two more seconds")
            for side in (caller, called):
                assert digits_of(side.seen) == [(key, way) for key in keys]
                assert last(side.seen).doubled == 0
                assert last(side.seen).digits == (len(keys) if way is Dtmf.INBAND else 0)

    asyncio.run(run())


def test_an_echo_brings_our_own_keys_back() -> None:
    async def run() -> None:
        seen = Seen()
        async with at_carrier(seen, dtmf=Dtmf.INBAND) as opened:
            call_id = await opened.place_call("600", max_seconds=20, ring_seconds=5, source=Source.TONE)
            await until(lambda: seen.of(CallFigures), "sound")
            await opened.control.send_digits(call_id, "4711")
            await until(lambda: len(digits_of(seen)) == 4, "the keys")
            assert digits_of(seen) == [(key, Dtmf.INBAND) for key in "4711"]

    asyncio.run(run())


# A far end whose every packet is known


def with_events(sound: Sequence[float], keys: Sequence[tuple[int, str]]) -> list[Sent]:
    """Sound, and beside it keys of RFC 4733 that begin at these ms, all in one stream."""
    stream = [(one.at_ms, 0, round(one.at_ms) * 8, one.payload) for one in packets(sound)]
    for at_ms, key in keys:
        code = "0123456789*#ABCD".index(key)
        for n, (end, length) in enumerate(((0, 160), (0, 320), (0x80, 800), (0x80, 800), (0x80, 800))):
            event = struct.pack("!BBH", code, end | 10, length)
            stream.append((at_ms + 20 * n, EVENT, at_ms * 8, event))
    return [
        Sent(at_ms, raw=struct.pack("!BBHII", 0x80, kind, number, timestamp, SSRC) + payload)
        for number, (at_ms, kind, timestamp, payload) in enumerate(sorted(stream), 1)
    ]


def test_a_key_sent_as_tones_and_as_events_is_one_key() -> None:
    async def run() -> None:
        async with calling_source(formats=f"0 {EVENT}") as one:
            sound = [0.0] * RATE
            both: list[tuple[int, str]] = []
            for key in "1147":
                both.append((len(sound) // 8, key))
                sound += pressed(key, 150)
            await one.source.play(with_events(sound + [0.0] * RATE, both))
            await until(lambda: last(one.seen).digits == 4, "the tones")
            assert [digit for digit, _ in digits_of(one.seen)] == list("1147")
            outcome = await one.end()
            assert sound_of(outcome).doubled == 4
            assert "DTMF-TWICE" in ids(outcome)

    asyncio.run(run())


def test_without_a_packet_there_is_no_sound_and_a_report_shows_that_ours_arrives() -> None:
    async def run() -> tuple[CallOutcome, CallOutcome]:
        outcomes = []
        for reports in (False, True):
            async with calling_source() as one:
                await until(lambda one=one: len(one.source.came) > 120, "our sound")
                if reports:
                    one.source.report(lost=0)
                    await until(lambda one=one: last(one.seen).far_report is FarReport.RECEIVES, "the report")
                outcomes.append(await one.end())
        return outcomes[0], outcomes[1]

    quiet, reporting = asyncio.run(run())
    assert (quiet.audio, reporting.audio) == (Audio.SEND_ONLY, Audio.SEND_ONLY)
    assert ids(quiet) == ["RTP-NONE-RX", "CALL-ANSWERED"]
    assert ids(reporting) == ["RTP-ONE-WAY", "CALL-ANSWERED"]


def speak_of_nobody(source: RtpSource) -> None:
    """RTCP of one that sends and hears nobody: a sender report without a block, and its name."""
    report = struct.pack("!BBHIIIIII", 0x80, 200, 6, SSRC, 0, 0, 0, 10, 1600)
    name = b"\x01\x03far\x00\x00\x00"
    names = struct.pack("!BBHI", 0x81, 202, 1 + len(name) // 4, SSRC) + name
    assert source.remote is not None
    source._transport.sendto(report + names, (source.remote[0], source.remote[1] + 1))


def test_a_far_end_that_speaks_and_hears_nothing_of_us_is_told() -> None:
    async def run() -> CallOutcome:
        async with calling_source() as one:
            playing = asyncio.create_task(one.source.play(packets(tones((440,), -10, 20))))
            await until(lambda: last(one.seen).heard_pct, "their sound")
            speak_of_nobody(one.source)
            await until(lambda: last(one.seen).far_report is FarReport.RECEIVES_NOTHING, "the verdict", 25)
            playing.cancel()
            return await one.end()

    outcome = asyncio.run(run())
    assert ids(outcome) == ["RTP-UNHEARD", "CALL-ANSWERED"]


def test_sound_that_is_too_loud_is_told_with_its_share() -> None:
    async def run() -> CallOutcome:
        async with calling_source() as one:
            await one.source.play(packets(tones((440,), 9, 2.5)))
            return await one.end()

    outcome = asyncio.run(run())
    assert 40 < sound_of(outcome).clipped_in_pct < 75
    assert sound_of(outcome).clipped_out_pct == 0
    assert "CLIP-IN" in ids(outcome)


def test_a_busy_tone_after_the_answer_is_told() -> None:
    async def run() -> CallOutcome:
        async with calling_source() as one:
            busy = [*tones((425,), -15, 0.5), *([0.0] * (RATE // 2))]
            await one.source.play(packets(busy * 4))
            await until(lambda: last(one.seen).signal is NetworkTone.BUSY, "the tone")
            return await one.end()

    assert "TONE-BUSY" in ids(asyncio.run(run()))
