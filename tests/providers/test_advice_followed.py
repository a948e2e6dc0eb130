"""Who follows the advice of a finding, step by step, ends with a trunk that works."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from app.checks.diagnosis import explain_call, explain_registration, with_registration, worst
from app.checks.texts import text_of
from app.model.advice import as_line
from app.model.finding import Finding, Verdict
from app.model.outcome import may_call
from tests.providers.samples import SAMPLES, Sample
from tests.providers.test_every_provider import Customer, customer

MOST_STEPS = 6


async def _tried(office: Customer, number: str) -> tuple[Finding, ...]:
    """What signing in and a call come to."""
    outcome = await office.sign_in()
    found = explain_registration(outcome, office.trunk)
    if not may_call(outcome, registers=office.trunk.register):
        return found
    call = explain_call(await office.call(number), office.trunk)
    return with_registration(call, found, registers=office.trunk.register)


def _advised(findings: Iterable[Finding]) -> list[str]:
    """The settings that the steps of the findings say to change, in their order."""
    return [
        setting
        for finding in findings
        for line in map(as_line, text_of(finding.id).do)
        if line.text in finding.do
        for setting in line.sets
    ]


def _sample(provider: str) -> Sample:
    return next(sample for sample in SAMPLES if sample.id == provider)


@pytest.mark.parametrize(
    ("provider", "changes", "switched", "first"),
    [
        ("voipms", {"realm": "office.example"}, False, "AUTH-REALM"),
        ("twilio", {"sign_in": "register"}, False, "REG-"),
        ("twilio", {}, True, "CALL-488"),
    ],
)
def test_a_trunk_that_follows_the_advice_works(
    provider: str, changes: Mapping[str, str], switched: bool, first: str, tmp_path: Path
) -> None:
    sample = _sample(provider)

    async def run() -> None:
        settings, tried = dict(changes), set[str]()
        for step in range(MOST_STEPS):
            folder = tmp_path / str(step)
            folder.mkdir()
            async with customer(sample, folder, settings, switched=switched) as office:
                found = await _tried(office, sample.typed)
            if worst(found) is Verdict.PASS:
                assert tried
                return
            if step == 0:
                assert found[0].id.startswith(first), found
            new = [setting for setting in _advised(found) if setting not in tried]
            assert new, f"no advice is left after {tried}: {found}"
            tried.add(new[0])
            key, _, value = new[0].partition("=")
            settings[key] = value
        pytest.fail(f"it does not work after {tried}")

    asyncio.run(run())
