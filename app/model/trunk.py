"""A trunk: one customer's connection to a provider, as plain values (no secret in it)."""

from __future__ import annotations

from enum import StrEnum
from urllib.parse import unquote

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


class SignIn(StrEnum):
    """How the provider knows who is calling.

    REGISTER: the trunk registers, and calls answer challenges too. CREDENTIALS: no registration, each call
    answers a challenge. ADDRESS: the provider knows our source address; there is no password.
    """

    REGISTER = "register"
    CREDENTIALS = "credentials"
    ADDRESS = "address"


class NumberFormat(StrEnum):
    """How a number is written for the provider.

    AS_TYPED changes nothing. E164_PLUS is `+15145550199`, E164 `15145550199`. NANP_11 and NANP_10 are
    `15145550199` and `5145550199` inside the North American plan and `011…` elsewhere. NATIONAL is as dialled
    inside the trunk's country, and with its international prefix elsewhere.
    """

    AS_TYPED = "as-typed"
    E164_PLUS = "e164-plus"
    E164 = "e164"
    NANP_11 = "nanp-11"
    NANP_10 = "nanp-10"
    NATIONAL = "national"


class IdentityHeader(StrEnum):
    """Where the caller ID goes: From (RFC 3261), or one of RFC 3325 and draft-ietf-sip-privacy-04."""

    FROM = "From"
    P_ASSERTED_IDENTITY = "P-Asserted-Identity"
    P_PREFERRED_IDENTITY = "P-Preferred-Identity"
    REMOTE_PARTY_ID = "Remote-Party-ID"


class FromHost(StrEnum):
    """What stands after the `@` of From in a call: the provider's host, or our public address."""

    PROVIDER = "provider"
    PUBLIC_ADDRESS = "public-address"


class Srtp(StrEnum):
    """Whether media is encrypted with SRTP, keys by SDES (RFC 4568)."""

    OFF = "off"
    OFFER = "offer"
    REQUIRE = "require"


class CryptoSuite(StrEnum):
    """Ciphers of SRTP that SDES gives keys for, the preferred one first (RFC 4568 section 6.2)."""

    AES_CM_128_HMAC_SHA1_80 = "AES_CM_128_HMAC_SHA1_80"
    AES_CM_128_HMAC_SHA1_32 = "AES_CM_128_HMAC_SHA1_32"


class Dtmf(StrEnum):
    """How digits are sent in a call: RFC 4733 events, SIP INFO, or tones in the sound itself."""

    RFC4733 = "rfc4733"
    INFO = "info"
    INBAND = "inband"


class Use(StrEnum):
    """How much a SIP extension is wanted: session timers (RFC 4028), PRACK (RFC 3262)."""

    OFF = "off"
    SUPPORTED = "supported"
    REQUIRED = "required"


DEFAULT_CODECS: tuple[str, ...] = ("PCMU", "PCMA", "G722")
"""Codec names as in RFC 3551, first choice first."""

DEFAULT_EXPIRES_S = 300
"""Registration lifetime asked for, in seconds; short, because a tester should leave no long binding."""

DEFAULT_KEEP_ALIVE_S = 15
"""Between CRLF keep-alives, in seconds: under the 30 s after which many routers forget a UDP mapping."""

DEFAULT_SESSION_S = 1800
"""Session interval, in seconds (RFC 4028 section 4.2 recommends it)."""


