"""What `register` and `call` end with follows the worst finding."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Callable
from typing import Any, cast

import pytest

from app.cli.commands import _register
from app.cli.exits import FAILED, WORKED
from app.desk import Desk
from app.model.outcome import LocalCause, RegisterOutcome
from app.model.signalling import Bindings
from app.model.trunk import Trunk, TrunkState
from tests.helpers.outcomes import TRUNK, refused, unreached


class OneTrunk:
    """A desk whose only trunk signs in like this."""

    def __init__(self, outcome: RegisterOutcome) -> None:
        self._outcome = outcome

    def by_name(self, name: str) -> Trunk:
        return TRUNK

    def listen(self, listener: Callable[[Any], None]) -> None:
        """Nothing happens later."""

    async def connect(self, trunk_id: str, password: str | None) -> RegisterOutcome:
        return self._outcome


def registered(bindings: Bindings | None = None) -> RegisterOutcome:
    return refused(200, "OK", state=TrunkState.REGISTERED, expires_s=300, bindings=bindings)


@pytest.mark.parametrize(
    ("outcome", "code", "ids"),
    [
        (registered(), WORKED, ["REG-OK"]),
        (registered(Bindings(asked_s=300, ours_s=300, listed=True)), WORKED, ["REG-OK"]),
        (registered(Bindings(asked_s=300, ours_s=20, listed=True)), WORKED, ["REG-FLAP", "REG-OK"]),
        (registered(Bindings(asked_s=300)), WORKED, ["REG-NOCONTACT", "REG-OK"]),
        (registered(Bindings(asked_s=300, ours_s=0, listed=True)), FAILED, ["REG-GONE"]),
        (refused(404, "x", state=TrunkState.REACHABLE), WORKED, ["REACH-OK"]),
        (refused(403, "x"), FAILED, ["REG-403"]),
        (unreached(LocalCause.NO_ANSWER), FAILED, ["NET-NOANS"]),
    ],
)
def test_a_registration_that_the_server_does_not_keep_is_no_success(
    outcome: RegisterOutcome, code: int, ids: list[str], capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    arguments = argparse.Namespace(name="Office", json=True, stay=False, password_stdin=False)
    desk = cast(Desk, OneTrunk(outcome))
    assert asyncio.run(_register(arguments, desk)) == code
    said = json.loads(capsysbinary.readouterr().out)
    assert [finding["id"] for finding in said["findings"]] == ids
