"""Calls that may wait for the person: their values and errors come back, and nobody has to wait for them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time

import pytest

from app.threads import finish_apart, run_apart


def test_a_value_and_an_error_come_back() -> None:
    async def run() -> None:
        assert await run_apart(int, "1f", base=16) == 31
        with pytest.raises(ValueError, match="nonsense"):
            await run_apart(int, "nonsense")

    asyncio.run(run())


@pytest.mark.parametrize("fails", [False, True])
def test_what_must_not_go_on_alone_is_waited_for_by_who_is_cancelled(fails: bool) -> None:
    release, done = threading.Event(), []

    def work() -> None:
        release.wait(10)
        done.append("done")
        if fails:
            raise ValueError("nonsense")

    async def run() -> None:
        task = asyncio.create_task(finish_apart(work))
        await asyncio.sleep(0)
        for _ in range(2):
            task.cancel()
            await asyncio.sleep(0)
        assert not task.done()
        release.set()
        with pytest.raises(ValueError if fails else asyncio.CancelledError):
            await task
        assert done == ["done"]
        assert await finish_apart(int, "5") == 5

    asyncio.run(run())


def test_the_loop_goes_on_meanwhile() -> None:
    async def run() -> str:
        release = threading.Event()
        asyncio.get_running_loop().call_later(0.01, release.set)
        await run_apart(release.wait, 10)
        return "released by the loop itself"

    assert asyncio.run(run())


@pytest.mark.parametrize("late", ["answers late", "fails late"])
def test_a_call_that_nobody_waits_for_any_more_keeps_nothing_from_ending(late: str) -> None:
    release, over = threading.Event(), threading.Event()

    def slow() -> None:
        release.wait(10)
        over.set()
        if late == "fails late":
            raise OSError("nobody hears this")

    async def run() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await run_apart(slow)

    begun = time.monotonic()
    asyncio.run(run())
    assert time.monotonic() - begun < 5
    release.set()
    assert over.wait(5)


_ENDS = """
import atexit, sys, threading
from app.threads import leave
atexit.register(print, "finalized")
if sys.argv[1] == "stuck":
    threading.Thread(target=threading.Event().wait, daemon=True).start()
sys.stdout.write("printed")
sys.exit(leave(3))
"""


@pytest.mark.parametrize(("how", "printed"), [("stuck", "printed"), ("free", "printedfinalized\n")])
def test_the_end_does_not_go_through_python_while_a_thread_is_stuck(how: str, printed: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _ENDS, how], capture_output=True, text=True, check=False, timeout=60
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (3, printed, "")
