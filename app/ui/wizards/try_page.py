"""The wizard's last page: does it work? And saving it, either way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QLineEdit, QWidget, QWizard

from app.errors import UserError
from app.flows.add_trunk import refusal_of
from app.flows.form import WizardPage
from app.model.finding import Finding, Verdict
from app.model.outcome import AnsweredBy, CallOutcome, CallResult, LocalCause, RegisterOutcome, may_call
from app.model.setting_table import BY_KEY
from app.model.trunk import TrunkState
from app.ui.style import GRID, Tone
from app.ui.widgets.buttons import IconButton
from app.ui.widgets.card import Card
from app.ui.widgets.finding_view import FindingList
from app.ui.widgets.step_list import StepList, StepState
from app.ui.widgets.text import Text, TextRole
from app.ui.wizards.page import StepPage
from app.ui.wizards.trial import Trial

if TYPE_CHECKING:
    from app.ui.wizards.add_trunk import AddTrunkWizard

_NAME, _SERVER, _SIGN_IN, _CALL = range(4)
_NAME_CAUSES = (LocalCause.NAME_NOT_FOUND, LocalCause.NAME_SERVER_SILENT)
_PASSED_SIGN_IN = (
    CallResult.ANSWERED,
    CallResult.BUSY,
    CallResult.NOT_FOUND,
    CallResult.NO_ANSWER,
    CallResult.DECLINED,
)


class TryPage(StepPage):
    """Signs in as soon as it is shown; places a test call only when the person says so.

    Attributes:
        steps: How far it is.
        number: Whom the test call calls.
        tried: The ids of the trunks on trial that have placed a call.
    """

    def __init__(self, wizard: AddTrunkWizard) -> None:
        super().__init__(wizard, WizardPage.TRY, wizard.tr("Try it"))
        self._trial: Trial | None = None
        self.tried: list[str] = []
        self._calling = False
        self._works = False
        self._may_call = False
        self._last_try: object = None
        self._paused = False
        self.steps = StepList(
            [self.tr("Server found"), self.tr("Server answers"), self.tr("Sign-in"), self.tr("Test call")]
        )
        self._words = Text()
        self.cancel_button = IconButton(self.tr("Stop"), "close")
        self.cancel_button.clicked.connect(self._on_cancel_clicked)
        self.again_button = IconButton(self.tr("Try again"), "running")
        self.again_button.clicked.connect(self.start)
        self.number = QLineEdit()
        self.number.setFixedWidth(22 * GRID)
        self.number.setPlaceholderText(self.tr("A number of your own"))
        self.number.setAccessibleName(self.tr("Number for the test call"))
        self.number.textEdited.connect(self._show_buttons)
        self.number.installEventFilter(self)
        self.call_button = IconButton(self.tr("Place a test call"), "call")
        self.call_button.clicked.connect(self._on_call_clicked)
        self._call_hint = Text(role=TextRole.SMALL, tone=Tone.QUIET)
        self.findings = FindingList()
        self.findings.field_asked.connect(wizard.go_to_field)
        self.change_button = IconButton("", "settings")
        self.change_button.clicked.connect(self._on_change_clicked)
        self._change_field = ""
        self._build()

    def _build(self) -> None:
        card = Card()
        card.column.addWidget(self.steps)
        card.column.addWidget(self._words)
        row = QHBoxLayout()
        row.setSpacing(GRID)
        for button in (self.cancel_button, self.change_button, self.again_button):
            row.addWidget(button)
        row.addStretch(1)
        card.column.addLayout(row)
        self._call_part = QWidget()
        call = QHBoxLayout(self._call_part)
        call.setContentsMargins(0, 0, 0, 0)
        call.setSpacing(GRID)
        call.addWidget(self.number)
        call.addWidget(self.call_button)
        call.addWidget(self._call_hint, 1)
        self.column.addWidget(card)
        self.column.addWidget(self._call_part)
        self.column.addWidget(self.findings)
        self.column.addStretch(1)

    # The page

    def initializePage(self) -> None:
        flow, provider = self._wizard.flow, self._wizard.flow.provider
        preset = next((each for each in provider.test_numbers if each.safe), None) if provider else None
        if provider is not self._last_try or not self.number.text():
            self.number.setText(preset.number if preset else "")
            self._last_try = provider
        words = self.tr("At most 10 seconds; your provider may charge for it.")
        if preset and self.number.text() == preset.number:
            words = f"{preset.purpose}. {words}" if not preset.purpose.endswith(".") else preset.purpose
        self._call_hint.setText(words)
        settings = flow.settings()
        about = [settings["name"], settings.get("host", "")]
        if provider and provider.name not in settings["name"]:
            about.insert(1, provider.name)
        self.say(" · ".join(part for part in about if part))
        self.start()

    def cleanupPage(self) -> None:
        self.end()

    def pause(self) -> None:
        """The wizard is out of sight: nothing stays signed in meanwhile."""
        if self._trial:
            self.end()
            self._paused = True

    def resume(self) -> None:
        """Try anew what was paused."""
        if self._paused:
            self.start()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.number and event.type() is QEvent.Type.KeyPress:
            assert isinstance(event, QKeyEvent)
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                # Else it would press Finish as well
                self._on_call_clicked()
                return True
        return False

    @property
    def stops(self) -> list[QWidget]:
        """From top to bottom."""
        buttons = (self.cancel_button, self.change_button, self.again_button, self.number, self.call_button)
        return [*buttons, *self.findings.findChildren(QAbstractButton)]

    def focus_start(self) -> None:
        self.wizard().button(QWizard.WizardButton.FinishButton).setFocus()

    @property
    def running(self) -> bool:
        """Whether it signs in or calls."""
        return StepState.RUNNING in self.steps.states

    @property
    def words(self) -> str:
        """What the line under the steps says."""
        return self._words.text()

    def start(self) -> None:
        """Try what is filled in now."""
        self.end()
        self._paused = False
        self.steps.reset()
        self.findings.show_findings(())
        self._offer_change("")
        self._works = self._may_call = False
        refusal = refusal_of(self._wizard.flow, self._wizard.password)
        if refusal is not None:
            self.show_error(refusal)
            return
        trial = Trial(self._wizard.bridge, self)
        trial.asked.connect(self._on_asked)
        trial.answered.connect(self._on_answered)
        trial.signed_in.connect(self._on_signed_in)
        trial.called.connect(self._on_called)
        trial.failed.connect(self._on_failed)
        self._trial = trial
        self.steps.set_step(_NAME, StepState.RUNNING)
        self._say(self.tr("Signing in…") if self._registers else self.tr("Asking the server…"))
        trial.begin(self._wizard.flow.settings(), self._wizard.password_to_use)
        self._show_buttons()

    def end(self) -> None:
        """Leave nothing of the try behind; what it showed stays."""
        trial, self._trial = self._trial, None
        self._calling = False
        if trial:
            trial.end()
            trial.deleteLater()

    def show_error(self, error: UserError) -> None:
        """Tell why it can't be tried or saved, with the way to the field behind it."""
        self._fail_running()
        self._say(str(error), Tone.BAD)
        self._offer_change(error.field or "")
        self._show_buttons()

    def show_saving(self, *, saving: bool) -> None:
        """Tell that it is being saved; a keyring may ask for its own password meanwhile."""
        for part in (self.again_button, self.change_button, self._call_part, self.findings):
            part.setEnabled(not saving)
        if saving:
            self._say(self.tr("Saving…"))

    def say_elsewhere(self, key: str) -> None:
        """Tell that a setting is not among what the wizard asks."""
        label = BY_KEY[key].label if key in BY_KEY else key
        self._say(
            self.tr("{setting} is not asked here. Save the trunk, then change it in its settings.").format(
                setting=label
            )
        )

    @property
    def _registers(self) -> bool:
        return self._wizard.flow.draft.sign_in == "register"

    # What comes

    def _on_asked(self) -> None:
        if self.steps.states[_NAME] is StepState.RUNNING:
            self.steps.set_step(_NAME, StepState.DONE)
            self.steps.set_step(_SERVER, StepState.RUNNING)

    def _on_answered(self) -> None:
        if self.steps.states[_SERVER] is StepState.RUNNING:
            self.steps.set_step(_SERVER, StepState.DONE)
            if self._registers:
                self.steps.set_step(_SIGN_IN, StepState.RUNNING)

    def _on_signed_in(self, outcome: RegisterOutcome) -> None:
        from app.checks.diagnosis import explain_registration

        if not self._trial or not self._trial.trunk:
            return
        findings = explain_registration(outcome, self._trial.trunk)
        good = outcome.state in (TrunkState.REGISTERED, TrunkState.REACHABLE)
        no_name = outcome.local_cause in _NAME_CAUSES or (
            outcome.local_cause is LocalCause.NO_ROUTE and outcome.target is None
        )
        reached = good or outcome.local_cause is LocalCause.NONE
        self.steps.set_step(_NAME, StepState.FAILED if no_name else StepState.DONE)
        if not no_name:
            self.steps.set_step(_SERVER, StepState.DONE if reached else StepState.FAILED)
        if self._registers and reached:
            self.steps.set_step(_SIGN_IN, StepState.DONE if good else StepState.FAILED)
        self._works = good
        self._may_call = may_call(outcome, registers=self._registers)
        if not good and self._may_call:
            self._say(
                self.tr("No answer to the first question. Some providers never answer it; a test call tells.")
            )
        elif not good:
            self._say(findings[0].title, Tone.BAD)
        elif self._registers:
            self._say(self.tr("It works: your provider has let this trunk in."), Tone.GOOD)
        else:
            self._say(
                self.tr("The server answers. Without registration, signing in is tested with the test call.")
            )
        self._show_findings(findings)

    def _on_called(self, outcome: CallOutcome) -> None:
        from app.checks.diagnosis import explain_call

        self._calling = False
        if not self._trial or not self._trial.trunk:
            return
        findings = explain_call(outcome, self._trial.trunk)
        failed = any(finding.verdict is Verdict.FAIL for finding in findings)
        if outcome.answered_by is AnsweredBy.NETWORK:
            self.steps.set_step(_SERVER, StepState.DONE)
        if not self._registers:
            if outcome.result in _PASSED_SIGN_IN:
                self.steps.set_step(_SIGN_IN, StepState.DONE)
            elif outcome.result is CallResult.WRONG_CREDENTIALS:
                self.steps.set_step(_SIGN_IN, StepState.FAILED)
        self.steps.set_step(_CALL, StepState.FAILED if failed else StepState.DONE)
        if outcome.result is CallResult.CANCELLED:
            self.steps.set_step(_CALL, StepState.WAITING)
            failed = False
        self._works = not failed
        good = not failed and outcome.result is CallResult.ANSWERED
        self._say(findings[0].title, Tone.BAD if failed else (Tone.GOOD if good else None))
        self._show_findings(findings)

    def _on_failed(self, error: UserError) -> None:
        was_calling, self._calling = self._calling, False
        if was_calling:
            # A number that is not called says nothing about the trunk
            self.steps.set_step(_CALL, StepState.WAITING)
            self._say(str(error), Tone.BAD)
            self._show_buttons()
            return
        self._works = False
        self.show_error(error)

    def _show_findings(self, findings: tuple[Finding, ...]) -> None:
        shown = tuple(finding for finding in findings if finding.verdict in (Verdict.FAIL, Verdict.WARNING))
        failed = next((finding for finding in shown if finding.verdict is Verdict.FAIL), None)
        # Beside the words that say what is wrong: below the findings, it would be out of sight
        self._offer_change(failed.field if failed else "")
        self.findings.show_findings(shown, self._words.text(), self._change_field)
        self._wizard.order_tabs(self)
        self._show_buttons()

    # What is asked for

    def _on_call_clicked(self) -> None:
        number = self.number.text().strip()
        if not self.call_button.isEnabled() or not number or not self._trial:
            return
        self._calling = True
        self._offer_change("")
        self.findings.show_findings(())
        self.steps.set_step(_CALL, StepState.RUNNING)
        self._say(self.tr("Calling {number}…").format(number=number))
        if self._trial.trunk:
            self.tried.append(self._trial.trunk.id)
        self._trial.call(number)
        self._show_buttons()

    def _on_cancel_clicked(self) -> None:
        if self._calling and self._trial:
            self._trial.hang_up()
            return
        self.end()
        self._fail_running(StepState.WAITING)
        self._say(self.tr("Stopped. You can save the trunk all the same."))
        self._show_buttons()
        self.again_button.setFocus()

    def _on_change_clicked(self) -> None:
        self._wizard.go_to_field(self._change_field)

    # What is shown

    def _fail_running(self, state: StepState = StepState.FAILED) -> None:
        for place, each in enumerate(self.steps.states):
            if each is StepState.RUNNING:
                self.steps.set_step(place, state)

    def _say(self, words: str, tone: Tone | None = None) -> None:
        self._words.setText(words)
        self._words.set_tone(tone)

    def _offer_change(self, field: str) -> None:
        label = self._wizard.label_of(field) if field else ""
        self._change_field = field if label else ""
        self.change_button.setText(self.tr("Change {field}…").format(field=label))

    def _show_buttons(self) -> None:
        running = self.running
        self.cancel_button.setVisible(running)
        self.again_button.setVisible(not running)
        self.change_button.setVisible(bool(self._change_field) and not running)
        self._call_part.setVisible(self._trial is not None and self._may_call)
        self.call_button.setEnabled(not running and bool(self.number.text().strip()))
        self.number.setEnabled(not running)
        good = self._works and StepState.FAILED not in self.steps.states
        self.setButtonText(
            QWizard.WizardButton.FinishButton,
            self.tr("&Save trunk") if good else self.tr("&Save and fix later"),
        )
