"""What came of a registration or a call: the values behind `--json`, the call page and the verdict."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from app.model.password import PasswordTrait
from app.model.quality import CallQuality
from app.model.signalling import (
    Bindings,
    ChallengeFacts,
    DialogFacts,
    Explanation,
    IcmpError,
    MessageProblem,
    Trouble,
)
from app.model.sound_figures import SoundFigures
from app.model.trunk import Transport, TrunkState


class AnsweredBy(StrEnum):
    """Who made up a final SIP code: the network, or our own stack because nothing came back."""

    NETWORK = "network"
    LOCAL = "local"


class LocalCause(StrEnum):
    """Why a final code was made up locally."""

    NONE = ""
    NAME_NOT_FOUND = "name not found"
    NAME_SERVER_SILENT = "name server silent"
    NO_ANSWER = "no answer"
    REFUSED = "connection refused"
    NO_ROUTE = "no route"
    CONNECTION_LOST = "connection lost"
    PROHIBITED = "blocked by a firewall"
    UNREADABLE = "answer can't be read"
    TLS_CA = "certificate not trusted"
    TLS_NAME = "certificate for another name"
    TLS_TIME = "certificate not valid at this time"
    TLS_PIN = "certificate is not the pinned one"
    TLS_PROTOCOL = "no TLS in common"
    ENGINE_LOST = "engine lost"
    NO_ACK = "answer not confirmed"
    SESSION_EXPIRED = "call not refreshed"
    CALL_UNKNOWN = "call unknown to the other side"
    NO_SRTP = "no encryption in common"
    NO_CODEC = "no codec in common"
    SRTP_DIFFERS = "encryption does not fit"
    BAD_SDP = "description of audio can't be used"
    OTHER = "other"


class CallResult(StrEnum):
    """How a call ended, as a word."""

    ANSWERED = "answered"
    BUSY = "busy"
    NOT_FOUND = "not found"
    FORBIDDEN = "forbidden"
    UNAVAILABLE = "unavailable"
    NO_ANSWER = "no answer"
    DECLINED = "declined"
    WRONG_CREDENTIALS = "wrong credentials"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REFUSED_HERE = "refused here"
    LOST = "lost"


class Audio(StrEnum):
    """Which directions carried audio in a call."""

    TWO_WAY = "two-way"
    SEND_ONLY = "send-only"
    RECEIVE_ONLY = "receive-only"
    NONE = "none"


class HungUpBy(StrEnum):
    """Who ended an answered call."""

    NOBODY = ""
    US = "us"
    THEM = "them"
    LIMIT = "time limit"


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One address to try: RFC 3263's answer, already resolved.

    Attributes:
        address: IPv4 or IPv6 address.
        port: Port.
        transport: UDP, TCP or TLS.
        name: The name the address came from (an SRV target or the host), for people.
    """

    address: str
    port: int
    transport: Transport
    name: str

    def __str__(self) -> str:
        """For people: `udp 192.0.2.1:5060 (sip.example.com)`."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        shown = f"{self.transport} {host}:{self.port}"
        return shown if self.name == self.address else f"{shown} ({self.name})"


class TlsFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a TLS handshake showed.

    Attributes:
        version: For example `TLSv1.3`; empty when the handshake failed.
        cipher: Cipher suite name.
        server_name: The name that the certificate was checked against.
        subject, issuer: Common names (or the whole name where there is none).
        names: Subject alternative names (DNS and IP).
        not_before, not_after: Validity, ISO 8601 in UTC.
        trust: Whose trust was used: `system`, `pin` or the CA file's path.
        fingerprint: SHA-256 of the server's certificate, `AB:CD:…`.
        error: The verification or protocol error in OpenSSL's words, empty when all went well.
        cause: The kind of error.
    """

    version: str = ""
    cipher: str = ""
    server_name: str = ""
    subject: str = ""
    issuer: str = ""
    names: tuple[str, ...] = ()
    not_before: str = ""
    not_after: str = ""
    trust: str = "system"
    fingerprint: str = ""
    error: str = ""
    cause: LocalCause = LocalCause.NONE


class Direction(StrEnum):
    """Whether a message or a call went out or came in."""

    OUT = "out"
    IN = "in"


class TraceMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One SIP message sent or received.

    Attributes:
        at: Wall clock time, seconds since the epoch.
        direction: Sent (out) or received (in).
        transport: UDP, TCP or TLS.
        peer: `address:port` of the other side.
        text: The whole message; digest responses in it are not redacted.
    """

    at: float
    direction: Direction
    transport: Transport
    peer: str
    text: str


class StreamFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One direction of a call's audio.

    Attributes:
        packets: RTP packets.
        bytes: RTP payload bytes.
        lost: Packets lost (for the sent direction: as the far end reports, else 0).
        discarded: Packets that came and could not be played: too late for the jitter buffer, or out of place.
        reordered, duplicated: Packets that came out of order, and twice.
        jitter_ms, jitter_max_ms: Interarrival jitter, ms (RFC 3550 section 6.4.1): its mean and its highest.
        burst: Mean number of packets lost in a row; 1 where losses are single or there is none.
        reported: Packets sent that the far end's last report covers; 0 while it has sent none, and for the
            received direction.
        level_dbm0: Level over the last second, dBm0; None before the first frame or in silence.
        clipped_pct: Samples of the last second that touch the limits, per cent.
    """

    packets: int = 0
    bytes: int = 0
    lost: int = 0
    discarded: int = 0
    reordered: int = 0
    duplicated: int = 0
    jitter_ms: float = 0.0
    jitter_max_ms: float = 0.0
    burst: float = 1.0
    reported: int = 0
    level_dbm0: float | None = None
    clipped_pct: float = 0.0

    @property
    def loss_pct(self) -> float:
        """Lost packets as a share of those expected, per cent."""
        return 100.0 * self.lost / self.expected if self.expected else 0.0

    @property
    def missing_pct(self) -> float:
        """Packets lost or too late to be played, as a share of those expected, per cent."""
        return 100.0 * (self.lost + self.discarded) / self.expected if self.expected else 0.0

    @property
    def expected(self) -> int:
        """Packets that should have come."""
        # What we sent holds the lost ones already
        return self.reported or self.packets + self.lost


class MediaFigures(msgspec.Struct, frozen=True, kw_only=True):
    """A call's media at one moment, both directions.

    Attributes:
        tx: Sent.
        rx: Received.
        round_trip_ms: Network round trip by RTCP, ms; None while unknown.
        echo_ms: Delay after which our own signal came back, ms; None when it did not.
        codec: Codec name, for example `PCMU`.
        ptime_ms: Length of a packet's sound, ms.
        jitter_buffer_ms: Mean delay of the jitter buffer, ms; None while unknown.
        srtp: The SRTP suite that protects the media, empty for none.
        first_rtp_ms: Answer to the first packet received, ms; None while none came.
        stopped_s: Seconds since the last packet came in when the figures were taken, in a call that is not on
            hold; 0 while packets come, None where that can't be said.
        longest_gap_s: The longest time in the call without a packet coming in, seconds, holds not counted.
        sound: What the sound itself shows.
    """

    tx: StreamFigures
    rx: StreamFigures
    round_trip_ms: float | None = None
    echo_ms: float | None = None
    codec: str = ""
    ptime_ms: int = 20
    jitter_buffer_ms: float | None = None
    srtp: str = ""
    first_rtp_ms: float | None = None
    stopped_s: float | None = None
    longest_gap_s: float = 0.0
    sound: SoundFigures = SoundFigures()


class RegisterOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of signing in.

    Attributes:
        trunk: The trunk's name.
        state: The state it led to.
        sip_code: Final SIP code, 0 when there is none.
        reason: Reason phrase as received, or our words.
        answered_by: Whether the code came from the network or was made up here; None when there is none.
        local_cause: Why it was made up here.
        round_trip_ms: REGISTER to its final response (RFC 6076 registration request delay), ms.
        expires_s: Lifetime granted, seconds; 0 when not registered.
        target: The address that gave the outcome.
        tried: Every address tried, in order.
        tls: The handshake's facts, when TLS was used.
        requests_sent: How often a request went out, retransmissions included.
        challenges: How many 401 and 407 came back.
        realms: Those that the last of them takes a password for.
        lookup: How the addresses were found, a line for each question asked.
        explanation: What the far end says about its final answer.
        challenge: What it asked for as proof of the password; None when it did not ask.
        bindings: What the 200 lists; None for any other outcome.
        problems: Messages of the far end that break the standard.
        icmp: Why a datagram did not arrive, None when nobody said so.
        had_password: Whether there was a password to answer a challenge with.
        password_traits: What is unusual about it. Not in `CallOutcome`, which is written to disk.
        altered: As in `DialogFacts`.
        lost_after_s: How long the registration had stood when the connection under it was lost, seconds; None
            when that is not what happened.
    """

    trunk: str
    state: TrunkState
    sip_code: int = 0
    reason: str = ""
    answered_by: AnsweredBy | None = None
    local_cause: LocalCause = LocalCause.NONE
    round_trip_ms: float | None = None
    expires_s: int = 0
    target: Target | None = None
    tried: tuple[Target, ...] = ()
    tls: TlsFacts | None = None
    requests_sent: int = 0
    challenges: int = 0
    realms: tuple[str, ...] = ()
    lookup: tuple[str, ...] = ()
    explanation: Explanation = Explanation()
    challenge: ChallengeFacts | None = None
    bindings: Bindings | None = None
    problems: tuple[MessageProblem, ...] = ()
    icmp: IcmpError | None = None
    had_password: bool = False
    password_traits: tuple[PasswordTrait, ...] = ()
    altered: tuple[str, ...] = ()
    lost_after_s: float | None = None


class CallOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one call.

    Attributes:
        trunk: The trunk's name.
        number: As typed.
        dialled: As sent in the Request-URI's user part.
        result: A word.
        sip_code: Final SIP code (200 for an answered call), 0 when there is none.
        reason: Reason phrase as received, or our words.
        reason_header: The `Reason:` header of the final message (RFC 3326), else empty.
        answered_by: Whether the code came from the network or was made up here.
        local_cause: Why it was made up here.
        setup_ms: Session request delay (RFC 6076 section 4.3), ms; None when nothing came back.
        duration_s: Answer to end, seconds.
        hung_up_by: Who ended an answered call.
        early_media: Whether audio or an SDP answer came before the call was answered.
        media: The last figures, None when there was no media.
        heard: Whether sound (not only packets) came in: True, False, or None when it can't be told.
        quality: Its score, None when there was no media to judge.
        hang_up_ms: BYE to its final response (RFC 6076 section 4.4), ms; None when we sent none, or when
            nothing came back within a second.
        sip_call_id: Call-ID header, to find it in the trace and at the provider's support.
        realms: Those that the last challenge takes a password for.
        explanation: What the far end says about its final answer, or in its BYE.
        challenge: What it asked for as proof of the password; None when it did not ask.
        dialog: What the messages of the call showed.
        icmp: Why a datagram did not arrive, None when nobody said so.
        troubles: Steps that were asked for within the call and did not work.
        had_password: Whether there was a password to answer a challenge with.
    """

    trunk: str
    number: str
    dialled: str
    result: CallResult
    sip_code: int = 0
    reason: str = ""
    reason_header: str = ""
    answered_by: AnsweredBy | None = None
    local_cause: LocalCause = LocalCause.NONE
    setup_ms: float | None = None
    duration_s: float = 0.0
    hung_up_by: HungUpBy = HungUpBy.NOBODY
    early_media: bool = False
    media: MediaFigures | None = None
    heard: bool | None = None
    quality: CallQuality | None = None
    hang_up_ms: float | None = None
    sip_call_id: str = ""
    realms: tuple[str, ...] = ()
    explanation: Explanation = Explanation()
    challenge: ChallengeFacts | None = None
    dialog: DialogFacts = DialogFacts()
    icmp: IcmpError | None = None
    troubles: tuple[Trouble, ...] = ()
    had_password: bool = False

    @property
    def audio(self) -> Audio:
        """Which directions carried RTP."""
        sent = self.media is not None and self.media.tx.packets > 0
        received = self.media is not None and self.media.rx.packets > 0
        if sent and received:
            return Audio.TWO_WAY
        if sent:
            return Audio.SEND_ONLY
        return Audio.RECEIVE_ONLY if received else Audio.NONE


