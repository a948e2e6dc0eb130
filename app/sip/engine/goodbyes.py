"""What the trace of one engine says about ends: who sent BYE and why, and which calls PJSIP turned away."""

from __future__ import annotations

import re
from typing import NamedTuple, TypeVar

from app.model.outcome import LocalCause
from app.model.trunk import Srtp
from app.sip.engine.edge.seen import Seen
from app.sip.engine.offer import wants_dtls
from app.sip.syntax.message import Message
from app.sip.syntax.text import one_line, readable_lines
from app.sip.trace import MessageHead

K = TypeVar("K")
V = TypeVar("V")

KEEP = 64
"""Calls and descriptions of sound that are remembered at a time."""

# RFC 3326: Reason: SIP ;cause=408 ;text="No session refresh received."
_REASON = re.compile(r'^SIP\s*;\s*cause\s*=\s*(\d+)(?:\s*;\s*text\s*=\s*"([^"]*)")?', re.IGNORECASE)
_TAG = re.compile(r";[ \t]*tag[ \t]*=[ \t]*([^;> \t]+)", re.IGNORECASE)
# The person hears of these; 486 is a full engine, and 482 is the second way of a call that came on two
AUDIO_CODES = {406, 488, 606}
"""Codes with which PJSIP refuses a call for its audio."""
TOLD = {400, 415, 420, 421, 422, *AUDIO_CODES}
BAD_OFFER = "Refused, because the caller's description of its audio can't be used"


class OwnBye(NamedTuple):
    """A BYE or CANCEL of ours that nobody here asked for: PJSIP ended the call.

    Attributes:
        code, text: Of its Reason header, 0 and empty where there is none.
    """

    code: int
    text: str


class TurnedAway(NamedTuple):
    """A call that PJSIP refused before anybody was asked.

    Attributes:
        sip_call_id: Its Call-ID.
        caller, called, to: As `CallChanged` tells them.
        code: The final code that was sent.
        words: Why, for the person.
    """

    sip_call_id: str
    caller: str
    called: str
    to: str
    code: int
    words: str


class Goodbyes:
    """Fed with every message of calls that passes the edge.

    Attributes:
        srtp: What the trunk wants, for the words.
    """

    def __init__(self) -> None:
        self.srtp = Srtp.OFF
        self._ours: dict[str, OwnBye] = {}
        self._theirs: dict[str, None] = {}
        self._sound: dict[str, str] = {}
        self._who: dict[str, tuple[str, str, str]] = {}
        self._tags: dict[str, str] = {}
        self._turned_away: dict[tuple[str, int], None] = {}

    def note(self, seen: Seen, head: MessageHead) -> TurnedAway | None:
        """Take one message; returns the call that it turns away, if it does, and not when it is repeated."""
        message = seen.message
        if message is None or head.method not in ("BYE", "CANCEL", "INVITE"):
            return None
        if head.method == "BYE" and head.code == 0:
            if self._tags.get(head.call_id, "") not in ("", *_tags(message).values()):
                return None  # of a branch that answered too, after the one that is spoken with
            if not seen.outgoing:
                _keep(self._theirs, head.call_id, None)
            elif head.call_id not in self._ours:
                _keep(self._ours, head.call_id, _own_bye(head.reason))
        elif head.method == "CANCEL" and head.code == 0 and seen.outgoing and head.reason:
            # Only PJSIP gives a reason for taking a call back, we never do
            _keep(self._ours, head.call_id, _own_bye(head.reason))
        elif head.method == "INVITE" and not seen.outgoing:
            if head.has_sdp:
                _keep(self._sound, head.call_id, readable_lines(message.body))
            if 200 <= head.code < 300 and head.call_id not in self._tags:
                _keep(self._tags, head.call_id, _tags(message).get("to", ""))
            if head.code == 0:
                who = (one_line(message.uri), _uri(message.first("from")), _uri(message.first("to")))
                _keep(self._who, head.call_id, who)
        elif head.method == "INVITE" and head.code in TOLD:
            return self._turn_away(head, message)
        return None

    def who(self, call_id: str) -> tuple[str, str, str]:
        """Request-URI, From and To of an INVITE that came in, as they came; empty where there was none."""
        return self._who.get(call_id, ("", "", ""))

    def ours(self, call_id: str) -> OwnBye | None:
        """Our BYE, or PJSIP's own CANCEL, in this dialog; None while there is none."""
        return self._ours.get(call_id)

    def theirs(self, call_id: str) -> bool:
        """Whether the far end has sent BYE."""
        return call_id in self._theirs

    def encrypted(self, call_id: str) -> bool:
        """Whether the far end's last description of sound has keys (RFC 4568)."""
        return "a=crypto:" in self._sound.get(call_id, "")

    def forget(self, call_id: str) -> None:
        """Drop what is known of a call that is over."""
        self._ours.pop(call_id, None)
        self._theirs.pop(call_id, None)
        self._sound.pop(call_id, None)
        self._who.pop(call_id, None)
        self._tags.pop(call_id, None)

    def _turn_away(self, head: MessageHead, message: Message) -> TurnedAway | None:
        if (head.call_id, head.cseq) in self._turned_away:
            return None
        _keep(self._turned_away, (head.call_id, head.cseq), None)
        missing = message.first("unsupported") or message.first("require") or message.first("min-se")
        return TurnedAway(
            sip_call_id=head.call_id,
            caller=_uri(message.first("from")),
            called=self.who(head.call_id)[0],
            to=_uri(message.first("to")),
            code=head.code,
            words=self.why(head.call_id, head.code, one_line(missing)),
        )

    def why(self, call_id: str, code: int, extension: str = "") -> str:
        """Why PJSIP refuses a call with this code, for the person; `extension` is what 420 and 421 name."""
        if code == 421:
            return f"Refused, because the caller does not know {extension}, which this trunk requires"
        if code == 422:
            return (
                "Refused, because the caller asks for a session interval (Session-Expires) that is too short;"
                f" it should call again with {extension or 90} seconds or more"
            )
        if code == 420:
            return f"Refused, because the caller requires {extension}, which Ringback does not know"
        if code == 400:
            return "Refused, because the call can't be understood: it is not written as the standard says"
        if code == 415:
            return "Refused, because the caller describes its audio in a form that Ringback does not know"
        sound = self._sound.get(call_id, "")
        secure, keys = "RTP/SAVP" in sound, "a=crypto:" in sound
        if self.srtp is Srtp.OFF and secure:
            return "Refused, because the caller requires encryption (SRTP), which is off for this trunk"
        if self.srtp is Srtp.REQUIRE and not secure:
            offer = "encryption only as a choice" if keys else "no encryption (SRTP)"
            return f"Refused, because the caller offers {offer}, and this trunk requires it"
        if wants_dtls(sound):
            return "Refused, because the caller encrypts audio by DTLS-SRTP, which Ringback does not know"
        if secure and not keys:
            return "Refused, because the caller offers encryption (SRTP) without keys in SDP (SDES)"
        return "Refused, because the caller and this trunk have no codec in common"


