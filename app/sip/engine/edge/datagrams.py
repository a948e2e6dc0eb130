"""The UDP socket towards the provider."""

from __future__ import annotations

import socket
from collections.abc import Iterator

from app.model.signalling import IcmpError, Unreachable
from app.model.trunk import Transport
from app.sip.engine.edge.hop import Hop
from app.sip.engine.edge.icmp import ask_for_errors, of_send_error, read_errors

_LARGEST = 65_535
_MOST_AT_ONCE = 32
"""Datagrams that are taken in one turn, so that a flood leaves time for everything else."""


class Datagrams:
    """One unconnected UDP socket.

    Args:
        local: Address to bind, empty for any.

    Attributes:
        sock: The socket.
        port: Its port.
    """

    def __init__(self, local: str) -> None:
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self.sock.setblocking(False)
            self.sock.bind((local, 0))
            ask_for_errors(self.sock)
        except OSError:
            self.sock.close()
            raise
        self.port = int(self.sock.getsockname()[1])
        self._last = Hop(Transport.UDP, "", 0)
        self._reset = False

    def send(self, raw: bytes, hop: Hop) -> IcmpError | None:
        """Send one datagram; what this computer itself says against it, None when it has left."""
        self._last = hop
        for _ in range(2):
            try:
                self.sock.sendto(raw, (hop.address, hop.port))
            except OSError as error:
                # An earlier datagram's ICMP error is reported by the next call, whatever that sends
                refusal = of_send_error(error, str(hop))
                continue
            return None
        return refusal

    def receive(self) -> Iterator[tuple[bytes, Hop]]:
        """What has come, a limited number at a time."""
        for _ in range(_MOST_AT_ONCE):
            try:
                raw, (address, port) = self.sock.recvfrom(_LARGEST)
            except BlockingIOError:
                return
            except ConnectionResetError:
                # Windows says in this way that a port was closed, and not which
                self._reset = True
                continue
            except OSError:
                continue  # an ICMP error, which `errors` has more of
            yield raw, Hop(Transport.UDP, address, port)

    def errors(self) -> list[IcmpError]:
        """ICMP errors that have come; one that names no address is of the last place sent to."""
        found = read_errors(self.sock)
        if self._reset:
            self._reset = False
            found.append(IcmpError(kind=Unreachable.PORT, target=str(self._last)))
        return found

    def close(self) -> None:
        """Close the socket."""
        self.sock.close()
