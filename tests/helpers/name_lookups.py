"""Lookups of host names against a table of DNS records."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from app.model.trunk import Transport
from app.sip import targets
from app.sip.targets import Resolution, resolve
from tests.helpers.dns_server import DnsServer, dns_server

NO_LIMIT = 30.0

SERVERS = """
_sip._udp.example.test. SRV 20 0 5062 c.test.
_sip._udp.example.test. SRV 10 60 5060 a.test.
_sip._udp.example.test. SRV 10 20 5061 b.test.
_sip._udp.example.test. SRV 10 0 5063 d.test.
a.test. A 192.0.2.1
b.test. A 192.0.2.2
c.test. A 192.0.2.3
d.test. A 192.0.2.4
"""


async def knows_nothing(name: str) -> tuple[str, ...]:
    """A system that knows no name."""
    return ()


def look_up(
    records: str,
    host: str = "example.test",
    port: int | None = None,
    transport: Transport = Transport.UDP,
    proxy: str = "",
    *,
    chance: random.Random | None = None,
    system: targets.SystemLookup = knows_nothing,
    reachable: Callable[[str, int], bool] = lambda address, port: True,
    prepare: Callable[[DnsServer], None] = lambda server: None,
    limit_s: float = NO_LIMIT,
) -> tuple[Resolution, list[str]]:
    """Resolve against these records; gives the questions too."""

    async def main() -> tuple[Resolution, list[str]]:
        async with dns_server(records) as server:
            prepare(server)
            found = await resolve(
                host,
                port,
                transport,
                proxy,
                resolver=server.resolver(),
                limit_s=limit_s,
                system=system,
                chance=chance,
                reachable=reachable,
            )
            return found, server.asked

    return asyncio.run(main())


def shown(found: Resolution) -> list[str]:
    """The targets in order, as people read them."""
    return [str(target) for target in found.targets]
