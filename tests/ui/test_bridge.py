"""The bridge between the window's thread and the desk's."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QObject, QTimer
from pytestqt.exceptions import capture_exceptions
from pytestqt.qtbot import QtBot

from app.errors import StoreError, UserError
from app.sip.notices import CallMeters
from app.ui import bridge as bridge_module
from app.ui.bridge import DeskBridge, FirstLook
from tests.helpers.fake_desk import FakeDesk
from tests.helpers.office import office

Wait = Callable[[Callable[[], bool]], None]
STALL_S = 0.05
"""The longest that the window may not answer."""


class Stage:
    """A started bridge with its fake desk."""

    def __init__(self, wait: Wait) -> None:
        self.wait = wait
        self.desks: list[FakeDesk] = []
        self.bugs: list[str] = []
        self.ended: list[bool] = []
        self.bridge = DeskBridge(self.build)  # type: ignore[arg-type]  # the fake stands in for the desk
        self.bridge.bug.connect(self.bugs.append)
        self.bridge.closed.connect(lambda: self.ended.append(True))
        self.owner = QObject()

    def build(self) -> FakeDesk:
        self.desks.append(FakeDesk())
        return self.desks[0]

    def start(self) -> None:
        self.bridge.start()
        self.wait(lambda: bool(self.desks))

    def close(self) -> None:
        self.bridge.close()
        self.wait(lambda: bool(self.ended))


@pytest.fixture
def stage(wait: Wait) -> Iterator[Stage]:
    made = Stage(wait)
    yield made
    if made.bridge._thread and not made.ended:
        made.close()


def test_result_comes_back_in_the_windows_thread(stage: Stage) -> None:
    stage.start()
    where: list[tuple[int, int]] = []

    async def work(desk: object) -> int:
        return threading.get_ident()

    stage.bridge.submit(stage.owner, work, lambda ident: where.append((ident, threading.get_ident())))
    stage.wait(lambda: bool(where))
    assert where[0][0] != threading.get_ident()
    assert where[0][1] == threading.get_ident()


def test_work_asked_for_before_the_desk_is_built_is_done_once_it_is(stage: Stage) -> None:
    results: list[int] = []

    async def work(desk: object) -> int:
        return 7

    stage.bridge.submit(stage.owner, work, results.append)
    stage.start()
    stage.wait(lambda: results == [7])


def test_user_error_goes_to_its_handler(stage: Stage) -> None:
    stage.start()
    errors: list[UserError] = []

    async def work(desk: object) -> None:
        raise UserError("No.")

    stage.bridge.submit(stage.owner, work, failed=errors.append)
    stage.wait(lambda: bool(errors))
    assert errors[0].what == "No."
    assert not stage.bugs


def test_user_error_without_a_handler_is_refused_aloud(stage: Stage, qtbot: QtBot) -> None:
    stage.start()

    async def work(desk: object) -> None:
        raise UserError("No.")

    with qtbot.waitSignal(stage.bridge.refused) as refused:
        stage.bridge.submit(stage.owner, work)
    assert refused.args
    assert refused.args[0].what == "No."


def test_any_other_exception_is_a_bug_with_its_traceback(stage: Stage) -> None:
    stage.start()

    async def work(desk: object) -> None:
        raise ZeroDivisionError("never")

    stage.bridge.submit(stage.owner, work)
    stage.wait(lambda: bool(stage.bugs))
    assert "ZeroDivisionError: never" in stage.bugs[0]
    assert "in work" in stage.bugs[0]


def test_fault_in_a_task_of_the_desk_is_a_bug(stage: Stage) -> None:
    stage.start()

    async def fail() -> None:
        raise KeyError("lost")

    async def work(desk: object) -> None:
        asyncio.get_running_loop().create_task(fail())

    stage.bridge.submit(stage.owner, work)
    stage.wait(lambda: bool(stage.bugs))
    assert "KeyError" in stage.bugs[0]


def test_nothing_is_handed_to_a_page_that_is_gone(stage: Stage) -> None:
    stage.start()
    results: list[str] = []
    page = QObject()
    gate = threading.Event()

    async def slow(desk: object) -> str:
        await asyncio.to_thread(gate.wait, 5)
        return "late"

    async def marker(desk: object) -> str:
        return "after"

    stage.bridge.submit(page, slow, results.append)
    page.deleteLater()
    page.destroyed.connect(gate.set)
    stage.wait(gate.is_set)
    del page
    stage.bridge.submit(stage.owner, marker, results.append)
    stage.wait(lambda: "after" in results)
    assert "late" not in results


def test_cancelled_work_stops_and_calls_nobody(stage: Stage) -> None:
    stage.start()
    seen: list[str] = []

    async def work(desk: object) -> None:
        seen.append("begun")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    submission = stage.bridge.submit(stage.owner, work, lambda _: seen.append("done"))
    stage.wait(lambda: seen == ["begun"])
    submission.cancel()
    stage.wait(lambda: seen == ["begun", "cancelled"])
    assert not stage.bugs


def test_handler_that_fails_does_not_hold_up_the_next(stage: Stage) -> None:
    stage.start()
    results: list[int] = []

    async def work(desk: object) -> int:
        return 1

    def fail(_result: int) -> None:
        raise ValueError("in a handler")

    with capture_exceptions() as caught:
        stage.bridge.submit(stage.owner, work, fail)
        stage.bridge.submit(stage.owner, work, results.append)
        stage.wait(lambda: results == [1])
    assert [kind for kind, *_ in caught] == [ValueError]


def test_desk_that_can_not_be_built_says_why_and_leaves_no_thread(wait: Wait) -> None:
    def build() -> FakeDesk:
        raise StoreError("The database is newer than this Ringback.", do="Update Ringback.")

    bridge = DeskBridge(build)  # type: ignore[arg-type]  # the fake stands in for the desk
    errors: list[UserError] = []
    ended: list[bool] = []
    bridge.unusable.connect(errors.append)
    bridge.closed.connect(lambda: ended.append(True))
    bridge.start()
    wait(lambda: bool(ended))
    assert errors[0].do == "Update Ringback."


def test_first_look_comes_before_the_desk_is_built(wait: Wait) -> None:
    order: list[str] = []
    trunks = (office(),)

    def look(keys: tuple[str, ...]) -> FirstLook:
        order.append("look")
        return FirstLook(trunks=trunks, recalled=dict.fromkeys(keys, "x"))

    def build() -> FakeDesk:
        order.append("build")
        return FakeDesk()

    bridge = DeskBridge(build, look)  # type: ignore[arg-type]  # the fake stands in for the desk
    seen: list[FirstLook] = []
    ended: list[bool] = []
    bridge.looked.connect(seen.append)
    bridge.looked.connect(lambda _: order.append("shown"))
    bridge.ready.connect(bridge.close)
    bridge.closed.connect(lambda: ended.append(True))
    bridge.start(("geometry",))
    wait(lambda: bool(ended))
    assert order == ["look", "shown", "build"]
    assert seen == [FirstLook(trunks=trunks, recalled={"geometry": "x"})]


def test_error_of_the_first_look_is_told_by_the_desk(wait: Wait) -> None:
    def fail(*_: object) -> FakeDesk:
        raise StoreError("The database is damaged.")

    bridge = DeskBridge(fail, fail)  # type: ignore[arg-type]  # neither gives anything
    errors: list[UserError] = []
    ended: list[bool] = []
    bridge.unusable.connect(errors.append)
    bridge.closed.connect(lambda: ended.append(True))
    bridge.start()
    wait(lambda: bool(ended))
    assert [error.what for error in errors] == ["The database is damaged."]


def test_closing_closes_the_desk_and_ends_the_thread(stage: Stage) -> None:
    stage.start()
    stage.close()
    assert stage.desks[0].closed
    assert bridge_thread() is None


def test_closing_while_the_desk_is_built_closes_it_too(stage: Stage) -> None:
    stage.bridge.start()
    stage.close()
    assert stage.desks[0].closed


def test_closing_does_not_wait_longer_than_its_limit(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge_module, "CLOSE_LIMIT_S", 0.1)
    stage.start()
    stage.desks[0].hold["close"] = asyncio.Event()
    stage.close()
    assert bridge_thread() is None


class Heart:
    """Beats in the window's thread, and keeps the time between two beats."""

    def __init__(self) -> None:
        self.gaps: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.timeout.connect(self._beat)
        self._timer.start(1)

    def stop(self) -> None:
        self._timer.stop()

    def _beat(self) -> None:
        now = time.perf_counter()
        self.gaps.append(now - self._last)
        self._last = now


