"""Calls as dialogs: hold, limits, repeats, refusals, and calls between users."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from aiosipua import SipRequest, parse_sdp

from app.sip.carrier.messages import CarrierOptions
from app.sip.carrier.server import Carrier
from tests.carrier.ear import sdp
from tests.carrier.phone import ACCOUNTS, FAST, HOST, QUICK, Call, Phone, received, until
from tests.carrier.test_numbers import codes, open_phone, run, with_phone

TRANSPORTS = pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])


# Offers


def test_the_offerers_first_known_codec_is_chosen_and_other_media_refused() -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        offer = sdp(phone.ear.port, types="18 8 0 9 101", more="m=video 4000 RTP/AVP 31")
        call = await phone.call("600", body=offer)
        audio, video = call.description.media
        assert audio.formats == ["8", "101"]
        assert audio.attributes["fmtp"] == ["101 0-15"]
        assert (video.media, video.port) == ("video", 0)
        await call.bye()

    with_phone(work)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (sdp(4000, types="18 3"), 488),
        (sdp(4000, proto="RTP/SAVP"), 488),
        (sdp(0), 488),
        (sdp(4000, address="192.0.2.1"), 488),
        (sdp(4000, address="localhost.example"), 488),
        (sdp(4000, more="a=rtcp:4001 IN IP4 192.0.2.1").replace("a=rtcp:4000\r\n", ""), 488),
        (sdp(4000).replace("m=audio", "m=image"), 488),
        (sdp(4000).replace("c=IN IP4 127.0.0.1\r\n", ""), 400),
        (sdp(4000).replace("m=audio 4000", "m=audio x"), 400),
        (sdp(70_000), 400),
        ("nonsense", 400),
    ],
)
def test_an_offer_that_cant_be_used_is_refused_with_a_warning(body: str, code: int) -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        response = await phone.refused("600", body=body)
        assert response.status_code == code
        assert (response.get_header("warning") or "").startswith(f'399 {HOST} "')

    with_phone(work)


@pytest.mark.parametrize(
    ("contact", "code"),
    [
        ("<sip:1001@192.0.2.1>", 403),
        ("<sip:1001@example.com>", 403),
        ("<sip:1001@127.0.0.1:0>", 403),
        ("<sip:a@127.0.0.1>, <sip:b@127.0.0.1>", 400),
    ],
)
def test_a_contact_that_cant_be_used_is_refused(contact: str, code: int) -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        call = await phone.invite("600", contact=contact)
        response = await phone.final(call.invite)
        assert response.status_code == code

    with_phone(work)


def test_another_body_than_sdp_is_refused() -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        def build(more: tuple[tuple[str, str], ...]) -> SipRequest:
            headers = (("Contact", phone.contact), *more)
            request = phone.build("INVITE", f"sip:600@{HOST}", headers=headers, body="<x/>")
            request.headers.set_single("Content-Type", "application/xml")
            return request

        _, response = await phone.ask_with_digest(build)
        assert (response.status_code, response.get_header("accept")) == (415, "application/sdp")

    with_phone(work)


def test_an_invite_without_an_offer_gets_one_and_the_ack_answers_it() -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        call = await phone.invite("601", body="")
        response = await phone.final(call.invite)
        call.learn(response)
        assert call.description.audio.formats == ["0", "8", "9", "101"]
        call.ack(response, body=sdp(phone.ear.port, types="8"))
        await until(lambda: phone.ear.packets, "the tone")
        assert phone.ear.packets[0].payload_type == 8
        await call.bye()

    with_phone(work)


# Changes in a call


@TRANSPORTS
def test_hold_and_resume_stop_and_start_what_the_carrier_sends(transport: str) -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        call = await phone.call("601")
        ear = phone.ear
        versions = [int(call.description.origin.session_version)]

        async def change(direction: str, *, address: str = HOST) -> str:
            version = len(versions) + 1
            body = sdp(ear.port, direction=direction, version=version, address=address)
            request = call.request("INVITE", body=body)
            response = await phone.ask(request)
            assert response.status_code == 200
            call.ack(response)
            versions.append(int(call.description.origin.session_version))
            return str(call.description.audio.direction)

        async def hears() -> bool:
            """Whether audio comes within ten frames."""
            await asyncio.sleep(0.02)  # what is on its way
            before = len(ear.packets)
            await asyncio.sleep(0.2)
            return len(ear.packets) > before

        assert await hears()
        assert await change("sendonly") == "recvonly"
        assert not await hears()
        assert await change("inactive") == "inactive"
        assert not await hears()
        assert await change("recvonly") == "sendonly"
        assert await hears()
        assert await change("sendrecv", address="0.0.0.0") == "recvonly"
        assert not await hears()
        assert await change("sendrecv") == "sendrecv"
        assert await hears()
        assert versions == list(range(1, 7))
        await call.bye()

    with_phone(work, transport=transport)


def test_a_refused_change_leaves_the_call_as_it_was() -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        call = await phone.call("601")
        for body in (sdp(phone.ear.port, types="18"), sdp(4000, address="192.0.2.1")):
            response = await phone.ask(call.request("INVITE", body=body))
            assert response.status_code == 488
        heard = len(phone.ear.packets)
        await until(lambda: len(phone.ear.packets) > heard + 5, "the tone")
        assert (await call.bye()).status_code == 200

    with_phone(work)


def test_other_requests_in_a_call_are_answered() -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        call = await phone.call("600")
        assert (await phone.ask(call.request("OPTIONS"))).status_code == 200
        assert (await phone.ask(call.request("UPDATE"))).status_code == 200
        held = await phone.ask(call.request("UPDATE", body=sdp(phone.ear.port, direction="sendonly")))
        assert parse_sdp(held.text).audio.direction == "recvonly"  # type: ignore[union-attr]  # it has audio
        info = await phone.ask(call.request("INFO"))
        assert (info.status_code, "INFO" in (info.get_header("allow") or "")) == (405, False)
        assert (await phone.ask(call.request("BYE", cseq=1))).status_code == 500
        phone.cseq = 20
        assert (await call.bye()).status_code == 200
        assert (await call.bye()).status_code == 481

    with_phone(work)


@pytest.mark.parametrize("method", ["BYE", "UPDATE", "CANCEL", "INVITE", "INFO"])
def test_a_request_for_no_known_dialog_does_not_exist(method: str) -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        request = phone.build(method, f"sip:600@{HOST}", to=f"<sip:600@{HOST}>;tag=none")
        assert (await phone.ask(request)).status_code == 481

    with_phone(work)


def test_options_unknown_methods_and_extensions_are_answered() -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        response = await phone.ask(phone.build("OPTIONS", f"sip:{HOST}"))
        assert response.status_code == 200
        assert "INVITE" in (response.get_header("allow") or "")
        assert (await phone.ask(phone.build("PUBLISH", f"sip:{HOST}"))).status_code == 405
        request = phone.build("OPTIONS", f"sip:{HOST}", headers=(("Require", "100rel, foo"),))
        response = await phone.ask(request)
        assert (response.status_code, response.get_header_values("unsupported")) == (420, ["100rel", "foo"])

    with_phone(work)


def test_on_tcp_the_answer_does_not_wait_for_the_peers_acknowledgement() -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        waits = []
        for _ in range(5):
            call = await phone.call("600")
            waits.append(received(phone, call, 200)[0][1] - received(phone, call, 100)[0][1])
            await call.bye()
        assert min(waits) < 0.02

    with_phone(work, transport="tcp")


# Who may call, and how often


def test_a_call_with_a_wrong_password_is_challenged_again() -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        phone.password = "not it"
        assert (await phone.refused("600")).status_code == 407
        phone.user = "nobody"
        assert (await phone.refused("600")).status_code == 403

    with_phone(work)


def test_one_call_more_than_channels_is_refused_until_one_ends() -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        calls = [await phone.call("600"), await phone.call("600")]
        response = await phone.refused("600")
        assert (response.status_code, response.reason_phrase) == (503, "Channel limit reached")
        assert "cause=34" in (response.get_header("reason") or "")
        async with await Phone.open(carrier.udp_port, user="1002") as other:
            await (await other.call("600")).bye()
        await calls.pop().bye()
        calls.append(await phone.call("600"))
        for call in calls:
            await call.bye()

    with_phone(work, options=CarrierOptions(channels=2, timing=FAST))


def test_a_call_ends_at_the_longest_time_and_when_nothing_is_heard() -> None:
    async def ends(why: str, **times: float) -> None:
        notes: list[str] = []
        options = CarrierOptions(timing=msgspec.structs.replace(FAST, **times))
        async with (
            Carrier(accounts=ACCOUNTS, options=options, note=notes.append) as carrier,
            await Phone.open(carrier.udp_port) as phone,
        ):
            await (await phone.call("600")).ended_by_carrier()
            assert why in notes[-1]

    run(ends("longest time", call_limit_s=0.2))
    run(ends("nothing came", media_timeout_s=0.2))


# Routes


def test_record_route_is_copied_and_followed() -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        async with await Phone.open(carrier.udp_port) as proxy:
            routes = [f"<sip:{HOST}:{proxy.port};lr>", f"<sip:{HOST}:1;lr>"]

            def build(more: tuple[tuple[str, str], ...]) -> SipRequest:
                headers = (("Contact", phone.contact), *(("Record-Route", r) for r in routes), *more)
                return phone.build("INVITE", f"sip:605@{HOST}", headers=headers, body=sdp(phone.ear.port))

            invite, response = await phone.ask_with_digest(build)
            assert response.get_header_values("record-route") == routes
            Call(phone, invite).ack(response)
            bye = (await until(lambda: proxy.requests("BYE"), "the BYE at the proxy"))[0]
            assert bye.get_header_values("route") == routes
            assert bye.uri == phone.contact.strip("<>")
            proxy.answer(bye, 200)

    with_phone(work)


# Between users


@pytest.mark.parametrize("callee_transport", ["udp", "tcp", "tls"])
def test_users_call_each_other_with_audio_both_ways(callee_transport: str) -> None:
    async def work(carrier: Carrier, caller: Phone) -> None:
        async with await open_phone(carrier, callee_transport, user="1002") as callee:
            await callee.register()
            call = await caller.invite("1002", body=sdp(caller.ear.port, types="0 8 101"))
            invite = (await until(lambda: callee.requests("INVITE"), "the call"))[0]
            assert invite.from_addr is not None
            assert invite.from_addr.uri.user == "1001"
            callee.answer(invite, 180)
            await until(lambda: 180 in codes(caller, call), "ringing")
            callee.answer(invite, 200, body=sdp(callee.ear.port, types="8 101"))
            response = await caller.final(call.invite)
            call.ack(response)
            assert call.description.audio.formats == ["8", "101"]
            far = parse_sdp(invite.text).audio
            assert far is not None
            await until(lambda: callee.requests("ACK"), "the ACK")
            caller.ear.send(call.rtp_port, b"a" * 160, payload_type=8)
            callee.ear.send(far.port, b"b" * 160, payload_type=8)
            heard = await until(lambda: callee.ear.packets and caller.ear.packets, "audio both ways")
            assert heard[0].payload == b"b" * 160
            assert callee.ear.packets[0].payload == b"a" * 160
            await call.bye()
            bye = (await until(lambda: callee.requests("BYE"), "the BYE"))[0]
            callee.answer(bye, 200)

    with_phone(work)


def test_a_user_who_refuses_is_told_to_the_caller_and_a_cancel_to_the_user() -> None:
    async def work(carrier: Carrier, caller: Phone) -> None:
        async with await Phone.open(carrier.udp_port, user="1002") as callee:
            await callee.register()
            call = await caller.invite("1002")
            invite = (await until(lambda: callee.requests("INVITE"), "the call"))[0]
            callee.answer(invite, 603, "No thanks")
            response = await caller.final(call.invite)
            assert (response.status_code, response.reason_phrase) == (603, "No thanks")
            caller.send(caller.ack_refusal(call.invite, response))

            call = await caller.invite("1002")
            await until(lambda: len(callee.requests("INVITE")) > 1, "the second call")
            invite = callee.requests("INVITE")[-1]
            callee.answer(invite, 180)
            await until(lambda: 180 in codes(caller, call), "ringing")
            assert (await call.cancel()).status_code == 487
            cancel = (await until(lambda: callee.requests("CANCEL"), "the CANCEL"))[0]
            callee.answer(cancel, 200)
            callee.answer(invite, 487)
            await until(lambda: len(callee.requests("ACK")) >= 2, "the ACK")

    with_phone(work)


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_a_contact_whose_connection_is_gone_is_not_reached(transport: str) -> None:
    async def work(carrier: Carrier, caller: Phone) -> None:
        async with await open_phone(carrier, transport, user="1002") as callee:
            await callee.register()
        assert carrier.is_registered("1002")
        assert (await caller.refused("1002")).status_code == 503

    with_phone(work)


# The end


def test_a_carrier_that_stops_says_goodbye_to_every_call() -> None:
    async def test() -> None:
        carrier = await Carrier(accounts=ACCOUNTS, options=QUICK).__aenter__()
        async with await Phone.open(carrier.udp_port) as phone:
            up = await phone.call("600")
            ringing = await phone.invite("408")
            await until(lambda: 180 in codes(phone, ringing), "ringing")
            stopping = asyncio.create_task(carrier.__aexit__(None, None, None))
            await up.ended_by_carrier()
            assert (await phone.final(ringing.invite)).status_code == 480
            await stopping

    asyncio.run(test())
