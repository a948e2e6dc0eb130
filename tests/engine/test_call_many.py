"""Several calls at once: call waiting, more than there are places for, conferences, recordings over holds."""

from __future__ import annotations

import asyncio
import wave
from array import array
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from app.errors import EngineError, UserError
from app.model.call import CallState, Source
from app.sip.notices import CallEnded, CallRecording
from tests.engine.rtp import Talker, strength, talking_at
from tests.engine.scripted import Dialog, sdp
from tests.engine.scripted_calls import Scene, scene
from tests.engine.waiting import until

TONES = (500, 700, 900, 1300)
OURS_HZ = 1004
AUDIBLE, SILENT = -20.0, -40.0
SECOND = 8000
SPAN = 2400
"""Samples that are looked at: 300 ms, so that the gaps in our own tone do not hide it."""


class Member(NamedTuple):
    """A call and the far end's side of it."""

    call_id: str
    dialog: Dialog
    talker: Talker
    hertz: int

    def hears(self, hertz: int) -> bool:
        """Whether this tone is in what it heard last."""
        return strength(self.talker.heard[-SPAN:], hertz) > AUDIBLE

    def hears_nothing_of(self, hertz: int) -> bool:
        """Whether this tone is not in what it heard last."""
        return strength(self.talker.heard[-SPAN:], hertz) < SILENT


@asynccontextmanager
async def members(at: Scene, count: int) -> AsyncIterator[list[Member]]:
    """So many answered calls, every second one of them incoming, each with a tone of its own."""
    async with AsyncExitStack() as stack:
        found = []
        for number, hertz in enumerate(TONES[:count]):
            talker = await stack.enter_async_context(talking_at(hertz))
            call = (
                at.call_in(talker=talker) if number % 2 else at.call_out(talker=talker, number=f"60{number}")
            )
            found.append(Member(*(await call), talker, hertz))
        yield found


async def only_these_hear_each_other(all_of_them: list[Member], joined: list[Member]) -> None:
    """Wait until it is so: members hear each other, nobody hears anybody else, nobody hears themselves."""

    def mistakes() -> list[str]:
        found = []
        for one in all_of_them:
            for other in all_of_them:
                together = one is not other and one in joined and other in joined
                if together and not one.hears(other.hertz):
                    found.append(f"{one.hertz} does not hear {other.hertz}")
                if not together and not one.hears_nothing_of(other.hertz):
                    found.append(f"{one.hertz} hears {other.hertz}")
        return found

    last: list[str] = []

    def fine() -> bool:
        last[:] = mistakes()
        return not last

    try:
        await until(fine, "all to hear whom they should")
    except AssertionError as error:
        raise AssertionError(f"{error}: {', '.join(last)}") from None


def loudest(samples: array[int], hertz: int) -> float:
    """The highest level of a tone in blocks of 100 ms: between them the sound may jump, as after a hold."""
    return max(strength(samples[start : start + 800], hertz) for start in range(0, len(samples) - 799, 800))


# Places


def test_four_calls_talk_at_once_each_with_its_own_sound_and_a_fifth_is_refused_in_words() -> None:
    async def run() -> None:
        async with scene() as at, members(at, 4) as calls:
            for call in calls:
                await until(lambda call=call: call.hears(OURS_HZ), "our tone in every call")
            await only_these_hear_each_other(calls, [])
            with pytest.raises(UserError, match="already has 4 calls up"):
                await at.place()
            # One more caller finds all lines busy
            at.far.calls().invite(sdp(4000))
            await at.far.next("INVITE", 486)
            await at.session.control.hang_up(calls[0].call_id)
            at.far.respond(await at.far.next("BYE"), "200 OK")
            await at.ended(calls[0].call_id)
            await at.place()

    asyncio.run(run())


