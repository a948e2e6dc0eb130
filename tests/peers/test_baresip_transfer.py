"""Transfers with baresip, and with plain pjsua2 where baresip does not know how."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from pathlib import Path

import pytest

from app.model.call import CallState, Source
from app.model.outcome import HungUpBy
from app.sip.notices import CallEnded, TransferProgress
from tests.engine.rtp import strength
from tests.engine.waiting import until
from tests.helpers.trunks import Seen, make_trunk, session, transport_fields
from tests.peers import kamailio, pjsua2_phone
from tests.peers.baresip_calls import (
    BOBS_HZ,
    CAROLS_HZ,
    OURS_HZ,
    SILENT,
    SPAN,
    TRANSPORTS,
    Phones,
    Side,
    carried,
    direct,
)

pytestmark = pytest.mark.peers


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_it_calls_whom_we_send_it_to_and_leaves_us(phones: Phones, transport: str) -> None:
    bob, carol = phones.bob, phones.carol

    async def run() -> None:
        async with carried(phones, transport) as (side, _):
            call_id = await side.place("700", bob)
            carol.forget()
            await side.session.control.transfer(call_id, "900")
            await until(lambda: carol.told("CALL_INCOMING"), "carol to ring")
            assert not side.seen.of(CallEnded)
            carol.do("accept")
            outcome = (await side.end(call_id)).outcome
            assert outcome.hung_up_by is HungUpBy.US
            assert side.seen.of(TransferProgress)[-1].sip_code == 200
            bob.forget()
            await until(lambda: strength(carol.heard()[-SPAN:], BOBS_HZ) > -20, "bob at carol's")
            await until(lambda: strength(bob.heard()[-SPAN:], CAROLS_HZ) > -20, "carol at bob's")
            assert strength(bob.heard()[-SPAN:], OURS_HZ) < SILENT
            carol.do("hangup")
            await until(lambda: not bob.calls_up() and not carol.calls_up(), "both to be free")

    asyncio.run(run())


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_when_whom_we_send_it_to_is_busy_the_call_goes_on(phones: Phones, transport: str) -> None:
    bob = phones.bob

    async def run() -> None:
        async with carried(phones, transport) as (side, _):
            call_id = await side.place("700", bob)
            await side.session.control.transfer(call_id, phones.carrier.numbers.busy)
            (told,) = await until(
                lambda: [n for n in side.seen.of(TransferProgress) if n.final], "the refusal"
            )
            assert told.sip_code == 486
            await side.both_hear(call_id, bob)
            await side.finish(call_id, bob)

    asyncio.run(run())


def test_it_can_not_send_us_to_anybody(phones: Phones) -> None:
    bob, carol = phones.bob, phones.carol

    async def run() -> None:
        async with direct(bob) as (side, _):
            call_id = await side.place("700", bob)
            await side.both_hear(call_id, bob)
            bob.do("transfer", f"sip:900@127.0.0.1:{carol.port}")
            (failed,) = await until(lambda: bob.told("TRANSFER_FAILED"), "our refusal")
            assert failed.param == "603 Decline"
            # Our call goes on as far as we are concerned; baresip hangs up then
            assert (await side.end(call_id)).outcome.hung_up_by is HungUpBy.THEM
            assert not carol.told("CALL_INCOMING")

    asyncio.run(run())


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_two_calls_are_connected_with_each_other(transport: str, tmp_path: Path) -> None:
    """Attended: REFER with Replaces, which baresip does not know and plain pjsua2 does."""

    async def run() -> None:
        with ExitStack() as stack:
            one, two = (
                stack.enter_context(pjsua2_phone.phone(tmp_path, user=user, tone_hz=hertz))
                for user, hertz in (("500", 500), ("900", 900))
            )
            carrier = stack.enter_context(
                kamailio.start(tmp_path, numbers=(), phones={"500": one.port, "900": two.port})
            )
            seen = Seen()
            fields = transport_fields(transport, carrier)
            async with session(make_trunk(user=carrier.user, **fields), carrier.password, seen) as opened:
                await opened.connect()
                side = Side(opened, seen)
                first, second = [
                    await opened.place_call(number, max_seconds=60, ring_seconds=20, source=Source.TONE)
                    for number in ("500", "900")
                ]
                for call_id in (first, second):
                    await side.reach(call_id, CallState.ANSWERED)
                await until(lambda: (one.hears(), two.hears()) == (OURS_HZ, OURS_HZ), "our tone at both")
                await opened.control.transfer_to(first, second)
                assert (await side.end(second)).outcome.hung_up_by is HungUpBy.THEM
                assert (await side.end(first)).outcome.hung_up_by is HungUpBy.US
                assert seen.of(TransferProgress)[-1].sip_code == 200
                await until(lambda: (one.hears(), two.hears()) == (900, 500), "each to hear the other")
                assert (one.calls_up(), two.calls_up()) == (1, 1)

    asyncio.run(run())
