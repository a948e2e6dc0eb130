"""What becomes of a call that PJSIP itself says too little about."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pjsua2 as pj

from app.model.call import CallState
from app.model.outcome import Direction, HungUpBy, LocalCause
from app.sip.engine.audio.microphone import Microphone
from app.sip.engine.call_rate import CallRate
from app.sip.engine.calls import FINAL_WAIT_S, Calls
from app.sip.engine.dialog_log import DialogLog
from app.sip.messages import CallChanged, Event
from app.sip.trace import Ledger


class Gone(SimpleNamespace):
    """A ringing call that PJSIP no longer has and never says so."""

    def __init__(self) -> None:
        super().__init__(
            call_id="in-1",
            sip_call_id="c1",
            direction=Direction.IN,
            state=CallState.INCOMING,
            hung_up_by=HungUpBy.NOBODY,
            answered_at=None,
            ended_at=None,
            gone_at=None,
            left_at=None,
            figures=None,
            last_code=0,
            last_reason="",
            figures_at=float("inf"),
            voice=SimpleNamespace(recording=None, levels=lambda _: (None, None)),
        )

    def __getattr__(self, name: str) -> Any:
        return None

    def measure(self) -> bool:
        return False

    def look_for_sound(self, now: float) -> None:
        pass

    def hangup(self, _: object) -> None:
        raise pj.Error


def test_a_call_that_pjsip_has_forgotten_ends_all_the_same() -> None:
    events: list[Event] = []
    ledger = Ledger()
    calls = Calls(
        emit=events.append,
        ledger=ledger,
        log=DialogLog(),
        settle=lambda: None,
        explain=lambda code, phrase: LocalCause.NONE,
        rate=CallRate(),
        microphone=Microphone(160),
    )
    calls._legs["in-1"] = Gone()  # type: ignore[assignment]  # all of a leg that is asked for here
    calls.hang_up("in-1")
    calls.watch(time.monotonic())
    assert len(calls) == 1
    calls.watch(time.monotonic() + FINAL_WAIT_S + 1)
    assert len(calls) == 0
    assert [event.state for event in events if isinstance(event, CallChanged)][-1] is CallState.ENDED
