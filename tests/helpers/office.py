"""A trunk as people have them, and what comes of signing in and calling."""

from __future__ import annotations

from app.model.outcome import (
    AnsweredBy,
    CallOutcome,
    CallResult,
    HungUpBy,
    LocalCause,
    MediaFigures,
    RegisterOutcome,
    StreamFigures,
)
from app.model.trunk import Transport, Trunk, TrunkState


def office(**changes: object) -> Trunk:
    """A trunk as people have them."""
    values: dict[str, object] = {
        "id": "office",
        "name": "Main office",
        "host": "montreal1.voip.example",
        "port": 5061,
        "transport": Transport.TLS,
        "user": "123456_desk",
        "caller_id": "+15145550100",
    }
    return Trunk(**{**values, **changes})  # type: ignore[arg-type]  # what a test gives


def registered(trunk: Trunk, **changes: object) -> RegisterOutcome:
    """A registration that worked."""
    values: dict[str, object] = {
        "trunk": trunk.name,
        "state": TrunkState.REGISTERED,
        "sip_code": 200,
        "reason": "OK",
        "answered_by": AnsweredBy.NETWORK,
        "round_trip_ms": 38.0,
        "expires_s": 300,
        "requests_sent": 2,
        "challenges": 1,
    }
    return RegisterOutcome(**{**values, **changes})  # type: ignore[arg-type]  # what a test gives


def no_answer(**changes: object) -> RegisterOutcome:
    """A registration that nobody answered."""
    values: dict[str, object] = {
        "state": TrunkState.UNREACHABLE,
        "sip_code": 408,
        "reason": "Request Timeout",
        "answered_by": AnsweredBy.LOCAL,
        "local_cause": LocalCause.NO_ANSWER,
        "round_trip_ms": None,
        "expires_s": 0,
        "challenges": 0,
    }
    return registered(office(), **{**values, **changes})


def figures(packets: int = 300, echo_ms: float | None = 140.0) -> MediaFigures:
    """Media figures of a good call."""
    return MediaFigures(
        tx=StreamFigures(packets=packets, bytes=packets * 160, jitter_ms=0.3, level_dbm0=-16.0),
        rx=StreamFigures(packets=packets, bytes=packets * 160, jitter_ms=0.4, level_dbm0=-17.0),
        round_trip_ms=1.2,
        echo_ms=echo_ms,
        codec="PCMU",
    )


def good_call(number: str = "600", **changes: object) -> CallOutcome:
    """A call that was answered and echoed."""
    values: dict[str, object] = {
        "trunk": "Demo carrier",
        "number": number,
        "dialled": number,
        "result": CallResult.ANSWERED,
        "sip_code": 200,
        "reason": "OK",
        "answered_by": AnsweredBy.NETWORK,
        "setup_ms": 12.0,
        "duration_s": 6.0,
        "hung_up_by": HungUpBy.LIMIT,
        "hang_up_ms": 12.0,
        "media": figures(),
        "heard": True,
    }
    return CallOutcome(**{**values, **changes})  # type: ignore[arg-type]  # what a test gives
