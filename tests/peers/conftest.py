"""Fixtures of the tests against Kamailio and SIPp; tests/peers/kamailio.py tells what they give."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.peers import kamailio


@pytest.fixture(scope="session")
def carrier_peers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[kamailio.CarrierPeers]:
    """A carrier for all tests of this worker; a test that kills or pauses it starts one of its own."""
    with kamailio.start(tmp_path_factory.mktemp("carrier")) as peers:
        yield peers


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Show what the carrier logged when a test with it fails."""
    report = yield
    peers = getattr(item, "funcargs", {}).get("carrier_peers")
    if report.failed and peers is not None:
        report.sections.append(("Kamailio's log", peers.log()[-6000:]))
    return report
