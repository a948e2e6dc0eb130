"""The DNS server of the tests answers as a real one does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import dns.resolver
import pytest

from tests.helpers.dns_server import DnsServer, dns_server

RECORDS = """
host.test. A 192.0.2.1
host.test. A 192.0.2.2
alias.test. CNAME second.test.
second.test. CNAME host.test.
"""


def with_server(run: Callable[[DnsServer], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        async with dns_server(RECORDS) as server:
            await run(server)

    asyncio.run(main())


def test_it_answers_in_the_order_of_its_table() -> None:
    async def run(server: DnsServer) -> None:
        answer = await server.resolver().resolve("host.test.", "A")
        assert [record.to_text() for record in answer] == ["192.0.2.1", "192.0.2.2"]
        assert server.asked == ["A host.test"]

    with_server(run)


def test_it_follows_aliases() -> None:
    async def run(server: DnsServer) -> None:
        answer = await server.resolver().resolve("alias.test.", "A")
        assert len(answer) == 2

    with_server(run)


def test_an_unknown_name_and_an_unknown_type_differ() -> None:
    async def run(server: DnsServer) -> None:
        with pytest.raises(dns.resolver.NXDOMAIN):
            await server.resolver().resolve("none.test.", "A")
        with pytest.raises(dns.resolver.NoAnswer):
            await server.resolver().resolve("host.test.", "AAAA")

    with_server(run)


def test_it_can_fail_and_be_silent() -> None:
    async def run(server: DnsServer) -> None:
        server.failing = {"A host.test"}
        with pytest.raises(dns.resolver.NoNameservers):
            await server.resolver().resolve("host.test.", "A")
        server.silent = {"A host.test"}
        with pytest.raises(dns.resolver.LifetimeTimeout):
            await server.resolver().resolve("host.test.", "A", lifetime=0.3)

    with_server(run)
