"""The history's page brought into a state, for pictures and for tests."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from app.checks.diagnosis import explain_call, headline, worst
from app.errors import StoreError
from app.model.history import CUT_OFF, CallPlan, HistoryDetails
from app.model.outcome import AnsweredBy, CallOutcome, CallResult, Direction, HungUpBy, LocalCause
from app.store.history import CUT_OFF_HEADLINE
from app.ui.history_page import HistoryPage
from tests.helpers.calls import details, entry, message, outcome, running
from tests.helpers.fake_desk import FakeDesk
from tests.helpers.office import figures, office
from tests.ui.scene import BACKUP, Scene

INVITE = """\
INVITE sip:15145550199@montreal1.voip.example SIP/2.0
Via: SIP/2.0/TLS 198.51.100.7:40123;rport;branch=z9hG4bKPj1
From: <sip:123456_desk@montreal1.voip.example>;tag=1
To: <sip:15145550199@montreal1.voip.example>
Call-ID: abc@192.0.2.1
CSeq: 1 INVITE
Content-Length: 0
"""
ANNA = '"Anna Smith" <sip:+493012345678@203.0.113.9>'


def judged(number: str, age_s: float, **changes: Any) -> HistoryDetails:
    """A call of some time ago with its findings; `changes` are fields of entry and outcome."""
    of_outcome = {
        key: changes.pop(key)
        for key in tuple(changes)
        if key in ("media", "heard", "answered_by", "local_cause")
    }
    of_entry = entry(number, begun_at=time.time() - age_s, headline="", **changes)
    came: CallOutcome = outcome(of_entry, answered_by=AnsweredBy.NETWORK, media=figures(), heard=True)
    came = replace(came, **of_outcome)
    findings = explain_call(came, office(), direction=of_entry.direction)
    of_entry = replace(of_entry, verdict=worst(findings), headline=headline(findings))
    messages = (message(INVITE), message(INVITE.replace("INVITE", "BYE"), direction=Direction.IN))
    return details(of_entry, outcome=came, findings=findings, messages=messages)


def unanswered(number: str, age_s: float, result: CallResult, code: int, reason: str) -> HistoryDetails:
    """A call that was not answered."""
    return judged(
        number,
        age_s,
        result=result,
        sip_code=code,
        reason=reason,
        duration_s=0.0,
        answered_at=None,
        mos=None,
        hung_up_by=HungUpBy.NOBODY,
        media=None,
        heard=None,
    )


def calls() -> tuple[HistoryDetails, ...]:
    """Calls of some weeks, the newest last."""
    refused = unanswered("112", 86_500, CallResult.REFUSED_HERE, 0, "112 is an emergency number.")
    lost = judged(
        "+4930123456",
        4000,
        result=CallResult.LOST,
        reason="The engine was lost",
        hung_up_by=HungUpBy.NOBODY,
        answered_by=AnsweredBy.LOCAL,
        local_cause=LocalCause.ENGINE_LOST,
    )
    cut = replace(
        details(running("600", begun_at=time.time() - 90_000, answered_at=time.time() - 89_998)),
        outcome=None,
    )
    cut = replace(
        cut, entry=replace(cut.entry, result=CUT_OFF, verdict=worst(lost.findings), headline=CUT_OFF_HEADLINE)
    )
    return (
        judged("15145550123", 30 * 86_400, duration_s=3723.0, mos=4.4),
        unanswered("15145550199", 9 * 86_400, CallResult.FORBIDDEN, 403, "Caller ID not allowed"),
        judged("4443", 8 * 86_400, trunk_id="backup", trunk="Backup", duration_s=31.0, mos=3.1),
        cut,
        refused,
        replace(
            judged(
                ANNA, 7000, direction=Direction.IN, dialled="sip:+15145550100@203.0.113.7", duration_s=95.0
            ),
            plan=CallPlan(source="microphone", max_seconds=3600.0),
        ),
        lost,
        unanswered("15145550186", 3600, CallResult.BUSY, 486, "Busy Here"),
        unanswered("15145550177", 3000, CallResult.NO_ANSWER, 487, "Request Terminated"),
        replace(
            judged("+1 514 555-0199", 600, duration_s=42.0, mos=4.3), recording="/home/anna/Music/call.wav"
        ),
        details(running("15145550144", begun_at=time.time() - 5)),
    )


def fill(desk: FakeDesk) -> None:
    """Have these calls in the history."""
    desk.history.put(*calls())


def open_history(scene: Scene, prepare: Callable[[FakeDesk], None] = fill) -> HistoryPage:
    """Open the window at the history of a trunk."""
    scene.open(office(), BACKUP, prepare=prepare)
    page = scene.sign_in()
    page.show_history()
    scene.wait(lambda: page.history.note.words != "Reading the calls…" or bool(page.history.details.call))
    return page.history


def choose(scene: Scene, page: HistoryPage, number: str) -> None:
    """Choose the call with this number, and wait for its details."""
    row = next(row for row, each in enumerate(page.table.entries) if each.number == number)
    page.view.selectRow(row)
    scene.wait(lambda: page.details.call is not None and page.details.call.entry.number == number)


def shown(page: HistoryPage) -> list[str]:
    """The numbers in the table, top first."""
    return [each.number for each in page.table.entries]


def history_empty(scene: Scene) -> None:
    """No call yet."""
    page = open_history(scene, lambda _: None)
    scene.wait(lambda: "No calls" in page.note.words)


def history_filled(scene: Scene) -> None:
    """Calls of all kinds, a good one chosen."""
    page = open_history(scene)
    scene.wait(lambda: page.table.rowCount() > 5)
    choose(scene, page, "+1 514 555-0199")


def history_incoming(scene: Scene) -> None:
    """A call that came in, with what it was answered with."""
    page = open_history(scene)
    scene.wait(lambda: page.table.rowCount() > 5)
    choose(scene, page, ANNA)


def history_failed_call(scene: Scene) -> None:
    """A call that was refused, with what to do about it; all trunks."""
    page = open_history(scene)
    page.filters.trunk.setCurrentIndex(1)
    scene.wait(lambda: page.table.rowCount() == len(calls()))
    choose(scene, page, "15145550199")


def history_messages(scene: Scene) -> None:
    """The SIP messages that were kept of a call."""
    history_filled(scene)
    page = scene.page().history
    page.details.trace.click()
    scene.wait(lambda: page.details.shows_messages)


def history_found_nothing(scene: Scene) -> None:
    """A search that finds no call."""
    page = open_history(scene)
    scene.wait(lambda: page.table.rowCount() > 5)
    page.filters.search.setFocus()
    page.filters.search.setText("fax")
    scene.wait(lambda: "No call found" in page.note.words)


def history_loading(scene: Scene) -> None:
    """The calls are being read."""
    import asyncio

    def wait(desk: FakeDesk) -> None:
        desk.hold["history.page"] = asyncio.Event()

    scene.open(office(), BACKUP, prepare=wait)
    scene.sign_in().show_history()
    scene.wait(lambda: bool(scene.desk.asked_for("history.page")))


def history_unreadable(scene: Scene) -> None:
    """The calls can't be read."""
    error = StoreError(
        "The disk with /home/anna/.local/share/Ringback/history.db failed.", do="Check the disk."
    )
    page = open_history(scene, lambda desk: desk.refuse.update({"history.page": error}))
    scene.wait(lambda: "can't be read" in page.note.words)


HISTORY_SCENES: dict[str, Callable[[Scene], None]] = {
    play.__name__: play
    for play in (
        history_empty,
        history_filled,
        history_incoming,
        history_failed_call,
        history_messages,
        history_found_nothing,
        history_loading,
        history_unreadable,
    )
}
