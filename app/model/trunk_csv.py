"""Trunks from a table: CSV as spreadsheets and PBXs write it (RFC 4180), with a look before it is saved."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence, Set

import msgspec

from app.errors import SettingError, VaultError
from app.model.blanks import strip_blanks
from app.model.csv_columns import PASSWORD, Columns, find_columns, plain_value
from app.model.names import name_key
from app.model.password import Secret, check_password
from app.model.setting_table import LONGEST_DIDS
from app.model.settings import Mended, new_trunk
from app.model.spreadsheet import check_password_field, restore
from app.model.trunk import Trunk
from app.model.typed import Typed, clipped, shown

MOST_ROWS = 5_000
"""Rows of one file besides its heading."""

MOST_COLUMNS = 1_000
MOST_LINES = 1_000_000
"""Empty ones, and those within fields, included."""
_LONGEST_LINE = 1_000_000

_SEPARATORS = (",", ";", "\t")
_MOST_PROBLEMS = 10
"""That are told of one row."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a row can't be imported.

    Attributes:
        field: The setting's key; empty when it is about the whole row.
        what: What is wrong.
        do: What to do.
    """

    field: str
    what: str
    do: str


class CsvRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table.

    Attributes:
        line: Its first line in the file, from 1.
        settings: What it says, by the settings' keys; no password.
        trunk: The trunk, with an empty id; None when there are problems.
        problems: Why it can't be imported.
        mended: What was put right.
        password: Its password, hidden.
        headings: By setting, the heading of its column in the file.
    """

    line: int
    settings: Mapping[str, str]
    trunk: Trunk | None = None
    problems: tuple[Problem, ...] = ()
    mended: tuple[Mended, ...] = ()
    password: Secret = Secret()
    headings: Mapping[str, str] = {}

    def column(self, field: str) -> str:
        """The column of a setting as people know it, `column "SIP user"`; empty for what has none."""
        return f"column {shown(self.headings[field])}" if field in self.headings else ""

    @property
    def name(self) -> str:
        """The trunk's name as it stands there."""
        return self.trunk.name if self.trunk else self.settings.get("name", "").strip()


class CsvPreview(msgspec.Struct, frozen=True, kw_only=True):
    """What importing a table would do.

    Attributes:
        rows: All rows with something in them, in their order.
        columns: The settings that the table gives, `password` for a column of passwords.
        notes: What the person should know about the table as a whole, a sentence each.
    """

    rows: tuple[CsvRow, ...]
    columns: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def good(self) -> tuple[CsvRow, ...]:
        """Rows that can be imported."""
        return tuple(row for row in self.rows if row.trunk is not None)

    @property
    def bad(self) -> tuple[CsvRow, ...]:
        """Rows that can't."""
        return tuple(row for row in self.rows if row.trunk is None)


def text_of(data: bytes) -> str:
    """The text of a file that is to be imported.

    Raises:
        SettingError: It is not UTF-8, or no text at all.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        # Without the cause: its text shows bytes of the file, which may hold passwords
        raise SettingError(
            f"Line {line}: this file is not text in UTF-8.",
            do='Save it once more as "CSV UTF-8", or choose UTF-8 when you save it.',
        ) from None
    _refuse_nul(text)
    return text


def read_csv(text: str, taken: Iterable[str]) -> CsvPreview:
    """Read a table; good rows can be imported also when others are bad.

    Args:
        text: The file. Its first row names the columns: a setting's key or label, or what a PBX calls it.
        taken: Names that saved trunks have.

    Raises:
        SettingError: It is no table that can be made sense of; the text says in which line.
    """
    text = text.removeprefix("\ufeff")
    _refuse_nul(text)
    _refuse_endless(text)
    first, rows, columns = _table(text)
    names = {name_key(name): "" for name in taken}
    found = []
    for line, cells in rows:
        row = _row(line, cells, columns)
        if row.trunk is not None:
            key = name_key(row.trunk.name)
            row = _refuse_taken(row, names[key]) if key in names else row
            names.setdefault(key, f"line {line}")
        found.append(row)
    notes = list(columns.notes)
    if not found:
        notes.append(f"There is no row below line {first}.")
    return CsvPreview(rows=tuple(found), columns=tuple(columns.keys), notes=tuple(notes))


def _refuse_nul(text: str) -> None:
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise SettingError(
            f"Line {line}: this file has NUL bytes in it, so it is no table.",
            do='Save it from your spreadsheet as "CSV UTF-8".',
        )


def _refuse_endless(text: str) -> None:
    """What no table has would take minutes, or be worked on in one step in which nothing else can run."""
    if text.count("\n") + text.count("\r") > 2 * MOST_LINES:
        do = "Leave out the empty ones, or import it in parts."
        raise SettingError(f"This file has more than {MOST_LINES:,} lines.", do=do)
    for number, line in enumerate(io.StringIO(text), 1):
        if len(line) > _LONGEST_LINE:
            what = f"Line {number}: it has more than {_LONGEST_LINE:,} characters."
            raise SettingError(what, do="Choose a file with a table in it.")


Rows = list[tuple[int, list[str]]]


def _table(text: str) -> tuple[int, Rows, Columns]:
    """The heading's line, the rows below it, and what the heading says; by the separator that fits best."""
    best: tuple[int, int, str] | None = None
    for separator in _SEPARATORS:
        heading = next(iter(_rows(text, separator, most=1)), None)
        if heading is None:
            raise SettingError("This file is empty.", do="Choose one with a table in it.")
        if len(heading[1]) > MOST_COLUMNS:
            raise SettingError(
                f"Line {heading[0]}: there are more than {MOST_COLUMNS:,} columns.",
                do="The first row must name the columns, for example: name;host;user;password.",
            )
        fit = (len(find_columns(heading[1]).keys), len(heading[1]))
        if best is None or fit > best[:2]:
            best = (*fit, separator)
    assert best is not None
    (line, heading_cells), *rows = _rows(text, best[2], most=MOST_ROWS + 1)
    columns = find_columns(heading_cells)
    for needed in ("name", "host"):
        if needed not in columns.keys:
            raise SettingError(
                f"Line {line} names no column {needed}.",
                do="The first row must name the columns, for example: name;host;user;password.",
                field=needed,
            )
    return line, rows, columns


