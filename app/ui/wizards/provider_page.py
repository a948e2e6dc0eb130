"""The wizard's first page: whose trunk it is."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget, QWizard

from app.flows.add_trunk import OTHER
from app.flows.form import WizardPage
from app.providers import catalogue
from app.ui.countries import country_name
from app.ui.style import GRID, Tone
from app.ui.widgets.page import ScrollPage
from app.ui.widgets.search_field import SearchField
from app.ui.widgets.text import Text, TextRole
from app.ui.widgets.tone_icon import ToneIcon
from app.ui.wizards.page import StepPage
from app.ui.wizards.provider_list import Entry, ProviderList
from app.ui.wizards.provider_search import (
    DEMO_ID,
    checked_words,
    entries,
    found_in,
    ways_of,
)

if TYPE_CHECKING:
    from app.ui.wizards.add_trunk import AddTrunkWizard


class ProviderPage(StepPage):
    """Search, the list, the two rows that are always there, and what is known of the chosen one.

    Attributes:
        chosen: The id of the chosen row; None before one is chosen.
    """

    def __init__(self, wizard: AddTrunkWizard) -> None:
        super().__init__(wizard, WizardPage.PROVIDER, wizard.tr("Who is your provider?"), scrolls=False)
        self.chosen: str | None = None
        self.search = SearchField(self.tr("Search by name or country…"), self.tr("Search providers"))
        self.search.textChanged.connect(self._on_search)
        self.search.installEventFilter(self)
        self.list = ProviderList(self.tr("Providers"))
        self.more = ProviderList(self.tr("Not in the list"))
        self._none = Text(
            self.tr("No provider has these words. Choose Other provider to fill in everything yourself."),
            tone=Tone.QUIET,
        )
        self._none.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._none.hide()
        for each in (self.list, self.more):
            each.picked.connect(self._on_picked)
            each.entered.connect(self._on_entered)
            each.passed.connect(partial(self._on_passed, each))
        left = QVBoxLayout()
        left.setSpacing(GRID)
        for part, stretch in ((self.search, 0), (self.list, 1), (self._none, 1), (self.more, 0)):
            left.addWidget(part, stretch)
        self._facts = ScrollPage()
        self._facts.column.setContentsMargins(GRID, 0, 0, 0)
        self._facts.column.setSpacing(GRID)
        row = QHBoxLayout()
        row.setSpacing(2 * GRID)
        row.addLayout(left, 3)
        row.addWidget(self._facts, 2)
        self.column.addLayout(row)
        self.more.show_entries(
            (
                Entry(
                    id=OTHER,
                    name=self.tr("Other provider"),
                    summary=self.tr("You fill in what your provider gave you."),
                ),
                Entry(
                    id=DEMO_ID,
                    name=self.tr("Demo carrier"),
                    summary=self.tr("A carrier on this computer, to see how a working trunk looks."),
                ),
            )
        )
        high = sum(self.more.sizeHintForRow(row) for row in range(self.more.count()))
        self.more.setFixedHeight(high + 2 * self.more.frameWidth())
        self._on_search()
        self._show_facts()

    def focus_start(self) -> None:
        self.search.setFocus()

    @property
    def stops(self) -> list[QWidget]:
        """Search, then the lists."""
        return [self.search, self.list, self.more]

    def isComplete(self) -> bool:
        return self.chosen is not None

    def _enable_next(self) -> None:
        # Not with `completeChanged`: QWizard hides the page for a moment then, and the focus goes astray
        self._wizard.button(QWizard.WizardButton.NextButton).setEnabled(self.isComplete())

    def validatePage(self) -> bool:
        if self.chosen is None:
            return False
        if self.chosen == DEMO_ID:
            self._wizard.run_demo()
            return False
        self._wizard.flow.choose_provider(self.chosen)
        return True

    def choose(self, provider_id: str) -> None:
        """Choose a row."""
        self.list.choose(provider_id)
        self.more.choose(provider_id)
        self._on_picked(provider_id)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.search and isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
            if event.key() == Qt.Key.Key_Down:
                if self.list.chosen is not None:
                    self.list.setFocus()
                elif not self.list.go_to():
                    self.more.go_to()
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._on_search_entered()
                return True
        return False

    def _on_search(self) -> None:
        found = found_in(catalogue.providers(), self.search.text())
        self.list.show_entries(entries(found, self.search.text()))
        self.list.setVisible(bool(found))
        self._none.setVisible(not found)
        if self.chosen not in (None, OTHER, DEMO_ID) and self.chosen not in self.list.ids():
            # What can't be seen must not be what Next takes
            self.chosen = None
            self._show_facts()
            self._enable_next()
        elif self.chosen is not None:
            self.list.choose(self.chosen)

    def _on_search_entered(self) -> None:
        ids = self.list.ids()
        if self.chosen is None and len(ids) == 1:
            self.choose(ids[0])
        if self.chosen is None:
            if not self.list.go_to():
                self.more.go_to()
        else:
            self._wizard.next()

    def _on_picked(self, provider_id: str) -> None:
        self.chosen = provider_id
        for each in (self.list, self.more):
            if provider_id not in each.ids():
                each.choose(None)
        self._show_facts()
        self._enable_next()

    def _on_entered(self) -> None:
        if self.chosen is not None:
            self._wizard.next()

    def _on_passed(self, where: ProviderList, way: int) -> None:
        if where is self.list:
            if way > 0:
                self.more.go_to()
            else:
                self.search.setFocus()
        elif way < 0 and not self.list.go_to(last=True):
            self.search.setFocus()

    # The chosen one

    def _show_facts(self) -> None:
        column = self._facts.column
        while item := column.takeAt(0):
            if widget := item.widget():
                widget.hide()
                widget.deleteLater()
        if self.chosen is None:
            column.addWidget(
                Text(self.tr("Choose one, and what is known about it is filled in."), tone=Tone.QUIET)
            )
        elif self.chosen == OTHER:
            self._add(self.tr("Other provider"))
            column.addWidget(
                Text(
                    self.tr("Have the letter or the portal page at hand: server, user name, password."),
                    tone=Tone.QUIET,
                )
            )
        elif self.chosen == DEMO_ID:
            self._add(self.tr("Demo carrier"))
            column.addWidget(
                Text(self.tr("It needs no account and no network. Nothing is saved."), tone=Tone.QUIET)
            )
        else:
            self._show_provider()
        column.addStretch(1)

    def _show_provider(self) -> None:
        provider = catalogue.find(self.chosen or "")
        column = self._facts.column
        self._add(provider.name)
        column.addWidget(Text(provider.summary, tone=Tone.QUIET))
        if provider.thin:
            column.addWidget(_Warning(provider.thin))
        self._add_fact(self.tr("Countries"), ", ".join(map(country_name, provider.countries)))
        self._add_fact(self.tr("Signing in"), "\n".join(ways_of(provider)))
        self._add_fact(self.tr("Website"), provider.website.removeprefix("https://").rstrip("/"))
        column.addWidget(Text(checked_words(provider), role=TextRole.SMALL, tone=Tone.QUIET))

    def _add(self, heading: str) -> None:
        self._facts.column.addWidget(Text(heading, role=TextRole.HEADING))

    def _add_fact(self, label: str, words: str) -> None:
        if not words:
            return
        both = QWidget()
        column = QVBoxLayout(both)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(Text(label, role=TextRole.SMALL, tone=Tone.QUIET))
        column.addWidget(Text(words))
        self._facts.column.addWidget(both)


class _Warning(QWidget):
    """A sentence with a mark in front of it."""

    def __init__(self, words: str) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        row.addWidget(ToneIcon(Tone.WARNING), 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(Text(words), 1)
