"""Waiting for a condition, with a limit, in place of sleeping."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(condition: Callable[[], T], what: str, *, seconds: float = 10.0) -> T:
    """Ask until the answer is true, and return it.

    Args:
        condition: Asked about every 10 ms.
        what: What is waited for, for the message.
        seconds: The limit.

    Raises:
        AssertionError: The limit passed.
    """
    limit = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > limit:
            raise AssertionError(f"waited {seconds:g} s in vain for {what}")
        time.sleep(0.01)
