"""From INVITE to the answer: early media, forks, reliable responses, cancelled and crossed, lost messages."""

from __future__ import annotations

import asyncio

import pytest

from app.model.call import CallState, Source
from app.model.outcome import AnsweredBy, Audio, CallResult, HungUpBy, LocalCause
from app.model.signalling import Handling
from app.model.sound import SILENCE_DBM0
from app.model.trunk import Srtp, Use
from app.sip.notices import CallEnded, CallMeters, CallProgress
from tests.engine.rtp import loudness, strength, talking_at
from tests.engine.scripted import rtp_target, sdp
from tests.engine.scripted_calls import SECONDS, Scene, scene
from tests.engine.waiting import until

OURS_HZ, THEIRS_HZ = 1004, 700


async def both_hear(at: Scene, heard: list[int]) -> None:
    """Wait until the far end hears our tone, and our meters show its own."""
    mark = len(at.seen.notices)
    await until(lambda: strength(heard[-1600:], OURS_HZ) > -20, "our tone")
    await until(
        lambda: any(
            isinstance(n, CallMeters) and n.rx_dbm0 is not None and n.rx_dbm0 > SILENCE_DBM0
            for n in at.seen.notices[mark:]
        ),
        "their tone",
    )


# Early media


def test_early_media_is_heard_before_the_answer_and_goes_on_after_it() -> None:
    async def run() -> None:
        async with scene() as at:
            call_id, invite = await at.place()
            dialog = at.far.called(invite)
            body = sdp(at.talker.port, formats="0")
            dialog.respond("183 Session Progress", body=body)
            at.talker.to = rtp_target(invite)
            await at.until_state(call_id, CallState.EARLY_MEDIA)
            await both_hear(at, at.talker.heard)
            assert CallState.ANSWERED not in at.states(call_id)
            dialog.respond("200 OK", body=body)
            await at.far.next("ACK")
            await at.until_state(call_id, CallState.ANSWERED)
            at.talker.heard.clear()
            await both_hear(at, at.talker.heard)
            await at.session.control.hang_up(call_id)
            assert (await at.ended(call_id)).outcome.early_media

    asyncio.run(run())


# Forks (RFC 3261 section 13.2.2.4)


def test_of_two_early_dialogs_the_one_that_answers_is_spoken_with() -> None:
    async def run() -> None:
        async with scene() as at, talking_at(900) as other:
            call_id, invite = await at.place()
            first, second = at.far.called(invite, "first"), at.far.called(invite, "second")
            first.respond("183 Session Progress", body=sdp(other.port, formats="0"))
            other.to = rtp_target(invite)
            await until(lambda: strength(other.heard[-1600:], OURS_HZ) > -20, "early sound")
            second.respond("180 Ringing")
            other.to = None
            second.respond("200 OK", body=sdp(at.talker.port, formats="0"))
            ack = await at.far.next("ACK")
            assert ack.one("To").endswith(";tag=second")
            at.talker.to = rtp_target(invite)
            await at.until_state(call_id, CallState.ANSWERED)
            await both_hear(at, at.talker.heard)
            await at.session.control.hang_up(call_id)
            assert (await at.far.next("BYE")).one("To").endswith(";tag=second")

    asyncio.run(run())


def test_of_two_answers_the_second_is_confirmed_and_hung_up_at_once() -> None:
    async def run() -> None:
        async with scene() as at, talking_at(900) as other:
            call_id, invite = await at.place()
            first, second = at.far.called(invite, "first"), at.far.called(invite, "second")
            first.respond("180 Ringing")
            second.respond("180 Ringing")
            first.respond("200 OK", body=sdp(at.talker.port, formats="0"))
            assert (await at.far.next("ACK")).one("To").endswith(";tag=first")
            at.talker.to = rtp_target(invite)
            second.respond("200 OK", body=sdp(other.port, formats="0"))
            assert (await at.far.next("ACK")).one("To").endswith(";tag=second")
            bye = await at.far.next("BYE")
            assert bye.one("To").endswith(";tag=second")
            at.far.respond(bye, "200 OK")
            packets = at.talker.number
            await until(lambda: at.talker.number > packets + 100, "two seconds")
            await both_hear(at, at.talker.heard)
            assert not other.heard
            assert at.states(call_id).count(CallState.ANSWERED) == 1
            assert not at.seen.of(CallEnded)

    asyncio.run(run())


