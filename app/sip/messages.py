"""Commands to an engine and its events: frozen, tagged, unknown fields refused."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

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
from app.model.trunk import Transport

PROTOCOL_VERSION = 2
"""Raised with every change of a message; an engine of another version is refused."""


class _Message(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """Base of everything on the wire."""


class Source(StrEnum):
    """What an engine sends as our side's audio."""

    TONE = "tone"
    SPEECH = "speech"
    SILENCE = "silence"


# Commands


class OpenAccount(_Message, frozen=True, kw_only=True):
    """Take these credentials and this target; a former account is closed first.

    Attributes:
        user, host, port: The address of record and the registrar's port (None: none in the URI).
        auth_id: Digest user name.
        password: The secret; shown in no repr.
        realm: Realm it is for, `*` for any.
        caller_id: User part of From when it differs from `user`.
        expires: Seconds.
        register: Whether `Register` may be sent.
        codecs: Names, first choice first; all others are switched off.
        target: The address to send to.
        ca_file: PEM file for TLS, empty for the system's trust.
        keep_alive_s: Seconds between CRLF keep-alives.
    """

    user: str
    host: str
    port: int | None
    auth_id: str
    password: str
    realm: str
    caller_id: str
    expires: int
    register: bool
    codecs: tuple[str, ...]
    target: Target
    ca_file: str = ""
    keep_alive_s: int = 15

    def __repr__(self) -> str:
        """Without the password."""
        return f"OpenAccount(user={self.user!r}, host={self.host!r}, target={self.target}, password=<hidden>)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """The same for pretty printers, which would take msgspec's own list of all fields."""
        return [("user", self.user), ("host", self.host), ("target", self.target), ("password", "<hidden>")]


class Register(_Message, frozen=True, kw_only=True):
    """Send REGISTER now. The answer comes at once; `RegistrationChanged` tells the outcome.

    Attributes:
        limit_s: Seconds without any response after which it has failed; RFC 3261's own limit is 32.
    """

    limit_s: float = 8.0


class Unregister(_Message, frozen=True, kw_only=True):
    """Send REGISTER with Expires 0."""


class SendOptions(_Message, frozen=True, kw_only=True):
    """Send OPTIONS to the target; `OptionsAnswered` tells what came back.

    Attributes:
        limit_s: Seconds without any response after which it has failed.
    """

    limit_s: float = 8.0


class CloseAccount(_Message, frozen=True, kw_only=True):
    """Drop the account: hang up, unregister, forget the secret."""


class PlaceCall(_Message, frozen=True, kw_only=True):
    """Send INVITE.

    Attributes:
        call_id: Our own id for the call, unique in this engine's life.
        user: User part of the Request-URI, already as the provider wants it.
        country: ISO 3166 country whose emergency numbers are refused besides everyone's, may be empty.
        max_seconds: Length limit after the answer; the engine hangs up then.
        ring_seconds: Limit from INVITE to answer; the engine cancels then.
        source: What to send.
    """

    call_id: str
    user: str
    country: str = ""
    max_seconds: float
    ring_seconds: float
    source: Source = Source.TONE


class AnswerCall(_Message, frozen=True, kw_only=True):
    """Answer an incoming call with 200."""

    call_id: str
    max_seconds: float
    source: Source = Source.TONE


class RejectCall(_Message, frozen=True, kw_only=True):
    """Refuse an incoming call with this final code."""

    call_id: str
    code: int = 486


class HangUp(_Message, frozen=True, kw_only=True):
    """End a call: CANCEL, BYE or a refusal, as its state asks."""

    call_id: str


class SetSource(_Message, frozen=True, kw_only=True):
    """Change what a call sends."""

    call_id: str
    source: Source


class SendDigits(_Message, frozen=True, kw_only=True):
    """Send DTMF by RFC 4733.

    Attributes:
        digits: Any of 0-9, A-D, `*`, `#`.
    """

    call_id: str
    digits: str


class Stop(_Message, frozen=True, kw_only=True):
    """Hang up, unregister, answer, end."""


Command = (
    OpenAccount
    | Register
    | Unregister
    | SendOptions
    | CloseAccount
    | PlaceCall
    | AnswerCall
    | RejectCall
    | HangUp
    | SetSource
    | SendDigits
    | Stop
)


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A command with the id that its one answer carries."""

    id: int
    command: Command


# Answers


class Done(_Message, frozen=True, kw_only=True):
    """The command was carried out."""


class Refused(_Message, frozen=True, kw_only=True):
    """The command can't be carried out; the texts are for the person."""

    what: str
    do: str = ""
    details: str = ""


