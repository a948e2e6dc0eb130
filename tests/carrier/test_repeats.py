"""Messages that are lost and come again: requests, answers and goodbyes (RFC 3261 section 17)."""

from __future__ import annotations

import asyncio
import itertools
from typing import cast

import msgspec
import pytest

from app.model.trunk import Transport
from app.sip.carrier.gate import answer
from app.sip.carrier.messages import CarrierOptions
from app.sip.carrier.received import Peer, Received
from app.sip.carrier.server import Carrier
from app.sip.carrier.transactions import MOST_SERVERS, ServerTransaction, TransactionLayer
from app.sip.carrier.transports import SipSockets
from app.sip.syntax.gate import examine
from app.sip.syntax.head import Examined
from tests.carrier.phone import ACCOUNTS, FAST, HOST, QUICK, Phone, received, until
from tests.carrier.test_numbers import codes, with_phone

TRANSPORTS = pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])


def test_a_repeated_invite_makes_one_call_and_repeats_the_answer() -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        call = await phone.invite("408")
        await until(lambda: 180 in codes(phone, call), "ringing")
        for _ in range(3):
            phone.send(call.invite)
        await until(lambda: codes(phone, call).count(180) == 4, "the repeats")
        assert carrier.calls_up == 1
        assert len({r.get_header("to") for r in phone.responses(call.invite)[1:]}) == 1
        await call.cancel()

    with_phone(work)


@TRANSPORTS
def test_an_answer_is_repeated_until_its_ack(transport: str) -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        call = await phone.invite("600")
        await until(lambda: codes(phone, call).count(200) >= 3, "repeated answers")
        call.ack(await phone.final(call.invite))
        await asyncio.sleep(0.05)
        count = codes(phone, call).count(200)
        await asyncio.sleep(0.3)
        assert codes(phone, call).count(200) == count
        await call.bye()

    with_phone(work, transport=transport)


def test_an_answer_without_ack_ends_in_a_bye() -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        call = await phone.invite("600")
        bye = await call.ended_by_carrier()
        times = [at for _, at in received(phone, call, 200)]
        gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
        assert gaps[0] == pytest.approx(0.05, abs=0.04)
        assert max(gaps) < 0.4
        assert bye.call_id == call.invite.call_id

    with_phone(work, options=CarrierOptions(timing=msgspec.structs.replace(FAST, t1_s=0.03)))


def test_a_refusal_is_repeated_until_its_ack_on_udp_only() -> None:
    async def repeats(transport: str) -> int:
        async with (
            Carrier(accounts=ACCOUNTS, options=QUICK) as carrier,
            await Phone.open(carrier.udp_port, transport=transport) as phone,
        ):
            call = await phone.invite("486")
            response = await phone.final(call.invite)
            await asyncio.sleep(0.4)
            count = codes(phone, call).count(486)
            phone.send(phone.ack_refusal(call.invite, response))
            await asyncio.sleep(0.05)
            acknowledged = codes(phone, call).count(486)
            await asyncio.sleep(0.3)
            assert codes(phone, call).count(486) == acknowledged
            return count

    assert asyncio.run(repeats("udp")) >= 3
    assert asyncio.run(repeats("tcp")) == 1


def test_a_repeated_register_and_bye_get_the_same_answer_again() -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        call = await phone.call("600")
        bye = call.request("BYE")
        for _ in range(3):
            phone.send(bye)
        await until(lambda: len(phone.responses(bye)) == 3, "three answers")
        assert {r.status_code for r in phone.responses(bye)} == {200}

        request = phone.build("REGISTER", f"sip:{HOST}", to=f"<sip:1001@{HOST}>")
        for _ in range(3):
            phone.send(request)
        await until(lambda: len(phone.responses(request)) == 3, "three challenges")
        assert len({r.get_header("www-authenticate") for r in phone.responses(request)}) == 1

    with_phone(work)


def test_a_bye_of_the_carrier_is_repeated_until_it_is_answered() -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        call = await phone.call("605")
        await until(lambda: len(phone.requests("BYE")) >= 3, "repeated BYEs")
        assert len({b.via[0].branch for b in phone.requests("BYE")}) == 1
        await call.ended_by_carrier()
        await asyncio.sleep(0.05)
        count = len(phone.requests("BYE"))
        await asyncio.sleep(0.3)
        assert len(phone.requests("BYE")) == count

    with_phone(work)


def test_a_cancel_after_the_answer_leaves_the_call_up() -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        call = await phone.call("600")
        seq = call.invite.cseq.seq if call.invite.cseq else 0
        cancel = phone.build(
            "CANCEL",
            call.invite.uri,
            call_id=call.invite.call_id or "",
            cseq=seq,
            branch=call.invite.via[0].branch or "",
        )
        assert (await phone.ask(cancel)).status_code == 200
        assert carrier.calls_up == 1
        assert 487 not in codes(phone, call)
        assert (await call.bye()).status_code == 200

    with_phone(work)


class NoSockets:
    """Stands in for the carrier's sockets: nothing leaves."""

    def __init__(self) -> None:
        self.sent = 0

    def send(self, message: object, peer: Peer) -> bool:
        self.sent += 1
        return True


def test_a_flood_of_requests_is_forgotten_but_not_a_call_that_rings() -> None:
    """What is asked a second time was forgotten; what is not asked again is still known."""
    asked: list[str] = []

    def requested(request: Received, transaction: ServerTransaction | None) -> None:
        asked.append(request.head.call_id)
        assert transaction is not None
        if request.head.method == "OPTIONS":
            answer(transaction, 200)

    def message(method: str, number: int) -> Examined:
        return examine(
            f"{method} sip:600@{HOST} SIP/2.0\r\nVia: SIP/2.0/UDP {HOST}:9;branch=z9hG4bK{number}\r\n"
            f"From: <sip:1001@{HOST}>;tag=1\r\nTo: <sip:600@{HOST}>\r\nCall-ID: {number}\r\n"
            f"CSeq: 1 {method}\r\n\r\n".encode()
        )

    async def test() -> None:
        peer = Peer(Transport.UDP, HOST, 9)
        layer = TransactionLayer(cast("SipSockets", NoSockets()), FAST, requested, note=lambda _: None)
        layer.received(message("INVITE", 0), peer)
        for number in range(1, 2 * MOST_SERVERS):
            layer.received(message("OPTIONS", number), peer)
        asked.clear()
        for method, number in (("INVITE", 0), ("OPTIONS", 2 * MOST_SERVERS - 1), ("OPTIONS", 1)):
            layer.received(message(method, number), peer)
        assert asked == ["1"]
        layer.close()

    asyncio.run(test())
