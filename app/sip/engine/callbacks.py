"""Callbacks that PJSIP makes: nothing may be raised in them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

P = ParamSpec("P")
S = TypeVar("S")
R = TypeVar("R")


def contained(
    callback: Callable[Concatenate[S, P], R],
) -> Callable[Concatenate[S, P], R | None]:
    """A callback whose errors end in the log.

    An exception would unwind PJSIP's own C frames: locks stay taken, and the call it is about never ends.
    """

    def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R | None:
        try:
            return callback(self, *args, **kwargs)
        except Exception:  # noqa: BLE001  # see above; a bug of ours is in the log then
            import traceback  # here, as an engine without faults needs none of it

            traceback.print_exc()
            return None

    functools.update_wrapper(call, callback)
    return call
