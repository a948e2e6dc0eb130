"""The two families of errors: `UserError` is shown to the person, anything else is a bug of ours."""

from __future__ import annotations


class UserError(Exception):
    """Something the person can understand and act on.

    Args:
        what: What happened, one sentence.
        do: What to do next, one sentence; may be empty when `what` says it all.
        details: Technical text for "copy details"; never holds a secret.
        field: The setting that caused it, as in `ringback add --set`, if there is one.
    """

    def __init__(self, what: str, *, do: str = "", details: str = "", field: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.do = do
        self.details = details
        self.field = field

    def __str__(self) -> str:
        """The whole message in one line: what happened, then what to do."""
        return f"{self.what} {self.do}".strip()


class SettingError(UserError):
    """A trunk setting that can't be used; `field` names it."""


class StoreError(UserError):
    """The data folder or its database can't be read or written."""


class VaultError(UserError):
    """The system keyring can't keep or give a password."""


class EngineError(UserError):
    """An engine process did not start, refused a command or ended."""


class CallRefusedError(UserError):
    """A call that Ringback will not place, such as one to an emergency number."""
