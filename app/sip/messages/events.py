"""What an engine tells."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from app.model.call import CallState
from app.model.outcome import (
    AnsweredBy,
    Direction,
    HungUpBy,
    LocalCause,
    MediaFigures,
    Target,
    TlsFacts,
    TraceMessage,
)
from app.model.signalling import (
    Bindings,
    ChallengeFacts,
    DialogFacts,
    Explanation,
    IcmpError,
    MessageProblem,
)
from app.model.trunk import Dtmf, Transport
from app.sip.messages.base import Message


class Capabilities(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What this engine can do on this system.

    Attributes:
        version: PJSIP's version.
        transports: Transports that work here.
        codecs: Codec names available.
        max_calls: Calls at a time.
        ipv6: Whether it can use IPv6 addresses.
        reads_icmp: Whether it hears of a closed UDP port by itself; the parent need not ask then.
    """

    version: str
    transports: tuple[Transport, ...]
    codecs: tuple[str, ...]
    max_calls: int
    ipv6: bool
    reads_icmp: bool = False


class Hello(Message, frozen=True, kw_only=True):
    """First message of every engine."""

    protocol: int
    pid: int
    capabilities: Capabilities


class RegistrationState(StrEnum):
    """What `RegistrationChanged` tells."""

    REGISTERED = "registered"
    UNREGISTERED = "unregistered"
    FAILED = "failed"


class RegistrationChanged(Message, frozen=True, kw_only=True):
    """A REGISTER got its final outcome.

    Attributes:
        state: Registered, unregistered or failed.
        sip_code, reason: Final code and phrase.
        answered_by: Network, or made up here.
        local_cause: Why it was made up here.
        expires_s: Lifetime granted.
        round_trip_ms: Last REGISTER sent to final response, ms; None when nothing came back.
        requests_sent, challenges: Since `Register`.
        realms: Those that the last challenge takes a password for.
        explanation, challenge, bindings, problems, icmp, altered: As in `RegisterOutcome`.
    """

    state: RegistrationState
    sip_code: int
    reason: str
    answered_by: AnsweredBy
    local_cause: LocalCause = LocalCause.NONE
    expires_s: int = 0
    round_trip_ms: float | None = None
    requests_sent: int = 0
    challenges: int = 0
    realms: tuple[str, ...] = ()
    explanation: Explanation = Explanation()
    challenge: ChallengeFacts | None = None
    bindings: Bindings | None = None
    problems: tuple[MessageProblem, ...] = ()
    icmp: IcmpError | None = None
    altered: tuple[str, ...] = ()


class OptionsAnswered(Message, frozen=True, kw_only=True):
    """An OPTIONS got its final outcome; any response from the network shows that the far end is there.

    Attributes:
        sip_code, reason: Final code and phrase.
        answered_by, local_cause, round_trip_ms, requests_sent: As in `RegistrationChanged`.
        explanation, problems, icmp, altered: As in `RegisterOutcome`.
    """

    sip_code: int
    reason: str
    answered_by: AnsweredBy
    local_cause: LocalCause = LocalCause.NONE
    round_trip_ms: float | None = None
    requests_sent: int = 0
    explanation: Explanation = Explanation()
    problems: tuple[MessageProblem, ...] = ()
    icmp: IcmpError | None = None
    altered: tuple[str, ...] = ()


class CallChanged(Message, frozen=True, kw_only=True):
    """A call reached another state.

    Attributes:
        call_id: Our id; for an incoming call the engine makes it.
        direction: Out or in.
        state: The new state.
        remote: The other side's URI; for an incoming call its From.
        called: For an incoming call, the Request-URI; else the URI dialled.
        to: For an incoming call, the URI of its To header; else empty.
        sip_code, reason, reason_header: Of the message that caused the change; 0 and empty when none.
        answered_by, local_cause: As in `RegistrationChanged`; set with `ENDED`.
        setup_ms: Session request delay, ms, once known.
        duration_s: Answer to end, seconds; set with `ENDED`.
        hung_up_by: Set with `ENDED` of an answered call.
        sip_call_id: Call-ID header.
        hang_up_ms: BYE to its final response (RFC 6076 section 4.4, session disconnect delay), ms; set with
            `ENDED` once it is known.
        realms: As in `RegistrationChanged`; set with `ENDED`.
        explanation, challenge, dialog, icmp: As in `CallOutcome`; set with `ENDED`.
    """

    call_id: str
    direction: Direction
    state: CallState
    remote: str = ""
    called: str = ""
    to: str = ""
    sip_code: int = 0
    reason: str = ""
    reason_header: str = ""
    answered_by: AnsweredBy | None = None
    local_cause: LocalCause = LocalCause.NONE
    setup_ms: float | None = None
    duration_s: float = 0.0
    hung_up_by: HungUpBy = HungUpBy.NOBODY
    sip_call_id: str = ""
    hang_up_ms: float | None = None
    realms: tuple[str, ...] = ()
    explanation: Explanation = Explanation()
    challenge: ChallengeFacts | None = None
    dialog: DialogFacts = DialogFacts()
    icmp: IcmpError | None = None


