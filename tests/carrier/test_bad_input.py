"""Malformed messages: answered or dropped, and the carrier goes on."""

from __future__ import annotations

import asyncio
import random

import pytest
from msgspec.structs import replace

from app.providers.schema import Method, Mistake
from app.sip.carrier.profile import Profile, profile_of
from app.sip.carrier.server import Carrier
from app.sip.syntax.gate import HIGHEST_CSEQ
from tests.carrier.phone import ACCOUNTS, HOST, QUICK, Phone, until
from tests.carrier.providers import provider, refusal
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
    ("From: <sip:1001@127.0.0.1>;tag=1\r\n", "", 400, "From is missing"),
    ("To: <sip:127.0.0.1>", "To: <sip:127.0.0.1", 400, "To has an angle bracket that is not closed"),
    ("CSeq: 1 OPTIONS", "CSeq: x OPTIONS", 400, "CSeq is not a number below 2^31 and a method"),
    ("CSeq: 1 OPTIONS", "CSeq: 99999999999 OPTIONS", 400, "CSeq is not a number below 2^31 and a method"),
    ("CSeq: 1 OPTIONS", "CSeq: 1 INVITE", 400, "CSeq names another method than the request"),
    ("Call-ID: bad-input\r\n", "", 400, "Call-ID is missing"),
    ("From: <sip:1001@127.0.0.1>;tag=1\r\nTo: <sip:127.0.0.1>\r\n", "", 400, "From is missing"),
    ("OPTIONS sip:127.0.0.1 SIP", "OPTIONS sip: SIP", 400, "Request-URI is not a URI"),
    ("1 SIP/2.0", "1 SIP/3.0", 505, "Version Not Supported"),
]
"""What the gate refuses: replaced, replacement, code, phrase."""

POLICY = [
    (";tag=1", "", 400, "From has no tag"),
    ("branch=z9hG4bK-1;", "", 400, "Via has no branch"),
    ("OPTIONS sip:127.0.0.1", "OPTIONS tel:600", 416, "Unsupported URI Scheme"),
]
"""What the carrier refuses although the gate lets it pass."""


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
@pytest.mark.parametrize(("good", "bad", "code", "reason"), [*FAULTS, *POLICY])
def test_a_request_with_a_fault_is_answered_with_what_is_wrong(
    good: str, bad: str, code: int, reason: str, transport: str
) -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        phone.send(GOOD.replace(good, bad).format(port=phone.port).encode())
        response = (await until(lambda: phone.received, "an answer"))[0]
        assert (response.status_code, response.reason_phrase) == (code, reason)
        assert response.via[0].params["rport"] == str(phone.port)

    with_phone(work, transport=transport)


def noted(transport: str, *sent: bytes, profile: Profile | None = None) -> list[str]:
    """What a carrier says to people about these messages of one phone."""
    notes: list[str] = []

    async def test() -> None:
        options = replace(QUICK, tls=profile is None)
        async with (
            Carrier(accounts=ACCOUNTS, options=options, profile=profile, note=notes.append) as carrier,
            await open_phone(carrier, transport) as phone,
        ):
            for data in sent:
                phone.send(data.replace(b"{port}", str(phone.port).encode()))
            await until(lambda: notes, "a note")
            notes[:] = [note.replace(f"127.0.0.1:{phone.port}", "the phone") for note in notes]

    asyncio.run(test())
    return notes


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_people_read_who_sent_what_and_what_is_wrong_with_it(transport: str) -> None:
    cseq = GOOD.replace("1 OPTIONS", "x").encode()
    assert noted(transport, cseq) == [
        f"OPTIONS from {transport} the phone is dropped: CSeq is not a number below 2^31 and a method"
    ]
    contact = GOOD.replace("Content", "Contact: <tel:1>\r\nContent").encode()
    assert noted(transport, contact) == [
        f"OPTIONS from {transport} the phone is repaired: Contact is a tel: address and not a SIP address"
    ]
    response = b"SIP/2.0 200 OK\r\nCSeq: 1 OPTIONS\r\nVia: x\r\n\r\n"
    assert noted(transport, response) == [
        f"a 200 response from {transport} the phone is dropped: Via is not a Via value"
    ]


def test_people_read_what_a_datagram_is_that_is_not_sip() -> None:
    assert noted("udp", b"hello\x1b[31m") == [
        "a message from udp the phone is dropped: it is not a SIP message"
    ]


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_people_read_why_a_connection_is_closed(transport: str) -> None:
    bad = GOOD.replace("Length: 0", "Length: \x1b[31m\xe9").encode()
    assert noted(transport, bad) == [
        f"the connection from {transport} the phone is closed: Content-Length is not a number: '[31mé'"
    ]


def test_what_is_noted_about_a_caller_holds_nothing_a_terminal_obeys() -> None:
    facts = provider(Method.CREDENTIALS, refusals=(refusal(Mistake.CREDENTIALS, 403),))
    digest = (
        'Digest username="x\x1b[2J\u202ey\r", realm="ringback", nonce="n", uri="sip:127.0.0.1", '
        'response="r", cnonce="c", nc=00000001, qop=auth'
    )
    invite = GOOD.replace("OPTIONS", "INVITE").replace("To:", f"Proxy-Authorization: {digest}\r\nTo:")
    (note,) = noted("udp", invite.encode(), profile=profile_of(facts))
    assert note.startswith("INVITE from udp the phone as x [2J y refused: 403")
    assert note.isprintable()


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("Contact: <tel:1001>", "Contact is a tel: address and not a SIP address"),
        ("Contact: <sip:1001@127.0.0.1:70000>", "Contact has a port that is not a number up to 65535"),
        ("Contact: sip:1001@127.0.0.1?Route=%3Csip:x%3E", "Contact needs angle brackets around its address"),
        ("Record-Route: *", "Record-Route is not a URI"),
        ("Require: 100rel, a b", "Require has something in its list that is not a word"),
    ],
)
@pytest.mark.parametrize("method", ["REGISTER", "INVITE"])
def test_a_call_or_a_registration_is_not_carried_out_in_part(method: str, header: str, reason: str) -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        name, _, value = header.partition(": ")
        headers = ((name, value), ("Contact", phone.contact))
        response = await phone.ask(phone.build(method, f"sip:{HOST}", headers=headers))
        assert (response.status_code, response.reason_phrase) == (400, reason)

    with_phone(work)


def test_names_that_look_like_tags_and_addresses_are_not_taken_for_them() -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        assert (await phone.register()).status_code == 200
        call = await phone.call("600")
        bye = call.request("BYE")
        bye.headers.set_single("From", f'"a <sip:b>;tag=c" {bye.get_header("from")}')
        assert (await phone.ask(bye)).status_code == 200

    with_phone(work)


def test_responses_copy_the_octets_of_a_request() -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        seen: list[bytes] = []
        phone.take = seen.append  # type: ignore[method-assign]  # as it came, not taken apart
        name = b'"Caf\xe9 \\"<x>"'
        phone.send(GOOD.format(port=phone.port).encode().replace(b"From: ", b"f:\r\n  " + name))
        await until(lambda: seen, "an answer")
        assert b"\r\nf:\r\n  " + name + b"<sip:1001@127.0.0.1>;tag=1\r\n" in seen[0]

    with_phone(work)


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
        phone.cseq = HIGHEST_CSEQ - 1  # damage may have written a large one
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
