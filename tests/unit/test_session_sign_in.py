"""One trunk signing in, with stub engines: its addresses in order, what counts as an answer, in words."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from msgspec.structs import replace

from app.errors import EngineError
from app.model.outcome import AnsweredBy, LocalCause, RegisterOutcome, Target, TlsFacts
from app.model.trunk import SignIn, Transport, TrunkState
from app.sip import sign_in_walk
from app.sip.messages import RegistrationState, TlsHandshake
from app.sip.notices import TrunkChanged
from app.sip.sign_in import cause_in_words
from app.sip.targets import Resolution, ResolveError
from tests.engine.waiting import until
from tests.helpers.engine_stub import GRANTED, Script, Turn, stub_engines
from tests.helpers.stub_sessions import TARGETS, opened, refusal, registers, states
from tests.helpers.trunks import Seen

SILENT = replace(
    GRANTED,
    state=RegistrationState.FAILED,
    sip_code=408,
    reason="No answer within 8 s",
    answered_by=AnsweredBy.LOCAL,
    local_cause=LocalCause.NO_ANSWER,
    expires_s=0,
)


# Targets


@pytest.mark.parametrize("first", [SILENT, refusal(503, "Service Unavailable")])
def test_the_next_address_is_tried_after_silence_and_after_503(
    monkeypatch: pytest.MonkeyPatch, first: Any
) -> None:
    stub_engines(monkeypatch, registers(Turn(events=(first,)), Turn(events=(GRANTED,))))
    seen = Seen()

    async def run() -> None:
        async with opened(seen) as session:
            outcome = await session.connect()
            assert outcome.state is TrunkState.REGISTERED
            assert outcome.target == TARGETS[1]
            assert outcome.tried == TARGETS[:2]
            assert outcome.lookup == ("asked", "answered")
            assert session.outcome == outcome

    asyncio.run(run())
    assert states(seen) == [TrunkState.CONNECTING, TrunkState.REGISTERED, TrunkState.OFF]


@pytest.mark.parametrize("code", [401, 403, 404, 423, 500, 600])
def test_a_refusal_is_an_answer_and_no_other_address_is_bothered(
    monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    stub_engines(monkeypatch, registers(Turn(events=(refusal(code),))))

    async def run() -> None:
        async with opened(Seen()) as session:
            outcome = await session.connect()
            assert (outcome.sip_code, outcome.tried) == (code, TARGETS[:1])

    asyncio.run(run())


def test_when_no_address_answers_the_last_one_is_the_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch, registers(Turn(events=(SILENT,))))

    async def run() -> None:
        async with opened(Seen()) as session:
            outcome = await session.connect()
            assert outcome.state is TrunkState.UNREACHABLE
            assert (outcome.target, outcome.tried) == (TARGETS[2], TARGETS)

    asyncio.run(run())


def test_news_of_an_address_given_up_is_no_news_of_the_trunk(monkeypatch: pytest.MonkeyPatch) -> None:
    account = (Turn(), Turn(before=(refusal(403),)))
    register = (Turn(events=(SILENT,)), Turn(events=(GRANTED,)))
    stub_engines(monkeypatch, Script(turns={"OpenAccount": account, "Register": register}))
    seen = Seen()

    async def run() -> None:
        async with opened(seen) as session:
            assert (await session.connect()).state is TrunkState.REGISTERED

    asyncio.run(run())
    assert states(seen) == [TrunkState.CONNECTING, TrunkState.REGISTERED, TrunkState.OFF]


def test_after_a_closed_port_the_silence_there_is_no_news_but_an_answer_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    closed = Target(address="127.0.0.1", port=port, transport=Transport.UDP, name="sip.example.com")
    late = Turn(events=(SILENT, GRANTED))
    stub_engines(monkeypatch, Script(turns={"Register": (Turn(),), "WatchDevices": (late,)}))
    seen = Seen()

    async def resolve(*_: object) -> Resolution:
        return Resolution(targets=(closed,), steps=())

    async def run() -> None:
        async with opened(seen, resolve) as session:
            assert (await session.connect()).local_cause is LocalCause.REFUSED
            await session.control.watch_devices(True)
            await until(lambda: session.state is TrunkState.REGISTERED, "the answer")

    asyncio.run(run())
    assert states(seen) == [
        TrunkState.CONNECTING,
        TrunkState.UNREACHABLE,
        TrunkState.REGISTERED,
        TrunkState.OFF,
    ]


def test_a_handshake_is_that_of_the_address_it_was_made_with(monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = TlsFacts(error="expired", cause=LocalCause.TLS_TIME), TlsFacts(version="TLSv1.3")
    stub_engines(
        monkeypatch,
        registers(
            Turn(events=(TlsHandshake(target=TARGETS[0], facts=bad), SILENT)),
            Turn(events=(TlsHandshake(target=TARGETS[1], facts=good), GRANTED)),
            Turn(events=(GRANTED,)),
        ),
    )

    async def run() -> None:
        async with opened(Seen()) as session:
            assert (await session.connect()).tls == good
            assert (await session.connect()).tls is None

    asyncio.run(run())


def test_a_name_without_an_address_starts_no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    started = stub_engines(monkeypatch)
    seen = Seen()

    async def nowhere(*_: object) -> Resolution:
        cause = LocalCause.NAME_NOT_FOUND
        raise ResolveError(
            "There is no such name.", do="Check it.", cause=cause, steps=["asked"], field="host"
        )

    async def run() -> None:
        async with opened(seen, nowhere) as session:
            outcome = await session.connect()
            assert outcome.state is TrunkState.UNREACHABLE
            assert outcome.local_cause is LocalCause.NAME_NOT_FOUND
            assert outcome.lookup == ("asked",)

    asyncio.run(run())
    assert started == []


def six(number: int) -> Target:
    """An IPv6 address."""
    return Target(address=f"2001:db8::{number}", port=5060, transport=Transport.TCP, name="sip.example.com")


def test_addresses_that_the_engine_cannot_use_are_left_out_and_said_to_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stub_engines(monkeypatch, registers(Turn(events=(SILENT,)), Turn(events=(GRANTED,))))

    async def both(*_: object) -> Resolution:
        return Resolution(targets=(six(1), TARGETS[0], six(2), TARGETS[1]), steps=("asked",))

    async def run() -> None:
        async with opened(Seen(), both) as session:
            outcome = await session.connect()
            assert outcome.tried == TARGETS[:2]
            assert outcome.lookup[0] == "asked"
            assert [line for line in outcome.lookup if "2001:db8::" in line and "IPv6" in line][1:]

    asyncio.run(run())


def test_a_provider_with_ipv6_only_is_an_outcome_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch)
    seen = Seen()

    async def only_six(*_: object) -> Resolution:
        return Resolution(targets=(six(1),))

    async def run() -> None:
        async with opened(seen, only_six) as session:
            outcome = await session.connect()
            assert (outcome.state, outcome.answered_by) == (TrunkState.UNREACHABLE, AnsweredBy.LOCAL)
            assert (outcome.target, outcome.tried) == (six(1), ())
            with pytest.raises(EngineError, match="not connected"):
                await session.control.hang_up("x")

    asyncio.run(run())
    assert "IPv6" in seen.of(TrunkChanged)[1].cause


def test_a_lifetime_is_told_only_where_one_was_granted(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch, registers(Turn(events=(replace(refusal(403), expires_s=300),))))

    async def run() -> None:
        async with opened(Seen()) as session:
            assert (await session.connect()).expires_s == 0

    asyncio.run(run())


def test_a_failed_handshake_is_the_reason_in_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = TlsFacts(error="certificate has expired", cause=LocalCause.TLS_TIME)
    stub_engines(monkeypatch, registers(Turn(events=(TlsHandshake(target=TARGETS[0], facts=bad), SILENT))))

    async def one(*_: object) -> Resolution:
        return Resolution(targets=TARGETS[:1])

    async def run() -> None:
        async with opened(Seen(), one) as session:
            assert (await session.connect()).reason == "certificate has expired"

    asyncio.run(run())


def test_a_trunk_that_does_not_register_is_asked_for_options(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch)
    seen = Seen()

    async def run() -> None:
        async with opened(seen, sign_in=SignIn.CREDENTIALS) as session:
            assert (await session.connect()).state is TrunkState.REACHABLE

    asyncio.run(run())
    assert not any(line.startswith("got Register") for line in seen.log)


def test_the_limit_for_an_answer_is_handed_to_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch)
    monkeypatch.setattr(sign_in_walk, "ANSWER_LIMIT_S", 1.25)
    seen = Seen()

    async def run() -> None:
        async with opened(seen) as session:
            await session.connect()

    asyncio.run(run())
    assert "got Register(limit_s=1.25)" in seen.log


def test_the_engine_knows_the_other_addresses_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch, registers(Turn(events=(SILENT,)), Turn(events=(GRANTED,))))
    seen = Seen()

    async def run() -> None:
        async with opened(seen) as session:
            await session.connect()

    asyncio.run(run())
    assert [line for line in seen.log if line.startswith("servers ")] == [
        'servers ["192.0.2.2","192.0.2.3"]',
        'servers ["192.0.2.1","192.0.2.3"]',
    ]


# Words


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            {"answered_by": AnsweredBy.NETWORK, "sip_code": 200, "reason": "OK", "round_trip_ms": 38.4},
            "200 OK in 38 ms",
        ),
        ({"answered_by": AnsweredBy.NETWORK, "sip_code": 403, "reason": "Forbidden"}, "403 Forbidden"),
        ({"answered_by": AnsweredBy.NETWORK, "sip_code": 480, "reason": ""}, "480"),
        (
            {"answered_by": AnsweredBy.LOCAL, "local_cause": LocalCause.NO_ANSWER, "target": TARGETS[0]},
            "no answer (tcp 192.0.2.1:5060 (sip.example.com))",
        ),
        (
            {
                "answered_by": AnsweredBy.LOCAL,
                "local_cause": LocalCause.NAME_NOT_FOUND,
                "reason": "No such name",
            },
            "No such name",
        ),
        (
            {
                "answered_by": AnsweredBy.LOCAL,
                "local_cause": LocalCause.OTHER,
                "reason": "x",
                "target": TARGETS[0],
            },
            "x",
        ),
        ({"answered_by": AnsweredBy.LOCAL, "local_cause": LocalCause.OTHER}, "other"),
    ],
)
def test_the_cause_is_one_short_line(values: dict[str, Any], words: str) -> None:
    outcome = RegisterOutcome(trunk="t", state=TrunkState.UNREACHABLE, **values)
    assert cause_in_words(outcome) == words
