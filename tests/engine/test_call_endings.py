"""How calls end: lost BYE, ends that PJSIP makes by itself, and the places that ended calls still hold."""

from __future__ import annotations

import asyncio
import socket

import pytest

from app.checks.diagnosis import explain_call
from app.errors import EngineError
from app.model.call import CallState, Source
from app.model.outcome import AnsweredBy, Audio, CallResult, HungUpBy, LocalCause
from app.sip.engine.edge.icmp import can_read
from app.sip.notices import CallEnded, CallFigures, CallHold
from tests.engine.rtp import talking_at
from tests.engine.scripted import Dialog, rtp_target, sdp
from tests.engine.scripted_calls import SECONDS, Scene, scene
from tests.engine.waiting import until

REFRESHED_BY_US = ("Supported: timer", "Require: timer", "Session-Expires: 90;refresher=uac")
REFRESHED_BY_THEM = ("Supported: timer", "Require: timer", "Session-Expires: 90;refresher=uas")


# BYE


def test_a_call_whose_bye_is_lost_is_over_for_us_and_its_figures_are_right() -> None:
    async def run() -> None:
        async with scene() as at:
            call_id, _ = await at.call_out()
            await until(lambda: at.seen.of(CallFigures), "figures")
            await until(lambda: at.talker.number > 60, "more than a second of sound")
            sent = at.talker.number
            await at.session.control.hang_up(call_id)
            outcome = (await at.ended(call_id, 3)).outcome
            assert (outcome.result, outcome.hung_up_by) == (CallResult.ANSWERED, HungUpBy.US)
            assert (outcome.audio, outcome.hang_up_ms) == (Audio.TWO_WAY, None)
            assert "BYE-LOST" in [finding.id for finding in explain_call(outcome, at.session.trunk)]
            assert outcome.media is not None
            assert sent - 5 <= outcome.media.rx.packets <= at.talker.number
            assert outcome.media.rx.lost == 0
            assert outcome.duration_s == pytest.approx(sent * 0.02, abs=0.5)
            # It is sent again, for those who did not hear it (RFC 3261 section 17.1.2.2)
            await until(lambda: len(at.far.of("BYE")) >= 2, "BYE again")
            assert len({m.one("CSeq") for m in at.far.of("BYE")}) == 1

    asyncio.run(run())


def test_an_answered_bye_tells_how_long_it_took() -> None:
    async def run() -> None:
        async with scene() as at:
            call_id, dialog = await at.call_out()
            await at.session.control.hang_up(call_id)
            await dialog.accept("BYE")
            outcome = (await at.ended(call_id)).outcome
            assert "BYE-LOST" not in [finding.id for finding in explain_call(outcome, at.session.trunk)]
            assert outcome.hang_up_ms is not None
            assert 0 <= outcome.hang_up_ms < 1000

    asyncio.run(run())


def test_their_bye_is_answered_each_time_and_told_once() -> None:
    async def run() -> None:
        async with scene() as at:
            call_id, dialog = await at.call_out()
            branch = dialog.send("BYE", 'Reason: Q.850;cause=16;text="Normal call clearing"')
            await at.far.next("BYE", 200)
            dialog.send("BYE", branch=branch, cseq=dialog.cseq)
            await at.far.next("BYE", 200)
            outcome = (await at.ended(call_id)).outcome
            assert (outcome.hung_up_by, outcome.answered_by) == (HungUpBy.THEM, AnsweredBy.NETWORK)
            assert outcome.reason_header.startswith("Q.850;cause=16")
            await at.far.ping()
            assert len(at.seen.of(CallEnded)) == 1

    asyncio.run(run())


def test_a_call_hung_up_before_its_ack_has_arrived_waits_with_bye() -> None:
    """RFC 3261 section 15: who was called must not send BYE before the ACK."""

    async def run() -> None:
        async with scene() as at:
            call_id, dialog, _ = await at.ring_in()
            await at.session.control.answer(call_id, max_seconds=SECONDS, source=Source.TONE)
            answer = await at.far.next("INVITE", 200)
            await at.session.control.hang_up(call_id)
            await at.far.ping()
            assert not at.far.of("BYE")
            dialog.ack(answer)
            at.far.respond(await at.far.next("BYE"), "200 OK")
            assert (await at.ended(call_id)).outcome.hung_up_by is HungUpBy.US

    asyncio.run(run())


def test_calls_whose_end_nobody_confirms_keep_their_places_and_that_is_said() -> None:
    async def run() -> None:
        async with scene() as at:
            calls = [await at.call_out(number=f"60{n}") for n in range(4)]
            for call_id, _ in calls:
                await at.session.control.hang_up(call_id)
            for call_id, _ in calls:
                await at.ended(call_id)
            with pytest.raises(EngineError, match="has not confirmed the end of the last ones") as caught:
                await at.place()
            assert "half a minute" in caught.value.do
            for bye in {m.one("Call-ID"): m for m in at.far.of("BYE")}.values():
                at.far.respond(bye, "200 OK")
            await at.far.ping()
            await at.place()

    asyncio.run(run())


# A minute and less: the timers of RFC 3261 and 4028, all of them at once


