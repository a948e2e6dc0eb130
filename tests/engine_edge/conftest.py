"""Fixtures of the tests of the edge: an authority, a provider, and an edge between it and a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.model.trunk import Transport
from tests.engine_edge.certificates import Issuer, authority
from tests.engine_edge.running_edge import Running, edge_to
from tests.engine_edge.servers import Provider
from tests.unit.sip.accounts import DOMAIN


@pytest.fixture
def ca(tmp_path: Path) -> Issuer:
    """An authority that the edge trusts."""
    return authority(tmp_path)


@pytest.fixture(params=[Transport.TCP, Transport.TLS])
def transport(request: pytest.FixtureRequest) -> Transport:
    """Each of those with a connection."""
    assert isinstance(request.param, Transport)
    return request.param


@pytest.fixture
def provider(ca: Issuer, transport: Transport) -> Iterator[Provider]:
    """A provider; over TLS with a certificate of that authority."""
    context = ca.server(DOMAIN).context() if transport is Transport.TLS else None
    with Provider(context) as provider:
        yield provider


@pytest.fixture
def running(provider: Provider, transport: Transport, ca: Issuer) -> Iterator[Running]:
    """An edge to that provider."""
    with edge_to(provider.port, transport, ca) as running:
        yield running
