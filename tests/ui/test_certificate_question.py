"""The question whether to trust a certificate can't be answered for the person by the certificate."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.model.outcome import TlsFacts
from app.ui.certificate_question import CertificateQuestion
from app.ui.questions import ask_before_trusting
from tests.ui.hostile_scenes import FINGERPRINT, Marks, certificate
from tests.ui.shown_text import problems
from tests.ui.test_hostile_text import HOSTILE

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", extend=True)

HONEST = TlsFacts(
    subject="pbx.office.example",
    issuer="Office CA",
    names=("pbx.office.example", "192.0.2.10"),
    not_before="2025-02-01T08:00:00Z",
    not_after="2035-02-01T08:00:00Z",
    fingerprint=FINGERPRINT,
)
FORGED = "Real CA</td></tr><tr><td>SHA-256</td><td><tt>11:22:33</tt>\n\nSHA-256 fingerprint\n11:22:33:44"


@pytest.fixture
def parent(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    made.show()
    return made


def ask(
    parent: QWidget, tls: TlsFacts, host: str = "sip.voip.example"
) -> tuple[CertificateQuestion, list[str]]:
    trusted: list[str] = []
    return ask_before_trusting(parent, host, tls, lambda: trusted.append(host)), trusted


def top(part: QWidget) -> int:
    """Where a part begins in its window."""
    return part.mapTo(part.window(), QPoint(0, 0)).y()


def labels(part: QWidget) -> list[str]:
    return [label.text() for label in part.findChildren(QLabel) if label.text()]


def test_the_fingerprint_is_whole_and_apart_from_the_servers_words(parent: QWidget) -> None:
    question, _ = ask(parent, HONEST)
    assert question.fingerprint.text().replace("\n", ":") == FINGERPRINT
    assert not question.claims.isAncestorOf(question.fingerprint)
    for words in (HONEST.subject, HONEST.issuer, *HONEST.names):
        assert words in labels(question.claims)
    assert any("says about itself" in words for words in labels(question.claims))
    outside = set(labels(question)) - set(labels(question.claims))
    assert not any(words in each for words in (HONEST.subject, HONEST.issuer) for each in outside)
    assert top(question.fingerprint) < top(question.claims) < top(question.trust_button)


@pytest.mark.parametrize("hostile", [*HOSTILE.values(), FORGED], ids=[*HOSTILE, "forged"])
def test_no_certificate_moves_or_hides_the_fingerprint(parent: QWidget, hostile: str) -> None:
    plain, _ = ask(parent, HONEST)
    place, size = top(plain.fingerprint), plain.size()
    plain.reject()
    question, _ = ask(parent, certificate(Marks(hostile)))
    assert not problems()
    assert question.fingerprint.text().replace("\n", ":") == FINGERPRINT
    assert top(question.fingerprint) == place
    assert question.width() == size.width()
    # Three more names than the honest one has, and a line that counts the others
    assert question.height() <= size.height() + 5 * question.fontMetrics().lineSpacing() + 40
    for button in (question.trust_button, question.refuse_button):
        assert question.rect().contains(button.geometry().translated(button.parentWidget().pos()))
    assert all("\n" not in words for words in labels(question.claims))


def test_names_beyond_the_first_ones_are_counted(parent: QWidget) -> None:
    many = TlsFacts(names=tuple(f"host{number}.example" for number in range(100)), fingerprint=FINGERPRINT)
    question, _ = ask(parent, many)
    assert "host3.example" in labels(question.claims)
    assert "host4.example" not in labels(question.claims)
    assert "and 96 more" in labels(question.claims)


def test_on_a_low_screen_the_servers_words_scroll_and_the_rest_stays(
    parent: QWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.ui.certificate_question._AROUND", 800 - 352)
    question, _ = ask(parent, certificate(Marks("W" * 5000)), host="W" * 120)
    assert question.height() == 352
    for part in (question.fingerprint, question.trust_button, question.refuse_button):
        assert 0 <= top(part) <= question.height() - part.height()
        assert not part.visibleRegion().isEmpty()


def test_enter_and_escape_trust_nothing(parent: QWidget, qtbot: QtBot) -> None:
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Escape):
        question, trusted = ask(parent, HONEST)
        assert question.refuse_button.isDefault()
        assert question.focusWidget() is question.refuse_button
        qtbot.keyClick(question, key)
        assert question.isHidden()
        assert not trusted


def test_only_its_button_trusts(parent: QWidget, qtbot: QtBot) -> None:
    question, trusted = ask(parent, HONEST)
    qtbot.mouseClick(question.refuse_button, Qt.MouseButton.LeftButton)
    assert not trusted
    question, trusted = ask(parent, HONEST)
    qtbot.mouseClick(question.trust_button, Qt.MouseButton.LeftButton)
    assert trusted == ["sip.voip.example"]


def test_a_certificate_without_a_name_has_no_empty_lines(parent: QWidget) -> None:
    question, _ = ask(parent, TlsFacts(fingerprint=FINGERPRINT))
    assert len(labels(question.claims)) == 1
