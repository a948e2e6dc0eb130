"""Port numbers for servers that can't be told to take port 0.

The numbers lie below the range that systems hand out themselves, so that no client's socket takes one
between our look and the server's start. Each process begins somewhere else, so that test workers rarely meet.
"""

from __future__ import annotations

import itertools
import os
import socket

_FIRST, _LAST = 10_000, 30_000
_cursor = itertools.count((os.getpid() * 97) % (_LAST - _FIRST))


def free_ports(count: int = 1, *, together: int = 1) -> list[int]:
    """Ports free for UDP and TCP on 127.0.0.1; no port is given out twice by one process.

    Args:
        count: How many to return.
        together: How many in a row must be free from each of them on; the returned ones are their first.
    """
    return [_next_block(together) for _ in range(count)]


def _next_block(length: int) -> int:
    for _ in range(_LAST - _FIRST):
        block = [_FIRST + next(_cursor) % (_LAST - _FIRST) for _ in range(length)]
        if block[-1] - block[0] == length - 1 and all(_is_free(port) for port in block):
            return block[0]
    raise RuntimeError(f"no {length} free ports in a row between {_FIRST} and {_LAST}")


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                # As servers do: a port whose last connection still lingers is free for them
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
