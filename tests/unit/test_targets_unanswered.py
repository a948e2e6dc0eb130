"""Host names that nobody knows, and name servers that fail, stay silent or are not there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import dns.asyncresolver
import pytest

from app.model.outcome import LocalCause
from app.model.trunk import Transport
from app.sip.targets import ResolveError, resolve
from tests.helpers.dns_server import DnsServer, dns_server
from tests.helpers.name_lookups import SERVERS, knows_nothing, look_up, shown
from tests.helpers.ports import free_ports


def silence(*questions: str) -> Callable[[DnsServer], None]:
    def prepare(server: DnsServer) -> None:
        server.silent = set(questions)

    return prepare


def test_an_unknown_name_is_named() -> None:
    with pytest.raises(ResolveError) as caught:
        look_up("", "sip.exmaple.test")
    error = caught.value
    assert error.cause is LocalCause.NAME_NOT_FOUND
    assert "sip.exmaple.test" in error.what
    assert "spelling" in error.do
    assert error.field == "host"
    assert "A sip.exmaple.test: no such name" in error.steps
    assert error.details.splitlines() == list(error.steps)


def test_a_name_without_addresses_is_told_apart_from_an_unknown_one() -> None:
    with pytest.raises(ResolveError) as caught:
        look_up('example.test. TXT "x"')
    assert caught.value.cause is LocalCause.NO_ROUTE
    assert "has no IP address" in caught.value.what


def test_silent_name_servers_end_within_the_limit() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        async with dns_server() as server:
            server.silent = {"*"}
            start = loop.time()
            with pytest.raises(ResolveError) as caught:
                await resolve(
                    "example.test",
                    None,
                    Transport.UDP,
                    resolver=server.resolver(),
                    limit_s=0.5,
                    system=knows_nothing,
                )
            assert caught.value.cause is LocalCause.NAME_SERVER_SILENT
            assert "example.test" in caught.value.what
            assert "online" in caught.value.do
            assert (
                "A example.test: no answer from a name server (asked 127.0.0.1 for 0.2 s)"
                in caught.value.steps
            )
            return loop.time() - start

    assert 0.15 < asyncio.run(main()) < 5


def test_a_name_server_that_is_not_there_counts_as_silent() -> None:
    async def main() -> None:
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers = ["127.0.0.1"]
        resolver.port = free_ports()[0]
        await resolve("example.test", None, Transport.UDP, resolver=resolver, system=knows_nothing, limit_s=3)

    with pytest.raises(ResolveError) as caught:
        asyncio.run(main())
    assert caught.value.cause is LocalCause.NAME_SERVER_SILENT


def test_a_failing_name_server_counts_as_silent_and_the_evidence_says_what_it_did() -> None:
    def prepare(server: DnsServer) -> None:
        server.failing = {"A example.test", "AAAA example.test"}

    with pytest.raises(ResolveError) as caught:
        look_up("example.test. A 192.0.2.1", port=5060, prepare=prepare)
    assert caught.value.cause is LocalCause.NAME_SERVER_SILENT
    assert "SERVFAIL" in caught.value.details


def test_silence_about_naptr_alone_costs_a_moment_and_nothing_else() -> None:
    found, _ = look_up(SERVERS, prepare=silence("NAPTR example.test"), limit_s=3)
    assert len(found.targets) == 4
    assert any(step.startswith("NAPTR") and "no answer" in step for step in found.steps)


def test_silence_about_srv_alone_leaves_the_hosts_own_address() -> None:
    found, _ = look_up("example.test. A 192.0.2.1", prepare=silence("SRV _sip._udp.example.test"), limit_s=1)
    assert shown(found) == ["udp 192.0.2.1:5060 (example.test)"]


def test_silence_about_the_srv_targets_counts_as_silent() -> None:
    with pytest.raises(ResolveError) as caught:
        look_up(
            "_sip._udp.example.test. SRV 1 1 5060 a.test.\na.test. A 192.0.2.1",
            prepare=silence("A a.test", "AAAA a.test"),
            limit_s=1,
        )
    assert caught.value.cause is LocalCause.NAME_SERVER_SILENT


def test_a_lookup_can_be_cancelled() -> None:
    async def main() -> None:
        async with dns_server() as server:
            server.silent = {"*"}
            lookup = asyncio.create_task(
                resolve("example.test", None, Transport.UDP, resolver=server.resolver(), system=knows_nothing)
            )
            async with asyncio.timeout(10):
                while not server.asked:
                    await asyncio.sleep(0)
            lookup.cancel()
            with pytest.raises(asyncio.CancelledError):
                await lookup
            others = asyncio.all_tasks() - {asyncio.current_task()}
            assert others == set()

    asyncio.run(main())