# Cancelled


def test_a_cancelled_call_ends_with_their_487() -> None:
    async def run() -> None:
        async with scene() as at:
            call_id, invite = await at.place()
            dialog = at.far.called(invite)
            dialog.respond("180 Ringing")
            await at.until_state(call_id, CallState.RINGING)
            await at.session.control.hang_up(call_id)
            at.far.respond(await at.far.next("CANCEL"), "200 OK")
            dialog.respond("487 Request Terminated")
            await at.far.next("ACK")
            outcome = (await at.ended(call_id)).outcome
            assert (outcome.result, outcome.sip_code) == (CallResult.CANCELLED, 487)
            assert outcome.answered_by is AnsweredBy.NETWORK

    asyncio.run(run())


def test_nothing_is_cancelled_before_the_far_end_has_said_anything() -> None:
    """RFC 3261 section 9.1: CANCEL waits for a provisional response."""

    async def run() -> None:
        async with scene() as at:
            call_id, invite = await at.place()
            await at.session.control.hang_up(call_id)
            await at.far.ping()
            assert not at.far.of("CANCEL")
            at.far.called(invite).respond("180 Ringing")
            await at.far.next("CANCEL")

    asyncio.run(run())


def test_an_answer_that_crosses_the_cancel_is_confirmed_and_hung_up() -> None:
    async def run() -> None:
        async with scene() as at:
            call_id, invite = await at.place()
            dialog = at.far.called(invite)
            dialog.respond("180 Ringing")
            await at.until_state(call_id, CallState.RINGING)
            await at.session.control.hang_up(call_id)
            cancel = await at.far.next("CANCEL")
            dialog.respond("200 OK", body=sdp(at.talker.port, formats="0"))
            at.far.respond(cancel, "200 OK")
            await at.far.next("ACK")
            at.far.respond(await at.far.next("BYE"), "200 OK")
            outcome = (await at.ended(call_id)).outcome
            assert (outcome.result, outcome.hung_up_by) == (CallResult.CANCELLED, HungUpBy.US)
            assert outcome.reason == "Answered in the moment it was cancelled, and hung up at once"

    asyncio.run(run())


def test_an_answer_long_after_the_cancel_is_confirmed_and_hung_up() -> None:
    async def run() -> None:
        async with scene() as at:
            call_id, invite = await at.place()
            dialog = at.far.called(invite)
            dialog.respond("180 Ringing")
            await at.until_state(call_id, CallState.RINGING)
            await at.session.control.hang_up(call_id)
            at.far.respond(await at.far.next("CANCEL"), "200 OK")
            await at.ended(call_id)  # told already, after a second without a final response
            dialog.respond("200 OK", body=sdp(at.talker.port, formats="0"))
            await at.far.next("ACK")
            await at.far.next("BYE")

    asyncio.run(run())


def test_an_incoming_call_that_is_cancelled_is_told_as_that() -> None:
    async def run() -> None:
        async with scene() as at:
            call_id, dialog, branch = await at.ring_in()
            dialog.send("CANCEL", 'Reason: SIP ;cause=200 ;text="elsewhere"', branch=branch, cseq=dialog.cseq)
            await at.far.next("CANCEL", 200)
            await at.far.next("INVITE", 487)
            outcome = (await at.ended(call_id)).outcome
            assert (outcome.result, outcome.sip_code) == (CallResult.CANCELLED, 487)
            assert outcome.hung_up_by is HungUpBy.NOBODY
            assert "elsewhere" in outcome.reason_header

    asyncio.run(run())


# Lost and repeated


def test_an_invite_that_is_repeated_rings_once() -> None:
    async def run() -> None:
        async with scene() as at:
            _, dialog, branch = await at.ring_in()
            body = sdp(at.talker.port, formats="0")
            dialog.send("INVITE", body=body, branch=branch, cseq=dialog.cseq)
            await until(lambda: len(at.far.of("INVITE", 180)) == 2, "the same answer again")
            # By another way it is the same call too (RFC 3261 section 8.2.2.2)
            at_first = dialog.theirs
            dialog.theirs = at_first.partition(";tag=")[0]
            dialog.send("INVITE", body=body, cseq=dialog.cseq)
            await at.far.next("INVITE", 482)
            assert len(at.incoming()) == 1

    asyncio.run(run())


