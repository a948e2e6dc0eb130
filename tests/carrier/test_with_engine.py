"""The carrier with a real engine as its customer, over every transport, with plain and encrypted sound."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from app.model.outcome import Audio, CallOutcome, CallResult, Direction
from app.model.trunk import Srtp, Transport, TrunkState
from app.providers.schema import Media, Method, Mistake
from app.sip.carrier.messages import CarrierOptions
from app.sip.carrier.profile import profile_of
from app.sip.carrier.server import Carrier
from app.sip.notices import TraceAdded
from tests.carrier.phone import ACCOUNTS
from tests.carrier.providers import provider, refusal
from tests.helpers.trunks import Seen, call, make_trunk, session

PASSWORD = ACCOUNTS["1001"]
CRYPTO = "a=crypto:"


def try_out(
    folder: Path, transport: Transport, srtp: Srtp, carriers: Srtp | None = None
) -> tuple[CallOutcome, str]:
    """Register and call the echo; the outcome and the carrier's answer.

    Args:
        folder: For the CA's certificate.
        transport, srtp: The trunk's.
        carriers: What the provider that is played makes of SRTP, None where that is not known.
    """
    seen = Seen()
    refusals = (refusal(Mistake.SRTP, 403, "Secure only"),)
    facts = provider(Method.REGISTER, media=Media(srtp=carriers), refusals=refusals)

    async def run() -> CallOutcome:
        async with Carrier(accounts=ACCOUNTS, options=CarrierOptions(), profile=profile_of(facts)) as carrier:
            ports = {
                Transport.UDP: carrier.udp_port,
                Transport.TCP: carrier.tcp_port,
                Transport.TLS: carrier.tls_port,
            }
            ca_file = folder / "ca.pem"
            ca_file.write_text(carrier.ca_pem, encoding="ascii")
            trunk = make_trunk(
                ports[transport],
                transport=transport,
                srtp=srtp,
                ca_file=str(ca_file) if transport is Transport.TLS else "",
            )
            async with session(trunk, PASSWORD, seen) as opened:
                outcome = await opened.connect()
                assert outcome.state is TrunkState.REGISTERED, outcome
                return await call(opened, "600")

    outcome = asyncio.run(run())
    answers = [
        notice.message.text
        for notice in seen.of(TraceAdded)
        if notice.message.direction is Direction.IN and "\r\nm=audio" in notice.message.text
    ]
    return outcome, answers[-1] if answers else ""


@pytest.mark.parametrize("transport", list(Transport))
@pytest.mark.parametrize("srtp", list(Srtp))
def test_a_trunk_is_heard_both_ways_over_every_transport(
    srtp: Srtp, transport: Transport, tmp_path: Path
) -> None:
    outcome, answer = try_out(tmp_path, transport, srtp)
    assert (outcome.result, outcome.audio, outcome.heard) == (CallResult.ANSWERED, Audio.TWO_WAY, True)
    assert outcome.media is not None
    # Only a report that arrived, encrypted or not, gives it
    assert outcome.media.round_trip_ms is not None
    assert outcome.media.rx.lost == outcome.media.tx.lost == 0
    assert (CRYPTO in answer) == (srtp is not Srtp.OFF)
    assert ("RTP/SAVP" in answer) == (srtp is Srtp.REQUIRE)


def test_a_provider_whose_srtp_is_off_answers_an_offer_of_both_with_plain_sound(tmp_path: Path) -> None:
    outcome, answer = try_out(tmp_path, Transport.UDP, Srtp.OFFER, Srtp.OFF)
    assert (outcome.result, outcome.heard) == (CallResult.ANSWERED, True)
    assert CRYPTO not in answer


@pytest.mark.parametrize(
    ("srtp", "result", "code"),
    [
        (Srtp.OFF, CallResult.FORBIDDEN, 403),
        (Srtp.OFFER, CallResult.FORBIDDEN, 403),
        (Srtp.REQUIRE, CallResult.ANSWERED, 200),
    ],
)
def test_a_provider_that_requires_srtp_refuses_with_its_code(
    srtp: Srtp, result: CallResult, code: int, tmp_path: Path
) -> None:
    outcome, _ = try_out(tmp_path, Transport.TLS, srtp, Srtp.REQUIRE)
    assert (outcome.result, outcome.sip_code) == (result, code)
    assert outcome.reason == ("Secure only" if code == 403 else "OK")
