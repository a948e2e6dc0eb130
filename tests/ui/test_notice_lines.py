"""Notices as lines for the status bar and the log."""

from __future__ import annotations

from app.sip.child import ChildOutcome, GivenMessage, Role
from app.sip.notices import EngineLost
from app.ui.notice_lines import notice_line

ABORTED = ChildOutcome(
    role=Role.ENGINE,
    exit_code=None,
    signal_name="SIGABRT",
    asked=False,
    last_message=GivenMessage(start="SIP/2.0 200 \x1b[2JOK", peer="192.0.2.1:5060", fingerprint="f"),
)


def test_a_lost_engine_is_shown_with_the_message_that_it_was_given() -> None:
    why = "The same message has ended the engine 3 times in a row."
    lost = EngineLost(trunk_id="t", outcome=ABORTED, calls_lost=1, restart_in_s=120.0, why_slowly=why)
    line = notice_line(lost, "Main office")
    assert line.startswith("The engine for Main office stopped (SIGABRT; the last message was")
    assert "SIP/2.0 200" in line
    assert "192.0.2.1:5060" in line
    assert line.endswith(f"starting again; calls lost: 1. {why}")
    assert line.isprintable()


def test_an_engine_that_was_ended_is_shown_with_the_reason() -> None:
    outcome = ChildOutcome(
        role=Role.ENGINE, exit_code=None, signal_name="SIGKILL", asked=False, why="It stopped responding."
    )
    line = notice_line(EngineLost(trunk_id="t", outcome=outcome, calls_lost=0, restart_in_s=1.0), "Office")
    assert line == "The engine for Office stopped (It stopped responding); starting again"
