"""Trunks that are to be imported: files read with limits, their trunks checked against this computer.

For the largest file all of it takes seconds: make these calls in a thread.
"""

from __future__ import annotations

import sys
import uuid
from pathlib import Path

from msgspec.structs import replace

from app.ca_file import check_ca_file
from app.errors import SettingError, StoreError, UserError
from app.model.names import free_names, name_key
from app.model.trunk import Trunk
from app.model.trunk_csv import CsvPreview, CsvRow, Problem, read_csv, text_of
from app.model.trunk_file import read_trunks
from app.model.typed import shown
from app.model.visible import visible_line
from app.paths import Paths
from app.regular_file import OddFileError, read_regular_file
from app.store import Store

MOST_BYTES = 20_000_000
"""Three times what 5,000 trunks with common settings have, or 50 trunks with as many DIDs as possible."""


def read_import_file(path: Path) -> str:
    """The text of a file.

    Raises:
        UserError: It is not an ordinary file, too large, can't be read, or is not text in UTF-8.
    """
    try:
        data = read_regular_file(path, MOST_BYTES)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        do = "Check its name, and that you may read it."
        if isinstance(error, OddFileError):
            do = "Choose another file. On the command line, - reads a pipe: ringback import - < FILE."
        raise UserError(f"{visible_line(path.name)} can't be read: {why}.", do=do, field="file") from error
    return text_of(data)


def read_import_stdin() -> str:
    """The text on standard input, to its end.

    Raises:
        UserError: As `read_import_file`.
    """
    if sys.stdin is None:  # closed by the shell, or a program without a console on Windows
        raise SettingError("There is nothing on standard input.", do="Name a file.", field="file")
    data = sys.stdin.buffer.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise UserError(
            f"Standard input has more than {MOST_BYTES // 1_000_000} MB.",
            do="Import it in parts.",
            field="file",
        )
    return text_of(data)


class _CaFiles:
    """Checks the CA files of many trunks, each file once."""

    def __init__(self) -> None:
        self._known: dict[str, str | SettingError] = {}

    def check(self, trunk: Trunk) -> Trunk:
        """The trunk with the absolute path.

        Raises:
            SettingError: The file can't be used.
        """
        text = trunk.ca_file
        if text not in self._known:
            try:
                self._known[text] = check_ca_file(text)
            except SettingError as error:
                self._known[text] = error
        known = self._known[text]
        if isinstance(known, SettingError):
            raise SettingError(known.what, do=known.do, field=known.field)
        return replace(trunk, ca_file=known)


def _taken(paths: Paths) -> tuple[str, ...]:
    with Store.open(paths) as store:
        return store.names()


def read_document(text: str, paths: Paths, rename_taken: bool) -> tuple[Trunk, ...]:
    """The trunks of an export, ready to be saved.

    Args:
        text: The export.
        paths: Where the saved trunks are.
        rename_taken: Put a number behind a name that is taken.

    Raises:
        SettingError, StoreError: One can't be used; the text says which.
    """
    trunks = read_trunks(text)
    taken = _taken(paths)
    names = [trunk.name for trunk in trunks]
    if rename_taken:
        names = list(free_names(names, taken))
    keys, files, found = {name_key(name): name for name in taken}, _CaFiles(), []
    for trunk, name in zip(trunks, names, strict=True):
        if name_key(name) in keys:
            raise StoreError(
                f"There is a trunk called {shown(keys[name_key(name)])} already.",
                do="Choose another name, or import under free names (--rename).",
                field="name",
            )
        try:
            found.append(files.check(replace(trunk, id=uuid.uuid4().hex, name=name)))
        except SettingError as error:
            raise SettingError(
                f"Trunk {shown(trunk.name)}: {error.what}", do=error.do, field=error.field
            ) from error
    return tuple(found)


def read_table(text: str, paths: Paths) -> CsvPreview:
    """What importing a table would do; a CA file that can't be used is a problem of its row.

    Raises:
        SettingError: It is no table that can be made sense of.
    """
    preview, files = read_csv(text, _taken(paths)), _CaFiles()

    def checked(row: CsvRow) -> CsvRow:
        if row.trunk is None or not row.trunk.ca_file:
            return row
        try:
            return replace(row, trunk=files.check(row.trunk))
        except SettingError as error:
            problem = Problem(field=error.field, what=error.what, do=error.do)
            return replace(row, trunk=None, problems=(problem,))

    return replace(preview, rows=tuple(map(checked, preview.rows)))
