"""Transfers and forwarding on the wire: what is sent, what the far end makes of it, and what we never do."""

from __future__ import annotations

import asyncio
import sys

import pytest

from app.errors import CallRefusedError, EngineError
from app.model.call import CallState, Source
from app.model.outcome import CallResult, HungUpBy
from app.sip.engine.transfers import NO_NEWS_S
from app.sip.notices import CallEnded, TransferProgress
from tests.engine.rtp import loudness, talking_at
from tests.engine.scripted import Dialog, sdp
from tests.engine.scripted_calls import Scene, scene
from tests.engine.waiting import until

PREFIXED = {"country": "US", "tech_prefix": "1234", "tech_separator": "*"}


def news(at: Scene) -> list[tuple[int, str, bool]]:
    """What was told of transfers."""
    return [(n.sip_code, n.reason, n.final) for n in at.seen.of(TransferProgress)]


async def notify(at: Scene, dialog: Dialog, status: str, *, last: bool = False) -> None:
    """Tell how far a transfer has come."""
    state = "terminated;reason=noresource" if last else "active;expires=60"
    dialog.send(
        "NOTIFY",
        "Event: refer",
        f"Subscription-State: {state}",
        "Content-Type: message/sipfrag;version=2.0",
        body=(f"SIP/2.0 {status}",),
    )
    await at.far.next("NOTIFY", 200)


async def still_talks(at: Scene, call_id: str) -> None:
    """The call goes on with sound."""
    mark = len(at.talker.heard)
    await until(lambda: loudness(at.talker.heard[mark:][-400:]) > -60, "our sound")
    assert at.states(call_id)[-1] is CallState.ANSWERED
    assert not at.seen.of(CallEnded)
    assert not at.far.of("BYE")


# Asked for by us


def test_a_blind_transfer_that_works_ends_our_call() -> None:
    async def run() -> None:
        async with scene() as at:
            call_id, dialog = await at.call_out()
            await at.session.control.transfer(call_id, "601")
            refer = await dialog.accept("REFER", status="202 Accepted")
            assert refer.one("Refer-To").strip("<>") == f"sip:601@127.0.0.1:{at.far.port}"
            assert refer.one("Referred-By") == "<sip:1001@127.0.0.1>"
            await notify(at, dialog, "100 Trying")
            await notify(at, dialog, "180 Ringing")
            assert not at.far.of("BYE")
            await notify(at, dialog, "200 OK", last=True)
            await dialog.accept("BYE")
            outcome = (await at.ended(call_id)).outcome
            assert (outcome.result, outcome.hung_up_by) == (CallResult.ANSWERED, HungUpBy.US)
            told = news(at)
            assert [final for _, _, final in told] == [False] * (len(told) - 1) + [True]
            assert (180, "Ringing", False) in told
            assert told[-1] == (200, "OK", True)

    asyncio.run(run())


@pytest.mark.parametrize("status", ["403 Forbidden", "405 Method Not Allowed", "501 Not Implemented"])
def test_a_refused_transfer_is_told_and_the_call_goes_on(status: str) -> None:
    async def run() -> None:
        async with scene() as at:
            call_id, dialog = await at.call_out()
            await at.session.control.transfer(call_id, "601")
            await dialog.accept("REFER", status=status)
            code, _, reason = status.partition(" ")
            await until(lambda: news(at) == [(int(code), reason, True)], "the refusal")
            await still_talks(at, call_id)
            # And another one may be tried
            await at.session.control.transfer(call_id, "602")
            await at.far.next("REFER")

    asyncio.run(run())


def test_a_transfer_to_somebody_busy_is_told_and_the_call_goes_on() -> None:
    async def run() -> None:
        async with scene() as at:
            call_id, dialog = await at.call_out()
            await at.session.control.transfer(call_id, "601")
            await dialog.accept("REFER", status="202 Accepted")
            await notify(at, dialog, "100 Trying")
            await notify(at, dialog, "486 Busy Here", last=True)
            await until(lambda: news(at)[-1:] == [(486, "Busy Here", True)], "the refusal")
            await still_talks(at, call_id)

    asyncio.run(run())


def test_a_transfer_whose_news_end_in_the_middle_is_told_as_unknown() -> None:
    async def run() -> None:
        async with scene() as at:
            call_id, dialog = await at.call_out()
            await at.session.control.transfer(call_id, "601")
            await dialog.accept("REFER", status="202 Accepted")
            await notify(at, dialog, "180 Ringing", last=True)
            words = "The other side stopped telling what becomes of the transfer"
            await until(lambda: news(at)[-1:] == [(180, words, True)], "its end")
            await still_talks(at, call_id)

    asyncio.run(run())