_RESULTS = {
    401: CallResult.WRONG_CREDENTIALS,
    403: CallResult.FORBIDDEN,
    404: CallResult.NOT_FOUND,
    407: CallResult.WRONG_CREDENTIALS,
    408: CallResult.NO_ANSWER,
    410: CallResult.NOT_FOUND,
    480: CallResult.NO_ANSWER,
    484: CallResult.NOT_FOUND,
    486: CallResult.BUSY,
    487: CallResult.CANCELLED,
    503: CallResult.UNAVAILABLE,
    600: CallResult.BUSY,
    603: CallResult.DECLINED,
    604: CallResult.NOT_FOUND,
    607: CallResult.DECLINED,
    608: CallResult.DECLINED,
}


def call_result(
    code: int, *, answered: bool, hung_up_by: HungUpBy, cause: LocalCause = LocalCause.NONE
) -> CallResult:
    """The word for how a call ended.

    Args:
        code: Final SIP code.
        answered: Whether the call was answered.
        hung_up_by: Who ended it; the limit, before an answer, is the ringing limit.
        cause: Why the code was made up here, if it was.
    """
    if cause is LocalCause.ENGINE_LOST:
        return CallResult.LOST
    if answered:
        return CallResult.ANSWERED
    if hung_up_by is HungUpBy.LIMIT:
        return CallResult.NO_ANSWER
    if hung_up_by is HungUpBy.US:
        return CallResult.CANCELLED
    if cause is not LocalCause.NONE:
        return CallResult.FAILED
    return _RESULTS.get(code, CallResult.FAILED)


def may_call(outcome: RegisterOutcome, *, registers: bool) -> bool:
    """Whether a call can be tried after signing in came out like this.

    A trunk that does not register is only asked with OPTIONS, and some providers do not answer that (RFC 3261
    section 11 wants it, firewalls drop it): no answer is no proof that a call fails.

    Args:
        outcome: What came of it.
        registers: Whether the trunk registers.
    """
    if outcome.state in (TrunkState.REGISTERED, TrunkState.REACHABLE, TrunkState.FULL):
        return True
    return not registers and outcome.local_cause is LocalCause.NO_ANSWER


def register_state(code: int, *, registered: bool, answered_by: AnsweredBy | None) -> TrunkState:
    """The trunk state that a final outcome of REGISTER leads to."""
    if registered:
        return TrunkState.REGISTERED
    if answered_by is not AnsweredBy.NETWORK:
        return TrunkState.UNREACHABLE
    return TrunkState.WRONG_CREDENTIALS if code in (401, 407) else TrunkState.REJECTED
