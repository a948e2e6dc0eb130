"""From a call to the values of its rows, without secrets, and back."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from contextlib import suppress
from enum import StrEnum
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from app.model.finding import Finding, Verdict
from app.model.history import CallPlan, HistoryDetails, HistoryEntry, HistoryQuery, search_words
from app.model.outcome import CallOutcome, Direction, HungUpBy, TraceMessage
from app.redact import redact_sip
from app.store.schema import LAST_ID, Row, is_text

LONGEST_TEXT = 400
"""Of a number, a name, a reason; characters. A server can send what it likes."""
LONGEST_MESSAGE = 16_384
"""Of one SIP message, characters; more than fits into any UDP packet that arrives."""
MOST_MESSAGE_TEXT = 131_072
"""Of all messages of a call, characters; those in the middle are left out before that."""

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")

COLUMNS = (
    "id",
    "trunk_id",
    "trunk",
    "direction",
    "number",
    "dialled",
    "begun_at",
    "answered_at",
    "result",
    "sip_code",
    "reason",
    "hung_up_by",
    "setup_ms",
    "duration_s",
    "mos",
    "verdict",
    "headline",
)
LISTED = ", ".join(COLUMNS)
"""What a list shows."""
DETAILED = "recording, sip_call_id, left_out, plan, outcome, findings"
"""What is known of one call besides, but for its SIP messages."""

_TIMES = ("begun_at", "answered_at")
_LATEST_S = 32_503_680_000.0
"""The year 3000, s since the epoch; much later times are no dates on every system."""


def conditions(query: HistoryQuery) -> tuple[list[str], list[Any]]:
    """What a query asks, as terms of SQL that all have to hold, and the values in them."""
    where, values = ["1"], list[Any]()
    for column, value in (
        ("trunk_id", query.trunk_id),
        ("trunk", query.trunk),
        ("direction", query.direction and str(query.direction)),
    ):
        if value:
            where.append(f"{column} = ?")
            values.append(value)
    if query.since:
        where.append("begun_at >= ?")
        values.append(query.since)
    if query.results:
        where.append(f"result IN ({', '.join('?' * len(query.results))})")
        values += map(str, query.results)
    for word in search_words(query.text):
        where.append("instr(found_by, ?) > 0")
        values.append(word)
    return where, values


# What is written


def _clean(text: str, longest: int = LONGEST_TEXT) -> str:
    """Without secrets, and cut; in this order, because half a secret is not found any more."""
    plain = redact_sip(text.encode("utf-8", "replace").decode())
    return plain if len(plain) <= longest else f"{plain[: longest - 1]}…"


def clean_entry(entry: HistoryEntry) -> HistoryEntry:
    """The entry without secrets, its texts cut where they are too long, its numbers such as can be kept."""
    texts = {name: _clean(value) for name in COLUMNS if type(value := getattr(entry, name)) is str}
    odd = {
        name: 0.0 if name in ("begun_at", "duration_s") else None
        for name in COLUMNS
        if isinstance(value := getattr(entry, name), float) and not math.isfinite(value)
    }
    return replace(entry, **texts, **odd)


def _clean_value(value: Any) -> Any:
    match value:
        case str():
            return _clean(value, LONGEST_MESSAGE)
        case dict():
            return {key: _clean_value(each) for key, each in value.items()}
        case list() | tuple():
            return [_clean_value(each) for each in value]
    return value


def plain_value(value: Any) -> Any:
    """A value as SQLite takes it."""
    return str(value) if isinstance(value, StrEnum) else value


def detail_values(call: HistoryDetails) -> tuple[Any, ...]:
    """The columns `DETAILED` and `messages`, without secrets."""
    messages, left_out = _fitting(call.messages)
    return (
        _clean(call.recording, LONGEST_MESSAGE),
        _clean(call.sip_call_id),
        call.left_out + left_out,
        _json(call.plan),
        _json(call.outcome),
        _json(call.findings),
        msgspec.json.encode(messages).decode(),
    )


def _json(value: object) -> str:
    return msgspec.json.encode(_clean_value(msgspec.to_builtins(value))).decode()


def _fitting(messages: Sequence[TraceMessage]) -> tuple[list[TraceMessage], int]:
    """The messages without secrets, and how many in the middle were left out because there are too many."""
    clean = [replace(message, text=_clean(message.text, LONGEST_MESSAGE)) for message in messages]
    head = _within(clean, MOST_MESSAGE_TEXT // 2)
    rest = clean[len(head) :]
    tail = _within(reversed(rest), MOST_MESSAGE_TEXT // 2)[::-1]
    return head + tail, len(rest) - len(tail)


def _within(messages: Iterable[TraceMessage], room: int) -> list[TraceMessage]:
    found = []
    for message in messages:
        room -= len(message.text)
        if room < 0:
            break
        found.append(message)
    return found


# What is read


def read_entry(row: Sequence[Any]) -> HistoryEntry:
    """The columns `LISTED` as a value.

    Raises:
        ValueError: One of them can't be used; the text says which and why.
    """
    if len(row) < len(COLUMNS):
        raise ValueError("it is too large")
    values = dict(zip(COLUMNS, row, strict=False))
    for name, value in values.items():
        _check_value(name, value)
    values["direction"] = _word(Direction, values["direction"], Direction.OUT)
    values["hung_up_by"] = _word(HungUpBy, values["hung_up_by"], HungUpBy.NOBODY)
    verdict = values["verdict"]
    values["verdict"] = _word(Verdict, verdict, Verdict.NOT_RUN) if verdict else None
    try:
        return msgspec.convert(values, HistoryEntry, strict=True)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error


def _check_value(name: str, value: object) -> None:
    if isinstance(value, str):
        if not is_text(value):
            raise ValueError(f"its {name} is not text")
        if len(value) > LONGEST_MESSAGE:
            raise ValueError(f"its {name} has {len(value)} characters")
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"its {name} is not a number")
    if name in _TIMES and isinstance(value, int | float) and not 0 <= value <= _LATEST_S:
        raise ValueError(f"its {name} is not a valid time")
    if name == "id" and isinstance(value, int) and not 0 < value < LAST_ID:
        raise ValueError("its id is not valid")


def is_call(row: Row) -> bool:
    """Whether a row, which begins with the columns `LISTED`, is a call."""
    with suppress(ValueError):
        read_entry(row)
        return True
    return False


def _word(kind: type[E], text: object, other: E) -> E:
    """A word of ours; `other` for one that another version has written."""
    return kind(text) if isinstance(text, str) and text in set(kind) else other


def read_details(row: Sequence[Any]) -> HistoryDetails:
    """The columns `LISTED`, `DETAILED` and `messages` as a value.

    What can't be read of the last two is left out.

    Raises:
        ValueError: As `read_entry`.
    """
    entry = read_entry(row)
    recording, sip_call_id, left_out, plan, outcome, findings, messages = row[len(COLUMNS) :]
    return HistoryDetails(
        entry=entry,
        plan=_value(plan, CallPlan),
        outcome=_value(outcome, CallOutcome),
        findings=_value(findings, tuple[Finding, ...]) or (),
        recording=recording if is_text(recording) else "",
        sip_call_id=sip_call_id if is_text(sip_call_id) else "",
        messages=_read_messages(messages),
        left_out=left_out if isinstance(left_out, int) else 0,
    )


def _read_messages(text: object) -> tuple[TraceMessage, ...]:
    messages = _value(text, tuple[TraceMessage, ...]) or ()
    return tuple(message for message in messages if 0 <= message.at <= _LATEST_S)


def _value(text: object, kind: type[T]) -> T | None:
    if not isinstance(text, str):
        return None
    try:
        return msgspec.json.decode(text, type=kind | None)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None  # damaged, or another version wrote it; the list has what matters
