"""The trace: every message, in order, secrets hidden."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication

from app.ui.models import trunk_watch
from app.ui.models.trace_table import Column, TraceTable
from app.ui.models.trunk_watch import TrunkWatch
from tests.helpers.office import office
from tests.ui.scene import Scene
from tests.ui.scenes import trace
from tests.ui.trace_sample import MESSAGES, SECRET_RESPONSE


def test_messages_are_listed_with_time_peer_and_start_line(scene: Scene) -> None:
    trace(scene)
    table = scene.page().trace.table.model()
    row = [table.index(1, column).data() for column in Column]
    assert row[1:] == ["\N{LEFTWARDS ARROW}", "TLS 192.0.2.10:5061", "SIP/2.0 401 Unauthorized"]
    assert row[0].endswith(".018")


def test_chosen_message_is_shown_without_its_secrets(scene: Scene) -> None:
    trace(scene)
    page = scene.page().trace
    text = page.text.toPlainText()
    assert text.startswith("REGISTER sip:montreal1.voip.example SIP/2.0")
    assert "Authorization: Digest" in text
    assert SECRET_RESPONSE not in text


def test_copied_message_has_no_secrets_either(scene: Scene) -> None:
    trace(scene)
    scene.page().trace._copy.click()
    copied = QGuiApplication.clipboard().text()
    assert "CSeq: 2 REGISTER" in copied
    assert SECRET_RESPONSE not in copied


def test_message_that_comes_later_is_added(scene: Scene) -> None:
    trace(scene)
    table = scene.page().trace.table.model()
    scene.desk.tell(MESSAGES[0])
    scene.wait(lambda: table.rowCount() == len(MESSAGES) + 1)


def test_oldest_messages_leave_first() -> None:
    watch = TrunkWatch(office())
    for _ in range(trunk_watch.TRACE_KEPT):
        watch.take(MESSAGES[0])
    table = TraceTable(watch)
    watch.take(MESSAGES[3])
    assert table.rowCount() <= trunk_watch.TRACE_KEPT
    last = table.index(table.rowCount() - 1, Column.MESSAGE)
    assert last.data() == "SIP/2.0 200 OK"
