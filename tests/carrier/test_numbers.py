"""Every number that the carrier serves, called over UDP, TCP and TLS."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import Coroutine
from typing import Any

import pytest
from aiortp import DtmfEvent, RtpPacket, get_codec
from msgspec.structs import replace

from app.sip.carrier import by_hand, sound
from app.sip.carrier.offers import CODECS
from app.sip.carrier.scenarios import NUMBERS
from app.sip.carrier.server import Carrier
from app.sip.emergency import countries, find
from tests.carrier.ear import sdp
from tests.carrier.phone import ACCOUNTS, QUICK, Call, Phone, until


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(test)


async def open_phone(carrier: Carrier, transport: str, **more: Any) -> Phone:
    """A phone that reaches this carrier over this transport."""
    port = carrier.tls_port if transport == "tls" else carrier.udp_port
    return await Phone.open(port, transport=transport, ca_pem=carrier.ca_pem, **more)


def with_phone(work: Any, *, transport: str = "udp", options: Any = QUICK) -> None:
    """Run `work(carrier, phone)` and see that the carrier has no call left."""

    async def test() -> None:
        async with (
            Carrier(accounts=ACCOUNTS, options=replace(options, tls=True)) as carrier,
            await open_phone(carrier, transport) as phone,
        ):
            await work(carrier, phone)
            await until(lambda: carrier.calls_up == 0, "all calls to be over")

    run(test())


def test_the_table_has_each_number_once_and_words_for_people() -> None:
    numbers = [number.public for number in NUMBERS]
    assert len({n.number for n in numbers}) == len(numbers)
    for number in numbers:
        assert number.number.isdigit()
        assert number.title
        assert number.what_happens.endswith(".")


def test_no_number_is_one_that_the_dial_guard_refuses() -> None:
    numbers = [number.public.number for number in NUMBERS] + list(by_hand.ACCOUNTS)
    for number, country in itertools.product(numbers, ("", *(c.code for c in countries()))):
        assert find(number, country) is None, (number, country)


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_echo_sends_every_packet_back_untouched(transport: str) -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        call = await phone.call("600")
        ear = phone.ear
        sent = [
            ear.send(call.rtp_port, bytes([n]) * 160, payload_type=t, marker=int(n == 0))
            for n, t in enumerate([0] * 20 + [101] + [0] * 5)
        ]
        await until(lambda: len(ear.packets) == len(sent), "the echo")
        for out, back in zip(sent, ear.packets, strict=True):
            assert back.payload == out.payload
            assert (back.payload_type, back.marker, back.timestamp) == (
                out.payload_type,
                out.marker,
                out.timestamp,
            )
        numbers = [packet.sequence_number for packet in ear.packets]
        assert numbers == [(numbers[0] + n) & 0xFFFF for n in range(len(numbers))]
        assert {packet.ssrc for packet in ear.packets} != {ear.ssrc}
        assert (await call.bye()).status_code == 200

    with_phone(work, transport=transport)


@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
def test_the_tone_is_1004_hz_at_minus_10_dbm0(codec: str) -> None:
    samples = decoded(codec, sound.tone(codec))
    peak = amplitude(samples, 1004)
    level = 20 * math.log10(peak / 32_636) + 3.17
    assert level == pytest.approx(-10, abs=0.1)
    power = sum(x * x for x in samples) / len(samples)
    assert power == pytest.approx(peak * peak / 2, rel=0.01)


@pytest.mark.parametrize("codec", list(CODECS))
@pytest.mark.parametrize(("number", "frames"), [("601", sound.tone), ("602", sound.speech)])
def test_tone_and_speech_are_played_in_the_codec_offered_first(codec: str, number: str, frames: Any) -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        others = [str(n) for name, n in CODECS.items() if name != codec]
        call = await phone.call(
            number, body=sdp(phone.ear.port, types=" ".join([str(CODECS[codec]), *others]))
        )
        audio = call.description.audio
        assert audio.formats == [str(CODECS[codec])]
        assert audio.codecs[0].encoding_name == codec
        await until(lambda: len(phone.ear.packets) >= 15, "audio")
        packets = phone.ear.packets[:15]
        assert [p.payload for p in packets] == list(itertools.islice(frames(codec), 15))
        assert [p.marker for p in packets] == [1] + [0] * 14
        stamps = [(p.timestamp - packets[0].timestamp) & 0xFFFFFFFF for p in packets]
        assert stamps == [160 * n for n in range(15)]
        await call.bye()

    with_phone(work)


def test_audio_comes_every_20_ms_without_drift() -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        call = await phone.call("601")
        await until(lambda: len(phone.ear.arrivals) >= 75, "a second and a half of audio")
        arrivals = phone.ear.arrivals
        # The mean over the whole time: single packets may be late on a busy machine, their clock not
        assert (arrivals[74] - arrivals[0]) / 74 == pytest.approx(0.02, abs=0.001)
        await call.bye()

    with_phone(work)


REFUSALS = [
    ("486", "Busy Here", "Q.850;cause=17", None),
    ("404", "Not Found", "Q.850;cause=1;", None),
    ("403", "Destination not allowed on this account", "Q.850;cause=21", None),
    ("503", "Service Unavailable", "Q.850;cause=41", "30"),
]


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
@pytest.mark.parametrize(("number", "reason", "cause", "retry_after"), REFUSALS)
def test_refusing_numbers_refuse_with_their_reason(
    number: str, reason: str, cause: str, retry_after: str | None, transport: str
) -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        response = await phone.refused(number)
        assert (response.status_code, response.reason_phrase) == (int(number), reason)
        assert (response.get_header("reason") or "").startswith(cause)
        assert response.get_header("retry-after") == retry_after

    with_phone(work, transport=transport)


def test_a_number_that_nobody_serves_is_not_found() -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        for number in ("699", "0043720", "a%20b", "1002"):
            assert (await phone.refused(number)).status_code == 404

    with_phone(work)


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_no_answer_rings_until_cancelled(transport: str) -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        call = await phone.invite("408")
        await until(lambda: 180 in codes(phone, call), "ringing")
        assert (await call.cancel()).status_code == 487
        assert codes(phone, call) == [100, 180, 487]

    with_phone(work, transport=transport)


def test_no_answer_gives_up_at_its_own_limit() -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        response = await phone.refused("408")
        assert response.status_code == 480
        assert "cause=19" in (response.get_header("reason") or "")

    with_phone(work)


def test_early_media_plays_a_tone_and_then_refuses() -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        call = await phone.invite("480")
        response = await phone.final(call.invite)
        phone.send(phone.ack_refusal(call.invite, response))
        assert codes(phone, call) == [100, 183, 480]
        assert "cause=18" in (response.get_header("reason") or "")
        progress = next(r for r in phone.responses(call.invite) if r.status_code == 183)
        call.learn(progress)
        assert call.description.audio.port % 2 == 0
        assert [p.payload for p in phone.ear.packets[:3]] == list(sound.tone("PCMU")[:3])

    with_phone(work)


def test_the_late_answer_rings_first_and_then_echoes() -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        call = await phone.call("604")
        assert codes(phone, call) == [100, 180, 200]
        at = {r.status_code: t for r, t in zip(phone.received, phone.at, strict=True)}
        assert at[200] - at[180] >= 0.19
        phone.ear.send(call.rtp_port, b"x" * 160)
        await until(lambda: phone.ear.packets, "the echo")
        await call.bye()

    with_phone(work)


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_the_carrier_hangs_up_by_itself(transport: str) -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        call = await phone.call("605")
        bye = await call.ended_by_carrier()
        assert bye.call_id == call.invite.call_id
        assert bye.uri == phone.contact.strip("<>")

    with_phone(work, transport=transport)


def test_digits_are_read_back_after_a_hash_and_after_a_pause() -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        call = await phone.call("606")
        await until(lambda: phone.ear.packets, "silence")
        assert phone.ear.packets[0].payload == b"\xff" * 160
        dial(phone, call, "19*A#")
        await until(lambda: digits(phone) == "19*A#", "the digits")
        dial(phone, call, "05")
        await until(lambda: digits(phone) == "19*A#05", "the digits after a pause")

        def events() -> list[RtpPacket]:
            return [p for p in phone.ear.packets if p.payload_type == 101]

        await until(lambda: len(events()) >= 7 * 8, "all packets of the digits")
        for _, group in itertools.groupby(events(), lambda p: p.timestamp):
            packets = list(group)
            parsed = [DtmfEvent.parse(p.payload) for p in packets]
            assert [p.marker for p in packets] == [1] + [0] * (len(packets) - 1)
            assert [e.end for e in parsed] == [False] * 5 + [True] * 3
            assert [e.duration for e in parsed] == [160, 320, 480, 640, 800, 960, 960, 960]
        await call.bye()

    with_phone(work)


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_the_carrier_calls_back_and_echoes(transport: str) -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        await phone.register()
        call = await phone.call("607")
        await call.ended_by_carrier()
        invite = (await until(lambda: phone.requests("INVITE"), "the call back"))[0]
        assert invite.uri == phone.contact.strip("<>")
        assert invite.from_addr is not None
        assert invite.from_addr.uri.user == "607"
        phone.answer(invite, 180)
        phone.answer(invite, 200, body=sdp(phone.ear.port, types="8 101"))
        await until(lambda: phone.requests("ACK"), "the ACK")
        back = Call(phone, invite)
        back.learn(invite)
        phone.ear.send(back.rtp_port, b"y" * 160, payload_type=8)
        await until(lambda: [p for p in phone.ear.packets if p.payload == b"y" * 160], "the echo")
        bye = phone.build(
            "BYE",
            (invite.get_header("contact") or "").strip("<>"),
            to=invite.get_header("from") or "",
            call_id=invite.call_id or "",
        )
        bye.headers.set_single("From", f"{invite.get_header('to')};tag={phone.tag}")
        assert (await phone.ask(bye)).status_code == 200

    with_phone(work, transport=transport)


def test_a_call_back_that_nobody_answers_is_cancelled() -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        await phone.register()
        call = await phone.call("607")
        await call.ended_by_carrier()
        invite = (await until(lambda: phone.requests("INVITE"), "the call back"))[0]
        phone.answer(invite, 180)
        cancel = (await until(lambda: phone.requests("CANCEL"), "the CANCEL"))[0]
        assert cancel.via[0].branch == invite.via[0].branch
        phone.answer(cancel, 200)
        phone.answer(invite, 487, "Request Terminated")
        ack = (await until(lambda: phone.requests("ACK"), "the ACK"))[0]
        assert ack.cseq == invite.cseq.__class__(seq=1, method="ACK")

    with_phone(work)


def test_a_call_back_to_a_silent_phone_is_repeated_and_given_up() -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        await phone.register()
        call = await phone.call("607")
        await call.ended_by_carrier()
        await until(lambda: len(phone.requests("INVITE")) >= 3, "repeated INVITEs")
        assert len({i.via[0].branch for i in phone.requests("INVITE")}) == 1
        await until(lambda: carrier.calls_up == 0, "the call to be given up")

    with_phone(work)


def test_without_a_registration_nobody_is_called_back() -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        response = await phone.refused("607")
        assert response.status_code == 480
        assert "Not registered" in response.reason_phrase

    with_phone(work)


def codes(phone: Phone, call: Call) -> list[int]:
    """Status codes of the call's last INVITE."""
    return [r.status_code for r in phone.responses(call.invite)]


