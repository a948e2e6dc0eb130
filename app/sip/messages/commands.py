"""What an engine can be told to do."""

from __future__ import annotations

from typing import Any

from app.model.audio_choice import AudioChoice
from app.model.call import Source
from app.model.outcome import Target
from app.model.trunk import (
    DEFAULT_KEEP_ALIVE_S,
    DEFAULT_SESSION_S,
    Dtmf,
    IdentityHeader,
    Srtp,
    Use,
)
from app.sip.messages.base import Message


class OpenAccount(Message, frozen=True, kw_only=True):
    """Take these credentials and this target; a former account is closed first.

    Attributes:
        user, host, port: The address of record and the registrar's port (None: none in the URI).
        auth_id: Digest user name.
        password: The secret, empty for a trunk that signs in without one; shown in no repr.
        realm: Realm it is for, `*` for any.
        caller_id: The caller ID as the provider wants it, empty for `user`.
        expires: Seconds.
        register: Whether `Register` may be sent.
        codecs: Names, first choice first; all others are switched off.
        target: The address to send to.
        ca_file: PEM file for TLS, empty for the system's trust.
        tls_pin: SHA-256 fingerprint of the one certificate that is trusted instead of either, empty for none.
        keep_alive_s: Seconds between CRLF keep-alives, 0 for none.
        public_address: Address for Via, Contact and SDP, empty for this computer's own.
        from_host: Host of From in a call, empty for `host`; REGISTER always has `host`.
        caller_id_header: Where the caller ID goes; REGISTER always has `user` in From.
        privacy: Whether calls ask for the caller ID to be withheld.
        allow_in: Whether a call that comes in may ring; else it is declined at once.
        srtp: Encryption of media.
        dtmf: How `SendDigits` sends.
        session_timer, session_expires: Session timers and their interval, seconds.
        prack: Reliable provisional responses.
        quarantine: Fingerprints (`app.sip.fingerprint`) of messages that ended an engine before: they are not
            given to PJSIP again.
        dids: Numbers and ranges that reach the trunk, as in its settings.
        servers: All addresses that its servers have, besides the target.
        networks: The provider's networks for signalling, CIDR; empty where they are not known.
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
    tls_pin: str = ""
    keep_alive_s: int = DEFAULT_KEEP_ALIVE_S
    public_address: str = ""
    from_host: str = ""
    caller_id_header: tuple[IdentityHeader, ...] = (IdentityHeader.FROM,)
    privacy: bool = False
    allow_in: bool = True
    srtp: Srtp = Srtp.OFF
    dtmf: Dtmf = Dtmf.RFC4733
    session_timer: Use = Use.SUPPORTED
    session_expires: int = DEFAULT_SESSION_S
    prack: Use = Use.OFF
    quarantine: tuple[str, ...] = ()
    dids: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Without the password."""
        return f"OpenAccount(user={self.user!r}, host={self.host!r}, target={self.target}, password=<hidden>)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """The same for pretty printers, which would take msgspec's own list of all fields."""
        return [("user", self.user), ("host", self.host), ("target", self.target), ("password", "<hidden>")]


class Register(Message, frozen=True, kw_only=True):
    """Send REGISTER now. The answer comes at once; `RegistrationChanged` tells the outcome.

    Attributes:
        limit_s: Seconds without any response after which it has failed; RFC 3261's own limit is 32.
    """

    limit_s: float = 8.0


class Unregister(Message, frozen=True, kw_only=True):
    """Send REGISTER with Expires 0."""


class SendOptions(Message, frozen=True, kw_only=True):
    """Send OPTIONS to the target; `OptionsAnswered` tells what came back.

    Attributes:
        limit_s: Seconds without any response after which it has failed.
    """

    limit_s: float = 8.0


class CloseAccount(Message, frozen=True, kw_only=True):
    """Drop the account: hang up, unregister, forget the secret."""


class PlaceCall(Message, frozen=True, kw_only=True):
    """Send INVITE.

    Attributes:
        call_id: Our own id for the call, unique in this engine's life.
        user: User part of the Request-URI, already as the provider wants it.
        country: ISO 3166 country whose emergency numbers are refused besides everyone's, may be empty.
        prefixes: What the provider takes off in front of `user`; an emergency number is refused behind each.
        max_seconds: Length limit after the answer; the engine hangs up then.
        ring_seconds: Limit from INVITE to answer; the engine cancels then.
        source: What to send.
    """

    call_id: str
    user: str
    country: str = ""
    prefixes: tuple[str, ...] = ()
    max_seconds: float
    ring_seconds: float
    source: Source = Source.TONE


