"""Where SIP requests go: from a host name to a list of addresses, as RFC 3263 says."""

from __future__ import annotations

import asyncio
import ipaddress
import random
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

import msgspec

from app.errors import UserError
from app.model.host import HostPort, parse_host_port
from app.model.outcome import LocalCause, Target
from app.model.trunk import Transport
from app.model.typed import Typed
from app.sip import dns_answers
from app.sip.dns_answers import Answer, Naptr, Said, Srv
from app.sip.local_network import ask_system, has_route
from app.threads import run_apart

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver

LIMIT_S = 5.0
"""Seconds after which a lookup ends, whatever is still unanswered."""

_WAVE = 0.4
"""Share of the limit for each of two rounds of questions; the rest is for the system's own lookup."""

_NAPTR_GRACE = 0.1
"""Share of the limit that NAPTR may take longer: some routers drop questions that they do not know."""

_MOST_SERVERS = 16
"""SRV targets looked at; more are no longer a provider's servers but a mistake or an attack."""

_SRV_PREFIX = {Transport.UDP: "_sip._udp", Transport.TCP: "_sip._tcp", Transport.TLS: "_sips._tcp"}

_NAPTR_SERVICE = {Transport.UDP: "sip+d2u", Transport.TCP: "sip+d2t", Transport.TLS: "sips+d2t"}

SystemLookup = Callable[[str], Awaitable[tuple[str, ...]]]
"""Addresses of a name as the operating system knows them; none for an unknown name, OSError for no answer."""


class Resolution(msgspec.Struct, frozen=True, kw_only=True):
    """Where to send, and how that was found out.

    Attributes:
        targets: Addresses to try, the best first; at least one.
        steps: What was asked and answered, a line each.
    """

    targets: tuple[Target, ...]
    steps: tuple[str, ...] = ()


class ResolveError(UserError):
    """A host that gives no address to send to.

    Args:
        what, do, field: As in `UserError`.
        cause: Name not found, name server silent, or no route.
        steps: What was asked and answered, a line each.
    """

    def __init__(self, what: str, *, do: str, cause: LocalCause, steps: Iterable[str], field: str) -> None:
        self.steps = tuple(steps)
        self.cause = cause
        super().__init__(what, do=do, details="\n".join(self.steps), field=field)


async def resolve(
    host: str,
    port: int | None,
    transport: Transport,
    proxy: str = "",
    *,
    resolver: Resolver | None = None,
    limit_s: float = LIMIT_S,
    system: SystemLookup | None = None,
    chance: random.Random | None = None,
    reachable: Callable[[str, int], bool] | None = None,
) -> Resolution:
    """Find the addresses to send to, in the order to try them (RFC 3263 section 4).

    An IP address is itself. A host with a port is looked up as A and AAAA only. Else SRV decides, under the
    name that NAPTR gives for this transport or under the standard one; without SRV it is A and AAAA with the
    default port. The transport is the trunk's and is never changed by DNS. What DNS does not know, the system
    is asked for, so that its hosts file, mDNS and search domains count; names without a dot and `localhost`
    go there at once.

    Args:
        host: Name or IP address of the trunk's registrar.
        port: Its port, None to find it.
        transport: How the trunk sends.
        proxy: Outbound proxy as `host` or `host:port`; replaces host and port.
        resolver: Asks DNS; None for the system's name servers.
        limit_s: Seconds after which it ends.
        system: The operating system's lookup, None for the real one.
        chance: Draws among SRV records of one priority; None for the system's randomness.
        reachable: Whether this machine has a route to an address and port; None asks the kernel.

    Raises:
        ResolveError: There is no address to send to.
        SettingError: Host or proxy can't be a host.
    """
    if proxy:
        place = parse_host_port(Typed("proxy", "Outbound proxy", proxy))
        field = "proxy"
    else:
        place = parse_host_port(Typed("host", "Host", host))
        place = place if port is None else HostPort(host=place.host, port=port)
        field = "host"
    lookup = _Lookup(
        place=place,
        transport=transport,
        field=field,
        resolver=resolver,
        system=system or ask_system,
        limit_s=limit_s,
        chance=chance or random.SystemRandom(),
    )
    if _is_address(place.host):
        target = Target(
            address=place.host,
            port=place.port or transport.default_port,
            transport=transport,
            name=place.host,
        )
        return Resolution(targets=(target,), steps=(f"{place.host} is an IP address: nothing to look up.",))
    found = await lookup.run()
    return Resolution(targets=lookup.in_order(found, reachable or has_route), steps=tuple(lookup.steps))


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    """Addresses of one server."""

    name: str
    port: int
    addresses: tuple[str, ...]


