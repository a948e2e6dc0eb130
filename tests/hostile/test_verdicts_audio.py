"""What the audio of an answered call contradicts, and what it does not; changes within a call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.checks.diagnosis import explain_call, headline, worst
from app.cli.calls import worked
from app.cli.exits import WORKED
from app.model.finding import Verdict
from tests.engine.rtp import Talker, talking_at
from tests.engine.rtp_source import RtpSource, steady
from tests.engine.scripted import Dialog, rtp_target, sdp
from tests.engine.scripted_calls import scene
from tests.engine.waiting import until
from tests.hostile.verdicts import Case, FarEnd, call, elapsed, fails, passes, together, warns

STOPS_S, CALL_S = 4.0, 14
PAUSE_S = 7.0
HOLD_S = 7.0
TONE = 10 * (8 * b"\x9e" + 8 * b"\x1e")
"""20 ms of 500 Hz as PCMU."""
REFRESHED_BY_US = ("Supported: timer", "Require: timer", "Session-Expires: 90;refresher=uac")


@asynccontextmanager
async def _talked_to(at: FarEnd, *headers: str) -> AsyncIterator[tuple[Talker, Dialog]]:
    """A call that a talker has answered, with a tone of its own."""
    async with talking_at(700) as talker:
        dialog = await at.answers(*headers, body=sdp(talker.port, formats="0"))
        assert dialog.invite_request is not None
        talker.to = rtp_target(dialog.invite_request)
        yield talker, dialog


async def _stops(at: FarEnd) -> None:
    async with _talked_to(at) as (talker, _):
        await elapsed(STOPS_S)
        talker.to = None
        await at.is_hung_up()


async def _talks(at: FarEnd) -> None:
    async with _talked_to(at):
        await at.is_hung_up()


async def _pauses(at: FarEnd) -> None:
    async with _talked_to(at) as (talker, _):
        await elapsed(STOPS_S)
        where, talker.to = talker.to, None
        await elapsed(PAUSE_S)
        talker.to = where
        await at.is_hung_up()


async def _holds(at: FarEnd) -> None:
    """Puts the call on hold and is silent meanwhile, as it says."""
    async with _talked_to(at) as (talker, dialog):
        await elapsed(2)
        where, talker.to = talker.to, None
        for number, direction in enumerate(("inactive", "sendrecv"), 2):
            dialog.invite(sdp(talker.port, formats="0", version=number, direction=direction))
            dialog.ack(await at.far.next("INVITE", 200))
            if direction == "inactive":
                await elapsed(HOLD_S)
        talker.to = where
        await at.is_hung_up()


async def _holds_to_the_end(at: FarEnd) -> None:
    async with _talked_to(at) as (talker, dialog):
        await elapsed(2)
        talker.to = None
        dialog.invite(sdp(talker.port, formats="0", version=2, direction="inactive"))
        dialog.ack(await at.far.next("INVITE", 200))
        await at.is_hung_up()


def test_audio_that_does_not_last_is_reported(tmp_path: Path) -> None:
    ended = together(
        tmp_path,
        {
            "stops": call(_stops, "--seconds", CALL_S),
            "pauses": call(_pauses, "--seconds", CALL_S),
            "held": call(_holds, "--seconds", CALL_S),
            "held to the end": call(_holds_to_the_end, "--seconds", CALL_S),
        },
    )
    warns(ended["stops"], "RTP-STOP", "stopped 10 s before the call ended")
    warns(ended["pauses"], "RTP-GAP", "No audio came in for")
    for name in ("held", "held to the end"):
        passes(ended[name])


async def _reports(at: FarEnd, *, lost: bool) -> None:
    """Talks, and reports what of ours it received: all or nothing."""
    loop = asyncio.get_running_loop()
    transport, source = await loop.create_datagram_endpoint(RtpSource, local_addr=("127.0.0.1", 0))
    try:
        dialog = await at.answers(body=source.sdp(formats="0"))
        assert dialog.invite_request is not None
        source.remote = rtp_target(dialog.invite_request)
        playing = asyncio.create_task(source.play(packet._replace(payload=TONE) for packet in steady(1000)))
        await elapsed(3)
        source.report(lost=len(source.came) if lost else 0)
        await at.is_hung_up()
        playing.cancel()
    finally:
        transport.close()


def test_what_the_far_end_reports_about_our_audio_counts(tmp_path: Path) -> None:
    ended = together(
        tmp_path,
        {
            name: call(lambda at, lost=lost: _reports(at, lost=lost), "--seconds", 4)
            for name, lost in (("nothing", True), ("all", False))
        },
    )
    warns(ended["nothing"], "RTP-UNHEARD", "none of ours arrives")
    passes(ended["all"])


# Changes within a call


def _refreshed(status: str, *headers: str) -> Case:
    """Ringback refreshes the call at half of its 90 s (RFC 4028 section 10) and gets this answer."""

    async def play(at: FarEnd) -> None:
        dialog = await at.answers(*REFRESHED_BY_US)
        refresh = await at.far.next("INVITE", seconds=60)
        body = at.echo if status.startswith("200") else ()
        at.far.respond(refresh, status, *headers, tag=dialog.tags[0], body=body)
        await at.is_hung_up()

    return call(play, "--seconds", 48)


@pytest.mark.slow
def test_a_refresh_that_is_refused_is_reported(tmp_path: Path) -> None:
    ended = together(
        tmp_path,
        {
            "refused": _refreshed("488 Not Acceptable Here"),
            "unknown": _refreshed("481 Call/Transaction Does Not Exist"),
            "taken": _refreshed("200 OK", *REFRESHED_BY_US),
        },
    )
    warns(ended["refused"], "REINV-REJ", "(refresh): 488 Not Acceptable Here")
    fails(ended["unknown"], "SE-HALF", "481 Call/Transaction Does Not Exist")
    passes(ended["taken"])


@pytest.mark.parametrize("status", ["488 Not Acceptable Here", "403 Forbidden", "500 Server Internal Error"])
def test_a_hold_that_is_refused_is_reported(status: str) -> None:
    """No command holds a call; the findings and the exit code are made of what the session gives."""

    async def run() -> None:
        async with scene() as at:
            call_id, dialog = await at.call_out()
            await at.session.control.hold(call_id)
            await dialog.accept("INVITE", status=status)
            await until(at.hold_troubles, "the refusal")
            await at.session.control.hang_up(call_id)
            await dialog.accept("BYE")
            outcome = (await at.ended(call_id)).outcome
            found = explain_call(outcome, at.session.trunk)
            refused = next(one for one in found if one.id == "REINV-REJ")
            assert refused.verdict is Verdict.WARNING
            assert status in refused.title
            assert worst(found) is Verdict.WARNING
            assert not headline(found).startswith("This trunk works.")
            assert worked(outcome, found) == WORKED

    asyncio.run(run())
