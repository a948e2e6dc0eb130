"""Why PJSIP refused or made up a final code: its own status and words, turned into ours."""

from __future__ import annotations

import errno
from collections.abc import Callable

import pjsua2 as pj

from app.errors import EngineError
from app.model.outcome import LocalCause

_OS_ERRORS = 120000
"""PJLIB adds this to the system's error numbers (PJ_ERRNO_START_SYS)."""

_ERRNO_CAUSES = {
    errno.ECONNREFUSED: LocalCause.REFUSED,
    errno.EHOSTUNREACH: LocalCause.NO_ROUTE,
    errno.EHOSTDOWN: LocalCause.NO_ROUTE,
    errno.ENETUNREACH: LocalCause.NO_ROUTE,
    errno.ENETDOWN: LocalCause.NO_ROUTE,
    errno.ETIMEDOUT: LocalCause.NO_ANSWER,
    errno.ECONNRESET: LocalCause.CONNECTION_LOST,
    errno.ECONNABORTED: LocalCause.CONNECTION_LOST,
    errno.EPIPE: LocalCause.CONNECTION_LOST,
    # Windows Sockets numbers, which PJLIB passes on there
    10061: LocalCause.REFUSED,
    10065: LocalCause.NO_ROUTE,
    10064: LocalCause.NO_ROUTE,
    10051: LocalCause.NO_ROUTE,
    10050: LocalCause.NO_ROUTE,
    10060: LocalCause.NO_ANSWER,
    10054: LocalCause.CONNECTION_LOST,
    10053: LocalCause.CONNECTION_LOST,
}

_WORDS = (
    ("refused", LocalCause.REFUSED),
    ("unreachable", LocalCause.NO_ROUTE),
    ("no route", LocalCause.NO_ROUTE),
    ("is down", LocalCause.NO_ROUTE),
    ("timed out", LocalCause.NO_ANSWER),
    ("timeout", LocalCause.NO_ANSWER),
    ("reset", LocalCause.CONNECTION_LOST),
    ("abort", LocalCause.CONNECTION_LOST),
    ("broken pipe", LocalCause.CONNECTION_LOST),
    ("end of file", LocalCause.CONNECTION_LOST),
)


def local_cause(code: int, status: int, reason: str) -> LocalCause:
    """The cause behind a final code that no message brought.

    Args:
        code: The SIP code that PJSIP made up (408 for its timer, 502 for DNS, 503 for a transport).
        status: PJSIP's status, 0 when not known.
        reason: PJSIP's words.
    """
    if status > _OS_ERRORS and (cause := _ERRNO_CAUSES.get(status - _OS_ERRORS)):
        return cause
    lower = reason.lower()
    for word, cause in _WORDS:
        if word in lower:
            return cause
    return LocalCause.NO_ANSWER if code == 408 else LocalCause.OTHER


def carry_out(act: Callable[[], None], what: str) -> None:
    """Run a PJSIP function.

    Raises:
        EngineError: PJSIP refused; `what` says it for the person and PJSIP's words are the details.
    """
    try:
        act()
    except pj.Error as error:
        raise refusal(what, error) from None


def refusal(what: str, error: pj.Error) -> EngineError:
    """What PJSIP will not do: `what` says it for the person, PJSIP's words are the details."""
    return EngineError(what, details=f"{error.title}: {error.reason}")
