"""From a host name to addresses in their order, against a real DNS server on loopback."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from app.errors import SettingError
from app.model.outcome import LocalCause
from app.model.trunk import Transport
from app.sip import dns_answers
from app.sip.dns_answers import Srv
from app.sip.targets import ResolveError
from tests.helpers.name_lookups import SERVERS, look_up, shown


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


def test_the_steps_tell_what_was_asked_and_answered() -> None:
    found, _ = look_up("_sip._udp.example.test. SRV 1 2 5060 a.test.\na.test. A 192.0.2.1")
    assert found.steps == (
        "NAPTR example.test: no such name",
        "SRV _sip._udp.example.test: a.test:5060 (priority 1, weight 2)",
        "A a.test: 192.0.2.1",
        "AAAA a.test: none",
    )
