"""Fixtures of the tests of the edge: an authority, a provider, and an edge between it and a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine_tls.certificates import Issuer, authority
from tests.engine_tls.running_edge import NAME, Running, edge_to
from tests.engine_tls.servers import Provider


@pytest.fixture
def ca(tmp_path: Path) -> Issuer:
    """An authority that the edge trusts."""
    return authority(tmp_path)


@pytest.fixture
def provider(ca: Issuer) -> Iterator[Provider]:
    """A provider with a certificate of that authority."""
    with Provider(ca.server(NAME).context()) as provider:
        yield provider


@pytest.fixture
def running(provider: Provider, ca: Issuer) -> Iterator[Running]:
    """An edge to that provider."""
    with edge_to(provider.port, ca) as running:
        yield running