def decoded(codec: str, frames: sound.Frames) -> list[int]:
    """Samples of the frames."""
    data = memoryview(get_codec(CODECS[codec]).decode(b"".join(frames))).cast("h")
    return list(data)


def amplitude(samples: list[int], hz: float) -> float:
    """Amplitude of one frequency, by a discrete Fourier transform at it."""
    angle = [2 * math.pi * hz * n / sound.RATE for n in range(len(samples))]
    real = sum(x * math.cos(a) for x, a in zip(samples, angle, strict=True))
    imaginary = sum(x * math.sin(a) for x, a in zip(samples, angle, strict=True))
    return 2 * math.hypot(real, imaginary) / len(samples)


def dial(phone: Phone, call: Call, keys: str) -> None:
    """Send keys as telephone events, three packets each, the last one twice as senders do."""
    for key in keys:
        stamp = phone.ear.timestamp
        for n, end in ((1, False), (2, True), (2, True)):
            event = DtmfEvent("0123456789*#ABCD".index(key), end, 10, n * 160)
            phone.ear.timestamp = stamp
            phone.ear.send(call.rtp_port, event.serialize(), payload_type=101, marker=int(n == 1))
        phone.ear.timestamp = stamp + 800


def digits(phone: Phone) -> str:
    """Keys that came in, by the ends of their events."""
    found = {
        p.timestamp: DtmfEvent.parse(p.payload).digit
        for p in phone.ear.packets
        if p.payload_type == 101 and DtmfEvent.parse(p.payload).end
    }
    return "".join(found.values())
