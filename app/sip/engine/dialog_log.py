"""What the messages of each call, and of signing in, showed besides their final code."""

from __future__ import annotations

import re
from collections import OrderedDict

from msgspec.structs import replace

from app.model.signalling import (
    MOST_PROBLEMS,
    MOST_REQUESTS,
    Bindings,
    ChallengeFacts,
    DialogFacts,
    Explanation,
    Handling,
    IcmpError,
    MessageProblem,
    Purpose,
    SentRequest,
)
from app.model.trunk import Transport
from app.sip.engine.edge.digest import CREDENTIALS
from app.sip.engine.edge.seen import Seen
from app.sip.syntax.explanation import explanation_of
from app.sip.syntax.text import one_line

KEEP = 64
"""Call-IDs that are remembered at a time."""

_PURPOSES = {
    "ACK": Purpose.ACKNOWLEDGE,
    "BYE": Purpose.STACK,
    "CANCEL": Purpose.CANCEL,
    "INFO": Purpose.DIGITS,
    "INVITE": Purpose.REFRESH,
    "PRACK": Purpose.PROVISIONAL,
    "REFER": Purpose.TRANSFER,
    "UPDATE": Purpose.REFRESH,
}
"""What a request within a call is for where nobody here has asked for it."""
_SESSION_TIMER = re.compile(r"session.{0,12}(timer|refresh|expire)|refresh.{0,12}session", re.IGNORECASE)


class _Request:
    """A request of ours within a call; `at` is wall clock."""

    def __init__(self, method: str, cseq: int, purpose: Purpose, at: float) -> None:
        self.method = method
        self.cseq = cseq
        self.purpose = purpose
        self.at = at
        self.code = 0
        self.reason = ""
        self.obstacle = ""


class _Record:
    """Everything about one Call-ID."""

    def __init__(self) -> None:
        self.problems: list[MessageProblem] = []
        self.requests: list[_Request] = []
        self.wanted: dict[str, Purpose] = {}
        self.explanation = Explanation()
        self.challenge: ChallengeFacts | None = None
        self.bindings: Bindings | None = None
        self.icmp: IcmpError | None = None
        self.unreadable = False
        self.first_invite: int | None = None
        self.answered_at: float | None = None
        self.answers = 0
        self.repeats = 0
        self.answer_tag: str | None = None
        self.acknowledged = False
        self.direction = ""
        self.codecs: tuple[str, ...] = ()
        self.bye_came = False
        self.session_timer = False
        self.keys_in_clear = False
        self.altered: dict[str, None] = {}
        self.incoming = False