def test_levels_of_a_hundred_calls_do_not_stall_the_window(stage: Stage) -> None:
    stage.start()
    calls, rounds = 100, 15
    seen: list[object] = []
    stage.bridge.notice.connect(seen.append)

    async def talk(desk: FakeDesk) -> None:
        for _ in range(rounds):
            for call in range(calls):
                desk._tell(CallMeters(trunk_id="a", call_id=str(call), tx_dbm0=-16.0, rx_dbm0=-16.0))
            await asyncio.sleep(0.1)

    heart = Heart()
    stage.bridge.submit(stage.owner, talk)  # type: ignore[arg-type]  # the fake stands in for the desk
    stage.wait(lambda: len(seen) == calls * rounds)
    heart.stop()
    # One late beat in a hundred is let pass: the machine has other things to do as well
    late = [gap for gap in heart.gaps if gap > STALL_S]
    assert len(late) <= len(heart.gaps) / 100, late


def test_window_gets_its_turn_in_a_flood_of_notices(stage: Stage) -> None:
    stage.start()
    count = 100_000
    seen: list[object] = []
    stage.bridge.notice.connect(seen.append)
    heart = Heart()
    meters = CallMeters(trunk_id="a", call_id="b", tx_dbm0=-16.0, rx_dbm0=-16.0)
    stage.desks[0].tell(*[meters] * count)
    stage.wait(lambda: len(seen) == count)
    heart.stop()
    assert len(heart.gaps) > 5


def test_notices_keep_their_order(stage: Stage) -> None:
    stage.start()
    seen: list[str] = []
    stage.bridge.notice.connect(lambda notice: seen.append(notice.call_id))
    wanted = [str(number) for number in range(500)]
    stage.desks[0].tell(
        *(CallMeters(trunk_id="a", call_id=call_id, tx_dbm0=None, rx_dbm0=None) for call_id in wanted)
    )
    stage.wait(lambda: len(seen) == len(wanted))
    assert seen == wanted


def bridge_thread() -> threading.Thread | None:
    """The desk's thread, if one is alive."""
    return next((thread for thread in threading.enumerate() if thread.name == "desk"), None)


def test_emitting_signals_costs_no_reference_to_true(stage: Stage) -> None:
    # PySide6 6.12.0 drops one each time, which ends the program on Python 3.11
    before = sys.getrefcount(True)
    for _ in range(100):
        stage.bridge.refused.emit(UserError("No."))
    assert abs(sys.getrefcount(True) - before) < 50
