"""Who may call: the provider, for this trunk's numbers. Whoever scans the network for telephones may not."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from app.sip.engine.edge.hop import Hop
from app.sip.engine.identity import account_user
from app.sip.messages import OpenAccount

if TYPE_CHECKING:
    from app.model.did import DidRange

_PUNCTUATION = re.compile(r"[\s().-]")
_NUMBER = re.compile(r"\+?[0-9]+")
_FULL_NUMBER = 7
"""Digits from which a number is no extension that a scanner would guess."""
_SHORT_NUMBER = 3
_FEWEST_SHARED = 6
"""Digits that two spellings of a number share at their end: `030 1234567` and `+49301234567`."""


class Admission:
    """Decides for one account.

    Args:
        settings: The account: its users, numbers and the provider's networks.
    """

    def __init__(self, settings: OpenAccount) -> None:
        self._registers = settings.register
        self._target = Hop(settings.target.transport, settings.target.address, settings.target.port)
        names = (account_user(settings), settings.user, settings.auth_id, settings.caller_id)
        self._users = {_plain(name) for name in names if name}
        self._dids = _ranges(settings.dids) if settings.dids else ()
        self._networks = tuple(ipaddress.ip_network(block, strict=False) for block in settings.networks)
        self._addresses = {settings.target.address, *settings.servers}

    def knows(self, user: str) -> bool:
        """Whether a user part, escaped or not, is one of this trunk's."""
        plain = _plain(user)
        return plain in self._users or any(_is_in(plain, did) for did in self._dids)

    def trusts(self, source: Hop) -> bool:
        """Whether a request comes from where the provider's requests come from."""
        if source.transport is not self._target.transport or source == self._target:
            # Over TCP and TLS there is only the connection that we have made ourselves
            return True
        if not self._registers and source.address in self._addresses:
            return True
        address = ipaddress.ip_address(source.address)
        return any(address in network for network in self._networks)

    def may_call(self, user: str, source: Hop) -> bool:
        """Whether a call for this user part may ring.

        A registered trunk is called at its user or its numbers. A number that is not among its DIDs rings
        too when the registrar itself sends it: people forget to enter their numbers. A trunk without a
        registration is told apart by its address only, so the caller's must be the provider's.
        """
        trusted = self.trusts(source)
        if self._registers:
            return self.knows(user) or (trusted and _digits(user) >= _FULL_NUMBER)
        if trusted:
            return not user or self.knows(user) or _digits(user) >= _SHORT_NUMBER
        # Where the provider's addresses are not known, its own numbers have to do
        return not self._networks and self.knows(user)


def _plain(user: str) -> str:
    return _PUNCTUATION.sub("", unquote(user).partition(";")[0]).casefold()


def _digits(user: str) -> int:
    plain = _plain(user)
    return len(plain.removeprefix("+")) if _NUMBER.fullmatch(plain) else 0


def _ranges(dids: tuple[str, ...]) -> tuple[DidRange, ...]:
    # Imported when there are any: what reads typed numbers comes along, and an idle engine has no use for it
    from app.model.did import did_ranges

    return did_ranges(dids)


def _is_in(plain: str, did: DidRange) -> bool:
    if not _NUMBER.fullmatch(plain):
        return False
    digits = plain.removeprefix("+")
    if digits in did:
        return True
    # With and without country code, trunk prefix or 00 in front, on either side
    length, core = len(did.first), digits.lstrip("0")
    zeros = length - len(did.first.lstrip("0"))
    if _FEWEST_SHARED <= length - zeros <= len(digits):
        return "0" * zeros + digits[zeros - length :] in did
    return len(core) >= _FEWEST_SHARED and did.first[: length - len(core)] + core in did
