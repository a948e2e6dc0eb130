"""From a host name to addresses, against a real DNS server on loopback."""

from __future__ import annotations

import asyncio
import random
import socket
import threading
from collections.abc import Callable, Sequence

import dns.asyncresolver
import pytest

from app.errors import SettingError
from app.model.outcome import LocalCause
from app.model.trunk import Transport
from app.sip import dns_answers, targets
from app.sip.dns_answers import Srv
from app.sip.local_network import ask_system, has_route
from app.sip.targets import Resolution, ResolveError, resolve
from tests.helpers.dns_server import DnsServer, dns_server
from tests.helpers.ports import free_ports

NO_LIMIT = 30.0


class Fixed(random.Random):
    """Draws the numbers it was given, and remembers the ranges."""

    def __init__(self, *draws: int) -> None:
        super().__init__()
        self.draws = list(draws)
        self.highest: list[int] = []

    def randint(self, a: int, b: int) -> int:
        assert a == 0
        self.highest.append(b)
        return self.draws.pop(0)


async def knows_nothing(name: str) -> tuple[str, ...]:
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
    return [str(target) for target in found.targets]


def silence(*questions: str) -> Callable[[DnsServer], None]:
    def prepare(server: DnsServer) -> None:
        server.silent = set(questions)

    return prepare


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("192.0.2.1", "udp 192.0.2.1:5060"),
        ("2001:db8::1", "udp [2001:db8::1]:5060"),
        ("[2001:db8::1]", "udp [2001:db8::1]:5060"),
    ],
)
def test_an_ip_address_is_itself_and_nothing_is_asked(host: str, expected: str) -> None:
    found, asked = look_up("", host)
    assert shown(found) == [expected]
    assert asked == []


@pytest.mark.parametrize("transport", list(Transport))
def test_the_default_port_is_the_transports(transport: Transport) -> None:
    found, _ = look_up("", "192.0.2.1", transport=transport)
    assert found.targets[0].port == (5061 if transport is Transport.TLS else 5060)


def test_a_port_skips_naptr_and_srv() -> None:
    found, asked = look_up(
        "example.test. A 192.0.2.1\n_sip._udp.example.test. SRV 1 1 5080 other.test.", port=5070
    )
    assert shown(found) == ["udp 192.0.2.1:5070 (example.test)"]
    assert sorted(asked) == ["A example.test", "AAAA example.test"]


@pytest.mark.parametrize(
    ("transport", "name", "default"),
    [
        (Transport.UDP, "_sip._udp", 5060),
        (Transport.TCP, "_sip._tcp", 5060),
        (Transport.TLS, "_sips._tcp", 5061),
    ],
)
def test_each_transport_has_its_srv_name(transport: Transport, name: str, default: int) -> None:
    records = f"{name}.example.test. SRV 1 1 5099 a.test.\na.test. A 192.0.2.9\nexample.test. A 192.0.2.1"
    found, _ = look_up(records, transport=transport)
    assert shown(found) == [f"{transport} 192.0.2.9:5099 (a.test)"]
    others = [other for other in Transport if other is not transport]
    for other in others:
        found, _ = look_up(records, transport=other)
        assert found.targets[0].address == "192.0.2.1"


def test_without_srv_the_hosts_own_addresses_and_the_default_port_are_used() -> None:
    found, _ = look_up("example.test. A 192.0.2.1\nexample.test. A 192.0.2.2", transport=Transport.TLS)
    assert shown(found) == ["tls 192.0.2.1:5061 (example.test)", "tls 192.0.2.2:5061 (example.test)"]


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


@pytest.mark.parametrize(
    ("draws", "expected"),
    [
        # Zero weight first, then running sums: d 0, a 60, b 80
        ((0, 0, 0, 0), "dabc"),
        ((1, 1, 0, 0), "abdc"),
        ((60, 20, 0, 0), "abdc"),
        ((61, 60, 0, 0), "badc"),
        ((80, 60, 0, 0), "badc"),
        ((61, 0, 1, 0), "bdac"),
    ],
)
def test_srv_goes_by_priority_and_draws_by_weight(draws: Sequence[int], expected: str) -> None:
    chance = Fixed(*draws)
    found, _ = look_up(SERVERS, chance=chance)
    assert "".join(target.name[0] for target in found.targets) == expected
    assert chance.highest[0] == 80
    assert chance.draws == []


