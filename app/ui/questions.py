"""Questions that are decisions, and so the few dialogs there are."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QMessageBox, QWidget

translate = QCoreApplication.translate


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


def ask_before_deleting(parent: QWidget, name: str, delete: Callable[[], None]) -> QMessageBox:
    """Ask whether to delete a trunk."""
    return _ask(
        parent,
        translate("questions", "Delete {name}?").format(name=name),
        translate(
            "questions",
            "Its settings and its password are deleted from this computer. This can't be undone.",
        ),
        (translate("questions", "Delete"), translate("questions", "Keep it")),
        delete,
    )


def _ask(
    parent: QWidget, question: str, meaning: str, answers: tuple[str, str], act: Callable[[], None]
) -> QMessageBox:
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("Ringback")
    box.setText(question)
    box.setInformativeText(meaning)
    yes = box.addButton(answers[0], QMessageBox.ButtonRole.AcceptRole)
    no = box.addButton(answers[1], QMessageBox.ButtonRole.RejectRole)
    # The answer that changes nothing is the one that Enter and Esc give
    box.setDefaultButton(no)
    box.setEscapeButton(no)
    yes.clicked.connect(act)
    box.finished.connect(box.deleteLater)
    box.open()
    return box
