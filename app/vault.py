"""Passwords of trunks in the system keyring, or for this run only; never in a file of ours.

Every call may wait for the person to unlock the keyring: make it off the window's thread. The package keyring
is imported with the first call, as it costs more than a window has.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TypeVar

import msgspec

from app.errors import VaultError
from app.model.password import check_password
from app.redact import redact_text

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

T = TypeVar("T")

SERVICE = "Ringback"
"""What our entries are filed under; the account is the trunk's id."""

ANSWER_LIMIT_S = 120.0
"""How long the keyring may take, time to type its password included; nobody may see its prompt."""

# The keyrings of the three systems, the preferred first. Only these: they encrypt, and the user's login opens
# them. keyring would also take whatever else is installed, such as the plain-text files of keyrings.alt.
_BACKENDS: dict[str, tuple[tuple[str, str], ...]] = {
    "linux": (
        ("keyring.backends.SecretService.Keyring", "the system keyring (Secret Service)"),
        ("keyring.backends.libsecret.Keyring", "the system keyring (Secret Service)"),
        ("keyring.backends.kwallet.DBusKeyring", "KWallet"),
    ),
    "darwin": (("keyring.backends.macOS.Keyring", "the macOS Keychain"),),
    "win32": (("keyring.backends.Windows.WinVaultKeyring", "the Windows Credential Manager"),),
}


_SWITCHED_OFF = frozenset({"keyring.backends.null.Keyring", "keyring.backends.fail.Keyring"})


class Trouble(StrEnum):
    """Why the system keyring can't be used."""

    MISSING = "missing"
    SWITCHED_OFF = "switched off"
    NOT_SAFE = "not safe"
    LOCKED = "locked"
    REFUSED = "refused"
    SILENT = "silent"


# Numbers that Apple's and Microsoft's own calls fail with, where keyring hands them on.
_CODES: dict[str, dict[int, Trouble]] = {
    "darwin": {
        -128: Trouble.LOCKED,  # errSecUserCanceled: the person said no
        -25308: Trouble.LOCKED,  # errSecInteractionNotAllowed: locked, and nobody can be asked, as over SSH
        -25293: Trouble.REFUSED,  # errSecAuthFailed
        -25291: Trouble.MISSING,  # errSecNotAvailable
        -25307: Trouble.MISSING,  # errSecNoDefaultKeychain
    },
    "win32": {
        5: Trouble.REFUSED,  # ERROR_ACCESS_DENIED
        1312: Trouble.REFUSED,  # ERROR_NO_SUCH_LOGON_SESSION: what a policy against saved passwords gives
        1058: Trouble.MISSING,  # ERROR_SERVICE_DISABLED
        1722: Trouble.MISSING,  # RPC_S_SERVER_UNAVAILABLE: the service does not run
    },
}


class VaultNote(msgspec.Struct, frozen=True, kw_only=True):
    """Why passwords are kept for this run only, for the person.

    Attributes:
        trouble: The kind of reason.
        what: What is the matter, and what that means.
        do: What to do.
        details: The keyring's own words.
    """

    trouble: Trouble
    what: str
    do: str
    details: str = ""


_THIS_RUN_ONLY = "Passwords are kept for this run only."

