"""What a supervisor tells whoever listens: the window through its bridge, or the command line."""

from __future__ import annotations

import msgspec

from app.model.call import CallState, Source
from app.model.outcome import CallOutcome, Direction, MediaFigures, RegisterOutcome, TraceMessage
from app.model.quality import CallQuality
from app.model.trunk import Dtmf, TrunkState
from app.sip.child import ChildOutcome


class _Notice(msgspec.Struct, frozen=True, kw_only=True):
    trunk_id: str


class TrunkChanged(_Notice, frozen=True, kw_only=True):
    """A trunk reached another state.

    Attributes:
        state: One of the eight.
        cause: Why, in a few words: `200 OK in 38 ms`, `403 Forbidden`, `no answer from 192.0.2.1`.
        outcome: The registration behind it, where there was one.
    """

    state: TrunkState
    cause: str = ""
    outcome: RegisterOutcome | None = None


class CallProgress(_Notice, frozen=True, kw_only=True):
    """A call reached another state; its end comes as `CallEnded`.

    Attributes:
        call_id: Our id.
        direction: Out or in.
        state: Calling to answered.
        number: The number as typed, or the caller of an incoming call.
        called: For an incoming call the Request-URI, else the URI dialled.
        to: For an incoming call the URI in To.
        sip_code, reason: Of the message behind the change.
        setup_ms: Session request delay, once known.
        sip_call_id: Call-ID header, once known.
    """

    call_id: str
    direction: Direction
    state: CallState
    number: str
    called: str = ""
    to: str = ""
    sip_code: int = 0
    reason: str = ""
    setup_ms: float | None = None
    sip_call_id: str = ""


class CallEnded(_Notice, frozen=True, kw_only=True):
    """A call is over, however it ended."""

    call_id: str
    direction: Direction
    outcome: CallOutcome


class CallFigures(_Notice, frozen=True, kw_only=True):
    """A call's media figures, once a second, with its score once there is one."""

    call_id: str
    figures: MediaFigures
    quality: CallQuality | None = None


class CallAccepted(_Notice, frozen=True, kw_only=True):
    """The person has answered a call that came in.

    Attributes:
        source: What is sent at first.
        max_seconds: How long it may last.
    """

    call_id: str
    source: Source
    max_seconds: float


class CallHold(_Notice, frozen=True, kw_only=True):
    """A call was put on hold or taken off it, by us or by the far end, or that did not work.

    Attributes:
        trouble: Why a hold or its end that was asked for did not come about, empty otherwise.
    """

    call_id: str
    by_us: bool
    by_them: bool
    trouble: str = ""


class TransferProgress(_Notice, frozen=True, kw_only=True):
    """News of a transfer; see `app.sip.messages.CallTransferred`."""

    call_id: str
    sip_code: int
    reason: str
    final: bool


class CallRecording(_Notice, frozen=True, kw_only=True):
    """A recording began or ended; see `app.sip.messages.CallRecorded`."""

    call_id: str
    path: str
    on: bool
    trouble: str = ""


class CallMeters(_Notice, frozen=True, kw_only=True):
    """A call's levels in dBm0, twenty times a second; None is silence."""

    call_id: str
    tx_dbm0: float | None
    rx_dbm0: float | None


class CallDigit(_Notice, frozen=True, kw_only=True):
    """A DTMF digit came in, in this way."""

    call_id: str
    digit: str
    way: Dtmf = Dtmf.RFC4733


class DevicesFound(_Notice, frozen=True, kw_only=True):
    """The sound devices of this computer, the default ones first."""

    microphones: tuple[str, ...]
    speakers: tuple[str, ...]


class AudioChanged(_Notice, frozen=True, kw_only=True):
    """Which sound devices this trunk's calls use; see `app.sip.messages.AudioInUse`."""

    microphone: str = ""
    speaker: str = ""
    note: str = ""


class TraceAdded(_Notice, frozen=True, kw_only=True):
    """A SIP message was sent or received."""

    message: TraceMessage


class EngineLost(_Notice, frozen=True, kw_only=True):
    """An engine ended without having been asked.

    Attributes:
        outcome: How, with its last log lines and the message that may have ended it.
        calls_lost: How many calls were in it; nobody has told the far ends.
        restart_in_s: Seconds until it is started again, None when it stays down.
        why_slowly: Why that is minutes, one sentence; empty when it is not.
    """

    outcome: ChildOutcome
    calls_lost: int
    restart_in_s: float | None
    why_slowly: str = ""


class StrangersRefused(_Notice, frozen=True, kw_only=True):
    """Somebody who is not the provider was refused: nothing that a person has to do anything about.

    Attributes:
        total: How many such requests there were since the trunk was connected.
        peer, method, user: Who asked last, for what and for whom.
    """

    total: int
    peer: str
    method: str
    user: str


class HistoryChanged(_Notice, frozen=True, kw_only=True):
    """A call was entered in the history, or an entry was completed; it can be read now.

    Attributes:
        entry_id: The entry.
    """

    entry_id: int


class HistoryTrouble(_Notice, frozen=True, kw_only=True):
    """The history can't be kept, or had to be begun anew; told once for each kind of trouble.

    Attributes:
        words: What happened, what it means and what to do. `trunk_id` may be empty.
    """

    words: str


Notice = (
    TrunkChanged
    | CallProgress
    | CallEnded
    | CallFigures
    | CallAccepted
    | CallHold
    | TransferProgress
    | CallRecording
    | CallMeters
    | CallDigit
    | DevicesFound
    | AudioChanged
    | TraceAdded
    | EngineLost
    | StrangersRefused
    | HistoryChanged
    | HistoryTrouble
)
