"""Commands to an engine and its events: frozen, tagged, unknown fields refused."""

from __future__ import annotations

import msgspec

from app.model.outcome import LocalCause
from app.sip.messages.base import Message
from app.sip.messages.commands import (
    AnswerCall,
    CallCommand,
    CloseAccount,
    Command,
    ForwardCall,
    HangUp,
    HoldCall,
    MuteCall,
    OpenAccount,
    Ping,
    PlaceCall,
    Register,
    RejectCall,
    ResumeCall,
    SendDigits,
    SendOptions,
    SetConference,
    SetSource,
    StartRecording,
    Stop,
    StopRecording,
    TransferCall,
    TransferToCall,
    Unregister,
    UseAudio,
    WatchDevices,
)
from app.sip.messages.events import (
    AudioDevices,
    AudioInUse,
    CallChanged,
    CallHeld,
    CallLevels,
    CallMedia,
    CallRecorded,
    CallTransferred,
    Capabilities,
    ConnectionLost,
    DigitReceived,
    EngineFault,
    Event,
    Hello,
    OptionsAnswered,
    RegistrationChanged,
    RegistrationState,
    StrangerRefused,
    TlsHandshake,
    Traced,
)

__all__ = [
    "PROTOCOL_VERSION",
    "Answer",
    "AnswerCall",
    "AudioDevices",
    "AudioInUse",
    "Bug",
    "CallChanged",
    "CallCommand",
    "CallHeld",
    "CallLevels",
    "CallMedia",
    "CallRecorded",
    "CallTransferred",
    "Capabilities",
    "CloseAccount",
    "Command",
    "ConnectionLost",
    "DigitReceived",
    "Done",
    "EngineFault",
    "Event",
    "ForwardCall",
    "FromEngine",
    "HangUp",
    "Hello",
    "HoldCall",
    "MuteCall",
    "OpenAccount",
    "OptionsAnswered",
    "Ping",
    "PlaceCall",
    "Refused",
    "Register",
    "RegistrationChanged",
    "RegistrationState",
    "RejectCall",
    "Request",
    "ResumeCall",
    "SendDigits",
    "SendOptions",
    "SetConference",
    "SetSource",
    "StartRecording",
    "Stop",
    "StopRecording",
    "StrangerRefused",
    "TlsHandshake",
    "Traced",
    "TransferCall",
    "TransferToCall",
    "Unregister",
    "UseAudio",
    "WatchDevices",
]

PROTOCOL_VERSION = 5
"""Raised with every change of a message; an engine of another version is refused."""


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A command with the id that its one answer carries."""

    id: int
    command: Command


class Done(Message, frozen=True, kw_only=True):
    """The command was carried out."""


class Refused(Message, frozen=True, kw_only=True):
    """The command can't be carried out; the texts are for the person.

    Attributes:
        what, do, details: As in `UserError`.
        local_cause: Set where it failed for a cause that a registration or a call can fail for as well, such
            as a computer without a network.
    """

    what: str
    do: str = ""
    details: str = ""
    local_cause: LocalCause = LocalCause.NONE


class Bug(Message, frozen=True, kw_only=True):
    """The engine's own fault."""

    details: str


class Answer(Message, frozen=True, kw_only=True):
    """The one answer to a request."""

    id: int
    result: Done | Refused | Bug


FromEngine = Answer | Event
"""Everything that can come up the wire."""
