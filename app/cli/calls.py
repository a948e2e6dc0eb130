"""Commands with calls in them: place one, answer those that come in."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from app.checks.diagnosis import (
    explain_call,
    explain_registration,
    headline,
    with_registration,
    worst,
)
from app.cli import output
from app.cli.exits import FAILED, WORKED
from app.cli.given import password_of
from app.cli.output import say_figures
from app.desk import Desk
from app.errors import UserError
from app.model.call import CallState, Source
from app.model.call_length import check_length
from app.model.finding import Finding, Verdict
from app.model.outcome import CallOutcome, CallResult, Direction, RegisterOutcome, may_call
from app.model.trunk import Trunk
from app.sip.client import EngineBugError
from app.sip.loss import words_for_loss
from app.sip.notices import (
    AudioChanged,
    CallDigit,
    CallEnded,
    CallHold,
    CallProgress,
    CallRecording,
    EngineLost,
    Notice,
    StrangersRefused,
)
from app.terminal import say, say_json


class Within(msgspec.Struct, frozen=True, kw_only=True):
    """What to do in a call once it is answered.

    Attributes:
        digits: DTMF digits to send.
        record: A new WAV file for both sides.
    """

    digits: str = ""
    record: Path | None = None


CallNotices = asyncio.Queue[CallProgress | CallEnded]
"""What a command follows its calls by; nothing else is kept for it."""


def call_notices(desk: Desk) -> CallNotices:
    """The news of all calls from now on."""
    queue: CallNotices = asyncio.Queue()

    def put(notice: Notice) -> None:
        if isinstance(notice, CallProgress | CallEnded):
            queue.put_nowait(notice)

    desk.listen(put)
    return queue


class StrangerCount:
    """How many requests of strangers were refused while a command ran."""

    def __init__(self) -> None:
        self.total = 0

    def take(self, notice: Notice) -> None:
        """Take the newest count."""
        if isinstance(notice, StrangersRefused):
            self.total = notice.total

    def in_words(self) -> str:
        """One line; there is at least one."""
        if self.total == 1:
            return "1 request from a stranger was refused."
        return f"{self.total} requests from strangers were refused."


WAIT_WORDS = "Waiting for a call. Ctrl-C signs out and ends."
_REFUSALS = {"busy": 486, "decline": 603}


async def call(arguments: argparse.Namespace, desk: Desk) -> int:
    """`ringback call`."""
    trunk = desk.by_name(arguments.name)
    desk.check_call(
        trunk.id,
        arguments.number,
        max_seconds=arguments.seconds,
        ring_seconds=arguments.ring_seconds,
        meant=True,
    )
    await _open_audio(arguments, desk)
    outcome, findings = await sign_in(desk, trunk, password_of(arguments), quiet=arguments.json)
    if not may_call(outcome, registers=trunk.register):
        return _call_not_tried(arguments, outcome, findings)
    placed, call_findings = await place(
        desk,
        trunk,
        arguments.number,
        seconds=arguments.seconds,
        ring_seconds=arguments.ring_seconds,
        source=Source(arguments.send),
        within=Within(digits=arguments.digits, record=arguments.record),
        quiet=arguments.json,
    )
    call_findings = with_registration(call_findings, findings, registers=trunk.register)
    if arguments.json:
        say_json(output.call_json(placed, call_findings))
    else:
        say_verdict(call_findings)
        say_figures(placed)
    return worked(placed, call_findings)


async def answer(arguments: argparse.Namespace, desk: Desk) -> int:
    """`ringback answer`: wait for calls, take them or turn them away, and tell what came of each."""
    trunk = desk.by_name(arguments.name)
    check_length(arguments.seconds)
    if arguments.forward:
        desk.check_call(trunk.id, arguments.forward)
    await _open_audio(arguments, desk)
    notices = call_notices(desk)
    strangers = StrangerCount()
    desk.listen(strangers.take)
    outcome, findings = await sign_in(desk, trunk, password_of(arguments), quiet=arguments.json)
    if not may_call(outcome, registers=trunk.register):
        if arguments.json:
            say_json(_answer_json(trunk, None, None, findings, strangers))
        else:
            say("No call can come in, because the trunk could not sign in.")
            say_verdict(findings)
        return FAILED
    if not arguments.json:
        desk.listen(_say_progress)
        say(WAIT_WORDS)
    try:
        while True:
            ringing = await _incoming(notices, trunk, arguments.wait)
            if ringing is None:
                if arguments.json:
                    say_json(_answer_json(trunk, None, None, findings, strangers))
                else:
                    say(f"No call came in within {arguments.wait:g} s.")
                return FAILED
            ended, call_findings = await _take(ringing, arguments, desk, trunk, notices)
            call_findings = with_registration(call_findings, findings, registers=trunk.register)
            turned_away = bool(arguments.forward or arguments.reject)
            code = WORKED if turned_away and not ended.troubles else worked(ended, call_findings)
            if arguments.json:
                say_json(_answer_json(trunk, ringing, ended, call_findings, strangers))
            else:
                say_verdict(call_findings)
                say_figures(ended)
            if not arguments.stay:
                return code
    finally:
        if strangers.total and not arguments.json:
            say(strangers.in_words())


async def _take(
    ringing: CallProgress,
    arguments: argparse.Namespace,
    desk: Desk,
    trunk: Trunk,
    notices: CallNotices,
) -> tuple[CallOutcome, tuple[Finding, ...]]:
    """Deal with one call that rings, until it is over."""
    control, call_id = desk.control(trunk.id), ringing.call_id
    if not arguments.json:
        say(f"A call from {ringing.number} for {ringing.called}")
        if ringing.to and ringing.to != ringing.called:
            say(f"  its To header says {ringing.to}")
    ended = asyncio.create_task(desk.wait_call(trunk.id, call_id))
    # The caller may give up while it rings
    await asyncio.wait({ended}, timeout=arguments.ring)
    if not ended.done():
        async with _whatever_comes(quiet=arguments.json):
            if arguments.forward:
                await control.forward(call_id, arguments.forward)
            elif arguments.reject:
                await control.reject(call_id, _REFUSALS[arguments.reject])
            else:
                await control.answer(call_id, max_seconds=arguments.seconds, source=Source(arguments.send))
    within = Within(digits=arguments.digits, record=arguments.record)
    outcome = await _accompany(desk, trunk, call_id, notices, within, ended, quiet=arguments.json)
    return outcome, explain_call(outcome, trunk, direction=Direction.IN)


@asynccontextmanager
async def _whatever_comes(*, quiet: bool) -> AsyncIterator[None]:
    """Around a step within a call: one that fails is reported, and the call goes on to its own result."""
    try:
        yield
    except UserError as error:
        if not quiet:
            say(f"  {error.what}")
    except EngineBugError:
        if not quiet:
            say("  Ringback failed at this step.")


async def _incoming(notices: CallNotices, trunk: Trunk, limit_s: float) -> CallProgress | None:
    """The next call that rings, None when none came within the limit; 0 waits for ever."""
    try:
        async with asyncio.timeout(limit_s or None):
            while True:
                match await notices.get():
                    case CallProgress(trunk_id=trunk.id, state=CallState.INCOMING) as ringing:
                        return ringing
    except TimeoutError:
        return None


def _answer_json(
    trunk: Trunk,
    ringing: CallProgress | None,
    ended: CallOutcome | None,
    findings: tuple[Finding, ...],
    strangers: StrangerCount,
) -> dict[str, Any]:
    """What `answer --json` gives, for each call one; the keys are documented in docs/command-line.md."""
    return {
        "trunk": trunk.name,
        "from": ringing.number if ringing else None,
        "called": ringing.called if ringing else None,
        "to": ringing.to if ringing else None,
        "call": output.call_json(ended, findings) if ended else None,
        "strangers_refused": strangers.total,
        "findings": output.findings_json(findings),
    }


async def _open_audio(arguments: argparse.Namespace, desk: Desk) -> None:
    if arguments.hear or arguments.send == Source.MICROPHONE:
        if not arguments.json:
            desk.listen(_say_audio)
        await desk.use_audio()


def _say_audio(notice: Notice) -> None:
    match notice:
        case AudioChanged(note=note) if note:
            say(f"  {note}")


def _call_not_tried(
    arguments: argparse.Namespace, outcome: RegisterOutcome, findings: tuple[Finding, ...]
) -> int:
    """The trunk could not sign in, so there was no call; the reason stands where the call's would."""
    if arguments.json:
        call = CallOutcome(
            trunk=outcome.trunk,
            number=arguments.number,
            dialled="",
            result=CallResult.FAILED,
            sip_code=outcome.sip_code,
            reason=outcome.reason,
            answered_by=outcome.answered_by,
            local_cause=outcome.local_cause,
        )
        say_json(output.call_json(call, findings))
    else:
        say("No call was placed, because the trunk could not sign in.")
        say_verdict(findings)
    return FAILED


