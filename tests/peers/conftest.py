"""Fixtures of the tests against Kamailio, SIPp and baresip; kamailio.py and baresip_calls.py tell more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.peers import baresip, kamailio
from tests.peers.baresip_calls import BOBS_HZ, CAROLS_HZ, Phones
from tests.peers.certificates import Authority


@pytest.fixture(scope="session")
def carrier_peers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[kamailio.CarrierPeers]:
    """A carrier for all tests of this worker; a test that kills or pauses it starts one of its own."""
    with kamailio.start(tmp_path_factory.mktemp("carrier")) as peers:
        yield peers


@pytest.fixture(scope="module")
def shared_phones(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Phones]:
    """Shared by all tests of a module."""
    folder = tmp_path_factory.mktemp("b")
    authority = Authority.create("Phones' CA")
    certificate, key = authority.issue(["127.0.0.1"]).write(folder / "bob")
    (folder / "bob.pem").write_bytes(certificate.read_bytes() + key.read_bytes())
    (folder / "ca.pem").write_bytes(authority.pem)
    with ExitStack() as stack:
        bob = stack.enter_context(
            baresip.phone(folder, user="700", tone_hz=BOBS_HZ, certificate=folder / "bob.pem")
        )
        carol = stack.enter_context(baresip.phone(folder, user="900", tone_hz=CAROLS_HZ))
        served = {"700": bob.port, "900": carol.port}
        carrier = stack.enter_context(
            kamailio.start(tmp_path_factory.mktemp("k"), numbers=("busy",), phones=served)
        )
        yield Phones(bob, carol, carrier, folder / "ca.pem")


@pytest.fixture
def phones(shared_phones: Phones) -> Phones:
    """The phones, without a call."""
    shared_phones.bob.be_free()
    shared_phones.carol.be_free()
    return shared_phones


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Show what the carrier logged when a test with it fails."""
    report = yield
    peers = getattr(item, "funcargs", {}).get("carrier_peers")
    if report.failed and peers is not None:
        report.sections.append(("Kamailio's log", peers.log()[-6000:]))
    return report
