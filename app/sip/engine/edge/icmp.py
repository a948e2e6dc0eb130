"""ICMP errors in answer to datagrams of ours, where the system hands them out (RFC 792, RFC 1812).

Linux does for every socket that asks (`IP_RECVERR`, ip(7)). Windows says of a socket only that some port was
closed, macOS nothing of one that sends to several places: what is not known there is not made up.
"""

from __future__ import annotations

import errno
import socket
import struct
import sys

from app.model.outcome import LocalCause
from app.model.signalling import IcmpError, Unreachable

_IP_RECVERR = 11
"""`IP_RECVERR` of linux/in.h; the socket module does not have it."""
_FROM_ICMP = 2
"""`SO_EE_ORIGIN_ICMP` of linux/errqueue.h."""
_DESTINATION_UNREACHABLE = 3
_KINDS = {
    0: Unreachable.NETWORK,
    1: Unreachable.HOST,
    2: Unreachable.PROTOCOL,
    3: Unreachable.PORT,
    4: Unreachable.TOO_BIG,
    5: Unreachable.HOST,
    6: Unreachable.NETWORK,
    7: Unreachable.HOST,
    9: Unreachable.PROHIBITED,
    10: Unreachable.PROHIBITED,
    11: Unreachable.NETWORK,
    12: Unreachable.HOST,
    13: Unreachable.PROHIBITED,
    14: Unreachable.PROHIBITED,
    15: Unreachable.PROHIBITED,
}
"""Codes of destination unreachable (RFC 792, RFC 1122 section 3.2.2.1, RFC 1812 section 5.2.7.1)."""
_OFFENDER_AT = 16
_MOST_AT_ONCE = 16

CAUSES = {
    Unreachable.NETWORK: LocalCause.NO_ROUTE,
    Unreachable.HOST: LocalCause.NO_ROUTE,
    Unreachable.PROTOCOL: LocalCause.REFUSED,
    Unreachable.PORT: LocalCause.REFUSED,
    Unreachable.PROHIBITED: LocalCause.PROHIBITED,
}
"""What an error means for a request; `TOO_BIG` means nothing, the system sends smaller pieces next time."""


def can_read() -> bool:
    """Whether this system hands ICMP errors out."""
    return sys.platform.startswith("linux")


def ask_for_errors(sock: socket.socket) -> None:
    """Have the system keep ICMP errors for this UDP socket."""
    if can_read():
        sock.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)


def read_errors(sock: socket.socket) -> list[IcmpError]:
    """Take the errors that have come; the socket does not block."""
    found: list[IcmpError] = []
    if sys.platform == "win32" or not can_read():
        return found
    for _ in range(_MOST_AT_ONCE):
        try:
            _, control, _, address = sock.recvmsg(2048, 512, socket.MSG_ERRQUEUE)
        except OSError:  # nothing more is there
            break
        for level, kind, data in control:
            error = _error(data, address) if (level, kind) == (socket.IPPROTO_IP, _IP_RECVERR) else None
            if error is not None:
                found.append(error)
    return found


def _error(data: bytes, address: object) -> IcmpError | None:
    """From a `sock_extended_err` with the offender's address behind it."""
    if len(data) < _OFFENDER_AT:
        return None
    number, origin, kind, code = struct.unpack_from("=IBBB", data)
    target = f"{address[0]}:{address[1]}" if isinstance(address, tuple) and len(address) > 1 else ""
    offender = ""
    if origin == _FROM_ICMP and len(data) >= _OFFENDER_AT + 8:
        family = struct.unpack_from("=H", data, _OFFENDER_AT)[0]
        if family == socket.AF_INET:
            offender = socket.inet_ntoa(data[_OFFENDER_AT + 4 : _OFFENDER_AT + 8])
    unreachable = _KINDS.get(code) if origin == _FROM_ICMP and kind == _DESTINATION_UNREACHABLE else None
    if unreachable is None:
        unreachable = _BY_ERRNO.get(number)
    return IcmpError(kind=unreachable, reported_by=offender, target=target) if unreachable else None


_BY_ERRNO = {
    errno.ECONNREFUSED: Unreachable.PORT,
    errno.EHOSTUNREACH: Unreachable.HOST,
    errno.ENETUNREACH: Unreachable.NETWORK,
    errno.EMSGSIZE: Unreachable.TOO_BIG,
    errno.EACCES: Unreachable.PROHIBITED,
    errno.EPERM: Unreachable.PROHIBITED,
}
"""What this computer itself says before anything leaves it."""


def of_send_error(error: OSError, target: str) -> IcmpError | None:
    """What an error of `sendto` says: a local firewall, no route; None where it is something else."""
    kind = _BY_ERRNO.get(error.errno or 0)
    return IcmpError(kind=kind, target=target) if kind else None
