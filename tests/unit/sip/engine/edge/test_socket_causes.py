"""Errors of connecting by kind, with the numbers of each system."""

from __future__ import annotations

import errno
import os
from types import SimpleNamespace

import pytest

from app.model.outcome import LocalCause
from app.sip.engine.edge import socket_causes
from app.sip.engine.edge.socket_causes import classify, system_words


class WindowsSocketError(OSError):
    """As Windows raises it: its own number beside the POSIX one."""

    def __init__(self, number: int, winerror: int, words: str) -> None:
        super().__init__(number, words)
        self.winerror = winerror


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), LocalCause.REFUSED),
        (OSError(errno.ENETUNREACH, "x"), LocalCause.NO_ROUTE),
        (OSError(errno.EHOSTUNREACH, "x"), LocalCause.NO_ROUTE),
        (OSError(errno.ENETDOWN, "x"), LocalCause.NO_ROUTE),
        (OSError(errno.EADDRNOTAVAIL, "x"), LocalCause.NO_ROUTE),
        (OSError(errno.EAFNOSUPPORT, "x"), LocalCause.NO_ROUTE),
        (PermissionError(errno.EACCES, "x"), LocalCause.PROHIBITED),
        (PermissionError(errno.EPERM, "x"), LocalCause.PROHIBITED),
        (OSError(errno.EMFILE, "x"), LocalCause.OTHER),
        (OSError("words"), LocalCause.OTHER),
        (WindowsSocketError(errno.EINVAL, 1225, "x"), LocalCause.REFUSED),
        (WindowsSocketError(errno.EINVAL, 10061, "x"), LocalCause.REFUSED),
        (WindowsSocketError(errno.EINVAL, 1231, "x"), LocalCause.NO_ROUTE),
        (WindowsSocketError(errno.EINVAL, 1232, "x"), LocalCause.NO_ROUTE),
        (WindowsSocketError(errno.EINVAL, 10051, "x"), LocalCause.NO_ROUTE),
        (WindowsSocketError(errno.EINVAL, 10065, "x"), LocalCause.NO_ROUTE),
        (WindowsSocketError(errno.EINVAL, 10055, "x"), LocalCause.OTHER),
    ],
)
def test_errors_by_kind(error: OSError, cause: LocalCause) -> None:
    found, words = classify(error)
    assert found is cause
    assert words


@pytest.mark.skipif(os.name != "posix", reason="elsewhere the error itself has the words")
def test_the_words_are_the_systems() -> None:
    assert system_words(OSError(errno.ECONNRESET, "x")) == os.strerror(errno.ECONNRESET)
    assert system_words(OSError("words")) == "words"


def test_elsewhere_they_are_the_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_causes, "os", SimpleNamespace(name="nt"))
    assert system_words(OSError(10054, "closed by the remote host")) == "closed by the remote host"
    assert system_words(OSError("words")) == "words"
