"""PJSIP's status and words become our causes, with the error numbers of each system."""

from __future__ import annotations

import errno

import pjsua2 as pj
import pytest

from app.errors import EngineError
from app.model.outcome import LocalCause
from app.sip.engine.causes import carry_out, local_cause

LINUX = {
    111: LocalCause.REFUSED,
    113: LocalCause.NO_ROUTE,
    101: LocalCause.NO_ROUTE,
    100: LocalCause.NO_ROUTE,
    112: LocalCause.NO_ROUTE,
    110: LocalCause.NO_ANSWER,
    104: LocalCause.CONNECTION_LOST,
    103: LocalCause.CONNECTION_LOST,
    32: LocalCause.CONNECTION_LOST,
}
WINDOWS = {
    10061: LocalCause.REFUSED,
    10065: LocalCause.NO_ROUTE,
    10051: LocalCause.NO_ROUTE,
    10050: LocalCause.NO_ROUTE,
    10064: LocalCause.NO_ROUTE,
    10060: LocalCause.NO_ANSWER,
    10054: LocalCause.CONNECTION_LOST,
    10053: LocalCause.CONNECTION_LOST,
}
NAMES = {
    "ECONNREFUSED": LocalCause.REFUSED,
    "EHOSTUNREACH": LocalCause.NO_ROUTE,
    "ENETUNREACH": LocalCause.NO_ROUTE,
    "ENETDOWN": LocalCause.NO_ROUTE,
    "EHOSTDOWN": LocalCause.NO_ROUTE,
    "ETIMEDOUT": LocalCause.NO_ANSWER,
    "ECONNRESET": LocalCause.CONNECTION_LOST,
    "ECONNABORTED": LocalCause.CONNECTION_LOST,
    "EPIPE": LocalCause.CONNECTION_LOST,
}
PJ_ERRNO_START_SYS = 120_000


@pytest.mark.parametrize(("number", "cause"), LINUX.items())
@pytest.mark.skipif(errno.ECONNREFUSED != 111, reason="another system's numbers")
def test_linux_error_numbers(number: int, cause: LocalCause) -> None:
    assert local_cause(503, PJ_ERRNO_START_SYS + number, "") is cause


@pytest.mark.parametrize(("number", "cause"), WINDOWS.items())
def test_windows_socket_error_numbers(number: int, cause: LocalCause) -> None:
    assert local_cause(503, PJ_ERRNO_START_SYS + number, "") is cause


@pytest.mark.parametrize(("name", "cause"), NAMES.items())
def test_this_systems_own_numbers(name: str, cause: LocalCause) -> None:
    assert local_cause(503, PJ_ERRNO_START_SYS + getattr(errno, name), "") is cause


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("Connection refused", LocalCause.REFUSED),
        ("No route to host", LocalCause.NO_ROUTE),
        ("Network is unreachable", LocalCause.NO_ROUTE),
        ("Network is down", LocalCause.NO_ROUTE),
        ("Host is down", LocalCause.NO_ROUTE),
        ("Connection timed out", LocalCause.NO_ANSWER),
        ("Operation timed out", LocalCause.NO_ANSWER),
        ("Request Timeout", LocalCause.NO_ANSWER),
        ("Connection reset by peer", LocalCause.CONNECTION_LOST),
        ("Software caused connection abort", LocalCause.CONNECTION_LOST),
        ("Broken pipe", LocalCause.CONNECTION_LOST),
        ("End of file (PJ_EEOF)", LocalCause.CONNECTION_LOST),
    ],
)
def test_without_a_number_the_words_decide(reason: str, cause: LocalCause) -> None:
    assert local_cause(503, 0, reason) is cause
    assert local_cause(503, 0, reason.upper()) is cause


def test_the_number_counts_more_than_the_words() -> None:
    assert (
        local_cause(503, PJ_ERRNO_START_SYS + errno.ECONNREFUSED, "Service timed out") is LocalCause.REFUSED
    )


@pytest.mark.parametrize(
    ("code", "status", "reason", "cause"),
    [
        (408, 0, "", LocalCause.NO_ANSWER),
        (503, 0, "", LocalCause.OTHER),
        (503, 0, "Something new", LocalCause.OTHER),
        (503, 171060, "Unsupported transport", LocalCause.OTHER),
        (503, PJ_ERRNO_START_SYS + 4711, "Something new", LocalCause.OTHER),
        # A status of PJSIP's own is no error number of the system
        (503, 70_000 + errno.ECONNREFUSED, "", LocalCause.OTHER),
    ],
)
def test_the_rest_is_silence_or_something_else(
    code: int, status: int, reason: str, cause: LocalCause
) -> None:
    assert local_cause(code, status, reason) is cause


def test_what_pjsip_refuses_is_said_for_people_with_its_words_as_details() -> None:
    def refuse() -> None:
        raise pj.Error(70_004, "makeCall()", "Invalid argument", "call.cpp", 1)

    with pytest.raises(EngineError) as caught:
        carry_out(refuse, "600 can't be dialled.")
    assert caught.value.what == "600 can't be dialled."
    assert "Invalid argument" in caught.value.details
    assert "makeCall" in caught.value.details


def test_another_error_is_a_bug_and_goes_on_its_way() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        carry_out(fail, "words")
