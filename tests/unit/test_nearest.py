"""Finding the nearest server: real sockets on loopback that answer, refuse or stay silent."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest

from app.model.outcome import Target
from app.model.trunk import Transport
from app.sip.carrier.server import Carrier
from app.sip.nearest import Reply, ServerAddress, find_nearest, options_request, status_line


def ask(*servers: ServerAddress, limit_s: float = 1.0) -> tuple[tuple[Reply, ...], list[Reply]]:
    """The replies in order of time, and as they came."""
    came: list[Reply] = []
    return asyncio.run(find_nearest(servers, came.append, limit_s)), came


class Slow(asyncio.DatagramProtocol):
    """Answers OPTIONS when it is told to."""

    def __init__(self, code: str, when: Callable[[int], bool]) -> None:
        self.code = code
        self.when = when
        self.seen = 0

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        self.seen += 1
        if self.when(self.seen):
            self.transport.sendto(b"SIP/2.0 100 Trying\r\n\r\n", address)
            self.transport.sendto(f"SIP/2.0 {self.code}\r\n\r\n".encode(), address)


@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP])
def test_the_demo_carrier_answers(transport: Transport) -> None:
    async def run() -> tuple[Reply, ...]:
        async with Carrier(accounts={"1001": "x"}) as carrier:
            port = carrier.udp_port if transport is Transport.UDP else carrier.tcp_port
            server = ServerAddress(host="127.0.0.1", port=port, transport=transport)
            return await find_nearest([server], lambda _: None, 5.0)

    (reply,) = asyncio.run(run())
    assert reply.words == "200 OK"
    assert reply.ms is not None
    assert 0 < reply.ms < 5000


def test_a_refusal_counts_and_a_lost_request_is_repeated_and_makes_it_later() -> None:
    async def run() -> tuple[tuple[Reply, ...], Slow, Slow]:
        loop = asyncio.get_running_loop()
        late, far = await loop.create_datagram_endpoint(
            lambda: Slow("200 OK", lambda seen: seen == 2), local_addr=("127.0.0.1", 0)
        )
        quick, near = await loop.create_datagram_endpoint(
            lambda: Slow("403 Forbidden", lambda _: True), local_addr=("127.0.0.1", 0)
        )
        ports = [each.get_extra_info("sockname")[1] for each in (late, quick)]
        servers = [ServerAddress(host="127.0.0.1", port=port) for port in ports]
        replies = await find_nearest(servers, lambda _: None, 5.0)
        late.close()
        quick.close()
        return replies, far, near

    replies, far, near = asyncio.run(run())
    assert [reply.words for reply in replies] == ["403 Forbidden", "200 OK"]
    assert far.seen == 2
    assert near.seen == 1
    assert replies[0].ms is not None
    assert replies[1].ms is not None
    assert replies[0].ms < replies[1].ms


def test_who_does_not_answer_comes_last_with_the_reason() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent, socket.socket() as closed:
        silent.bind(("127.0.0.1", 0))
        closed.bind(("127.0.0.1", 0))
        replies, came = ask(
            ServerAddress(host="127.0.0.1", port=silent.getsockname()[1]),
            ServerAddress(host="127.0.0.1", port=closed.getsockname()[1], transport=Transport.TCP),
            ServerAddress(host="::1", port=5060),
        )
    assert {reply.words for reply in replies} == {"no answer", "connection refused", "has no IPv4 address"}
    assert all(reply.ms is None for reply in replies)
    assert len(came) == 3


def test_it_can_be_cancelled() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        server = ServerAddress(host="127.0.0.1", port=silent.getsockname()[1])

        async def run() -> bool:
            task = asyncio.create_task(find_nearest([server], lambda _: None, 60.0))
            loop = asyncio.get_running_loop()
            silent.setblocking(False)
            await loop.sock_recv(silent, 4096)
            task.cancel()
            await asyncio.wait({task})
            return task.cancelled()

        assert asyncio.run(run())


def test_the_request_says_nothing_about_the_person() -> None:
    target = Target(address="192.0.2.1", port=5060, transport=Transport.UDP, name="sip.example.com")
    text = options_request(target, "sip.example.com", ("192.0.2.9", 4000)).decode()
    assert text.startswith("OPTIONS sip:sip.example.com SIP/2.0\r\n")
    assert text.endswith("Content-Length: 0\r\n\r\n")
    assert "branch=z9hG4bK" in text


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"SIP/2.0 200 OK\r\nX: y", "200 OK"),
        (b"SIP/2.0 100 Trying\r\n", ""),
        (b"HTTP/1.1 400 Bad Request\r\n", ""),
        (b"\xff\xfe", ""),
        (b"", ""),
    ],
)
def test_only_a_final_sip_status_is_one(line: bytes, status: str) -> None:
    assert status_line(line) == status
