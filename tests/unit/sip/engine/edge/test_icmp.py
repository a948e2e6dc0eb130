"""ICMP errors, taken apart as the system hands them out, and live on a closed port of loopback."""

from __future__ import annotations

import errno
import select
import socket
import struct

import pytest

from app.model.outcome import LocalCause
from app.model.signalling import IcmpError, Unreachable
from app.model.trunk import Transport
from app.sip.engine.edge.datagrams import Datagrams
from app.sip.engine.edge.hop import Hop
from app.sip.engine.edge.icmp import CAUSES, _error, can_read, of_send_error, read_errors
from tests.helpers.waiting import wait_for

LINUX = pytest.mark.skipif(not can_read(), reason="other systems do not hand ICMP errors out")
TARGET = ("203.0.113.1", 5060)


def extended(
    number: int, *, origin: int = 2, kind: int = 3, code: int = 0, offender: str = "198.51.100.1"
) -> bytes:
    """A `sock_extended_err` of linux/errqueue.h with the offender's `sockaddr_in` behind it."""
    head = struct.pack("=IBBBBII", number, origin, kind, code, 0, 0, 0)
    return head + struct.pack("=HH4s8x", socket.AF_INET, 0, socket.inet_aton(offender))


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (0, Unreachable.NETWORK),
        (1, Unreachable.HOST),
        (2, Unreachable.PROTOCOL),
        (3, Unreachable.PORT),
        (4, Unreachable.TOO_BIG),
        (5, Unreachable.HOST),
        (6, Unreachable.NETWORK),
        (7, Unreachable.HOST),
        (9, Unreachable.PROHIBITED),
        (10, Unreachable.PROHIBITED),
        (11, Unreachable.NETWORK),
        (12, Unreachable.HOST),
        (13, Unreachable.PROHIBITED),
        (14, Unreachable.PROHIBITED),
        (15, Unreachable.PROHIBITED),
    ],
)
def test_every_code_of_destination_unreachable_is_told_with_who_said_it(code: int, kind: Unreachable) -> None:
    assert _error(extended(errno.EHOSTUNREACH, code=code), TARGET) == IcmpError(
        kind=kind, reported_by="198.51.100.1", target="203.0.113.1:5060"
    )


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ECONNREFUSED, Unreachable.PORT),
        (errno.EHOSTUNREACH, Unreachable.HOST),
        (errno.ENETUNREACH, Unreachable.NETWORK),
        (errno.EMSGSIZE, Unreachable.TOO_BIG),
        (errno.EACCES, Unreachable.PROHIBITED),
        (errno.EPERM, Unreachable.PROHIBITED),
        (errno.EPROTO, None),
        (0, None),
    ],
)
def test_what_is_no_icmp_code_is_told_by_its_error_number(number: int, kind: Unreachable | None) -> None:
    local, unknown = extended(number, origin=1), extended(number, code=99)
    for data, by in ((local, ""), (unknown, "198.51.100.1")):
        found = _error(data, TARGET)
        assert found == (IcmpError(kind=kind, reported_by=by, target="203.0.113.1:5060") if kind else None)


def test_time_exceeded_is_host_unreachable() -> None:
    found = _error(extended(errno.EHOSTUNREACH, kind=11), TARGET)
    assert found is not None
    assert found.kind is Unreachable.HOST


def test_damaged_data_is_passed_over() -> None:
    whole = extended(errno.ECONNREFUSED, code=3)
    for length in range(16):
        assert _error(whole[:length], TARGET) is None
    for length in range(16, len(whole)):
        found = _error(whole[:length], TARGET)
        assert found is not None
        assert found.kind is Unreachable.PORT
        assert found.reported_by in ("", "198.51.100.1")
    nobody = whole[:16] + struct.pack("=H", socket.AF_INET6) + whole[18:]
    found = _error(nobody, TARGET)
    assert found == IcmpError(kind=Unreachable.PORT, target="203.0.113.1:5060")
    for address in (None, (), ("203.0.113.1",), "203.0.113.1"):
        found = _error(whole, address)
        assert found is not None
        assert found.target == ""


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENETUNREACH, Unreachable.NETWORK),
        (errno.EPERM, Unreachable.PROHIBITED),
        (errno.EACCES, Unreachable.PROHIBITED),
        (errno.ECONNREFUSED, Unreachable.PORT),
        (errno.EMSGSIZE, Unreachable.TOO_BIG),
        (errno.EINVAL, None),
        (errno.ENOBUFS, None),
    ],
)
def test_what_this_computer_says_against_a_datagram(number: int, kind: Unreachable | None) -> None:
    found = of_send_error(OSError(number, "x"), "203.0.113.1:5060")
    assert found == (IcmpError(kind=kind, target="203.0.113.1:5060") if kind else None)
    assert of_send_error(OSError("words"), "") is None


