"""Every hostile message, and thousands of damaged ones, at a live engine: none is lost, none hangs."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
from collections.abc import Callable, Sequence

import pytest

from app.model.trunk import Transport
from app.sip.messages import HoldCall, ResumeCall, SendDigits, TransferCall
from tests.hostile.arena import HOST, SDP, USER, Arena, answer, arena, header_value
from tests.hostile.hostile_messages import MESSAGES, Hostile
from tests.hostile.hostile_values import answer_values, request_values
from tests.hostile.mutations import mutate

MUTATED = int(os.environ.get("RINGBACK_FUZZ", "1200"))
"""Damaged messages of each kind; more of them by hand: RINGBACK_FUZZ=7000."""

_marks = itertools.count(1)
SECTIONS = sorted({hostile.section for hostile in MESSAGES.values()})


def _kind(hostile: Hostile) -> str:
    if hostile.answers in ("REGISTER", "INVITE"):
        return hostile.answers
    if hostile.inside:
        return "inside"
    return "outside"


def _answering(at: Arena, hostile: Hostile) -> Callable[[bytes], Sequence[bytes]]:
    def made(asked: bytes) -> Sequence[bytes]:
        values = answer_values(asked, server=(HOST, at.far.port), source=at.far.source)
        return [*hostile.filled_earlier(values), hostile.filled(values)]

    return made


def _asking(at: Arena, hostile: Hostile, **more: str) -> list[bytes]:
    values = request_values(
        hostile.method or "INVITE",
        target=f"sip:{USER}@{HOST}",
        server=(HOST, at.far.port),
        user=USER,
        mark=f"m{next(_marks)}",
        number=next(_marks),
    )
    values.update(more)
    values.setdefault("to_tag", "none")
    return [*hostile.filled_earlier(values), hostile.filled(values)]


@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP], ids=str)
@pytest.mark.parametrize("section", SECTIONS)
def test_no_hostile_message_ends_or_hangs_an_engine(section: str, transport: Transport) -> None:
    async def run() -> None:
        mine = [
            hostile
            for hostile in MESSAGES.values()
            if hostile.section == section and hostile.group.over in (None, transport)
        ]
        async with arena(transport) as at:
            for hostile in mine:
                kind = _kind(hostile)
                try:
                    if kind == "REGISTER":
                        await at.register(_answering(at, hostile))
                    elif kind == "INVITE":
                        await at.call(_answering(at, hostile))
                    elif kind == "outside":
                        await at.incoming(_asking(at, hostile))
                except (AssertionError, TimeoutError) as error:
                    raise AssertionError(f"{hostile.name}: {error!r}\n" + "\n".join(at.log)) from error
            await _inside(at, [hostile for hostile in mine if _kind(hostile) == "inside"])
            assert not [line for line in at.log if "Traceback" in line], "\n".join(at.log)

    asyncio.run(run())


async def _inside(at: Arena, hostile: list[Hostile]) -> None:
    for some in _batches(hostile, 40):
        async with at.conversation() as call:
            for one in some:
                await call.say(_asking(at, one, **call.values))


def _batches(items: list[Hostile], size: int) -> list[list[Hostile]]:
    return [items[at : at + size] for at in range(0, len(items), size)]


# Damaged messages


def test_an_engine_that_registers_outlives_damaged_answers() -> None:
    async def run(rng: random.Random, at: Arena) -> int:
        sent = 0

        def made(asked: bytes) -> Sequence[bytes]:
            nonlocal sent
            base = answer(
                asked,
                rng.choice(["401 Unauthorized", "200 OK", "423 Interval Too Brief", "403 Forbidden"]),
                f"Contact: {header_value(asked, 'Contact')};expires=300",
                'WWW-Authenticate: Digest realm="far", nonce="n", qop="auth", algorithm=SHA-256',
                "Min-Expires: 400",
            )
            damaged = [mutate(base, rng) for _ in range(rng.randrange(1, 8))]
            sent += len(damaged)
            return damaged

        await at.register(made)
        return sent

    asyncio.run(_fuzz(run, seed=1))


def test_an_engine_that_calls_outlives_damaged_answers() -> None:
    async def run(rng: random.Random, at: Arena) -> int:
        sent = 0

        def made(asked: bytes) -> Sequence[bytes]:
            nonlocal sent
            damaged = []
            for _ in range(rng.randrange(4, 14)):
                base = answer(
                    asked,
                    rng.choice(["183 Early", "180 Ringing", "200 OK", "407 Auth", "302 Moved", "486 Busy"]),
                    f"Contact: <sip:far@{HOST}:{at.far.port}>",
                    f"Record-Route: <sip:{HOST}:{at.far.port};lr>",
                    "Require: 100rel",
                    "RSeq: 5",
                    "Content-Type: application/sdp",
                    body=SDP,
                )
                damaged.append(mutate(base, rng))
            sent += len(damaged)
            return damaged

        await at.call(made)
        return sent

    asyncio.run(_fuzz(run, seed=2))


def test_an_engine_that_is_called_outlives_damaged_requests() -> None:
    methods = (
        "INVITE",
        "INVITE",
        "ACK",
        "BYE",
        "CANCEL",
        "OPTIONS",
        "INFO",
        "NOTIFY",
        "REFER",
        "UPDATE",
        "PRACK",
    )

    async def run(rng: random.Random, at: Arena) -> int:
        mark = f"f{next(_marks)}"
        damaged = []
        for _ in range(rng.randrange(6, 16)):
            method = rng.choice((*methods, "MESSAGE", "SUBSCRIBE"))
            raw = _request(
                at, method, f"sip:{USER}@{HOST}", f"<sip:far@{HOST}>;tag={mark}", f"<sip:{USER}@{HOST}>", mark
            )
            damaged.append(mutate(raw, rng) if rng.random() < 0.8 else raw)
        await at.incoming(damaged)
        return len(damaged)

    asyncio.run(_fuzz(run, seed=3))


def test_an_engine_in_a_call_outlives_damaged_requests() -> None:
    methods = (
        "INVITE",
        "INVITE",
        "UPDATE",
        "ACK",
        "BYE",
        "CANCEL",
        "OPTIONS",
        "INFO",
        "NOTIFY",
        "REFER",
        "PRACK",
    )

    async def run(rng: random.Random, at: Arena) -> int:
        sent = 0
        async with at.conversation() as call:
            values = call.values
            for turn in range(rng.randrange(3, 10)):
                damaged = []
                for number in range(rng.randrange(2, 8)):
                    cseq = rng.choice((1, 2, 100 + turn * 10 + number, 100 + turn * 10 + number, 2**31 - 1))
                    mark = rng.choice(("same", f"{next(_marks)}"))
                    raw = _request(
                        at,
                        rng.choice(methods),
                        values["target"],
                        values["from"],
                        values["to"],
                        mark,
                        cseq,
                        values["call_id"],
                    )
                    damaged.append(mutate(raw, rng) if rng.random() < 0.6 else raw)
                damaged.append(mutate(answer(call.invite, "200 OK", body=SDP), rng))
                sent += len(damaged)
                await call.say(damaged)
                act = rng.choice(
                    (
                        HoldCall(call_id=call.call_id),
                        ResumeCall(call_id=call.call_id),
                        SendDigits(call_id=call.call_id, digits="1"),
                        TransferCall(call_id=call.call_id, user="+4930123456"),
                    )
                )
                await at.attempt(act)
        return sent

    asyncio.run(_fuzz(run, seed=4))


async def _fuzz(step: Callable[[random.Random, Arena], object], *, seed: int) -> None:
    rng = random.Random(seed)
    sent = 0
    async with arena() as at:
        while sent < MUTATED:
            sent += await step(rng, at)  # type: ignore[misc]  # a coroutine, as all of them are
            assert not at.outcomes, (at.outcomes, at.log)
        assert not [line for line in at.log if "Traceback" in line], "\n".join(at.log)


def _request(
    at: Arena, method: str, uri: str, sender: str, to: str, mark: str, cseq: int = 1, call_id: str = ""
) -> bytes:
    kinds = {
        "INFO": ("Content-Type: application/dtmf-relay", "Signal=5\r\nDuration=100\r\n"),
        "NOTIFY": (
            "Event: refer\r\nSubscription-State: active\r\nContent-Type: message/sipfrag",
            "SIP/2.0 200 OK\r\n",
        ),
        "BYE": ("Reason: Q.850;cause=16", ""),
        "ACK": ("Max-Forwards: 70", ""),
    }
    more, body = kinds.get(method, ("Content-Type: application/sdp", SDP))
    return (
        f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {HOST}:{at.far.port};rport;branch=z9hG4bK{mark}\r\n"
        f"From: {sender}\r\nTo: {to}\r\nCall-ID: {call_id or mark}\r\nCSeq: {cseq} {method}\r\n"
        f"Contact: <sip:far@{HOST}:{at.far.port}>\r\n{more}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()
