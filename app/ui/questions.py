"""Questions that are decisions, and so the few dialogs there are."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QMessageBox, QWidget

from app.model.outcome import TlsFacts
from app.model.visible import one_line
from app.ui.certificate_question import CertificateQuestion
from app.ui.plain_text import message_box

translate = QCoreApplication.translate

_LONGEST = 100
"""Characters of a name or a number in a question."""


def ask_before_closing(parent: QWidget, calls: int, leave: Callable[[], None]) -> QMessageBox:
    """Ask whether to close with calls up."""
    return _ask(
        parent,
        translate("questions", "A call is up.")
        if calls == 1
        else translate("questions", "{count} calls are up.").format(count=calls),
        translate("questions", "Closing Ringback hangs up and signs out."),
        (translate("questions", "Hang up and close"), translate("questions", "Stay")),
        leave,
    )


def ask_before_dropping(parent: QWidget, leave: Callable[[], None]) -> QMessageBox:
    """Ask whether to close while a trunk is being added."""
    return _ask(
        parent,
        translate("questions", "The new trunk is not saved."),
        translate("questions", "Closing Ringback loses what you have filled in."),
        (translate("questions", "Close without it"), translate("questions", "Go on with it")),
        leave,
    )


def ask_before_deleting(parent: QWidget, name: str, delete: Callable[[], None]) -> QMessageBox:
    """Ask whether to delete a trunk."""
    return _ask(
        parent,
        translate("questions", "Delete {name}?").format(name=one_line(name, _LONGEST)),
        translate(
            "questions",
            "Its settings and its password are deleted from this computer. You can undo this until you "
            "close Ringback.",
        ),
        (translate("questions", "Delete"), translate("questions", "Keep it")),
        delete,
    )


def ask_before_trusting(
    parent: QWidget, host: str, tls: TlsFacts, trust: Callable[[], None]
) -> CertificateQuestion:
    """Show a server's certificate and ask whether to trust it from now on."""
    question = CertificateQuestion(parent, host, tls)
    question.accepted.connect(trust)
    question.finished.connect(question.deleteLater)
    question.open()
    return question


def ask_before_deleting_calls(parent: QWidget, which: str, delete: Callable[[], None]) -> QMessageBox:
    """Ask whether to delete calls from the history."""
    return _ask(
        parent,
        translate("questions", "Delete {which}?").format(which=one_line(which, _LONGEST)),
        translate("questions", "What is known of them is deleted from this computer and can't come back."),
        (translate("questions", "Delete"), translate("questions", "Keep")),
        delete,
    )


def ask_before_keeping_shorter(parent: QWidget, kept: str, keep: Callable[[], None]) -> QMessageBox:
    """Ask whether to keep calls for a shorter time than before."""
    return _ask(
        parent,
        translate("questions", "Keep calls for {kept} only?").format(kept=kept),
        translate("questions", "Older calls of all trunks are deleted now, and from now on each day."),
        (translate("questions", "Delete older calls"), translate("questions", "Keep as before")),
        keep,
    )


def _ask(
    parent: QWidget, question: str, meaning: str, answers: tuple[str, str], act: Callable[[], None]
) -> QMessageBox:
    box = message_box(parent, QMessageBox.Icon.Question, question, meaning)
    yes = box.addButton(answers[0], QMessageBox.ButtonRole.AcceptRole)
    no = box.addButton(answers[1], QMessageBox.ButtonRole.RejectRole)
    # The answer that changes nothing is the one that Enter and Esc give
    box.setDefaultButton(no)
    box.setEscapeButton(no)
    yes.clicked.connect(act)
    box.finished.connect(box.deleteLater)
    box.open()
    return box
