"""Encryption (SDES) in calls with baresip: where both can, and where it can not be had."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from app.model.call import CallState, Source
from app.model.outcome import Audio, CallResult
from app.model.trunk import Srtp
from app.sip.notices import CallEnded, CallProgress, TraceAdded
from tests.engine.waiting import until
from tests.peers import baresip
from tests.peers.baresip_calls import BOBS_HZ, direct

pytestmark = pytest.mark.peers


@pytest.fixture(scope="module")
def secure_phones(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, baresip.Phone]]:
    """Phones that encrypt by choice and always, and one that never does."""
    folder = tmp_path_factory.mktemp("s")
    with ExitStack() as stack:
        yield {
            kind: stack.enter_context(
                baresip.phone(folder, user="700", tone_hz=BOBS_HZ, account=f"regint=0{setting}")
            )
            for kind, setting in (
                ("never", ""),
                ("by choice", ";mediaenc=srtp"),
                ("always", ";mediaenc=srtp-mand"),
            )
        }


PLAIN, SECURE, NOT_HAD = "plain", "secure", "not had"
COMBINED = [
    # What a call to it comes to, and a call from it. PJSIP offers by choice in RTP/AVP, and requires RTP/SAVP
    (Srtp.OFF, "never", PLAIN, PLAIN),
    (Srtp.OFF, "by choice", PLAIN, PLAIN),
    (Srtp.OFF, "always", NOT_HAD, NOT_HAD),
    (Srtp.OFFER, "never", PLAIN, PLAIN),
    (Srtp.OFFER, "by choice", SECURE, SECURE),
    (Srtp.OFFER, "always", NOT_HAD, SECURE),
    (Srtp.REQUIRE, "never", NOT_HAD, NOT_HAD),
    (Srtp.REQUIRE, "by choice", SECURE, NOT_HAD),
    (Srtp.REQUIRE, "always", SECURE, SECURE),
]
CASES = [(ours, theirs, False, to_it) for ours, theirs, to_it, _ in COMBINED]
CASES += [(ours, theirs, True, from_it) for ours, theirs, _, from_it in COMBINED]


@pytest.mark.parametrize(
    ("ours", "theirs", "came_in", "secure"),
    [(*case, result == SECURE) for *case, result in CASES if result != NOT_HAD],
)
def test_sound_is_encrypted_when_both_can(
    secure_phones: dict[str, baresip.Phone], ours: Srtp, theirs: str, came_in: bool, secure: bool
) -> None:
    phone = secure_phones[theirs]
    phone.be_free()

    async def run() -> None:
        async with direct(phone, srtp=ours) as (side, uri):
            call_id = await (side.take(phone, uri) if came_in else side.place("700", phone))
            await side.both_hear(call_id, phone)
            texts = [n.message.text for n in side.seen.of(TraceAdded) if "m=audio" in n.message.text]
            assert all("a=crypto:" in text for text in texts) is secure
            outcome = (await side.finish(call_id, phone)).outcome
            assert outcome.audio is Audio.TWO_WAY
            assert outcome.media is not None
            assert bool(outcome.media.srtp) is secure

    asyncio.run(run())


@pytest.mark.parametrize(
    ("ours", "theirs", "came_in"), [tuple(case) for *case, result in CASES if result == NOT_HAD]
)
def test_encryption_that_can_not_be_had_fails_the_call_in_words(
    secure_phones: dict[str, baresip.Phone], ours: Srtp, theirs: str, came_in: bool
) -> None:
    phone = secure_phones[theirs]
    phone.be_free()

    async def run() -> None:
        async with direct(phone, srtp=ours) as (side, uri):
            if came_in:
                phone.do("dial", uri)
                (closed,) = await until(lambda: phone.told("CALL_CLOSED"), "our refusal")
                assert closed.param.startswith("488")
            else:
                await side.session.place_call("700", max_seconds=60, ring_seconds=5, source=Source.TONE)
                await until(lambda: phone.told("CALL_INCOMING") or side.seen.of(CallEnded), "the call")
                if not side.seen.of(CallEnded):
                    phone.do("accept")
            (ended,) = await until(lambda: side.seen.of(CallEnded), "the end")
            outcome = ended.outcome
            assert (outcome.result, outcome.audio) == (CallResult.FAILED, Audio.NONE)
            assert outcome.sip_code == 488
            if came_in:
                assert "encryption" in outcome.reason
            assert not [n for n in side.seen.of(CallProgress) if n.state is CallState.ANSWERED]

    asyncio.run(run())
