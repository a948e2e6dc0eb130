"""What the trace of one engine says about a request: times, repeats, challenges and the final answer."""

from __future__ import annotations

import re

import msgspec

from app.sip.syntax.head import Head
from app.sip.syntax.message import Message
from app.sip.syntax.text import one_line

_CALL_ID = re.compile(r"^(?:Call-ID|i)[ \t]*:[ \t]*(\S+)", re.IGNORECASE | re.MULTILINE)
_CSEQ = re.compile(r"^CSeq[ \t]*:[ \t]*([0-9]{1,10})[ \t]+(\w+)", re.IGNORECASE | re.MULTILINE)
_NUMBER = re.compile(r"[0-9]{1,10}")
_REASON = re.compile(r"^Reason[ \t]*:[ \t]*([^\r\n]+)", re.IGNORECASE | re.MULTILINE)
_CHALLENGE = re.compile(
    r"^(?:WWW|Proxy)-Authenticate[ \t]*:"
    r"(?P<line>[^\r\n]*?\brealm[ \t]*=[ \t]*\"(?P<realm>[^\"\r\n]*)\"[^\r\n]*)",
    re.IGNORECASE | re.MULTILINE,
)
_STALE = re.compile(r"\bstale[ \t]*=[ \t]*\"?true", re.IGNORECASE)
_STATUS_LINE = re.compile(r"SIP/2\.0 (\d{3}) ?([^\r\n]*)", re.IGNORECASE)
_MOST_REASONS = 64
"""Of BYEs and CANCELs that are kept: some belong to no call of ours."""
_FOLD = re.compile(r"\r\n[ \t]+")


class Challenge(msgspec.Struct, frozen=True):
    """What a 401 or 407 asks for.

    Attributes:
        realm: The realm that it takes a password for.
        stale: Whether only the nonce was too old (RFC 7616 section 3.3).
    """

    realm: str
    stale: bool


class MessageHead(msgspec.Struct, frozen=True, kw_only=True):
    """The few header fields that tell which transaction a message belongs to.

    Attributes:
        code, phrase: Of a response; 0 and empty for a request.
        method: The CSeq method.
        cseq: The CSeq number.
        call_id: Call-ID.
        reason: `Reason:` header (RFC 3326), empty when there is none.
        challenges: Of a 401 or 407.
        has_sdp: Whether a body with an SDP session follows.
    """

    code: int
    phrase: str
    method: str
    cseq: int
    call_id: str
    reason: str = ""
    challenges: tuple[Challenge, ...] = ()
    has_sdp: bool = False


def split_message(text: str) -> tuple[str, str]:
    """Start line and headers, each on one line (RFC 3261 section 7.3.1), and the body."""
    head, _, body = text.partition("\r\n\r\n")
    return _FOLD.sub(" ", head), body


def read_head(text: str) -> MessageHead | None:
    """The head of a SIP message, or None when it is none (a keep-alive, rubbish)."""
    head, body = split_message(text)
    cseq = _CSEQ.search(head)
    call_id = _CALL_ID.search(head)
    if not (cseq and call_id):
        return None
    status = _STATUS_LINE.match(head)
    reason = _REASON.search(head)
    return MessageHead(
        code=int(status[1]) if status else 0,
        phrase=one_line(status[2]) if status else "",
        method=cseq[2].upper(),
        cseq=int(cseq[1]),
        call_id=call_id[1],
        reason=one_line(reason[1]) if reason else "",
        challenges=_challenges(head) if status and status[1] in ("401", "407") else (),
        has_sdp=body.lstrip().startswith("v=0"),
    )


def head_of(message: Message, read: Head | None = None, call_id: str = "") -> MessageHead | None:
    """The head of a message that has been taken apart already.

    Args:
        message: The message.
        read: What the gate has read of it, for its challenges.
        call_id: What to call its Call-ID, empty for its own.
    """
    cseq, _, method = message.first("cseq").partition(" ")
    call_id = call_id or one_line(message.first("call-id"))
    if not (_NUMBER.fullmatch(cseq) and call_id):
        return None
    return MessageHead(
        code=message.code,
        phrase=one_line(message.phrase),
        method=one_line(method, 32).upper(),
        cseq=int(cseq),
        call_id=call_id,
        reason=one_line(", ".join(message.values("reason"))),
        challenges=tuple(
            Challenge(one_line(asked.realm), asked.stale) for asked in (read.challenges if read else ())
        ),
        has_sdp=message.body.lstrip().startswith(b"v=0"),
    )


def _challenges(head: str) -> tuple[Challenge, ...]:
    return tuple(
        Challenge(one_line(found["realm"]), stale=_STALE.search(found["line"]) is not None)
        for found in _CHALLENGE.finditer(head)
    )


