"""Which addresses the demo carrier may send to: loopback, and nothing else."""

from __future__ import annotations

import ipaddress


def loopback_address(host: str) -> str | None:
    """The IPv4 loopback address that `host` stands for, or None when it is anything else.

    Names other than `localhost` are not looked up: what a name resolves to can change between the check
    and the sending.
    """
    if host.lower() == "localhost":
        return "127.0.0.1"
    try:
        address = ipaddress.IPv4Address(host)
    except ValueError:
        return None
    return str(address) if address.is_loopback else None
