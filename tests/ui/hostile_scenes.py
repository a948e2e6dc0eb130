"""The window with text from outside wherever some can come in, each with a mark to find it by."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec.structs import replace
from PySide6.QtWidgets import QWidget

from app.errors import StoreError, UserError
from app.flows.form import FormField
from app.model.call import CallState
from app.model.conflicts import Conflict
from app.model.finding import Finding, Verdict
from app.model.outcome import CallResult, Direction, LocalCause, Target, TlsFacts, TraceMessage
from app.model.setting_table import Kind
from app.model.settings import Mended
from app.model.trunk import Transport, Trunk, TrunkState
from app.model.trunk_csv import CsvPreview, CsvRow, Problem
from app.paths import Paths
from app.sip.child import ChildOutcome, Role
from app.sip.nearest import Reply, ServerAddress
from app.sip.notices import (
    AudioChanged,
    CallDigit,
    CallEnded,
    CallHold,
    CallProgress,
    CallRecording,
    DevicesFound,
    EngineLost,
    HistoryTrouble,
    TraceAdded,
    TransferProgress,
    TrunkChanged,
)
from app.ui.questions import ask_before_deleting, ask_before_deleting_calls, ask_before_trusting
from app.ui.trunk_menu import TrunkMenu
from app.ui.wizards.answer_row import AnswerRow
from app.ui.wizards.provider_list import Entry, ProviderList
from tests.helpers.calls import details, entry, message, running
from tests.helpers.fake_desk import FakeDesk
from tests.helpers.office import good_call, no_answer, office
from tests.ui.scene import Scene

FINGERPRINT = ":".join(f"{number:02X}" for number in range(0xA0, 0xC0))


class Marks:
    """Puts a mark in front of a hostile text, another one each time.

    Args:
        hostile: The text.

    Attributes:
        given: What each mark was for.
    """

    def __init__(self, hostile: str) -> None:
        self.hostile = hostile
        self.given: dict[str, str] = {}
        self._numbers = itertools.count(1)

    def __call__(self, what: str) -> str:
        mark = f"Mk{next(self._numbers)}k"
        self.given[mark] = what
        return f"{mark}{self.hostile}"


def finding(mark: Marks) -> Finding:
    """A finding with words of others in every line."""
    return Finding(
        id="AUTH-LOOP",
        verdict=Verdict.FAIL,
        title=mark("finding's title"),
        meaning=mark("finding's meaning"),
        causes=(mark("finding's cause"),),
        do=(mark("finding's step"),),
        evidence=(mark("finding's evidence"),),
        field="user",
    )


def certificate(mark: Marks) -> TlsFacts:
    """A certificate that lies about itself."""
    return TlsFacts(
        subject=mark("subject"),
        issuer=mark("issuer"),
        names=(mark("name in a certificate"), *(f"{number}{mark.hostile}" for number in range(400))),
        not_before="2025-02-01T08:00:00Z",
        not_after="2035-02-01T08:00:00Z",
        error=mark.hostile,
        cause=LocalCause.TLS_CA,
        fingerprint=FINGERPRINT,
    )


def trunk_of(mark: Marks, trunk_id: str = "office") -> Trunk:
    """A trunk out of a damaged database, or one that somebody sent."""
    return office(
        id=trunk_id,
        name=mark("trunk's name"),
        host=mark("host"),
        user=mark("user"),
        caller_id=mark("caller ID"),
        provider=f"{mark.hostile}",
        notes=mark.hostile,
        proxy=mark.hostile,
        ca_file=mark.hostile,
    )


def trunk_in_trouble(scene: Scene, mark: Marks) -> None:
    """Overview, list, state, log, menu: a trunk whose server refuses it in its own words."""
    scene.open(trunk_of(mark), office(id="backup", name=mark("another trunk's name")))
    scene.window.tool_bar.show_log.setChecked(True)
    # Its subject and names are shown only once somebody asks to trust it
    tls = certificate(Marks(mark.hostile))
    target = Target(address="192.0.2.10", port=5061, transport=Transport.TLS, name=mark.hostile)
    outcome = no_answer(
        sip_code=503,
        reason=mark.hostile,
        local_cause=LocalCause.TLS_CA,
        target=target,
        tried=(target,),
        tls=tls,
        realms=(mark.hostile,),
        requests_sent=1,
    )
    scene.desk.tell(
        TrunkChanged(
            trunk_id="office", state=TrunkState.UNREACHABLE, cause=mark("cause of a state"), outcome=outcome
        ),
        TrunkChanged(trunk_id="backup", state=TrunkState.REJECTED, cause=mark.hostile),
        EngineLost(
            trunk_id="office",
            outcome=ChildOutcome(
                role=Role.ENGINE, exit_code=None, signal_name=mark("signal's name"), asked=False
            ),
            calls_lost=1,
            restart_in_s=1.0,
        ),
    )
    page = scene.page()
    scene.wait(lambda: page.watch.state is TrunkState.UNREACHABLE and bool(scene.window.status.line))
    page.overview._findings.show_findings((finding(mark),), "")
    scene.window.say(mark("log line"))
    scene.window.pane.list.rename_chosen()
    TrunkMenu(page.watch, saved_here=True, parent=scene.window)


def calls(scene: Scene, mark: Marks) -> None:
    """The call page: callers, called numbers, transfers, recordings, devices, the far end's reasons."""
    numbers = msgspec.json.encode([mark("number called last"), mark("number called before")]).decode()
    trunk = trunk_of(mark)

    def prepare(desk: FakeDesk) -> None:
        desk.settings["recent_numbers"] = numbers

    scene.open(trunk, prepare=prepare)
    page = scene.sign_in()
    page.show_calls()
    calls = page.calls
    scene.wait(lambda: len(calls.recent.numbers) == 2)

    def tell(call_id: str, direction: Direction, state: CallState, number: str) -> None:
        scene.desk.tell(
            CallProgress(
                trunk_id="office",
                call_id=call_id,
                direction=direction,
                state=state,
                number=number,
                called=f"sip:{mark('called number')}@203.0.113.7",
                to=f"sip:{mark('number in To')}@203.0.113.7" if direction is Direction.IN else "",
                reason=mark.hostile,
                sip_code=183,
            )
        )

    tell("out-1", Direction.OUT, CallState.ANSWERED, mark("number of a call out"))
    tell("out-2", Direction.OUT, CallState.ANSWERED, mark("number of another call"))
    tell("in-1", Direction.IN, CallState.INCOMING, f"{mark('display name')} <sip:+49301234567@p.example>")
    tell("in-2", Direction.IN, CallState.INCOMING, f"sip:{mark('caller without a name')}@p.example")
    scene.wait(lambda: len(calls.cards) == 4)
    card = next(card for card in calls.cards if card.call.call_id == "out-1")
    card.live.buttons.transfer.click()
    card.live.transfer.row.number.setText("600")
    scene.desk.tell(
        TransferProgress(
            trunk_id="office", call_id="out-1", sip_code=603, reason=mark("answer to a transfer"), final=True
        ),
        CallDigit(trunk_id="office", call_id="out-1", digit=mark("digit")),
        CallRecording(
            trunk_id="office",
            call_id="out-1",
            path=f"/home/anna/{mark.hostile.replace('/', '')}.wav",
            on=False,
            trouble=mark("trouble with a recording"),
        ),
        CallHold(
            trunk_id="office",
            call_id="out-2",
            by_us=False,
            by_them=True,
            trouble=mark("trouble with a hold"),
        ),
        DevicesFound(
            trunk_id="office",
            microphones=(mark("microphone"),),
            speakers=(mark("speaker"), mark.hostile),
        ),
        AudioChanged(trunk_id="office", note=mark("note about devices")),
    )
    outcome = good_call(
        mark.hostile,
        trunk=mark.hostile,
        result=CallResult.FORBIDDEN,
        sip_code=403,
        reason=mark("reason phrase"),
        reason_header=mark.hostile,
        duration_s=0.0,
        media=None,
        heard=None,
    )
    scene.desk.tell(CallEnded(trunk_id="office", call_id="gone", direction=Direction.OUT, outcome=outcome))
    panel = calls.panel.audio
    scene.wait(lambda: bool(page.watch.ended_calls) and panel.speaker.count() == 3 and bool(panel.note))
    panel.speaker.setCurrentIndex(1)
    calls.right.show_refusal(UserError(mark("refusal"), do=mark("what to do about a refusal")))
    calls.panel.number.setText("600")


