"""One trunk's session with a real engine against the demo carrier."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.errors import CallRefusedError, EngineError, UserError
from app.model.call import CallState, Source
from app.model.outcome import AnsweredBy, Audio, CallResult, HungUpBy, LocalCause
from app.model.trunk import SignIn, Transport, TrunkState
from app.sip.carrier.messages import Algorithm, CarrierOptions, Timing
from app.sip.carrier.server import Carrier
from app.sip.notices import CallDigit, CallMeters, CallProgress, TraceAdded
from app.sip.session import TrunkSession
from tests.engine.waiting import until
from tests.helpers.trunks import Seen, call, call_until_echo, make_trunk, session

MD5, SHA_256 = Algorithm.MD5, Algorithm.SHA_256
PASSWORD = "canary-5f0c-kept-out-of-sight"
QUICK = Timing(
    answer_late_s=0.3, hang_up_after_s=0.3, early_media_s=0.5, dtmf_pause_s=0.5,
    call_back_hold_s=0.2, call_back_pause_s=0.2,
)  # fmt: skip


@asynccontextmanager
async def signed_in(
    seen: Seen | None = None, *, transport: str = "udp", **options: Any
) -> AsyncIterator[TrunkSession]:
    """A carrier and a trunk that is registered with it."""
    options = {"timing": QUICK, **options}
    async with Carrier(accounts={"1001": PASSWORD}, options=CarrierOptions(**options)) as carrier:
        port = carrier.udp_port if transport == "udp" else carrier.tcp_port
        trunk = make_trunk(port, transport=Transport(transport))
        async with session(trunk, PASSWORD, seen) as opened:
            outcome = await opened.connect()
            assert outcome.state is TrunkState.REGISTERED, outcome
            yield opened


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_echo_call_has_audio_both_ways_and_measures_the_echo(transport: str) -> None:
    seen = Seen()

    async def run() -> None:
        async with signed_in(seen, transport=transport) as opened:
            outcome = await call_until_echo(opened, seen, "600")
            assert outcome.result is CallResult.ANSWERED
            assert outcome.audio is Audio.TWO_WAY
            assert outcome.heard is True
            assert outcome.media is not None
            assert outcome.media.rx.lost == 0
            assert outcome.media.codec == "PCMU"
            assert outcome.media.echo_ms is not None
            assert 0 < outcome.media.echo_ms < 500
            assert outcome.media.tx.level_dbm0 == pytest.approx(-10.2, abs=1)
            assert outcome.media.rx.level_dbm0 == pytest.approx(-10.2, abs=1)
            assert outcome.media.round_trip_ms is not None

    asyncio.run(run())
    assert seen.of(CallMeters)
    states = [notice.state for notice in seen.of(CallProgress)]
    assert states[0] is CallState.CALLING
    assert states[-1] is CallState.ANSWERED


@pytest.mark.parametrize(
    ("number", "result", "code"),
    [
        ("486", CallResult.BUSY, 486),
        ("404", CallResult.NOT_FOUND, 404),
        ("403", CallResult.FORBIDDEN, 403),
        ("503", CallResult.UNAVAILABLE, 503),
        ("480", CallResult.NO_ANSWER, 480),
        ("699", CallResult.NOT_FOUND, 404),
    ],
)
def test_a_refusal_keeps_its_code_phrase_and_reason(number: str, result: CallResult, code: int) -> None:
    async def run() -> None:
        async with signed_in() as opened:
            outcome = await call(opened, number)
            assert (outcome.result, outcome.sip_code) == (result, code), outcome
            assert outcome.answered_by is AnsweredBy.NETWORK
            assert outcome.reason
            assert outcome.reason_header.startswith("Q.850;cause=")
            assert outcome.early_media is (number == "480")

    asyncio.run(run())


def test_ringing_ends_at_its_limit_with_the_far_ends_word() -> None:
    async def run() -> None:
        async with signed_in() as opened:
            outcome = await call(opened, "408", ring_seconds=0.5)
            assert outcome.result is CallResult.NO_ANSWER
            assert (outcome.sip_code, outcome.answered_by) == (487, AnsweredBy.NETWORK)
            assert outcome.hung_up_by is HungUpBy.LIMIT

    asyncio.run(run())


def test_the_person_can_hang_up_while_it_rings_and_after_the_answer() -> None:
    seen = Seen()

    async def run() -> None:
        async with signed_in(seen) as opened:
            for number, result in (("408", CallResult.CANCELLED), ("600", CallResult.ANSWERED)):
                call_id = await opened.place_call(number, max_seconds=30, ring_seconds=30, source=Source.TONE)
                wanted = CallState.RINGING if number == "408" else CallState.ANSWERED
                await until(lambda: any(n.state is wanted for n in seen.of(CallProgress)), wanted)  # noqa: B023  # used at once
                await opened.control.hang_up(call_id)
                outcome = await opened.wait_call(call_id)
                assert (outcome.result, outcome.hung_up_by) == (result, HungUpBy.US)

    asyncio.run(run())


def test_the_far_end_hangs_up() -> None:
    async def run() -> None:
        async with signed_in() as opened:
            outcome = await call(opened, "605", seconds=10)
            assert outcome.result is CallResult.ANSWERED
            assert outcome.hung_up_by is HungUpBy.THEM

    asyncio.run(run())


def test_silence_with_packets_is_no_sound() -> None:
    async def run() -> None:
        async with signed_in() as opened:
            outcome = await call(opened, "600", source=Source.SILENCE)
            assert outcome.audio is Audio.TWO_WAY
            assert outcome.heard is False

    asyncio.run(run())


def test_speech_is_sent_and_comes_back() -> None:
    async def run() -> None:
        seen = Seen()
        async with signed_in(seen) as opened:
            outcome = await call_until_echo(opened, seen, "600", source=Source.SPEECH)
            assert outcome.heard is True
            assert outcome.media is not None
            assert outcome.media.echo_ms is not None

    asyncio.run(run())


def test_digits_are_sent_and_read_back() -> None:
    seen = Seen()

    async def run() -> None:
        async with signed_in(seen) as opened:
            call_id = await opened.place_call("606", max_seconds=20, ring_seconds=5, source=Source.SILENCE)
            await until(
                lambda: any(n.state is CallState.ANSWERED for n in seen.of(CallProgress)), "the answer"
            )
            await opened.control.send_digits(call_id, "4711#")
            await until(lambda: len(seen.of(CallDigit)) >= 4, "the digits to come back")
            await opened.control.hang_up(call_id)
            await opened.wait_call(call_id)

    asyncio.run(run())
    assert "".join(notice.digit for notice in seen.of(CallDigit)).startswith("4711")


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_call_back_can_be_answered_and_refused(transport: str) -> None:
    seen = Seen()

    async def run() -> None:
        async with signed_in(seen, transport=transport) as opened:
            for number in (1, 2):
                await call(opened, "607", seconds=5)
                incoming = await until(
                    lambda: [n for n in seen.of(CallProgress) if n.state is CallState.INCOMING][number - 1 :],  # noqa: B023  # used at once
                    "the call back",
                )
                call_id = incoming[0].call_id
                assert "1001" in incoming[0].called
                if number == 1:
                    await opened.control.answer(call_id, max_seconds=1.5, source=Source.TONE)
                    outcome = await opened.wait_call(call_id)
                    assert outcome.result is CallResult.ANSWERED
                    assert outcome.audio is Audio.TWO_WAY
                else:
                    await opened.control.reject(call_id, 486)
                    outcome = await opened.wait_call(call_id)
                    assert outcome.result is CallResult.CANCELLED

    asyncio.run(run())


def test_four_calls_at_a_time_and_the_fifth_is_refused_in_words() -> None:
    async def run() -> None:
        async with signed_in(channels=10) as opened:
            ids = [
                await opened.place_call("600", max_seconds=20, ring_seconds=5, source=Source.TONE)
                for _ in range(4)
            ]
            with pytest.raises(EngineError, match="4 calls up"):
                await opened.place_call("600", max_seconds=20, ring_seconds=5, source=Source.TONE)
            assert opened.calls_up == 4
            for call_id in ids:
                await opened.control.hang_up(call_id)
            outcomes = [await opened.wait_call(call_id) for call_id in ids]
            assert {outcome.hung_up_by for outcome in outcomes} == {HungUpBy.US}

    asyncio.run(run())


@pytest.mark.parametrize("algorithms", [(MD5,), (SHA_256,), (SHA_256, MD5)])
def test_every_digest_algorithm_signs_in(algorithms: tuple[Algorithm, ...]) -> None:
    async def run() -> None:
        async with signed_in(algorithms=algorithms) as opened:
            outcome = await call(opened, "600", seconds=0.5)
            assert outcome.result is CallResult.ANSWERED

    asyncio.run(run())


@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP])
def test_a_wrong_password_is_asked_once_more_and_no_more(transport: Transport) -> None:
    seen = Seen()

    async def run() -> None:
        async with (
            Carrier(accounts={"1001": PASSWORD}) as carrier,
            session(make_trunk(carrier.udp_port, transport=transport), "wrong", seen) as opened,
        ):
            outcome = await opened.connect()
            assert outcome.state is TrunkState.WRONG_CREDENTIALS
            assert (outcome.sip_code, outcome.challenges) == (401, 2)
            # Asked for anew, it is tried anew
            again = await opened.connect()
            assert (again.sip_code, again.challenges) == (401, 2)

    asyncio.run(run())
    assert sum("REGISTER sip:" in notice.message.text.split("\n")[0] for notice in seen.of(TraceAdded)) == 4


def test_a_separate_auth_id_and_a_caller_id_go_where_they_belong() -> None:
    seen = Seen()

    async def run() -> None:
        async with (
            Carrier(accounts={"1001": PASSWORD}) as carrier,
            session(
                make_trunk(carrier.udp_port, auth_id="1001", caller_id="+15145550100", realm="*"),
                PASSWORD,
                seen,
            ) as opened,
        ):
            assert (await opened.connect()).state is TrunkState.REGISTERED
            assert (await call(opened, "600", seconds=0.5)).result is CallResult.ANSWERED

    asyncio.run(run())
    texts = [notice.message.text for notice in seen.of(TraceAdded)]
    invite = next(text for text in texts if text.startswith("INVITE"))
    register = next(text for text in texts if text.startswith("REGISTER"))
    assert "From: <sip:+15145550100@127.0.0.1>" in invite
    assert "From: <sip:1001@127.0.0.1>" in register
    assert "Route:" not in invite


def test_a_closed_udp_port_is_told_within_two_seconds() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]

    async def run() -> None:
        async with session(make_trunk(port), PASSWORD) as opened:
            outcome = await opened.connect()
            assert outcome.state is TrunkState.UNREACHABLE
            assert outcome.local_cause is LocalCause.REFUSED
            assert outcome.answered_by is AnsweredBy.LOCAL

    asyncio.run(run())


def test_a_closed_tcp_port_is_told_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]

    async def run() -> None:
        async with session(make_trunk(port, transport=Transport.TCP), PASSWORD) as opened:
            outcome = await opened.connect()
            assert outcome.local_cause is LocalCause.REFUSED

    asyncio.run(run())


@pytest.mark.parametrize("sign_in", SignIn)
def test_a_silent_host_is_called_silent(sign_in: SignIn) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))

        async def run() -> None:
            trunk = make_trunk(silent.getsockname()[1], sign_in=sign_in)
            async with session(trunk, PASSWORD) as opened:
                outcome = await opened.connect()
                assert outcome.state is TrunkState.UNREACHABLE
                assert outcome.local_cause is LocalCause.NO_ANSWER
                assert outcome.requests_sent >= 4

        asyncio.run(run())


def test_connecting_can_be_cancelled() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        seen = Seen()

        async def run() -> None:
            async with session(make_trunk(silent.getsockname()[1]), PASSWORD, seen) as opened:
                connecting = asyncio.create_task(opened.connect())
                await until(lambda: seen.of(TraceAdded), "the first REGISTER")
                await opened.close()
                with pytest.raises(UserError):
                    await connecting
                assert opened.state is TrunkState.OFF

        asyncio.run(run())


def test_a_name_that_does_not_exist_is_an_outcome() -> None:
    async def run() -> None:
        async with session(make_trunk(5060, host="nowhere.invalid"), PASSWORD) as opened:
            outcome = await opened.connect()
            assert outcome.state is TrunkState.UNREACHABLE
            assert outcome.local_cause in (LocalCause.NAME_NOT_FOUND, LocalCause.NAME_SERVER_SILENT)
            assert "nowhere.invalid" in outcome.reason

    asyncio.run(run())


@pytest.mark.parametrize("number", ["112", "+1 911", "9 999", "tel:911", "%39%39%39"])
def test_an_emergency_number_is_refused_before_the_engine_hears_of_it(number: str) -> None:
    seen = Seen()

    async def run() -> None:
        async with signed_in(seen) as opened:
            with pytest.raises(CallRefusedError):
                await call(opened, number)

    asyncio.run(run())
    assert not any(notice.message.text.startswith("INVITE") for notice in seen.of(TraceAdded))


def test_the_engine_itself_refuses_an_emergency_number() -> None:
    from app.sip.messages import PlaceCall

    async def run() -> None:
        async with signed_in() as opened:
            engine = opened._connected_engine()
            command = PlaceCall(call_id="x", user="112", max_seconds=5, ring_seconds=5)
            with pytest.raises(EngineError, match="112"):
                await engine.request(command)

    asyncio.run(run())


def test_without_registering_a_wrong_password_is_not_tried_again_and_again() -> None:
    seen = Seen()

    async def run() -> None:
        async with (
            Carrier(accounts={"1001": PASSWORD}) as carrier,
            session(make_trunk(carrier.udp_port, sign_in=SignIn.CREDENTIALS), "wrong", seen) as opened,
        ):
            await opened.connect()
            outcome = await call(opened, "600")
            assert outcome.result is CallResult.WRONG_CREDENTIALS, outcome
            assert outcome.answered_by is AnsweredBy.NETWORK

    asyncio.run(run())
    assert sum(notice.message.text.startswith("INVITE") for notice in seen.of(TraceAdded)) == 2


@pytest.mark.parametrize(("realm", "state", "challenges"), [
    ("ringback", TrunkState.REGISTERED, 1),
    ("another.example", TrunkState.WRONG_CREDENTIALS, 1),
])  # fmt: skip
def test_a_password_goes_only_to_the_realm_it_is_for(realm: str, state: TrunkState, challenges: int) -> None:
    seen = Seen()

    async def run() -> None:
        async with (
            Carrier(accounts={"1001": PASSWORD}) as carrier,
            session(make_trunk(carrier.udp_port, realm=realm), PASSWORD, seen) as opened,
        ):
            outcome = await opened.connect()
            assert (outcome.state, outcome.challenges) == (state, challenges), outcome

    asyncio.run(run())
    answered = any("\r\nAuthorization:" in notice.message.text for notice in seen.of(TraceAdded))
    assert answered is (state is TrunkState.REGISTERED)


@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP])
def test_an_outbound_proxy_is_sent_to_in_place_of_the_host(transport: Transport) -> None:
    seen = Seen()

    async def run() -> None:
        async with Carrier(accounts={"1001": PASSWORD}) as carrier:
            proxy = f"127.0.0.1:{carrier.udp_port if transport is Transport.UDP else carrier.tcp_port}"
            trunk = make_trunk(None, host="sip.carrier.example", proxy=proxy, transport=transport)
            async with session(trunk, PASSWORD, seen) as opened:
                assert (await opened.connect()).state is TrunkState.REGISTERED
                assert (await call(opened, "600", seconds=0.5)).result is CallResult.ANSWERED

    asyncio.run(run())
    starts = [notice.message.text.split("\r\n")[0] for notice in seen.of(TraceAdded)]
    assert any(start.startswith("REGISTER sip:sip.carrier.example") for start in starts)
    assert any(start.startswith("INVITE sip:600@sip.carrier.example") for start in starts)
