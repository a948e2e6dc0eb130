"""Ringing, and the tones that only the person here hears."""

from __future__ import annotations

import asyncio

import pytest

from app.model.audio_choice import AudioChoice
from app.model.call import CallState, Source
from app.model.sound import dbm0, rms
from app.model.trunk import SignIn
from app.sip.notices import CallEnded, CallProgress, DevicesFound
from app.sip.session import TrunkSession
from tests.engine.waiting import until
from tests.helpers.live_audio import (
    LINUX_ONLY,
    is_silent,
    plays,
    plug_in,
    power_at,
    told,
)
from tests.helpers.sound_card import RATE, SoundCard
from tests.helpers.trunks import Seen, make_trunk, session
from tests.helpers.two_engines import incoming, reachable, talking

pytestmark = LINUX_ONLY


# Ringing and tones


async def called(calling: TrunkSession) -> str:
    return await calling.place_call("1001", max_seconds=60, ring_seconds=30, source=Source.SILENCE)


def test_incoming_calls_ring_together_on_the_ringer_until_they_are_answered(card: SoundCard) -> None:
    plug_in(card)
    card.add_speaker("bell", "Bell")

    async def test() -> None:
        us, them = Seen(), Seen()
        with card.listening("bell") as recorder:
            async with (
                reachable(us, channels=4) as (answering, port),
                session(make_trunk(port, sign_in=SignIn.ADDRESS, channels=4), "", them) as calling,
            ):
                await calling.connect()
                await answering.use_audio(AudioChoice(ringer="Bell"))
                first, second = await called(calling), await called(calling)
                await until(lambda: (dbm0(rms(recorder.latest(1000))) or -99) > -24, "ringing")
                assert power_at(587.33, recorder.latest(500), RATE) == pytest.approx(-22.5, abs=4)
                assert card.streams() == (0, 1)
                ids = [(await incoming(us, nth)).call_id for nth in range(2)]
                await answering.control.reject(ids[0])
                await until(lambda: them.of(CallEnded), "the refusal")
                assert card.streams() == (0, 1)
                await answering.control.answer(ids[1], max_seconds=60, source=Source.SILENCE)
                await told(us, speaker="Big speaker")
                await is_silent(recorder)
                assert card.streams() == (0, 1)
                assert first != second

    asyncio.run(test())


def test_calls_do_not_ring_where_the_person_wants_that(card: SoundCard) -> None:
    plug_in(card)

    async def test() -> None:
        us, them = Seen(), Seen()
        async with (
            reachable(us) as (answering, port),
            session(make_trunk(port, sign_in=SignIn.ADDRESS), "", them) as calling,
        ):
            await calling.connect()
            await answering.use_audio(AudioChoice(ring=False))
            await called(calling)
            await incoming(us)
            # Had it to ring, the devices would be looked for first
            await answering.control.watch_devices(True)
            await until(lambda: us.of(DevicesFound), "the list")
            assert card.streams() == (0, 0)

    asyncio.run(test())


def test_the_caller_hears_the_ringback_tone_of_the_country_until_the_answer(card: SoundCard) -> None:
    plug_in(card)

    async def test() -> None:
        us, them = Seen(), Seen()
        with card.listening("box") as recorder:
            async with (
                reachable(them) as (answering, port),
                session(make_trunk(port, sign_in=SignIn.ADDRESS, country="US"), "", us) as calling,
            ):
                await calling.connect()
                await calling.use_audio(AudioChoice(speaker="Big speaker"))
                await called(calling)
                ringing = await incoming(them)
                await plays(recorder, 440, -22.0)
                await plays(recorder, 480, -22.0)
                await answering.control.answer(ringing.call_id, max_seconds=60, source=Source.SILENCE)
                await until(
                    lambda: any(n.state is CallState.ANSWERED for n in us.of(CallProgress)), "the answer"
                )
                await is_silent(recorder)

    asyncio.run(test())


def test_digits_that_are_sent_are_heard_here(card: SoundCard) -> None:
    plug_in(card)

    async def test() -> None:
        with card.listening("box") as recorder:
            async with talking(called_source=Source.SILENCE) as (us, _them):
                await us.session.use_audio(AudioChoice(speaker="Big speaker"))
                await told(us, speaker="Big speaker")
                await is_silent(recorder)
                await us.session.control.send_digits(us.call_id, "5" * 12)

                def pair() -> bool:
                    sound = recorder.latest(50)
                    return len(sound) == RATE // 20 and all(
                        abs((power_at(hertz, sound, RATE) or -99) + 22) < 1.5 for hertz in (770, 1336)
                    )

                await until(pair, "the tones of 5")

    asyncio.run(test())
