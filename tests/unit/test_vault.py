"""The vault without a real keyring: memory, and every way in which a keyring can be missing or refuse."""

from __future__ import annotations

import subprocess
import sys
import threading
import traceback
from pathlib import Path

import pytest
from keyring.backend import KeyringBackend
from keyring.compat import properties
from keyring.core import _load_keyring_class
from keyring.errors import InitError, KeyringError, KeyringLocked, PasswordDeleteError, PasswordSetError
from keyring.util import platform_

from app import vault as vault_module
from app.errors import VaultError
from app.vault import SERVICE, KeyringVault, RunOnlyVault, Trouble, Vault, open_vault
from tests.helpers.vault_contract import VaultContract

CANARY = "canary-Xq7p"
WHERE = "the test keyring"


class TestRunOnlyVault(VaultContract):
    @pytest.fixture
    def vault(self) -> Vault:
        return RunOnlyVault()

    def test_another_run_knows_nothing(self, vault: Vault) -> None:
        vault.set("a", "x")
        assert RunOnlyVault().get("a") is None


class Memory(KeyringBackend):
    """A keyring that behaves as those of the systems do: it can't delete what is not there."""

    priority = 5  # type: ignore[assignment] - keyring's class property; a number does for it

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.entries:
            raise PasswordDeleteError("No such password!")
        del self.entries[service, username]


class TestKeyringVault(VaultContract):
    @pytest.fixture
    def vault(self) -> Vault:
        return KeyringVault(Memory(), WHERE)

    def test_entries_are_filed_under_our_name_and_the_trunks_id(self) -> None:
        memory = Memory()
        KeyringVault(memory, WHERE).set("a" * 32, "x")
        assert list(memory.entries) == [(SERVICE, "a" * 32)] == [("Ringback", "a" * 32)]


class Absent(Memory):
    """A keyring that this system does not have, told as keyring's own do."""

    @properties.classproperty
    def priority(cls) -> float:  # noqa: N805 - a property of the class
        raise RuntimeError("not here")


class Failing(Memory):
    """A keyring that always raises, with the password in the text as some do."""

    error: BaseException = KeyringError()

    def get_password(self, service: str, username: str) -> str | None:
        raise self.error

    def set_password(self, service: str, username: str, password: str) -> None:
        raise type(self.error)(f"can't store {password}") from self.error.__cause__


class LockedException(Exception):  # noqa: N818 - the name that is looked for
    """As SecretStorage names it."""


class PromptDismissedException(Exception):  # noqa: N818 - the name that is looked for
    """As SecretStorage names it."""


class error(Exception):  # noqa: N801, N818 - the name of pywin32's class
    """As pywin32 names it."""


def with_cause(raised: Exception, cause: Exception) -> Exception:
    """An exception raised because of another."""
    raised.__cause__ = cause
    return raised