def trace_and_history(scene: Scene, mark: Marks) -> None:
    """Messages, and calls that were kept."""
    answered = entry(
        f'"{mark("name in the history")}" <sip:+493012345678@203.0.113.9>',
        begun_at=time.time(),
        direction=Direction.IN,
        dialled=f"<sip:{mark('dialled number')}@203.0.113.7>",
        trunk=mark("trunk in the history"),
        reason=mark.hostile,
        headline=mark("headline"),
    )
    text = f"INVITE sip:{mark('kept message')} SIP/2.0\r\nSubject: {mark.hostile}\r\n\r\n"
    kept = details(
        answered,
        findings=(finding(mark),),
        recording=f"/home/anna/{mark('recording').replace('/', '')}.wav",
        messages=(message(text), message(text)),
        sip_call_id=mark.hostile,
    )
    odd = details(running(mark("number in the history"), begun_at=time.time() - 9, trunk=mark.hostile))

    def fill(desk: FakeDesk) -> None:
        desk.history.put(odd, kept)

    scene.open(trunk_of(mark), prepare=fill)
    page = scene.sign_in()
    traced = TraceMessage(
        at=time.time(),
        direction=Direction.IN,
        transport=Transport.TLS,
        peer=mark("peer"),
        text=f"SIP/2.0 403 {mark('traced message')}\r\nWarning: 399 x {mark.hostile}\r\n\r\n",
    )
    scene.desk.tell(TraceAdded(trunk_id="office", message=traced))
    page.show_trace()
    scene.wait(lambda: page.trace.table.model().rowCount() == 1)
    page.trace.table.selectRow(0)
    page.show_history()
    history = page.history
    history.filters.trunk.setCurrentIndex(1)
    scene.wait(lambda: history.table.rowCount() == 2)
    history.view.selectRow(0)
    scene.wait(lambda: history.details.call is not None and bool(history.details.call.messages))
    history.details._fill_messages(kept)
    history.foot.say(mark("name of an exported file"))


