"""Outcomes of signing in and of calls, for tests of what is said of them."""

from __future__ import annotations

from msgspec.structs import replace

from app.model.finding import Finding
from app.model.outcome import (
    AnsweredBy,
    CallOutcome,
    CallResult,
    HungUpBy,
    LocalCause,
    MediaFigures,
    RegisterOutcome,
    StreamFigures,
    Target,
)
from app.model.signalling import Purpose, SentRequest
from app.model.sound_figures import FarReport, SoundFigures
from app.model.trunk import Transport, Trunk, TrunkState

TRUNK = Trunk(id="1", name="Office", host="sip.example.test", user="1234", caller_id="+4420794600")
TARGET = Target(address="192.0.2.1", port=5060, transport=Transport.UDP, name="a.example.test")
OTHER = Target(address="192.0.2.2", port=5060, transport=Transport.UDP, name="b.example.test")


def refused(code: int, reason: str = "", **more: object) -> RegisterOutcome:
    """A registration that the provider refused."""
    outcome = RegisterOutcome(
        trunk="Office",
        state=TrunkState.REJECTED,
        sip_code=code,
        reason=reason,
        answered_by=AnsweredBy.NETWORK,
        round_trip_ms=38.2,
        target=TARGET,
        tried=(TARGET,),
        requests_sent=1,
    )
    return replace(outcome, **more)


def unreached(cause: LocalCause, **more: object) -> RegisterOutcome:
    """A registration that came to an end here, for this cause."""
    outcome = RegisterOutcome(
        trunk="Office",
        state=TrunkState.UNREACHABLE,
        sip_code=503,
        reason="Service Unavailable",
        answered_by=AnsweredBy.LOCAL,
        local_cause=cause,
        target=TARGET,
        tried=(TARGET,),
        requests_sent=3,
    )
    return replace(outcome, **more)


def figures(
    *,
    sent: int = 500,
    received: int = 500,
    lost: int = 0,
    late: int = 0,
    jitter: float = 1.0,
    tx_lost: int = 0,
    round_trip: float | None = 20.0,
) -> MediaFigures:
    """Of the sound of a call."""
    return MediaFigures(
        tx=StreamFigures(packets=sent, lost=tx_lost),
        rx=StreamFigures(packets=received, lost=lost, discarded=late, jitter_ms=jitter),
        round_trip_ms=round_trip,
        codec="PCMU",
        sound=SoundFigures(far_report=FarReport.RECEIVES if received else FarReport.NONE),
    )


def answered(media: MediaFigures | None, **more: object) -> CallOutcome:
    """A call that was answered."""
    outcome = CallOutcome(
        trunk="Office",
        number="600",
        dialled="600",
        result=CallResult.ANSWERED,
        sip_code=200,
        reason="OK",
        answered_by=AnsweredBy.NETWORK,
        setup_ms=120.0,
        duration_s=10.0,
        hung_up_by=HungUpBy.LIMIT,
        hang_up_ms=20.0,
        media=media,
        heard=True,
    )
    return replace(outcome, **more)


def unanswered(result: CallResult, code: int = 0, reason: str = "", **more: object) -> CallOutcome:
    """A call that was not."""
    outcome = CallOutcome(
        trunk="Office",
        number="+44 20 7946 0018",
        dialled="442079460018",
        result=result,
        sip_code=code,
        reason=reason,
        answered_by=AnsweredBy.NETWORK if code else None,
        setup_ms=120.0,
    )
    return replace(outcome, **more)


def sent(method: str, purpose: Purpose, code: int = 0, reason: str = "", **more: object) -> SentRequest:
    """A request that we sent within a call, two seconds after its answer."""
    request = SentRequest(method=method, purpose=purpose, code=code, reason=reason, after_s=2.0)
    return replace(request, **more)


def ids(findings: tuple[Finding, ...]) -> list[str]:
    """Of findings, in order."""
    return [finding.id for finding in findings]


def everything(finding: Finding) -> str:
    """All words of a finding."""
    parts = (finding.title, finding.meaning, *finding.causes, *finding.do, *finding.evidence)
    return "\n".join(parts)
