"""Files that trunks are exported to and imported from."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QCoreApplication

from app.errors import UserError
from app.model.visible import one_line

translate = QCoreApplication.translate


def is_our_own(text: str) -> bool:
    """Whether a text looks like an export of ours, and not like a table."""
    return text.lstrip().startswith(("{", "["))


def write_file(path: Path, text: str) -> None:
    """Write an export.

    Raises:
        UserError: It can't be written.
    """
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise UserError(
            translate("trunk_files", "{name} can't be written: {why}.").format(
                name=one_line(path.name), why=error.strerror
            ),
            do=translate("trunk_files", "Choose another folder."),
        ) from error
