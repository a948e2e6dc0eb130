"""A trunk against Kamailio and SIPp over UDP, TCP and TLS: sign in, call, be refused, leave."""

from __future__ import annotations

import asyncio

import pytest

from app.errors import CallRefusedError
from app.model.call import CallState, Source
from app.model.outcome import AnsweredBy, Audio, CallResult, HungUpBy, LocalCause, RegisterOutcome
from app.model.trunk import SignIn, Transport, Trunk, TrunkState
from app.sip.notices import CallProgress
from tests.engine.waiting import until
from tests.helpers.trunks import Seen, call, make_trunk, session, transport_fields
from tests.helpers.waiting import wait_for
from tests.peers.kamailio import CarrierPeers

pytestmark = pytest.mark.peers

TRANSPORTS = ("udp", "tcp", "tls")


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_registers_calls_with_audio_both_ways_and_unregisters(
    carrier_peers: CarrierPeers, transport: str
) -> None:
    trunk = make_trunk(user=carrier_peers.user, **transport_fields(transport, carrier_peers))
    seen = Seen()

    async def run() -> None:
        async with session(trunk, carrier_peers.password, seen) as opened:
            signed_in = await opened.connect()
            assert signed_in.state is TrunkState.REGISTERED, signed_in
            assert signed_in.sip_code == 200
            assert signed_in.answered_by is AnsweredBy.NETWORK
            assert signed_in.expires_s > 0
            assert signed_in.challenges == 1
            assert carrier_peers.registrations(carrier_peers.user)
            if transport == "tls":
                assert signed_in.tls is not None
                assert signed_in.tls.version == "TLSv1.3"
                assert signed_in.tls.error == ""
            outcome = await call(opened, carrier_peers.numbers.echo, seconds=3)
            assert outcome.result is CallResult.ANSWERED, outcome
            assert outcome.hung_up_by is HungUpBy.LIMIT
            assert outcome.audio is Audio.TWO_WAY
            assert outcome.heard is True
            assert outcome.media is not None
            assert outcome.media.rx.lost == 0
            assert outcome.media.echo_ms is not None
            assert outcome.setup_ms is not None

    asyncio.run(run())
    wait_for(lambda: not carrier_peers.registrations(carrier_peers.user), "the registration to be gone")


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_trunk_can_call_its_own_number_through_a_proxy(carrier_peers: CarrierPeers, transport: str) -> None:
    # Kamailio keeps the Call-ID, so the call that comes in has the one of the call that went out
    trunk = make_trunk(user=carrier_peers.user, **transport_fields(transport, carrier_peers))
    seen = Seen()

    def state_of(call_id: str) -> CallState:
        return [notice.state for notice in seen.of(CallProgress) if notice.call_id == call_id][-1]

    async def run() -> None:
        async with session(trunk, carrier_peers.password, seen) as opened:
            await opened.connect()
            ours = await opened.place_call(
                carrier_peers.user, max_seconds=60, ring_seconds=10, source=Source.TONE
            )
            (theirs,) = await until(
                lambda: [n.call_id for n in seen.of(CallProgress) if n.state is CallState.INCOMING],
                "the call",
            )
            await opened.control.answer(theirs, max_seconds=60, source=Source.TONE)
            for call_id in (ours, theirs):
                await until(lambda call_id=call_id: state_of(call_id) is CallState.ANSWERED, "the answer")
            await opened.control.hang_up(theirs)
            outcome = await opened.wait_call(ours)
            assert (outcome.result, outcome.hung_up_by) == (CallResult.ANSWERED, HungUpBy.THEM)

    asyncio.run(run())


REFUSALS = (
    ("busy", CallResult.BUSY, 486, ""),
    ("not_found", CallResult.NOT_FOUND, 404, "Q.850;cause=1"),
    ("unavailable", CallResult.UNAVAILABLE, 503, "Q.850;cause=42"),
)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_refusals_are_told_apart(carrier_peers: CarrierPeers, transport: str) -> None:
    trunk = make_trunk(user=carrier_peers.user, **transport_fields(transport, carrier_peers))

    async def run() -> None:
        async with session(trunk, carrier_peers.password) as opened:
            await opened.connect()
            for number, result, code, reason in REFUSALS:
                outcome = await call(opened, getattr(carrier_peers.numbers, number))
                assert (outcome.result, outcome.sip_code) == (result, code), outcome
                assert outcome.answered_by is AnsweredBy.NETWORK
                assert outcome.reason_header.startswith(reason)
                assert outcome.audio is Audio.NONE
            outcome = await call(opened, carrier_peers.numbers.no_answer, ring_seconds=1.0)
            assert outcome.result is CallResult.NO_ANSWER, outcome
            assert (outcome.sip_code, outcome.answered_by) == (487, AnsweredBy.NETWORK)

    asyncio.run(run())


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_wrong_password_is_called_one(carrier_peers: CarrierPeers, transport: str) -> None:
    trunk = make_trunk(user=carrier_peers.user, **transport_fields(transport, carrier_peers))

    async def run() -> None:
        async with session(trunk, "not the password") as opened:
            outcome = await opened.connect()
            assert outcome.state is TrunkState.WRONG_CREDENTIALS
            assert outcome.sip_code == 401
            assert outcome.answered_by is AnsweredBy.NETWORK
            assert outcome.challenges == 2

    asyncio.run(run())


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_the_far_end_hangs_up(carrier_peers: CarrierPeers, transport: str) -> None:
    trunk = make_trunk(user=carrier_peers.user, **transport_fields(transport, carrier_peers))

    async def run() -> None:
        async with session(trunk, carrier_peers.password) as opened:
            await opened.connect()
            outcome = await call(opened, carrier_peers.numbers.hangs_up, seconds=10)
            assert outcome.result is CallResult.ANSWERED
            assert outcome.hung_up_by is HungUpBy.THEM
            early = await call(opened, carrier_peers.numbers.early_media)
            assert early.result is CallResult.ANSWERED
            assert early.early_media

    asyncio.run(run())


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_without_registering_calls_are_authenticated_one_by_one(
    carrier_peers: CarrierPeers, transport: str
) -> None:
    fields = transport_fields(transport, carrier_peers)
    trunk = make_trunk(user=carrier_peers.user, sign_in=SignIn.CREDENTIALS, **fields)

    async def run() -> None:
        async with session(trunk, carrier_peers.password) as opened:
            outcome = await opened.connect()
            assert outcome.state is TrunkState.REACHABLE, outcome
            assert not carrier_peers.registrations(carrier_peers.user)
            answered = await call(opened, carrier_peers.numbers.echo)
            assert answered.result is CallResult.ANSWERED
            assert answered.audio is Audio.TWO_WAY

    asyncio.run(run())


