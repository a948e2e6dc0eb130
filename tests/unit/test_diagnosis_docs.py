"""docs/diagnosis.md has a row for every finding, with the verdict that it has."""

from __future__ import annotations

from pathlib import Path

from app.checks import texts
from app.checks.texts import text_of

PAGE = Path(__file__).parents[2] / "docs" / "diagnosis.md"


def rows() -> list[list[str]]:
    """The cells of the page's tables, headings left out."""
    lines = (line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| "))
    cells = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    return [row for row in cells if row[0] not in ("id", "---")]


def test_every_finding_has_one_row_and_nothing_else_has() -> None:
    assert sorted(row[0] for row in rows()) == sorted(texts.ids())


def test_every_row_is_whole_and_has_the_verdict_of_its_finding() -> None:
    for row in rows():
        finding_id, seen, apart, verdict = row
        assert seen
        assert apart
        assert verdict == text_of(finding_id).verdict, finding_id


def test_every_module_that_the_page_names_is_there() -> None:
    folder = Path(texts.__file__).parent
    for name in PAGE.read_text(encoding="utf-8").split("`")[1::2]:
        if name.endswith(".py"):
            assert (folder / name).exists(), name