class _Lookup:
    """One lookup and what it has seen so far."""

    def __init__(
        self,
        *,
        place: HostPort,
        transport: Transport,
        field: str,
        resolver: Resolver | None,
        system: SystemLookup,
        limit_s: float,
        chance: random.Random,
    ) -> None:
        self.host = place.host
        self.port = place.port
        self.transport = transport
        self.field = field
        self.resolver = resolver
        self.system = system
        self.limit_s = limit_s
        self.chance = chance
        self.steps: list[str] = []
        self._end = asyncio.get_running_loop().time() + limit_s

    async def run(self) -> tuple[_Found, ...]:
        """The servers with their addresses, in the order of DNS."""
        name = self.host.lower()
        port = self.port or self.transport.default_port
        if "." not in name or name.endswith((".localhost", ".local")):
            # RFC 6761 section 6.3, RFC 6762 section 3; and a bare name means something on this network only
            return (await self._by_system(port, said=Said.NO_NAME, asked_dns=False),)
        # In a thread, because it imports dnspython and reads the system's settings
        resolver = self.resolver or await run_apart(dns_answers.system_resolver)
        if resolver is None:
            self.steps.append("This computer has no name server set for DNS.")
            return (await self._by_system(port, said=Said.SILENT, asked_dns=False),)
        servers: tuple[Srv, ...] = ()
        if self.port is None:
            servers, four, six = await self._first_wave(resolver)
        else:
            four, six = await self._addresses(resolver, self.host)
        if servers:
            return await self._servers(resolver, servers)
        self._note(four, six)
        if four.records or six.records:
            return (_Found(name=self.host, port=port, addresses=(*four.records, *six.records)),)
        said = Said.NO_NAME if Said.NO_NAME in (four.said, six.said) else Said.NOTHING
        said = Said.SILENT if Said.SILENT in (four.said, six.said) else said
        return (await self._by_system(port, said=said, asked_dns=True),)

    async def _first_wave(self, resolver: Resolver) -> tuple[tuple[Srv, ...], Answer[str], Answer[str]]:
        """Asks all that may be needed at once, and reads it in the order of RFC 3263 section 4.2."""
        lifetime = self.limit_s * _WAVE
        plain = f"{_SRV_PREFIX[self.transport]}.{self.host}"
        async with asyncio.TaskGroup() as group:
            naptr = group.create_task(dns_answers.naptr(resolver, self.host, lifetime))
            srv = group.create_task(dns_answers.srv(resolver, plain, lifetime))
            both = group.create_task(self._addresses(resolver, self.host))
            await asyncio.wait([srv, both])
            await asyncio.wait([naptr], timeout=self.limit_s * _NAPTR_GRACE)
            naptr.cancel()
        services = Answer[Naptr](name=self.host, kind="NAPTR", said=Said.SILENT)
        if not naptr.cancelled():
            services = naptr.result()
        four, six = both.result()
        servers = await self._by_naptr(resolver, services, plain)
        if not servers:
            answer = srv.result()
            self._note(answer)
            servers = self._offered(answer, services)
        return servers, four, six

    async def _by_naptr(self, resolver: Resolver, services: Answer[Naptr], plain: str) -> tuple[Srv, ...]:
        """SRV records under the names that NAPTR gives for this transport, if they are not the usual."""
        self._note(services)
        wanted = _NAPTR_SERVICE[self.transport]
        records = sorted(services.records, key=lambda record: (record.order, record.preference))
        names = dict.fromkeys(
            record.replacement
            for record in records
            if record.service.lower() == wanted and record.flags.lower() == "s"
        )
        for name in names:
            if name.lower() == plain.lower():
                return ()
            answer = await dns_answers.srv(resolver, name, self._left(_WAVE))
            self._note(answer)
            servers = self._offered(answer, services)
            if servers:
                return servers
        return ()

    def _offered(self, answer: Answer[Srv], services: Answer[Naptr]) -> tuple[Srv, ...]:
        """Without the root as target, which says "not here" (RFC 2782), and in order."""
        real = [record for record in answer.records if record.target]
        if answer.records and not real:
            others = sorted(
                transport.upper()
                for transport, service in _NAPTR_SERVICE.items()
                if transport is not self.transport
                and any(record.service.lower() == service for record in services.records)
            )
            offers = f" It offers {' and '.join(others)}." if others else ""
            raise self._error(
                f"{self.host} does not offer SIP over {self.transport.upper()}: its DNS says so.",
                do=f"Choose another transport.{offers}",
                cause=LocalCause.NO_ROUTE,
                field="transport",
            )
        return dns_answers.in_order(real, self.chance)[:_MOST_SERVERS]

    async def _servers(self, resolver: Resolver, servers: tuple[Srv, ...]) -> tuple[_Found, ...]:
        """The addresses of SRV targets; one without an address is passed over."""
        names = tuple(dict.fromkeys(server.target for server in servers))
        answers = await asyncio.gather(*(self._addresses(resolver, name) for name in names))
        for pair in answers:
            self._note(*pair)
        addresses = {
            name: (*four.records, *six.records) for name, (four, six) in zip(names, answers, strict=True)
        }
        found = tuple(
            _Found(name=server.target, port=server.port, addresses=addresses[server.target])
            for server in servers
            if addresses[server.target]
        )
        if found:
            return found
        if any(Said.SILENT in (four.said, six.said) for four, six in answers):
            raise self._silent(f"The name server did not tell the addresses of {', '.join(names)}.")
        raise self._error(
            f"{self.host} names its servers ({', '.join(names)}), but none of them has an IP address.",
            do="Ask your provider for the server name to use, and set host and port by hand.",
            cause=LocalCause.NO_ROUTE,
        )

    async def _addresses(self, resolver: Resolver, name: str) -> tuple[Answer[str], Answer[str]]:
        lifetime = self._left(_WAVE)
        return await asyncio.gather(
            dns_answers.addresses(resolver, name, "A", lifetime),
            dns_answers.addresses(resolver, name, "AAAA", lifetime),
        )

    async def _by_system(self, port: int, *, said: Said, asked_dns: bool) -> _Found:
        """The operating system's answer, where DNS had none or was not asked."""
        addresses: tuple[str, ...] = ()
        try:
            async with asyncio.timeout(self._left(1.0)):
                addresses = await self.system(self.host)
        except (TimeoutError, OSError) as error:
            self.steps.append(
                f"This computer's own lookup of {self.host}: {str(error) or 'no answer in time'}"
            )
            said = said if asked_dns else Said.SILENT
        else:
            answer = ", ".join(addresses) or "not known"
            self.steps.append(f"This computer's own lookup of {self.host}: {answer}")
        if addresses:
            return _Found(name=self.host, port=port, addresses=addresses)
        if said is Said.SILENT:
            raise self._silent(f"No name server answered, so the address of {self.host} is not known.")
        if said is Said.NOTHING:
            raise self._error(
                f"The name {self.host} exists, but it has no IP address.",
                do="Compare it with your provider's sheet: often a part in front is missing, such as sip.",
                cause=LocalCause.NO_ROUTE,
            )
        raise self._error(
            f"There is no server with the name {self.host}.",
            do="Check its spelling against your provider's sheet. A VPN or office network may hide it, too.",
            cause=LocalCause.NAME_NOT_FOUND,
        )

    def in_order(self, found: Iterable[_Found], reachable: Callable[[str, int], bool]) -> tuple[Target, ...]:
        """Targets without duplicates: servers as DNS orders them, IPv4 first, what has no route last."""
        ways: dict[Target, bool] = {}
        for server in found:
            targets = [
                Target(address=address, port=server.port, transport=self.transport, name=server.name)
                for address in sorted(server.addresses, key=lambda address: ":" in address)
            ]
            known = {(target.address, target.port) for target in ways}
            ways |= {
                target: reachable(target.address, target.port)
                for target in targets
                if (target.address, target.port) not in known
            }
        self.steps += [f"This computer has no route to {target}." for target, way in ways.items() if not way]
        if not any(ways.values()):
            six = " Its addresses are all IPv6." if all(":" in target.address for target in ways) else ""
            raise self._error(
                f"This computer's network has no way to {self.host}.{six}",
                do="Check that the computer is online: cable, Wi-Fi, VPN.",
                cause=LocalCause.NO_ROUTE,
            )
        return tuple(sorted(ways, key=lambda target: not ways[target]))

    def _left(self, share: float) -> float:
        """Seconds for the next question: a share of the limit, and never beyond the end."""
        left = self._end - asyncio.get_running_loop().time()
        return max(0.0, min(left, self.limit_s * share))

    def _note(self, *answers: Answer[str] | Answer[Srv] | Answer[Naptr]) -> None:
        self.steps += [str(answer) for answer in answers]

    def _silent(self, what: str) -> ResolveError:
        return self._error(
            what,
            do="Check that this computer is online (cable, Wi-Fi, VPN), then try again.",
            cause=LocalCause.NAME_SERVER_SILENT,
        )

    def _error(self, what: str, *, do: str, cause: LocalCause, field: str = "") -> ResolveError:
        return ResolveError(what, do=do, cause=cause, steps=self.steps, field=field or self.field)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
