"""The vault with the real keyring of the system: GNOME Keyring in a session of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from app.errors import VaultError
from app.vault import KeyringVault, RunOnlyVault, Trouble, Vault, open_vault
from tests.helpers.programs import need
from tests.helpers.secret_service import MASTER, secret_service
from tests.helpers.vault_contract import VaultContract

pytestmark = pytest.mark.keyring

LINUX = sys.platform.startswith("linux")
CANARY = f"canary-{uuid.uuid4().hex}"
ROOT = Path(__file__).parents[2]

linux_only = pytest.mark.skipif(not LINUX, reason="GNOME Keyring is Linux's")

TRY = """
import sys
from app.vault import open_vault

vault, note = open_vault()
print(type(vault).__name__, note.trouble if note else "open")
print(note.details if note else "")
"""


class TestSystemKeyring(VaultContract):
    @pytest.fixture
    def vault(self, vault: Vault) -> Vault:
        assert isinstance(vault, KeyringVault)
        return vault

    def test_another_opening_finds_what_was_set(self, vault: Vault, trunks: tuple[str, str]) -> None:
        vault.set(trunks[0], CANARY)
        assert open_vault()[0].get(trunks[0]) == CANARY


@linux_only
def test_a_password_survives_the_session_and_is_not_readable_in_the_keyrings_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for known in (None, CANARY):
        with secret_service(tmp_path, MASTER) as address:
            monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
            vault, note = open_vault()
            assert note is None
            assert vault.get("a" * 32) == known
            vault.set("a" * 32, CANARY)
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert any(file.suffix == ".keyring" for file in files)
    assert not any(CANARY.encode() in file.read_bytes() for file in files)


def run_child(environment: dict[str, str], *before: str) -> list[str]:
    """What a new process of ours says about the keyring."""
    run = subprocess.run(
        [*before, sys.executable, "-c", TRY],
        env={"PATH": os.environ["PATH"], **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return run.stdout.splitlines()


@linux_only
def test_a_locked_keyring_that_nobody_unlocks_is_told_as_locked(tmp_path: Path) -> None:
    with secret_service(tmp_path, MASTER):
        pass  # makes the keyring
    with secret_service(tmp_path, None) as address:
        said = run_child({"DBUS_SESSION_BUS_ADDRESS": address})
    assert said[0] == "RunOnlyVault locked"
    assert "Failed to unlock" in said[1]


@linux_only
def test_a_user_without_a_keyring_who_does_not_make_one_is_told(tmp_path: Path) -> None:
    with secret_service(tmp_path, None) as address:
        said = run_child({"DBUS_SESSION_BUS_ADDRESS": address})
    assert said[0] == "RunOnlyVault locked"


@linux_only
def test_without_a_session_bus_the_keyring_is_told_as_missing(tmp_path: Path) -> None:
    for address in (
        {},
        {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere"},
        {"DBUS_SESSION_BUS_ADDRESS": "x"},
    ):
        said = run_child({"HOME": str(tmp_path), **address})
        assert said[0] == "RunOnlyVault missing"
        assert "SecretService" in said[1]


@linux_only
def test_a_session_bus_without_a_keyring_is_told_as_missing(tmp_path: Path) -> None:
    (bus,) = need("dbus-daemon")
    need("dbus-run-session")
    config = tmp_path / "session.conf"
    # No folder of services, so that none is started on demand
    config.write_text(
        "<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen><auth>EXTERNAL</auth>"
        '<policy context="default"><allow send_destination="*" eavesdrop="true"/>'
        '<allow eavesdrop="true"/><allow own="*"/></policy></busconfig>'
    )
    said = run_child(
        {"HOME": str(tmp_path)}, "dbus-run-session", f"--dbus-daemon={bus}", f"--config-file={config}", "--"
    )
    assert said[0] == "RunOnlyVault missing"
    assert "neither running nor activatable" in said[1]


@linux_only
def test_a_keyring_that_ends_while_we_run_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with secret_service(tmp_path, MASTER) as address:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        vault, note = open_vault()
        assert note is None
    with pytest.raises(VaultError, match="was not read") as caught:
        vault.get("a" * 32)
    assert "no system keyring" in caught.value.what
    found, note = open_vault()
    assert isinstance(found, RunOnlyVault)
    assert note is not None
    assert note.trouble is Trouble.MISSING