class Trunk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of one trunk.

    Attributes:
        id: A stable id (hex of a UUID); also the name of its secret in the keyring.
        name: What the person calls it; unique.
        provider: Id in the catalogue, empty for another provider.
        connect, allow_out, allow_in: The three switches: may it connect, may calls go out, may calls come in.
        notes: The person's own words.
        sign_in: How the provider knows us.
        user: User part of the address of record.
        auth_id: Digest user name when it differs from `user`, else empty.
        realm: Realm the password is for, `*` for any.
        host: Domain or IP address of the provider's registrar, without `sip:` and port.
        port: Port, or None to find it as RFC 3263 says.
        transport: UDP, TCP or TLS.
        backup_hosts: Further servers as `host` or `host:port`, tried in order when `host` does not answer.
        proxy: Outbound proxy as `host` or `host:port`, else empty.
        ca_file: PEM file with the certificate authority to trust instead of the system's, else empty.
        tls_pin: SHA-256 fingerprint (`AB:CD:…`) of the one server certificate to trust instead, else empty.
        expires: Registration lifetime to ask for, seconds.
        keep_alive: Seconds between CRLF keep-alives (RFC 5626 section 3.5.1); 0 sends none.
        public_address: IPv4 address for Via, Contact and SDP in place of this computer's own, else empty.
        from_host: What stands in From of a call; without a public address it is the provider's host.
        country: ISO 3166 code of the country whose numbers are dialled, else empty.
        number_format: How dialled numbers are written.
        tech_prefix: Digits in front of every dialled number, else empty.
        tech_separator: Between that prefix and the number: empty, `*` or `#`.
        caller_id: Number or user to show as the caller, else empty for `user`.
        caller_id_format: How the caller ID is written.
        caller_id_header: The headers it goes in; without From, From keeps the user.
        privacy: Whether the caller ID is to be withheld (RFC 3323, `Privacy: id` of RFC 3325).
        dids: Numbers that reach the trunk, single ones and ranges: `101`, `300-450`.
        channels: Calls at a time that were bought, or None when it is not known.
        codecs: Codec names, first choice first.
        srtp: Encryption of media.
        dtmf: How digits are sent.
        session_timer: Session timers (RFC 4028).
        session_expires: Their interval, seconds.
        prack: Reliable provisional responses (RFC 3262).
    """

    id: str
    name: str
    provider: str = ""
    connect: bool = True
    allow_out: bool = True
    allow_in: bool = True
    notes: str = ""
    sign_in: SignIn = SignIn.REGISTER
    user: str = ""
    auth_id: str = ""
    realm: str = "*"
    host: str
    port: int | None = None
    transport: Transport = Transport.UDP
    backup_hosts: tuple[str, ...] = ()
    proxy: str = ""
    ca_file: str = ""
    tls_pin: str = ""
    expires: int = DEFAULT_EXPIRES_S
    keep_alive: int = DEFAULT_KEEP_ALIVE_S
    public_address: str = ""
    from_host: FromHost = FromHost.PROVIDER
    country: str = ""
    number_format: NumberFormat = NumberFormat.AS_TYPED
    tech_prefix: str = ""
    tech_separator: str = ""
    caller_id: str = ""
    caller_id_format: NumberFormat = NumberFormat.AS_TYPED
    caller_id_header: tuple[IdentityHeader, ...] = (IdentityHeader.FROM,)
    privacy: bool = False
    dids: tuple[str, ...] = ()
    channels: int | None = None
    codecs: tuple[str, ...] = DEFAULT_CODECS
    srtp: Srtp = Srtp.OFF
    dtmf: Dtmf = Dtmf.RFC4733
    session_timer: Use = Use.SUPPORTED
    session_expires: int = DEFAULT_SESSION_S
    prack: Use = Use.OFF

    @property
    def register(self) -> bool:
        """Whether the trunk registers."""
        return self.sign_in is SignIn.REGISTER

    @property
    def sign_in_name(self) -> str:
        """The digest user name: `auth_id`, else the user without the escapes that it needs in a URI.

        RFC 3261 section 22.4 takes the name itself for the digest, so `9901%231` signs in as `9901#1`.
        """
        plain = unquote(self.user)
        # A quoted string holds no quote, backslash or control character without an escape
        fits = plain.isprintable() and '"' not in plain and "\\" not in plain
        return self.auth_id or (plain if fits else self.user)

    @property
    def needs_password(self) -> bool:
        """Whether signing in takes a password."""
        return self.sign_in is not SignIn.ADDRESS


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
