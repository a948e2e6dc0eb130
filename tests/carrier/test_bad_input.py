"""Malformed messages: answered or dropped, and the carrier goes on."""

from __future__ import annotations

import asyncio
import random

import pytest

from app.sip.carrier.server import Carrier
from app.sip.carrier.transports import FramingError, take_message
from tests.carrier.phone import ACCOUNTS, HOST, QUICK, Phone, until
from tests.carrier.test_numbers import open_phone, with_phone

GOOD = (
    "OPTIONS sip:127.0.0.1 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK-1;rport\r\n"
    "From: <sip:1001@127.0.0.1>;tag=1\r\n"
    "To: <sip:127.0.0.1>\r\n"
    "Call-ID: bad-input\r\n"
    "CSeq: 1 OPTIONS\r\n"
    "Content-Length: 0\r\n\r\n"
)

FAULTS = [
    ("From: <sip:1001@127.0.0.1>;tag=1\r\n", "", "Missing from header"),
    (";tag=1", "", "From without tag"),
    ("CSeq: 1 OPTIONS", "CSeq: x OPTIONS", "Malformed CSeq header"),
    ("CSeq: 1 OPTIONS", "CSeq: 99999999999 OPTIONS", "Malformed CSeq header"),
    ("CSeq: 1 OPTIONS", "CSeq: -1 OPTIONS", "Malformed CSeq header"),
    ("CSeq: 1 OPTIONS", "CSeq: 1 INVITE", "CSeq method differs from the request's"),
    ("CSeq: 1 OPTIONS", "CSeq:", "Malformed CSeq header"),
    ("branch=z9hG4bK-1;", "", "Via without branch"),
    ("OPTIONS sip:127.0.0.1", "OPTIONS tel:600", "Request-URI is not a SIP URI"),
]


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
@pytest.mark.parametrize(("good", "bad", "reason"), FAULTS)
def test_a_request_with_a_fault_is_answered_with_400_and_its_name(
    good: str, bad: str, reason: str, transport: str
) -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        phone.send(GOOD.replace(good, bad).format(port=phone.port).encode())
        response = (await until(lambda: phone.received, "an answer"))[0]
        assert (response.status_code, response.reason_phrase) == (400, reason)

    with_phone(work, transport=transport)


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        b"\r\n\r\n",
        b"\0" * 100,
        b"hello",
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"SIP/2.0 abc\r\n\r\n",
        b"SIP/2.0 200 OK\r\nVia: x\r\nCSeq: x y\r\n\r\n",
        b"SIP/2.0 99999 OK\r\nVia: SIP/2.0/UDP a;branch=b\r\nCSeq: 1 INVITE\r\n\r\n",
        b"INVITE sip:600@127.0.0.1 SIP/2.0\r\n\r\n",
        b"ACK sip:600@127.0.0.1 SIP/2.0\r\nVia: \xff\xfe\r\n\r\n",
        b"\xff" * 60_000,
    ],
)
def test_what_is_no_request_is_dropped(junk: bytes) -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        phone.send(junk)
        assert (await phone.ask(phone.build("OPTIONS", f"sip:{HOST}"))).status_code == 200
        assert len(phone.received) == 1

    with_phone(work)


@pytest.mark.parametrize("port", ["99999", "0", "-5", "x"])
def test_a_via_with_an_impossible_port_is_answered_where_it_came_from(port: str) -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        phone.send(GOOD.replace("{port}", port).replace(";rport", "").encode())
        if port in ("99999", "-5"):
            await until(lambda: phone.received, "an answer")
        assert (await phone.ask(phone.build("OPTIONS", f"sip:{HOST}"))).status_code == 200

    with_phone(work)


@pytest.mark.parametrize("seed", range(4))
def test_a_thousand_damaged_messages_change_nothing(seed: int) -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        dice = random.Random(seed)
        call = await phone.call("600")
        invite = phone.build(
            "INVITE", call.invite.uri, headers=(("Contact", phone.contact),), body=call.invite.text
        )
        templates = [bytes(m) for m in (call.invite, invite, call.request("BYE", cseq=1))]
        templates.append(bytes(phone.build("REGISTER", f"sip:{HOST}")))
        for _ in range(1000):
            data = bytearray(dice.choice(templates))
            for _damage in range(dice.randint(1, 8)):
                at = dice.randrange(len(data))
                if dice.random() < 0.5:
                    data[at] = dice.randrange(256)
                else:
                    del data[at : at + dice.randint(1, 40)]
            phone.send(bytes(data))
            await asyncio.sleep(0)  # lets the carrier read, so that none is lost on the way
        phone.received.clear()
        assert (await phone.ask(phone.build("OPTIONS", f"sip:{HOST}"))).status_code == 200
        phone.cseq = 1000
        await call.bye()

    failures: list[object] = []

    async def test() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: failures.append(context))
        async with (
            Carrier(accounts=ACCOUNTS, options=QUICK) as carrier,
            await Phone.open(carrier.udp_port) as phone,
        ):
            await work(carrier, phone)

    asyncio.run(test())
    assert failures == []


# TCP framing


def test_messages_are_cut_off_a_stream_wherever_it_breaks() -> None:
    whole = b"A\r\nContent-Length: 5\r\n\r\n12345B\r\nl: 0\r\n\r\nC\r\n\r\n"
    for size in range(1, len(whole) + 1):
        buffer, found = bytearray(), []
        for at in range(0, len(whole), size):
            buffer += whole[at : at + size]
            while message := take_message(buffer):
                found.append(message)
        assert [m[:1] for m in found] == [b"A", b"B", b"C"]
        assert found[0].endswith(b"12345")
        assert not buffer


@pytest.mark.parametrize(
    "data",
    [
        b"A\r\nContent-Length: x\r\n\r\n",
        b"A\r\nContent-Length: -1\r\n\r\n",
        b"A\r\nContent-Length: 99999999999\r\n\r\n",
        b"A\r\nContent-Length: 70000\r\n\r\n",
        b"A" * 70_000,
        b"A" * 70_000 + b"\r\n\r\n",
    ],
)
def test_a_stream_that_cant_be_cut_is_refused(data: bytes) -> None:
    with pytest.raises(FramingError):
        take_message(bytearray(data))


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_a_broken_connection_is_closed_and_others_go_on(transport: str) -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        async with await open_phone(carrier, transport) as bad:
            bad.send(b"A\r\nContent-Length: x\r\n\r\n")
            await until(lambda: bad.closed, "the connection to be closed")
        assert (await phone.ask(phone.build("OPTIONS", f"sip:{HOST}"))).status_code == 200

    with_phone(work, transport=transport)


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_keep_alives_on_a_connection_are_answered_and_do_not_hide_a_request(transport: str) -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        phone.send(b"\r\n\r\n")
        await until(lambda: phone.received, "a pong")
        phone.send(b"\r\n" + bytes(phone.build("OPTIONS", f"sip:{HOST}")))
        await until(lambda: any(getattr(m, "status_code", 0) == 200 for m in phone.received), "an answer")

    with_phone(work, transport=transport)