def test_an_answer_that_is_repeated_is_confirmed_again() -> None:
    async def run() -> None:
        async with scene() as at:
            call_id, dialog = await at.call_out()
            for _ in range(2):
                dialog.respond("200 OK", body=sdp(at.talker.port, formats="0"))
                await at.far.next("ACK")
            assert at.states(call_id).count(CallState.ANSWERED) == 1

    asyncio.run(run())


def test_our_answer_is_repeated_until_it_is_confirmed_and_the_call_talks_meanwhile() -> None:
    async def run() -> None:
        async with scene() as at:
            call_id, dialog, _ = await at.ring_in()
            await at.session.control.answer(call_id, max_seconds=SECONDS, source=Source.TONE)
            answer = await at.far.next("INVITE", 200)
            at.talker.to = rtp_target(answer)
            await at.until_state(call_id, CallState.ANSWERED)
            await both_hear(at, at.talker.heard)
            await until(lambda: len(at.far.of("INVITE", 200)) >= 3, "the answer again")
            dialog.ack(answer)
            await at.far.ping()
            sent = len(at.far.of("INVITE", 200))
            packets = at.talker.number
            await until(lambda: at.talker.number > packets + 200, "four seconds", 15)
            assert len(at.far.of("INVITE", 200)) == sent
            assert not at.seen.of(CallEnded)

    asyncio.run(run())


# Reliable responses (RFC 3262)


def test_a_reliable_ringing_of_ours_is_repeated_until_prack() -> None:
    async def run() -> None:
        async with scene(prack=Use.SUPPORTED) as at:
            call_id, dialog, _ = await at.ring_in("Supported: 100rel")
            ringing = at.far.of("INVITE", 180)[0]
            assert ringing.one("Require") == "100rel"
            await until(lambda: len(at.far.of("INVITE", 180)) == 2, "it again")
            dialog.send("PRACK", f"RAck: {ringing.one('RSeq')} {ringing.one('CSeq')}")
            await at.far.next("PRACK", 200)
            await at.session.control.answer(call_id, max_seconds=SECONDS, source=Source.TONE)
            dialog.ack(await at.far.next("INVITE", 200))
            await at.until_state(call_id, CallState.ANSWERED)
            assert len(at.far.of("INVITE", 180)) == 2

    asyncio.run(run())


def test_reliable_early_media_is_confirmed_and_heard_and_then_answered() -> None:
    async def run() -> None:
        async with scene(prack=Use.SUPPORTED) as at:
            call_id, invite = await at.place()
            dialog = at.far.called(invite)
            body = sdp(at.talker.port, formats="0")
            dialog.respond("183 Session Progress", "Require: 100rel", "RSeq: 7", body=body)
            prack = await dialog.accept("PRACK")
            assert prack.one("RAck") == f"7 {invite.one('CSeq')}"
            at.talker.to = rtp_target(invite)
            await both_hear(at, at.talker.heard)
            dialog.respond("200 OK")
            await at.far.next("ACK")
            await at.until_state(call_id, CallState.ANSWERED)
            await both_hear(at, at.talker.heard)

    asyncio.run(run())


# Answers of other kinds


def test_a_redirection_is_told_with_its_target_and_never_followed() -> None:
    async def run() -> None:
        async with scene() as at:
            call_id, invite = await at.place()
            contact = f"Contact: <sip:112@127.0.0.1:{at.far.port}>"
            at.far.respond(invite, "302 Moved Temporarily", contact)
            await at.far.next("ACK")
            outcome = (await at.ended(call_id)).outcome
            assert (outcome.result, outcome.sip_code) == (CallResult.FAILED, 302)
            target = f"sip:112@127.0.0.1:{at.far.port}"
            assert outcome.reason == f"Moved Temporarily, to {target}, which was not followed"
            assert outcome.explanation.contacts == (target,)
            await at.far.ping()
            assert len({m.one("CSeq") for m in at.far.of("INVITE")}) == 1

    asyncio.run(run())


