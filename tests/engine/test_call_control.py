"""Hold, mute, transfer, conference and recording, with real engines on both sides."""

from __future__ import annotations

import asyncio
import wave
from array import array
from pathlib import Path

import pytest

from app.errors import CallRefusedError, EngineError
from app.model.call import Source
from app.model.sound import SILENCE_DBM0, dbm0, rms
from app.sip.notices import CallHold, CallMeters, CallRecording
from tests.engine.waiting import until
from tests.helpers.two_engines import Side, talking


def hears(side: Side, since: int) -> bool:
    """Whether sound came in after this many notices."""
    return any(
        isinstance(notice, CallMeters)
        and notice.rx_dbm0 is not None
        and notice.rx_dbm0 > SILENCE_DBM0
        and notice.call_id == side.call_id
        for notice in side.seen.notices[since:]
    )


def hears_nothing(side: Side, since: int) -> bool:
    """Whether the last meters after this many notices show silence."""
    meters = [notice for notice in side.seen.notices[since:] if isinstance(notice, CallMeters)]
    return len(meters) > 5 and all(meter.rx_dbm0 is None for meter in meters[-5:])


def hold_states(side: Side) -> list[tuple[bool, bool]]:
    return [(notice.by_us, notice.by_them) for notice in side.seen.of(CallHold)]


@pytest.mark.parametrize("holder", ["caller", "called"])
def test_a_hold_silences_both_and_is_told_to_both_until_it_is_resumed(holder: str) -> None:
    async def run() -> None:
        async with talking() as sides:
            us, them = sides if holder == "caller" else sides[::-1]
            await until(lambda: hears(us, 0) and hears(them, 0), "sound both ways")
            await us.session.control.hold(us.call_id)
            await until(lambda: hold_states(us) == [(True, False)], "our hold")
            await until(lambda: hold_states(them) == [(False, True)], "their being held")
            await us.session.control.resume(us.call_id)
            await until(lambda: hold_states(us)[1:] == [(False, False)], "our resume")
            await until(lambda: hold_states(them)[1:] == [(False, False)], "their resume")
            marks = len(us.seen.notices), len(them.seen.notices)
            await until(lambda: hears(us, marks[0]) and hears(them, marks[1]), "sound both ways again")

    asyncio.run(run())


def test_a_muted_call_sends_silence_and_then_sound_again() -> None:
    async def run() -> None:
        async with talking() as (us, them):
            await until(lambda: hears(them, 0), "sound")
            await us.session.control.mute(us.call_id, True)
            mark = len(them.seen.notices)
            await until(lambda: hears_nothing(them, mark), "silence")
            await us.session.control.mute(us.call_id, False)
            mark = len(them.seen.notices)
            await until(lambda: hears(them, mark), "sound again")

    asyncio.run(run())


def test_a_recording_has_us_left_and_them_right(tmp_path: Path) -> None:
    path = tmp_path / "call.wav"

    async def run() -> None:
        async with talking(called_source=Source.SILENCE) as (us, _):
            await us.session.control.start_recording(us.call_id, path)
            with pytest.raises(EngineError, match="recorded already"):
                await us.session.control.start_recording(us.call_id, tmp_path / "other.wav")
            mark = len(us.seen.notices)
            await until(
                lambda: len([n for n in us.seen.notices[mark:] if isinstance(n, CallMeters)]) > 20, "a second"
            )
            await us.session.control.stop_recording(us.call_id)
            await until(lambda: [n.on for n in us.seen.of(CallRecording)] == [True, False], "its end")

    asyncio.run(run())
    with wave.open(str(path)) as recording:
        assert (recording.getnchannels(), recording.getsampwidth()) == (2, 2)
        samples = array("h", recording.readframes(recording.getnframes()))
    left, right = dbm0(rms(samples[0::2])), dbm0(rms(samples[1::2]))
    assert left == pytest.approx(-10.5, abs=1)
    assert right is None or right < SILENCE_DBM0


def test_a_recording_that_can_not_be_made_is_refused_in_words(tmp_path: Path) -> None:
    async def run() -> None:
        async with talking() as (us, _):
            with pytest.raises(EngineError, match="could not be started"):
                await us.session.control.start_recording(us.call_id, tmp_path / "no" / "call.wav")

    asyncio.run(run())


def test_a_call_is_not_transferred_to_an_emergency_number() -> None:
    async def run() -> None:
        async with talking(caller={"country": "GB"}) as (us, _):
            with pytest.raises(CallRefusedError):
                await us.session.control.transfer(us.call_id, "999")

    asyncio.run(run())