def own_cause(bye: OwnBye, *, acknowledged: bool, encrypted: bool, srtp: Srtp) -> tuple[LocalCause, str]:
    """Why PJSIP ended a call by itself, as a cause and in words.

    Args:
        bye: What it sent.
        acknowledged: Whether the answer was confirmed by ACK, ours or theirs.
        encrypted: Whether the far end gave keys for SRTP.
        srtp: What the trunk wants.
    """
    if bye.code == 481:
        return LocalCause.CALL_UNKNOWN, "The other side did not know the call any more"
    if bye.code == 408:
        if "session refresh" in bye.text:
            return LocalCause.SESSION_EXPIRED, "The other side did not refresh the call in time"
        if not acknowledged:
            return LocalCause.NO_ACK, "The caller never confirmed that the call was answered"
        return LocalCause.NO_ANSWER, "The other side did not answer any more"
    if bye.code in (406, 415, 488):
        if srtp is Srtp.REQUIRE and not encrypted:
            return LocalCause.NO_SRTP, "The other side answered without encryption, which this trunk requires"
        if bye.code == 488 and srtp is not Srtp.OFF and encrypted:
            # PJSIP says 415 when the codecs don't fit, and 488 when they do and the audio can't be set up
            return (
                LocalCause.SRTP_DIFFERS,
                "The keys in the other side's answer do not fit those that were offered",
            )
        if bye.code == 406:
            return LocalCause.NO_CODEC, "The other side answered without saying anything about its sound"
        return LocalCause.NO_CODEC, "The other side's answer has no codec that this trunk offers"
    return LocalCause.OTHER, bye.text or "The call was ended by this computer"


def _own_bye(reason: str) -> OwnBye:
    found = _REASON.match(reason)
    return OwnBye(int(found[1]), found[2] or "") if found else OwnBye(0, "")


def _tags(message: Message) -> dict[str, str]:
    """The tags of From and To of a message."""
    found = {name: _TAG.search(message.first(name)) for name in ("from", "to")}
    return {name: match[1] for name, match in found.items() if match}


def _uri(address: str) -> str:
    """A header's value without tag and other parameters, as PJSIP gives addresses."""
    end = address.rfind(">") + 1
    return one_line(address[:end] if end else address.partition(";")[0])


def _keep(where: dict[K, V], key: K, value: V) -> None:
    where[key] = value
    while len(where) > KEEP:
        del where[next(iter(where))]