class CallHeld(Message, frozen=True, kw_only=True):
    """A call was put on hold or taken off it, or that did not work.

    Attributes:
        by_us, by_them: Who holds it; both can.
        trouble: Why a hold or its end that was asked for did not come about, empty otherwise.
    """

    call_id: str
    by_us: bool
    by_them: bool
    trouble: str = ""


class CallTransferred(Message, frozen=True, kw_only=True):
    """News of a transfer that we asked for, from the far end's NOTIFY (RFC 3515 section 2.4.4).

    Attributes:
        sip_code, reason: What the transfer has come to so far; a refusal of the REFER itself too.
        final: Whether nothing more is to come; after a final 2xx the call is ended by us.
    """

    call_id: str
    sip_code: int
    reason: str
    final: bool


class CallRecorded(Message, frozen=True, kw_only=True):
    """A recording began or ended.

    Attributes:
        path: Its file.
        on: Whether it goes on.
        trouble: Why it ended unasked, empty otherwise.
    """

    call_id: str
    path: str
    on: bool
    trouble: str = ""


class CallMedia(Message, frozen=True, kw_only=True):
    """A call's media figures, once a second and once more at its end."""

    call_id: str
    figures: MediaFigures


class CallLevels(Message, frozen=True, kw_only=True):
    """Levels for the meters, twenty times a second, dBm0; None is silence.

    Attributes:
        tx_dbm0: What we send.
        rx_dbm0: What we hear.
    """

    call_id: str
    tx_dbm0: float | None
    rx_dbm0: float | None


class DigitReceived(Message, frozen=True, kw_only=True):
    """A DTMF digit came in; one that the far end sends in two ways is told once.

    Attributes:
        way: How it came first.
    """

    call_id: str
    digit: str
    way: Dtmf = Dtmf.RFC4733


class AudioDevices(Message, frozen=True, kw_only=True):
    """The sound devices of this computer, the default ones first.

    Attributes:
        microphones, speakers: Their names, as the system shows them; empty where there are none.
    """

    microphones: tuple[str, ...]
    speakers: tuple[str, ...]


class AudioInUse(Message, frozen=True, kw_only=True):
    """Which sound devices are open, told whenever that changes.

    Attributes:
        microphone, speaker: Names; empty while none is open.
        note: What the person should know: a device is gone and another one is used, it is busy, or there is
            none. Empty when all is as chosen.
    """

    microphone: str = ""
    speaker: str = ""
    note: str = ""


class Traced(Message, frozen=True, kw_only=True):
    """A SIP message was sent or received."""

    message: TraceMessage


class TlsHandshake(Message, frozen=True, kw_only=True):
    """A TLS handshake ended, well or not."""

    target: Target
    facts: TlsFacts


class ConnectionLost(Message, frozen=True, kw_only=True):
    """The connection (TCP or TLS) of this trunk has ended; the next message makes a new one.

    Attributes:
        cause: The kind of end.
        words: The system's words, or the library's.
        registered: Whether a registration was up: its binding leads to a connection that is gone.
    """

    cause: LocalCause
    words: str
    registered: bool


class StrangerRefused(Message, frozen=True, kw_only=True):
    """Somebody who is not the provider asked for something and was refused; not told for each of a flood.

    Attributes:
        total: How many such requests there were since the account was opened.
        peer: `address:port` of the last one.
        method, user: What it asked for, and the user part of its Request-URI.
        code: What it got.
    """

    total: int
    peer: str
    method: str
    user: str
    code: int


class EngineFault(Message, frozen=True, kw_only=True):
    """An event that could not be sent, in its place: our own fault, and whoever waits for it hears so.

    Attributes:
        event: The event's type, for example `RegistrationChanged`.
        cause: Why, a clause that repeats no value.
        call_id: The call that it was about, empty for none.
    """

    event: str
    cause: str
    call_id: str = ""


Event = (
    Hello
    | RegistrationChanged
    | OptionsAnswered
    | CallChanged
    | CallHeld
    | CallTransferred
    | CallRecorded
    | CallMedia
    | CallLevels
    | DigitReceived
    | AudioDevices
    | AudioInUse
    | Traced
    | TlsHandshake
    | ConnectionLost
    | StrangerRefused
    | EngineFault
)
