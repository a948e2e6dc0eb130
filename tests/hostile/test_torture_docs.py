"""docs/torture.md says what the table of torture messages says."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from app.shipped import ShippedDataError
from tests.hostile.torture_messages import MESSAGES

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def table() -> ModuleType:
    """The script; it stands in no package."""
    spec = importlib.util.spec_from_file_location("torture_table", ROOT / "scripts" / "torture_table.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(table: ModuleType) -> None:
    written = (ROOT / "docs" / "torture.md").read_text(encoding="utf-8")
    assert written == table.document(MESSAGES, table.results()), "run: python -m scripts.torture_table"


def test_the_page_has_a_row_and_a_reason_for_every_message(table: ModuleType) -> None:
    page = table.document(MESSAGES, table.Results())
    for name in MESSAGES:
        assert page.count(f"\n| `{name}` |") == 1
        assert page.count(f"\n- `{name}`: ") == 1


@pytest.mark.parametrize(
    ("name", "must"),
    [
        ("noreason", "pass on"),
        ("esc01", "pass on (rings, 200, 480, 486, 488)"),
        ("badvers", "answer 505"),
        ("mismatch02", "answer 501 or answer 400"),
        ("quotbal", "answer 400 or pass on (rings, 200, 480, 486, 488)"),
        ("bigcode", "drop"),
        ("clerr", "answer 400; over TCP drop or answer 400, and close the connection"),
    ],
)
def test_a_row_says_what_must_happen(table: ModuleType, name: str, must: str) -> None:
    page = table.document(MESSAGES, table.Results())
    row = next(line for line in page.splitlines() if line.startswith(f"| `{name}` |"))
    assert row.endswith(f"| {must} |  |  |")


def test_results_fill_the_last_two_columns(table: ModuleType, tmp_path: Path) -> None:
    file = tmp_path / "results.toml"
    file.write_text('[udp]\nwsinv = "rings"\n[tcp]\nwsinv = "486"\n', encoding="utf-8")
    page = table.document(MESSAGES, table.results(file))
    row = next(line for line in page.splitlines() if line.startswith("| `wsinv` |"))
    assert row.endswith("| rings | 486 |")


@pytest.mark.parametrize("text", ['[udp]\nwsinf = "rings"\n', '[sctp]\nwsinv = "rings"\n'])
def test_results_of_an_unknown_message_or_transport_are_an_error(
    table: ModuleType, tmp_path: Path, text: str
) -> None:
    file = tmp_path / "results.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ShippedDataError, match=r"results\.toml"):
        table.results(file)


def test_check_knows_an_old_page_from_a_new_one(
    table: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(table, "DOCUMENT", tmp_path / "torture.md")
    assert table.main(["--check"]) == 1
    assert "out of date" in capsys.readouterr().err
    assert table.main([]) == 0
    assert table.main(["--check"]) == 0