_CONFIGURED = (
    "The Python keyring is switched off on this computer.",
    "Take the line out of its configuration file keyringrc.cfg, or unset PYTHON_KEYRING_BACKEND.",
)
_UNSAFE = (
    "On this computer the Python keyring is set to one that Ringback does not trust with passwords.",
    "Choose the system's own in its configuration file keyringrc.cfg, or unset PYTHON_KEYRING_BACKEND.",
)
_WORDS: dict[str, dict[Trouble, tuple[str, str]]] = {
    "linux": {
        Trouble.MISSING: (
            "This computer has no system keyring, or it is not running.",
            "Install gnome-keyring, or KWallet, or KeePassXC with its Secret Service switched on; "
            "then sign in to your desktop again.",
        ),
        Trouble.SWITCHED_OFF: _CONFIGURED,
        Trouble.NOT_SAFE: _UNSAFE,
        Trouble.LOCKED: (
            "The system keyring is locked.",
            "Unlock it when asked for its password, or in the app Passwords and Keys; then try again.",
        ),
        Trouble.REFUSED: (
            "The system keyring refused.",
            "Sign out of your desktop and in again; if it stays so, look into the details.",
        ),
        Trouble.SILENT: (
            "The system keyring does not answer.",
            "Look for a window that asks for the keyring's password, on the desktop of this computer; "
            "then try again.",
        ),
    },
    "darwin": {
        Trouble.MISSING: (
            "The macOS Keychain can't be reached.",
            "Open the app Keychain Access and see that there is a login keychain; then try again.",
        ),
        Trouble.SWITCHED_OFF: _CONFIGURED,
        Trouble.NOT_SAFE: _UNSAFE,
        Trouble.LOCKED: (
            "macOS did not let Ringback into the Keychain.",
            "Try again, and when macOS asks, type your password and choose Always Allow.",
        ),
        Trouble.REFUSED: (
            "The macOS Keychain refused.",
            "Unlock the login keychain in the app Keychain Access; then try again.",
        ),
        Trouble.SILENT: (
            "The macOS Keychain does not answer.",
            "Look for a window of macOS that asks about Ringback and the Keychain; then try again.",
        ),
    },
    "win32": {
        Trouble.MISSING: (
            "The Windows Credential Manager can't be reached.",
            "See in Services that Credential Manager is not disabled; then try again.",
        ),
        Trouble.SWITCHED_OFF: _CONFIGURED,
        Trouble.NOT_SAFE: _UNSAFE,
        Trouble.LOCKED: (
            "The Windows Credential Manager is locked.",
            "Sign in to Windows again; then try again.",
        ),
        Trouble.REFUSED: (
            "The Windows Credential Manager refused.",
            "A policy may forbid saved passwords; ask whoever looks after this computer.",
        ),
        Trouble.SILENT: (
            "The Windows Credential Manager does not answer.",
            "Restart the computer; then try again.",
        ),
    },
}


class Vault(Protocol):
    """Keeps one password for each trunk."""

    @property
    def where(self) -> str:
        """Where the passwords are, for a sentence: "Password kept in …"."""

    def get(self, trunk_id: str) -> str | None:
        """The password, or None when none is kept.

        Raises:
            VaultError: The keyring is locked, refuses or does not answer.
        """

    def set(self, trunk_id: str, password: str) -> None:
        """Keeps a password in place of the former one.

        Raises:
            VaultError: It is no password, or as in `get`; the former one is still kept.
        """

    def delete(self, trunk_id: str) -> None:
        """Forgets a password; harmless when none is kept.

        Raises:
            VaultError: As in `get`.
        """


class RunOnlyVault:
    """Memory: forgotten when Ringback ends."""

    def __init__(self) -> None:
        self._passwords: dict[str, str] = {}

    def __repr__(self) -> str:
        """Without what is in it."""
        return f"RunOnlyVault({len(self._passwords)} hidden)"

    @property
    def where(self) -> str:
        """Where the passwords are."""
        return "memory, for this run only"

    def get(self, trunk_id: str) -> str | None:
        """The password, or None when none is kept."""
        return self._passwords.get(trunk_id)

    def set(self, trunk_id: str, password: str) -> None:
        """Keeps a password in place of the former one."""
        check_password(password)
        self._passwords[trunk_id] = password

    def delete(self, trunk_id: str) -> None:
        """Forgets a password; harmless when none is kept."""
        self._passwords.pop(trunk_id, None)


class KeyringVault:
    """The keyring that the user's login opens.

    Args:
        backend: One of keyring's.
        where: Its name for the person.
    """

    def __init__(self, backend: KeyringBackend, where: str) -> None:
        self._backend = backend
        self._where = where

    def __repr__(self) -> str:
        """The keyring's kind; nothing is read for it."""
        return f"KeyringVault({self._where!r})"

    @property
    def where(self) -> str:
        """Where the passwords are."""
        return self._where

    def get(self, trunk_id: str) -> str | None:
        """The password, or None when none is kept."""
        return self._ask(lambda: self._backend.get_password(SERVICE, trunk_id), "read")

    def set(self, trunk_id: str, password: str) -> None:
        """Keeps a password in place of the former one."""
        check_password(password)
        self._ask(lambda: self._backend.set_password(SERVICE, trunk_id, password), "saved", password)

    def delete(self, trunk_id: str) -> None:
        """Forgets a password; harmless when none is kept."""
        # Backends tell "no such entry" and "not allowed" with the same error.
        if self.get(trunk_id) is not None:
            self._ask(lambda: self._backend.delete_password(SERVICE, trunk_id), "deleted")

    @staticmethod
    def _ask(call: Callable[[], T], done: str, secret: str = "") -> T:
        try:
            return _within_limit(call)
        except Exception as error:  # noqa: BLE001 - backends also raise D-Bus's and Windows' own classes
            note = _note(error)
            details = redact_text(note.details, [secret])
            # Without the cause: a traceback of the backend could show the password.
            raise VaultError(
                f"The password was not {done}. {note.what}", do=note.do, details=details
            ) from None


