"""What the far end changes about the sound of a call, and digits in both directions."""

from __future__ import annotations

import asyncio
import re

import pytest

from app.errors import EngineError
from app.model.call import Source
from app.model.outcome import Audio
from app.model.sound import SILENCE_DBM0
from app.model.trunk import Dtmf
from app.sip.notices import CallDigit, CallFigures, CallMeters
from tests.engine.rtp import loudness, strength, talking_at
from tests.engine.scripted import rtp_target, sdp
from tests.engine.scripted_calls import Scene, scene
from tests.engine.waiting import until

OURS_HZ = 1004
PCMU, PCMA, EVENTS = 0, 8, 101


async def codec(at: Scene, name: str) -> None:
    """Wait until the figures show this codec."""
    await until(
        lambda: at.seen.of(CallFigures)[-1:] and at.seen.of(CallFigures)[-1].figures.codec == name, name
    )


async def sounds(at: Scene) -> None:
    """Wait until sound comes in here."""
    mark = len(at.seen.notices)
    await until(
        lambda: any(
            isinstance(n, CallMeters) and n.rx_dbm0 is not None and n.rx_dbm0 > SILENCE_DBM0
            for n in at.seen.notices[mark:]
        ),
        "their sound",
    )


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_the_far_end_changes_the_codec_in_the_middle_of_a_call(method: str) -> None:
    async def run() -> None:
        async with scene() as at:
            _, dialog = await at.call_out()
            await codec(at, "PCMU")
            at.talker.to = None
            dialog.send(method, body=sdp(at.talker.port, formats="8", version=2))
            answer = await at.far.next(method, 200)
            assert " RTP/AVP 8" in answer.body
            if method == "INVITE":
                dialog.ack(answer)
            await until(lambda: at.talker.payload_types[-1:] == [PCMA], "PCMA from us")
            await codec(at, "PCMA")
            assert not at.holds()

    asyncio.run(run())


def test_the_far_end_moves_its_sound_to_another_address() -> None:
    async def run() -> None:
        async with scene() as at, talking_at(900) as other:
            call_id, dialog = await at.call_out()
            await until(lambda: strength(at.talker.heard[-800:], OURS_HZ) > -20, "our tone")
            to, at.talker.to = at.talker.to, None
            dialog.invite(sdp(other.port, formats="0", version=2))
            answer = await at.far.next("INVITE", 200)
            dialog.ack(answer)
            assert rtp_target(answer) == to
            other.to = to
            await until(lambda: strength(other.heard[-800:], OURS_HZ) > -20, "our tone there")
            mark = len(at.talker.heard)
            await sounds(at)
            assert len(at.talker.heard) == mark
            await at.session.control.hang_up(call_id)
            at.far.respond(await at.far.next("BYE"), "200 OK")
            assert (await at.ended(call_id)).outcome.audio is Audio.TWO_WAY

    asyncio.run(run())


def test_sound_that_comes_from_another_port_without_a_word_is_followed() -> None:
    """A router gave the provider's sound another port: it is answered where it comes from (RFC 4961)."""

    async def run() -> None:
        async with scene() as at, talking_at(900) as moved:
            await at.call_out()
            await until(lambda: strength(at.talker.heard[-800:], OURS_HZ) > -20, "our tone")
            moved.to, at.talker.to = at.talker.to, None
            await until(lambda: strength(moved.heard[-800:], OURS_HZ) > -20, "our tone there")
            await sounds(at)

    asyncio.run(run())


def test_a_change_of_sound_that_can_not_be_had_is_refused_and_the_call_goes_on() -> None:
    async def run() -> None:
        async with scene() as at:
            _, dialog = await at.call_out()
            branch = dialog.invite(sdp(at.talker.port, formats="18", version=2))
            refused = await at.far.next("INVITE", 488)
            dialog.ack(refused, branch=branch)
            mark = len(at.talker.heard)
            await until(lambda: loudness(at.talker.heard[mark:][-400:]) > -60, "our sound")
            await sounds(at)

    asyncio.run(run())


def test_a_reinvite_without_an_offer_is_answered_with_all_we_have() -> None:
    async def run() -> None:
        async with scene() as at:
            _, dialog = await at.call_out()
            dialog.invite(())
            answer = await at.far.next("INVITE", 200)
            assert "m=audio" in answer.body
            dialog.ack(answer, body=sdp(at.talker.port, formats="0", version=2))
            at.talker.heard.clear()
            await until(lambda: strength(at.talker.heard[-800:], OURS_HZ) > -20, "our tone")

    asyncio.run(run())


