"""Waiting on an event loop for a condition, with a limit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def until(condition: Callable[[], T], what: object, seconds: float = 10.0) -> T:
    """Let the loop run until the condition gives something true, and return that.

    Raises:
        AssertionError: The limit passed.
    """
    limit = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < limit, f"waited {seconds:g} s in vain for {what}"
        await asyncio.sleep(0.01)
    return answer
