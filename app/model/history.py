"""Calls that are kept: what is known of each, and how they are looked for."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum

import msgspec

from app.model.caller import caller_number
from app.model.finding import Finding, Verdict
from app.model.outcome import CallOutcome, CallResult, Direction, HungUpBy, TraceMessage

RUNNING = ""
"""The result of a call that is not over."""
CUT_OFF = "cut off"
"""The result of a call that was up when Ringback itself ended without a word."""

KEEP_DAYS = 90
"""How long calls are kept unless the person says otherwise, days."""
FOR_EVER = 0
"""Days that mean: calls are never deleted by themselves."""
LONGEST_KEEP_DAYS = 36_500

_FEWEST_DIGITS = 3
_NUMBER = re.compile(r"\+?[0-9 ()./-]+")


class ResultGroup(StrEnum):
    """Results that people look for together."""

    ANSWERED = "answered"
    NOT_ANSWERED = "not answered"
    FAILED = "failed"
    REFUSED_HERE = "refused here"


RESULTS: dict[ResultGroup, tuple[str, ...]] = {
    ResultGroup.ANSWERED: (CallResult.ANSWERED,),
    ResultGroup.NOT_ANSWERED: (
        CallResult.BUSY,
        CallResult.NO_ANSWER,
        CallResult.DECLINED,
        CallResult.CANCELLED,
    ),
    ResultGroup.FAILED: (
        CallResult.NOT_FOUND,
        CallResult.FORBIDDEN,
        CallResult.UNAVAILABLE,
        CallResult.WRONG_CREDENTIALS,
        CallResult.FAILED,
        CallResult.LOST,
        CUT_OFF,
    ),
    ResultGroup.REFUSED_HERE: (CallResult.REFUSED_HERE,),
}
"""Every result but `RUNNING` is in one group."""


def results_of(word: str) -> tuple[str, ...]:
    """The results behind a word: a group's, or the one result of that name; none for any other word."""
    if word in set(ResultGroup):
        return RESULTS[ResultGroup(word)]
    known = {result for results in RESULTS.values() for result in results}
    return (word,) if word in known else ()


class CallPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for when a call was placed or answered.

    Attributes:
        source: What is sent at first, as in `app.model.call.Source`.
        max_seconds: The longest that it may last.
        ring_seconds: The longest that it may ring; None for a call that came in.
    """

    source: str
    max_seconds: float
    ring_seconds: float | None = None


class HistoryEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One call as a list shows it.

    Attributes:
        id: Of the entry; 0 before it is kept.
        trunk_id, trunk: The trunk, with the name that it had then.
        direction: Out or in.
        number: As typed, or the caller with name and URI.
        dialled: The user part sent, or the URI that was called.
        begun_at: When it began, seconds since the epoch.
        answered_at: When it was answered, None when it was not.
        result: As in `CallResult`, or `RUNNING`, or `CUT_OFF`.
        sip_code, reason: Its last SIP code and the reason, as received or in our words.
        hung_up_by: Who ended it.
        setup_ms: Session request delay, ms; None while unknown.
        duration_s: Answer to end, seconds.
        mos: Its mean score, 1 to 4.5; None without one.
        verdict, headline: What is to be thought of it; None and empty while it runs.
    """

    id: int = 0
    trunk_id: str
    trunk: str
    direction: Direction
    number: str
    dialled: str = ""
    begun_at: float
    answered_at: float | None = None
    result: str = RUNNING
    sip_code: int = 0
    reason: str = ""
    hung_up_by: HungUpBy = HungUpBy.NOBODY
    setup_ms: float | None = None
    duration_s: float = 0.0
    mos: float | None = None
    verdict: Verdict | None = None
    headline: str = ""

    @property
    def running(self) -> bool:
        """Whether the call is not over."""
        return self.result == RUNNING

    @property
    def to_call(self) -> str:
        """What to dial to call that party again."""
        return caller_number(self.number) if self.direction is Direction.IN else self.number


class HistoryDetails(msgspec.Struct, frozen=True, kw_only=True):
    """All that is kept of one call.

    Attributes:
        entry: As in the list.
        plan: What was asked for; None for a call that came in and was not answered.
        outcome: What came of it; None while it runs, or when it was written by another version.
        findings: What that means, as it was told then.
        recording: The path of its recording, empty when there is none.
        sip_call_id: Call-ID header.
        messages: Its SIP messages, without secrets.
        left_out: How many more messages there were, in the middle.
    """

    entry: HistoryEntry
    plan: CallPlan | None = None
    outcome: CallOutcome | None = None
    findings: tuple[Finding, ...] = ()
    recording: str = ""
    sip_call_id: str = ""
    messages: tuple[TraceMessage, ...] = ()
    left_out: int = 0


class HistoryQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which calls are looked for; what is left empty does not matter.

    Attributes:
        text: Words that number, trunk, reason, result or verdict have in them, in any order.
        trunk_id: Of this trunk.
        trunk: Of trunks that were called this, for one that is not saved any more.
        direction: Out or in.
        results: With one of these results.
        since: Begun at this time or later, seconds since the epoch.
    """

    text: str = ""
    trunk_id: str = ""
    trunk: str = ""
    direction: Direction | None = None
    results: tuple[str, ...] = ()
    since: float = 0.0


def search_key(entry: HistoryEntry) -> str:
    """The text that the words of a query are looked for in."""
    numbers = [caller_number(address) for address in (entry.number, entry.dialled)]
    code = str(entry.sip_code) if entry.sip_code else ""
    parts = [entry.trunk, entry.number, *numbers, *map(_digits, numbers), code]
    found = ""
    for part in map(_folded, [entry.headline, entry.reason, *parts, entry.result]):
        if part not in found:
            found += f"{part}\n"
    return found


def search_words(text: str) -> tuple[str, ...]:
    """The words of a query, each as it would stand in a `search_key`.

    A number finds itself however it is written: separators, `+` and the zeros in front do not matter.
    """
    text = text.strip()
    if _NUMBER.fullmatch(text) and len(_digits(text)) >= _FEWEST_DIGITS:
        return (_digits(text).lstrip("0") or _digits(text),)
    return tuple(dict.fromkeys(_folded(text).split()))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def _digits(text: str) -> str:
    return "".join(char for char in text if char in "0123456789")