def test_a_call_that_ends_in_the_middle_of_a_transfer_tells_the_transfers_end_too() -> None:
    async def run() -> None:
        async with scene() as at:
            call_id, dialog = await at.call_out()
            await at.session.control.transfer(call_id, "601")
            await dialog.accept("REFER", status="202 Accepted")
            await notify(at, dialog, "100 Trying")
            dialog.send("BYE")
            await at.ended(call_id)
            words = "The call ended before the other side told what became of the transfer"
            assert news(at)[-1] == (0, words, True)

    asyncio.run(run())


def test_one_transfer_at_a_time() -> None:
    async def run() -> None:
        async with scene() as at:
            call_id, _ = await at.call_out()
            await at.session.control.transfer(call_id, "601")
            with pytest.raises(EngineError, match="under way"):
                await at.session.control.transfer(call_id, "602")
            with pytest.raises(EngineError, match="to itself"):
                await at.session.control.transfer_to(call_id, call_id)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("accepted", "told"),
    [
        (False, (408, "The other side does not answer the transfer", True)),
        (True, (0, "The other side agreed, but does not tell what became of the transfer", True)),
    ],
)
def test_a_transfer_of_which_nothing_is_heard_is_told_after_a_while(
    accepted: bool, told: tuple[int, str, bool]
) -> None:
    async def run() -> None:
        async with scene() as at:
            call_id, dialog = await at.call_out()
            await at.session.control.transfer(call_id, "601")
            if accepted:
                await dialog.accept("REFER", status="202 Accepted")
            await until(lambda: news(at)[-1:] == [told], "its end", NO_NEWS_S + 5)
            await still_talks(at, call_id)
            if accepted:
                # Late news still count: the far end has gone to the other number
                await notify(at, dialog, "200 OK", last=True)
                await dialog.accept("BYE")
                assert (await at.ended(call_id)).outcome.hung_up_by is HungUpBy.US

    asyncio.run(run())


@pytest.mark.parametrize("came_in", [False, True])
def test_an_attended_transfer_names_the_other_call_as_its_far_end_knows_it(came_in: bool) -> None:
    """RFC 3891 section 3: to-tag and from-tag are those of who gets the INVITE with Replaces."""

    async def run() -> None:
        async with scene() as at, talking_at(900) as talker:
            first, dialog = await at.call_out()
            other_call = at.call_in(talker=talker) if came_in else at.call_out(tag="zwei", talker=talker)
            second, other = await other_call
            await at.session.control.transfer_to(first, second)
            refer = await dialog.accept("REFER", status="202 Accepted")
            assert refer.one("Call-ID") == dialog.call_id
            ours, theirs = other.tags
            replaces = f"Replaces={other.call_id}%3Bto-tag%3D{ours}%3Bfrom-tag%3D{theirs}"
            uri, _, headers = refer.one("Refer-To").strip("<>").partition("?")
            assert replaces in headers.split("&")
            # Where the far end of the other call is reached: through the trunk, or at its Contact
            assert uri in (f"sip:600@127.0.0.1:{at.far.port}", f"sip:far@127.0.0.1:{at.far.port}")
            other.send("BYE")  # the call with Replaces has come, so it leaves ours (RFC 3891 section 3)
            await at.far.next("BYE", 200)
            await notify(at, dialog, "200 OK", last=True)
            await dialog.accept("BYE")
            assert (await at.ended(second)).outcome.hung_up_by is HungUpBy.THEM
            assert (await at.ended(first)).outcome.hung_up_by is HungUpBy.US

    asyncio.run(run())


# Emergency numbers


@pytest.mark.parametrize(("number", "fields"), [("112", {}), ("999", {"country": "GB"}), ("911", PREFIXED)])
def test_nobody_is_sent_to_an_emergency_number(number: str, fields: dict[str, str]) -> None:
    async def run() -> None:
        async with scene(**fields) as at:
            call_id, _ = await at.call_out()
            with pytest.raises(CallRefusedError):
                await at.session.control.transfer(call_id, number)
            ringing, _, _ = await at.ring_in()
            with pytest.raises(CallRefusedError):
                await at.session.control.forward(ringing, number)
            await at.far.ping()
            assert not at.far.of("REFER")
            assert not at.far.of("INVITE", 302)
            # It is the number that was refused
            await at.session.control.transfer(call_id, "601")
            await at.far.next("REFER")

    asyncio.run(run())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="set by variables on Linux only")
