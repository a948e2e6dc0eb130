"""Calls that may wait for the person, made beside an event loop."""

from __future__ import annotations

import asyncio
import contextlib
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