def test_of_twenty_callers_at_once_four_ring_and_the_others_hear_busy_and_are_no_missed_calls() -> None:
    async def run() -> None:
        async with scene() as at:
            dialogs = [at.far.calls() for _ in range(20)]
            for dialog in dialogs:
                dialog.invite(sdp(at.talker.port, formats="0"))
            await until(
                lambda: len(at.far.of("INVITE", 180)) + len(at.far.of("INVITE", 486)) >= 20, "answers"
            )
            ringing = {m.one("Call-ID") for m in at.far.of("INVITE", 180)}
            busy = {m.one("Call-ID") for m in at.far.of("INVITE", 486)}
            assert (len(ringing), len(busy)) == (4, 16)
            await at.far.ping()
            assert len(at.incoming()) == 4
            assert at.session.calls_up == 4
            assert not at.seen.of(CallEnded)
            assert not at.seen.lost
            # Those that ring can be answered
            call_id = at.incoming()[3]
            await at.session.control.answer(call_id, max_seconds=60, source=Source.TONE)
            await at.far.next("INVITE", 200)

    asyncio.run(run())


def test_a_second_caller_rings_while_a_call_is_up_and_both_can_be_had() -> None:
    async def run() -> None:
        async with scene() as at, talking_at(900) as second_talker:
            first, dialog = await at.call_out()
            second, waiting, _ = await at.ring_in(body=sdp(second_talker.port, formats="0"))
            await at.session.control.hold(first)
            await dialog.accept(
                "INVITE", body=sdp(at.talker.port, formats="0", version=2, direction="recvonly")
            )
            await until(lambda: at.holds() == [(True, False)], "the hold")
            await at.session.control.answer(second, max_seconds=60, source=Source.TONE)
            waiting.ack(await at.far.next("INVITE", 200))
            await at.until_state(second, CallState.ANSWERED)
            await until(lambda: strength(second_talker.heard[-SPAN:], OURS_HZ) > AUDIBLE, "our tone")
            waiting.send("BYE")
            await at.ended(second)
            await at.session.control.resume(first)
            await dialog.accept("INVITE", body=sdp(at.talker.port, formats="0", version=3))
            at.talker.heard.clear()
            await until(lambda: strength(at.talker.heard[-SPAN:], OURS_HZ) > AUDIBLE, "our tone again")

    asyncio.run(run())


# Conferences


@pytest.mark.parametrize("count", [3, 4])
def test_in_a_conference_each_hears_the_others_and_nobody_themselves(count: int) -> None:
    async def run() -> None:
        async with scene() as at, members(at, count) as calls:
            await only_these_hear_each_other(calls, [])
            await at.session.control.set_conference([call.call_id for call in calls])
            await only_these_hear_each_other(calls, calls)
            for call in calls:
                await until(lambda call=call: call.hears(OURS_HZ), "our tone in every call")
            # One leaves, the others stay
            await at.session.control.set_conference([call.call_id for call in calls[1:]])
            await only_these_hear_each_other(calls, calls[1:])
            await at.session.control.set_conference([])
            await only_these_hear_each_other(calls, [])

    asyncio.run(run())


@pytest.mark.parametrize("by_us", [True, False])
def test_a_member_on_hold_is_out_of_the_conference_until_it_comes_back(by_us: bool) -> None:
    async def run() -> None:
        async with scene() as at, members(at, 3) as calls:
            await at.session.control.set_conference([call.call_id for call in calls])
            await only_these_hear_each_other(calls, calls)
            member = calls[0]
            port = member.talker.port
            if by_us:
                await at.session.control.hold(member.call_id)
                await member.dialog.accept(
                    "INVITE", body=sdp(port, formats="0", version=2, direction="recvonly")
                )
            else:
                member.dialog.invite(sdp(port, formats="0", version=2, direction="inactive"))
                member.dialog.ack(await at.far.next("INVITE", 200))
            await until(lambda: at.holds() == [(by_us, not by_us)], "the hold")
            member.talker.to, to = None, member.talker.to
            await only_these_hear_each_other(calls[1:], calls[1:])
            for call in calls[1:]:
                await until(lambda call=call: call.hears_nothing_of(member.hertz), "the held one to be gone")
            # While it is held, the conference can be left and made anew
            await at.session.control.set_conference([])
            await at.session.control.set_conference([call.call_id for call in calls])
            member.talker.heard.clear()
            if by_us:
                await at.session.control.resume(member.call_id)
                await member.dialog.accept("INVITE", body=sdp(port, formats="0", version=3))
            else:
                member.dialog.invite(sdp(port, formats="0", version=3))
                member.dialog.ack(await at.far.next("INVITE", 200))
            await until(lambda: at.holds()[-1] == (False, False), "the end of the hold")
            member.talker.to = to
            await only_these_hear_each_other(calls, calls)

    asyncio.run(run())