def test_weights_spread_the_first_choice_in_their_proportion() -> None:
    records = [
        Srv(priority=1, weight=75, port=5060, target="heavy"),
        Srv(priority=1, weight=25, port=5060, target="light"),
    ]
    chance = random.Random(1)
    firsts = [dns_answers.in_order(records, chance)[0].target for _ in range(4000)]
    assert 0.72 < firsts.count("heavy") / len(firsts) < 0.78


def test_a_root_target_says_that_the_service_is_not_there() -> None:
    records = """
    _sip._udp.example.test. SRV 0 0 0 .
    example.test. A 192.0.2.1
    example.test. NAPTR 10 10 "s" "SIP+D2T" "" _sip._tcp.example.test.
    example.test. NAPTR 10 10 "s" "SIPS+D2T" "" _sips._tcp.example.test.
    """
    with pytest.raises(ResolveError) as caught:
        look_up(records)
    assert caught.value.cause is LocalCause.NO_ROUTE
    assert "does not offer SIP over UDP" in caught.value.what
    assert "It offers TCP and TLS." in caught.value.do
    assert caught.value.field == "transport"


def test_naptr_gives_the_srv_name_for_the_trunks_transport() -> None:
    records = """
    example.test. NAPTR 10 10 "s" "SIPS+D2T" "" _sips._tcp.edge.test.
    example.test. NAPTR 20 10 "s" "SIP+D2U" "" second._udp.edge.test.
    example.test. NAPTR 20 5 "S" "sip+d2u" "" first._udp.edge.test.
    first._udp.edge.test. SRV 1 1 5071 a.test.
    second._udp.edge.test. SRV 1 1 5072 a.test.
    _sip._udp.example.test. SRV 1 1 5073 a.test.
    a.test. A 192.0.2.1
    """
    found, _ = look_up(records)
    assert shown(found) == ["udp 192.0.2.1:5071 (a.test)"]


def test_naptr_for_other_transports_does_not_change_the_transport() -> None:
    records = """
    example.test. NAPTR 10 10 "s" "SIPS+D2T" "" _sips._tcp.edge.test.
    _sips._tcp.edge.test. SRV 1 1 5071 a.test.
    _sip._udp.example.test. SRV 1 1 5073 a.test.
    a.test. A 192.0.2.1
    """
    found, _ = look_up(records)
    assert shown(found) == ["udp 192.0.2.1:5073 (a.test)"]


@pytest.mark.parametrize(
    "naptr",
    [
        'example.test. NAPTR 10 10 "s" "SIP+D2U" "" _sip._udp.nowhere.test.',
        'example.test. NAPTR 10 10 "u" "SIP+D2U" "!^.*$!sip:x@y!" .',
        'example.test. NAPTR 10 10 "s" "E2U+sip" "" _sip._udp.nowhere.test.',
    ],
)
def test_a_naptr_that_leads_nowhere_leaves_the_usual_srv_name(naptr: str) -> None:
    found, _ = look_up(f"{naptr}\n_sip._udp.example.test. SRV 1 1 5073 a.test.\na.test. A 192.0.2.1")
    assert shown(found) == ["udp 192.0.2.1:5073 (a.test)"]


def test_an_alias_is_followed() -> None:
    found, _ = look_up("example.test. CNAME real.test.\nreal.test. A 192.0.2.1", port=5060)
    assert shown(found) == ["udp 192.0.2.1:5060 (example.test)"]


def test_an_srv_target_without_an_address_is_passed_over() -> None:
    records = """
    _sip._udp.example.test. SRV 1 1 5060 missing.test.
    _sip._udp.example.test. SRV 2 1 5061 empty.test.
    _sip._udp.example.test. SRV 3 1 5062 a.test.
    empty.test. TXT "x"
    a.test. A 192.0.2.1
    """
    found, _ = look_up(records)
    assert shown(found) == ["udp 192.0.2.1:5062 (a.test)"]
    assert "A missing.test: no such name" in found.steps
    assert "A empty.test: none" in found.steps


