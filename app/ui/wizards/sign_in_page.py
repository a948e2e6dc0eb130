"""The wizard's page about how the provider knows the customer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.flows.form import PASSWORD, WizardPage
from app.providers.schema import Method
from app.ui.wizards.form_page import FormPage

if TYPE_CHECKING:
    from app.ui.wizards.add_trunk import AddTrunkWizard


class SignInPage(FormPage):
    """Name, way to sign in, user, password; also where the password is kept."""

    def __init__(self, wizard: AddTrunkWizard) -> None:
        super().__init__(wizard, WizardPage.SIGN_IN, wizard.tr("How do you sign in?"))
        self.column.addStretch(1)

    def on_refreshed(self) -> None:
        provider = self._wizard.flow.provider
        name = provider.name.partition(" (")[0] if provider else self.tr("your provider")
        if self._wizard.flow.needs_password:
            words = self.tr("What {provider} gave you for your trunk.").format(provider=name)
        else:
            words = self.tr("{provider} knows you by your public IP address.").format(provider=name)
            words = words[0].upper() + words[1:]
        facts = provider.sign_in(Method(self._wizard.flow.draft.sign_in.value)) if provider else None
        if facts and "sign_in" not in self.form.rows:
            # With one way only there is no field to say it at
            words = f"{words} {facts.note}".strip()
        self.say(words)
        row = self.form.rows.get(PASSWORD)
        if row:
            self._wizard.password_asked.emit()
            row.set_after(
                self.tr("It goes to the system keyring when you save.")
                if self._wizard.has_keyring
                else self.tr("Kept until you close Ringback, never in a file.")
            )
