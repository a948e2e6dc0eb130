"""The registrar: who is reachable where (RFC 3261 section 10.3)."""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec

from app.sip.carrier.loopback import loopback_address
from app.sip.carrier.received import Peer, Received
from app.sip.carrier.sipmessage import target_fault
from app.sip.syntax.answer import DEFAULT_PORT
from app.sip.syntax.head import Head
from app.sip.syntax.values import seconds

MAX_BINDINGS = 10
DEFAULT_EXPIRES_S = 3600


class Binding(msgspec.Struct, frozen=True, kw_only=True):
    """One contact of an account.

    Attributes:
        uri: Contact URI.
        host, port: Its loopback address.
        peer: Where the REGISTER came from; for TCP the connection that calls go over.
        expires_at: On the registrar's clock, seconds.
        call_id, cseq: Of the REGISTER that made it.
    """

    uri: str
    host: str
    port: int
    peer: Peer
    expires_at: float
    call_id: str
    cseq: int


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """What to answer a REGISTER with.

    Attributes:
        code, reason: Status; an empty reason is the standard phrase.
        headers: Headers that go with it.
        granted_s: Longest lifetime granted by it, seconds; 0 when nothing was or all was removed.
    """

    code: int
    reason: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    granted_s: int = 0


class _Wish(msgspec.Struct, frozen=True):
    uri: str
    host: str
    port: int
    expires: int


class Registrar:
    """Keeps the bindings of all accounts.

    Args:
        users: Accounts there are.
        min_expires_s, max_expires_s: Shortest lifetime accepted and longest granted, seconds.
        clock: A clock that never goes back, seconds.
    """

    def __init__(
        self,
        users: Collection[str],
        *,
        min_expires_s: int,
        max_expires_s: int,
        clock: Callable[[], float],
    ) -> None:
        self._bindings: dict[str, dict[str, Binding]] = {user: {} for user in users}
        self._min = min_expires_s
        self._max = max_expires_s
        self._clock = clock

    def bindings(self, user: str) -> tuple[Binding, ...]:
        """The account's live contacts, the most recently refreshed one first."""
        now = self._clock()
        known = self._bindings.get(user, {})
        for uri in [uri for uri, binding in known.items() if binding.expires_at <= now]:
            del known[uri]
        return tuple(reversed(known.values()))

    def register(self, user: str, request: Received) -> Registered:
        """Carry out a REGISTER whose sender may register `user`; changes all contacts or none."""
        head = request.head
        known = {binding.uri: binding for binding in reversed(self.bindings(user))}
        call_id, cseq = head.call_id, head.cseq
        if head.star:
            if head.contacts or head.seconds.get("expires") != 0:
                return Registered(code=400, reason="Contact * needs Expires 0 and no other Contact")
            if any(_is_old(binding, call_id, cseq) for binding in known.values()):
                return Registered(code=500, reason="CSeq is older than the last one")
            self._bindings[user] = {}
            return self._listed(user, 0)
        wishes = self._wishes(head)
        if isinstance(wishes, Registered):
            return wishes
        for wish in wishes:
            if wish.uri in known and _is_old(known[wish.uri], call_id, cseq):
                return Registered(code=500, reason="CSeq is older than the last one")
            known.pop(wish.uri, None)
            if wish.expires:
                known[wish.uri] = Binding(
                    uri=wish.uri,
                    host=wish.host,
                    port=wish.port,
                    peer=request.peer,
                    expires_at=self._clock() + wish.expires,
                    call_id=call_id,
                    cseq=cseq,
                )
        if len(known) > MAX_BINDINGS:
            return Registered(code=403, reason="Too many contacts")
        self._bindings[user] = known
        return self._listed(user, max((wish.expires for wish in wishes), default=0))

    def _wishes(self, head: Head) -> list[_Wish] | Registered:
        """The contacts asked for, or the refusal."""
        # A value that can't be read counts as if it were not given (RFC 3261 sections 10.2.1.1 and 20.19)
        default = head.seconds.get("expires", DEFAULT_EXPIRES_S)
        wishes = []
        for contact in head.contacts:
            given = seconds(contact.param("expires") or "")
            expires = default if given is None else given
            fault = target_fault(contact.uri)
            if fault and expires == 0:
                continue  # never was bound, so it is gone
            if fault:
                return Registered(code=403, reason=f"Contact {fault}")
            if 0 < expires < self._min:
                return Registered(code=423, headers=(("Min-Expires", str(self._min)),))
            address, port = loopback_address(contact.uri.host) or "", contact.uri.port or DEFAULT_PORT
            wishes.append(_Wish(contact.uri.text, address, port, min(expires, self._max)))
        return wishes

    def _listed(self, user: str, granted_s: int) -> Registered:
        now = self._clock()
        headers = tuple(
            ("Contact", f"<{binding.uri}>;expires={max(1, round(binding.expires_at - now))}")
            for binding in self.bindings(user)
        )
        return Registered(code=200, headers=headers, granted_s=granted_s)


def _is_old(binding: Binding, call_id: str, cseq: int) -> bool:
    """Whether a REGISTER came out of order (RFC 3261 section 10.3, steps 6 and 7)."""
    return binding.call_id == call_id and cseq <= binding.cseq
