"""Files that trunks are exported to and imported from."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QCoreApplication

from app.errors import UserError
from app.model.visible import one_line

translate = QCoreApplication.translate

MOST_BYTES = 5_000_000
"""More than 5,000 trunks have; a larger file is another one than was meant."""


def read_file(path: Path) -> str:
    """The text of a file that is to be imported.

    Raises:
        UserError: It can't be read, is too large, or is no text.
    """
    from app.model.trunk_csv import text_of

    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise UserError(
            translate("trunk_files", "{name} can't be read: {why}.").format(
                name=one_line(path.name), why=error.strerror
            ),
            do=translate("trunk_files", "Choose another file, or see to its permissions."),
        ) from error
    if len(data) > MOST_BYTES:
        raise UserError(
            translate("trunk_files", "{name} is larger than 5 MB.").format(name=one_line(path.name)),
            do=translate("trunk_files", "A file of trunks is much smaller. Choose another one."),
        )
    return text_of(data)


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
