"""What SIP codes and Q.850 causes mean for someone who runs a trunk."""

from __future__ import annotations

import re
from functools import cache

import msgspec

from app import shipped


class Status(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One SIP code (RFC 3261 section 21 and later ones, IANA registry).

    Attributes:
        code: Number.
        phrase: The standard's reason phrase; empty when the code itself is unknown.
        title: What happened, one plain sentence.
        short: The same as a clause, for a headline.
        meaning: What it says about the trunk.
        causes: Likely causes on a trunk, likeliest first.
        do: Next steps, the first one first.
        callee: Whether it is about the person called, so that the trunk itself did carry the call.
        field: The trunk setting to look at first, else empty.
    """

    code: int
    phrase: str
    title: str
    short: str
    meaning: str
    causes: tuple[str, ...] = ()
    do: tuple[str, ...] = ()
    callee: bool = False
    field: str = ""


class Q850Cause(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a telephone network ended a call (ITU-T Q.850), as a gateway tells it in a `Reason:` header.

    Attributes:
        cause: 1 to 127.
        meaning: One plain sentence.
        sip: The code that gateways usually turn it into (RFC 3398 section 8.2.6.1), 0 for none.
    """

    cause: int
    meaning: str
    sip: int = 0


class _Class(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all codes with the same first digit have in common."""

    first: int
    title: str
    short: str
    meaning: str
    causes: tuple[str, ...] = ()
    do: tuple[str, ...] = ()
    field: str = ""


class _File(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"classes": "class"}
):
    """The shape of `data/status.toml`."""

    status: tuple[Status, ...]
    classes: tuple[_Class, ...]
    q850: tuple[Q850Cause, ...]


class _Tables(msgspec.Struct, frozen=True, kw_only=True):
    """The file, by number."""

    status: dict[int, Status]
    classes: dict[int, _Class]
    q850: dict[int, Q850Cause]


@cache
def _tables() -> _Tables:
    file = shipped.load("app.sip", "data/status.toml", _File)
    tables = _Tables(
        status={entry.code: entry for entry in file.status},
        classes={entry.first: entry for entry in file.classes},
        q850={entry.cause: entry for entry in file.q850},
    )
    twice = len(file.status) != len(tables.status) or len(file.q850) != len(tables.q850)
    if twice or set(tables.classes) != set(range(1, 7)):
        raise shipped.ShippedDataError(
            "app.sip/data/status.toml: a code or cause is there twice, or a class lacks"
        )
    return tables


def codes() -> tuple[int, ...]:
    """Every code that has an entry of its own, ascending."""
    return tuple(sorted(_tables().status))


def status(code: int) -> Status:
    """Explain a SIP code; one that has no entry is explained by its class (RFC 3261 section 8.1.3.2).

    Raises:
        ValueError: Not a SIP code: below 100 or above 699.
    """
    tables = _tables()
    if code in tables.status:
        return tables.status[code]
    if not 100 <= code <= 699:
        raise ValueError(f"{code} is not a SIP code")
    family = tables.classes[code // 100]
    return Status(
        code=code,
        phrase="",
        title=family.title,
        short=family.short,
        meaning=family.meaning,
        causes=family.causes,
        do=family.do,
        field=family.field,
    )


_VALUE = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+')
"""One reason of a header: up to a comma outside quotes."""

_CAUSE = re.compile(r";\s*cause\s*=\s*(\d{1,3})\s*(?:;|$)", re.IGNORECASE)

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"?')


def cause_of(reason_header: str) -> Q850Cause | None:
    """The Q.850 cause in a `Reason:` header (RFC 3326), or None when it gives none.

    Several reasons may stand in one header, separated by commas; the first Q.850 one counts. A cause without
    an entry comes back with its number and a general sentence.

    Args:
        reason_header: The header's value; its name may stand in front.
    """
    value = re.sub(r"^\s*Reason\s*:", "", reason_header, flags=re.IGNORECASE)
    for part in _VALUE.findall(value):
        bare = _QUOTED.sub('""', part)
        protocol = bare.split(";", 1)[0].strip()
        found = _CAUSE.search(bare)
        if protocol.upper() != "Q.850" or found is None:
            continue
        number = int(found.group(1))
        if not 1 <= number <= 127:
            continue
        known = _tables().q850.get(number)
        if known is not None:
            return known
        return Q850Cause(
            cause=number, meaning=f"The network gives cause {number}, which has no common meaning."
        )
    return None
