"""DNS questions that SIP asks, and what came of each: records, none, no such name, or silence."""

from __future__ import annotations

import random
from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

# dnspython takes 200 ms and 15 MB to import, so it is imported when the first name is looked up
if TYPE_CHECKING:
    from dns.asyncresolver import Resolver
    from dns.rdata import Rdata


class Said(StrEnum):
    """What the name servers said."""

    RECORDS = "records"
    NOTHING = "none"
    NO_NAME = "no such name"
    SILENT = "no answer from a name server"


class Srv(msgspec.Struct, frozen=True, kw_only=True):
    """An SRV record (RFC 2782); the target is empty for the root, which says "not here"."""

    priority: int
    weight: int
    port: int
    target: str

    def __str__(self) -> str:
        return f"{self.target or '.'}:{self.port} (priority {self.priority}, weight {self.weight})"


class Naptr(msgspec.Struct, frozen=True, kw_only=True):
    """A NAPTR record (RFC 3403 section 4.1), as far as RFC 3263 uses it."""

    order: int
    preference: int
    flags: str
    service: str
    replacement: str

    def __str__(self) -> str:
        return f"{self.service} → {self.replacement}"


R = TypeVar("R", str, Srv, Naptr)


class Answer(msgspec.Struct, Generic[R], frozen=True, kw_only=True):
    """One question with its answer.

    Attributes:
        name, kind: The question.
        said: What came back.
        records: The records, as the server ordered them.
        problem: When no server answered: why, in dnspython's words.
    """

    name: str
    kind: str
    said: Said
    records: tuple[R, ...] = ()
    problem: str = ""

    def __str__(self) -> str:
        """One line of evidence."""
        answer = ", ".join(str(record) for record in self.records) or str(self.said)
        return f"{self.kind} {self.name}: {answer}" + (f" ({self.problem})" if self.problem else "")


def in_order(records: Iterable[Srv], chance: random.Random) -> tuple[Srv, ...]:
    """SRV records in the order to try them: by priority, and drawn by weight inside of one (RFC 2782).

    Args:
        records: In any order.
        chance: Draws.
    """
    left = sorted(records, key=lambda record: (record.priority, record.weight != 0))
    ordered: list[Srv] = []
    while left:
        group = [record for record in left if record.priority == left[0].priority]
        drawn = chance.randint(0, sum(record.weight for record in group))
        running = 0
        for record in group:
            running += record.weight
            if running >= drawn:
                ordered.append(record)
                left.remove(record)
                break
    return tuple(ordered)


def system_resolver() -> Resolver | None:
    """A resolver that asks the system's name servers, or None when none is set."""
    import dns.asyncresolver
    import dns.resolver

    try:
        resolver = dns.asyncresolver.Resolver()
    except dns.resolver.NoResolverConfiguration:
        return None
    # A lost packet must not use up the time for the answer: ask again soon
    resolver.timeout = 0.75
    return resolver


async def addresses(resolver: Resolver, name: str, kind: str, lifetime_s: float) -> Answer[str]:
    """Addresses of a name; `kind` is A or AAAA."""
    said, found, problem = await _ask(resolver, name, kind, lifetime_s)
    records = tuple(record.to_text() for record in found)
    return Answer(name=name, kind=kind, said=said, records=records, problem=problem)


async def srv(resolver: Resolver, name: str, lifetime_s: float) -> Answer[Srv]:
    """SRV records under a name such as `_sip._udp.example.com`."""
    from dns.rdtypes.IN.SRV import SRV

    said, found, problem = await _ask(resolver, name, "SRV", lifetime_s)
    records = tuple(
        Srv(
            priority=record.priority,
            weight=record.weight,
            port=record.port,
            target=record.target.to_text(omit_final_dot=True).strip("."),
        )
        for record in found
        if isinstance(record, SRV)
    )
    return Answer(name=name, kind="SRV", said=said, records=records, problem=problem)


async def naptr(resolver: Resolver, name: str, lifetime_s: float) -> Answer[Naptr]:
    """NAPTR records of a domain."""
    from dns.rdtypes.IN.NAPTR import NAPTR

    said, found, problem = await _ask(resolver, name, "NAPTR", lifetime_s)
    records = tuple(
        Naptr(
            order=record.order,
            preference=record.preference,
            flags=record.flags.decode("ascii", "replace"),
            service=record.service.decode("ascii", "replace"),
            replacement=record.replacement.to_text(omit_final_dot=True).strip("."),
        )
        for record in found
        if isinstance(record, NAPTR)
    )
    return Answer(name=name, kind="NAPTR", said=said, records=records, problem=problem)


async def _ask(resolver: Resolver, name: str, kind: str, lifetime_s: float) -> tuple[Said, list[Rdata], str]:
    import dns.exception
    import dns.resolver

    try:
        answer = await resolver.resolve(f"{name}.", kind, lifetime=lifetime_s, search=False)
    except dns.resolver.NXDOMAIN:
        return Said.NO_NAME, [], ""
    except dns.resolver.NoAnswer:
        return Said.NOTHING, [], ""
    except dns.exception.Timeout:
        asked = ", ".join(str(server) for server in resolver.nameservers)
        return Said.SILENT, [], f"asked {asked} for {lifetime_s:.1f} s"
    except dns.exception.DNSException as error:
        return Said.SILENT, [], str(error)
    return Said.RECORDS, list(answer), ""
