"""The measuring frame: finds measurements, keeps their figures, and tells when a budget is broken."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench import run
from bench.figure import Figure, table

GOOD = """
from bench.figure import Figure

def measure():
    print("noise of the measured code")
    return [Figure(name="start", value={value}, unit="ms", budget=5)]
"""


@pytest.fixture
def measurements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the frame with no measurement in it; returns the folder for them."""
    folder = tmp_path / "bench"
    folder.mkdir()
    for name in ("__init__.py", "figure.py", "run.py"):
        (folder / name).write_text((run.FOLDER / name).read_text())
    monkeypatch.setattr(run, "FOLDER", folder)
    return folder


@pytest.mark.parametrize(("value", "code", "word"), [(4.0, 0, "yes"), (6.0, 1, "**no**")])
def test_exit_code_tells_whether_budgets_hold(
    measurements: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    value: float,
    code: int,
    word: str,
) -> None:
    (measurements / "measure_start.py").write_text(GOOD.format(value=value))
    monkeypatch.setattr(sys, "argv", ["run"])
    assert run.main() == code
    assert f"| start | {value:g} ms | 5 ms | {word} |" in capsys.readouterr().out


def test_a_measurement_that_fails_is_named_and_the_others_are_kept(
    measurements: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (measurements / "measure_broken.py").write_text("def measure():\n    raise ValueError('no such thing')\n")
    (measurements / "measure_start.py").write_text(GOOD.format(value=1.0))
    monkeypatch.setattr(sys, "argv", ["run"])
    assert run.main() == 2
    printed = capfd.readouterr()
    assert "broken: failed with exit code 1" in printed.err
    assert "| start | 1 ms" in printed.out


def test_table_gives_three_digits() -> None:
    figure = Figure(name="window", value=1.23456, unit="×", budget=2, note="of 5 runs")
    assert "| window | 1.23 × | 2 × | yes | of 5 runs |" in table([figure])
