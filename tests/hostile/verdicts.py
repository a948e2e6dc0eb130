"""Commands that run side by side, each against a far end of its own, and what they say about the trunk.

    async def refuses(at: FarEnd) -> None:
        await at.answers()
        await at.is_hung_up("403 Forbidden")

    ended = together(tmp_path, {"403": call(refuses, "--seconds", 1), "481": …})
    fails(ended["403"], "BYE-REJ", "403 Forbidden")

One machine plays all of them at once, so the time of a test is that of its longest call. What a busy machine
does to the audio (`MEDIA-…`, `ECHO-SLOW`) is not what these tests are about: `ids` leaves it out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

import msgspec

from app.checks.diagnosis import headline, worst
from app.model.finding import Finding, Verdict
from tests.engine.far_end import echoing
from tests.engine.scripted import Dialog, Scripted, scripted
from tests.engine.waiting import until
from tests.helpers.command import Ended
from tests.helpers.sip_client import Message
from tests.hostile.at_the_command_line import command

STARTING = 3
"""Commands that start at the same time; once it has started, a command costs little."""
START_S = 30.0
"""For an engine to start and send its first request, on a machine with much else to do."""
NUMBER = "600"


class FarEnd(NamedTuple):
    """What a command meets.

    Attributes:
        far: Its SIP.
        echo: SDP of a place that sends audio back, with PCMU only.
    """

    far: Scripted
    echo: tuple[str, ...]

    async def is_called(self) -> Dialog:
        """Wait for the command's INVITE."""
        return self.far.called(await self.far.next("INVITE"))

    async def answers(self, *headers: str, body: Sequence[str] = ()) -> Dialog:
        """Answer the command's call with these headers, and take its ACK."""
        dialog = await self.is_called()
        dialog.respond("200 OK", *headers, body=body or self.echo)
        await self.far.next("ACK")
        return dialog

    async def calls(self, *headers: str, body: Sequence[str] = ()) -> tuple[Dialog, Message]:
        """Call the command and wait for its answer, which is not confirmed yet."""
        dialog = self.far.calls()
        dialog.invite(body or self.echo, *headers)
        response = await self.far.next("INVITE", 200)
        dialog.learn(response)
        return dialog, response

    async def hangs_up(self, dialog: Dialog, after_s: float, *headers: str) -> None:
        """Hang up after a while, with these headers."""
        await elapsed(after_s)
        dialog.send("BYE", *headers)
        await self.far.next("BYE", 200)

    async def is_hung_up(self, status: str = "200 OK") -> None:
        """Answer the BYE of the command with this."""
        self.far.respond(await self.far.next("BYE", seconds=60), status)


Play = Callable[[FarEnd], Awaitable[None]]
"""What the far end does while the command runs."""


class Case(NamedTuple):
    """A command and the far end that it meets.

    Attributes:
        words: The command.
        play: What the far end does.
        settings: Of the trunk, instead of those of `command`.
    """

    words: tuple[object, ...]
    play: Play
    settings: Mapping[str, str] = {}


def call(play: Play, *options: object, **settings: str) -> Case:
    """`ringback call` over a trunk that does not register."""
    return Case(("call", "Far", NUMBER, *options), play, {"sign_in": "address", **settings})


def answer(play: Play, *options: object, **settings: str) -> Case:
    """`ringback answer` on a trunk that does not register."""
    words = ("answer", "Far", "--wait", 30, "--ring", 0.2, *options)
    return Case(words, play, {"sign_in": "address", **settings})


def register(play: Play, **settings: str) -> Case:
    """`ringback register`."""
    return Case(("register", "Far"), play, {"sign_in": "register", **settings})


def together(tmp_path: Path, cases: Mapping[str, Case], *, as_json: bool = True) -> dict[str, Ended]:
    """Run all of them side by side, and give what each ended with.

    Args:
        tmp_path: For their data.
        cases: By name.
        as_json: Whether `--json` is added.
    """

    async def run() -> dict[str, Ended]:
        free = asyncio.Semaphore(STARTING)

        async def one(number: int, case: Case) -> Ended:
            folder = tmp_path / str(number)
            folder.mkdir()
            async with AsyncExitStack() as opened:
                far = await opened.enter_async_context(scripted())
                echo = await opened.enter_async_context(echoing())
                async with free:
                    started = await opened.enter_async_context(
                        command(folder, far, *case.words, as_json=as_json, **case.settings)
                    )
                    await until(lambda: far.engine[1], "the engine to be there", START_S)
                await case.play(FarEnd(far, echo))
                return await started.end()

        async with asyncio.TaskGroup() as group:
            tasks = {
                name: group.create_task(one(number, case), name=name)
                for number, (name, case) in enumerate(cases.items())
            }
        return {name: task.result() for name, task in tasks.items()}

    return asyncio.run(run())


# What was said


def findings(ended: Ended) -> tuple[Finding, ...]:
    """The findings of `--json`, but for those about the line's quality."""
    found = msgspec.convert(ended.json["findings"], tuple[Finding, ...])
    return tuple(one for one in found if not one.id.startswith(("MEDIA-", "ECHO-SLOW")))


def ids(ended: Ended) -> list[str]:
    """Ids of the findings, in their order, but for those about the line's quality."""
    return [one.id for one in findings(ended)]


def said(ended: Ended) -> str:
    """All words of the findings."""
    return " ".join(
        " ".join((one.title, one.meaning, *one.causes, *one.do, *one.evidence)) for one in findings(ended)
    )


def fails(ended: Ended, finding_id: str, *words: str) -> None:
    """Check that a command failed for this reason, first of all, and said these words."""
    assert ended.code == 1, ended
    _contradicts(ended, finding_id, Verdict.FAIL, words)


def warns(ended: Ended, finding_id: str, *words: str) -> None:
    """Check that a command worked, with this doubt first of all, and said these words."""
    assert ended.code == 0, ended
    _contradicts(ended, finding_id, Verdict.WARNING, words)


def passes(ended: Ended) -> None:
    """Check that a command worked and that nothing raised a doubt."""
    assert ended.code == 0, ended
    assert worst(findings(ended)) is Verdict.PASS, ids(ended)


def _contradicts(ended: Ended, finding_id: str, verdict: Verdict, words: tuple[str, ...]) -> None:
    found = findings(ended)
    assert found[0].id == finding_id, ids(ended)
    assert found[0].verdict is verdict
    assert not headline(found).startswith(("This trunk works.", "This trunk works as far"))
    for word in words:
        assert word in said(ended), said(ended)


async def elapsed(seconds: float) -> None:
    """Wait while a call is in progress."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await until(lambda: loop.time() - begun >= seconds, "time to pass", seconds + 10)
