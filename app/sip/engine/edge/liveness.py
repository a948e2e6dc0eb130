"""Makes the system notice a connection whose other side is gone without a word (half-open)."""

from __future__ import annotations

import contextlib
import socket
import sys

IDLE_S = 20
"""Silence before the first probe."""

INTERVAL_S = 5
PROBES = 4

UNACKNOWLEDGED_S = 30
"""How long data may stay unacknowledged; the CRLF keep-alives are such data."""


def detect_half_open(sock: socket.socket) -> None:
    """Ask the TCP stack to end the connection when its peer no longer acknowledges.

    Many providers never answer a CRLF ping, so a missing pong says nothing; acknowledgements do.
    """
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _options():
        # A system that lacks one of them still has its own, longer limits.
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, option, value)


def _options() -> list[tuple[int, int]]:
    if sys.platform == "win32":
        max_retransmission_s = 5  # TCP_MAXRT in ws2ipdef.h, not in the socket module
        return [
            (socket.TCP_KEEPIDLE, IDLE_S),
            (socket.TCP_KEEPINTVL, INTERVAL_S),
            (socket.TCP_KEEPCNT, PROBES),
            (max_retransmission_s, UNACKNOWLEDGED_S),
        ]
    if sys.platform == "darwin":
        connection_drop_s = 0x80  # TCP_RXT_CONNDROPTIME in netinet/tcp.h, not in the socket module
        return [
            (socket.TCP_KEEPALIVE, IDLE_S),
            (socket.TCP_KEEPINTVL, INTERVAL_S),
            (socket.TCP_KEEPCNT, PROBES),
            (connection_drop_s, UNACKNOWLEDGED_S),
        ]
    return [
        (socket.TCP_KEEPIDLE, IDLE_S),
        (socket.TCP_KEEPINTVL, INTERVAL_S),
        (socket.TCP_KEEPCNT, PROBES),
        (socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_S * 1000),
    ]
