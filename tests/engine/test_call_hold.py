"""Hold by either side, by re-INVITE and UPDATE, refused, unanswered and in each other's way."""

from __future__ import annotations

import asyncio

import pytest

from app.errors import EngineError
from app.model.call import CallState, Source
from app.model.outcome import CallResult, HungUpBy, LocalCause
from app.sip.engine.holds import NO_ANSWER_S
from tests.engine.rtp import loudness
from tests.engine.scripted import sdp
from tests.engine.scripted_calls import SECONDS, Scene, scene
from tests.engine.waiting import until

QUIET = -60.0


def direction(body: str) -> str:
    """The direction of the sound in a description."""
    return next(line[2:] for line in body.splitlines() if line[2:] in DIRECTIONS)


DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")


async def sends_again(at: Scene) -> None:
    mark = len(at.talker.heard)
    await until(lambda: loudness(at.talker.heard[mark:][-400:]) > QUIET, "our sound")


async def sends_nothing(at: Scene) -> None:
    """For five of its packets the far end hears nothing of us."""
    mark, packets = len(at.talker.payload_types), at.talker.number
    await until(lambda: at.talker.number > packets + 5, "five packets")
    assert len(at.talker.payload_types) <= mark + 1  # one may have been on its way


# Held by the far end


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({"direction": "sendonly"}, "recvonly"),
        ({"direction": "inactive"}, "inactive"),
        ({"address": "0.0.0.0"}, None),
    ],
)
def test_a_hold_by_the_far_end_silences_us_until_it_is_over(
    method: str, fields: dict[str, str], answer: str | None
) -> None:
    async def run() -> None:
        async with scene() as at:
            _, dialog = await at.call_out()
            await sends_again(at)
            for version, (change, holds) in enumerate(
                [(fields, [(False, True)]), ({}, [(False, True), (False, False)])], 2
            ):
                body = sdp(at.talker.port, formats="0", version=version, **change)
                dialog.send(method, body=body)
                response = await at.far.next(method, 200)
                if method == "INVITE":
                    dialog.ack(response)
                await until(lambda holds=holds: at.holds() == holds, holds)
                if change:
                    if answer is not None:
                        assert direction(response.body) == answer
                    await sends_nothing(at)
            await sends_again(at)

    asyncio.run(run())


def test_of_two_holds_both_are_told_and_each_is_taken_back_by_who_asked_for_it() -> None:
    async def run() -> None:
        async with scene() as at:
            call_id, dialog = await at.call_out()
            await at.session.control.hold(call_id)
            held = await dialog.accept(
                "INVITE", body=sdp(at.talker.port, formats="0", version=2, direction="recvonly")
            )
            assert direction(held.body) == "sendonly"
            await until(lambda: at.holds() == [(True, False)], "our hold")
            dialog.invite(sdp(at.talker.port, formats="0", version=3, direction="sendonly"))
            answer = await at.far.next("INVITE", 200)
            assert direction(answer.body) == "inactive"
            dialog.ack(answer)
            await until(lambda: at.holds()[1:] == [(True, True)], "their hold")
            await at.session.control.resume(call_id)
            resumed = await dialog.accept(
                "INVITE", body=sdp(at.talker.port, formats="0", version=4, direction="sendonly")
            )
            assert direction(resumed.body) in ("sendrecv", "recvonly")
            await until(lambda: at.holds()[2:] == [(False, True)], "our resume")
            dialog.invite(sdp(at.talker.port, formats="0", version=5))
            dialog.ack(await at.far.next("INVITE", 200))
            await until(lambda: at.holds()[3:] == [(False, False)], "their resume")
            await sends_again(at)

    asyncio.run(run())


# Held by us


def test_a_hold_is_asked_for_once_however_often_it_is_wanted() -> None:
    async def run() -> None:
        async with scene() as at:
            call_id, dialog = await at.call_out()
            await at.session.control.hold(call_id)
            await at.session.control.hold(call_id)
            with pytest.raises(EngineError, match="has not answered"):
                await at.session.control.resume(call_id)
            await dialog.accept(
                "INVITE", body=sdp(at.talker.port, formats="0", version=2, direction="recvonly")
            )
            await until(lambda: at.holds() == [(True, False)], "our hold")
            at.talker.heard.clear()
            await until(lambda: len(at.talker.heard) > 2000, "a quarter of a second of silence")
            assert loudness(at.talker.heard[800:]) < QUIET
            await at.session.control.hold(call_id)
            await at.far.ping()
            assert len({m.one("CSeq") for m in at.far.of("INVITE")}) == 2

    asyncio.run(run())


@pytest.mark.parametrize("status", ["488 Not Acceptable Here", "500 Server Internal Error", "403 Forbidden"])
def test_a_refused_hold_is_told_and_the_call_goes_on(status: str) -> None:
    async def run() -> None:
        async with scene() as at:
            call_id, dialog = await at.call_out()
            await at.session.control.hold(call_id)
            await dialog.accept("INVITE", status=status)
            await until(lambda: at.hold_troubles() == [f"The other side refused the hold: {status}."], "why")
            assert at.holds() == []
            await sends_again(at)
            # And it may be asked for again
            await at.session.control.hold(call_id)
            await dialog.accept(
                "INVITE", body=sdp(at.talker.port, formats="0", version=2, direction="recvonly")
            )
            await until(lambda: at.holds() == [(True, False)], "our hold")

    asyncio.run(run())


