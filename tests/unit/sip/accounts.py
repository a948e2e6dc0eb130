"""Accounts as an engine is told to open them."""

from __future__ import annotations

from typing import Any

from app.model.outcome import Target
from app.model.trunk import Transport
from app.sip.engine.edge.hop import Hop
from app.sip.messages import OpenAccount

DOMAIN = "sip.example.com"
FAR = "203.0.113.1"
"""Address of the provider's server."""


def account(
    *, transport: Transport = Transport.UDP, address: str = FAR, port: int = 5060, **changes: Any
) -> OpenAccount:
    """A registered account at one server; `changes` are fields of it."""
    values: dict[str, Any] = {
        "user": "1001",
        "host": DOMAIN,
        "port": None,
        "auth_id": "",
        "password": "s3cret",
        "realm": "*",
        "caller_id": "",
        "expires": 300,
        "register": True,
        "codecs": ("PCMU",),
        "target": Target(address=address, port=port, transport=transport, name=DOMAIN),
    }
    return OpenAccount(**{**values, **changes})


def hop(address: str = FAR, port: int = 5060, transport: Transport = Transport.UDP) -> Hop:
    """A place in the network, the provider's server where nothing else is said."""
    return Hop(transport, address, port)
