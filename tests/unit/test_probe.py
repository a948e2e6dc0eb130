"""A closed UDP port is told apart from a silent one."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator

import pytest
from aiosipua import SipMessage, SipRequest

from app.model.outcome import Target
from app.model.trunk import Transport
from app.sip.probe import udp_refused
from tests.engine.far_end import far_end, has_ipv6
from tests.helpers.sip_client import Message


@pytest.fixture(
    params=["127.0.0.1", pytest.param("::1", marks=pytest.mark.skipif(not has_ipv6(), reason="no IPv6 here"))]
)
def silent(request: pytest.FixtureRequest) -> Iterator[tuple[Target, socket.socket]]:
    """A socket that never answers, and its address."""
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as opened:
        opened.bind((request.param, 0))
        yield target(request.param, opened.getsockname()[1]), opened


def target(address: str, port: int) -> Target:
    """A UDP target."""
    return Target(address=address, port=port, transport=Transport.UDP, name=address)


def test_a_closed_port_is_refused_at_once(silent: tuple[Target, socket.socket]) -> None:
    where, opened = silent
    opened.close()
    started = time.monotonic()
    assert asyncio.run(udp_refused(where, 5.0)) is True
    assert time.monotonic() - started < 2


def test_silence_is_no_refusal_and_is_not_waited_for_longer_than_the_limit(
    silent: tuple[Target, socket.socket],
) -> None:
    where, _ = silent
    started = time.monotonic()
    assert asyncio.run(udp_refused(where, 0.2)) is False
    assert 0.15 < time.monotonic() - started < 2


@pytest.mark.parametrize("status", ["200 OK", "405 Method Not Allowed"])
def test_any_answer_is_no_refusal_and_ends_the_waiting(status: str) -> None:
    asked: list[Message] = []

    async def run() -> bool:
        def answer(request: Message) -> tuple[str]:
            asked.append(request)
            return (status,)

        async with far_end(answer) as far:
            async with asyncio.timeout(3):
                return await udp_refused(target("127.0.0.1", far.port), 10.0)

    assert asyncio.run(run()) is False
    assert len(asked) == 1


def test_what_is_sent_is_one_well_formed_options(silent: tuple[Target, socket.socket]) -> None:
    where, opened = silent
    asyncio.run(udp_refused(where, 0.1))
    opened.settimeout(1)
    data, sender = opened.recvfrom(65536)
    request = SipMessage.parse(data)
    assert isinstance(request, SipRequest)
    assert request.method == "OPTIONS"
    assert request.uri.endswith(f":{where.port}")
    via = request.headers.get_first("via") or ""
    # Where the answer is to go, as a strict server reads it
    own = f"[{sender[0]}]:{sender[1]}" if ":" in sender[0] else f"{sender[0]}:{sender[1]}"
    assert own in via
    assert ";rport" in via
    assert "z9hG4bK" in via
    opened.setblocking(False)
    with pytest.raises(BlockingIOError):
        opened.recv(1)


def test_an_address_that_cannot_be_sent_to_is_no_refusal() -> None:
    # A broadcast without permission: the system says no before anything is sent
    assert asyncio.run(udp_refused(target("255.255.255.255", 5060), 0.5)) is False
