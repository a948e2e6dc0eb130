"""The settings of a trunk as a real engine puts them on the wire, seen by a far end."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.errors import EngineError
from app.model.call import CallState, Source
from app.model.outcome import Audio, CallResult
from app.model.sound import dbm0
from app.model.trunk import Dtmf, FromHost, IdentityHeader, SignIn, Srtp, TrunkState, Use
from app.providers.schema import Media, Method
from app.sip.carrier.profile import profile_of
from app.sip.carrier.server import Carrier
from app.sip.engine.tones import pair_of
from app.sip.messages import PlaceCall
from app.sip.notices import CallProgress, TraceAdded
from app.sip.session import TrunkSession
from tests.carrier.providers import provider
from tests.engine.far_end import FarEnd, challenge, echoing, far_end, granted, listening
from tests.engine.waiting import until
from tests.helpers.sip_client import Message
from tests.helpers.trunks import Seen, call, make_trunk, session

PASSWORD = "canary-5f0c-kept-out-of-sight"
FROM, ASSERTED, PREFERRED, REMOTE = IdentityHeader
IDENTITY = ("P-Asserted-Identity", "P-Preferred-Identity", "Remote-Party-ID", "Privacy")
PUBLIC = "203.0.113.7"
RATE = 8000


def busy(request: Message) -> Sequence[str]:
    """Takes registrations and refuses calls."""
    if request.start_line.startswith("INVITE"):
        return ("486 Busy Here",)
    return () if request.start_line.startswith("ACK") else granted(request)


async def sent(number: str = "600", **changes: Any) -> FarEnd:
    """What a far end got from a trunk that signed in and placed a call, which was refused."""
    async with far_end(busy) as far, session(make_trunk(far.port, **changes), PASSWORD) as opened:
        await opened.connect()
        await call(opened, number)
        return far


def invite(**changes: Any) -> Message:
    """The INVITE of a trunk with these settings."""
    return asyncio.run(sent(**changes)).of("INVITE")[0]


@asynccontextmanager
async def talking(
    seen: Seen, sdp: Sequence[str], **changes: Any
) -> AsyncIterator[tuple[TrunkSession, str, FarEnd]]:
    """A call that the far end has answered, with its id."""

    def answer(request: Message) -> Sequence[str]:
        if request.start_line.startswith("INVITE"):
            contact = f"Contact: <sip:127.0.0.1:{far.port}>"
            return ("200 OK", contact, "Content-Type: application/sdp", "", *sdp)
        return busy(request)

    async with far_end(answer) as far, session(make_trunk(far.port, **changes), PASSWORD, seen) as opened:
        await opened.connect()
        call_id = await opened.place_call("600", max_seconds=20, ring_seconds=5, source=Source.SILENCE)
        await until(lambda: any(n.state is CallState.ANSWERED for n in seen.of(CallProgress)), "the answer")
        yield opened, call_id, far


# Who is calling


@pytest.mark.parametrize(
    ("headers", "user", "caller"),
    [
        ((FROM,), "1001", "+15145550100"),
        ((FROM, ASSERTED), "1001", "+15145550100"),
        ((ASSERTED,), "1001", "1001"),
        ((), "1001", "1001"),
        ((ASSERTED,), "", "+15145550100"),
    ],
)
def test_from_has_the_caller_id_when_it_belongs_there_and_else_the_user(
    headers: tuple[IdentityHeader, ...], user: str, caller: str
) -> None:
    sign_in = SignIn.REGISTER if user else SignIn.ADDRESS
    far = asyncio.run(sent(caller_id="+15145550100", caller_id_header=headers, user=user, sign_in=sign_in))
    assert far.of("INVITE")[0].one("From").startswith(f"<sip:{caller}@127.0.0.1>;tag=")
    assert all(request.one("From").startswith("<sip:1001@127.0.0.1>") for request in far.of("REGISTER"))


def test_each_identity_header_is_sent_when_it_is_in_the_list_and_only_then() -> None:
    number = "<sip:+15145550100@127.0.0.1>"
    wanted = {
        ASSERTED: {"P-Asserted-Identity": number},
        PREFERRED: {"P-Preferred-Identity": number},
        REMOTE: {"Remote-Party-ID": f"{number};party=calling;screen=yes;privacy=off"},
        FROM: {},
    }
    for header, expected in wanted.items():
        request = invite(caller_id="+15145550100", caller_id_header=(header,))
        assert {name: request.one(name) for name in IDENTITY if request.one(name)} == expected


def test_a_withheld_caller_id_asks_for_privacy_and_is_still_told_to_the_provider() -> None:
    request = invite(caller_id="+15145550100", caller_id_header=(ASSERTED, REMOTE), privacy=True)
    assert request.one("Privacy") == "id"
    assert request.one("P-Asserted-Identity") == "<sip:+15145550100@127.0.0.1>"
    assert request.one("Remote-Party-ID").endswith(";privacy=full")


def test_without_a_caller_id_the_identity_is_the_user() -> None:
    assert invite(caller_id_header=(ASSERTED,)).one("P-Asserted-Identity") == "<sip:1001@127.0.0.1>"


def test_a_trunk_known_by_its_address_sends_no_credentials_even_when_asked() -> None:
    def answer(request: Message) -> Sequence[str]:
        return challenge() if request.start_line.startswith("INVITE") else busy(request)

    async def run(sign_in: SignIn) -> list[str]:
        async with (
            far_end(answer) as far,
            session(make_trunk(far.port, sign_in=sign_in), PASSWORD) as opened,
        ):
            await opened.connect()
            outcome = await call(opened, "600")
            assert outcome.result is CallResult.WRONG_CREDENTIALS
            return [request.one("Authorization")[:6] for request in far.of("INVITE")]

    assert asyncio.run(run(SignIn.ADDRESS)) == [""]
    assert asyncio.run(run(SignIn.CREDENTIALS)) == ["", "Digest"]


# Media


@pytest.mark.parametrize(
    ("srtp", "profile", "keys"),
    [(Srtp.OFF, "RTP/AVP", False), (Srtp.OFFER, "RTP/AVP", True), (Srtp.REQUIRE, "RTP/SAVP", True)],
)
def test_the_offer_has_keys_and_profile_as_srtp_says(srtp: Srtp, profile: str, keys: bool) -> None:
    body = invite(srtp=srtp).body
    (audio,) = [line for line in body.splitlines() if line.startswith("m=audio")]
    assert audio.split()[2] == profile
    assert ("a=crypto:" in body) is keys
    assert "fingerprint" not in body


def test_offered_srtp_can_be_left_out_by_who_answers() -> None:
    plain = profile_of(provider(Method.REGISTER, media=Media(srtp=Srtp.OFF)))

    async def run() -> None:
        async with (
            Carrier(accounts={"1001": PASSWORD}, profile=plain) as carrier,
            session(make_trunk(carrier.udp_port, srtp=Srtp.OFFER), PASSWORD) as opened,
        ):
            await opened.connect()
            outcome = await call(opened, "600")
            assert (outcome.audio, outcome.heard) == (Audio.TWO_WAY, True)

    asyncio.run(run())


def test_two_engines_talk_in_srtp() -> None:
    caller_seen, called_seen = Seen(), Seen()

    async def run() -> None:
        async with (
            far_end(busy) as far,
            session(make_trunk(far.port, srtp=Srtp.REQUIRE), PASSWORD, called_seen) as called,
        ):
            await called.connect()
            found = re.search(r"@127\.0\.0\.1:(\d+)", far.of("REGISTER")[0].one("Contact"))
            assert found
            port = int(found[1])
            trunk = make_trunk(port, srtp=Srtp.REQUIRE, sign_in=SignIn.ADDRESS)
            async with session(trunk, "", caller_seen) as calling:
                await calling.connect()
                outgoing = await calling.place_call("1001", max_seconds=2, ring_seconds=5, source=Source.TONE)
                (incoming,) = await until(
                    lambda: [n for n in called_seen.of(CallProgress) if n.state is CallState.INCOMING],
                    "the call",
                )
                await called.control.answer(incoming.call_id, max_seconds=10, source=Source.TONE)
                for outcome in (await calling.wait_call(outgoing), await called.wait_call(incoming.call_id)):
                    assert (outcome.audio, outcome.heard) == (Audio.TWO_WAY, True)

    asyncio.run(run())
    answers = [n.message.text for n in caller_seen.of(TraceAdded) if n.message.text.startswith("SIP/2.0 200")]
    assert any("RTP/SAVP" in text and "a=crypto:" in text for text in answers)


def test_a_public_address_is_in_via_contact_and_sdp() -> None:
    far = asyncio.run(sent(public_address=PUBLIC))
    for request in (far.of("REGISTER")[0], far.of("INVITE")[0]):
        assert f" {PUBLIC}:" in request.one("Via")
        assert f"@{PUBLIC}:" in request.one("Contact")
    assert f"c=IN IP4 {PUBLIC}" in far.of("INVITE")[0].body


@pytest.mark.parametrize("headers", [(FROM,), (ASSERTED,)])
def test_from_of_a_call_has_the_public_address_where_the_provider_wants_it(
    headers: tuple[IdentityHeader, ...],
) -> None:
    far = asyncio.run(
        sent(
            public_address=PUBLIC,
            from_host=FromHost.PUBLIC_ADDRESS,
            caller_id="+15145550100",
            caller_id_header=headers,
        )
    )
    caller = "+15145550100" if FROM in headers else "1001"
    for request in far.of("INVITE"):
        assert request.one("From").startswith(f"<sip:{caller}@{PUBLIC}>;tag=")
        assert request.one("To") == "sip:600@127.0.0.1"
        assert "@127.0.0.1" in (request.one("P-Asserted-Identity") or "@127.0.0.1")
    assert all(request.one("From").startswith("<sip:1001@127.0.0.1>") for request in far.of("REGISTER"))


def test_from_has_the_providers_host_while_there_is_no_public_address() -> None:
    assert "@127.0.0.1>" in invite(from_host=FromHost.PUBLIC_ADDRESS).one("From")


def test_without_a_public_address_it_is_this_computers_own() -> None:
    request = invite()
    assert "@127.0.0.1:" in request.one("Contact")
    assert "c=IN IP4 127.0.0.1" in request.body


# Extensions


@pytest.mark.parametrize("use", Use)
def test_session_timers_are_offered_as_the_setting_says(use: Use) -> None:
    request = invite(session_timer=use, session_expires=600)
    assert ("timer" in request.one("Supported")) is (use is not Use.OFF)
    assert ("timer" in request.one("Require")) is (use is Use.REQUIRED)
    if use is Use.OFF:
        assert request.one("Session-Expires") == ""
    else:
        assert request.one("Session-Expires").split(";")[0] == "600"
        assert request.one("Min-SE") == "90"


@pytest.mark.parametrize("use", Use)
def test_prack_is_offered_as_the_setting_says(use: Use) -> None:
    request = invite(prack=use)
    if use is Use.SUPPORTED:
        assert "100rel" in request.one("Supported")
    assert ("100rel" in request.one("Require")) is (use is Use.REQUIRED)


def test_a_reliable_ringing_is_acknowledged_with_prack() -> None:
    async def run() -> None:
        def answer(request: Message) -> Sequence[str]:
            if request.start_line.startswith("INVITE"):
                contact = f"Contact: <sip:127.0.0.1:{far.port}>"
                return ("180 Ringing", contact, "Require: 100rel", "RSeq: 17")
            return busy(request)

        async with (
            far_end(answer) as far,
            session(make_trunk(far.port, prack=Use.SUPPORTED), PASSWORD) as opened,
        ):
            await opened.connect()
            await opened.place_call("600", max_seconds=5, ring_seconds=20, source=Source.TONE)
            (prack,) = await until(lambda: far.of("PRACK"), "the PRACK")
            cseq = far.of("INVITE")[0].one("CSeq").split()[0]
            assert prack.one("RAck") == f"17 {cseq} INVITE"

    asyncio.run(run())


# Digits


def test_digits_go_out_by_info() -> None:
    async def run() -> None:
        async with echoing() as sdp, talking(Seen(), sdp, dtmf=Dtmf.INFO) as (opened, call_id, far):
            await opened.control.send_digits(call_id, "4#")
            infos = await until(lambda: far.of("INFO")[1:] and far.of("INFO"), "two INFO")
            assert infos[0].one("Content-Type") == "application/dtmf-relay"
            assert [info.body.split()[0] for info in infos] == ["Signal=4", "Signal=#"]

    asyncio.run(run())


def test_digits_go_out_as_tones_that_a_receiver_can_read() -> None:
    async def run() -> list[int]:
        async with (
            listening() as (sdp, samples),
            talking(Seen(), sdp, dtmf=Dtmf.INBAND) as (opened, call_id, far),
        ):
            await opened.control.send_digits(call_id, "159D")
            await until(lambda: _loudness(samples[-RATE // 10 :]) > -60, "the tones")
            await until(lambda: len(samples) > 100 and _loudness(samples[-RATE * 3 // 10 :]) < -60, "quiet")
            assert not far.of("INFO")
            return list(samples)

    samples = asyncio.run(run())
    assert _read_tones(samples) == "159D"
    loudest = max(_loudness(samples[start : start + 400]) for start in range(0, len(samples), 400))
    assert loudest == pytest.approx(-7, abs=0.7)


def test_a_character_that_is_no_digit_is_refused_as_a_tone() -> None:
    async def run() -> None:
        async with echoing() as sdp, talking(Seen(), sdp, dtmf=Dtmf.INBAND) as (opened, call_id, _):
            with pytest.raises(EngineError, match="Only 0 to 9"):
                await opened.control.send_digits(call_id, "1x")

    asyncio.run(run())


def _loudness(samples: Sequence[int]) -> float:
    power = sum(value * value for value in samples) / len(samples) if samples else 0.0
    level = dbm0(math.sqrt(power))
    return -99.0 if level is None else level


def _strength(samples: Sequence[int], hertz: int) -> float:
    """Power at one frequency, by Goertzel's recursion."""
    turn = 2 * math.cos(2 * math.pi * hertz / RATE)
    one = two = 0.0
    for value in samples:
        one, two = value + turn * one - two, one
    return one * one + two * two - turn * one * two


