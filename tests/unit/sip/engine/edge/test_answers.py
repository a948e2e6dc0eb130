"""What the edge answers by itself, and the way it takes."""

from __future__ import annotations

from typing import Any

import pytest

from app.model.trunk import Transport
from app.sip.engine.edge.answers import ALLOW, OK, SERVER, capabilities, extension_faults, reply_hop
from app.sip.engine.edge.hop import Hop
from app.sip.syntax.address import parse_via
from app.sip.syntax.answer import answer
from app.sip.syntax.gate import examine
from app.sip.syntax.message import parse
from tests.unit.sip.accounts import hop
from tests.unit.sip.samples import request

SOURCE = hop("203.0.113.1", 40123)


def test_an_answer_to_options_lists_what_we_can_do() -> None:
    found = answer(parse(request("OPTIONS")), OK, SOURCE.place, server=SERVER, headers=capabilities())
    assert found is not None
    assert found.first("allow") == ALLOW
    for name in ("accept", "supported", "accept-encoding"):
        assert found.first(name)


# The way back


@pytest.mark.parametrize(
    ("via", "port"),
    [
        ("SIP/2.0/UDP h;rport", 40123),
        ("SIP/2.0/UDP h:5070;rport", 40123),
        ("SIP/2.0/UDP h:5070", 5070),
        ("SIP/2.0/UDP h", 5060),
        ("SIP/2.0/UDP h:5070;rport=1", 5070),
        ("SIP/2.0/UDP h:5070;received=198.51.100.9", 5070),
        ("SIP/2.0/UDP h:5070;maddr=224.0.0.1", 40123),
        ("SIP/2.0/UDP h:5070;maddr=198.51.100.9", 40123),
        ("SIP/2.0/UDP h:5070;maddr=elsewhere.example", 5070),
    ],
)
def test_over_udp_an_answer_goes_back_to_the_address_it_came_from_whatever_the_via_says(
    via: str, port: int
) -> None:
    assert reply_hop(parse_via(via), SOURCE) == hop("203.0.113.1", port)


@pytest.mark.parametrize("transport", [Transport.TCP, Transport.TLS])
def test_over_a_connection_it_goes_back_on_it(transport: Transport) -> None:
    source = Hop(transport, "203.0.113.1", 40123)
    for via in ("SIP/2.0/TCP h:5070", "SIP/2.0/UDP h", "SIP/2.0/TLS h;rport;maddr=1.2.3.4"):
        assert reply_hop(parse_via(via), source) == source


def test_without_a_via_that_can_be_read_it_goes_back_where_it_came_from() -> None:
    assert reply_hop(None, SOURCE) == SOURCE


@pytest.mark.parametrize(
    ("headers", "unknown"),
    [
        ((), ()),
        (("Require: timer, 100rel",), ()),
        (("Require: Replaces",), ()),
        (("Require: timer, nothing, other", "Require: 100rel"), ("nothing", "other")),
        (("Supported: nothing",), ()),
        (("Proxy-Require: nothing",), ()),
    ],
)
def test_extensions_that_are_not_known_are_named(headers: tuple[str, ...], unknown: tuple[str, ...]) -> None:
    changes: dict[str, Any] = {}
    head = examine(request("INVITE", *headers, **changes)).head
    assert head is not None
    assert extension_faults(head) == unknown