def test_a_conference_goes_on_when_a_member_hangs_up_and_takes_no_call_that_is_not_answered() -> None:
    async def run() -> None:
        async with scene() as at, members(at, 3) as calls:
            ringing, _, _ = await at.ring_in()
            with pytest.raises(EngineError, match="not answered yet"):
                await at.session.control.set_conference([calls[0].call_id, ringing])
            await at.session.control.set_conference([call.call_id for call in calls])
            await only_these_hear_each_other(calls, calls)
            calls[0].dialog.send("BYE")
            await at.ended(calls[0].call_id)
            calls[0].talker.to = None
            await only_these_hear_each_other(calls[1:], calls[1:])
            for call in calls[1:]:
                await until(
                    lambda call=call: call.hears_nothing_of(calls[0].hertz), "the first one to be gone"
                )

    asyncio.run(run())


# Recording


def test_a_recording_goes_on_over_hold_and_resume(tmp_path: Path) -> None:
    path = tmp_path / "call.wav"

    async def run() -> None:
        async with scene() as at:
            call_id, dialog = await at.call_out()
            await until(lambda: strength(at.talker.heard[-SPAN:], OURS_HZ) > AUDIBLE, "our tone")
            await at.session.control.start_recording(call_id, path)
            for version, hold in ((2, True), (3, False)):
                packets = at.talker.number
                await until(lambda packets=packets: at.talker.number > packets + 75, "a second and a half")
                act = at.session.control.hold if hold else at.session.control.resume
                await act(call_id)
                way = "recvonly" if hold else "sendrecv"
                await dialog.accept(
                    "INVITE", body=sdp(at.talker.port, formats="0", version=version, direction=way)
                )
                await until(lambda hold=hold: at.holds()[-1:] == [(hold, False)], "hold and resume")
                # Another pitch before and after the hold
                at.talker.tune(900)
            packets = at.talker.number
            await until(lambda: at.talker.number > packets + 75, "a second and a half")
            assert [n.on for n in at.seen.of(CallRecording)] == [True]
            await at.session.control.stop_recording(call_id)
            await until(lambda: [n.on for n in at.seen.of(CallRecording)] == [True, False], "its end")

    asyncio.run(run())
    with wave.open(str(path)) as recording:
        samples = array("h", recording.readframes(recording.getnframes()))
    ours, theirs = samples[0::2], samples[1::2]
    # Without the hold itself, in which nobody sends anything
    assert len(theirs) > 2 * SECOND
    for part, tone, other in ((slice(0, SECOND), 700, 900), (slice(-SECOND // 2, None), 900, 700)):
        assert loudest(theirs[part], tone) > AUDIBLE
        assert loudest(theirs[part], other) < SILENT
        assert loudest(ours[part], OURS_HZ) > AUDIBLE


def test_a_call_that_ends_ends_its_recording(tmp_path: Path) -> None:
    async def run() -> None:
        async with scene() as at:
            call_id, dialog = await at.call_out()
            await at.session.control.start_recording(call_id, tmp_path / "call.wav")
            await until(lambda: at.talker.number > 20, "some sound")
            dialog.send("BYE")
            await at.ended(call_id)
            assert [(n.on, n.trouble) for n in at.seen.of(CallRecording)] == [(True, ""), (False, "")]

    asyncio.run(run())
    with wave.open(str(tmp_path / "call.wav")) as recording:
        assert recording.getnframes() > 0