async def sign_in(
    desk: Desk, trunk: Trunk, password: str | None, *, quiet: bool
) -> tuple[RegisterOutcome, tuple[Finding, ...]]:
    """Sign in, and say what comes of it."""
    if not quiet:
        say(f"Signing in at {trunk.host} …" if trunk.register else f"Asking {trunk.host} for an answer …")
    signing_in = not quiet

    def say_loss(notice: Notice) -> None:
        if signing_in and isinstance(notice, EngineLost):
            say(f"  {words_for_loss(notice)}")

    desk.listen(say_loss)
    try:
        outcome = await desk.connect(trunk.id, password)
    finally:
        signing_in = False
    return outcome, explain_registration(outcome, trunk)


async def place(
    desk: Desk,
    trunk: Trunk,
    number: str,
    *,
    seconds: float,
    ring_seconds: float,
    source: Source,
    within: Within | None = None,
    quiet: bool,
) -> tuple[CallOutcome, tuple[Finding, ...]]:
    """Place a call, do within it what was asked for, and wait for its end."""
    notices = call_notices(desk)
    if not quiet:
        desk.listen(_say_progress)
        say(f"Calling {number}, {seconds:g} s at most …")
    call_id = await desk.place_call(
        trunk.id, number, max_seconds=seconds, ring_seconds=ring_seconds, source=source
    )
    ended = asyncio.create_task(desk.wait_call(trunk.id, call_id))
    outcome = await _accompany(desk, trunk, call_id, notices, within or Within(), ended, quiet=quiet)
    return outcome, explain_call(outcome, trunk)


