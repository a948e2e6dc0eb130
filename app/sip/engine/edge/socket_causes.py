"""What an error of a socket means."""

from __future__ import annotations

import errno
import os

from app.model.outcome import LocalCause

_NO_ROUTE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
_NO_ROUTE_WINDOWS = {1231, 1232, 10051, 10065}
"""ERROR_NETWORK_UNREACHABLE, ERROR_HOST_UNREACHABLE, WSAENETUNREACH, WSAEHOSTUNREACH."""
_REFUSED_WINDOWS = {1225, 10061}
"""ERROR_CONNECTION_REFUSED, WSAECONNREFUSED."""
_PROHIBITED = {errno.EACCES, errno.EPERM}


def classify(error: OSError) -> tuple[LocalCause, str]:
    """The kind of an error of connecting, and its words."""
    windows = getattr(error, "winerror", None)
    if isinstance(error, ConnectionRefusedError) or windows in _REFUSED_WINDOWS:
        return LocalCause.REFUSED, "connection refused"
    if error.errno in _NO_ROUTE or windows in _NO_ROUTE_WINDOWS:
        return LocalCause.NO_ROUTE, system_words(error)
    if error.errno in _PROHIBITED:
        return LocalCause.PROHIBITED, system_words(error)
    return LocalCause.OTHER, system_words(error)


def system_words(error: OSError) -> str:
    """The system's words for an error."""
    # On Windows `os.strerror` does not know the errors of sockets
    if error.errno and os.name == "posix":
        return os.strerror(error.errno)
    return error.strerror or str(error)
