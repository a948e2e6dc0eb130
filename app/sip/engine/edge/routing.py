"""Where a request within a dialog is sent: its first route, or the far end's Contact (RFC 3261, 12.2.1.1)."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import NamedTuple

from app.model.trunk import Transport
from app.sip.engine.edge.dialogs import Leg
from app.sip.engine.edge.hop import Hop, port_of, transport_of
from app.sip.engine.edge.outward import next_hop_uri
from app.sip.messages import OpenAccount
from app.sip.syntax.address import Uri, is_address

Find = Callable[[str, Callable[["str | None"], None]], None]


class Detour(NamedTuple):
    """Where a request goes.

    Attributes:
        hop: The place.
        obstacle: Why it does not go where the far end wants it, a clause; empty when it does. It then goes to
            where the far end's last message came from, so that a call is hung up on both sides.
    """

    hop: Hop
    obstacle: str = ""


class Routing:
    """Finds the next hop for one account.

    Args:
        settings: The account.
        target: Where requests outside of dialogs go.
        find: Looks names up.
    """

    def __init__(self, settings: OpenAccount, target: Hop, find: Find) -> None:
        self._host = settings.host.lower()
        self._target = target
        self._find = find
        self._local = ipaddress.ip_address(target.address).is_loopback

    def find(self, leg: Leg, then: Callable[[Detour], None]) -> None:
        """Find the next hop of a request in a dialog and call back with it, at once or after a lookup."""
        if self._target.transport is Transport.TLS:
            # There is the one connection whose certificate was checked
            then(Detour(self._target))
            return
        uri = next_hop_uri(leg)
        if uri is None:
            then(Detour(leg.peer, "the far end gave no address that can be used (Contact)"))
            return
        transport, usual = transport_of(uri, self._target.transport), self._target.transport
        if transport not in (usual, Transport.TCP):
            wanted = transport.upper() if transport else uri.param("transport").upper()[:16]
            then(Detour(leg.peer, f"{uri.text} asks for {wanted}, and this trunk uses {usual.upper()}"))
            return
        if is_address(uri.host) or ":" in uri.host:
            then(self._at(uri, uri.host, transport, leg))
        elif uri.host.rstrip(".") == self._host and transport is self._target.transport:
            port = uri.port or self._target.port
            then(Detour(Hop(transport, self._target.address, port)))
        else:
            self._find(uri.host, lambda address: then(self._at(uri, address, transport, leg)))

    def _at(self, uri: Uri, address: str | None, transport: Transport, leg: Leg) -> Detour:
        if address is None:
            return Detour(leg.peer, f"the name {uri.host} can't be found")
        if obstacle := self._obstacle(address):
            return Detour(leg.peer, obstacle)
        return Detour(Hop(transport, address, port_of(uri)))

    def _obstacle(self, address: str) -> str:
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return f"{address} is not an address"
        if ip.version != 4:
            return f"{address} is an IPv6 address, which Ringback can't use"
        if ip.is_multicast or ip.is_reserved or address.startswith("0."):
            return f"{address} is not the address of one computer"
        if ip.is_loopback and not self._local:
            return f"{address} is the provider's own name for itself and leads to this computer"
        return ""