def test_session_and_engine_refuse_the_emergency_numbers_of_the_computers_country(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from app.sip.messages import ForwardCall, PlaceCall, TransferCall

    monkeypatch.setenv("LC_TELEPHONE", "de_CH.UTF-8")

    async def run() -> None:
        async with scene(country="US") as at:
            call_id, _ = await at.call_out()
            ringing, _, _ = await at.ring_in()
            control = at.session.control
            for asked in (
                at.session.place_call("144", max_seconds=5, ring_seconds=5, source=Source.TONE),
                control.transfer(call_id, "144"),
                control.forward(ringing, "144"),
            ):
                with pytest.raises(CallRefusedError, match="Switzerland"):
                    await asked
            engine = at.session._connected_engine()
            for command in (
                PlaceCall(call_id="x", user="144", country="US", max_seconds=5, ring_seconds=5),
                TransferCall(call_id=call_id, user="144", country="US"),
                ForwardCall(call_id=ringing, user="144", country="US"),
            ):
                with pytest.raises(EngineError, match="Switzerland"):
                    await engine.request(command)
            await at.far.ping()
            assert not at.far.of("REFER")
            assert not at.far.of("INVITE", 302)

    asyncio.run(run())


def test_the_engine_itself_refuses_to_send_anybody_to_an_emergency_number() -> None:
    from app.sip.messages import ForwardCall, TransferCall

    async def run() -> None:
        async with scene() as at:
            call_id, _ = await at.call_out()
            ringing, _, _ = await at.ring_in()
            engine = at.session._connected_engine()
            for user, country, prefixes in (("1234*911", "US", ("1234*",)), ("555112", "", ("555",))):
                fields = {"user": user, "country": country, "prefixes": prefixes}
                with pytest.raises(EngineError, match="never dials"):
                    await engine.request(TransferCall(call_id=call_id, **fields))
                with pytest.raises(EngineError, match="never dials"):
                    await engine.request(ForwardCall(call_id=ringing, **fields))
            await at.far.ping()
            assert not at.far.of("REFER")
            assert not at.far.of("INVITE", 302)

    asyncio.run(run())


# Sent on and refused


def test_a_call_that_rings_is_sent_on_with_302_and_the_trunks_own_spelling() -> None:
    async def run() -> None:
        async with scene(tech_prefix="1234", tech_separator="*") as at:
            call_id, _, _ = await at.ring_in()
            await at.session.control.forward(call_id, "601")
            answer = await at.far.next("INVITE", 302)
            assert answer.one("Contact") == f"<sip:1234*601@127.0.0.1:{at.far.port}>"
            outcome = (await at.ended(call_id)).outcome
            assert (outcome.sip_code, outcome.hung_up_by) == (302, HungUpBy.US)

    asyncio.run(run())


def test_only_a_call_that_rings_is_sent_on() -> None:
    async def run() -> None:
        async with scene() as at:
            answered, _ = await at.call_in()
            placed, _ = await at.place("601")
            for call_id in (answered, placed):
                with pytest.raises(EngineError, match="Only a call that rings"):
                    await at.session.control.forward(call_id, "602")

    asyncio.run(run())


@pytest.mark.parametrize(("code", "status"), [(486, "486 Busy Here"), (603, "603 Decline")])
def test_a_call_is_refused_with_the_code_that_was_chosen(code: int, status: str) -> None:
    async def run() -> None:
        async with scene() as at:
            call_id, _, _ = await at.ring_in()
            await at.session.control.reject(call_id, code)
            assert (await at.far.next("INVITE", code)).start_line == f"SIP/2.0 {status}"
            outcome = (await at.ended(call_id)).outcome
            assert (outcome.sip_code, outcome.hung_up_by) == (code, HungUpBy.US)

    asyncio.run(run())


# Asked for by the far end


def test_the_far_end_can_not_have_us_call_anybody() -> None:
    async def run() -> None:
        async with scene() as at:
            call_id, dialog = await at.call_out()
            target = f"<sip:601@127.0.0.1:{at.far.port}>"
            dialog.send("REFER", f"Refer-To: {target}", "Referred-By: <sip:far@127.0.0.1>")
            await at.far.next("REFER", 603)
            # Nor without a call, to which PJSIP says nothing at all
            at.far.calls().send("REFER", f"Refer-To: {target}")
            await at.far.ping()
            await still_talks(at, call_id)
            assert len(at.far.of("INVITE")) == 1

    asyncio.run(run())


def test_no_call_takes_the_place_of_another() -> None:
    async def run() -> None:
        async with scene() as at, talking_at(900) as talker:
            call_id, dialog = await at.call_out()
            ours, theirs = dialog.tags
            intruder = at.far.calls()
            intruder.invite(
                sdp(talker.port, formats="0"),
                f"Replaces: {dialog.call_id};to-tag={theirs};from-tag={ours}",
                "Require: replaces",
            )
            await at.far.next("INVITE", 603)
            await still_talks(at, call_id)
            assert not talker.heard
            assert not at.incoming()

    asyncio.run(run())
