"""A trunk: one customer's connection to a provider, as plain values (no secret in it)."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Transport(StrEnum):
    """How SIP messages travel (RFC 3261 section 18)."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"

    @property
    def default_port(self) -> int:
        """5061 for TLS, else 5060 (RFC 3261 section 19.1.2)."""
        return 5061 if self is Transport.TLS else 5060


DEFAULT_CODECS: tuple[str, ...] = ("PCMU", "PCMA", "G722")
"""Codec names as in RFC 3551, first choice first."""

DEFAULT_EXPIRES_S = 300
"""Registration lifetime asked for, in seconds; short, because a tester should leave no long binding."""


class Trunk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of one trunk.

    Attributes:
        id: A stable id (hex of a UUID); also the name of its secret in the keyring.
        name: What the person calls it; unique.
        host: Domain or IP address of the provider's registrar, without `sip:` and port.
        port: Port, or None to find it as RFC 3263 says.
        transport: UDP, TCP or TLS.
        user: User part of the address of record.
        auth_id: Digest user name when it differs from `user`, else empty.
        realm: Realm the password is for, `*` for any.
        proxy: Outbound proxy as `host` or `host:port`, else empty.
        expires: Registration lifetime to ask for, seconds.
        register: Whether the trunk registers; without it calls are authenticated one by one.
        caller_id: Number or user to show as the caller, else empty for `user`.
        codecs: Codec names, first choice first.
        ca_file: PEM file with the certificate authority to trust instead of the system's, else empty.
    """

    id: str
    name: str
    host: str
    port: int | None = None
    transport: Transport = Transport.UDP
    user: str = ""
    auth_id: str = ""
    realm: str = "*"
    proxy: str = ""
    expires: int = DEFAULT_EXPIRES_S
    register: bool = True
    caller_id: str = ""
    codecs: tuple[str, ...] = DEFAULT_CODECS
    ca_file: str = ""


class TrunkState(StrEnum):
    """The eight states of a trunk; the value is the word on screen."""

    OFF = "off"
    CONNECTING = "connecting"
    REGISTERED = "registered"
    REACHABLE = "reachable"
    REJECTED = "rejected"
    WRONG_CREDENTIALS = "wrong credentials"
    UNREACHABLE = "unreachable"
    FULL = "full"
