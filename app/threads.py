"""Calls that may wait for the person, made beside an event loop."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def run_apart(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Make a call in a thread that nobody waits for when the program ends meanwhile.

    `asyncio.to_thread` would keep the program from ending until the call has returned: Ctrl-C would have to
    wait for a keyring whose window nobody sees.

    Raises:
        BaseException: What the call raises.
    """
    # Late: the program leaves through this module, and its window is to be painted before asyncio is loaded
    import asyncio

    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def tell(act: Callable[[], object]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(lambda: answer.done() or act())

    def run() -> None:
        try:
            value = call(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001  # raised again below, in the loop's thread
            failure = error
            tell(lambda: answer.set_exception(failure))
        else:
            tell(lambda: answer.set_result(value))

    threading.Thread(target=run, name="apart", daemon=True).start()
    return await answer


async def finish_apart(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """As `run_apart`, for what must not go on alone: who is cancelled meanwhile is cancelled once it is done.

    Raises:
        BaseException: What the call raises.
    """
    import asyncio

    task = asyncio.ensure_future(run_apart(call, *args, **kwargs))
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None and (task.cancelled() or task.exception() is None):
        raise cancelled
    return task.result()


def leave(code: int) -> int:
    """End the program at once if a thread is still at work, else return the code.

    Python ends such a thread by unwinding it once it asks for the interpreter again. In the middle of foreign
    code, as when a keyring's Rust library is being loaded, that aborts the process. For a thread that is not
    a daemon it would wait, as long as a disk that has gone takes to fail. All of ours must be closed by now:
    nothing runs after this, only what was printed is written out.

    Args:
        code: The exit code.
    """
    if all(thread is threading.main_thread() for thread in threading.enumerate()):
        return code
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):  # no console, or its reader has gone
            stream.flush()
    os._exit(code)
