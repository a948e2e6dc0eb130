"""The demo carrier stands whatever it is sent: it goes on, keeps its calls, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Callable, Coroutine

import pytest

from app.model.trunk import Transport
from app.sip.syntax.gate import HIGHEST_CSEQ
from tests.carrier.ear import sdp
from tests.carrier.phone import HOST, Call, Phone, until
from tests.hostile.hostile_messages import MESSAGES, Hostile
from tests.hostile.hostile_values import answer_values, request_values
from tests.hostile.mutations import mutate, with_length
from tests.hostile.siege import PASSWORD, USER, Credentials, Siege, options, siege

MUTATED = 2500
"""Messages for each transport."""
MOST_GROWTH_KIB = 48 * 1024
ANSWERS_A_CALL = 40
INSIDE_A_CALL = 15
A_CALL = 250
INSIDE = ("BYE", "ACK", "CANCEL", "INFO", "OPTIONS", "MESSAGE", "INVITE", "UPDATE", "UPDATE", "INVITE")
OUTSIDE = ("INVITE", "INVITE", "INVITE", "REGISTER", "OPTIONS")


def besiege(work: Callable[[Siege], Coroutine[object, object, None]]) -> None:
    """Run `work` against a carrier that has a call meanwhile; nothing of it is left."""

    async def test() -> None:
        async with siege() as under:
            before = under.memory_kib()
            async with under.calling():
                await work(under)
            await under.settled()
            assert under.memory_kib() - before < MOST_GROWTH_KIB
        assert under.faults() == []

    asyncio.run(test())


def values_for(
    hostile: Hostile, server: tuple[str, int], transport: Transport, mark: int
) -> dict[str, str | bytes]:
    """For requests those of a far end, for answers those of a request that the carrier has never sent."""
    values = request_values(
        hostile.method or "OPTIONS",
        target=f"sip:600@{HOST}",
        server=server,
        user="600",
        mark=f"s{mark}",
        transport=transport,
    )
    if not hostile.method:
        asked = options(server[1], transport.upper(), f"never{mark}").replace(
            b"OPTIONS", (hostile.answers or "INVITE").encode()
        )
        values |= answer_values(asked, server=server, source=server)
    return values


def filled(hostile: Hostile, values: dict[str, str | bytes]) -> list[bytes]:
    """The messages before it, and itself."""
    return [*hostile.filled_earlier(values), hostile.filled(values)]


def chosen(condition: Callable[[Hostile], bool]) -> list[Hostile]:
    found = [hostile for hostile in MESSAGES.values() if condition(hostile)]
    assert found
    return found


def test_every_hostile_message_outside_of_a_call() -> None:
    async def work(under: Siege) -> None:
        server = (HOST, under.attacker.port)
        credentials = Credentials(under.caller)
        for at, hostile in enumerate(chosen(lambda hostile: not hostile.inside)):
            if at % 500 == 0:
                await credentials.fetch()
            await under.datagrams(filled(hostile, values_for(hostile, server, Transport.UDP, at)))
            if hostile.method in ("INVITE", "REGISTER"):
                raw = filled(hostile, values_for(hostile, server, Transport.UDP, 100_000 + at))
                await under.datagrams(map(credentials.added, raw))

    besiege(work)


def test_every_hostile_message_over_connections() -> None:
    async def work(under: Siege) -> None:
        server = (HOST, under.attacker.port)
        hostile = list(MESSAGES.values())
        random.Random(9).shuffle(hostile)
        await under.streams(
            raw
            for at, one in enumerate(hostile)
            for raw in filled(one, values_for(one, server, Transport.TCP, at))
        )

    besiege(work)


def test_every_hostile_request_inside_a_call() -> None:
    """What has the highest CSeq gets a call of its own, which only the lack of sound can end."""

    async def work(under: Siege) -> None:
        caller, call, number, last = under.caller, None, 0, False
        for at, hostile in enumerate(chosen(lambda hostile: hostile.inside)):
            final = b"CSeq: %d" % HIGHEST_CSEQ in hostile.template
            if at % INSIDE_A_CALL == 0 or final or last:
                if not last:
                    await hang_up(call)
                call = await under.call("600")
                number = caller.cseq
            assert call is not None
            number, last = number + 1, final
            values = values_for(hostile, (HOST, under.attacker.port), Transport.UDP, at)
            values |= inside(caller, call, number, hostile.method)
            await under.datagrams(filled(hostile, values))
        await hang_up(call)

    besiege(work)


async def hang_up(call: Call | None) -> None:
    """End a call if it still is one, with a CSeq above every one that may have been used in it."""
    if call is not None:
        call.phone.cseq = HIGHEST_CSEQ - 1
        assert (await call.bye()).status_code in (200, 481)
        call.phone.cseq = 0


def inside(phone: Phone, call: Call, number: int, method: str) -> dict[str, str | bytes]:
    """Values of a request in a call of the phone's."""
    return {
        "from": f"<sip:{USER}@{HOST}>;tag={phone.tag}",
        "from_tag": phone.tag,
        "to": call.to,
        "call_id": call.invite.call_id or "",
        "number": str(number),
        "cseq": f"{number} {method}",
        "target": call.target,
    }


