"""A password that goes through all that keeps or tells something is found nowhere but in the keyring."""

from __future__ import annotations

import logging
import sqlite3
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.errors import SettingError, VaultError
from app.instance import InstanceLock
from app.logs import log_child_line, start_logging, stop_logging
from app.model.outcome import Target
from app.model.settings import apply_settings, as_text, new_trunk
from app.model.trunk import Transport
from app.paths import Paths, paths_in
from app.redact import redact_sip, redact_text
from app.sip.messages import OpenAccount
from app.store import Store, StoredSetting
from app.vault import RunOnlyVault, Vault

pytestmark = pytest.mark.keyring

LOG = logging.getLogger("app.canary")


@pytest.fixture
def canary() -> str:
    """A password that is nowhere else."""
    return f"canary-{uuid.uuid4().hex}"


@pytest.fixture
def logged(tmp_path: Path) -> Iterator[Paths]:
    """A data folder with logging into it, all levels."""
    paths = paths_in(tmp_path / "data")
    root = logging.getLogger()
    level = root.level
    handler = start_logging(paths)
    root.setLevel(logging.DEBUG)
    yield paths
    stop_logging(handler)
    root.setLevel(level)
    logging.getLogger("app").setLevel(logging.NOTSET)


def test_a_password_is_found_nowhere_but_in_the_keyring(
    vault: Vault, canary: str, logged: Paths, own_home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    seen: list[str] = []
    with InstanceLock(logged), Store.open(logged) as store:
        trunk, mended = new_trunk(uuid.uuid4().hex, "Office", {"host": "sip.example.com", "user": "alice"})
        store.add(trunk)
        vault.set(trunk.id, canary)
        try:
            assert vault.get(trunk.id) == canary
            run_only = RunOnlyVault()
            run_only.set(trunk.id, canary)

            # Where a password can slip in by mistake
            for key, text in (
                ("password", canary),
                ("user", f"alice:{canary}"),
                ("user", f"sip:alice:{canary}@sip.example.com"),
                ("host", f"alice:{canary}@sip.example.com"),
                ("proxy", f"<sip:alice:{canary}@sip.example.com>"),
            ):
                with pytest.raises(SettingError) as refused:
                    apply_settings(trunk, {key: text})
                seen.append(f"{refused.value!r} {refused.value} {refused.value.details}")
                LOG.warning("refused", exc_info=refused.value)
            with pytest.raises(VaultError) as too_long:
                vault.set(trunk.id, canary * 100)
            seen.append(f"{too_long.value!r} {too_long.value} {too_long.value.details}")
            store.set_setting(StoredSetting("window.last_trunk", str, ""), trunk.id)

            account = OpenAccount(
                user=trunk.user,
                host=trunk.host,
                port=trunk.port,
                auth_id=trunk.auth_id,
                password=canary,
                realm=trunk.realm,
                caller_id=trunk.caller_id,
                expires=trunk.expires,
                register=trunk.register,
                codecs=trunk.codecs,
                target=Target(address="192.0.2.1", port=5060, transport=Transport.UDP, name=trunk.host),
            )
            LOG.info("opening %s with %r", account, [vault, run_only])
            LOG.info(f"opening {account}")
            log_child_line("engine", f'Authorization: Digest username="alice", response="{canary}"')
            seen += map(repr, (vault, run_only, store, trunk, mended, account, as_text(trunk), logged))
            seen.append(
                redact_sip(f"REGISTER sip:alice:{canary}@h SIP/2.0\r\nAuthorization: Basic {canary}\r\n")
            )
            seen.append(redact_text(f"{{'p': '{canary}'}}", [canary]))
            _look(canary, (logged.data, own_home), seen)
        finally:
            vault.delete(trunk.id)
    output = capfd.readouterr()
    _look(canary, (logged.data, own_home), [*seen, output.out, output.err, *sys.argv])
    # The search had something to search
    assert "Office" in _all_text(logged.database)
    assert "opening <OpenAccount>" in logged.log_file.read_text(encoding="utf-8")


def _look(canary: str, folders: tuple[Path, ...], texts: list[str]) -> None:
    for folder in folders:
        files = [file for file in folder.rglob("*") if file.is_file()]
        for file in files:
            assert canary.encode() not in file.read_bytes(), file
    for text in texts:
        assert canary not in text
    if sys.platform.startswith("linux"):
        for name in ("environ", "cmdline"):
            assert canary.encode() not in Path(f"/proc/self/{name}").read_bytes()


def _all_text(database: Path) -> str:
    connection = sqlite3.connect(database)
    try:
        return "\n".join(connection.iterdump())
    finally:
        connection.close()


def test_the_search_for_a_canary_finds_one_where_it_is(tmp_path: Path, canary: str) -> None:
    (tmp_path / "file").write_text(f"x{canary}x")
    with pytest.raises(AssertionError):
        _look(canary, (tmp_path,), [])
    with pytest.raises(AssertionError):
        _look(canary, (), [f"x{canary}x"])
