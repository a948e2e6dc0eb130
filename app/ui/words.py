"""What states, results and durations are called on screen."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from app.model.call import CallState, Source
from app.model.caller import caller_name, caller_number
from app.model.outcome import Direction, HungUpBy, RegisterOutcome
from app.model.trunk import Transport, Trunk, TrunkState
from app.model.visible import one_line
from app.ui.style import Tone

translate = QCoreApplication.translate
_UNKNOWN = "\N{EN DASH}"
_LONGEST_PARTY = 60

TRUNK_TONES: dict[TrunkState, Tone] = {
    TrunkState.OFF: Tone.QUIET,
    TrunkState.CONNECTING: Tone.ACCENT,
    TrunkState.REGISTERED: Tone.GOOD,
    TrunkState.REACHABLE: Tone.GOOD,
    TrunkState.REJECTED: Tone.BAD,
    TrunkState.WRONG_CREDENTIALS: Tone.BAD,
    TrunkState.UNREACHABLE: Tone.BAD,
    TrunkState.FULL: Tone.WARNING,
}

USABLE_STATES = frozenset({TrunkState.REGISTERED, TrunkState.REACHABLE, TrunkState.FULL})
"""States in which calls can be tried without connecting first."""


def trunk_state_word(state: TrunkState) -> str:
    """The state as a word that starts with a capital."""
    match state:
        case TrunkState.OFF:
            return translate("words", "Off")
        case TrunkState.CONNECTING:
            return translate("words", "Connecting…")
        case TrunkState.REGISTERED:
            return translate("words", "Registered")
        case TrunkState.REACHABLE:
            return translate("words", "Reachable")
        case TrunkState.REJECTED:
            return translate("words", "Rejected")
        case TrunkState.WRONG_CREDENTIALS:
            return translate("words", "Wrong credentials")
        case TrunkState.UNREACHABLE:
            return translate("words", "Unreachable")
        case TrunkState.FULL:
            return translate("words", "Full")


def list_state_word(state: TrunkState, trunk: Trunk) -> str:
    """The state in the list of trunks, where one that may not connect is told from one that does not."""
    if state is TrunkState.OFF and not trunk.connect:
        return translate("words", "Switched off")
    return trunk_state_word(state)


def trunk_state_line(state: TrunkState, outcome: RegisterOutcome | None) -> str:
    """The state with the registration's round trip, where there was one: `Registered · 38 ms`."""
    word = trunk_state_word(state)
    if state is TrunkState.REGISTERED and outcome and outcome.round_trip_ms is not None:
        return f"{word} · {milliseconds(outcome.round_trip_ms)}"
    return word


def call_state_words(state: CallState, direction: Direction) -> str:
    """A running call's state, in words."""
    match state:
        case CallState.CALLING:
            return translate("words", "Calling…")
        case CallState.RINGING:
            return translate("words", "Ringing…")
        case CallState.EARLY_MEDIA:
            return translate("words", "Ringing, with sound")
        case CallState.INCOMING:
            return translate("words", "Incoming call")
        case CallState.ANSWERED:
            return translate("words", "In call")
        case CallState.ENDED:
            return translate("words", "Ended")


def hung_up_words(by: HungUpBy) -> str:
    """Who ended an answered call."""
    match by:
        case HungUpBy.US:
            return translate("words", "You hung up")
        case HungUpBy.THEM:
            return translate("words", "The other side hung up")
        case HungUpBy.LIMIT:
            return translate("words", "Ended at the time limit of the test call")
        case HungUpBy.NOBODY:
            return ""


def source_word(source: Source) -> str:
    """What a call sends."""
    match source:
        case Source.MICROPHONE:
            return translate("words", "Microphone")
        case Source.TONE:
            return translate("words", "Test tone")
        case Source.SPEECH:
            return translate("words", "Speech sample")
        case Source.SILENCE:
            return translate("words", "Silence")


def caller_words(address: str) -> str:
    """A party of a call, within a sentence: `Anna, +4930`. However long its name, the number is there."""
    name = one_line(caller_name(address), _LONGEST_PARTY)
    number = one_line(caller_number(address), _LONGEST_PARTY)
    return f"{name}, {number}" if name and name != number else number


def milliseconds(value: float | None) -> str:
    """A time for people: `38 ms`, `0.4 ms`; a dash when unknown."""
    if value is None:
        return _UNKNOWN
    return f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms"


def clock(seconds: float) -> str:
    """A call's length: `0:06`, `1:02:03`."""
    whole = int(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def server_line(trunk: Trunk) -> str:
    """Where a trunk connects: `sip.example.com:5061  TLS`."""
    host = f"[{trunk.host}]" if ":" in trunk.host else trunk.host
    port = f":{trunk.port}" if trunk.port else ""
    return f"{host}{port}  {trunk.transport.upper()}"


def codec_word(name: str) -> str:
    """A codec as people write it, with its RFC 3551 name where that differs."""
    known = {"PCMU": "G.711 µ-law", "PCMA": "G.711 A-law", "G722": "G.722", "G729": "G.729"}
    return known.get(name.upper().partition("/")[0], name)


def transport_word(transport: Transport) -> str:
    """A transport's name on screen."""
    return transport.upper()
