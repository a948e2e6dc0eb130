"""What goes over the wire between the parent and the demo carrier."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

CARRIER_PROTOCOL_VERSION = 5
"""Raised with every change of a message; a carrier of another version is refused."""


def ca_file_name(tls_port: int) -> str:
    """Name of a file with a carrier's CA: the same again whenever the carrier has the same port."""
    return f"demo-carrier-{tls_port}.pem"


class _Message(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """Base of everything on the wire."""


class Algorithm(StrEnum):
    """Digest algorithms (RFC 8760 section 2.1)."""

    MD5 = "MD5"
    SHA_256 = "SHA-256"


class Timing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long the carrier takes over things, in seconds; tests shorten what they wait for.

    Attributes:
        t1_s, t2_s, t4_s: Base timers of RFC 3261 (section 17, table 4).
        answer_late_s: Ringing before the late answer.
        hang_up_after_s: Answer to BYE on the number that hangs up.
        early_media_s: Early media before the 480.
        dtmf_pause_s: Pause after the last digit before the digits are read back.
        call_back_hold_s: Answer to BYE on the number that calls back.
        call_back_pause_s: That BYE to the carrier's INVITE.
        call_back_ring_s: Ringing before the carrier cancels a call it placed.
        ring_limit_s: Ringing before the carrier itself gives up a call to a number that never answers.
        rtcp_s: Between RTCP reports. RFC 3550 section 6.2 wants 5 s; a test call is too short for that.
        media_timeout_s: Without RTP and RTCP from the other side before the carrier hangs up.
        call_limit_s: Longest answered call.
        stop_s: Time for the BYEs when the carrier stops.
    """

    t1_s: float = 0.5
    t2_s: float = 4.0
    t4_s: float = 5.0
    answer_late_s: float = 4.0
    hang_up_after_s: float = 3.0
    early_media_s: float = 6.0
    dtmf_pause_s: float = 2.0
    call_back_hold_s: float = 1.0
    call_back_pause_s: float = 1.0
    call_back_ring_s: float = 30.0
    ring_limit_s: float = 180.0
    rtcp_s: float = 1.0
    media_timeout_s: float = 60.0
    call_limit_s: float = 1800.0
    stop_s: float = 1.0


class CarrierOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How strict the carrier is, and which fault it has.

    Attributes:
        algorithms: Digest algorithms offered, the preferred one first (RFC 8760 section 2.3).
        nonce_s: Lifetime of a nonce, seconds; an expired one is answered with `stale=true`.
        min_expires_s, max_expires_s: Shortest and longest registration granted, seconds.
        channels: Calls that one account may have at a time, ringing ones included.
        loss_pct: Share of the packets of sound that are lost, each way, per cent.
        jitter_ms: Jitter of the sound that the carrier sends, by RFC 3550, ms; up to 36 no packet overtakes
            another.
        delay_ms: Delay of sound and of reports about it, each way, ms.
        packet_ms: Length of the packets of sound that the carrier asks for (`a=ptime`), ms; its own have 20.
        timing: Waiting times.
        provider: Id in the catalogue of the provider that is played, empty for none.
        method: How its customers sign in: `register`, `credentials` or `address`; empty for the usual way.
        encrypted: Whether its customer has switched encryption on, where the provider has a switch for it.
        answers_options: Whether OPTIONS outside of calls is answered; some networks drop it.
        known_address: Whether calls come from an address that the provider knows, where that counts.
        tls: Whether there is TLS without a provider to play; one that is played has it or has it not.
    """

    algorithms: tuple[Algorithm, ...] = (Algorithm.SHA_256, Algorithm.MD5)
    nonce_s: float = 300.0
    min_expires_s: int = 60
    max_expires_s: int = 3600
    channels: int = 4
    loss_pct: float = 0.0
    jitter_ms: float = 0.0
    delay_ms: float = 0.0
    packet_ms: int = 20
    timing: Timing = Timing()
    provider: str = ""
    method: str = ""
    encrypted: bool = False
    answers_options: bool = True
    known_address: bool = True
    tls: bool = False


class CarrierNumber(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A number that the carrier serves.

    Attributes:
        number: What to dial.
        title: Two or three words.
        what_happens: One sentence for people.
    """

    number: str
    title: str
    what_happens: str


# To the carrier


class StartCarrier(_Message, frozen=True, kw_only=True):
    """First line down: open for business.

    Attributes:
        protocol: `CARRIER_PROTOCOL_VERSION` of the parent.
        accounts: User to password; shown in no repr.
        auth_users: User to the name that signs in for it, where that is another one.
        udp_port, tcp_port: 0 for any free one, then the same for both.
        tls_port: 0 for any free one.
        options: Strictness, faults, times.
    """

    protocol: int = CARRIER_PROTOCOL_VERSION
    accounts: dict[str, str]
    auth_users: dict[str, str] = {}
    udp_port: int = 0
    tcp_port: int = 0
    tls_port: int = 0
    options: CarrierOptions = CarrierOptions()

    def __repr__(self) -> str:
        """Without the passwords."""
        return f"StartCarrier(accounts={sorted(self.accounts)}, passwords=<hidden>, options={self.options})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """The same for pretty printers, which would take msgspec's own list of all fields."""
        return [("accounts", sorted(self.accounts)), ("passwords", "<hidden>"), ("options", self.options)]


class Stop(_Message, frozen=True, kw_only=True):
    """Send BYE to every call that is up, then end."""


ToCarrier = StartCarrier | Stop


# From the carrier


class CarrierReady(_Message, frozen=True, kw_only=True):
    """First line up: it listens on 127.0.0.1.

    Attributes:
        protocol: `CARRIER_PROTOCOL_VERSION` of the carrier.
        pid: Its process id.
        udp_port, tcp_port, tls_port: Where it listens; 0 for a transport that it has not.
        ca_pem: The certificate to trust for TLS, empty without it.
        numbers: What can be dialled.
        method: How customers of the provider that is played sign in, empty without one.
        domain: Host that requests must name, empty when any will do.
        plays, lenient: What is played of the provider, and what is not known of it, a sentence each.
    """

    protocol: int
    pid: int
    udp_port: int
    tcp_port: int
    tls_port: int
    ca_pem: str = ""
    numbers: tuple[CarrierNumber, ...]
    method: str = ""
    domain: str = ""
    plays: tuple[str, ...] = ()
    lenient: tuple[str, ...] = ()


class CarrierRefused(_Message, frozen=True, kw_only=True):
    """First line up when it can't start; the texts are for the person."""

    what: str
    do: str = ""


FromCarrier = CarrierReady | CarrierRefused
