"""Where messages go and come from."""

from __future__ import annotations

from typing import NamedTuple

from app.model.trunk import Transport
from app.sip.syntax.address import HostPort, Uri
from app.sip.syntax.answer import DEFAULT_PORT

DEFAULT_TLS_PORT = 5061


class Hop(NamedTuple):
    """An address and how messages travel to it.

    Attributes:
        transport: UDP, TCP or TLS.
        address: IP address.
        port: Port.
    """

    transport: Transport
    address: str
    port: int

    @property
    def place(self) -> HostPort:
        """Address and port."""
        return HostPort(self.address, self.port)

    def __str__(self) -> str:
        """As `address:port`, with brackets around an IPv6 address."""
        return str(self.place)


def port_of(uri: Uri) -> int:
    """The port of a SIP URI (RFC 3261 section 19.1.2)."""
    secure = uri.scheme == "sips" or uri.param("transport") == "tls"
    return uri.port or (DEFAULT_TLS_PORT if secure else DEFAULT_PORT)


def transport_of(uri: Uri, usual: Transport) -> Transport | None:
    """The transport that a URI asks for, `usual` where it names none; None where it is not to be had."""
    wanted = uri.param("transport")
    if uri.scheme == "sips":
        return Transport.TLS
    if not wanted:
        return usual
    return Transport(wanted) if wanted in set(Transport) else None