def _rows(text: str, separator: str, *, most: int) -> Rows:
    """Rows with something in them, each with its first line.

    Raises:
        SettingError: A quote is wrong, or there are too many.
    """
    # A limit of the module for all readers; this is the only one. Its own is less than a list of DIDs
    csv.field_size_limit(2 * LONGEST_DIDS)
    # A generator, so that other threads can run between the lines of an endless row
    lines = (line for line in io.StringIO(text, newline=""))
    reader = csv.reader(lines, delimiter=separator, strict=True)
    rows: Rows = []
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells) and not (not rows and _names_separator(cells)):
                if len(rows) >= most:
                    if most == 1:
                        return rows
                    raise SettingError(
                        f"Line {line}: there are more than {most - 1:,} rows.", do="Import it in parts."
                    )
                rows.append((line, cells))
            line = reader.line_num + 1
    except csv.Error as error:
        # Where another separator fits, a quote behind this one is in the middle of a field
        if most == 1:
            return rows or [(line, [])]
        raise SettingError(
            f"Line {line}: the quotes are wrong, or a field is too long.",
            do='A field with a quote, a separator or a line end in it stands in quotes, and " in it is "".',
            details=str(error),
        ) from None
    return rows


def _names_separator(cells: list[str]) -> bool:
    """Whether it is the `sep=;` that Excel writes and wants in front of a table."""
    return cells[0].strip().lower().startswith("sep=")


def _row(line: int, cells: list[str], columns: Columns) -> CsvRow:
    settings: dict[str, str] = {}
    restored: dict[str, Typed] = {}
    problems: list[Problem] = []
    password = Secret()
    for key, at in columns.keys.items():
        text = cells[at] if at < len(cells) else ""
        if key == PASSWORD:
            # Only what is really empty is none: spaces may be part of a password
            password = Secret(text)
        elif strip_blanks(text):
            settings[key] = text
            try:
                typed = restore(key, text)
            except SettingError as error:
                problems.append(Problem(field=error.field, what=error.what, do=error.do))
            else:
                restored[key] = typed
                settings[key] = plain_value(key, typed.text)
    if any(cell.strip() for cell in cells[columns.count :]):
        problems.append(
            Problem(
                field="",
                what=f"The row has {len(cells)} fields, but the heading {columns.count}.",
                do="Put quotes around a field that has the separator in it.",
            )
        )
    try:
        if password:
            check_password(password.reveal())
            check_password_field(password.reveal())
    except (VaultError, SettingError) as error:
        problems.append(Problem(field=PASSWORD, what=error.what, do=error.do))
    trunk, mended, wrong = _trunk(settings, {problem.field for problem in problems})
    problems += wrong
    return CsvRow(
        line=line,
        settings=settings,
        trunk=None if problems else trunk,
        problems=tuple(problems),
        mended=_all_mended(restored, mended),
        password=password,
        headings=columns.headings,
    )


def _all_mended(restored: Mapping[str, Typed], mended: Sequence[Mended]) -> tuple[Mended, ...]:
    """What was put right before a setting was read and while it was, with the field as it is in the file."""
    found: list[Mended] = []
    for key, typed in restored.items():
        of_reader = [mend for mend in mended if mend.key == key]
        now = of_reader[-1].now if of_reader else clipped(typed.text)
        sentences = (*typed.mended, *(mend.what for mend in of_reader))
        found += [Mended(key=key, what=what, was=clipped(typed.original), now=now) for what in sentences]
    return tuple(found)


_STAND_INS = {"name": "x", "host": "host.invalid", "user": "x"}
"""For settings that are needed and already refused, so that the rest of the row is looked at too."""


def _trunk(
    settings: Mapping[str, str], refused: Set[str]
) -> tuple[Trunk | None, tuple[Mended, ...], list[Problem]]:
    """The trunk; or all that is wrong with it, found by leaving out what was refused."""
    problems: list[Problem] = []
    rest = {key: text for key, text in settings.items() if key not in refused}
    rest |= {key: text for key, text in _STAND_INS.items() if key in refused}
    while len(problems) < _MOST_PROBLEMS:
        try:
            trunk, mended = new_trunk("", rest.get("name", ""), rest)
        except SettingError as error:
            problems.append(Problem(field=error.field, what=error.what, do=error.do))
            if error.field in _STAND_INS or rest.pop(error.field, None) is None:
                return None, (), problems
        else:
            return (None, (), problems) if problems else (trunk, mended, problems)
    return None, (), problems


def _refuse_taken(row: CsvRow, where: str) -> CsvRow:
    other = f"The name {shown(row.name)} is also in {where}." if where else ""
    what = other or f"There is a trunk called {shown(row.name)} already."
    problem = Problem(field="name", what=what, do="Choose another name.")
    return msgspec.structs.replace(row, trunk=None, problems=(*row.problems, problem))
