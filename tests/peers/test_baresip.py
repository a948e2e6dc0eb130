"""Calls with baresip, directly and through Kamailio: sound, hold, digits, several at once."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from app.model.call import CallState, Source
from app.model.outcome import Audio, CallResult, HungUpBy
from app.model.trunk import Dtmf, Transport
from app.sip.notices import CallDigit, CallProgress
from tests.engine.rtp import strength
from tests.engine.waiting import until
from tests.peers.baresip_calls import (
    BOBS_HZ,
    CAROLS_HZ,
    OURS_HZ,
    SILENT,
    SPAN,
    TRANSPORTS,
    Phones,
    carried,
    direct,
    trunk,
)

pytestmark = pytest.mark.peers


# Sound


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_call_to_it_has_sound_both_ways(phones: Phones, transport: str) -> None:
    bob = phones.bob
    port = bob.tls_port if transport == "tls" else bob.port
    ca_file = str(phones.ca_file) if transport == "tls" else ""

    async def run() -> None:
        fields = {"port": port, "transport": Transport(transport), "ca_file": ca_file}
        async with direct(bob, **fields) as (side, _):
            call_id = await side.place("700", bob)
            await side.both_hear(call_id, bob)
            outcome = (await side.finish(call_id, bob)).outcome
            assert (outcome.result, outcome.hung_up_by) == (CallResult.ANSWERED, HungUpBy.US)
            assert (outcome.audio, outcome.heard) == (Audio.TWO_WAY, True)

    asyncio.run(run())


@pytest.mark.parametrize("way", ["direct", *TRANSPORTS])
def test_a_call_from_it_has_sound_both_ways_until_it_hangs_up(phones: Phones, way: str) -> None:
    async def run() -> None:
        async with trunk(phones, way) as (side, uri):
            call_id = await side.take(phones.bob, uri)
            await side.both_hear(call_id, phones.bob)
            phones.bob.do("hangup")
            outcome = (await side.end(call_id)).outcome
            assert (outcome.result, outcome.hung_up_by) == (CallResult.ANSWERED, HungUpBy.THEM)
            assert outcome.audio is Audio.TWO_WAY

    asyncio.run(run())


def test_it_refuses_and_we_refuse(phones: Phones) -> None:
    bob = phones.bob

    async def run() -> None:
        async with direct(bob) as (side, uri):
            bob.forget()
            call_id = await side.session.place_call(
                "700", max_seconds=60, ring_seconds=20, source=Source.TONE
            )
            await until(lambda: bob.told("CALL_INCOMING"), "baresip to ring")
            bob.do("hangup")
            assert (await side.end(call_id)).outcome.sip_code in (480, 486, 603)
            for code in (486, 603):
                bob.forget()
                known = len(side.seen.notices)
                bob.do("dial", uri)
                came = await until(
                    lambda known=known: [
                        n
                        for n in side.seen.notices[known:]
                        if isinstance(n, CallProgress) and n.state is CallState.INCOMING
                    ],
                    "the call",
                )
                await side.session.control.reject(came[0].call_id, code)
                (closed,) = await until(lambda: bob.told("CALL_CLOSED"), "the refusal")
                assert closed.param.startswith(str(code))

    asyncio.run(run())


# Hold


@pytest.mark.parametrize("by_us", [True, False])
@pytest.mark.parametrize("came_in", [True, False])
@pytest.mark.parametrize("way", ["direct", *TRANSPORTS])
def test_a_hold_silences_both_until_it_is_over(phones: Phones, way: str, came_in: bool, by_us: bool) -> None:
    bob = phones.bob

    async def run() -> None:
        async with trunk(phones, way) as (side, uri):
            call_id = await (side.take(bob, uri) if came_in else side.place("700", bob))
            await side.both_hear(call_id, bob)
            control = side.session.control
            await (control.hold(call_id) if by_us else asyncio.to_thread(bob.do, "hold"))
            await until(lambda: side.holds() == [(by_us, not by_us)], "the hold")
            await side.hears_nothing(call_id)
            if not by_us:  # while we hold, we go on sending silence
                await side.sends_nothing(call_id, bob)
            await (control.resume(call_id) if by_us else asyncio.to_thread(bob.do, "resume"))
            await until(lambda: side.holds()[1:] == [(False, False)], "the end of the hold")
            await side.both_hear_again(call_id, bob)
            assert (await side.finish(call_id, bob)).outcome.hung_up_by is HungUpBy.US

    asyncio.run(run())


# Digits


@pytest.mark.parametrize("way", [Dtmf.RFC4733, Dtmf.INFO])
def test_it_gets_our_digits(phones: Phones, way: Dtmf) -> None:
    bob = phones.bob

    async def run() -> None:
        async with direct(bob, dtmf=way) as (side, _):
            call_id = await side.place("700", bob)
            await side.both_hear(call_id, bob)
            await side.session.control.send_digits(call_id, "159*0#")
            await until(
                lambda: "".join(h.param for h in bob.told("CALL_DTMF_START")) == "159*0#", "the digits"
            )
            assert ("Signal=1" in bob.server.log().rpartition("INVITE sip:")[2]) is (way is Dtmf.INFO)
            await side.finish(call_id, bob)

    asyncio.run(run())


def test_we_get_its_digits(phones: Phones) -> None:
    bob = phones.bob

    async def run() -> None:
        async with direct(bob) as (side, _):
            call_id = await side.place("700", bob)
            await side.both_hear(call_id, bob)
            bob.do("sndcode", "159*0#")
            await until(lambda: "".join(n.digit for n in side.seen.of(CallDigit)) == "159*0#", "the digits")
            assert {n.way for n in side.seen.of(CallDigit)} == {Dtmf.RFC4733}
            await side.finish(call_id, bob)

    asyncio.run(run())


# Several at once


def test_two_phones_and_we_confer(phones: Phones) -> None:
    bob, carol = phones.bob, phones.carol

    async def run() -> None:
        async with AsyncExitStack() as stack:
            side, uri = await stack.enter_async_context(carried(phones, "udp"))
            with_bob = await side.place("700", bob)
            with_carol = await side.take(carol, uri)
            await side.session.control.set_conference([with_bob, with_carol])
            for phone, others, own in (
                (bob, (OURS_HZ, CAROLS_HZ), BOBS_HZ),
                (carol, (OURS_HZ, BOBS_HZ), CAROLS_HZ),
            ):
                phone.forget()
                await until(
                    lambda phone=phone, others=others: all(
                        strength(phone.heard()[-SPAN:], hertz) > -20 for hertz in others
                    ),
                    "the others",
                )
                assert strength(phone.heard()[-SPAN:], own) < SILENT
            await side.finish(with_bob, bob)
            await side.finish(with_carol, carol)

    asyncio.run(run())