def test_srv_targets_that_all_lack_an_address_are_no_way_to_send() -> None:
    with pytest.raises(ResolveError) as caught:
        look_up("_sip._udp.example.test. SRV 1 1 5060 missing.test.\nexample.test. A 192.0.2.1")
    assert caught.value.cause is LocalCause.NO_ROUTE
    assert "missing.test" in caught.value.what


def test_duplicates_are_dropped_and_the_first_place_counts() -> None:
    records = """
    _sip._udp.example.test. SRV 1 1 5060 a.test.
    _sip._udp.example.test. SRV 2 1 5060 b.test.
    _sip._udp.example.test. SRV 3 1 5061 a.test.
    a.test. A 192.0.2.1
    b.test. A 192.0.2.1
    b.test. A 192.0.2.2
    """
    found, _ = look_up(records)
    assert shown(found) == [
        "udp 192.0.2.1:5060 (a.test)",
        "udp 192.0.2.2:5060 (b.test)",
        "udp 192.0.2.1:5061 (a.test)",
    ]


BOTH = "example.test. AAAA 2001:db8::1\nexample.test. A 192.0.2.1"


def test_ipv4_comes_before_ipv6() -> None:
    found, _ = look_up(BOTH, port=5060)
    assert [target.address for target in found.targets] == ["192.0.2.1", "2001:db8::1"]


def test_ipv6_comes_first_where_ipv4_has_no_route() -> None:
    found, _ = look_up(BOTH, port=5060, reachable=lambda address, port: ":" in address)
    assert [target.address for target in found.targets] == ["2001:db8::1", "192.0.2.1"]


def test_addresses_without_a_route_come_after_every_other_server() -> None:
    records = """
    _sip._udp.example.test. SRV 1 1 5060 a.test.
    _sip._udp.example.test. SRV 2 1 5060 b.test.
    a.test. AAAA 2001:db8::1
    b.test. A 192.0.2.2
    """
    found, _ = look_up(records, reachable=lambda address, port: ":" not in address)
    assert [target.address for target in found.targets] == ["192.0.2.2", "2001:db8::1"]
    assert any("no route" in step and "2001:db8::1" in step for step in found.steps)


def test_ipv6_alone_is_enough() -> None:
    found, _ = look_up("example.test. AAAA 2001:db8::1")
    assert shown(found) == ["udp [2001:db8::1]:5060 (example.test)"]


def test_no_route_to_any_address_is_told_at_once() -> None:
    with pytest.raises(ResolveError) as caught:
        look_up("example.test. AAAA 2001:db8::1", reachable=lambda address, port: False)
    assert caught.value.cause is LocalCause.NO_ROUTE
    assert "IPv6" in caught.value.what
    assert "online" in caught.value.do


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


def test_a_system_lookup_that_hangs_ends_within_the_limit() -> None:
    async def hangs(name: str) -> tuple[str, ...]:
        await asyncio.Event().wait()
        return ()

    with pytest.raises(ResolveError) as caught:
        look_up("", system=hangs, limit_s=0.3)
    assert caught.value.cause is LocalCause.NAME_NOT_FOUND
    with pytest.raises(ResolveError) as caught:
        look_up("", "pbx", system=hangs, limit_s=0.3)
    assert caught.value.cause is LocalCause.NAME_SERVER_SILENT


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


def test_what_dns_does_not_know_the_system_is_asked_for() -> None:
    async def hosts_file(name: str) -> tuple[str, ...]:
        return {"pbx.office.test": ("192.0.2.7", "2001:db8::7")}[name]

    found, _ = look_up("", "pbx.office.test", transport=Transport.TCP, system=hosts_file)
    assert shown(found) == [
        "tcp 192.0.2.7:5060 (pbx.office.test)",
        "tcp [2001:db8::7]:5060 (pbx.office.test)",
    ]


@pytest.mark.parametrize("host", ["pbx", "localhost", "my.localhost", "printer.local"])
def test_names_of_this_network_go_to_the_system_and_not_to_dns(host: str) -> None:
    async def hosts_file(name: str) -> tuple[str, ...]:
        return ("192.0.2.8",) if name == host else ()

    found, asked = look_up("", host, system=hosts_file)
    assert shown(found) == [f"udp 192.0.2.8:5060 ({host})"]
    assert asked == []


