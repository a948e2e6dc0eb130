"""Calls for tests of the history."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from app.model.finding import Finding, Verdict
from app.model.history import RUNNING, CallPlan, HistoryDetails, HistoryEntry
from app.model.outcome import CallOutcome, CallResult, Direction, HungUpBy, TraceMessage
from app.model.quality import CallQuality, Grade, Score
from app.model.trunk import Transport

NOON = 1_785_412_800.0
"""A time that is the same in every test, s since the epoch."""

PLAN = CallPlan(source="tone", max_seconds=30.0, ring_seconds=45.0)

GOOD_SCORE = Score(r=88.0, mos=4.28, grade=Grade.GOOD)


def entry(number: str = "+15145550199", **changes: Any) -> HistoryEntry:
    """A call that was answered."""
    usual = HistoryEntry(
        trunk_id="office",
        trunk="Main office",
        direction=Direction.OUT,
        number=number,
        dialled=number.lstrip("+"),
        begun_at=NOON,
        answered_at=NOON + 2.5,
        result=CallResult.ANSWERED,
        sip_code=200,
        reason="OK",
        hung_up_by=HungUpBy.THEM,
        setup_ms=84.0,
        duration_s=12.5,
        mos=4.28,
        verdict=Verdict.PASS,
        headline="This call works.",
    )
    return replace(usual, **changes)


def running(number: str = "+15145550199", **changes: Any) -> HistoryEntry:
    """A call that has just begun."""
    usual = HistoryEntry(
        trunk_id="office",
        trunk="Main office",
        direction=Direction.OUT,
        number=number,
        dialled=number.lstrip("+"),
        begun_at=NOON,
        result=RUNNING,
    )
    return replace(usual, **changes)


def message(text: str, *, at: float = NOON, direction: Direction = Direction.OUT) -> TraceMessage:
    """A SIP message."""
    return TraceMessage(
        at=at, direction=direction, transport=Transport.UDP, peer="192.0.2.10:5060", text=text
    )


def outcome(of: HistoryEntry, **changes: Any) -> CallOutcome:
    """What came of such a call."""
    usual = CallOutcome(
        trunk=of.trunk,
        number=of.number,
        dialled=of.dialled,
        result=CallResult(of.result),
        sip_code=of.sip_code,
        reason=of.reason,
        setup_ms=of.setup_ms,
        duration_s=of.duration_s,
        hung_up_by=of.hung_up_by,
        quality=CallQuality(now=GOOD_SCORE, mean=GOOD_SCORE, worst=GOOD_SCORE) if of.mos else None,
        sip_call_id="abc@192.0.2.1",
    )
    return replace(usual, **changes)


def details(of: HistoryEntry | None = None, **changes: Any) -> HistoryDetails:
    """All about a call."""
    of = of or entry()
    finding = Finding(id="CALL-OK", verdict=Verdict.PASS, title="The call was answered.")
    usual = HistoryDetails(
        entry=of,
        plan=PLAN,
        outcome=None if of.running else outcome(of),
        findings=() if of.running else (finding,),
        sip_call_id="abc@192.0.2.1",
    )
    return replace(usual, **changes)