def test_a_session_interval_that_is_too_small_is_asked_for_again_with_theirs() -> None:
    async def run() -> None:
        async with scene(session_expires=600) as at:
            call_id, invite = await at.place()
            assert invite.one("Session-Expires") == "600"
            at.far.respond(invite, "422 Session Interval Too Small", "Min-SE: 3600")
            again = await at.far.next("INVITE")
            assert (again.one("Session-Expires"), again.one("Min-SE")) == ("3600", "3600")
            dialog = at.far.called(again)
            dialog.respond(
                "200 OK",
                "Session-Expires: 3600;refresher=uac",
                "Require: timer",
                body=sdp(at.talker.port, formats="0"),
            )
            await at.until_state(call_id, CallState.ANSWERED)

    asyncio.run(run())


def test_a_caller_with_too_short_a_session_is_shown_and_rings_when_it_calls_again() -> None:
    async def run() -> None:
        async with scene() as at:
            dialog = at.far.calls()
            body = sdp(at.talker.port, formats="0")
            branch = dialog.invite(body, "Supported: timer", "Session-Expires: 30", "Min-SE: 30")
            refused = await at.far.next("INVITE", 422)
            assert refused.one("Min-SE") == "90"
            dialog.send("ACK", cseq=dialog.cseq, branch=branch)
            (refusal,) = await until(lambda: at.seen.of(CallEnded), "the refusal")
            assert isinstance(refusal, CallEnded)
            assert refusal.outcome.sip_code == 422
            assert "call again with 90 seconds or more" in refusal.outcome.reason
            dialog.invite(body, "Supported: timer", "Session-Expires: 90", "Min-SE: 90")
            await at.far.next("INVITE", 180)
            await until(lambda: len(at.incoming()) == 2, "the call")
            assert len(at.seen.of(CallEnded)) == 1

    asyncio.run(run())


def test_a_call_without_an_offer_is_answered_with_one() -> None:
    """RFC 3261 section 13.2.1: then the answer comes with ACK."""

    async def run() -> None:
        async with scene() as at:
            call_id, dialog, _ = await at.ring_in(body=())
            await at.session.control.answer(call_id, max_seconds=SECONDS, source=Source.TONE)
            answer = await at.far.next("INVITE", 200)
            assert "m=audio" in answer.body
            dialog.ack(answer, body=sdp(at.talker.port, formats="0"))
            at.talker.to = rtp_target(answer)
            await both_hear(at, at.talker.heard)

    asyncio.run(run())


# What can't be had is refused in words


KEYS = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + "A" * 40
FINGERPRINT = "a=fingerprint:sha-256 " + ":".join(["AA"] * 32)
DTLS = sdp(4000, profile="UDP/TLS/RTP/SAVPF", more=(FINGERPRINT,))


@pytest.mark.parametrize(
    ("srtp", "body", "code", "words"),
    [
        (Srtp.REQUIRE, sdp(4000), 488, "offers no encryption (SRTP), and this trunk requires it"),
        (Srtp.REQUIRE, sdp(4000, more=(KEYS,)), 488, "offers encryption only as a choice, and"),
        (Srtp.REQUIRE, sdp(4000, profile="RTP/SAVPF"), 406, "without keys in SDP"),
        (
            Srtp.OFF,
            sdp(4000, profile="RTP/SAVP", more=(KEYS,)),
            488,
            "requires encryption (SRTP), which is off",
        ),
        (Srtp.OFF, DTLS, 488, "requires encryption (SRTP), which is off"),
        # These used to end the process of the engine
        (Srtp.OFFER, DTLS, 488, "by DTLS-SRTP, which Ringback does not know"),
        (Srtp.REQUIRE, DTLS, 488, "by DTLS-SRTP, which Ringback does not know"),
        (Srtp.OFF, sdp(4000, formats="18"), 488, "have no codec in common"),
        (Srtp.OFF, sdp(4000)[:5], 400, "can't be understood"),
    ],
)
def test_a_caller_whose_sound_can_not_be_had_is_refused_and_told(
    srtp: Srtp, body: tuple[str, ...], code: int, words: str
) -> None:
    async def run() -> None:
        async with scene(srtp=srtp) as at:
            at.far.calls(caller="+15145550100").invite(body)
            await at.far.next("INVITE", code)
            (ended,) = await until(lambda: at.seen.of(CallEnded), "the end")
            assert ended.outcome.sip_code == code
            assert words in ended.outcome.reason
            (came,) = at.seen.of(CallProgress)
            assert "+15145550100" in came.number
            assert came.called.startswith("sip:1001@")
            await at.far.ping()
            assert not at.seen.lost

    asyncio.run(run())