# Digits


def test_digits_go_out_as_events_in_the_payload_type_that_was_agreed() -> None:
    async def run() -> None:
        async with scene(dtmf=Dtmf.RFC4733) as at:
            call_id, invite = await at.place()
            dialog = at.far.called(invite)
            dialog.respond("200 OK", body=sdp(at.talker.port, formats=f"0 {EVENTS}"))
            await at.far.next("ACK")
            at.talker.to = rtp_target(invite)
            await until(lambda: at.talker.heard, "sound")
            await at.session.control.send_digits(call_id, "1590*#D")
            await until(lambda: "".join(at.talker.events) == "1590*#D", "the digits")
            assert set(at.talker.payload_types) == {PCMU, EVENTS}

    asyncio.run(run())


def test_digits_come_in_as_events_and_by_info() -> None:
    async def run() -> None:
        async with scene() as at:
            call_id, invite = await at.place()
            dialog = at.far.called(invite)
            dialog.respond("200 OK", body=sdp(at.talker.port, formats=f"0 {EVENTS}"))
            await at.far.next("ACK")
            at.talker.to = rtp_target(invite)
            await sounds(at)
            assert re.search(rf"^m=audio \d+ RTP/AVP [\d ]* {EVENTS}\r$", invite.body, re.MULTILINE)
            assert f"a=rtpmap:{EVENTS} telephone-event/8000\r\na=fmtp:{EVENTS} 0-16\r\n" in invite.body
            for digit in "4#":
                at.talker.press(digit, EVENTS)
            await until(lambda: len(at.seen.of(CallDigit)) == 2, "two digits")
            for body in (("Signal=7", "Duration=160"), ("Signal=*",)):
                dialog.send("INFO", "Content-Type: application/dtmf-relay", body=body)
                await at.far.next("INFO", 200)
            await until(lambda: len(at.seen.of(CallDigit)) == 4, "two more")
            assert [(n.digit, n.way) for n in at.seen.of(CallDigit)] == [
                ("4", Dtmf.RFC4733),
                ("#", Dtmf.RFC4733),
                ("7", Dtmf.INFO),
                ("*", Dtmf.INFO),
            ]
            assert {n.call_id for n in at.seen.of(CallDigit)} == {call_id}

    asyncio.run(run())


@pytest.mark.parametrize("taken", [False, True])
def test_digits_of_a_call_that_came_in_have_the_payload_type_that_the_caller_gave_them(taken: bool) -> None:
    async def run() -> None:
        async with scene(dtmf=Dtmf.RFC4733) as at:
            offer = [line.replace(str(EVENTS), "96") for line in sdp(at.talker.port, formats=f"0 {EVENTS}")]
            if taken:
                offer = [line + f" {EVENTS}" if line.startswith("m=") else line for line in offer]
                offer.append(f"a=rtpmap:{EVENTS} iLBC/8000")
            call_id, dialog, _ = await at.ring_in(body=offer)
            await at.session.control.answer(call_id, max_seconds=20, source=Source.TONE)
            answer = await at.far.next("INVITE", 200)
            assert "a=rtpmap:96 telephone-event/8000" in answer.body
            at.talker.to = rtp_target(answer)
            dialog.ack(answer)
            await sounds(at)
            at.talker.press("5", 96)
            await at.session.control.send_digits(call_id, "7")
            await until(lambda: at.talker.events == ["7"] and len(at.seen.of(CallDigit)) == 1, "both digits")
            assert at.seen.of(CallDigit)[0].digit == "5"
            assert set(at.talker.payload_types) == {PCMU, 96}

    asyncio.run(run())


def test_digits_that_the_far_end_does_not_take_are_refused_in_words() -> None:
    async def run() -> None:
        async with scene(dtmf=Dtmf.RFC4733) as at:
            call_id, _ = await at.call_out()  # PCMU only
            with pytest.raises(EngineError, match="could not be sent"):
                await at.session.control.send_digits(call_id, "1")
            await at.far.ping()
            assert set(at.talker.payload_types) <= {PCMU}

    asyncio.run(run())
