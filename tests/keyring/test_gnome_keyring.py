"""The vault with the real keyring of the system: GNOME Keyring in a session of its own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from app.desk import Desk
from app.errors import VaultError
from app.paths import paths_in
from app.store import Store
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


HARD = """q"uo'te\\back@at:ü é🔑 ;,%41 $HOME"""


@linux_only
def test_hard_passwords_go_through_every_way_of_keeping_trunks(vault: Vault, tmp_path: Path) -> None:
    quoted = HARD.replace('"', '""')
    table = f'name,host,user,password\nT,t.example,1,"{quoted}"\nU,u.example,2,"{quoted}"\n'

    async def keep() -> None:
        desk = Desk(Store.open(paths_in(tmp_path)), lambda: (vault, None))
        trunk, _ = await desk.add("Office", {"host": "sip.example.com", "user": "1"}, HARD)
        copy = await desk.duplicate(trunk.id)
        trunks = [trunk, copy, *await desk.import_rows(await desk.preview_csv(table))]
        try:
            assert [vault.get(each.id) for each in trunks] == [HARD] * 4
            await desk.remove(trunk.id)
            assert vault.get(trunk.id) is None
            assert await desk.undo_remove() == trunk
            assert vault.get(trunk.id) == HARD
            await desk.change(trunk.id, "Office", {"port": "5070"}, None)
            assert vault.get(trunk.id) == HARD
            assert HARD not in await desk.export_text()
        finally:
            for each in trunks:
                await desk.remove(each.id)
            await desk.close()
        assert [vault.get(each.id) for each in trunks] == [None] * 4

    asyncio.run(keep())


@linux_only
def test_a_hundred_trunks_come_in_with_their_passwords_and_go_again(vault: Vault, tmp_path: Path) -> None:
    rows = "".join(f'Trunk {n},sip.example.com,{n},"{n}{CANARY}"\n' for n in range(100))

    async def keep() -> None:
        desk = Desk(Store.open(paths_in(tmp_path)), lambda: (vault, None))
        trunks = await desk.import_rows(await desk.preview_csv("name,host,user,password\n" + rows))
        try:
            assert len(desk.trunks()) == 100
            assert [vault.get(each.id) for each in trunks] == [f"{n}{CANARY}" for n in range(100)]
        finally:
            for each in trunks:
                vault.delete(each.id)
            await desk.close()

    asyncio.run(keep())


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
