"""Whether to trust a server's certificate: its fingerprint, and apart from it the server's own words."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.model.outcome import TlsFacts
from app.model.visible import one_line
from app.ui.plain_text import broken, set_spoken
from app.ui.style import GRID, Tone
from app.ui.widgets.card import Card
from app.ui.widgets.page import ScrollPage
from app.ui.widgets.rule import Rule
from app.ui.widgets.text import ElidedText, Text, TextRole
from app.ui.widgets.tone_icon import ToneIcon

_WIDTH = 60 * GRID
_LONGEST_HOST, _HOST_WIDTH = 120, 48
_MOST_NAMES = 4
_PAIRS_A_LINE = 16
_AROUND = 6 * GRID
"""Room that a window's frame and title may take of the screen's height."""


class CertificateQuestion(QDialog):
    """Shows what we computed above what the server claims; the answer that changes nothing is the default.

    Args:
        parent: The window.
        host: The trunk's server, as in its settings.
        tls: What the server showed.

    Attributes:
        fingerprint: The label with the fingerprint.
        claims: Everything that the server says about itself, and nothing else.
        trust_button, refuse_button: The two answers.
    """

    def __init__(self, parent: QWidget, host: str, tls: TlsFacts) -> None:
        super().__init__(parent)
        self.setWindowTitle("Ringback")
        self.fingerprint = Text(_in_lines(tls.fingerprint), role=TextRole.FIXED, wrap=False)
        self.claims = self._build_claims(tls)
        column = QVBoxLayout(self)
        column.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 2 * GRID)
        column.setSpacing(GRID)
        column.addLayout(self._build_head(host))
        column.addSpacing(GRID // 2)
        column.addWidget(Text(self.tr("SHA-256 fingerprint"), role=TextRole.SMALL, tone=Tone.QUIET))
        card = Card(tone=Tone.WARNING)
        card.column.addWidget(self.fingerprint)
        column.addWidget(card)
        advice = self.tr(
            "Call your provider, or whoever runs the server, and compare this fingerprint with theirs. "
            "If any pair differs, don't trust the certificate: whoever holds it could read this trunk's "
            "password and listen to its calls."
        )
        column.addWidget(Text(advice))
        column.addSpacing(GRID)
        column.addWidget(Rule())
        # On a low screen it is this that scrolls
        area = ScrollPage()
        area.column.setContentsMargins(0, 0, 0, 0)
        area.column.setSpacing(0)
        area.column.addWidget(self.claims)
        area.column.addStretch(1)
        column.addWidget(area, 1)
        column.addSpacing(GRID)
        column.addWidget(self._build_buttons())
        set_spoken(self, self.tr("Trust the certificate of {host}?").format(host=host), advice)
        self._fit(column)
        # The answer that changes nothing is the one that Enter and Esc give
        self.refuse_button.setDefault(True)
        self.refuse_button.setFocus()

    def _fit(self, column: QVBoxLayout) -> None:
        width = max(_WIDTH, column.totalMinimumSize().width())
        self.setFixedWidth(width)
        most = self.screen().availableGeometry().height() - _AROUND
        self.resize(width, min(column.totalHeightForWidth(width), most))

    def _build_head(self, host: str) -> QHBoxLayout:
        words = self.tr("Trust the certificate of {host}?")
        shown = broken(one_line(host, _LONGEST_HOST), _HOST_WIDTH)
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(ToneIcon(Tone.WARNING, edge=20), 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(Text(words.format(host=shown), role=TextRole.HEADING), 1)
        return row

    def _build_claims(self, tls: TlsFacts) -> QWidget:
        names = tls.names[:_MOST_NAMES]
        more = len(tls.names) - len(names)
        part = QWidget()
        grid = QGridLayout(part)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(GRID // 2)
        grid.setColumnStretch(1, 1)
        heading = Text(
            self.tr("What the server says about itself (not verified)"), role=TextRole.SMALL, tone=Tone.QUIET
        )
        grid.addWidget(heading, 0, 0, 1, 2)
        for caption, values in (
            (self.tr("Issued to"), (tls.subject,)),
            (self.tr("Issued by"), (tls.issuer,)),
            (self.tr("Names"), names),
            (self.tr("Valid"), (_dates(tls),)),
        ):
            for place, value in enumerate(each for each in values if each):
                row = grid.rowCount()
                if place == 0:
                    grid.addWidget(Text(caption, tone=Tone.QUIET, wrap=False), row, 0)
                # The end of a name says whose it is
                grid.addWidget(ElidedText(one_line(value), elide=Qt.TextElideMode.ElideMiddle), row, 1)
            if values is names and more:
                words = self.tr("and {count} more").format(count=more)
                grid.addWidget(ElidedText(words, tone=Tone.QUIET), grid.rowCount(), 1)
        return part

    def _build_buttons(self) -> QDialogButtonBox:
        box = QDialogButtonBox()
        self.trust_button = QPushButton(self.tr("Trust it"))
        self.refuse_button = QPushButton(self.tr("Don't trust it"))
        box.addButton(self.trust_button, QDialogButtonBox.ButtonRole.AcceptRole)
        box.addButton(self.refuse_button, QDialogButtonBox.ButtonRole.RejectRole)
        box.accepted.connect(self.accept)
        box.rejected.connect(self.reject)
        return box


def _in_lines(fingerprint: str) -> str:
    pairs = fingerprint.split(":")
    lines = (pairs[at : at + _PAIRS_A_LINE] for at in range(0, len(pairs), _PAIRS_A_LINE))
    return "\n".join(":".join(line) for line in lines)


def _dates(tls: TlsFacts) -> str:
    first, last = one_line(tls.not_before[:10]), one_line(tls.not_after[:10])
    return f"{first} \N{EN DASH} {last}" if first or last else ""
