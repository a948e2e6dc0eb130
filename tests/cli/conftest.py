"""What the tests of the command line share: a data folder each, Kamailio, the demo carrier by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from app.sip.carrier.by_hand import CarrierFacts
from tests.helpers.command import Ringback
from tests.helpers.secret_service import MASTER, secret_service
from tests.peers import kamailio


@pytest.fixture
def ringback(tmp_path: Path) -> Ringback:
    """The command line with an empty data folder."""
    return Ringback(tmp_path)


@pytest.fixture(scope="session")
def carrier_peers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[kamailio.CarrierPeers]:
    """Kamailio and SIPp, for all tests of this worker."""
    with kamailio.start(tmp_path_factory.mktemp("carrier")) as peers:
        yield peers


@pytest.fixture(scope="session")
def by_hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CarrierFacts]:
    """`ringback carrier` on a free port, for all tests of this worker."""
    ringback = Ringback(tmp_path_factory.mktemp("by-hand"))
    with ringback.start("carrier", "--port", 0, "--json", outlives=True) as running:
        running.wait_for("\n}\n")
        yield msgspec.json.decode(running.out, type=CarrierFacts)
        running.ctrl_c()
        assert running.end().code == 0


@pytest.fixture
def keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A real, unlocked GNOME Keyring of this test's own; the folder that it keeps its files in."""
    home = tmp_path / "keyring"
    home.mkdir()
    with secret_service(home, MASTER) as address:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        yield home
