"""What the gate has read of a message, and what became of it."""

from __future__ import annotations

import msgspec

from app.model.signalling import MessageProblem
from app.sip.syntax.address import Address, Uri, Via
from app.sip.syntax.challenge import Challenge
from app.sip.syntax.message import Message
from app.sip.syntax.sdp import Sdp


class Reason(msgspec.Struct, frozen=True):
    """Why a request is answered by the gate itself: the final code and its phrase (RFC 3261 section 21)."""

    code: int
    phrase: str


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What has been read of a message.

    Attributes:
        method: The request's as written; of a response that of its CSeq, in upper case.
        code, phrase: Of a response, the phrase readable; 0 and empty for a request.
        uri: The Request-URI, None where its scheme is not sip or sips, or of a response.
        via: The top Via.
        sender, to: From and To; None in a response where they can't be read, and our own request's count.
        call_id, cseq: As given.
        contacts: All Contact values that have been read.
        star: Whether the Contact is `*`.
        routes: Record-Route values in their order.
        seconds: `expires`, `min-expires`, `min-se`, `retry-after`, where given and read.
        tokens: `allow`, `supported`, `require`, … where given; empty tuples where a header is empty.
        session_expires: Seconds and refresher (`uac`, `uas` or empty); None where not given or not read.
        rseq: Of a reliable provisional response.
        rack: Of a PRACK.
        challenges: Of a 401 or 407.
        event, event_id: Of a NOTIFY.
        media_type: Of the body, lower case, without parameters.
        sdp: The description of audio in the body.
        sdp_broken: Whether the body should be one and can't be read.
    """

    method: str
    code: int = 0
    phrase: str = ""
    uri: Uri | None = None
    via: Via
    sender: Address | None
    to: Address | None
    call_id: str
    cseq: int
    contacts: tuple[Address, ...] = ()
    star: bool = False
    routes: tuple[Address, ...] = ()
    seconds: dict[str, int] = {}
    tokens: dict[str, tuple[str, ...]] = {}
    session_expires: tuple[int, str] | None = None
    rseq: int | None = None
    rack: tuple[int, int, str] | None = None
    challenges: tuple[Challenge, ...] = ()
    event: str = ""
    event_id: str = ""
    media_type: str = ""
    sdp: Sdp | None = None
    sdp_broken: bool = False


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of an examination.

    Attributes:
        message: The message as it came; None when it is not SIP at all.
        head: What has been read; None when the message can't be passed on.
        problems: What breaks the standard, the one that stopped the message last.
        answer: What a request that can't be passed on is answered with; None for no answer.
    """

    message: Message | None = None
    head: Head | None = None
    problems: tuple[MessageProblem, ...] = ()
    answer: Reason | None = None