def test_every_hostile_answer_to_a_call_of_the_carriers() -> None:
    async def work(under: Siege) -> None:
        answers = chosen(lambda hostile: hostile.answers == "INVITE")
        random.Random(4).shuffle(answers)
        async with await Phone.open(under.carrier.port, user=USER, password=PASSWORD) as callee:
            assert (await callee.register()).status_code == 200
            for at in range(0, len(answers), ANSWERS_A_CALL):
                await ring(under, callee, answers[at : at + ANSWERS_A_CALL])

    besiege(work)


async def ring(under: Siege, callee: Phone, answers: list[Hostile]) -> None:
    """Have the carrier call, and answer with these: provisional ones first, refusals last, a 486 behind."""
    callee.received.clear()
    call = await under.caller.invite(USER)
    invite = (await until(lambda: callee.requests("INVITE"), "an INVITE of the carrier's"))[0]
    place = (HOST, callee.port)
    asked = bytes(invite)
    raw = []
    for at, hostile in enumerate(answers):
        values = answer_values(
            asked, server=place, source=place, to_tag=f"far{at}", rtp_port=str(callee.ear.port)
        )
        raw.append(hostile.filled(values))
    raw.sort(key=order)
    for some in raw:
        if some and len(some) < 65_000:
            callee.send(some)
    await under.attacker.alive()
    callee.answer(invite, 486)
    final = await under.caller.final(call.invite)
    if final.status_code < 300:
        call.ack(final)
        assert (await call.bye()).status_code in (200, 481)
    else:
        under.caller.send(under.caller.ack_refusal(call.invite, final))


def order(raw: bytes) -> int:
    """1xx, 2xx, the rest."""
    found = re.match(rb"SIP/2\.0 ([12])", raw)
    return int(found[1]) if found else 3


@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP])
def test_thousands_of_damaged_messages(transport: Transport) -> None:
    async def work(under: Siege) -> None:
        credentials = Credentials(under.caller)
        rng = random.Random(f"carrier {transport}")
        send = under.datagrams if transport is Transport.UDP else under.streams
        for _ in range(0, MUTATED, A_CALL):
            await credentials.fetch()
            call = await under.call("601")
            good = (good_message(under.caller, call, transport, rng) for _ in range(A_CALL))
            await send(damaged(credentials.added(raw), rng) for raw in good)
            await hang_up(call)

    besiege(work)


def damaged(raw: bytes, rng: random.Random) -> bytes:
    bad = mutate(raw, rng)
    return with_length(bad) if rng.random() < 0.5 else bad


def good_message(phone: Phone, call: Call, transport: Transport, rng: random.Random) -> bytes:
    """Something that a phone sends, in a call of its own or outside."""
    inside = rng.random() < 0.5
    method = rng.choice(INSIDE if inside else OUTSIDE)
    body = sdp(phone.ear.port, version=phone.cseq) if method in ("INVITE", "UPDATE") else ""
    if inside:
        request = call.request(method, body=body)
    else:
        called = "" if method == "REGISTER" else rng.choice(("600@", "606@", f"{USER}@"))
        headers = (("Contact", phone.contact),)
        request = phone.build(
            method, f"sip:{called}{HOST}", to=f"<sip:{USER}@{HOST}>", headers=headers, body=body
        )
    via = request.headers.get("via")[0].replace("/UDP", f"/{transport.upper()}")
    request.headers.set_single("Via", via)
    return bytes(request)