def test_a_refused_resume_is_told_and_can_be_asked_for_again() -> None:
    async def run() -> None:
        async with scene() as at:
            call_id, dialog = await at.call_out()
            await at.session.control.hold(call_id)
            await dialog.accept(
                "INVITE", body=sdp(at.talker.port, formats="0", version=2, direction="recvonly")
            )
            await until(lambda: at.holds() == [(True, False)], "our hold")
            await at.session.control.resume(call_id)
            await dialog.accept("INVITE", status="500 Server Internal Error")
            await until(
                lambda: (
                    at.hold_troubles()
                    == ["The other side refused the end of the hold: 500 Server Internal Error."]
                ),
                "why",
            )
            await at.session.control.resume(call_id)
            await dialog.accept("INVITE", body=sdp(at.talker.port, formats="0", version=3))
            await until(lambda: at.holds()[1:] == [(False, False)], "our resume")
            await sends_again(at)

    asyncio.run(run())


def test_a_hold_that_nobody_answers_is_told_long_before_the_call_ends() -> None:
    async def run() -> None:
        async with scene() as at:
            call_id, _ = await at.call_out()
            await at.session.control.hold(call_id)
            await until(
                lambda: at.hold_troubles() == ["The other side does not answer the hold."],
                "why",
                NO_ANSWER_S + 5,
            )
            assert at.states(call_id)[-1] is CallState.ANSWERED

    asyncio.run(run())


def test_a_call_that_the_far_end_does_not_know_any_more_ends_at_once_and_says_so() -> None:
    async def run() -> None:
        async with scene() as at:
            call_id, dialog = await at.call_out()
            await at.session.control.hold(call_id)
            await dialog.accept("INVITE", status="481 Call/Transaction Does Not Exist")
            # RFC 3261 section 12.2.1.2; our BYE stays unanswered, and the end is told nevertheless
            await at.far.next("BYE")
            outcome = (await at.ended(call_id, 4)).outcome
            assert (outcome.result, outcome.hung_up_by) == (CallResult.ANSWERED, HungUpBy.NOBODY)
            assert outcome.local_cause is LocalCause.CALL_UNKNOWN
            assert outcome.reason == "The other side did not know the call any more"
            assert outcome.duration_s < 3

    asyncio.run(run())


# In each other's way (RFC 3261 section 14.1)


@pytest.mark.parametrize("ours", [True, False])
def test_after_glare_a_hold_is_asked_for_again(ours: bool) -> None:
    """Whoever made the Call-ID waits 2.1 to 4 s, the other one at most 2 s."""

    async def run() -> None:
        async with scene() as at:
            call_id, dialog = await (at.call_out() if ours else at.call_in())
            await at.session.control.hold(call_id)
            first = await at.far.next("INVITE")
            branch = dialog.invite(sdp(at.talker.port, formats="0", version=2))
            refused = await at.far.next("INVITE", 491)
            dialog.ack(refused, branch=branch)
            at.far.respond(first, "491 Request Pending")
            loop = asyncio.get_running_loop()
            since = loop.time()
            again = await dialog.accept(
                "INVITE", body=sdp(at.talker.port, formats="0", version=2, direction="recvonly")
            )
            waited = loop.time() - since
            assert again.one("CSeq") != first.one("CSeq")
            assert (2.1 <= waited < 4.5) if ours else waited < 2.5
            await until(lambda: at.holds() == [(True, False)], "our hold")
            assert not at.hold_troubles()

    asyncio.run(run())


def test_a_hold_that_waits_to_be_asked_for_again_can_be_taken_back() -> None:
    async def run() -> None:
        async with scene() as at:
            call_id, dialog = await at.call_out()
            await at.session.control.hold(call_id)
            await dialog.accept("INVITE", status="491 Request Pending")
            await at.far.next("ACK")
            await at.session.control.resume(call_id)
            await at.session.control.hold(call_id)
            await dialog.accept("INVITE", status="488 Not Acceptable Here")
            await until(at.hold_troubles, "the refusal")
            assert len({m.one("CSeq") for m in at.far.of("INVITE")}) == 3

    asyncio.run(run())


def test_a_hold_right_after_the_answer_waits_for_the_ack() -> None:
    """RFC 3261 section 14.1: no re-INVITE while the INVITE is not over."""

    async def run() -> None:
        async with scene() as at:
            call_id, dialog, _ = await at.ring_in(body=sdp(at.talker.port, formats="0"))
            await at.session.control.answer(call_id, max_seconds=SECONDS, source=Source.TONE)
            answer = await at.far.next("INVITE", 200)
            await at.until_state(call_id, CallState.ANSWERED)
            await at.session.control.hold(call_id)
            # It answers again half a second later, and has asked for nothing in between
            await at.far.next("INVITE", 200)
            assert not at.far.of("INVITE")
            dialog.ack(answer)
            await dialog.accept(
                "INVITE", body=sdp(at.talker.port, formats="0", version=2, direction="recvonly")
            )
            await until(lambda: at.holds() == [(True, False)], "our hold")
            assert not at.hold_troubles()

    asyncio.run(run())


def test_a_call_that_is_not_answered_can_not_be_held() -> None:
    async def run() -> None:
        async with scene() as at:
            call_id, invite = await at.place()
            at.far.called(invite).respond("180 Ringing")
            await at.until_state(call_id, CallState.RINGING)
            with pytest.raises(EngineError, match="not answered yet"):
                await at.session.control.hold(call_id)

    asyncio.run(run())
