"""The demo: one click, four steps, a verdict; cancelled or failed at any of them."""

from __future__ import annotations

import asyncio

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.errors import EngineError, UserError
from app.model.outcome import AnsweredBy, CallOutcome, CallResult, HungUpBy
from app.model.trunk import TrunkState
from app.ui.demo_run import CALL_SECONDS
from app.ui.widgets.step_list import StepState
from tests.helpers.fake_desk import DEMO
from tests.helpers.office import figures, good_call, registered
from tests.ui.scene import Scene
from tests.ui.scenes import demo_running

DONE, RUNNING, WAITING, FAILED = StepState.DONE, StepState.RUNNING, StepState.WAITING, StepState.FAILED


def _start(scene: Scene) -> None:
    scene.open()
    scene.window.start_demo()


def _end_call(scene: Scene) -> None:
    watch = scene.window.pane.pages["demo"].watch
    scene.desk.end_call("demo", watch.active_calls[0].call_id)
    scene.wait(lambda: not scene.window.demo.running)


def test_one_click_leads_to_the_call_page_with_all_steps_ticked(scene: Scene, qtbot: QtBot) -> None:
    window = scene.open()
    assert window.stack.start_page
    qtbot.mouseClick(window.stack.start_page.demo_button, Qt.MouseButton.LeftButton)
    scene.wait(lambda: "demo" in window.pane.pages and bool(window.pane.pages["demo"].watch.active_calls))
    page = window.pane.pages["demo"]
    scene.wait(lambda: window.demo.steps.states == (DONE,) * 4)
    assert page.shows_calls
    assert window.demo.running
    _end_call(scene)
    assert "works" in page.calls.cards[0].verdict
    assert "Now try your own" in window.demo.words


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space])
def test_one_key_starts_the_demo(key: Qt.Key, scene: Scene, qtbot: QtBot) -> None:
    window = scene.open()
    start = window.stack.start_page
    assert start
    scene.wait(start.demo_button.hasFocus)
    qtbot.keyClick(start.demo_button, key)
    scene.wait(lambda: "demo" in window.pane.pages and bool(window.pane.pages["demo"].watch.active_calls))
    _end_call(scene)


def test_call_of_the_demo_ends_by_itself(scene: Scene) -> None:
    demo_running(scene)
    assert scene.desk.asked_for("place_call")[0][:3] == ("demo", "600", CALL_SECONDS)
    _end_call(scene)


def test_steps_tick_one_after_the_other(scene: Scene) -> None:
    scene.open()
    steps = scene.window.demo.steps
    for method in ("start_demo", "connect", "place_call"):
        scene.desk.hold[method] = asyncio.Event()
    scene.window.start_demo()
    assert steps.states == (RUNNING, WAITING, WAITING, WAITING)
    scene.desk.release("start_demo")
    scene.wait(lambda: steps.states == (DONE, RUNNING, WAITING, WAITING))
    scene.desk.release("connect")
    scene.wait(lambda: steps.states == (DONE, DONE, RUNNING, WAITING))
    scene.desk.release("place_call")
    scene.wait(lambda: steps.states == (DONE,) * 4)
    _end_call(scene)


def test_cancelled_while_the_carrier_starts(scene: Scene) -> None:
    scene.open()
    scene.desk.hold["start_demo"] = asyncio.Event()
    scene.window.start_demo()
    scene.window.demo.cancel_button.click()
    assert not scene.window.demo.running
    scene.desk.release("start_demo")
    scene.wait(lambda: bool(scene.desk.trunks()))
    assert not scene.desk.asked_for("connect")


def test_cancelled_while_signing_in(scene: Scene) -> None:
    scene.open()
    scene.desk.hold["connect"] = asyncio.Event()
    scene.window.start_demo()
    scene.wait(lambda: bool(scene.desk.asked_for("connect")))
    scene.window.demo.cancel_button.click()
    scene.wait(lambda: bool(scene.desk.asked_for("disconnect")))
    watch = scene.window.pane.pages["demo"].watch
    scene.wait(lambda: watch.state is TrunkState.OFF)
    assert not scene.desk.asked_for("place_call")


