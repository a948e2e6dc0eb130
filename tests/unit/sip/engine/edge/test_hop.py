"""Ports and transports of URIs."""

from __future__ import annotations

import pytest

from app.model.trunk import Transport
from app.sip.engine.edge.hop import Hop, port_of, transport_of
from app.sip.syntax.address import parse_uri


@pytest.mark.parametrize(
    ("uri", "port"),
    [
        ("sip:a@h", 5060),
        ("sip:a@h:5070", 5070),
        ("sip:a@h:0", 5060),
        ("sips:a@h", 5061),
        ("sips:a@h:5070", 5070),
        ("sip:a@h;transport=tls", 5061),
        ("sip:a@h;Transport=TLS", 5061),
        ("sip:a@h;transport=tcp", 5060),
        ("sip:[::1]", 5060),
    ],
)
def test_a_uri_without_port_has_that_of_its_transport(uri: str, port: int) -> None:
    assert port_of(parse_uri(uri)) == port


@pytest.mark.parametrize("usual", list(Transport))
@pytest.mark.parametrize(
    ("uri", "transport"),
    [
        ("sip:a@h;transport=udp", Transport.UDP),
        ("sip:a@h;transport=TCP", Transport.TCP),
        ("sip:a@h;transport=tls", Transport.TLS),
        ("sips:a@h", Transport.TLS),
        ("sips:a@h;transport=tcp", Transport.TLS),
        ("sip:a@h;transport=ws", None),
        ("sip:a@h;transport=sctp", None),
        ("sip:a@h;transport=%74cp", None),
    ],
)
def test_a_uri_names_its_transport(usual: Transport, uri: str, transport: Transport | None) -> None:
    assert transport_of(parse_uri(uri), usual) is transport
    assert transport_of(parse_uri("sip:a@h"), usual) is usual


def test_a_hop_is_written_as_address_and_port() -> None:
    assert str(Hop(Transport.UDP, "192.0.2.1", 5060)) == "192.0.2.1:5060"
    assert str(Hop(Transport.TCP, "2001:db8::1", 1)) == "[2001:db8::1]:1"
