"""The wizard's page about the server, and which of them is the nearest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec.structs import replace
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from app.flows.form import SERVER, FormField, WizardPage
from app.model.trunk import Transport
from app.ui.wizards.form_page import FormPage
from app.ui.wizards.nearest_panel import NearestPanel

if TYPE_CHECKING:
    from app.ui.wizards.add_trunk import AddTrunkWizard

_BRACES = re.compile(r"\{[^{}]*\}")


class ServerPage(FormPage):
    """Which server, port and transport."""

    def __init__(self, wizard: AddTrunkWizard) -> None:
        super().__init__(wizard, WizardPage.SERVER, wizard.tr("Which server?"))
        self.nearest = NearestPanel(wizard.bridge)
        self.nearest.chosen.connect(self._on_host_chosen)
        self.nearest.ended.connect(self._on_nearest_ended)
        self.column.addWidget(self.nearest)
        self.column.addStretch(1)

    def shown_fields(self) -> tuple[FormField, ...]:
        """As asked, the servers with what was answered in place of the braces."""
        fields = super().shown_fields()
        return tuple(self._with_hosts(field) if field.key == SERVER else field for field in fields)

    def on_refreshed(self) -> None:
        provider = self._wizard.flow.provider
        self.say(provider.signalling.note if provider else "")
        row = self.form.rows.get(SERVER)
        if row:
            # Their names follow from what is typed in other fields
            row.set_words(next(field for field in self.shown_fields() if field.key == SERVER))
        hosts = [(host, server.region) for host, server in self._wizard.flow.server_hosts()]
        settings = self._wizard.flow.settings()
        port = settings.get("port", "").strip()
        self.nearest.offer(
            hosts if len(hosts) > 1 else [],
            int(port) if port.isascii() and port.isdigit() else None,
            Transport(settings.get("transport") or Transport.UDP),
        )

    def more_stops(self) -> list[QWidget]:
        return self.nearest.stops

    def cleanupPage(self) -> None:
        self.nearest.stop()

    def hide_work(self) -> None:
        """Stop what runs here."""
        self.nearest.stop()

    def validatePage(self) -> bool:
        valid = super().validatePage()
        if valid:
            self.nearest.stop()
        return valid

    def _with_hosts(self, field: FormField) -> FormField:
        hosts = {server.host: host for host, server in self._wizard.flow.server_hosts()}
        words = []
        for server in self._wizard.flow.servers():
            host = hosts.get(server.host) or _BRACES.sub("…", server.host)
            words.append(f"{host}  ({server.region})" if server.region else host)
        return replace(field, words=tuple(words)) if len(words) == len(field.choices) else field

    def _on_host_chosen(self, host: str) -> None:
        templates = {name: server.host for name, server in self._wizard.flow.server_hosts()}
        self._wizard.flow.answer(SERVER, templates.get(host, host))
        self.refresh()

    def _on_nearest_ended(self) -> None:
        # Only once the page has its new size is there somewhere to scroll to
        QTimer.singleShot(0, self, lambda: self.scroll_area.ensureWidgetVisible(self.nearest))