class Progress:
    """One method within one dialog as seen on the wire, all its attempts together.

    A 401 or 407 that is followed by another attempt does not end it: the person asked once (RFC 6076
    section 4.1 counts the same way).

    Attributes:
        first_sent, last_sent: Times of the first and the last request that was not a retransmission.
        requests_sent: Requests, retransmissions included.
        challenges: 401 and 407 received.
        realms: Those that the last of them takes a password for.
        answered_at: First response other than 100, a challenge and 487, None when nothing came back.
        code, phrase, reason, final_at: The last final response; 0 when there is none.
        early_sdp: Whether a provisional response carried SDP.
    """

    def __init__(self) -> None:
        self.first_sent: float | None = None
        self.last_sent: float | None = None
        self.requests_sent = 0
        self.challenges = 0
        self.realms: tuple[str, ...] = ()
        self.answered_at: float | None = None
        self.provisional = False
        self.code = 0
        self.phrase = ""
        self.reason = ""
        self.final_at: float | None = None
        self.early_sdp = False
        self._last_cseq = -1

    @property
    def round_trip_ms(self) -> float | None:
        """Last request to its final response, ms (RFC 6076 section 4.1)."""
        if self.last_sent is None or self.final_at is None or self.final_at < self.last_sent:
            return None
        return (self.final_at - self.last_sent) * 1000

    @property
    def setup_ms(self) -> float | None:
        """First request to the first response that tells something, ms (RFC 6076 section 4.3)."""
        if self.first_sent is None or self.answered_at is None or self.answered_at < self.first_sent:
            return None
        return (self.answered_at - self.first_sent) * 1000

    def sent(self, at: float, cseq: int) -> None:
        """A request of ours went out."""
        self.requests_sent += 1
        if cseq != self._last_cseq:
            self._last_cseq = cseq
            self.last_sent = at
            # The new attempt has no final response yet: the 401 before it was not the last word
            self.code, self.phrase, self.reason, self.final_at = 0, "", "", None
        if self.first_sent is None:
            self.first_sent = at

    def received(self, at: float, head: MessageHead) -> None:
        """A response came in."""
        challenge = head.code in (401, 407)
        if head.code < 200:
            self.provisional = True
            self.early_sdp = self.early_sdp or head.has_sdp
        elif head.cseq == self._last_cseq and self.final_at is None:
            self.code, self.phrase, self.reason, self.final_at = head.code, head.phrase, head.reason, at
            self.challenges += challenge
            self.realms = tuple(asked.realm for asked in head.challenges) or self.realms
        # A 487 confirms that the call was taken back, and says nothing about how far it had come
        if head.code > 100 and not challenge and head.code != 487 and self.answered_at is None:
            self.answered_at = at


class Ledger:
    """Keeps a `Progress` per dialog and method, fed with every message of the trace."""

    def __init__(self) -> None:
        self._progress: dict[tuple[str, str], Progress] = {}
        self._bye_reason: dict[str, str] = {}

    def note(self, head: MessageHead, at: float, *, outgoing: bool) -> None:
        """Take the head of a message that was sent (`outgoing`) or received; `at` is wall clock."""
        key = head.call_id, head.method
        if head.code == 0 and outgoing and head.method != "ACK":
            self._progress.setdefault(key, Progress()).sent(at, head.cseq)
        elif head.code and not outgoing:
            # A response to what is forgotten, or was never asked, is not kept
            if progress := self._progress.get(key):
                progress.received(at, head)
        elif head.method in ("BYE", "CANCEL") and not outgoing and head.code == 0:
            self._bye_reason[head.call_id] = head.reason
            while len(self._bye_reason) > _MOST_REASONS:
                del self._bye_reason[next(iter(self._bye_reason))]

    def of(self, call_id: str, method: str) -> Progress:
        """The progress of `method` in the dialog with this Call-ID; a blank one when nothing was seen."""
        return self._progress.get((call_id, method)) or Progress()

    def bye_reason(self, call_id: str) -> str:
        """The `Reason:` header of the BYE or CANCEL that came in, empty when there was none."""
        return self._bye_reason.get(call_id, "")

    def forget(self, call_id: str) -> None:
        """Drop what is known about a dialog that is over."""
        for key in [key for key in self._progress if key[0] == call_id]:
            del self._progress[key]
        self._bye_reason.pop(call_id, None)

    def restart(self, method: str) -> None:
        """Drop all attempts of `method`, before it is asked for anew."""
        for key in [key for key in self._progress if key[1] == method]:
            del self._progress[key]

    def latest(self, method: str) -> Progress:
        """The progress of `method` in whichever dialog used it last."""
        found = [progress for (_, m), progress in self._progress.items() if m == method]
        return max(found, key=lambda progress: progress.last_sent or 0.0) if found else Progress()