class DialogLog:
    """Fed with every message that passes the edge; belongs to the engine's thread."""

    def __init__(self) -> None:
        self._records: OrderedDict[str, _Record] = OrderedDict()
        self._latest: dict[str, str] = {}

    # What happens

    def note(self, seen: Seen) -> None:
        """Take a message."""
        if not seen.call_id:
            # It can't be told what it answers: whatever waits at this moment
            for call_id in set(self._latest.values()):
                self._add_problems(self._record(call_id), seen)
            return
        record = self._record(seen.call_id)
        self._add_problems(record, seen)
        if seen.message is None:
            return
        if seen.outgoing:
            self._sent(record, seen)
        else:
            self._came(record, seen)

    def expect(self, call_id: str, method: str, purpose: Purpose) -> None:
        """Say what the next request of this method in a call is for."""
        self._record(call_id).wanted[method] = purpose

    def detour(self, call_id: str, method: str, obstacle: str) -> None:
        """The next request of this method could not go where the far end wants it."""
        record = self._record(call_id)
        if len(record.requests) < MOST_REQUESTS:
            purpose = record.wanted.pop(method, _PURPOSES.get(method, Purpose.STACK))
            request = _Request(method, -1, purpose, 0.0)
            request.obstacle = one_line(obstacle)
            record.requests.append(request)

    def unreachable(self, icmp: IcmpError | None) -> None:
        """A datagram did not arrive, by an ICMP error."""
        for call_id in set(self._latest.values()):
            self._record(call_id).icmp = icmp

    def unreadable(self, words: str, line: str, peer: str) -> None:
        """A connection's bytes are not SIP; whatever waits for an answer will not get it."""
        problem = MessageProblem(
            start="",
            header="",
            line=one_line(line),
            what=one_line(words),
            handling=Handling.DROPPED,
            peer=peer,
        )
        for call_id in set(self._latest.values()):
            record = self._record(call_id)
            record.unreadable = True
            if len(record.problems) < MOST_PROBLEMS:
                record.problems.append(problem)

    def forget(self, call_id: str) -> None:
        """Drop what is known about a call that is over."""
        self._records.pop(call_id, None)
        self._latest = {method: known for method, known in self._latest.items() if known != call_id}

    def restart(self, method: str) -> None:
        """Drop what is known of signing in, before it is done again."""
        call_id = self._latest.pop(method, "")
        self._records.pop(call_id, None)

    # What it showed

    def explanation(self, call_id: str) -> Explanation:
        """What the far end says about its final answer, or in its BYE."""
        return self._of(call_id).explanation

    def challenge(self, call_id: str) -> ChallengeFacts | None:
        """What the last 401 or 407 asked for."""
        return self._of(call_id).challenge

    def bindings(self, call_id: str) -> Bindings | None:
        """What the last 2xx to REGISTER lists."""
        return self._of(call_id).bindings

    def problems(self, call_id: str) -> tuple[MessageProblem, ...]:
        """Messages of the far end that break the standard."""
        return tuple(self._of(call_id).problems)

    def altered(self, call_id: str) -> tuple[str, ...]:
        """What answers should have repeated and did not."""
        return tuple(self._of(call_id).altered)[:MOST_PROBLEMS]

    def icmp(self, call_id: str) -> IcmpError | None:
        """Why a datagram did not arrive."""
        return self._of(call_id).icmp

    def is_unreadable(self, call_id: str) -> bool:
        """Whether an answer came that can't be read."""
        return self._of(call_id).unreadable

    def latest(self, method: str) -> str:
        """The Call-ID in which `method` was sent last, empty when it was not."""
        return self._latest.get(method, "")

    def facts(self, call_id: str) -> DialogFacts:
        """All that the messages of a call showed."""
        record = self._of(call_id)
        answered = record.answered_at
        return DialogFacts(
            answer_repeats=record.repeats,
            acknowledged=None if answered is None else record.acknowledged,
            requests=tuple(_as_sent(request, answered) for request in record.requests),
            problems=tuple(record.problems),
            answer_direction=record.direction,
            far_codecs=record.codecs,
            ended_by_bye=record.bye_came,
            session_timer=record.session_timer,
            keys_in_clear=record.keys_in_clear,
            altered=tuple(record.altered)[:MOST_PROBLEMS],
        )

    def _of(self, call_id: str) -> _Record:
        return self._records.get(call_id) or _Record()

    def _record(self, call_id: str) -> _Record:
        record = self._records.get(call_id)
        if record is None:
            record = self._records[call_id] = _Record()
            while len(self._records) > KEEP:
                self._records.popitem(last=False)
        return record

    def _add_problems(self, record: _Record, seen: Seen) -> None:
        record.unreadable = record.unreadable or not (seen.passed or seen.outgoing)
        for problem in seen.problems:
            same = any(
                (known.header, known.what) == (problem.header, problem.what) for known in record.problems
            )
            if not same and len(record.problems) < MOST_PROBLEMS:
                record.problems.append(problem)

    def _sent(self, record: _Record, seen: Seen) -> None:
        message, at = seen.message, seen.trace.at
        assert message is not None
        if b"\na=crypto:" in message.body and seen.trace.transport is not Transport.TLS:
            record.keys_in_clear = True
        cseq, _, method = message.first("cseq").partition(" ")
        method = method.strip()
        if not message.is_request:
            if method == "INVITE" and message.code // 100 == 2 and int(cseq) == record.first_invite:
                record.answers += 1
                record.answered_at = record.answered_at or at
                record.repeats = 0 if record.acknowledged else record.answers - 1
            return
        self._latest[method] = seen.call_id
        if record.challenge is not None and any(header.name in CREDENTIALS for header in message.headers):
            record.challenge = replace(record.challenge, answered=True)
        if method == "INVITE" and record.answered_at is None:
            record.first_invite = int(cseq)
            return
        if method in ("REGISTER", "OPTIONS") or (method == "ACK" and int(cseq) != record.first_invite):
            return
        if method == "ACK":
            record.acknowledged = True
        self._add_request(record, method, int(cseq), at)

    def _add_request(self, record: _Record, method: str, cseq: int, at: float) -> None:
        for request in reversed(record.requests):
            if request.method != method:
                continue
            if request.cseq in (cseq, -1):
                request.cseq, request.at = cseq, request.at or at
                return  # a repeat, or the one that went another way
            if request.code in (401, 407):
                request.cseq, request.code, request.reason = cseq, 0, ""
                return  # the same request, with credentials now
            break
        if len(record.requests) < MOST_REQUESTS:
            purpose = record.wanted.pop(method, _PURPOSES.get(method, Purpose.STACK))
            record.requests.append(_Request(method, cseq, purpose, at))

    def _came(self, record: _Record, seen: Seen) -> None:
        message, head, at = seen.message, seen.head, seen.trace.at
        assert message is not None
        if seen.challenge is not None:
            record.challenge = replace(
                seen.challenge,
                answered=seen.challenge.answered or (record.challenge or seen.challenge).answered,
            )
        record.bindings = seen.bindings or record.bindings
        record.altered.update(dict.fromkeys(seen.altered))
        if head is None:
            return
        if head.sdp is not None:
            record.direction, record.codecs = head.sdp.direction, head.sdp.codecs
            clear = seen.trace.transport is not Transport.TLS
            record.keys_in_clear = record.keys_in_clear or (bool(head.sdp.key_tags) and clear)
        if head.code:
            self._answer_came(record, seen, at)
        elif head.method in ("BYE", "CANCEL"):
            record.bye_came = head.method == "BYE"
            self._explain(record, explanation_of(message, head))
        elif head.method == "ACK":
            record.acknowledged = record.acknowledged or head.cseq == record.first_invite
        elif head.method == "INVITE" and record.answered_at is None and seen.passed:
            record.incoming, record.first_invite = True, head.cseq

    def _answer_came(self, record: _Record, seen: Seen, at: float) -> None:
        message, head = seen.message, seen.head
        assert message is not None
        assert head is not None
        if head.code < 200:
            return
        if head.method == "INVITE" and head.cseq == record.first_invite:
            tag = head.to.tag if head.to is not None else ""
            if head.code < 300 and record.answer_tag in (None, tag):  # not of another branch
                record.answer_tag = tag
                record.answers += 1
                record.repeats = record.answers - 1
                record.answered_at = record.answered_at or at
            self._explain(record, explanation_of(message, head))
            return
        if head.method in ("REGISTER", "OPTIONS", "INVITE") and not record.requests:
            self._explain(record, explanation_of(message, head))
        for request in record.requests:
            if (request.method, request.cseq) == (head.method, head.cseq):
                request.code, request.reason = head.code, head.phrase

    def _explain(self, record: _Record, explanation: Explanation) -> None:
        record.explanation = explanation
        if any(_SESSION_TIMER.search(reason) for reason in explanation.reasons):
            record.session_timer = True


def _as_sent(request: _Request, answered_at: float | None) -> SentRequest:
    after = request.at - answered_at if answered_at is not None and request.at else 0.0
    return SentRequest(
        method=request.method,
        purpose=request.purpose,
        code=request.code,
        reason=request.reason,
        left=not request.obstacle,
        obstacle=request.obstacle,
        after_s=round(after, 3),
    )
