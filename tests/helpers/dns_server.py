"""A DNS server on loopback with a table of records, for tests of name lookups."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import dns.asyncresolver
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset


class DnsServer(asyncio.DatagramProtocol):
    """Answers from its table: NXDOMAIN for an unknown name, no records for a type that a known one lacks.

    Attributes:
        asked: Every question so far, such as `A sip.example.test`.
        silent: Questions that get no answer; `*` for all of them.
        failing: Questions that get SERVFAIL.
    """

    def __init__(self, records: str) -> None:
        """Take lines of a master file without TTL and class: `name TYPE data`."""
        self.asked: list[str] = []
        self.silent: set[str] = set()
        self.failing: set[str] = set()
        self._table: dict[dns.name.Name, dict[dns.rdatatype.RdataType, list[str]]] = {}
        for line in filter(None, (line.strip() for line in records.splitlines())):
            name, kind, data = line.split(None, 2)
            kinds = self._table.setdefault(dns.name.from_text(name), {})
            kinds.setdefault(dns.rdatatype.from_text(kind), []).append(data)

    @property
    def port(self) -> int:
        """The UDP port on 127.0.0.1."""
        port: int = self._transport.get_extra_info("sockname")[1]
        return port

    def resolver(self) -> dns.asyncresolver.Resolver:
        """A resolver that asks this server only, and asks again after a short while."""
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers = ["127.0.0.1"]
        resolver.port = self.port
        resolver.timeout = 0.2
        return resolver

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Until Python 3.12 the selector's datagram transport is no DatagramTransport by type
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, packet: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(packet)
        question = query.question[0]
        kind = question.rdtype
        asked = f"{dns.rdatatype.to_text(kind)} {question.name.to_text(omit_final_dot=True)}"
        self.asked.append(asked)
        if self.silent & {asked, "*"}:
            return
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        if asked in self.failing:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif question.name not in self._table:
            response.set_rcode(dns.rcode.NXDOMAIN)
        else:
            name = question.name
            while kind not in self._table.get(name, {}) and dns.rdatatype.CNAME in self._table.get(name, {}):
                alias = self._table[name][dns.rdatatype.CNAME]
                response.answer.append(dns.rrset.from_text(name, 60, "IN", "CNAME", *alias))
                name = dns.name.from_text(alias[0])
            # One set a record: dnspython shuffles the records of a set
            for data in self._table.get(name, {}).get(kind, []):
                response.answer.append(dns.rrset.from_text(name, 60, "IN", kind, data))
        self._transport.sendto(response.to_wire(), addr)

    def close(self) -> None:
        """Give the port back."""
        self._transport.close()


@asynccontextmanager
async def dns_server(records: str = "") -> AsyncIterator[DnsServer]:
    """Run a server for the length of the block."""
    loop = asyncio.get_running_loop()
    _, server = await loop.create_datagram_endpoint(lambda: DnsServer(records), local_addr=("127.0.0.1", 0))
    try:
        yield server
    finally:
        server.close()
