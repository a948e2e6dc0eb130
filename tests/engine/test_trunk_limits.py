"""Backup hosts, channels and the switch for incoming calls, with real engines and the demo carrier."""

from __future__ import annotations

import asyncio
import socket

import pytest

from app.errors import UserError
from app.model.call import CallState, Source
from app.model.outcome import CallResult, Direction, LocalCause
from app.model.trunk import SignIn, TrunkState
from app.sip.carrier.messages import CarrierOptions, Timing
from app.sip.carrier.server import Carrier
from app.sip.notices import CallEnded, CallProgress, TraceAdded, TrunkChanged
from tests.engine.far_end import far_end, granted
from tests.engine.waiting import until
from tests.helpers.trunks import Seen, call, make_trunk, session

PASSWORD = "canary-5f0c-kept-out-of-sight"
QUICK = Timing(call_back_hold_s=0.2, call_back_pause_s=0.2)


def closed_port() -> int:
    """A UDP port on which nothing listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


# Backup hosts


def test_the_backup_host_is_used_when_nothing_listens_at_the_host() -> None:
    seen = Seen()

    async def run() -> None:
        async with Carrier(accounts={"1001": PASSWORD}) as carrier:
            first, backup = closed_port(), carrier.udp_port
            trunk = make_trunk(first, backup_hosts=(f"127.0.0.1:{backup}",))
            async with session(trunk, PASSWORD, seen) as opened:
                outcome = await opened.connect()
                assert outcome.state is TrunkState.REGISTERED
                assert [target.port for target in outcome.tried] == [first, backup]
                assert any(f"backup host 127.0.0.1:{backup}" in step for step in outcome.lookup)
                assert (await call(opened, "600", seconds=0.5)).sip_code == 200
        starts = [notice.message.text.split("\r\n")[0] for notice in seen.of(TraceAdded)]
        assert f"INVITE sip:600@127.0.0.1:{backup} SIP/2.0" in starts

    asyncio.run(run())


@pytest.mark.parametrize("sign_in", [SignIn.REGISTER, SignIn.CREDENTIALS])
def test_the_backup_host_is_used_after_503(sign_in: SignIn) -> None:
    async def run() -> None:
        async with (
            far_end(lambda request: ("503 Service Unavailable",)) as busy,
            far_end(granted) as well,
            session(
                make_trunk(busy.port, backup_hosts=(f"127.0.0.1:{well.port}",), sign_in=sign_in), PASSWORD
            ) as opened,
        ):
            outcome = await opened.connect()
            assert outcome.state in (TrunkState.REGISTERED, TrunkState.REACHABLE)
            assert outcome.target is not None
            assert outcome.target.port == well.port

    asyncio.run(run())


def test_the_backup_host_is_used_when_the_host_has_no_address() -> None:
    async def run() -> None:
        async with far_end(granted) as well:
            trunk = make_trunk(None, host="nowhere.invalid", backup_hosts=(f"127.0.0.1:{well.port}",))
            async with session(trunk, PASSWORD) as opened:
                assert (await opened.connect()).state is TrunkState.REGISTERED

    asyncio.run(run())


def test_a_refusal_is_final_and_the_backup_host_is_left_alone() -> None:
    async def run() -> None:
        async with (
            far_end(lambda request: ("403 Forbidden",)) as firm,
            far_end(granted) as other,
            session(make_trunk(firm.port, backup_hosts=(f"127.0.0.1:{other.port}",)), PASSWORD) as opened,
        ):
            assert (await opened.connect()).sip_code == 403
            assert not other.requests

    asyncio.run(run())


def test_when_no_server_answers_the_outcome_names_all_that_were_tried() -> None:
    async def run() -> None:
        first, second = closed_port(), closed_port()
        trunk = make_trunk(first, backup_hosts=(f"127.0.0.1:{second}", "nowhere.invalid"))
        async with session(trunk, PASSWORD) as opened:
            outcome = await opened.connect()
            assert (outcome.state, outcome.local_cause) == (TrunkState.UNREACHABLE, LocalCause.REFUSED)
            assert [target.port for target in outcome.tried] == [first, second]

    asyncio.run(run())


def test_through_a_proxy_no_backup_host_is_tried() -> None:
    async def run() -> None:
        async with (
            far_end(lambda request: ("503 Service Unavailable",)) as proxy,
            far_end(granted) as other,
            session(
                make_trunk(5060, proxy=f"127.0.0.1:{proxy.port}", backup_hosts=(f"127.0.0.1:{other.port}",)),
                PASSWORD,
            ) as opened,
        ):
            assert (await opened.connect()).sip_code == 503
            assert not other.requests

    asyncio.run(run())


# Channels


def test_a_trunk_is_full_while_all_its_channels_are_in_use() -> None:
    seen = Seen()

    async def run() -> None:
        async with (
            Carrier(accounts={"1001": PASSWORD}) as carrier,
            session(make_trunk(carrier.udp_port, channels=2), PASSWORD, seen) as opened,
        ):
            await opened.connect()
            first, second = [
                await opened.place_call("600", max_seconds=20, ring_seconds=5, source=Source.TONE)
                for _ in range(2)
            ]
            assert opened.state is TrunkState.FULL
            with pytest.raises(UserError, match="2 of 2 calls") as caught:
                await call(opened, "600")
            assert caught.value.field == "channels"
            await opened.control.hang_up(first)
            await opened.wait_call(first)
            await until(lambda: opened.state is TrunkState.REGISTERED, "a free channel")
            await opened.control.hang_up(second)
            await opened.wait_call(second)

    asyncio.run(run())
    told = [notice.state for notice in seen.of(TrunkChanged)]
    assert told[:4] == [TrunkState.CONNECTING, TrunkState.REGISTERED, TrunkState.FULL, TrunkState.REGISTERED]


# Incoming calls


def test_a_call_that_may_not_come_in_is_declined_and_told() -> None:
    seen = Seen()

    async def run() -> None:
        options = CarrierOptions(timing=QUICK)
        async with (
            Carrier(accounts={"1001": PASSWORD}, options=options) as carrier,
            session(make_trunk(carrier.udp_port, allow_in=False), PASSWORD, seen) as opened,
        ):
            await opened.connect()
            await call(opened, "607", seconds=5)
            await until(
                lambda: [n for n in seen.of(CallEnded) if n.direction is Direction.IN], "the call back"
            )
            assert opened.calls_up == 0

    asyncio.run(run())
    (outcome,) = [n.outcome for n in seen.of(CallEnded) if n.direction is Direction.IN]
    assert (outcome.result, outcome.sip_code) == (CallResult.DECLINED, 603)
    assert "incoming calls are switched off" in outcome.reason
    assert [n.state for n in seen.of(CallProgress) if n.direction is Direction.IN] == [CallState.INCOMING]
    answers = [n.message.text.split("\r\n")[0] for n in seen.of(TraceAdded)]
    assert any(line.startswith("SIP/2.0 603") for line in answers)