def test_every_kind_but_a_size_has_a_cause() -> None:
    assert set(Unreachable) - set(CAUSES) == {Unreachable.TOO_BIG}
    assert CAUSES[Unreachable.PORT] is LocalCause.REFUSED
    assert CAUSES[Unreachable.PROHIBITED] is LocalCause.PROHIBITED


# Live


@pytest.fixture
def closed_port() -> int:
    """A port on which nothing listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@LINUX
def test_a_closed_port_of_loopback_is_told_with_its_number(closed_port: int) -> None:
    datagrams = Datagrams("127.0.0.1")
    try:
        assert datagrams.send(b"hello", Hop(Transport.UDP, "127.0.0.1", closed_port)) is None
        (error,) = wait_for(datagrams.errors, "the ICMP error")
        assert error == IcmpError(
            kind=Unreachable.PORT, reported_by="127.0.0.1", target=f"127.0.0.1:{closed_port}"
        )
        assert datagrams.errors() == []
    finally:
        datagrams.close()


@LINUX
def test_an_error_of_one_datagram_costs_no_other(closed_port: int) -> None:
    datagrams, other = Datagrams("127.0.0.1"), Datagrams("127.0.0.1")
    try:
        here = Hop(Transport.UDP, "127.0.0.1", other.port)
        for _ in range(5):
            assert datagrams.send(b"lost", Hop(Transport.UDP, "127.0.0.1", closed_port)) is None
            select.select([datagrams.sock], [], [], 10)
            assert datagrams.send(b"good", here) is None
            (got,) = wait_for(lambda: list(other.receive()), "the datagram")
            assert got == (b"good", Hop(Transport.UDP, "127.0.0.1", datagrams.port))
            other.send(b"back", Hop(Transport.UDP, "127.0.0.1", datagrams.port))
            ((raw, _),) = wait_for(lambda: list(datagrams.receive()), "the answer")
            assert raw == b"back"
        assert {error.kind for error in datagrams.errors()} <= {Unreachable.PORT}
    finally:
        datagrams.close()
        other.close()


@LINUX
def test_a_port_that_may_not_be_reached_is_told_at_once() -> None:
    datagrams = Datagrams("127.0.0.1")
    try:
        # Bound to loopback, there is no way to any other address
        refusal = datagrams.send(b"x", Hop(Transport.UDP, "203.0.113.1", 5060))
        assert refusal is None or refusal.kind in CAUSES
        broadcast = datagrams.send(b"x", Hop(Transport.UDP, "255.255.255.255", 5060))
        assert broadcast is not None
        assert broadcast.target == "255.255.255.255:5060"
    finally:
        datagrams.close()


def test_a_socket_without_errors_has_none() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        assert read_errors(sock) == []


def test_many_datagrams_are_taken_a_limited_number_at_a_time() -> None:
    datagrams, other = Datagrams("127.0.0.1"), Datagrams("127.0.0.1")
    try:
        here = Hop(Transport.UDP, "127.0.0.1", datagrams.port)
        for number in range(40):
            other.send(str(number).encode(), here)
        first = list(datagrams.receive())
        rest = wait_for(lambda: list(datagrams.receive()), "the others")
        assert [int(raw) for raw, _ in first + rest] == list(range(40))
        assert len(first) == 32
        assert list(datagrams.receive()) == []
    finally:
        datagrams.close()
        other.close()


class ResetSocket:
    """As a UDP socket of Windows behaves after an ICMP error: it says so in the next `recvfrom`."""

    def __init__(self) -> None:
        self.script: list[Exception | bytes] = [
            ConnectionResetError(10054, "reset"),
            b"hello",
            BlockingIOError(),
        ]

    def sendto(self, *_: object) -> None:
        """It has left."""

    def recvfrom(self, _: int) -> tuple[bytes, tuple[str, int]]:
        """The next thing of the script."""
        following = self.script.pop(0)
        if isinstance(following, bytes):
            return following, TARGET
        raise following


def test_on_windows_the_last_place_sent_to_is_the_closed_one(monkeypatch: pytest.MonkeyPatch) -> None:
    datagrams = Datagrams("127.0.0.1")
    datagrams.close()
    monkeypatch.setattr("app.sip.engine.edge.datagrams.read_errors", lambda _: [])
    monkeypatch.setattr(datagrams, "sock", ResetSocket())
    datagrams.send(b"x", Hop(Transport.UDP, *TARGET))
    assert datagrams.errors() == []
    assert [raw for raw, _ in datagrams.receive()] == [b"hello"]
    assert datagrams.errors() == [IcmpError(kind=Unreachable.PORT, target="203.0.113.1:5060")]
    assert datagrams.errors() == []
