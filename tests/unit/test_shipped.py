"""Shipped data asked for by several threads."""

from __future__ import annotations

import subprocess
import sys

_TWO_THREADS = r"""
from __future__ import annotations
import sys, threading, msgspec
from app import shipped

sys.setswitchinterval(1e-6)
raw = b'[[a]]\nx = 1\ny = ["z"]\n'
for n in range(200):
    class Inner(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
        x: int
        y: tuple[str, ...] = ()

    class Outer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
        a: tuple[Inner, ...]

    both = threading.Barrier(2)

    def read():
        both.wait()
        shipped.parse("data", raw, Outer)

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


def test_two_threads_can_read_the_same_data_for_the_first_time() -> None:
    # In a process of its own: without the lock it ends by a signal
    ended = subprocess.run([sys.executable, "-c", _TWO_THREADS], capture_output=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")
