"""What a caller writes reaches a terminal as text only: `answer` and `history`, with a real call."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.engine.far_end import echoing
from tests.engine.scripted import scripted
from tests.engine.waiting import until
from tests.helpers.hostile import shows
from tests.hostile.at_the_command_line import command

EVIL = "\x1b]0;forged title\x07\x1b[2J\u202eevil\u2066\x9b31m"
WORDS = ("answer", "Far", "--wait", 30, "--ring", 0.2, "--seconds", 1)


def test_escape_sequences_of_a_caller_are_printed_by_number(tmp_path: Path) -> None:
    async def run() -> list[str]:
        async with (
            scripted() as far,
            echoing() as echo,
            command(tmp_path, far, *WORDS, as_json=False, sign_in="address") as started,
        ):
            await until(lambda: far.engine[1], "the engine to be there", 30)
            dialog = far.calls()
            dialog.ours = f'"{EVIL}" <sip:+15145550100@127.0.0.1>;tag=evil'
            dialog.invite(echo, f"Subject: {EVIL}")
            response = await far.next("INVITE", 200)
            dialog.learn(response)
            dialog.ack(response)
            far.respond(await far.next("BYE"), f"403 No {EVIL}")
            ended = await started.end()
            assert ended.code == 1
            printed = [ended.out, ended.err]
            for words in (("history",), ("history", "--show", "1"), ("history", "--csv", "-")):
                ended = started.ringback.run(*words)
                assert ended.code == 0
                printed += [ended.out.removeprefix("\ufeff").replace("\r\n", "\n"), ended.err]
            return printed

    printed = asyncio.run(run())
    assert [text for text in printed if shows(text)] == []
    answered, _, listed, _, shown, *_ = printed
    assert all("forged title" in text for text in (answered, listed, shown))
