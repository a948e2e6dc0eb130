"""How long importing the largest files keeps anybody waiting: the loop that calls and notices need."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from app.desk import Desk
from app.errors import UserError
from app.importing import MOST_BYTES
from app.model.trunk import Trunk
from app.model.trunk_csv import MOST_ROWS
from app.model.trunk_file import MOST_TRUNKS, write_trunks
from app.paths import paths_in
from app.store import Store
from app.vault import RunOnlyVault
from bench.figure import Figure

BUDGET_MS = 100.0
"""Two turns of the level meters; Python's own turns between threads are 5 ms."""
ROUNDS = 3
_BEAT_S = 0.001


async def _longest_stall_ms(work: Callable[[], Awaitable[object]]) -> float:
    longest, at = 0.0, time.perf_counter()

    async def beat() -> None:
        nonlocal longest, at
        while True:
            await asyncio.sleep(_BEAT_S)
            now = time.perf_counter()
            longest, at = max(longest, now - at - _BEAT_S), now

    beating = asyncio.create_task(beat())
    with contextlib.suppress(UserError):
        await work()
    beating.cancel()
    return 1000 * longest


def _document() -> str:
    """As many trunks as allowed, as much as allowed."""
    trunks = [
        Trunk(id="", name=f"Trunk {number}", host="sip.example.com", user="1")
        for number in range(MOST_TRUNKS)
    ]
    room = (MOST_BYTES - len(write_trunks(trunks))) // MOST_TRUNKS
    notes = "n" * min(room, 4000)
    return write_trunks(
        [Trunk(id="", name=trunk.name, host=trunk.host, user="1", notes=notes) for trunk in trunks]
    )


def _table() -> str:
    rows = (f"Trunk {number},sip.example.com,{number},{'n' * 1000},secret" for number in range(MOST_ROWS))
    return "\n".join(["name,host,user,notes,password", *rows])


def _hostile() -> tuple[str, ...]:
    """Files of 20 MB that are no trunks at all."""
    head = '{"ringback": "trunks", "version": 1, "trunks": ['
    return (
        head + '{"name": "' + "x" * (MOST_BYTES - 100) + '"}]}',
        head + '{"name": "' + "\\n" * (MOST_BYTES // 2 - 100) + '"}]}',
        head + "1," * (MOST_BYTES // 2 - 100) + "1]}",
        "[" * MOST_BYTES,
        " " * MOST_BYTES,
    )


async def _measure(folder: Path) -> list[Figure]:
    desk = Desk(Store.open(paths_in(folder)), lambda: (RunOnlyVault(), None))
    document, table, hostile = _document(), _table(), _hostile()

    async def refused() -> None:
        for text in hostile:
            with contextlib.suppress(UserError):
                await desk.import_text(text)

    async def least(work: Callable[[], Awaitable[object]]) -> float:
        # The least of some: another program that has the processor is no stall of ours
        return min([await _longest_stall_ms(work) for _ in range(ROUNDS)])

    stalls = {
        f"a document of {MOST_TRUNKS:,} trunks is checked": await least(
            lambda: desk.import_text(document, dry_run=True)
        ),
        f"a table of {MOST_ROWS:,} rows is checked": await least(lambda: desk.preview_csv(table)),
        "files of 20 MB that are none are refused": await least(refused),
    }
    await desk.close()
    return [
        Figure(
            name=f"longest stall while {what}",
            value=stall,
            unit="ms",
            budget=BUDGET_MS,
            note=f"of the loop that calls and notices need; least of {ROUNDS}",
        )
        for what, stall in stalls.items()
    ]


def measure() -> list[Figure]:
    """The stalls of the desk's event loop."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(Path(folder)))