@pytest.mark.parametrize(
    ("port", "ca_file", "cause"),
    [
        ("tls_port", "wrong_ca_file", LocalCause.TLS_CA),
        ("tls_port", "", LocalCause.TLS_CA),
        ("wrong_name_tls_port", "ca_file", LocalCause.TLS_NAME),
        ("expired_tls_port", "ca_file", LocalCause.TLS_TIME),
    ],
)
def test_a_certificate_that_must_not_be_trusted_is_refused(
    carrier_peers: CarrierPeers, port: str, ca_file: str, cause: LocalCause
) -> None:
    trunk = make_trunk(
        port=getattr(carrier_peers, port),
        user=carrier_peers.user,
        transport=Transport.TLS,
        ca_file=str(getattr(carrier_peers, ca_file)) if ca_file else "",
    )
    seen = Seen()

    async def run() -> None:
        async with session(trunk, carrier_peers.password, seen) as opened:
            outcome = await opened.connect()
            assert outcome.state is TrunkState.UNREACHABLE
            assert outcome.local_cause is cause, outcome
            assert outcome.answered_by is AnsweredBy.LOCAL
            assert outcome.tls is not None
            assert outcome.tls.error
            assert outcome.tls.subject

    asyncio.run(run())


def test_a_refused_certificate_can_be_pinned_and_then_no_other_is_trusted(
    carrier_peers: CarrierPeers,
) -> None:
    def trunk(port: int, pin: str = "") -> Trunk:
        return make_trunk(port=port, user=carrier_peers.user, transport=Transport.TLS, tls_pin=pin)

    async def outcome_of(trunk: Trunk) -> RegisterOutcome:
        async with session(trunk, carrier_peers.password) as opened:
            outcome = await opened.connect()
            if outcome.state is TrunkState.REGISTERED:
                answered = await call(opened, carrier_peers.numbers.echo)
                assert (answered.result, answered.audio) == (CallResult.ANSWERED, Audio.TWO_WAY)
            return outcome

    async def run() -> None:
        refused = await outcome_of(trunk(carrier_peers.expired_tls_port))
        assert refused.tls is not None
        pin = refused.tls.fingerprint
        pinned = await outcome_of(trunk(carrier_peers.expired_tls_port, pin))
        assert pinned.state is TrunkState.REGISTERED
        assert pinned.tls is not None
        assert (pinned.tls.trust, pinned.tls.fingerprint) == ("pin", pin)
        other = await outcome_of(trunk(carrier_peers.wrong_name_tls_port, pin))
        assert other.local_cause is LocalCause.TLS_PIN
        assert other.tls is not None
        assert other.tls.fingerprint not in ("", pin)

    asyncio.run(run())


def test_tls_12_is_spoken_where_the_far_end_has_nothing_newer(carrier_peers: CarrierPeers) -> None:
    trunk = make_trunk(
        port=carrier_peers.tls12_port,
        user=carrier_peers.user,
        transport=Transport.TLS,
        ca_file=str(carrier_peers.ca_file),
    )

    async def run() -> None:
        async with session(trunk, carrier_peers.password) as opened:
            outcome = await opened.connect()
            assert outcome.state is TrunkState.REGISTERED
            assert outcome.tls is not None
            assert outcome.tls.version == "TLSv1.2"

    asyncio.run(run())


def test_an_emergency_number_never_reaches_the_wire(carrier_peers: CarrierPeers) -> None:
    trunk = make_trunk(user=carrier_peers.user, **transport_fields("udp", carrier_peers))

    async def run() -> None:
        async with session(trunk, carrier_peers.password) as opened:
            await opened.connect()
            for number in ("112", "9-1-1", "+44 999", "9911"):
                with pytest.raises(CallRefusedError):
                    await call(opened, number)

    asyncio.run(run())
    assert "REQUEST INVITE sip:112" not in carrier_peers.log()
