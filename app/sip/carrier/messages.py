"""What goes over the wire between the parent and the demo carrier."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

CARRIER_PROTOCOL_VERSION = 1
"""Raised with every change of a message; a carrier of another version is refused."""


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
        drop_rtp_pct: Share of its RTP packets that the carrier does not send, per cent, evenly spread.
        timing: Waiting times.
    """

    algorithms: tuple[Algorithm, ...] = (Algorithm.SHA_256, Algorithm.MD5)
    nonce_s: float = 300.0
    min_expires_s: int = 60
    max_expires_s: int = 3600
    channels: int = 4
    drop_rtp_pct: float = 0.0
    timing: Timing = Timing()


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
        udp_port, tcp_port: 0 for any free one, then the same for both.
        options: Strictness, faults, times.
    """

    protocol: int = CARRIER_PROTOCOL_VERSION
    accounts: dict[str, str]
    udp_port: int = 0
    tcp_port: int = 0
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
        udp_port, tcp_port: Where it listens.
        numbers: What can be dialled.
    """

    protocol: int
    pid: int
    udp_port: int
    tcp_port: int
    numbers: tuple[CarrierNumber, ...]


class CarrierRefused(_Message, frozen=True, kw_only=True):
    """First line up when it can't start; the texts are for the person."""

    what: str
    do: str = ""


FromCarrier = CarrierReady | CarrierRefused
