"""The vault on the system's real keyring."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.vault import Vault, open_vault
from tests.helpers.programs import in_ci
from tests.helpers.secret_service import MASTER, secret_service


@pytest.fixture(scope="module")
def keyring_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the session keeps its keyring."""
    return tmp_path_factory.mktemp("keyring")


@pytest.fixture(scope="module")
def session(keyring_home: Path) -> Iterator[str]:
    """A session with an unlocked keyring; elsewhere than on Linux the system's own, on a build machine."""
    if sys.platform.startswith("linux"):
        with secret_service(keyring_home, MASTER) as address:
            yield address
    elif in_ci():
        yield ""
    else:
        pytest.skip("the keyring of whoever runs the tests is left alone")


@pytest.fixture
def vault(session: str, monkeypatch: pytest.MonkeyPatch) -> Vault:
    """The vault as the app opens it."""
    if session:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", session)
    found, note = open_vault()
    assert note is None, note
    return found
