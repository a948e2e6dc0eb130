"""A trunk at a glance: does it work, why not, what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.errors import UserError
from app.model.finding import Verdict
from app.model.outcome import LocalCause, RegisterOutcome, TlsFacts
from app.model.trunk import Trunk, TrunkState
from app.model.visible import one_line
from app.ui.bridge import DeskBridge, Submission
from app.ui.clipboard import copy_text
from app.ui.models.trunk_watch import TrunkWatch
from app.ui.style import GRID, Tone
from app.ui.widgets.buttons import IconButton, ToneButton
from app.ui.widgets.card import Card
from app.ui.widgets.finding_view import VERDICT_TONES, FindingList
from app.ui.widgets.page import ScrollPage
from app.ui.widgets.text import Text, TextRole
from app.ui.widgets.tone_icon import ToneIcon
from app.ui.words import TRUNK_TONES, USABLE_STATES, codec_word, milliseconds, server_line, trunk_state_line

if TYPE_CHECKING:
    from app.desk import Desk

_MAY_BE_PINNED = frozenset({LocalCause.TLS_CA, LocalCause.TLS_NAME, LocalCause.TLS_TIME, LocalCause.TLS_PIN})


class OverviewPage(ScrollPage):
    """Shows a trunk's state with its cause, and connects it.

    Args:
        bridge: To the desk.
        watch: The trunk.
        saved_here: Whether the trunk is kept in the data folder, and so has settings to change.

    Signals:
        field_asked: A setting is to be changed; carries its key.
        call_asked: The person wants to place a call.
        saved: The trunk was changed; carries it, and that it is to be connected again.
    """

    field_asked = Signal(str)
    call_asked = Signal()
    saved = Signal(object, bool)

    def __init__(
        self,
        bridge: DeskBridge,
        watch: TrunkWatch,
        *,
        saved_here: bool = True,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._saved_here = saved_here
        self._bridge = bridge
        self._watch = watch
        self._connecting: Submission | None = None
        self._error: UserError | None = None
        self._build_verdict()
        self._build_facts()
        self.column.addStretch(1)
        watch.changed.connect(self._on_watch_changed)
        self._refresh()

    @property
    def headline(self) -> str:
        """The sentence at the top."""
        return self._headline.text()

    def connect_trunk(self) -> None:
        """Sign in; how it goes is shown here."""
        self._error = None
        trunk_id = self._watch.trunk.id
        self._connecting = self._bridge.submit(
            self, lambda desk: desk.connect(trunk_id), self._on_connected, self._on_connect_failed
        )
        self._refresh()

    def disconnect_trunk(self) -> None:
        """Sign out, or give up signing in."""
        if self._connecting:
            self._connecting.cancel()
            self._connecting = None
        self._error = None
        trunk_id = self._watch.trunk.id
        self._bridge.submit(self, lambda desk: desk.disconnect(trunk_id))
        self._refresh()

    def _build_verdict(self) -> None:
        self._card = Card()
        self._mark = ToneIcon(edge=3 * GRID)
        self._headline = Text(role=TextRole.HEADING)
        self._cause = Text(tone=Tone.QUIET)
        self.connect_button = ToneButton(self.tr("Connect"), "connect")
        self.connect_button.clicked.connect(self.connect_trunk)
        self.disconnect_button = IconButton(self.tr("Disconnect"), "disconnect")
        self.disconnect_button.clicked.connect(self.disconnect_trunk)
        words = QVBoxLayout()
        words.setSpacing(GRID // 2)
        words.addWidget(self._headline)
        words.addWidget(self._cause)
        # Here, because below the findings few would see it
        self.trust_button = IconButton(self.tr("Trust this certificate…"), "show")
        self.trust_button.clicked.connect(self._on_trust_clicked)
        words.addWidget(self.trust_button, 0, Qt.AlignmentFlag.AlignLeft)
        top = QHBoxLayout()
        top.setSpacing(2 * GRID)
        top.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        top.addLayout(words, 1)
        top.addWidget(self.connect_button, 0, Qt.AlignmentFlag.AlignTop)
        top.addWidget(self.disconnect_button, 0, Qt.AlignmentFlag.AlignTop)
        self._findings = FindingList()
        self._findings.field_asked.connect(self.field_asked)
        self._fix = IconButton(self.tr("Go to the setting"), "settings")
        self._fix.clicked.connect(self._on_fix_clicked)
        self._call = IconButton(self.tr("Place a test call"), "call")
        self._call.clicked.connect(self.call_asked)
        self._copy = IconButton(self.tr("Copy details"), "copy")
        self._copy.clicked.connect(self._on_copy_clicked)
        self._foot = QWidget()
        foot = QHBoxLayout(self._foot)
        foot.setContentsMargins(0, GRID, 0, 0)
        foot.setSpacing(GRID)
        for button in (self._fix, self._call, self._copy):
            foot.addWidget(button)
        foot.addStretch(1)
        below = QVBoxLayout()
        # Level with the words, not with the mark
        below.setContentsMargins(self._mark.width() + 2 * GRID, 0, 0, 0)
        below.setSpacing(GRID)
        below.addWidget(self._findings)
        below.addWidget(self._foot)
        self._card.column.addLayout(top)
        self._card.column.addLayout(below)
        self.column.addWidget(self._card)

    def _build_facts(self) -> None:
        facts = QWidget()
        self._grid = QGridLayout(facts)
        self._grid.setContentsMargins(2 * GRID, 0, 2 * GRID, 0)
        self._grid.setHorizontalSpacing(3 * GRID)
        self._grid.setVerticalSpacing(GRID)
        self._grid.setColumnStretch(1, 1)
        self._facts: dict[str, Text] = {}
        for row, (key, caption) in enumerate(
            (
                ("state", self.tr("State")),
                ("server", self.tr("Server")),
                ("user", self.tr("User")),
                ("caller", self.tr("Caller ID")),
                ("codecs", self.tr("Audio")),
                ("expires", self.tr("Registration")),
            )
        ):
            name = Text(caption, tone=Tone.QUIET, wrap=False)
            value = Text()
            self._grid.addWidget(name, row, 0, Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(value, row, 1)
            self._facts[key] = value
        self.column.addWidget(facts)

    def _refresh(self) -> None:
        watch = self._watch
        busy = self._connecting is not None or watch.state is TrunkState.CONNECTING
        on = watch.state in USABLE_STATES
        self.connect_button.setVisible(not on and not busy)
        failed = watch.state not in (TrunkState.OFF, TrunkState.CONNECTING) and not on
        self.connect_button.setText(self.tr("Try again") if failed else self.tr("Connect"))
        self.disconnect_button.setVisible(on or busy)
        self.disconnect_button.setText(self.tr("Cancel") if busy and not on else self.tr("Disconnect"))
        self._show_verdict(busy=busy, on=on)
        self._show_facts()

    def _show_verdict(self, *, busy: bool, on: bool) -> None:
        watch, name = self._watch, one_line(self._watch.trunk.name)
        findings = () if busy and not on else watch.findings
        tone, icon_name = TRUNK_TONES[watch.state], ""
        cause = watch.cause
        if busy and not on:
            tone, icon_name = Tone.ACCENT, "running"
            words = self.tr("{name} is signing in…").format(name=name)
        elif self._error:
            tone, findings = Tone.BAD, ()
            words, cause = self._error.what, self._error.do
        elif watch.state is TrunkState.OFF:
            icon_name = "not-run"
            words = self.tr("{name} is off.").format(name=name)
            cause = cause or self.tr("Connect to see whether it signs in.")
        elif findings:
            from app.checks.diagnosis import headline, worst

            verdict = worst(findings)
            tone, icon_name = VERDICT_TONES[verdict]
            words = headline(findings)
        elif on:
            words = self.tr("{name} is signed in.").format(name=name)
        else:
            words = trunk_state_line(watch.state, watch.outcome)
        self._mark.show_tone(tone, icon_name)
        self._card.set_tone(None if tone is Tone.QUIET else tone)
        self._headline.setText(words)
        self._cause.setText(cause)
        self._cause.setVisible(bool(cause))
        self._findings.show_findings(findings, words)
        self._findings.setVisible(bool(findings))
        self._call.setVisible(on)
        self._fix.setVisible(bool(self._error and self._error.field))
        failed = any(finding.verdict in (Verdict.FAIL, Verdict.WARNING) for finding in findings)
        self.trust_button.setVisible(failed and self._refused_certificate() is not None)
        self._copy.setVisible(failed or self._error is not None)
        self._foot.setVisible(on or failed or self._error is not None)

    def _show_facts(self) -> None:
        trunk, outcome = self._watch.trunk, self._watch.outcome
        values = {
            "state": trunk_state_line(self._watch.state, outcome),
            "server": self._server_words(outcome),
            "user": trunk.user or self.tr("nobody (known by address)"),
            "caller": trunk.caller_id or trunk.user or self.tr("none"),
            "codecs": ", ".join(codec_word(name) for name in trunk.codecs),
            "expires": self._registration_words(outcome),
        }
        for key, words in values.items():
            self._facts[key].setText(words)

    def _server_words(self, outcome: RegisterOutcome | None) -> str:
        words = server_line(self._watch.trunk)
        if outcome and outcome.target and outcome.target.address != self._watch.trunk.host:
            words += self.tr(", at {address}").format(address=outcome.target.address)
        return words

    def _registration_words(self, outcome: RegisterOutcome | None) -> str:
        if not self._watch.trunk.register:
            return self.tr("not used; each call is signed in by itself")
        if outcome and outcome.expires_s:
            return self.tr("renewed every {seconds} s; answered in {time}").format(
                seconds=outcome.expires_s, time=milliseconds(outcome.round_trip_ms)
            )
        return self.tr("asked for {seconds} s").format(seconds=self._watch.trunk.expires)

    def _on_watch_changed(self) -> None:
        # What was wrong before the trunk moved on says nothing about now
        self._error = None
        self._refresh()

    def _on_connected(self, _outcome: RegisterOutcome) -> None:
        self._connecting = None
        self._refresh()

    def _on_connect_failed(self, error: UserError) -> None:
        self._connecting = None
        self._error = error
        self._refresh()

    def _on_fix_clicked(self) -> None:
        if self._error:
            self.field_asked.emit(self._error.field)

    def _refused_certificate(self) -> TlsFacts | None:
        """What the server showed and we did not trust; None where that is not the trouble."""
        outcome = self._watch.outcome
        tls = outcome.tls if outcome else None
        if tls is None or tls.cause not in _MAY_BE_PINNED or not tls.fingerprint or not self._saved_here:
            return None
        return tls

    def _on_trust_clicked(self) -> None:
        tls = self._refused_certificate()
        if tls is not None:
            from app.ui.questions import ask_before_trusting

            host = self._watch.trunk.host
            ask_before_trusting(self.window(), host, tls, lambda: self._trust(tls.fingerprint))

    def _trust(self, fingerprint: str) -> None:
        trunk = self._watch.trunk

        async def work(desk: Desk) -> Trunk:
            changed, _ = await desk.change(trunk.id, trunk.name, {"tls_pin": fingerprint}, None)
            return changed

        self._bridge.submit(
            self, work, lambda changed: self.saved.emit(changed, True), self._on_connect_failed
        )

    def _on_copy_clicked(self) -> None:
        from app.ui.details import error_details, registration_details

        if self._error:
            copy_text(error_details(self._error))
        elif self._watch.outcome:
            copy_text(registration_details(self._watch.trunk, self._watch.outcome, self._watch.findings))
