"""Which addresses an engine tries, and how it keeps a registration."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence

import pytest

from app.errors import EngineError
from app.model.outcome import AnsweredBy, Audio
from app.model.trunk import Transport, TrunkState
from app.sip.carrier.server import Carrier
from app.sip.messages import OpenAccount
from app.sip.notices import TrunkChanged
from tests.engine.far_end import challenge, far_end, granted
from tests.engine.resolved import PASSWORD, at, resolved_to
from tests.engine.waiting import until
from tests.helpers.sip_client import Message
from tests.helpers.trunks import Seen, call

REFRESH_S = 15.0
"""PJSIP refreshes five seconds after a registration at the earliest."""


def closed_port(kind: socket.SocketKind) -> int:
    """A port on which nothing listens."""
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


# Which addresses it tries


@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP])
def test_after_an_address_where_nothing_listens_the_next_one_is_tried(transport: Transport) -> None:
    seen = Seen()
    kind = socket.SOCK_DGRAM if transport is Transport.UDP else socket.SOCK_STREAM

    async def run() -> None:
        async with Carrier(accounts={"1001": PASSWORD}) as carrier:
            good = carrier.udp_port if transport is Transport.UDP else carrier.tcp_port
            targets = at(closed_port(kind), transport=transport), at(good, transport=transport)
            async with resolved_to(seen, *targets) as opened:
                outcome = await opened.connect()
                assert outcome.state is TrunkState.REGISTERED
                assert (outcome.target, outcome.tried) == (targets[1], targets)
                answered = await call(opened, "600", seconds=0.5)
                assert answered.audio is Audio.TWO_WAY

    asyncio.run(run())
    assert [n.state for n in seen.of(TrunkChanged)][:2] == [TrunkState.CONNECTING, TrunkState.REGISTERED]


def test_after_an_address_that_is_overloaded_the_next_one_is_tried() -> None:
    seen = Seen()

    async def run() -> None:
        async with (
            far_end(lambda request: ("503 Service Unavailable", "Retry-After: 30")) as busy,
            Carrier(accounts={"1001": PASSWORD}) as carrier,
            resolved_to(seen, at(busy.port), at(carrier.udp_port)) as opened,
        ):
            outcome = await opened.connect()
            assert outcome.state is TrunkState.REGISTERED
            assert [target.port for target in outcome.tried] == [busy.port, carrier.udp_port]
            assert len(busy.of("REGISTER")) == 1

    asyncio.run(run())


def test_when_every_address_is_overloaded_the_outcome_is_the_last_ones() -> None:
    async def run() -> None:
        async with (
            far_end(lambda request: ("503 First",)) as first,
            far_end(lambda request: ("503 Second",)) as second,
            resolved_to(Seen(), at(first.port), at(second.port)) as opened,
        ):
            outcome = await opened.connect()
            assert outcome.state is TrunkState.REJECTED
            assert (outcome.sip_code, outcome.reason) == (503, "Second")
            assert outcome.answered_by is AnsweredBy.NETWORK
            assert len(outcome.tried) == 2

    asyncio.run(run())


def test_a_refusal_of_the_first_address_is_final() -> None:
    async def run() -> None:
        async with (
            far_end(lambda request: ("403 Forbidden",)) as first,
            far_end(granted) as second,
            resolved_to(Seen(), at(first.port), at(second.port)) as opened,
        ):
            outcome = await opened.connect()
            assert (outcome.sip_code, outcome.tried) == (403, (at(first.port),))
            assert second.requests == []

    asyncio.run(run())


def test_an_ipv6_address_is_left_out_for_the_next_one() -> None:
    seen = Seen()

    async def run() -> None:
        async with (
            far_end(granted) as far,
            resolved_to(seen, at(far.port, "::1"), at(far.port)) as opened,
        ):
            outcome = await opened.connect()
            assert (outcome.state, outcome.tried) == (TrunkState.REGISTERED, (at(far.port),))

    asyncio.run(run())


def test_the_engine_refuses_an_ipv6_address_in_words_and_lives_on() -> None:
    async def run() -> None:
        async with far_end(granted) as far, resolved_to(Seen(), at(far.port)) as opened:
            await opened.connect()
            engine = opened._connected_engine()
            command = OpenAccount(
                user="1001", host="::1", port=5060, auth_id="", password="", realm="*", caller_id="",
                expires=60, register=True, codecs=("PCMU",), target=at(5060, "::1"),
            )  # fmt: skip
            with pytest.raises(EngineError, match="IPv6"):
                await engine.request(command)
            assert (await opened.connect()).state is TrunkState.REGISTERED

    asyncio.run(run())


# How it keeps a registration


def test_a_lifetime_that_is_too_short_is_asked_for_longer() -> None:
    def answer(request: Message) -> Sequence[str]:
        if request.one("Expires") == "60":
            return "423 Interval Too Brief", "Min-Expires: 1800"
        return granted(request, 1800)

    async def run() -> None:
        async with far_end(answer) as far, resolved_to(Seen(), at(far.port), expires=60) as opened:
            outcome = await opened.connect()
            assert (outcome.state, outcome.expires_s) == (TrunkState.REGISTERED, 1800)
            assert [request.one("Expires") for request in far.of("REGISTER")] == ["60", "1800"]

    asyncio.run(run())


def test_a_registration_is_refreshed_before_it_ends_also_with_a_stale_nonce() -> None:
    seen = Seen()
    arrivals: list[float] = []
    lifetime = 8

    def answer(request: Message) -> Sequence[str]:
        arrivals.append(asyncio.get_running_loop().time())
        credentials = request.one("Authorization")
        if not credentials:
            return challenge()
        # The first nonce of the refresh is too old when it arrives
        return challenge(stale=True) if len(arrivals) == 4 else granted(request, lifetime)

    async def run() -> None:
        async with far_end(answer) as far, resolved_to(seen, at(far.port)) as opened:
            first = await opened.connect()
            assert (first.expires_s, first.requests_sent, first.challenges) == (lifetime, 2, 1)
            seen.notices.clear()
            await until(lambda: seen.of(TrunkChanged), "the refresh", seconds=REFRESH_S)
            nonces = [r.one("Authorization").partition('nonce="')[2].split('"')[0] for r in far.requests]
            assert len(set(nonces[3:5])) == 2

    asyncio.run(run())
    (refreshed, *_) = seen.of(TrunkChanged)
    assert refreshed.state is TrunkState.REGISTERED
    assert refreshed.outcome is not None
    assert refreshed.outcome.expires_s == lifetime
    # Counted by itself: the challenges of every refresh together would look like a loop
    assert (refreshed.outcome.requests_sent, refreshed.outcome.challenges) == (3, 2)
    assert arrivals[2] - arrivals[1] < lifetime - 1


@pytest.mark.parametrize(
    ("status", "state"), [("403 Forbidden", TrunkState.REJECTED), ("401", TrunkState.WRONG_CREDENTIALS)]
)
def test_a_refused_refresh_changes_the_trunk_and_is_not_repeated(status: str, state: TrunkState) -> None:
    seen = Seen()
    refuse = False

    def answer(request: Message) -> Sequence[str]:
        if not request.one("Authorization") or (refuse and status == "401"):
            return challenge()
        return (status,) if refuse else granted(request, 6)

    async def run() -> None:
        nonlocal refuse
        async with far_end(answer) as far:
            async with resolved_to(seen, at(far.port)) as opened:
                await opened.connect()
                refuse = True
                seen.notices.clear()
                await until(lambda: seen.of(TrunkChanged), "the refresh", seconds=REFRESH_S)
                assert opened.state is state
                assert opened.outcome is not None
                assert opened.outcome.challenges == (2 if status == "401" else 1)
            assert len(far.of("REGISTER")) == 4

    asyncio.run(run())
    assert [notice.state for notice in seen.of(TrunkChanged)] == [state, TrunkState.OFF]
