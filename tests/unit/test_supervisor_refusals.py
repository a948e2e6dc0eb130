"""After a loss: a refusal that may pass is tried again, one engine after the other is not thrown away."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from msgspec.structs import replace

from app.errors import EngineError
from app.model.outcome import LocalCause
from app.model.signalling import Explanation, Handling
from app.model.trunk import TrunkState
from app.sip.client import EngineLostError
from app.sip.fingerprint import fingerprint
from app.sip.notices import EngineLost, TrunkChanged
from tests.engine.waiting import until
from tests.helpers.engine_stub import GRANTED, Do, Script, Turn, stub_engines
from tests.unit.test_client_pulse import POSIX, TEXT, traced
from tests.unit.test_supervisor import (
    NETWORK_GONE,
    TRUNK,
    Watched,
    failed,
    kill,
    later,
    supervising,
    tell,
)

YES = Turn(events=(GRANTED,))


def no(code: int, retry_after_s: int | None = None) -> Turn:
    """A REGISTER that is refused."""
    refusal = replace(failed(code), reason="Not now", explanation=Explanation(retry_after_s=retry_after_s))
    return Turn(events=(refusal,))


def registers(*turns: Turn) -> Script:
    """An engine whose REGISTERs go like this."""
    return Script(turns={"Register": turns})


PASSING = (403, 408, 429, 480, 486, 500, 503, 599, 600)


@pytest.mark.parametrize("code", PASSING)
def test_after_a_crash_a_refusal_that_may_pass_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """As by a server that still counts the device that has crashed as signed in."""
    stub_engines(monkeypatch, Script(), registers(no(code), no(code), YES))

    async def run() -> Watched:
        async with supervising() as supervisor:
            await supervisor.connect(TRUNK, "secret")
            kill(supervisor)
            await until(lambda: supervisor.state(TRUNK.id) is TrunkState.UNREACHABLE, "the loss")
            await supervisor.came_back(1)
            return supervisor

    supervisor = asyncio.run(run())
    states = supervisor.states()
    assert states[-2:] == [TrunkState.REGISTERED, TrunkState.OFF]
    assert supervisor.pauses == [0.01, 0.05, 0.09 if code == 403 else 0.07]
    causes = [notice.cause for notice in supervisor.seen.of(TrunkChanged)]
    assert sum(cause == f"{code} Not now in 38 ms; next try in 0 s" for cause in causes) == 2


@pytest.mark.parametrize("code", PASSING)
def test_a_refused_refresh_that_may_pass_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    stub_engines(monkeypatch, later(failed(code)))

    async def run() -> Watched:
        async with supervising() as supervisor:
            await supervisor.connect(TRUNK, "secret")
            await tell(supervisor)
            await supervisor.came_back(1)
            return supervisor

    assert asyncio.run(run()).pauses == [0.05]


@pytest.mark.parametrize("code", [*PASSING, 401, 404])
def test_what_a_persons_own_connect_comes_to_is_the_last_word(
    monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    stub_engines(monkeypatch, registers(no(code)))

    async def run() -> Watched:
        async with supervising() as supervisor:
            outcome = await supervisor.connect(TRUNK, "secret")
            assert outcome.sip_code == code
            assert not supervisor._comebacks
            return supervisor

    supervisor = asyncio.run(run())
    assert "next try" not in supervisor.seen.of(TrunkChanged)[1].cause


def test_the_far_end_says_when(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch, Script(), registers(no(480, retry_after_s=3600), YES))

    async def run() -> Watched:
        async with supervising() as supervisor:
            await supervisor.connect(TRUNK, "secret")
            kill(supervisor)
            await until(lambda: len(supervisor.pauses) == 2, "the second pause")
            return supervisor

    supervisor = asyncio.run(run())
    assert supervisor.pauses[1] == 3600.0
    assert "480 Not now in 38 ms; next try in 60 min" in [
        notice.cause for notice in supervisor.seen.of(TrunkChanged)
    ]


def test_forbidden_for_ever_is_the_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch, Script(), registers(no(403)))

    async def run() -> Watched:
        async with supervising() as supervisor:
            await supervisor.connect(TRUNK, "secret")
            kill(supervisor)
            await until(lambda: supervisor.pauses and not supervisor._comebacks, "the end of it")
            return supervisor

    supervisor = asyncio.run(run())
    assert supervisor.pauses == [0.01, 0.05, 0.09, 0.09]
    assert supervisor.states()[-2] is TrunkState.REJECTED
    assert "next try" not in supervisor.seen.of(TrunkChanged)[-2].cause


def test_an_engine_lost_after_a_refusal_does_not_ask_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch, Script(), registers(no(403)), Script())
    waits: list[float] = []

    async def run() -> None:
        async with supervising(refused=(60.0,)) as supervisor:
            await supervisor.connect(TRUNK, "secret")
            kill(supervisor)
            await until(lambda: len(supervisor.pauses) == 2, "the pause after the refusal")
            kill(supervisor)
            await until(lambda: len(supervisor.seen.of(EngineLost)) == 2, "the second loss")
            waits.extend(notice.restart_in_s for notice in supervisor.seen.of(EngineLost))

    asyncio.run(run())
    assert waits[0] == 0.01
    assert 50 < waits[1] <= 60


def test_a_trunk_that_comes_up_by_itself_is_not_connected_again(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch, later(NETWORK_GONE, GRANTED))

    async def run() -> Watched:
        async with supervising(retry=(0.3,)) as supervisor:
            await supervisor.connect(TRUNK, "secret")
            await tell(supervisor)
            await until(lambda: supervisor.pauses, "the pause")
            await tell(supervisor)
            await until(lambda: not supervisor._comebacks, "the end of the comeback")
            return supervisor

    supervisor = asyncio.run(run())
    assert sum("got Register(" in line for line in supervisor.seen.log) == 1
    assert supervisor.states()[-2] is TrunkState.REGISTERED


# Ended by a message


CHALLENGE = traced()
DIES = Turn(before=(CHALLENGE,), do=Do.ABORT)


def quarantines(supervisor: Watched) -> list[list[str]]:
    """What each account was opened with."""
    found = []
    for line in supervisor.seen.log:
        if line.startswith("Main office: quarantine "):
            found.append(json.loads(line.partition("quarantine ")[2]))
    return found


@POSIX
def test_the_message_that_ended_an_engine_is_held_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stub_engines(monkeypatch, Script(turns={"SetSource": (DIES,)}), Script())

    async def run() -> Watched:
        async with supervising() as supervisor:
            await supervisor.connect(TRUNK, "secret")
            with pytest.raises(EngineLostError, match="401 Unauthorized"):
                await tell(supervisor)
            await supervisor.came_back(1)
            return supervisor

    supervisor = asyncio.run(run())
    assert quarantines(supervisor) == [[], [fingerprint(TEXT)]]
    (notice,) = supervisor.seen.of(EngineLost)
    assert notice.outcome.last_message is not None
    assert any("401 Unauthorized" in notice.cause for notice in supervisor.seen.of(TrunkChanged))


@POSIX
def test_a_connect_by_hand_whose_engine_was_ended_by_a_message_has_a_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stub_engines(monkeypatch, registers(DIES), registers(Turn(events=(NETWORK_GONE,))))

    async def run() -> Watched:
        async with supervising() as supervisor:
            outcome = await supervisor.connect(TRUNK, "secret")
            assert outcome.state is TrunkState.UNREACHABLE
            assert outcome.local_cause is LocalCause.UNREADABLE
            (problem,) = outcome.problems
            assert (problem.start, problem.handling) == ("SIP/2.0 401 Unauthorized", Handling.DROPPED)
            assert not supervisor._comebacks
            return supervisor

    supervisor = asyncio.run(run())
    assert len(supervisor.seen.of(EngineLost)) == 1
    assert quarantines(supervisor) == [[], [fingerprint(TEXT)]]


@POSIX
def test_a_second_engine_ended_in_a_connect_by_hand_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    started = stub_engines(monkeypatch, registers(DIES))

    async def run() -> None:
        async with supervising() as supervisor:
            with pytest.raises(EngineError, match="401 Unauthorized"):
                await supervisor.connect(TRUNK, "secret")
            assert supervisor.state(TRUNK.id) is TrunkState.UNREACHABLE
            assert not supervisor._comebacks

    asyncio.run(run())
    assert len(started) == 2


@POSIX
def test_what_is_held_back_outlives_the_session_until_nothing_else_helps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    silent = registers(Turn(events=(NETWORK_GONE,)))
    stub_engines(monkeypatch, registers(DIES), silent, silent, silent)

    async def run() -> Watched:
        async with supervising() as supervisor:
            for _ in range(3):
                await supervisor.connect(TRUNK, "secret")
            return supervisor

    held = [bool(fingerprints) for fingerprints in quarantines(asyncio.run(run()))]
    # The first engine; the second one of the same Connect; held back still; then perhaps it was innocent
    assert held == [False, True, True, False]


@POSIX
def test_after_three_ends_by_the_same_message_the_pauses_are_long_and_why_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stub_engines(monkeypatch, Script(turns={"SetSource": (DIES,)}))

    async def run() -> Watched:
        async with supervising() as supervisor:
            await supervisor.connect(TRUNK, "secret")
            for attempt in (1, 2, 3, 4):
                with pytest.raises(EngineLostError):
                    await tell(supervisor)
                await supervisor.came_back(attempt)
            return supervisor

    supervisor = asyncio.run(run())
    losses: list[Any] = supervisor.seen.of(EngineLost)
    assert [notice.restart_in_s for notice in losses] == [0.01, 0.02, 0.2, 0.3]
    why = "The same message has ended the engine 3 times in a row."
    assert [notice.why_slowly for notice in losses] == ["", "", why, why]
    causes = [notice.cause for notice in supervisor.seen.of(TrunkChanged)]
    assert sum(why in cause and "The next start is in 0 s." in cause for cause in causes) == 2


@POSIX
def test_engines_that_end_while_they_come_back_count_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch, Script(), registers(DIES))

    async def run() -> Watched:
        async with supervising() as supervisor:
            await supervisor.connect(TRUNK, "secret")
            kill(supervisor)
            await until(lambda: len(supervisor.pauses) >= 5, "five attempts")
            return supervisor

    supervisor = asyncio.run(run())
    assert supervisor.pauses[:5] == [0.01, 0.02, 0.04, 0.2, 0.3]
    why = "The same message has ended the engine 3 times in a row."
    assert any(why in notice.cause for notice in supervisor.seen.of(TrunkChanged))


def test_five_ends_within_ten_minutes_make_the_pauses_long(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch)

    async def run() -> Watched:
        async with supervising() as supervisor:
            await supervisor.connect(TRUNK, "secret")
            for attempt in range(1, 6):
                kill(supervisor)
                await supervisor.came_back(attempt)
            return supervisor

    losses = asyncio.run(run()).seen.of(EngineLost)
    why = "The engine has ended 5 times within 10 minutes."
    assert [notice.why_slowly for notice in losses[3:]] == ["", why]
    assert losses[4].restart_in_s in (0.2, 0.3)
