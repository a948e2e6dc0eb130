"""What the audio of an answered call contradicts, and what it does not; changes within a call."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app.checks.diagnosis import explain_call, headline
from app.cli.calls import worked
from app.cli.exits import WORKED
from app.sip.notices import CallEnded
from tests.engine.rtp import Talker, talking_at
from tests.engine.scripted import Dialog, rtp_target, sdp
from tests.engine.scripted_calls import scene
from tests.hostile.verdicts import FarEnd, call, elapsed, fails, ids, passes, together, warns

STOPS_S, CALL_S = 4.0, 14
HOLD_S = 7.0
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
        await elapsed(6)
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
    warns(ended["pauses"], "RTP-GAP", "No audio came in for 6 s")
    for name in ("held", "held to the end"):
        passes(ended[name])


def _report(talker: Talker, heard: bytes, *, lost_all: bool) -> None:
    """Send a receiver report (RFC 3550 section 6.4.2) about the packets that came in."""


async def _reports(at: FarEnd, *, lost_all: bool) -> None:
    """Talks, and reports again and again what it received."""
