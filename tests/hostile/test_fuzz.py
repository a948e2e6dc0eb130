"""The fuzzers do their work: they begin with real messages, notice a fault, and say what it was."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile.fuzz import __main__ as fuzz
from tests.hostile.fuzz import mutated
from tests.hostile.fuzz.targets import TARGETS, Target

FEW = 400


@pytest.mark.parametrize("name", TARGETS)
def test_every_target_stands_what_it_begins_with(name: str) -> None:
    seeds = list(TARGETS[name].seeds())
    assert len(seeds) > 100
    for seed in seeds[:: max(1, len(seeds) // FEW)]:
        TARGETS[name].check(seed)


@pytest.mark.parametrize("seed", range(3))
def test_mutated_messages_pass_all_checks(seed: int) -> None:
    assert mutated.play((seed, 0, FEW)) == mutated.Played(FEW, ())


def test_a_run_plays_as_many_messages_as_it_says_and_others_in_each_portion() -> None:
    portions = list(mutated.portions(5, 2 * mutated.PORTION + 1))
    assert [count for _, _, count in portions] == [mutated.PORTION, mutated.PORTION, 1]
    assert len({(seed, number) for seed, number, _ in portions}) == 3


def test_a_fault_is_shown_with_the_message_that_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def check(raw: bytes) -> None:
        assert b"Contact: *" not in raw, "a star"

    monkeypatch.setitem(TARGETS, "gate", Target(check, TARGETS["gate"].seeds))
    failures = mutated.play((0, 0, FEW)).failures
    assert failures
    assert all("Contact: *" in failure and "AssertionError: a star" in failure for failure in failures)


def test_a_run_says_how_many_messages_it_has_played() -> None:
    command = [sys.executable, "-m", "tests.hostile.fuzz.mutated", "50", "--seed", "7"]
    outcome = subprocess.run(
        command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )
    line = outcome.stdout.splitlines()[-1]
    assert line.startswith("50 mutated messages through the gate in ")
    assert line.endswith(" s: no exceptions (seed 7)")


def test_without_atheris_messages_are_mutated_for_as_long(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran: list[tuple[int, float]] = []
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(mutated, "run", lambda count, seconds, seed: ran.append((count, seconds)) or 0)
    monkeypatch.setattr(sys, "argv", ["fuzz", "9"])
    assert fuzz.main() == 0
    assert ran == [(sys.maxsize, 9)]
    assert "Without atheris" in capsys.readouterr().out
