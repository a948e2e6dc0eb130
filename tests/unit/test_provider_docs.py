"""docs/providers.md says what the catalogue says."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from app.model.trunk import NumberFormat
from app.providers.catalogue import IDS, providers
from app.providers.schema import (
    Confidence,
    Method,
    Mistake,
    Numbers,
    Provider,
    Refusal,
    Server,
    Signalling,
    SignInFacts,
)

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def table() -> ModuleType:
    """The script; it stands in no package."""
    spec = importlib.util.spec_from_file_location("provider_table", ROOT / "scripts" / "provider_table.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


EXAMPLE = Provider(
    id="example",
    name="Example_Tel | North",
    countries=("CA", "US"),
    summary="For tests.",
    checked="2026-11",
    confidence=Confidence.SECONDARY,
    sign_ins=(SignInFacts(method=Method.ADDRESS, where="Portal > Trunks"),),
    signalling=Signalling(servers=(Server(host="{trunk}.example.com", region="Montreal"),)),
    numbers=Numbers(destination=NumberFormat.E164_PLUS),
    refusals=(
        Refusal(mistake=Mistake.HOST, code=0, symptom="Nothing comes back."),
        Refusal(mistake=Mistake.CALLER_ID, symptom="Calls fail.", confidence=Confidence.INFERRED),
    ),
    unknown=("Codecs.",),
)


def test_the_page_is_what_the_catalogue_gives(table: ModuleType) -> None:
    written = (ROOT / "docs" / "providers.md").read_text(encoding="utf-8")
    assert written == table.document(providers()), "run: python -m scripts.provider_table"


def test_the_page_has_a_row_and_a_section_for_every_provider(table: ModuleType) -> None:
    page = table.document(providers())
    for provider_id in IDS:
        assert page.count(f"](#{provider_id})") == 1
        assert page.count(f'<a id="{provider_id}"></a>') == 1


def test_what_is_not_known_is_said_and_not_made_up(table: ModuleType) -> None:
    page = table.document([EXAMPLE])
    row = next(line for line in page.splitlines() if line.startswith("| [Example"))
    assert row == (
        "| [Example\\_Tel \\| North](#example) | CA, US | IP address | not known | +15145550199 | not known "
        "| secondary | 2026-11 |"
    )
    assert "### Not known\n\n- Codecs." in page
    assert "### Test numbers" not in page
    assert "**Nothing comes back.** (no answer)" in page
    assert "**Calls fail.** *(inferred)*" in page
    assert "| `{trunk}.example.com` | Montreal | secondary |" in page


def test_check_tells_an_old_page_from_a_new_one(
    table: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(table, "DOCUMENT", tmp_path / "providers.md")
    monkeypatch.setattr(table, "providers", lambda: (EXAMPLE,))
    assert table.main(["--check"]) == 1
    assert "out of date" in capsys.readouterr().err
    assert table.main([]) == 0
    assert table.main(["--check"]) == 0
