"""One of the calls that were made: read, called again, its trace and recording shown."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from app.sip.notices import TraceAdded
from tests.helpers.calls import details, entry, message
from tests.ui.history_scenes import (
    ANNA,
    INVITE,
    choose,
    history_failed_call,
    history_filled,
    history_messages,
    open_history,
    shown,
)
from tests.ui.scene import Scene

# The offscreen platform has no size hints for the window manager that it has not either
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)


def test_a_chosen_call_shows_what_came_of_it(scene: Scene) -> None:
    history_failed_call(scene)
    pane = scene.page().history.details
    assert "does not accept the caller ID" in pane.headline
    assert "403 Caller ID not allowed" in pane._story.text()
    assert "UTC" in pane._story.text()
    assert "sent as 15145550199" in pane._route.text()
    assert "Planned: Test tone, at most 30 s" in pane._route.text()
    assert pane.findings.findings[0].causes
    assert not pane._fold.isVisible(), "without sound there are no figures"


def test_details_can_be_copied(scene: Scene) -> None:
    history_filled(scene)
    page = scene.page().history
    page.view.setFocus()
    QTest.keyClick(page.view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    text = QGuiApplication.clipboard().text()
    for words in ("Trunk: Main office", "Call-ID: abc@192.0.2.1", "Codec: PCMU", "MOS: 4.28", "CALL-OK"):
        assert words in text


def test_call_again_calls_the_number_through_the_trunk(scene: Scene) -> None:
    history_filled(scene)
    trunk_page = scene.page()
    trunk_page.history.details.again.click()
    scene.wait(lambda: bool(scene.desk.asked_for("place_call")))
    assert scene.desk.asked_for("place_call")[0][:2] == ("office", "+1 514 555-0199")
    assert trunk_page.shows_calls


def test_a_caller_is_called_back_by_the_number_only(scene: Scene) -> None:
    history_filled(scene)
    page = scene.page().history
    choose(scene, page, ANNA)
    page.details.again.click()
    scene.wait(lambda: bool(scene.desk.asked_for("place_call")))
    assert scene.desk.asked_for("place_call")[0][1] == "+493012345678"


def test_a_call_of_another_trunk_is_placed_through_that_trunk(scene: Scene) -> None:
    history_failed_call(scene)
    page = scene.page().history
    choose(scene, page, "4443")
    page.details.again.click()
    scene.wait(lambda: bool(scene.desk.asked_for("place_call")))
    assert scene.desk.asked_for("place_call")[0][:2] == ("backup", "4443")
    assert scene.window.chosen is scene.page("backup")


def test_a_call_of_a_trunk_that_is_gone_is_placed_through_this_one(scene: Scene) -> None:
    gone = details(entry("4443", trunk_id="gone", trunk="Old one", begun_at=time.time()))
    page = open_history(scene, lambda desk: desk.history.put(gone))
    page.filters.trunk.setCurrentIndex(1)
    scene.wait(lambda: shown(page) == ["4443"])
    choose(scene, page, "4443")
    page.details.again.click()
    scene.wait(lambda: bool(scene.desk.asked_for("place_call")))
    assert scene.desk.asked_for("place_call")[0][0] == "office"


def test_the_trace_of_a_call_is_shown_where_it_is_still_in_memory(scene: Scene) -> None:
    history_filled(scene)
    trunk_page = scene.page()
    other = message("OPTIONS sip:x SIP/2.0\r\nCall-ID: other\r\n\r\n")
    for each in (other, message(INVITE.replace("\n", "\r\n"))):
        scene.desk.tell(TraceAdded(trunk_id="office", message=each))
    scene.wait(lambda: len(trunk_page.watch.trace) == 2)
    trunk_page.history.details.trace.click()
    assert trunk_page.tabs.tabText(trunk_page.tabs.currentIndex()) == "Trace"
    assert trunk_page.trace.text.toPlainText().startswith("INVITE sip:15145550199@")


def test_the_messages_that_were_kept_are_shown_otherwise(scene: Scene) -> None:
    history_messages(scene)
    pane = scene.page().history.details
    text = pane.messages.toPlainText()
    assert "INVITE sip:15145550199@montreal1.voip.example SIP/2.0" in text
    assert "→ UDP 192.0.2.10:5060" in text
    assert pane.messages.hasFocus()
    pane.copy_messages.click()
    assert QGuiApplication.clipboard().text() == text
    pane.back.click()
    assert pane.headline
    assert pane.trace.hasFocus()


def test_messages_that_were_left_out_are_counted(scene: Scene) -> None:
    messages = tuple(message(f"MESSAGE {number}") for number in range(4))
    call = details(entry("600", begun_at=time.time()), messages=messages, left_out=7)
    page = open_history(scene, lambda desk: desk.history.put(call))
    choose(scene, page, "600")
    page.details.trace.click()
    lines = page.details.messages.toPlainText()
    assert (
        lines.index("MESSAGE 1") < lines.index("(7 more messages were not kept.)") < lines.index("MESSAGE 2")
    )


def test_a_call_without_messages_has_none_to_show(scene: Scene) -> None:
    page = open_history(scene, lambda desk: desk.history.put(details(entry("600", begun_at=time.time()))))
    choose(scene, page, "600")
    assert not page.details.trace.isEnabled()


def test_a_finding_leads_to_its_setting(scene: Scene) -> None:
    history_failed_call(scene)
    trunk_page = scene.page()
    trunk_page.history.details.findings.field_asked.emit("caller_id")
    assert trunk_page.shows_settings


def test_a_recording_that_is_gone_says_so(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Path] = []
    monkeypatch.setattr("app.ui.widgets.history_details.show_in_folder", opened.append)
    history_filled(scene)
    pane = scene.page().history.details
    assert pane._recorded.text() == "Recorded: call.wav"
    pane.show_recording.click()
    assert "not there any more" in pane._recorded.text()
    assert opened == [Path("/home/anna/Music/call.wav")]