FAILURES = [
    (KeyringLocked("Failed to unlock the collection!"), Trouble.LOCKED),
    (LockedException("Item is locked!"), Trouble.LOCKED),
    (PromptDismissedException("Prompt dismissed."), Trouble.LOCKED),
    (with_cause(InitError("Failed to create"), PromptDismissedException("dismissed")), Trouble.LOCKED),
    (InitError("Failed to create"), Trouble.REFUSED),
    (ConnectionResetError("Connection reset by peer"), Trouble.MISSING),
    (FileNotFoundError(2, "No such file or directory"), Trouble.MISSING),
    (PasswordSetError("Can't store"), Trouble.REFUSED),
    (error(1312, "CredRead", "A specified logon session does not exist."), Trouble.REFUSED),
    (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"), Trouble.REFUSED),
]


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32", "freebsd14"])
@pytest.mark.parametrize(("raised", "trouble"), FAILURES, ids=lambda value: type(value).__name__)
def test_every_failure_of_a_keyring_is_told_in_the_systems_words(
    monkeypatch: pytest.MonkeyPatch, platform: str, raised: Exception, trouble: Trouble
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    backend = Failing()
    monkeypatch.setattr(Failing, "error", raised)
    with pytest.raises(VaultError) as caught:
        KeyringVault(backend, WHERE).get("a")
    words = vault_module._WORDS.get(platform, vault_module._WORDS["linux"])
    what, do = words[trouble]
    assert caught.value.what == f"The password was not read. {what}"
    assert caught.value.do == do
    assert type(raised).__name__ in caught.value.details


class Error(Exception):
    """As keyring's macOS calls raise: the status number first."""


@pytest.mark.parametrize(
    ("platform", "raised", "trouble"),
    [
        ("darwin", with_cause(KeyringLocked("Can't get password"), Error(-128, "denied")), Trouble.LOCKED),
        ("darwin", with_cause(PasswordDeleteError("Can't delete"), Error(-128, "denied")), Trouble.LOCKED),
        ("darwin", with_cause(KeyringError("Can't get"), Error(-25308, "Unknown Error")), Trouble.LOCKED),
        ("darwin", with_cause(PasswordSetError("Can't store"), Error(-25293, "auth")), Trouble.REFUSED),
        ("darwin", with_cause(KeyringError("Can't get"), Error(-25291, "Unknown Error")), Trouble.MISSING),
        ("darwin", with_cause(KeyringError("Can't get"), Error(-25307, "Unknown Error")), Trouble.MISSING),
        ("darwin", with_cause(KeyringError("Can't get"), Error(-34018, "Unknown Error")), Trouble.REFUSED),
        ("win32", error(5, "CredRead", "Access is denied."), Trouble.REFUSED),
        ("win32", error(1312, "CredWrite", "A specified logon session does not exist."), Trouble.REFUSED),
        ("win32", error(1722, "CredRead", "The RPC server is unavailable."), Trouble.MISSING),
        ("win32", error(1058, "CredRead", "The service cannot be started."), Trouble.MISSING),
        # The same numbers mean nothing of the kind elsewhere
        ("linux", error(1722, "x", "y"), Trouble.REFUSED),
    ],
)
def test_what_a_system_fails_with_is_told_by_its_number(
    monkeypatch: pytest.MonkeyPatch, platform: str, raised: Exception, trouble: Trouble
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(Failing, "error", raised)
    with pytest.raises(VaultError) as caught:
        KeyringVault(Failing(), WHERE).get("a")
    what, do = vault_module._WORDS[platform][trouble]
    assert (caught.value.what, caught.value.do) == (f"The password was not read. {what}", do)


def test_a_policy_of_windows_and_a_denied_prompt_of_macos_are_named() -> None:
    assert "policy" in vault_module._WORDS["win32"][Trouble.REFUSED][1]
    assert "Always Allow" in vault_module._WORDS["darwin"][Trouble.LOCKED][1]


def test_every_trouble_has_words_on_every_system() -> None:
    for words in vault_module._WORDS.values():
        assert set(words) == set(Trouble)
        for what, do in words.values():
            assert what.endswith(".")
            assert do.endswith(".")


def test_an_error_of_the_keyring_does_not_carry_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Failing, "error", PasswordSetError("x"))
    with pytest.raises(VaultError) as caught:
        KeyringVault(Failing(), WHERE).set("a", CANARY)
    seen = "".join(traceback.format_exception(caught.value))
    assert CANARY not in f"{seen} {caught.value!r} {caught.value.details}"
    assert "can't store <hidden>" in caught.value.details


def test_a_keyring_that_refuses_to_delete_is_told_and_one_that_has_nothing_is_not() -> None:
    class Keeping(Memory):
        def delete_password(self, service: str, username: str) -> None:
            raise PasswordDeleteError("not allowed")

    vault = KeyringVault(Keeping(), WHERE)
    vault.delete("a")
    vault.set("a", "x")
    with pytest.raises(VaultError, match="was not deleted"):
        vault.delete("a")


class Prompting(Memory):
    """A keyring with a prompt that nobody answers."""

    answered = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        self.answered.wait()
        return None


def test_a_prompt_that_nobody_answers_does_not_hang_us(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault_module, "ANSWER_LIMIT_S", 0.05)
    monkeypatch.setattr(Prompting, "answered", threading.Event())
    try:
        with pytest.raises(VaultError, match="does not answer") as caught:
            KeyringVault(Prompting(), WHERE).get("a")
        assert "0.05 s" in caught.value.details
    finally:
        Prompting.answered.set()


# Opening


@pytest.fixture
def system_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing configured; the system's keyring is `Memory`."""
    monkeypatch.delenv("PYTHON_KEYRING_BACKEND")
    offer(monkeypatch, Memory)


def offer(monkeypatch: pytest.MonkeyPatch, *backends: type[KeyringBackend]) -> None:
    """Makes these the keyrings that the system may have."""
    names = tuple((f"{backend.__module__}.{backend.__name__}", WHERE) for backend in backends)
    monkeypatch.setattr(vault_module, "_BACKENDS", {sys.platform: names, "linux": names})


@pytest.mark.usefixtures("system_keyring")
def test_the_systems_keyring_is_used_when_it_answers() -> None:
    vault, note = open_vault()
    assert note is None
    assert isinstance(vault, KeyringVault)
    assert vault.where == WHERE


@pytest.mark.usefixtures("system_keyring")
def test_a_keyring_that_can_not_be_loaded_gives_way_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = (("nowhere.to.be.Found", "x"), (f"{__name__}.Absent", "x"), (f"{__name__}.NoSuchClass", "x"))
    names = (*absent, (f"{__name__}.Memory", WHERE))
    monkeypatch.setattr(vault_module, "_BACKENDS", {sys.platform: names, "linux": names})
    vault, note = open_vault()
    assert (vault.where, note) == (WHERE, None)


@pytest.mark.usefixtures("system_keyring")
def test_without_any_keyring_passwords_are_kept_for_this_run_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = (("nowhere.to.be.Found", "x"),)
    monkeypatch.setattr(vault_module, "_BACKENDS", {sys.platform: names, "linux": names})
    vault, note = open_vault()
    assert isinstance(vault, RunOnlyVault)
    assert note is not None
    assert note.trouble is Trouble.MISSING
    assert note.what.endswith("Passwords are kept for this run only.")
    assert note.do
    assert "nowhere" in note.details
    vault.set("a", "x")
    assert vault.get("a") == "x"


@pytest.mark.usefixtures("system_keyring")
def test_a_keyring_that_appears_later_is_found_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault_module, "_BACKENDS", {sys.platform: (), "linux": ()})
    assert isinstance(open_vault()[0], RunOnlyVault)
    offer(monkeypatch, Memory)
    assert isinstance(open_vault()[0], KeyringVault)


@pytest.mark.usefixtures("system_keyring")
@pytest.mark.parametrize(("raised", "trouble"), FAILURES, ids=lambda value: type(value).__name__)
def test_a_keyring_that_is_there_but_does_not_work_is_told(
    monkeypatch: pytest.MonkeyPatch, raised: Exception, trouble: Trouble
) -> None:
    offer(monkeypatch, Failing)
    monkeypatch.setattr(Failing, "error", raised)
    vault, note = open_vault()
    assert isinstance(vault, RunOnlyVault)
    assert note is not None
    assert note.trouble is trouble


@pytest.mark.usefixtures("system_keyring")
def test_a_keyring_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, Prompting)
    monkeypatch.setattr(vault_module, "ANSWER_LIMIT_S", 0.05)
    monkeypatch.setattr(Prompting, "answered", threading.Event())
    try:
        vault, note = open_vault()
    finally:
        Prompting.answered.set()
    assert isinstance(vault, RunOnlyVault)
    assert note is not None
    assert note.trouble is Trouble.SILENT


