"""Names that the far end gives for addresses: looked up in a thread, with a limit, and remembered."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

LIMIT_S = 3.0
"""Seconds after which a name counts as not found: four repeats of a 200 have come by then."""
REMEMBER_S = 60.0
_MOST = 32
_NEVER = (".invalid", ".example", ".onion")
"""Endings that no name server knows (RFC 6761, RFC 7686)."""

Then = Callable[["str | None"], None]


class Lookup:
    """Belongs to the engine's thread.

    Args:
        post: Runs a function on that thread.
        resolve: Gives the IPv4 address of a name or raises `OSError`; a test gives its own.
    """

    def __init__(
        self, post: Callable[[Callable[[], None]], None], resolve: Callable[[str], str] | None = None
    ) -> None:
        self._post = post
        self._resolve = resolve or _ipv4
        self._known: dict[str, tuple[float, str | None]] = {}
        self._waiting: dict[str, list[Then]] = {}
        self._limits: dict[str, float] = {}

    def find(self, name: str, then: Then) -> None:
        """Look a name up and call back on the engine's thread; None when it is not found in time."""
        name = name.rstrip(".").lower()
        at, address = self._known.get(name, (0.0, None))
        if name in self._known and time.monotonic() - at < REMEMBER_S:
            then(address)
            return
        if name.endswith(_NEVER) or (name not in self._waiting and len(self._waiting) >= _MOST):
            then(None)
            return
        waiting = self._waiting.setdefault(name, [])
        waiting.append(then)
        if len(waiting) > 1:
            return
        self._limits[name] = time.monotonic() + LIMIT_S
        threading.Thread(target=self._ask, args=(name,), daemon=True, name="sip-lookup").start()

    def watch(self, now: float) -> None:
        """Give up what takes too long; `now` is monotonic seconds."""
        for name in [name for name, limit in self._limits.items() if now > limit]:
            self._answered(name, None)

    def _ask(self, name: str) -> None:
        try:
            address: str | None = self._resolve(name)
        except (OSError, UnicodeError):
            address = None
        self._post(lambda: self._answered(name, address))

    def _answered(self, name: str, address: str | None) -> None:
        if self._limits.pop(name, None) is None:
            return  # given up before
        self._known[name] = (time.monotonic(), address)
        while len(self._known) > _MOST:
            del self._known[next(iter(self._known))]
        for then in self._waiting.pop(name, []):
            then(address)


def _ipv4(name: str) -> str:
    [(*_, address), *_] = socket.getaddrinfo(name, None, socket.AF_INET, socket.SOCK_DGRAM)
    return str(address[0])