class Bug(_Message, frozen=True, kw_only=True):
    """The engine's own fault."""

    details: str


class Answer(_Message, frozen=True, kw_only=True):
    """The one answer to a request."""

    id: int
    result: Done | Refused | Bug


# Events


class Capabilities(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What this engine can do on this system.

    Attributes:
        version: PJSIP's version.
        transports: Transports that work here.
        codecs: Codec names available.
        max_calls: Calls at a time.
        ipv6: Whether it can use IPv6 addresses.
    """

    version: str
    transports: tuple[Transport, ...]
    codecs: tuple[str, ...]
    max_calls: int
    ipv6: bool


class Hello(_Message, frozen=True, kw_only=True):
    """First message of every engine."""

    protocol: int
    pid: int
    capabilities: Capabilities


class RegistrationState(StrEnum):
    """What `RegistrationChanged` tells."""

    REGISTERED = "registered"
    UNREGISTERED = "unregistered"
    FAILED = "failed"


class RegistrationChanged(_Message, frozen=True, kw_only=True):
    """A REGISTER got its final outcome.

    Attributes:
        state: Registered, unregistered or failed.
        sip_code, reason: Final code and phrase.
        answered_by: Network, or made up here.
        local_cause: Why it was made up here.
        expires_s: Lifetime granted.
        round_trip_ms: Last REGISTER sent to final response, ms; None when nothing came back.
        requests_sent, challenges: Since `Register`.
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


class OptionsAnswered(_Message, frozen=True, kw_only=True):
    """An OPTIONS got its final outcome; any response from the network shows that the far end is there.

    Attributes:
        sip_code, reason: Final code and phrase.
        answered_by, local_cause, round_trip_ms, requests_sent: As in `RegistrationChanged`.
    """

    sip_code: int
    reason: str
    answered_by: AnsweredBy
    local_cause: LocalCause = LocalCause.NONE
    round_trip_ms: float | None = None
    requests_sent: int = 0


class CallState(StrEnum):
    """States of a call, in their order."""

    CALLING = "calling"
    RINGING = "ringing"
    EARLY_MEDIA = "early media"
    INCOMING = "incoming"
    ANSWERED = "answered"
    ENDED = "ended"


class CallChanged(_Message, frozen=True, kw_only=True):
    """A call reached another state.

    Attributes:
        call_id: Our id; for an incoming call the engine makes it.
        direction: Out or in.
        state: The new state.
        remote: The other side's URI; for an incoming call its From.
        called: For an incoming call, the Request-URI; else the URI dialled.
        sip_code, reason, reason_header: Of the message that caused the change; 0 and empty when none.
        answered_by, local_cause: As in `RegistrationChanged`; set with `ENDED`.
        setup_ms: Session request delay, ms, once known.
        duration_s: Answer to end, seconds; set with `ENDED`.
        hung_up_by: Set with `ENDED` of an answered call.
        sip_call_id: Call-ID header.
    """

    call_id: str
    direction: Direction
    state: CallState
    remote: str = ""
    called: str = ""
    sip_code: int = 0
    reason: str = ""
    reason_header: str = ""
    answered_by: AnsweredBy | None = None
    local_cause: LocalCause = LocalCause.NONE
    setup_ms: float | None = None
    duration_s: float = 0.0
    hung_up_by: HungUpBy = HungUpBy.NOBODY
    sip_call_id: str = ""


class CallMedia(_Message, frozen=True, kw_only=True):
    """A call's media figures, once a second and once more at its end."""

    call_id: str
    figures: MediaFigures


class CallLevels(_Message, frozen=True, kw_only=True):
    """Levels for the meters, ten times a second, dBm0; None is silence.

    Attributes:
        tx_dbm0: What we send.
        rx_dbm0: What we hear.
    """

    call_id: str
    tx_dbm0: float | None
    rx_dbm0: float | None


class DigitReceived(_Message, frozen=True, kw_only=True):
    """A DTMF digit came in."""

    call_id: str
    digit: str


class Traced(_Message, frozen=True, kw_only=True):
    """A SIP message was sent or received."""

    message: TraceMessage


class TlsHandshake(_Message, frozen=True, kw_only=True):
    """A TLS handshake ended, well or not."""

    target: Target
    facts: TlsFacts


Event = (
    Hello
    | RegistrationChanged
    | OptionsAnswered
    | CallChanged
    | CallMedia
    | CallLevels
    | DigitReceived
    | Traced
    | TlsHandshake
)

FromEngine = Answer | Event
"""Everything that can come up the wire."""