async def _no_ack() -> None:
    """An answer of ours that is never confirmed."""
    async with scene() as at:
        call_id, _, _ = await at.ring_in()
        await at.session.control.answer(call_id, max_seconds=SECONDS, source=Source.TONE)
        at.talker.to = rtp_target(await at.far.next("INVITE", 200))
        await at.far.next("BYE", seconds=40)
        outcome = (await at.ended(call_id, 4)).outcome
        assert (outcome.result, outcome.hung_up_by) == (CallResult.ANSWERED, HungUpBy.NOBODY)
        assert (outcome.answered_by, outcome.local_cause) == (AnsweredBy.LOCAL, LocalCause.NO_ACK)
        assert outcome.reason == "The caller never confirmed that the call was answered"
        assert outcome.audio is Audio.TWO_WAY
        assert 31 < outcome.duration_s < 34
        assert len(at.far.of("INVITE", 200)) >= 10


async def _they_do_not_refresh(outgoing: bool) -> None:
    """A session that the far end was to refresh ends 30 s before its time (RFC 4028 section 10)."""
    async with scene() as at:
        if outgoing:
            call_id, _ = await at.call_out(*REFRESHED_BY_THEM)
        else:
            call_id, _ = await at.call_in("Supported: timer", "Session-Expires: 90;refresher=uac")
            assert at.far.of("INVITE", 200)[0].one("Session-Expires") == "90;refresher=uac"
        await at.far.next("BYE", seconds=65)
        outcome = (await at.ended(call_id, 4)).outcome
        assert (outcome.hung_up_by, outcome.local_cause) == (HungUpBy.NOBODY, LocalCause.SESSION_EXPIRED)
        assert outcome.reason == "The other side did not refresh the call in time"
        assert 58 < outcome.duration_s < 62


async def _they_refresh(at: Scene, dialog: Dialog) -> None:
    """Refreshed by them at half its time, it goes on."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await until(lambda: loop.time() - begun > 45, "half the interval", 50)
    dialog.send("UPDATE", *REFRESHED_BY_THEM[:1], "Session-Expires: 90;refresher=uac")
    assert (await at.far.next("UPDATE", 200)).one("Session-Expires") == "90;refresher=uac"
    await until(lambda: loop.time() - begun > 62, "the time at which it would have ended", 30)
    await at.far.ping()
    assert not at.far.of("BYE")
    assert not at.seen.of(CallEnded)


async def _they_refresh_and_it_goes_on() -> None:
    async with scene() as at:
        _, dialog = await at.call_out(*REFRESHED_BY_THEM)
        await _they_refresh(at, dialog)


async def _we_refresh(update: bool) -> None:
    """We refresh at half the interval, with UPDATE where the far end takes it."""
    async with scene() as at:
        allow = "Allow: INVITE, ACK, BYE, CANCEL" + (", UPDATE" if update else "")
        call_id, _ = await at.call_out(*REFRESHED_BY_US, allow)
        loop = asyncio.get_running_loop()
        begun = loop.time()
        method = "UPDATE" if update else "INVITE"
        refresh = await at.far.next(method, seconds=55)
        assert 43 < loop.time() - begun < 47
        assert refresh.one("Session-Expires") == "90;refresher=uac"
        body = sdp(at.talker.port, formats="0") if not update else ()
        at.far.respond(refresh, "200 OK", *REFRESHED_BY_US, allow, body=body)
        if not update:
            await at.far.next("ACK")
        await at.far.ping()
        assert at.states(call_id)[-1] is CallState.ANSWERED
        assert not at.seen.of(CallHold)
        assert not at.far.of("BYE")


async def _we_refresh_in_vain() -> None:
    """A refresh that is refused with 481 ends the call."""
    async with scene() as at:
        call_id, _ = await at.call_out(*REFRESHED_BY_US)
        refresh = await at.far.next("INVITE", seconds=55)
        at.far.respond(refresh, "481 Call/Transaction Does Not Exist")
        await at.far.next("BYE")
        outcome = (await at.ended(call_id, 4)).outcome
        assert outcome.local_cause is LocalCause.CALL_UNKNOWN


@pytest.mark.slow
def test_what_the_timers_of_the_standards_end_is_told_as_that() -> None:
    async def run() -> None:
        async with asyncio.TaskGroup() as group:
            for part in (
                _no_ack(),
                _they_do_not_refresh(outgoing=True),
                _they_do_not_refresh(outgoing=False),
                _they_refresh_and_it_goes_on(),
                _we_refresh(update=True),
                _we_refresh(update=False),
                _we_refresh_in_vain(),
            ):
                group.create_task(part)

    asyncio.run(run())


def test_an_interval_longer_than_ours_is_kept_as_the_caller_wants_it() -> None:
    async def run() -> None:
        async with scene(session_expires=600) as at, talking_at(900) as talker:
            await at.call_in("Supported: timer", "Session-Expires: 300", talker=talker)
            granted = at.far.of("INVITE", 200)[0]
            assert granted.one("Session-Expires").startswith("300;refresher=")
            assert "timer" in granted.one("Require")

    asyncio.run(run())


@pytest.mark.skipif(not can_read(), reason="this system does not hand ICMP errors out")
def test_a_port_that_was_closed_in_one_call_explains_nothing_of_the_next() -> None:
    async def run() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            closed = taken.getsockname()[1]
        async with scene() as at:
            first, invite = await at.place()
            contact = f"Contact: <sip:far@127.0.0.1:{closed}>"
            at.far.called(invite).respond("200 OK", contact, body=sdp(at.talker.port, formats="0"))
            await at.until_state(first, CallState.ANSWERED)
            await at.session.control.hang_up(first)
            await at.ended(first)
            second = await at.session.place_call("601", max_seconds=5, ring_seconds=1, source=Source.TONE)
            outcome = (await at.ended(second)).outcome
            assert outcome.answered_by is AnsweredBy.LOCAL
            assert outcome.local_cause is not LocalCause.REFUSED

    asyncio.run(run())
