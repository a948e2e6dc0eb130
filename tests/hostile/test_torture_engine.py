"""The torture messages at the gate and at a live engine that has a call up, over UDP and over TCP."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Sequence

import pytest

from app.model.call import CallState
from app.model.trunk import Transport
from app.sip.messages import CallChanged, CallMedia, RegistrationState
from app.sip.syntax.framing import Framer, FramingError
from app.sip.syntax.gate import examine
from scripts.torture_table import RESULTS, results
from tests.hostile.arena import HOST, USER, Arena, Conversation, arena
from tests.hostile.torture_messages import MESSAGES, Behaviour, Journey, Kind, Torture, header

TRANSPORTS = (Transport.UDP, Transport.TCP)
_FINAL_OR_RINGS = re.compile(rb"SIP/2\.0 (180|183|[2-6][0-9][0-9]) ")


def _outcome(raw: bytes) -> str:
    examined = examine(raw)
    if examined.head is not None:
        return "accept"
    return f"answer {examined.answer.code}" if examined.answer else "drop"


@pytest.mark.parametrize("name", MESSAGES)
def test_the_gate_does_with_a_datagram_what_the_rfc_allows(name: str) -> None:
    torture = MESSAGES[name]
    allowed = torture.expected.over(Transport.UDP)
    assert allowed.allows(_outcome(torture.wire)), (_outcome(torture.wire), allowed)


@pytest.mark.parametrize("name", MESSAGES)
def test_the_gate_does_with_a_stream_what_the_rfc_allows(name: str) -> None:
    torture = MESSAGES[name]
    allowed = torture.expected.over(Transport.TCP)
    frames: list[bytes] = []
    closes = False
    try:
        for frame in Framer().frames(torture.wire):
            if isinstance(frame, bytes):
                frames.append(frame)  # what comes before the error counts
    except FramingError:
        closes = True
    outcome = _outcome(frames[0]) if frames else "drop"
    assert allowed.allows(outcome), (outcome, allowed)
    # Where the whole has not come, the connection is closed after a while
    assert (closes or not frames) is allowed.closes


@pytest.mark.parametrize("transport", TRANSPORTS, ids=str)
def test_an_engine_answers_as_the_rfc_says_and_keeps_its_call(transport: Transport) -> None:
    async def run() -> dict[str, str]:
        seen: dict[str, str] = {}
        async with arena(transport) as at:
            async with at.conversation() as call:
                for torture in MESSAGES.values():
                    seen[torture.name] = await _one(at, call, torture)
                    assert not _ended(at, call), (torture.name, at.log)
                await _has_sound(at, call)
            assert [event.sip_code for event in _ended(at, call)] == [200], _ended(at, call)
            assert not [line for line in at.log if "Traceback" in line], "\n".join(at.log)
        return seen

    seen = asyncio.run(run())
    if os.environ.get("RINGBACK_WRITE_TORTURE"):
        _write(transport, seen)
    else:
        assert seen == getattr(results(), str(transport)), (
            "write it down: see the README of tests/hostile/torture"
        )


async def _one(at: Arena, call: Conversation, torture: Torture) -> str:
    """Play one message and give what was seen, in a word or two."""
    allowed = torture.expected.over(at.far.transport)
    if torture.expected.kind is Kind.RESPONSE:
        return await _answer(at, torture)
    journey = Journey(
        transport=at.far.transport,
        engine=at.far.source,
        sender=(HOST, at.far.port),
        user=USER,
        mark=torture.name,
    )
    raw = torture.addressed(journey)
    at.far.heard.clear()
    at.far.send(raw)
    if allowed.closes:
        await at.far.hang_up()
    await at.alive()
    seen = _answers(at.far.heard, torture.name)
    assert _right(allowed, seen, at, torture), (torture.name, seen, allowed)
    await at.turn_away(but=call.call_id)
    closed = ", closes" if allowed.closes else ""
    return (", ".join(map(str, seen)) or "no answer").replace("180", "rings") + closed


def _answers(heard: Sequence[bytes], name: str) -> list[int]:
    """Codes of what came back to one message, whose Call-ID has its name in it."""
    codes: list[int] = []
    for raw in heard:
        found = _FINAL_OR_RINGS.match(raw)
        if found and (b"\nCall-ID:" not in raw or name.encode() in header(raw, b"call-id")):
            codes.append(int(found[1]))
    return list(dict.fromkeys(codes))


def _right(allowed: Behaviour, seen: list[int], at: Arena, torture: Torture) -> bool:
    addressed = (
        USER.encode() + b"@"
        in torture.addressed(
            Journey(transport=at.far.transport, engine=(HOST, 1), sender=(HOST, 1), user=USER)
        ).partition(b"\r\n")[0]
    )
    first, rest = seen[:1], seen[1:]
    codes = allowed.codes(addressed=addressed)
    if not first:
        return allowed.silent
    return first[0] in codes and set(rest) <= set(allowed.following) | {404}


async def _answer(at: Arena, torture: Torture) -> str:
    """Answer a REGISTER with a torture response, then properly."""
    allowed = torture.expected.over(at.far.transport)
    change = await at.register(
        lambda asked: [torture.answering(asked, server=(HOST, at.far.port))], clear=False
    )
    outcome = _outcome(torture.wire)
    assert allowed.allows(outcome), (torture.name, outcome)
    assert change.state is RegistrationState.REGISTERED, (torture.name, change)
    return "accepted" if outcome == "accept" else "dropped"


def _ended(at: Arena, call: Conversation) -> list[CallChanged]:
    return [
        event
        for event in at.events
        if isinstance(event, CallChanged) and event.call_id == call.call_id and event.state is CallState.ENDED
    ]


async def _has_sound(at: Arena, call: Conversation) -> None:
    """Wait until the call has sent more sound than so far."""

    def sent() -> int:
        figures = [event.figures.tx.packets for event in at.events if isinstance(event, CallMedia)]
        return figures[-1] if figures else 0

    before = sent()
    await at.until(lambda: sent() > before + 10, "the sound of the call")


def _write(transport: Transport, seen: dict[str, str]) -> None:
    """Write down what was seen over one transport."""
    known = results()
    tables = {"udp": known.udp, "tcp": known.tcp, str(transport): seen}
    lines = ["# What was seen last; RINGBACK_WRITE_TORTURE=1 writes it, see README.md.", ""]
    for name, table in tables.items():
        lines += [f"[{name}]", *(f'{key} = "{value}"' for key, value in table.items()), ""]
    RESULTS.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8", newline="\n")