def test_a_caller_without_reliable_ringing_is_refused_and_told_where_it_is_required() -> None:
    async def run() -> None:
        async with scene(prack=Use.REQUIRED) as at:
            at.far.calls().invite(sdp(at.talker.port, formats="0"))
            await at.far.next("INVITE", 421)
            (ended,) = await until(lambda: at.seen.of(CallEnded), "the end")
            assert "does not know 100rel, which this trunk requires" in ended.outcome.reason

    asyncio.run(run())


@pytest.mark.parametrize(
    ("srtp", "body", "cause"),
    [
        (Srtp.REQUIRE, sdp(4000, formats="0"), LocalCause.NO_SRTP),
        (Srtp.OFF, sdp(4000, formats="18"), LocalCause.NO_CODEC),
        (Srtp.OFF, (), LocalCause.NO_CODEC),
    ],
)
def test_an_answer_that_can_not_be_used_is_no_answer_and_says_why(
    srtp: Srtp, body: tuple[str, ...], cause: LocalCause
) -> None:
    async def run() -> None:
        async with scene(srtp=srtp) as at:
            call_id, invite = await at.place()
            at.far.called(invite).respond("200 OK", body=body)
            await at.far.next("ACK")
            await until(lambda: at.far.of("BYE"), "our BYE")
            outcome = (await at.ended(call_id, 4)).outcome
            assert outcome.result is CallResult.FAILED
            assert (outcome.answered_by, outcome.local_cause) == (AnsweredBy.LOCAL, cause)
            assert outcome.audio is Audio.NONE
            assert outcome.reason.startswith("The other side")
            assert CallState.ANSWERED not in at.states(call_id)

    asyncio.run(run())


@pytest.mark.parametrize("after", ["200 OK", "487 Request Terminated"])
def test_early_audio_without_a_common_codec_ends_the_call_and_says_why(after: str) -> None:
    """An answer right after it, which crosses the CANCEL, used to end the process of the engine."""

    async def run() -> None:
        async with scene() as at:
            call_id, invite = await at.place()
            dialog = at.far.called(invite)
            dialog.respond("183 Session Progress", body=sdp(4000, formats="18"))
            dialog.respond(after, body=sdp(at.talker.port, formats="0") if after == "200 OK" else ())
            await at.far.next("CANCEL")
            await at.far.next("ACK")
            outcome = (await at.ended(call_id)).outcome
            assert (outcome.result, outcome.local_cause) == (CallResult.FAILED, LocalCause.NO_CODEC)
            if after == "200 OK":
                await until(lambda: at.far.of("BYE"), "our BYE")
            await at.far.ping()
            assert not at.seen.lost

    asyncio.run(run())


def test_a_caller_with_a_choice_of_encryptions_rings_with_the_one_that_is_known() -> None:
    async def run() -> None:
        async with scene(srtp=Srtp.OFFER) as at:
            await at.ring_in(body=(*sdp(at.talker.port), *DTLS[5:]))

    asyncio.run(run())


def test_an_early_description_that_can_not_be_read_is_reported_and_the_call_goes_on() -> None:
    async def run() -> None:
        async with scene() as at:
            call_id, invite = await at.place()
            dialog = at.far.called(invite)
            dialog.respond("183 Session Progress", body=sdp(4000)[:3])
            dialog.respond("200 OK", body=sdp(at.talker.port, formats="0"))
            await at.far.next("ACK")
            await at.until_state(call_id, CallState.ANSWERED)
            await at.session.control.hang_up(call_id)
            await dialog.accept("BYE")
            (problem,) = (await at.ended(call_id)).outcome.dialog.problems
            assert (problem.header, problem.handling) == ("SDP", Handling.REPAIRED)
            assert "183" in problem.start

    asyncio.run(run())


def test_silence_is_not_taken_for_sound() -> None:
    assert loudness([0] * 100) == -99.0
    assert strength([0] * 100, THEIRS_HZ) == -99.0
