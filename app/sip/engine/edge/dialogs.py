"""The calls that messages belong to: who is who in them, and where their requests go (RFC 3261 section 12).

PJSIP knows none of it. In its dialogs the far end's Contact is an alias of the edge, and the addresses, tags
and routes that the far end uses are put in on the way out.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import OrderedDict
from collections.abc import Iterable

from app.sip.engine.edge.hop import Hop
from app.sip.syntax.address import LONGEST_TAG, Address, Uri, is_token
from app.sip.syntax.head import Head

MOST_CALLS = 256
MOST_LEGS = 16
"""Of a call that forks, or whose far end makes up tags. The first one is kept, and those that came last."""
LONGEST_CALL_ID = 128
LINGER_S = 40.0
"""Seconds that an ended call is remembered for what is still on its way: more than 64 × T1."""


class Leg:
    """One dialog of a call; a call that forks has several.

    Attributes:
        call: The call.
        number: Of the alias that stands for it towards PJSIP.
        remote_tag, inner_tag: The far end's tag as it writes it, and as PJSIP gets it.
        remote: The far end's address with its tag, as it stands in To or From on the wire.
        target: Where requests are addressed: the far end's last Contact, or its own address before one came.
        located: Whether it gave a Contact that can be used.
        routes: The Route headers of requests, the first hop first.
        peer: Where its last message came from.
        referred: Whether we have asked the far end to call somebody (REFER), so that it may tell how it goes.
    """

    def __init__(self, call: Call, number: int, remote_tag: str, remote: str, target: Uri, peer: Hop) -> None:
        self.call = call
        self.number = number
        self.remote_tag = remote_tag
        self.inner_tag = inner_tag(remote_tag)
        self.remote = remote
        self.target = target
        self.located = False
        self.routes: tuple[str, ...] = ()
        self.routes_set = False
        self.peer = peer
        self.referred = False

    def route(self, values: Iterable[Address], *, reverse: bool) -> None:
        """Take the route set, once (sections 12.1.1 and 12.1.2); `reverse` is for whoever sent the INVITE."""
        if self.routes_set:
            return
        self.routes_set = True
        uris = [f"<{value.uri.text}>" for value in values]
        self.routes = tuple(reversed(uris)) if reverse else tuple(uris)

    def retarget(self, contacts: tuple[Address, ...]) -> None:
        """A target refresh (section 12.2.1.2)."""
        if contacts and contacts[0].uri.is_sip:
            self.target = contacts[0].uri
            self.located = True


class Call:
    """One call, with all its legs.

    Attributes:
        call_id, inner_id: The Call-ID as it is on the wire, and as PJSIP gets it.
        incoming: Whether the far end began it.
        local: Our address with our tag, as on the wire; the tag comes with our first answer.
        local_tag: Our tag.
        first: CSeq number and branch of the INVITE of an incoming call.
        answered: Whether a 2xx to the INVITE has passed.
        ended_at: Monotonic seconds of the BYE or the refusal, None while it goes on.
        legs: By the far end's tag.
    """

    def __init__(self, call_id: str, inner_id: str, *, incoming: bool, local: str, local_tag: str) -> None:
        self.call_id = call_id
        self.inner_id = inner_id
        self.incoming = incoming
        self.local = local
        self.local_tag = local_tag
        self.first: tuple[int, str] | None = None
        self.answered = False
        self.ended_at: float | None = None
        self.legs: dict[str, Leg] = {}


class Dialogs:
    """All calls of an engine, the newest last.

    A call to our own number comes back through a proxy with the Call-ID that it went out with, so that one
    call of ours and one of theirs can share it. To PJSIP theirs then has another.
    """

    def __init__(self) -> None:
        self._calls: OrderedDict[tuple[str, bool], Call] = OrderedDict()
        self._inner: dict[str, Call] = {}
        self._legs: dict[int, Leg] = {}
        self._numbers = itertools.count(1)

    def __len__(self) -> int:
        """How many calls are known."""
        return len(self._calls)

    def of(self, call_id: str) -> Call | None:
        """The call with this Call-ID on the wire; of two, the one that came in."""
        return self._calls.get((call_id, True)) or self._calls.get((call_id, False))

    def inside(self, inner_id: str) -> Call | None:
        """The call with this Call-ID in PJSIP."""
        return self._inner.get(inner_id)

    def aliased(self, number: int) -> Leg | None:
        """The leg that an alias stands for."""
        return self._legs.get(number)

    @property
    def has_room(self) -> bool:
        """Whether another call can be entered without forgetting one that goes on."""
        return len(self._calls) < MOST_CALLS or any(c.ended_at is not None for c in self._calls.values())

    def begin(self, call_id: str, *, incoming: bool, local: str, local_tag: str) -> Call:
        """Enter a call."""
        self._drop((call_id, incoming))
        inner_id = inner_call_id(call_id)
        if inner_id in self._inner:
            inner_id = f"{_digest(call_id)}@back"
        call = Call(call_id, inner_id, incoming=incoming, local=local, local_tag=local_tag)
        self._calls[call_id, incoming] = self._inner[inner_id] = call
        if len(self._calls) > MOST_CALLS:
            over = (key for key, known in self._calls.items() if known.ended_at is not None)
            self._drop(next(over, next(iter(self._calls))))
        return call

    def leg(self, call: Call, remote_tag: str, remote: str, target: Uri, peer: Hop) -> Leg:
        """The leg with that tag, entered where it is new."""
        leg = call.legs.get(remote_tag)
        if leg is None:
            number = next(self._numbers)
            leg = call.legs[remote_tag] = Leg(call, number, remote_tag, remote, target, peer)
            self._legs[number] = leg
            if len(call.legs) > MOST_LEGS:
                _, tag, *_ = call.legs
                del self._legs[call.legs.pop(tag).number]
        return leg

    def match(self, head: Head) -> Leg | None:
        """The leg that a request of the far end is in (section 12.2.2), None when it is in none."""
        if head.to is None or head.sender is None or not head.to.tag:
            return None
        for incoming in (True, False):
            call = self._calls.get((head.call_id, incoming))
            if call is not None and call.local_tag == head.to.tag and head.sender.tag in call.legs:
                return call.legs[head.sender.tag]
        return None

    def forget(self, call_id: str) -> None:
        """Drop what has this Call-ID."""
        for incoming in (True, False):
            self._drop((call_id, incoming))

    def forget_ended(self, now: float) -> None:
        """Drop calls that ended long enough ago; `now` is monotonic seconds."""
        due = [
            key for key, c in self._calls.items() if c.ended_at is not None and now - c.ended_at > LINGER_S
        ]
        for key in due:
            self._drop(key)

    def _drop(self, key: tuple[str, bool]) -> None:
        call = self._calls.pop(key, None)
        if call is None:
            return
        self._inner.pop(call.inner_id, None)
        for leg in call.legs.values():
            self._legs.pop(leg.number, None)


def inner_call_id(call_id: str) -> str:
    """A Call-ID as PJSIP gets it: the same, unless it is longer than its buffers take."""
    return call_id if len(call_id) <= LONGEST_CALL_ID else f"{_digest(call_id)}@long"


def inner_tag(tag: str) -> str:
    """A tag as PJSIP gets it; a missing one (RFC 2543) gets one that is never sent out."""
    if not tag:
        return "none"
    return tag if is_token(tag, LONGEST_TAG) else f"long-{_digest(tag)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]