class PlaintextKeyring(Memory):
    """Stands for keyrings.alt's, and for any that is not the system's."""


@pytest.mark.usefixtures("system_keyring")
@pytest.mark.parametrize(
    ("chosen", "trouble"),
    [
        ("keyring.backends.fail.Keyring", Trouble.SWITCHED_OFF),
        ("keyring.backends.null.Keyring", Trouble.SWITCHED_OFF),
        (f"{__name__}.PlaintextKeyring", Trouble.NOT_SAFE),
        ("nowhere.to.be.Found", Trouble.MISSING),
        ("", Trouble.MISSING),
        ("keyring.backends.chainer.ChainerBackend", None),
        (f"{__name__}.Memory", None),
    ],
)
@pytest.mark.parametrize("by", ["environment", "configuration file"])
def test_a_configured_keyring_is_used_only_if_it_is_the_systems(
    monkeypatch: pytest.MonkeyPatch, own_home: Path, chosen: str, trouble: Trouble | None, by: str
) -> None:
    if by == "environment":
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", chosen)
    else:
        monkeypatch.setattr(platform_, "config_root", lambda: own_home)
        (own_home / "keyringrc.cfg").write_text(f"[backend]\ndefault-keyring={chosen}\n")
    vault, note = open_vault()
    assert (note.trouble if note else None) is trouble
    assert isinstance(vault, KeyringVault if trouble is None else RunOnlyVault)


@pytest.mark.usefixtures("system_keyring")
def test_a_plain_text_keyring_that_is_installed_is_never_used(monkeypatch: pytest.MonkeyPatch) -> None:
    # keyring's own search would take it: it is there, and it has a priority
    assert PlaintextKeyring in KeyringBackend._classes  # type: ignore[attr-defined] - made by its metaclass
    monkeypatch.setattr(vault_module, "_BACKENDS", {sys.platform: (), "linux": ()})
    assert isinstance(open_vault()[0], RunOnlyVault)


def test_the_real_lists_name_keyrings_that_exist() -> None:
    assert set(vault_module._BACKENDS) == {"linux", "darwin", "win32"}
    for backends in vault_module._BACKENDS.values():
        for name, _ in backends:
            assert issubclass(_load_keyring_class(name), KeyringBackend)


def test_importing_the_vault_does_not_import_keyring() -> None:
    script = "import sys, app.vault; sys.exit('keyring' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[2])