class AnswerCall(Message, frozen=True, kw_only=True):
    """Answer an incoming call with 200."""

    call_id: str
    max_seconds: float
    source: Source = Source.TONE


class RejectCall(Message, frozen=True, kw_only=True):
    """Refuse an incoming call with this final code."""

    call_id: str
    code: int = 486


class ForwardCall(Message, frozen=True, kw_only=True):
    """Send an incoming call on to another number: 302 with that number in Contact (RFC 3261 section 21.3.3).

    Attributes:
        user, country, prefixes: As in `PlaceCall`; an emergency number is refused.
    """

    call_id: str
    user: str
    country: str = ""
    prefixes: tuple[str, ...] = ()


class HangUp(Message, frozen=True, kw_only=True):
    """End a call: CANCEL, BYE or a refusal, as its state asks."""

    call_id: str


class SetSource(Message, frozen=True, kw_only=True):
    """Change what a call sends."""

    call_id: str
    source: Source


class SendDigits(Message, frozen=True, kw_only=True):
    """Send DTMF, in the way that the account was opened with.

    Attributes:
        digits: Any of 0-9, A-D, `*`, `#`.
    """

    call_id: str
    digits: str


class HoldCall(Message, frozen=True, kw_only=True):
    """Put the far end on hold by a re-INVITE with `a=sendonly` (RFC 3264 section 8.4)."""

    call_id: str


class ResumeCall(Message, frozen=True, kw_only=True):
    """Take the call off hold."""

    call_id: str


class MuteCall(Message, frozen=True, kw_only=True):
    """Send silence in place of the source, or the source again; digits are still sent."""

    call_id: str
    muted: bool


class TransferCall(Message, frozen=True, kw_only=True):
    """Have the far end call another number: REFER (RFC 3515). `CallTransferred` tells what comes of it.

    Attributes:
        user, country, prefixes: As in `PlaceCall`; an emergency number is refused.
    """

    call_id: str
    user: str
    country: str = ""
    prefixes: tuple[str, ...] = ()


class TransferToCall(Message, frozen=True, kw_only=True):
    """Have the far end of one call take over another one: REFER with Replaces (RFC 3891).

    Attributes:
        call_id: The call whose far end is referred.
        other_id: The call that it takes over.
    """

    call_id: str
    other_id: str


class SetConference(Message, frozen=True, kw_only=True):
    """Let these calls hear each other, and no others; fewer than two end the conference."""

    call_ids: tuple[str, ...]


class StartRecording(Message, frozen=True, kw_only=True):
    """Write both sides of a call to a WAV file: what we send left, what we hear right.

    Attributes:
        path: The file; it must not exist yet.
    """

    call_id: str
    path: str


class StopRecording(Message, frozen=True, kw_only=True):
    """End a recording; nothing happens where there is none. `CallRecorded` tells it."""

    call_id: str


class UseAudio(Message, frozen=True, kw_only=True):
    """Open these sound devices while a call is up, and ring while one comes in.

    Attributes:
        choice: The devices; None for none at all, as at the start. Names are those of `AudioDevices`.
    """

    choice: AudioChoice | None


class WatchDevices(Message, frozen=True, kw_only=True):
    """Tell `AudioDevices` now and whenever a sound device comes or goes, or stop telling."""

    on: bool


class Ping(Message, frozen=True, kw_only=True):
    """Answer, and nothing else: shows that the thread which carries out commands still runs."""


class Stop(Message, frozen=True, kw_only=True):
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
    | ForwardCall
    | HangUp
    | SetSource
    | SendDigits
    | HoldCall
    | ResumeCall
    | MuteCall
    | TransferCall
    | TransferToCall
    | SetConference
    | StartRecording
    | StopRecording
    | UseAudio
    | WatchDevices
    | Ping
    | Stop
)

CallCommand = (
    ForwardCall
    | HoldCall
    | ResumeCall
    | MuteCall
    | TransferCall
    | TransferToCall
    | SetConference
    | StartRecording
    | StopRecording
)
"""What is done within a call."""
