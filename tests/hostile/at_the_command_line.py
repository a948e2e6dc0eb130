"""A person's command against a far end that says any bytes: what the command prints and how it ends.

    async with scripted() as far, command(tmp_path, far, "register", "Far") as running:
        asked = await far.next("REGISTER")
        far.send_raw(b"SIP/2.0 403 Identit\\xe9 …")
        ended = await running.end()
    assert (ended.code, ended.finding_ids) == (1, ["REG-403"])

The real command line in a process of its own, with real engines. Nothing leaves loopback.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.engine.scripted import HOST, Scripted
from tests.helpers.command import Ended, Ringback, Running

PASSWORD = "secret#1"
"""Of the trunk; with a `#`, which findings may have an opinion about."""

LIMIT_S = 60.0
"""For one command, s."""


class Started:
    """A command that runs.

    Attributes:
        ringback: Runs more commands on the same data folder, once this one has ended.
        running: The process and what it has printed so far.
    """

    def __init__(self, ringback: Ringback, running: Running) -> None:
        self.ringback = ringback
        self.running = running

    async def end(self) -> Ended:
        """Wait for its end, within the limit."""
        return await asyncio.to_thread(self.running.end, seconds=LIMIT_S)


@asynccontextmanager
async def command(
    tmp_path: Path, far: Scripted, *words: object, as_json: bool = True, **settings: str
) -> AsyncIterator[Started]:
    """Start a command with the trunk "Far", which leads to the far end.

    Args:
        tmp_path: For its data.
        far: Where the trunk leads.
        words: The command and its options; `--password-stdin` is added.
        as_json: Whether `--json` is added.
        settings: Of the trunk, instead of the ones below.
    """
    ringback = Ringback(tmp_path)
    ringback.save("Far", **{"host": HOST, "port": str(far.port), "user": "1001", **settings})
    more = ["--json"] if as_json else []
    with ringback.start(*words, *more, password=PASSWORD) as running:
        yield Started(ringback, running)