def test_an_unknown_name_of_this_network_is_named() -> None:
    with pytest.raises(ResolveError) as caught:
        look_up("", "pbx")
    assert caught.value.cause is LocalCause.NAME_NOT_FOUND
    assert "pbx" in caught.value.what


def test_localhost_works_without_any_name_server() -> None:
    found = asyncio.run(resolve("localhost", 5070, Transport.TCP))
    assert "127.0.0.1" in [target.address for target in found.targets]
    assert {target.port for target in found.targets} == {5070}


def test_a_system_without_name_servers_still_has_its_hosts_file(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hosts_file(name: str) -> tuple[str, ...]:
        return ("192.0.2.7",) if name == "pbx.office.test" else ()

    monkeypatch.setattr(dns_answers, "system_resolver", lambda: None)

    def run(host: str) -> Resolution:
        return asyncio.run(
            resolve(host, None, Transport.UDP, system=hosts_file, reachable=lambda address, port: True)
        )

    assert shown(run("pbx.office.test")) == ["udp 192.0.2.7:5060 (pbx.office.test)"]
    with pytest.raises(ResolveError) as caught:
        run("sip.example.test")
    assert caught.value.cause is LocalCause.NAME_SERVER_SILENT
    assert "no name server" in caught.value.details


@pytest.mark.parametrize(
    ("proxy", "expected"),
    [
        ("proxy.test", "udp 192.0.2.5:5060 (proxy.test)"),
        ("proxy.test:5099", "udp 192.0.2.5:5099 (proxy.test)"),
        ("192.0.2.6:5098", "udp 192.0.2.6:5098"),
        ("[2001:db8::6]:5098", "udp [2001:db8::6]:5098"),
    ],
)
def test_an_outbound_proxy_replaces_host_and_port(proxy: str, expected: str) -> None:
    found, asked = look_up("proxy.test. A 192.0.2.5\nexample.test. A 192.0.2.1", port=5070, proxy=proxy)
    assert shown(found) == [expected]
    assert not [question for question in asked if "example" in question]


def test_an_unknown_proxy_points_to_its_setting() -> None:
    with pytest.raises(ResolveError) as caught:
        look_up("", proxy="proxy.test")
    assert caught.value.field == "proxy"
    assert "proxy.test" in caught.value.what


@pytest.mark.parametrize("host", ["", "foo bar", "sip..test", "a" * 64 + ".test", "x\r\nEvil: 1"])
def test_what_can_be_no_host_is_a_wrong_setting(host: str) -> None:
    with pytest.raises(SettingError) as caught:
        look_up("", host)
    assert caught.value.field == "host"


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


def test_the_steps_tell_what_was_asked_and_answered() -> None:
    found, _ = look_up("_sip._udp.example.test. SRV 1 2 5060 a.test.\na.test. A 192.0.2.1")
    assert found.steps == (
        "NAPTR example.test: no such name",
        "SRV _sip._udp.example.test: a.test:5060 (priority 1, weight 2)",
        "A a.test: 192.0.2.1",
        "AAAA a.test: none",
    )


def test_the_systems_lookup_tells_an_unknown_name_from_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(code: int) -> Callable[..., object]:
        def getaddrinfo(*args: object, **kwargs: object) -> object:
            raise socket.gaierror(code, "test")

        return getaddrinfo

    monkeypatch.setattr(socket, "getaddrinfo", fails(socket.EAI_NONAME))
    assert asyncio.run(ask_system("example.test")) == ()
    monkeypatch.setattr(socket, "getaddrinfo", fails(socket.EAI_AGAIN))
    with pytest.raises(socket.gaierror):
        asyncio.run(ask_system("example.test"))


def test_a_stuck_system_lookup_does_not_hold_up_the_end_of_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    stuck, go_on = threading.Event(), threading.Event()

    def getaddrinfo(*args: object, **kwargs: object) -> list[object]:
        stuck.set()
        go_on.wait(30)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(ask_system("example.test"), 0.1))
    assert stuck.is_set()
    assert not go_on.is_set()
    # The late answer meets a closed loop
    threads = [thread for thread in threading.enumerate() if "example.test" in thread.name]
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert not any(thread.is_alive() for thread in threads)


def test_a_route_is_known_to_loopback_and_not_to_what_is_no_address() -> None:
    assert has_route("127.0.0.1", 5060)
    assert not has_route("999.0.0.1", 5060)
