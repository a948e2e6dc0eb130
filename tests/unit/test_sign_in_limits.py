"""Signing in comes to an end, whatever the lookup and the engine do; and what is a result is no error."""

from __future__ import annotations

import asyncio
import socket

import pytest
from msgspec.structs import replace

from app.errors import EngineError
from app.model.outcome import AnsweredBy, LocalCause, Target
from app.model.trunk import SignIn, Transport, TrunkState
from app.sip import sign_in_walk
from app.sip.messages import RegistrationState
from app.sip.targets import Resolution
from tests.engine.waiting import until
from tests.helpers.engine_stub import GRANTED, REFUSED_TEXT, Do, Script, Turn, stub_engines
from tests.helpers.stub_sessions import TARGETS, opened
from tests.helpers.trunks import Seen

OFFLINE = replace(REFUSED_TEXT, what="This computer has no route.", local_cause=LocalCause.NO_ROUTE)


@pytest.mark.parametrize("sign_in", [SignIn.REGISTER, SignIn.CREDENTIALS])
def test_an_engine_that_never_reports_is_ended_at_the_limit(
    monkeypatch: pytest.MonkeyPatch, sign_in: SignIn
) -> None:
    monkeypatch.setattr(sign_in_walk, "REPORT_LIMIT_S", 0.3)
    stub_engines(monkeypatch, Script(turns={"Register": (Turn(),), "SendOptions": (Turn(),)}))

    async def run() -> None:
        async with opened(Seen(), sign_in=sign_in) as session:
            with pytest.raises(EngineError, match=r"did not report within 0\.3 seconds"):
                await asyncio.wait_for(session.connect(), 20)
            assert session.state is TrunkState.UNREACHABLE
            engine = session._engine
            await until(lambda: engine is None or not engine.running, "the engine to be gone")

    asyncio.run(run())


def test_the_limit_leaves_the_engine_its_own() -> None:
    assert sign_in_walk.REPORT_LIMIT_S >= 2 * sign_in_walk.ANSWER_LIMIT_S


def test_a_lookup_without_end_is_an_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in_walk, "LOOKUP_LIMIT_S", 0.2)
    started = stub_engines(monkeypatch)

    async def for_ever(*_: object) -> Resolution:
        await asyncio.Event().wait()
        raise AssertionError

    async def run() -> None:
        async with opened(Seen(), for_ever) as session:
            outcome = await asyncio.wait_for(session.connect(), 20)
            assert (outcome.state, outcome.answered_by) == (TrunkState.UNREACHABLE, AnsweredBy.LOCAL)
            assert outcome.local_cause is LocalCause.NAME_SERVER_SILENT
            assert outcome.lookup == ("The lookup of 127.0.0.1 did not end within 0.2 seconds.",)

    asyncio.run(run())
    assert started == []


def test_a_lookup_without_end_leaves_the_backup_host_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in_walk, "LOOKUP_LIMIT_S", 0.2)
    stub_engines(monkeypatch)

    async def only_the_backup(host: str, *_: object) -> Resolution:
        if host != "backup.example.com":
            await asyncio.Event().wait()
        return Resolution(targets=TARGETS)

    async def run() -> None:
        async with opened(Seen(), only_the_backup, backup_hosts=("backup.example.com",)) as session:
            assert (await asyncio.wait_for(session.connect(), 20)).state is TrunkState.REGISTERED

    asyncio.run(run())


# The computer is offline


def test_a_computer_without_a_network_is_an_outcome_and_the_next_address_is_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refused = Turn(do=Do.REFUSE, refused=OFFLINE)
    stub_engines(monkeypatch, Script(turns={"OpenAccount": (refused, Turn())}))

    async def run() -> None:
        async with opened(Seen()) as session:
            outcome = await session.connect()
            assert outcome.state is TrunkState.REGISTERED
            assert outcome.tried == TARGETS[:2]

    asyncio.run(run())


def test_a_computer_without_any_network_is_an_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch, Script(turns={"OpenAccount": (Turn(do=Do.REFUSE, refused=OFFLINE),)}))
    seen = Seen()

    async def run() -> None:
        async with opened(seen) as session:
            outcome = await session.connect()
            assert (outcome.state, outcome.local_cause) == (TrunkState.UNREACHABLE, LocalCause.NO_ROUTE)
            assert outcome.reason == OFFLINE.what
            assert outcome.tried == TARGETS

    asyncio.run(run())


def test_settings_that_the_engine_refuses_are_an_error_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch, Script(turns={"OpenAccount": (Turn(do=Do.REFUSE),)}))

    async def run() -> None:
        async with opened(Seen()) as session:
            with pytest.raises(EngineError, match="says no"):
                await session.connect()

    asyncio.run(run())


# Asking the port


@pytest.mark.parametrize(("reads_icmp", "asked"), [(True, 0), (False, 1)])
def test_a_port_is_asked_only_where_the_engine_does_not_hear_of_it(
    monkeypatch: pytest.MonkeyPatch, reads_icmp: bool, asked: int
) -> None:
    monkeypatch.setattr(sign_in_walk, "_PROBE_AFTER_S", 0.0)
    closed = replace(
        GRANTED, state=RegistrationState.FAILED, sip_code=503, answered_by=AnsweredBy.LOCAL,
        local_cause=LocalCause.REFUSED, expires_s=0,
    )  # fmt: skip
    stub_engines(
        monkeypatch,
        Script(
            turns={"Register": (Turn(),), "WatchDevices": (Turn(events=(closed,)),)}, reads_icmp=reads_icmp
        ),
    )
    probes: list[Target] = []

    async def probe(target: Target, limit_s: float = 1.0) -> bool:
        probes.append(target)
        return True

    monkeypatch.setattr(sign_in_walk, "udp_refused", probe)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    target = Target(address="127.0.0.1", port=port, transport=Transport.UDP, name="sip.example.com")

    async def resolve(*_: object) -> Resolution:
        return Resolution(targets=(target,))

    async def run() -> None:
        seen = Seen()
        async with opened(seen, resolve) as session:
            connecting = asyncio.create_task(session.connect())
            await until(lambda: any(line.startswith("got Register") for line in seen.log), "REGISTER")
            if reads_icmp:
                await session.control.watch_devices(True)
            assert (await connecting).local_cause is LocalCause.REFUSED

    asyncio.run(run())
    assert len(probes) == asked


# Whether there was a password


@pytest.mark.parametrize(
    ("sign_in", "had"), [(SignIn.REGISTER, True), (SignIn.CREDENTIALS, True), (SignIn.ADDRESS, False)]
)
def test_whether_there_was_a_password_is_in_every_outcome(
    monkeypatch: pytest.MonkeyPatch, sign_in: SignIn, had: bool
) -> None:
    stub_engines(monkeypatch)

    async def run() -> None:
        async with opened(Seen(), sign_in=sign_in) as session:
            assert (await session.connect()).had_password is had

    asyncio.run(run())
