"""Scenes: the window brought into a state, for pictures and for tests."""

from __future__ import annotations

from collections.abc import Callable

from app.model.call import CallState
from app.model.outcome import (
    AnsweredBy,
    CallResult,
    Direction,
    HungUpBy,
    LocalCause,
    MediaFigures,
    StreamFigures,
)
from app.model.trunk import TrunkState
from app.sip.child import ChildOutcome, Role
from app.sip.notices import CallEnded, CallProgress, EngineLost, TrunkChanged
from tests.helpers.office import figures, good_call, office
from tests.ui.call_scenes import CALL_SCENES
from tests.ui.history_scenes import HISTORY_SCENES
from tests.ui.scene import BACKUP, Scene
from tests.ui.trunk_scenes import TRUNK_SCENES
from tests.ui.wizard_scenes import WIZARD_SCENES


def empty(scene: Scene) -> None:
    """First start."""
    scene.open()


def no_keyring(scene: Scene) -> None:
    """A trunk with a password, and no keyring."""
    scene.open(
        office(),
        vault_note="This system has no keyring. Passwords are kept until you close Ringback, and no longer.",
    )
    scene.wait(lambda: bool(scene.window.banner.words))


def call_page(scene: Scene) -> None:
    """Ready to call."""
    scene.open(office(), BACKUP)
    page = scene.sign_in()
    page.show_calls()
    page.calls.set_number("+1 514 555-0199")


def emergency(scene: Scene) -> None:
    """A number that is not called."""
    scene.open(office())
    page = scene.sign_in()
    page.show_calls()
    page.calls.set_number("112")
    page.calls.place_call()


def in_call(scene: Scene) -> None:
    """A call with its meters."""
    scene.open(office(), BACKUP)
    page = scene.sign_in()
    page.show_calls()
    page.calls.set_number("15145550199")
    page.calls.place_call()
    scene.wait(lambda: bool(page.watch.active_calls and page.watch.active_calls[0].figures))


def several_calls(scene: Scene) -> None:
    """Four calls, one of them coming in."""
    scene.open(office(), BACKUP)
    page = scene.sign_in()
    page.show_calls()
    for number in ("15145550199", "15145550123"):
        page.calls.set_number(number)
        scene.wait(page.calls.call_button.isEnabled)
        page.calls.place_call()
    scene.wait(lambda: len(page.watch.active_calls) == 2)
    _bring_in(scene)
    scene.wait(lambda: len(page.calls.cards) == 3)


def incoming(scene: Scene) -> None:
    """A call comes in while its card is seen."""
    scene.open(office(), BACKUP)
    page = scene.sign_in()
    page.show_calls()
    _bring_in(scene)
    scene.wait(lambda: bool(page.calls.cards))


def incoming_elsewhere(scene: Scene) -> None:
    """A call comes in while another trunk is looked at."""
    scene.open(office(), BACKUP)
    scene.sign_in()
    scene.page("backup")
    _bring_in(scene)
    scene.wait(lambda: bool(scene.window.banner.words))


def call_worked(scene: Scene) -> None:
    """A call is over, and was good."""
    in_call(scene)
    page = scene.page()
    page.calls.hang_up_newest()
    scene.wait(lambda: bool(page.watch.ended_calls))


def call_failed(scene: Scene) -> None:
    """A call was refused."""
    scene.open(office(), BACKUP)
    page = scene.sign_in()
    page.show_calls()
    page.calls.set_number("15145550199")
    outcome = good_call(
        "15145550199",
        trunk="Main office",
        result=CallResult.FORBIDDEN,
        sip_code=403,
        reason="Caller ID not allowed",
        setup_ms=84.0,
        duration_s=0.0,
        hung_up_by=HungUpBy.NOBODY,
        media=None,
        heard=None,
    )
    scene.desk.tell(CallEnded(trunk_id="office", call_id="x", direction=Direction.OUT, outcome=outcome))
    scene.wait(lambda: bool(page.watch.ended_calls))


def one_way(scene: Scene) -> None:
    """A call without sound from the other side."""
    scene.open(office(), BACKUP)
    page = scene.sign_in()
    page.show_calls()
    media = MediaFigures(tx=StreamFigures(packets=500, bytes=80000), rx=StreamFigures(), codec="PCMU")
    outcome = good_call("15145550199", trunk="Main office", duration_s=10.2, media=media, heard=None)
    scene.desk.tell(CallEnded(trunk_id="office", call_id="x", direction=Direction.OUT, outcome=outcome))
    scene.wait(lambda: bool(page.watch.ended_calls))


def demo_running(scene: Scene) -> None:
    """The demo in its call."""
    scene.open()
    scene.window.start_demo()
    scene.wait(
        lambda: "demo" in scene.window.pane.pages and bool(scene.window.pane.pages["demo"].calls.cards)
    )


def demo_done(scene: Scene) -> None:
    """The demo with its verdict."""
    demo_running(scene)
    watch = scene.window.pane.pages["demo"].watch
    scene.desk.end_call("demo", watch.active_calls[0].call_id)
    scene.wait(lambda: not scene.window.demo.running)


def trace(scene: Scene) -> None:
    """Messages, one of them chosen."""
    from tests.ui.trace_sample import MESSAGES

    scene.open(office())
    page = scene.sign_in()
    scene.desk.tell(*MESSAGES)
    scene.wait(lambda: len(page.watch.trace) == len(MESSAGES))
    page.show_trace()
    scene.wait(lambda: page.trace.table.isVisible())
    page.trace.table.selectRow(2)


def engine_lost(scene: Scene) -> None:
    """An engine died in a call."""
    in_call(scene)
    page = scene.page()
    call = page.watch.active_calls[0]
    outcome = good_call(
        call.number,
        result=CallResult.LOST,
        sip_code=200,
        reason="The engine was lost",
        answered_by=AnsweredBy.LOCAL,
        local_cause=LocalCause.ENGINE_LOST,
        duration_s=3.2,
        hung_up_by=HungUpBy.NOBODY,
        media=figures(),
    )
    ended = ChildOutcome(role=Role.ENGINE, exit_code=None, signal_name="SIGKILL", asked=False)
    scene.desk.tell(
        CallEnded(trunk_id="office", call_id=call.call_id, direction=Direction.OUT, outcome=outcome),
        TrunkChanged(trunk_id="office", state=TrunkState.UNREACHABLE, cause=str(ended)),
        EngineLost(trunk_id="office", outcome=ended, calls_lost=1, restart_in_s=1.0),
    )
    scene.wait(lambda: "starting again" in scene.window.status.line)


def log(scene: Scene) -> None:
    """The log is open."""
    call_worked(scene)
    scene.window.tool_bar.show_log.setChecked(True)


def _bring_in(scene: Scene) -> None:
    progress = CallProgress(
        trunk_id="office",
        call_id="in-1",
        direction=Direction.IN,
        state=CallState.INCOMING,
        number='"Anna Smith" <sip:+493012345678@provider.example>',
        called="sip:+15145550100@203.0.113.7",
    )
    scene.desk.tell(progress)


SCENES: dict[str, Callable[[Scene], None]] = WIZARD_SCENES | {
    play.__name__: play
    for play in (
        empty,
        no_keyring,
        call_page,
        emergency,
        in_call,
        several_calls,
        incoming,
        incoming_elsewhere,
        call_worked,
        call_failed,
        one_way,
        demo_running,
        demo_done,
        trace,
        engine_lost,
        log,
    )
}
SCENES |= TRUNK_SCENES | CALL_SCENES | HISTORY_SCENES
