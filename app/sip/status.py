"""What SIP codes and Q.850 causes mean for someone who runs a trunk."""

from __future__ import annotations

import re
from functools import cache

import msgspec

from app import shipped
from app.model.advice import Lines


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
    causes: Lines = ()
    do: Lines = ()
    callee: bool = False
    field: str = ""


class Q850Cause(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a telephone network ended a call (ITU-T Q.850), as a gateway gives it in a `Reason:` header.

    Attributes:
        cause: 1 to 127.
        meaning: One plain sentence.
        sip: The code that gateways usually turn it into (RFC 3398 section 8.2.6.1), 0 for none.
        normal: Whether an answered call ends with it when nothing is wrong.
        fault: Whether a network that ends a call with it has failed.
        names: What FreeSWITCH and Asterisk call it; switches send these as a reason phrase too.
    """

    cause: int
    meaning: str
    sip: int = 0
    normal: bool = False
    fault: bool = False
    names: tuple[str, ...] = ()


class Warned(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a code in a `Warning:` header says (RFC 3261 section 20.43, RFC 5630 section 5.2).

    Attributes:
        code: 300 to 398; 399 only has a text.
        cause: What is behind it, one plain sentence.
    """

    code: int
    cause: str


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """One value of a `Reason:` header (RFC 3326).

    Attributes:
        protocol: In upper case, `SIP` or `Q.850`; empty for a header that only has words.
        cause: 0 where there is none.
        text: Empty where there is none.
    """

    protocol: str
    cause: int = 0
    text: str = ""


class _Class(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all codes with the same first digit have in common."""

    first: int
    title: str
    short: str
    meaning: str
    causes: Lines = ()
    do: Lines = ()
    field: str = ""


class _File(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"classes": "class"}
):
    """The shape of `data/status.toml`."""

    status: tuple[Status, ...]
    classes: tuple[_Class, ...]
    q850: tuple[Q850Cause, ...]
    warning: tuple[Warned, ...]


class _Tables(msgspec.Struct, frozen=True, kw_only=True):
    """The file, by number."""

    status: dict[int, Status]
    classes: dict[int, _Class]
    q850: dict[int, Q850Cause]
    named: dict[str, Q850Cause]
    warnings: dict[int, Warned]


@cache
def _tables() -> _Tables:
    file = shipped.load("app.sip", "data/status.toml", _File)
    tables = _Tables(
        status={entry.code: entry for entry in file.status},
        classes={entry.first: entry for entry in file.classes},
        q850={entry.cause: entry for entry in file.q850},
        named={name: entry for entry in file.q850 for name in entry.names},
        warnings={entry.code: entry for entry in file.warning},
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
_TEXT = re.compile(r';\s*text\s*=\s*("(?:[^"\\]|\\.)*"?|[^;]*)', re.IGNORECASE)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"?')
_HEADER_NAME = re.compile(r"^\s*Reason\s*:", re.IGNORECASE)
_PROTOCOL = re.compile(r"[A-Za-z0-9.!%*_+`'~-]+")
_NAME = re.compile(r"\b[A-Z]{2,}(?:_[A-Z]+)*\b")


def reasons(header: str) -> tuple[Reason, ...]:
    """The values of a `Reason:` header (RFC 3326), those that break the standard as text.

    Args:
        header: The header's value, several separated by commas; its name may stand in front.
    """
    parts = (part.strip() for part in _VALUE.findall(_HEADER_NAME.sub("", header)))
    return tuple(_reason(part) for part in parts if part)


def _reason(part: str) -> Reason:
    bare = _QUOTED.sub('""', part)
    protocol = bare.split(";", 1)[0].strip()
    if not _PROTOCOL.fullmatch(protocol) or ";" not in bare:
        return Reason(protocol="", text=part.strip('"'))
    cause, text = _CAUSE.search(bare), _TEXT.search(part)
    words = text[1].strip().strip('"') if text else ""
    return Reason(protocol=protocol.upper(), cause=int(cause[1]) if cause else 0, text=words)


def cause_of(reason_header: str) -> Q850Cause | None:
    """The Q.850 cause in a `Reason:` header (RFC 3326), or None when it gives none.

    Several reasons may stand in one header, separated by commas; the first Q.850 one counts. A cause without
    an entry comes back with its number and a general sentence.

    Args:
        reason_header: The header's value; its name may stand in front.
    """
    for reason in reasons(reason_header):
        if reason.protocol == "Q.850" and 1 <= reason.cause <= 127:
            return q850(reason.cause)
    return None


def q850(number: int) -> Q850Cause:
    """The Q.850 cause of this number; one without an entry has a general sentence."""
    unknown = f"The network gives cause {number}, which has no common meaning."
    return _tables().q850.get(number) or Q850Cause(cause=number, meaning=unknown)


def cause_named(text: str) -> Q850Cause | None:
    """The Q.850 cause that a text names as switches do, such as `NORMAL_CIRCUIT_CONGESTION`; else None."""
    known = _tables().named
    return next((known[name] for name in _NAME.findall(text) if name in known), None)


def warned(code: int) -> Warned | None:
    """What the code of a `Warning:` header says; None for one that says nothing by itself."""
    return _tables().warnings.get(code)
