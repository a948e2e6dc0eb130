"""A server that does not answer OPTIONS: calls are tried all the same, and tell what it is."""

from __future__ import annotations

import asyncio

import pytest

from app.model.call import Source
from app.model.outcome import AnsweredBy, CallResult, LocalCause, may_call
from app.model.trunk import SignIn, TrunkState
from app.sip.carrier.messages import CarrierOptions
from app.sip.carrier.server import Carrier
from app.sip.notices import TrunkChanged
from tests.engine.far_end import far_end
from tests.helpers.sip_client import Message
from tests.helpers.trunks import Seen, call, make_trunk, session

PASSWORD = "silent-options"


@pytest.mark.parametrize("number", ["600", "486"])
def test_a_call_is_tried_where_options_is_ignored_and_says_that_the_server_is_there(number: str) -> None:
    async def run() -> None:
        options = CarrierOptions(answers_options=False)
        seen = Seen()
        async with (
            Carrier(accounts={"1001": PASSWORD}, options=options) as carrier,
            session(make_trunk(carrier.udp_port, sign_in=SignIn.CREDENTIALS), PASSWORD, seen) as opened,
        ):
            outcome = await opened.connect()
            assert (outcome.state, outcome.local_cause) == (TrunkState.UNREACHABLE, LocalCause.NO_ANSWER)
            assert may_call(outcome, registers=False)
            call_id = await opened.place_call(number, max_seconds=1.0, ring_seconds=10.0, source=Source.TONE)
            call = await opened.wait_call(call_id)
            assert call.answered_by is AnsweredBy.NETWORK
            assert call.sip_code == (200 if number == "600" else 486)
            assert opened.state is TrunkState.REACHABLE
            assert opened.outcome is not None
            assert opened.outcome.answered_by is AnsweredBy.NETWORK
            told = [notice for notice in seen.of(TrunkChanged) if notice.state is TrunkState.REACHABLE]
            assert len(told) == 1

    asyncio.run(run())


def test_of_two_servers_that_ignore_options_the_first_gets_the_call() -> None:
    def silent(_request: object) -> tuple[str, ...]:
        return ()

    async def run() -> None:
        async with (
            Carrier(accounts={"1001": PASSWORD}, options=CarrierOptions(answers_options=False)) as carrier,
            far_end(silent) as backup,
        ):
            trunk = make_trunk(
                carrier.udp_port, sign_in=SignIn.CREDENTIALS, backup_hosts=(f"127.0.0.1:{backup.port}",)
            )
            async with session(trunk, PASSWORD) as opened:
                await opened.connect()
                assert backup.of("OPTIONS")
                call_id = await opened.place_call(
                    "600", max_seconds=1.0, ring_seconds=10.0, source=Source.TONE
                )
                call = await opened.wait_call(call_id)
                assert call.result is CallResult.ANSWERED
                assert not backup.of("INVITE")

    asyncio.run(run())


@pytest.mark.parametrize("registers", [True, False])
def test_a_call_that_nobody_hears_costs_neither_the_engine_nor_the_next_call(registers: bool) -> None:
    def answer(request: Message) -> tuple[str, ...]:
        return ("200 OK", "Expires: 300") if request.start_line.startswith("REGISTER") else ()

    async def run() -> None:
        seen = Seen()
        sign_in = SignIn.REGISTER if registers else SignIn.ADDRESS
        async with (
            far_end(answer) as dead,
            session(make_trunk(dead.port, sign_in=sign_in), PASSWORD, seen) as opened,
        ):
            outcome = await opened.connect()
            assert outcome.state is (TrunkState.REGISTERED if registers else TrunkState.UNREACHABLE)
            pid = opened.engine_pid
            for _ in range(2):
                outcome_of_call = await call(opened, "600", ring_seconds=20.0)
                assert outcome_of_call.result is CallResult.FAILED
                assert outcome_of_call.local_cause is LocalCause.NO_ANSWER
                assert outcome_of_call.sip_code == 408
            assert opened.engine_pid == pid
            assert opened.state is outcome.state
            assert seen.lost == []

    asyncio.run(run())


def test_an_engine_whose_options_is_still_under_way_ends_well() -> None:
    async def run() -> None:
        async with (
            far_end(lambda _: ()) as dead,
            session(make_trunk(dead.port, sign_in=SignIn.ADDRESS), "") as opened,
        ):
            await opened.connect()
            assert dead.of("OPTIONS")
            ended = await opened._connected_engine().stop()
            assert ended is not None
            assert (ended.exit_code, ended.signal_name) == (0, ""), ended.log_tail

    asyncio.run(run())
