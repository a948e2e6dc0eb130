"""What a response needs to find its way: the requests that passed the edge (RFC 3261 section 17)."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Generic, TypeVar

from app.sip.engine.edge.dialogs import Call, Leg
from app.sip.engine.edge.hop import Hop
from app.sip.syntax.address import HostPort, Via
from app.sip.syntax.head import Head
from app.sip.syntax.message import Header, Message

KEEP = 512
"""Transactions of a kind that are kept at a time."""
KEEP_S = 70.0
"""Seconds that one is kept after it was last used: 2 × 64 × T1 and some more."""

T = TypeVar("T", "Sent", "Received")


class Sent:
    """A request of PJSIP that went out.

    Attributes:
        method, cseq: Of the request.
        via, sender, to, call_id: The values of its headers as PJSIP wrote them.
        contact: The Contact as PJSIP wrote it, empty when it has none.
        wire_to: The To as it went out.
        ours: The address in its Contact as it went out.
        message: As it went out, taken apart.
        key_tags: Tags of the keys for SRTP that it offers.
        failed: Whether PJSIP was told that it has failed here.
        call, leg: The call it belongs to, and the dialog it is in; None for one that is in none.
        hop: Where it went, None while that is being looked up.
        expires: The lifetime that a REGISTER asks for, seconds.
        raw: As it went out last, to know a repeat by.
        answered: Whether any response came.
        final: Whether a final one came.
        used_at: Monotonic seconds.
        nonces: The challenges that it answers.
    """

    def __init__(self, method: str, cseq: int, now: float) -> None:
        self.method = method
        self.cseq = cseq
        self.via = self.sender = self.to = self.call_id = self.contact = ""
        self.wire_to = ""
        self.ours: HostPort | None = None
        self.message: Message | None = None
        self.key_tags: tuple[int, ...] = ()
        self.failed = False
        self.call: Call | None = None
        self.leg: Leg | None = None
        self.hop: Hop | None = None
        self.expires: int | None = None
        self.raw = b""
        self.answered = self.final = False
        self.used_at = now
        self.nonces: tuple[str, ...] = ()


class Received:
    """A request of the far end that PJSIP got.

    Attributes:
        head: What the gate read of it.
        branch: Of the Via that PJSIP sees.
        copied: The headers that every response carries as they came: Via, From, Call-ID, CSeq.
        to: The To header as it came.
        routes: The Record-Route headers as they came.
        source: Who sent it.
        call, leg: As in `Sent`.
        sent, code: The last response as it went out, and its code.
        used_at: Monotonic seconds.
    """

    def __init__(self, head: Head, branch: str, source: Hop, now: float) -> None:
        self.head = head
        self.branch = branch
        self.source = source
        self.copied: tuple[Header, ...] = ()
        self.to = Header(name="to", line="To:")
        self.routes: tuple[Header, ...] = ()
        self.call: Call | None = None
        self.leg: Leg | None = None
        self.sent = b""
        self.code = 0
        self.used_at = now


class Transactions(Generic[T]):
    """A limited number of them by branch and method, those forgotten first that were used longest ago."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], T] = OrderedDict()

    def __len__(self) -> int:
        """How many there are."""
        return len(self._known)

    def add(self, branch: str, method: str, transaction: T) -> None:
        """Keep one."""
        self._known[branch, method] = transaction
        self._known.move_to_end((branch, method))
        while len(self._known) > KEEP:
            self._known.popitem(last=False)

    def get(self, branch: str, method: str, now: float) -> T | None:
        """The one with this branch and method; ACK and CANCEL have their INVITE's branch."""
        found = self._known.get((branch, method))
        if found is not None:
            found.used_at = now
            self._known.move_to_end((branch, method))
        return found

    def all(self) -> tuple[T, ...]:
        """All of them, the one used longest ago first."""
        return tuple(self._known.values())

    def drop(self, branch: str, method: str) -> None:
        """Forget one."""
        self._known.pop((branch, method), None)

    def forget_old(self, now: float) -> None:
        """Forget those that were not used for `KEEP_S`; `now` is monotonic seconds."""
        while self._known:
            key, transaction = next(iter(self._known.items()))
            if now - transaction.used_at <= KEEP_S:
                return
            del self._known[key]


def branch_inside(via: Via, head: Head) -> str:
    """The branch that PJSIP gets for a request of the far end.

    It is the same for a request, its CANCEL and the ACK of its refusal (section 16.11).
    """
    seed = [via.host, str(via.port or ""), via.branch]
    if not via.branch.startswith("z9hG4bK"):
        seed += [head.call_id, head.sender.tag if head.sender else "", str(head.cseq)]
    return "z9hG4bK" + hashlib.sha256("\n".join(seed).encode("utf-8", "surrogateescape")).hexdigest()[:32]