async def _accompany(
    desk: Desk,
    trunk: Trunk,
    call_id: str,
    notices: CallNotices,
    within: Within,
    ended: asyncio.Task[CallOutcome],
    *,
    quiet: bool,
) -> CallOutcome:
    """Follow a call to its end, and do within it what was asked for once it is answered."""
    control = desk.control(trunk.id)
    while not ended.done():
        news = asyncio.create_task(notices.get())
        await asyncio.wait({news, ended}, return_when=asyncio.FIRST_COMPLETED)
        if not news.done():
            news.cancel()
            break
        match news.result():
            case CallProgress(call_id=found, state=CallState.ANSWERED) if found == call_id:
                if within.record is not None:
                    async with _whatever_comes(quiet=quiet):
                        await control.start_recording(call_id, within.record.absolute())
                if within.digits:
                    async with _whatever_comes(quiet=quiet):
                        await control.send_digits(call_id, within.digits)
            case CallEnded(call_id=found) if found == call_id:
                break
    await ended
    # Once more: a step may have failed because of the end, and belongs to what came of the call
    return await desk.wait_call(trunk.id, call_id)


def _say_progress(notice: Notice) -> None:
    match notice:
        case CallDigit(digit=digit):
            say(f"  the far end pressed {digit}")
        case CallHold(by_them=True):
            say("  the far end put the call on hold")
        case CallRecording(path=path, on=False, trouble=trouble):
            say(f"  the recording ended: {trouble}" if trouble else f"  recorded in {path}")
        case CallProgress(state=state, setup_ms=setup_ms):
            after = f" after {setup_ms:.0f} ms" if setup_ms is not None else ""
            words = {
                CallState.RINGING: f"  ringing{after}",
                CallState.EARLY_MEDIA: f"  sound before the answer{after}",
                CallState.ANSWERED: "  answered; sending and listening",
            }
            if state in words:
                say(words[state])
        case EngineLost():
            say(f"  {words_for_loss(notice)}")


def say_verdict(findings: tuple[Finding, ...], *, before: tuple[Finding, ...] = ()) -> None:
    """The headline of `findings`, then what came before them and they themselves."""
    say()
    say(headline(findings))
    output.say_findings((*before, *findings))


def worked(outcome: CallOutcome, findings: tuple[Finding, ...]) -> int:
    """The exit code of a call."""
    answered = outcome.result is CallResult.ANSWERED
    return WORKED if answered and worst(findings) is not Verdict.FAIL else FAILED
