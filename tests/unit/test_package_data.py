"""Files of the package that are not code are named in `package-data`, so that every build has them."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOT_SHIPPED = {".py", ".pyc", ".md"}


def test_every_data_file_matches_a_pattern() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["app"]
    shipped = {path for pattern in patterns for path in (ROOT / "app").glob(pattern)}
    data = {p for p in (ROOT / "app").rglob("*") if p.is_file() and p.suffix not in NOT_SHIPPED}
    assert data - shipped == set()


def test_every_pattern_matches_something() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for pattern in project["tool"]["setuptools"]["package-data"]["app"]:
        assert any((ROOT / "app").glob(pattern)), pattern