def settings_and_import(scene: Scene, mark: Marks) -> None:
    """The form of a trunk, and a table that somebody sent."""
    scene.open(trunk_of(mark))
    page = scene.page()
    page.show_field("name")
    form = page.settings
    assert form
    form.conflicts.show_conflicts(
        [Conflict(other=mark.hostile, field="user", what=mark("what trunks share"))] * 9
    )
    form.form.show_mended([Mended(key="host", what=mark("what was put right"))])
    form.form.search(mark.hostile)
    form.form.rows["user"].show_error(mark("error of a setting"))
    form._note.setText(mark("note of the form"))
    form._note.show()
    bad = CsvRow(
        line=2,
        settings={
            "name": mark("name in a table"),
            "host": mark("host in a table"),
            "user": mark("user in a table"),
        },
        problems=(Problem(field="host", what=mark("problem of a row"), do=mark.hostile),),
    )
    good = CsvRow(line=3, settings={}, trunk=office(name=mark("name of a good row")))
    table = scene.window.keeping._show_page(Path(mark("file's name").replace("/", "")))
    table.show_preview(CsvPreview(rows=(bad, good), columns=("name",), notes=(mark("note of a table"),)))
    table.show_error(UserError(mark("error of an import")))


def refusals(scene: Scene, mark: Marks) -> None:
    """Notes across the window, and a file that brings nothing."""
    scene.paths = Paths(data=Path(mark("data folder").replace("/", "")), logs=Path("logs"))
    scene.open(office(), vault_note=mark("note of the keyring"))
    scene.wait(lambda: bool(scene.window.banner.words))
    scene.desk.tell(HistoryTrouble(trunk_id="", words=mark("trouble with the history")))
    scene.wait(lambda: len(scene.window.banner._notes) == 2)
    refusal = StoreError(mark("refused file"), do=mark("what to do about a file"))
    scene.window.keeping._show_page(Path("trunks.json")).show_refusal(refusal)
    scene.window._on_about_asked()
    scene.window.bugs.report(mark("traceback"))
    page = scene.window.choose("office")
    assert page
    page.overview._error = UserError(mark("error of a trunk"), do=mark("what to do about a trunk"))
    page.overview._refresh()
    page.show_history()
    page.history.note.show_error(UserError(mark("history that can't be read")))


def boxes(scene: Scene, mark: Marks) -> None:
    """Every question that names something of others, one on top of the other."""
    window = scene.open(office())
    ask_before_deleting(window, mark("trunk to delete"), _nothing)
    ask_before_deleting_calls(window, mark("calls to delete"), _nothing)
    ask_before_trusting(window, mark("server of a certificate"), certificate(mark), _nothing)


def wizard(scene: Scene, mark: Marks) -> None:
    """The wizard: a provider's words, what was typed, servers and what they answer."""
    scene.open(office())
    scene.window.show_wizard()
    shown = scene.window.stack.wizard
    assert shown
    words = FormField(
        key="user",
        label=mark("label of a field"),
        help=mark("help of a field"),
        where=mark("place to find it"),
        example=mark("example"),
        value=mark.hostile,
    )
    choice = replace(words, key="server", choices=("a",), words=(mark("choice"),), value="a")
    switch = replace(words, key="privacy", kind=Kind.YES_NO, label=mark("label of a switch"), value="yes")
    holder = QWidget(shown.sign_in_page)
    for field in (words, choice, switch):
        AnswerRow(field, holder)
    AnswerRow(words, holder).show_error(mark("error of a field"))
    found = ProviderList("Providers", shown.provider_page)
    found.show_entries([Entry(id="x", name=mark("provider"), summary=mark("summary of a provider"))])
    shown.server_page.say(mark("lead of a page"))
    panel = shown.server_page.nearest
    server = ServerAddress(host=mark("server"), port=None, transport=Transport.UDP)
    panel._regions = {server.host: mark("region")}
    panel._servers = (server,)
    panel._replies = [Reply(server=server, words=mark("server's answer"))]
    panel._show_replies()
    panel._on_failed(UserError(mark("search that failed")))
    shown.try_page.show_error(UserError(mark("error of a try")))
    shown.try_page.findings.show_findings((finding(mark),), "")
    shown.try_page.change_button.setText(mark("button with a field's name"))


def failure(scene: Scene, mark: Marks) -> None:
    """A data folder that can't be used."""
    window = scene.open(office())
    window.stack.show_failure(UserError(mark("failure"), do=mark("what to do about a failure")))


def _nothing() -> None:
    """For a question that nobody answers."""


HOSTILE_SCENES: dict[str, Callable[[Scene, Marks], None]] = {
    play.__name__: play
    for play in (
        trunk_in_trouble,
        calls,
        trace_and_history,
        settings_and_import,
        refusals,
        boxes,
        wizard,
        failure,
    )
}