def test_cancelled_in_the_call_hangs_up(scene: Scene) -> None:
    demo_running(scene)
    scene.window.demo.cancel_button.click()
    watch = scene.window.pane.pages["demo"].watch
    scene.wait(lambda: watch.state is TrunkState.OFF)
    assert not watch.active_calls
    assert not scene.window.demo.running


def test_carrier_that_does_not_start_is_told(scene: Scene) -> None:
    scene.open()
    scene.desk.refuse["start_demo"] = EngineError("The carrier could not be started.", do="Restart.")
    scene.window.start_demo()
    scene.wait(lambda: not scene.window.demo.running)
    assert scene.window.demo.steps.states[0] is FAILED
    assert "The carrier could not be started. Restart." in scene.window.demo.words


def test_registration_that_fails_is_told(scene: Scene) -> None:
    scene.open()
    scene.desk.outcomes["demo"] = registered(
        DEMO, state=TrunkState.UNREACHABLE, sip_code=0, reason="", answered_by=AnsweredBy.LOCAL
    )
    scene.window.start_demo()
    scene.wait(lambda: not scene.window.demo.running)
    assert scene.window.demo.steps.states == (DONE, FAILED, WAITING, WAITING)


def test_call_that_is_refused_is_told(scene: Scene) -> None:
    scene.open()
    scene.desk.refuse["place_call"] = UserError("All lines are taken.")
    scene.window.start_demo()
    scene.wait(lambda: not scene.window.demo.running)
    assert scene.window.demo.steps.states == (DONE, DONE, FAILED, WAITING)
    assert "All lines are taken." in scene.window.demo.words


def test_call_without_an_echo_fails_its_step(scene: Scene) -> None:
    def no_echo(number: str) -> CallOutcome:
        return good_call(number, media=figures(echo_ms=None))

    _start_without_echo(scene)
    scene.desk.call_outcome = no_echo
    _end_call(scene)
    assert scene.window.demo.steps.states == (DONE, DONE, DONE, FAILED)


def test_call_that_is_not_answered_fails_its_step(scene: Scene) -> None:
    _start_without_echo(scene, answered=False)
    scene.desk.call_outcome = lambda number: good_call(
        number,
        result=CallResult.BUSY,
        sip_code=486,
        reason="Busy Here",
        media=None,
        duration_s=0.0,
        heard=None,
        hung_up_by=HungUpBy.NOBODY,
    )
    _end_call(scene)
    assert scene.window.demo.steps.states == (DONE, DONE, FAILED, WAITING)


def test_demo_can_be_run_again(scene: Scene) -> None:
    demo_running(scene)
    _end_call(scene)
    scene.window.start_demo()
    watch = scene.window.pane.pages["demo"].watch
    scene.wait(lambda: scene.window.demo.steps.states == (DONE,) * 4 and bool(watch.active_calls))
    _end_call(scene)
    assert len(scene.window.trunks.watches) == 1


def test_demo_trunk_has_no_settings_to_change(scene: Scene) -> None:
    demo_running(scene)
    assert scene.window.pane.pages["demo"].settings is None
    _end_call(scene)


def _start_without_echo(scene: Scene, *, answered: bool = True) -> None:
    from app.model.call import CallState
    from app.model.outcome import Direction
    from app.sip.notices import CallProgress

    scene.open()
    scene.desk.demo_script = False
    scene.window.start_demo()
    pages = scene.window.pane.pages
    scene.wait(lambda: "demo" in pages and bool(pages["demo"].watch.active_calls))
    if answered:
        call = pages["demo"].watch.active_calls[0]
        scene.desk.tell(
            CallProgress(
                trunk_id="demo",
                call_id=call.call_id,
                direction=Direction.OUT,
                state=CallState.ANSWERED,
                number="600",
            )
        )
        scene.wait(lambda: scene.window.demo.steps.states[2] is DONE)