def open_vault() -> tuple[Vault, VaultNote | None]:
    """Finds the system keyring and tries it, which may ask the person to unlock it.

    Returns:
        The keyring and None; or a vault for this run only and the reason, which the person must be told. Call
        again after they have changed something.
    """
    try:
        backend, where = _within_limit(_find_backend)
        # Whether it answers can only be found by asking, here for an entry that never exists.
        _within_limit(lambda: backend.get_password(SERVICE, "is-this-keyring-open"))
    except Exception as error:  # noqa: BLE001 - backends also raise D-Bus's and Windows' own classes
        note = _note(error)
        return RunOnlyVault(), msgspec.structs.replace(note, what=f"{note.what} {_THIS_RUN_ONLY}")
    return KeyringVault(backend, where), None


class _NotUsableError(Exception):
    """No keyring that we would use; the text is for the details."""

    def __init__(self, trouble: Trouble, details: str) -> None:
        super().__init__(details)
        self.trouble = trouble


def _find_backend() -> tuple[KeyringBackend, str]:
    from keyring.core import load_config, load_env, load_keyring

    names = dict(_BACKENDS.get(sys.platform, _BACKENDS["linux"]))
    # A choice by PYTHON_KEYRING_BACKEND or keyring's configuration file is respected where it is one of the
    # system's. keyring's own search is not used: it remembers its result, so a keyring that is started
    # later would not be found. Its chainer is that search under another name.
    try:
        chosen = load_env() or load_config()
    except Exception as error:  # a file and a module of somebody else's can fail in any way
        details = f"the keyring that was chosen can't be loaded: {type(error).__name__}: {error}"
        raise _NotUsableError(Trouble.MISSING, details) from error
    if chosen is not None:
        name = f"{type(chosen).__module__}.{type(chosen).__name__}"
        if name in names:
            return chosen, names[name]
        if name in _SWITCHED_OFF:
            raise _NotUsableError(Trouble.SWITCHED_OFF, f"keyring is set to {name}")
        if name != "keyring.backends.chainer.ChainerBackend":
            raise _NotUsableError(Trouble.NOT_SAFE, f"keyring is set to {name}")
    reasons = []
    for name, where in names.items():
        try:
            return load_keyring(name), where
        except Exception as error:  # noqa: BLE001 - whatever it raises, this one is not there
            reasons.append(f"{name}: {type(error).__name__}: {error}")
    raise _NotUsableError(Trouble.MISSING, "\n".join(reasons))


def _within_limit(call: Callable[[], T]) -> T:
    """Raises what the call raises, or TimeoutError."""
    answers: list[T] = []
    failures: list[Exception] = []

    def run() -> None:
        try:
            answers.append(call())
        except Exception as error:  # noqa: BLE001 - raised again below, in the caller's thread
            failures.append(error)

    # A daemon, and no executor: at our end nobody must wait for a prompt that is still open.
    thread = threading.Thread(target=run, name="keyring", daemon=True)
    thread.start()
    thread.join(ANSWER_LIMIT_S)
    if answers:
        return answers[0]
    raise failures[0] if failures else TimeoutError(f"no answer within {ANSWER_LIMIT_S:g} s")


def _note(error: Exception) -> VaultNote:
    trouble = _trouble(error)
    details = str(error) if isinstance(error, _NotUsableError) else f"{type(error).__name__}: {error}"
    what, do = _WORDS[sys.platform if sys.platform in _WORDS else "linux"][trouble]
    return VaultNote(trouble=trouble, what=what, do=do, details=details)


def _trouble(error: Exception) -> Trouble:
    """By the names of the classes, so that Linux's D-Bus packages need not be there elsewhere."""
    if isinstance(error, _NotUsableError):
        return error.trouble
    causes = [cause for cause in (error, error.__cause__) if cause]
    codes = _CODES.get(sys.platform, {})
    for cause in causes:
        if cause.args and isinstance(cause.args[0], int) and cause.args[0] in codes:
            return codes[cause.args[0]]
    names = {kind.__name__ for cause in causes for kind in type(cause).__mro__}
    if "TimeoutError" in names:
        return Trouble.SILENT
    if names & {"KeyringLocked", "LockedException", "PromptDismissedException"}:
        return Trouble.LOCKED
    if names & {
        "NoKeyringError",
        "SecretServiceNotAvailableException",
        "ConnectionError",
        "FileNotFoundError",
    }:
        return Trouble.MISSING
    return Trouble.REFUSED
