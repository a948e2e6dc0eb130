"""Trunks that get in each other's way: the same account, the same numbers, the same address twice."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from functools import lru_cache

import msgspec

from app.model.did import DidRange, did_ranges
from app.model.trunk import SignIn, Trunk
from app.model.typed import shown

_REMEMBERED = 1024
"""Lists of DIDs that are kept sorted; more than there are trunks in a large installation."""


class Conflict(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that two trunks can't both have.

    Attributes:
        other: The other trunk's name.
        field: The setting's key.
        what: A sentence or two for the person, the other's name in it.
    """

    other: str
    field: str
    what: str


def conflicts(trunk: Trunk, others: Iterable[Trunk]) -> tuple[Conflict, ...]:
    """What `trunk` shares with others that it should not; a trunk of the same id is itself.

    Those that are switched off count too: they are one click from being on.
    """
    host = trunk.host.casefold()
    found: list[Conflict] = []
    for other in others:
        if other.id != trunk.id and other.host.casefold() == host:
            found += _with(trunk, other)
    return tuple(found)


def _with(trunk: Trunk, other: Trunk) -> list[Conflict]:
    found = []
    if trunk.sign_in is other.sign_in:
        found += _same_account(trunk, other)
    shared = _first_shared(trunk.dids, other.dids)
    if shared:
        what = (
            f"The number {shared} also belongs to {shown(other.name)}. A call to it reaches only one trunk."
        )
        found.append(Conflict(other=other.name, field="dids", what=what))
    return found


def _same_account(trunk: Trunk, other: Trunk) -> list[Conflict]:
    name = shown(other.name)
    if trunk.sign_in is SignIn.ADDRESS:
        what = f"{name} signs in to {other.host} by address too. The provider can't tell the two apart."
        return [Conflict(other=other.name, field="host", what=what)]
    account = trunk.auth_id or trunk.user
    if not account or account != (other.auth_id or other.user):
        return []
    field = "auth_id" if trunk.auth_id else "user"
    if trunk.sign_in is SignIn.REGISTER:
        what = f"{name} registers as {shown(account)} at {other.host} too. Calls may come in on either one."
    else:
        what = f"{name} signs in as {shown(account)} at {other.host} too. The two share their channels."
    return [Conflict(other=other.name, field=field, what=what)]


class _Ordered(msgspec.Struct, frozen=True):
    """Ranges by length and first number, as numbers of one length are ordered; and where each begins."""

    starts: tuple[tuple[int, str], ...]
    ranges: tuple[DidRange, ...]


@lru_cache(maxsize=_REMEMBERED)
def _ordered(dids: tuple[str, ...]) -> _Ordered:
    ranges = sorted(did_ranges(dids), key=_start)
    return _Ordered(tuple(map(_start, ranges)), tuple(ranges))


def _start(one: DidRange) -> tuple[int, str]:
    return len(one.first), one.first


def _first_shared(mine: tuple[str, ...], theirs: tuple[str, ...]) -> str:
    """The lowest number that is in both, empty for none; whether it has a `+` does not matter."""
    if not mine or not theirs:
        return ""
    few, many = sorted((_ordered(mine), _ordered(theirs)), key=lambda ordered: len(ordered.ranges))
    for one in few.ranges:
        # Back from the last that begins before our end; within one list no two overlap
        at = bisect_right(many.starts, (len(one.first), one.last)) - 1
        lowest = ""
        while at >= 0 and _reaches(many.ranges[at], one):
            lowest = max(one.first, many.ranges[at].first)
            at -= 1
        if lowest:
            return lowest
    return ""


def _reaches(before: DidRange, one: DidRange) -> bool:
    """Whether a range that begins before the end of `one` overlaps it."""
    return len(before.last) == len(one.first) and before.last >= one.first
