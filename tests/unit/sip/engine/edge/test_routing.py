"""Where a request within a dialog goes, whatever the far end has for a Contact or a route."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.model.trunk import Transport
from app.sip.engine.edge.dialogs import Dialogs, Leg
from app.sip.engine.edge.hop import Hop
from app.sip.engine.edge.routing import Detour, Routing
from app.sip.syntax.address import parse_address, parse_uri
from tests.unit.sip.accounts import DOMAIN, FAR, account, hop

PEER = hop(FAR, 5099)
NAMES = {"known.example": "198.51.100.7", "inside.example": "127.0.0.1", "six.example": "2001:db8::1"}


class Found:
    """A name server and what the routing came to."""

    def __init__(self, **changes: Any) -> None:
        settings = account(**changes)
        target = settings.target
        self.asked: list[str] = []
        self.detours: list[Detour] = []
        self._routing = Routing(settings, Hop(target.transport, target.address, target.port), self._look_up)

    def _look_up(self, name: str, then: Callable[[str | None], None]) -> None:
        self.asked.append(name)
        then(NAMES.get(name.rstrip(".")))

    def of(self, contact: str = "", *routes: str) -> Detour:
        """Where a request goes whose leg has this Contact and these routes."""
        self._routing.find(leg(contact, *routes), self.detours.append)
        return self.detours[-1]


def leg(contact: str = "", *routes: str) -> Leg:
    """A leg of a call of ours."""
    dialogs = Dialogs()
    call = dialogs.begin("call-1", incoming=False, local="", local_tag="ours")
    found = dialogs.leg(call, "far", "<sip:7@h>;tag=far", parse_uri("sip:7@sip.example.com"), PEER)
    found.route([parse_address(f"<{route}>") for route in routes], reverse=False)
    found.retarget((parse_address(f"<{contact}>"),) if contact else ())
    return found


# Where the far end wants it


@pytest.mark.parametrize(
    ("contact", "place"),
    [
        ("sip:7@198.51.100.1:5070", hop("198.51.100.1", 5070)),
        ("sip:7@198.51.100.1", hop("198.51.100.1", 5060)),
        ("sip:7@10.1.2.3:5060", hop("10.1.2.3")),
        ("sip:7@192.168.1.1", hop("192.168.1.1")),
        ("sip:7@100.64.0.1", hop("100.64.0.1")),
        ("sip:7@169.254.1.1", hop("169.254.1.1")),
        ("sip:7@198.51.100.1:0", hop("198.51.100.1")),
        ("sip:7@198.51.100.1;transport=udp", hop("198.51.100.1")),
        ("sip:7@198.51.100.1;Transport=UDP", hop("198.51.100.1")),
        ("sip:7@198.51.100.1;transport=tcp", hop("198.51.100.1", 5060, Transport.TCP)),
        ("sip:7@known.example:5070", hop("198.51.100.7", 5070)),
        ("sip:7@Known.Example.", hop("198.51.100.7", 5060)),
        (f"sip:7@{DOMAIN}", hop(FAR, 5060)),
        (f"sip:7@{DOMAIN.upper()}.", hop(FAR, 5060)),
        (f"sip:7@{DOMAIN}:5070", hop(FAR, 5070)),
    ],
)
def test_over_udp_a_request_goes_where_the_contact_says(contact: str, place: Hop) -> None:
    assert Found().of(contact) == Detour(place)


def test_the_first_route_counts_more_than_the_contact() -> None:
    found = Found()
    for first in ("sip:198.51.100.1;lr", "sip:198.51.100.1"):
        assert found.of("sip:7@core.invalid", first, "sip:core.invalid;lr") == Detour(hop("198.51.100.1"))
    assert found.asked == []


def test_our_own_host_is_where_the_account_was_opened() -> None:
    found = Found(port=5080)
    assert found.of(f"sip:7@{DOMAIN}") == Detour(hop(FAR, 5080))
    assert found.asked == []


def test_over_tcp_too() -> None:
    found = Found(transport=Transport.TCP)
    tcp = Transport.TCP
    assert found.of("sip:7@198.51.100.1:5070") == Detour(hop("198.51.100.1", 5070, tcp))
    assert found.of("sip:7@198.51.100.1;transport=tcp") == Detour(hop("198.51.100.1", 5060, tcp))
    assert found.of(f"sip:7@{DOMAIN};transport=tcp") == Detour(hop(FAR, 5060, tcp))


@pytest.mark.parametrize(
    "contact",
    [
        "",
        "sip:7@198.51.100.1",
        "sips:7@known.example",
        "sip:7@core.invalid",
        "sip:7@[::1]",
        "sip:7@h;transport=udp",
    ],
)
def test_over_tls_there_is_one_connection_and_no_other(contact: str) -> None:
    found = Found(transport=Transport.TLS, port=5061)
    assert found.of(contact) == Detour(hop(FAR, 5061, Transport.TLS))
    assert found.of(contact, "sip:198.51.100.9;lr") == Detour(hop(FAR, 5061, Transport.TLS))
    assert found.asked == []


def test_a_test_on_this_computer_may_use_loopback() -> None:
    assert Found(address="127.0.0.1").of("sip:7@127.0.0.1:5070") == Detour(hop("127.0.0.1", 5070))


# Where it can't go


@pytest.mark.parametrize(
    ("contact", "obstacle"),
    [
        ("", "the far end gave no address that can be used (Contact)"),
        ("sip:7@core.invalid", "the name core.invalid can't be found"),
        (
            "sip:7@127.0.0.1:5070",
            "127.0.0.1 is the provider's own name for itself and leads to this computer",
        ),
        ("sip:7@127.8.8.8", "127.8.8.8 is the provider's own name for itself and leads to this computer"),
        (
            "sip:7@inside.example",
            "127.0.0.1 is the provider's own name for itself and leads to this computer",
        ),
        ("sip:7@224.0.1.75", "224.0.1.75 is not the address of one computer"),
        ("sip:7@239.255.255.255", "239.255.255.255 is not the address of one computer"),
        ("sip:7@0.0.0.0", "0.0.0.0 is not the address of one computer"),
        ("sip:7@0.1.2.3", "0.1.2.3 is not the address of one computer"),
        ("sip:7@255.255.255.255", "255.255.255.255 is not the address of one computer"),
        ("sip:7@240.0.0.1", "240.0.0.1 is not the address of one computer"),
        ("sip:7@[2001:db8::1]:5060", "2001:db8::1 is an IPv6 address, which Ringback can't use"),
        ("sip:7@six.example", "2001:db8::1 is an IPv6 address, which Ringback can't use"),
        ("sips:7@198.51.100.1", "sips:7@198.51.100.1 asks for TLS, and this trunk uses UDP"),
        ("sip:7@h;transport=tls", "sip:7@h;transport=tls asks for TLS, and this trunk uses UDP"),
        ("sip:7@h;transport=ws", "sip:7@h;transport=ws asks for WS, and this trunk uses UDP"),
        ("sip:7@h;transport=wss", "sip:7@h;transport=wss asks for WSS, and this trunk uses UDP"),
        ("sip:7@h;transport=sctp", "sip:7@h;transport=sctp asks for SCTP, and this trunk uses UDP"),
    ],
)
def test_what_leads_nowhere_goes_back_to_where_the_last_message_came_from(
    contact: str, obstacle: str
) -> None:
    assert Found().of(contact) == Detour(PEER, obstacle)


def test_over_tcp_there_is_no_udp() -> None:
    found = Found(transport=Transport.TCP).of("sip:7@198.51.100.1;transport=udp")
    assert found == Detour(PEER, "sip:7@198.51.100.1;transport=udp asks for UDP, and this trunk uses TCP")


def test_a_route_that_leads_nowhere_is_an_obstacle_too() -> None:
    assert (
        Found().of("sip:7@198.51.100.1", "sip:core.invalid;lr").obstacle
        == "the name core.invalid can't be found"
    )