def _strongest(block: Sequence[int]) -> str:
    return max("123A456B789C*0#D", key=lambda key: min(_strength(block, hertz) for hertz in pair_of(key)))


def _read_tones(samples: Sequence[int]) -> str:
    """The digits in the sound: in blocks of 20 ms the digit whose two tones are the strongest."""
    found = ""
    former = " "
    for start in range(0, len(samples) - 160, 160):
        block = samples[start : start + 160]
        digit = " "
        if _loudness(block) > -15:
            digit = _strongest(block)
        if digit not in (former, " "):
            found += digit
        former = digit
    return found


# Keeping the way open


def test_keep_alives_are_sent_as_often_as_asked_and_not_at_all_for_0() -> None:
    async def run() -> None:
        async with (
            far_end(busy) as often,
            far_end(busy) as never,
            session(make_trunk(often.port, keep_alive=1), PASSWORD) as first,
            session(make_trunk(never.port, keep_alive=0), PASSWORD) as second,
        ):
            assert (await second.connect()).state is TrunkState.REGISTERED
            await first.connect()
            await until(lambda: often.keep_alives >= 2, "two keep-alives")
            assert never.keep_alives == 0

    asyncio.run(run())


# Numbers that are never dialled


@pytest.mark.parametrize(
    ("user", "country", "prefixes"),
    [
        ("12345678*911", "US", ("12345678*", "12345678")),
        ("12345678911", "", ("12345678*", "12345678")),
        ("555%23112", "", ("555#", "555")),
        ("101", "GB", ()),
    ],
)
def test_the_engine_refuses_an_emergency_number_behind_the_trunks_prefix_and_in_its_country(
    user: str, country: str, prefixes: tuple[str, ...]
) -> None:
    def order(**fields: Any) -> PlaceCall:
        return PlaceCall(call_id=f"x{len(fields)}", user=user, max_seconds=5, ring_seconds=5, **fields)

    async def run() -> None:
        async with far_end(busy) as far, session(make_trunk(far.port), PASSWORD) as opened:
            await opened.connect()
            engine = opened._connected_engine()
            with pytest.raises(EngineError, match="never dials"):
                await engine.request(order(country=country, prefixes=prefixes))
            assert not far.of("INVITE")
            # What it is refused for is the prefix, or the country
            await engine.request(order())
            await until(lambda: far.of("INVITE"), "the INVITE")

    asyncio.run(run())
